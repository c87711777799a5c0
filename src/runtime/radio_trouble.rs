//! A radio that cannot work: what is wrong, why we think so, what mends it on this system.
//!
//! Four states, because each of them is mended otherwise. The same words stand in every command and in `lope doctor`.

use crate::config::RadioChoice;
use crate::config::place::System;
use crate::sensors::radio::RadioState;

/// What is wrong with a radio: the sentence, the system's words if it has any, what mends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// `lope::radio::…`.
    pub code: &'static str,
    /// What is wrong.
    pub what: &'static str,
    /// Why we think so.
    pub why: String,
    /// What mends it.
    pub mend: Vec<&'static str>,
}

/// What is wrong with the radio that was chosen, in this state; `None` if nothing is.
#[must_use]
pub fn trouble(choice: &RadioChoice, state: &RadioState, system: System) -> Option<Trouble> {
    match (choice, state) {
        (_, RadioState::Ready(_)) => None,
        (RadioChoice::Ble, state) => bluetooth(state, system),
        (RadioChoice::Wire { .. }, state) => Some(Trouble {
            code: "lope::radio::no_link",
            what: "Nothing answers at the other end of the test link.",
            why: match state {
                RadioState::NoService(words) | RadioState::NoPermission(words) if !words.trim().is_empty() => {
                    format!("{}: {words}", choice.text())
                }
                _ => format!("{} has no radio", choice.text()),
            },
            mend: vec![
                "start virtual pods in another terminal: lope pod",
                "or use Bluetooth: --radio ble",
            ],
        }),
    }
}

fn bluetooth(state: &RadioState, system: System) -> Option<Trouble> {
    let said = |words: &str, otherwise: &str| if words.trim().is_empty() { otherwise } else { words }.to_owned();
    Some(match state {
        RadioState::Ready(_) => return None,
        RadioState::NoAdapter => Trouble {
            code: "lope::radio::no_adapter",
            what: "This computer has no Bluetooth adapter.",
            why: "the Bluetooth service answers, but knows no adapter".to_owned(),
            mend: vec![
                "plug in a USB adapter, Bluetooth 5.0 or newer",
                "in a virtual machine or container, pass the adapter through to it",
            ],
        },
        RadioState::Off => Trouble {
            code: "lope::radio::off",
            what: "Bluetooth is switched off.",
            why: "the adapter is there, but not powered".to_owned(),
            mend: vec![match system {
                System::Xdg => "rfkill unblock bluetooth && bluetoothctl power on",
                System::MacOs => "switch Bluetooth on in the menu bar, or in System Settings > Bluetooth",
                System::Windows => "switch Bluetooth on in Settings > Bluetooth & devices; aeroplane mode off",
            }],
        },
        RadioState::NoService(words) => Trouble {
            code: "lope::radio::no_service",
            what: "No Bluetooth service answered on this computer.",
            why: said(words, "nothing answered"),
            mend: vec![match system {
                System::Xdg => "sudo apt install bluez && sudo systemctl start bluetooth",
                System::MacOs => "restart the computer: Bluetooth is part of macOS",
                System::Windows => "start the Bluetooth Support Service: services.msc",
            }],
        },
        RadioState::NoPermission(words) => Trouble {
            code: "lope::radio::no_permission",
            what: "The system does not let lope use Bluetooth.",
            why: said(words, "access was refused"),
            mend: vec![match system {
                System::Xdg => "sudo usermod -aG bluetooth \"$USER\", then log out and in again",
                System::MacOs => "allow your terminal in System Settings > Privacy & Security > Bluetooth",
                System::Windows => "allow apps in Settings > Privacy & security > Radios",
            }],
        },
    })
}
