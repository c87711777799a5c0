//! Marks that a person makes during a run, and the words they are kept with.

use super::event::SessionEvent;
use crate::model::SessionTime;

/// How the text of a mark begins with which a cue starts to sound.
pub const CUE_BEGINS: &str = "cue begins";
/// The text of the mark with which it falls silent.
pub const CUE_ENDS: &str = "cue ends";

/// A mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// What it is.
    pub kind: MarkKind,
    /// In words, as it is kept.
    pub text: String,
}

/// What kind of mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkKind {
    /// A lap ends here.
    Lap,
    /// Pain, 0 to 10.
    Pain(u8),
    /// A remark.
    Marker,
    /// Cues were muted, or no longer are.
    Cues,
}

impl MarkKind {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Lap => "lap",
            Self::Pain(_) => "pain",
            Self::Marker => "marker",
            Self::Cues => "cues",
        }
    }
}

/// Whether a mark of a session, by its words, ends a lap.
#[must_use]
pub fn ends_lap(text: &str) -> bool {
    text == "lap" || text.starts_with("lap: ")
}

impl Mark {
    /// A mark with a remark or without: a marker is its remark, everything else begins with what it is.
    #[must_use]
    pub fn new(kind: MarkKind, remark: Option<&str>) -> Self {
        let what = match kind {
            MarkKind::Pain(score) => format!("pain {score}"),
            other => other.name().to_owned(),
        };
        let text = match (kind, remark) {
            (MarkKind::Marker, Some(remark)) => remark.to_owned(),
            (_, Some(remark)) => format!("{what}: {remark}"),
            (_, None) => what,
        };
        Self { kind, text }
    }

    /// A cue begins to sound; with the step rate it aims at.
    #[must_use]
    pub fn cue_begins(target: f64) -> Self {
        Self {
            kind: MarkKind::Cues,
            text: format!("{CUE_BEGINS}: {target:.0} steps a minute"),
        }
    }

    /// A cue falls silent.
    #[must_use]
    pub fn cue_ends() -> Self {
        Self {
            kind: MarkKind::Cues,
            text: CUE_ENDS.to_owned(),
        }
    }

    /// As it is kept with the session.
    #[must_use]
    pub fn event(&self, t: SessionTime) -> SessionEvent {
        SessionEvent::Marker {
            t,
            text: self.text.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_says_what_it_is() {
        let text = |kind, remark| Mark::new(kind, remark).text;
        assert_eq!(text(MarkKind::Lap, None), "lap");
        assert_eq!(text(MarkKind::Lap, Some("bridge")), "lap: bridge");
        assert!(ends_lap(&text(MarkKind::Lap, None)) && ends_lap(&text(MarkKind::Lap, Some("bridge"))));
        assert!(!ends_lap(&text(MarkKind::Marker, Some("lapwing"))) && !ends_lap(&text(MarkKind::Pain(2), None)));
        assert_eq!(text(MarkKind::Pain(4), Some("left")), "pain 4: left");
        assert_eq!(text(MarkKind::Marker, None), "marker");
        assert_eq!(text(MarkKind::Marker, Some("dog")), "dog");
    }
}
