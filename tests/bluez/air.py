"""The air for a test of the real Bluetooth stack: virtual controllers, faults on a timeline, a strap that is no lope pod.

One controller is that of the machine under test (its kernel's virtual HCI device, through `vhci_relay`), one is each pod's
(where the program `lope-pod` attaches, which is started here); the first waits behind a TCP port, whose number is written down.
The strap is made here. Everything is in one process, so it also knows what really crossed the air.

    air.py --out out --pod left_foot=20 --pod right_foot=-35 --pod-program lope-pod --strap \\
           --fault "12 link-loss left_foot" --fault "20 out-of-range right_foot 20" -- --seed=7 --stand-s=6


Faults: `drop NAME` (the peripheral closes the connection), `link-loss NAME` (both sides find the other silent),
`out-of-range NAME SECONDS` (silent, lost after the supervision timeout, back after so many seconds), `power-cut NAME SECONDS`
(the pod is gone in the middle of a word and boots again after so many seconds, its samples lost), `stall NAME SECONDS` (the pod's
processor stands still; above some 2.5 s its sensor's queue runs over). The timeline counts from the moment the first pod starts a
session. A file say/NAME.fault holds one line, a fault that happens now.

Everything is written below the out folder: `port` (of the machine's controller; the sign that all is ready), `truth/air.json`,
`truth/NAME.json` by each pod (`truth/NAME.2.json` after a power cut, and so on), `log/NAME`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import signal
import sys
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

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


class PodProgram:
    """A pod: its controller, and the program that is its firmware, again and again after power cuts."""

    def __init__(self, air: Air, name: str, drift_ppm: float, port: int) -> None:
        self.air, self.name, self.drift_ppm, self.port = air, name, drift_ppm, port
        self.boots = 0
        self.process: asyncio.subprocess.Process | None = None

    async def boot(self) -> None:
        self.boots += 1
        out = self.air.out
        label = self.name if self.boots == 1 else f"{self.name}.{self.boots}"
        command = [
            f"--hci=127.0.0.1:{self.port}",
            f"--placement={self.name}",
            f"--drift-ppm={self.drift_ppm}",
            f"--origin-file={out / 'origin'}",
            f"--truth={out / 'truth' / label}.json",
            f"--samples={out / 'truth' / label}.samples",
            *self.air.pod_arguments,
        ]
        with open(out / "log" / label, "wb") as log:
            self.process = await asyncio.create_subprocess_exec(
                self.air.pod_program, *command, stdout=log, stderr=asyncio.subprocess.STDOUT
            )

    async def shut(self) -> None:
        """Tells the program to end. It says nothing to its host, but writes its truth."""
        if self.process is not None and self.process.returncode is None:
            self.process.terminate()
            await self.process.wait()

    async def stall(self, seconds: float) -> None:
        """Stops the program for a while. Its clock goes on, as a chip's does."""
        if self.process is None or self.process.returncode is not None:
            return
        self.process.send_signal(signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            self.process.send_signal(signal.SIGCONT)

    async def power_cut(self, seconds: float) -> None:
        controller = self.air.controllers[self.name]
        await self.shut()
        controller.le_legacy_advertiser.stop()
        await self.air.link.out_of_range(controller, seconds, self.air.supervision_s)
        await self.boot()


class Air:
    """Controllers and pods by name, and what can happen to them."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.link = AirLink(arguments.interval_ms / 1000, arguments.packets_per_event)
        self.out: Path = arguments.out
        self.pod_program: Path = arguments.pod_program
        self.pod_arguments: list[str] = arguments.pod_arguments
        self.supervision_s = arguments.supervision_s
        self.controllers: dict[str, AirController] = {}
        self.pods: dict[str, PodProgram] = {}
        self.faults_done = 0
        # Transports and tasks live as long as something refers to them.
        self.kept: list = []

    async def open(self, name: str, public_address: str | None = None) -> int:
        """A controller behind a port that the system chooses; its number."""
        transport = await open_transport("tcp-server:127.0.0.1:0")
        self.kept.append(transport)
        self.controllers[name] = AirController(name, self.link, transport.source, transport.sink, public_address)
        return transport.server.sockets[0].getsockname()[1]

    async def add_pod(self, name: str, drift_ppm: float) -> None:
        self.pods[name] = PodProgram(self, name, drift_ppm, await self.open(name))
        await self.pods[name].boot()

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
                done = bool(self.controllers[name].le_connections)
                self._begin(self.link.out_of_range(self.controllers[name], float(seconds), self.supervision_s))
            case ["stall", name, seconds] if name in self.pods:
                done = True
                self._begin(self.pods[name].stall(float(seconds)))
            case ["power-cut", name, seconds] if name in self.pods:
                done = bool(self.controllers[name].le_connections)
                self._begin(self.pods[name].power_cut(float(seconds)))
            case _:
                raise ValueError(f"no such fault: {' '.join(what)}")
        self.faults_done += done
        return f"{' '.join(what)}{'' if done else ' (it was not connected)'}"

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        self.kept.append(asyncio.get_running_loop().create_task(work))


def pod(text: str) -> tuple[str, float]:
    """`NAME=PPM` of the command line."""
    name, _, ppm = text.partition("=")
    return name, float(ppm or 0)


def fault(text: str) -> tuple[float, list[str]]:
    """`SECONDS WORDS…` of the command line."""
    at, *what = text.split()
    if not what:
        raise argparse.ArgumentTypeError(f"a fault is SECONDS and words, not {text!r}")
    return float(at), what


async def timeline(air: Air, faults: list[tuple[float, list[str]]]) -> None:
    """Lets each fault happen when its time has come."""
    origin = air.out / "origin"
    while not origin.exists():
        await asyncio.sleep(WATCH_S)
    # The pods write nanoseconds of the clock that time.monotonic() reads here.
    began = int(origin.read_text()) / 1e9
    for at, what in sorted(faults):
        await asyncio.sleep(max(0.0, began + at - time.monotonic()))
        say(f"{time.monotonic() - began:.2f} s: {air.happen(what)}")


async def obey(air: Air, folder: Path) -> None:
    """Takes faults from files of one line, each of which is renamed when it has happened."""
    while True:
        for file in sorted(folder.glob("*.fault")):
            line = file.read_text()
            if not line.endswith("\n"):
                # It is still being written.
                continue
            try:
                say(f"told: {air.happen(line.split())}")
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
    for folder in ("truth", "log", "say"):
        (air.out / folder).mkdir(parents=True, exist_ok=True)
    port = await air.open("host", HOST_ADDRESS)
    for name, drift_ppm in arguments.pod:
        await air.add_pod(name, drift_ppm)
    strap = air.open_strap() if arguments.strap else None
    work = [
        timeline(air, arguments.fault),
        obey(air, air.out / "say"),
        save(air, strap, air.out / "truth" / "air.json"),
    ]
    if strap is not None:
        work.append(strap.run())
    tasks = [asyncio.create_task(each) for each in work]
    # Whole or not at all: somebody waits for it.
    half = air.out / "port.part"
    half.write_text(f"{port}\n")
    half.replace(air.out / "port")
    say("ready")
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    waiting = asyncio.create_task(ended.wait())
    # A task that fails ends everything; the timeline may be done early.
    pending = {waiting, *tasks}
    try:
        while waiting in pending:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
    finally:
        for program in air.pods.values():
            await program.shut()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="the folder for everything that is written")
    parser.add_argument("--pod", type=pod, action="append", default=[], metavar="NAME=PPM", help="a pod and its clock's drift")
    parser.add_argument("--pod-program", type=Path, help="the program lope-pod")
    parser.add_argument("--strap", action="store_true", help="add a chest strap")
    parser.add_argument("--fault", type=fault, action="append", default=[], metavar='"SECONDS WORDS"')
    parser.add_argument("--interval-ms", type=float, default=0.0, help="connection interval; 0: everything passes at once")
    parser.add_argument("--packets-per-event", type=int, default=4)
    parser.add_argument("--supervision-s", type=float, default=2.0)
    parser.add_argument("pod_arguments", nargs="*", help="for every pod")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.ERROR)
    asyncio.run(serve(arguments))
    return 0


if __name__ == "__main__":
    sys.exit(main())
