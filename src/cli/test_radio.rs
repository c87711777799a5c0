//! A radio for tests of commands: says what it was told to say, opens nothing.

use super::radio::{Tuned, runtime, stamp_from_now};
use crate::sensors::link::Advert;
use crate::sensors::radio::{Link, OpenError, Pending, Radio, RadioState};
use std::sync::Arc;
use tokio::sync::mpsc;

/// See the module's head. A scan tells its adverts once and ends.
pub(super) struct TestRadio {
    state: RadioState,
    adverts: Vec<Advert>,
}

impl TestRadio {
    pub(super) fn ready(adverts: Vec<Advert>) -> Self {
        Self {
            state: RadioState::Ready("test".to_owned()),
            adverts,
        }
    }

    pub(super) fn in_state(state: RadioState) -> Self {
        Self {
            state,
            adverts: Vec::new(),
        }
    }
}

impl Radio for TestRadio {
    fn state(&self) -> Pending<'_, RadioState> {
        Box::pin(async { self.state.clone() })
    }

    fn scan(&self) -> Pending<'_, Result<mpsc::Receiver<Advert>, RadioState>> {
        Box::pin(async {
            if !matches!(self.state, RadioState::Ready(_)) {
                return Err(self.state.clone());
            }
            let (to, adverts) = mpsc::channel(self.adverts.len().max(1));
            for advert in &self.adverts {
                to.send(advert.clone()).await.expect("the receiver is here");
            }
            Ok(adverts)
        })
    }

    fn open<'a>(&'a self, _: &'a str) -> Pending<'a, Result<Box<dyn Link>, OpenError>> {
        Box::pin(async { Err(OpenError::Unknown) })
    }
}

/// A command's radio made of this one.
pub(super) fn tuned(radio: TestRadio) -> Tuned {
    Tuned {
        radio: Arc::new(radio),
        runtime: runtime().expect("tasks"),
        stamp: stamp_from_now(),
        name: "test".to_owned(),
        choice: crate::config::RadioChoice::Ble,
    }
}
