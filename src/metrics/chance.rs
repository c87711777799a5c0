//! Seeded chance for tests: SplitMix64 (Steele, Lea, Flood 2014) and normal numbers from it (Box and Muller 1958).

/// A stream of chance; the same seed gives the same stream everywhere.
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Even in (0, 1).
    pub(super) fn even(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (((z ^ (z >> 31)) >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    /// Normal with mean 0 and standard deviation 1.
    pub(super) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * self.even().ln()).sqrt();
        radius * (std::f64::consts::TAU * self.even()).cos()
    }
}

#[test]
fn normal_numbers_have_the_moments_they_claim() {
    let mut chance = Chance::new(1);
    let v: Vec<f64> = (0..20_000).map(|_| chance.normal()).collect();
    let moment = |p: i32| v.iter().map(|x| x.powi(p)).sum::<f64>() / v.len() as f64;
    assert!(moment(1).abs() < 0.03 && (moment(2) - 1.0).abs() < 0.05);
    assert!(moment(3).abs() < 0.1 && (moment(4) - 3.0).abs() < 0.3);
}
