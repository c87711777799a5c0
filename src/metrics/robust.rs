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
