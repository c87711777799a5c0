//! What waits to be sent, and in which order it may go.
//!
//! The pod of the protocol crate answers and frames at once; a radio takes one packet per connection interval. Between them
//! stand these queues. Two rules of the protocol live here: a reply goes after the frames that were made before it (so no
//! live frame follows the reply to STOP, and the reply to RESUME names the first live index), and what is sent as live is
//! never older than a second.

use firmware_protocol::gatt::Channel;
use firmware_protocol::pod::Outbox;
use firmware_protocol::{LONGEST_CONTROL, LONGEST_FRAME, PONG, PodTime};
use heapless::{Deque, Vec};

/// Live frames that wait for the radio: 16 at 208 Hz are 1.5 s, so age throws them away before the queue is full.
const LIVE_DEPTH: usize = 16;
/// Most frames of one stream that one call of the pod can make live: a flushed one and a gap.
const LIVE_PER_CALL: usize = 2;
/// Events that wait; one more is lost, which the host sees by its number.
const EVENT_DEPTH: usize = 8;
/// A frame is at most 200 ms old when it is made and must not be older than 1 s when it is sent.
const LONGEST_WAIT_US: u64 = 800_000;
/// The bit that tells replies from events.
const REPLY: u8 = 0x80;

/// A frame for Stream.
pub(crate) type FrameBytes = Vec<u8, LONGEST_FRAME>;
/// A reply or an event for Control.
pub(crate) type ControlBytes = Vec<u8, LONGEST_CONTROL>;

#[derive(Debug)]
struct LiveFrame {
    bytes: FrameBytes,
    made: PodTime,
}

#[derive(Debug)]
struct WaitingReply {
    bytes: ControlBytes,
    /// Live frames made before it; it goes when as many are away.
    after: u32,
}

/// The queues of one connection.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    /// The pod's clock at the call that fills the queues.
    pub(crate) now: PodTime,
    live: Deque<LiveFrame, LIVE_DEPTH>,
    live_made: u32,
    live_away: u32,
    live_too_old: u32,
    reply: Option<WaitingReply>,
    events: Deque<ControlBytes, EVENT_DEPTH>,
    pong: Option<Vec<u8, PONG>>,
}

impl Outgoing {
    /// Whether the pod may make live frames; if not, it must skip them.
    pub(crate) fn has_room_for_live(&self) -> bool {
        self.live.capacity() - self.live.len() >= LIVE_PER_CALL
    }

    /// Whether a request is still unanswered.
    pub(crate) fn owes_reply(&self) -> bool {
        self.reply.is_some()
    }

    /// The next live frame. What has waited too long is dropped here: it stays retained, and the host sees the hole.
    pub(crate) fn take_live(&mut self, now: PodTime) -> Option<FrameBytes> {
        while let Some(frame) = self.live.pop_front() {
            if now.us_since(frame.made) <= LONGEST_WAIT_US {
                return Some(frame.bytes);
            }
            self.live_too_old += 1;
            self.live_away = self.live_away.wrapping_add(1);
        }
        None
    }

    /// The frame that was taken last is with the radio.
    pub(crate) fn live_is_away(&mut self) {
        self.live_away = self.live_away.wrapping_add(1);
    }

    /// The reply if it may go, else an event.
    pub(crate) fn take_control(&mut self) -> Option<ControlBytes> {
        match &self.reply {
            Some(reply) if reply.after != self.live_away => None,
            Some(_) => self.reply.take().map(|reply| reply.bytes),
            None => self.events.pop_front(),
        }
    }

    /// Puts an event behind the others.
    pub(crate) fn put_event(&mut self, bytes: ControlBytes) {
        // A full queue loses it: its number is missing then, and the host asks for the state of things.
        let _ = self.events.push_back(bytes);
    }

    /// The answer to the latest PING.
    pub(crate) fn take_pong(&mut self) -> Option<Vec<u8, PONG>> {
        self.pong.take()
    }

    /// The connection is gone, and what waited for it.
    pub(crate) fn clear(&mut self) {
        let now = self.now;
        *self = Outgoing::default();
        self.now = now;
    }
}

impl Outbox for Outgoing {
    fn send(&mut self, channel: Channel, bytes: &[u8]) {
        match channel {
            Channel::Stream => {
                let made = self.now;
                let queued = FrameBytes::from_slice(bytes)
                    .is_ok_and(|bytes| self.live.push_back(LiveFrame { bytes, made }).is_ok());
                // The pod is told beforehand when there is no room; then it makes none.
                debug_assert!(queued, "a live frame without room");
                if queued {
                    self.live_made = self.live_made.wrapping_add(1);
                }
            }
            Channel::Control => {
                let Ok(message) = ControlBytes::from_slice(bytes) else {
                    return;
                };
                if bytes.first().is_some_and(|op| op & REPLY != 0) {
                    let after = self.live_made;
                    self.reply = Some(WaitingReply { bytes: message, after });
                } else {
                    self.put_event(message);
                }
            }
            // Only the latest PING is answered.
            Channel::Time => self.pong = Vec::from_slice(bytes).ok(),
        }
    }
}

/// Catches what one step of backfill sends: a frame, and RANGE_DONE after the last.
#[derive(Debug, Default)]
pub(crate) struct BackfillCatch {
    pub(crate) frame: Option<FrameBytes>,
    pub(crate) done: Option<ControlBytes>,
}

impl Outbox for BackfillCatch {
    fn send(&mut self, channel: Channel, bytes: &[u8]) {
        match channel {
            Channel::Stream => self.frame = FrameBytes::from_slice(bytes).ok(),
            Channel::Control => self.done = ControlBytes::from_slice(bytes).ok(),
            Channel::Time => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(us: u64) -> PodTime {
        PodTime::from_us(us).expect("a small time")
    }

    #[test]
    fn a_reply_goes_after_the_frames_made_before_it() {
        let mut out = Outgoing::default();
        out.send(Channel::Stream, &[1]);
        out.send(Channel::Stream, &[2]);
        out.send(Channel::Control, &[0x87, 1, 0]);
        out.send(Channel::Control, &[0x44, 0]);
        assert!(out.owes_reply());
        assert_eq!(out.take_control(), None, "two frames are before it");
        for _ in 0..2 {
            assert!(out.take_live(at(0)).is_some());
            assert_eq!(out.take_control(), None, "taken is not away");
            out.live_is_away();
        }
        assert_eq!(out.take_control().as_deref(), Some(&[0x87, 1, 0][..]));
        assert!(!out.owes_reply());
        assert_eq!(
            out.take_control().as_deref(),
            Some(&[0x44, 0][..]),
            "events come behind replies"
        );
    }

    #[test]
    fn what_is_too_old_is_not_sent_as_live_and_holds_up_no_reply() {
        let mut out = Outgoing::default();
        out.send(Channel::Stream, &[1]);
        out.now = at(500_000);
        out.send(Channel::Stream, &[2]);
        out.send(Channel::Control, &[0x87, 1, 0]);
        let frame = out.take_live(at(900_000));
        assert_eq!(frame.as_deref(), Some(&[2][..]), "the first waited 900 ms");
        out.live_is_away();
        assert!(out.take_control().is_some());
    }

    #[test]
    fn there_is_room_for_what_one_call_can_make() {
        let mut out = Outgoing::default();
        let mut made = 0;
        while out.has_room_for_live() {
            out.send(Channel::Stream, &[1]);
            made += 1;
        }
        assert_eq!(made, LIVE_DEPTH - LIVE_PER_CALL + 1);
        out.clear();
        assert!(out.has_room_for_live() && out.take_live(at(0)).is_none());
    }

    #[test]
    fn only_the_latest_ping_is_answered() {
        let mut out = Outgoing::default();
        out.send(Channel::Time, &[1]);
        out.send(Channel::Time, &[2]);
        assert_eq!(out.take_pong().as_deref(), Some(&[2][..]));
        assert_eq!(out.take_pong(), None);
    }
}
