//! Frames: one notification of the Stream characteristic.
//!
//! A frame is a header of 16 bytes and entries with consecutive indices. It can be placed alone: it carries index, time
//! and configuration, so a lost, doubled or late frame disturbs no other. [`Frame::decode`] checks everything once, in the
//! order of SPEC.md section 4.5, and borrows the entries; iterating over them afterwards cannot fail and copies nothing
//! but the numbers.
//!
//! Terms: *data frame* carries entries, *gap* says that indices will not come.

use crate::codec::{Reader, Writer};
use crate::crc::crc16_of_two;
use crate::entry::{Clipping, Entry, HighGEntry, Imu9Entry, ImuEntry, Kind, Mark};
use crate::id::time_on_air;
use crate::{CfgId, EncodeError, INDEX_NONE, MAJOR, PodTime, Refusal, StreamId};

/// Bytes of the header of a frame.
pub const FRAME_HEADER: usize = 16;
/// No frame is longer: 244 + 3 (ATT) + 4 (L2CAP) = 251 bytes, one link-layer packet.
pub const LONGEST_FRAME: usize = 244;
/// Bytes of a gap.
pub const GAP_FRAME: usize = 24;

const GAP_KIND: u8 = 4;
/// Bytes of ATT around a notification's value: opcode and handle.
const ATT_OVERHEAD: usize = 3;
/// Where the checksum stands; it covers what is before and after it.
const CRC_AT: core::ops::Range<usize> = 14..16;

const BACKFILL: u8 = 1 << 3;
const ACC_CLIPPED: u8 = 1 << 4;
const GYR_CLIPPED: u8 = 1 << 5;
const AFTER_GAP: u8 = 1 << 6;
const TIME_ESTIMATED: u8 = 1 << 7;

/// Most entries of this kind in one frame at an ATT MTU; 0 if not even one fits.
///
/// SPEC.md section 4.2: `min(limit, (MTU − 19) / bytes)`.
pub const fn entries_per_frame(kind: Kind, att_mtu: u16) -> usize {
    let room = (att_mtu as usize).saturating_sub(ATT_OVERHEAD + FRAME_HEADER) / kind.entry_bytes();
    if room < kind.most_entries() {
        room
    } else {
        kind.most_entries()
    }
}

/// What a frame says about itself besides its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct FrameFlags {
    /// Sent because of a RANGE request; its arrival says nothing about the clock.
    pub backfill: bool,
    /// An entry has an axis of acceleration at or beyond `acc_clip`: no peak may be reported from this frame.
    pub acc_clipped: bool,
    /// The same for angular rate.
    pub gyr_clipped: bool,
    /// The sample before the first entry was never taken (the sensor's queue overran).
    pub after_gap: bool,
    /// The time was extrapolated, not captured: keep it out of the fit of the sample rate.
    pub time_estimated: bool,
}

impl FrameFlags {
    const fn from_byte(byte: u8) -> Self {
        FrameFlags {
            backfill: byte & BACKFILL != 0,
            acc_clipped: byte & ACC_CLIPPED != 0,
            gyr_clipped: byte & GYR_CLIPPED != 0,
            after_gap: byte & AFTER_GAP != 0,
            time_estimated: byte & TIME_ESTIMATED != 0,
        }
    }

    const fn to_byte(self) -> u8 {
        (self.backfill as u8 * BACKFILL)
            | (self.acc_clipped as u8 * ACC_CLIPPED)
            | (self.gyr_clipped as u8 * GYR_CLIPPED)
            | (self.after_gap as u8 * AFTER_GAP)
            | (self.time_estimated as u8 * TIME_ESTIMATED)
    }

    /// These flags with the clip bits of the entries.
    pub const fn with_clipping(self, clipping: Clipping) -> Self {
        FrameFlags {
            acc_clipped: clipping.acc,
            gyr_clipped: clipping.gyr,
            ..self
        }
    }
}

/// The header of a data frame, in the words of the sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DataHeader {
    /// The stream.
    pub stream: StreamId,
    /// What is special about it.
    pub flags: FrameFlags,
    /// Index of the first entry.
    pub index: u32,
    /// Time of the first entry: the moment its reading was complete in the sensor.
    pub time: PodTime,
    /// Configuration of all entries.
    pub cfg_id: CfgId,
}

/// Entries of one kind, still as the bytes they came in.
///
/// Iterating decodes one entry a step; the length was checked when the frame was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entries<'a, E> {
    bytes: &'a [u8],
    kind: core::marker::PhantomData<E>,
}

impl<'a, E: Entry> Entries<'a, E> {
    fn new(bytes: &'a [u8]) -> Self {
        Entries {
            bytes,
            kind: core::marker::PhantomData,
        }
    }

    /// Number of entries, at least 1.
    pub const fn len(&self) -> usize {
        self.bytes.len() / E::KIND.entry_bytes()
    }

    /// Never true: a data frame without entries is refused.
    pub const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The entry at a position in this frame; `None` past the end.
    pub fn get(&self, position: usize) -> Option<E> {
        self.bytes
            .chunks_exact(E::KIND.entry_bytes())
            .nth(position)
            .map(E::read)
    }

    /// The entries in the order of their indices.
    pub fn iter(&self) -> EntriesIter<'a, E> {
        EntriesIter {
            chunks: self.bytes.chunks_exact(E::KIND.entry_bytes()),
            kind: core::marker::PhantomData,
        }
    }
}

impl<'a, E: Entry> IntoIterator for Entries<'a, E> {
    type Item = E;
    type IntoIter = EntriesIter<'a, E>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Iterator over [`Entries`].
#[derive(Clone, Debug)]
pub struct EntriesIter<'a, E> {
    chunks: core::slice::ChunksExact<'a, u8>,
    kind: core::marker::PhantomData<E>,
}

impl<E: Entry> Iterator for EntriesIter<'_, E> {
    type Item = E;

    #[inline]
    fn next(&mut self) -> Option<E> {
        self.chunks.next().map(E::read)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.chunks.size_hint()
    }
}

impl<E: Entry> ExactSizeIterator for EntriesIter<'_, E> {}

/// The entries of a data frame, by kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Payload<'a> {
    /// Acceleration and angular rate.
    Imu6(Entries<'a, ImuEntry>),
    /// Acceleration, angular rate and magnetic field.
    Imu9(Entries<'a, Imu9Entry>),
    /// Acceleration of a high-range sensor.
    HighG(Entries<'a, HighGEntry>),
    /// Moments worth remembering.
    Marks(Entries<'a, Mark>),
}

impl Payload<'_> {
    /// The kind of the entries.
    pub const fn kind(&self) -> Kind {
        match self {
            Payload::Imu6(_) => Kind::Imu6,
            Payload::Imu9(_) => Kind::Imu9,
            Payload::HighG(_) => Kind::HighG,
            Payload::Marks(_) => Kind::Marks,
        }
    }

    /// Number of entries, at least 1.
    pub const fn len(&self) -> usize {
        self.bytes().len() / self.kind().entry_bytes()
    }

    /// Never true: a data frame without entries is refused.
    pub const fn is_empty(&self) -> bool {
        self.bytes().is_empty()
    }

    /// The entries as they are on the air.
    pub const fn bytes(&self) -> &[u8] {
        match self {
            Payload::Imu6(entries) => entries.bytes,
            Payload::Imu9(entries) => entries.bytes,
            Payload::HighG(entries) => entries.bytes,
            Payload::Marks(entries) => entries.bytes,
        }
    }
}

/// A frame with entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataFrame<'a> {
    /// What stands before the entries.
    pub header: DataHeader,
    /// The entries.
    pub payload: Payload<'a>,
}

/// Why indices will not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LossReason {
    /// Overwritten in the ring before anybody asked for it.
    Overwritten,
    /// Freed after the host acknowledged it.
    Freed,
    /// Never taken: the sensor's queue overran.
    NotSampled,
    /// The storage failed.
    StorageFault,
    /// A reason that this version does not know. It is lost all the same.
    Other(u8),
}

impl LossReason {
    /// The reason of this number.
    pub const fn new(number: u8) -> Self {
        match number {
            1 => LossReason::Overwritten,
            2 => LossReason::Freed,
            3 => LossReason::NotSampled,
            4 => LossReason::StorageFault,
            other => LossReason::Other(other),
        }
    }

    /// Its number on the air.
    pub const fn get(self) -> u8 {
        match self {
            LossReason::Overwritten => 1,
            LossReason::Freed => 2,
            LossReason::NotSampled => 3,
            LossReason::StorageFault => 4,
            LossReason::Other(number) => number,
        }
    }
}

/// A frame that says: `count` indices from `index` on will not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Gap {
    /// The stream.
    pub stream: StreamId,
    /// What is special about it; of these only `backfill` has a meaning here.
    pub flags: FrameFlags,
    /// First missing index.
    pub index: u32,
    /// Time of the first missing sample, if known.
    pub time: Option<PodTime>,
    /// Its configuration, if known.
    pub cfg_id: Option<CfgId>,
    /// How many are missing, at least 1.
    pub count: u32,
    /// Why.
    pub reason: LossReason,
}

/// One notification of the Stream characteristic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// Entries.
    Data(DataFrame<'a>),
    /// The admission that there are none.
    Gap(Gap),
}

impl<'a> Frame<'a> {
    /// Reads one notification, checking in the order of SPEC.md section 4.5.
    ///
    /// The entries borrow `bytes`. Returns for every input; a [`Refusal`] is counted and the frame dropped, the session
    /// goes on. [`Refusal::UnknownKind`] is no fault, a later version or a maker's own kind.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Refusal> {
        if bytes.len() < FRAME_HEADER {
            return Err(Refusal::Truncated {
                need: FRAME_HEADER,
                got: bytes.len(),
            });
        }
        // The version comes first: another major may have another checksum, and "newer pod" helps more than "bad crc".
        let (major, kind) = (bytes[0] >> 4, bytes[0] & 0x0F);
        if major != MAJOR {
            return Err(Refusal::Major { got: major });
        }
        let stated = u16::from_le_bytes([bytes[CRC_AT.start], bytes[CRC_AT.start + 1]]);
        let computed = frame_crc(bytes);
        if stated != computed {
            return Err(Refusal::Crc { stated, computed });
        }
        let mut reader = Reader::new(&bytes[1..]);
        let head = RawHeader {
            flags: reader.u8()?,
            index: reader.u32()?,
            time: PodTime::from_us(reader.u48()?),
            cfg_id: CfgId::new(reader.u8()?),
            count: reader.u8()?,
        };
        let body = &bytes[FRAME_HEADER..];
        if kind == GAP_KIND {
            return decode_gap(&head, body).map(Frame::Gap);
        }
        let kind = Kind::new(kind).ok_or(Refusal::UnknownKind { kind })?;
        decode_data(&head, kind, body).map(Frame::Data)
    }

    /// Writes the frame into `out` and gives back the written part.
    pub fn encode<'b>(&self, out: &'b mut [u8]) -> Result<&'b [u8], EncodeError> {
        match self {
            Frame::Gap(gap) => gap.encode(out),
            Frame::Data(data) => {
                let kind = data.payload.kind();
                encode_body(&data.header, kind, data.payload.len(), out, |place| {
                    place.copy_from_slice(data.payload.bytes());
                })
            }
        }
    }

    /// The stream it belongs to.
    pub const fn stream(&self) -> StreamId {
        match self {
            Frame::Data(data) => data.header.stream,
            Frame::Gap(gap) => gap.stream,
        }
    }

    /// First index it speaks about.
    pub const fn index(&self) -> u32 {
        match self {
            Frame::Data(data) => data.header.index,
            Frame::Gap(gap) => gap.index,
        }
    }

    /// Number of indices it speaks about, at least 1.
    pub const fn count(&self) -> u32 {
        match self {
            Frame::Data(data) => data.payload.len() as u32,
            Frame::Gap(gap) => gap.count,
        }
    }

    /// First index after those it speaks about, at most FFFF FFFF.
    pub const fn end(&self) -> u32 {
        self.index().saturating_add(self.count())
    }

    /// Its flags.
    pub const fn flags(&self) -> FrameFlags {
        match self {
            Frame::Data(data) => data.header.flags,
            Frame::Gap(gap) => gap.flags,
        }
    }

    /// Time of the first index it speaks about, if known.
    pub const fn time(&self) -> Option<PodTime> {
        match self {
            Frame::Data(data) => Some(data.header.time),
            Frame::Gap(gap) => gap.time,
        }
    }

    /// Its configuration, if known.
    pub const fn cfg_id(&self) -> Option<CfgId> {
        match self {
            Frame::Data(data) => Some(data.header.cfg_id),
            Frame::Gap(gap) => gap.cfg_id,
        }
    }
}

/// The header after version and kind, before its rules are checked.
struct RawHeader {
    flags: u8,
    index: u32,
    time: Option<PodTime>,
    cfg_id: Option<CfgId>,
    count: u8,
}

fn frame_crc(frame: &[u8]) -> u16 {
    crc16_of_two(&frame[..CRC_AT.start], &frame[CRC_AT.end..])
}

/// Indices `first .. first + count` exist only if the end is not above FFFF FFFF.
pub(crate) fn check_indices(first: u32, count: u32) -> Result<(), Refusal> {
    // The sum is at most INDEX_NONE exactly if count fits in what is left.
    if count <= INDEX_NONE - first {
        Ok(())
    } else {
        Err(Refusal::Index { first, count })
    }
}

fn decode_gap(head: &RawHeader, body: &[u8]) -> Result<Gap, Refusal> {
    if head.count != 0 {
        return Err(Refusal::Count {
            got: head.count.into(),
            most: 0,
        });
    }
    if body.len() != GAP_FRAME - FRAME_HEADER {
        return Err(Refusal::Length {
            need: GAP_FRAME,
            got: FRAME_HEADER + body.len(),
        });
    }
    let mut reader = Reader::new(body);
    let (count, reason) = (reader.u32()?, LossReason::new(reader.u8()?));
    if count == 0 {
        return Err(Refusal::Count {
            got: 0,
            most: INDEX_NONE,
        });
    }
    check_indices(head.index, count)?;
    Ok(Gap {
        stream: StreamId::from_low_bits(head.flags),
        flags: FrameFlags::from_byte(head.flags),
        index: head.index,
        time: head.time,
        cfg_id: head.cfg_id,
        count,
        reason,
    })
}

fn decode_data<'a>(head: &RawHeader, kind: Kind, body: &'a [u8]) -> Result<DataFrame<'a>, Refusal> {
    let count = usize::from(head.count);
    if count == 0 || count > kind.most_entries() {
        return Err(Refusal::Count {
            got: head.count.into(),
            most: kind.most_entries() as u32,
        });
    }
    let need = count * kind.entry_bytes();
    if body.len() != need {
        return Err(Refusal::Length {
            need: FRAME_HEADER + need,
            got: FRAME_HEADER + body.len(),
        });
    }
    let cfg_id = head.cfg_id.ok_or(Refusal::CfgId)?;
    check_indices(head.index, head.count.into())?;
    let time = head.time.ok_or(Refusal::Time)?;
    let header = DataHeader {
        stream: StreamId::from_low_bits(head.flags),
        flags: FrameFlags::from_byte(head.flags),
        index: head.index,
        time,
        cfg_id,
    };
    let payload = match kind {
        Kind::Imu6 => Payload::Imu6(Entries::new(body)),
        Kind::Imu9 => Payload::Imu9(Entries::new(body)),
        Kind::HighG => Payload::HighG(Entries::new(body)),
        Kind::Marks => Payload::Marks(Entries::new(body)),
    };
    Ok(DataFrame { header, payload })
}

impl Gap {
    /// Writes the gap into `out` and gives back the written 24 bytes.
    pub fn encode<'b>(&self, out: &'b mut [u8]) -> Result<&'b [u8], EncodeError> {
        if self.count == 0 {
            return Err(Refusal::Count {
                got: 0,
                most: INDEX_NONE,
            }
            .into());
        }
        check_indices(self.index, self.count)?;
        let mut writer = Writer::new(out);
        put_header(
            &mut writer,
            GAP_KIND,
            self.stream,
            self.flags,
            self.index,
            self.time,
            self.cfg_id,
            0,
        )?;
        writer.u32(self.count)?.u8(self.reason.get())?.bytes(&[0; 3])?;
        let length = writer.written();
        Ok(seal(out, length))
    }
}

/// Writes a data frame with these entries into `out` and gives back the written part.
///
/// The flags go out as they are in `header`; [`encode_data_marking_clipping`] sets the clip bits from the entries. The
/// number of entries is 1 to [`Kind::most_entries`]; whether the frame fits the link is the caller's matter
/// ([`entries_per_frame`]).
pub fn encode_data<'b, E: Entry>(
    header: &DataHeader,
    entries: &[E],
    out: &'b mut [u8],
) -> Result<&'b [u8], EncodeError> {
    encode_body(header, E::KIND, entries.len(), out, |place| {
        for (entry, place) in entries.iter().zip(place.chunks_exact_mut(E::KIND.entry_bytes())) {
            entry.write(place);
        }
    })
}

/// The same, with the clip bits set as these limits of the configuration demand.
pub fn encode_data_marking_clipping<'b, E: Entry>(
    header: &DataHeader,
    limits: crate::ClipLimits,
    entries: &[E],
    out: &'b mut [u8],
) -> Result<&'b [u8], EncodeError> {
    let clipping = entries
        .iter()
        .fold(Clipping::default(), |sum, entry| sum.or(entry.clipping(limits)));
    encode_data(
        &DataHeader {
            flags: header.flags.with_clipping(clipping),
            ..*header
        },
        entries,
        out,
    )
}

/// Closes a frame whose entries already stand in their places.
pub(crate) fn encode_data_in_place<'b>(
    header: &DataHeader,
    kind: Kind,
    count: usize,
    out: &'b mut [u8],
) -> Result<&'b [u8], EncodeError> {
    encode_body(header, kind, count, out, |_| {})
}

fn encode_body<'b>(
    header: &DataHeader,
    kind: Kind,
    count: usize,
    out: &'b mut [u8],
    fill: impl FnOnce(&mut [u8]),
) -> Result<&'b [u8], EncodeError> {
    if count == 0 || count > kind.most_entries() {
        let got = u32::try_from(count).unwrap_or(u32::MAX);
        return Err(Refusal::Count {
            got,
            most: kind.most_entries() as u32,
        }
        .into());
    }
    // At most 38, so it fits a byte.
    let n = count as u8;
    check_indices(header.index, n.into())?;
    let length = FRAME_HEADER + count * kind.entry_bytes();
    let got = out.len();
    let body = out
        .get_mut(FRAME_HEADER..length)
        .ok_or(EncodeError::Buffer { need: length, got })?;
    fill(body);
    let (time, cfg_id) = (Some(header.time), Some(header.cfg_id));
    put_header(
        &mut Writer::new(out),
        kind.get(),
        header.stream,
        header.flags,
        header.index,
        time,
        cfg_id,
        n,
    )?;
    Ok(seal(out, length))
}

#[allow(
    clippy::too_many_arguments,
    reason = "the eight fields of the header, in the order they have on the air"
)]
fn put_header(
    writer: &mut Writer<'_>,
    kind: u8,
    stream: StreamId,
    flags: FrameFlags,
    index: u32,
    time: Option<PodTime>,
    cfg_id: Option<CfgId>,
    n: u8,
) -> Result<(), EncodeError> {
    writer
        .u8(MAJOR << 4 | kind)?
        .u8(flags.to_byte() | stream.get())?
        .u32(index)?
        .u48(time_on_air(time))?
        .u8(cfg_id.map_or(0, CfgId::get))?
        .u8(n)?
        .u16(0)?;
    Ok(())
}

/// Puts the checksum in its place; `out` holds a whole frame of `length` bytes.
fn seal(out: &mut [u8], length: usize) -> &[u8] {
    let frame = &mut out[..length];
    let crc = frame_crc(frame);
    frame[CRC_AT].copy_from_slice(&crc.to_le_bytes());
    frame
}
