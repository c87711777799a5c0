//! Who may see what of a runner: symptoms are the runner's own, and a coach sees them only when the runner says so.
//!
//! Hiding what stands on the screen would not do: a summary, a level or a sentence can give a symptom away. So for who may
//! not see symptoms the flags are evaluated anew from a history without them, and everything shown follows from that one.

use super::history_of::Past;
use super::shapes::SharedWord;
use crate::risk::rules::{Flag, Rules, Source};
use crate::risk::{History, history};
use crate::store::journal::Purpose;
use std::collections::BTreeSet;

/// Who looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Viewer {
    /// Who keeps the record.
    Owner,
    /// The athlete.
    Runner,
    /// A coach of this name.
    Coach(String),
    /// A therapist of this name.
    Therapist(String),
}

/// What is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// Everything.
    Everything,
    /// All but symptoms and what follows from them.
    NoSymptoms,
}

impl Sight {
    /// What a viewer sees of an athlete.
    #[must_use]
    pub fn of(viewer: &Viewer, past: &Past) -> Self {
        let allowed = match viewer {
            Viewer::Owner | Viewer::Runner => true,
            Viewer::Coach(name) => past.allows(Purpose::Coach, name) == Some(true),
            Viewer::Therapist(name) => past.allows(Purpose::Therapist, name) == Some(true),
        };
        if allowed { Self::Everything } else { Self::NoSymptoms }
    }

    /// In a word.
    #[must_use]
    pub fn word(self) -> SharedWord {
        match self {
            Self::Everything => SharedWord::Shared,
            Self::NoSymptoms => SharedWord::NotShared,
        }
    }

    /// The history to evaluate for this sight.
    #[must_use]
    pub fn history(self, past: &Past) -> History {
        match self {
            Self::Everything => past.history.clone(),
            Self::NoSymptoms => without_symptoms(&past.history),
        }
    }

    /// Whether a flag is hidden: all it needs is what this viewer may not see.
    #[must_use]
    pub fn hides(self, rules: &Rules, flag: &Flag) -> bool {
        self == Self::NoSymptoms && (matches!(flag.family.as_str(), "SY" | "HX") || private_only(rules, flag))
    }
}

/// A history without check-ins, tests, answers about the body, and back scores.
#[must_use]
pub fn without_symptoms(history: &History) -> History {
    let mut bare = history.clone();
    bare.checkins.clear();
    bare.tests.clear();
    bare.profile = history::Profile {
        logs_core_work: history.profile.logs_core_work,
        ..history::Profile::default()
    };
    for s in &mut bare.sessions {
        s.back_pre = None;
        s.back_worst = None;
        s.sudden_onset = None;
        s.stopped_for_back = None;
    }
    bare
}

/// Answers that [`without_symptoms`] takes away.
const PRIVATE: &[&str] = &[
    "back_pre",
    "back_worst",
    "sudden_onset",
    "stopped_for_back",
    "back_now",
    "back_morning",
    "fatigue",
    "sleep_quality",
    "soreness",
    "ticks",
    "safety_answered",
    "seen_by_professional",
    "hip_above_deg",
    "knee_ext_deficit_deg",
    "self_test_tight",
    "side_plank_left_s",
    "side_plank_right_s",
    "prior_lbp_episodes",
    "medical_history_tick",
    "bone_stress_tick",
];

/// Whether each way of evaluating a flag needs a private answer.
fn private_only(rules: &Rules, flag: &Flag) -> bool {
    let private: BTreeSet<&str> = PRIVATE.iter().copied().collect();
    let is_private = |input: &String| {
        let from = rules.input(input).map(|i| i.from.as_slice()).unwrap_or_default();
        from.iter().any(|raw| {
            private.contains(raw.as_str())
                && rules
                    .raw(raw)
                    .is_some_and(|r| matches!(r.source, Source::Entry(_) | Source::Profile(_)))
        })
    };
    !flag.needs.is_empty() && flag.needs.iter().all(|way| way.iter().any(is_private))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interchange::flag_rules;

    #[test]
    fn exactly_the_flags_about_the_body_are_hidden() {
        let rules = flag_rules::built_in();
        let hidden: Vec<&str> = rules
            .flags
            .iter()
            .filter(|f| Sight::NoSymptoms.hides(&rules, f))
            .map(|f| f.id.as_str())
            .collect();
        assert_eq!(hidden, ["LD4", "CP2", "SY1", "SY2", "SY3", "SY4", "SY5", "SY6", "HX1"]);
        assert!(rules.flags.iter().all(|f| !Sight::Everything.hides(&rules, f)));
        assert!(PRIVATE.iter().all(|name| rules.raw(name).is_some()));
    }
}
