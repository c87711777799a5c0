//! What the system's errors mean.
//!
//! btleplug hands most of them on as text: on Linux a D-Bus error with a name and a message, on macOS a sentence. BlueZ maps
//! some ATT error codes to names of its own (its `src/gatt-client.c`, `create_gatt_dbus_error`) and spells the others in
//! hexadecimal; here they become codes again. Words nobody knows stay words: nothing is guessed.

use super::super::link::{Asked, LinkFailure};
use super::super::radio::{OpenError, RadioState};
use super::limits::Failed;
use btleplug::Error;

/// What a refusal is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// There is no connection.
    NotConnected,
    /// An earlier call is still being worked on.
    Busy,
    /// The system does not let us.
    Denied,
    /// The sensor wants a bond.
    WantsBond,
    /// The system does not know the object (any more).
    Gone,
    /// The service is not there.
    NoService,
    /// The adapter is off.
    Off,
    /// The service did not answer in its own time.
    NoReply,
    /// The services of a sensor were not resolved in the system's own time.
    ServicesLate,
    /// There is no such characteristic.
    NoCharacteristic,
    /// The characteristic or the system cannot do this.
    Unsupported,
    /// The sensor refused with an ATT error code.
    Att(u8),
    /// Something else.
    Other,
}

/// A refusal: what it is about and the system's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) kind: Kind,
    pub(super) words: String,
}

impl Refusal {
    pub(super) fn of(error: &Error) -> Self {
        let kind = match error {
            Error::PermissionDenied => Kind::Denied,
            Error::DeviceNotFound => Kind::Gone,
            Error::NotConnected => Kind::NotConnected,
            Error::NoSuchCharacteristic | Error::UnexpectedCharacteristic => Kind::NoCharacteristic,
            Error::NotSupported(_) => Kind::Unsupported,
            Error::TimedOut(_) => Kind::NoReply,
            Error::RuntimeError(words) => kind_of(words),
            // The debug form, because the plain one leaves out the name of a D-Bus error.
            other => kind_of(&format!("{other:?}")),
        };
        let words = match error {
            // Without the words that btleplug puts before the system's.
            Error::RuntimeError(words) | Error::NotSupported(words) => words.clone(),
            other => other.to_string(),
        };
        let words = if words.is_empty() { format!("{error:?}") } else { words };
        Self { kind, words }
    }
}

/// Marks in an error's text, the first that fits decides.
const MARKS: &[(&str, Kind)] = &[
    ("org.bluez.Error.InProgress", Kind::Busy),
    ("already in progress", Kind::Busy),
    ("Not paired", Kind::WantsBond),
    ("Read not permitted", Kind::Att(0x02)),
    ("Write not permitted", Kind::Att(0x03)),
    ("org.bluez.Error.NotAuthorized", Kind::Att(0x08)),
    ("org.bluez.Error.InvalidOffset", Kind::Att(0x07)),
    ("org.bluez.Error.InvalidValueLength", Kind::Att(0x0D)),
    ("org.bluez.Error.NotSupported", Kind::Unsupported),
    ("org.bluez.Error.NotConnected", Kind::NotConnected),
    ("Not connected", Kind::NotConnected),
    ("org.bluez.Error.NotReady", Kind::Off),
    ("org.bluez.Error.DoesNotExist", Kind::Gone),
    ("org.freedesktop.DBus.Error.UnknownObject", Kind::Gone),
    ("org.freedesktop.DBus.Error.UnknownInterface", Kind::Gone),
    // What BlueZ says of an object that was removed.
    ("org.freedesktop.DBus.Error.UnknownMethod", Kind::Gone),
    ("org.freedesktop.DBus.Error.AccessDenied", Kind::Denied),
    ("org.freedesktop.DBus.Error.AuthFailed", Kind::Denied),
    ("org.freedesktop.DBus.Error.NoReply", Kind::NoReply),
    ("org.freedesktop.DBus.Error.Timeout", Kind::NoReply),
    ("ServiceDiscoveryTimedOut", Kind::ServicesLate),
    ("org.freedesktop.DBus.Error.ServiceUnknown", Kind::NoService),
    ("org.freedesktop.DBus.Error.NameHasNoOwner", Kind::NoService),
    ("org.freedesktop.DBus.Error.NoServer", Kind::NoService),
    ("org.freedesktop.DBus.Error.FileNotFound", Kind::NoService),
    ("org.freedesktop.DBus.Error.Disconnected", Kind::NoService),
    ("org.freedesktop.DBus.Error.Spawn", Kind::NoService),
    // macOS: "Authentication is insufficient.", "Encryption is insufficient."
    ("is insufficient", Kind::WantsBond),
];

fn kind_of(text: &str) -> Kind {
    // BlueZ: "Operation failed with ATT error: 0x80"; macOS: "(ATT error 15.)".
    if let Some(code) = att_code(text, "ATT error: 0x", 16).or_else(|| att_code(text, "ATT error ", 10)) {
        return Kind::Att(code);
    }
    let mark = MARKS.iter().find(|(mark, _)| text.contains(mark));
    mark.map_or(Kind::Other, |(_, kind)| *kind)
}

fn att_code(text: &str, mark: &str, radix: u32) -> Option<u8> {
    let digits = text.split_once(mark)?.1;
    let end = digits.find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len());
    u8::from_str_radix(&digits[..end], radix).ok()
}

impl Failed {
    /// As the answer to a command of a driver.
    pub(super) fn of_command(self, asked: Asked) -> LinkFailure {
        let Refusal { kind, words } = match self {
            Self::TimedOut(_) => return LinkFailure::TimedOut,
            Self::Refused(refusal) => refusal,
        };
        match kind {
            // A characteristic whose object is gone, or a service that is gone, leaves no link.
            Kind::NotConnected | Kind::Gone | Kind::NoService | Kind::Off => LinkFailure::Down,
            Kind::WantsBond | Kind::Denied => LinkFailure::NotPermitted,
            Kind::Att(code) => LinkFailure::Att(code),
            // For reads and writes BlueZ says so of ATT error 6; for a subscription it means "has no notifications".
            Kind::Unsupported if cfg!(target_os = "linux") && !matches!(asked, Asked::Subscribe(_)) => {
                LinkFailure::Att(0x06)
            }
            Kind::NoCharacteristic => LinkFailure::NoSuchCharacteristic,
            Kind::NoReply => LinkFailure::TimedOut,
            Kind::Busy | Kind::ServicesLate | Kind::Unsupported | Kind::Other => LinkFailure::Other(words),
        }
    }

    /// As the answer to opening; `call` is what was tried.
    pub(super) fn of_opening(self, call: &'static str) -> OpenError {
        let Refusal { kind, words } = match self {
            Self::TimedOut(call) => return OpenError::TimedOut(call),
            Self::Refused(refusal) => refusal,
        };
        match kind {
            Kind::Busy => OpenError::Busy,
            Kind::Gone => OpenError::Unknown,
            Kind::NoReply => OpenError::TimedOut(call),
            Kind::ServicesLate => OpenError::TimedOut("discover"),
            Kind::Off => OpenError::Radio(RadioState::Off),
            Kind::NoService => OpenError::Radio(RadioState::NoService(words)),
            Kind::Denied if cfg!(target_os = "linux") => OpenError::Radio(RadioState::NoPermission(words)),
            _ => OpenError::Other(words),
        }
    }

    /// As a state of the radio.
    pub(super) fn of_radio(self) -> RadioState {
        let Refusal { kind, words } = match self {
            Self::TimedOut(call) => {
                return RadioState::NoService(format!("the Bluetooth service does not answer ({call})"));
            }
            Self::Refused(refusal) => refusal,
        };
        match kind {
            Kind::Denied | Kind::Att(0x08) => RadioState::NoPermission(words),
            Kind::Off => RadioState::Off,
            Kind::Gone => RadioState::NoAdapter,
            _ => RadioState::NoService(words),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::link::Chan;
    use super::*;

    fn refused(text: &str) -> Failed {
        Failed::Refused(Refusal::of(&Error::RuntimeError(text.to_owned())))
    }

    const CHAN: Chan = Chan::sig(0x180D, 0x2A37);

    #[test]
    fn att_errors_get_their_codes_back() {
        for (text, code) in [
            (
                "D-Bus error: Operation failed with ATT error: 0x80 (org.bluez.Error.Failed)",
                0x80,
            ),
            ("The operation couldn’t be completed. (ATT error 15.)", 15),
            ("D-Bus error: Write not permitted (org.bluez.Error.NotPermitted)", 0x03),
            ("D-Bus error: Read not permitted (org.bluez.Error.NotPermitted)", 0x02),
            ("D-Bus error: Invalid Length (org.bluez.Error.InvalidValueLength)", 0x0D),
            (
                "D-Bus error: Operation Not Authorized (org.bluez.Error.NotAuthorized)",
                0x08,
            ),
        ] {
            let failure = refused(text).of_command(Asked::Write(CHAN));
            assert_eq!(failure, LinkFailure::Att(code), "{text}");
        }
    }

    #[test]
    fn a_missing_bond_is_told_from_a_forbidden_write() {
        for text in [
            "D-Bus error: Not paired (org.bluez.Error.NotPermitted)",
            "Encryption is insufficient.",
        ] {
            let failure = refused(text).of_command(Asked::Read(CHAN));
            assert_eq!(failure, LinkFailure::NotPermitted, "{text}");
        }
    }

    #[test]
    fn words_nobody_knows_stay_words() {
        let words = "Something new (org.bluez.Error.Novel)";
        assert_eq!(
            refused(words).of_command(Asked::Read(CHAN)),
            LinkFailure::Other(words.to_owned())
        );
        assert_eq!(refused(words).of_opening("connect"), OpenError::Other(words.to_owned()));
    }

    #[test]
    fn an_attempt_under_way_is_busy_whatever_the_error_is_called() {
        for text in [
            "D-Bus error: Operation already in progress (org.bluez.Error.InProgress)",
            "D-Bus error: In Progress (org.bluez.Error.InProgress)",
            "D-Bus error: Operation already in progress (org.bluez.Error.Failed)",
        ] {
            assert_eq!(refused(text).of_opening("connect"), OpenError::Busy, "{text}");
        }
    }
}
