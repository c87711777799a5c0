//! Replies: what a pod indicates because of a request.

use super::request::{Op, RangeSpan};
use super::status::{EndReason, Status, numbered};
use crate::codec::{Reader, Writer};
use crate::config::read_stream;
use crate::{
    BootId, CONFIGURATION, CalibPiece, CapsPage, CfgId, Configuration, EncodeError, MOST_STREAMS, PodTime, PodUid,
    Refusal, StreamId, Txn,
};

const REPLY: u8 = 0x80;
const OK: u8 = 0;
const PERCENT_UNKNOWN: u8 = u8::MAX;
const TEMPERATURE_UNKNOWN: i16 = i16::MAX;
/// Bytes of a row of START, and of RESUME and STOP.
const STARTED_ROW: usize = 2;
const SESSION_ROW: usize = 10;

numbered! {
    /// The state of a pod (SPEC.md section 6.1).
    PodState {
        /// No samples retained, sensor off.
        Idle = 0, "idle";
        /// Sampling.
        Running = 1, "running";
        /// Samples retained, sensor off.
        Ended = 2, "ended";
    }
}

/// What a pod says about the security of this link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Security {
    /// Nearly everything needs a bond.
    pub bond_required: bool,
    /// This link is encrypted with the key of a bond.
    pub bonded: bool,
    /// Another connection is attached.
    pub another_attached: bool,
    /// A new bond is accepted now.
    pub pairing_open: bool,
}

impl Security {
    const fn from_byte(byte: u8) -> Self {
        Security {
            bond_required: byte & 1 != 0,
            bonded: byte & 2 != 0,
            another_attached: byte & 4 != 0,
            pairing_open: byte & 8 != 0,
        }
    }

    const fn to_byte(self) -> u8 {
        self.bond_required as u8
            | (self.bonded as u8) << 1
            | (self.another_attached as u8) << 2
            | (self.pairing_open as u8) << 3
    }
}

/// The answer to HELLO: 20 bytes with its head, so that it fits the smallest MTU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HelloReply {
    /// Major version used on this connection; in a `version` refusal the pod's lowest.
    pub major: u8,
    /// Minor version of that.
    pub minor: u8,
    /// What the pod is doing.
    pub state: PodState,
    /// How safe this link is.
    pub security: Security,
    /// Number of streams, 1 to 8.
    pub n_streams: u8,
    /// This run of the clock; `None` for strangers.
    pub boot_id: Option<BootId>,
    /// The pod; `None` for strangers.
    pub pod_uid: Option<PodUid>,
}

/// At most eight rows, one per stream.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rows<T> {
    rows: [Option<T>; MOST_STREAMS],
}

impl<T: Copy> Rows<T> {
    /// No rows.
    pub const EMPTY: Self = Rows {
        rows: [None; MOST_STREAMS],
    };

    /// Adds a row at the end; a ninth is dropped, a pod has no ninth stream.
    pub fn push(&mut self, row: T) {
        if let Some(free) = self.rows.iter_mut().find(|row| row.is_none()) {
            *free = Some(row);
        }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        self.rows[0].is_none()
    }

    /// The rows in order.
    pub fn iter(&self) -> impl Iterator<Item = T> + '_ {
        self.rows.iter().flatten().copied()
    }

    fn read(
        reader: &mut Reader<'_>,
        row_bytes: usize,
        mut row: impl FnMut(&mut Reader<'_>) -> Result<T, Refusal>,
    ) -> Result<Self, Refusal> {
        let count = reader.u8()?;
        if usize::from(count) > MOST_STREAMS {
            return Err(Refusal::Count {
                got: count.into(),
                most: MOST_STREAMS as u32,
            });
        }
        reader.require(usize::from(count) * row_bytes)?;
        let mut rows = Self::EMPTY;
        for _ in 0..count {
            rows.push(row(reader)?);
        }
        Ok(rows)
    }
}

impl<T: Copy + core::fmt::Debug> core::fmt::Debug for Rows<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<T: Copy> FromIterator<T> for Rows<T> {
    fn from_iter<I: IntoIterator<Item = T>>(iter: I) -> Self {
        iter.into_iter().fold(Self::EMPTY, |mut rows, row| {
            rows.push(row);
            rows
        })
    }
}

/// A stream of a session that has just begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StartedStream {
    /// The stream.
    pub stream: StreamId,
    /// Its first configuration.
    pub cfg_id: CfgId,
}

/// The answer to START.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StartedSession {
    /// When sampling was switched on; no sample is earlier.
    pub time: PodTime,
    /// The streams of the session, ascending.
    pub streams: Rows<StartedStream>,
}

/// A stream of a session that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SessionStream {
    /// The stream.
    pub stream: StreamId,
    /// Its latest configuration.
    pub cfg_id: CfgId,
    /// First index that is retained and not acknowledged.
    pub oldest: u32,
    /// Index the next sample will get; final after STOP.
    pub next: u32,
}

/// The answer to RESUME and STOP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SessionView {
    /// Running or ended.
    pub state: PodState,
    /// Why it ended.
    pub reason: EndReason,
    /// The clock its samples belong to; `None` if the pod does not know any more.
    pub session_boot_id: Option<BootId>,
    /// The streams of the session, ascending.
    pub streams: Rows<SessionStream>,
}

/// The answer to GET_STATUS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StreamStatus {
    /// What the pod is doing.
    pub state: PodState,
    /// The pod's clock.
    pub time: PodTime,
    /// Charge, %, if known.
    pub battery_percent: Option<u8>,
    /// Temperature, 1/100 °C, if known.
    pub temperature_cdeg: Option<i16>,
    /// The stream.
    pub stream: StreamId,
    /// Its configuration; `None` if it is not in the session, and then what follows is 0.
    pub cfg_id: Option<CfgId>,
    /// First index that is retained and not acknowledged.
    pub oldest: u32,
    /// Index the next sample will get.
    pub next: u32,
    /// Largest ACK so far.
    pub acked: u32,
    /// Overruns of the sensor's queue in this session.
    pub overruns: u32,
}

/// What a request that succeeded gives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Body<'a> {
    /// Versions, state and identity.
    Hello(HelloReply),
    /// A page of capabilities.
    GetCaps(CapsPage<'a>),
    /// The configuration asked for.
    GetConfig(Configuration),
    /// The configuration the pod will really use.
    SetConfig(Configuration),
    /// The session has begun.
    Start(StartedSession),
    /// The connection is attached.
    Resume(SessionView),
    /// The session has ended.
    Stop(SessionView),
    /// The range will be sent.
    Range(RangeSpan),
    /// The acknowledgement was noted.
    Ack {
        /// The stream.
        stream: StreamId,
        /// Largest ACK so far.
        acked: u32,
    },
    /// It blinks.
    Identify,
    /// A piece of the calibration.
    CalibRead(CalibPiece<'a>),
    /// The state of a stream.
    GetStatus(StreamStatus),
    /// The session is forgotten.
    Erase,
}

impl Body<'_> {
    /// The operation it answers.
    pub const fn op(&self) -> Op {
        match self {
            Body::Hello(_) => Op::Hello,
            Body::GetCaps(_) => Op::GetCaps,
            Body::GetConfig(_) => Op::GetConfig,
            Body::SetConfig(_) => Op::SetConfig,
            Body::Start(_) => Op::Start,
            Body::Resume(_) => Op::Resume,
            Body::Stop(_) => Op::Stop,
            Body::Range(_) => Op::Range,
            Body::Ack { .. } => Op::Ack,
            Body::Identify => Op::Identify,
            Body::CalibRead(_) => Op::CalibRead,
            Body::GetStatus(_) => Op::GetStatus,
            Body::Erase => Op::Erase,
        }
    }
}

/// How a request went.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Answer<'a> {
    /// Done.
    Done(Body<'a>),
    /// HELLO failed because there is no common major version; it names the pod's lowest.
    NoCommonVersion(HelloReply),
    /// Refused.
    Refused {
        /// The operation.
        op: Op,
        /// Why.
        status: Status,
    },
}

/// A reply.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reply<'a> {
    /// The transaction of the request.
    pub txn: Txn,
    /// How it went.
    pub answer: Answer<'a>,
}

impl<'a> Reply<'a> {
    /// The operation it answers.
    pub const fn op(&self) -> Op {
        match &self.answer {
            Answer::Done(body) => body.op(),
            Answer::NoCommonVersion(_) => Op::Hello,
            Answer::Refused { op, .. } => *op,
        }
    }

    /// Reads an indication that is a reply. Bytes after the known part are ignored: a later minor may add some.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Refusal> {
        let [op_number, txn, status, ..] = bytes else {
            return Err(Refusal::Truncated {
                need: 3,
                got: bytes.len(),
            });
        };
        let known = Op::new(op_number & !REPLY).filter(|_| op_number & REPLY != 0);
        let op = known.ok_or(Refusal::Op { op: *op_number })?;
        let txn = Txn::new(*txn).ok_or(Refusal::Param { field: "txn" })?;
        let mut reader = Reader::new(&bytes[3..]);
        let answer = match (*status, Status::new(*status)) {
            (OK, _) => Answer::Done(read_body(op, &mut reader)?),
            (_, Status::Version) if op == Op::Hello => Answer::NoCommonVersion(read_hello(&mut reader)?),
            (_, status) => Answer::Refused { op, status },
        };
        Ok(Reply { txn, answer })
    }

    /// Writes the reply into `out` and gives back the written part.
    pub fn encode<'b>(&self, out: &'b mut [u8]) -> Result<&'b [u8], EncodeError> {
        let mut writer = Writer::new(out);
        writer.u8(self.op().get() | REPLY)?.u8(self.txn.get())?;
        match &self.answer {
            Answer::Done(body) => {
                writer.u8(OK)?;
                write_body(body, &mut writer)?;
            }
            Answer::NoCommonVersion(hello) => {
                writer.u8(Status::Version.get())?;
                write_hello(hello, &mut writer)?;
            }
            Answer::Refused {
                op: Op::Hello,
                status: Status::Version,
            }
            | Answer::Refused {
                status: Status::Other(OK),
                ..
            } => {
                // The first has a body, the second is no refusal: both would be read as something else.
                return Err(Refusal::Param { field: "status" }.into());
            }
            Answer::Refused { status, .. } => {
                writer.u8(status.get())?;
            }
        }
        Ok(writer.finish())
    }

    /// The reply to a write that is no request, from its first two bytes; `None` if a write this short gets ATT error
    /// 0D instead.
    pub fn to_unreadable(request: &[u8], refusal: &Refusal) -> Option<[u8; 3]> {
        match (request, Status::of_refusal(refusal)) {
            ([op, txn, ..], Some(status)) => Some([op | REPLY, *txn, status.get()]),
            _ => None,
        }
    }
}

/// A moment that must be there.
pub(super) fn read_time(reader: &mut Reader<'_>) -> Result<PodTime, Refusal> {
    PodTime::from_us(reader.u48()?).ok_or(Refusal::Time)
}

fn read_cfg_id(reader: &mut Reader<'_>) -> Result<CfgId, Refusal> {
    CfgId::new(reader.u8()?).ok_or(Refusal::CfgId)
}

fn read_hello(reader: &mut Reader<'_>) -> Result<HelloReply, Refusal> {
    Ok(HelloReply {
        major: reader.u8()?,
        minor: reader.u8()?,
        state: PodState::new(reader.u8()?),
        security: Security::from_byte(reader.u8()?),
        n_streams: reader.u8()?,
        boot_id: BootId::new(reader.u32()?),
        pod_uid: PodUid::new(reader.u64()?),
    })
}

fn write_hello(hello: &HelloReply, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
    writer
        .u8(hello.major)?
        .u8(hello.minor)?
        .u8(hello.state.get())?
        .u8(hello.security.to_byte())?
        .u8(hello.n_streams)?
        .u32(hello.boot_id.map_or(0, BootId::get))?
        .u64(hello.pod_uid.map_or(0, PodUid::get))?;
    Ok(())
}

fn read_session(reader: &mut Reader<'_>) -> Result<SessionView, Refusal> {
    Ok(SessionView {
        state: PodState::new(reader.u8()?),
        reason: EndReason::new(reader.u8()?),
        session_boot_id: BootId::new(reader.u32()?),
        streams: Rows::read(reader, SESSION_ROW, |reader| {
            Ok(SessionStream {
                stream: read_stream(reader)?,
                cfg_id: read_cfg_id(reader)?,
                oldest: reader.u32()?,
                next: reader.u32()?,
            })
        })?,
    })
}

fn write_session(view: &SessionView, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
    writer.u8(view.state.get())?.u8(view.reason.get())?;
    // At most 8 rows.
    writer
        .u32(view.session_boot_id.map_or(0, BootId::get))?
        .u8(view.streams.len() as u8)?;
    for row in view.streams.iter() {
        writer
            .u8(row.stream.get())?
            .u8(row.cfg_id.get())?
            .u32(row.oldest)?
            .u32(row.next)?;
    }
    Ok(())
}

/// Bytes that the body of a reply has at least.
const fn shortest_body(op: Op) -> usize {
    match op {
        Op::Hello => 17,
        Op::GetCaps => 2,
        Op::GetConfig | Op::SetConfig => CONFIGURATION,
        Op::Start | Op::Resume | Op::Stop | Op::Range => 7,
        Op::Ack => 5,
        Op::Identify | Op::Erase => 0,
        Op::CalibRead => 8,
        Op::GetStatus => 28,
    }
}

fn read_body<'a>(op: Op, reader: &mut Reader<'a>) -> Result<Body<'a>, Refusal> {
    reader.require(shortest_body(op))?;
    Ok(match op {
        Op::Hello => Body::Hello(read_hello(reader)?),
        Op::GetCaps => Body::GetCaps(CapsPage::read(reader)?),
        Op::GetConfig => Body::GetConfig(Configuration::read(reader)?),
        Op::SetConfig => Body::SetConfig(Configuration::read(reader)?),
        Op::Start => Body::Start(StartedSession {
            time: read_time(reader)?,
            streams: Rows::read(reader, STARTED_ROW, |reader| {
                Ok(StartedStream {
                    stream: read_stream(reader)?,
                    cfg_id: read_cfg_id(reader)?,
                })
            })?,
        }),
        Op::Resume => Body::Resume(read_session(reader)?),
        Op::Stop => Body::Stop(read_session(reader)?),
        Op::Range => Body::Range(RangeSpan::read(reader)?),
        Op::Ack => Body::Ack {
            stream: read_stream(reader)?,
            acked: reader.u32()?,
        },
        Op::Identify => Body::Identify,
        Op::CalibRead => Body::CalibRead(CalibPiece::read(reader)?),
        Op::GetStatus => Body::GetStatus(StreamStatus {
            state: PodState::new(reader.u8()?),
            time: read_time(reader)?,
            battery_percent: Some(reader.u8()?).filter(|percent| *percent != PERCENT_UNKNOWN),
            temperature_cdeg: Some(reader.i16()?).filter(|cdeg| *cdeg != TEMPERATURE_UNKNOWN),
            stream: read_stream(reader)?,
            cfg_id: CfgId::new(reader.u8()?),
            oldest: reader.u32()?,
            next: reader.u32()?,
            acked: reader.u32()?,
            overruns: reader.u32()?,
        }),
        Op::Erase => Body::Erase,
    })
}

fn write_body(body: &Body<'_>, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
    match body {
        Body::Hello(hello) => write_hello(hello, writer)?,
        Body::GetCaps(page) => page.write(writer)?,
        Body::GetConfig(configuration) | Body::SetConfig(configuration) => configuration.write(writer)?,
        Body::Start(started) => {
            writer.u48(started.time.as_us())?.u8(started.streams.len() as u8)?;
            for row in started.streams.iter() {
                writer.u8(row.stream.get())?.u8(row.cfg_id.get())?;
            }
        }
        Body::Resume(view) | Body::Stop(view) => write_session(view, writer)?,
        Body::Range(span) => span.write(writer)?,
        Body::Ack { stream, acked } => {
            writer.u8(stream.get())?.u32(*acked)?;
        }
        Body::Identify | Body::Erase => {}
        Body::CalibRead(piece) => piece.write(writer)?,
        Body::GetStatus(status) => {
            writer
                .u8(status.state.get())?
                .u48(status.time.as_us())?
                .u8(status.battery_percent.unwrap_or(PERCENT_UNKNOWN))?
                .i16(status.temperature_cdeg.unwrap_or(TEMPERATURE_UNKNOWN))?
                .u8(status.stream.get())?
                .u8(status.cfg_id.map_or(0, CfgId::get))?
                .u32(status.oldest)?
                .u32(status.next)?
                .u32(status.acked)?
                .u32(status.overruns)?;
        }
    }
    Ok(())
}
