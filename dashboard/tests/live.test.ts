// A live run takes events in whatever way they come: replayed, late, with holes.
import { expect, test, vi } from "vitest";

vi.stubGlobal("document", { hidden: false });
const { LiveRun } = await import("../src/live");
const window_ = (t_s: number): never => ({ t_s, n: 14, data: "good" }) as never;
const stride = (t_s: number, side: "left" | "right"): never => ({ t_s, side, class: "A" }) as never;

test("replayed windows are not taken twice, old ones leave after ten minutes", () => {
  const run = new LiveRun();
  for (const t of [1, 2, 3, 2, 3, 4]) run.take("window", window_(t));
  expect(run.windows.map((w) => w.t_s)).toEqual([1, 2, 3, 4]);
  run.take("window", window_(700));
  expect(run.windows.map((w) => w.t_s)).toEqual([700]);
});
test("the last forty strides, each side by its own time", () => {
  const run = new LiveRun();
  for (let i = 0; i < 60; i++) run.take("stride", stride(i * 0.35, i % 2 ? "right" : "left"));
  expect(run.strides).toHaveLength(40);
  const n = run.strides.length;
  run.take("stride", stride(3, "left"));
  expect(run.strides).toHaveLength(n);
});
test("events once, flags by id, skipped updates add up", () => {
  const run = new LiveRun();
  run.take("event", { t_s: 5, kind: "lap", text: "Lap 1" });
  run.take("event", { t_s: 5, kind: "lap", text: "Lap 1" });
  run.take("flag", { id: "FF1", level: "info", text: "a" });
  run.take("flag", { id: "FF1", level: "watch", text: "b" });
  run.take("lag", { missed: 3 });
  run.take("lag", { missed: 4 });
  expect([run.events.length, run.flags.length, run.flags[0]?.text, run.missed]).toEqual([1, 1, "b", 7]);
  run.take("flag", { id: "FF1", level: "none", text: "" });
  expect(run.flags).toEqual([]);
});
