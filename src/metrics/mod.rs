//! Everything lope measures: one registry, one family of computations a file.

pub mod context;
pub mod registry;

pub use context::{MetricSet, StrideContext, StrideRecord};
pub use registry::{METRICS, MetricDef, MetricId};
