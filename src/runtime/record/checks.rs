//! What a recording can say of itself: whether the runner stood still at its start, and how far its sensors' clocks are
//! apart.

use crate::clock::knock::{KnockOffset, NoKnock, knock_offsets};
use crate::model::{ImuSample, Placement, SensorEvent, SessionTime};
use crate::orientation::calibration::{CalibrationCheck, CalibrationLimits, CalibrationState};
use serde::Serialize;

/// Standing is looked for this long from the first sample, s: long enough to start the program, put it away and stand.
const STANDING_WITHIN_S: f64 = 120.0;
/// Knocks are looked for this long from the start and to the end, s.
const KNOCKS_WITHIN_S: f64 = 30.0;
/// Above this offset, left and right cannot be compared by time, s: 1 % of contact balance is 2 to 2.5 ms.
pub const KNOCK_LIMIT_S: f64 = 5e-3;

/// Looks for the first quiet standing of a recording; what it measures tilt against.
#[derive(Debug)]
pub struct Standing {
    check: Option<CalibrationCheck>,
    first: Option<SessionTime>,
}

impl Standing {
    /// For sensors in these places.
    #[must_use]
    pub fn new(places: &[Placement]) -> Self {
        let limits = CalibrationLimits {
            patience_s: STANDING_WITHIN_S,
            ..CalibrationLimits::default()
        };
        Self {
            check: (!places.is_empty()).then(|| CalibrationCheck::new(places, limits)),
            first: None,
        }
    }

    /// Takes an event; gives the standing once, when it has been found.
    pub fn take(&mut self, event: &SensorEvent) -> Option<SensorEvent> {
        let check = self.check.as_mut()?;
        if let SensorEvent::Sample(_, sample) = event {
            let first = *self.first.get_or_insert(sample.t);
            if sample.t.since(first) > STANDING_WITHIN_S {
                self.check = None;
                return None;
            }
        }
        check.push(event);
        match check.state() {
            CalibrationState::Done(calibration) => {
                self.check = None;
                Some(SensorEvent::Standing {
                    from: calibration.from,
                    to: calibration.to,
                })
            }
            CalibrationState::Refused(_) => {
                self.check = None;
                None
            }
            CalibrationState::Progress { .. } => None,
        }
    }
}

/// How far two sensors' clocks were apart when the sensors were knocked together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct KnockResult {
    /// `start` or `end` of the recording.
    pub when: &'static str,
    /// First sensor.
    pub first: Placement,
    /// Second sensor.
    pub second: Placement,
    /// Second against first, s; positive when the second one's times are late.
    pub offset_s: f64,
    /// Standard deviation of single knocks, s.
    pub scatter_s: f64,
    /// Knocks.
    pub knocks: usize,
}

/// Looks for knocks at the start and at the end of a recording whose events are in the order of time. Where none are found
/// nothing is said: most runs have none.
#[must_use]
pub fn knocks(events: &[SensorEvent]) -> Vec<KnockResult> {
    let times = |e: &SensorEvent| match e {
        SensorEvent::Sample(_, s) => Some(s.t),
        _ => None,
    };
    let (Some(first), Some(last)) = (events.iter().find_map(times), events.iter().rev().find_map(times)) else {
        return Vec::new();
    };
    let mut results = Vec::new();
    for (when, from, to) in [
        ("start", first, first.plus(KNOCKS_WITHIN_S)),
        ("end", last.plus(-KNOCKS_WITHIN_S), last),
    ] {
        if let Ok(offsets) = within(events, from, to) {
            results.extend(offsets.into_iter().map(|o| KnockResult {
                when,
                first: o.first,
                second: o.second,
                offset_s: o.offset_s,
                scatter_s: o.scatter_s,
                knocks: o.n,
            }));
        }
    }
    results
}

fn within(events: &[SensorEvent], from: SessionTime, to: SessionTime) -> Result<Vec<KnockOffset>, NoKnock> {
    let mut sensors: Vec<(Placement, Vec<ImuSample>)> = Vec::new();
    for event in events {
        if let SensorEvent::Sample(placement, sample) = event
            && sample.t >= from
            && sample.t <= to
        {
            match sensors.iter_mut().find(|(p, _)| p == placement) {
                Some((_, samples)) => samples.push(*sample),
                None => sensors.push((*placement, vec![*sample])),
            }
        }
    }
    let slices: Vec<(Placement, &[ImuSample])> = sensors.iter().map(|(p, s)| (*p, s.as_slice())).collect();
    knock_offsets(&slices)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ClipFlags, Vec3};

    fn sample(place: Placement, t: f64, acc_z: f64, rate: f64) -> SensorEvent {
        SensorEvent::Sample(
            place,
            ImuSample {
                t: SessionTime::from_secs(t),
                acc: Vec3::new(0.0, 0.0, acc_z),
                gyro: Vec3::new(rate, 0.0, 0.0),
                clip: ClipFlags::NONE,
                filled: false,
            },
        )
    }

    fn standing_found(moving_until_s: f64, seconds: f64) -> Option<(f64, f64)> {
        let places = [Placement::LeftFoot, Placement::Sacrum];
        let mut standing = Standing::new(&places);
        for k in 0..(seconds * 100.0) as u32 {
            let t = f64::from(k) / 100.0;
            let rate = if t < moving_until_s { (t * 7.0).sin() } else { 0.0 };
            for place in places {
                if let Some(SensorEvent::Standing { from, to }) = standing.take(&sample(place, t, 9.81, rate)) {
                    return Some((from.secs(), to.secs()));
                }
            }
        }
        None
    }

    #[test]
    fn the_first_quiet_standing_is_found_after_moving_about() {
        let (from, to) = standing_found(8.0, 30.0).expect("it stands from 8 s on");
        assert!(from >= 7.9 && to - from >= 4.9 && to < 15.0, "{from} to {to}");
    }

    #[test]
    fn a_runner_who_never_stands_has_no_standing() {
        assert_eq!(standing_found(1000.0, 150.0), None);
    }

    #[test]
    fn a_run_without_knocks_says_nothing() {
        let events: Vec<_> = (0..2000)
            .flat_map(|k| {
                let t = f64::from(k) / 100.0;
                [
                    sample(Placement::LeftFoot, t, 9.81, 0.0),
                    sample(Placement::RightFoot, t, 9.81, 0.0),
                ]
            })
            .collect();
        assert!(knocks(&events).is_empty());
    }
}
