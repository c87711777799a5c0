//! What works on this machine, what does not, and how to mend it: as data, so that a terminal and a page show the same.
//!
//! Looking is behind [`Machine`]; judging is here and pure, so that every verdict is tested. A check that cannot be made on
//! this system says so and passes: what nobody can look at is not a fault.

use super::radio_trouble::trouble;
use super::retention::{By, Policy};
use crate::config::place::System;
use crate::config::{RadioChoice, Settings, Units};
use crate::sensors::radio::RadioState;
use crate::store::StoreError;
use std::path::Path;

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Nothing to do.
    Ok,
    /// It works, but.
    Warn,
    /// It does not work.
    Fail,
}

impl Verdict {
    /// `ok`, `warn` or `fail`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What: `adapter`, `clock`, `disk`, …
    pub name: &'static str,
    /// How it came out.
    pub verdict: Verdict,
    /// What was found.
    pub detail: String,
    /// What mends it: a command, or what to do. Always there unless the verdict is [`Verdict::Ok`].
    pub mend: Option<String>,
}

impl Check {
    fn ok(name: &'static str, detail: impl Into<String>) -> Self {
        Self {
            name,
            verdict: Verdict::Ok,
            detail: detail.into(),
            mend: None,
        }
    }

    fn warn(name: &'static str, detail: impl Into<String>, mend: impl Into<String>) -> Self {
        Self {
            name,
            verdict: Verdict::Warn,
            detail: detail.into(),
            mend: Some(mend.into()),
        }
    }

    fn fail(name: &'static str, detail: impl Into<String>, mend: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Fail,
            ..Self::warn(name, detail, mend)
        }
    }
}

/// How sensors would be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RadioSeen {
    /// The radio said how it is.
    Said(RadioState),
    /// It did not answer in time.
    Silent,
    /// This build lacks it; what to build in.
    Lacking(String),
}

/// What a look at the clocks gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockSeen {
    /// Whether the network sets the wall clock; `None` where it cannot be read.
    pub set_by_network: Option<bool>,
    /// Seconds since 1970 that the wall clock shows.
    pub unix_s: u64,
    /// Smallest step of the monotonic clock that was seen, ns; `None` if it did not move.
    pub step_ns: Option<u64>,
}

/// What a look at the folder of sessions gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderSeen {
    /// Whether it is there.
    pub there: bool,
    /// Whether files can be made in it (or, if it is not there, in the folder it would be made in); the system's words.
    pub writable: Result<(), String>,
    /// Bytes free for this user on its disk, where that can be read.
    pub free: Option<u64>,
    /// Its permissions, where the system has such.
    pub mode: Option<u32>,
}

/// What a look into the record gave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecordSeen {
    /// Sessions, each of which could be read.
    pub sessions: usize,
    /// Of these, sessions whose program ended before they did.
    pub recovered: usize,
    /// Bytes on the disk, raw samples included.
    pub bytes: u64,
    /// Bytes of raw samples.
    pub raw_bytes: u64,
    /// Sessions that still have theirs.
    pub raw_recordings: usize,
}

/// Looks at the machine.
pub trait Machine {
    /// How sensors would be reached.
    fn radio(&self) -> RadioSeen;
    /// The clocks.
    fn clock(&self) -> ClockSeen;
    /// The folder of sessions.
    fn folder(&self, dir: &Path) -> FolderSeen;
    /// What is kept in it.
    ///
    /// # Errors
    /// It cannot be read; `Missing` if there is nothing.
    fn record(&self, dir: &Path) -> Result<RecordSeen, StoreError>;
    /// The system whose words mend things.
    fn system(&self) -> System;
}

/// All checks, in the order in which a run needs them. Without settings nothing is known of a folder.
#[must_use]
pub fn examine(machine: &dyn Machine, settings: Option<&Settings>) -> Vec<Check> {
    let by_default = RadioChoice::Ble;
    let choice = settings.map_or(&by_default, |s| &s.radio.value);
    let mut checks = radio(choice, &machine.radio(), machine.system());
    checks.push(clock(&machine.clock(), machine.system()));
    if let Some(settings) = settings {
        match &settings.data_dir.value {
            Some(dir) => {
                let sensors = settings.kit(None).map_or(DEFAULT_SENSORS, |k| k.sensors.len());
                checks.extend(folder(dir, &machine.folder(dir), sensors));
                let seen = machine.record(dir);
                checks.push(record(dir, &seen));
                checks.extend(seen.ok().map(|seen| raw(&seen, &Policy::of(settings))));
            }
            None => checks.push(Check::fail(
                "folder",
                "there is no folder to keep sessions in: neither XDG_DATA_HOME nor HOME is set",
                "name one with --data-dir DIR",
            )),
        }
        if settings.units.value == Units::Imperial {
            checks.push(Check::warn(
                "units",
                "imperial is set, but this version shows metric units only",
                "nothing to do; the setting is kept",
            ));
        }
    }
    checks
}

/// Sensors counted on when there is no kit yet: both shoes and the waistband.
const DEFAULT_SENSORS: usize = 3;
/// Bytes an hour of one sensor takes at most: 208 samples a second, each 12 bytes of values as they came over the radio and
/// as many unpacked in the raw file, and a third as much for times, rows and indices.
const BYTES_PER_SENSOR_HOUR: u64 = 208 * 3600 * (12 + 12) * 4 / 3;
/// So many hours should fit, or a warning is due.
const COMFORTABLE_HOURS: u64 = 5;
/// A monotonic clock with larger steps, ns, blurs arrivals: a millisecond is half of what two shoes may differ.
const COARSE_STEP_NS: u64 = 1_000_000;
/// A wall clock before this (2025-01-01) was never set.
const NEVER_SET_BEFORE_S: u64 = 1_735_689_600;

/// Service, permission and adapter; each line only as far as the one before let us see.
fn radio(choice: &RadioChoice, seen: &RadioSeen, system: System) -> Vec<Check> {
    const SERVICE: &str = "bluetooth";
    const PERMISSION: &str = "permission";
    const ADAPTER: &str = "adapter";
    const LINK: &str = "link";
    let state = match seen {
        RadioSeen::Lacking(mend) => {
            return vec![Check::warn(
                SERVICE,
                "this build has no Bluetooth: recordings and the demonstration work, sensors do not",
                mend.clone(),
            )];
        }
        RadioSeen::Silent => {
            return vec![Check::fail(
                SERVICE,
                "the Bluetooth service did not answer in time",
                match system {
                    System::Xdg => "sudo systemctl restart bluetooth",
                    System::MacOs | System::Windows => "switch Bluetooth off and on again",
                },
            )];
        }
        RadioSeen::Said(state) => state,
    };
    let service = Check::ok(SERVICE, "the Bluetooth service answers");
    let permission = Check::ok(PERMISSION, "lope may use it");
    let failed = |name| {
        trouble(choice, state, system).map(|t| {
            let detail = format!("{} ({})", t.what.trim_end_matches('.'), t.why);
            Check::fail(name, detail, t.mend.join("; or "))
        })
    };
    match state {
        RadioState::Ready(name) if *choice != RadioChoice::Ble => {
            vec![Check::ok(LINK, format!("{name} answers at {}", choice.text()))]
        }
        _ if *choice != RadioChoice::Ble => failed(LINK).into_iter().collect(),
        RadioState::Ready(name) => vec![service, permission, Check::ok(ADAPTER, format!("{name} is ready"))],
        RadioState::NoService(_) => failed(SERVICE).into_iter().collect(),
        RadioState::NoPermission(_) => [service].into_iter().chain(failed(PERMISSION)).collect(),
        RadioState::NoAdapter | RadioState::Off => [service, permission].into_iter().chain(failed(ADAPTER)).collect(),
    }
}

fn clock(seen: &ClockSeen, system: System) -> Check {
    const NAME: &str = "clock";
    let set = match system {
        System::Xdg => "sudo timedatectl set-ntp true",
        System::MacOs => "System Settings > General > Date & Time: set automatically",
        System::Windows => "Settings > Time & language: set time automatically",
    };
    let Some(step) = seen.step_ns else {
        return Check::fail(
            NAME,
            "the monotonic clock does not move: samples cannot be stamped",
            "restart the computer",
        );
    };
    if step > COARSE_STEP_NS {
        let detail = format!(
            "the monotonic clock moves in steps of {:.1} ms: left and right are compared less well",
            step as f64 / 1e6
        );
        return Check::warn(NAME, detail, "in a virtual machine, let it use the host's clock source");
    }
    if seen.unix_s < NEVER_SET_BEFORE_S {
        return Check::fail(NAME, "the date is wrong: sessions would be kept under it", set);
    }
    let steps = format!("monotonic in steps of {step} ns");
    match seen.set_by_network {
        Some(true) => Check::ok(NAME, format!("set by the network, {steps}")),
        None => Check::ok(NAME, format!("{steps}; who sets the date cannot be read here")),
        Some(false) => Check::warn(
            NAME,
            format!("{steps}, but the date is not set by the network: sessions may stand under a wrong time"),
            set,
        ),
    }
}

fn folder(dir: &Path, seen: &FolderSeen, sensors: usize) -> Vec<Check> {
    let shown = dir.display();
    let mut checks = Vec::new();
    checks.push(match (&seen.writable, seen.there) {
        (Err(words), _) => Check::fail(
            "folder",
            format!("nothing can be written to {shown} ({words})"),
            "make it yours, or name another one with --data-dir DIR",
        ),
        (Ok(()), false) => Check::ok("folder", format!("{shown} will be made with the first session")),
        (Ok(()), true) => match seen.mode {
            Some(mode) if mode & 0o077 != 0 => Check::warn(
                "folder",
                format!(
                    "others on this computer can look into {shown} (mode {:03o})",
                    mode & 0o777
                ),
                format!("chmod 700 '{shown}'"),
            ),
            _ => Check::ok("folder", format!("{shown} can be written to")),
        },
    });
    let hour = BYTES_PER_SENSOR_HOUR * u64::try_from(sensors.max(1)).unwrap_or(u64::MAX);
    let need = format!("an hour with {sensors} sensors takes at most {}", bytes(hour));
    checks.push(match seen.free {
        None => Check::ok("disk", format!("free space cannot be read here; {need}")),
        Some(free) => {
            let found = format!("{} free; {need}", bytes(free));
            let mend = "free some space, or keep sessions on another disk: --data-dir DIR";
            if free < hour {
                Check::fail("disk", found, mend)
            } else if free < COMFORTABLE_HOURS * hour {
                Check::warn("disk", found, mend)
            } else {
                Check::ok("disk", found)
            }
        }
    });
    checks
}

/// What raw samples take, and how long they stay.
fn raw(seen: &RecordSeen, policy: &Policy) -> Check {
    let whose = match policy.by {
        By::Default => " (retention.raw_days is not set)",
        By::Owner => "",
    };
    Check::ok(
        "raw",
        format!(
            "{} of raw samples, {} recordings; they {}{whose}, pinned and flagged ones for ever",
            bytes(seen.raw_bytes),
            seen.raw_recordings,
            policy.sentence()
        ),
    )
}

fn record(dir: &Path, seen: &Result<RecordSeen, StoreError>) -> Check {
    const NAME: &str = "record";
    let shown = dir.display();
    match seen {
        Ok(seen) => {
            let recovered = match seen.recovered {
                0 => String::new(),
                n => format!(", {n} of them ended by force and recovered"),
            };
            Check::ok(
                NAME,
                format!(
                    "{}, {} sessions, all readable{recovered}",
                    bytes(seen.bytes),
                    seen.sessions
                ),
            )
        }
        Err(StoreError::Missing { .. }) => Check::ok(NAME, "no sessions yet"),
        Err(e @ StoreError::TooNew { .. }) => Check::fail(NAME, e.to_string(), "use the newer lope that wrote it"),
        Err(e @ StoreError::Busy { .. }) => Check::warn(NAME, e.to_string(), "look again when that lope is done"),
        Err(e @ StoreError::Corrupt { .. }) => Check::fail(
            NAME,
            e.to_string(),
            format!("move '{shown}' away and bring a copy back; keep what you moved"),
        ),
        Err(e) => Check::fail(
            NAME,
            e.to_string(),
            "make the folder readable, or use another one with --data-dir DIR",
        ),
    }
}

/// A number of bytes as people say it.
#[must_use]
pub fn bytes(n: u64) -> String {
    match n {
        0..10_000 => format!("{n} bytes"),
        10_000..1_000_000 => format!("{} kB", n / 1_000),
        1_000_000..10_000_000_000 => format!("{} MB", n / 1_000_000),
        _ => format!("{} GB", n / 1_000_000_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD_CLOCK: ClockSeen = ClockSeen {
        set_by_network: Some(true),
        unix_s: 1_800_000_000,
        step_ns: Some(40),
    };

    fn good_folder() -> FolderSeen {
        FolderSeen {
            there: true,
            writable: Ok(()),
            free: Some(100_000_000_000),
            mode: Some(0o700),
        }
    }

    fn verdicts(checks: &[Check]) -> Vec<(&'static str, Verdict)> {
        checks.iter().map(|c| (c.name, c.verdict)).collect()
    }

    #[test]
    fn a_radio_is_seen_as_far_as_it_lets_us() {
        use Verdict::{Fail, Ok as Fine};
        let see = |state| verdicts(&radio(&RadioChoice::Ble, &RadioSeen::Said(state), System::Xdg));
        assert_eq!(
            see(RadioState::Ready("hci0".to_owned())),
            [("bluetooth", Fine), ("permission", Fine), ("adapter", Fine)]
        );
        assert_eq!(see(RadioState::NoService("x".to_owned())), [("bluetooth", Fail)]);
        assert_eq!(
            see(RadioState::NoPermission("x".to_owned())),
            [("bluetooth", Fine), ("permission", Fail)]
        );
        for state in [RadioState::NoAdapter, RadioState::Off] {
            assert_eq!(
                see(state),
                [("bluetooth", Fine), ("permission", Fine), ("adapter", Fail)]
            );
        }
        assert_eq!(
            verdicts(&radio(&RadioChoice::Ble, &RadioSeen::Silent, System::Xdg)),
            [("bluetooth", Fail)]
        );
        let lacking = radio(
            &RadioChoice::Ble,
            &RadioSeen::Lacking("build it".to_owned()),
            System::Xdg,
        );
        assert_eq!(verdicts(&lacking), [("bluetooth", Verdict::Warn)]);
        let wire = RadioChoice::parse("wire:localhost:4000").expect("good");
        let see = |state| verdicts(&radio(&wire, &RadioSeen::Said(state), System::Xdg));
        assert_eq!(see(RadioState::Ready("pods".to_owned())), [("link", Fine)]);
        assert_eq!(see(RadioState::NoService("refused".to_owned())), [("link", Fail)]);
    }

    #[test]
    fn clocks_that_cannot_stamp_or_date_are_told() {
        let see = |seen: ClockSeen| clock(&seen, System::Xdg).verdict;
        assert_eq!(see(GOOD_CLOCK), Verdict::Ok);
        assert_eq!(
            see(ClockSeen {
                set_by_network: None,
                ..GOOD_CLOCK
            }),
            Verdict::Ok
        );
        assert_eq!(
            see(ClockSeen {
                set_by_network: Some(false),
                ..GOOD_CLOCK
            }),
            Verdict::Warn
        );
        assert_eq!(
            see(ClockSeen {
                step_ns: Some(15_600_000),
                ..GOOD_CLOCK
            }),
            Verdict::Warn
        );
        assert_eq!(
            see(ClockSeen {
                step_ns: None,
                ..GOOD_CLOCK
            }),
            Verdict::Fail
        );
        assert_eq!(
            see(ClockSeen {
                unix_s: 86_400,
                ..GOOD_CLOCK
            }),
            Verdict::Fail
        );
    }

    #[test]
    fn a_folder_is_judged_by_whom_it_lets_in_and_what_still_fits() {
        let dir = Path::new("/runs");
        let see = |seen: FolderSeen| {
            let checks = folder(dir, &seen, 3);
            (checks[0].verdict, checks[1].verdict)
        };
        use Verdict::{Fail, Ok as Fine, Warn};
        assert_eq!(see(good_folder()), (Fine, Fine));
        assert_eq!(
            see(FolderSeen {
                there: false,
                mode: None,
                ..good_folder()
            }),
            (Fine, Fine)
        );
        assert_eq!(
            see(FolderSeen {
                mode: Some(0o40_755),
                ..good_folder()
            }),
            (Warn, Fine)
        );
        let refused = Err("read-only".to_owned());
        assert_eq!(
            see(FolderSeen {
                writable: refused,
                ..good_folder()
            }),
            (Fail, Fine)
        );
        let hour = 3 * BYTES_PER_SENSOR_HOUR;
        assert_eq!(
            see(FolderSeen {
                free: Some(hour - 1),
                ..good_folder()
            }),
            (Fine, Fail)
        );
        assert_eq!(
            see(FolderSeen {
                free: Some(2 * hour),
                ..good_folder()
            }),
            (Fine, Warn)
        );
        assert_eq!(
            see(FolderSeen {
                free: None,
                ..good_folder()
            }),
            (Fine, Fine)
        );
        assert!(
            folder(dir, &good_folder(), 3)[1]
                .detail
                .contains("3 sensors takes at most 71 MB")
        );
    }

    #[test]
    fn a_record_is_judged_by_what_the_store_says() {
        let see = |seen: Result<RecordSeen, StoreError>| record(Path::new("/runs"), &seen).verdict;
        assert_eq!(see(Ok(RecordSeen::default())), Verdict::Ok);
        let seen = RecordSeen {
            raw_bytes: 2_500_000_000,
            raw_recordings: 7,
            ..RecordSeen::default()
        };
        let policy = Policy {
            days: Some(90.0),
            gigabytes: None,
            by: By::Default,
        };
        let said = raw(&seen, &policy).detail;
        assert!(said.contains("7 recordings") && said.contains("stay 90 days"), "{said}");
        assert_eq!(see(Err(StoreError::Missing { what: "x".to_owned() })), Verdict::Ok);
        assert_eq!(see(Err(StoreError::Busy { holder: None })), Verdict::Warn);
        assert_eq!(see(Err(StoreError::TooNew { found: 9, known: 1 })), Verdict::Fail);
        assert_eq!(see(Err(StoreError::Corrupt { detail: "x".to_owned() })), Verdict::Fail);
        assert_eq!(
            see(Err(StoreError::Io {
                path: "/runs".into(),
                detail: "x".to_owned()
            })),
            Verdict::Fail
        );
    }

    #[test]
    fn whatever_is_not_well_says_what_mends_it() {
        let all = [
            radio(
                &RadioChoice::Ble,
                &RadioSeen::Said(RadioState::NoAdapter),
                System::Windows,
            ),
            radio(
                &RadioChoice::Ble,
                &RadioSeen::Said(RadioState::NoPermission(String::new())),
                System::MacOs,
            ),
            radio(&RadioChoice::Ble, &RadioSeen::Silent, System::Windows),
            vec![clock(
                &ClockSeen {
                    step_ns: None,
                    ..GOOD_CLOCK
                },
                System::Xdg,
            )],
            folder(
                Path::new("/r"),
                &FolderSeen {
                    free: Some(0),
                    mode: Some(0o777),
                    ..good_folder()
                },
                1,
            ),
        ];
        for check in all.iter().flatten().filter(|c| c.verdict != Verdict::Ok) {
            assert!(check.mend.as_deref().is_some_and(|m| !m.is_empty()), "{check:?}");
        }
    }
}
