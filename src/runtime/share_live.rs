//! A run shown to viewers while it happens: outputs, sensors, and what viewers ask of it.

use super::asking::{Asking, Sound};
use super::cueing::CueState;
use super::live::View;
use super::record::{RecordView, SensorHealth};
use crate::api::live::{Before, Command, CueNow, Hub, LiveRun, RunAbout, SensorNow, To, Word};
use crate::model::{Placement, SessionTime};
use crate::pipeline::{Losses, Output};
use crate::review::Sight;
use crate::risk::cue::Cue;
use crate::store::{Mark, MarkKind};
use std::collections::BTreeMap;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};

/// From this share of missing samples on, what a sensor sends is poor.
const POOR: f64 = 0.05;

/// While a cue stays as it is, the step rate beside it is told this often, s of signal.
const CUE_EVERY_S: f64 = 2.0;

/// A run that is shown.
#[derive(Debug)]
pub struct Shown {
    run: LiveRun,
    view: watch::Receiver<View>,
    record: Option<watch::Receiver<RecordView>>,
    /// Samples taken when health was last looked at, and when a sensor last took any, s of signal.
    seen: BTreeMap<Placement, (u64, f64)>,
    /// What was last told of cues, and when, s.
    told: Option<(CueNow, f64)>,
}

/// Where a run is shown, and who is asked what viewers ask.
#[derive(Debug)]
pub struct Stage<'a> {
    /// The live runs.
    pub hub: &'a Hub,
    /// What listens to viewers.
    pub handle: &'a Handle,
    /// The run that they ask.
    pub asking: Asking,
}

impl Shown {
    /// Begins to show a run; `None` when the hub shows as many as it can.
    #[must_use]
    pub fn begin(
        stage: Stage<'_>,
        about: RunAbout,
        before: Before,
        view: watch::Receiver<View>,
        record: Option<watch::Receiver<RecordView>>,
    ) -> Option<Self> {
        let mut run = stage.hub.begin(about, before)?;
        let asked = run.commands()?;
        stage.handle.spawn(pass_on(asked, stage.asking, view.clone()));
        Some(Self {
            run,
            view,
            record,
            seen: BTreeMap::new(),
            told: None,
        })
    }

    /// Shows an output. Never waits for a viewer.
    pub fn take(&mut self, output: &Output) {
        self.run.take(output);
        let sensors = self.sensors();
        self.run.health(&sensors);
    }

    /// Shows a mark, to those who may know what the runner says.
    pub fn mark(&self, t: SessionTime, mark: &Mark) {
        let to = match mark.kind {
            MarkKind::Lap | MarkKind::Pain(_) | MarkKind::Marker => To::Only(Sight::Everything),
            MarkKind::Cues => To::Everyone,
        };
        let word = Word {
            t_s: t.secs(),
            kind: mark.kind.name().to_owned(),
            text: mark.text.clone(),
        };
        self.run.say(to, &word);
    }

    /// Shows what cues do: at once what changes, now and then the step rate beside it.
    pub fn cue(&mut self, state: &CueState) {
        let now = cue_now(state);
        let news = self.told.as_ref().is_none_or(|(was, at)| {
            let changed = was.state != now.state || was.why != now.why;
            changed || state.t_s - at >= CUE_EVERY_S && *was != now
        });
        if news {
            self.run.cue(&now);
            self.told = Some((now, state.t_s));
        }
    }

    /// What is known of the runner is known anew.
    pub fn known_anew(&mut self, before: Before) {
        self.run.known_anew(before);
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

/// Passes on what viewers ask, until the run is over.
async fn pass_on(mut asked: mpsc::Receiver<Command>, asking: Asking, view: watch::Receiver<View>) {
    while let Some(command) = asked.recv().await {
        let t_s = view.borrow().signal_s;
        match command {
            Command::Stop => asking.stop(),
            Command::Mark(mark) => asking.mark(t_s, mark),
            Command::Mute => asking.sound(t_s, Sound::Off),
            Command::Unmute => asking.sound(t_s, Sound::On),
            Command::LookAgain => asking.look_again(),
        }
    }
}

fn cue_now(state: &CueState) -> CueNow {
    let (word, why) = match state.cue {
        Cue::Silent(why) if why.is_off() => ("off", Some(why.words().to_owned())),
        Cue::Silent(why) => ("silent", Some(why.words().to_owned())),
        Cue::Words { .. } | Cue::Tick { .. } => ("on", None),
    };
    // What is off for a while says so by its state.
    let why = why.map(|w| w.trim_start_matches("off: ").to_owned());
    CueNow {
        state: word,
        target_spm: state.aim.map(|a| a.target),
        low_spm: state.aim.map(|a| a.low),
        high_spm: state.aim.and_then(|a| a.high),
        now_spm: state.cadence,
        why,
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
    fn a_cue_is_told_with_what_it_aims_at_and_silence_with_its_reason() {
        use crate::risk::cue::{Aim, Why};
        let aim = Aim {
            target: 178.5,
            low: 175.0,
            high: Some(182.0),
        };
        let state = |cue| CueState {
            cue,
            aim: Some(aim),
            cadence: Some(170.0),
            t_s: 400.0,
        };
        let on = cue_now(&state(Cue::Tick { target: 178.5 }));
        assert_eq!((on.state, on.target_spm, on.now_spm), ("on", Some(178.5), Some(170.0)));
        assert_eq!((on.why, on.high_spm), (None, Some(182.0)));
        let sore = cue_now(&state(Cue::Silent(Why::Sore)));
        assert_eq!(
            (sore.state, sore.why.as_deref()),
            ("off", Some("your back is sore today"))
        );
        let bare = sore.without_symptoms();
        assert_eq!((bare.state, bare.why), ("silent", None));
        let rest = cue_now(&state(Cue::Silent(Why::Rest)));
        assert_eq!(
            (rest.state, rest.why.as_deref()),
            ("silent", Some("resting between cues"))
        );
    }

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
