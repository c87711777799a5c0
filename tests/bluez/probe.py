"""Runs inside the machine of run.sh: a whole session with every pod through bluetoothd, without lope.

It speaks D-Bus to the real bluetoothd, as any Linux program must. It scans, connects, subscribes, starts, streams; when a
connection is lost, whoever lost it, it connects again, resumes and fetches; in the end the pods' own records must agree with
what it holds. So when lope fails in this machine and this does not, the fault is lope's.

    tests/bluez/run.sh --fault "10 link-loss left_foot" target/bluez/venv/bin/python tests/bluez/probe.py --seconds 20
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path

from dbus_fast import BusType, Message, MessageType, Variant
from dbus_fast.aio import MessageBus

import pod_wire as wire
from pod_host import PodLink, Session, check

BLUEZ = "org.bluez"
ADAPTER = "/org/bluez/hci0"
DEVICE_INTERFACE = "org.bluez.Device1"
CHARACTERISTIC_INTERFACE = "org.bluez.GattCharacteristic1"
PROPERTIES = "org.freedesktop.DBus.Properties"
OBJECTS = "org.freedesktop.DBus.ObjectManager"
FIND_S = 40.0
CONNECT_S = 40.0
LINGER_S = 120
RATE_HZ = 208.0
ACK_EVERY_S = 5.0


class BlueZ:
    """The parts of BlueZ's interface that a client needs."""

    def __init__(self, bus: MessageBus) -> None:
        self.bus = bus
        # Who wants the changes of an object's properties, by path.
        self.watchers: dict[str, Callable[[dict[str, Variant]], None]] = {}
        bus.add_message_handler(self._on_message)

    async def call(self, path: str, interface: str, member: str, signature: str = "", *body) -> list:
        message = Message(
            destination=BLUEZ, path=path, interface=interface, member=member, signature=signature, body=list(body)
        )
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

    async def find(self, count: int) -> dict[str, str]:
        """Device paths by name of everything that advertises the pods' service."""
        service = Variant("as", [wire.SERVICE])
        filters = {"UUIDs": service, "Transport": Variant("s", "le")}
        await self.call(ADAPTER, "org.bluez.Adapter1", "SetDiscoveryFilter", "a{sv}", filters)
        await self.call(ADAPTER, "org.bluez.Adapter1", "StartDiscovery")
        found: dict[str, str] = {}
        async with asyncio.timeout(FIND_S):
            while len(found) < count:
                await asyncio.sleep(0.3)
                for path, interfaces in (await self.objects()).items():
                    device = interfaces.get(DEVICE_INTERFACE, {})
                    if "Name" in device and wire.SERVICE in device.get("UUIDs", Variant("as", [])).value:
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
        await self.bluez.call(
            self._paths[uuid], CHARACTERISTIC_INTERFACE, "WriteValue", "aya{sv}", value, options
        )


class Collector:
    """One pod's session, however often its connection is lost."""

    def __init__(self, bluez: BlueZ, name: str, device: str) -> None:
        self.bluez, self.name, self.device = bluez, name, device
        self.session = Session()
        self.ident = secrets.randbits(63) | 1
        self.reconnections = 0
        self.link: PodLink

    async def _connect(self) -> None:
        connected = BlueZWire(self.bluez, self.device)
        await connected.connect()
        self.link = PodLink(connected, self.session)
        await self.link.open()
        await self.link.ask(wire.HELLO, b"\1\0")

    async def start(self) -> None:
        await self._connect()
        await self.link.ask(wire.SET_CONFIG, wire.set_config(RATE_HZ, 32, 2000))
        await self.link.ask(wire.START, wire.start(self.ident, LINGER_S))

    async def run_until(self, end: float) -> None:
        """Streams; acknowledges; comes back after every loss."""
        while time.monotonic() < end:
            step = min(ACK_EVERY_S, max(0.1, end - time.monotonic()))
            try:
                await asyncio.wait_for(self.link.connection.down.wait(), step)
            except TimeoutError:
                continue
            await self._resume()

    async def _resume(self) -> None:
        lost_at = time.monotonic()
        print(f"probe: {self.name}: connection lost", flush=True)
        while True:
            try:
                await self._connect()
                row = wire.session_row(await self.link.ask(wire.RESUME, struct.pack("<Q", self.ident)))
                await self.link.fetch(row[3])
                break
            except (ConnectionError, KeyError, TimeoutError) as error:
                # It went again, or is not back yet.
                print(f"probe: {self.name}: {error!r}", flush=True)
                await asyncio.sleep(1.0)
        self.reconnections += 1
        print(f"probe: {self.name}: whole again after {time.monotonic() - lost_at:.1f} s", flush=True)

    async def stop(self) -> int:
        """Ends the session and fetches the rest; how many samples it had."""
        state, _, _, following = wire.session_row(await self.link.ask(wire.STOP, struct.pack("<Q", self.ident)))
        check(state == wire.ENDED, f"{self.name}: STOP did not end it")
        await self.link.fetch(following)
        check(not self.session.missing(following), f"{self.name}: samples are missing")
        return following


def truths(folder: Path) -> dict[str, dict]:
    """The pods' own records by name."""
    records = (json.loads(file.read_text()) for file in folder.glob("*.json"))
    return {record["name"]: record for record in records if "pod_uid" in record}


def compare(collector: Collector, record: dict, following: int) -> str:
    """Sample by sample, by checksum; a line of figures."""
    session, truth = collector.session, record["sessions"][-1]
    check(truth["samples"] == len(session.samples), f"{collector.name}: {truth['samples']} taken, {len(session.samples)} here")
    check(truth["next_index"] == following, f"{collector.name}: ends at {truth['next_index']}, told {following}")
    check(truth["crc32"] == f"{wire.checksum(session.samples):08x}", f"{collector.name}: the samples differ")
    return (
        f"probe: {record['placement']}: {following} samples, {len(session.lost)} not sampled, {session.live_frames} live and "
        f"{session.backfilled_frames} backfilled frames, {collector.reconnections} reconnections, checksum {truth['crc32']}"
    )


async def run(arguments: argparse.Namespace) -> None:
    out = Path(os.environ["BLUEZ_OUT"])
    bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
    bluez = BlueZ(bus)
    await bluez.listen()
    found = await bluez.find(arguments.pods)
    print(f"probe: found {', '.join(sorted(found))}", flush=True)
    collectors = [Collector(bluez, name, device) for name, device in sorted(found.items())]
    for collector in collectors:
        await collector.start()
    print("probe: all are streaming", flush=True)
    end = time.monotonic() + arguments.seconds
    await asyncio.gather(*(collector.run_until(end) for collector in collectors))
    ends = [await collector.stop() for collector in collectors]
    records = truths(out / "truth")
    for collector, following in zip(collectors, ends, strict=True):
        print(compare(collector, records[collector.name], following), flush=True)
    lost = sum(collector.reconnections for collector in collectors)
    check(lost >= arguments.reconnections, f"{lost} reconnections, {arguments.reconnections} were planned")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pods", type=int, default=3, help="how many must be found")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long they stream")
    parser.add_argument("--reconnections", type=int, default=0, help="at least so many must have been needed")
    arguments = parser.parse_args()
    try:
        asyncio.run(run(arguments))
    except (AssertionError, wire.Refused, ConnectionError, TimeoutError) as failure:
        print(f"probe: FAILED: {failure!r}", file=sys.stderr, flush=True)
        return 1
    print("probe: all samples there")
    return 0


if __name__ == "__main__":
    sys.exit(main())
