//! What a sensor on a simulated runner feels.
//!
//! The runner is the one of [`crate::synth`]; the same motion as in simulated recordings, asked for at any instant. All
//! sensors of a runner share one plan, so that feet and pelvis belong together.

use super::peer::Motion;
use crate::model::{Placement, SessionTime};
use crate::synth::Simulation;
use std::sync::{Arc, OnceLock};

/// When the script of a runner begins: with the first sample any of the sensors takes, so that all begin together and
/// nobody runs off before somebody records.
#[derive(Clone, Debug, Default)]
pub struct Origin(Arc<OnceLock<SessionTime>>);

impl Origin {
    /// Begins at this instant, whatever the sensors do.
    #[must_use]
    pub fn at(time: SessionTime) -> Self {
        let origin = Self::default();
        origin.begin(time);
        origin
    }

    fn begin(&self, time: SessionTime) -> SessionTime {
        *self.0.get_or_init(|| time)
    }

    /// When it began, if it has.
    #[must_use]
    pub fn began(&self) -> Option<SessionTime> {
        self.0.get().copied()
    }
}

/// A sensor at one place on a runner.
#[derive(Clone, Debug)]
pub struct OnRunner {
    run: Arc<Simulation>,
    placement: Placement,
    origin: Origin,
}

impl OnRunner {
    /// A sensor at `placement`. Before the script the runner stands as at its beginning, after it as at its end.
    #[must_use]
    pub fn new(run: Arc<Simulation>, placement: Placement, origin: &Origin) -> Self {
        let origin = origin.clone();
        Self { run, placement, origin }
    }
}

impl Motion for OnRunner {
    fn at(&self, time: SessionTime) -> ([f64; 3], [f64; 3]) {
        let origin = self.origin.begin(time);
        self.run.felt(self.placement, time.since(origin))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synth::{Script, SimConfig};

    #[test]
    fn all_places_share_one_beginning_and_any_order_of_asking_feels_the_same() {
        let config = SimConfig {
            script: Script::new().stand(2.0).run(20.0, 3.0),
            ..SimConfig::default()
        };
        let run = Arc::new(Simulation::new(config));
        let origin = Origin::default();
        let [foot, sacrum] =
            [Placement::LeftFoot, Placement::Sacrum].map(|p| OnRunner::new(Arc::clone(&run), p, &origin));
        let at = SessionTime::from_secs;
        let (standing, _) = foot.at(at(100.0));
        assert_eq!(origin.began(), Some(at(100.0)));
        let size = |v: [f64; 3]| v.iter().map(|c| c * c).sum::<f64>().sqrt();
        assert!((size(standing) - 9.8).abs() < 0.2, "it stands at first");
        let times: Vec<f64> = (0..400).map(|k| 100.0 + f64::from(k) * 0.05).collect();
        let forward: Vec<_> = times.iter().map(|t| sacrum.at(at(*t))).collect();
        let mut backward: Vec<_> = times.iter().rev().map(|t| sacrum.at(at(*t))).collect();
        backward.reverse();
        assert_eq!(forward, backward);
        let hardest = times.iter().map(|t| size(foot.at(at(*t)).0)).fold(0.0, f64::max);
        assert!(hardest > 30.0, "and then runs: {hardest} m/s²");
    }
}
