#!/usr/bin/env python3
"""The accuracy gate: lope's errors on recordings against the committed snapshot. Python 3.11, standard library only.

    score_gate.py --lope PROGRAM     analyse all recordings, compare with limits.toml; ends with 1 if anything got worse
    score_gate.py --lope PROGRAM --write
                                     the same run, then writes the snapshot into limits.toml and the table into README.md
    score_gate.py --check-docs       README.md and CHANGELOG.md agree with limits.toml (runs nothing)
    score_gate.py --self-test        the gate itself: a worse figure is refused, a better one is not

Two kinds of limits stand in limits.toml. A *promise* is a fixed limit with its reason; it is never loosened to let a change
pass. *Measured* is a snapshot of what lope did last; a figure may drift by its tolerance and no further. Better figures pass
and are named, so that the snapshot can be renewed. Renewing it is a scientific change: CHANGELOG.md must then carry the new
snapshot's mark under "### Scientific changes", with before and after (docs/adr/0009-accuracy-snapshots.md).

Why a snapshot beside promises: most figures are far better than any promise, and a slow slide towards it would pass unseen.
"""
import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import tomllib

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.normpath(os.path.join(HERE, "..", ".."))
LIMITS = os.path.join(HERE, "limits.toml")
README = os.path.join(ROOT, "README.md")
CHANGELOG = os.path.join(ROOT, "CHANGELOG.md")
SHARED = os.path.normpath(os.path.join(ROOT, "..", "shared"))
BEGIN, END = "<!-- accuracy:begin -->", "<!-- accuracy:end -->"
MEASURED_BEGIN = "# ---- measured: written by score_gate.py --write, not by hand ----"

# Bands with fewer strides than this are left out: one stride would decide the figure.
MIN_STRIDES = 10

# What "better" means for each figure of the scorer: high, low, or near zero.
BETTER = {
    "detected_pct": "high", "contacts_detected_pct": "high",
    "false_per_min": "low", "length_mae_m": "low", "length_sd_m": "low", "length_median_pct": "low",
    "cadence_mae_spm": "low", "contact_sd_ms": "low", "ic_iqr_ms": "low", "tc_iqr_ms": "low",
    "tilt_mean_error_deg": "low", "tilt_stride_rmse_deg": "low", "overstride_mae_cm": "low", "shank_mae_deg": "low",
    "shank_rel_mae_deg": "low", "distance_abs_pct": "low",
    "length_bias_m": "zero", "cadence_bias_spm": "zero", "contact_bias_ms": "zero", "ic_median_ms": "zero", "tc_median_ms": "zero",
    "tilt_rom_error_deg": "zero", "obliquity_rom_error_deg": "zero", "rotation_rom_error_deg": "zero", "overstride_bias_cm": "zero",
    "shank_bias_deg": "zero", "shank_rel_bias_deg": "zero", "vertical_osc_bias_mm": "zero", "distance_error_pct": "zero",
}
ORIENTATION = "inclination_deg"


def worse_by(figure, before, now):
    """How much worse `now` is than `before`, in the figure's unit; negative when better."""
    better = BETTER.get(figure, "low")
    if better == "high":
        return before - now
    if better == "zero":
        return abs(now) - abs(before)
    return now - before


def snapshot_of(result):
    """The scorer's result as {set: {band: {figure: value}}}; orientation as set `orientation`, one band a trial."""
    out = {}
    for row in result["rows"]:
        figures = {k: round(row[k], 3) for k in BETTER if row.get(k) is not None}
        if row.get("summary_only"):
            # Compared with means of the whole trial; n would count the program's strides, not those of the truth.
            out.setdefault(row["set"], {})[row["band"]] = figures
        elif row["n"] >= MIN_STRIDES or row.get("contacts_n"):
            out.setdefault(row["set"], {})[row["band"]] = {"n": row["n"], **figures}
    for trial, value in result.get("orientation", {}).items():
        if value is not None:
            out.setdefault("orientation", {})[trial] = {ORIENTATION: round(value, 3)}
    if "orientation" in out:
        values = [v[ORIENTATION] for v in out["orientation"].values()]
        out["orientation"]["mean"] = {ORIENTATION: round(sum(values) / len(values), 3)}
    return out


def compare(limits, result):
    """(what fails, what got better), both as sentences."""
    now = snapshot_of(result)
    bad = [f"{trial}: the program failed or wrote no table" for trial in result.get("failed", [])]
    bad += [f"{trial}: no orientation" for trial, v in result.get("orientation", {}).items() if v is None]
    good = []
    for group, bands in limits.get("measured", {}).items():
        for band, figures in bands.items():
            seen = now.get(group, {}).get(band)
            where = f"{group} {band}"
            if seen is None:
                bad.append(f"{where}: was measured before, is not any more")
                continue
            if seen.get("n", 0) < figures.get("n", 0):
                bad.append(f"{where}: {seen.get('n', 0)} strides in the recordings, {figures['n']} before: recordings are missing")
            for figure, before in figures.items():
                if figure == "n":
                    continue
                if figure not in seen:
                    bad.append(f"{where}: {figure} was {before:g}, is not given any more")
                    continue
                if figure not in limits["tolerance"]:
                    bad.append(f"{where}: no tolerance for {figure}")
                    continue
                by, tolerance = worse_by(figure, before, seen[figure]), limits["tolerance"][figure]
                sentence = f"{where}: {figure} {before:g} -> {seen[figure]:g} (tolerance {tolerance:g})"
                if by > tolerance:
                    bad.append(sentence)
                elif by < -tolerance:
                    good.append(sentence)
    for promise in limits.get("promise", []):
        value = now.get(promise["set"], {}).get(promise["band"], {}).get(promise["figure"])
        where = f"promise {promise['set']} {promise['band']} {promise['figure']}"
        if value is None:
            bad.append(f"{where}: not measured ({promise['why']})")
        elif "at_least" in promise and value < promise["at_least"]:
            bad.append(f"{where}: {value:g}, must be at least {promise['at_least']:g} ({promise['why']})")
        elif "at_most" in promise and abs(value) > promise["at_most"]:
            bad.append(f"{where}: {value:g}, must be within {promise['at_most']:g} ({promise['why']})")
    return bad, good


def toml_of(snapshot):
    lines = []
    for group in sorted(snapshot):
        for band, figures in snapshot[group].items():
            lines.append(f'[measured."{group}"."{band}"]')
            lines += [f"{k} = {v!r}" for k, v in figures.items()]
            lines.append("")
    return "\n".join(lines)


def mark_of(snapshot):
    """Eight letters that change whenever a measured figure changes."""
    return hashlib.sha256(json.dumps(snapshot, sort_keys=True).encode()).hexdigest()[:8]


# ------------------------------------------------------------------ the table of the README
TABLES = [
    ("Strides", [("strides", "n", "%d"), ("found", "detected_pct", "%.1f %%"), ("false per minute", "false_per_min", "%.2f"),
                 ("length, median error", "length_median_pct", "%.1f %%"), ("bias", "length_bias_m", "%+.3f m"), ("SD", "length_sd_m", "%.3f m"),
                 ("cadence, mean error", "cadence_mae_spm", "%.2f /min")], "length_median_pct"),
    ("Contacts (against a force plate)", [("contact time, bias", "contact_bias_ms", "%+.0f ms"), ("SD", "contact_sd_ms", "%.0f ms"),
                  ("initial contact, median", "ic_median_ms", "%+.0f ms"), ("IQR", "ic_iqr_ms", "%.0f ms"),
                  ("terminal contact, median", "tc_median_ms", "%+.0f ms"), ("IQR", "tc_iqr_ms", "%.0f ms")], "ic_median_ms"),
    ("Pelvis, shank, overstriding", [("tilt, mean error", "tilt_mean_error_deg", "%.1f°"), ("tilt range", "tilt_rom_error_deg", "%+.1f°"),
                  ("obliquity range", "obliquity_rom_error_deg", "%+.1f°"), ("rotation range", "rotation_rom_error_deg", "%+.1f°"),
                  ("shank angle (against standing)", "shank_rel_mae_deg", "%.1f°"), ("foot ahead of pelvis, bias", "overstride_bias_cm", "%+.1f cm"),
                  ("mean error", "overstride_mae_cm", "%.1f cm"), ("vertical oscillation", "vertical_osc_bias_mm", "%+.0f mm")], "tilt_mean_error_deg"),
]


def readme_table(snapshot):
    if not snapshot:
        return "(not measured yet)"
    parts = []
    for title, columns, needed in TABLES:
        rows = [(g, b, f) for g in sorted(snapshot) for b, f in snapshot[g].items() if needed in f]
        if not rows:
            continue
        parts += [f"**{title}**", "", "| recordings | m/s | " + " | ".join(c for c, _, _ in columns) + " |", "|---|---|" + "---:|" * len(columns)]
        for group, band, f in rows:
            cells = [fmt % f[key] if key in f else "–" for _, key, fmt in columns]
            parts.append(f"| {group} | {band.replace('<', '&lt;').replace('>', '&gt;')} | " + " | ".join(cells) + " |")
        parts.append("")
    mean = snapshot.get("orientation", {}).get("mean")
    if mean:
        parts.append(f"Attitude: {mean[ORIENTATION]:.2f}° mean inclination error on {len(snapshot['orientation']) - 1} optically tracked recordings.")
    return "\n".join(parts).strip()


def between_markers(text):
    return text[text.index(BEGIN) + len(BEGIN):text.index(END)].strip()


def check_docs(limits, readme, changelog):
    """Sentences about what README and CHANGELOG say differently from the snapshot."""
    snapshot, bad = limits.get("measured", {}), []
    if between_markers(readme) != readme_table(snapshot):
        bad.append("README.md: the accuracy table is not that of limits.toml; run score_gate.py --write")
    if snapshot:
        mark = f"snapshot {mark_of(snapshot)}"
        first = next((s for s in changelog.split("### Scientific changes")[1:]), "").split("\n### ")[0].split("\n## ")[0]
        if mark not in first:
            bad.append(f'CHANGELOG.md: the newest "### Scientific changes" must name "{mark}", with before and after')
    return bad


# ------------------------------------------------------------------ running
def score(lope):
    command = f'"{os.path.abspath(lope)}"'
    with tempfile.TemporaryDirectory() as tmp:
        out = os.path.join(tmp, "result.json")
        # The scorer ends with 2 when a trial failed and still writes its result; that failure is reported below by name.
        code = subprocess.run([sys.executable, os.path.join(SHARED, "tools", "score.py"), "--data", os.path.join(SHARED, "data"), "--json", out,
                               "--command", command + " analyze {recording} --no-store --strides {out}",
                               "--orientation-command", command + " orientation {recording} --out {out}"]).returncode
        if code not in (0, 2) or not os.path.exists(out):
            sys.exit(f"the scorer ended with {code}")
        with open(out, encoding="utf-8") as fh:
            return json.load(fh)


def read(path):
    with open(path, encoding="utf-8") as fh:
        return fh.read()


def write_snapshot(result):
    snapshot = snapshot_of(result)
    text = read(LIMITS)
    head = text[:text.index(MEASURED_BEGIN)]
    with open(LIMITS, "w", encoding="utf-8") as fh:
        fh.write(head + MEASURED_BEGIN + "\n\n" + toml_of(snapshot))
    # As read back, so that the mark and the table are those every later check sees.
    snapshot = tomllib.loads(read(LIMITS)).get("measured", {})
    text = read(README)
    with open(README, "w", encoding="utf-8") as fh:
        fh.write(text[:text.index(BEGIN)] + BEGIN + "\n" + readme_table(snapshot) + "\n" + text[text.index(END):])
    print(f'snapshot written; CHANGELOG.md, "### Scientific changes": say before and after, and name "snapshot {mark_of(snapshot)}"')


def self_test():
    limits = tomllib.loads("""
[tolerance]
detected_pct = 0.5
length_bias_m = 0.002
length_median_pct = 0.1
inclination_deg = 0.05
[[promise]]
set = "a"
band = "all"
figure = "detected_pct"
at_least = 98.0
why = "test"
[measured.a.all]
n = 100
detected_pct = 99.0
length_bias_m = -0.01
length_median_pct = 1.0
[measured.orientation.t]
inclination_deg = 1.0
""")

    def result(n=100, detected=99.0, bias=-0.01, median=1.0, inclination=1.0, failed=()):
        row = {"set": "a", "band": "all", "n": n, "detected_pct": detected, "length_bias_m": bias, "length_median_pct": median}
        return {"rows": [row], "failed": list(failed), "orientation": {"t": inclination}}

    def refused(word, **change):
        bad, _ = compare(limits, result(**change))
        assert any(word in s for s in bad), (change, bad)

    def passes(**change):
        bad, good = compare(limits, result(**change))
        assert not bad, (change, bad)
        return good

    assert passes() == []
    passes(detected=98.6, bias=0.0115, median=1.09, inclination=1.04)   # inside the tolerance; the sign of a bias is free
    passes(n=120)
    few = snapshot_of({"rows": [{"set": "a", "band": "fast", "n": 3, "detected_pct": 100.0}, {"set": "b", "band": "?", "n": 5, "summary_only": True, "cadence_bias_spm": 1.0}]})
    assert few == {"b": {"?": {"cadence_bias_spm": 1.0}}}, few
    assert len(passes(detected=100.0, bias=0.0, median=0.5)) == 3
    refused("detected_pct", detected=98.4)
    refused("promise", detected=97.9)
    refused("length_bias_m", bias=0.0125)
    refused("length_bias_m", bias=-0.0125)
    refused("length_median_pct", median=1.11)
    refused("not given any more", median=None)
    refused("recordings are missing", n=99)
    refused("failed or wrote no table", failed=["x"])
    refused("orientation", inclination=1.06)
    refused("no orientation", inclination=None)
    assert compare(limits, {"rows": [], "failed": []})[0]
    snapshot = tomllib.loads(toml_of(snapshot_of(result())))["measured"]
    assert snapshot["a"]["all"] == limits["measured"]["a"]["all"], snapshot
    readme = f"x\n{BEGIN}\n{readme_table(snapshot)}\n{END}\n"
    entry = f"### Scientific changes\n- snapshot {mark_of(snapshot)}\n"
    stated = {"measured": snapshot}
    assert check_docs(stated, readme, entry) == []
    assert len(check_docs(stated, f"{BEGIN}\nold\n{END}", entry)) == 1
    assert len(check_docs(stated, readme, "### Scientific changes\n- none\n## 0.1\n### Scientific changes\n" + entry)) == 1
    print("self-test passed")


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--lope", help="the program to judge")
    ap.add_argument("--write", action="store_true", help="renew the snapshot instead of judging")
    ap.add_argument("--check-docs", action="store_true")
    ap.add_argument("--self-test", action="store_true")
    args = ap.parse_args()
    if args.self_test:
        return self_test()
    limits = tomllib.loads(read(LIMITS))
    if args.check_docs:
        bad = check_docs(limits, read(README), read(CHANGELOG))
        print("\n".join(bad) or "README and CHANGELOG agree with the snapshot")
        sys.exit(1 if bad else 0)
    if not args.lope:
        ap.error("--lope, --check-docs or --self-test")
    result = score(args.lope)
    if args.write:
        return write_snapshot(result)
    bad, good = compare(limits, result)
    if not limits.get("measured"):
        bad.append("limits.toml holds no snapshot yet: run score_gate.py --lope PROGRAM --write")
    for sentence in good:
        print("better: " + sentence)
    for sentence in bad:
        print("WORSE: " + sentence)
    print(f"accuracy gate: {len(bad)} worse, {len(good)} better beyond tolerance")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
