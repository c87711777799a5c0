//! The queue between a link's drain task and whoever works on its events: bounded, dropping the oldest frames.
//!
//! A slow consumer must not slow the radio down, and what it misses must be counted: when the queue is full the oldest
//! *frame* makes room, and [`LinkEvent::Overflowed`] with the number dropped stands before the next event. Answers and the
//! end of a link are never dropped; there are few of them.

use super::link::LinkEvent;
use crate::model::SessionTime;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use tokio::sync::Notify;

/// Frames a queue holds: 40 s of a pod at 100 frames/s.
pub const CAPACITY: usize = 4096;

#[derive(Debug, Default)]
struct Inner {
    events: VecDeque<LinkEvent>,
    dropped: u32,
    dropped_in_all: u64,
    noticed: SessionTime,
    closed: bool,
}

/// See the module's head.
#[derive(Debug, Default)]
pub struct LinkQueue {
    inner: Mutex<Inner>,
    filled: Notify,
}

impl LinkQueue {
    /// An empty queue.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends an event, dropping the oldest frame if there is no room. Never waits.
    pub fn push(&self, event: LinkEvent) {
        {
            let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
            if inner.events.len() >= CAPACITY
                && let Some(oldest) = inner.events.iter().position(|e| matches!(e, LinkEvent::Frame { .. }))
            {
                inner.events.remove(oldest);
                inner.dropped += 1;
                inner.dropped_in_all += 1;
                inner.noticed = event.at();
            }
            inner.events.push_back(event);
        }
        self.filled.notify_one();
    }

    /// No more events come: waiting readers are woken.
    pub fn close(&self) {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.filled.notify_one();
    }

    /// The next event if there is one.
    pub fn try_pop(&self) -> Option<LinkEvent> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.dropped > 0 {
            let frames = std::mem::take(&mut inner.dropped);
            return Some(LinkEvent::Overflowed {
                at: inner.noticed,
                frames,
            });
        }
        inner.events.pop_front()
    }

    /// The next event, when there is one; `None` after [`LinkQueue::close`] and the last event. One reader.
    pub async fn pop(&self) -> Option<LinkEvent> {
        loop {
            if let Some(event) = self.try_pop() {
                return Some(event);
            }
            if self.inner.lock().unwrap_or_else(PoisonError::into_inner).closed {
                return None;
            }
            self.filled.notified().await;
        }
    }

    /// Events waiting.
    #[must_use]
    pub fn len(&self) -> usize {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).events.len()
    }

    /// Whether none wait.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Frames dropped so far.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).dropped_in_all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sensors::link::{Chan, DownReason};

    fn frame(k: u32) -> LinkEvent {
        LinkEvent::Frame {
            at: SessionTime::from_nanos(i64::from(k)),
            chan: Chan::sig(0x180D, 0x2A37),
            bytes: k.to_le_bytes().to_vec(),
        }
    }

    #[test]
    fn a_full_queue_drops_the_oldest_frames_and_says_how_many() {
        let queue = LinkQueue::new();
        let more = 10;
        for k in 0..CAPACITY as u32 + more {
            queue.push(frame(k));
        }
        assert_eq!(queue.len(), CAPACITY);
        let Some(LinkEvent::Overflowed { frames, .. }) = queue.try_pop() else {
            panic!("the loss comes first");
        };
        assert_eq!(frames, more);
        assert_eq!(queue.try_pop(), Some(frame(more)));
        assert_eq!(queue.dropped(), u64::from(more));
    }

    #[test]
    fn the_end_of_a_link_is_never_dropped() {
        let queue = LinkQueue::new();
        queue.push(LinkEvent::Down {
            at: SessionTime::ZERO,
            reason: DownReason::Lost,
        });
        for k in 0..2 * CAPACITY as u32 {
            queue.push(frame(k));
        }
        let kept = std::iter::from_fn(|| queue.try_pop())
            .filter(|e| matches!(e, LinkEvent::Down { .. }))
            .count();
        assert_eq!(kept, 1);
    }
}
