"""The air for a test of the real Bluetooth stack: virtual controllers, faults on a timeline, a strap that is no lope pod.

One controller is that of the machine under test (its kernel's virtual HCI device, through `vhci_relay`), one is each pod's
(where the program `lope-pod` attaches); both wait behind TCP ports, whose numbers are written down. The strap is made here. Everything is in one process, so it also knows what really crossed the air.

    air.py --ports ports --pod left_foot --pod right_foot --strap --truth air.json \\
           --fault "12 link-loss left_foot" --fault "20 out-of-range right_foot 20" --clock-file origin --say-folder say


Faults: `drop NAME` (the peripheral closes the connection), `link-loss NAME` (both sides find the other silent),
`out-of-range NAME SECONDS` (silent, lost after the supervision timeout, back after so many seconds). A timeline counts from
the moment the clock file appears, which is when the first pod starts a session; without one, from the start of this program.
A file that appears in the say folder is read as one fault that happens now.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import signal
import sys
import time
from pathlib import Path

from bumble.transport import open_transport

from air_link import AirController, AirLink
from strap import Strap

HOST_ADDRESS = "C0:98:E5:00:00:01"
STRAP_NAME = "Polar H10 0BADCAFE"
STRAP_ADDRESS = "F6:05:1A:0B:AD:CA"
STRAP_DRIFT_PPM = 22.0
WATCH_S = 0.05
SAVE_S = 0.5


def say(text: str) -> None:
    """One line, at once."""
    print(f"air: {text}", flush=True)


class Air:
    """Controllers by name, and what can happen to them."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.link = AirLink(arguments.interval_ms / 1000, arguments.packets_per_event)
        self.supervision_s = arguments.supervision_s
        self.controllers: dict[str, AirController] = {}
        self.faults_done = 0
        # Transports and tasks live as long as something refers to them.
        self.kept: list = []

    async def open(self, name: str, public_address: str | None = None) -> int:
        """A controller behind a port that the system chooses; its number."""
        transport = await open_transport("tcp-server:127.0.0.1:0")
        self.kept.append(transport)
        self.controllers[name] = AirController(name, self.link, transport.source, transport.sink, public_address)
        return transport.server.sockets[0].getsockname()[1]

    def open_strap(self) -> Strap:
        self.controllers["strap"] = AirController("strap", self.link)
        return Strap(self.controllers["strap"], STRAP_NAME, STRAP_ADDRESS, STRAP_DRIFT_PPM)

    def happen(self, what: list[str]) -> str:
        """Makes a fault happen; a sentence about it. Raises ValueError for words that are none."""
        match what:
            case ["drop", name] if name in self.controllers:
                done = self.link.drop(self.controllers[name])
            case ["link-loss", name] if name in self.controllers:
                done = self.link.lose_links_of(self.controllers[name])
            case ["out-of-range", name, seconds] if name in self.controllers:
                away = self.link.out_of_range(self.controllers[name], float(seconds), self.supervision_s)
                self.kept.append(asyncio.get_running_loop().create_task(away))
                done = bool(self.controllers[name].le_connections)
            case _:
                raise ValueError(f"no such fault: {' '.join(what)}")
        self.faults_done += done
        return f"{' '.join(what)}{'' if done else ' (it was not connected)'}"


def fault(text: str) -> tuple[float, list[str]]:
    """`SECONDS WORDS…` of the command line."""
    at, *what = text.split()
    if not what:
        raise argparse.ArgumentTypeError(f"a fault is SECONDS and words, not {text!r}")
    return float(at), what


async def timeline(air: Air, faults: list[tuple[float, list[str]]], clock_file: Path | None) -> None:
    """Lets each fault happen when its time has come."""
    began = time.monotonic()
    if clock_file is not None:
        while not clock_file.exists():
            await asyncio.sleep(WATCH_S)
        # The pods write nanoseconds of the clock that time.monotonic() reads here.
        began = int(clock_file.read_text()) / 1e9
    for at, what in sorted(faults):
        await asyncio.sleep(max(0.0, began + at - time.monotonic()))
        say(f"{time.monotonic() - began:.2f} s: {air.happen(what)}")


async def obey(air: Air, folder: Path) -> None:
    """Takes faults from files, each of which is renamed when it has happened."""
    while True:
        for file in sorted(folder.glob("*.fault")):
            try:
                say(f"told: {air.happen(file.read_text().split())}")
            except ValueError as error:
                say(f"refused: {error}")
            file.rename(file.with_suffix(".done"))
        await asyncio.sleep(WATCH_S)


async def save(air: Air, strap: Strap | None, file: Path) -> None:
    """Writes down again and again what has crossed the air: a test reads it when its host is done."""
    while True:
        record = {"lost_packets": air.link.lost_packets, "faults": air.faults_done}
        if strap is not None:
            record["strap"] = strap.truth.as_json()
        half = file.with_suffix(".part")
        half.write_text(json.dumps(record))
        half.replace(file)
        await asyncio.sleep(SAVE_S)


async def serve(arguments: argparse.Namespace) -> None:
    """Runs until it is told to end."""
    air = Air(arguments)
    ports = {"host": await air.open("host", HOST_ADDRESS)}
    for name in arguments.pod:
        ports[name] = await air.open(name)
    strap = air.open_strap() if arguments.strap else None
    work = [timeline(air, arguments.fault, arguments.clock_file)]
    if arguments.say_folder is not None:
        work.append(obey(air, arguments.say_folder))
    if strap is not None:
        work.append(strap.run())
    if arguments.truth is not None:
        work.append(save(air, strap, arguments.truth))
    tasks = [asyncio.create_task(each) for each in work]
    # Whole or not at all: somebody waits for it.
    half = arguments.ports.with_suffix(".part")
    half.write_text("".join(f"{name} {port}\n" for name, port in ports.items()))
    half.replace(arguments.ports)
    say("ready")
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    waiting = asyncio.create_task(ended.wait())
    # A task that fails ends everything; the timeline may be done early.
    pending = {waiting, *tasks}
    while waiting in pending:
        done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ports", type=Path, required=True, help="write here NAME PORT of every controller, the host's first")
    parser.add_argument("--pod", action="append", default=[], metavar="NAME")
    parser.add_argument("--strap", action="store_true", help="add a chest strap")
    parser.add_argument("--fault", type=fault, action="append", default=[], metavar='"SECONDS WORDS"')
    parser.add_argument("--clock-file", type=Path, help="the timeline counts from the moment in this file")
    parser.add_argument("--say-folder", type=Path, help="look here for faults to happen now")
    parser.add_argument("--truth", type=Path, help="write here what crossed the air, as JSON")
    parser.add_argument("--interval-ms", type=float, default=0.0, help="connection interval; 0: everything passes at once")
    parser.add_argument("--packets-per-event", type=int, default=2)
    parser.add_argument("--supervision-s", type=float, default=2.0)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.ERROR)
    asyncio.run(serve(arguments))
    return 0


if __name__ == "__main__":
    sys.exit(main())
