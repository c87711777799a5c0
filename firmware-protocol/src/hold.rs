//! Frames that came before their configuration (SPEC.md section 6.4).
//!
//! A frame can overtake the reply that explains it. A host keeps it for a moment, asks GET_CONFIG, and uses or drops it.
//! Kept are the bytes, at most N frames and for at most two seconds; the oldest make room.

use crate::{CfgId, Frame, LONGEST_FRAME, Refusal};

/// A held frame is dropped after this, ns.
const HOLD_NS: i64 = 2_000_000_000;

#[derive(Clone, Copy, Debug)]
struct Held {
    arrived_ns: i64,
    length: usize,
    bytes: [u8; LONGEST_FRAME],
}

/// At most N frames of unknown configurations; SPEC.md says 64.
#[derive(Clone, Debug)]
pub struct HeldFrames<const N: usize> {
    /// In the order of arrival from the front; free places are behind.
    frames: [Option<Held>; N],
    dropped: u64,
}

impl<const N: usize> Default for HeldFrames<N> {
    fn default() -> Self {
        HeldFrames {
            frames: [None; N],
            dropped: 0,
        }
    }
}

impl<const N: usize> HeldFrames<N> {
    /// Frames dropped so far: too many, too old, or of a configuration that does not exist.
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// How many are held.
    pub fn len(&self) -> usize {
        self.frames.iter().flatten().count()
    }

    /// True if none is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Keeps a frame. Bytes that are no frame are refused.
    pub fn hold(&mut self, frame: &[u8], now_ns: i64) -> Result<(), Refusal> {
        Frame::decode(frame)?;
        self.drop_old(now_ns);
        if self.len() == N {
            self.remove(0);
        }
        let mut held = Held {
            arrived_ns: now_ns,
            length: frame.len(),
            bytes: [0; LONGEST_FRAME],
        };
        // A frame that was decoded is never longer.
        held.bytes[..frame.len()].copy_from_slice(frame);
        match self.frames.iter_mut().find(|place| place.is_none()) {
            Some(place) => *place = Some(held),
            None => self.dropped += 1,
        }
        Ok(())
    }

    /// Configurations to ask for, each once per held frame that needs it.
    pub fn wanted(&self) -> impl Iterator<Item = CfgId> + '_ {
        self.frames
            .iter()
            .flatten()
            .filter_map(|held| Frame::decode(&held.bytes[..held.length]).ok()?.cfg_id())
    }

    /// The configuration is known: its frames go to `use_frame` in the order they came, with the time they came at.
    pub fn release(&mut self, cfg_id: CfgId, mut use_frame: impl FnMut(&Frame<'_>, i64)) {
        let kept = core::mem::replace(&mut self.frames, [None; N]);
        let mut free = self.frames.iter_mut();
        for held in kept.into_iter().flatten() {
            match Frame::decode(&held.bytes[..held.length]) {
                Ok(frame) if frame.cfg_id() == Some(cfg_id) => use_frame(&frame, held.arrived_ns),
                _ => {
                    if let Some(place) = free.next() {
                        *place = Some(held);
                    }
                }
            }
        }
    }

    /// The configuration does not exist (`not_found`): its frames are dropped and counted.
    pub fn drop_unknown(&mut self, cfg_id: CfgId) {
        let mut dropped = 0;
        self.release(cfg_id, |_, _| dropped += 1);
        self.dropped += dropped;
    }

    /// Drops what has waited for two seconds.
    pub fn drop_old(&mut self, now_ns: i64) {
        while let Some(Some(first)) = self.frames.first()
            && now_ns.saturating_sub(first.arrived_ns) > HOLD_NS
        {
            self.remove(0);
        }
    }

    fn remove(&mut self, at: usize) {
        if at < N {
            self.frames[at..].rotate_left(1);
            self.frames[N - 1] = None;
            self.dropped += 1;
        }
    }
}
