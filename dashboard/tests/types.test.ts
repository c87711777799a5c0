// The comparison of types with the OpenAPI document must find what differs, and only that.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { compare, interfacesOf } from "../types.mjs";

const SOURCE = `
/** A run. */
export interface SessionItem { id: string; strides: number; shoe?: Maybe<string>; flags: FlagMark[]; state: "open" | "closed"; inner: { a: number; b: string } }
export interface SessionFull extends SessionItem { summary: SummaryRow[] }
`;
const schema = (properties: object): object => ({ type: "object", properties });
const right = { id: { type: "string" }, strides: { type: "integer" }, shoe: { type: ["string", "null"] }, flags: { type: "array" }, state: { type: "string" }, inner: { type: "object" } };
const doc = (item: object, full: object = {}): object => ({ components: { schemas: { SessionItem: schema(item), SessionFull: { allOf: [{ $ref: "#/components/schemas/SessionItem" }, schema(full)] } } } });

test("fields, kinds and what may be absent are read from the source", () => {
  const f = interfacesOf(SOURCE).get("SessionItem")?.fields;
  expect([...(f?.keys() ?? [])]).toEqual(["id", "strides", "shoe", "flags", "state", "inner"]);
  expect(f?.get("shoe")).toEqual({ kind: "string", optional: true });
  expect(f?.get("flags")?.kind).toBe("array");
  expect(f?.get("inner")?.kind).toBe("other");
});
test("what fits, fits; what is more is told", () => {
  const out = compare(SOURCE, doc({ ...right, extra: { type: "string" } }, { summary: { type: "array" } }));
  expect(out.wrong).toEqual([]);
  expect(out.compared).toBe(2);
  expect(out.unread).toContain("SessionItem.extra");
});
test("a missing field, another kind, a null that is not expected", () => {
  const { strides: _, ...less } = right;
  expect(compare(SOURCE, doc(less, { summary: { type: "array" } })).wrong.join()).toContain("SessionItem.strides is read");
  expect(compare(SOURCE, doc({ ...right, id: { type: "integer" } }, { summary: { type: "array" } })).wrong.join()).toContain("SessionItem.id is read as string");
  expect(compare(SOURCE, doc({ ...right, strides: { type: ["integer", "null"] } }, { summary: { type: "array" } })).wrong.join()).toContain("may be null");
});
test("the real source is understood", () => {
  const all = interfacesOf(readFileSync(new URL("../src/api.ts", import.meta.url), "utf8"));
  expect(all.size).toBeGreaterThan(50);
  expect(all.get("Card")?.fields.has("within_run")).toBe(true);
});
