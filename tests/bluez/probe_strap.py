"""Runs inside the machine of run.sh: the chest strap through bluetoothd, without lope.

Heart rate and acceleration, started again after every loss of the connection. The strap's own record says how many readings
crossed the air; every one of them must have come through the kernel and bluetoothd, in order and unchanged.

    tests/bluez/run.sh --pods '' target/bluez/venv/bin/python tests/bluez/probe_strap.py --seconds 10 --drop-after 8
"""

from __future__ import annotations

import argparse
import asyncio
import binascii
import json
import os
import sys
from pathlib import Path

from bluez_host import BlueZWire, bluez
from pod_host import check

HEART_RATE = "0000180d-0000-1000-8000-00805f9b34fb"
MEASUREMENT = "00002a37-0000-1000-8000-00805f9b34fb"
CONTROL = "fb005c81-02e7-f387-1cad-8acd2d8df0c8"
DATA = "fb005c82-02e7-f387-1cad-8acd2d8df0c8"
# Acceleration, 200 Hz, 16 bit, 8 g.
START = bytes.fromhex("02020001c8000101100002010800")
STOP = bytes.fromhex("0302")
FRAME_HEAD = 10
REPLY_S = 5.0
# The air writes its record twice a second.
RECORD_S = 1.2


class Listener:
    """What came, over all connections."""

    def __init__(self) -> None:
        self.readings: list[int] = []
        self.crcs: list[int] = []
        self.last_ns: list[int] = []
        self.beats = 0
        self.replies: asyncio.Queue[bytes] = asyncio.Queue()

    def on_data(self, value: bytes) -> None:
        check(value[0] == 2 and value[9] == 1, f"a frame {value[:FRAME_HEAD].hex()}")
        body = value[FRAME_HEAD:]
        last_ns = int.from_bytes(value[1:9], "little")
        check(not self.readings[-1] or last_ns > self.last_ns[-1], "a frame came late")
        self.readings[-1] += len(body) // 6
        self.crcs[-1] = binascii.crc32(body, self.crcs[-1])
        self.last_ns[-1] = last_ns

    def on_beat(self, _value: bytes) -> None:
        self.beats += 1


async def measure(connection: BlueZWire, listener: Listener, seconds: float) -> bool:
    """One measurement; False if the connection was lost before its end."""
    await connection.connect()
    await connection.subscribe(CONTROL, listener.replies.put_nowait)
    await connection.subscribe(DATA, listener.on_data)
    await connection.subscribe(MEASUREMENT, listener.on_beat)
    for numbers in (listener.readings, listener.crcs, listener.last_ns):
        numbers.append(0)
    await connection.write(CONTROL, START, with_response=True)
    reply = await asyncio.wait_for(listener.replies.get(), REPLY_S)
    check(reply[:4] == bytes([0xF0, 2, 2, 0]), f"START was answered with {reply.hex()}")
    try:
        await asyncio.wait_for(connection.down.wait(), seconds)
        return False
    except TimeoutError:
        pass
    await connection.write(CONTROL, STOP, with_response=True)
    reply = await asyncio.wait_for(listener.replies.get(), REPLY_S)
    check(reply[:4] == bytes([0xF0, 3, 2, 0]), f"STOP was answered with {reply.hex()}")
    return True


async def run(arguments: argparse.Namespace) -> None:
    out = Path(os.environ["BLUEZ_OUT"])
    stack = await bluez()
    [(name, device)] = (await stack.find(HEART_RATE, 1)).items()
    print(f"strap: found {name}", flush=True)
    listener = Listener()
    if arguments.drop_after:
        asyncio.get_running_loop().call_later(arguments.drop_after, (out / "say" / "probe.fault").write_text, "link-loss strap\n")
    while not await measure(BlueZWire(stack, device), listener, arguments.seconds):
        print("strap: connection lost", flush=True)
    await asyncio.sleep(RECORD_S)
    truth = json.loads((out / "truth" / "air.json").read_text())["strap"]
    sent = [epoch["sent"] for epoch in truth["epochs"]]
    crcs = [epoch["crc32"] for epoch in truth["epochs"]]
    check(sent == listener.readings, f"{sent} readings crossed the air, {listener.readings} arrived")
    check(crcs == [f"{crc:08x}" for crc in listener.crcs], "the readings differ")
    check(len(sent) == 1 + bool(arguments.drop_after), f"{len(sent)} measurements")
    check(listener.beats > 0, "no heart beat")
    print(f"strap: {sent} readings, all here; {truth['dropped_while_down']} while the link was down; {listener.beats} beats")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10.0, help="length of the measurement that is not interrupted")
    parser.add_argument("--drop-after", type=float, default=0.0, help="lose the link so many seconds after the strap was found")
    arguments = parser.parse_args()
    try:
        asyncio.run(run(arguments))
    except (AssertionError, ConnectionError, TimeoutError) as failure:
        print(f"strap: FAILED: {failure!r}", file=sys.stderr, flush=True)
        return 1
    print("strap: all readings there")
    return 0


if __name__ == "__main__":
    sys.exit(main())
