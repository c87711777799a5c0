//! From an aligned foot to strides: contacts, segmentation, trajectory, activity.

pub mod activity;
pub mod contact;
pub mod covariance;
pub mod event_bias;
pub mod feet_check;
pub mod foot;
pub mod foot_path;
pub mod trajectory;

pub use foot::{FootChain, FootEvent};
pub use foot_path::FootPath;
