//! The lope sensor protocol: what a body-worn inertial sensor (the *pod*) and the program that collects from it (the
//! *host*) say to each other over Bluetooth LE.
//!
//! The normative text is SPEC.md beside this crate; the code follows it section by section and the vectors in
//! `tests/vectors` hold both to it. Nothing here allocates, reads a clock or touches a radio, so the same code runs in
//! firmware and in a host.
//!
//! Map, in reading order:
//!
//! ```text
//!  id        names of things on the air           gatt      UUIDs, ATT errors
//!  entry     one sample of each kind              crc       the two checksums
//!  frame     a notification of Stream             builder   a frame that grows sample by sample
//!  config    what a stream really does            capability  what a pod can do
//!  control   requests, replies, events            calibration what its maker measured
//!  timesync  PING, PONG, four stamps              backfill  what the host has, misses, lost
//!  hold      frames before their configuration
//!  pod       a model pod: states, ring, answers
//!  error     the rule that bytes break            codec     fields off the front, onto the end
//! ```

#![no_std]
#![forbid(unsafe_code)]

mod backfill;
mod builder;
mod calibration;
mod capability;
mod codec;
mod config;
mod control;
pub mod crc;
mod entry;
mod error;
mod frame;
pub mod gatt;
mod hold;
mod id;
pub mod pod;
mod timesync;

pub use backfill::{Hole, HoleSet, Placement, QueueFill, StreamTracker, TrackerCounts};
pub use builder::{Continuity, FrameBuilder, Pushed, SampleHead};
pub use calibration::{CalibAssembly, CalibPiece, CalibProgress, Calibration, SensorCalibration, calib_piece_room};
pub use capability::{
    CapsChecklist, CapsPage, ClockCaps, Features, LimitCaps, MissingCapability, NumberList, PingStamp, RingCaps,
    RingStorage, StreamCaps, Tlv, TlvWriter, Tlvs,
};
pub use config::{CONFIGURATION, Configuration, acc_scale_of_range, gyr_scale_of_range};
pub use control::{
    Answer, Body, EndReason, Event, EventBody, FaultCode, HelloReply, Indication, LONGEST_CONTROL, Op, PodState,
    RangeDone, RangeOutcome, RangeSpan, Reply, Request, RequestBody, Rows, Security, SessionStream, SessionView,
    StartOrder, StartedSession, StartedStream, Status, StreamStatus, Wish,
};
pub use entry::{ClipLimits, Clipping, Entry, HighGEntry, Imu9Entry, ImuEntry, Kind, Mark, MarkCode};
pub use error::{EncodeError, Refusal};
pub use frame::{
    DataFrame, DataHeader, Entries, EntriesIter, FRAME_HEADER, Frame, FrameFlags, GAP_FRAME, Gap, LONGEST_FRAME,
    LossReason, Payload, encode_data, encode_data_marking_clipping, entries_per_frame,
};
pub use hold::HeldFrames;
pub use id::{BootId, CfgId, INDEX_NONE, MOST_STREAMS, PodTime, PodUid, SessionId, StreamId, Txn};
pub use timesync::{PING, PONG, Ping, PingBook, Pong, TimeExchange, TimeMessage, ping_interval_ns};

/// The examples of README.md are compiled and run with the documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct ReadmeExamples;

/// Major version of the wire format that this crate speaks.
pub const MAJOR: u8 = 1;
/// Minor version of the wire format that this crate speaks.
pub const MINOR: u8 = 0;
