//! Everything lope measures: one registry, one family of computations a file.

pub mod aggregate;
pub mod braking;
#[cfg(test)]
mod chance;
pub mod confidence;
pub mod context;
#[cfg(test)]
mod example_stride;
pub mod families;
pub mod foot;
pub mod overstride;
pub mod pelvis;
pub(crate) mod periodic;
#[cfg(test)]
mod recorded;
#[cfg(test)]
mod recorded_limits;
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
