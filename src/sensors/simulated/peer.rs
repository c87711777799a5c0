//! The other end of a link, without a radio: what a simulated sensor answers and sends.
//!
//! A peer is a state machine like a driver, on the other side. It knows no faults of the radio: loss, delay and broken
//! links are laid over it by whoever joins the two, so that every sensor meets the same ones.

use crate::model::SessionTime;
use crate::sensors::link::{Advert, Chan, Command, LinkFailure};

/// A simulated sensor.
pub trait Peer: Send {
    /// What it advertises.
    fn advert(&self) -> Advert;

    /// Its characteristics, as discovery finds them.
    fn services(&self) -> Vec<Chan>;

    /// The ATT MTU it agrees to.
    fn mtu(&self) -> u16;

    /// A link to it is there from now on.
    fn connected(&mut self, now: SessionTime);

    /// The link is gone: subscriptions are forgotten, and what the sensor itself forgets.
    fn disconnected(&mut self, now: SessionTime);

    /// Carries out a command; bytes of a read, else nothing. What it sends because of it comes from [`Peer::due`].
    /// [`Command::Close`] never reaches it: it is a [`Peer::disconnected`].
    ///
    /// # Errors
    /// What a sensor or the system would say: no such characteristic, an ATT error, no bond.
    fn on_command(&mut self, command: &Command, now: SessionTime) -> Result<Vec<u8>, LinkFailure>;

    /// Appends what it sends until `now`, in order. `now` never goes back. A peer without a link measures but sends nothing.
    fn due(&mut self, now: SessionTime, out: &mut Vec<(Chan, Vec<u8>)>);

    /// When [`Peer::due`] has something next, if nothing else happens.
    fn wake_at(&self) -> Option<SessionTime>;

    /// Whether it can be heard and connected now: it is on.
    fn is_reachable(&self) -> bool {
        true
    }

    /// Whether it has ended the link by itself since it was connected.
    fn has_hung_up(&self) -> bool {
        false
    }
}

/// What a sensor feels: specific force, m/s², and angular rate, rad/s, on its own axes.
///
/// A closure from session time to both is one.
pub trait Motion: Send {
    /// Specific force and angular rate at an instant; the same instant always gives the same.
    fn at(&self, time: SessionTime) -> ([f64; 3], [f64; 3]);
}

impl<F: Fn(SessionTime) -> ([f64; 3], [f64; 3]) + Send> Motion for F {
    fn at(&self, time: SessionTime) -> ([f64; 3], [f64; 3]) {
        self(time)
    }
}
