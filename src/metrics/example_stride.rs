//! One plausible running stride for the tests of metrics and blocks, to be changed by them.

use super::context::{MetricSet, StandingReference, StrideContext, StrideRecord, Synchronised};
use crate::model::units::rad;
use crate::model::{
    Absent, Activity, Athlete, Contact, DataClass, FootMotion, QualityParts, SegmentKind, SessionTime, Side, Stride,
    StrideFlags, Vec3,
};

/// 3.3 m/s at 168 steps a minute, contact 245 ms, rear-foot: the runner of the spring model's known answer.
pub(super) const STRIDE_S: f64 = 0.7142;
pub(super) const CONTACT_S: f64 = 0.245;
pub(super) const SPEED: f64 = 3.3;

pub(super) const ATHLETE: Athlete = Athlete {
    height_m: Some(1.75),
    mass_kg: Some(70.0),
    leg_length_m: None,
};

/// The contact of a foot that lands at `ic`.
pub(super) fn contact(ic: f64) -> Contact {
    Contact {
        ic: SessionTime::from_secs(ic),
        m: SessionTime::from_secs(ic + 0.1),
        tc: SessionTime::from_secs(ic + CONTACT_S),
    }
}

/// A stride of the left foot that lands at `ic` seconds.
pub(super) fn stride(ic: f64) -> Stride {
    let contact = contact(ic);
    Stride {
        side: Some(Side::Left),
        seen_from: SegmentKind::Foot,
        start: contact.m,
        end: contact.m.plus(STRIDE_S),
        contact: Some(contact),
        next_ic: Some(contact.ic.plus(STRIDE_S)),
        foot: Some(FootMotion {
            displacement: Vec3::new(SPEED * STRIDE_S, 0.0, 0.0),
            length_sigma_m: 0.01,
            pitch_ic_rad: Some(rad(12.0)),
            touchdown_speed: Some(0.8),
            inversion_range_rad: Some(rad(9.0)),
            toe_out_rad: Some(rad(6.0)),
            heading_rad: 0.0,
            acc_clipped_share: 0.0,
            gyro_clipped_share: 0.0,
            impact_peak: Some((140.0, false)),
            chi2: 4.0,
            linear_difference: 0.01,
            free_slope: 0.0,
        }),
        activity: Activity::Running,
        flags: StrideFlags::default(),
        quality: QualityParts::FULL,
    }
}

/// Two synchronised feet, nothing else worn. The other foot lands half a stride away.
pub(super) fn context<'a>(stride: &'a Stride, athlete: &'a Athlete) -> StrideContext<'a> {
    let ic = stride.contact.map_or(0.0, |c| c.ic.secs());
    StrideContext {
        stride,
        foot: None,
        shank: Err(Absent::NoSensor),
        sacrum: Err(Absent::NoSensor),
        opposite_before: Some(contact(ic - STRIDE_S / 2.0)),
        opposite_inside: Some(contact(ic + STRIDE_S / 2.0)),
        synchronised: Synchronised::Yes,
        standing: StandingReference::default(),
        athlete,
    }
}

/// A record of `stride` with some of its metrics.
pub(super) fn record(stride: Stride) -> StrideRecord {
    let mut metrics = MetricSet::default();
    let ctx = context(&stride, &ATHLETE);
    super::temporal::compute(&ctx, &mut metrics);
    super::foot::compute(&ctx, &mut metrics);
    super::foot::Strike::default().compute(&mut metrics);
    StrideRecord {
        index: 0,
        class: DataClass::of(stride.quality.product()),
        stride,
        metrics,
    }
}
