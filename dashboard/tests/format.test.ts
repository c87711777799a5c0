// Numbers, units and times as people read them.
import { describe, expect, test } from "vitest";
import type { MetricDef } from "../src/api";
import { age, clock, count, day, distance, evidenceText, KM_PER_MI, number, pace, runDay, shown, signed, trimmed, withUnit, type Style } from "../src/pure/format";

const km: Style = { units: "metric", locale: "en-GB" };
const mi: Style = { units: "imperial", locale: "en-GB" };
const de: Style = { units: "metric", locale: "de-DE" };
const contact: MetricDef = { name: "contact_time", title: "Contact time", unit: "s", shown_unit: "ms", shown_factor: 1000, shown_decimals: 0, doc: "", not_it: "", source: "", per_side: true, interval: "" };

describe("numbers", () => {
  test("absent is a dash, never zero", () => {
    for (const v of [null, undefined, Number.NaN, Infinity]) expect(number(v, 1, km)).toBe("–");
    expect(number(0, 1, km)).toBe("0.0");
  });
  test("minus is a minus sign, and nothing is minus zero", () => {
    expect(number(-1.25, 1, km)).toBe("−1.3");
    expect(number(-0.04, 1, km)).toBe("0.0");
  });
  test("decimal commas where the reader has them", () => {
    expect(number(1234.5, 1, de)).toBe("1.234,5");
    expect(number(1234.5, 1, km)).toBe("1,234.5");
    expect(trimmed(2.5, 2, de)).toBe("2,5");
    expect(trimmed(2, 2, km)).toBe("2");
  });
  test("signs on changes, none on zero", () => {
    expect(signed(2, 1, km)).toBe("+2.0");
    expect(signed(-2, 1, km)).toBe("−2.0");
    expect(signed(0.01, 1, km)).toBe("0.0");
  });
  test("one run, two runs", () => {
    expect(count(1, "run", km)).toBe("1 run");
    expect(count(2141, "stride", km)).toBe("2,141 strides");
  });
});

describe("units", () => {
  test("distance in km and miles", () => {
    expect(distance(10, km)).toBe("10.0");
    expect(distance(KM_PER_MI * 26.2, mi)).toBe("26.2");
    expect(distance(null, mi)).toBe("–");
  });
  test("pace of a speed, per km and per mile", () => {
    expect(pace(1000 / 300, km)).toBe("5:00");
    expect(pace((1000 * KM_PER_MI) / 480, mi)).toBe("8:00");
    expect(pace(0, km)).toBe("–");
  });
  test("seconds never become sixty", () => {
    // 299.6 s/km rounds to 5:00, not 4:60.
    expect(pace(1000 / 299.6, km)).toBe("5:00");
  });
  test("a kept value is turned into the shown one, a shown one is left alone", () => {
    expect(withUnit(0.2431, shown(contact, "s"), km)).toBe("243 ms");
    expect(withUnit(243.1, shown(contact, "ms"), km)).toBe("243 ms");
    expect(withUnit(null, shown(contact, "s"), km)).toBe("–");
  });
  test("units of the rule file need no catalog", () => {
    expect(withUnit(5.25, shown(undefined, "deg"), km)).toBe("5.3°");
    expect(withUnit(Math.PI / 6, shown(undefined, "rad"), km)).toBe("30.0°");
    expect(withUnit(170.2, shown(undefined, "steps/min"), km)).toBe("170 spm");
  });
});

describe("times", () => {
  test("clock", () => {
    expect(clock(0)).toBe("0:00");
    expect(clock(754.9)).toBe("12:34");
    expect(clock(3661)).toBe("1:01:01");
    expect(clock(null)).toBe("–");
  });
  test("age", () => {
    expect(age(900)).toBe("1 s");
    expect(age(59_000)).toBe("59 s");
    expect(age(5 * 60_000)).toBe("5 min");
    expect(age(26 * 3_600_000)).toBe("1 d");
    expect(age(-5)).toBe("0 s");
  });
  test("a day keeps its date in every zone, and shows its year when that is another one", () => {
    const now = new Date("2026-11-25T00:30:00Z");
    expect(day("2026-11-02", km, now)).toMatch(/Mon,? 2 Nov$/);
    expect(day("2025-12-31", km, now)).toMatch(/31 Dec 2025$/);
    expect(day("yesterday", km, now)).toBe("–");
  });
});

test("evidence and dispute are two words, never one number", () => {
  expect(evidenceText("some", false)).toBe("some");
  expect(evidenceText("little", true)).toBe("little, disputed");
});

test("a clock that was only assumed near 1970 gives no date", () => {
  expect(runDay({ day: "1970-01-01", clock: "assumed" }, km)).toBe("Undated");
  expect(runDay({ day: "2026-11-02", clock: "assumed" }, km)).toMatch(/2 Nov/);
});
