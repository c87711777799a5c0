//! How far a stride's numbers can be trusted: the factors of its quality.
//!
//! Each factor is in [0, 1] and stands for one thing that goes wrong; their product decides the class. The limits of χ²
//! are from 482 strides of known length: 95 % lie below 7, the median error is 0.9 cm below 15 and 3–4 cm above.

use crate::model::{QualityParts, Stride};

/// The factors of one stride.
#[must_use]
pub fn quality_parts(stride: &Stride) -> QualityParts {
    let Some(foot) = stride.foot else {
        // Seen from shank or sacrum: nothing here speaks against it.
        return QualityParts::FULL;
    };
    QualityParts {
        innovation: innovation(foot.chi2),
        clipping: clipping(foot.acc_clipped_share, foot.gyro_clipped_share),
        gaps: if stride.flags.filled { 0.5 } else { 1.0 },
        agreement: agreement(foot.linear_difference),
        guards: if stride.flags.implausible_contact { 0.3 } else { 1.0 },
        alignment: if stride.flags.mounting_unsettled { 0.7 } else { 1.0 },
    }
}

fn innovation(chi2: f64) -> f64 {
    if chi2 < 15.0 {
        1.0
    } else if chi2 < 40.0 {
        0.6
    } else {
        0.2
    }
}

/// 2.5 % of accelerometer samples at the rail leave nothing of the length, 10 % of gyroscope samples make it poor.
fn clipping(acc_share: f64, gyro_share: f64) -> f64 {
    let acc = (1.0 - acc_share / 0.025).max(0.0);
    let gyro = if gyro_share > 0.10 { 0.3 } else { 1.0 - 3.0 * gyro_share };
    acc * gyro
}

/// 1 below 3 % of difference to linear de-drifting, 0.5 at 5 %, 0.2 from 10 % on.
fn agreement(difference: f64) -> f64 {
    let d = difference * 100.0;
    if d < 3.0 {
        1.0
    } else if d < 5.0 {
        1.0 - 0.25 * (d - 3.0)
    } else {
        (0.5 - 0.06 * (d - 5.0)).max(0.2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_fall_where_they_are_said_to() {
        assert_eq!(innovation(14.9), 1.0);
        assert_eq!(innovation(41.0), 0.2);
        assert!((agreement(0.05) - 0.5).abs() < 1e-9 && (agreement(0.10) - 0.2).abs() < 1e-9);
        assert!(clipping(0.0, 0.2) < 0.4 && clipping(0.025, 0.0) == 0.0);
    }
}
