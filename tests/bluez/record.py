"""A run recorded by `lope record` through the kernel's and BlueZ's own code, with losses, and compared with the truth.

Three pods and a chest strap. One pod drops its connection, another is out of range for twenty seconds, the third loses its link,
and so does the strap. Afterwards lope must have every sample of the pods (fetched where the radio lost them), and of the strap
exactly what crossed the air, the rest named missing.

    python3 tests/bluez/record.py --lope target/release/lope
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
STRAP = "Polar H10 0BADCAFE"
# Names on the air with the seed that run.sh has by default.
PODS = {"left_foot": "lope-pod-9097", "right_foot": "lope-pod-aa06", "sacrum": "lope-pod-4c56"}
FAULTS = ["8 drop sacrum", "12 out-of-range right_foot 20", "16 link-loss left_foot", "20 link-loss strap"]


def run(lope: Path, out: Path, seconds: int, timeout: int) -> dict:
    """Records in the machine; the program's result."""
    sensors = [f"--sensor={place}={name}" for place, name in PODS.items()] + [f"--sensor=chest={STRAP}"]
    record = [str(lope), "--json", "--data-dir=/run/lope/data", "record", f"--for={seconds}s", "--wait=90s", *sensors]
    script = '"$@" >"$BLUEZ_OUT/record.json" 2>"$BLUEZ_OUT/log/lope"; status=$?; cp /run/lope/data/raw/* "$BLUEZ_OUT/"; exit $status'
    faults = [word for fault in FAULTS for word in ("--fault", fault)]
    command = [str(HERE / "run.sh"), "--out", str(out), "--timeout", str(timeout), *faults]
    done = subprocess.run([*command, "sh", "-c", script, "sh", *record], check=False)
    log = out / "log" / "lope"
    if log.exists():
        print(log.read_text(errors="replace"), end="")
    if done.returncode != 0:
        sys.exit(f"lope record ended with {done.returncode}")
    return json.loads((out / "record.json").read_text())


def compare(result: dict, out: Path) -> list[str]:
    """What does not agree with the truth."""
    wrong = []
    sensors = {(s["placement"] or "strap"): s for s in result["collected"]}
    for place in PODS:
        truth = json.loads((out / "truth" / f"{place}.json").read_text())
        taken = sum(session["samples"] for session in truth["sessions"])
        got = sensors[place]["live_samples"] + sensors[place]["fetched_samples"]
        print(f"{place}: took {taken}, lope has {got}, {sensors[place]['fetched_samples']} of them fetched, "
              f"link lost {sensors[place]['links_lost']}x, clock {sensors[place]['clock_ppm']} ppm")
        if got != taken or sensors[place]["missing"]:
            wrong.append(f"{place}: took {taken}, lope has {got}, missing {sensors[place]['missing']}")
        if sensors[place]["links_lost"] < 1:
            wrong.append(f"{place}: its fault did not happen")
    if sensors["right_foot"]["fetched_samples"] < 15 * 200:
        wrong.append("the absence of 20 s was not fetched")
    strap = json.loads((out / "truth" / "air.json").read_text())["strap"]
    crossed = strap["sent"]
    got = sensors["strap"]["live_samples"]
    print(f"strap: {crossed} readings crossed the air, {strap['dropped_while_down']} were measured while the link was down; lope has {got}, names {sensors['strap']['missing']} missing")
    if got != crossed:
        wrong.append(f"strap: {crossed} crossed the air, lope has {got}")
    if not sensors["strap"]["missing"]:
        wrong.append("strap: nothing is named missing though its link was down")
    strides = result["strides"]["total"]
    print(f"{strides} strides, p99 from arrival to signal loop {result['latency_p99_s']} s")
    if strides < 40:
        wrong.append(f"only {strides} strides")
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lope", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("target/bluez/record"))
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--timeout", type=int, default=300)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    out = arguments.out.resolve()
    wrong = compare(run(arguments.lope.resolve(), out, arguments.seconds, arguments.timeout), out)
    if wrong:
        sys.exit("\n".join(wrong))
    print("every sample of the pods is there, and the strap's count is exact")


if __name__ == "__main__":
    main()
