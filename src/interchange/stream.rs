//! The samples of a recording, merged over its sensors in time order, each with a time that can be believed.
//!
//! A time stamp is *placed* when it is later than the one before it and not contradicted by those that follow. One wrong
//! stamp far ahead would otherwise make every later sample look late, and a run would end at a single bad line. So after
//! a jump the next rows are looked at: when they return to where the jump began, the row that jumped is the wrong one.
//!
//! Samples that cannot be placed are not hidden: they are handed on with the time of the last placed sample, which the
//! signal loop refuses and counts.

use super::csv::{CsvRows, Row};
use super::error::ReadError;
use super::plausible::FastTurns;
use crate::model::{ClipFlags, ImuSample, Placement, SensorEvent, SessionTime, Vec3};
use std::collections::VecDeque;
use std::path::Path;

/// A step longer than this is looked into, s. A running foot's data have holes this long, but not in every stride.
const JUMP_S: f64 = 0.1;
/// Rows looked at after a jump.
const LOOK_AHEAD: usize = 50;
/// After a jump longer than this, fewer rows than [`LOOK_AHEAD`] are too few to believe it, s.
const LONG_JUMP_S: f64 = 10.0;
/// Instants beyond this are no times of a recording, s: 120 years on either side, and differences still fit 64 bits of
/// nanoseconds.
const FARTHEST_S: f64 = 4e9;

/// One sensor's rows on their way into the merged stream.
#[derive(Debug)]
pub(super) struct Lane {
    rows: CsvRows,
    placement: Placement,
    acc_rail: Option<f64>,
    gyro_rail: Option<f64>,
    ahead: VecDeque<Row>,
    next: Option<ImuSample>,
    /// Time of the newest placed sample; also what the lanes are merged by.
    placed: Option<f64>,
    /// Rows before the first placed one; they follow it, to be counted.
    early: u64,
    turns: FastTurns,
}

impl Lane {
    pub(super) fn new(rows: CsvRows, placement: Placement, acc_rail: Option<f64>, gyro_rail: Option<f64>) -> Self {
        Self {
            rows,
            placement,
            acc_rail,
            gyro_rail,
            ahead: VecDeque::with_capacity(LOOK_AHEAD),
            next: None,
            placed: None,
            early: 0,
            turns: FastTurns::default(),
        }
    }

    fn row(&mut self) -> Result<Option<Row>, ReadError> {
        let row = match self.ahead.pop_front() {
            Some(row) => Some(row),
            None => self.rows.next_row()?,
        };
        if let Some(row) = &row {
            self.turns.check(self.rows.path(), row)?;
        }
        Ok(row)
    }

    fn look_ahead(&mut self) -> Result<(), ReadError> {
        while self.ahead.len() < LOOK_AHEAD {
            match self.rows.next_row()? {
                Some(row) => self.ahead.push_back(row),
                None => break,
            }
        }
        Ok(())
    }

    /// Whether a row's time can be believed.
    fn is_placeable(&mut self, t: f64) -> Result<bool, ReadError> {
        if !t.is_finite() || t.abs() > FARTHEST_S {
            return Ok(false);
        }
        let Some(last) = self.placed else {
            // The first row begins the recording only if the next ones go on from it.
            self.look_ahead()?;
            let follows = |r: &Row| r[0] > t && r[0] - t <= LONG_JUMP_S;
            return Ok(self.ahead.is_empty() || self.ahead.iter().any(follows));
        };
        if t - last <= JUMP_S {
            return Ok(t > last);
        }
        self.look_ahead()?;
        let returns = self.ahead.iter().any(|r| r[0] > last && r[0] < t);
        let too_few = self.ahead.len() < LOOK_AHEAD && t - last > LONG_JUMP_S;
        Ok(!returns && !too_few)
    }

    fn advance(&mut self) -> Result<(), ReadError> {
        if let (Some(t), true) = (self.placed, self.early > 0) {
            self.early -= 1;
            self.next = Some(self.sample(t, &[t, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]));
            return Ok(());
        }
        loop {
            let Some(row) = self.row()? else {
                self.next = None;
                return Ok(());
            };
            if self.is_placeable(row[0])? {
                self.placed = Some(row[0]);
            }
            match self.placed {
                Some(t) => {
                    self.next = Some(self.sample(t, &row));
                    return Ok(());
                }
                None => self.early += 1,
            }
        }
    }

    fn sample(&self, t: f64, row: &Row) -> ImuSample {
        let at = |rail: Option<f64>, v: f64| rail.is_some_and(|r| v.abs() >= r);
        // A time that is no number is a reading that is no number.
        let acc = if row[0].is_finite() {
            Vec3::new(row[1], row[2], row[3])
        } else {
            Vec3::new(f64::NAN, f64::NAN, f64::NAN)
        };
        ImuSample {
            t: SessionTime::from_secs(t),
            acc,
            gyro: Vec3::new(row[4], row[5], row[6]),
            clip: ClipFlags::from_axes(
                std::array::from_fn(|i| at(self.acc_rail, row[1 + i])),
                std::array::from_fn(|i| at(self.gyro_rail, row[4 + i])),
            ),
            filled: false,
        }
    }
}

/// Events of a recording in time order; ties by placement.
#[derive(Debug)]
pub struct RecordingStream {
    lanes: Vec<Lane>,
    standing: Option<(f64, f64)>,
}

impl RecordingStream {
    /// A stream over `lanes`; the runner stands still in `standing` (from, to, s).
    pub(super) fn new(mut lanes: Vec<Lane>, standing: Option<(f64, f64)>) -> Result<Self, ReadError> {
        lanes.sort_by_key(|l| l.placement.index());
        for lane in &mut lanes {
            lane.advance()?;
        }
        Ok(Self { lanes, standing })
    }

    /// The next event; `None` at the end.
    ///
    /// # Errors
    /// A line that cannot be read, or numbers that turn out to be in another unit.
    pub fn next_event(&mut self) -> Result<Option<SensorEvent>, ReadError> {
        let first = self
            .lanes
            .iter()
            .enumerate()
            .filter_map(|(i, l)| Some((i, l.next.as_ref()?.t)))
            .min_by_key(|(i, t)| (*t, *i));
        if let (Some((from, to)), Some((_, now))) = (self.standing, first)
            && now.secs() > to
        {
            self.standing = None;
            return Ok(Some(SensorEvent::Standing {
                from: SessionTime::from_secs(from),
                to: SessionTime::from_secs(to),
            }));
        }
        let Some((index, _)) = first else { return Ok(None) };
        let lane = &mut self.lanes[index];
        let Some(sample) = lane.next.take() else {
            return Ok(None);
        };
        lane.advance()?;
        Ok(Some(SensorEvent::Sample(lane.placement, sample)))
    }

    /// Lines read so far over all files.
    #[must_use]
    pub fn lines(&self) -> u64 {
        self.lanes.iter().map(|l| l.rows.line_number()).sum()
    }

    /// Bytes read so far over all files.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.lanes.iter().map(|l| l.rows.bytes()).sum()
    }

    /// Files that ended in the middle of a line.
    pub fn truncated(&self) -> impl Iterator<Item = &Path> {
        self.lanes
            .iter()
            .filter(|l| l.rows.is_truncated())
            .map(|l| l.rows.path())
    }
}

#[cfg(test)]
mod tests {
    use crate::interchange::{Mapping, ReadError, Recording};
    use crate::model::SensorEvent;
    use std::fmt::Write as _;

    /// A single file at 100 Hz whose time stamps are `times`; gives back the times handed on and how many of them repeat
    /// the one before, which the signal loop refuses.
    fn handed_on(times: &[f64]) -> (Vec<f64>, usize) {
        let mut text = "time_s,acc_x,acc_y,acc_z,gyr_x,gyr_y,gyr_z\n".to_owned();
        for (k, t) in times.iter().enumerate() {
            writeln!(text, "{t},0.{},0,9.8,0,1,0", k % 7).expect("String");
        }
        let dir = tempfile::tempdir().expect("folder");
        let file = dir.path().join("left_foot.csv");
        std::fs::write(&file, text).expect("written");
        let recording = Recording::open(&file, Some(&Mapping::default())).expect("opened");
        let mut stream = recording.stream().expect("stream");
        let mut all = Vec::new();
        while let Some(event) = stream.next_event().expect("readable") {
            if let SensorEvent::Sample(_, s) = event {
                all.push(s.t.secs());
            }
        }
        let repeats = all.windows(2).filter(|w| w[1] <= w[0]).count();
        (all, repeats)
    }

    fn clean() -> Vec<f64> {
        (0..400).map(|k| f64::from(k) * 0.01).collect()
    }

    #[test]
    fn one_wrong_time_costs_one_sample() {
        assert_eq!(handed_on(&clean()).1, 0);
        for wrong in [0.5, 1e6, 1e300, -1e300, f64::NAN, f64::INFINITY, -3.0] {
            for at in [0, 1, 200, 398, 399] {
                let mut times = clean();
                if (times[at] - wrong).abs() < 0.3 {
                    continue;
                }
                times[at] = wrong;
                let (all, refused) = handed_on(&times);
                // A few seconds before the first row, or behind the last but one, may as well be a hole.
                let believable = at == 0 && wrong == -3.0;
                assert_eq!(refused, usize::from(!believable), "{wrong} at {at}");
                assert_eq!(all.len(), 400);
                let end = all.iter().copied().fold(f64::MIN, f64::max);
                assert!(
                    end < 5.0 && all.iter().all(|t| *t >= -3.0),
                    "{wrong} at {at}: ends at {end}"
                );
            }
        }
    }

    #[test]
    fn a_real_hole_stays_a_hole() {
        for hole_s in [0.2, 3.0, 600.0] {
            let times: Vec<f64> = clean()
                .into_iter()
                .map(|t| if t > 2.0 { t + hole_s } else { t })
                .collect();
            let (all, refused) = handed_on(&times);
            assert_eq!((all.len(), refused), (400, 0));
            assert!((all[399] - times[399]).abs() < 1e-9);
        }
    }

    #[test]
    fn two_clocks_and_a_standing_that_is_none_are_refused() {
        let dir = tempfile::tempdir().expect("folder");
        let file = |name: &str, start: f64| {
            let mut text = "time_s,acc_x,acc_y,acc_z,gyr_x,gyr_y,gyr_z\n".to_owned();
            for t in clean() {
                writeln!(text, "{},{},0,9.8,0,1,0", t + start, 0.1 * t.sin()).expect("String");
            }
            std::fs::write(dir.path().join(name), text).expect("written");
        };
        let describe = |head: &str| {
            let sensors = "[[sensor]]\nplacement = \"left_foot\"\nfile = \"l.csv\"\n[[sensor]]\nplacement = \"sacrum\"\nfile = \"s.csv\"\n";
            std::fs::write(dir.path().join("recording.toml"), format!("{head}\n{sensors}")).expect("written");
        };
        let refusal = || match Recording::open(dir.path(), None) {
            Ok(_) => String::new(),
            Err(e @ (ReadError::Clocks { .. } | ReadError::Description { .. })) => e.to_string(),
            Err(e) => panic!("{e}"),
        };
        describe("");
        file("l.csv", 0.0);
        file("s.csv", 100.0);
        assert_eq!(refusal(), "");
        file("s.csv", 1.7e9);
        assert!(refusal().contains("two clocks"), "{}", refusal());
        file("s.csv", 0.0);
        describe("calibrated = true");
        assert!(refusal().contains("quiet_from_s"), "{}", refusal());
        describe("calibrated = true\nquiet_from_s = 5.0\nquiet_to_s = 1.0\nsync_sigma_s = -1.0");
        assert!(
            refusal().contains("less than") && refusal().contains("sync_sigma_s"),
            "{}",
            refusal()
        );
        describe("calibrated = true\nquiet_from_s = 0.0\nquiet_to_s = 1.0");
        assert_eq!(refusal(), "");
    }
}
