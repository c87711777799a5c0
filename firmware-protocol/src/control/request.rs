//! Requests: what a host writes to Control.

use crate::codec::{Reader, Writer};
use crate::config::read_stream;
use crate::frame::check_indices;
use crate::{CfgId, EncodeError, INDEX_NONE, Refusal, SessionId, StreamId, Txn};

const FORCE: u8 = 1;
const ENABLED: u8 = 1;
/// Longest time IDENTIFY can ask for.
const MOST_IDENTIFY_S: u8 = 30;
const MOST_IDENTIFY_PATTERN: u8 = 3;

/// An operation of the control point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// Versions, state and identity.
    Hello,
    /// A page of capabilities.
    GetCaps,
    /// One configuration.
    GetConfig,
    /// A wish for a configuration.
    SetConfig,
    /// A new session.
    Start,
    /// Back to a session.
    Resume,
    /// End of a session.
    Stop,
    /// Samples by index.
    Range,
    /// Samples that are safe.
    Ack,
    /// Blink.
    Identify,
    /// A piece of the calibration.
    CalibRead,
    /// State of one stream.
    GetStatus,
    /// Forget the session.
    Erase,
}

impl Op {
    /// All operations, by number.
    pub const ALL: [Op; 13] = [
        Op::Hello,
        Op::GetCaps,
        Op::GetConfig,
        Op::SetConfig,
        Op::Start,
        Op::Resume,
        Op::Stop,
        Op::Range,
        Op::Ack,
        Op::Identify,
        Op::CalibRead,
        Op::GetStatus,
        Op::Erase,
    ];

    /// The operation of this number; `None` if this version has none.
    pub fn new(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number).checked_sub(1)?).copied()
    }

    /// Its number on the air.
    pub const fn get(self) -> u8 {
        // The variants stand in the order of their numbers, from 1.
        self as u8 + 1
    }

    /// Its name in SPEC.md, in lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Op::Hello => "hello",
            Op::GetCaps => "get_caps",
            Op::GetConfig => "get_config",
            Op::SetConfig => "set_config",
            Op::Start => "start",
            Op::Resume => "resume",
            Op::Stop => "stop",
            Op::Range => "range",
            Op::Ack => "ack",
            Op::Identify => "identify",
            Op::CalibRead => "calib_read",
            Op::GetStatus => "get_status",
            Op::Erase => "erase",
        }
    }

    /// Bytes of the request, operation and transaction included.
    pub const fn request_length(self) -> usize {
        match self {
            Op::GetCaps | Op::GetStatus => 3,
            Op::Hello | Op::GetConfig | Op::Identify | Op::CalibRead => 4,
            Op::Ack => 7,
            Op::Range => 9,
            Op::Resume | Op::Stop | Op::Erase => 10,
            Op::SetConfig => 12,
            Op::Start => 13,
        }
    }
}

/// What a host would like a stream to do. The pod answers with what it really does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Wish {
    /// The stream.
    pub stream: StreamId,
    /// Whether the session shall have it.
    pub enabled: bool,
    /// At least this rate, 1/1000 Hz.
    pub rate_mhz: u32,
    /// At least this range, ± g.
    pub acc_range_g: u16,
    /// At least this range, ± °/s.
    pub gyr_range_dps: u16,
}

/// The order to begin a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StartOrder {
    /// 64 random bits, new for each START and on durable storage before it.
    pub session_id: SessionId,
    /// How long the pod goes on without a host, s; 0 ends the session with the connection.
    pub linger_s: u16,
    /// Throw away what another session left. Only with the user's consent.
    pub force: bool,
}

/// Some consecutive indices of one stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RangeSpan {
    /// The stream.
    pub stream: StreamId,
    /// First index.
    pub first: u32,
    /// How many, at least 1.
    pub count: u16,
}

impl RangeSpan {
    /// First index after the range.
    pub const fn end(&self) -> u32 {
        self.first.saturating_add(self.count as u32)
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Ok(RangeSpan {
            stream: read_stream(reader)?,
            first: reader.u32()?,
            count: reader.u16()?,
        })
    }

    pub(crate) fn write(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        writer.u8(self.stream.get())?.u32(self.first)?.u16(self.count)?;
        Ok(())
    }
}

/// What a host asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RequestBody {
    /// The first request on each connection.
    Hello {
        /// Highest major version the host speaks, at least 1.
        host_major: u8,
        /// Minor version of that.
        host_minor: u8,
    },
    /// One page of capabilities.
    GetCaps {
        /// From 0.
        page: u8,
    },
    /// One configuration of a stream.
    GetConfig {
        /// The stream.
        stream: StreamId,
        /// Which; `None` asks for the current one, or the one chosen for the next session.
        cfg_id: Option<CfgId>,
    },
    /// A wish.
    SetConfig(Wish),
    /// Begin a session.
    Start(StartOrder),
    /// Attach to a session.
    Resume {
        /// Which.
        session_id: SessionId,
    },
    /// End a session.
    Stop {
        /// Which.
        session_id: SessionId,
    },
    /// Send these samples again.
    Range(RangeSpan),
    /// All samples below an index are safe or given up.
    Ack {
        /// The stream.
        stream: StreamId,
        /// First index that is not acknowledged.
        upto: u32,
    },
    /// Show which pod this is.
    Identify {
        /// For how long, at most 30 s; 0 turns it off.
        seconds: u8,
        /// How, 0 to 3.
        pattern: u8,
    },
    /// A piece of the calibration.
    CalibRead {
        /// Its first byte in the blob.
        offset: u16,
    },
    /// State of a stream.
    GetStatus {
        /// The stream.
        stream: StreamId,
    },
    /// Forget the session and its samples.
    Erase {
        /// Which.
        session_id: SessionId,
    },
}

impl RequestBody {
    /// The operation.
    pub const fn op(&self) -> Op {
        match self {
            RequestBody::Hello { .. } => Op::Hello,
            RequestBody::GetCaps { .. } => Op::GetCaps,
            RequestBody::GetConfig { .. } => Op::GetConfig,
            RequestBody::SetConfig(_) => Op::SetConfig,
            RequestBody::Start(_) => Op::Start,
            RequestBody::Resume { .. } => Op::Resume,
            RequestBody::Stop { .. } => Op::Stop,
            RequestBody::Range(_) => Op::Range,
            RequestBody::Ack { .. } => Op::Ack,
            RequestBody::Identify { .. } => Op::Identify,
            RequestBody::CalibRead { .. } => Op::CalibRead,
            RequestBody::GetStatus { .. } => Op::GetStatus,
            RequestBody::Erase { .. } => Op::Erase,
        }
    }

    /// The stream it is about; `None` if it is not about one.
    pub const fn stream(&self) -> Option<StreamId> {
        match self {
            RequestBody::GetConfig { stream, .. }
            | RequestBody::Ack { stream, .. }
            | RequestBody::GetStatus { stream } => Some(*stream),
            RequestBody::SetConfig(wish) => Some(wish.stream),
            RequestBody::Range(span) => Some(span.stream),
            _ => None,
        }
    }

    /// The session it must match; `None` if it needs none (START brings a new one).
    pub const fn session(&self) -> Option<SessionId> {
        match self {
            RequestBody::Resume { session_id }
            | RequestBody::Stop { session_id }
            | RequestBody::Erase { session_id } => Some(*session_id),
            _ => None,
        }
    }

    /// The rules of SPEC.md section 5.4 that the types do not enforce.
    fn check(&self) -> Result<(), Refusal> {
        let outside = match self {
            RequestBody::Hello { host_major: 0, .. } => Some("host_major"),
            RequestBody::Range(span) if span.count == 0 => Some("count"),
            RequestBody::Range(span) if check_indices(span.first, span.count.into()).is_err() => Some("first"),
            RequestBody::Ack { upto: INDEX_NONE, .. } => Some("upto"),
            RequestBody::Identify { seconds, .. } if *seconds > MOST_IDENTIFY_S => Some("seconds"),
            RequestBody::Identify { pattern, .. } if *pattern > MOST_IDENTIFY_PATTERN => Some("pattern"),
            _ => None,
        };
        match outside {
            Some(field) => Err(Refusal::Param { field }),
            None => Ok(()),
        }
    }
}

/// A request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Request {
    /// Pairs the reply with it.
    pub txn: Txn,
    /// What is asked for.
    pub body: RequestBody,
}

impl Request {
    /// Reads what was written to Control, in the order of SPEC.md section 5.4: write length, `op`, `length`, `param`.
    ///
    /// [`Status::of_refusal`](crate::Status::of_refusal) tells how a pod answers a refusal.
    pub fn decode(bytes: &[u8]) -> Result<Self, Refusal> {
        let [op_number, txn, ..] = bytes else {
            return Err(Refusal::AttLength { got: bytes.len() });
        };
        let op = Op::new(*op_number).ok_or(Refusal::Op { op: *op_number })?;
        if bytes.len() != op.request_length() {
            return Err(Refusal::Length {
                need: op.request_length(),
                got: bytes.len(),
            });
        }
        let txn = Txn::new(*txn).ok_or(Refusal::Param { field: "txn" })?;
        let body = read_body(op, &mut Reader::new(&bytes[2..]))?;
        body.check()?;
        Ok(Request { txn, body })
    }

    /// Writes the request into `out` and gives back the written part.
    pub fn encode<'b>(&self, out: &'b mut [u8]) -> Result<&'b [u8], EncodeError> {
        self.body.check()?;
        let mut writer = Writer::new(out);
        writer.u8(self.body.op().get())?.u8(self.txn.get())?;
        match self.body {
            RequestBody::Hello { host_major, host_minor } => writer.u8(host_major)?.u8(host_minor)?,
            RequestBody::GetCaps { page } => writer.u8(page)?,
            RequestBody::GetConfig { stream, cfg_id } => writer.u8(stream.get())?.u8(cfg_id.map_or(0, CfgId::get))?,
            RequestBody::SetConfig(wish) => writer
                .u8(wish.stream.get())?
                .u8(if wish.enabled { ENABLED } else { 0 })?
                .u32(wish.rate_mhz)?
                .u16(wish.acc_range_g)?
                .u16(wish.gyr_range_dps)?,
            RequestBody::Start(order) => writer
                .u64(order.session_id.get())?
                .u16(order.linger_s)?
                .u8(if order.force { FORCE } else { 0 })?,
            RequestBody::Resume { session_id }
            | RequestBody::Stop { session_id }
            | RequestBody::Erase { session_id } => writer.u64(session_id.get())?,
            RequestBody::Range(span) => {
                span.write(&mut writer)?;
                &mut writer
            }
            RequestBody::Ack { stream, upto } => writer.u8(stream.get())?.u32(upto)?,
            RequestBody::Identify { seconds, pattern } => writer.u8(seconds)?.u8(pattern)?,
            RequestBody::CalibRead { offset } => writer.u16(offset)?,
            RequestBody::GetStatus { stream } => writer.u8(stream.get())?,
        };
        Ok(writer.finish())
    }
}

fn read_session(reader: &mut Reader<'_>) -> Result<SessionId, Refusal> {
    SessionId::new(reader.u64()?).ok_or(Refusal::Param { field: "session_id" })
}

/// A byte of flags of which only `known` may be set.
fn read_flag(reader: &mut Reader<'_>, known: u8) -> Result<bool, Refusal> {
    let byte = reader.u8()?;
    if byte & !known != 0 {
        Err(Refusal::Param { field: "flags" })
    } else {
        Ok(byte & known != 0)
    }
}

fn read_body(op: Op, reader: &mut Reader<'_>) -> Result<RequestBody, Refusal> {
    Ok(match op {
        Op::Hello => RequestBody::Hello {
            host_major: reader.u8()?,
            host_minor: reader.u8()?,
        },
        Op::GetCaps => RequestBody::GetCaps { page: reader.u8()? },
        Op::GetConfig => RequestBody::GetConfig {
            stream: read_stream(reader)?,
            cfg_id: CfgId::new(reader.u8()?),
        },
        Op::SetConfig => RequestBody::SetConfig(Wish {
            stream: read_stream(reader)?,
            enabled: read_flag(reader, ENABLED)?,
            rate_mhz: reader.u32()?,
            acc_range_g: reader.u16()?,
            gyr_range_dps: reader.u16()?,
        }),
        Op::Start => RequestBody::Start(StartOrder {
            session_id: read_session(reader)?,
            linger_s: reader.u16()?,
            force: read_flag(reader, FORCE)?,
        }),
        Op::Resume => RequestBody::Resume {
            session_id: read_session(reader)?,
        },
        Op::Stop => RequestBody::Stop {
            session_id: read_session(reader)?,
        },
        Op::Range => RequestBody::Range(RangeSpan::read(reader)?),
        Op::Ack => RequestBody::Ack {
            stream: read_stream(reader)?,
            upto: reader.u32()?,
        },
        Op::Identify => RequestBody::Identify {
            seconds: reader.u8()?,
            pattern: reader.u8()?,
        },
        Op::CalibRead => RequestBody::CalibRead { offset: reader.u16()? },
        Op::GetStatus => RequestBody::GetStatus {
            stream: read_stream(reader)?,
        },
        Op::Erase => RequestBody::Erase {
            session_id: read_session(reader)?,
        },
    })
}
