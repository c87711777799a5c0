//! The world as D-Bus objects: answers to every method btleplug calls, and the signals it listens to.
//!
//! Written on messages rather than on generated interfaces, because what matters here are the answers no honest server gives:
//! none at all, wrong ones, and signals at the wrong moment. Calls are answered one after another, and a signal that a call
//! causes goes out before its answer, as BlueZ does it.

use super::world::{ADAPTER, ADAPTER_1, Answer, CHAR_1, DEVICE_1, Props, Refused, World, path, put};
use std::collections::{BTreeSet, HashMap};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;
use zbus::export::futures_core::Stream;
use zbus::message::{Header, Message, Type};
use zbus::zvariant::Value;
use zbus::{Connection, MessageStream};

/// How often sensors are asked for what is due: no frame is late by more.
const PACE: Duration = Duration::from_millis(2);
/// Adverts of each sensor while somebody scans.
const ADVERT_EVERY: Duration = Duration::from_millis(100);

const OBJECTS: &str = "org.freedesktop.DBus.ObjectManager";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";
const UNKNOWN: Refused = ("org.freedesktop.DBus.Error.UnknownObject", "No such object");
const IN_PROGRESS: Refused = ("org.bluez.Error.InProgress", "Operation already in progress");
const NOT_CONNECTED: Refused = ("org.bluez.Error.Failed", "Not connected");

/// A false Bluetooth service; gone when dropped.
pub(crate) struct FakeBluez {
    shared: Arc<Shared>,
    tasks: Vec<JoinHandle<()>>,
}

struct Shared {
    bus: Connection,
    world: Mutex<World>,
    /// Held while frames go out and while a connection ends, so that no frame is sent after the end.
    air: tokio::sync::Mutex<()>,
}

impl Drop for FakeBluez {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl FakeBluez {
    /// Starts the service on the bus of this process.
    pub(crate) async fn start(world: World) -> Self {
        let address = std::env::var("DBUS_SYSTEM_BUS_ADDRESS").expect("a child on a private bus");
        let bus = zbus::connection::Builder::address(address.as_str())
            .expect("an address")
            .build()
            .await
            .expect("the bus is there");
        let calls = MessageStream::from(&bus);
        let shared = Arc::new(Shared {
            bus,
            world: Mutex::new(world),
            air: tokio::sync::Mutex::new(()),
        });
        let tasks = vec![
            tokio::spawn(serve(Arc::clone(&shared), calls)),
            tokio::spawn(pace(Arc::clone(&shared))),
            tokio::spawn(advertise(Arc::clone(&shared))),
        ];
        let service = Self { shared, tasks };
        // By hand: asking zbus for it would start an object server that answers our calls.
        service.name("RequestName", &("org.bluez", 4_u32)).await;
        service
    }

    async fn name<B: zbus::export::serde::ser::Serialize + zbus::zvariant::DynamicType>(&self, call: &str, body: &B) {
        let bus = Some("org.freedesktop.DBus");
        let answer = self
            .shared
            .bus
            .call_method(bus, "/org/freedesktop/DBus", bus, call, body)
            .await;
        answer.expect("the bus gives and takes names");
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.shared.world()
    }

    /// Returns when the world is as `wanted`.
    pub(crate) async fn until(&self, wanted: impl Fn(&World) -> bool) {
        let mut ticks = tokio::time::interval(PACE);
        let looking = async {
            while !wanted(&self.world()) {
                ticks.tick().await;
            }
        };
        tokio::time::timeout(super::client::PATIENCE, looking)
            .await
            .expect("it becomes so in time");
    }

    /// The service ends, as after a crash: its name is free, its objects are not reachable.
    pub(crate) async fn crash(&self) {
        self.world().devices.iter_mut().for_each(|d| d.subscribed.clear());
        self.name("ReleaseName", &("org.bluez",)).await;
    }

    /// A sensor ends its connection, or the radio loses it.
    pub(crate) async fn lose(&self, device: usize) {
        self.shared.disconnect(device).await;
    }

    /// The service forgets a sensor without a word about its connection.
    pub(crate) async fn forget(&self, device: usize) {
        let _air = self.shared.air.lock().await;
        let object = {
            let mut world = self.world();
            let d = &mut world.devices[device];
            (d.present, d.connected, d.resolved) = (false, false, false);
            d.subscribed.clear();
            d.path()
        };
        let body = (path(object), vec![DEVICE_1]);
        self.shared.signal("/", OBJECTS, "InterfacesRemoved", &body).await;
    }

    /// The adapter is switched on or off. When off, connections end first, as BlueZ ends them.
    pub(crate) async fn power(&self, on: bool) {
        self.shared.power(on).await;
    }
}

impl Shared {
    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn signal<B>(&self, object: &str, interface: &str, name: &str, body: &B)
    where
        B: zbus::export::serde::ser::Serialize + zbus::zvariant::DynamicType,
    {
        let sent = self.bus.emit_signal(None::<&str>, object, interface, name, body).await;
        sent.expect("the bus takes signals");
    }

    async fn changed(&self, object: &str, interface: &str, props: Props) {
        let body = (interface, props, Vec::<&str>::new());
        self.signal(object, PROPERTIES, "PropertiesChanged", &body).await;
    }

    async fn changed_one(&self, object: &str, interface: &str, name: &str, value: impl Into<Value<'_>>) {
        let mut props = Props::new();
        put(&mut props, name, value);
        self.changed(object, interface, props).await;
    }

    async fn disconnect(&self, device: usize) {
        let _air = self.air.lock().await;
        let (object, was) = {
            let mut world = self.world();
            let d = &mut world.devices[device];
            d.subscribed.clear();
            d.resolved = false;
            (d.path(), std::mem::take(&mut d.connected))
        };
        if was {
            self.changed_one(&object, DEVICE_1, "ServicesResolved", false).await;
            self.changed_one(&object, DEVICE_1, "Connected", false).await;
        }
    }

    async fn power(&self, on: bool) {
        let devices = {
            let mut world = self.world();
            world.powered = on;
            world.devices.len()
        };
        if !on {
            for device in 0..devices {
                self.disconnect(device).await;
            }
        }
        self.changed_one(ADAPTER, ADAPTER_1, "Powered", on).await;
    }

    /// Answers to one call; `None` for none at all.
    async fn call(self: &Arc<Self>, call: &Message) -> Option<Result<Reply, Refused>> {
        let header = call.header();
        let text = |t: Option<&str>| t.unwrap_or_default().to_owned();
        let object = text(header.path().map(|p| p.as_str()));
        let interface = text(header.interface().map(|i| i.as_str()));
        let member = text(header.member().map(|m| m.as_str()));
        self.world().calls.push(format!("{member} {object}"));
        match (interface.as_str(), member.as_str()) {
            (OBJECTS, "GetManagedObjects") => {
                let objects = self.world().objects();
                Some(Ok(Reply::Objects(
                    objects.into_iter().map(|(p, i)| (path(p), i)).collect(),
                )))
            }
            ("org.freedesktop.DBus.Introspectable", _) => Some(Ok(Reply::Text(self.world().introspect(&object)))),
            (PROPERTIES, _) => self.properties(call, &object, &member).await,
            (ADAPTER_1, _) => Some(self.adapter(&member).await),
            (DEVICE_1, "Connect") => self.connect(&object).await,
            (DEVICE_1, "Disconnect") => {
                let Some((device, _)) = self.world().at(&object) else {
                    return Some(Err(UNKNOWN));
                };
                self.disconnect(device).await;
                Some(Ok(Reply::Nothing))
            }
            (CHAR_1, _) => self.characteristic(call, &object, &member).await,
            _ => Some(Err(("org.freedesktop.DBus.Error.UnknownMethod", "No such method"))),
        }
    }

    async fn properties(&self, call: &Message, object: &str, member: &str) -> Option<Result<Reply, Refused>> {
        if member == "Set" {
            let body = call.body();
            let (_, _, value): (&str, &str, Value<'_>) = body.deserialize().expect("as btleplug sets");
            // Only the power of the adapter can be set.
            self.power(value == Value::Bool(true)).await;
            return Some(Ok(Reply::Nothing));
        }
        let world = self.world();
        if let Some((device, _)) = world.at(object)
            && world.devices[device].mute
        {
            return None;
        }
        let objects = world.objects();
        let body = call.body();
        let asked: (&str, &str) = match member {
            "Get" => body.deserialize().expect("interface and name"),
            _ => (body.deserialize().expect("interface"), ""),
        };
        let Some(props) = objects.get(object).and_then(|i| i.get(asked.0)) else {
            return Some(Err(UNKNOWN));
        };
        Some(match member {
            "GetAll" => Ok(Reply::Props(props.clone())),
            "Get" => props
                .get(asked.1)
                .map(|v| Reply::Value(v.clone()))
                .ok_or(("org.freedesktop.DBus.Error.InvalidArgs", "No such property")),
            _ => Err(("org.freedesktop.DBus.Error.UnknownMethod", "No such method")),
        })
    }

    async fn adapter(&self, member: &str) -> Result<Reply, Refused> {
        let discovering = {
            let mut world = self.world();
            if !world.powered {
                return Err(("org.bluez.Error.NotReady", "Resource Not Ready"));
            }
            let discovering = match member {
                "StartDiscovery" if world.discovering => return Err(IN_PROGRESS),
                "StartDiscovery" => true,
                "StopDiscovery" => false,
                _ => return Ok(Reply::Nothing),
            };
            world.discovering = discovering;
            discovering
        };
        self.changed_one(ADAPTER, ADAPTER_1, "Discovering", discovering).await;
        Ok(Reply::Nothing)
    }

    async fn connect(self: &Arc<Self>, object: &str) -> Option<Result<Reply, Refused>> {
        let (device, resolves_after) = {
            let mut world = self.world();
            let Some((device, _)) = world.at(object) else {
                return Some(Err(UNKNOWN));
            };
            let d = &mut world.devices[device];
            if d.connecting {
                return Some(Err(IN_PROGRESS));
            }
            match d.on_connect {
                Answer::Never => {
                    d.connecting = true;
                    return None;
                }
                Answer::Refused(why) => return Some(Err(why)),
                Answer::Value(_) => {}
            }
            if d.connected {
                return Some(Ok(Reply::Nothing));
            }
            d.connected = true;
            d.peer.connected();
            (device, d.resolves_after)
        };
        self.changed_one(object, DEVICE_1, "Connected", true).await;
        let shared = Arc::clone(self);
        let object = object.to_owned();
        tokio::spawn(async move {
            after(resolves_after).await;
            {
                let mut world = shared.world();
                let d = &mut world.devices[device];
                if !d.connected {
                    return;
                }
                d.resolved = true;
            }
            shared.changed_one(&object, DEVICE_1, "ServicesResolved", true).await;
        });
        Some(Ok(Reply::Nothing))
    }

    async fn characteristic(&self, call: &Message, object: &str, member: &str) -> Option<Result<Reply, Refused>> {
        let answer = {
            let mut world = self.world();
            let Some((device, Some(char))) = world.at(object) else {
                return Some(Err(UNKNOWN));
            };
            let d = &mut world.devices[device];
            if !d.connected {
                return Some(Err(NOT_CONNECTED));
            }
            match member {
                "StartNotify" => {
                    d.subscriptions += 1;
                    let answer = d.peer.subscribe(char);
                    if matches!(answer, Answer::Value(_)) {
                        d.subscribed.insert(char);
                    }
                    answer
                }
                "StopNotify" => {
                    d.subscribed.remove(&char);
                    Answer::Value(Vec::new())
                }
                "ReadValue" => d.peer.read(char),
                "WriteValue" => {
                    let body = call.body();
                    let (bytes, _): (Vec<u8>, HashMap<&str, Value<'_>>) =
                        body.deserialize().expect("as btleplug writes");
                    d.peer.write(char, &bytes)
                }
                _ => return Some(Err(("org.freedesktop.DBus.Error.UnknownMethod", "No such method"))),
            }
        };
        match (answer, member) {
            (Answer::Never, _) => None,
            (Answer::Refused(why), _) => Some(Err(why)),
            (Answer::Value(value), "ReadValue") => {
                // BlueZ keeps the value it read, which looks like a notification.
                self.changed_one(object, CHAR_1, "Value", value.clone()).await;
                Some(Ok(Reply::Bytes(value)))
            }
            (Answer::Value(_), "StartNotify") => {
                self.changed_one(object, CHAR_1, "Notifying", true).await;
                Some(Ok(Reply::Nothing))
            }
            (Answer::Value(_), _) => Some(Ok(Reply::Nothing)),
        }
    }
}

/// What a call returns.
enum Reply {
    Nothing,
    Bytes(Vec<u8>),
    Text(String),
    Value(zbus::zvariant::OwnedValue),
    Props(Props),
    Objects(HashMap<zbus::zvariant::ObjectPath<'static>, super::world::Interfaces>),
}

impl Reply {
    async fn send(&self, bus: &Connection, to: &Header<'_>) -> zbus::Result<()> {
        match self {
            Self::Nothing => bus.reply(to, &()).await,
            Self::Bytes(bytes) => bus.reply(to, bytes).await,
            Self::Text(text) => bus.reply(to, text).await,
            Self::Value(value) => bus.reply(to, value).await,
            Self::Props(props) => bus.reply(to, props).await,
            Self::Objects(objects) => bus.reply(to, objects).await,
        }
    }
}

async fn serve(shared: Arc<Shared>, mut calls: MessageStream) {
    while let Some(message) = std::future::poll_fn(|c| Pin::new(&mut calls).poll_next(c)).await {
        let message = message.expect("whole messages");
        if message.message_type() != Type::MethodCall {
            continue;
        }
        let header = message.header();
        let sent = match shared.call(&message).await {
            None => Ok(()),
            Some(Ok(reply)) => reply.send(&shared.bus, &header).await,
            Some(Err((name, text))) => shared.bus.reply_error(&header, name, &text).await,
        };
        sent.expect("the bus takes answers");
    }
}

/// Sends what sensors have to send, in the order of their numbers.
async fn pace(shared: Arc<Shared>) {
    let mut ticks = tokio::time::interval(PACE);
    loop {
        ticks.tick().await;
        let _air = shared.air.lock().await;
        let mut due = Vec::new();
        for d in shared.world().devices.iter_mut().filter(|d| d.connected) {
            let subscribed: BTreeSet<usize> = d.subscribed.clone();
            if subscribed.is_empty() {
                continue;
            }
            for (char, bytes) in d.peer.due() {
                assert!(subscribed.contains(&char), "a peer sends what was subscribed");
                due.push((d.char_path(char), bytes));
            }
        }
        for (object, bytes) in due {
            shared.changed_one(&object, CHAR_1, "Value", bytes).await;
        }
    }
}

async fn advertise(shared: Arc<Shared>) {
    let mut ticks = tokio::time::interval(ADVERT_EVERY);
    loop {
        ticks.tick().await;
        let heard: Vec<(String, i16)> = {
            let world = shared.world();
            let on_air = |d: &&super::world::Device| world.discovering && d.present && !d.connected;
            world
                .devices
                .iter()
                .filter(on_air)
                .map(|d| (d.path(), d.rssi))
                .collect()
        };
        for (object, rssi) in heard {
            shared.changed_one(&object, DEVICE_1, "RSSI", rssi).await;
        }
    }
}

/// Part of what the service plays: the time a sensor takes.
async fn after(time: Duration) {
    let mut tick = tokio::time::interval_at(tokio::time::Instant::now() + time, Duration::from_secs(1));
    tick.tick().await;
}
