//! The words of the model as they stand in the columns, both ways.
//!
//! Codes on a disk are for ever, so each is written out here and never derived from the order of an enum. Reading
//! something that no version wrote is [`StoreError::Corrupt`], never a default.

use super::super::error::StoreError;
use crate::metrics::registry::METRIC_COUNT;
use crate::metrics::{METRICS, MetricSet};
use crate::model::{Absent, Activity, DataClass, FootMotion, SegmentKind, Side, StrideFlags, Travel, Vec3};
use crate::pipeline::output::Confidence;

fn unknown(what: &str, found: impl std::fmt::Debug) -> StoreError {
    StoreError::Corrupt {
        detail: format!("{what} {found:?} is none that lope writes"),
    }
}

pub(crate) fn side_code(side: Option<Side>) -> i64 {
    match side {
        None => 0,
        Some(Side::Left) => 1,
        Some(Side::Right) => 2,
    }
}

pub(crate) fn side_of(code: i64) -> Result<Option<Side>, StoreError> {
    match code {
        0 => Ok(None),
        1 => Ok(Some(Side::Left)),
        2 => Ok(Some(Side::Right)),
        other => Err(unknown("side", other)),
    }
}

pub(crate) fn segment_code(segment: SegmentKind) -> i64 {
    match segment {
        SegmentKind::Foot => 0,
        SegmentKind::Shank => 1,
        SegmentKind::Sacrum => 2,
    }
}

pub(crate) fn segment_of(code: i64) -> Result<SegmentKind, StoreError> {
    match code {
        0 => Ok(SegmentKind::Foot),
        1 => Ok(SegmentKind::Shank),
        2 => Ok(SegmentKind::Sacrum),
        other => Err(unknown("segment", other)),
    }
}

pub(crate) fn activity_word(activity: Activity) -> &'static str {
    match activity {
        Activity::Still => "still",
        Activity::Walking => "walking",
        Activity::Running => "running",
    }
}

pub(crate) fn activity_of(word: &str) -> Result<Activity, StoreError> {
    match word {
        "still" => Ok(Activity::Still),
        "walking" => Ok(Activity::Walking),
        "running" => Ok(Activity::Running),
        other => Err(unknown("activity", other)),
    }
}

pub(crate) fn class_word(class: DataClass) -> &'static str {
    match class {
        DataClass::A => "A",
        DataClass::B => "B",
        DataClass::C => "C",
        DataClass::D => "D",
    }
}

pub(crate) fn class_of(word: &str) -> Result<DataClass, StoreError> {
    match word {
        "A" => Ok(DataClass::A),
        "B" => Ok(DataClass::B),
        "C" => Ok(DataClass::C),
        "D" => Ok(DataClass::D),
        other => Err(unknown("class", other)),
    }
}

pub(crate) fn confidence_word(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Low => "low",
        Confidence::Medium => "medium",
        Confidence::High => "high",
    }
}

pub(crate) fn confidence_of(word: &str) -> Result<Confidence, StoreError> {
    match word {
        "low" => Ok(Confidence::Low),
        "medium" => Ok(Confidence::Medium),
        "high" => Ok(Confidence::High),
        other => Err(unknown("confidence", other)),
    }
}

pub(crate) fn flag_bits(flags: StrideFlags) -> i64 {
    // Taken apart by name: a new flag does not compile before it has a bit.
    let StrideFlags {
        acc_clipped,
        gyro_clipped,
        filled,
        turning,
        approximate_zero,
        after_rest,
        implausible_contact,
        mounting_unsettled,
        // What people say stands in the journal.
        marked_bad: _,
    } = flags;
    [
        acc_clipped,
        gyro_clipped,
        filled,
        turning,
        approximate_zero,
        after_rest,
        implausible_contact,
        mounting_unsettled,
    ]
    .into_iter()
    .enumerate()
    .map(|(bit, set)| i64::from(set) << bit)
    .sum()
}

pub(crate) fn flags_of(bits: i64) -> Result<StrideFlags, StoreError> {
    if !(0..256).contains(&bits) {
        return Err(unknown("stride flags", bits));
    }
    let bit = |n: u32| bits & (1 << n) != 0;
    Ok(StrideFlags {
        acc_clipped: bit(0),
        gyro_clipped: bit(1),
        filled: bit(2),
        turning: bit(3),
        approximate_zero: bit(4),
        after_rest: bit(5),
        implausible_contact: bit(6),
        mounting_unsettled: bit(7),
        marked_bad: false,
    })
}

/// The letter that says why a number is absent. `.` means there is one.
fn absent_letter(absent: Absent) -> u8 {
    match absent {
        Absent::NoSensor => b'S',
        Absent::Gap => b'G',
        Absent::NotAligned => b'A',
        Absent::NoStanding => b'Q',
        Absent::NotSynchronised => b'Y',
        Absent::Clipped => b'C',
        Absent::NotInThisActivity => b'V',
        Absent::NoAthleteFact => b'F',
        Absent::TooFewStrides => b'N',
        Absent::Refused => b'R',
        Absent::SideUnknown => b'U',
        Absent::NotStraightAndLevel => b'T',
        Absent::NotComputed => b'-',
    }
}

fn absent_of(letter: u8) -> Result<Absent, StoreError> {
    Ok(match letter {
        b'S' => Absent::NoSensor,
        b'G' => Absent::Gap,
        b'A' => Absent::NotAligned,
        b'Q' => Absent::NoStanding,
        b'Y' => Absent::NotSynchronised,
        b'C' => Absent::Clipped,
        b'V' => Absent::NotInThisActivity,
        b'F' => Absent::NoAthleteFact,
        b'N' => Absent::TooFewStrides,
        b'R' => Absent::Refused,
        b'U' => Absent::SideUnknown,
        b'T' => Absent::NotStraightAndLevel,
        b'-' => Absent::NotComputed,
        other => return Err(unknown("reason", char::from(other))),
    })
}

/// Where each metric's letter stands in `absent`. Slots are given once, in `metric_columns`, so that the order of the
/// registry may change.
#[derive(Clone, Debug)]
pub(crate) struct Slots(pub(crate) [usize; METRIC_COUNT]);

impl Slots {
    /// The letters of these metrics; slots that belong to no metric of this version say "not computed".
    pub(crate) fn letters(&self, metrics: &MetricSet, text: &mut String) {
        let mut bytes = [b'-'; 256];
        let mut len = 0;
        for (&slot, value) in self.0.iter().zip(metrics.all()) {
            if let Some(b) = bytes.get_mut(slot) {
                *b = value.map_or_else(absent_letter, |_| b'.');
            }
            len = len.max(slot.saturating_add(1));
        }
        let bytes = &bytes[..len.min(256)];
        text.clear();
        // All of them are ASCII.
        text.push_str(std::str::from_utf8(bytes).unwrap_or_default());
    }

    /// Metrics from the values in registry order and the letters.
    pub(crate) fn metrics(
        &self,
        letters: &[u8],
        mut value: impl FnMut(usize) -> rusqlite::Result<Option<f64>>,
    ) -> Result<MetricSet, StoreError> {
        let mut set = MetricSet::default();
        for (i, def) in METRICS.iter().enumerate() {
            let measured = match (value(i)?, letters.get(self.0[i])) {
                (Some(v), Some(b'.')) => Ok(v),
                // The column is younger than the row.
                (None, None) => Err(Absent::NotComputed),
                (None, Some(letter)) => Err(absent_of(*letter)?),
                (Some(v), other) => return Err(unknown("a value without its mark", (def.name, v, other))),
            };
            set.set(def.id, measured);
        }
        Ok(set)
    }
}

/// First byte of a foot blob.
const FOOT_FORMAT: u8 = 1;

/// Motion of the foot as bytes: format, presence bits (1 pitch, 2 touchdown speed, 4 inversion, 8 toe-out, 16 impact,
/// 32 impact clipped), then little-endian `f64`: displacement x y z, length sigma, heading, both clipped shares, chi²,
/// linear difference, free slope, then those present in the order of the bits. Everything people query of it is a metric with a column of its own.
pub(crate) fn foot_bytes(foot: &FootMotion) -> Vec<u8> {
    let FootMotion {
        displacement,
        length_sigma_m,
        pitch_ic_rad,
        touchdown_speed,
        inversion_range_rad,
        toe_out_rad,
        heading_rad,
        acc_clipped_share,
        gyro_clipped_share,
        impact_peak,
        chi2,
        linear_difference,
        free_slope,
    } = *foot;
    let optional = [
        pitch_ic_rad,
        touchdown_speed,
        inversion_range_rad,
        toe_out_rad,
        impact_peak.map(|(value, _)| value),
    ];
    let mut present = u8::from(impact_peak.is_some_and(|(_, clipped)| clipped)) << 5;
    for (bit, value) in optional.iter().enumerate() {
        present |= u8::from(value.is_some()) << bit;
    }
    let d = displacement.v;
    let given = [
        d.x,
        d.y,
        d.z,
        length_sigma_m,
        heading_rad,
        acc_clipped_share,
        gyro_clipped_share,
        chi2,
        linear_difference,
        free_slope,
    ];
    let mut bytes = Vec::with_capacity(2 + 8 * (given.len() + optional.len()));
    bytes.extend([FOOT_FORMAT, present]);
    for value in given.into_iter().chain(optional.into_iter().flatten()) {
        bytes.extend(value.to_le_bytes());
    }
    bytes
}

/// The motion of [`foot_bytes`].
pub(crate) fn foot_of(bytes: &[u8]) -> Result<FootMotion, StoreError> {
    let corrupt = || unknown("foot motion of length", bytes.len());
    let [FOOT_FORMAT, present, numbers @ ..] = bytes else {
        return Err(corrupt());
    };
    let (words, rest) = numbers.as_chunks::<8>();
    let mut words = words.iter().map(|w| f64::from_le_bytes(*w));
    let mut next = || words.next().ok_or_else(corrupt);
    let displacement = Vec3::<Travel>::new(next()?, next()?, next()?);
    let (length_sigma_m, heading_rad) = (next()?, next()?);
    let (acc_clipped_share, gyro_clipped_share, chi2) = (next()?, next()?, next()?);
    let (linear_difference, free_slope) = (next()?, next()?);
    let mut optional = |bit: u8| {
        if present & (1 << bit) != 0 {
            next().map(Some)
        } else {
            Ok(None)
        }
    };
    let (pitch_ic_rad, touchdown_speed) = (optional(0)?, optional(1)?);
    let (inversion_range_rad, toe_out_rad) = (optional(2)?, optional(3)?);
    let impact_peak = optional(4)?.map(|value| (value, present & (1 << 5) != 0));
    if words.next().is_some() || !rest.is_empty() || present & 0xc0 != 0 {
        return Err(corrupt());
    }
    Ok(FootMotion {
        displacement,
        length_sigma_m,
        pitch_ic_rad,
        touchdown_speed,
        inversion_range_rad,
        toe_out_rad,
        heading_rad,
        acc_clipped_share,
        gyro_clipped_share,
        impact_peak,
        chi2,
        linear_difference,
        free_slope,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_reason_has_a_letter_of_its_own() {
        let all = [
            Absent::NoSensor,
            Absent::Gap,
            Absent::NotAligned,
            Absent::NoStanding,
            Absent::NotSynchronised,
            Absent::Clipped,
            Absent::NotInThisActivity,
            Absent::NoAthleteFact,
            Absent::TooFewStrides,
            Absent::Refused,
            Absent::SideUnknown,
            Absent::NotStraightAndLevel,
            Absent::NotComputed,
        ];
        for absent in all {
            assert_eq!(absent_of(absent_letter(absent)), Ok(absent));
            assert_ne!(absent_letter(absent), b'.');
        }
    }

    #[test]
    fn flags_survive_in_every_combination() {
        for bits in 0..256 {
            assert_eq!(flag_bits(flags_of(bits).expect("eight bits")), bits);
        }
        assert!(flags_of(256).is_err() && flags_of(-1).is_err());
    }

    proptest! {
        #[test]
        fn foot_bytes_that_nobody_wrote_are_corrupt_or_a_motion_but_never_a_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..130)
        ) {
            if let Ok(foot) = foot_of(&bytes) {
                let again = foot_bytes(&foot);
                prop_assert_eq!(again.len(), bytes.len());
            }
        }
    }
}
