//! Sentences about radios and links, the same for every command that talks to sensors.

use crate::sensors::radio::{OpenError, RadioState};

/// Why a sensor could not be opened, in words that follow "cannot be reached: ".
#[must_use]
pub fn open_error(error: &OpenError) -> String {
    match error {
        OpenError::Radio(state) => radio_state(state),
        OpenError::Unknown => "this computer has not seen it; switch it on, bring it near".to_owned(),
        OpenError::TimedOut(call) => format!("no answer ({call})"),
        OpenError::Busy => "the system is still busy with an earlier attempt".to_owned(),
        OpenError::Other(text) => text.clone(),
    }
}

/// What the radio is able to do, in a sentence without its full stop.
#[must_use]
pub fn radio_state(state: &RadioState) -> String {
    match state {
        RadioState::Ready(adapter) => format!("Bluetooth works ({adapter})"),
        RadioState::NoAdapter => "this computer has no Bluetooth adapter".to_owned(),
        RadioState::Off => "Bluetooth is switched off".to_owned(),
        RadioState::NoService(text) => format!("no Bluetooth service answered: {text}"),
        RadioState::NoPermission(text) => format!("this user may not use Bluetooth: {text}"),
    }
}
