//! The law, over hundreds of seeds.

use super::truth::{Plan, at, run};
use crate::sensors::driver::Progress;
use crate::sensors::said::MissingWhy;
use crate::sensors::simulated::air::AirFaults;

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
