//! A run with its people: cues for the runner, viewers who watch, and what either asks of it.
//!
//! One taker beside those that keep and count: `record`, `replay` and `demo` hand it every output and ask it for marks.

use super::asking::{Answering, Asked};
use super::before_run::BeforeRun;
use super::cueing::Cueing;
#[cfg(feature = "serve")]
use super::share_live::Shown;
use crate::pipeline::Output;
use crate::store::{SessionEvent, StoreError};

/// Looks at what is known of the runner.
pub type Look = Box<dyn Fn() -> Result<BeforeRun, StoreError>>;

/// A run with its people.
pub struct Attended {
    /// What is asked of it.
    pub answering: Answering,
    /// Cues, where they were asked for.
    pub cueing: Option<Cueing>,
    /// Viewers, where it is served.
    #[cfg(feature = "serve")]
    pub shown: Option<Shown>,
    /// How to look again at what is known of the runner.
    pub look: Look,
}

impl Attended {
    /// Takes an output.
    pub fn take(&mut self, output: &Output) {
        if let Some(cueing) = &mut self.cueing {
            cueing.take(output);
        }
        #[cfg(feature = "serve")]
        if let Some(shown) = &mut self.shown {
            shown.take(output);
        }
        self.tell_cue();
    }

    fn tell_cue(&mut self) {
        #[cfg(feature = "serve")]
        if let (Some(cueing), Some(shown)) = (&self.cueing, &mut self.shown) {
            shown.cue(&cueing.state());
        }
    }

    /// Marks that were made since the last time, to be kept.
    pub fn marks(&mut self) -> Vec<SessionEvent> {
        let mut kept = Vec::new();
        if let Some(cueing) = &mut self.cueing {
            kept.extend(cueing.turned().into_iter().map(|(t, mark)| mark.event(t)));
        }
        for asked in self.answering.asked() {
            match asked {
                Asked::Mark(t, mark) => {
                    if let Some(cueing) = &mut self.cueing {
                        cueing.marked(&mark);
                    }
                    #[cfg(feature = "serve")]
                    if let Some(shown) = &self.shown {
                        shown.mark(t, &mark);
                    }
                    kept.push(mark.event(t));
                }
                Asked::LookAgain => self.look_again(),
            }
        }
        kept
    }

    /// What the record knows of the runner changed. What cannot be read now stays as it was known.
    fn look_again(&mut self) {
        let Ok(before) = (self.look)() else { return };
        if let Some(cueing) = &mut self.cueing {
            cueing.known_anew(&before);
        }
        #[cfg(feature = "serve")]
        if let Some(shown) = &mut self.shown {
            shown.known_anew(before.for_viewers());
        }
    }
}
