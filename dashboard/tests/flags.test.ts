// Order and groups of flags, and which safety text stands.
import { expect, test } from "vitest";
import type { Level } from "../src/api";
import { bucket, byLevel, safetyUnder } from "../src/pure/flags";

test("worst first, then by id", () => {
  const list: { level: Level; id: string }[] = [{ level: "none", id: "A" }, { level: "watch", id: "FS2" }, { level: "not_enough_data", id: "B" }, { level: "watch", id: "FS1" }, { level: "stop", id: "SY5" }, { level: "info", id: "C" }, { level: "high", id: "D" }];
  expect(list.sort(byLevel).map((f) => f.id)).toEqual(["SY5", "D", "FS1", "FS2", "C", "B", "A"]);
});
test("not enough data is no clear state, and hidden is neither", () => {
  expect(bucket({ level: "not_enough_data", hidden: false })).toBe("unknown");
  expect(bucket({ level: "none", hidden: false })).toBe("clear");
  expect(bucket({ level: "none", hidden: true })).toBe("hidden");
  expect(bucket({ level: "info", hidden: false })).toBe("raised");
});
const ticks = [{ id: "a", shown_under: "emergency" }, { id: "u", shown_under: "urgent" }, { id: "b", shown_under: "before_next_run" }, { id: "focal_one_side", shown_under: "none" }, { id: "pain_on_impact", shown_under: "none" }];
test("the most urgent tick decides", () => {
  expect(safetyUnder(ticks, ["b", "u"])).toBe("urgent");
  expect(safetyUnder(ticks, ["u", "a", "b"])).toBe("emergency");
  expect(safetyUnder(ticks, ["b"])).toBe("before next run");
});
test("two ticks speak only together", () => {
  expect(safetyUnder(ticks, ["focal_one_side"])).toBeUndefined();
  expect(safetyUnder(ticks, ["focal_one_side", "pain_on_impact"])).toBe("before next run");
  expect(safetyUnder(ticks, [])).toBeUndefined();
});
