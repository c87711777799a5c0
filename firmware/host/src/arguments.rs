//! The command line.

use std::path::PathBuf;

use clap::Parser;
use lope::model::Placement;

use crate::clock::{Origin, mix};
use crate::runner::Wearer;

/// The reference firmware of a lope pod on a virtual Bluetooth controller, worn by a simulated runner.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Arguments {
    /// The virtual controller: HCI in H4 framing over TCP
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) hci: String,
    /// Where the runner wears it: left_foot, right_foot, left_shank, right_shank, sacrum
    #[arg(long, default_value = "left_foot")]
    placement: String,
    /// Its name on the air, at most 22 bytes [default: lope-pod-<4 hex digits>]
    #[arg(long)]
    name: Option<String>,
    /// Who runs, and everything else random: pods with the same seed are worn by the same runner
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How fast the pod's clock is, parts per million
    #[arg(long, default_value_t = 0.0, allow_negative_numbers = true)]
    pub(crate) drift_ppm: f64,
    /// Speed of the run, m/s (2.0 to 6.5)
    #[arg(long, default_value_t = 3.0)]
    speed: f64,
    /// Seconds of standing before the run
    #[arg(long, default_value_t = 6.0)]
    stand_s: f64,
    /// Seconds of running; then the runner stops and stands
    #[arg(long, default_value_t = 1800.0)]
    run_s: f64,
    /// When the run begins: nanoseconds of this machine's monotonic clock
    #[arg(long, value_name = "NS", conflicts_with = "origin_file")]
    origin_ns: Option<u64>,
    /// A file that tells when the run begins; the first pod whose session starts makes it, the others read it
    #[arg(long, value_name = "FILE")]
    origin_file: Option<PathBuf>,
    /// Seconds of samples the ring holds at the fastest rate
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(10..=600))]
    pub(crate) ring_s: u32,
    /// Name of this run of its clock; drawn when not given
    #[arg(long)]
    pub(crate) boot_id: Option<u32>,
    /// Write here, as JSON, how many samples each session had and their checksum
    #[arg(long, value_name = "FILE")]
    pub(crate) truth: Option<PathBuf>,
    /// Write every sample here, one file per session (FILE.1, FILE.2, …): u32 index, u64 µs, 6 × i16, little-endian
    #[arg(long, value_name = "FILE")]
    pub(crate) samples: Option<PathBuf>,
    /// End after so many seconds
    #[arg(long)]
    pub(crate) seconds: Option<f64>,
}

impl Arguments {
    /// The name on the air.
    pub(crate) fn name(&self) -> String {
        let own = || format!("lope-pod-{:04x}", self.pod_uid() & 0xFFFF);
        self.name.clone().unwrap_or_else(own)
    }

    /// Where it is worn.
    pub(crate) fn placement(&self) -> Result<Placement, String> {
        let of_name = |place: &Placement| place.name() == self.placement;
        let found = Placement::ALL.into_iter().find(of_name);
        found.ok_or_else(|| format!("no such place: {}", self.placement))
    }

    /// The same pod for the same runner, place and name.
    pub(crate) fn pod_uid(&self) -> u64 {
        let names = self
            .placement
            .bytes()
            .chain(self.name.iter().flat_map(|name| name.bytes()));
        let uid = names.fold(mix(self.seed), |sum, byte| mix(sum ^ u64::from(byte)));
        uid.max(1)
    }

    /// Six bytes of the number of the pod.
    pub(crate) fn address(&self) -> [u8; 6] {
        let [_, _, address @ ..] = mix(self.pod_uid()).to_be_bytes();
        address
    }

    /// What the pod's clock shows when it boots: no two pods agree.
    pub(crate) fn clock_starts_at_us(&self) -> u64 {
        1_000_000 + mix(self.pod_uid() ^ 1) % 90_000_000
    }

    /// The runner and the place.
    pub(crate) fn wearer(&self, placement: Placement) -> Result<Wearer, String> {
        let origin = match (self.origin_ns, &self.origin_file) {
            (Some(ns), _) => Origin::At(ns),
            (None, Some(file)) => Origin::InFile(file.clone()),
            (None, None) => Origin::AtFirstStart,
        };
        let sane = |name: &str, value: f64, low: f64, high: f64| match value {
            value if (low..=high).contains(&value) => Ok(value),
            value => Err(format!("{name} must be {low} to {high}, not {value}")),
        };
        Ok(Wearer {
            placement,
            seed: self.seed,
            speed_m_s: sane("--speed", self.speed, 2.0, 6.5)?,
            stand_s: sane("--stand-s", self.stand_s, 0.0, 600.0)?,
            run_s: sane("--run-s", self.run_s, 1.0, 36_000.0)?,
            origin,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Arguments {
        Arguments::parse_from(line.split(' '))
    }

    #[test]
    fn pods_of_one_runner_differ_and_stay_the_same() {
        let left = parse("lope-pod --hci x:1 --placement left_foot --seed 5");
        let right = parse("lope-pod --hci x:1 --placement right_foot --seed 5");
        assert_ne!(left.pod_uid(), right.pod_uid());
        assert_ne!(left.address(), right.address());
        let again = parse("lope-pod --hci y:2 --placement left_foot --seed 5 --drift-ppm -20");
        assert_eq!(left.pod_uid(), again.pod_uid());
        assert_eq!(again.drift_ppm, -20.0);
    }

    #[test]
    fn a_place_that_is_none_is_named() {
        let pod = parse("lope-pod --hci x:1 --placement nose");
        assert_eq!(pod.placement(), Err("no such place: nose".into()));
        let fast = parse("lope-pod --hci x:1 --speed 40");
        assert!(fast.wearer(Placement::Sacrum).is_err());
    }
}
