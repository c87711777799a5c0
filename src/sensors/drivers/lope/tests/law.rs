//! The law, over hundreds of seeds.

use super::truth::{Plan, at, run, wanted};
use crate::model::units::STANDARD_GRAVITY;
use crate::sensors::driver::Progress;
use crate::sensors::drivers::lope::link::CONTROL_CHAN;
use crate::sensors::said::MissingWhy;
use crate::sensors::simulated::air::AirFaults;
use crate::sensors::simulated::dice::Dice;
use crate::sensors::simulated::pod::{Bond, PodFault, SimPodSetup};
use firmware_protocol::RingStorage;

#[test]
fn without_faults_every_sample_comes_live_and_the_pod_forgets_it_in_the_end() {
    let outcome = run(Plan::default());
    let (came, lost) = outcome.obeys_the_law("faultless");
    assert_eq!((outcome.progress, lost), (Progress::Done, 0), "{:?}", outcome.notes());
    assert!(came > 3900, "{came} samples in 20 s at 208 Hz");
    assert_eq!(came, outcome.taken.len());
    assert!(outcome.ended < at(25.0));
}

#[test]
fn what_the_air_loses_is_fetched() {
    let mut most = 0;
    for seed in 0..100 {
        let air = AirFaults {
            seed,
            loss: 0.1,
            ..AirFaults::default()
        };
        let outcome = run(Plan { air, ..Plan::default() });
        let (came, lost) = outcome.obeys_the_law(&format!("loss, seed {seed}"));
        assert_eq!(outcome.progress, Progress::Done, "seed {seed}: {:?}", outcome.notes());
        assert_eq!(outcome.lost_by(MissingWhy::GivenUp), 0, "seed {seed}");
        assert_eq!(lost, 0, "seed {seed}");
        most = most.max(came);
    }
    assert!(most > 3900);
}

/// A random life of a pod and its air.
fn hard_life(seed: u64) -> (Plan, bool) {
    let mut dice = Dice::new(seed ^ 0xA5A5);
    let mut faults = Vec::new();
    let mut reboots = false;
    for _ in 0..dice.below(5) {
        let when = at(dice.between(2.0, 28.0));
        faults.push((
            when,
            match dice.below(6) {
                0 => {
                    reboots = true;
                    PodFault::Reboot {
                        off_ms: dice.between(100.0, 4000.0) as u32,
                    }
                }
                1 => PodFault::Overrun {
                    samples: 1 + dice.below(300) as u32,
                },
                2 => PodFault::SlowDown {
                    rate_mhz: if dice.happens(0.5) { 104_000 } else { 52_000 },
                },
                3 => PodFault::Silent {
                    ms: dice.between(100.0, 6000.0) as u32,
                },
                4 => PodFault::BatteryLow { percent: 8 },
                _ => PodFault::Overrun { samples: 1 },
            },
        ));
    }
    let pod = SimPodSetup {
        uid: 1 + seed,
        drift_ppm: dice.between(-100.0, 100.0),
        sensor_slow: dice.between(-0.02, 0.02),
        storage: if dice.happens(0.5) {
            RingStorage::Kept
        } else {
            RingStorage::LostAtReboot
        },
        bond: if dice.happens(0.2) { Bond::Made } else { Bond::NotNeeded },
        faults,
        ..SimPodSetup::default()
    };
    let long = dice.between(0.02, 0.15);
    // Notifications may be lost as they like; of replies only so many that a conversation gets anywhere, because each costs
    // a link.
    let only_frames = dice.happens(0.7);
    let air = AirFaults {
        seed,
        loss: dice.between(0.0, if only_frames { 0.25 } else { 0.05 }),
        spared: if only_frames { vec![CONTROL_CHAN] } else { vec![] },
        duplicate: dice.between(0.0, 0.05),
        truncate: dice.between(0.0, 0.01),
        delay_s: (0.005, long),
        out_of_range: vec![(dice.between(3.0, 20.0), dice.between(0.5, 12.0))],
        breaks_every_s: dice.happens(0.5).then(|| dice.between(5.0, 20.0)),
        ..AirFaults::default()
    };
    let mut wanted = wanted();
    if dice.happens(0.2) {
        // Beyond the six axes: the high-range accelerometer beside them.
        wanted.acc_range = 200.0 * STANDARD_GRAVITY;
    }
    let plan = Plan {
        pod,
        air,
        ring: 60 * 960,
        wanted,
        stop_s: 30.0,
        patience_s: 600.0,
        ..Plan::default()
    };
    (plan, reboots)
}

#[test]
fn for_every_seed_what_the_pod_has_comes_and_everything_else_is_named() {
    let (mut came, mut gone) = (0, 0);
    let mut broken = Vec::new();
    for seed in 0..300 {
        // All seeds are looked at before any is complained of: what they have in common says what is wrong.
        match std::panic::catch_unwind(|| one_life(seed)) {
            Ok((received, lost)) => (came, gone) = (came + received, gone + lost),
            Err(_) => broken.push(seed),
        }
    }
    assert!(
        broken.is_empty(),
        "{} seeds of 300 break the law: {broken:?}",
        broken.len()
    );
    // That the test can fail: much came, and something was lost where pods forgot it.
    assert!(came > 1_000_000 && gone > 1000, "{came} came, {gone} lost");
}

fn one_life(seed: u64) -> (usize, usize) {
    let name = format!("seed {seed}");
    let (plan, reboots) = hard_life(seed);
    let kept = plan.pod.storage == RingStorage::Kept;
    let outcome = run(plan);
    assert_eq!(outcome.progress, Progress::Done, "{name}: {:?}", outcome.notes());
    let (received, lost) = outcome.obeys_the_law(&name);
    assert_eq!(
        outcome.lost_by(MissingWhy::Overwritten),
        0,
        "{name}: the ring holds a minute"
    );
    assert_eq!(outcome.lost_by(MissingWhy::GivenUp), 0, "{name}: the pod answers");
    if !reboots || kept {
        assert_eq!(lost, 0, "{name}: {}", outcome.around(0));
    }
    if !reboots {
        assert_eq!(outcome.uncounted(), 0, "{name}");
    }
    (received, lost)
}

#[test]
fn what_a_small_ring_has_overwritten_is_named_and_nothing_else() {
    for seed in 0..60 {
        let name = format!("small ring, seed {seed}");
        let ring = 3 * 208;
        let away = 8.0;
        let air = AirFaults {
            seed,
            out_of_range: vec![(5.0, away)],
            ..AirFaults::default()
        };
        let plan = Plan {
            air,
            ring,
            ..Plan::default()
        };
        let outcome = run(plan);
        let (_, lost) = outcome.obeys_the_law(&name);
        let named = outcome.lost_by(MissingWhy::Overwritten);
        assert_eq!(lost as u64, named, "{name}: all losses are of that kind");
        // Away 8 s (and up to 4 s of waiting before the next attempt), of which the ring holds 3.
        let seconds = named as f64 / 208.0;
        assert!((4.0..=away + 4.0).contains(&seconds), "{name}: {seconds} s overwritten");
        assert_eq!(outcome.progress, Progress::Done, "{name}");
    }
}
