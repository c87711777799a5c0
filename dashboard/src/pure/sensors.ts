/** What a run can still measure when sensors are not heard. */
import { placeName } from "./format";

interface Heard { placement: string; state: string }

/** One sentence when a sensor is lost: which, and what remains. Undefined while all are heard. */
export function lostSentence(sensors: readonly Heard[]): string | undefined {
  const lost = sensors.filter((s) => s.state === "lost");
  if (lost.length === 0) return undefined;
  const heard = (placement: string): boolean => sensors.some((s) => s.placement === placement && s.state !== "lost" && s.state !== "connecting");
  const left = heard("left_foot");
  const right = heard("right_foot");
  const sacrum = heard("sacrum");
  const remains: string[] = [];
  if (left || right || sacrum || heard("left_shank") || heard("right_shank")) remains.push("cadence");
  if (left || right) remains.push("speed and step length");
  if (left && right) remains.push("contact of both feet");
  else if (left || right) remains.push(`contact of the ${left ? "left" : "right"} foot`);
  if (sacrum) remains.push("pelvic tilt");
  // Which foot stands is told by a shoe; without one the side of a drop is a guess.
  if (sacrum && (left || right)) remains.push("pelvic drop");
  const who = `${lost.map((s, i) => (i === 0 ? placeName(s.placement) : placeName(s.placement).toLowerCase())).join(" and ")} not heard`;
  return remains.length === 0 ? `${who}: nothing can be measured now.` : `${who}: ${listed(remains)} remain${remains.length === 1 ? "s" : ""}.`;
}

const listed = (words: readonly string[]): string => (words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`);
