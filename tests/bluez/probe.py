"""Runs inside the machine of run.sh: a whole session with every pod through bluetoothd, without lope.

It speaks D-Bus to the real bluetoothd, as any Linux program must. It scans, connects, subscribes, starts, streams; when a
connection is lost, whoever lost it, it connects again, resumes and fetches; in the end the pods' own records must agree
with what it holds. A pod whose power was cut has forgotten the session: then what was here already must be true. So when
lope fails in this machine and this does not, the fault is lope's.

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
from pathlib import Path

import pod_wire as wire
from bluez_host import BlueZ, BlueZWire, bluez
from pod_host import PodLink, Session, check

LINGER_S = 120
RATE_HZ = 208.0
LOOK_EVERY_S = 5.0
# A pod without power takes a frame with it and what the air still held.
MOST_GONE_S = 1.0


class Collector:
    """One pod's session, however often its connection is lost."""

    def __init__(self, bluez: BlueZ, name: str, device: str) -> None:
        self.bluez, self.name, self.device = bluez, name, device
        self.session = Session()
        self.ident = secrets.randbits(63) | 1
        self.reconnections = 0
        self.forgotten = False
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
        """Streams; comes back after every loss."""
        while time.monotonic() < end and not self.forgotten:
            step = min(LOOK_EVERY_S, max(0.1, end - time.monotonic()))
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
            except wire.Refused as refused:
                check(refused.status == wire.NO_SUCH_SESSION, f"{self.name}: RESUME: {refused}")
                self.forgotten = True
                break
            except (ConnectionError, KeyError, TimeoutError) as error:
                # It went again, or is not back yet.
                print(f"probe: {self.name}: {error!r}", flush=True)
                await asyncio.sleep(1.0)
        self.reconnections += 1
        how = "back without its session" if self.forgotten else "whole again"
        print(f"probe: {self.name}: {how} after {time.monotonic() - lost_at:.1f} s", flush=True)

    async def stop(self) -> int:
        """Ends the session and fetches the rest; how many samples it had."""
        state, _, _, following = wire.session_row(await self.link.ask(wire.STOP, struct.pack("<Q", self.ident)))
        check(state == wire.ENDED, f"{self.name}: STOP did not end it")
        await self.link.fetch(following)
        check(not self.session.missing(following), f"{self.name}: samples are missing")
        return following


def truths(folder: Path) -> dict[str, dict]:
    """The pods' own records by name, of their first boot."""
    records = [json.loads(file.read_text()) for file in folder.glob("*.json") if file.stem.count(".") == 0]
    return {record["name"]: record for record in records if "pod_uid" in record}


def compare(collector: Collector, record: dict, following: int) -> str:
    """Sample by sample, by checksum; a line of figures."""
    session, truth = collector.session, record["sessions"][-1]
    check(
        truth["samples"] == len(session.samples),
        f"{collector.name}: {truth['samples']} taken, {len(session.samples)} here",
    )
    check(truth["next_index"] == following, f"{collector.name}: ends at {truth['next_index']}, told {following}")
    check(truth["crc32"] == f"{wire.checksum(session.samples):08x}", f"{collector.name}: the samples differ")
    return (
        f"probe: {record['placement']}: {following} samples, {len(session.lost)} not sampled, {session.live_frames} live and "
        f"{session.backfilled_frames} backfilled frames, {collector.reconnections} reconnections, checksum {truth['crc32']}"
    )


def compare_forgotten(collector: Collector, record: dict, folder: Path) -> str:
    """What was here before the power was cut, against every sample of that boot."""
    taken = (folder / f"{record['placement']}.samples.1").read_bytes()
    truth = {index: counts for index, _t_us, *counts in struct.iter_unpack("<IQ6h", taken)}
    held = collector.session.samples
    check(all(truth.get(index) == list(counts) for index, counts in held.items()), f"{collector.name}: samples differ")
    gone = len(truth) - len(held)
    check(0 <= gone < MOST_GONE_S * RATE_HZ, f"{collector.name}: {gone} of {len(truth)} samples are gone")
    return f"probe: {record['placement']}: power cut after {len(truth)} samples, {gone} of them gone, the others are true"


async def run(arguments: argparse.Namespace) -> None:
    out = Path(os.environ["BLUEZ_OUT"])
    stack = await bluez()
    found = await stack.find(wire.SERVICE, arguments.pods)
    print(f"probe: found {', '.join(sorted(found))}", flush=True)
    collectors = [Collector(stack, name, device) for name, device in sorted(found.items())]
    for collector in collectors:
        await collector.start()
    print("probe: all are streaming", flush=True)
    end = time.monotonic() + arguments.seconds
    await asyncio.gather(*(collector.run_until(end) for collector in collectors))
    ends = {collector.name: await collector.stop() for collector in collectors if not collector.forgotten}
    records = truths(out / "truth")
    for collector in collectors:
        record = records[collector.name]
        if collector.forgotten:
            print(compare_forgotten(collector, record, out / "truth"), flush=True)
        else:
            print(compare(collector, record, ends[collector.name]), flush=True)
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
