//! How many digits of a number are worth telling.
//!
//! A trend that says "0.023 steps/min" promises what no sensor keeps. Digits end where the smallest change that can be told
//! begins, and never go beyond what the unit is shown with anywhere else.

/// Digits and unit of one metric for one runner.
#[derive(Clone, Debug, PartialEq)]
pub struct Precision {
    decimals: usize,
    unit: String,
    factor: f64,
}

/// Decimals with which a unit is shown at most.
#[must_use]
pub fn decimals_of(unit: &str) -> usize {
    match unit {
        "ms" | "N" => 0,
        "steps/min" | "cm" | "°" | "%" | "g" | "m/s²" | "kN/m" | "dB" => 1,
        _ => 2,
    }
}

impl Precision {
    /// Of a metric with its unit as shown, the factor that leads there from SI, and the smallest change that can be told
    /// (SI), where it is known: its first figure is the last that is told.
    #[must_use]
    pub fn of(unit: &str, factor: f64, smallest: Option<f64>) -> Self {
        let most = decimals_of(unit);
        let told = smallest
            .map(|s| (s * factor).abs())
            .filter(|s| s.is_finite() && *s > 0.0);
        let decimals = told.map_or(most, |s| ((-s.log10().floor()).max(0.0) as usize).min(most));
        Self {
            decimals,
            unit: unit.to_owned(),
            factor,
        }
    }

    /// A value kept in SI, as it is told, with its unit.
    #[must_use]
    pub fn text(&self, value: f64) -> String {
        self.written(value * self.factor)
    }

    /// A limit kept in SI, rounded away from zero: what is told as below it is below it.
    #[must_use]
    pub fn at_least(&self, limit: f64) -> String {
        let step = 10_f64.powi(self.decimals as i32);
        self.written((limit * self.factor * step - 1e-9).ceil() / step)
    }

    fn written(&self, shown: f64) -> String {
        let mut number = format!("{shown:.*}", self.decimals);
        if number.trim_start_matches('-').chars().all(|c| c == '0' || c == '.') {
            number = number.trim_start_matches('-').to_owned();
        }
        match self.unit.as_str() {
            "" | "1" => number,
            "°" => format!("{number}°"),
            unit => format!("{number} {unit}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_end_where_a_change_can_be_told() {
        let cadence = Precision::of("steps/min", 1.0, Some(0.94));
        assert_eq!(cadence.text(0.023), "0.0 steps/min");
        assert_eq!(cadence.text(166.64), "166.6 steps/min");
        assert_eq!(cadence.at_least(0.94), "1.0 steps/min");
        let wide = Precision::of("steps/min", 1.0, Some(3.2));
        assert_eq!(wide.text(7.816), "8 steps/min");
        assert_eq!(Precision::of("ms", 1000.0, Some(0.000_3)).text(0.2527), "253 ms");
        assert_eq!(Precision::of("°", 57.295_78, Some(0.005)).text(0.0247), "1.4°");
        assert_eq!(Precision::of("m", 1.0, None).text(-0.001), "0.00 m");
    }
}
