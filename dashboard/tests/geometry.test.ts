// Shapes from numbers: gaps must stay gaps, bands must cover what they say.
import { describe, expect, test } from "vitest";
import { absentSpans, against, bandPath, brokenPath, extent, histogram, median, mergeSpans, nearest, scale, stepDecimals, ticks } from "../src/pure/geometry";

const id = scale([0, 100], [0, 100]);

describe("lines", () => {
  test("an absent value breaks the line in two", () => {
    expect(brokenPath([0, 1, 2, 3, 4], [5, 5, null, 6, 6], id, id)).toBe("M0 5L1 5M3 6L4 6");
  });
  test("so do NaN and a step in time that is too wide", () => {
    expect(brokenPath([0, 1, 2], [1, Number.NaN, 1], id, id)).toBe("M0 1M2 1");
    expect(brokenPath([0, 1, 9], [1, 1, 1], id, id, 5)).toBe("M0 1L1 1M9 1");
  });
  test("no value, no line", () => {
    expect(brokenPath([0, 1], [null, undefined], id, id)).toBe("");
  });
  test("a band goes out above and comes back below", () => {
    expect(bandPath([0, 10], [1, 2], [5, 6], id, id)).toBe("M0 5L10 6L10 2L0 1Z");
    expect(bandPath([], [], [], id, id)).toBe("");
  });
});

describe("hatched spans", () => {
  test("touching and overlapping ones are one", () => {
    expect(mergeSpans([{ from: 5, to: 8 }, { from: 0, to: 2 }, { from: 2, to: 3 }, { from: 7, to: 9 }])).toEqual([{ from: 0, to: 3 }, { from: 5, to: 9 }]);
  });
  test("cut to what is shown, empty ones dropped", () => {
    expect(mergeSpans([{ from: -5, to: 1 }, { from: 4, to: 4 }, { from: 90, to: 200 }], { from: 0, to: 100 })).toEqual([{ from: 0, to: 1 }, { from: 90, to: 100 }]);
  });
  test("absent buckets cover their whole width", () => {
    expect(absentSpans([0, 5, 10, 15], [1, null, null, 2], 5)).toEqual([{ from: 5, to: 15 }]);
    expect(absentSpans([0, 5], [0, 0], 5)).toEqual([]);
  });
  test("the input is not changed", () => {
    const spans = [{ from: 0, to: 2 }, { from: 1, to: 3 }];
    mergeSpans(spans);
    expect(spans).toEqual([{ from: 0, to: 2 }, { from: 1, to: 3 }]);
  });
});

describe("axes", () => {
  test("ticks are round and inside", () => {
    expect(ticks([0, 10], 5)).toEqual([0, 2, 4, 6, 8, 10]);
    expect(ticks([161.3, 178.2], 4)).toEqual([165, 170, 175]);
    expect(ticks([-0.03, 0.12], 3)).toEqual([0, 0.05, 0.1]);
    expect(ticks([3, 3], 4)).toEqual([3]);
  });
  test("labels tell neighbouring ticks apart", () => {
    expect([5, 0.5, 0.25, 0.02, 100].map(stepDecimals)).toEqual([0, 1, 2, 2, 0]);
  });
  test("a scale without width still has one", () => {
    const s = scale([5, 5], [0, 10]);
    expect(s(5)).toBe(5);
    expect(Number.isFinite(s(6))).toBe(true);
  });
  test("extent skips what is absent", () => {
    expect(extent([3, null, undefined, Number.NaN, 1])).toEqual([1, 3]);
    expect(extent([null])).toBeUndefined();
    expect(extent([0, 10], 0.1)).toEqual([-1, 11]);
  });
});

test("median", () => {
  expect(median([])).toBeUndefined();
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
});
test("histogram keeps every value", () => {
  const h = histogram([-1, 0, 4.9, 5, 9.99, 10, 50], [0, 10], 2);
  expect(h).toEqual([3, 4]);
});
test("against a band", () => {
  expect([1, 2, 3, 4, 5].map((v) => against(v, 2, 4))).toEqual(["below", "inside", "inside", "inside", "above"]);
});
test("nearest", () => {
  expect(nearest([], 3)).toBe(-1);
  expect(nearest([0, 10, 20], 14)).toBe(1);
  expect(nearest([0, 10, 20], 16)).toBe(2);
  expect(nearest([0, 10, 20], 99)).toBe(2);
});
