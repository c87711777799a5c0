//! What to tell a person whose Bluetooth does not work: what happened, why, and what to try, for each state and system.
//!
//! Plain data, so that a command line, a page and a test can all use it. Commands are meant to be read before they are run;
//! lope runs none of them.

use crate::sensors::radio::RadioState;

/// A system lope runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    /// Linux with BlueZ.
    Linux,
    /// macOS.
    MacOs,
    /// Windows.
    Windows,
}

impl System {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Linux, Self::MacOs, Self::Windows];

    /// The one this program was built for.
    #[must_use]
    pub const fn here() -> Self {
        if cfg!(windows) {
            Self::Windows
        } else if cfg!(target_vendor = "apple") {
            Self::MacOs
        } else {
            Self::Linux
        }
    }
}

/// One thing to try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// What to do, as a sentence.
    pub text: &'static str,
    /// The command line that does or shows it, where there is one. Linux and macOS: a shell; Windows: PowerShell.
    pub command: Option<&'static str>,
}

/// What to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advice {
    /// What happened. One sentence.
    pub what: &'static str,
    /// Why that is, as far as can be known. The system's own words are in the state.
    pub why: &'static str,
    /// What to try, the likeliest first; the last one always works.
    pub steps: &'static [Step],
}

const fn run(text: &'static str, command: &'static str) -> Step {
    Step {
        text,
        command: Some(command),
    }
}

const fn by_hand(text: &'static str) -> Step {
    Step { text, command: None }
}

/// What works without any radio.
const DEMO: Step = run("See lope work with simulated sensors, without Bluetooth.", "lope demo");

const NO_ADAPTER: &str = "This computer has no Bluetooth adapter that the system can use.";
const OFF: &str = "Bluetooth is switched off.";
const NO_SERVICE: &str = "The Bluetooth service of this computer cannot be reached.";
const NO_PERMISSION: &str = "The system does not let lope use Bluetooth.";

/// What to tell of a state; nothing if the radio works.
#[must_use]
pub const fn advice(state: &RadioState, system: System) -> Option<Advice> {
    let (what, (why, steps)) = match state {
        RadioState::Ready(_) => return None,
        RadioState::NoAdapter => (NO_ADAPTER, no_adapter(system)),
        RadioState::Off => (OFF, off(system)),
        RadioState::NoService(_) => (NO_SERVICE, no_service(system)),
        RadioState::NoPermission(_) => (NO_PERMISSION, no_permission(system)),
    };
    Some(Advice { what, why, steps })
}

type Told = (&'static str, &'static [Step]);

const fn no_adapter(system: System) -> Told {
    match system {
        System::Linux => (
            "The Bluetooth service runs but lists no adapter: there is none, its firmware did not load, or a virtual machine or container does not pass it on.",
            const {
                &[
                    run(
                        "See whether an adapter is there and whether a switch blocks it.",
                        "rfkill list bluetooth",
                    ),
                    run(
                        "See whether the kernel missed a driver or firmware for it.",
                        "sudo dmesg | grep -i -e bluetooth -e firmware",
                    ),
                    by_hand("Plug in a USB adapter with Bluetooth 4.2 or newer."),
                    DEMO,
                ]
            },
        ),
        System::MacOs => (
            "macOS lists no Bluetooth hardware.",
            const {
                &[
                    run(
                        "See what the system knows of it.",
                        "system_profiler SPBluetoothDataType",
                    ),
                    by_hand("In a virtual machine, pass a USB adapter on to it or use the computer itself."),
                    DEMO,
                ]
            },
        ),
        System::Windows => (
            "Windows lists no Bluetooth radio: there is none, it is disabled, or its driver is missing.",
            const {
                &[
                    run("See whether one is there and works.", "Get-PnpDevice -Class Bluetooth"),
                    by_hand("Enable it in the Device Manager, or plug in a USB adapter with Bluetooth 4.2 or newer."),
                    DEMO,
                ]
            },
        ),
    }
}

const fn off(system: System) -> Told {
    match system {
        System::Linux => (
            "The adapter is there but has no power; lope does not switch it on by itself.",
            const {
                &[
                    run("Take away a block by software.", "rfkill unblock bluetooth"),
                    run("Switch it on.", "bluetoothctl power on"),
                    by_hand("If it stays blocked, look for a switch or key of the computer, or end flight mode."),
                    DEMO,
                ]
            },
        ),
        System::MacOs => (
            "Bluetooth is off in the system's settings.",
            const {
                &[
                    run(
                        "Switch it on in the settings.",
                        "open 'x-apple.systempreferences:com.apple.BluetoothSettings'",
                    ),
                    DEMO,
                ]
            },
        ),
        System::Windows => (
            "Bluetooth is off in the system's settings, or flight mode is on.",
            const {
                &[
                    run("Switch it on in the settings.", "start ms-settings:bluetooth"),
                    run("End flight mode.", "start ms-settings:network-airplanemode"),
                    DEMO,
                ]
            },
        ),
    }
}

const fn no_service(system: System) -> Told {
    match system {
        System::Linux => (
            "lope speaks to BlueZ over the system bus of D-Bus: BlueZ is not installed, does not run, or a container does not see the bus.",
            const {
                &[
                    run("See whether it runs.", "systemctl status bluetooth"),
                    run(
                        "Start it, now and after each restart.",
                        "sudo systemctl enable --now bluetooth",
                    ),
                    run(
                        "Install it if it is missing (Debian, Ubuntu; elsewhere the package is called bluez too).",
                        "sudo apt-get install bluez",
                    ),
                    by_hand("In a container, pass the folder /run/dbus of the host on to it."),
                    DEMO,
                ]
            },
        ),
        System::MacOs => (
            "CoreBluetooth did not answer.",
            const {
                &[
                    run("Start the system's Bluetooth service again.", "sudo pkill bluetoothd"),
                    by_hand("If that does not help, restart the computer."),
                    DEMO,
                ]
            },
        ),
        System::Windows => (
            "The Bluetooth support service did not answer.",
            const {
                &[
                    run("See whether it runs.", "Get-Service bthserv"),
                    run("Start it (as administrator).", "Start-Service bthserv"),
                    DEMO,
                ]
            },
        ),
    }
}

const fn no_permission(system: System) -> Told {
    match system {
        System::Linux => (
            "The rules of the system bus do not let this user talk to BlueZ; many systems allow it to the group bluetooth and to whoever sits at the computer.",
            const {
                &[
                    run("See the groups of this user.", "id -nG"),
                    run(
                        "Join the group, then log out and in again.",
                        "sudo usermod -aG bluetooth \"$USER\"",
                    ),
                    run(
                        "See the rules.",
                        "cat /etc/dbus-1/system.d/bluetooth.conf /usr/share/dbus-1/system.d/bluetooth.conf",
                    ),
                    DEMO,
                ]
            },
        ),
        System::MacOs => (
            "macOS grants Bluetooth to the program that lope was started from, such as the terminal; it was refused, or the question was never asked.",
            const {
                &[
                    run(
                        "Allow it for the terminal, then start the terminal again.",
                        "open 'x-apple.systempreferences:com.apple.preference.security?Privacy_Bluetooth'",
                    ),
                    run("Have the system ask again.", "tccutil reset BluetoothAlways"),
                    by_hand(
                        "Started over ssh, lope is not asked about: start it from a terminal on the computer itself.",
                    ),
                    DEMO,
                ]
            },
        ),
        System::Windows => (
            "Windows does not let programs control radios.",
            const {
                &[
                    run("Allow it in the settings.", "start ms-settings:privacy-radios"),
                    DEMO,
                ]
            },
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn states() -> [RadioState; 4] {
        [
            RadioState::NoAdapter,
            RadioState::Off,
            RadioState::NoService("x".to_owned()),
            RadioState::NoPermission("x".to_owned()),
        ]
    }

    #[test]
    fn every_state_on_every_system_names_something_to_try_and_what_always_works() {
        for system in System::ALL {
            let mut said = Vec::new();
            for state in states() {
                let told = advice(&state, system).expect("it does not work");
                assert!(told.steps.len() >= 2, "{state:?} on {system:?}");
                assert_eq!(told.steps.last(), Some(&DEMO));
                assert!(told.what.ends_with('.') && told.why.ends_with('.'), "sentences");
                said.push((told.what, told.why));
            }
            said.dedup();
            assert_eq!(said.len(), 4, "four states are four answers");
        }
    }

    #[test]
    fn a_radio_that_works_needs_no_advice() {
        assert_eq!(advice(&RadioState::Ready("hci0".to_owned()), System::here()), None);
    }
}
