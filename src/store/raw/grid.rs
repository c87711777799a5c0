//! The grid that measured numbers lie on.
//!
//! A converter counts, so its readings are counts times a step; a text file has decimals, so its numbers are counts over
//! a power of ten, perhaps turned into SI units afterwards. Found again, the counts take a quarter of the room of the
//! numbers. A grid is only used when every number comes back from its count bit for bit, so a wrong guess costs room and
//! never truth.

use crate::model::units::{RAD_PER_DEG, STANDARD_GRAVITY};

/// Largest count that a `f64` and an `i64` both hold exactly.
const COUNT_MAX: f64 = 9_007_199_254_740_992.0;

/// Step to which accelerations off any grid are rounded, m/s²: 2⁻¹¹. The error of 0.000 24 m/s² is a twentieth of one
/// count of a ±16 g sensor of 16 bits (0.0048 m/s²) and far below its noise.
pub const ACC_STEP: f64 = 1.0 / 2048.0;

/// Step to which angular rates off any grid are rounded, rad/s: 2⁻¹³. The error of 0.000 061 rad/s is a seventeenth of
/// one count of a ±2000 °/s sensor of 16 bits (0.001 07 rad/s).
pub const GYRO_STEP: f64 = 1.0 / 8192.0;

/// Numbers `count / den · num`, computed in this order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Grid {
    pub(crate) num: f64,
    pub(crate) den: f64,
}

impl Grid {
    /// Multiples of a step.
    pub(crate) const fn step(step: f64) -> Self {
        Self { num: step, den: 1.0 }
    }

    /// The number of a count.
    pub(crate) fn value(self, count: i64) -> f64 {
        count as f64 / self.den * self.num
    }

    /// The count nearest to a number; `None` where there is none that fits.
    pub(crate) fn nearest(self, value: f64) -> Option<i64> {
        let count = (value * self.den / self.num).round();
        (count.abs() < COUNT_MAX).then_some(count as i64)
    }

    /// The count that gives exactly this number.
    pub(crate) fn exact(self, value: f64) -> Option<i64> {
        self.nearest(value)
            .filter(|count| self.value(*count).to_bits() == value.to_bits())
    }

    /// Whether the bytes of a file may be taken as a grid.
    pub(crate) fn is_sound(self) -> bool {
        self.num.is_finite() && self.den.is_finite() && self.num > 0.0 && self.den > 0.0
    }

    /// The counts of all numbers, where the grid gives every one back.
    #[cfg(test)]
    pub(crate) fn exact_all(self, values: &[f64]) -> Option<Vec<i64>> {
        values.iter().map(|v| self.exact(*v)).collect()
    }
}

/// What the numbers are, which decides where a grid is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quantity {
    /// Accelerations, m/s².
    Acceleration,
    /// Angular rates, rad/s.
    AngularRate,
}

impl Quantity {
    /// The step for numbers off any grid.
    pub(crate) fn fine_step(self) -> Grid {
        Grid::step(match self {
            Self::Acceleration => ACC_STEP,
            Self::AngularRate => GYRO_STEP,
        })
    }

    /// Grids worth trying, the likeliest and coarsest first.
    fn candidates(self, full_scale: Option<f64>) -> Vec<Grid> {
        /// Counts of a 16-bit converter on one side of zero.
        const HALF_RANGE: f64 = 32_768.0;
        let mut grids = vec![self.fine_step()];
        // Decimals of a text file in SI units, then in the units sensor makers use.
        let maker_unit = match self {
            Self::Acceleration => STANDARD_GRAVITY,
            Self::AngularRate => RAD_PER_DEG,
        };
        for num in [1.0, maker_unit] {
            grids.extend((0..=7).map(|decimals| Grid {
                num,
                den: 10_f64.powi(decimals),
            }));
        }
        // Converters: the range given, and the usual ones.
        let usual: &[f64] = match self {
            Self::Acceleration => &[2.0, 4.0, 8.0, 16.0, 32.0],
            Self::AngularRate => &[250.0, 500.0, 1000.0, 2000.0, 4000.0],
        };
        for range in full_scale
            .into_iter()
            .filter(|r| *r > 0.0)
            .chain(usual.iter().map(|r| r * maker_unit))
        {
            grids.push(Grid::step(range / HALF_RANGE));
        }
        grids.extend(usual.iter().map(|r| Grid {
            num: maker_unit,
            den: HALF_RANGE / r,
        }));
        // Coarse first: the first grid that fits has the smallest counts.
        grids.sort_by(|a, b| (b.num / b.den).total_cmp(&(a.num / a.den)));
        grids
    }

    /// The coarsest known grid on which all these numbers lie exactly. `last` is where they lay before, `given` the
    /// step the caller knows.
    pub(crate) fn find(
        self,
        axes: [&[f64]; 3],
        given: Option<f64>,
        full_scale: Option<f64>,
        last: Option<Grid>,
    ) -> Option<Grid> {
        let fits = |grid: &Grid| axes.iter().all(|axis| axis.iter().all(|v| grid.exact(*v).is_some()));
        let given = given.filter(|s| s.is_finite() && *s > 0.0).map(Grid::step);
        given
            .into_iter()
            .chain(last)
            .find(fits)
            .or_else(|| self.candidates(full_scale).into_iter().find(fits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(quantity: Quantity, values: &[f64]) -> Option<Grid> {
        quantity.find([values, &[], &[]], None, None, None)
    }

    #[test]
    fn counts_of_a_converter_and_decimals_of_a_file_are_found_again() {
        let counts = [-32_768_i64, -3, 0, 1, 1234, 32_767];
        let lsb = 16.0 * STANDARD_GRAVITY / 32_768.0;
        let acc: Vec<f64> = counts.iter().map(|c| *c as f64 * lsb).collect();
        let grid = find(Quantity::Acceleration, &acc).expect("a converter");
        assert_eq!(grid.exact_all(&acc).expect("exact"), counts);

        let text: Vec<f64> = ["0.123", "-9.81", "4", "0.001"]
            .iter()
            .map(|t| t.parse().expect("number"))
            .collect();
        let grid = find(Quantity::Acceleration, &text).expect("decimals");
        assert_eq!(grid.exact_all(&text).expect("exact"), [123, -9810, 4000, 1]);

        let degrees: Vec<f64> = [1.5, -200.25].iter().map(|d| d * RAD_PER_DEG).collect();
        assert!(find(Quantity::AngularRate, &degrees).is_some());
    }

    #[test]
    fn numbers_off_every_grid_are_left_alone() {
        assert_eq!(find(Quantity::Acceleration, &[std::f64::consts::PI, 1.0 / 3.0]), None);
        assert_eq!(find(Quantity::Acceleration, &[f64::NAN]), None);
        assert_eq!(find(Quantity::Acceleration, &[f64::INFINITY]), None);
        assert_eq!(
            find(Quantity::Acceleration, &[-0.0]),
            None,
            "the sign of zero would be lost"
        );
    }
}
