"""What a program on Linux sees of Bluetooth: bluetoothd over D-Bus. For checks that do without lope and its libraries."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from dbus_fast import BusType, Message, MessageType, Variant
from dbus_fast.aio import MessageBus

BLUEZ = "org.bluez"
ADAPTER = "/org/bluez/hci0"
DEVICE_INTERFACE = "org.bluez.Device1"
CHARACTERISTIC_INTERFACE = "org.bluez.GattCharacteristic1"
PROPERTIES = "org.freedesktop.DBus.Properties"
OBJECTS = "org.freedesktop.DBus.ObjectManager"
FIND_S = 40.0
CONNECT_S = 40.0


async def bluez() -> BlueZ:
    """BlueZ on this machine's bus."""
    bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
    bluez = BlueZ(bus)
    await bluez.listen()
    return bluez


class BlueZ:
    """The parts of BlueZ's interface that a client needs."""

    def __init__(self, bus: MessageBus) -> None:
        self.bus = bus
        # Who wants the changes of an object's properties, by path.
        self.watchers: dict[str, Callable[[dict[str, Variant]], None]] = {}
        bus.add_message_handler(self._on_message)

    async def call(self, path: str, interface: str, member: str, signature: str = "", *body) -> list:
        message = Message(destination=BLUEZ, path=path, interface=interface, member=member, signature=signature, body=list(body))
        reply = await self.bus.call(message)
        if reply.message_type == MessageType.ERROR:
            raise ConnectionError(f"{member}: {reply.error_name} {reply.body}")
        return reply.body

    async def listen(self) -> None:
        rule = f"type='signal',interface='{PROPERTIES}',sender='{BLUEZ}'"
        message = Message(
            destination="org.freedesktop.DBus",
            path="/org/freedesktop/DBus",
            interface="org.freedesktop.DBus",
            member="AddMatch",
            signature="s",
            body=[rule],
        )
        await self.bus.call(message)

    def _on_message(self, message: Message) -> None:
        if message.message_type == MessageType.SIGNAL and message.member == "PropertiesChanged":
            watcher = self.watchers.get(message.path)
            if watcher is not None:
                watcher(message.body[1])

    async def objects(self) -> dict[str, dict]:
        [objects] = await self.call("/", OBJECTS, "GetManagedObjects")
        return objects

    async def find(self, service: str, count: int) -> dict[str, str]:
        """Device paths by name of everything that advertises a service, once there are so many."""
        filters = {"UUIDs": Variant("as", [service]), "Transport": Variant("s", "le")}
        await self.call(ADAPTER, "org.bluez.Adapter1", "SetDiscoveryFilter", "a{sv}", filters)
        await self.call(ADAPTER, "org.bluez.Adapter1", "StartDiscovery")
        found: dict[str, str] = {}
        async with asyncio.timeout(FIND_S):
            while len(found) < count:
                await asyncio.sleep(0.3)
                for path, interfaces in (await self.objects()).items():
                    device = interfaces.get(DEVICE_INTERFACE, {})
                    if "Name" in device and service in device.get("UUIDs", Variant("as", [])).value:
                        found[device["Name"].value] = path
        await self.call(ADAPTER, "org.bluez.Adapter1", "StopDiscovery")
        return found


class BlueZWire:
    """A connection through bluetoothd."""

    def __init__(self, bluez: BlueZ, device: str) -> None:
        self.bluez = bluez
        self.device = device
        self.down = asyncio.Event()
        self._resolved = asyncio.Event()
        self._paths: dict[str, str] = {}
        bluez.watchers[device] = self._on_change

    def _on_change(self, changed: dict[str, Variant]) -> None:
        if "ServicesResolved" in changed and changed["ServicesResolved"].value:
            self._resolved.set()
        if "Connected" in changed and not changed["Connected"].value:
            self.down.set()

    async def connect(self) -> None:
        """Until it succeeds: BlueZ refuses while an attempt of its own is under way."""
        async with asyncio.timeout(CONNECT_S):
            while True:
                try:
                    await self.bluez.call(self.device, DEVICE_INTERFACE, "Connect")
                    break
                except ConnectionError as error:
                    print(f"probe: {error}", flush=True)
                    await asyncio.sleep(1.0)
            resolved = [self.device, PROPERTIES, "Get", "ss", DEVICE_INTERFACE, "ServicesResolved"]
            while not self._resolved.is_set() and not (await self.bluez.call(*resolved))[0].value:
                await asyncio.sleep(0.1)
        self.down.clear()
        for path, interfaces in (await self.bluez.objects()).items():
            if path.startswith(f"{self.device}/") and CHARACTERISTIC_INTERFACE in interfaces:
                self._paths[interfaces[CHARACTERISTIC_INTERFACE]["UUID"].value] = path

    async def subscribe(self, uuid: str, on_value: Callable[[bytes], None]) -> None:
        path = self._paths[uuid]

        def on_change(changed: dict[str, Variant]) -> None:
            if "Value" in changed:
                on_value(bytes(changed["Value"].value))

        self.bluez.watchers[path] = on_change
        await self.bluez.call(path, CHARACTERISTIC_INTERFACE, "StartNotify")

    async def write(self, uuid: str, value: bytes, with_response: bool) -> None:
        options = {"type": Variant("s", "request" if with_response else "command")}
        await self.bluez.call(self._paths[uuid], CHARACTERISTIC_INTERFACE, "WriteValue", "aya{sv}", value, options)
