//! Round numbers for an axis.
//!
//! Steps are 1, 2 or 5 times a power of ten, so that a reader can halve between them; ends are moved outwards to a step.

/// Values at which an axis is marked, and its ends.
#[derive(Clone, Debug, PartialEq)]
pub struct Ticks {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Marked values, ascending.
    pub values: Vec<f64>,
    /// Decimals with which they are written.
    pub decimals: usize,
}

/// Round marks from at most `low` to at least `high`, `most` of them at the most (never fewer than two).
///
/// Ends that are equal, exchanged or not finite give an axis all the same: of a chart without data the frame is drawn.
#[must_use]
pub fn ticks(low: f64, high: f64, most: usize) -> Ticks {
    let (mut low, mut high) = match (low.is_finite(), high.is_finite()) {
        (true, true) => (low.min(high), low.max(high)),
        (true, false) | (false, true) => {
            let known = if low.is_finite() { low } else { high };
            (known, known)
        }
        (false, false) => (0.0, 1.0),
    };
    if high - low <= 1e-9 * low.abs().max(high.abs()).max(1e-9) {
        let about = if low == 0.0 { 1.0 } else { 0.1 * low.abs() };
        (low, high) = (low - about, high + about);
    }
    let most = most.max(2) as f64;
    let mut step = 10_f64.powf(((high - low) / most).log10().floor());
    for factor in [1.0, 2.0, 5.0, 10.0, 20.0] {
        let candidate = step * factor;
        let count = (high / candidate - 1e-9).ceil() - (low / candidate + 1e-9).floor() + 1.0;
        if count <= most || factor == 20.0 {
            step = candidate;
            break;
        }
    }
    let (first, last) = ((low / step + 1e-9).floor(), (high / step - 1e-9).ceil());
    let values = (0..=(last - first) as usize).map(|i| (first + i as f64) * step);
    let decimals = (-step.log10() - 1e-9).ceil().max(0.0) as usize;
    Ticks {
        low: first * step,
        high: last * step,
        // A negative zero would be written with its sign.
        values: values.map(|v| if v == 0.0 { 0.0 } else { v }).collect(),
        decimals,
    }
}

impl Ticks {
    /// A marked value as it is written, with a true minus sign.
    #[must_use]
    pub fn text(&self, value: f64) -> String {
        format!("{value:.*}", self.decimals).replace('-', "\u{2212}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round_and_cover_the_values() {
        for (low, high, want) in [
            (0.0, 10.0, vec![0.0, 2.0, 4.0, 6.0, 8.0, 10.0]),
            (163.2, 171.9, vec![162.0, 164.0, 166.0, 168.0, 170.0, 172.0]),
            (-3.2, 4.1, vec![-4.0, -2.0, 0.0, 2.0, 4.0, 6.0]),
            (0.231, 0.262, vec![0.23, 0.24, 0.25, 0.26, 0.27]),
        ] {
            let t = ticks(low, high, 6);
            let near = t.values.iter().zip(&want).all(|(a, b)| (a - b).abs() < 1e-9);
            assert!(near && t.values.len() == want.len(), "{low} {high}: {:?}", t.values);
            assert!(t.low <= low && t.high >= high && t.values.len() <= 6);
        }
    }

    #[test]
    fn no_data_equal_ends_and_exchanged_ends_give_an_axis() {
        for (low, high) in [
            (f64::NAN, f64::NAN),
            (f64::INFINITY, f64::NEG_INFINITY),
            (0.0, 0.0),
            (171.0, 171.0),
            (-5.0, -5.0),
            (3.0, f64::NAN),
            (9.0, 1.0),
            (1e-12, 2e-12),
            (1e12, 3e12),
        ] {
            let t = ticks(low, high, 5);
            assert!(
                t.low < t.high && t.values.len() >= 2 && t.values.len() <= 6,
                "{low} {high}: {t:?}"
            );
            assert!(t.values.iter().all(|v| v.is_finite()));
        }
    }

    #[test]
    fn decimals_tell_neighbours_apart() {
        let t = ticks(0.231, 0.262, 6);
        let texts: Vec<String> = t.values.iter().map(|v| t.text(*v)).collect();
        assert_eq!(texts, ["0.23", "0.24", "0.25", "0.26", "0.27"]);
        assert_eq!(ticks(-4.0, 4.0, 5).text(-4.0), "\u{2212}4");
    }
}
