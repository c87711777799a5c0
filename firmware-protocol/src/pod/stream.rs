//! One stream of a pod: what it can do, what was chosen, which configurations its retained samples need.

use super::ring::{Ring, Slot};
use crate::config::{acc_scale_of_range, gyr_scale_of_range};
use crate::{CfgId, Configuration, Continuity, Kind, PodTime, SessionStream, StreamId, Wish};

/// Most configurations kept of one stream.
pub(super) const MOST_CONFIGS: usize = 8;
/// A 16-bit sensor clips at its largest count; −32768 never comes, because negating it gives 32767.
const CLIP_COUNT: u16 = i16::MAX as u16;
const PS_PER_MS: u64 = 1_000_000_000;

/// What a stream can do, and the memory for its samples.
#[derive(Debug)]
pub struct StreamSetup<'b> {
    /// Kind of its frames.
    pub kind: Kind,
    /// Rates it can be set to, ascending, at least one; 1/1000 Hz. The first is chosen at boot.
    pub rates_mhz: &'b [u32],
    /// Ranges of its accelerometer, ascending; ± g.
    pub acc_ranges_g: &'b [u16],
    /// Ranges of its gyroscope, ascending; empty if it has none; ± °/s.
    pub gyr_ranges_dps: &'b [u16],
    /// Whether a session has it if the host does not say.
    pub enabled_at_boot: bool,
    /// Room for its samples.
    pub slots: &'b mut [Slot],
}

/// What was chosen for a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) enabled: bool,
    pub(super) rate_mhz: u32,
    acc_range_g: u16,
    gyr_range_dps: u16,
}

/// A configuration of the session and the moment it came into force.
#[derive(Clone, Copy, Debug)]
pub(super) struct OpenConfig {
    pub(super) record: Configuration,
    pub(super) cfg_id: CfgId,
    pub(super) first_index: u32,
    pub(super) since: PodTime,
}

/// The smallest choice that is enough, else the largest there is (SPEC.md section 6.3); 0 if there is no choice.
fn nearest<T: Copy + Ord + Default>(choices: &[T], wanted: T) -> T {
    let enough = choices.iter().copied().filter(|choice| *choice >= wanted).min();
    enough.or_else(|| choices.iter().copied().max()).unwrap_or_default()
}

#[derive(Debug)]
pub(super) struct PodStream<'b> {
    pub(super) id: StreamId,
    pub(super) kind: Kind,
    pub(super) rates_mhz: &'b [u32],
    pub(super) acc_ranges_g: &'b [u16],
    pub(super) gyr_ranges_dps: &'b [u16],
    enabled_at_boot: bool,
    pub(super) choice: Choice,
    pub(super) ring: Ring<'b>,
    /// First index that has not been sent live.
    pub(super) unsent: u32,
    pub(super) overruns: u32,
    /// Whether the next sample follows the one before.
    pub(super) continuity: Continuity,
    /// Oldest first; the last one is in force. Empty: not in the session.
    configs: [Option<OpenConfig>; MOST_CONFIGS],
}

impl<'b> PodStream<'b> {
    pub(super) fn new(id: StreamId, setup: StreamSetup<'b>) -> Self {
        let StreamSetup {
            kind,
            rates_mhz,
            acc_ranges_g,
            gyr_ranges_dps,
            enabled_at_boot,
            slots,
        } = setup;
        let choice = Choice {
            enabled: false,
            rate_mhz: 0,
            acc_range_g: 0,
            gyr_range_dps: 0,
        };
        let mut stream = PodStream {
            id,
            kind,
            rates_mhz,
            acc_ranges_g,
            gyr_ranges_dps,
            enabled_at_boot,
            choice,
            ring: Ring::new(slots),
            unsent: 0,
            overruns: 0,
            continuity: Continuity::Follows,
            configs: [None; MOST_CONFIGS],
        };
        stream.choose_as_at_boot();
        stream
    }

    pub(super) fn choose_as_at_boot(&mut self) {
        self.choice = Choice {
            enabled: self.enabled_at_boot,
            rate_mhz: self.rates_mhz.first().copied().unwrap_or_default(),
            acc_range_g: self.acc_ranges_g.first().copied().unwrap_or_default(),
            gyr_range_dps: self.gyr_ranges_dps.first().copied().unwrap_or_default(),
        };
    }

    /// The session and its samples are gone; what was chosen for the next one stays.
    pub(super) fn clear(&mut self) {
        self.ring.clear();
        (self.unsent, self.overruns) = (0, 0);
        self.continuity = Continuity::Follows;
        self.configs = [None; MOST_CONFIGS];
    }

    /// What the pod makes of a wish.
    pub(super) fn choice_for(&self, wish: &Wish) -> Choice {
        Choice {
            enabled: wish.enabled,
            rate_mhz: nearest(self.rates_mhz, wish.rate_mhz),
            acc_range_g: nearest(self.acc_ranges_g, wish.acc_range_g),
            gyr_range_dps: nearest(self.gyr_ranges_dps, wish.gyr_range_dps),
        }
    }

    /// What was chosen, as the configuration of no session.
    pub(super) fn chosen(&self) -> Configuration {
        self.as_configuration(self.choice)
    }

    /// A choice, as the configuration of no session.
    pub(super) fn as_configuration(&self, choice: Choice) -> Configuration {
        let Choice {
            enabled,
            rate_mhz,
            acc_range_g,
            gyr_range_dps,
        } = choice;
        let clip = |range: u16| if range == 0 { 0 } else { CLIP_COUNT };
        Configuration {
            stream: self.id,
            cfg_id: None,
            kind_number: self.kind.get(),
            enabled,
            rate_mhz,
            acc_scale: acc_scale_of_range(acc_range_g),
            gyr_scale: gyr_scale_of_range(gyr_range_dps),
            mag_scale: 0,
            acc_range_g,
            gyr_range_dps,
            acc_delay_us: 0,
            gyr_delay_us: 0,
            acc_clip: clip(acc_range_g),
            gyr_clip: clip(gyr_range_dps),
            first_index: None,
        }
    }

    pub(super) fn configs(&self) -> impl Iterator<Item = &OpenConfig> {
        self.configs.iter().flatten()
    }

    /// The configuration in force; `None` if the stream is not in the session.
    pub(super) fn current(&self) -> Option<&OpenConfig> {
        self.configs().last()
    }

    pub(super) fn config(&self, cfg_id: CfgId) -> Option<&OpenConfig> {
        self.configs().find(|config| config.cfg_id == cfg_id)
    }

    pub(super) fn is_in_session(&self) -> bool {
        self.configs[0].is_some()
    }

    /// Whether another configuration fits, once those without samples are gone.
    pub(super) fn has_room_for_config(&self) -> bool {
        self.configs[MOST_CONFIGS - 1].is_none() || self.oldest_config_is_unused()
    }

    fn oldest_config_is_unused(&self) -> bool {
        self.configs[1].is_some_and(|second| second.first_index <= self.ring.oldest())
    }

    /// What was chosen comes into force with the next sample.
    pub(super) fn open_config(&mut self, cfg_id: CfgId, since: PodTime) -> Configuration {
        if self.configs[MOST_CONFIGS - 1].is_some() {
            self.configs.rotate_left(1);
            self.configs[MOST_CONFIGS - 1] = None;
        }
        let first_index = self.ring.next();
        let record = Configuration {
            cfg_id: Some(cfg_id),
            first_index: Some(first_index),
            ..self.chosen()
        };
        if let Some(free) = self.configs.iter_mut().find(|config| config.is_none()) {
            *free = Some(OpenConfig {
                record,
                cfg_id,
                first_index,
                since,
            });
        }
        record
    }

    /// When the next sample is due if the sensor keeps its nominal rate; `None` if the stream takes none.
    pub(super) fn nominal_time_of_next(&self) -> Option<PodTime> {
        let current = self.current().filter(|current| current.record.rate_mhz > 0)?;
        let rate = u64::from(current.record.rate_mhz);
        let since = u64::from(self.ring.next() - current.first_index);
        // k periods of 10⁹/rate µs, rounded; below 2³² · 10⁹ it fits a u64 with room to spare.
        Some(current.since.plus_us((since * PS_PER_MS + rate / 2) / rate))
    }

    pub(super) fn session_row(&self) -> Option<SessionStream> {
        let current = self.current()?;
        let (oldest, next) = (self.ring.oldest(), self.ring.next());
        Some(SessionStream {
            stream: self.id,
            cfg_id: current.cfg_id,
            oldest,
            next,
        })
    }
}
