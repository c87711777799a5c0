"""A chest strap that is not a lope pod: heart rate, battery, and acceleration by Polar's measurement data protocol.

What it does follows Polar's published protocol and behaves like an H10: one control point with indications, a data
characteristic, acceleration at 200 Hz in frames of 36 readings stamped with the time of the last one. It keeps nothing: what it
measures while the link is down is gone, and after a reconnection the host must start it again.

It counts what reached the other side of the air, not what it meant to send, so a host can be held to every reading.
"""

from __future__ import annotations

import asyncio
import binascii
import math
import struct
import time
from dataclasses import dataclass, field

from bumble import gatt, hci
from bumble.core import UUID, AdvertisingData
from bumble.device import Device
from bumble.host import Host
from bumble.transport.common import AsyncPipeSink

from air_link import AirController

PMD_SERVICE = UUID("FB005C80-02E7-F387-1CAD-8ACD2D8DF0C8")
PMD_CONTROL = UUID("FB005C81-02E7-F387-1CAD-8ACD2D8DF0C8")
PMD_DATA = UUID("FB005C82-02E7-F387-1CAD-8ACD2D8DF0C8")

ACC = 2
GET_SETTINGS, START, STOP = 1, 2, 3
RESPONSE = 0xF0
OK, BAD_OP, NOT_SUPPORTED, BAD_LENGTH, BAD_PARAMETER, ALREADY, BAD_RATE, BAD_MTU = 0, 1, 3, 4, 5, 6, 8, 10
# Features: acceleration, nothing else.
FEATURES = bytes([0x0F, 1 << ACC]) + bytes(15)
# Settings by type: rate 25, 50, 100, 200 Hz; 16 bit; 2, 4, 8 g.
SETTINGS = struct.pack("<BB4H", 0, 4, 25, 50, 100, 200) + struct.pack("<BBH", 1, 1, 16) + struct.pack("<BB3H", 2, 3, 2, 4, 8)
SETTING_WIDTHS = {0: 2, 1: 2, 2: 2, 3: 4, 4: 1, 5: 4, 6: 16}
RATES_HZ = (25, 50, 100, 200)

PER_FRAME = 36
FRAME_HEAD = struct.Struct("<BQB")
# 16 bit per axis, not compressed.
FRAME_TYPE = 1
# A clock that was never set begins on 2019-01-01; it counts nanoseconds since 2000-01-01.
CLOCK_START_NS = 599_616_000 * 1_000_000_000
NOTIFICATION = 0x1B
# L2CAP head, ATT opcode, handle.
BEFORE_VALUE = 7
ADVERTISING_MS = 100.0
STANDING_S = 6.0
CADENCE_HZ = 2.75


@dataclass
class Epoch:
    """One measurement, from START to its end."""

    rate_hz: int
    # Given to the radio, and arrived at the other side.
    made: int = 0
    sent: int = 0
    crc32: int = 0
    first_ns: int | None = None
    last_ns: int | None = None


@dataclass
class Truth:
    """What the strap measured, and what became of it."""

    epochs: list[Epoch] = field(default_factory=list)
    dropped_while_down: int = 0
    heart_rate_frames: int = 0

    def as_json(self) -> dict:
        epochs = [vars(epoch) | {"crc32": f"{epoch.crc32:08x}"} for epoch in self.epochs]
        return {
            "epochs": epochs,
            "sent": sum(epoch.sent for epoch in self.epochs),
            "dropped_while_down": self.dropped_while_down,
            "heart_rate_frames": self.heart_rate_frames,
        }


def reading(index: int, rate_hz: int) -> tuple[int, int, int]:
    """What the strap feels, mg: standing, then the bounce of a run, with a pattern that tells every reading from the next."""
    seconds = index / rate_hz
    ripple = (index * 37) % 17 - 8
    if seconds < STANDING_S:
        return (-1000 + ripple, 15 - ripple, 30 + ripple)
    phase = 2 * math.pi * CADENCE_HZ * (seconds - STANDING_S)
    bounce = round(1100 * math.sin(phase) + 250 * math.sin(2 * phase))
    return (-1000 - bounce + ripple, round(220 * math.sin(phase / 2)) - ripple, round(300 * math.cos(phase)) + ripple)


class Strap:
    """The device on its virtual controller."""

    def __init__(self, controller: AirController, name: str, address: str, drift_ppm: float) -> None:
        self.controller = controller
        self.truth = Truth()
        self.name = name
        self._rate = 1.0 + drift_ppm * 1e-6
        self._booted = time.monotonic()
        self._measuring: asyncio.Task[None] | None = None
        self._stopped_by_loss_at: float | None = None
        self.device = Device(name, hci.Address(address), host=Host(controller, AsyncPipeSink(controller)))

        read, write = gatt.Characteristic.Properties.READ, gatt.Characteristic.Properties.WRITE
        notify, indicate = gatt.Characteristic.Properties.NOTIFY, gatt.Characteristic.Properties.INDICATE
        readable, writeable = gatt.Characteristic.READABLE, gatt.Characteristic.WRITEABLE
        control_value = gatt.CharacteristicValue(read=lambda _c: FEATURES, write=self._on_command)
        self.control = gatt.Characteristic(PMD_CONTROL, read | write | indicate, readable | writeable, control_value)
        self.data = gatt.Characteristic(PMD_DATA, notify, readable, b"")
        self.heart = gatt.Characteristic(gatt.GATT_HEART_RATE_MEASUREMENT_CHARACTERISTIC, notify, readable, b"")
        chest = gatt.Characteristic(gatt.GATT_BODY_SENSOR_LOCATION_CHARACTERISTIC, read, readable, bytes([1]))
        battery = gatt.Characteristic(gatt.GATT_BATTERY_LEVEL_CHARACTERISTIC, read | notify, readable, bytes([87]))
        texts = {
            gatt.GATT_MANUFACTURER_NAME_STRING_CHARACTERISTIC: b"Polar Electro Oy",
            gatt.GATT_MODEL_NUMBER_STRING_CHARACTERISTIC: b"H10",
            gatt.GATT_SERIAL_NUMBER_STRING_CHARACTERISTIC: name[-8:].encode(),
            gatt.GATT_FIRMWARE_REVISION_STRING_CHARACTERISTIC: b"5.0.0",
        }
        information = [gatt.Characteristic(uuid, read, readable, text) for uuid, text in texts.items()]
        self.device.add_services(
            [
                gatt.Service(PMD_SERVICE, [self.control, self.data]),
                gatt.Service(gatt.GATT_HEART_RATE_SERVICE, [self.heart, chest]),
                gatt.Service(gatt.GATT_BATTERY_SERVICE, [battery]),
                gatt.Service(gatt.GATT_DEVICE_INFORMATION_SERVICE, information),
            ]
        )
        controller.on_delivered = self._on_delivered
        controller.on_link_change = self._on_link_change

    async def run(self) -> None:
        """Advertises and beats; measures when told to."""
        await self.device.power_on()
        advertisement = AdvertisingData(
            [
                (AdvertisingData.Type.FLAGS, bytes([0x06])),
                (AdvertisingData.Type.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS, bytes.fromhex("0d18eefe")),
                (AdvertisingData.Type.MANUFACTURER_SPECIFIC_DATA, bytes.fromhex("6b0072080ad5320000")),
            ]
        )
        response = AdvertisingData([(AdvertisingData.Type.COMPLETE_LOCAL_NAME, self.name.encode())])
        await self.device.start_advertising(
            auto_restart=True,
            advertising_data=bytes(advertisement),
            scan_response_data=bytes(response),
            advertising_interval_min=ADVERTISING_MS,
            advertising_interval_max=ADVERTISING_MS,
        )
        beat = 0
        while True:
            await asyncio.sleep(1.0)
            beat += 1
            rate = 142 + beat % 5
            rr = round(1024 * 60 / rate)
            await self.device.notify_subscribers(self.heart, struct.pack("<BBHH", 0x10, rate, rr, rr + 3))

    # ------------------------------------------------------------------------------------------------------ control

    async def _on_command(self, connection, value: bytes) -> None:
        op, kind = value[0] if value else 0, value[1] if len(value) > 1 else 0
        status, parameters = self._obey(op, kind, value[2:], connection)
        answer = bytes([RESPONSE, op, kind, status, 0]) + parameters
        # After the response to the write, as the real one does.
        asyncio.get_running_loop().create_task(self.device.indicate_subscribers(self.control, answer))

    def _obey(self, op: int, kind: int, body: bytes, connection) -> tuple[int, bytes]:
        if op not in (GET_SETTINGS, START, STOP):
            return BAD_OP, b""
        if kind != ACC:
            return NOT_SUPPORTED, b""
        if op == GET_SETTINGS:
            return OK, SETTINGS
        if op == STOP:
            if self._measuring is None:
                return ALREADY, b""
            self._end_measurement()
            return OK, b""
        if self._measuring is not None:
            return ALREADY, b""
        wanted = settings_of(body)
        if wanted is None:
            return BAD_LENGTH, b""
        if wanted.get(0) not in RATES_HZ:
            return BAD_RATE, b""
        if wanted.get(1) != 16 or wanted.get(2) not in (2, 4, 8):
            return BAD_PARAMETER, b""
        if connection.att_mtu < FRAME_HEAD.size + PER_FRAME * 6 + 3:
            return BAD_MTU, b""
        self._begin_measurement(wanted[0])
        # The factor by which counts become g: here they are mg already.
        return OK, struct.pack("<BBf", 5, 1, 1.0)

    # -------------------------------------------------------------------------------------------------- measurement

    def _now_ns(self) -> int:
        return CLOCK_START_NS + round((time.monotonic() - self._booted) * 1e9 * self._rate)

    def _begin_measurement(self, rate_hz: int) -> None:
        if self._stopped_by_loss_at is not None:
            self.truth.dropped_while_down += round((time.monotonic() - self._stopped_by_loss_at) * rate_hz)
            self._stopped_by_loss_at = None
        epoch = Epoch(rate_hz)
        self.truth.epochs.append(epoch)
        self._measuring = asyncio.get_running_loop().create_task(self._measure(epoch))

    def _end_measurement(self) -> None:
        if self._measuring is not None:
            self._measuring.cancel()
            self._measuring = None

    async def _measure(self, epoch: Epoch) -> None:
        began, began_ns = time.monotonic(), self._now_ns()
        index = 0
        period_ns = 1_000_000_000 / epoch.rate_hz
        while True:
            index += PER_FRAME
            due = began + index / epoch.rate_hz / self._rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            readings = (reading(i, epoch.rate_hz) for i in range(index - PER_FRAME, index))
            body = b"".join(struct.pack("<3h", *xyz) for xyz in readings)
            last_ns = began_ns + round(index * period_ns)
            epoch.made += PER_FRAME
            await self.device.notify_subscribers(self.data, FRAME_HEAD.pack(ACC, last_ns, FRAME_TYPE) + body)

    def _on_delivered(self, packet: bytes) -> None:
        """A packet that arrived at the other controller: if it is a data frame, its readings count as sent."""
        if len(packet) < BEFORE_VALUE or packet[4] != NOTIFICATION:
            return
        handle, value = struct.unpack_from("<H", packet, 5)[0], packet[BEFORE_VALUE:]
        if handle == self.heart.handle:
            self.truth.heart_rate_frames += 1
        if handle != self.data.handle or not self.truth.epochs:
            return
        epoch = self.truth.epochs[-1]
        _, last_ns, _ = FRAME_HEAD.unpack_from(value)
        body = value[FRAME_HEAD.size :]
        epoch.sent += len(body) // 6
        epoch.crc32 = binascii.crc32(body, epoch.crc32)
        epoch.first_ns = last_ns if epoch.first_ns is None else epoch.first_ns
        epoch.last_ns = last_ns

    def _on_link_change(self, up: bool) -> None:
        if not up and self._measuring is not None:
            self._end_measurement()
            self._stopped_by_loss_at = time.monotonic()


def settings_of(body: bytes) -> dict[int, int] | None:
    """The chosen settings of a START: type, count 1, value; None if they are cut off."""
    chosen: dict[int, int] = {}
    while body:
        width = SETTING_WIDTHS.get(body[0])
        if width is None or len(body) < 2 + width or body[1] != 1:
            return None
        chosen[body[0]] = int.from_bytes(body[2 : 2 + width], "little")
        body = body[2 + width :]
    return chosen
