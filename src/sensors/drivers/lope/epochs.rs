//! Runs of a pod's clock, numbered as they are met.
//!
//! A boot begins a run. So does a step of the clock within a boot, which no pod may make (SPEC.md section 3) and some
//! will: times before and after it have nothing to do with each other, and whoever fits a clock must be told.

use crate::model::SessionTime;
use firmware_protocol::BootId;

/// Two streams that show a step within this belong to one step, s.
const ONE_STEP_S: f64 = 3.0;

/// Which run of the clock is which.
#[derive(Clone, Debug, Default)]
pub(super) struct Epochs {
    /// The latest run of each boot. A pod that is switched off and on makes one more; a recording has few.
    boots: Vec<(BootId, u32)>,
    latest: u32,
    stepped: Option<(SessionTime, u32)>,
}

impl Epochs {
    /// The latest run of the clock of this boot.
    pub(super) fn of(&mut self, boot: BootId) -> u32 {
        if let Some((_, epoch)) = self.boots.iter().find(|(b, _)| *b == boot) {
            return *epoch;
        }
        self.latest += 1;
        self.boots.push((boot, self.latest));
        self.latest
    }

    /// The clock jumped within `epoch`: the run that goes on after it.
    pub(super) fn step(&mut self, epoch: u32, now: SessionTime) -> u32 {
        if let Some((at, run)) = self.stepped
            && run > epoch
            && now.since(at).abs() < ONE_STEP_S
        {
            return run;
        }
        self.latest += 1;
        self.stepped = Some((now, self.latest));
        if let Some(entry) = self.boots.iter_mut().find(|(_, e)| *e == epoch) {
            entry.1 = self.latest;
        }
        self.latest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boot_keeps_its_number_and_a_step_begins_a_run_for_all_streams_once() {
        let mut epochs = Epochs::default();
        let boot = |n| BootId::new(n).expect("not zero");
        let first = epochs.of(boot(7));
        assert_eq!(epochs.of(boot(7)), first);
        let stepped = epochs.step(first, SessionTime::from_secs(5.0));
        assert!(stepped > first);
        assert_eq!(
            epochs.step(first, SessionTime::from_secs(5.2)),
            stepped,
            "the other stream"
        );
        assert_eq!(epochs.of(boot(7)), stepped);
        assert!(epochs.of(boot(8)) > stepped);
        assert_eq!(epochs.of(boot(7)), stepped, "an old boot is still itself");
    }
}
