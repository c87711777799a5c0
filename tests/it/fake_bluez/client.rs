//! What the tests ask of the radio under test.

use super::peers::{CONTROL, FRAMES, SERVICE};
use lope::model::SessionTime;
use lope::sensors::ble::{BleRadio, Limits};
use lope::sensors::link::{Ack, Chan, Command, DownReason, LinkEvent, LinkFailure};
use lope::sensors::queue::LinkQueue;
use lope::sensors::radio::{Link, OpenError, Radio as _, Stamp};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// Longest wait for anything, but for what is asked to be slow.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn frames_chan() -> Chan {
    Chan::new(SERVICE.as_u128(), FRAMES.as_u128())
}

pub(crate) fn control_chan() -> Chan {
    Chan::new(SERVICE.as_u128(), CONTROL.as_u128())
}

/// A clock that begins at `base`.
pub(crate) fn stamp(base: Instant) -> Stamp {
    Arc::new(move || SessionTime::from_nanos(base.elapsed().as_nanos() as i64))
}

/// The limits of this system, but for waits that would only make the tests long.
pub(crate) fn limits() -> Limits {
    Limits {
        connect: Duration::from_secs(10),
        is_connected: Duration::from_millis(500),
        ask_after: Duration::from_millis(300),
        silent_after: Duration::from_secs(2),
        ..Limits::of_this_system()
    }
}

pub(crate) fn radio(base: Instant) -> BleRadio {
    BleRadio::with_limits(stamp(base), limits())
}

pub(crate) async fn open(radio: &BleRadio, address: &str) -> Result<Box<dyn Link>, OpenError> {
    timeout(PATIENCE, radio.open(address))
        .await
        .expect("opening ends in time")
}

/// Opens and subscribes to frames.
pub(crate) async fn stream(radio: &BleRadio, address: &str) -> Box<dyn Link> {
    let mut link = open(radio, address).await.expect("it opens");
    let subscribed = run(&mut *link, Command::Subscribe(frames_chan())).await;
    assert_eq!(subscribed, Ok(Vec::new()));
    link
}

pub(crate) async fn run(link: &mut dyn Link, command: Command) -> Result<Vec<u8>, LinkFailure> {
    timeout(PATIENCE, link.run(&command))
        .await
        .expect("commands end in time")
}

pub(crate) fn write(bytes: &[u8]) -> Command {
    Command::Write {
        chan: control_chan(),
        bytes: bytes.to_vec(),
        ack: Ack::Wanted,
    }
}

/// The next frame's bytes and arrival.
pub(crate) async fn frame(link: &dyn Link) -> (SessionTime, Vec<u8>) {
    frame_in(&link.queue()).await
}

/// The same from a queue alone.
pub(crate) async fn frame_in(queue: &LinkQueue) -> (SessionTime, Vec<u8>) {
    match timeout(PATIENCE, queue.pop()).await.expect("a frame comes in time") {
        Some(LinkEvent::Frame { at, bytes, .. }) => (at, bytes),
        other => panic!("a frame was expected, not {other:?}"),
    }
}

/// Everything up to the end of a link: bytes of its frames, and why it ended. Nothing comes after.
pub(crate) async fn rest(link: &dyn Link) -> (Vec<Vec<u8>>, DownReason) {
    let queue = link.queue();
    let mut frames = Vec::new();
    loop {
        match timeout(PATIENCE, queue.pop()).await.expect("the end comes in time") {
            Some(LinkEvent::Frame { bytes, .. }) => frames.push(bytes),
            Some(LinkEvent::Down { reason, .. }) => {
                assert_eq!(queue.pop().await, None, "the end is the last event");
                return (frames, reason);
            }
            other => panic!("a frame or the end was expected, not {other:?}"),
        }
    }
}
