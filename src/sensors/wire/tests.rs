//! Both sides of the test link in one process, through a real socket on loopback.

use super::message::{GREETING, Message};
use super::{WireRadio, serve};
use crate::model::SessionTime;
use crate::sensors::driver::{Driver, Progress, Wanted, Wish};
use crate::sensors::drivers::lope::LopeDriver;
use crate::sensors::link::{Chan, Command, DownReason, LinkEvent, LinkFailure};
use crate::sensors::radio::{Link, OpenError, Radio, RadioState, Stamp};
use crate::sensors::said::Said;
use crate::sensors::simulated::air::{Air, AirFaults};
use crate::sensors::simulated::pod::{PodMemory, Readings, SimPod, SimPodSetup};
use crate::sensors::simulated::radio::SimRadio;
use firmware_protocol::gatt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// Session time moves on by this whenever somebody looks, ns: fast, and no clock is read.
const TICK_NS: i64 = 20_000_000;
/// A test that hangs fails after this.
const PATIENCE: Duration = Duration::from_secs(60);

fn ticking() -> Stamp {
    let now = AtomicI64::new(0);
    Arc::new(move || SessionTime::from_nanos(now.fetch_add(TICK_NS, Ordering::Relaxed)))
}

/// A server with two pods of one name; its radio, its address, the clock of both sides.
async fn server(air: AirFaults) -> (Arc<SimRadio>, String, Stamp) {
    let stamp = ticking();
    let pod = |uid| {
        let setup = SimPodSetup {
            uid,
            ..SimPodSetup::default()
        };
        let pod = SimPod::new(setup, Readings::Numbered, PodMemory::for_ever(4096));
        Air::new(Box::new(pod), air.clone())
    };
    let radio = Arc::new(SimRadio::new(vec![pod(1), pod(2)], Arc::clone(&stamp)));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback is there");
    let address = listener.local_addr().expect("bound").to_string();
    tokio::spawn(serve(listener, Arc::clone(&radio) as Arc<dyn Radio>));
    (radio, address, stamp)
}

/// Gives the driver what happened and carries out what it wants, until `until` says so.
async fn talk(
    link: &mut dyn Link,
    driver: &mut LopeDriver,
    stamp: &Stamp,
    said: &mut Vec<Said>,
    until: impl Fn(&LopeDriver, &[Said]) -> bool,
) -> Option<DownReason> {
    let queue = link.queue();
    while !until(driver, said) {
        match driver.poll(stamp(), said) {
            Some(Command::Close) => {
                link.run(&Command::Close).await.expect("closing always works");
            }
            Some(command) => {
                let asked = command.asked().expect("not a close");
                let began = stamp();
                let result = link.run(&command).await;
                let at = stamp();
                let answered = LinkEvent::Answered {
                    began,
                    at,
                    asked,
                    result,
                };
                driver.on_event(&answered, said);
                continue;
            }
            None => {}
        }
        if let Ok(event) = timeout(Duration::from_millis(5), queue.pop()).await {
            let event = event?;
            driver.on_event(&event, said);
            if let LinkEvent::Down { reason, .. } = event {
                return Some(reason);
            }
        }
    }
    None
}

fn samples(said: &[Said]) -> usize {
    said.iter()
        .map(|s| if let Said::Block(b) = s { b.values.len() / 6 } else { 0 })
        .sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recording_over_a_socket_is_what_it_is_over_the_air() {
    let test = async {
        let (_radio, address, stamp) = server(AirFaults {
            loss: 0.05,
            spared: vec![Chan::new(gatt::SERVICE, gatt::CONTROL)],
            ..AirFaults::default()
        })
        .await;
        let radio = WireRadio::new(&address, Arc::clone(&stamp));
        assert!(matches!(radio.state().await, RadioState::Ready(_)));
        let mut adverts = radio.scan().await.expect("it scans");
        let mut seen = std::collections::BTreeSet::new();
        while seen.len() < 2 {
            let advert = adverts.recv().await.expect("adverts come again and again");
            assert_eq!(advert.name.as_deref(), Some("lope-sim-0001"));
            seen.insert(advert.os_id);
        }
        drop(adverts);
        let os_id = seen.into_iter().next().expect("two");
        let mut driver = LopeDriver::new();
        let wanted = Wanted {
            session: 77,
            rate_hz: 208.0,
            acc_range: 100.0,
            gyro_range: 30.0,
        };
        driver.wish(Wish::Stream(wanted), stamp());
        let mut said = Vec::new();
        let mut link = radio.open(&os_id).await.expect("it opens");
        driver.on_event(
            &LinkEvent::Up {
                at: stamp(),
                info: link.info().clone(),
            },
            &mut said,
        );
        talk(&mut *link, &mut driver, &stamp, &mut said, |_, said| {
            samples(said) > 1000
        })
        .await;
        driver.wish(Wish::Stop, stamp());
        let fetched = |d: &LopeDriver, _: &[Said]| d.progress() == Progress::Fetching;
        talk(&mut *link, &mut driver, &stamp, &mut said, fetched).await;
        for _ in 0..200 {
            driver.wish(Wish::AllSafe, stamp());
            let before = said.len();
            let over = |d: &LopeDriver, said: &[Said]| d.progress() == Progress::Done || said.len() > before + 20;
            if talk(&mut *link, &mut driver, &stamp, &mut said, over).await.is_some()
                || driver.progress() == Progress::Done
            {
                break;
            }
        }
        let notes: Vec<_> = said.iter().filter(|s| matches!(s, Said::Note(_))).collect();
        assert_eq!(driver.progress(), Progress::Done, "{notes:?}");
        let mut indices: Vec<u64> = said
            .iter()
            .filter_map(|s| {
                if let Said::Block(b) = s {
                    Some((b.index, b.values.len() / 6))
                } else {
                    None
                }
            })
            .flat_map(|(index, n)| index..index + n as u64)
            .collect();
        indices.sort_unstable();
        assert!(indices.iter().copied().eq(0..indices.len() as u64), "each sample once");
    };
    timeout(PATIENCE, test).await.expect("it does not hang");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_adapter_that_is_switched_off_ends_the_link_and_opens_nothing() {
    let test = async {
        let (radio, address, stamp) = server(AirFaults::default()).await;
        let wire = WireRadio::new(&address, stamp);
        let mut link = wire.open("sim-0000000000000001").await.expect("it opens");
        radio.switch(RadioState::Off);
        let event = link.queue().pop().await;
        let gone = |e: &LinkEvent| {
            matches!(
                e,
                LinkEvent::Down {
                    reason: DownReason::AdapterGone,
                    ..
                }
            )
        };
        assert!(event.as_ref().is_some_and(gone), "{event:?}");
        let subscribe = Command::Subscribe(link.info().chans[0]);
        assert_eq!(link.run(&subscribe).await, Err(LinkFailure::Down));
        let refused = wire.open("sim-0000000000000001").await.err();
        assert_eq!(refused, Some(OpenError::Radio(RadioState::Off)));
        radio.switch(RadioState::Ready("again".to_owned()));
        assert!(wire.open("sim-0000000000000001").await.is_ok());
    };
    timeout(PATIENCE, test).await.expect("it does not hang");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_not_there_is_said_to_be_not_there() {
    let test = async {
        let (_radio, address, stamp) = server(AirFaults::default()).await;
        let wire = WireRadio::new(&address, Arc::clone(&stamp));
        assert_eq!(wire.open("nobody").await.err(), Some(OpenError::Unknown));
        // A port that was free a moment ago: nobody listens there.
        let free = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
        let nowhere = free.local_addr().expect("bound").to_string();
        drop(free);
        let wire = WireRadio::new(&nowhere, stamp);
        assert!(matches!(wire.state().await, RadioState::NoService(_)));
        assert!(matches!(wire.scan().await, Err(RadioState::NoService(_))));
    };
    timeout(PATIENCE, test).await.expect("it does not hang");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_breaks_a_rule_is_told_and_left() {
    let test = async {
        let (_radio, address, _) = server(AirFaults::default()).await;
        let greeting = Message::Greeting(GREETING.to_owned()).encode();
        let long = [greeting.clone(), vec![0xFF, 0xFF]].concat();
        let early = [greeting.clone(), Message::Close.encode()].concat();
        let unknown = [greeting.clone(), vec![1, 0, 99]].concat();
        let two = [greeting, Message::Scan.encode(), Message::Scan.encode()].concat();
        let stranger = Message::Greeting("hello".to_owned()).encode();
        for bytes in [long, early, unknown, two, stranger] {
            let mut stream = TcpStream::connect(&address).await.expect("it listens");
            stream.write_all(&bytes).await.expect("it takes bytes");
            let mut refused = false;
            while let Ok(Some(message)) = Message::read(&mut stream).await {
                refused |= matches!(message, Message::Refused(_));
            }
            assert!(refused, "{bytes:?}");
            assert_eq!(stream.read(&mut [0; 8]).await.unwrap_or(0), 0, "and it hangs up");
        }
    };
    timeout(PATIENCE, test).await.expect("it does not hang");
}
