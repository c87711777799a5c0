//! The sensor of a pod on a simulated runner.
//!
//! A thread computes samples ahead of time; here they become due by the clock. So the sensor's queue, its watermark and its
//! overruns are those of a chip, whatever the load on this machine: a sample is taken when its time has come, and one that
//! nobody fetched before the queue was full is lost, and told.

use std::collections::VecDeque;

use embassy_time::{Duration, Timer};
use firmware_protocol::ImuEntry;
use lope::model::Placement;
use lope::synth::{ClockErrors, Faults, Mounting, Ranges, RawSample, Script, SimConfig, Simulation};
use pod_firmware::{Batch, Imu, ImuFault, MOST_IN_BATCH, Sample, SamplingMode};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::clock::{Origin, PodClock, machine_ns};

/// Samples a sensor's own queue holds: 3 kB of compressed FIFO, as common chips have.
const QUEUE: usize = 512;
/// A full frame wakes the processor.
const WATERMARK: usize = 19;
/// Samples computed ahead: more than the queue holds, or it could never run over.
const AHEAD: usize = 2 * QUEUE;
const NS_PER_S: f64 = 1e9;
/// The runner stands long after the run, so that a pod never falls silent.
const AFTER_S: f64 = 36_000.0;
const STOPPING_S: f64 = 6.0;
/// What a driver tells when its runner cannot be agreed on.
const NO_ORIGIN: u16 = 1;
/// What it tells when the runner is at the end.
const NO_RUNNER: u16 = 2;

/// Who wears the sensor, where, and what they do.
#[derive(Clone, Debug)]
pub(crate) struct Wearer {
    pub(crate) placement: Placement,
    pub(crate) seed: u64,
    pub(crate) speed_m_s: f64,
    pub(crate) stand_s: f64,
    pub(crate) run_s: f64,
    pub(crate) origin: Origin,
}

impl Wearer {
    fn simulation(&self, mode: SamplingMode) -> Simulation {
        let acc_g = [f64::from(mode.acc_range_g); 3];
        let gyro_dps = [f64::from(mode.gyr_range_dps); 3];
        Simulation::new(SimConfig {
            seed: self.seed,
            rate_hz: f64::from(mode.rate_mhz) / 1000.0,
            placements: vec![self.placement],
            script: Script::new()
                .stand(self.stand_s)
                .run(self.run_s, self.speed_m_s)
                .stop(STOPPING_S)
                .stand(AFTER_S),
            faults: Faults {
                // The sensor's oscillator is the pod's own here; that one drifts as the command line says.
                clock: ClockErrors {
                    ppm: 0.0,
                    ..Faults::typical().clock
                },
                ..Faults::typical()
            },
            mounting: Mounting::Drawn,
            ranges: Ranges { acc_g, gyro_dps },
            ..SimConfig::default()
        })
    }
}

/// A sample and the moment it is complete, on the machine's clock.
#[derive(Clone, Copy, Debug)]
struct Due {
    at_ns: u64,
    entry: ImuEntry,
}

fn due(origin_ns: u64, raw: &RawSample) -> Due {
    // A converter's lowest count has no positive twin; the protocol never carries it.
    let symmetric = |counts: [i16; 3]| counts.map(|count| count.max(-i16::MAX));
    Due {
        at_ns: origin_ns + (raw.t.secs() * NS_PER_S).round() as u64,
        entry: ImuEntry {
            acc: symmetric(raw.acc),
            gyr: symmetric(raw.gyro),
        },
    }
}

/// Computes what becomes due after `from_ns`, as far ahead as there is room, until nobody takes it any more.
fn compute(simulation: &Simulation, placement: Placement, origin_ns: u64, from_ns: u64, to: &Sender<Due>) {
    for raw in simulation.samples(placement) {
        let due = due(origin_ns, &raw);
        if due.at_ns >= from_ns && to.blocking_send(due).is_err() {
            return;
        }
    }
}

/// The sensor's queue as it fills with time.
#[derive(Debug)]
struct Queue {
    ahead: Receiver<Due>,
    /// Computed; the front ones may be due.
    known: VecDeque<Due>,
    /// Lost to overruns before the first known one.
    lost: u32,
}

impl Queue {
    /// Takes over what was computed until the last known one is not yet due, or nothing more is there.
    fn look_ahead(&mut self, now_ns: u64) {
        while self.known.back().is_none_or(|due| due.at_ns <= now_ns) {
            let Ok(due) = self.ahead.try_recv() else { return };
            self.known.push_back(due);
        }
    }

    fn due_by(&self, now_ns: u64) -> usize {
        self.known.partition_point(|due| due.at_ns <= now_ns)
    }

    /// What the queue holds now goes into the batch, as much as fits.
    fn empty_into(&mut self, batch: &mut Batch, clock: &PodClock) {
        let now_ns = machine_ns();
        self.look_ahead(now_ns);
        let due = self.due_by(now_ns);
        let lost = due.saturating_sub(QUEUE);
        self.known.drain(..lost);
        // At most some thousand, as many as were computed ahead.
        self.lost += u32::try_from(lost).unwrap_or(u32::MAX);
        batch.lost_before = std::mem::take(&mut self.lost);
        for due in self.known.drain(..(due - lost).min(MOST_IN_BATCH)) {
            let sample = Sample {
                time: clock.at(due.at_ns),
                entry: due.entry,
            };
            // No more than fit were taken.
            let _ = batch.samples.push(sample);
        }
    }
}

/// A sensor on the runner.
pub(crate) struct SimulatedImu {
    wearer: Wearer,
    clock: PodClock,
    queue: Option<Queue>,
}

impl SimulatedImu {
    pub(crate) fn new(wearer: Wearer, clock: PodClock) -> Self {
        SimulatedImu {
            wearer,
            clock,
            queue: None,
        }
    }
}

impl Imu for SimulatedImu {
    async fn start(&mut self, mode: SamplingMode) -> Result<(), ImuFault> {
        let origin_ns = self
            .wearer
            .origin
            .settle()
            .map_err(|_| ImuFault { detail: NO_ORIGIN })?;
        let (to, ahead) = channel(AHEAD);
        let (simulation, placement) = (self.wearer.simulation(mode), self.wearer.placement);
        let from_ns = machine_ns();
        // It ends when the queue below is dropped.
        std::thread::spawn(move || compute(&simulation, placement, origin_ns, from_ns, &to));
        self.queue = Some(Queue {
            ahead,
            known: VecDeque::new(),
            lost: 0,
        });
        Ok(())
    }

    async fn stop(&mut self) {
        self.queue = None;
    }

    async fn next_batch(&mut self, batch: &mut Batch) -> Result<(), ImuFault> {
        let clock = self.clock;
        let Some(queue) = &mut self.queue else {
            return Err(ImuFault { detail: NO_RUNNER });
        };
        while queue.known.len() < WATERMARK {
            let Some(due) = queue.ahead.recv().await else {
                return Err(ImuFault { detail: NO_RUNNER });
            };
            queue.known.push_back(due);
        }
        let last = queue.known.get(WATERMARK - 1).map_or(0, |due| due.at_ns);
        let wait_ns = last.saturating_sub(machine_ns());
        if wait_ns > 0 {
            // Rounded up: a moment too early the newest sample is not complete.
            Timer::after(Duration::from_micros(wait_ns.div_ceil(1000))).await;
        }
        queue.empty_into(batch, &clock);
        Ok(())
    }

    async fn drain(&mut self, batch: &mut Batch) -> Result<(), ImuFault> {
        if let Some(queue) = &mut self.queue {
            queue.empty_into(batch, &self.clock);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wearer(placement: Placement) -> Wearer {
        Wearer {
            placement,
            seed: 3,
            speed_m_s: 3.0,
            stand_s: 2.0,
            run_s: 20.0,
            origin: Origin::At(0),
        }
    }

    const MODE: SamplingMode = SamplingMode {
        rate_mhz: 208_000,
        acc_range_g: 16,
        gyr_range_dps: 2000,
    };

    #[test]
    fn a_standing_foot_feels_one_g_in_counts_of_the_chosen_range() {
        for acc_range_g in [16, 32] {
            let simulation = wearer(Placement::LeftFoot).simulation(SamplingMode { acc_range_g, ..MODE });
            let raw = simulation.samples(Placement::LeftFoot).nth(100).expect("half a second");
            let counts = raw.acc.map(f64::from).map(|a| a * a).iter().sum::<f64>().sqrt();
            let g = counts * f64::from(acc_range_g) / 32768.0;
            assert!((g - 1.0).abs() < 0.05, "{g} g at ±{acc_range_g} g");
        }
    }

    #[test]
    fn both_feet_run_at_the_same_time() {
        let loudest = |placement| {
            let simulation = wearer(placement).simulation(MODE);
            let raw = simulation
                .samples(placement)
                .skip(208 * 6)
                .take(208)
                .map(|raw| due(0, &raw));
            let count = |due: &Due| due.entry.acc.map(f64::from).map(|a| a * a).iter().sum::<f64>();
            raw.max_by(|a, b| count(a).total_cmp(&count(b)))
                .expect("a second")
                .at_ns
        };
        let apart_s = (loudest(Placement::LeftFoot) as f64 - loudest(Placement::RightFoot) as f64).abs() / NS_PER_S;
        assert!(apart_s > 0.1, "feet land in turn, not together: {apart_s} s");
    }

    #[test]
    fn a_queue_that_nobody_empties_loses_the_oldest_and_says_how_many() {
        let (to, ahead) = channel(8);
        drop(to);
        let entry = ImuEntry {
            acc: [0; 3],
            gyr: [0; 3],
        };
        let known = (0..QUEUE as u64 + 7).map(|at_ns| Due { at_ns, entry }).collect();
        let mut queue = Queue { ahead, known, lost: 0 };
        let mut batch = Batch::default();
        let clock = PodClock::new(0.0, 1_000_000);
        queue.empty_into(&mut batch, &clock);
        assert_eq!((batch.lost_before, batch.samples.len()), (7, MOST_IN_BATCH));
        let mut taken = 0;
        while !batch.samples.is_empty() {
            taken += batch.samples.len();
            batch.clear();
            queue.empty_into(&mut batch, &clock);
        }
        assert_eq!(taken, QUEUE);
    }
}
