//! The attribute table: the service of the protocol, battery, device information.
//!
//! Values that the protocol carries never lie in the table; a write goes to the pod as it comes, a notification is sent from
//! the queues. So nothing that notifies can be read, as the protocol demands.

use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use firmware_protocol::gatt;
use heapless::Vec;
use trouble_host::prelude::{
    AttributeServer, AttributeTable, Characteristic, CharacteristicProp, DefaultPacketPool,
    GAP_SERVICE_ATTRIBUTE_COUNT, GapConfig, GattConnection, PeripheralConfig, PermissionLevel, Service, Uuid,
    appearance, characteristic, service,
};

use crate::identity::Identity;

/// Service 1 + Control 3 + Stream 3 + Time 3 + Secure 2, battery 1 + 3, device information 1 + 5 × 2.
const OWN_ATTRIBUTES: usize = 27;
const ATTRIBUTES: usize = GAP_SERVICE_ATTRIBUTE_COUNT + OWN_ATTRIBUTES;
/// A pod has one host at a time.
pub(crate) const CONNECTIONS: usize = 1;
/// Bit of a CCCD that asks for indications.
const INDICATIONS: u8 = 2;
/// What Secure reads once a link is encrypted.
const SECURED: u8 = 1;

pub(crate) type Server<'v> = AttributeServer<'v, NoopRawMutex, DefaultPacketPool, ATTRIBUTES, CONNECTIONS>;
pub(crate) type Conn<'stack, 'server> = GattConnection<'stack, 'server, DefaultPacketPool>;

/// The table and the handles of what the firmware cares about.
pub(crate) struct Attributes<'v> {
    pub(crate) server: Server<'v>,
    pub(crate) control: Characteristic<[u8]>,
    pub(crate) stream: Characteristic<[u8]>,
    pub(crate) time: Characteristic<[u8]>,
    pub(crate) battery: Characteristic<u8>,
}

/// A value that is never stored.
type NoValue = Vec<u8, 1>;

impl<'v> Attributes<'v> {
    /// Fails if the name is longer than 22 bytes.
    pub(crate) fn new(identity: &Identity<'v>) -> Result<Self, &'static str> {
        let mut table: AttributeTable<'v, NoopRawMutex, ATTRIBUTES> = AttributeTable::new();
        GapConfig::Peripheral(PeripheralConfig {
            name: identity.name,
            appearance: &appearance::sensor::MOTION_SENSOR,
        })
        .build(&mut table)?;

        let mut own = table.add_service(Service::new(uuid(gatt::SERVICE)));
        let mut add = |number: u128, props: &[CharacteristicProp]| {
            own.add_characteristic_small(uuid(number), props, NoValue::new())
                .to_raw()
                .build()
        };
        let control = add(
            gatt::CONTROL,
            &[CharacteristicProp::Write, CharacteristicProp::Indicate],
        );
        let stream = add(gatt::STREAM, &[CharacteristicProp::Notify]);
        let time = add(
            gatt::TIME,
            &[CharacteristicProp::WriteWithoutResponse, CharacteristicProp::Notify],
        );
        own.add_characteristic_small(uuid(gatt::SECURE), [CharacteristicProp::Read], SECURED)
            .read_permission(PermissionLevel::EncryptionRequired)
            .build();
        own.build();

        let mut batteries = table.add_service(Service::new(service::BATTERY));
        let battery = batteries
            .add_characteristic_small(
                characteristic::BATTERY_LEVEL,
                [CharacteristicProp::Read, CharacteristicProp::Notify],
                100_u8,
            )
            .build();
        batteries.build();

        let mut device = table.add_service(Service::new(service::DEVICE_INFORMATION));
        device.add_characteristic_ro(characteristic::MANUFACTURER_NAME_STRING, identity.vendor);
        device.add_characteristic_ro(characteristic::MODEL_NUMBER_STRING, identity.product);
        device.add_characteristic_ro(characteristic::SERIAL_NUMBER_STRING, identity.serial);
        device.add_characteristic_ro(characteristic::FIRMWARE_REVISION_STRING, identity.firmware);
        device.add_characteristic_ro(characteristic::HARDWARE_REVISION_STRING, identity.hardware);
        device.build();

        let server = Server::new(table);
        Ok(Attributes {
            server,
            control,
            stream,
            time,
            battery,
        })
    }

    /// Whether the host takes indications of Control. (The stack's own question looks at the bit of notifications.)
    pub(crate) fn control_indications(&self, conn: &Conn<'_, '_>) -> bool {
        let Some(cccd) = self.control.cccd_handle else {
            return false;
        };
        let values = self.server.get_client_att_table(conn.raw());
        values
            .as_ref()
            .and_then(|values| values.get(cccd))
            .and_then(|value| value.first())
            .is_some_and(|bits| bits & INDICATIONS != 0)
    }
}

fn uuid(number: u128) -> Uuid {
    Uuid::new_long(number.to_le_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use firmware_protocol::{BootId, PodUid};

    fn identity(name: &str) -> Identity<'_> {
        Identity {
            name,
            pod_uid: PodUid::new(1).expect("not 0"),
            boot_id: BootId::new(1).expect("not 0"),
            address: [0; 6],
            vendor: "v",
            product: "p",
            serial: "s",
            firmware: "f",
            hardware: "h",
        }
    }

    #[test]
    fn the_table_has_exactly_the_room_it_needs() {
        let attributes = Attributes::new(&identity("pod-0001")).expect("a table");
        assert_eq!(attributes.server.table().len(), ATTRIBUTES);
    }

    #[test]
    fn a_name_that_does_not_fit_is_refused() {
        assert!(Attributes::new(&identity("a-name-of-23-characters")).is_err());
    }

    #[test]
    fn uuids_are_written_backwards_on_the_air() {
        let expected = [
            0x24, 0x79, 0xea, 0xe2, 0xca, 0x90, 0xea, 0x86, 0xec, 0x44, 0x99, 0x2c, 0x01, 0, 0xa2, 0x54,
        ];
        assert_eq!(uuid(gatt::SERVICE).as_raw(), expected);
    }
}
