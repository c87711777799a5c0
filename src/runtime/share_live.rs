//! A run shown to viewers while it happens: outputs, sensors, and what viewers ask of it.

use super::live::View;
use super::record::{RecordView, SensorHealth};
use crate::api::live::{Command, Hub, LiveRun, RunAbout, SensorNow, Word};
use crate::model::{Placement, SessionTime};
use crate::pipeline::{Losses, Output};
use crate::store::SessionEvent;
use std::collections::BTreeMap;
use tokio::sync::{mpsc, watch};

/// From this share of missing samples on, what a sensor sends is poor.
const POOR: f64 = 0.05;

/// A run that is shown.
#[derive(Debug)]
pub struct Shown {
    run: LiveRun,
    asked: mpsc::Receiver<Command>,
    view: watch::Receiver<View>,
    record: Option<watch::Receiver<RecordView>>,
    /// Samples taken when health was last looked at, and when a sensor last took any, s of signal.
    seen: BTreeMap<Placement, (u64, f64)>,
}

/// What a viewer asked that the run has to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Asked {
    /// Note this in the session.
    Note(SessionEvent),
    /// End.
    Stop,
}

impl Shown {
    /// Begins to show a run; `None` when the hub shows as many as it can.
    #[must_use]
    pub fn begin(
        hub: &Hub,
        about: RunAbout,
        view: watch::Receiver<View>,
        record: Option<watch::Receiver<RecordView>>,
    ) -> Option<Self> {
        let mut run = hub.begin(about)?;
        let asked = run.commands()?;
        Some(Self {
            run,
            asked,
            view,
            record,
            seen: BTreeMap::new(),
        })
    }

    /// Shows an output. Never waits for a viewer.
    pub fn take(&mut self, output: &Output) {
        self.run.take(output);
        let sensors = self.sensors();
        self.run.health(&sensors);
    }

    /// What viewers asked since the last time.
    pub fn asked(&mut self) -> Vec<Asked> {
        let mut wishes = Vec::new();
        while let Ok(command) = self.asked.try_recv() {
            let (kind, text) = match command {
                Command::Stop => {
                    wishes.push(Asked::Stop);
                    continue;
                }
                Command::Lap => ("lap", "lap".to_owned()),
                Command::Pain(value) => ("pain", format!("pain {value}")),
                Command::Marker(text) => ("marker", text),
            };
            let t_s = self.run.now_s();
            self.run.say(&Word {
                t_s,
                kind: kind.to_owned(),
                text: text.clone(),
            });
            wishes.push(Asked::Note(SessionEvent::Marker {
                t: SessionTime::from_secs(t_s),
                text,
            }));
        }
        wishes
    }

    fn sensors(&mut self) -> Vec<SensorNow> {
        if let Some(record) = &self.record {
            return record.borrow().sensors.iter().filter_map(of_recording).collect();
        }
        let view = self.view.borrow();
        let now = view.signal_s;
        let seen = &mut self.seen;
        view.sensors
            .iter()
            .map(|(place, losses)| of_signal(*place, losses, now, seen))
            .collect()
    }
}

/// Signal without a sample for so long is lost, s.
const LOST_S: f64 = 1.0;

fn of_signal(placement: Placement, losses: &Losses, now: f64, seen: &mut BTreeMap<Placement, (u64, f64)>) -> SensorNow {
    let last = seen.entry(placement).or_insert((losses.taken, now));
    if losses.taken != last.0 {
        *last = (losses.taken, now);
    }
    let missing = losses.missing + losses.bridged;
    let lost_share = missing as f64 / (losses.taken + missing).max(1) as f64;
    SensorNow {
        placement,
        state: match now - last.1 > LOST_S {
            true => "lost",
            false if lost_share > POOR => "poor",
            false => "ok",
        },
        battery: None,
        rssi: None,
        lost_share,
        residual_ms: None,
        text: None,
    }
}

fn of_recording(health: &SensorHealth) -> Option<SensorNow> {
    let missing = health.missing_in_all();
    let lost_share = missing as f64 / (health.live_samples + health.fetched_samples + missing).max(1) as f64;
    Some(SensorNow {
        placement: health.placement?,
        state: match health.state {
            "streaming" if lost_share > POOR => "poor",
            "streaming" | "fetching" | "done" | "finished" => "ok",
            "searching" | "connecting" => "connecting",
            _ => "lost",
        },
        battery: health.battery_percent,
        rssi: None,
        lost_share,
        residual_ms: health.clock_scatter_s.map(|s| 1e3 * s),
        text: health.notes.last().cloned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sensor_is_ok_poor_or_lost_by_what_it_sent() {
        let mut seen = BTreeMap::new();
        let mut state = |taken, missing, now| {
            let losses = Losses {
                taken,
                missing,
                ..Losses::default()
            };
            of_signal(Placement::LeftFoot, &losses, now, &mut seen).state
        };
        assert_eq!(state(0, 0, 0.0), "ok");
        assert_eq!(state(100, 1, 0.5), "ok");
        assert_eq!(state(100, 10, 1.0), "poor");
        assert_eq!(state(100, 10, 1.6), "lost");
        assert_eq!(state(400, 10, 3.0), "ok");
    }
}
