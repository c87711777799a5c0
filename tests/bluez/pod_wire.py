"""The part of the lope sensor protocol that a test's own host needs, written from SPEC.md and nothing else.

It shares no code with the crate, so a mistake in one is not repeated in the other. Sections of SPEC.md are named where a
layout comes from.
"""

from __future__ import annotations

import binascii
import struct
from dataclasses import dataclass

BASE = "54a2{:04x}-2c99-44ec-86ea-90cae2ea7924"
SERVICE, CONTROL, STREAM, TIME, SECURE = (BASE.format(number) for number in range(1, 6))

HELLO, GET_CAPS, GET_CONFIG, SET_CONFIG, START, RESUME, STOP, RANGE, ACK, IDENTIFY, CALIB_READ, GET_STATUS, ERASE = range(1, 14)
RANGE_DONE = 0x43
REPLY = 0x80
OK = 0
NO_SUCH_SESSION = 5
RUNNING, ENDED = 1, 2

HEADER = struct.Struct("<BBI6sBBH")
SAMPLE = struct.Struct("<6h")
IMU6, GAP = 0, 4
BACKFILL = 0x08


class Refused(Exception):
    """A pod answered with a status other than ok."""

    def __init__(self, op: int, status: int) -> None:
        super().__init__(f"request {op:02x} was refused with status {status}")
        self.status = status


@dataclass(frozen=True)
class Frame:
    """A data frame of imu6, or a gap (section 4)."""

    stream: int
    flags: int
    index: int
    t_us: int
    cfg_id: int
    samples: list[tuple[int, ...]]
    lost: int = 0
    reason: int = 0

    @property
    def backfill(self) -> bool:
        return bool(self.flags & BACKFILL)

    @property
    def count(self) -> int:
        return self.lost or len(self.samples)


def decode_frame(data: bytes) -> Frame:
    """A notification of Stream; raises ValueError with the name of the broken rule."""
    if len(data) < HEADER.size:
        raise ValueError("truncated")
    kind, flags, index, time, cfg_id, n, crc = HEADER.unpack_from(data)
    if kind >> 4 != 1:
        raise ValueError("major")
    if binascii.crc_hqx(data[:14] + data[16:], 0xFFFF) != crc:
        raise ValueError("crc")
    t_us = int.from_bytes(time, "little")
    body = data[HEADER.size :]
    if kind & 15 == GAP:
        if n or len(body) != 8:
            raise ValueError("length")
        lost, reason = struct.unpack_from("<IB", body)
        return Frame(flags & 7, flags, index, t_us, cfg_id, [], lost, reason)
    if kind & 15 != IMU6:
        raise ValueError("unknown_kind")
    if not 1 <= n <= 19:
        raise ValueError("count")
    if len(body) != n * SAMPLE.size:
        raise ValueError("length")
    return Frame(flags & 7, flags, index, t_us, cfg_id, list(SAMPLE.iter_unpack(body)))


def set_config(rate_hz: float, acc_g: int, gyr_dps: int) -> bytes:
    """Body of SET_CONFIG for stream 0, enabled (section 5.2)."""
    return struct.pack("<BBIHH", 0, 1, round(rate_hz * 1000), acc_g, gyr_dps)


def start(session: int, linger_s: int) -> bytes:
    """Body of START without force."""
    return struct.pack("<QHB", session, linger_s, 0)


def session_row(body: bytes) -> tuple[int, int, int, int]:
    """state, cfg_id, oldest and next of stream 0 from the reply to RESUME or STOP."""
    state, _reason, _boot, n = struct.unpack_from("<BBIB", body)
    if n != 1:
        raise ValueError(f"{n} streams in the session")
    _stream, cfg_id, oldest, following = struct.unpack_from("<BBII", body, 7)
    return state, cfg_id, oldest, following


def checksum(samples: dict[int, tuple[int, ...]]) -> int:
    """The checksum that lope-pod writes beside its truth: CRC-32 over index and counts, in order of the index."""
    crc = 0
    for index in sorted(samples):
        crc = binascii.crc32(struct.pack("<I6h", index, *samples[index]), crc)
    return crc
