//! An athlete's past, laid out once and kept while the record does not change: one page asks for it many times over.

use super::access::gate::{Sight, Symptoms};
use super::app::App;
use super::problem::Problem;
use crate::review::flags::flag_history;
use crate::review::{self, Past, RulesAre, StateChange};
use crate::store::AthleteId;
use crate::store::journal::Day;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

/// Pasts kept.
const MOST: usize = 24;
/// A record whose last day lies further back is looked at as of that day: a season that ended long ago (or a demonstration,
/// which has no date) would otherwise be nothing but days without runs.
const STALE_DAYS: i32 = 365;

/// A past, and the changes of its flags as this sight shows them.
#[derive(Debug)]
pub struct Looked {
    /// The past.
    pub past: Past,
    /// What may be seen of it.
    pub sight: review::Sight,
    /// Changes of flags, in order.
    pub changes: Vec<StateChange>,
}

/// When and how large the files of the record are: whatever is committed changes one of them.
type Stamp = [Option<(SystemTime, u64)>; 2];

/// Whose past, up to which day, with symptoms or without.
type Key = (AthleteId, Day, bool);

/// Pasts that were laid out, each with the state of the record at that time.
#[derive(Debug, Default)]
pub struct LookedUp(Mutex<BTreeMap<Key, (Stamp, Arc<Looked>)>>);

fn stamp(dir: &Path) -> Stamp {
    let of = |suffix: &str| {
        let meta = std::fs::metadata(dir.join(format!("{}{suffix}", crate::store::sqlite::RECORD_FILE))).ok()?;
        Some((meta.modified().ok()?, meta.len()))
    };
    [of(""), of("-wal")]
}

/// The sight of review for what the gate lets through.
#[must_use]
pub fn sight_of(sight: Sight) -> review::Sight {
    match sight.symptoms {
        Symptoms::Shown => review::Sight::Everything,
        Symptoms::Hidden => review::Sight::NoSymptoms,
    }
}

impl App {
    /// The last day of an athlete that is looked at when nobody says: today, or the last one known of an old record. Blocks.
    ///
    /// # Errors
    /// Those of the store.
    pub fn day_for(&self, athlete: &AthleteId) -> Result<Day, Problem> {
        let today = self.today();
        let last = self.review().last_day(athlete)?;
        Ok(match last {
            Some(last) if last.days() < today.days() - STALE_DAYS => last,
            _ => today,
        })
    }

    /// Brings what is kept of an athlete's flags up to date, after something about them came or went. Blocks.
    ///
    /// # Errors
    /// Those of the store.
    pub fn renew_flags(&self, athlete: &AthleteId) -> Result<(), Problem> {
        let day = self.day_for(athlete)?;
        self.review().renewed(athlete, day, RulesAre::InForce)?;
        Ok(())
    }

    /// An athlete's past up to `day`, as this sight shows it. Blocks.
    ///
    /// # Errors
    /// Those of the store.
    pub fn looked(&self, athlete: &AthleteId, day: Option<Day>, sight: Sight) -> Result<Arc<Looked>, Problem> {
        let day = match day {
            Some(day) => day,
            None => self.day_for(athlete)?,
        };
        let key = (athlete.clone(), day, sight.symptoms == Symptoms::Shown);
        let now = stamp(self.dir());
        {
            let kept = self.looked_up().0.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((of, looked)) = kept.get(&key)
                && *of == now
            {
                return Ok(Arc::clone(looked));
            }
        }
        let past = self.review().past(athlete, day)?;
        let sight = sight_of(sight);
        let changes = flag_history(self.rules(), &past, sight).changes;
        let looked = Arc::new(Looked { past, sight, changes });
        // What laying out kept (what runs amount to) is a change of the files too; taken before it, the stamp would be old.
        let now = stamp(self.dir());
        let mut kept = self.looked_up().0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|_, (of, _)| *of == now);
        if kept.len() >= MOST {
            kept.pop_first();
        }
        kept.insert(key, (now, Arc::clone(&looked)));
        Ok(looked)
    }
}
