//! temp
#[derive(Clone, Debug)]
/// t
pub struct Butterworth2 { b: [f64; 3], a: [f64; 2], s: [f64; 2], init: bool }
impl Butterworth2 {
    /// t
    pub fn low_pass(fc: f64, rate: f64) -> Self {
        let c = (std::f64::consts::PI * fc / rate).tan(); let d = c * c + 2f64.sqrt() * c + 1.0; let b0 = c * c / d;
        Self { b: [b0, 2.0 * b0, b0], a: [2.0 * (c * c - 1.0) / d, (1.0 - 2f64.sqrt() * c + c * c) / d], s: [0.0; 2], init: false }
    }
    /// t
    pub fn step(&mut self, x: f64) -> f64 {
        if !self.init { self.init = true; self.s = [x * (1.0 - self.b[0]), x * (self.b[2] - self.a[1])]; }
        let y = self.b[0] * x + self.s[0];
        self.s[0] = self.b[1] * x - self.a[0] * y + self.s[1];
        self.s[1] = self.b[2] * x - self.a[1] * y;
        y
    }
}
