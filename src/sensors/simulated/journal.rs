//! What a simulated pod really took, for tests that compare.

use std::sync::{Arc, Mutex, PoisonError};

/// A sample as the pod took it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Stream.
    pub stream: u8,
    /// Which session of the pod, counted from 1.
    pub session: u32,
    /// Index within it.
    pub index: u32,
    /// Pod's clock, µs.
    pub us: u64,
    /// Boots before.
    pub boot: u32,
    /// Number over all sessions: what [`super::pod::Readings::Numbered`] puts into the sample.
    pub number: u32,
}

/// Everything a pod took, shared with whoever wants to look.
#[derive(Clone, Debug, Default)]
pub struct Journal(Arc<Mutex<Vec<Taken>>>);

impl Journal {
    /// What was taken so far.
    #[must_use]
    pub fn taken(&self) -> Vec<Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How much was taken so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether nothing was.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn push(&self, taken: Taken) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(taken);
    }
}
