//! The control point: requests, replies and events (SPEC.md section 5).
//!
//! The host writes one request at a time; the pod indicates a reply with the same transaction number, and events of its
//! own accord. Requests have exact lengths because a pod that ignored bytes it does not know would change their meaning;
//! replies and events may be longer than known because a host that ignores bytes loses nothing.

mod event;
mod reply;
mod request;
mod status;

pub use event::{Event, EventBody, FaultCode, RangeDone, RangeOutcome};
pub use reply::{
    Answer, Body, HelloReply, PodState, Reply, Rows, Security, SessionStream, SessionView, StartedSession,
    StartedStream, StreamStatus,
};
pub use request::{Op, RangeSpan, Request, RequestBody, StartOrder, Wish};
pub use status::{EndReason, Status};

use crate::Refusal;

/// Room for every control message at the largest ATT MTU that matters: no reply is longer than a frame.
pub const LONGEST_CONTROL: usize = crate::LONGEST_FRAME;

/// What a pod indicates on Control.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Indication<'a> {
    /// The answer to a request.
    Reply(Reply<'a>),
    /// Something the pod says by itself.
    Event(Event),
}

impl<'a> Indication<'a> {
    /// Reads one indication; the first bit tells replies from events.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Refusal> {
        match bytes.first() {
            Some(op) if op & 0x80 != 0 => Reply::decode(bytes).map(Indication::Reply),
            _ => Event::decode(bytes).map(Indication::Event),
        }
    }
}
