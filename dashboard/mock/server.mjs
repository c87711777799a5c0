// Dev only: serves dist and a made-up API after the contract, with the real server's content security policy. Nothing is kept.
// node mock/server.mjs [port]    LOPE_MOCK_ROLE=owner|runner|coach|therapist|share    LOPE_MOCK_SLOW=ms
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { ATHLETES, athleteOf, coverage, curves, explain, gapsOf, METRICS, publicItem, raw, RULES, said, series, SESSIONS, sessionOf, shoesOf, strides, TODAY, verdicts } from "./data.mjs";
import { ask, LIVE, stream } from "./live.mjs";
import * as view from "./views.mjs";

const dist = fileURLToPath(new URL("../dist/", import.meta.url));
const CSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'";
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml" };
const role = () => process.env.LOPE_MOCK_ROLE ?? "owner";

class Refused extends Error {
  constructor(status, code, title, detail) {
    super(title);
    Object.assign(this, { status, code, detail });
  }
}
const none = (what) => new Refused(404, `lope::${what}::none`, `There is no such ${what}.`, null);
const need = (v, what) => v ?? (() => { throw none(what); })();
const num = (v, d) => (v === null || v === undefined || v === "" ? d : Number(v));
const consents = new Map(ATHLETES.map((a) => [a.id, [{ purpose: "symptoms", recipient: "", given: true, day: "2026-09-01" }, { purpose: "coach", recipient: "", given: a.consent, day: "2026-09-01" }, { purpose: "therapist", recipient: "Mia", given: a.id === "ada", day: "2026-10-12" }]]));
const tokens = [{ prefix: "lt_7f2a", name: "Phone of Ada", role: "runner", athletes: ["ada"], groups: [], expires_us: null }, { prefix: "lt_19c0", name: "Coach Kim", role: "coach", athletes: [], groups: ["Thursday"], expires_us: 1798761600000000 }];
const shares = [];
const notes = new Map();
const item = (s) => ({ ...publicItem(s), ...(notes.has(s.id) ? { effort: notes.get(s.id).effort ?? s.effort, note: notes.get(s.id).text ?? s.note } : {}), flags: s.index < 3 ? view.flagsNow(s.athlete, role()).flags.filter((f) => ["info", "watch", "high", "stop"].includes(f.level) && f.family !== "HX").map((f) => ({ id: f.id, level: f.level })) : s.index === 5 ? [{ id: "LD1", level: "info" }] : [] });

const ROUTES = [
  ["GET", "/health", () => ({ status: "ok", version: "0.1.0", boot_id: "m1", role: role(), name: role() === "coach" ? "Kim" : "Ada", read_only: role() === "share", csrf: "mock" })],
  ["GET", "/catalog/metrics", () => ({ items: METRICS })],
  ["GET", "/catalog/rules", () => { const { banned, inputs, summary_text, ...r } = RULES; return { ...r, flags: r.flags.map(({ levels, persistence, ...f }) => f) }; }],
  ["GET", "/athletes", () => ({ items: ATHLETES.filter((a) => role() !== "runner" || a.id === "ada").map((a) => ({ id: a.id, name: a.name, groups: a.groups, last_session_us: view.runsOf(a.id)[0]?.start_us ?? null })) })],
  ["GET", "/athletes/:a", ({ a }) => ({ id: a, name: need(athleteOf(a), "athlete").name, height_m: 1.7, mass_kg: 61, leg_length_m: 0.88, birth_year: 1990, sex: "female", groups: athleteOf(a).groups, prior_lbp_episodes: 1, medical_history: null, bone_stress: null, logs_core_work: false, consents: consents.get(a) })],
  ["PATCH", "/athletes/:a", ({ a }, _q, body) => ({ id: a, ...body, consents: consents.get(a) })],
  ["DELETE", "/athletes/:a", ({ a }, _q, body) => { if (body?.confirm !== a) throw new Refused(422, "lope::forget::confirm", "The id typed is not this athlete's.", null); return { sessions: 0, strides: 0, raw_files: 0, entries: 0, not_reachable: ["2 exports you made"] }; }],
  ["GET", "/sessions", (_p, q) => {
    const all = SESSIONS.filter((s) => (!q.athlete || s.athlete === q.athlete) && (!q.from || s.day >= q.from) && (!q.to || s.day <= q.to));
    const at = num(q.cursor, 0);
    const limit = num(q.limit, 50);
    return { items: all.slice(at, at + limit).map(item), next_cursor: at + limit < all.length ? String(at + limit) : null };
  }],
  ["GET", "/sessions/:s", ({ s: id }) => {
    const s = need(sessionOf(id), "session");
    const side = (m) => (METRICS.find((d) => d.name === m)?.per_side ? ["left", "right"] : ["both"]);
    return {
      ...item(s), analysis: 1, pipeline_version: "0.1.0", summary: ["speed", "cadence", "stride_length", "contact_time", "flight_time", "pelvis_drop", "pelvis_tilt", "pelvis_tilt_range", "overstride_distance", "foot_strike_angle", "sacral_peak_acc", "ml_rms_ratio", "pelvis_oscillation"].flatMap((m) => side(m).map((sd) => { const v = view.runMedian(s, m, sd); return v === null ? null : { metric: m, side: sd, n: Math.round(s.strides / 2), median: v, mad: Math.abs(v) * 0.02, mean: v, p10: v * 0.97, p90: v * 1.03 }; })).filter(Boolean),
      run_values: { speed_ms: s.speed_ms, level_windows: 31, eligible: !s.left_out && s.data !== "poor", why_not: s.left_out ? ["The shoe sensors looked exchanged."] : s.data === "poor" ? ["Fewer than 10 level, steady windows."] : [], metrics: {}, drift: null, distance_km: s.distance_km, minutes: s.duration_s / 60, data: s.data, absent: s.sensors.length < 3 ? { foot_ahead_cm: "no foot sensor was worn" } : {} },
      coverage: coverage(s), events: [{ t_s: 2, kind: "calibrated", placement: null, text: "Stood still 5.0 s: tilt zeroed", body: {} }, ...(s.special === "swapped" ? [{ t_s: 9, kind: "sides_swapped", placement: "left_foot", text: "Left and right shoe sensors look exchanged", body: {} }] : []), ...[1, 2, 3].map((i) => ({ t_s: Math.round((s.duration_s * i) / 4), kind: "marker", placement: null, text: "lap", body: {} })), ...(s.index === 0 ? [{ t_s: Math.round(s.duration_s * 0.7), kind: "marker", placement: null, text: "pain 2", body: {} }] : [])],
      note_entry: notes.get(id) ?? null, outcomes: s.sensors.map(({ placement }, i) => ({ placement, clock_ppm: 11.4 - i * 9, clock_residual_us: 420 + i * 90, calibration: { kind: "standing", seconds: 5 } })),
    };
  }],
  ["PATCH", "/sessions/:s", ({ s }, _q, body) => { notes.set(s, { ...notes.get(s), ...body }); return { id: s, kind: "session_note", ...notes.get(s) }; }],
  ["GET", "/sessions/:s/series", ({ s }, q) => { const x = need(sessionOf(s), "session"); return series(x, (q.metrics ?? "").split(",").filter(Boolean), q.side ?? "both", num(q.from_s, 0), num(q.to_s, x.duration_s), num(q.buckets, 400)); }],
  ["GET", "/sessions/:s/strides", ({ s }, q) => { const x = need(sessionOf(s), "session"); return strides(x, { from: num(q.from_s, 0), to: num(q.to_s, x.duration_s), side: q.side === "both" ? null : q.side, limit: num(q.limit, 50), cursor: q.cursor, select: q.select }); }],
  ["GET", "/sessions/:s/strides/:i/explain", ({ s, i }) => explain(need(sessionOf(s), "session"), Number(i))],
  ["GET", "/sessions/:s/curves", ({ s }, q) => { const x = need(sessionOf(s), "session"); return curves(x, num(q.from_s, 0), num(q.to_s, x.duration_s)); }],
  ["GET", "/sessions/:s/strides/:i/verdict", ({ s, i }) => said(need(sessionOf(s), "session"), Number(i))],
  ["PUT", "/sessions/:s/strides/:i/verdict", ({ s, i }, _q, body) => { if (role() === "share") throw new Refused(403, "lope::access::write", "This link may only read.", null); const key = `${need(sessionOf(s), "session").id}/${Number(i)}`; verdicts.set(key, [...(verdicts.get(key) ?? []), { bad: body.bad, by: role() === "coach" ? "Kim" : "Ada", role: role(), said_us: Date.parse(`${TODAY}T17:20:00Z`) * 1000, note: body.note ?? null }]); return said(sessionOf(s), Number(i)); }],
  ["GET", "/sessions/:s/raw", ({ s }, q) => { if (role() === "coach") throw new Refused(403, "lope::access::raw", "Raw samples are not shared with you.", "Whoever the data are about decides: Settings, Consents."); return raw(need(sessionOf(s), "session"), num(q.from_s, 0), Math.min(num(q.from_s, 0) + 10, num(q.to_s, 2))); }],
  ["GET", "/sessions/:s/card", ({ s }) => { const x = need(sessionOf(s), "session"); return { ...view.card(x), session: item(x) }; }],
  ["POST", "/sessions/:s/events", () => ({})],
  ["GET", "/journal", (_p, q) => ({ items: [...view.journal.values()].filter((e) => e.athlete === q.athlete && (!q.kinds || q.kinds.split(",").includes(e.kind))).sort((a, b) => b.at_us - a.at_us) })],
  ["PUT", "/journal/:a/:id", ({ a, id }, _q, body) => { if (role() === "share") throw new Refused(403, "lope::access::write", "This link may only read.", null); const key = `${a}/${id}`; const put = view.journal.has(key) ? "corrected" : "new"; view.journal.set(key, { id, athlete: a, ...body }); if (body.kind === "consent") consents.set(a, [...consents.get(a).filter((c) => c.purpose !== body.purpose || c.recipient !== body.recipient), { purpose: body.purpose, recipient: body.recipient, given: body.given, day: body.day }]); return { put }; }],
  ["DELETE", "/journal/:a/:id", ({ a, id }) => void view.journal.delete(`${a}/${id}`)],
  ["GET", "/shoes", (_p, q) => ({ items: shoesOf(q.athlete) })],
  ["GET", "/trends", (_p, q) => view.trend(need(athleteOf(q.athlete), "athlete").id, q.metric ?? "cadence", num(q.weeks, 8), q.speed_ms ? Number(q.speed_ms) : null, q.part ?? "all")],
  ["GET", "/flags", (_p, q) => view.flagsNow(need(athleteOf(q.athlete), "athlete").id, role())],
  ["GET", "/flags/history", (_p, q) => view.history(q.athlete)],
  ["GET", "/flags/:id", ({ id }, q) => need(view.flagDetail(need(athleteOf(q.athlete), "athlete").id, id, role()), "flag")],
  ["POST", "/flags/:id/actions", ({ id }, _q, body) => { view.actions.push({ athlete: body.athlete, flag: id, actor: role() === "coach" ? "Kim" : "Ada", action: body.action, note: body.note ?? null, day: TODAY }); return {}; }],
  ["GET", "/inbox", (_p, q) => { if (role() === "runner") throw new Refused(403, "lope::access::inbox", "The inbox is for coaches and therapists.", null); return { items: view.inbox(role(), q.group) }; }],
  ["GET", "/squad", (_p, q) => { if (role() === "runner") throw new Refused(403, "lope::access::squad", "The roster is for coaches and therapists.", null); return { items: view.squad(role(), q.group) }; }],
  ["GET", "/compare", (_p, q) => view.compare(need(athleteOf(q.athlete), "athlete").id, q.a ?? "", q.b ?? "")],
  ["GET", "/load", (_p, q) => view.load(need(athleteOf(q.athlete), "athlete").id, num(q.weeks, 8))],
  ["GET", "/live", () => ({ items: LIVE })],
  ["POST", "/live/:s/events", ({ s }, _q, body) => { const [status, answer] = ask(s, body); if (status >= 400) throw new Refused(status, answer.code, answer.detail, null); return answer; }],
  ["GET", "/sensors", () => ({ kits: [{ name: "thursday", sensors: [{ place: "left_foot", name: "pod-4F21", kind: "lope pod", firmware: "1.2.0", battery: 82, last_seen_us: Date.now() * 1000 - 6e7 }, { place: "right_foot", name: "pod-4F30", kind: "lope pod", firmware: "1.2.0", battery: 31, last_seen_us: Date.now() * 1000 - 6e7 }, { place: "sacrum", name: "pod-1C07", kind: "lope pod", firmware: "1.1.4", battery: 77, last_seen_us: null }] }] })],
  ["GET", "/doctor", () => ({ checks: [{ state: "ok", what: "record", text: "1.2 GB, integrity ok", try: null }, { state: "warn", what: "bluetooth", text: "The adapter is Bluetooth 4.0: 3 sensors may drop.", try: "one that is 5.0 or newer" }, { state: "fail", what: "sink club", text: "HTTP 401: token refused.", try: "put a new one in ~/.config/lope/influx.token" }] })],
  ["GET", "/tokens", () => ({ items: tokens })],
  ["POST", "/tokens", (_p, _q, body) => { const t = { prefix: `lt_${(tokens.length * 7919).toString(16)}`, ...body }; tokens.push(t); return { ...t, token: `${t.prefix}_made_up_secret_shown_once` }; }],
  ["DELETE", "/tokens/:p", ({ p }) => void tokens.splice(tokens.findIndex((t) => t.prefix === p), 1)],
  ["GET", "/shares", () => ({ items: shares })],
  ["POST", "/shares", (_p, _q, body) => { const s = { prefix: `sh${shares.length}`, ...body }; shares.push(s); return { url: `/share/sh${shares.length}`, prefix: s.prefix, expires_us: s.expires_us }; }],
  ["DELETE", "/shares/:p", ({ p }) => void shares.splice(shares.findIndex((t) => t.prefix === p), 1)],
  ["GET", "/access-log", () => ({ items: [{ at_us: Date.now() * 1000 - 4e9, actor: "Coach Kim", role: "coach", action: "read trends" }, { at_us: Date.now() * 1000 - 9e10, actor: "Mia", role: "therapist", action: "read report" }] })],
  ["POST", "/login", () => ({ csrf: "mock" })],
];

function find(method, path) {
  for (const [m, pattern, f] of ROUTES) {
    if (m !== method) continue;
    const names = [];
    const re = new RegExp(`^${pattern.replace(/:(\w+)/g, (_, k) => { names.push(k); return "([^/]+)"; })}$`);
    const hit = re.exec(path);
    if (hit) return [f, Object.fromEntries(names.map((k, i) => [k, decodeURIComponent(hit[i + 1])]))];
  }
  return null;
}

const problem = (res, status, title, code, detail) => {
  res.writeHead(status, { "Content-Type": "application/problem+json" });
  res.end(JSON.stringify({ type: "about:blank", title, status, code, detail, facts: [] }));
};

async function api(req, res, url) {
  const path = url.pathname.slice("/api/v1".length);
  const live = /^\/live\/([^/]+)$/.exec(path);
  if (live && req.method === "GET") {
    if (live[1] !== "squad" && !LIVE.some((l) => l.session === live[1])) return problem(res, 404, "There is no such session running.", "lope::live::none", null);
    return stream(live[1], req, res);
  }
  let body;
  if (req.method !== "GET") {
    const parts = [];
    for await (const p of req) parts.push(p);
    if (req.headers["x-lope-csrf"] !== "mock" && path !== "/login") return problem(res, 403, "The request does not come from a page of lope.", "lope::access::csrf", null);
    const text = Buffer.concat(parts).toString();
    body = text ? JSON.parse(text) : undefined;
  }
  const hit = find(req.method, path);
  if (!hit) return problem(res, 404, "There is no such address.", "lope::api::none", path);
  if (process.env.LOPE_MOCK_SLOW) await new Promise((f) => setTimeout(f, Number(process.env.LOPE_MOCK_SLOW)));
  try {
    const out = hit[0](hit[1], Object.fromEntries(url.searchParams), body);
    if (out === undefined) return res.writeHead(204).end();
    res.writeHead(req.method === "POST" ? 201 : 200, { "Content-Type": "application/json", "Cache-Control": "no-store" });
    res.end(JSON.stringify(out));
  } catch (e) {
    if (!(e instanceof Refused)) console.error(req.method, url.href, e);
    problem(res, e.status ?? 500, e.message, e.code ?? "lope::api::internal", e.detail ?? null);
  }
}

async function file(res, path) {
  const safe = normalize(path).replace(/^([./\\])+/, "");
  const name = extname(safe) ? safe : "index.html";
  try {
    const bytes = await readFile(join(dist, name));
    res.writeHead(200, { "Content-Type": TYPES[extname(name)] ?? "application/octet-stream", "Content-Security-Policy": CSP, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store" });
    res.end(bytes);
  } catch {
    res.writeHead(404, { "Content-Type": "text/plain" });
    res.end(name === "index.html" ? "not built: npm run build" : "none");
  }
}

export const server = createServer((req, res) => {
  const url = new URL(req.url, "http://localhost");
  const done = url.pathname.startsWith("/api/v1/") ? api(req, res, url) : file(res, url.pathname);
  done?.catch?.((e) => {
    console.error(e);
    res.destroy();
  });
});

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const port = Number(process.argv[2] ?? 8790);
  server.listen(port, "127.0.0.1", () => console.log(`fake lope on http://127.0.0.1:${port}`));
}
void gapsOf;
