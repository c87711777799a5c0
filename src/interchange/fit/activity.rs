//! One run as a FIT activity: what watches' programs and training diaries open.
//!
//! Once a second a record, each the mean around its instant of the strides under way, by the native fields of the profile
//! where there is one, else by a field of lope's own with a name that is never changed ([`OWN_FIELDS`]). Nothing stands
//! twice. What was not measured is the protocol's invalid value. Strides themselves do not fit one a second: the CSV of the
//! same run has them.
//!
//! - Cadence counts strides of one leg, as the profile wants it; step length is half the stride length.
//! - Stance time balance is the left leg's share of both contact times.
//! - Vertical oscillation is that of the pelvis sensor, not of the centre of mass.
//! - A **pause** is a stretch of ten seconds or more without a stride, in most of which a sensor was heard and moved in no
//!   rhythm. A stretch without data is none. Within pauses there are no records, as watches do it.
//! - Instants are whole seconds in UTC; the run begins in the second of its first sample.
//!
//! Deliberately absent: what the runner said. A mark of pain is a symptom, and this file is made to be handed on.

use super::encode::{Field, Messages, Value, scaled_u16, scaled_u32};
use super::seconds::{Means, Of, Seconds};
use super::{APPLICATION_ID, EPOCH_S, FIRST_DATE, TIMESTAMP, message};
use crate::metrics::StrideRecord;
use crate::model::{Placement, SessionTime};
use std::num::NonZeroU32;

/// Shortest stretch without a stride that is a pause, s: longer than the gait takes to be found again after a stumble.
const PAUSE_S: usize = 10;
/// Longest run written, s: a hundred hours. It bounds memory, whatever a session claims.
const LONGEST_S: f64 = 360_000.0;
/// `manufacturer` of programs that have no number of their own.
const DEVELOPMENT: Value<'static> = Value::U16(Some(255));
/// Whose name stands beside it.
const PRODUCT: Value<'static> = Value::Text("lope");

/// A field that the global profile does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnField {
    /// Its number among lope's.
    pub number: u8,
    /// Its name, for ever.
    pub name: &'static str,
    /// Its unit.
    pub units: &'static str,
}

/// Lope's own fields. Numbers and names are for ever: programs find them by either.
pub const OWN_FIELDS: [OwnField; 6] = [
    // Against quiet standing, front down positive.
    own(0, "Pelvic Tilt Change", "deg"),
    // In the stance of the left leg, its swing side below level positive.
    own(1, "Pelvic Drop L", "deg"),
    own(2, "Pelvic Drop R", "deg"),
    // Range over the stride.
    own(3, "Pelvic Rotation", "deg"),
    own(4, "Foot Ahead of Hip", "mm"),
    // Mean quality of all strides, those not averaged too.
    own(5, "Data Quality", "%"),
];

const fn own(number: u8, name: &'static str, units: &'static str) -> OwnField {
    OwnField { number, name, units }
}

/// What is known of a run before its strides are.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// Session time zero, UTC, microseconds since 1970.
    pub start_us: i64,
    /// End of the run.
    pub end: SessionTime,
    /// How far local time was ahead of UTC, s, where it is known.
    pub utc_offset_s: Option<i32>,
    /// Where laps end, in any order; the last one ends with the run.
    pub laps: Vec<SessionTime>,
    /// Ends of seconds of which a sensor tells that there was no rhythm in them, in any order.
    pub still: Vec<SessionTime>,
    /// Sensors worn.
    pub sensors: Vec<Placement>,
    /// Whether they were read over Bluetooth; else where the samples came from is not said.
    pub over_bluetooth: Bluetooth,
    /// The mark by which lope knows its own file again ([`super::session_mark`]).
    pub mark: u32,
    /// Version of the program, `0.1.0`.
    pub version: String,
}

/// How samples reached lope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bluetooth {
    /// Over Bluetooth Low Energy.
    Yes,
    /// By a file, or by simulation.
    No,
}

/// Why a run cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FitError {
    /// FIT counts its time from 1989 and takes a time before 1998 for that of a device without a clock.
    #[error("its start lies outside the years that FIT can tell (1998 to 2126)")]
    NoDate,
    /// Longer than a hundred hours.
    #[error("it is longer than a hundred hours")]
    TooLong,
}

/// A run in the making: takes its strides one by one.
#[derive(Clone, Debug)]
pub struct Activity {
    frame: Frame,
    /// Session time of the first record, and its time stamp.
    first_s: f64,
    first_stamp: u32,
    seconds: Seconds,
    /// Ends of laps in order, the last one that of the run.
    laps: Vec<SessionTime>,
}

/// A stretch of records without a pause: the first and the last, by number.
type Stretch = (usize, usize);

impl Activity {
    /// Begins a run.
    ///
    /// # Errors
    /// See [`FitError`].
    pub fn new(frame: Frame) -> Result<Self, FitError> {
        let lasts = frame.end.secs();
        if !(0.0..=LONGEST_S).contains(&lasts) {
            return Err(FitError::TooLong);
        }
        // The first whole second of the run.
        let first_unix = frame.start_us.div_euclid(1_000_000) + i64::from(frame.start_us.rem_euclid(1_000_000) > 0);
        let first_stamp = first_unix - EPOCH_S;
        let last_stamp = first_stamp + LONGEST_S as i64 + 1;
        if first_stamp <= FIRST_DATE || u32::try_from(last_stamp).is_err() {
            return Err(FitError::NoDate);
        }
        let first_s = (first_unix * 1_000_000 - frame.start_us) as f64 / 1e6;
        let count = (lasts - first_s + 1.0).floor().max(0.0) as usize;
        let inside = |t: &SessionTime| *t > SessionTime::ZERO && *t < frame.end;
        let mut laps: Vec<SessionTime> = frame.laps.iter().copied().filter(inside).collect();
        laps.sort_unstable();
        laps.dedup();
        laps.push(frame.end);
        let mut begin = SessionTime::ZERO;
        let mut stretches: Vec<(SessionTime, SessionTime)> = laps
            .iter()
            .map(|end| (std::mem::replace(&mut begin, *end), *end))
            .collect();
        // Behind the laps, the whole.
        stretches.push((SessionTime::ZERO, frame.end));
        Ok(Self {
            seconds: Seconds::new(first_s, count, &stretches),
            first_s,
            first_stamp: first_stamp as u32,
            laps,
            frame,
        })
    }

    /// The next stride.
    pub fn push(&mut self, record: &StrideRecord) {
        self.seconds.take(record);
    }

    /// The file.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        let mut out = Messages::new();
        self.head(&mut out);
        let running = self.running();
        let distances = self.seconds.distances();
        let mut lap = 0;
        for (first, last) in &running {
            self.timer(&mut out, self.stamp(*first), 0);
            for k in *first..=*last {
                // A lap ends before the records of the next one begin.
                while lap + 1 < self.laps.len() && self.laps[lap].secs() <= self.at(k) {
                    self.lap(&mut out, lap, &running, distances.as_deref());
                    lap += 1;
                }
                self.record(&mut out, k, distances.as_deref());
            }
            let ends = last + 1 == self.seconds.count();
            self.timer(&mut out, if ends { self.end_stamp() } else { self.stamp(*last) }, 4);
        }
        for lap in lap..self.laps.len() {
            self.lap(&mut out, lap, &running, distances.as_deref());
        }
        self.session(&mut out, &running, distances.as_deref());
        let local = self
            .frame
            .utc_offset_s
            .map(|offset| self.end_stamp().wrapping_add_signed(offset));
        out.push(
            7,
            message::ACTIVITY,
            &[
                (TIMESTAMP, Value::U32(Some(self.end_stamp()))),
                (
                    0,
                    scaled_u32(Some(self.timer_s(&running, SessionTime::ZERO, self.frame.end)), 1e3),
                ),
                (1, Value::U16(Some(1))),
                (2, Value::Enum(Some(0))),
                (3, Value::Enum(Some(26))),
                (4, Value::Enum(Some(1))),
                (5, Value::U32(local)),
            ],
        );
        out.finish()
    }

    /// What the file is, whose fields stand in it, and which sensors were worn.
    fn head(&self, out: &mut Messages) {
        let created = Value::U32(Some(self.start_stamp()));
        out.push(
            0,
            message::FILE_ID,
            &[
                (0, Value::Enum(Some(4))),
                (1, DEVELOPMENT),
                (2, Value::U16(Some(1))),
                (3, Value::U32z(NonZeroU32::new(self.frame.mark))),
                (4, created),
                (8, PRODUCT),
            ],
        );
        let version = version_number(&self.frame.version);
        out.push(0, message::FILE_CREATOR, &[(0, Value::U16(version))]);
        out.push(
            0,
            message::DEVELOPER_DATA_ID,
            &[
                (1, Value::Bytes(&APPLICATION_ID)),
                (2, DEVELOPMENT),
                (3, Value::U8(Some(0))),
                (4, Value::U32(version.map(u32::from))),
            ],
        );
        let no_means = Means::default();
        for (field, (number, value)) in OWN_FIELDS.iter().zip(own_values(&no_means)) {
            debug_assert_eq!(field.number, number, "one order for both");
            out.push(
                0,
                message::FIELD_DESCRIPTION,
                &[
                    (0, Value::U8(Some(0))),
                    (1, Value::U8(Some(field.number))),
                    (2, Value::U8(Some(value.base()))),
                    (3, Value::Text(field.name)),
                    (8, Value::Text(field.units)),
                    (14, Value::U16(Some(message::RECORD))),
                ],
            );
        }
        let source = match self.frame.over_bluetooth {
            Bluetooth::Yes => Some(3),
            Bluetooth::No => None,
        };
        // Device 0 is the program; sensors are numbered from 1.
        let described: Vec<String> = self.frame.sensors.iter().map(|p| p.name().replace('_', " ")).collect();
        let program = (None, Some(5), "recorder");
        let sensors = self.frame.sensors.iter().zip(&described);
        let all = std::iter::once(program).chain(sensors.map(|(p, d)| (Some(body_location(*p)), source, d.as_str())));
        for (index, (position, source, described)) in (0_u8..).zip(all) {
            out.push(
                1,
                message::DEVICE_INFO,
                &[
                    (TIMESTAMP, Value::U32(Some(self.start_stamp()))),
                    (0, Value::U8(Some(index))),
                    (2, DEVELOPMENT),
                    (5, Value::U16(version.filter(|_| index == 0))),
                    (18, Value::Enum(position)),
                    (19, Value::Text(described)),
                    (25, Value::Enum(source)),
                    (27, PRODUCT),
                ],
            );
        }
    }

    fn timer(&self, out: &mut Messages, stamp: u32, kind: u8) {
        out.push(
            2,
            message::EVENT,
            &[
                (TIMESTAMP, Value::U32(Some(stamp))),
                (0, Value::Enum(Some(0))),
                (1, Value::Enum(Some(kind))),
                (4, Value::U8(Some(0))),
            ],
        );
    }

    fn record(&self, out: &mut Messages, k: usize, distances: Option<&[f64]>) {
        let means = self.seconds.means(k);
        let (whole, fraction) = cadence(means.get(Of::Cadence));
        let distance = distances.and_then(|d| d.get(k)).copied();
        out.push_with(
            3,
            message::RECORD,
            &[
                (TIMESTAMP, Value::U32(Some(self.stamp(k)))),
                (4, whole),
                (53, fraction),
                (5, scaled_u32(distance, 100.0)),
                (73, scaled_u32(means.get(Of::Speed), 1e3)),
                (85, scaled_u16(means.get(Of::StepLength), 10.0)),
                (41, scaled_u16(means.get(Of::Stance), 10.0)),
                (40, scaled_u16(means.get(Of::StancePercent), 100.0)),
                (84, scaled_u16(means.stance_balance(), 100.0)),
                (39, scaled_u16(means.get(Of::Oscillation), 10.0)),
                (83, scaled_u16(means.get(Of::VerticalRatio), 100.0)),
            ],
            &own_values(&means),
        );
    }

    fn lap(&self, out: &mut Messages, number: usize, running: &[Stretch], distances: Option<&[f64]>) {
        let begin = number
            .checked_sub(1)
            .map_or(SessionTime::ZERO, |before| self.laps[before]);
        let end = self.laps[number];
        let is_last = number + 1 == self.laps.len();
        let way = distances.map(|d| self.way_up_to(d, end) - self.way_up_to(d, begin));
        let timer = self.timer_s(running, begin, end);
        let means = self.seconds.of_stretch(number);
        let (whole, fraction) = cadence(means.get(Of::Cadence));
        let own: [Field; 5] = [
            (
                TIMESTAMP,
                Value::U32(Some(if is_last { self.end_stamp() } else { self.stamp_of(end) })),
            ),
            (254, Value::U16(u16::try_from(number).ok())),
            (0, Value::Enum(Some(9))),
            (1, Value::Enum(Some(1))),
            // By the runner's hand, or by the end of the run.
            (24, Value::Enum(Some(if is_last { 7 } else { 0 }))),
        ];
        let shared = [
            (2, Value::U32(Some(self.stamp_of(begin)))),
            (7, scaled_u32(Some(end.since(begin)), 1e3)),
            (8, scaled_u32(Some(timer), 1e3)),
            (9, scaled_u32(way, 100.0)),
            (110, scaled_u32(speed(way, timer), 1e3)),
            (17, whole),
            (80, fraction),
            (25, Value::Enum(Some(1))),
            (120, scaled_u16(means.get(Of::StepLength), 10.0)),
            (79, scaled_u16(means.get(Of::Stance), 10.0)),
            (78, scaled_u16(means.get(Of::StancePercent), 100.0)),
            (119, scaled_u16(means.stance_balance(), 100.0)),
            (77, scaled_u16(means.get(Of::Oscillation), 10.0)),
            (118, scaled_u16(means.get(Of::VerticalRatio), 100.0)),
        ];
        out.push(5, message::LAP, &[&own[..], &shared[..]].concat());
    }

    fn session(&self, out: &mut Messages, running: &[Stretch], distances: Option<&[f64]>) {
        let way = distances.and_then(|d| d.last()).copied();
        let timer = self.timer_s(running, SessionTime::ZERO, self.frame.end);
        let means = self.seconds.of_stretch(self.laps.len());
        let (whole, fraction) = cadence(means.get(Of::Cadence));
        out.push(
            6,
            message::SESSION,
            &[
                (TIMESTAMP, Value::U32(Some(self.end_stamp()))),
                (254, Value::U16(Some(0))),
                (0, Value::Enum(Some(8))),
                (1, Value::Enum(Some(1))),
                (2, Value::U32(Some(self.start_stamp()))),
                (5, Value::Enum(Some(1))),
                (6, Value::Enum(Some(0))),
                (7, scaled_u32(Some(self.frame.end.secs()), 1e3)),
                (8, scaled_u32(Some(timer), 1e3)),
                (9, scaled_u32(way, 100.0)),
                (124, scaled_u32(speed(way, timer), 1e3)),
                (18, whole),
                (92, fraction),
                (25, Value::U16(Some(0))),
                (26, Value::U16(u16::try_from(self.laps.len()).ok())),
                (28, Value::Enum(Some(0))),
                (134, scaled_u16(means.get(Of::StepLength), 10.0)),
                (91, scaled_u16(means.get(Of::Stance), 10.0)),
                (90, scaled_u16(means.get(Of::StancePercent), 100.0)),
                (133, scaled_u16(means.stance_balance(), 100.0)),
                (89, scaled_u16(means.get(Of::Oscillation), 10.0)),
                (132, scaled_u16(means.get(Of::VerticalRatio), 100.0)),
            ],
        );
    }

    /// Session time of a record, s.
    fn at(&self, k: usize) -> f64 {
        self.first_s + k as f64
    }

    fn stamp(&self, k: usize) -> u32 {
        self.first_stamp.saturating_add(u32::try_from(k).unwrap_or(u32::MAX))
    }

    /// The second in which an instant lies.
    fn stamp_of(&self, t: SessionTime) -> u32 {
        let seconds = (t.secs() - self.first_s).floor();
        (f64::from(self.first_stamp) + seconds).clamp(0.0, f64::from(u32::MAX - 1)) as u32
    }

    /// The second in which the run began.
    fn start_stamp(&self) -> u32 {
        self.stamp_of(SessionTime::ZERO)
    }

    /// The second by whose begin the run was over.
    fn end_stamp(&self) -> u32 {
        let over = self.stamp_of(self.frame.end);
        let whole = (self.frame.end.secs() - self.first_s).fract() == 0.0;
        over.saturating_add(u32::from(!whole))
    }

    /// Stretches of records between pauses.
    fn running(&self) -> Vec<Stretch> {
        let mut still = vec![false; self.seconds.count()];
        for t in &self.frame.still {
            // What is told at its end holds for the second before it.
            let k = (t.secs() - 0.5 - self.first_s).round();
            if k >= 0.0
                && let Some(told) = still.get_mut(k as usize)
            {
                *told = true;
            }
        }
        let strides: Vec<bool> = (0..still.len()).map(|k| self.seconds.means(k).any()).collect();
        let mut running: Vec<Stretch> = Vec::new();
        let mut k = 0;
        while k < strides.len() {
            let same = strides[k..].iter().take_while(|s| **s == strides[k]).count();
            let told = still[k..k + same].iter().filter(|s| **s).count();
            let paused = !strides[k] && same >= PAUSE_S && 2 * told > same;
            if !paused {
                match running.last_mut() {
                    Some((_, last)) if *last + 1 == k => *last = k + same - 1,
                    _ => running.push((k, k + same - 1)),
                }
            }
            k += same;
        }
        running
    }

    /// Time of a stretch that lies in no pause, s. Each record stands for the second around it.
    fn timer_s(&self, running: &[Stretch], from: SessionTime, to: SessionTime) -> f64 {
        let count = self.seconds.count();
        let mut paused = 0.0;
        let mut next = 0;
        // Pauses lie before, between and behind the stretches.
        for (first, last) in running.iter().copied().chain([(count, count)]) {
            if first > next {
                let begin = if next == 0 { 0.0 } else { self.at(next) - 0.5 };
                let end = if first == count {
                    self.frame.end.secs()
                } else {
                    self.at(first) - 0.5
                };
                paused += (end.min(to.secs()) - begin.max(from.secs())).max(0.0);
            }
            next = last + 1;
        }
        (to.since(from) - paused).max(0.0)
    }

    /// Distance up to an instant, by the records around it.
    fn way_up_to(&self, distances: &[f64], t: SessionTime) -> f64 {
        if t >= self.frame.end {
            return distances.last().copied().unwrap_or(0.0);
        }
        let place = t.secs() - self.first_s;
        if place < 0.0 {
            return 0.0;
        }
        let (below, share) = (place.floor() as usize, place.fract());
        let at = |k: usize| {
            distances
                .get(k.min(distances.len().saturating_sub(1)))
                .copied()
                .unwrap_or(0.0)
        };
        at(below) + share * (at(below + 1) - at(below))
    }
}

/// Speed over a way, m/s.
fn speed(way: Option<f64>, seconds: f64) -> Option<f64> {
    way.filter(|_| seconds > 0.0).map(|m| m / seconds)
}

/// Strides a minute as a whole number and 128ths.
fn cadence(strides_a_minute: Option<f64>) -> (Value<'static>, Value<'static>) {
    let parts = strides_a_minute
        .map(|v| (v * 128.0).round())
        .filter(|v| (0.0..255.0 * 128.0).contains(v))
        .map(|v| v as u16);
    (
        Value::U8(parts.map(|v| (v / 128) as u8)),
        Value::U8(parts.map(|v| (v % 128) as u8)),
    )
}

/// Values of lope's own fields, in the order of [`OWN_FIELDS`]. All are floating point: readers that do not look for invalid
/// values in fields of developers find what is no number, where another type would show them a wrong one.
fn own_values(means: &Means) -> [Field<'static>; 6] {
    let float = |of| Value::F32(means.get(of).map(|v| v as f32));
    [
        (0, float(Of::Tilt)),
        (1, float(Of::DropLeft)),
        (2, float(Of::DropRight)),
        (3, float(Of::Rotation)),
        (4, float(Of::FootAhead)),
        (5, float(Of::Quality)),
    ]
}

/// `body_location` of the profile.
fn body_location(placement: Placement) -> u8 {
    match placement {
        Placement::LeftFoot => 0,
        Placement::LeftShank => 2,
        Placement::RightFoot => 6,
        Placement::RightShank => 8,
        Placement::Sacrum => 36,
    }
}

/// `1.12.3` as 112: the profile's `software_version` has two digits behind the point.
fn version_number(version: &str) -> Option<u16> {
    let mut parts = version.split('.').map(|p| p.parse::<u16>().ok());
    let (major, minor) = (parts.next()??, parts.next()??);
    major.checked_mul(100)?.checked_add(minor.min(99))
}
