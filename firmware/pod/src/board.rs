//! What a board has besides radio and sensor: a clock, a battery, something to be found by.

use firmware_protocol::pod::{Health, Identify};
use firmware_protocol::{ImuEntry, PodTime};

/// The board under the firmware. All calls return at once.
pub trait Board {
    /// The pod's clock: microseconds since boot, monotonic, never set or slewed, running in every state.
    fn now(&self) -> PodTime;

    /// Charge and temperature, as far as known.
    fn health(&self) -> Health {
        Health::default()
    }

    /// Whether the battery can carry a session of a few minutes; if not, START is refused.
    fn has_power_for_a_session(&self) -> bool {
        true
    }

    /// Lights, sound, whatever it has, for so many seconds; 0 ends it.
    fn identify(&self, _wish: Identify) {}

    /// A session began: what [`Board::took`] tells from here on belongs to it.
    fn session_began(&self) {}

    /// A sample was put into the ring under this index. For checks that compare what a host collected with the truth;
    /// firmware on a chip leaves it empty.
    fn took(&self, _index: u32, _time: PodTime, _entry: &ImuEntry) {}

    /// The session is over and the sensor off; its samples are still retained.
    fn session_ended(&self) {}
}
