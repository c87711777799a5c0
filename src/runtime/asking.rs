//! What people ask of a run that goes on, from keys and over the network alike: marks, silence of its cues, its end.
//!
//! The end and silence hold at once; marks wait for the loop that keeps the run, which takes them with its next output and
//! once more at its end, so that none is lost when no sensor speaks any more.

use super::stop::Stop;
use crate::model::SessionTime;
use crate::store::{Mark, MarkKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Whether cues are muted, shared by everyone who mutes or sounds them.
#[derive(Clone, Debug, Default)]
pub struct Mute(Arc<AtomicBool>);

impl Mute {
    /// Whether cues are muted.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Mutes or not; gives what it was.
    fn set(&self, muted: Sound) -> Sound {
        match self.0.swap(muted == Sound::Off, Ordering::Relaxed) {
            true => Sound::Off,
            false => Sound::On,
        }
    }
}

/// Whether cues may sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sound {
    /// They may.
    On,
    /// They are muted.
    Off,
}

/// What the loop that keeps the run has to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Asked {
    /// Keep this mark.
    Mark(SessionTime, Mark),
    /// Look again at what is known of the runner.
    LookAgain,
}

/// Marks that may wait for the loop, which takes all of them many times a second; whoever makes one more waits, and no
/// mark is lost.
const WAITING: usize = 1024;

/// Asks; clones ask the same run.
#[derive(Clone, Debug)]
pub struct Asking {
    stop: Stop,
    mute: Mute,
    to: SyncSender<Asked>,
}

/// Where what was asked arrives.
#[derive(Debug)]
pub struct Answering(Receiver<Asked>);

/// Both ends for a run that `stop` ends.
#[must_use]
pub fn asking(stop: &Stop) -> (Asking, Answering) {
    let (to, from) = sync_channel(WAITING);
    let asking = Asking {
        stop: stop.clone(),
        mute: Mute::default(),
        to,
    };
    (asking, Answering(from))
}

impl Asking {
    /// The run ends.
    pub fn stop(&self) {
        self.stop.ask();
    }

    /// The switch that mutes cues.
    #[must_use]
    pub fn mute(&self) -> &Mute {
        &self.mute
    }

    /// Something to keep, at this time of the run.
    pub fn mark(&self, t_s: f64, mark: Mark) {
        // Nobody takes marks of a run that is over.
        let _ = self.to.send(Asked::Mark(SessionTime::from_secs(t_s), mark));
    }

    /// Cues are muted, or no longer. Only a change is kept.
    pub fn sound(&self, t_s: f64, sound: Sound) {
        if self.mute.set(sound) != sound {
            let text = match sound {
                Sound::Off => "cues muted",
                Sound::On => "cues no longer muted",
            };
            let mark = Mark {
                kind: MarkKind::Cues,
                text: text.to_owned(),
            };
            self.mark(t_s, mark);
        }
    }

    /// Muted where they sound, and the other way round.
    pub fn turn_sound(&self, t_s: f64) {
        let next = if self.mute.is_on() { Sound::On } else { Sound::Off };
        self.sound(t_s, next);
    }

    /// What is known of the runner changed.
    pub fn look_again(&self) {
        // With that much waiting, the loop has not looked for long: it will.
        let _ = self.to.try_send(Asked::LookAgain);
    }
}

impl Answering {
    /// What was asked since the last time; several wishes to look again are one.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        let mut all: Vec<Asked> = Vec::new();
        for asked in self.0.try_iter() {
            if asked != Asked::LookAgain || !all.contains(&asked) {
                all.push(asked);
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_holds_at_once_and_only_a_change_is_kept() {
        let stop = Stop::default();
        let (asking, answering) = asking(&stop);
        asking.sound(1.0, Sound::On);
        assert!(answering.asked().is_empty(), "they sounded already");
        asking.sound(2.0, Sound::Off);
        assert!(asking.mute().is_on());
        asking.sound(3.0, Sound::Off);
        asking.turn_sound(4.0);
        assert!(!asking.mute().is_on());
        let kept = answering.asked().into_iter().map(|a| match a {
            Asked::Mark(t, mark) => (t.secs(), mark.text),
            Asked::LookAgain => (0.0, String::new()),
        });
        let wanted = [(2.0, "cues muted"), (4.0, "cues no longer muted")];
        assert_eq!(kept.collect::<Vec<_>>(), wanted.map(|(t, text)| (t, text.to_owned())));
        asking.look_again();
        asking.look_again();
        assert_eq!(answering.asked(), [Asked::LookAgain]);
        asking.stop();
        assert!(stop.asked());
    }
}
