//! Does a file look like the units it claims? Judged on its first seconds, said, never converted silently.
//!
//! The evidence used is physical: a worn accelerometer reads about 1 g on the median, whatever the runner does; no body
//! segment turns at 60 rad/s for a whole percent of the time; and time stamps step by one period of the rate.

use super::csv::Row;
use super::error::ReadError;
use super::mapping::Mapping;
use crate::model::units::STANDARD_GRAVITY;
use std::path::Path;

/// Rows looked at.
pub const PROBE_ROWS: usize = 4000;
/// A rate may be off by this much from its time stamps: crystals are within 0.02 %, rounding of stamps within 1 %.
const RATE_TOLERANCE: f64 = 0.03;
/// Rates that lope reads, Hz: below, a running stance is three samples; above, no wearable sensor writes.
const RATES_HZ: std::ops::RangeInclusive<f64> = 20.0..=2000.0;
/// Median specific force of a worn sensor, m/s²: 9.8 at rest, up to 16 on a sprinting foot.
const WORN_MPS2: std::ops::RangeInclusive<f64> = 4.0..=40.0;
/// No body segment turns faster for more than an instant, rad/s. A foot reaches 25 in sprinting; ±2000 °/s on all three
/// axes at once is 60.
const FASTEST_RADPS: f64 = 60.0;
/// A sensor whose specific force changes by this much is on somebody who walks or runs, m/s².
const SHAKEN_MPS2: f64 = 8.0;
/// Whatever is shaken so also turns faster than this, rad/s (29 °/s).
const SLOWEST_RADPS: f64 = 0.5;
/// A usual clock of microcontrollers, Hz.
const WATCH_CRYSTAL_HZ: f64 = 32768.0;

/// Checks the first rows of a file, as read through `mapping`, against the declared rate.
///
/// # Errors
/// [`ReadError::Unit`] or [`ReadError::Rate`] with what was seen and the mapping line that would read the file,
/// [`ReadError::Time`] and [`ReadError::NoGyroscope`] where no line would.
pub fn check(path: &Path, rows: &[Row], declared_hz: Option<f64>, mapping: &Mapping) -> Result<f64, ReadError> {
    let [time, acc, _, _, gyro, ..] = mapping.factors().map_or([1.0; 7], |f| f.columns);
    let swing = check_force(path, rows, acc.abs())?;
    check_turns(path, rows, gyro.abs(), swing)?;
    check_rate(path, rows, declared_hz, time)
}

fn unit(path: &Path, seen: String, looks_like: &'static str, mapping: &str) -> ReadError {
    ReadError::Unit {
        path: path.to_owned(),
        seen,
        looks_like,
        mapping: mapping.to_owned(),
    }
}

/// Length of three numbers of a row, from column `i` on.
fn norm(r: &Row, i: usize) -> f64 {
    (r[i] * r[i] + r[i + 1] * r[i + 1] + r[i + 2] * r[i + 2]).sqrt()
}

/// The accelerometer's unit. Gives back how much the specific force changes, m/s², between its 1st and 99th percentile.
fn check_force(path: &Path, rows: &[Row], factor: f64) -> Result<f64, ReadError> {
    let forces = sorted(rows.iter().map(|r| norm(r, 1)));
    let Some(median) = share(&forces, 50) else {
        return Ok(0.0);
    };
    if !WORN_MPS2.contains(&median) {
        let seen = format!("the median specific force is {median:.3} m/s² where a worn sensor shows about 9.8");
        for (one_g, looks_like, line) in [
            (STANDARD_GRAVITY, "m/s²", "acc_unit = \"m/s2\""),
            (1.0, "g", "acc_unit = \"g\""),
            (1000.0, "thousandths of g", "acc_unit = \"mg\""),
        ] {
            let in_g = median / factor / one_g;
            if (0.5..2.0).contains(&in_g) {
                return Err(unit(path, seen, looks_like, line));
            }
        }
    }
    Ok(share(&forces, 99).unwrap_or(median) - share(&forces, 1).unwrap_or(median))
}

/// The gyroscope's unit.
fn check_turns(path: &Path, rows: &[Row], factor: f64, swing: f64) -> Result<(), ReadError> {
    let turns = sorted(rows.iter().map(|r| norm(r, 4)));
    let Some(fast) = share(&turns, 99) else { return Ok(()) };
    if fast > FASTEST_RADPS {
        let seen =
            format!("one sample in a hundred turns faster than {fast:.0} rad/s, where a sprinting foot reaches 25");
        return Err(too_fast(path, seen, fast / factor));
    }
    if swing < SHAKEN_MPS2 {
        return Ok(());
    }
    let turning = |r: &Row| [r[4], r[5], r[6]];
    let first = rows.iter().map(turning).find(|w| w.iter().all(|v| v.is_finite()));
    if rows.iter().map(turning).all(|w| Some(w) == first) {
        return Err(ReadError::NoGyroscope {
            path: path.to_owned(),
            swing,
        });
    }
    // Numbers that are rad/s already, divided once more by 57 or 57,000.
    if factor < 1.0 && fast < SLOWEST_RADPS {
        let seen = format!(
            "the specific force changes by {swing:.1} m/s², but 99 samples in a hundred turn slower than {fast:.3} rad/s"
        );
        let (looks_like, line) = if fast / factor > FASTEST_RADPS {
            ("degrees per second", "gyro_unit = \"deg/s\"")
        } else {
            ("rad/s", "gyro_unit = \"rad/s\"")
        };
        return Err(unit(path, seen, looks_like, line));
    }
    Ok(())
}

/// `raw` is the speed as it stands in the file.
fn too_fast(path: &Path, seen: String, raw: f64) -> ReadError {
    // Gyroscopes end at 4000 °/s, or 7000 on three axes at once.
    if raw > 7000.0 {
        unit(
            path,
            seen,
            "thousandths of a degree per second",
            "gyro_unit = \"mdeg/s\"",
        )
    } else {
        unit(path, seen, "degrees per second", "gyro_unit = \"deg/s\"")
    }
}

fn check_rate(path: &Path, rows: &[Row], declared_hz: Option<f64>, factor: f64) -> Result<f64, ReadError> {
    let steps = sorted(rows.windows(2).map(|w| w[1][0] - w[0][0]).filter(|s| *s > 0.0));
    let Some(step) = share(&steps, 50) else {
        // One row is a recording that ended at once; several that stand still are none.
        return match declared_hz {
            Some(hz) if rows.len() < 2 => Ok(hz),
            _ => Err(ReadError::Time {
                path: path.to_owned(),
                rows: rows.len(),
                first_s: rows.first().map_or(0.0, |r| r[0]),
            }),
        };
    };
    let mean = mean_rate(rows, step).unwrap_or(1.0 / step);
    let rate = declared_hz.unwrap_or(mean);
    let near = |hz: f64| (hz / rate - 1.0).abs() <= RATE_TOLERANCE;
    if RATES_HZ.contains(&rate) && (near(1.0 / step) || near(mean)) {
        return Ok(rate);
    }
    Err(ReadError::Rate {
        path: path.to_owned(),
        declared_hz,
        step_s: step,
        mapping: time_line(step / factor, declared_hz),
    })
}

/// The mapping line that makes steps of `raw` (as they stand in the file) a usable rate: the declared one, where there is
/// one.
fn time_line(raw: f64, declared_hz: Option<f64>) -> Option<String> {
    let fits = |ticks_hz: f64| {
        let rate = ticks_hz / raw;
        match declared_hz {
            Some(hz) => (rate / hz - 1.0).abs() <= RATE_TOLERANCE,
            None => RATES_HZ.contains(&rate),
        }
    };
    if declared_hz.is_none() && raw == 1.0 {
        // Rows that are counted: only the logger's owner knows how fast.
        return Some(
            "time_unit = \"... Hz\"` with the logger's rate for the dots, as in `time_unit = \"200 Hz\"".to_owned(),
        );
    }
    for (name, ticks_hz) in [("s", 1.0), ("ms", 1e3), ("us", 1e6), ("ns", 1e9)] {
        if fits(ticks_hz) {
            return Some(format!("time_unit = \"{name}\""));
        }
    }
    if fits(WATCH_CRYSTAL_HZ) {
        return Some(format!("time_unit = \"{WATCH_CRYSTAL_HZ} Hz\""));
    }
    // Ticks of some clock: whole numbers.
    let whole = raw >= 1.0 && (raw - raw.round()).abs() < 1e-6;
    declared_hz
        .filter(|_| whole)
        .map(|hz| format!("time_unit = \"{} Hz\"", raw * hz))
}

/// Watches a whole file for rates of turn that no body reaches: a recording may begin with a minute of standing, in which
/// degrees look like radians.
#[derive(Clone, Copy, Debug, Default)]
pub struct FastTurns {
    rows: u32,
    fast: u32,
}

impl FastTurns {
    /// Rows in a block.
    const BLOCK: u32 = 2000;
    /// A block with more fast rows than this is in another unit.
    const MOST: u32 = Self::BLOCK / 10;

    /// Looks at one row.
    ///
    /// # Errors
    /// [`ReadError::Unit`] at the end of a block in which a tenth of the rows turns faster than anything worn.
    pub fn check(&mut self, path: &Path, row: &Row) -> Result<(), ReadError> {
        self.rows += 1;
        let squared = row[4] * row[4] + row[5] * row[5] + row[6] * row[6];
        self.fast += u32::from(squared > FASTEST_RADPS * FASTEST_RADPS);
        if self.rows < Self::BLOCK {
            return Ok(());
        }
        let fast = self.fast;
        *self = Self::default();
        if fast <= Self::MOST {
            return Ok(());
        }
        let seen = format!(
            "{fast} of {} samples up to {:.1} s turn faster than {FASTEST_RADPS} rad/s, where a sprinting foot reaches 25",
            Self::BLOCK,
            row[0]
        );
        Err(unit(path, seen, "degrees per second", "gyro_unit = \"deg/s\""))
    }
}

/// Rate over runs of rows without holes. Stamps rounded to milliseconds have a median step that is off, but not a mean.
fn mean_rate(rows: &[Row], step: f64) -> Option<f64> {
    let (mut n, mut total) = (0.0, 0.0);
    for w in rows.windows(2) {
        let s = w[1][0] - w[0][0];
        if s > 0.0 && s < 2.5 * step {
            n += 1.0;
            total += s;
        }
    }
    (total > 0.0).then(|| n / total)
}

/// The finite ones of some numbers, in order.
fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut v: Vec<f64> = values.filter(|x| x.is_finite()).collect();
    v.sort_unstable_by(f64::total_cmp);
    v
}

/// The number that so many of a hundred lie below.
fn share(sorted: &[f64], percent: usize) -> Option<f64> {
    sorted.get(sorted.len() * percent / 100).copied()
}

/// The middle one of the finite numbers.
pub(super) fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    share(&sorted(values), 50)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A leg in rough closed form: force swings by 12 m/s², turns reach `gyro`.
    fn rows(acc: f64, gyro: f64, step: f64) -> Vec<Row> {
        (0..500)
            .map(|k| {
                let swing = f64::from(k % 7) / 6.0;
                let force = acc * (1.0 + 1.2 * (swing - 0.5));
                [f64::from(k) * step, 0.1 * acc, 0.0, force, 0.0, gyro * swing, 0.0]
            })
            .collect()
    }

    #[test]
    fn other_units_are_recognised_and_own_ones_pass() {
        let path = Path::new("foot.csv");
        let own = Mapping::default();
        let through = |text: &str| Mapping::parse(text).expect("valid");
        assert!((check(path, &rows(9.8, 9.0, 0.005), Some(200.0), &own).expect("fine") - 200.0).abs() < 1e-9);
        assert!((check(path, &rows(9.8, 9.0, 0.005), None, &own).expect("fine") - 200.0).abs() < 1e-9);
        // Rows, declared rate, mapping they were read through, what the refusal has to say.
        for (rows, declared, mapping, word) in [
            (rows(1.0, 9.0, 0.005), Some(200.0), own.clone(), "acc_unit = \"g\""),
            (rows(1000.0, 9.0, 0.005), Some(200.0), own.clone(), "acc_unit = \"mg\""),
            (
                rows(96.0, 9.0, 0.005),
                Some(200.0),
                through("acc_unit = \"g\""),
                "acc_unit = \"m/s2\"",
            ),
            (
                rows(9.8, 500.0, 0.005),
                Some(200.0),
                own.clone(),
                "gyro_unit = \"deg/s\"",
            ),
            (
                rows(9.8, 5e5, 0.005),
                Some(200.0),
                own.clone(),
                "gyro_unit = \"mdeg/s\"",
            ),
            (
                rows(9.8, 0.16, 0.005),
                Some(200.0),
                through("gyro_unit = \"deg/s\""),
                "gyro_unit = \"rad/s\"",
            ),
            (
                rows(9.8, 0.0, 0.005),
                Some(200.0),
                own.clone(),
                "angular rate stays at one value",
            ),
            (rows(9.8, 9.0, 5.0), Some(200.0), own.clone(), "time_unit = \"ms\""),
            (rows(9.8, 9.0, 5.0), None, own.clone(), "time_unit = \"ms\""),
            (rows(9.8, 9.0, 5000.0), None, own.clone(), "time_unit = \"us\""),
            (rows(9.8, 9.0, 5e6), Some(200.0), own.clone(), "time_unit = \"ns\""),
            (rows(9.8, 9.0, 164.0), None, own.clone(), "time_unit = \"32768 Hz\""),
            (rows(9.8, 9.0, 1.0), Some(200.0), own.clone(), "time_unit = \"200 Hz\""),
            (rows(9.8, 9.0, 1.0), None, own.clone(), "with the logger's rate"),
            (
                rows(9.8, 9.0, 5e-6),
                Some(200.0),
                through("time_unit = \"ms\""),
                "time_unit = \"s\"",
            ),
            (rows(9.8, 9.0, 0.01), Some(200.0), own.clone(), "100.00 Hz"),
            (rows(9.8, 9.0, 0.007), Some(150.0), own.clone(), "142.86 Hz"),
            (rows(9.8, 9.0, 0.1), None, own.clone(), "20 to 2000 Hz"),
            (rows(9.8, 9.0, 0.0), Some(200.0), own.clone(), "time does not go on"),
            (rows(9.8, 9.0, -0.005), None, own, "time does not go on"),
        ] {
            let text = check(path, &rows, declared, &mapping).expect_err(word).to_string();
            assert!(text.contains(word), "no `{word}` in {text}");
        }
    }

    #[test]
    fn a_quiet_beginning_does_not_hide_degrees() {
        let mut watch = FastTurns::default();
        let mut said = None;
        for k in 0..9000_u32 {
            let degrees = if k < 6000 { 0.5 } else { 500.0 * f64::from(k % 5) / 4.0 };
            let row = [f64::from(k) * 0.005, 0.0, 0.0, 9.8, 0.0, degrees, 0.0];
            if let Err(e) = watch.check(Path::new("foot.csv"), &row) {
                said = Some((k, e.to_string()));
                break;
            }
        }
        let (k, text) = said.expect("refused");
        assert!(k == 7999 && text.contains("gyro_unit = \"deg/s\""), "{k} {text}");
    }
}
