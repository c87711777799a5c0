"""Runs the pod firmware against a host made of Bumble: no kernel, no BlueZ, nothing but the protocol.

Each pod is the program `lope-pod` on a virtual controller; the host here knows the protocol only from `pod_wire`. It finds
the pods, starts a session on each, loses the link, fetches what it missed, and in the end must hold every sample the
pods took: the checksums of the pods' own records decide.

    python3 central.py --pod-binary ../../firmware/target/release/lope-pod
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import struct
import sys
import tempfile
import time
from pathlib import Path

import pod_wire as wire
from air_link import AirLink
from bench import Bench
from pod_host import Session, check

PLACES = ["left_foot", "right_foot", "sacrum"]
RATE_HZ = 208.0
LINGER_S = 30
# Enough of the run on both sides of a change of range that the means agree: a wrong range is a factor of 2.
SEAM_SAMPLES = 400


async def one_pod(bench: Bench, place: str, run_s: float) -> str:
    """The whole list for one pod; says what came of it."""
    session = Session()
    link = await bench.connect(place, session)
    check(await link.refused(wire.GET_CAPS, b"\0") == 16, "GET_CAPS before HELLO is hello_first")
    hello = await link.ask(wire.HELLO, b"\1\0")
    check(hello[0] == 1 and hello[4] == 1, f"HELLO {hello.hex()}")
    pages = (await link.ask(wire.GET_CAPS, b"\0"))[1]
    for page in range(1, pages):
        await link.ask(wire.GET_CAPS, bytes([page]))
    config = await link.ask(wire.SET_CONFIG, wire.set_config(RATE_HZ, 16, 2000))
    check(struct.unpack_from("<I", config, 4)[0] == round(RATE_HZ * 1000), "the rate is not what was asked for")
    check(session.live_frames == 0, "a frame before START")
    ident = secrets.randbits(63) | 1
    await link.ask(wire.IDENTIFY, bytes([1, 2]))
    await link.ask(wire.START, wire.start(ident, LINGER_S))

    began = time.monotonic()
    pod_us = await link.ping(1)
    await asyncio.sleep(run_s)
    gained_ms = (await link.ping(2) - pod_us) / 1000 - (time.monotonic() - began) * 1000
    check(abs(gained_ms) < 500, f"the pod's clock gained {gained_ms:.1f} ms")
    check(not session.missing(session.latest_live_index + 1), "a hole without a fault")
    check(session.live_frames >= run_s * RATE_HZ / 19 - 3, f"only {session.live_frames} live frames")

    # The link is lost and found; the pod goes on sampling.
    check(bench.air.lose_links_of(bench.pods[place]), "no link to lose")
    await asyncio.wait_for(link.connection.down.wait(), 5)
    await asyncio.sleep(run_s / 2)
    link = await bench.connect(place, session)
    await link.ask(wire.HELLO, b"\1\0")
    state, _, _, following = wire.session_row(await link.ask(wire.RESUME, struct.pack("<Q", ident)))
    check(state == wire.RUNNING, "the session did not linger")
    hole = sum(count for _, count in session.missing(following))
    check(hole > run_s / 2 * RATE_HZ * 0.5, f"only {hole} samples in the absence")
    before = session.live_frames
    await link.fetch(following)
    check(session.live_frames > before, "no live frame came beside the backfill")
    check(link.first_live_after == following, f"live began at {link.first_live_after}, not at {following}")

    # Other ranges, in mid-session: no sample is lost over it and none gets the wrong configuration.
    config = await link.ask(wire.SET_CONFIG, wire.set_config(RATE_HZ, 32, 2000))
    check(struct.unpack_from("<H", config, 20)[0] == 32, "the range did not change")
    await asyncio.sleep(SEAM_SAMPLES / RATE_HZ + 0.3)
    seam = struct.unpack_from("<I", config, 32)[0]
    before_g, after_g = (
        session.mean_g(range(seam - SEAM_SAMPLES, seam), 16),
        session.mean_g(range(seam, seam + SEAM_SAMPLES), 32),
    )
    check(0.6 < before_g / after_g < 1.6, f"{before_g:.2f} g before the seam, {after_g:.2f} g after it")

    state, _, _, following = wire.session_row(await link.ask(wire.STOP, struct.pack("<Q", ident)))
    check(state == wire.ENDED, "STOP did not end it")
    live = session.live_frames
    await link.fetch(following)
    await asyncio.sleep(0.3)
    check(session.live_frames == live, "a live frame after the reply to STOP")
    check(not session.missing(following) and not session.lost, "samples are missing")
    await link.ask(wire.ACK, struct.pack("<BI", 0, following))
    await link.ask(wire.ERASE, struct.pack("<Q", ident))

    [record] = bench.truth(place)["sessions"]
    check(
        record["samples"] == len(session.samples) == following,
        f"{record['samples']} taken, {len(session.samples)} here",
    )
    check(record["crc32"] == f"{wire.checksum(session.samples):08x}", "the samples differ from those taken")
    await link.connection.peer.connection.disconnect()
    return (
        f"{place}: {following} samples, {hole} of them fetched after the loss, {session.live_frames} live and "
        f"{session.backfilled_frames} backfilled frames, {session.duplicates} duplicates, checksum {record['crc32']}"
    )


async def run(arguments: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as folder:
        # As slow as a connection of 30 ms with two packets per event: a backfill takes a while, and live frames must pass it.
        bench = Bench(arguments.pod_binary, Path(folder), AirLink(interval_s=0.03, packets_per_event=2))
        try:
            for number, place in enumerate(PLACES[: arguments.pods]):
                await bench.add_pod(place, [40.0, -30.0, 15.0][number])
            await bench.find()
            lines = await asyncio.gather(*(one_pod(bench, place, arguments.seconds) for place in bench.pods))
        finally:
            await bench.end()
    print(*lines, sep="\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pod-binary", type=Path, required=True, help="the program lope-pod")
    parser.add_argument("--pods", type=int, default=1, choices=(1, 2, 3))
    parser.add_argument("--seconds", type=float, default=6.0, help="length of the first undisturbed stretch")
    arguments = parser.parse_args()
    try:
        asyncio.run(asyncio.wait_for(run(arguments), 60 + 10 * arguments.seconds * arguments.pods))
    except (AssertionError, wire.Refused) as failure:
        print(f"FAILED: {failure}", file=sys.stderr)
        return 1
    print("central: all samples there")
    return 0


if __name__ == "__main__":
    sys.exit(main())
