//! The collector against links that misbehave. Time is virtual: nothing here waits.

use super::*;
use crate::sensors::link::{Advert, Chan, Command, DownReason, LinkFailure, LinkInfo};
use crate::sensors::queue::{CAPACITY, LinkQueue};
use crate::sensors::radio::{Link, Pending};
use crate::sensors::said::Identity;
use std::collections::VecDeque;
use std::sync::Mutex;
use tokio::time::{Instant, sleep};

const CHAN: Chan = Chan::sig(0x180D, 0x2A37);

/// How one link goes.
#[derive(Clone, Copy, Debug)]
struct Script {
    /// Frames it sends, one every 10 ms.
    frames: u32,
    /// What it does after the last one.
    then: Then,
    /// What it says it is.
    id: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Then {
    Down,
    Stay,
    HangOnClose,
}

#[derive(Clone, Copy, Debug)]
enum Opening {
    Link(Script),
    Never,
    Unknown,
}

struct Room {
    stamp: Stamp,
    openings: Mutex<Vec<(String, VecDeque<Opening>)>>,
    adverts: Vec<Advert>,
    opened: Mutex<Vec<(String, SessionTime)>>,
}

impl Room {
    fn new(sensors: &[(&str, &[Opening])], adverts: Vec<Advert>) -> (Arc<Self>, Stamp) {
        let began = Instant::now();
        let stamp: Stamp = Arc::new(move || SessionTime::from_secs(began.elapsed().as_secs_f64()));
        let openings = sensors
            .iter()
            .map(|(id, o)| ((*id).to_owned(), o.iter().copied().collect()))
            .collect();
        let room = Self {
            stamp: Arc::clone(&stamp),
            openings: Mutex::new(openings),
            adverts,
            opened: Mutex::default(),
        };
        (Arc::new(room), stamp)
    }
}

impl Radio for Room {
    fn state(&self) -> Pending<'_, RadioState> {
        Box::pin(async { RadioState::Ready("room".into()) })
    }

    fn scan(&self) -> Pending<'_, Result<mpsc::Receiver<Advert>, RadioState>> {
        let (to, from) = mpsc::channel(8);
        let adverts = self.adverts.clone();
        tokio::spawn(async move {
            loop {
                sleep(Duration::from_millis(100)).await;
                for advert in &adverts {
                    if to.send(advert.clone()).await.is_err() {
                        return;
                    }
                }
            }
        });
        Box::pin(async { Ok(from) })
    }

    fn open<'a>(&'a self, os_id: &'a str) -> Pending<'a, Result<Box<dyn Link>, OpenError>> {
        Box::pin(async move {
            self.opened
                .lock()
                .expect("test")
                .push((os_id.to_owned(), (self.stamp)()));
            let next = {
                let mut all = self.openings.lock().expect("test");
                let sensor = all.iter_mut().find(|(id, _)| id == os_id);
                sensor.and_then(|(_, o)| o.pop_front())
            };
            match next {
                Some(Opening::Never) => std::future::pending().await,
                Some(Opening::Unknown) | None => Err(OpenError::Unknown),
                Some(Opening::Link(script)) => Ok(link(os_id, script, &self.stamp)),
            }
        })
    }
}

struct RoomLink {
    info: LinkInfo,
    queue: Arc<LinkQueue>,
    stamp: Stamp,
    script: Script,
}

fn link(os_id: &str, script: Script, stamp: &Stamp) -> Box<dyn Link> {
    let queue = Arc::new(LinkQueue::new());
    let (to, clock) = (Arc::clone(&queue), Arc::clone(stamp));
    tokio::spawn(async move {
        for k in 0..script.frames {
            sleep(Duration::from_millis(10)).await;
            to.push(LinkEvent::Frame {
                at: clock(),
                chan: CHAN,
                bytes: k.to_le_bytes().to_vec(),
            });
        }
        if script.then == Then::Down {
            to.push(LinkEvent::Down {
                at: clock(),
                reason: DownReason::Lost,
            });
        }
    });
    Box::new(RoomLink {
        info: LinkInfo {
            name: script.id.to_owned(),
            os_id: os_id.to_owned(),
            mtu: 247,
            chans: vec![CHAN],
        },
        queue,
        stamp: Arc::clone(stamp),
        script,
    })
}

impl Link for RoomLink {
    fn info(&self) -> &LinkInfo {
        &self.info
    }
    fn queue(&self) -> Arc<LinkQueue> {
        Arc::clone(&self.queue)
    }
    fn run<'a>(&'a mut self, command: &'a Command) -> Pending<'a, Result<Vec<u8>, LinkFailure>> {
        Box::pin(async move {
            match command {
                Command::Close if self.script.then == Then::HangOnClose => std::future::pending().await,
                Command::Close => self.queue.push(LinkEvent::Down {
                    at: (self.stamp)(),
                    reason: DownReason::Closed,
                }),
                _ => {}
            }
            Ok(Vec::new())
        })
    }
}

/// Subscribes, says who the link says it is, and streams.
#[derive(Default)]
struct Listener {
    subscribe: bool,
    progress: Option<Progress>,
}

impl Driver for Listener {
    fn on_event(&mut self, event: &LinkEvent, said: &mut Vec<Said>) {
        match event {
            LinkEvent::Up { info, .. } => {
                self.subscribe = true;
                self.progress = Some(Progress::Working);
                said.push(Said::Identity(Identity {
                    id: Some(info.name.clone()),
                    ..Identity::default()
                }));
            }
            LinkEvent::Answered { .. } => self.progress = Some(Progress::Streaming),
            LinkEvent::Down { .. } => self.progress = None,
            LinkEvent::Frame { .. } | LinkEvent::Overflowed { .. } => {}
        }
    }
    fn wish(&mut self, wish: Wish, _: SessionTime) {
        if wish == Wish::Stop {
            self.progress = Some(Progress::Done);
        }
    }
    fn poll(&mut self, _: SessionTime, _: &mut Vec<Said>) -> Option<Command> {
        std::mem::take(&mut self.subscribe).then_some(Command::Subscribe(CHAN))
    }
    fn wake_at(&self) -> Option<SessionTime> {
        None
    }
    fn progress(&self) -> Progress {
        self.progress.unwrap_or(Progress::Away)
    }
}

fn plan(os_id: &str, id: Option<&str>) -> (SensorPlan, Box<dyn Driver>) {
    let plan = SensorPlan {
        placement: None,
        kind: DriverKind::Standard,
        os_id: os_id.to_owned(),
        name: "pod".to_owned(),
        id: id.map(str::to_owned),
    };
    (plan, Box::<Listener>::default())
}

fn start(room: &Arc<Room>, stamp: &Stamp, sensors: Vec<(SensorPlan, Box<dyn Driver>)>) -> Collecting {
    let radio: Arc<dyn Radio> = Arc::<Room>::clone(room);
    Collecting::start(&Handle::current(), radio, stamp, sensors)
}

/// Everything told until `limit` of virtual time is over.
async fn told_within(collecting: &mut Collecting, limit: Duration) -> Vec<(usize, Told)> {
    let mut all = Vec::new();
    let end = Instant::now() + limit;
    while let Ok(Some(batch)) = tokio::time::timeout_at(end, collecting.next()).await {
        all.extend(batch.told.into_iter().map(|t| (batch.sensor, t)));
    }
    all
}

fn frames(told: &[(usize, Told)], of: usize) -> Vec<u32> {
    told.iter()
        .filter_map(|(sensor, t)| match t {
            Told::Event(LinkEvent::Frame { bytes, .. }) if *sensor == of => {
                Some(u32::from_le_bytes(bytes.as_slice().try_into().ok()?))
            }
            _ => None,
        })
        .collect()
}

fn script(frames: u32, then: Then) -> Opening {
    Opening::Link(Script { frames, then, id: "a" })
}

#[tokio::test(start_paused = true)]
async fn a_lost_link_is_opened_again_and_every_frame_is_told_once() {
    let (room, stamp) = Room::new(&[("A", &[script(50, Then::Down), script(30, Then::Stay)])], vec![]);
    let mut collecting = start(&room, &stamp, vec![plan("A", Some("a"))]);
    let told = told_within(&mut collecting, Duration::from_secs(5)).await;
    let expected: Vec<u32> = (0..50).chain(0..30).collect();
    assert_eq!(frames(&told, 0), expected);
    let away = told
        .iter()
        .filter(|(_, t)| matches!(t, Told::Presence(Presence::Away { .. })))
        .count();
    assert_eq!(away, 1);
}

#[tokio::test(start_paused = true)]
async fn a_silent_sensor_does_not_hold_up_another() {
    let (room, stamp) = Room::new(&[("A", &[Opening::Never]), ("B", &[script(100, Then::Stay)])], vec![]);
    let mut collecting = start(&room, &stamp, vec![plan("A", None), plan("B", None)]);
    let told = told_within(&mut collecting, Duration::from_secs(3)).await;
    assert_eq!(frames(&told, 1).len(), 100);
    assert!(frames(&told, 0).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_stalled_reader_costs_the_oldest_frames_and_each_is_counted() {
    let sent = 3 * CAPACITY as u32;
    let (room, stamp) = Room::new(&[("A", &[script(sent, Then::Down)])], vec![]);
    let mut collecting = start(&room, &stamp, vec![plan("A", None)]);
    // Nobody reads until all is sent.
    sleep(Duration::from_millis(10 * u64::from(sent) + 100)).await;
    let told = told_within(&mut collecting, Duration::from_secs(1)).await;
    let got = frames(&told, 0);
    let dropped: u32 = told
        .iter()
        .filter_map(|(_, t)| match t {
            Told::Event(LinkEvent::Overflowed { frames, .. }) => Some(*frames),
            _ => None,
        })
        .sum();
    assert_eq!(got.len() as u32 + dropped, sent);
    assert!(dropped > 0 && got.windows(2).all(|w| w[0] < w[1]));
    assert_eq!(got.last(), Some(&(sent - 1)), "the newest are kept");
}

#[tokio::test(start_paused = true)]
async fn another_sensor_under_the_same_address_is_told_and_the_right_one_found_by_name() {
    let wrong = Opening::Link(Script {
        frames: 500,
        then: Then::Stay,
        id: "b",
    });
    let advert = |os_id: &str| Advert {
        os_id: os_id.to_owned(),
        name: Some("pod".to_owned()),
        services: vec![crate::sensors::link::sig_uuid(0x180D)],
        ..Advert::default()
    };
    let (room, stamp) = Room::new(
        &[("A", &[wrong]), ("C", &[script(40, Then::Stay)])],
        vec![advert("A"), advert("C")],
    );
    let mut collecting = start(&room, &stamp, vec![plan("A", Some("a"))]);
    let told = told_within(&mut collecting, Duration::from_secs(60)).await;
    let is_wrong = |t: &Told| matches!(t, Told::Presence(Presence::WrongSensor { found, .. }) if found == "b");
    assert_eq!(told.iter().filter(|(_, t)| is_wrong(t)).count(), 1);
    let right: Vec<u32> = frames(&told, 0);
    assert!(right.ends_with(&(0..40).collect::<Vec<_>>()), "{right:?}");
    let said = told
        .iter()
        .filter(|(_, t)| matches!(t, Told::Said(Said::Identity(i)) if i.id.as_deref() == Some("b")))
        .count();
    assert_eq!(said, 0, "what another sensor says is not told");
}

#[tokio::test(start_paused = true)]
async fn a_forgotten_sensor_is_scanned_for_until_it_is_there() {
    let (room, stamp) = Room::new(
        &[(
            "A",
            &[
                Opening::Unknown,
                Opening::Unknown,
                Opening::Unknown,
                script(20, Then::Stay),
            ],
        )],
        vec![],
    );
    let mut collecting = start(&room, &stamp, vec![plan("A", None)]);
    let told = told_within(&mut collecting, Duration::from_secs(120)).await;
    assert_eq!(frames(&told, 0).len(), 20);
    let searched = |t: &Told| matches!(t, Told::Presence(Presence::Searching));
    assert!(told.iter().any(|(_, t)| searched(t)));
}

#[tokio::test(start_paused = true)]
async fn a_link_that_hangs_on_closing_is_given_up() {
    let (room, stamp) = Room::new(&[("A", &[script(10, Then::HangOnClose)])], vec![]);
    let collecting = start(&room, &stamp, vec![plan("A", None)]);
    sleep(Duration::from_secs(1)).await;
    let began = Instant::now();
    let mut hung = 0;
    collecting
        .end(Duration::from_secs(60), |batch| {
            hung += batch
                .told
                .iter()
                .filter(|t| {
                    matches!(
                        t,
                        Told::Event(LinkEvent::Down {
                            reason: DownReason::Hung(_),
                            ..
                        })
                    )
                })
                .count();
        })
        .await;
    assert_eq!(hung, 1);
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn attempts_are_spread_out_and_never_end() {
    let (room, stamp) = Room::new(&[("A", &[])], vec![]);
    let mut collecting = start(&room, &stamp, vec![plan("A", None)]);
    told_within(&mut collecting, Duration::from_secs(600)).await;
    let opened = room.opened.lock().expect("test");
    let waits: Vec<f64> = opened.windows(2).map(|w| w[1].1.since(w[0].1)).collect();
    assert!(waits[0] < 1.0, "{waits:?}");
    assert!(waits.iter().all(|w| *w < 60.0) && waits.len() > 12, "{waits:?}");
}

#[tokio::test(start_paused = true)]
async fn wishes_reach_a_driver_whose_sensor_is_away_and_are_told() {
    let (room, stamp) = Room::new(&[("A", &[])], vec![]);
    let mut collecting = start(&room, &stamp, vec![plan("A", None)]);
    sleep(Duration::from_secs(5)).await;
    collecting.wish(0, Wish::Stop).await;
    let told = told_within(&mut collecting, Duration::from_secs(60)).await;
    let wished = |t: &Told| matches!(t, Told::Wished(_, Wish::Stop));
    assert_eq!(told.iter().filter(|(_, t)| wished(t)).count(), 1);
}
