// Dev only. The catalogs of the fake API, read from the same sources as the real one: the metric registry and the rule file.
import { readFileSync } from "node:fs";

const project = new URL("../../", import.meta.url);
const text = (path) => readFileSync(new URL(path, project), "utf8");
const DEG = 180 / Math.PI;
const factor = (t) => (t === "DEG" ? DEG : t.includes("/") ? Number(t.split("/")[0]) / Number(t.split("/")[1]) : Number(t));
const DECIMALS = { "°": 1, ms: 0, m: 2, "m/s": 2, "steps/min": 0, "%": 1, cm: 1, g: 2, "kN/m": 1, N: 0, dB: 1, s: 3, "1": 2, "m/s²": 1 };
const PER_SIDE = /^(contact|flight|step_time|pelvis_drop|foot_|stride_length|toe|overstride|tibial|shank|touchdown|duty)/;

export function metricCatalog() {
  const source = text("src/metrics/registry.rs");
  const re = /^ {4}\w+ \{ "(\w+)", "([^"]+)", "([^"]+)", "([^"]+)", ([^,]+), span: "([^"]+)",\s+sign: "([^"]*)",\s+is: "([^"]+)", is_not: "([^"]+)", source: "([^"]+)" \}/gm;
  return [...source.matchAll(re)].map(([, name, title, unit, shown_unit, f, interval, , is, not_it, src]) => ({
    name, title, unit, shown_unit, shown_factor: factor(f.trim()), shown_decimals: DECIMALS[shown_unit] ?? 2, doc: is, not_it, source: src, per_side: PER_SIDE.test(name), interval,
  }));
}

const str = (block, key) => block.match(new RegExp(`^${key} = "((?:[^"\\\\]|\\\\.)*)"`, "m"))?.[1] ?? null;
const list = (block, key) => [...(block.match(new RegExp(`^${key} = \\[([^\\]]*)\\]`, "m"))?.[1] ?? "").matchAll(/"([^"]+)"/g)].map((m) => m[1]);
const inline = (line, key) => line.match(new RegExp(`${key} = "((?:[^"\\\\]|\\\\.)*)"`))?.[1] ?? null;
const WORD = { A: "strong", B: "some", C: "little" };

export function ruleCatalog() {
  const all = text("src/risk/rules.toml");
  const section = (name) => all.slice(all.indexOf(`\n[${name}]\n`) + name.length + 4).split(/\n\[/)[0].split("\n").filter((l) => /^\w+ = \{/.test(l));
  const actions = Object.fromEntries(section("action").map((l) => [l.split(" ")[0], inline(l, "line")]));
  const cites = Object.fromEntries(section("cite").map((l) => {
    const year = l.match(/year = (\d+)/)?.[1];
    const doi = inline(l, "doi");
    return [l.split(" ")[0], { key: l.split(" ")[0], text: `${inline(l, "authors")}${year ? ` (${year})` : ""}. ${inline(l, "journal")}. ${inline(l, "finding")}.`, basis: inline(l, "basis"), url: doi ? `https://doi.org/${doi}` : null }];
  }));
  const flags = all.split("\n[[flag]]\n").slice(1).map((block) => {
    const strength = inline(block.match(/^evidence = .*$/m)?.[0] ?? "", "strength") ?? "C";
    const disputed = /contested = true/.test(block);
    const levels = Object.fromEntries(["info", "watch", "high", "stop"].map((k) => {
      const raw = block.match(new RegExp(`^${k} = (\\[.*\\])$`, "m"))?.[1] ?? "[]";
      return [k, [...raw.matchAll(/\[(\{[^\]]*)\]/g)].map((m) => [...m[1].matchAll(/x = "(\w+)", op = "([^"]+)", v = (-?[\d.]+)/g)].map(([, x, op, v]) => ({ x, op, v: Number(v) })))];
    }));
    return {
      id: str(block, "id"), slug: str(block, "slug"), family: str(block, "family"), title: str(block, "slug").replace(/_/g, " ").replace(/^./, (c) => c.toUpperCase()),
      evidence: { strength, outcome: inline(block.match(/^evidence = .*$/m)?.[0] ?? "", "outcome"), contested: disputed, word: WORD[strength], disputed },
      message: str(block, "message"), message_info: str(block, "message_info"), high_line: str(block, "high_line"),
      remedies: list(block, "actions").map((a) => actions[a]).filter(Boolean), cites: list(block, "cites").map((c) => cites[c]).filter(Boolean), levels, persistence: str(block, "persistence"),
    };
  });
  const inputs = Object.fromEntries(section("input").map((l) => [l.split(" ")[0], { unit: inline(l, "unit"), text: inline(l, "text") }]));
  const banned = [...all.match(/banned_messages = \[([^\]]*)\]/)[1].matchAll(/"([^"]+)"/g)].map((m) => m[1]);
  return {
    version: str(all, "version"), label: str(all, "ui_label"), subtitle: str(all, "ui_subtitle"), footer: str(all, "footer"), purpose: str(all, "intended_purpose"), first_time_line: str(all, "first_time_line"), flags, inputs, banned,
    questions: section("question").map((l) => ({ id: l.split(" ")[0], when: inline(l, "when"), text: inline(l, "text"), answer: inline(l, "answer") })),
    ticks: section("tick").map((l) => ({ id: l.split(" ")[0], shown_under: (inline(l, "show") ?? "none").replace(/_/g, " "), text: inline(l, "text"), note: inline(l, "note") })),
    families: [["LD", "Load and recovery"], ["FS", "Form, side view"], ["FF", "Form, front view"], ["IG", "Impact and gear"], ["CP", "Capacity and preparation"], ["SY", "Symptoms"], ["HX", "History"]].map(([id, title]) => ({ id, title })),
    emergency_text: "Get help now: call your emergency number.", urgent_text: "Ask for an urgent appointment.", before_next_run_text: "Have it looked at before you run again.",
    summary_text: Object.fromEntries(["stop", "high", "watch", "info", "none", "not_enough_data"].map((k) => [k, str(all.slice(all.indexOf("[summary.text]")), k)])),
  };
}
