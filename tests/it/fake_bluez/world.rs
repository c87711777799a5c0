//! What exists behind the false Bluetooth service, and how each part of it fails.

use super::peers::Peer;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;
use uuid::Uuid;
use zbus::zvariant::{ObjectPath, OwnedValue, Value};

pub(crate) const ADAPTER: &str = "/org/bluez/hci0";
pub(crate) const ADAPTER_1: &str = "org.bluez.Adapter1";
pub(crate) const DEVICE_1: &str = "org.bluez.Device1";
pub(crate) const SERVICE_1: &str = "org.bluez.GattService1";
pub(crate) const CHAR_1: &str = "org.bluez.GattCharacteristic1";

pub(crate) type Props = HashMap<String, OwnedValue>;
pub(crate) type Interfaces = HashMap<String, Props>;

/// An error by its D-Bus name, and its message.
pub(crate) type Refused = (&'static str, &'static str);

/// How a call is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// With this value; empty for calls that have none.
    Value(Vec<u8>),
    /// With an error.
    Refused(Refused),
    /// Not at all.
    Never,
}

/// A characteristic.
#[derive(Clone, Debug)]
pub(crate) struct Char {
    pub(crate) service: Uuid,
    pub(crate) uuid: Uuid,
    pub(crate) flags: Vec<&'static str>,
}

/// A sensor.
pub(crate) struct Device {
    pub(crate) address: &'static str,
    pub(crate) name: Option<&'static str>,
    pub(crate) company: Option<u16>,
    pub(crate) advertised: Vec<Uuid>,
    pub(crate) rssi: i16,
    pub(crate) mtu: u16,
    pub(crate) chars: Vec<Char>,
    pub(crate) peer: Box<dyn Peer>,
    /// Whether the service knows it at all.
    pub(crate) present: bool,
    pub(crate) connected: bool,
    pub(crate) resolved: bool,
    pub(crate) subscribed: BTreeSet<usize>,
    /// How [`DEVICE_1`] answers to `Connect`; `Value` connects.
    pub(crate) on_connect: Answer,
    /// A `Connect` that is never answered goes on: later ones are refused as in progress.
    pub(crate) connecting: bool,
    /// From connected to services resolved.
    pub(crate) resolves_after: Duration,
    /// Whether its properties can be asked for.
    pub(crate) mute: bool,
    /// Calls of `StartNotify` so far.
    pub(crate) subscriptions: u32,
}

impl Device {
    pub(crate) fn new(address: &'static str, chars: Vec<Char>, peer: impl Peer + 'static) -> Self {
        Self {
            address,
            name: Some("pod"),
            company: None,
            advertised: Vec::new(),
            rssi: -60,
            mtu: 247,
            chars,
            peer: Box::new(peer),
            present: true,
            connected: false,
            resolved: false,
            subscribed: BTreeSet::new(),
            on_connect: Answer::Value(Vec::new()),
            connecting: false,
            resolves_after: Duration::from_millis(50),
            mute: false,
            subscriptions: 0,
        }
    }

    pub(crate) fn path(&self) -> String {
        format!("{ADAPTER}/dev_{}", self.address.replace(':', "_"))
    }

    fn services(&self) -> Vec<Uuid> {
        let mut all: Vec<Uuid> = Vec::new();
        for char in &self.chars {
            if !all.contains(&char.service) {
                all.push(char.service);
            }
        }
        all
    }

    /// Path of a service; nodes are named as BlueZ names them, after their handles.
    fn service_path(&self, service: Uuid) -> String {
        let at = self.services().iter().position(|s| *s == service);
        format!("{}/service{:04x}", self.path(), 0x10 * (at.expect("one of ours") + 1))
    }

    pub(crate) fn char_path(&self, at: usize) -> String {
        format!(
            "{}/char{:04x}",
            self.service_path(self.chars[at].service),
            0x10 + 3 * at
        )
    }

    pub(crate) fn props(&self) -> Props {
        let mut p = Props::new();
        put(&mut p, "Address", self.address);
        put(&mut p, "AddressType", "random");
        // BlueZ makes an alias of the address for those without a name.
        let made_up = self.address.replace(':', "-");
        put(&mut p, "Alias", self.name.unwrap_or(&made_up).to_owned());
        if let Some(name) = self.name {
            put(&mut p, "Name", name);
        }
        for flag in ["Paired", "Bonded", "Trusted", "Blocked", "LegacyPairing"] {
            put(&mut p, flag, false);
        }
        put(&mut p, "Connected", self.connected);
        put(&mut p, "ServicesResolved", self.resolved);
        let uuids: Vec<String> = self.advertised.iter().map(Uuid::to_string).collect();
        put(&mut p, "UUIDs", uuids);
        put(&mut p, "Adapter", ObjectPath::from_static_str_unchecked(ADAPTER));
        put(&mut p, "RSSI", self.rssi);
        if let Some(company) = self.company {
            put(
                &mut p,
                "ManufacturerData",
                HashMap::from([(company, Value::from(vec![1_u8, 2]))]),
            );
        }
        p
    }

    fn objects(&self) -> BTreeMap<String, Interfaces> {
        let mut all = BTreeMap::new();
        all.insert(self.path(), one(DEVICE_1, self.props()));
        if !self.resolved {
            return all;
        }
        for service in self.services() {
            let mut p = Props::new();
            put(&mut p, "UUID", service.to_string());
            put(&mut p, "Primary", true);
            put(&mut p, "Device", path(self.path()));
            all.insert(self.service_path(service), one(SERVICE_1, p));
        }
        for (at, char) in self.chars.iter().enumerate() {
            let mut p = Props::new();
            put(&mut p, "UUID", char.uuid.to_string());
            put(&mut p, "Service", path(self.service_path(char.service)));
            put(
                &mut p,
                "Flags",
                char.flags.iter().map(|f| (*f).to_owned()).collect::<Vec<_>>(),
            );
            put(&mut p, "Value", Vec::<u8>::new());
            put(&mut p, "Notifying", self.subscribed.contains(&at));
            put(&mut p, "MTU", self.mtu);
            all.insert(self.char_path(at), one(CHAR_1, p));
        }
        all
    }
}

/// Everything.
pub(crate) struct World {
    pub(crate) adapter: bool,
    pub(crate) powered: bool,
    pub(crate) discovering: bool,
    pub(crate) devices: Vec<Device>,
    /// Every call of a method, as `member path`, in order.
    pub(crate) calls: Vec<String>,
}

impl World {
    pub(crate) fn new(devices: Vec<Device>) -> Self {
        Self {
            adapter: true,
            powered: true,
            discovering: false,
            devices,
            calls: Vec::new(),
        }
    }

    pub(crate) fn adapter_props(&self) -> Props {
        let mut p = Props::new();
        put(&mut p, "Address", "00:00:5E:00:53:01");
        put(&mut p, "AddressType", "public");
        put(&mut p, "Name", "bench");
        put(&mut p, "Alias", "bench");
        put(&mut p, "Class", 0_u32);
        put(&mut p, "Powered", self.powered);
        put(&mut p, "Discoverable", false);
        put(&mut p, "Pairable", false);
        put(&mut p, "Discovering", self.discovering);
        put(&mut p, "UUIDs", Vec::<String>::new());
        put(&mut p, "Modalias", "usb:v1D6Bp0246d0542");
        p
    }

    /// Every object with its interfaces.
    pub(crate) fn objects(&self) -> BTreeMap<String, Interfaces> {
        let mut all = BTreeMap::new();
        if !self.adapter {
            return all;
        }
        all.insert(ADAPTER.to_owned(), one(ADAPTER_1, self.adapter_props()));
        for device in self.devices.iter().filter(|d| d.present) {
            all.extend(device.objects());
        }
        all
    }

    /// The sensor at a path, and its characteristic if the path is one's.
    pub(crate) fn at(&self, path: &str) -> Option<(usize, Option<usize>)> {
        let device = self
            .devices
            .iter()
            .position(|d| self.adapter && d.present && path.starts_with(&d.path()))?;
        let d = &self.devices[device];
        let char = (0..d.chars.len()).find(|c| d.resolved && d.char_path(*c) == path);
        (char.is_some() || path == d.path()).then_some((device, char))
    }

    /// Introspection data of a node: its interfaces and children, which is how btleplug finds services.
    pub(crate) fn introspect(&self, node: &str) -> String {
        let objects = self.objects();
        let mut xml = String::from("<node>");
        for name in objects.get(node).into_iter().flat_map(HashMap::keys) {
            xml += &format!("<interface name=\"{name}\"></interface>");
        }
        let below = format!("{}/", node.trim_end_matches('/'));
        let mut children: Vec<&str> = objects
            .keys()
            .filter_map(|p| p.strip_prefix(&below)?.split('/').next())
            .collect();
        children.dedup();
        for child in children {
            xml += &format!("<node name=\"{child}\"/>");
        }
        xml + "</node>"
    }
}

pub(crate) fn path(path: String) -> ObjectPath<'static> {
    ObjectPath::try_from(path).expect("made of letters, digits, `_` and `/`")
}

pub(crate) fn put<'a>(props: &mut Props, name: &str, value: impl Into<Value<'a>>) {
    let value = value.into().try_to_owned().expect("no file descriptor in it");
    props.insert(name.to_owned(), value);
}

fn one(interface: &str, props: Props) -> Interfaces {
    HashMap::from([(interface.to_owned(), props)])
}
