"""Reads the files of one run with programs that know nothing of lope, and compares them with the CSV of the same run.

    readers.py fit FILE.fit FILE.csv FACTS.json
    readers.py xlsx FILE.xlsx FILE.csv FACTS.json
    readers.py roster FILE.xlsx FACTS.json

FACTS tells what the file cannot be asked for: start and end of the run, laps, pauses, sensors, symptoms. Every value of a
record is worked out anew from the CSV, by the rule in docs/owning-your-data.md, and compared within half of the last digit
that the field can hold. Ends with 1 and a sentence at the first difference; prints what was compared.

The vendor's own reader joins in where somebody has installed it (garmin-fit-sdk). Its licence is not an open one, so lope
neither asks for it nor installs it.
"""

import csv
import datetime
import json
import math
import os
import sys
from collections import Counter, defaultdict

UTC = datetime.timezone.utc
# Columns of a stride that are no metrics: when, which, how it was seen, and what is noted of it.
FIXED = 18
OWN = ["Pelvic Tilt Change", "Pelvic Drop L", "Pelvic Drop R", "Pelvic Rotation", "Foot Ahead of Hip", "Data Quality"]
# Native field: column of the CSV, factor to the file's unit, half of the last digit.
NATIVE = {
    "enhanced_speed": ("speed_mps", 1.0, 0.0005),
    "step_length": ("stride_length_m", 500.0, 0.05),
    "stance_time": ("contact_time_ms", 1.0, 0.05),
    "stance_time_percent": ("duty_factor_pct", 1.0, 0.005),
    "vertical_oscillation": ("pelvis_oscillation_cm", 10.0, 0.05),
    "vertical_ratio": ("vertical_ratio_pct", 1.0, 0.005),
}
DEVELOPER = {
    "Pelvic Tilt Change": ("pelvis_tilt_deg", 1.0, None),
    "Pelvic Drop L": ("pelvis_drop_deg", 1.0, "left"),
    "Pelvic Drop R": ("pelvis_drop_deg", 1.0, "right"),
    "Pelvic Rotation": ("pelvis_rotation_range_deg", 1.0, None),
    "Foot Ahead of Hip": ("overstride_distance_cm", 10.0, None),
}


def fail(sentence):
    print(sentence, file=sys.stderr)
    sys.exit(1)


def check(holds, sentence):
    if not holds:
        fail(sentence)


def near(found, wanted, within, where):
    if wanted is None or found is None:
        check(found is None and wanted is None, f"{where}: {found} where {wanted} is meant")
    else:
        check(abs(found - wanted) <= within + 1e-9, f"{where}: {found} is not {wanted} within {within}")


def number(cell):
    return None if cell == "" else float(cell)


def strides_of(path):
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["from"], row["to"] = float(row["t_s"]), float(row["end_s"])
    return rows


def mean(rows, column, factor, span, side=None, classes="AB"):
    """Mean weighted by the time that a stride shares with the span."""
    total = weight = 0.0
    for row in rows:
        if row["class"] not in classes or (side and row["side"] != side):
            continue
        value = number(row[column])
        shared = min(row["to"], span[1]) - max(row["from"], span[0])
        if value is not None and shared > 0:
            total, weight = total + value * factor * shared, weight + shared
    return total / weight if weight else None


def balance(rows, span):
    left = mean(rows, "contact_time_ms", 1.0, span, "left")
    right = mean(rows, "contact_time_ms", 1.0, span, "right")
    return None if left is None or right is None else 100 * left / (left + right)


def way_up_to(rows, t):
    """Mean of the legs that know 70 % of their lengths; what they do not know goes at their mean speed."""
    legs = []
    for side in {row["side"] for row in rows}:
        known_m = known_s = all_s = way = unknown = 0.0
        for row in (r for r in rows if r["side"] == side):
            lasts = row["to"] - row["from"]
            share = min(max((t - row["from"]) / lasts, 0.0), 1.0)
            length = number(row["stride_length_m"])
            all_s += lasts
            if length is None:
                unknown += share * lasts
            else:
                known_m, known_s, way = known_m + length, known_s + lasts, way + share * length
        if all_s and known_s >= 0.7 * all_s:
            legs.append(way + unknown * known_m / known_s)
    return sum(legs) / len(legs) if legs else None


# Readers: each gives a list of (message, {field: value}), times in UTC, absent values None.


def utc(value):
    return value.replace(tzinfo=UTC) if isinstance(value, datetime.datetime) and value.tzinfo is None else value


def by_fitdecode(path):
    import fitdecode

    messages = []
    with fitdecode.FitReader(path, check_crc=fitdecode.CrcCheck.RAISE, error_handling=fitdecode.ErrorHandling.RAISE) as fit:
        for frame in fit:
            if isinstance(frame, fitdecode.FitDataMessage):
                messages.append((frame.name, {f.name: utc(f.value) for f in frame.fields}))
    return messages


def by_fitparse(path):
    import fitparse

    fit = fitparse.FitFile(path, check_crc=True)
    return [(m.name, {f.name: utc(f.value) for f in m.fields}) for m in fit.get_messages()]


def by_vendor(path):
    from garmin_fit_sdk import Decoder, Profile, Stream

    check(Decoder(Stream.from_file(path)).check_integrity(), "the vendor's reader doubts the file's integrity")
    names = {int(m["num"]): m["name"] for m in Profile["messages"].values()}
    messages, own = [], {}

    def take(number, message):
        fields = {k: utc(v) for k, v in message.items() if isinstance(k, str)}
        if names[number] == "field_description":
            own[message["key"]] = message["field_name"]
        for key, value in fields.pop("developer_fields", {}).items():
            fields[own[key]] = None if isinstance(value, float) and math.isnan(value) else value
        messages.append((names[number], fields))

    # A fresh one: after the check of its integrity a decoder gives nothing.
    _, errors = Decoder(Stream.from_file(path)).read(mesg_listener=take)
    check(not errors, f"the vendor's reader says {errors}")
    return messages


def readers():
    found = {"fitdecode": by_fitdecode, "fitparse": by_fitparse}
    try:
        import garmin_fit_sdk  # noqa: F401

        found["garmin-fit-sdk"] = by_vendor
    except ImportError:
        pass
    return found


def text(value):
    return value.split("\0")[0] if isinstance(value, str) else value


def cadence(fields, name="cadence", fraction="fractional_cadence"):
    whole, part = fields.get(name), fields.get(fraction)
    return None if whole is None else whole + (part or 0.0)


def fit(path, table, facts):
    rows = strides_of(table)
    start = datetime.datetime(1970, 1, 1, tzinfo=UTC) + datetime.timedelta(microseconds=facts["start_us"])
    ends = facts["end_s"]
    since = lambda stamp: (stamp - start).total_seconds()
    seen = {}
    for reader, read in readers().items():
        messages = read(path)
        of = defaultdict(list)
        for name, fields in messages:
            of[name].append(fields)
        records = of["record"]
        paused = facts["pauses"]

        # How many of each: whole seconds of the run less those of pauses.
        stamps = [since(r["timestamp"]) for r in records]
        first = math.ceil(facts["start_us"] / 1e6) - facts["start_us"] / 1e6
        seconds = [first + k for k in range(int(ends - first) + 1)]
        stops = [e for e in of["event"] if e["event_type"] in ("stop_all", "stop")]
        starts = [e for e in of["event"] if e["event_type"] == "start"]
        gaps = [(since(a["timestamp"]), since(b["timestamp"])) for a, b in zip(stops, starts[1:])]
        lead = since(starts[0]["timestamp"])
        check(len(gaps) == paused["between"], f"{reader}: pauses {gaps}")
        check((lead > 5) == paused["before"], f"{reader}: the timer begins at {lead}")
        inside = lambda t: t < lead - 0.5 or any(a + 0.5 < t < b - 0.5 for a, b in gaps)
        kept = [t for t in seconds if not inside(t)]
        last_stop = since(stops[-1]["timestamp"])
        kept = [t for t in kept if t <= last_stop + 1e-6]
        check([round(t, 6) for t in stamps] == [round(t, 6) for t in kept], f"{reader}: {len(stamps)} records, {len(kept)} seconds")
        for a, b in gaps:
            strides = [r for r in rows if min(r["to"], b - 0.5) > max(r["from"], a + 0.5)]
            check(not strides, f"{reader}: {len(strides)} strides in a pause")
        counts = Counter(name for name, _ in messages)
        wanted = {
            "file_id": 1, "file_creator": 1, "developer_data_id": 1, "field_description": 6, "event": 2 + 2 * len(gaps),
            "device_info": 1 + len(facts["sensors"]), "record": len(kept), "lap": len(facts["laps"]) + 1, "session": 1, "activity": 1,
        }  # fmt: skip
        check(dict(counts) == wanted, f"{reader}: {dict(counts)} where {wanted} are meant")

        # What the file is.
        head = of["file_id"][0]
        check(head["type"] == "activity" and text(head["product_name"]) == "lope", f"{reader}: {head}")
        check(head["manufacturer"] == "development", f"{reader}: {head['manufacturer']}")
        check(since(head["time_created"]) > -1 and since(head["time_created"]) <= 0, f"{reader}: {head['time_created']}")
        names = [text(f["field_name"]) for f in of["field_description"]]
        check(names == OWN, f"{reader}: {names}")
        places = sorted(str(d.get("sensor_position")) for d in of["device_info"] if d.get("sensor_position") is not None)
        check(places == sorted(facts["sensors"]), f"{reader}: {places}")

        # Values, second by second.
        absent = Counter()
        for t, record in zip(stamps, records):
            span, where = (t - 0.5, t + 0.5), f"{reader}, {t:.2f} s"
            near(cadence(record), mean(rows, "cadence_spm", 0.5, span), 1 / 256, f"{where}, cadence")
            for name, (column, factor, within) in NATIVE.items():
                near(record.get(name), mean(rows, column, factor, span), within, f"{where}, {name}")
                absent[name] += record.get(name) is None
            near(record.get("stance_time_balance"), balance(rows, span), 0.005, f"{where}, balance")
            near(record.get("distance"), way_up_to(rows, t), 0.005, f"{where}, distance")
            for name, (column, factor, side) in DEVELOPER.items():
                meant = mean(rows, column, factor, span, side)
                near(record.get(name), meant, 1e-5 * max(1.0, abs(meant or 0.0)), f"{where}, {name}")
                absent[name] += record.get(name) is None
            near(record.get("Data Quality"), mean(rows, "quality", 100.0, span, classes="ABCD"), 1e-4, f"{where}, quality")
        for name in facts["never"]:
            check(absent[name] == len(records), f"{reader}: {name} has values")

        # Laps and the whole.
        ends_of = facts["laps"] + [ends]
        for number_of, lap in enumerate(of["lap"]):
            a, b = ([0.0] + facts["laps"])[number_of], ends_of[number_of]
            where = f"{reader}, lap {number_of}"
            check(lap["message_index"] == number_of, f"{where}: {lap['message_index']}")
            near(lap["total_elapsed_time"], b - a, 0.0006, f"{where}, elapsed")
            # A record tells the distance at its second; between two it is drawn straight.
            near(lap["total_distance"], way_up_to(rows, b) - way_up_to(rows, a), 0.5, f"{where}, distance")
            near(cadence(lap, "avg_running_cadence" if "avg_running_cadence" in lap else "avg_cadence", "avg_fractional_cadence"), mean(rows, "cadence_spm", 0.5, (a, b)), 1 / 256, f"{where}, cadence")
            for name in ("step_length", "stance_time", "vertical_oscillation", "vertical_ratio"):
                column, factor, within = NATIVE[name]
                near(lap.get(f"avg_{name}"), mean(rows, column, factor, (a, b)), within, f"{where}, {name}")
        whole = of["session"][0]
        check(whole["sport"] == "running" and whole["num_laps"] == len(ends_of), f"{reader}: {whole}")
        near(whole["total_elapsed_time"], ends, 0.0006, f"{reader}, elapsed")
        near(whole["total_distance"], way_up_to(rows, ends), 0.0051, f"{reader}, distance")
        near(sum(l["total_timer_time"] for l in of["lap"]), whole["total_timer_time"], 0.002, f"{reader}, timer")
        near(sum(l["total_distance"] for l in of["lap"]), whole["total_distance"], 0.02, f"{reader}, way of laps")
        near(whole["enhanced_avg_speed"], whole["total_distance"] / whole["total_timer_time"], 0.001, f"{reader}, speed")
        pauses = ends - whole["total_timer_time"]
        check(paused["at_least_s"] <= pauses <= paused["at_most_s"], f"{reader}: {pauses} s of pauses")
        for name in ("step_length", "stance_time", "stance_time_percent", "vertical_oscillation", "vertical_ratio"):
            column, factor, within = NATIVE[name]
            near(whole.get(f"avg_{name}"), mean(rows, column, factor, (0.0, ends)), within, f"{reader}, {name}")
        near(whole.get("avg_stance_time_balance"), balance(rows, (0.0, ends)), 0.005, f"{reader}, balance")
        local = of["activity"][0].get("local_timestamp")
        if facts["utc_offset_s"] is None:
            check(local is None, f"{reader}: local time {local}")
        else:
            # The vendor's reader leaves it as a number.
            told = local if isinstance(local, datetime.datetime) else datetime.datetime(1989, 12, 31, tzinfo=UTC) + datetime.timedelta(seconds=local)
            near((utc(told) - of["activity"][0]["timestamp"]).total_seconds(), facts["utc_offset_s"], 0.0, f"{reader}, local time")
        seen[reader] = len(records)
    check(len(set(seen.values())) == 1, f"readers disagree: {seen}")
    print(f"{os.path.basename(path)}: {next(iter(seen.values()))} records, {len(rows)} strides, read alike by {', '.join(seen)}")


# Workbooks.


def grid(sheet):
    rows = [[c for c in row] for row in sheet.iter_rows()]
    heads = [c.value for c in rows[0]]
    check(sheet.freeze_panes == "A2", f"{sheet.title}: frozen at {sheet.freeze_panes}")
    for row in rows:
        for cell in row:
            check(cell.data_type in ("n", "s", "b", "d", "inlineStr"), f"{sheet.title}!{cell.coordinate} is {cell.data_type}")
    return heads, [dict(zip(heads, row)) for row in rows[1:]]


def xlsx(path, table, facts):
    import openpyxl

    book = openpyxl.load_workbook(path)
    symptoms = ["symptoms"] if facts["symptoms"] else []
    check(book.sheetnames == ["summary", "strides", "flags", *symptoms, "definitions"], f"sheets {book.sheetnames}")
    rows = strides_of(table)
    heads, cells = grid(book["strides"])
    check(len(cells) == len(rows) > 0, f"{len(cells)} rows, {len(rows)} strides")
    compared = empty = 0
    for found, row in zip(cells, rows):
        told = found["not measured"].value or ""
        at = found["time_utc"]
        meant = datetime.datetime.fromisoformat(row["time_utc"].replace("Z", "+00:00")).replace(tzinfo=None)
        check(at.is_date and abs((at.value - meant).total_seconds()) <= 0.002, f"{at.coordinate}: {at.value} is not {meant}")
        for head in heads[1:-1]:
            cell, text_of = found[head].value, row[head]
            if head in ("side", "seen_from", "activity", "class"):
                check((cell or "") == text_of, f"{found[head].coordinate}: {cell}")
            elif head in ("acc_clipped", "gyro_clipped", "filled", "turning", "approximate_zero", "after_rest", "marked_bad"):
                check(cell is (text_of == "1"), f"{found[head].coordinate}: {cell}")
            elif text_of == "":
                check(cell is None, f"{found[head].coordinate}: {cell} was not measured")
                empty += 1
            else:
                check(isinstance(cell, (int, float)) and math.isclose(cell, float(text_of), rel_tol=1e-12, abs_tol=1e-12), f"{found[head].coordinate}: {cell} is not {text_of}")
                compared += 1
        if any(row[h] == "" for h in heads[FIXED:-1]):
            check(len(told) > 10, f"{at.coordinate}: no reason")
    _, definitions = grid(book["definitions"])
    defined = {d["column"].value for d in definitions}
    lacking = [h for h in heads[FIXED:-1] if h not in defined]
    check(not lacking, f"not defined: {lacking}")
    for d in definitions:
        check(d["what it is"].value and d["what it is not"].value, f"{d['column'].value}")
    _, summary = grid(book["summary"])
    by_what = {s["what"].value: s for s in summary}
    check(by_what["start in UTC"]["value"].is_date, "the start is no time")
    near(by_what["duration"]["value"].value, facts["end_s"], 1e-6, "duration")
    check(by_what["strides"]["value"].value == len(rows), "strides")
    check((by_what["note"]["value"].value or "") == (facts["note"] if facts["symptoms"] else ""), f"note {by_what['note']['value'].value!r}")
    for s in summary:
        if s["what"].value.endswith("median"):
            check((s["value"].value is None) == bool(s["why not"].value), f"{s['what'].value}: value or reason")
    usable = sorted(float(r["cadence_spm"]) for r in rows if r["class"] in "AB" and r["cadence_spm"])
    middle = len(usable) // 2
    median = usable[middle] if len(usable) % 2 else (usable[middle - 1] + usable[middle]) / 2
    near(by_what["Cadence, median"]["value"].value, median, 1e-9, "median cadence")
    _, flags = grid(book["flags"])
    check(len(flags) >= facts["flags_at_least"], f"{len(flags)} flags")
    everything = "\n".join(str(c.value) for sheet in book for row in sheet.iter_rows() for c in row if c.value is not None)
    for word in facts["secrets"]:
        check((word in everything) == facts["symptoms"], f"{word!r} in the workbook: {word in everything}")
    if facts["symptoms"]:
        _, said = grid(book["symptoms"])
        check(len(said) >= 3 and all(s["day"].is_date for s in said), "symptoms")
        check(any(s["time_utc"].is_date and s["value"].value == "pain 4" for s in said), "the mark of pain")
    print(f"{os.path.basename(path)}: {compared} numbers equal, {empty} cells empty, sheets {', '.join(book.sheetnames)}")


def roster(path, facts):
    import openpyxl

    book = openpyxl.load_workbook(path)
    check(book.sheetnames == ["roster"], f"sheets {book.sheetnames}")
    heads, rows = grid(book["roster"])
    check([r["athlete"].value for r in rows] == facts["athletes"], f"{[r['athlete'].value for r in rows]}")
    for r in rows:
        if r["last run"].value is not None:
            check(r["last run"].is_date and isinstance(r["days since"].value, (int, float)), "types")
        if r["athlete"].value in facts["hidden"]:
            check(r["last back score, 0 to 10"].value is None and "not shared" in r["why not"].value, "symptoms shown")
    print(f"{os.path.basename(path)}: {len(rows)} rows of {len(heads)} columns")


if __name__ == "__main__":
    what, *paths, facts_path = sys.argv[1:]
    with open(facts_path) as facts_file:
        {"fit": fit, "xlsx": xlsx, "roster": roster}[what](*paths, json.load(facts_file))
