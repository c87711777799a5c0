//! Clocks: this machine's, the pod's that drifts against it, and the moment the run begins.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use firmware_protocol::PodTime;
use rustix::time::{ClockId, clock_gettime};

const NS_PER_US: u64 = 1000;
const NS_PER_S: u64 = 1_000_000_000;
const PPM: f64 = 1e-6;

/// Nanoseconds of this machine's monotonic clock, which all programs on it share.
pub(crate) fn machine_ns() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    let (seconds, rest) = (u64::try_from(now.tv_sec), u64::try_from(now.tv_nsec));
    // The clock of Linux starts at 0 and never goes back.
    seconds.unwrap_or(0) * NS_PER_S + rest.unwrap_or(0)
}

/// A number that differs from run to run: for names of boots, not for secrets.
pub(crate) fn fresh_number(salt: u64) -> u32 {
    let mixed = mix(machine_ns() ^ salt.rotate_left(32) ^ u64::from(std::process::id()));
    // The upper half is as good as the lower; 0 is not a name.
    ((mixed >> 32) as u32).max(1)
}

/// A bijection of 64 bits without visible pattern (the finaliser of SplitMix64, Steele et al. 2014).
pub(crate) fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A pod's clock: microseconds since its boot, by a crystal that is off by so many parts per million.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PodClock {
    booted_ns: u64,
    starts_at_us: u64,
    drift_ppm: f64,
}

impl PodClock {
    /// A clock that boots now and then shows `starts_at_us`.
    pub(crate) fn new(drift_ppm: f64, starts_at_us: u64) -> Self {
        let booted_ns = machine_ns();
        PodClock {
            booted_ns,
            starts_at_us,
            drift_ppm,
        }
    }

    pub(crate) fn now(&self) -> PodTime {
        self.at(machine_ns())
    }

    /// What it shows at a moment of the machine's clock; before its boot, what it showed then.
    pub(crate) fn at(&self, machine_ns: u64) -> PodTime {
        let since_ns = machine_ns.saturating_sub(self.booted_ns);
        let gained_ns = since_ns as f64 * self.drift_ppm * PPM;
        let shown_ns = since_ns as f64 + gained_ns;
        // A day has 8.64e13 ns: exact in an f64.
        let us = self.starts_at_us + (shown_ns / NS_PER_US as f64) as u64;
        PodTime::from_us(us).unwrap_or(PodTime::LAST)
    }
}

/// When the run begins.
#[derive(Clone, Debug)]
pub(crate) enum Origin {
    /// At this moment of the machine's clock.
    At(u64),
    /// When the first session of this pod starts.
    AtFirstStart,
    /// At the moment in this file; the first pod to start a session writes it.
    InFile(PathBuf),
}

impl Origin {
    /// The moment, from the first call on the same one.
    pub(crate) fn settle(&mut self) -> std::io::Result<u64> {
        let ns = match self {
            Origin::At(ns) => *ns,
            Origin::AtFirstStart => machine_ns(),
            Origin::InFile(file) => agree(file)?,
        };
        *self = Origin::At(ns);
        Ok(ns)
    }
}

/// Writes this moment into the file unless it is there, and reads it. A link appears whole or not at all, so nobody can read
/// half a number.
fn agree(file: &Path) -> std::io::Result<u64> {
    let own = file.with_extension(format!("{}.own", std::process::id()));
    std::fs::File::create(&own)?.write_all(machine_ns().to_string().as_bytes())?;
    let linked = std::fs::hard_link(&own, file);
    std::fs::remove_file(&own)?;
    match linked {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let text = std::fs::read_to_string(file)?;
    text.trim().parse().map_err(std::io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_gains_what_its_crystal_says() {
        let clock = PodClock {
            booted_ns: 5 * NS_PER_S,
            starts_at_us: 1_000_000,
            drift_ppm: 100.0,
        };
        assert_eq!(clock.at(5 * NS_PER_S).as_us(), 1_000_000);
        assert_eq!(clock.at(15 * NS_PER_S).as_us(), 11_001_000);
        assert_eq!(clock.at(0).as_us(), 1_000_000, "before its boot it stands");
    }

    #[test]
    fn pods_agree_on_the_first_moment_that_was_written() {
        let file = std::env::temp_dir().join(format!("lope-pod-origin-{}", std::process::id()));
        let _ = std::fs::remove_file(&file);
        let (mut one, mut two) = (Origin::InFile(file.clone()), Origin::InFile(file.clone()));
        let first = one.settle().expect("a temporary folder");
        assert_eq!(two.settle().expect("it is there"), first);
        assert_eq!(one.settle().expect("settled"), first);
        std::fs::remove_file(&file).expect("it was there");
    }
}
