//! Where a link's events go into its queue: frames in order, echoes of reads left out, and one end after which nothing comes.

use super::super::link::{Chan, DownReason, LinkEvent};
use super::super::queue::LinkQueue;
use crate::model::SessionTime;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// BlueZ tells every new value of a characteristic as a notification, that of a read too.
const READS_ECHO: bool = cfg!(target_os = "linux");
/// An echo comes with the answer; one that comes later than this is a frame, s.
const ECHO_LIMIT_S: f64 = 1.0;

/// See the module's head.
#[derive(Debug)]
pub(super) struct Outlet {
    queue: Arc<LinkQueue>,
    over: watch::Sender<bool>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    over: bool,
    /// Characteristics that were asked for: others are read, or subscribed by another program.
    wanted: BTreeSet<Chan>,
    /// Frames that came while a wanted characteristic was being read. Bounded by the limit of a read.
    held: Option<(Chan, Vec<LinkEvent>)>,
    /// A value that was read and whose echo has not come yet.
    echo: Option<(Chan, Vec<u8>, SessionTime)>,
    heard: SessionTime,
}

impl Outlet {
    pub(super) fn new(now: SessionTime) -> Self {
        Self {
            queue: Arc::new(LinkQueue::new()),
            over: watch::Sender::new(false),
            state: Mutex::new(State {
                over: false,
                wanted: BTreeSet::new(),
                held: None,
                echo: None,
                heard: now,
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn queue(&self) -> Arc<LinkQueue> {
        Arc::clone(&self.queue)
    }

    /// From now on frames of this characteristic are wanted.
    pub(super) fn want(&self, chan: Chan) {
        self.state().wanted.insert(chan);
    }

    /// When the last wanted frame came, or the link began.
    pub(super) fn heard(&self) -> SessionTime {
        self.state().heard
    }

    /// A frame came.
    pub(super) fn frame(&self, at: SessionTime, chan: Chan, bytes: Vec<u8>) {
        let mut state = self.state();
        if state.over || !state.wanted.contains(&chan) {
            return;
        }
        state.heard = at;
        if state
            .echo
            .take_if(|(of, value, until)| *of == chan && *value == bytes && at <= *until)
            .is_some()
        {
            return;
        }
        let frame = LinkEvent::Frame { at, chan, bytes };
        match &mut state.held {
            Some((_, held)) => held.push(frame),
            // Under the lock, so that nothing can follow the end.
            None => self.queue.push(frame),
        }
    }

    /// A characteristic is about to be read: if it also notifies, frames wait until the answer tells which of them is its
    /// echo.
    pub(super) fn begin_read(&self, chan: Chan) {
        let mut state = self.state();
        if READS_ECHO && !state.over && state.wanted.contains(&chan) {
            state.held = Some((chan, Vec::new()));
        }
    }

    /// The read ended at `at`, with a value or without.
    pub(super) fn end_read(&self, at: SessionTime, value: Option<&[u8]>) {
        let mut state = self.state();
        let Some((chan, mut held)) = state.held.take() else {
            return;
        };
        if let Some(value) = value {
            let echo =
                |e: &LinkEvent| matches!(e, LinkEvent::Frame { chan: of, bytes, .. } if *of == chan && bytes == value);
            if let Some(echo) = held.iter().position(echo) {
                held.remove(echo);
            } else {
                state.echo = Some((chan, value.to_vec(), at.plus(ECHO_LIMIT_S)));
            }
        }
        for frame in held {
            self.queue.push(frame);
        }
    }

    /// The link is over: the last event. Later calls change nothing.
    pub(super) fn down(&self, at: SessionTime, reason: DownReason) {
        let mut state = self.state();
        if std::mem::replace(&mut state.over, true) {
            return;
        }
        for frame in state.held.take().into_iter().flat_map(|(_, held)| held) {
            self.queue.push(frame);
        }
        self.queue.push(LinkEvent::Down { at, reason });
        self.queue.close();
        self.over.send_replace(true);
    }

    /// Whether it is over.
    pub(super) fn is_over(&self) -> bool {
        self.state().over
    }

    /// Returns when it is over.
    pub(super) async fn until_over(&self) {
        // The sender lives in `self`, so waiting cannot fail.
        let _ = self.over.subscribe().wait_for(|over| *over).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHAN: Chan = Chan::sig(0x180D, 0x2A37);
    const OTHER: Chan = Chan::sig(0x180F, 0x2A19);

    fn at(ms: i64) -> SessionTime {
        SessionTime::from_nanos(ms * 1_000_000)
    }

    fn outlet() -> Outlet {
        let outlet = Outlet::new(SessionTime::ZERO);
        outlet.want(CHAN);
        outlet
    }

    fn bytes(outlet: &Outlet) -> Vec<Vec<u8>> {
        std::iter::from_fn(|| outlet.queue.try_pop())
            .filter_map(|e| match e {
                LinkEvent::Frame { bytes, .. } => Some(bytes),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn nothing_follows_the_end_and_there_is_one_end() {
        let outlet = outlet();
        outlet.frame(at(1), CHAN, vec![1]);
        outlet.down(at(2), DownReason::Lost);
        outlet.frame(at(3), CHAN, vec![2]);
        outlet.down(at(4), DownReason::Closed);
        let events: Vec<_> = std::iter::from_fn(|| outlet.queue.try_pop()).collect();
        assert_eq!(events.len(), 2);
        assert_eq!(
            events[1],
            LinkEvent::Down {
                at: at(2),
                reason: DownReason::Lost
            }
        );
    }

    #[test]
    fn frames_nobody_asked_for_are_left_out() {
        let outlet = outlet();
        outlet.frame(at(1), OTHER, vec![9]);
        outlet.frame(at(2), CHAN, vec![1]);
        assert_eq!(bytes(&outlet), [[1]]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_echo_of_a_read_is_left_out_before_or_after_the_answer_and_frames_keep_their_order() {
        for late in [false, true] {
            let outlet = outlet();
            outlet.begin_read(CHAN);
            outlet.frame(at(1), CHAN, vec![1]);
            if !late {
                outlet.frame(at(2), CHAN, vec![7]);
            }
            outlet.frame(at(3), CHAN, vec![3]);
            outlet.end_read(at(4), Some(&[7]));
            if late {
                outlet.frame(at(5), CHAN, vec![7]);
            }
            outlet.frame(at(6), CHAN, vec![7]);
            assert_eq!(bytes(&outlet), [[1], [3], [7]], "late: {late}");
        }
    }

    #[test]
    fn an_echo_that_never_comes_swallows_nothing_later() {
        let outlet = outlet();
        outlet.begin_read(CHAN);
        outlet.end_read(at(0), Some(&[7]));
        outlet.frame(at(1_500), CHAN, vec![7]);
        assert_eq!(bytes(&outlet), [[7]]);
    }

    #[test]
    fn frames_held_for_a_read_come_before_the_end() {
        let outlet = outlet();
        outlet.begin_read(CHAN);
        outlet.frame(at(1), CHAN, vec![1]);
        outlet.down(at(2), DownReason::Lost);
        outlet.end_read(at(3), None);
        assert_eq!(bytes(&outlet), [[1]]);
    }
}
