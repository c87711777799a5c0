//! Medians and spreads that a few wild values do not move.

/// Median absolute deviation to standard deviation of a normal distribution: 1 / Φ⁻¹(3/4).
pub(crate) const MAD_TO_SD: f64 = 1.4826;

/// The median (mean of the two middle values of an even count); `None` of nothing. Reorders `values`.
pub(crate) fn median(values: &mut [f64]) -> Option<f64> {
    let n = values.len();
    if n == 0 {
        return None;
    }
    let (below, middle, _) = values.select_nth_unstable_by(n / 2, f64::total_cmp);
    let upper = *middle;
    if n % 2 == 1 {
        return Some(upper);
    }
    let lower = below.iter().copied().max_by(f64::total_cmp)?;
    Some(0.5 * (lower + upper))
}

/// The spread about the median as a standard deviation, 1.4826 × the median absolute deviation; `None` of nothing.
/// Overwrites `values` with the deviations.
pub(crate) fn spread(values: &mut [f64]) -> Option<f64> {
    let centre = median(values)?;
    values.iter_mut().for_each(|v| *v = (*v - centre).abs());
    median(values).map(|d| MAD_TO_SD * d)
}

/// Tukey's biweight location and scale (Mosteller and Tukey 1977, chapter 10: tuning 6 and 9 deviations): nearly as sharp as
/// mean and standard deviation on normal values, and untouched by wild ones. `None` where more than half of the values
/// are equal, and of nothing.
pub(crate) fn biweight(values: &[f64]) -> Option<(f64, f64)> {
    let mut copy = values.to_vec();
    let centre = median(&mut copy)?;
    let mad = spread(&mut copy)? / MAD_TO_SD;
    if mad <= 0.0 {
        return None;
    }
    let (mut weights, mut weighted, mut squares, mut slopes) = (0.0, 0.0, 0.0, 0.0);
    for v in values {
        let d = v - centre;
        let u = d / (6.0 * mad);
        if u.abs() < 1.0 {
            let w = (1.0 - u * u).powi(2);
            weights += w;
            weighted += w * d;
        }
        let u2 = (d / (9.0 * mad)).powi(2);
        if u2 < 1.0 {
            squares += d * d * (1.0 - u2).powi(4);
            slopes += (1.0 - u2) * (1.0 - 5.0 * u2);
        }
    }
    let scale = (values.len() as f64 * squares).sqrt() / slopes.abs();
    scale.is_finite().then_some((centre + weighted / weights, scale))
}

/// Mean and sample variance by Welford's running sums, which do not cancel.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Running {
    count: u32,
    mean: f64,
    /// Sum of squared deviations from the mean.
    squares: f64,
}

impl Running {
    pub(crate) fn push(&mut self, value: f64) {
        self.count += 1;
        let before = value - self.mean;
        self.mean += before / f64::from(self.count);
        self.squares += before * (value - self.mean);
    }

    pub(crate) fn count(&self) -> u32 {
        self.count
    }

    pub(crate) fn mean(&self) -> f64 {
        self.mean
    }

    /// Sample variance; `None` below two values.
    pub(crate) fn variance(&self) -> Option<f64> {
        (self.count >= 2).then(|| self.squares / f64::from(self.count - 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_of_odd_even_and_nothing() {
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&mut [4.0, 1.0, 3.0, 2.0]), Some(2.5));
        assert_eq!(median(&mut []), None);
        assert_eq!(spread(&mut []), None);
    }

    #[test]
    fn spread_ignores_one_wild_value() {
        let s = spread(&mut [1.0, 2.0, 3.0, 4.0, 1e9]).expect("values");
        assert!((s - MAD_TO_SD).abs() < 1e-12);
    }

    #[test]
    fn biweights_are_sharp_on_normal_values_and_deaf_to_wild_ones() {
        let mut chance = super::super::chance::Chance::new(9);
        let (mut centres, mut scales) = (Running::default(), Running::default());
        for _ in 0..2000 {
            let mut v: Vec<f64> = (0..34).map(|_| 5.0 + 2.0 * chance.normal()).collect();
            v[0] = 1e6;
            let (c, s) = biweight(&v).expect("varied");
            centres.push(c);
            scales.push(s);
        }
        assert!((centres.mean() - 5.0).abs() < 0.03);
        // The standard error of a mean of 33 is 0.348.
        assert!(centres.variance().expect("many").sqrt() < 0.38);
        assert!((scales.mean() / 2.0 - 1.0).abs() < 0.05);
        assert_eq!(biweight(&[1.0, 1.0, 1.0, 2.0]), None);
        assert_eq!(biweight(&[]), None);
    }

    #[test]
    fn running_moments_equal_the_textbook_even_far_from_zero() {
        let mut r = Running::default();
        assert_eq!(r.variance(), None);
        for v in [1e9 + 4.0, 1e9 + 7.0, 1e9 + 13.0, 1e9 + 16.0] {
            r.push(v);
        }
        assert!((r.mean() - (1e9 + 10.0)).abs() < 1e-6);
        assert!((r.variance().expect("four") - 30.0).abs() < 1e-6);
    }
}
