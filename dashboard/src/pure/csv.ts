/** Tables as CSV (RFC 4180) that no spreadsheet runs as formulas. */

export type Cell = string | number | null | undefined;

/** One cell. Words that begin like a formula get an apostrophe; numbers keep full precision. */
export function csvCell(cell: Cell): string {
  if (cell === null || cell === undefined) return "";
  if (typeof cell === "number") return Number.isFinite(cell) ? String(cell) : "";
  const safe = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
}

export const toCsv = (head: readonly string[], rows: readonly (readonly Cell[])[]): string => [head, ...rows].map((r) => r.map(csvCell).join(",")).join("\r\n") + "\r\n";
