/** Orders and groups of flags that several screens share. */
import type { FlagItem, Level } from "../api";
import { LEVEL_RANK } from "./format";

/** Worst first; within a level by id. */
export const byLevel = (a: { level: Level; id: string }, b: { level: Level; id: string }): number => LEVEL_RANK[b.level] - LEVEL_RANK[a.level] || a.id.localeCompare(b.id);

export type Bucket = "raised" | "clear" | "unknown" | "hidden";
/** Where a flag stands in the list: raised, looked at and clear, not enough data, or not shared with this reader. */
export const bucket = (f: Pick<FlagItem, "level" | "hidden">): Bucket => (f.hidden ? "hidden" : f.level === "none" ? "clear" : f.level === "not_enough_data" ? "unknown" : "raised");

/** The texts of the safety row, picked by the most urgent tick; undefined when no tick has a text of its own. */
export function safetyUnder(ticks: readonly { id: string; shown_under: string }[], chosen: readonly string[]): "emergency" | "urgent" | "before next run" | undefined {
  const under = new Set(ticks.filter((t) => chosen.includes(t.id)).map((t) => t.shown_under.replace(/_/g, " ")));
  // Two ticks that have a text only together (SY6).
  if (chosen.includes("focal_one_side") && chosen.includes("pain_on_impact")) under.add("before next run");
  return (["emergency", "urgent", "before next run"] as const).find((u) => under.has(u));
}
