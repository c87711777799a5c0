//! How sensors did during a session, ten seconds at a time: what arrived, what was lost, battery, link and clock.
//!
//! It follows from the samples and from what the sensor said of itself, never from an analysis: analysing a session anew
//! changes none of it. Signal strength is not in it: it is known while a sensor is looked for, not while it streams.

use crate::model::{ClipFlags, Placement, SensorEvent, SessionTime};
use std::collections::BTreeMap;

/// Length of a stretch, ns.
const STRETCH_NS: i64 = 10_000_000_000;

/// What a sensor and its link said of themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LinkHealth {
    /// Charge, %.
    pub battery_pct: Option<u8>,
    /// Times the link was lost since the session began; `None` without a link.
    pub links_lost: Option<u32>,
    /// Restarts of the sensor since the session began; `None` without a link.
    pub reboots: Option<u32>,
    /// Rate of its clock against session time, parts per million.
    pub clock_ppm: Option<f64>,
    /// How far its times scatter, µs: a figure, not a guarantee.
    pub clock_scatter_us: Option<f64>,
}

/// One sensor over ten seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HealthRow {
    /// Begin of the ten seconds: a multiple of them.
    pub t: SessionTime,
    /// Sensor.
    pub placement: Placement,
    /// Samples measured.
    pub samples: u32,
    /// Samples interpolated across a short gap.
    pub filled: u32,
    /// Samples lost for good, by gaps that end here.
    pub missing: u32,
    /// Samples with an axis at its rail.
    pub clipped: u32,
    /// What it last said of itself until the end of the ten seconds.
    pub link: LinkHealth,
}

impl HealthRow {
    /// Share of samples lost, %; `None` where none were due.
    #[must_use]
    pub fn loss_pct(&self) -> Option<f64> {
        let due = f64::from(self.samples) + f64::from(self.filled) + f64::from(self.missing);
        (due > 0.0).then(|| 100.0 * f64::from(self.missing) / due)
    }
}

/// Gathers the rows of a session. What it is told of one sensor may come in any order.
#[derive(Clone, Debug, Default)]
pub struct HealthSeries {
    rows: BTreeMap<(i64, Placement), HealthRow>,
    links: BTreeMap<(Placement, i64), LinkHealth>,
}

fn stretch(t: SessionTime) -> i64 {
    t.nanos().div_euclid(STRETCH_NS)
}

impl HealthSeries {
    /// Number of the stretch in which an instant lies: whoever samples a sensor does it once in each.
    #[must_use]
    pub fn stretch_of(t: SessionTime) -> i64 {
        stretch(t)
    }

    fn row(&mut self, at: i64, placement: Placement) -> &mut HealthRow {
        self.rows.entry((at, placement)).or_insert(HealthRow {
            t: SessionTime::from_nanos(at.saturating_mul(STRETCH_NS)),
            placement,
            samples: 0,
            filled: 0,
            missing: 0,
            clipped: 0,
            link: LinkHealth::default(),
        })
    }

    /// Takes what a sensor measured or did not.
    pub fn take(&mut self, event: &SensorEvent) {
        match event {
            SensorEvent::Sample(placement, sample) => {
                let row = self.row(stretch(sample.t), *placement);
                if sample.filled {
                    row.filled += 1;
                } else {
                    row.samples += 1;
                }
                row.clipped += u32::from(sample.clip != ClipFlags::NONE);
            }
            SensorEvent::Gap {
                placement, to, missing, ..
            } => {
                let row = self.row(stretch(*to), *placement);
                row.missing = row.missing.saturating_add(*missing);
            }
            SensorEvent::Standing { .. } => {}
        }
    }

    /// Takes what a sensor said of itself at an instant.
    pub fn take_link(&mut self, placement: Placement, t: SessionTime, link: LinkHealth) {
        self.links.insert((placement, stretch(t)), link);
    }

    /// The rows by time, then by sensor. A stretch in which a sensor sent nothing has a row where its link had something
    /// to say; what it said holds until it says something else.
    #[must_use]
    pub fn rows(mut self) -> Vec<HealthRow> {
        let links = std::mem::take(&mut self.links);
        for (placement, at) in links.keys() {
            self.row(*at, *placement);
        }
        let mut rows: Vec<HealthRow> = self.rows.into_values().collect();
        for row in &mut rows {
            let at = stretch(row.t);
            let said = links.range((row.placement, i64::MIN)..=(row.placement, at)).next_back();
            row.link = said.map(|(_, link)| *link).unwrap_or_default();
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{GapCause, ImuSample, Vec3};

    fn sample(t_s: f64, filled: bool, clipped: bool) -> SensorEvent {
        SensorEvent::Sample(
            Placement::Sacrum,
            ImuSample {
                t: SessionTime::from_secs(t_s),
                acc: Vec3::new(0.0, 0.0, 9.81),
                gyro: Vec3::new(0.0, 0.0, 0.0),
                clip: ClipFlags::from_axes([clipped, false, false], [false; 3]),
                filled,
            },
        )
    }

    #[test]
    fn ten_seconds_make_a_row_and_what_a_sensor_said_holds_until_it_says_more() {
        let mut series = HealthSeries::default();
        for n in 0..100 {
            series.take(&sample(f64::from(n) * 0.25, n % 10 == 0, n == 3));
        }
        series.take(&SensorEvent::Gap {
            placement: Placement::Sacrum,
            from: SessionTime::from_secs(8.0),
            to: SessionTime::from_secs(11.0),
            missing: 12,
            cause: GapCause::Lost,
        });
        let link = |battery| LinkHealth {
            battery_pct: Some(battery),
            ..LinkHealth::default()
        };
        series.take_link(Placement::Sacrum, SessionTime::from_secs(1.0), link(80));
        series.take_link(Placement::Sacrum, SessionTime::from_secs(35.0), link(79));
        let rows = series.rows();
        let told: Vec<_> = rows
            .iter()
            .map(|r| {
                (
                    r.t.nanos() / 1_000_000_000,
                    r.samples,
                    r.filled,
                    r.missing,
                    r.clipped,
                    r.link.battery_pct,
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                (0, 36, 4, 0, 1, Some(80)),
                (10, 36, 4, 12, 0, Some(80)),
                (20, 18, 2, 0, 0, Some(80)),
                (30, 0, 0, 0, 0, Some(79)),
            ]
        );
        assert_eq!(rows[1].loss_pct(), Some(100.0 * 12.0 / 52.0));
        assert_eq!(rows[3].loss_pct(), None);
    }
}
