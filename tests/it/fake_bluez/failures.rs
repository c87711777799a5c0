//! What goes wrong, and what it is called then.

use super::bus::on_a_private_bus;
use super::client::{control_chan, frame, frames_chan, limits, open, radio, rest, run, stamp, stream, write};
use super::peers::{CONTROL_AT, Metronome, Oracle, chars, parse};
use super::server::FakeBluez;
use super::world::{Answer, Device, World};
use lope::sensors::ble::{BleRadio, Limits};
use lope::sensors::link::{Chan, Command, DownReason, LinkFailure};
use lope::sensors::radio::OpenError;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

const A: &str = "D0:00:00:00:00:01";
const B: &str = "D0:00:00:00:00:02";

fn pod(address: &'static str, base: Instant) -> Device {
    Device::new(address, chars(), Metronome::new(base, 100.0))
}

on_a_private_bus! {
    fn a_connect_that_is_never_answered_ends_in_time_and_holds_up_nobody() {
        let base = Instant::now();
        let mut silent = pod(A, base);
        silent.on_connect = Answer::Never;
        let _service = FakeBluez::start(World::new(vec![silent, pod(B, base)])).await;
        let radio = BleRadio::with_limits(stamp(base), Limits { connect: Duration::from_secs(3), ..limits() });
        let (first, other) = tokio::join!(open(&radio, A), async {
            let link = stream(&radio, B).await;
            frame(&*link).await;
            base.elapsed()
        });
        assert_eq!(first.err(), Some(OpenError::TimedOut("connect")));
        assert!(other < Duration::from_secs(3), "the other sensor was streaming before: {other:?}");
        assert_eq!(open(&radio, A).await.err(), Some(OpenError::Busy), "the service still tries");
    }
}

on_a_private_bus! {
    fn errors_of_the_service_become_the_right_failures() {
        const NOT_CONNECTED: &str = "Not connected";
        let failed = "org.bluez.Error.Failed";
        let not_permitted = "org.bluez.Error.NotPermitted";
        let cases = [
            ((failed, "Operation failed with ATT error: 0x80"), LinkFailure::Att(0x80)),
            ((failed, "Operation failed with ATT error: 0x0e"), LinkFailure::Att(0x0E)),
            ((not_permitted, "Write not permitted"), LinkFailure::Att(0x03)),
            ((not_permitted, "Not paired"), LinkFailure::NotPermitted),
            (("org.bluez.Error.NotSupported", "Operation is not supported"), LinkFailure::Att(0x06)),
            (("org.bluez.Error.NotAuthorized", "Operation Not Authorized"), LinkFailure::Att(0x08)),
            (("org.bluez.Error.InvalidValueLength", "Invalid Length"), LinkFailure::Att(0x0D)),
            (
                ("org.bluez.Error.InProgress", "In Progress"),
                LinkFailure::Other("In Progress".to_owned()),
            ),
            ((failed, NOT_CONNECTED), LinkFailure::Down),
        ];
        let writes: BTreeMap<u8, Answer> = (0..).zip(cases.iter().map(|(e, _)| Answer::Refused(*e))).collect();
        let peer = Oracle {
            writes,
            read: Answer::Refused((not_permitted, "Not paired")),
            subscribe: Answer::Refused(("org.bluez.Error.NotSupported", "Operation is not supported")),
        };
        let _service = FakeBluez::start(World::new(vec![Device::new(A, chars(), peer)])).await;
        let radio = radio(Instant::now());
        let mut link = open(&radio, A).await.expect("opens");
        for (at, (error, failure)) in cases.iter().enumerate() {
            let got = run(&mut *link, write(&[at as u8])).await;
            assert_eq!(got, Err(failure.clone()), "{error:?}");
        }
        let read = run(&mut *link, Command::Read(control_chan())).await;
        assert_eq!(read, Err(LinkFailure::NotPermitted));
        let subscribed = run(&mut *link, Command::Subscribe(frames_chan())).await;
        assert_eq!(subscribed, Err(LinkFailure::Other("Operation is not supported".to_owned())));
        let nowhere = run(&mut *link, Command::Read(Chan::sig(0x180F, 0x2A19))).await;
        assert_eq!(nowhere, Err(LinkFailure::NoSuchCharacteristic));
    }
}

on_a_private_bus! {
    fn errors_of_connecting_become_the_right_failures() {
        let cases = [
            (("org.bluez.Error.InProgress", "Operation already in progress"), OpenError::Busy),
            (("org.bluez.Error.Failed", "Operation already in progress"), OpenError::Busy),
            (
                ("org.bluez.Error.Failed", "le-connection-abort-by-local"),
                OpenError::Other("le-connection-abort-by-local".to_owned()),
            ),
        ];
        let service = FakeBluez::start(World::new(vec![pod(A, Instant::now())])).await;
        let radio = radio(Instant::now());
        for (error, expected) in cases {
            service.world().devices[0].on_connect = Answer::Refused(error);
            assert_eq!(open(&radio, A).await.err(), Some(expected), "{error:?}");
        }
        service.world().devices[0].on_connect = Answer::Value(Vec::new());
        assert!(open(&radio, A).await.is_ok());
        assert_eq!(open(&radio, B).await.err(), Some(OpenError::Unknown));
    }
}

on_a_private_bus! {
    fn a_command_that_is_never_answered_times_out_and_frames_go_on() {
        struct Deaf(Metronome);
        impl super::peers::Peer for Deaf {
            fn connected(&mut self) {
                self.0.connected();
            }
            fn subscribe(&mut self, char: usize) -> Answer {
                self.0.subscribe(char)
            }
            fn read(&mut self, _char: usize) -> Answer {
                Answer::Never
            }
            fn write(&mut self, char: usize, _bytes: &[u8]) -> Answer {
                assert_eq!(char, CONTROL_AT);
                Answer::Never
            }
            fn due(&mut self) -> Vec<(usize, Vec<u8>)> {
                self.0.due()
            }
        }
        let base = Instant::now();
        let deaf = Deaf(Metronome::new(base, 100.0));
        let _service = FakeBluez::start(World::new(vec![Device::new(A, chars(), deaf)])).await;
        let short = Duration::from_millis(300);
        let radio = BleRadio::with_limits(stamp(base), Limits { write: short, read: short, ..limits() });
        let mut link = stream(&radio, A).await;
        assert_eq!(run(&mut *link, write(&[1])).await, Err(LinkFailure::TimedOut));
        // Frames are held while what notifies is read; they must come out again.
        assert_eq!(run(&mut *link, Command::Read(frames_chan())).await, Err(LinkFailure::TimedOut));
        for expected in 0..100 {
            assert_eq!(parse(&frame(&*link).await.1).0, expected);
        }
    }
}

on_a_private_bus! {
    fn an_adapter_switched_off_ends_links_and_on_again_opens_them() {
        let base = Instant::now();
        let service = FakeBluez::start(World::new(vec![pod(A, base), pod(B, base)])).await;
        let radio = radio(base);
        let (a, b) = (stream(&radio, A).await, stream(&radio, B).await);
        frame(&*a).await;
        service.power(false).await;
        assert_eq!(rest(&*a).await.1, DownReason::AdapterGone);
        assert_eq!(rest(&*b).await.1, DownReason::AdapterGone);
        let off = open(&radio, A).await.err();
        assert_eq!(off, Some(OpenError::Radio(lope::sensors::radio::RadioState::Off)));
        service.power(true).await;
        let again = stream(&radio, A).await;
        frame(&*again).await;
    }
}

on_a_private_bus! {
    fn an_adapter_pulled_out_ends_links() {
        let base = Instant::now();
        let service = FakeBluez::start(World::new(vec![pod(A, base)])).await;
        let radio = radio(base);
        let link = stream(&radio, A).await;
        frame(&*link).await;
        {
            let mut world = service.world();
            world.adapter = false;
            world.devices[0].connected = false;
        }
        assert_eq!(rest(&*link).await.1, DownReason::AdapterGone);
        let gone = open(&radio, A).await.err();
        assert_eq!(gone, Some(OpenError::Radio(lope::sensors::radio::RadioState::NoAdapter)));
    }
}

on_a_private_bus! {
    fn a_sensor_that_vanishes_from_the_bus_is_lost() {
        let base = Instant::now();
        let service = FakeBluez::start(World::new(vec![pod(A, base), pod(B, base)])).await;
        let radio = radio(base);
        let link = stream(&radio, A).await;
        frame(&*link).await;
        service.forget(0).await;
        assert_eq!(rest(&*link).await.1, DownReason::Lost, "no event says so: it was noticed by its silence");
        assert_eq!(open(&radio, A).await.err(), Some(OpenError::Unknown), "a scan must find it first");
    }
}

on_a_private_bus! {
    fn a_service_that_dies_ends_links_and_one_that_comes_back_opens_them() {
        let base = Instant::now();
        let service = FakeBluez::start(World::new(vec![pod(A, base)])).await;
        let radio = radio(base);
        let link = stream(&radio, A).await;
        frame(&*link).await;
        service.crash().await;
        assert_eq!(rest(&*link).await.1, DownReason::AdapterGone);
        assert!(matches!(
            open(&radio, A).await.err(),
            Some(OpenError::Radio(lope::sensors::radio::RadioState::NoService(_)))
        ));
        drop(service);
        let _new = FakeBluez::start(World::new(vec![pod(A, base)])).await;
        let again = stream(&radio, A).await;
        frame(&*again).await;
    }
}

on_a_private_bus! {
    fn a_quiet_sensor_that_is_connected_stays_and_one_nobody_vouches_for_goes() {
        let base = Instant::now();
        let quiet = Device::new(A, chars(), Metronome::new(base, 100.0).limited(3));
        let service = FakeBluez::start(World::new(vec![quiet])).await;
        let radio = radio(base);
        let link = stream(&radio, A).await;
        for _ in 0..3 {
            frame(&*link).await;
        }
        let queue = link.queue();
        let silent = 2 * limits().silent_after;
        assert!(tokio::time::timeout(silent, queue.pop()).await.is_err(), "the system says it is there");
        service.world().devices[0].mute = true;
        assert_eq!(rest(&*link).await.1, DownReason::Hung("is_connected"));
    }
}

on_a_private_bus! {
    fn a_command_under_way_when_the_link_ends_is_answered_at_once() {
        let base = Instant::now();
        let peer = Oracle {
            writes: BTreeMap::from([(1, Answer::Never)]),
            read: Answer::Never,
            subscribe: Answer::Value(Vec::new()),
        };
        let service = FakeBluez::start(World::new(vec![Device::new(A, chars(), peer)])).await;
        let radio = radio(base);
        let mut link = open(&radio, A).await.expect("opens");
        let (answer, ()) = tokio::join!(run(&mut *link, write(&[1])), async {
            service.until(|world| world.calls.iter().any(|c| c.starts_with("WriteValue"))).await;
            service.lose(0).await;
        });
        assert_eq!(answer, Err(LinkFailure::Down));
        assert!(base.elapsed() < limits().write, "without waiting for the limit of a write");
    }
}
