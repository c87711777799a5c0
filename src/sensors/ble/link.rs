//! A connected sensor: a task that takes its frames, a task that watches whether it is there, and its commands.

use super::answers::Kind;
use super::limits::{Failed, Limits, within};
use super::open::disconnect;
use super::outlet::Outlet;
use super::session::{Notice, Seat, Session, adapter_is_off, next};
use crate::model::SessionTime;
use crate::sensors::link::{Ack, Asked, Chan, Command, DownReason, LinkFailure, LinkInfo};
use crate::sensors::queue::LinkQueue;
use crate::sensors::radio::{Link, Pending, Stamp};
use btleplug::api::{CharPropFlags, Characteristic, Peripheral as _, ValueNotification, WriteType};
use btleplug::platform::Peripheral;
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::MissedTickBehavior;

type Notifications = Pin<Box<dyn futures_core::Stream<Item = ValueNotification> + Send>>;

/// How often the guard looks at the time of the last frame.
const GLANCE: Duration = Duration::from_millis(250);

/// How long frames that wait may take on their way into the queue when a link ends.
const FLUSH: Duration = Duration::from_millis(200);

/// A sensor connected by [`super::BleRadio`]. Dropping it closes it, but nobody learns whether that went well.
pub(super) struct BleLink {
    info: LinkInfo,
    chars: BTreeMap<Chan, Characteristic>,
    peripheral: Peripheral,
    limits: Limits,
    stamp: Stamp,
    outlet: Arc<Outlet>,
    notify: mpsc::Sender<Notice>,
    close: mpsc::Sender<oneshot::Sender<Result<(), LinkFailure>>>,
}

impl BleLink {
    /// Begins the tasks of a link that is connected and discovered.
    pub(super) fn begin(
        stamp: Stamp,
        limits: Limits,
        session: Arc<Session>,
        (seat, notices): (Seat, mpsc::Receiver<Notice>),
        (peripheral, notifications): (Peripheral, Notifications),
        info: LinkInfo,
        chars: BTreeMap<Chan, Characteristic>,
    ) -> Self {
        let outlet = Arc::new(Outlet::new(stamp()));
        let (flush, flushes) = mpsc::channel(1);
        let drain = tokio::spawn(drain(notifications, flushes, Arc::clone(&outlet), Arc::clone(&stamp)));
        let (close, closing) = mpsc::channel(1);
        let (notify, own_notices) = mpsc::channel(1);
        let guard = Guard {
            peripheral: peripheral.clone(),
            session,
            limits,
            stamp: Arc::clone(&stamp),
            outlet: Arc::clone(&outlet),
            notices,
            own_notices,
            closing,
            flush,
            sure: stamp(),
            seat,
        };
        tokio::spawn(async move {
            guard.run().await;
            // Only now: while the sensor sends, dropping its stream makes bluez-async panic in a task of its own.
            drain.abort();
        });
        Self {
            info,
            chars,
            peripheral,
            limits,
            stamp,
            outlet,
            notify,
            close,
        }
    }

    async fn carry_out(&self, command: &Command) -> Result<Vec<u8>, LinkFailure> {
        let Some(asked) = command.asked() else {
            return self.end().await;
        };
        let (Asked::Subscribe(chan) | Asked::Read(chan) | Asked::Write(chan)) = asked;
        if self.outlet.is_over() {
            return Err(LinkFailure::Down);
        }
        let characteristic = self.chars.get(&chan).ok_or(LinkFailure::NoSuchCharacteristic)?;
        let done = tokio::select! {
            biased;
            done = self.call(command, characteristic) => done,
            () = self.outlet.until_over() => return Err(LinkFailure::Down),
        };
        done.map_err(|failed| {
            let failure = failed.of_command(asked);
            if failure == LinkFailure::Down {
                // If the guard has a notice already it will look anyway.
                let _ = self.notify.try_send(Notice::Gone);
            }
            failure
        })
    }

    async fn call(&self, command: &Command, characteristic: &Characteristic) -> Result<Vec<u8>, Failed> {
        let (p, l) = (&self.peripheral, &self.limits);
        match command {
            Command::Subscribe(chan) => {
                // Before the call: the first frame may be here before its answer.
                self.outlet.want(*chan);
                within(l.subscribe, "subscribe", p.subscribe(characteristic)).await?;
            }
            Command::Read(chan) => {
                let _reading = Reading::begin(&self.outlet, *chan);
                let read = within(l.read, "read", p.read(characteristic)).await;
                self.outlet.end_read((self.stamp)(), read.as_deref().ok());
                return read;
            }
            Command::Write { bytes, ack, .. } => {
                let kind = write_type(*ack, characteristic.properties);
                within(l.write, "write", p.write(characteristic, bytes, kind)).await?;
            }
            Command::Close => {}
        }
        Ok(Vec::new())
    }

    async fn end(&self) -> Result<Vec<u8>, LinkFailure> {
        let (to, ended) = oneshot::channel();
        if self.close.send(to).await.is_err() {
            // The guard is gone, so the link is over.
            return Ok(Vec::new());
        }
        // A guard that ends for another reason at this moment drops the sender: over as well.
        ended.await.unwrap_or(Ok(())).map(|()| Vec::new())
    }
}

/// How to write: a sensor that has no unacknowledged writes gets an acknowledged one.
fn write_type(ack: Ack, properties: CharPropFlags) -> WriteType {
    let only_acknowledged =
        properties.contains(CharPropFlags::WRITE) && !properties.contains(CharPropFlags::WRITE_WITHOUT_RESPONSE);
    match ack {
        Ack::None if !only_acknowledged => WriteType::WithoutResponse,
        Ack::None | Ack::Wanted => WriteType::WithResponse,
    }
}

/// Frames held for a read are let go however the read ends.
struct Reading<'a>(&'a Outlet);

impl<'a> Reading<'a> {
    fn begin(outlet: &'a Outlet, chan: Chan) -> Self {
        outlet.begin_read(chan);
        Self(outlet)
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        // After an answer nothing is held any more and this changes nothing.
        self.0.end_read(SessionTime::ZERO, None);
    }
}

impl Link for BleLink {
    fn info(&self) -> &LinkInfo {
        &self.info
    }

    fn queue(&self) -> Arc<LinkQueue> {
        self.outlet.queue()
    }

    fn run<'a>(&'a mut self, command: &'a Command) -> Pending<'a, Result<Vec<u8>, LinkFailure>> {
        Box::pin(self.carry_out(command))
    }
}

/// Takes frames: stamps, pushes, nothing else. Ended from outside, since the stream does not end with the connection. A
/// flush is answered when nothing waits.
async fn drain(
    mut notifications: Notifications,
    mut flushes: mpsc::Receiver<oneshot::Sender<()>>,
    outlet: Arc<Outlet>,
    stamp: Stamp,
) {
    loop {
        tokio::select! {
            biased;
            notification = next(&mut notifications) => {
                let at = stamp();
                let Some(notification) = notification else { return };
                let chan = Chan::new(notification.service_uuid.as_u128(), notification.uuid.as_u128());
                outlet.frame(at, chan, notification.value);
            }
            to = flushes.recv() => {
                let Some(to) = to else { return };
                // Who has stopped waiting does not need it.
                let _ = to.send(());
            }
        }
    }
}

/// Watches whether the sensor is there and ends the link.
struct Guard {
    peripheral: Peripheral,
    session: Arc<Session>,
    limits: Limits,
    stamp: Stamp,
    outlet: Arc<Outlet>,
    notices: mpsc::Receiver<Notice>,
    own_notices: mpsc::Receiver<Notice>,
    closing: mpsc::Receiver<oneshot::Sender<Result<(), LinkFailure>>>,
    flush: mpsc::Sender<oneshot::Sender<()>>,
    /// When it was last known for certain that the sensor is there.
    sure: SessionTime,
    seat: Seat,
}

/// What the system says of the sensor.
enum Seen {
    There,
    Gone,
    ServiceGone,
    /// It could not say; whether it did not answer at all.
    Unknown {
        hung: bool,
    },
}

/// Why the link ends, and who wants to hear of it.
enum End {
    Asked(Option<oneshot::Sender<Result<(), LinkFailure>>>),
    Noticed(DownReason),
}

impl Guard {
    async fn run(mut self) {
        let end = self.watch().await;
        // A system that may still hold the connection is told to let it go, before anybody opens it again.
        let let_go = match &end {
            End::Asked(_) | End::Noticed(DownReason::Silent | DownReason::Hung(_)) => true,
            // Windows keeps the handle of a lost sensor; freeing it is quick.
            End::Noticed(_) => cfg!(windows),
        };
        let ended = if let_go {
            disconnect(&self.peripheral, &self.limits).await
        } else {
            Ok(())
        };
        let hung = matches!(ended, Err(Failed::TimedOut(_)));
        let (reason, to) = match end {
            End::Asked(to) if hung => (DownReason::Hung("disconnect"), to),
            End::Asked(to) => (DownReason::Closed, to),
            End::Noticed(reason) => (reason, None),
        };
        // Frames that came before the end are told before it.
        let _ = tokio::time::timeout(FLUSH, self.flushed()).await;
        // Free before the end is told: whoever hears it may open the sensor again at once.
        drop(self.seat);
        self.outlet.down((self.stamp)(), reason);
        if let Some(to) = to {
            let answer = if hung { Err(LinkFailure::TimedOut) } else { Ok(()) };
            // Who does not wait for it does not need it.
            let _ = to.send(answer);
        }
    }

    async fn flushed(&self) {
        let (to, flushed) = oneshot::channel();
        if self.flush.send(to).await.is_ok() {
            // A drain that has ended holds nothing back.
            let _ = flushed.await;
        }
    }

    async fn watch(&mut self) -> End {
        let mut asked = (self.stamp)();
        let mut glances = tokio::time::interval(GLANCE);
        glances.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let told = tokio::select! {
                biased;
                to = self.closing.recv() => return End::Asked(to),
                told = self.notices.recv() => told,
                told = self.own_notices.recv() => told,
                _ = glances.tick() => None,
            };
            let now = (self.stamp)();
            match told {
                Some(Notice::AdapterOff) => {
                    if adapter_is_off(self.session.adapter(), &self.limits).await {
                        return End::Noticed(DownReason::AdapterGone);
                    }
                    continue;
                }
                Some(Notice::Gone) => {}
                None => {
                    let after = self.limits.ask_after.as_secs_f64();
                    if now.since(self.outlet.heard()) < after || now.since(asked) < after {
                        continue;
                    }
                }
            }
            asked = now;
            let seen = tokio::select! {
                biased;
                to = self.closing.recv() => return End::Asked(to),
                seen = see(&self.peripheral, &self.limits) => seen,
            };
            if let Some(reason) = self.judge(seen, told.is_some()).await {
                return End::Noticed(reason);
            }
        }
    }

    /// Whether what was seen ends the link. Only with a system that cannot say does `told`, an event that the sensor is
    /// gone, decide.
    async fn judge(&mut self, seen: Seen, told: bool) -> Option<DownReason> {
        match seen {
            Seen::There => {
                self.sure = (self.stamp)();
                None
            }
            Seen::ServiceGone => Some(DownReason::AdapterGone),
            Seen::Unknown { hung } if !told => {
                let sure = self.sure.max(self.outlet.heard());
                let silent = (self.stamp)().since(sure) >= self.limits.silent_after.as_secs_f64();
                let reason = if hung {
                    DownReason::Hung("is_connected")
                } else {
                    DownReason::Silent
                };
                silent.then_some(reason)
            }
            Seen::Gone | Seen::Unknown { .. } => {
                // An adapter that is switched off ends its connections first.
                if adapter_is_off(self.session.adapter(), &self.limits).await {
                    Some(DownReason::AdapterGone)
                } else {
                    Some(DownReason::Lost)
                }
            }
        }
    }
}

async fn see(peripheral: &Peripheral, limits: &Limits) -> Seen {
    match within(limits.is_connected, "is_connected", peripheral.is_connected()).await {
        Ok(true) => Seen::There,
        Ok(false) => Seen::Gone,
        Err(Failed::TimedOut(_)) => Seen::Unknown { hung: true },
        Err(Failed::Refused(refusal)) => match refusal.kind {
            Kind::NotConnected | Kind::Gone => Seen::Gone,
            Kind::NoService => Seen::ServiceGone,
            _ => Seen::Unknown { hung: false },
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sensors::link::LinkEvent;
    use std::collections::VecDeque;
    use std::task::{Context, Poll};

    /// Notifications that are there already, then silence without an end, as after a lost connection.
    struct Waiting(VecDeque<ValueNotification>);

    impl futures_core::Stream for Waiting {
        type Item = ValueNotification;

        fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            self.0.pop_front().map_or(Poll::Pending, |n| Poll::Ready(Some(n)))
        }
    }

    #[tokio::test]
    async fn a_flush_is_answered_only_when_every_waiting_frame_is_in_the_queue() {
        let chan = Chan::sig(0x180D, 0x2A37);
        let waiting = (0..100).map(|k| ValueNotification {
            uuid: uuid::Uuid::from_u128(chan.characteristic),
            service_uuid: uuid::Uuid::from_u128(chan.service),
            value: vec![k],
        });
        let outlet = Arc::new(Outlet::new(SessionTime::ZERO));
        outlet.want(chan);
        let (flush, flushes) = mpsc::channel(1);
        let (to, flushed) = oneshot::channel();
        // Asked before the drain has taken anything.
        flush.try_send(to).expect("there is room");
        let stamp: Stamp = Arc::new(|| SessionTime::ZERO);
        let stream = Box::pin(Waiting(waiting.collect()));
        let drain = tokio::spawn(drain(stream, flushes, Arc::clone(&outlet), stamp));
        flushed.await.expect("it is answered");
        outlet.down(SessionTime::ZERO, DownReason::Lost);
        let queue = outlet.queue();
        let events: Vec<_> = std::iter::from_fn(|| queue.try_pop()).collect();
        let frames = events.iter().filter(|e| matches!(e, LinkEvent::Frame { .. })).count();
        assert_eq!((frames, events.len()), (100, 101));
        drain.abort();
    }

    #[test]
    fn an_unacknowledged_write_is_acknowledged_where_the_sensor_has_no_other() {
        let both = CharPropFlags::WRITE | CharPropFlags::WRITE_WITHOUT_RESPONSE;
        assert_eq!(write_type(Ack::None, both), WriteType::WithoutResponse);
        assert_eq!(write_type(Ack::None, CharPropFlags::WRITE), WriteType::WithResponse);
        assert_eq!(write_type(Ack::Wanted, both), WriteType::WithResponse);
    }
}
