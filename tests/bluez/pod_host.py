"""A host of the lope sensor protocol for tests: what it holds of a session, and what it says on a connection.

It knows the protocol only from `pod_wire`, and the connection only as a `Wire`, so the same host runs on Bumble's own stack
and through BlueZ.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from typing import Protocol

import pod_wire as wire

REPLY_S = 5.0
RANGE_S = 20.0
# Indices asked for at a time.
PIECE = 500


def check(true: bool, what: str) -> None:
    """Ends the test with a sentence when something does not hold."""
    if not true:
        raise AssertionError(what)


class Session:
    """What this host holds of one pod's session, over all connections."""

    def __init__(self) -> None:
        self.samples: dict[int, tuple[int, ...]] = {}
        self.lost: dict[int, int] = {}
        self.live_frames = 0
        self.backfilled_frames = 0
        self.duplicates = 0
        self.latest_live_index = -1

    def take(self, frame: wire.Frame) -> None:
        """Keeps what is new; a sample that came before must be the same."""
        if frame.lost:
            for index in range(frame.index, frame.index + frame.lost):
                self.lost[index] = frame.reason
            return
        if frame.backfill:
            self.backfilled_frames += 1
        else:
            self.live_frames += 1
            check(frame.index > self.latest_live_index, f"live frame {frame.index} after {self.latest_live_index}")
            self.latest_live_index = frame.index + frame.count - 1
        for index, counts in enumerate(frame.samples, frame.index):
            if index in self.samples:
                self.duplicates += 1
                check(self.samples[index] == counts, f"sample {index} came twice and differs")
            self.samples[index] = counts

    def mean_g(self, indices: range, range_g: int) -> float:
        """Mean magnitude of acceleration over these samples, in g."""
        squares = (sum(count * count for count in self.samples[index][:3]) for index in indices)
        return sum(square**0.5 for square in squares) / len(indices) * range_g / 32768

    def missing(self, following: int) -> list[tuple[int, int]]:
        """Ranges (first, count) below `following` that are neither here nor named lost."""
        ranges: list[tuple[int, int]] = []
        first = None
        for index in range(following + 1):
            here = index == following or index in self.samples or index in self.lost
            if not here and first is None:
                first = index
            elif here and first is not None:
                ranges.append((first, index - first))
                first = None
        return ranges


class Wire(Protocol):
    """A connection to a pod, with its characteristics discovered."""

    down: asyncio.Event

    async def subscribe(self, uuid: str, on_value: Callable[[bytes], None]) -> None:
        """Notifications or indications of a characteristic."""

    async def write(self, uuid: str, value: bytes, with_response: bool) -> None:
        """One write."""


class PodLink:
    """What a host says on one connection."""

    def __init__(self, connection: Wire, session: Session) -> None:
        self.connection = connection
        self.session = session
        self.txn = 0
        self.indications: asyncio.Queue[bytes] = asyncio.Queue()
        self.pongs: asyncio.Queue[bytes] = asyncio.Queue()
        self.range_done = asyncio.Event()
        self.first_live_after: int | None = None

    async def open(self) -> None:
        """Subscriptions in the order of SPEC.md section 2."""
        await self.connection.subscribe(wire.CONTROL, self.on_indication)
        await self.connection.subscribe(wire.STREAM, self.on_frame)
        await self.connection.subscribe(wire.TIME, self.pongs.put_nowait)

    def on_indication(self, value: bytes) -> None:
        if value[0] == wire.RANGE_DONE:
            self.range_done.set()
        elif value[0] & wire.REPLY:
            self.indications.put_nowait(value)

    def on_frame(self, value: bytes) -> None:
        frame = wire.decode_frame(value)
        if self.first_live_after is None and not frame.backfill and not frame.lost:
            self.first_live_after = frame.index
        self.session.take(frame)

    async def ask(self, op: int, body: bytes = b"") -> bytes:
        """One request; the body of its reply, or Refused."""
        self.txn = self.txn % 255 + 1
        await self.connection.write(wire.CONTROL, bytes([op, self.txn]) + body, with_response=True)
        reply = await asyncio.wait_for(self.indications.get(), REPLY_S)
        check(reply[0] == op | wire.REPLY and reply[1] == self.txn, f"reply {reply.hex()} to request {op:02x}")
        if reply[2] != wire.OK:
            raise wire.Refused(op, reply[2])
        return reply[3:]

    async def refused(self, op: int, body: bytes = b"") -> int:
        """The status of a request that must be refused."""
        try:
            await self.ask(op, body)
        except wire.Refused as refused:
            return refused.status
        raise AssertionError(f"request {op:02x} was not refused")

    async def fetch(self, following: int) -> None:
        """Asks for everything below `following` that is missing, in pieces."""
        for begin, count in self.session.missing(following):
            for first in range(begin, begin + count, PIECE):
                self.range_done.clear()
                body = struct.pack("<BIH", 0, first, min(PIECE, begin + count - first))
                await self.ask(wire.RANGE, body)
                await asyncio.wait_for(self.range_done.wait(), RANGE_S)

    async def ping(self, seq: int) -> int:
        """Microseconds of the pod's clock from one exchange."""
        await self.connection.write(wire.TIME, bytes([0x10, 0]) + struct.pack("<H", seq), with_response=False)
        pong = await asyncio.wait_for(self.pongs.get(), REPLY_S)
        check(len(pong) == 18 and pong[0] == 0x11, f"PONG {pong.hex()}")
        check(struct.unpack_from("<H", pong, 2)[0] == seq, "a PONG of another PING")
        return int.from_bytes(pong[4:10], "little")
