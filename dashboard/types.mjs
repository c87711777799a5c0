// Compares the hand-written types of src/api.ts with the OpenAPI document: every field the dashboard reads must be sent, with
// the kind it expects. Fields that are sent and not read are only listed. `node types.mjs [openapi.json]`; without the document
// (docs/reference/openapi.json) it says so and ends well, unless LOPE_REQUIRE_ALL=1.
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Interface here → schema there, where the names differ. */
const NAMES = {
  MetricDef: "MetricItem", Rules: "RulesItem", Tick: "TickItem", Question: "QuestionItem", Cite: ["CiteShown", "CiteItem"], Evidence: "EvidenceItem",
  Athlete: "AthleteFull", Consent: "ConsentItem", SummaryRow: "SummaryItem", SessionEvent: "EventItem", Gap: "GapItem", Stride: "StrideItem",
  Shoe: "ShoeItem", Token: "TokenItem", Share: "ShareItem", Access: "AccessItem", FlagAction: "ActionDone", ConditionInput: "InputItem",
  Condition: "ConditionItem", Vote: "VoteItem", DoctorCheck: "MachineCheck", SensorKit: "KitItem", CycleCurve: "PelvisCycle", MeanCurve: "PlaneCurve",
  CompareCurves: "PelvisCurve", FlagMark: ["RowFlag", "FlagLevel"], Entry: "FlatEntry",
};
/** Not in the document: frames of the live stream, problems' optional fields, helpers. */
const APART = new Set(["Listing", "LiveHello", "LiveWindow", "LiveStride", "LiveHealth", "LiveCue", "SensorHealth", "Band", "SessionNote"]);
/** Flattened on the server, where the document says "any". */
const LOOSE = new Set(["Athlete", "Entry"]);

/** Interfaces of a source text: name, what it extends, fields with kind and whether they may be absent. */
export function interfacesOf(source) {
  const text = source.replace(/\/\*[\s\S]*?\*\//g, "").replace(/\/\/.*$/gm, "");
  const out = new Map();
  const head = /export interface (\w+)(?:<\w+>)?(?: extends (\w+))? \{/g;
  for (let m = head.exec(text); m; m = head.exec(text)) {
    let depth = 1;
    let at = head.lastIndex;
    while (depth > 0) depth += { "{": 1, "}": -1 }[text[at++]] ?? 0;
    const fields = new Map();
    for (const part of split(text.slice(head.lastIndex, at - 1))) {
      const f = /^\s*(\w+)(\?)?:\s*([\s\S]+)$/.exec(part);
      if (f) fields.set(f[1], { kind: kindOf(f[3].trim()), optional: Boolean(f[2]) || /^Maybe</.test(f[3].trim()) });
    }
    out.set(m[1], { base: m[2], fields });
  }
  return out;
}

/** Parts between semicolons that lie at the outermost level. */
function split(body) {
  const out = [""];
  let depth = 0;
  for (const c of body) {
    depth += "{(<[".includes(c) ? 1 : "})>]".includes(c) ? -1 : 0;
    if (c === ";" && depth === 0) out.push("");
    else out[out.length - 1] += c;
  }
  return out;
}

const STRINGS = new Set(["string", "Data", "Level", "Role", "Side", "SeriesSide", "EvidenceWord"]);
function kindOf(type) {
  const t = type.replace(/^Maybe<([\s\S]*)>$/, "$1").trim();
  if (t.endsWith("[]") || /^\[/.test(t)) return "array";
  if (STRINGS.has(t) || /^"/.test(t)) return "string";
  if (t === "number" || t === "boolean") return t;
  return "other";
}

/** The kinds a schema allows. */
function kindsOf(schema, all) {
  if (!schema || Object.keys(schema).length === 0) return new Set(["any"]);
  if (schema.$ref) return kindsOf(all[schema.$ref.split("/").pop()], all);
  const many = schema.oneOf ?? schema.anyOf ?? schema.allOf;
  if (many) return new Set(many.flatMap((s) => [...kindsOf(s, all)]));
  return new Set([schema.type ?? "any"].flat().map((t) => (t === "integer" ? "number" : t)));
}

/** All fields of a schema, also of those it is made of. */
function fieldsOf(schema, all) {
  if (!schema) return {};
  if (schema.$ref) return fieldsOf(all[schema.$ref.split("/").pop()], all);
  return Object.assign({}, ...(schema.allOf ?? []).map((s) => fieldsOf(s, all)), schema.properties ?? {});
}

/** What does not fit; and what is sent but not read. */
export function compare(source, document) {
  const ours = interfacesOf(source);
  const all = document.components?.schemas ?? {};
  const wrong = [];
  const unread = [];
  let compared = 0;
  for (const [name, { base, fields }] of ours) {
    if (APART.has(name)) continue;
    const whole = new Map([...(base && ours.get(base) ? ours.get(base).fields : []), ...fields]);
    const theirs = [NAMES[name] ?? name].flat().filter((n) => all[n]);
    if (theirs.length === 0) continue;
    for (const their of theirs) {
      compared++;
      const sent = fieldsOf(all[their], all);
      for (const [field, { kind, optional }] of whole) {
        if (!(field in sent)) {
          if (!optional && !LOOSE.has(name)) wrong.push(`${name}.${field} is read, ${their} does not send it`);
          continue;
        }
        const kinds = kindsOf(sent[field], all);
        if (kind !== "other" && !kinds.has("any") && !kinds.has(kind)) wrong.push(`${name}.${field} is read as ${kind}, ${their} sends ${[...kinds].join(" or ")}`);
        if (kinds.has("null") && !optional) wrong.push(`${name}.${field} may be null in ${their}; here it may not`);
      }
      for (const field of Object.keys(sent)) if (!whole.has(field)) unread.push(`${their}.${field}`);
    }
  }
  return { wrong, unread, compared };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const path = process.argv[2] ?? fileURLToPath(new URL("../docs/reference/openapi.json", import.meta.url));
  if (!existsSync(path)) {
    console.log("skipped: docs/reference/openapi.json is not there");
    process.exit(process.env.LOPE_REQUIRE_ALL === "1" ? 1 : 0);
  }
  const { wrong, unread, compared } = compare(readFileSync(new URL("./src/api.ts", import.meta.url), "utf8"), JSON.parse(readFileSync(path, "utf8")));
  if (unread.length) console.log(`sent, not read: ${unread.join(", ")}`);
  for (const w of wrong) console.error(`  ${w}`);
  console.log(`${compared} schemas compared, ${wrong.length} do not fit`);
  // A check that compares nothing must not pass.
  if (wrong.length || compared < 20) process.exit(1);
}
