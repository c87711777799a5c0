"""The list of SPEC.md section 13 for pods, as far as a host can see it without a radio, against the firmware itself.

    python3 conformance.py --pod-binary ../../firmware/target/release/lope-pod

The answers to well-formed requests are tested in the protocol crate; here it is what only the whole firmware does: errors of
the attribute protocol, links that are not fit, requests on top of requests, ten thousand random writes.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import struct
import sys
import tempfile
from pathlib import Path

from bumble import att
from bumble.core import UUID

import pod_wire as wire
from air_link import AirLink
from bench import SMALLEST_MTU, Bench, BumbleWire
from pod_host import PodLink, Session, check

PLACE = "sacrum"
MTU_STATUS, HELLO_FIRST, CCCD, NOT_ATTACHED = 10, 16, 17, 18
BUSY_ATT, CCCD_ATT, LENGTH_ATT, NOT_SUPPORTED_ATT, NO_READ_ATT, AUTHENTICATION_ATT = 0xFE, 0xFD, 0x0D, 0x06, 0x02, 0x05
RANDOM_WRITES = 10_000
SEED = 20


async def att_error(connection: BumbleWire, request: att.ATT_PDU) -> int | None:
    """The error code of a request of the attribute protocol; None if it went well."""
    response = await connection.peer.gatt_client.send_request(request)
    return int(response.error_code) if isinstance(response, att.ATT_Error_Response) else None


def write_request(connection: BumbleWire, uuid: str, value: bytes) -> att.ATT_PDU:
    handle = connection.by_uuid[UUID(uuid)].handle
    return att.ATT_Write_Request(attribute_handle=handle, attribute_value=value)


async def leave(connection: BumbleWire) -> None:
    await connection.peer.connection.disconnect()
    await asyncio.wait_for(connection.down.wait(), 5)


async def p1_characteristics(bench: Bench) -> None:
    """Properties as in section 2; nothing that notifies can be read; Secure starts pairing; battery and information."""
    connection = await bench.wire(PLACE)
    properties = {
        uuid: int(connection.by_uuid[UUID(uuid)].properties) for uuid in (wire.CONTROL, wire.STREAM, wire.TIME, wire.SECURE)
    }
    check(list(properties.values()) == [0x28, 0x10, 0x14, 0x02], f"properties {properties}")
    for uuid in (wire.CONTROL, wire.STREAM, wire.TIME):
        read = att.ATT_Read_Request(attribute_handle=connection.by_uuid[UUID(uuid)].handle)
        check(await att_error(connection, read) == NO_READ_ATT, f"{uuid} can be read")
    secure = att.ATT_Read_Request(attribute_handle=connection.by_uuid[UUID(wire.SECURE)].handle)
    check(await att_error(connection, secure) == AUTHENTICATION_ATT, "Secure reads on an open link")
    services = {service.uuid for service in connection.peer.services}
    check({UUID.from_16_bits(0x180F), UUID.from_16_bits(0x180A)} <= services, f"services {services}")
    await leave(connection)


async def p2_small_mtu(bench: Bench) -> None:
    """HELLO and the time exchange work at the smallest MTU; everything else is refused at 23 and 99."""
    for mtu in (SMALLEST_MTU, 99):
        connection = await bench.wire(PLACE, mtu)
        link = PodLink(connection, Session())
        await link.open()
        await link.ask(wire.HELLO, b"\1\0")
        check(await link.refused(wire.GET_CAPS, b"\0") == MTU_STATUS, f"GET_CAPS at MTU {mtu}")
        await link.ping(7)
        await leave(connection)


async def p3_p5_attribute_errors(bench: Bench) -> None:
    """Errors of the attribute protocol, and a second request while the reply to the first is due."""
    connection = await bench.wire(PLACE)
    hello = bytes([wire.HELLO, 1, 1, 0])
    check(await att_error(connection, write_request(connection, wire.CONTROL, hello)) == CCCD_ATT, "no CCCD, no error")
    link = PodLink(connection, Session())
    await connection.subscribe(wire.CONTROL, link.on_indication)
    check(await link.refused(wire.GET_STATUS, b"\0") == HELLO_FIRST, "GET_STATUS before HELLO")
    for short in (b"", b"\1"):
        check(
            await att_error(connection, write_request(connection, wire.CONTROL, short)) == LENGTH_ATT,
            f"{len(short)} bytes",
        )
    control = connection.by_uuid[UUID(wire.CONTROL)].handle
    long_write = att.ATT_Prepare_Write_Request(attribute_handle=control, value_offset=0, part_attribute_value=hello)
    check(await att_error(connection, long_write) == NOT_SUPPORTED_ATT, "a long write")
    await link.ask(wire.HELLO, b"\1\0")
    check(await link.refused(wire.START, wire.start(1, 0)) == CCCD, "START without notifications of Stream")
    check(await link.refused(wire.STOP, struct.pack("<Q", 1)) == NOT_ATTACHED, "STOP of a link that is not attached")

    # A host that does not confirm: the first reply is out, the second waits, the third request must be turned away.
    client = connection.peer.gatt_client
    held: list[att.ATT_Handle_Value_Confirmation] = []
    confirm = client.send_confirmation
    client.send_confirmation = held.append
    status = [bytes([wire.GET_STATUS, txn, 0]) for txn in (11, 12, 13)]
    check(await att_error(connection, write_request(connection, wire.CONTROL, status[0])) is None, "the first request")
    first = await asyncio.wait_for(link.indications.get(), 5)
    check(await att_error(connection, write_request(connection, wire.CONTROL, status[1])) is None, "the second request")
    check(await att_error(connection, write_request(connection, wire.CONTROL, status[2])) == BUSY_ATT, "the third request")
    check(link.indications.empty(), "an indication before the confirmation of the last")
    client.send_confirmation = confirm
    confirm(held[0])
    second = await asyncio.wait_for(link.indications.get(), 5)
    check([first[1], second[1]] == [11, 12], "the replies came in another order")
    await link.ask(wire.GET_STATUS, b"\0")
    await leave(connection)


async def p17_random_writes(bench: Bench) -> None:
    """Ten thousand random writes to Control and Time: a reply or an error to each, and the pod lives."""
    numbers = random.Random(SEED)
    answered = refused = errors = connections = 0
    link: PodLink | None = None
    for _ in range(RANDOM_WRITES):
        if link is None:
            # A pod closes a connection on which it refused twenty requests in a row.
            link = await bench.connect(PLACE, Session())
            connections += 1
        connection = link.connection
        length = numbers.choice((0, 1, 2, 3, 4, 9, 10, 12, 13, 60, 244))
        value = bytearray(numbers.randbytes(length))
        if value and numbers.random() < 0.7:
            value[0] = numbers.choice((*range(1, 14), 0x10))
        try:
            if numbers.random() < 0.2:
                await connection.write(wire.TIME, bytes(value), with_response=False)
                continue
            error = await asyncio.wait_for(att_error(connection, write_request(connection, wire.CONTROL, bytes(value))), 5)
            if error is not None:
                errors += 1
                continue
            reply = await asyncio.wait_for(link.indications.get(), 5)
            check(reply[1] == value[1], f"a reply to another request: {reply.hex()} to {value.hex()}")
            answered, refused = answered + (reply[2] == wire.OK), refused + (reply[2] != wire.OK)
        except (asyncio.CancelledError, TimeoutError):
            # Bumble cancels what waits when the connection goes; the news of that may be on its way.
            await asyncio.wait_for(connection.down.wait(), 2)
        if connection.down.is_set():
            link = None
    if link is not None:
        await leave(link.connection)
    print(f"conformance: random writes: {answered} done, {refused} refused, {errors} errors, {connections} connections")
    check(refused > RANDOM_WRITES // 4 and errors > RANDOM_WRITES // 20, "the writes were not random enough")
    # Whatever state they left it in, it serves the next host.
    link = await bench.connect(PLACE, Session())
    await link.ask(wire.HELLO, b"\1\0")
    await leave(link.connection)


async def run(arguments: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(arguments.pod_binary, Path(folder), AirLink())
        try:
            await bench.add_pod(PLACE, 0.0)
            await bench.find()
            for test in (p1_characteristics, p2_small_mtu, p3_p5_attribute_errors, p17_random_writes):
                await test(bench)
                print(f"conformance: {test.__name__}: ok", flush=True)
        finally:
            await bench.end()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pod-binary", type=Path, required=True, help="the program lope-pod")
    arguments = parser.parse_args()
    try:
        asyncio.run(asyncio.wait_for(run(arguments), 300))
    except (AssertionError, wire.Refused) as failure:
        print(f"conformance: FAILED: {failure}", file=sys.stderr)
        return 1
    print("conformance: all as specified")
    return 0


if __name__ == "__main__":
    sys.exit(main())
