//! Everything lope measures: one registry, one family of computations a file.

pub mod aggregate;
pub mod baseline;
pub mod braking;
#[cfg(test)]
mod chance;
pub mod confidence;
pub mod context;
pub mod course;
pub mod drift;
#[cfg(test)]
mod example_stride;
pub mod families;
pub mod fatigue;
pub mod foot;
pub mod noticeable;
pub mod overstride;
pub mod pelvis;
pub mod pelvis_curve;
pub(crate) mod pelvis_cycle;
pub(crate) mod periodic;
pub mod personal;
#[cfg(test)]
mod recorded;
#[cfg(test)]
mod recorded_limits;
pub mod reference;
pub mod registry;
pub(crate) mod robust;
pub mod shank;
pub(crate) mod shock;
pub mod spectral;
pub mod speed_model;
pub mod spring;
pub(crate) mod stretch;
pub mod symmetry;
pub mod temporal;
pub mod variability;

pub use context::{MetricSet, StrideContext, StrideRecord};
pub use registry::{METRICS, MetricDef, MetricId};
