// Walks every screen of the dashboard in a real browser, phone and desk, light and dark, and judges what it sees: no error in the
// console, no breach of the content security policy, no serious finding of axe, no sideways scrolling, targets big enough, none of
// the words that flags may not use. Then the keyboard alone, and the states that a quiet test would never meet.
//
//   node tests/browser/walk.mjs [name of a part]
//   LOPE_URL=http://127.0.0.1:8787   walk a running server; without it the fake API of dashboard/mock is started
//   LOPE_TOKEN=…                     log in with this token first
//   LOPE_CHROMIUM=/usr/bin/chromium  the browser
//   LOPE_SHOTS=folder                where the pictures go (tests/browser/shots)
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { createChecks } from "./checks.mjs";
import { keyboardPath, states } from "./journeys.mjs";
import { breaks, checkIn, narrow, pointer, roles, stopped } from "./doings.mjs";
import { sparse } from "./sparse.mjs";

const require = createRequire(new URL("../../dashboard/package.json", import.meta.url));
const { chromium } = require("playwright-core");
const axeSource = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const shots = process.env.LOPE_SHOTS ?? fileURLToPath(new URL("./shots/", import.meta.url));
mkdirSync(shots, { recursive: true });
const only = process.argv[2] ?? "";

let base = process.env.LOPE_URL?.replace(/\/$/, "");
let mock;
if (!base) {
  const { server } = await import("../../dashboard/mock/server.mjs");
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  mock = server;
  base = `http://127.0.0.1:${server.address().port}`;
}

const browser = await chromium.launch({ executablePath: process.env.LOPE_CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-dev-shm-usage", "--force-color-profile=srgb"] });
const check = createChecks({ axeSource, rules: readFileSync(new URL("../../src/risk/rules.toml", import.meta.url), "utf8") });

const api = await browser.newContext({ baseURL: base });
if (process.env.LOPE_TOKEN) await api.request.post("/api/v1/login", { data: { token: process.env.LOPE_TOKEN }, headers: { Origin: base } });
const ask = async (path) => {
  const answer = await api.request.get(`/api/v1${path}`);
  return answer.ok() ? answer.json() : null;
};

/** What there is to walk through, asked from the server, so that the same walk fits any record. */
async function survey() {
  const sessions = (await ask("/sessions?limit=100"))?.items ?? [];
  const rich = sessions.filter((s) => s.strides > 0 && s.state !== "open");
  const main = rich[0];
  const live = (await ask("/live"))?.items ?? [];
  const athlete = main?.athlete ?? sessions[0]?.athlete ?? "";
  const flags = athlete ? ((await ask(`/flags?athlete=${athlete}`))?.flags ?? []) : [];
  const raised = flags.find((f) => ["watch", "high", "info"].includes(f.level))?.id ?? flags[0]?.id;
  const unknown = flags.find((f) => f.level === "not_enough_data")?.id;
  const squad = (await ask("/squad"))?.items ?? [];
  const stride = main ? (await ask(`/sessions/${main.id}/strides?select=typical&limit=1`))?.items?.[0] : undefined;
  const odd = (f) => sessions.find(f);
  return { sessions, main, live, athlete, raised, unknown, squad, stride, stopped: squad.find((r) => r.summary === "stop")?.athlete, learner: squad.find((r) => r.summary === "not_enough_data")?.athlete, poor: odd((s) => s.data === "poor"), leftOut: odd((s) => s.left_out), empty: odd((s) => s.strides === 0), pelvisOnly: odd((s) => s.sensors?.length === 1) };
}
const what = await survey();
if (!what.main) throw new Error(`${base} has no closed session with strides to walk through`);
const A = `athlete=${what.main.athlete}`;
const from = Math.floor((what.main.duration_s ?? 600) * 0.3);
const screens = [
  ["runs", `/?${A}`],
  ["live-list", "/live"],
  what.live[0] && ["live", `/live/${what.live[0].session}?athlete=${what.live[0].athlete}`],
  ["card", `/run/${what.main.id}/card?${A}`],
  ["explorer", `/run/${what.main.id}?${A}`],
  ["explorer-stride", `/run/${what.main.id}?${A}&from=${from}&to=${from + 120}&stride=${what.stride?.idx ?? 0}${what.stride?.side ? `&side=${what.stride.side}` : ""}`],
  ["trends", `/trends?${A}`],
  ["trends-drop", `/trends?${A}&metric=pelvis_drop&part=last`],
  ["flags", `/flags?${A}`],
  what.raised && ["flag", `/flags/${what.raised}?${A}`],
  what.unknown && ["flag-unknown", `/flags/${what.unknown}?${A}`],
  ["coach", "/coach"],
  what.squad[0] && ["coach-drawer", `/coach?open=${what.squad[0].athlete}`],
  ["inbox", "/coach?tab=inbox"],
  ["coach-live", "/coach?tab=live"],
  ["compare", `/compare?${A}`],
  ["compare-laps", `/compare?${A}&a=lap:${what.main.id}:1&b=lap:${what.main.id}:2`],
  ["therapist", `/therapist?${A}`],
  ["journal", `/journal?${A}`],
  ["journal-week", `/journal?form=week&${A}`],
  ["journal-activity", `/journal?form=activity&${A}`],
  ["journal-shoes", `/journal?form=shoes&${A}`],
  ["journal-tests", `/journal?form=tests&${A}`],
  ["journal-past", `/journal?form=past&${A}`],
  ["settings", `/settings?${A}`],
  ["settings-runner", `/settings?tab=runner&${A}`],
  ["settings-consents", `/settings?tab=consents&${A}`],
  ["settings-access", `/settings?tab=access&${A}`],
  ["settings-machine", `/settings?tab=machine&${A}`],
  ["safety", "/safety"],
  ["nowhere", "/no/such/page"],
  what.stopped && ["stopped-flags", `/flags?athlete=${what.stopped}`],
  what.stopped && ["stopped-card", `/run/${what.sessions.find((s) => s.athlete === what.stopped)?.id}/card?athlete=${what.stopped}`],
  what.learner && ["learning-flags", `/flags?athlete=${what.learner}`],
  what.learner && ["learning-trends", `/trends?athlete=${what.learner}`],
  what.poor && ["low-confidence", `/run/${what.poor.id}/card?athlete=${what.poor.athlete}`],
  what.poor && ["low-confidence-explorer", `/run/${what.poor.id}?athlete=${what.poor.athlete}`],
  what.leftOut && ["swapped", `/run/${what.leftOut.id}?athlete=${what.leftOut.athlete}`],
  what.empty && ["no-strides", `/run/${what.empty.id}?athlete=${what.empty.athlete}`],
  what.pelvisOnly && ["pelvis-only", `/run/${what.pelvisOnly.id}?athlete=${what.pelvisOnly.athlete}`],
].filter(Boolean);

const forms = [];
for (const [w, h] of [[1280, 800], [360, 740]]) for (const scheme of ["light", "dark"]) forms.push({ name: `${w}-${scheme}`, viewport: { width: w, height: h }, scheme });

const parts = ["", "screens", "themes", "keyboard", "states", "doings", "roles", "narrow", "speed", "eyes", "sparse", ...forms.map((f) => f.name), ...screens.map(([n]) => n)];
if (!parts.includes(only)) throw new Error(`${only} is no part of the walk: ${parts.filter(Boolean).join(", ")}`);

let seen = 0;
async function context(form, extra = {}) {
  const c = await browser.newContext({ baseURL: base, viewport: form.viewport, colorScheme: form.scheme, locale: "en-GB", timezoneId: "Europe/Berlin", reducedMotion: "reduce", ...(form.viewport.width < 500 ? { hasTouch: true, isMobile: true, deviceScaleFactor: 2 } : {}), storageState: await api.storageState(), ...extra });
  await check.watch(c);
  return c;
}

/** A walk that sees nothing wrong must be able to: a page is spoiled on purpose, and each check has to notice. */
async function eyes() {
  const spoiled = createChecks({ axeSource, rules: readFileSync(new URL("../../src/risk/rules.toml", import.meta.url), "utf8") });
  const c = await browser.newContext({ baseURL: base, viewport: { width: 360, height: 740 }, isMobile: true, storageState: await api.storageState() });
  await spoiled.watch(c);
  const page = await c.newPage();
  await spoiled.visit(page, "/safety", "eyes");
  if (spoiled.failures.length) check.fail("eyes", `the unspoiled page: ${spoiled.failures.join("; ")}`);
  await page.evaluate(() => {
    const main = document.querySelector("main");
    const add = (tag, text, set) => { const e = document.createElement(tag); e.textContent = text; set?.(e); main.append(e); };
    add("p", "This would prevent and cure it.");
    add("button", "x", (e) => Object.assign(e.style, { minHeight: "20px", height: "20px" }));
    add("div", "wide", (e) => Object.assign(e.style, { width: "900px" }));
    add("p", "pale", (e) => Object.assign(e.style, { color: "#eee", background: "#fff" }));
    document.body.setAttribute("style", "margin: 1px");
    console.error("spoiled");
    setTimeout(() => { throw new Error("spoiled later"); });
  });
  await page.waitForTimeout(200);
  await spoiled.judge(page, "eyes", { phone: true, words: true });
  for (const expected of [/policy: style-src/, /console: spoiled/, /uncaught: spoiled later/, /scrolls sideways/, /targets under 44/, /the word "prevent"/, /axe color-contrast/]) {
    if (!spoiled.failures.some((f) => expected.test(f))) check.fail("eyes", `${expected} is not noticed`);
  }
  await c.close();
}

if (!only || only === "eyes") await eyes();
for (const form of forms) {
  if (only && !["screens", form.name].includes(only) && !screens.some(([n]) => n === only)) continue;
  const c = await context(form);
  const page = await c.newPage();
  for (const [name, path] of screens) {
    if (only && only !== "screens" && only !== form.name && only !== name) continue;
    await check.visit(page, path, `${name} ${form.name}`);
    await page.screenshot({ path: `${shots}/${name}-${form.name}.png`, fullPage: true });
    await check.judge(page, `${name} ${form.name}`, { phone: form.viewport.width < 500, words: form.name === "1280-light" });
    seen++;
  }
  await c.close();
}

if (!only || only === "themes") {
  for (const theme of ["sunlight"]) {
    const c = await context(forms[2]);
    await c.addInitScript(() => {
      // A blank page, as every tab begins, has no storage.
      if (location.protocol.startsWith("http")) localStorage.setItem("lope.prefs", JSON.stringify({ theme: "sunlight", units: "imperial", numbers: "de-DE", vocabulary: "therapist" }));
    });
    const page = await c.newPage();
    for (const [name, path] of screens.filter(([n]) => ["runs", "live", "card", "flag", "trends"].includes(n))) {
      await check.visit(page, path, `${name} ${theme}`);
      await page.screenshot({ path: `${shots}/${name}-${theme}.png`, fullPage: true });
      await check.judge(page, `${name} ${theme}`, { phone: true, words: false });
      seen++;
    }
    await c.close();
  }
}
if (!only || only === "keyboard") await keyboardPath({ context, form: forms[0], check, shots });
if (!only || only === "states") await states({ context, forms, check, shots, what });
if (!only || only === "doings") {
  const all = { context, form: forms[0], phone: forms[3], check, shots, what };
  await checkIn(all);
  await pointer(all);
  await stopped(all);
  // What needs a server that does as it is told.
  if (mock) await breaks({ ...all, mock });
}
if (mock && (!only || only === "roles")) await roles({ context, form: forms[0], check, shots, screens });
if (!only || only === "sparse") await sparse({ context, form: forms[0], check, shots, screens });
if (!only || only === "narrow") await narrow({ context, check, screens });
if (!only || only === "speed") {
  const c = await context(forms[0]);
  const page = await c.newPage();
  await page.goto("/coach");
  await page.waitForSelector(".roster tbody tr");
  await page.goto("/coach");
  const t = Date.now();
  await page.reload({ waitUntil: "commit" });
  await page.waitForSelector(".roster tbody tr");
  console.log(`measured: roster of ${what.squad.length} runners on screen after ${Date.now() - t} ms`);
  await c.close();
}

await browser.close();
mock?.closeAllConnections();
mock?.close();
check.report(seen);
process.exit(check.failures.length ? 1 : 0);
