// Laps and pain are marks whether they come as kinds of their own or as words of a marker.
import { expect, test } from "vitest";
import { doubtOf, markLabel } from "../src/pure/marks";

test("marks by kind and by word", () => {
  expect(markLabel({ kind: "lap", text: "Lap 3" })).toBe("lap");
  expect(markLabel({ kind: "marker", text: "lap" })).toBe("lap");
  expect(markLabel({ kind: "marker", text: "pain 4: left side" })).toBe("pain 4");
  expect(markLabel({ kind: "pain", text: "Pain 10" })).toBe("pain 10");
  expect(markLabel({ kind: "marker", text: "marker" })).toBe("marker");
  expect(markLabel({ kind: "marker", text: "protocol: first speed, as usual" })).toBe("mark");
  expect(markLabel({ kind: "marker", text: "lapland" })).toBe("lapland");
});
test("other events are no marks", () => {
  for (const kind of ["gap", "aligned", "sides_swapped", "standing"]) expect(markLabel({ kind, text: "lap" })).toBeUndefined();
});
test("doubts", () => {
  expect(doubtOf({ kind: "sides_swapped", text: "" })).toMatch(/exchanged/);
  expect(doubtOf({ kind: "sensor_moved", text: "", placement: "left_foot" })).toMatch(/left foot/);
  expect(doubtOf({ kind: "gap", text: "" })).toBeUndefined();
});
