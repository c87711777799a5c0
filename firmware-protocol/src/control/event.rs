//! Events: what a pod indicates of its own accord.

use super::reply::read_time;
use super::request::RangeSpan;
use super::status::{EndReason, numbered};
use crate::codec::{Reader, Writer};
use crate::{CONFIGURATION, Configuration, EncodeError, PodTime, Refusal, SessionId, Txn};

const MINUTES_UNKNOWN: u16 = u16::MAX;

numbered! {
    /// How a RANGE ended.
    RangeOutcome {
        /// Each index was answered, by data or by a gap.
        Complete = 0, "complete";
        /// Something more important came between.
        Aborted = 1, "aborted";
    }
}

numbered! {
    /// What failed.
    FaultCode {
        /// The sensor.
        Sensor = 1, "sensor";
        /// The storage.
        Storage = 2, "storage";
        /// The clock.
        Clock = 3, "clock";
    }
}

/// The end of the answer to a RANGE.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RangeDone {
    /// Transaction of the request.
    pub txn: Txn,
    /// How it ended.
    pub outcome: RangeOutcome,
    /// What had been asked for.
    pub span: RangeSpan,
    /// How many of its indices were answered by gaps.
    pub gaps: u16,
}

/// What a pod says by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventBody {
    /// The pod changed a configuration by itself.
    ConfigChanged(Configuration),
    /// The session ended other than by STOP.
    SessionEnded {
        /// Why.
        reason: EndReason,
        /// Which.
        session_id: SessionId,
        /// When.
        time: PodTime,
    },
    /// A RANGE has been answered.
    RangeDone(RangeDone),
    /// The battery is running low.
    BatteryLow {
        /// Charge left, %.
        percent: u8,
        /// Time left, min, if known.
        minutes_left: Option<u16>,
    },
    /// Something failed.
    Fault {
        /// What.
        code: FaultCode,
        /// The maker's own number for it.
        detail: u16,
    },
}

impl EventBody {
    /// Its operation byte.
    pub const fn op(&self) -> u8 {
        match self {
            EventBody::ConfigChanged(_) => 0x41,
            EventBody::SessionEnded { .. } => 0x42,
            EventBody::RangeDone(_) => 0x43,
            EventBody::BatteryLow { .. } => 0x44,
            EventBody::Fault { .. } => 0x45,
        }
    }
}

/// Bytes that the body of an event has at least.
const fn shortest_body(op: u8) -> usize {
    match op {
        0x41 => CONFIGURATION,
        0x42 => 15,
        0x43 => 11,
        0x44 | 0x45 => 3,
        _ => 0,
    }
}

/// An event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Event {
    /// Counts the events of a connection, mod 256; a jump tells the host that it missed one.
    pub seq: u8,
    /// What is said.
    pub body: EventBody,
}

impl Event {
    /// Reads an indication that is an event. Bytes after the known part are ignored: a later minor may add some.
    ///
    /// [`Refusal::UnknownEvent`] is no fault: count it and go on.
    pub fn decode(bytes: &[u8]) -> Result<Self, Refusal> {
        let [op, seq, ..] = bytes else {
            return Err(Refusal::Truncated {
                need: 2,
                got: bytes.len(),
            });
        };
        let mut reader = Reader::new(&bytes[2..]);
        reader.require(shortest_body(*op))?;
        let body = match op {
            0x41 => EventBody::ConfigChanged(Configuration::read(&mut reader)?),
            0x42 => EventBody::SessionEnded {
                reason: EndReason::new(reader.u8()?),
                session_id: SessionId::new(reader.u64()?).ok_or(Refusal::Param { field: "session_id" })?,
                time: read_time(&mut reader)?,
            },
            0x43 => EventBody::RangeDone(RangeDone {
                txn: Txn::new(reader.u8()?).ok_or(Refusal::Param { field: "txn" })?,
                outcome: RangeOutcome::new(reader.u8()?),
                span: RangeSpan::read(&mut reader)?,
                gaps: reader.u16()?,
            }),
            0x44 => EventBody::BatteryLow {
                percent: reader.u8()?,
                minutes_left: Some(reader.u16()?).filter(|minutes| *minutes != MINUTES_UNKNOWN),
            },
            0x45 => EventBody::Fault {
                code: FaultCode::new(reader.u8()?),
                detail: reader.u16()?,
            },
            op => return Err(Refusal::UnknownEvent { op: *op }),
        };
        Ok(Event { seq: *seq, body })
    }

    /// Writes the event into `out` and gives back the written part.
    pub fn encode<'b>(&self, out: &'b mut [u8]) -> Result<&'b [u8], EncodeError> {
        let mut writer = Writer::new(out);
        writer.u8(self.body.op())?.u8(self.seq)?;
        match &self.body {
            EventBody::ConfigChanged(configuration) => configuration.write(&mut writer)?,
            EventBody::SessionEnded {
                reason,
                session_id,
                time,
            } => {
                writer.u8(reason.get())?.u64(session_id.get())?.u48(time.as_us())?;
            }
            EventBody::RangeDone(done) => {
                writer.u8(done.txn.get())?.u8(done.outcome.get())?;
                done.span.write(&mut writer)?;
                writer.u16(done.gaps)?;
            }
            EventBody::BatteryLow { percent, minutes_left } => {
                writer.u8(*percent)?.u16(minutes_left.unwrap_or(MINUTES_UNKNOWN))?;
            }
            EventBody::Fault { code, detail } => {
                writer.u8(code.get())?.u16(*detail)?;
            }
        }
        Ok(writer.finish())
    }
}
