//! The radio itself: whether it works, and what it finds.

use super::bus::{Policy, on_a_private_bus};
use super::client::{PATIENCE, radio};
use super::peers::{Metronome, SERVICE, chars};
use super::server::FakeBluez;
use super::world::{Device, World};
use lope::sensors::link::Advert;
use lope::sensors::radio::{Radio as _, RadioState};
use std::collections::BTreeMap;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

const A: &str = "D0:00:00:00:00:01";
const B: &str = "D0:00:00:00:00:02";
const C: &str = "D0:00:00:00:00:03";

fn pod(address: &'static str) -> Device {
    Device::new(address, chars(), Metronome::new(Instant::now(), 100.0))
}

async fn state(radio: &lope::sensors::ble::BleRadio) -> RadioState {
    timeout(PATIENCE, radio.state()).await.expect("a state is told in time")
}

on_a_private_bus! {
    fn an_adapter_that_works_comes_and_goes() {
        let service = FakeBluez::start(World::new(Vec::new())).await;
        let radio = radio(Instant::now());
        assert!(matches!(state(&radio).await, RadioState::Ready(name) if name.starts_with("hci0")));
        service.world().powered = false;
        assert_eq!(state(&radio).await, RadioState::Off);
        service.world().adapter = false;
        assert_eq!(state(&radio).await, RadioState::NoAdapter);
        {
            let mut world = service.world();
            (world.adapter, world.powered) = (true, true);
        }
        assert!(matches!(state(&radio).await, RadioState::Ready(_)));
    }
}

on_a_private_bus! {
    fn a_bus_without_the_service_says_so() {
        assert!(matches!(state(&radio(Instant::now())).await, RadioState::NoService(_)));
    }
}

on_a_private_bus! {
    Policy::NoBus,
    fn a_computer_without_a_bus_says_so() {
        assert!(matches!(state(&radio(Instant::now())).await, RadioState::NoService(_)));
    }
}

on_a_private_bus! {
    Policy::Closed,
    fn a_user_who_may_not_use_the_service_is_told_so() {
        let _service = FakeBluez::start(World::new(Vec::new())).await;
        assert!(matches!(state(&radio(Instant::now())).await, RadioState::NoPermission(_)));
    }
}

/// Adverts until each address has been heard with a strength, the last of each.
async fn heard(adverts: &mut mpsc::Receiver<Advert>, addresses: &[&str]) -> BTreeMap<String, Advert> {
    let mut all: BTreeMap<String, Advert> = BTreeMap::new();
    let fresh = |all: &BTreeMap<String, Advert>, a: &str| all.get(a).is_some_and(|x| x.rssi_dbm.is_some());
    while !addresses.iter().all(|a| fresh(&all, a)) {
        let advert = timeout(PATIENCE, adverts.recv()).await.expect("adverts come in time");
        let advert = advert.expect("the scan goes on");
        all.insert(advert.os_id.clone(), advert);
    }
    all
}

on_a_private_bus! {
    fn a_scan_tells_what_sensors_say_of_themselves_again_and_again() {
        let (mut named, mut nameless, mut taken) = (pod(A), pod(B), pod(C));
        (named.company, named.advertised) = (Some(0x006B), vec![SERVICE]);
        nameless.name = None;
        (taken.connected, taken.resolved) = (true, true);
        let service = FakeBluez::start(World::new(vec![named, nameless, taken])).await;
        let radio = radio(Instant::now());
        let mut adverts = radio.scan().await.expect("it scans");
        let all = heard(&mut adverts, &[A, B, C]).await;
        assert_eq!(all[A], Advert {
            os_id: A.to_owned(),
            name: Some("pod".to_owned()),
            services: vec![SERVICE.as_u128()],
            companies: vec![0x006B],
            rssi_dbm: Some(-60),
            connected: false,
        });
        assert_eq!(all[B].name, None, "an alias made of the address is no name");
        assert!(all[C].connected);
        for _ in 0..10 {
            let again = timeout(PATIENCE, adverts.recv()).await.expect("they go on");
            assert!(again.is_some());
        }
        drop(adverts);
        // Nobody listens, so the scan ends.
        service.until(|world| !world.discovering).await;
    }
}

on_a_private_bus! {
    fn two_scans_are_one_for_the_service_and_end_with_the_second() {
        let service = FakeBluez::start(World::new(vec![pod(A)])).await;
        let radio = radio(Instant::now());
        let first = radio.scan().await.expect("it scans");
        let mut second = radio.scan().await.expect("it scans beside the first");
        drop(first);
        heard(&mut second, &[A]).await;
        let started = service.world().calls.iter().filter(|c| c.starts_with("StartDiscovery")).count();
        assert_eq!(started, 1);
        assert!(service.world().discovering, "the second still listens");
    }
}

on_a_private_bus! {
    fn scanning_does_not_switch_an_adapter_on() {
        let mut world = World::new(vec![pod(A)]);
        world.powered = false;
        let service = FakeBluez::start(world).await;
        let radio = radio(Instant::now());
        assert_eq!(radio.scan().await.err(), Some(RadioState::Off));
        assert!(!service.world().powered, "its owner switched it off");
    }
}

on_a_private_bus! {
    fn a_scan_ends_when_the_adapter_is_switched_off() {
        let service = FakeBluez::start(World::new(vec![pod(A)])).await;
        let radio = radio(Instant::now());
        let mut adverts = radio.scan().await.expect("it scans");
        heard(&mut adverts, &[A]).await;
        service.power(false).await;
        timeout(PATIENCE, async { while adverts.recv().await.is_some() {} }).await.expect("it ends");
    }
}
