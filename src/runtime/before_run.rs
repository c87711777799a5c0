//! What the record knows of a runner before a run: what is usual, what stands, what may be said.

use crate::interchange::flag_rules;
use crate::review::flags::flags_now;
use crate::review::{CoachingWord, Past, Review, Sight};
use crate::risk::cue::Standing;
use crate::risk::{Coaching, Rules};
use crate::store::journal::Day;
use crate::store::{AthleteId, StoreError};
use std::path::Path;

/// What is known.
#[derive(Clone, Debug)]
pub struct BeforeRun {
    /// The rules it is judged by.
    pub rules: Rules,
    /// Sessions and journal up to the day of the run.
    pub past: Past,
}

impl BeforeRun {
    /// Reads the record in the data folder `dir`.
    ///
    /// # Errors
    /// Those of the store.
    pub fn read(dir: &Path, athlete: &AthleteId, today: Day) -> Result<Self, StoreError> {
        let rules = flag_rules::built_in();
        let past = Review::open(dir, rules.clone())?.past(athlete, today)?;
        Ok(Self { rules, past })
    }

    /// What flags and back allow on that day.
    #[must_use]
    pub fn standing(&self) -> Standing {
        let coaching = match flags_now(&self.rules, &self.past, Sight::Everything).coaching {
            CoachingWord::Open => Coaching::Open,
            CoachingWord::NoCues => Coaching::NoCues,
            CoachingWord::Silent => Coaching::Silent,
        };
        let today = self.past.index(self.past.today);
        let checked = self.past.history.checkins.iter().filter(|c| c.day == today);
        let scores = checked.flat_map(|c| [c.back_now, c.back_morning]).flatten();
        Standing {
            coaching,
            // Scores go from 0 to 10.
            back: scores.reduce(f64::max).map(|s| s.round() as u8),
        }
    }

    /// What viewers of the run are shown beside it.
    #[cfg(feature = "serve")]
    #[must_use]
    pub fn for_viewers(&self) -> crate::api::live::Before {
        use crate::review::live::{LiveUsual, standing_flags};
        crate::api::live::Before {
            usual: LiveUsual::learn(&self.rules, &self.past),
            flags: standing_flags(&self.rules, &self.past, Sight::Everything),
            flags_without_symptoms: standing_flags(&self.rules, &self.past, Sight::NoSymptoms),
        }
    }
}
