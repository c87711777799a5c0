//! Seeded randomness that gives the same numbers on every platform.
//!
//! xoshiro256++ (Blackman and Vigna 2021, ACM TOMS 47(4), doi 10.1145/3460772), seeded through SplitMix64 as its authors
//! advise. Written here, because a generator from a library may change its stream with a version, and a recording named
//! by its seed would then silently become another recording. Every purpose draws from a stream of its own
//! ([`Rng::stream`]), so that switching one fault on does not shift the dice of another.

/// One stream of random numbers.
#[derive(Clone, Debug)]
pub(super) struct Rng {
    state: [u64; 4],
    spare: Option<f64>,
}

/// What a stream of randomness is used for: its number separates it from the others of the same seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Strides = 1,
    Subject = 2,
    Mounts = 3,
    Imperfections = 4,
    Noise = 5,
    Clock = 6,
    Transport = 7,
}

fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

impl Rng {
    /// The stream of this seed for one purpose and one instance of it (a sensor, say).
    pub(super) fn stream(seed: u64, purpose: Purpose, instance: usize) -> Self {
        let mut s = seed;
        // Two rounds between the parts, so that neighbouring seeds and purposes do not give shifted copies.
        let mut mixed = split_mix(&mut s) ^ (purpose as u64);
        mixed = split_mix(&mut mixed) ^ (instance as u64);
        let state = [
            split_mix(&mut mixed),
            split_mix(&mut mixed),
            split_mix(&mut mixed),
            split_mix(&mut mixed),
        ];
        Self { state, spare: None }
    }

    pub(super) fn bits(&mut self) -> u64 {
        let s = &mut self.state;
        let result = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// Uniform in [0, 1) with 53 random bits.
    pub(super) fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Uniform in [low, high).
    pub(super) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Standard normal, by Marsaglia's polar method (1964): only a logarithm and a root, both the same everywhere.
    pub(super) fn normal(&mut self) -> f64 {
        if let Some(z) = self.spare.take() {
            return z;
        }
        loop {
            let (x, y) = (2.0 * self.unit() - 1.0, 2.0 * self.unit() - 1.0);
            let r = x * x + y * y;
            if r > 0.0 && r < 1.0 {
                let scale = (-2.0 * libm::log(r) / r).sqrt();
                self.spare = Some(y * scale);
                return x * scale;
            }
        }
    }

    /// Exponential with this mean.
    pub(super) fn exponential(&mut self, mean: f64) -> f64 {
        -mean * libm::log(1.0 - self.unit())
    }

    /// Whether an event of this probability happens.
    pub(super) fn happens(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// A direction uniform on the sphere.
    pub(super) fn direction(&mut self) -> [f64; 3] {
        loop {
            let v = [self.normal(), self.normal(), self.normal()];
            let n = (v[0] * v[0] + v[1] * v[1] + v[2] * v[2]).sqrt();
            if n > 1e-6 {
                return [v[0] / n, v[1] / n, v[2] / n];
            }
        }
    }
}

/// First-order autoregressive deviations with unit variance and correlation 0.3 from one stride to the next.
#[derive(Clone, Debug, Default)]
pub(super) struct Wander {
    last: Option<f64>,
}

/// Correlation of neighbouring strides (design choice, signal design 19.1).
const STRIDE_CORRELATION: f64 = 0.3;

impl Wander {
    pub(super) fn next(&mut self, rng: &mut Rng) -> f64 {
        let z = rng.normal();
        let x = match self.last {
            None => z,
            Some(x) => STRIDE_CORRELATION * x + (1.0 - STRIDE_CORRELATION * STRIDE_CORRELATION).sqrt() * z,
        };
        // Three and a half sigma: a stride further out would be a stumble, which is another model.
        let x = x.clamp(-3.5, 3.5);
        self.last = Some(x);
        x
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_is_the_published_one() {
        // First outputs of xoshiro256++ from the state 1, 2, 3, 4, worked out by hand from the published step.
        let mut rng = Rng {
            state: [1, 2, 3, 4],
            spare: None,
        };
        assert_eq!(rng.bits(), 41_943_041);
        assert_eq!(rng.bits(), 58_720_359);
    }

    #[test]
    fn normal_deviates_have_unit_variance_and_streams_are_unrelated() {
        let (mut a, mut b) = (Rng::stream(7, Purpose::Noise, 0), Rng::stream(7, Purpose::Noise, 1));
        let n = 40_000;
        let (mut sum, mut squares, mut cross) = (0.0, 0.0, 0.0);
        for _ in 0..n {
            let (x, y) = (a.normal(), b.normal());
            sum += x;
            squares += x * x;
            cross += x * y;
        }
        let n = f64::from(n);
        // Five standard errors each.
        assert!((sum / n).abs() < 5.0 / n.sqrt());
        assert!((squares / n - 1.0).abs() < 5.0 * (2.0 / n).sqrt());
        assert!((cross / n).abs() < 5.0 / n.sqrt());
    }
}
