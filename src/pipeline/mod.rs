//! The whole signal loop: push sensor events in, get strides, blocks, windows and health out.

pub mod output;

pub use output::{Block, Health, Output, Window};

use crate::model::{Athlete, SensorConfig, SensorEvent};

/// What a session is about: sensors worn and the runner.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PipelineConfig {
    /// The sensors. Events of a placement not listed here are ignored (and counted).
    pub sensors: Vec<SensorConfig>,
    /// The runner.
    pub athlete: Athlete,
    /// How far the clocks of the sensors may differ, s: 0 for one logger, a few ms after time synchronisation. Two-sensor
    /// measurements are absent above 10 ms.
    pub sync_sigma_s: f64,
    /// Personal correction of the mid-stance speed from references of known length, m/s (0 without any).
    pub personal_speed_offset: f64,
}

/// The signal loop. Push events in arrival order; outputs appear as soon as they are final; [`Pipeline::flush`] says
/// that nothing more comes. Causal and deterministic: cutting the input into pieces of any size changes nothing.
#[derive(Debug)]
pub struct Pipeline {
    config: PipelineConfig,
}

impl Pipeline {
    /// A loop for these sensors.
    #[must_use]
    pub fn new(config: PipelineConfig) -> Self {
        Self { config }
    }

    /// Its configuration.
    #[must_use]
    pub fn config(&self) -> &PipelineConfig {
        &self.config
    }

    /// Takes one event; appends what became final to `out`.
    pub fn push(&mut self, event: &SensorEvent, out: &mut Vec<Output>) {
        let _ = (event, out);
    }

    /// Nothing more comes: gives out what was still waiting. Calling it again adds nothing.
    pub fn flush(&mut self, out: &mut Vec<Output>) {
        let _ = out;
    }
}
