/** Marks on a time axis from events of a session: laps, pain, markers, however the server words them. */

/** The few words that stand beside the mark; undefined for events that are no marks. */
export function markLabel(event: { kind: string; text: string }): string | undefined {
  const text = event.text.trim();
  if (event.kind === "lap" || (event.kind === "marker" && /^lap\b/i.test(text))) return "lap";
  if (event.kind === "pain" || (event.kind === "marker" && /^pain\b/i.test(text))) return /^pain\s*\d+/i.exec(text)?.[0].toLowerCase() ?? "pain";
  if (event.kind !== "marker") return undefined;
  return text.length > 0 && text.length <= 16 ? text.toLowerCase() : "mark";
}

/** Doubts about a run that a person should know, from an event; undefined for the rest. */
export function doubtOf(event: { kind: string; text: string; placement?: string | null | undefined }): string | undefined {
  if (/swapped/.test(event.kind)) return "Left and right shoe sensors look exchanged.";
  if (/moved/.test(event.kind)) return `A sensor turned in its strap${event.placement ? ` (${event.placement.replace(/_/g, " ")})` : ""}: angles before and after do not compare.`;
  return undefined;
}
