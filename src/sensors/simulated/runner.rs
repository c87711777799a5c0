//! What a sensor on a simulated runner feels.
//!
//! The runner is the one of [`crate::synth`]; the same motion as in simulated recordings, asked for at any instant. All
//! sensors of a runner share one plan, so that feet and pelvis belong together.

use super::peer::Motion;
use crate::model::{Placement, SessionTime};
use crate::synth::Simulation;
use std::sync::Arc;

/// One place on a runner whose script began at `origin`.
#[derive(Clone, Debug)]
pub struct OnRunner {
    run: Arc<Simulation>,
    placement: Placement,
    origin: SessionTime,
}

impl OnRunner {
    /// A sensor at `placement`. Before `origin` the runner stands as at the script's beginning; after its end as at its
    /// end.
    #[must_use]
    pub fn new(run: Arc<Simulation>, placement: Placement, origin: SessionTime) -> Self {
        Self { run, placement, origin }
    }
}

impl Motion for OnRunner {
    fn at(&self, time: SessionTime) -> ([f64; 3], [f64; 3]) {
        self.run.felt(self.placement, time.since(self.origin))
    }
}
