//! A run that is being published: what its pipeline, its cues and its people say, told to viewers.

use super::frames::{CueNow, Gathering, SensorNow, Shown, Word};
use super::hub::{Before, Command, Hub, RunAbout, To};
use crate::pipeline::Output;
use crate::review::live::StandingFlag;
use crate::review::{LevelWord, Sight};
use crate::store::SessionId;
use serde_json::json;
use std::time::Duration;
use tokio::sync::mpsc;

/// Frames of health are sent at most this often.
const HEALTH_EVERY: Duration = Duration::from_secs(2);

/// A run that is being published. Dropping it says goodbye.
#[derive(Debug)]
pub struct LiveRun {
    hub: Hub,
    session: SessionId,
    gathering: Gathering,
    before: Before,
    asked: Option<mpsc::Receiver<Command>>,
    health_at: Option<Duration>,
}

impl LiveRun {
    pub(super) fn of(hub: Hub, about: &RunAbout, before: Before, asked: mpsc::Receiver<Command>) -> Self {
        let run = Self {
            hub,
            session: about.session.clone(),
            gathering: Gathering::of(before.usual.clone()),
            before,
            asked: Some(asked),
            health_at: None,
        };
        run.tell_flags(&Before::default());
        run
    }

    /// Takes an output of the pipeline.
    pub fn take(&mut self, output: &Output) {
        let (hub, session) = (&self.hub, &self.session);
        self.gathering.take(output, &mut |shown| {
            let (event, data) = match shown {
                Shown::Window(w) => {
                    hub.keep_window(session, &w);
                    ("window", json!(w))
                }
                Shown::Stride(s) => ("stride", json!(s)),
                Shown::Event(e) => ("event", json!(e)),
            };
            hub.publish(session, To::Everyone, event, data);
        });
    }

    /// Tells how the sensors are, if it was not told a moment ago.
    pub fn health(&mut self, sensors: &[SensorNow]) {
        let now = self.hub.now();
        if self.health_at.is_some_and(|at| now.saturating_sub(at) < HEALTH_EVERY) {
            return;
        }
        self.health_at = Some(now);
        let data = json!({ "t_s": self.gathering.now_s(), "sensors": sensors });
        self.hub.publish(&self.session, To::Everyone, "health", data);
    }

    /// Tells something that happened.
    pub fn say(&self, to: To, word: &Word) {
        self.hub.publish(&self.session, to, "event", json!(word));
    }

    /// Tells what cues do.
    pub fn cue(&self, cue: &CueNow) {
        self.hub.keep_cue(&self.session, cue);
        for (sight, cue) in [
            (Sight::Everything, cue.clone()),
            (Sight::NoSymptoms, cue.without_symptoms()),
        ] {
            self.hub.publish(&self.session, To::Only(sight), "cue", json!(cue));
        }
    }

    /// What is known of the runner is known anew. The usual stays what it was at the start of the run.
    pub fn known_anew(&mut self, before: Before) {
        let was = std::mem::replace(&mut self.before, before);
        self.hub.keep_before(&self.session, &self.before);
        self.tell_flags(&was);
    }

    /// Tells flags that stand and did not, or otherwise, and that those are gone that stood.
    fn tell_flags(&self, was: &Before) {
        let lists = [
            (Sight::Everything, &was.flags, &self.before.flags),
            (
                Sight::NoSymptoms,
                &was.flags_without_symptoms,
                &self.before.flags_without_symptoms,
            ),
        ];
        for (sight, was, now) in lists {
            for flag in changed(was, now) {
                self.hub.publish(&self.session, To::Only(sight), "flag", json!(flag));
            }
        }
    }

    /// The newest instant of the signal, s.
    #[must_use]
    pub fn now_s(&self) -> f64 {
        self.gathering.now_s()
    }

    /// What viewers ask of this run; `None` when it was taken already.
    pub fn commands(&mut self) -> Option<mpsc::Receiver<Command>> {
        self.asked.take()
    }
}

/// Flags that are new or otherwise, and those that are gone at level `none`.
fn changed(was: &[StandingFlag], now: &[StandingFlag]) -> Vec<StandingFlag> {
    let gone = was.iter().filter(|f| now.iter().all(|n| n.id != f.id));
    let gone = gone.map(|f| StandingFlag {
        level: LevelWord::None,
        text: String::new(),
        ..f.clone()
    });
    gone.chain(now.iter().filter(|f| !was.contains(f)).cloned()).collect()
}

impl Drop for LiveRun {
    fn drop(&mut self) {
        self.hub.end(&self.session);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_is_told_when_it_changes_and_when_it_goes() {
        let flag = |id: &str, level| StandingFlag {
            id: id.to_owned(),
            level,
            text: format!("{id} text"),
        };
        let was = [flag("FS1", LevelWord::Watch), flag("LD1", LevelWord::Watch)];
        let now = [flag("LD1", LevelWord::High), flag("FF1", LevelWord::Watch)];
        let told: Vec<_> = changed(&was, &now).into_iter().map(|f| (f.id, f.level)).collect();
        let wanted = [
            ("FS1".to_owned(), LevelWord::None),
            ("LD1".to_owned(), LevelWord::High),
            ("FF1".to_owned(), LevelWord::Watch),
        ];
        assert_eq!(told, wanted);
        assert!(changed(&now, &now).is_empty());
    }
}
