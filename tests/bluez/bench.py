"""Pods on virtual controllers, and a host made of Bumble: no kernel, no BlueZ, nothing but the protocol."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

from bumble import hci
from bumble.core import UUID, AdvertisingData
from bumble.device import Device, Peer
from bumble.gatt_client import CharacteristicProxy
from bumble.host import Host
from bumble.transport import open_transport
from bumble.transport.common import AsyncPipeSink

import pod_wire as wire
from air_link import AirController, AirLink
from pod_host import PodLink, Session, check

SMALLEST_MTU = 23


class BumbleWire:
    """A connection made by Bumble's own host."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.down = asyncio.Event()
        self.by_uuid: dict[UUID, CharacteristicProxy] = {}
        peer.connection.on("disconnection", lambda _reason: self.down.set())

    async def discover(self, mtu: int) -> None:
        """Asks for this MTU, or for none if it is the smallest, and finds the pod's characteristics."""
        if mtu > SMALLEST_MTU:
            agreed = await self.peer.request_mtu(mtu)
            check(agreed == mtu, f"MTU {agreed}")
        await self.peer.discover_services()
        [service] = [s for s in self.peer.services if s.uuid == UUID(wire.SERVICE)]
        await service.discover_characteristics()
        self.by_uuid = {c.uuid: c for c in service.characteristics}
        check(len(self.by_uuid) == 4, f"{len(self.by_uuid)} characteristics")

    async def subscribe(self, uuid: str, on_value: Callable[[bytes], None]) -> None:
        await self.by_uuid[UUID(uuid)].subscribe(on_value, prefer_notify=uuid != wire.CONTROL)

    async def write(self, uuid: str, value: bytes, with_response: bool) -> None:
        await self.by_uuid[UUID(uuid)].write_value(value, with_response=with_response)


class Bench:
    """The air, the pods, and a central."""

    def __init__(self, binary: Path, folder: Path, air: AirLink) -> None:
        self.binary, self.folder, self.air = binary, folder, air
        self.pods: dict[str, AirController] = {}
        self.programs: list[asyncio.subprocess.Process] = []
        self.transports: list = []
        controller = AirController("central", self.air)
        host = Host(controller, AsyncPipeSink(controller))
        self.central = Device("central", hci.Address("C4:F2:17:1A:1D:AA"), host=host)
        self.found: dict[str, hci.Address] = {}
        self.connecting = asyncio.Lock()

    async def add_pod(self, place: str, drift_ppm: float) -> None:
        """Starts a pod's program on a controller of its own."""
        # Port 0: the system chooses one that is free.
        transport = await open_transport("tcp-server:127.0.0.1:0")
        port = transport.server.sockets[0].getsockname()[1]
        self.transports.append(transport)
        self.pods[place] = AirController(place, self.air, transport.source, transport.sink)
        command = [
            f"--hci=127.0.0.1:{port}",
            f"--placement={place}",
            f"--name=lope {place}",
            f"--drift-ppm={drift_ppm}",
            f"--origin-file={self.folder / 'origin'}",
            f"--truth={self.folder / (place + '.json')}",
            "--seed=7",
            "--stand-s=2",
        ]
        self.programs.append(await asyncio.create_subprocess_exec(self.binary, *command))

    async def find(self) -> None:
        """Scans until all pods have been seen with service and name."""
        wanted = {f"lope {place}": place for place in self.pods}

        def on_advertisement(advertisement) -> None:
            name = advertisement.data.get(AdvertisingData.Type.COMPLETE_LOCAL_NAME)
            services = advertisement.data.get(AdvertisingData.Type.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS)
            if name in wanted and services and UUID(wire.SERVICE) in services:
                self.found[wanted[name]] = advertisement.address

        self.central.on("advertisement", on_advertisement)
        await self.central.power_on()
        await self.central.start_scanning(active=True, filter_duplicates=False)
        async with asyncio.timeout(15):
            while len(self.found) < len(wanted):
                await asyncio.sleep(0.05)
        await self.central.stop_scanning()

    async def wire(self, place: str, mtu: int = 247) -> BumbleWire:
        """A connection to a pod, discovered, nothing subscribed."""
        # A controller makes one connection at a time.
        async with self.connecting:
            connection = await self.central.connect(self.found[place], timeout=15)
        connected = BumbleWire(Peer(connection))
        await connected.discover(mtu)
        return connected

    async def connect(self, place: str, session: Session) -> PodLink:
        """A connection to a pod, subscribed."""
        link = PodLink(await self.wire(place), session)
        await link.open()
        return link

    async def end(self) -> None:
        """Ends the pods; each must have lived until then."""
        for program in self.programs:
            if program.returncode is None:
                program.terminate()
        codes = [await program.wait() for program in self.programs]
        for transport in self.transports:
            await transport.close()
        check(not any(codes), f"pods ended with {codes}")

    def truth(self, place: str) -> dict:
        """What a pod wrote down."""
        return json.loads((self.folder / f"{place}.json").read_text())
