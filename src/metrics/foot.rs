//! What the shoe sensor alone says of a stride: length, speed, strike, touchdown, impact.

use super::context::{MetricSet, StrideContext};
use super::registry::MetricId as Id;
use crate::model::units::rad;
use crate::model::{Absent, Measured};

/// How the foot lands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StrikeClass {
    /// Heel first: strike angle above 8°.
    Rearfoot,
    /// Flat: between.
    Midfoot,
    /// Ball first: below −1.6°.
    Forefoot,
}

/// Limits of Altman and Davis 2012, doi 10.1016/j.gaitpost.2011.09.104.
const REARFOOT_ABOVE_DEG: f64 = 8.0;
const FOREFOOT_BELOW_DEG: f64 = -1.6;
/// A class is left only this far beyond its limit, so that a foot on the border does not flicker.
const HYSTERESIS_DEG: f64 = 2.0;

impl StrikeClass {
    /// The class of a strike angle (rad, toe up), given the class before.
    #[must_use]
    pub fn of(angle: f64, before: Option<Self>) -> Self {
        let slack =
            |class, limit: f64, sign: f64| rad(limit + sign * if before == Some(class) { HYSTERESIS_DEG } else { 0.0 });
        let upper = match before {
            Some(Self::Rearfoot) => slack(Self::Rearfoot, REARFOOT_ABOVE_DEG, -1.0),
            Some(Self::Midfoot) => slack(Self::Midfoot, REARFOOT_ABOVE_DEG, 1.0),
            _ => rad(REARFOOT_ABOVE_DEG),
        };
        let lower = match before {
            Some(Self::Forefoot) => slack(Self::Forefoot, FOREFOOT_BELOW_DEG, 1.0),
            Some(Self::Midfoot) => slack(Self::Midfoot, FOREFOOT_BELOW_DEG, -1.0),
            _ => rad(FOREFOOT_BELOW_DEG),
        };
        if angle > upper {
            Self::Rearfoot
        } else if angle < lower {
            Self::Forefoot
        } else {
            Self::Midfoot
        }
    }

    /// `rearfoot`, `midfoot`, `forefoot`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rearfoot => "rearfoot",
            Self::Midfoot => "midfoot",
            Self::Forefoot => "forefoot",
        }
    }
}

/// More accelerometer-clipped samples than this share and the length is not given: its spread reaches 5 cm and more.
const MAX_ACC_CLIPPED_SHARE: f64 = 0.025;

/// Fills the foot metrics of one stride.
pub fn compute(ctx: &StrideContext, set: &mut MetricSet) {
    let Some(foot) = ctx.stride.foot else {
        for id in [
            Id::StrideLength,
            Id::Speed,
            Id::FootStrikeAngle,
            Id::FootInversionRange,
            Id::ToeOut,
            Id::TouchdownSpeed,
            Id::FootImpact,
        ] {
            set.set(id, Err(Absent::NoSensor));
        }
        return;
    };
    let length = if foot.acc_clipped_share > MAX_ACC_CLIPPED_SHARE {
        Err(Absent::Clipped)
    } else {
        Ok(foot.displacement.v.x)
    };
    set.set(Id::StrideLength, length);
    set.set(Id::Speed, length.map(|l| l / ctx.stride.secs()));
    let landed = |value: Option<f64>| value.ok_or(Absent::Refused);
    set.set(Id::FootStrikeAngle, landed(foot.pitch_ic_rad));
    set.set(Id::FootInversionRange, landed(foot.inversion_range_rad));
    set.set(
        Id::ToeOut,
        if ctx.stride.side.is_some() {
            landed(foot.toe_out_rad)
        } else {
            Err(Absent::SideUnknown)
        },
    );
    set.set(Id::TouchdownSpeed, landed(foot.touchdown_speed));
    let impact: Measured = match foot.impact_peak {
        None => Err(Absent::Refused),
        Some((_, true)) => Err(Absent::Clipped),
        Some((peak, false)) => Ok(peak),
    };
    set.set(Id::FootImpact, impact);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_left_only_beyond_its_limit() {
        let class = |deg: f64, before| StrikeClass::of(rad(deg), before);
        assert_eq!(class(9.0, None), StrikeClass::Rearfoot);
        assert_eq!(class(7.0, Some(StrikeClass::Rearfoot)), StrikeClass::Rearfoot);
        assert_eq!(class(5.9, Some(StrikeClass::Rearfoot)), StrikeClass::Midfoot);
        assert_eq!(class(9.0, Some(StrikeClass::Midfoot)), StrikeClass::Midfoot);
        assert_eq!(class(-3.0, Some(StrikeClass::Midfoot)), StrikeClass::Midfoot);
        assert_eq!(class(-3.7, Some(StrikeClass::Midfoot)), StrikeClass::Forefoot);
        assert_eq!(class(0.3, Some(StrikeClass::Forefoot)), StrikeClass::Forefoot);
    }
}
