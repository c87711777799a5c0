//! The known bias of pitch-rate minima against force-plate contacts, by speed.
//!
//! Both minima have a small spread and a bias that depends on speed and strike (Falbriard 2018, doi
//! 10.3389/fphys.2018.00610; Mitschke 2017). The values here are medians over six foot-sides of two rear-foot runners
//! against vertical force (50 N) with virtual instep sensors made from motion capture; impacts there are blunted, and
//! forefoot contacts have no measured value yet. Linear between the speeds, constant outside.

/// Speed (m/s) and bias of the raw initial contact (raw minus true, s).
const IC_BIAS: [(f64, f64); 3] = [(2.5, 0.009), (3.5, 0.009), (4.5, 0.001)];
/// Speed (m/s) and bias of the raw terminal contact (raw minus true, s).
const TC_BIAS: [(f64, f64); 3] = [(2.5, -0.029), (3.5, -0.010), (4.5, -0.014)];

/// Raw minus true initial contact at this speed, s.
#[must_use]
pub fn ic_bias_s(speed: f64) -> f64 {
    interpolate(&IC_BIAS, speed)
}

/// Raw minus true terminal contact at this speed, s.
#[must_use]
pub fn tc_bias_s(speed: f64) -> f64 {
    interpolate(&TC_BIAS, speed)
}

fn interpolate(table: &[(f64, f64)], x: f64) -> f64 {
    let mut before = table[0];
    for &(xi, yi) in table {
        if x <= xi {
            let (x0, y0) = before;
            return if xi > x0 {
                y0 + (yi - y0) * ((x - x0) / (xi - x0)).max(0.0)
            } else {
                yi
            };
        }
        before = (xi, yi);
    }
    before.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linear_between_and_constant_outside() {
        assert_eq!(ic_bias_s(1.0), 0.009);
        assert!((ic_bias_s(4.0) - 0.005).abs() < 1e-12);
        assert_eq!(tc_bias_s(9.0), -0.014);
        assert!((tc_bias_s(3.0) + 0.0195).abs() < 1e-12);
    }
}
