//! Capabilities: what a pod can do, as TLVs on pages (SPEC.md section 5.6).
//!
//! A [`CapsPage`] is checked as a whole when it is read, so that its iterator cannot fail: a page with one bad TLV is
//! refused, because a host that knows half of what a pod can do would choose wrongly. Texts and lists stay where they
//! came in; nothing is allocated by a received number.

use crate::codec::{Reader, Writer};
use crate::config::read_stream;
use crate::{EncodeError, Kind, MOST_STREAMS, Refusal, StreamId};

const VENDOR: u8 = 0x01;
const PRODUCT: u8 = 0x02;
const FIRMWARE: u8 = 0x03;
const HARDWARE: u8 = 0x04;
const STREAM: u8 = 0x10;
const RING: u8 = 0x11;
const LIMITS: u8 = 0x12;
const CLOCK: u8 = 0x13;
const FEATURES: u8 = 0x14;

/// A list of little-endian numbers of N bytes, as it came in.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct NumberList<'a, const N: usize>(&'a [u8]);

impl<'a, const N: usize> NumberList<'a, N> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Refusal> {
        let count = usize::from(reader.u8()?);
        reader.take(count * N).map(NumberList)
    }

    /// How many numbers.
    pub const fn len(&self) -> usize {
        self.0.len() / N
    }

    /// True if there is none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The numbers in order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + 'a {
        self.0
            .chunks_exact(N)
            .map(|bytes| bytes.iter().rev().fold(0, |sum, byte| sum << 8 | u32::from(*byte)))
    }
}

impl<const N: usize> core::fmt::Debug for NumberList<'_, N> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// What one stream can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StreamCaps<'a> {
    /// The stream.
    pub stream: StreamId,
    /// Kind of its frames as a number, so that a later kind can be told.
    pub kind_number: u8,
    /// Rates it can be set to, 1/1000 Hz.
    pub rates_mhz: NumberList<'a, 4>,
    /// Ranges of its accelerometer, ± g.
    pub acc_ranges_g: NumberList<'a, 2>,
    /// Ranges of its gyroscope, ± °/s.
    pub gyr_ranges_dps: NumberList<'a, 2>,
}

impl StreamCaps<'_> {
    /// The kind of its frames; `None` for one that this version does not know.
    pub const fn kind(&self) -> Option<Kind> {
        Kind::new(self.kind_number)
    }
}

/// What becomes of retained samples when the pod reboots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RingStorage {
    /// They are lost.
    LostAtReboot,
    /// They are kept.
    Kept,
    /// Something that this version does not know: count on nothing.
    Other(u8),
}

/// How much a stream retains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RingCaps {
    /// The stream.
    pub stream: StreamId,
    /// Samples.
    pub capacity: u32,
    /// What a reboot does to them.
    pub storage: RingStorage,
}

/// The largest numbers a request may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LimitCaps {
    /// Largest `count` of a RANGE.
    pub max_range: u16,
    /// Longest linger, s; START cuts to it.
    pub max_linger_s: u16,
    /// Most configurations kept of one stream, at least 4.
    pub max_configs: u8,
}

/// Where the stamps of a PONG are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PingStamp {
    /// In software, when the write is handled.
    Software,
    /// At the radio event.
    RadioEvent,
    /// Something that this version does not know.
    Other(u8),
}

/// The pod's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClockCaps {
    /// How far its rate may be off, parts per million.
    pub accuracy_ppm: u16,
    /// Its step, ns.
    pub tick_ns: u32,
    /// Where PONG stamps are taken.
    pub ping_stamp: PingStamp,
}

/// What is optional and there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Features {
    /// All bits, those that this version does not know included.
    pub bits: u32,
}

impl Features {
    /// Bit of IDENTIFY.
    pub const IDENTIFY: u32 = 1;
    /// Bit of CALIB_READ.
    pub const CALIB_READ: u32 = 1 << 1;
    /// Bit of a stream of marks.
    pub const MARKS: u32 = 1 << 2;
    /// Bit of more than one connection at a time.
    pub const MANY_CONNECTIONS: u32 = 1 << 3;

    /// True if all of these bits are set.
    pub const fn has(self, bits: u32) -> bool {
        self.bits & bits == bits
    }
}

/// One thing a pod tells about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Tlv<'a> {
    /// Who made it.
    Vendor(&'a str),
    /// What it is called.
    Product(&'a str),
    /// Version of its firmware.
    Firmware(&'a str),
    /// Version of its hardware.
    Hardware(&'a str),
    /// What a stream can do.
    Stream(StreamCaps<'a>),
    /// What a stream retains.
    Ring(RingCaps),
    /// Limits of requests.
    Limits(LimitCaps),
    /// The clock.
    Clock(ClockCaps),
    /// What is optional and there.
    Features(Features),
    /// Something that this version does not know, or a maker's own.
    Unknown {
        /// Its type.
        type_number: u8,
        /// Its value.
        value: &'a [u8],
    },
}

impl Tlv<'_> {
    /// Its type on the air.
    pub const fn type_number(&self) -> u8 {
        match self {
            Tlv::Vendor(_) => VENDOR,
            Tlv::Product(_) => PRODUCT,
            Tlv::Firmware(_) => FIRMWARE,
            Tlv::Hardware(_) => HARDWARE,
            Tlv::Stream(_) => STREAM,
            Tlv::Ring(_) => RING,
            Tlv::Limits(_) => LIMITS,
            Tlv::Clock(_) => CLOCK,
            Tlv::Features(_) => FEATURES,
            Tlv::Unknown { type_number, .. } => *type_number,
        }
    }
}

/// One page of capabilities, checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CapsPage<'a> {
    page: u8,
    n_pages: u8,
    tlvs: &'a [u8],
}

impl<'a> CapsPage<'a> {
    /// The page of these TLVs as they stand on the air ([`TlvWriter`] makes them); refuses what a host would refuse.
    pub fn new(page: u8, n_pages: u8, tlvs: &'a [u8]) -> Result<Self, Refusal> {
        // 0 of 0 is among these.
        if page >= n_pages {
            return Err(Refusal::Param { field: "page" });
        }
        let mut walk = Tlvs::new(tlvs);
        while walk.step()?.is_some() {}
        Ok(CapsPage { page, n_pages, tlvs })
    }

    /// Which page, from 0.
    pub const fn page(&self) -> u8 {
        self.page
    }

    /// How many pages there are, at least 1.
    pub const fn n_pages(&self) -> u8 {
        self.n_pages
    }

    /// What it tells. Of a type that may not repeat, only the first on the page comes.
    pub fn tlvs(&self) -> Tlvs<'a> {
        Tlvs::new(self.tlvs)
    }

    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Self, Refusal> {
        CapsPage::new(reader.u8()?, reader.u8()?, reader.rest())
    }

    pub(crate) fn write(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        writer.u8(self.page)?.u8(self.n_pages)?.bytes(self.tlvs)?;
        Ok(())
    }
}

/// Iterator over the TLVs of a page.
#[derive(Clone, Debug)]
pub struct Tlvs<'a> {
    reader: Reader<'a>,
    /// One bit for each type that came.
    seen: [u32; 8],
}

impl<'a> Tlvs<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Tlvs {
            reader: Reader::new(bytes),
            seen: [0; 8],
        }
    }

    fn is_first(&mut self, type_number: u8) -> bool {
        let (word, bit) = (usize::from(type_number >> 5), 1 << (type_number & 31));
        let first = self.seen[word] & bit == 0;
        self.seen[word] |= bit;
        first
    }

    fn step(&mut self) -> Result<Option<Tlv<'a>>, Refusal> {
        while !self.reader.rest().is_empty() {
            let type_number = self.reader.u8()?;
            let length = usize::from(self.reader.u8()?);
            let value = self.reader.take(length)?;
            if self.is_first(type_number) || matches!(type_number, STREAM | RING) {
                return read_tlv(type_number, value).map(Some);
            }
        }
        Ok(None)
    }
}

impl<'a> Iterator for Tlvs<'a> {
    type Item = Tlv<'a>;

    fn next(&mut self) -> Option<Tlv<'a>> {
        // The page was walked to its end when it was made.
        self.step().ok().flatten()
    }
}

fn read_tlv(type_number: u8, value: &[u8]) -> Result<Tlv<'_>, Refusal> {
    let text = || core::str::from_utf8(value).map_err(|_| Refusal::Utf8);
    let mut reader = Reader::new(value);
    let reader = &mut reader;
    Ok(match type_number {
        VENDOR => Tlv::Vendor(text()?),
        PRODUCT => Tlv::Product(text()?),
        FIRMWARE => Tlv::Firmware(text()?),
        HARDWARE => Tlv::Hardware(text()?),
        STREAM => Tlv::Stream(StreamCaps {
            stream: read_stream(reader)?,
            kind_number: reader.u8()?,
            rates_mhz: NumberList::read(reader)?,
            acc_ranges_g: NumberList::read(reader)?,
            gyr_ranges_dps: NumberList::read(reader)?,
        }),
        RING => Tlv::Ring(RingCaps {
            stream: read_stream(reader)?,
            capacity: reader.u32()?,
            storage: match reader.u8()? {
                0 => RingStorage::LostAtReboot,
                1 => RingStorage::Kept,
                other => RingStorage::Other(other),
            },
        }),
        LIMITS => Tlv::Limits(LimitCaps {
            max_range: reader.u16()?,
            max_linger_s: reader.u16()?,
            max_configs: reader.u8()?,
        }),
        CLOCK => Tlv::Clock(ClockCaps {
            accuracy_ppm: reader.u16()?,
            tick_ns: reader.u32()?,
            ping_stamp: match reader.u8()? {
                0 => PingStamp::Software,
                1 => PingStamp::RadioEvent,
                other => PingStamp::Other(other),
            },
        }),
        FEATURES => Tlv::Features(Features { bits: reader.u32()? }),
        _ => Tlv::Unknown { type_number, value },
    })
}

/// Writes the TLVs of a page into a caller's buffer.
#[derive(Debug)]
pub struct TlvWriter<'b> {
    writer: Writer<'b>,
}

impl<'b> TlvWriter<'b> {
    /// An empty page in this buffer.
    pub fn new(buffer: &'b mut [u8]) -> Self {
        TlvWriter {
            writer: Writer::new(buffer),
        }
    }

    /// The bytes written, for [`CapsPage::new`].
    pub fn finish(self) -> &'b [u8] {
        self.writer.finish()
    }

    /// Adds a TLV as it would be read back.
    pub fn push(&mut self, tlv: &Tlv<'_>) -> Result<&mut Self, EncodeError> {
        match tlv {
            Tlv::Vendor(text) | Tlv::Product(text) | Tlv::Firmware(text) | Tlv::Hardware(text) => {
                self.head(tlv.type_number(), text.len())?.bytes(text.as_bytes())?;
            }
            Tlv::Unknown { value, .. } => {
                self.head(tlv.type_number(), value.len())?.bytes(value)?;
            }
            Tlv::Stream(caps) => {
                let lists = [
                    caps.rates_mhz.0.len(),
                    caps.acc_ranges_g.0.len(),
                    caps.gyr_ranges_dps.0.len(),
                ];
                let writer = self.head(STREAM, 5 + lists.iter().sum::<usize>())?;
                writer.u8(caps.stream.get())?.u8(caps.kind_number)?;
                // Each list came from one byte of count, so its length fits one.
                writer.u8(caps.rates_mhz.len() as u8)?.bytes(caps.rates_mhz.0)?;
                writer.u8(caps.acc_ranges_g.len() as u8)?.bytes(caps.acc_ranges_g.0)?;
                writer
                    .u8(caps.gyr_ranges_dps.len() as u8)?
                    .bytes(caps.gyr_ranges_dps.0)?;
            }
            Tlv::Ring(ring) => {
                let storage = match ring.storage {
                    RingStorage::LostAtReboot => 0,
                    RingStorage::Kept => 1,
                    RingStorage::Other(number) => number,
                };
                self.head(RING, 6)?
                    .u8(ring.stream.get())?
                    .u32(ring.capacity)?
                    .u8(storage)?;
            }
            Tlv::Limits(limits) => {
                let writer = self.head(LIMITS, 5)?;
                writer
                    .u16(limits.max_range)?
                    .u16(limits.max_linger_s)?
                    .u8(limits.max_configs)?;
            }
            Tlv::Clock(clock) => {
                let stamp = match clock.ping_stamp {
                    PingStamp::Software => 0,
                    PingStamp::RadioEvent => 1,
                    PingStamp::Other(number) => number,
                };
                self.head(CLOCK, 7)?
                    .u16(clock.accuracy_ppm)?
                    .u32(clock.tick_ns)?
                    .u8(stamp)?;
            }
            Tlv::Features(features) => {
                self.head(FEATURES, 4)?.u32(features.bits)?;
            }
        }
        Ok(self)
    }

    /// Adds what a stream can do, from plain lists.
    pub fn push_stream(
        &mut self,
        stream: StreamId,
        kind: Kind,
        rates_mhz: &[u32],
        acc_ranges_g: &[u16],
        gyr_ranges_dps: &[u16],
    ) -> Result<&mut Self, EncodeError> {
        let numbers = acc_ranges_g.len().saturating_add(gyr_ranges_dps.len());
        let length = rates_mhz
            .len()
            .saturating_mul(4)
            .saturating_add(numbers.saturating_mul(2))
            .saturating_add(5);
        let writer = self.head(STREAM, length)?;
        // The whole fits a length byte, so each count does.
        writer.u8(stream.get())?.u8(kind.get())?.u8(rates_mhz.len() as u8)?;
        for rate in rates_mhz {
            writer.u32(*rate)?;
        }
        for ranges in [acc_ranges_g, gyr_ranges_dps] {
            writer.u8(ranges.len() as u8)?;
            for range in ranges {
                writer.u16(*range)?;
            }
        }
        Ok(self)
    }

    fn head(&mut self, type_number: u8, length: usize) -> Result<&mut Writer<'b>, EncodeError> {
        let length = u8::try_from(length).map_err(|_| Refusal::Length { need: 255, got: length })?;
        self.writer.u8(type_number)?.u8(length)?;
        Ok(&mut self.writer)
    }
}

/// Something that every pod must tell and this one did not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MissingCapability {
    /// A type that must be there once.
    Once {
        /// Its number.
        type_number: u8,
    },
    /// What a stream can do.
    Stream(StreamId),
    /// What a stream retains.
    Ring(StreamId),
}

/// Ticks off what every pod must tell: vendor, product, firmware, limits, clock, and a stream and a ring per stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CapsChecklist {
    once: u32,
    streams: u8,
    rings: u8,
}

impl CapsChecklist {
    /// Notes a TLV of any page.
    pub fn note(&mut self, tlv: &Tlv<'_>) {
        match tlv {
            Tlv::Stream(caps) => self.streams |= 1 << caps.stream.get(),
            Tlv::Ring(ring) => self.rings |= 1 << ring.stream.get(),
            tlv => self.once |= 1u32.checked_shl(tlv.type_number().into()).unwrap_or(0),
        }
    }

    /// The first thing missing on a pod with this many streams; `None` if all is there.
    pub fn missing(&self, n_streams: u8) -> Option<MissingCapability> {
        let once = [VENDOR, PRODUCT, FIRMWARE, LIMITS, CLOCK];
        if let Some(type_number) = once.into_iter().find(|number| self.once & 1 << number == 0) {
            return Some(MissingCapability::Once { type_number });
        }
        let streams = || (0..n_streams.min(MOST_STREAMS as u8)).filter_map(StreamId::new);
        let without = |seen: u8| streams().find(move |stream| seen & 1 << stream.get() == 0);
        let stream = without(self.streams).map(MissingCapability::Stream);
        stream.or_else(|| without(self.rings).map(MissingCapability::Ring))
    }
}
