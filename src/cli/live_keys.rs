//! Keys of the live view: marks, silence of cues, the end.

use crate::runtime::asking::Asking;
use crate::store::{Mark, MarkKind};
use ratatui::crossterm::event::{KeyCode, KeyModifiers};

/// What keys can do beside stopping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Can {
    /// Nothing: there is nowhere to keep a mark.
    StopOnly,
    /// Marks.
    Mark,
    /// Marks, and there are cues to mute.
    MarkAndMute,
}

/// The keys.
#[derive(Debug)]
pub struct Keys {
    asking: Asking,
    can: Can,
    /// `p` was pressed; the next key is the score.
    pain: bool,
}

impl Keys {
    /// Keys that ask this run.
    #[must_use]
    pub fn of(asking: Asking, can: Can) -> Self {
        Self {
            asking,
            can,
            pain: false,
        }
    }

    /// The line that says which keys there are now.
    #[must_use]
    pub fn help(&self) -> &'static str {
        if self.pain {
            return "your lower back now: 0 to 9, x for 10, any other key for nothing";
        }
        match self.can {
            Can::StopOnly => "q stop",
            Can::Mark => "l lap · m marker · p pain · q stop",
            Can::MarkAndMute if self.asking.mute().is_on() => "l lap · m marker · p pain · c cues again · q stop",
            Can::MarkAndMute => "l lap · m marker · p pain · c mute cues · q stop",
        }
    }

    /// A key was pressed at this time of the run.
    pub fn pressed(&mut self, code: KeyCode, modifiers: KeyModifiers, t_s: f64) {
        let control = modifiers.contains(KeyModifiers::CONTROL);
        if std::mem::take(&mut self.pain) {
            let score = match code {
                KeyCode::Char('x') => Some(10),
                KeyCode::Char(digit) => digit.to_digit(10).and_then(|d| u8::try_from(d).ok()),
                _ => None,
            };
            if let Some(score) = score {
                self.mark(t_s, MarkKind::Pain(score));
                return;
            }
            if !control {
                return;
            }
        }
        match (code, self.can) {
            (KeyCode::Char('c'), _) if control => self.asking.stop(),
            (KeyCode::Char('q') | KeyCode::Esc, _) => self.asking.stop(),
            (_, Can::StopOnly) => {}
            (KeyCode::Char('l'), _) => self.mark(t_s, MarkKind::Lap),
            (KeyCode::Char('m'), _) => self.mark(t_s, MarkKind::Marker),
            (KeyCode::Char('p'), _) => self.pain = true,
            (KeyCode::Char('c'), Can::MarkAndMute) => self.asking.turn_sound(t_s),
            _ => {}
        }
    }

    fn mark(&self, t_s: f64, kind: MarkKind) {
        self.asking.mark(t_s, Mark::new(kind, None));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::asking::{Asked, asking};
    use crate::runtime::stop::Stop;

    fn pressed(can: Can, keys: &str) -> (Vec<String>, bool, bool) {
        let stop = Stop::default();
        let (asking, answering) = asking(&stop);
        let mute = asking.mute().clone();
        let mut all = Keys::of(asking, can);
        keys.chars()
            .for_each(|c| all.pressed(KeyCode::Char(c), KeyModifiers::NONE, 7.0));
        let marks = answering.asked().into_iter().map(|a| match a {
            Asked::Mark(t, mark) => format!("{} {}", t.secs(), mark.text),
            Asked::LookAgain => String::new(),
        });
        (marks.collect(), mute.is_on(), stop.asked())
    }

    #[test]
    fn each_key_does_what_it_says() {
        let (marks, muted, stopped) = pressed(Can::MarkAndMute, "lmp4pxpzcq");
        assert_eq!(marks, ["7 lap", "7 marker", "7 pain 4", "7 pain 10", "7 cues muted"]);
        assert!(muted && stopped);
        assert!(!pressed(Can::MarkAndMute, "cc").1, "c again, and they sound");
        let (marks, muted, stopped) = pressed(Can::Mark, "cp");
        assert!(
            marks.is_empty() && !muted && !stopped,
            "without cues there is nothing to mute"
        );
        assert_eq!(pressed(Can::StopOnly, "lmpp4c"), (Vec::new(), false, false));
    }

    #[test]
    fn control_c_stops_even_while_a_score_is_asked_for() {
        let stop = Stop::default();
        let (asking, _answering) = asking(&stop);
        let mut keys = Keys::of(asking, Can::MarkAndMute);
        keys.pressed(KeyCode::Char('p'), KeyModifiers::NONE, 0.0);
        assert!(keys.help().contains("0 to 9"));
        keys.pressed(KeyCode::Char('c'), KeyModifiers::CONTROL, 0.0);
        assert!(stop.asked());
    }
}
