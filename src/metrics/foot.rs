//! What the shoe sensor alone says of a stride: length, speed, strike, touchdown, impact.

use super::context::{MetricSet, StrideContext};
use super::registry::MetricId as Id;
use crate::model::units::rad;
use crate::model::{Absent, Measured, SegmentKind};

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

    /// The value of the metric `foot_strike_class`: 1 rear-foot, 0 mid-foot, −1 fore-foot.
    #[must_use]
    pub fn code(self) -> f64 {
        match self {
            Self::Rearfoot => 1.0,
            Self::Midfoot => 0.0,
            Self::Forefoot => -1.0,
        }
    }

    /// The class of that code, or of a median of codes (a tie lies with the mid-foot).
    #[must_use]
    pub fn from_code(code: f64) -> Self {
        if code > 0.5 {
            Self::Rearfoot
        } else if code < -0.5 {
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

/// A distance is told of a leg when at least this share of its time has stride lengths; the rest goes at its mean speed.
pub const KNOWN_LENGTHS: f64 = 0.7;

/// Memory of one side: the strike class held.
#[derive(Clone, Copy, Debug, Default)]
pub struct Strike {
    held: Option<StrikeClass>,
}

impl Strike {
    /// Fills the strike class of one stride; comes after [`compute`].
    pub fn compute(&mut self, set: &mut MetricSet) {
        let class = set.get(Id::FootStrikeAngle).map(|angle| {
            let class = StrikeClass::of(angle, self.held);
            self.held = Some(class);
            class.code()
        });
        set.set(Id::FootStrikeClass, class);
    }
}

/// Fills the foot metrics of one stride.
pub fn compute(ctx: &StrideContext, set: &mut MetricSet) {
    let Some(foot) = ctx.stride.foot else {
        let absent = match ctx.stride.seen_from {
            SegmentKind::Foot => Absent::Refused,
            _ => Absent::NoSensor,
        };
        for id in [
            Id::StrideLength,
            Id::Speed,
            Id::FootStrikeAngle,
            Id::FootInversionRange,
            Id::ToeOut,
            Id::TouchdownSpeed,
            Id::FootImpact,
        ] {
            set.set(id, Err(absent));
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
    // Mirrored with the side: without it their sign would be a guess.
    let sided = |value: Option<f64>| match ctx.stride.side {
        Some(_) => landed(value),
        None => Err(Absent::SideUnknown),
    };
    set.set(Id::FootStrikeAngle, landed(foot.pitch_ic_rad));
    set.set(Id::FootInversionRange, landed(foot.inversion_range_rad));
    set.set(Id::ToeOut, sided(foot.toe_out_rad));
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

    #[test]
    fn a_foot_on_the_border_keeps_its_class() {
        let mut memory = Strike::default();
        let mut codes = |degrees: &[f64]| -> Vec<Option<f64>> {
            degrees
                .iter()
                .map(|deg| {
                    let mut set = MetricSet::default();
                    set.set(Id::FootStrikeAngle, Ok(rad(*deg)));
                    memory.compute(&mut set);
                    set.value(Id::FootStrikeClass)
                })
                .collect()
        };
        assert_eq!(codes(&[8.5, 7.0, 8.5, 7.0]), [Some(1.0); 4]);
        assert_eq!(codes(&[5.0, 9.0, -3.0]), [Some(0.0); 3]);
        assert_eq!(codes(&[-4.0, 0.0]), [Some(-1.0); 2]);
        let mut absent = MetricSet::default();
        absent.set(Id::FootStrikeAngle, Err(Absent::Refused));
        memory.compute(&mut absent);
        assert_eq!(absent.get(Id::FootStrikeClass), Err(Absent::Refused));
        for class in [StrikeClass::Rearfoot, StrikeClass::Midfoot, StrikeClass::Forefoot] {
            assert_eq!(StrikeClass::from_code(class.code()), class);
        }
    }

    #[test]
    fn what_the_foot_did_and_why_not() {
        use super::super::example_stride::{ATHLETE, SPEED, context, stride};
        let mut s = stride(0.0);
        let measured = |s: &crate::model::Stride| {
            let mut set = MetricSet::default();
            compute(&context(s, &ATHLETE), &mut set);
            set
        };
        assert!((measured(&s).value(Id::Speed).expect("given") - SPEED).abs() < 1e-8);
        assert_eq!(measured(&s).value(Id::FootImpact), Some(140.0));
        s.side = None;
        assert_eq!(measured(&s).get(Id::ToeOut), Err(Absent::SideUnknown));
        if let Some(foot) = &mut s.foot {
            foot.acc_clipped_share = 0.03;
            foot.impact_peak = Some((157.0, true));
            foot.touchdown_speed = None;
        }
        let clipped = measured(&s);
        for (id, reason) in [
            (Id::StrideLength, Absent::Clipped),
            (Id::Speed, Absent::Clipped),
            (Id::FootImpact, Absent::Clipped),
            (Id::TouchdownSpeed, Absent::Refused),
        ] {
            assert_eq!(clipped.get(id), Err(reason), "{id:?}");
        }
        assert!(
            clipped.value(Id::FootStrikeAngle).is_some(),
            "clipping takes the length, not the angle"
        );
        s.foot = None;
        s.seen_from = SegmentKind::Sacrum;
        assert_eq!(measured(&s).get(Id::Speed), Err(Absent::NoSensor));
    }
}
