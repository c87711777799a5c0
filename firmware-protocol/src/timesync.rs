//! The time exchange: PING, PONG and what four stamps say (SPEC.md section 9).
//!
//! The host notes t1 as it writes PING and t4 as PONG arrives; the pod stamps t2 and t3 on the clock of its frames. Half
//! the round trip bounds the error of the offset whatever the radio did. How to fit a clock through many exchanges is the
//! host's matter; here is only what one exchange says, and which PONG belongs to which PING.

use crate::codec::{Reader, Writer};
use crate::crc::crc16;
use crate::{EncodeError, MAJOR, PodTime, Refusal};

/// Bytes of a PING.
pub const PING: usize = 4;
/// Bytes of a PONG.
pub const PONG: usize = 18;

const PING_KIND: u8 = 0;
const PONG_KIND: u8 = 1;
const AT_RADIO_EVENT: u8 = 1;
/// A PONG that comes later than this after its PING is dropped.
const OUTSTANDING_NS: i64 = 1_000_000_000;
const NS_PER_US: i128 = 1000;

/// The host asks for the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ping {
    /// Counts up, mod 65536.
    pub seq: u16,
}

/// The pod tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pong {
    /// Stamps were taken at the radio event, not in software.
    pub at_radio_event: bool,
    /// That of the PING.
    pub seq: u16,
    /// When the PING was handled.
    pub t2: PodTime,
    /// When the PONG was queued; not before `t2`.
    pub t3: PodTime,
}

/// What goes over the Time characteristic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimeMessage {
    /// From the host.
    Ping(Ping),
    /// From the pod.
    Pong(Pong),
}

impl TimeMessage {
    /// Reads a write to Time or a notification of it.
    pub fn decode(bytes: &[u8]) -> Result<Self, Refusal> {
        let [head, flags, ..] = bytes else {
            return Err(Refusal::Truncated {
                need: PING,
                got: bytes.len(),
            });
        };
        if bytes.len() < PING {
            return Err(Refusal::Truncated {
                need: PING,
                got: bytes.len(),
            });
        }
        if head >> 4 != MAJOR {
            return Err(Refusal::Major { got: head >> 4 });
        }
        let kind = head & 0x0F;
        let need = match kind {
            PING_KIND => PING,
            PONG_KIND => PONG,
            kind => return Err(Refusal::UnknownKind { kind }),
        };
        if bytes.len() != need {
            return Err(Refusal::Length { need, got: bytes.len() });
        }
        let mut reader = Reader::new(&bytes[2..]);
        let seq = reader.u16()?;
        if kind == PING_KIND {
            // A PING is a request: a reserved byte that is set means something this side does not know.
            return if *flags == 0 {
                Ok(Self::Ping(Ping { seq }))
            } else {
                Err(Refusal::Param { field: "flags" })
            };
        }
        let (t2, t3, stated) = (reader.u48()?, reader.u48()?, reader.u16()?);
        let computed = crc16(&bytes[..PONG - 2]);
        if stated != computed {
            return Err(Refusal::Crc { stated, computed });
        }
        match (PodTime::from_us(t2), PodTime::from_us(t3)) {
            (Some(t2), Some(t3)) if t2 <= t3 => Ok(Self::Pong(Pong {
                at_radio_event: flags & AT_RADIO_EVENT != 0,
                seq,
                t2,
                t3,
            })),
            _ => Err(Refusal::Time),
        }
    }

    /// Writes the message into `out` and gives back the written part.
    pub fn encode<'b>(&self, out: &'b mut [u8]) -> Result<&'b [u8], EncodeError> {
        let mut writer = Writer::new(out);
        match self {
            TimeMessage::Ping(ping) => {
                writer.u8(MAJOR << 4 | PING_KIND)?.u8(0)?.u16(ping.seq)?;
            }
            TimeMessage::Pong(pong) => {
                if pong.t3 < pong.t2 {
                    return Err(Refusal::Time.into());
                }
                writer
                    .u8(MAJOR << 4 | PONG_KIND)?
                    .u8(u8::from(pong.at_radio_event))?
                    .u16(pong.seq)?;
                writer.u48(pong.t2.as_us())?.u48(pong.t3.as_us())?;
                let crc = crc16(writer.so_far());
                writer.u16(crc)?;
            }
        }
        Ok(writer.finish())
    }
}

/// Four stamps: the host's on its monotonic clock in ns, the pod's on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeExchange {
    /// Host, just before PING was written.
    pub t1_ns: i64,
    /// Pod, PING handled.
    pub t2: PodTime,
    /// Pod, PONG queued.
    pub t3: PodTime,
    /// Host, PONG arrived.
    pub t4_ns: i64,
}

impl TimeExchange {
    /// Twice the offset of the pod's clock from the host's (pod − host), ns.
    ///
    /// Twice, because half of an odd sum would be rounded: (t2 − t1) + (t3 − t4).
    pub fn twice_offset_ns(&self) -> i128 {
        let pod = i128::from(self.t2.as_us()) + i128::from(self.t3.as_us());
        pod * NS_PER_US - i128::from(self.t1_ns) - i128::from(self.t4_ns)
    }

    /// Time both messages spent on their way, ns: (t4 − t1) − (t3 − t2).
    ///
    /// Negative only if a clock stepped; such an exchange says nothing.
    pub fn delay_ns(&self) -> i128 {
        let there_and_back = i128::from(self.t4_ns) - i128::from(self.t1_ns);
        there_and_back - i128::from(self.t3.us_since(self.t2)) * NS_PER_US
    }

    /// The true offset lies within this of half of [`twice_offset_ns`](Self::twice_offset_ns), ns, rounded up.
    pub fn bound_ns(&self) -> i128 {
        (self.delay_ns() + 1).div_euclid(2)
    }
}

/// Pairs each PONG with the PING it answers.
///
/// Only the latest PING is outstanding, because a pod answers no other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PingBook {
    next_seq: u16,
    outstanding: Option<(u16, i64)>,
}

impl PingBook {
    /// The PING to write now, at t1.
    pub fn ping(&mut self, t1_ns: i64) -> Ping {
        let seq = self.next_seq;
        self.next_seq = seq.wrapping_add(1);
        self.outstanding = Some((seq, t1_ns));
        Ping { seq }
    }

    /// The exchange that a PONG completes at t4; `None` if its PING is not outstanding any more, or time ran backwards.
    pub fn pong(&mut self, pong: &Pong, t4_ns: i64) -> Option<TimeExchange> {
        let (_, t1_ns) = self.outstanding.take_if(|(seq, _)| *seq == pong.seq)?;
        let exchange = TimeExchange {
            t1_ns,
            t2: pong.t2,
            t3: pong.t3,
            t4_ns,
        };
        let in_time = t4_ns
            .checked_sub(t1_ns)
            .is_some_and(|taken| (0..=OUTSTANDING_NS).contains(&taken));
        (in_time && exchange.delay_ns() >= 0).then_some(exchange)
    }
}

/// How long after a PING the next one is due: one a second for the first ten, then every two seconds.
pub const fn ping_interval_ns(pings_so_far: u32) -> i64 {
    if pings_so_far < 10 {
        1_000_000_000
    } else {
        2_000_000_000
    }
}
