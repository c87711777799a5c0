//! A frame that grows sample by sample, for firmware that has no room for a second copy.
//!
//! A sensor's queue gives samples one at a time. [`FrameBuilder`] writes each straight to its place in the buffer that
//! will be notified, remembers what clipped, and closes the frame when it is full, when the configuration changes, or
//! when the sender says so. It knows the rules of SPEC.md section 4.3 that concern one frame and no timer: the sender
//! decides when 200 ms are over.

use crate::entry::{Clipping, Entry};
use crate::frame::{DataHeader, FRAME_HEADER, FrameFlags, LONGEST_FRAME, encode_data_in_place};
use crate::{CfgId, ClipLimits, EncodeError, PodTime, StreamId};

/// What identifies a sample that goes into a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleHead {
    /// Its index in stream and session.
    pub index: u32,
    /// The moment its reading was complete in the sensor.
    pub time: PodTime,
    /// Its configuration.
    pub cfg_id: CfgId,
    /// Whether it continues the sample before it.
    pub continuity: Continuity,
}

/// Whether a sample follows the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Continuity {
    /// The sample with the index before was taken.
    #[default]
    Follows,
    /// The sensor's queue overran just before this sample.
    AfterOverrun,
}

/// What became of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// It is in the frame and more fit.
    Room,
    /// It is in the frame, which is full now: [`FrameBuilder::finish`] and send.
    Full,
    /// It cannot be in this frame (seam, overrun, or full before): finish, send, push again.
    NotTaken,
}

/// A data frame under construction, in its own buffer of [`LONGEST_FRAME`] bytes.
#[derive(Clone, Debug)]
pub struct FrameBuilder<E> {
    stream: StreamId,
    most: usize,
    count: usize,
    first: Option<SampleHead>,
    clipping: Clipping,
    buffer: [u8; LONGEST_FRAME],
    kind: core::marker::PhantomData<E>,
}

impl<E: Entry> FrameBuilder<E> {
    /// An empty frame of a stream, as long as this ATT MTU allows but never for fewer than one entry.
    pub fn new(stream: StreamId, att_mtu: u16) -> Self {
        let most = crate::entries_per_frame(E::KIND, att_mtu).max(1);
        let (first, clipping, buffer) = (None, Clipping::default(), [0; LONGEST_FRAME]);
        FrameBuilder {
            stream,
            most,
            count: 0,
            first,
            clipping,
            buffer,
            kind: core::marker::PhantomData,
        }
    }

    /// Number of samples in it.
    pub const fn len(&self) -> usize {
        self.count
    }

    /// True before the first sample.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Time of its first sample: send it at the latest 200 ms after that.
    pub fn first_time(&self) -> Option<PodTime> {
        self.first.map(|head| head.time)
    }

    /// Adds a sample if it can be in the same frame as those before.
    pub fn push(&mut self, head: SampleHead, entry: E, limits: ClipLimits) -> Pushed {
        if !self.continues(&head) {
            return Pushed::NotTaken;
        }
        self.first.get_or_insert(head);
        self.clipping = self.clipping.or(entry.clipping(limits));
        let start = FRAME_HEADER + self.count * E::KIND.entry_bytes();
        entry.write(&mut self.buffer[start..start + E::KIND.entry_bytes()]);
        self.count += 1;
        if self.count == self.most {
            Pushed::Full
        } else {
            Pushed::Room
        }
    }

    fn continues(&self, head: &SampleHead) -> bool {
        let Some(first) = self.first else { return true };
        self.count < self.most
            && head.cfg_id == first.cfg_id
            && head.continuity == Continuity::Follows
            && Some(head.index) == first.index.checked_add(self.count as u32)
    }

    /// Closes the frame and hands it to `send`, leaving the builder empty; nothing happens when it is empty already.
    ///
    /// Fails only for indices past the last one, which a pod never reaches (it ends the session before).
    pub fn finish(&mut self, send: impl FnOnce(&[u8])) -> Result<(), EncodeError> {
        let Some(first) = self.first.take() else { return Ok(()) };
        let after_gap = first.continuity == Continuity::AfterOverrun;
        let flags = FrameFlags {
            after_gap,
            ..FrameFlags::default()
        }
        .with_clipping(self.clipping);
        let header = DataHeader {
            stream: self.stream,
            flags,
            index: first.index,
            time: first.time,
            cfg_id: first.cfg_id,
        };
        let count = core::mem::take(&mut self.count);
        self.clipping = Clipping::default();
        send(encode_data_in_place(&header, E::KIND, count, &mut self.buffer)?);
        Ok(())
    }
}
