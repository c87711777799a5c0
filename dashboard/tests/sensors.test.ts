// One sentence says which sensor is lost and what remains.
import { expect, test } from "vitest";
import { lostSentence } from "../src/pure/sensors";

const worn = (...lost: string[]): { placement: string; state: string }[] => ["left_foot", "right_foot", "sacrum"].map((placement) => ({ placement, state: lost.includes(placement) ? "lost" : "ok" }));

test("nothing is said while all are heard", () => {
  expect(lostSentence(worn())).toBeUndefined();
  expect(lostSentence([])).toBeUndefined();
});
test("what remains is what can be measured without it", () => {
  expect(lostSentence(worn("right_foot"))).toBe("Right shoe not heard: cadence, speed and step length, contact of the left foot, pelvic tilt and pelvic drop remain.");
  expect(lostSentence(worn("left_foot", "right_foot"))).toBe("Left shoe and right shoe not heard: cadence and pelvic tilt remain.");
  expect(lostSentence(worn("sacrum"))).toContain("contact of both feet remain.");
  expect(lostSentence(worn("left_foot", "right_foot", "sacrum"))).toContain("nothing can be measured now");
});
