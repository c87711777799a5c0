//! A number with its first and second derivative in time.
//!
//! Positions and angles are written once, as formulas over [`Jet`]s; velocities, accelerations and angular rates come
//! out of the same formulas by the chain rule, exact to rounding. That is what keeps truth and signal consistent: there
//! is no second formula to disagree, and nothing is differenced. (Forward-mode differentiation of order two; Griewank
//! and Walther 2008, *Evaluating Derivatives*, chapter 13.)

use std::ops::{Add, Mul, Neg, Sub};

/// Value, rate and second rate.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Jet {
    pub(super) v: f64,
    pub(super) d: f64,
    pub(super) a: f64,
}

impl Jet {
    pub(super) const fn new(v: f64, d: f64, a: f64) -> Self {
        Self { v, d, a }
    }

    pub(super) const fn constant(v: f64) -> Self {
        Self { v, d: 0.0, a: 0.0 }
    }

    /// `f(self)`, given value and derivatives of `f` there.
    pub(super) fn compose(self, f: f64, f1: f64, f2: f64) -> Self {
        Self {
            v: f,
            d: f1 * self.d,
            a: f1 * self.a + f2 * self.d * self.d,
        }
    }

    pub(super) fn sin_cos(self) -> (Self, Self) {
        let (s, c) = libm::sincos(self.v);
        (self.compose(s, c, -s), self.compose(c, -s, -c))
    }

    /// Root of a positive number. The caller guarantees `v > 0`.
    pub(super) fn sqrt(self) -> Self {
        let r = self.v.sqrt();
        self.compose(r, 0.5 / r, -0.25 / (r * self.v))
    }

    /// One over a number that is not zero.
    pub(super) fn recip(self) -> Self {
        let r = 1.0 / self.v;
        self.compose(r, -r * r, 2.0 * r * r * r)
    }
}

impl Add for Jet {
    type Output = Self;
    fn add(self, o: Self) -> Self {
        Self {
            v: self.v + o.v,
            d: self.d + o.d,
            a: self.a + o.a,
        }
    }
}

impl Sub for Jet {
    type Output = Self;
    fn sub(self, o: Self) -> Self {
        Self {
            v: self.v - o.v,
            d: self.d - o.d,
            a: self.a - o.a,
        }
    }
}

impl Neg for Jet {
    type Output = Self;
    fn neg(self) -> Self {
        Self {
            v: -self.v,
            d: -self.d,
            a: -self.a,
        }
    }
}

impl Mul for Jet {
    type Output = Self;
    fn mul(self, o: Self) -> Self {
        Self {
            v: self.v * o.v,
            d: self.d * o.v + self.v * o.d,
            a: self.a * o.v + 2.0 * self.d * o.d + self.v * o.a,
        }
    }
}

impl Mul<f64> for Jet {
    type Output = Self;
    fn mul(self, k: f64) -> Self {
        Self {
            v: self.v * k,
            d: self.d * k,
            a: self.a * k,
        }
    }
}

impl Add<f64> for Jet {
    type Output = Self;
    fn add(self, k: f64) -> Self {
        Self { v: self.v + k, ..self }
    }
}

/// Three jets: a moving point or a turning direction.
pub(super) type Jet3 = [Jet; 3];

pub(super) fn add3(a: &Jet3, b: &Jet3) -> Jet3 {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

pub(super) fn sub3(a: &Jet3, b: &Jet3) -> Jet3 {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

pub(super) fn scale3(a: &Jet3, k: Jet) -> Jet3 {
    [a[0] * k, a[1] * k, a[2] * k]
}

pub(super) fn dot3(a: &Jet3, b: &Jet3) -> Jet {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

pub(super) fn cross3(a: &Jet3, b: &Jet3) -> Jet3 {
    [
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    ]
}

/// The quintic smooth step 10x³ − 15x⁴ + 6x⁵: 0 below 0, 1 above 1, twice continuously differentiable.
pub(super) fn smooth_step(x: Jet) -> Jet {
    if x.v <= 0.0 {
        return Jet::default();
    }
    if x.v >= 1.0 {
        return Jet::constant(1.0);
    }
    let (u, w) = (x.v, 1.0 - x.v);
    x.compose(
        u * u * u * (10.0 + u * (6.0 * u - 15.0)),
        30.0 * u * u * w * w,
        60.0 * u * w * (1.0 - 2.0 * u),
    )
}

/// ∫₀ˣ of [`smooth_step`] for x in [0, 1]; 1/2 at 1.
pub(super) fn smooth_step_area(x: f64) -> f64 {
    let x4 = x * x * x * x;
    x4 * (2.5 - 3.0 * x + x * x)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Derivatives of a composite expression against differences of its value.
    #[test]
    fn the_chain_rule_holds_against_differences() {
        let f = |t: f64| {
            let x = Jet::new(t, 1.0, 0.0);
            let (s, c) = (x * 1.7).sin_cos();
            (s * s + 1.3).sqrt() * (c + 2.0).recip() + smooth_step(x * 0.4) - x * x
        };
        let (t, h) = (0.83, 1e-4);
        let (lo, mid, hi) = (f(t - h), f(t), f(t + h));
        assert!((mid.d - (hi.v - lo.v) / (2.0 * h)).abs() < 1e-6);
        assert!((mid.a - (hi.v - 2.0 * mid.v + lo.v) / (h * h)).abs() < 1e-5);
    }

    #[test]
    fn the_area_under_the_step_is_its_integral() {
        let n = 2000;
        let sum: f64 = (0..n)
            .map(|i| smooth_step(Jet::constant((f64::from(i) + 0.5) / f64::from(n) * 0.7)).v)
            .sum();
        assert!((sum * 0.7 / f64::from(n) - smooth_step_area(0.7)).abs() < 1e-7);
        assert!((smooth_step_area(1.0) - 0.5).abs() < 1e-15);
    }
}
