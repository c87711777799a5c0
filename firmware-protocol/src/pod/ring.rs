//! The samples a stream retains.
//!
//! A ring in the caller's memory: the sample of index i stands at i modulo the capacity, so that any index is found at
//! once and nothing moves. When it is full, the oldest sample is overwritten, acknowledged or not: during a run a live
//! view of the present is worth more than one of the past, and the host is told.

use crate::{CfgId, Continuity, LossReason, PodTime};

/// Most bytes of one entry of any kind.
pub(super) const MOST_ENTRY_BYTES: usize = 18;

/// Room for one sample.
#[derive(Clone, Copy, Debug)]
pub struct Slot {
    what: SlotContent,
    bytes: [u8; MOST_ENTRY_BYTES],
}

impl Slot {
    /// Room without a sample.
    pub const EMPTY: Slot = Slot {
        what: SlotContent::NotSampled,
        bytes: [0; MOST_ENTRY_BYTES],
    };
}

#[derive(Clone, Copy, Debug)]
enum SlotContent {
    NotSampled,
    Sample(SampleNote),
}

/// What is known about a retained sample besides its entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SampleNote {
    pub(super) time: PodTime,
    pub(super) cfg_id: CfgId,
    pub(super) continuity: Continuity,
}

/// Indices `oldest .. next` in a ring of slots.
#[derive(Debug)]
pub(super) struct Ring<'b> {
    slots: &'b mut [Slot],
    oldest: u32,
    next: u32,
    acked: u32,
}

impl<'b> Ring<'b> {
    pub(super) fn new(slots: &'b mut [Slot]) -> Self {
        Ring {
            slots,
            oldest: 0,
            next: 0,
            acked: 0,
        }
    }

    pub(super) fn capacity(&self) -> u32 {
        u32::try_from(self.slots.len()).unwrap_or(u32::MAX)
    }

    /// First index that may be retained.
    pub(super) fn oldest(&self) -> u32 {
        self.oldest
    }

    /// Index the next sample will get.
    pub(super) fn next(&self) -> u32 {
        self.next
    }

    pub(super) fn acked(&self) -> u32 {
        self.acked
    }

    pub(super) fn clear(&mut self) {
        (self.oldest, self.next, self.acked) = (0, 0, 0);
    }

    pub(super) fn push(&mut self, note: SampleNote, write: impl FnOnce(&mut [u8])) {
        if let Some(slot) = slot_of(self.slots, self.next) {
            slot.what = SlotContent::Sample(note);
            write(&mut slot.bytes);
        }
        self.next += 1;
        self.forget_what_does_not_fit();
    }

    /// `count` indices pass without a sample.
    pub(super) fn skip(&mut self, count: u32) {
        let first_that_stays = (self.next + count).saturating_sub(self.capacity()).max(self.next);
        self.next += count;
        for index in first_that_stays..self.next {
            if let Some(slot) = slot_of(self.slots, index) {
                slot.what = SlotContent::NotSampled;
            }
        }
        self.forget_what_does_not_fit();
    }

    /// The last `count` samples had not reached the storage.
    pub(super) fn tear_off(&mut self, count: u32) {
        self.next = self.next.saturating_sub(count).max(self.oldest);
    }

    /// All below `upto` are safe with the host: they may go.
    pub(super) fn acknowledge(&mut self, upto: u32) {
        self.acked = self.acked.max(upto);
        self.oldest = self.oldest.max(self.acked);
    }

    /// The sample of an index, or why it will never come.
    pub(super) fn sample(&self, index: u32) -> Result<(SampleNote, &[u8]), LossReason> {
        if index < self.oldest {
            return Err(if index < self.acked {
                LossReason::Freed
            } else {
                LossReason::Overwritten
            });
        }
        let at = usize::try_from(index).unwrap_or(0) % self.slots.len().max(1);
        match self.slots.get(at).filter(|_| index < self.next) {
            Some(Slot {
                what: SlotContent::Sample(note),
                bytes,
            }) => Ok((*note, bytes)),
            _ => Err(LossReason::NotSampled),
        }
    }

    fn forget_what_does_not_fit(&mut self) {
        self.oldest = self.oldest.max(self.next.saturating_sub(self.capacity()));
    }
}

fn slot_of(slots: &mut [Slot], index: u32) -> Option<&mut Slot> {
    let at = usize::try_from(index).ok()?.checked_rem(slots.len())?;
    slots.get_mut(at)
}
