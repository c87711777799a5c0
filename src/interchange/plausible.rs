//! Does a file look like the units it claims? Judged on its first seconds, said, never converted silently.
//!
//! The evidence used is physical: a worn accelerometer reads about 1 g on the median, whatever the runner does; no body
//! segment turns at 60 rad/s for a whole percent of the time; and time stamps step by one period of the rate.

use super::csv::Row;
use super::error::ReadError;
use std::path::Path;

/// Rows looked at.
pub const PROBE_ROWS: usize = 4000;
/// A rate may be off by this much from its time stamps: crystals are within 0.02 %, rounding of stamps within 1 %.
const RATE_TOLERANCE: f64 = 0.03;

/// Checks the first rows of a file against its declared rate.
///
/// # Errors
/// [`ReadError::Unit`] or [`ReadError::Rate`] with what was seen and the mapping line that would read the file.
pub fn check(path: &Path, rows: &[Row], declared_hz: Option<f64>) -> Result<f64, ReadError> {
    let unit = |seen: String, looks_like, mapping: &str| ReadError::Unit {
        path: path.to_owned(),
        seen,
        looks_like,
        mapping: mapping.to_owned(),
    };
    let norm = |r: &Row, i: usize| (r[i] * r[i] + r[i + 1] * r[i + 1] + r[i + 2] * r[i + 2]).sqrt();
    if let Some(g) = median(rows.iter().map(|r| norm(r, 1))) {
        let seen = format!("the median specific force is {g:.3} where a worn sensor shows about 9.8 m/s²");
        if (0.5..2.0).contains(&g) {
            return Err(unit(seen, "g", "acc_unit = \"g\""));
        }
        if (500.0..2000.0).contains(&g) {
            return Err(unit(seen, "thousandths of g", "acc_unit = \"mg\""));
        }
    }
    // A shank reaches 15 rad/s, a foot 25 in sprinting; degrees taken for radians are 57 times that.
    let mut rates: Vec<f64> = rows.iter().map(|r| norm(r, 4)).filter(|x| x.is_finite()).collect();
    rates.sort_unstable_by(f64::total_cmp);
    if let Some(fast) = rates.get(rates.len() * 99 / 100).filter(|x| **x > 60.0) {
        let seen =
            format!("one sample in a hundred turns faster than {fast:.0} rad/s, where a sprinting foot reaches 25");
        return Err(unit(seen, "degrees per second", "gyro_unit = \"deg/s\""));
    }
    let step = median(rows.windows(2).map(|w| w[1][0] - w[0][0]).filter(|s| *s > 0.0));
    let Some(step) = step else {
        return declared_hz.ok_or_else(|| ReadError::Empty { path: path.to_owned() });
    };
    let measured = 1.0 / step;
    let declared = declared_hz.unwrap_or_else(|| mean_rate(rows).unwrap_or(measured));
    if (measured / declared - 1.0).abs() > RATE_TOLERANCE
        && (mean_rate(rows).unwrap_or(measured) / declared - 1.0).abs() > RATE_TOLERANCE
        || !(20.0..=2000.0).contains(&declared)
    {
        let mapping = if step > 0.9 {
            "time_unit = \"ms\""
        } else {
            "rate_hz = …"
        };
        return Err(ReadError::Rate {
            path: path.to_owned(),
            declared_hz: declared,
            step_s: step,
            measured_hz: measured,
            mapping: mapping.to_owned(),
        });
    }
    Ok(declared)
}

/// Rate over runs of rows without holes. Stamps rounded to milliseconds have a median step that is off, but not a mean.
fn mean_rate(rows: &[Row]) -> Option<f64> {
    let step = median(rows.windows(2).map(|w| w[1][0] - w[0][0]).filter(|s| *s > 0.0))?;
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

fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut v: Vec<f64> = values.filter(|x| x.is_finite()).collect();
    v.sort_unstable_by(f64::total_cmp);
    v.get(v.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(acc: f64, gyro: f64, step: f64) -> Vec<Row> {
        (0..500)
            .map(|k| {
                [
                    f64::from(k) * step,
                    0.1,
                    0.0,
                    acc,
                    0.0,
                    gyro * f64::from(k % 7) / 6.0,
                    0.0,
                ]
            })
            .collect()
    }

    #[test]
    fn other_units_are_recognised_and_own_ones_pass() {
        let path = Path::new("foot.csv");
        assert!((check(path, &rows(9.8, 9.0, 0.005), Some(200.0)).expect("fine") - 200.0).abs() < 1e-9);
        assert!((check(path, &rows(9.8, 9.0, 0.007), Some(150.0)).is_err()));
        for (case, word) in [
            (check(path, &rows(1.0, 9.0, 0.005), Some(200.0)), "acc_unit = \"g\""),
            (check(path, &rows(1000.0, 9.0, 0.005), Some(200.0)), "acc_unit = \"mg\""),
            (
                check(path, &rows(9.8, 500.0, 0.005), Some(200.0)),
                "gyro_unit = \"deg/s\"",
            ),
            (check(path, &rows(9.8, 9.0, 5.0), Some(200.0)), "time_unit = \"ms\""),
            (check(path, &rows(9.8, 9.0, 0.01), Some(200.0)), "100.00 Hz"),
        ] {
            let text = case.expect_err(word).to_string();
            assert!(text.contains(word), "{text}");
        }
    }
}
