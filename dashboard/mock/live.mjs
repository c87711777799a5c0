// Dev only. Live streams of the fake API: two runners with windows, strides, health, a cue and a lost sensor, forever.
import { athleteOf, SESSIONS } from "./data.mjs";

const RAD = Math.PI / 180;
const BOOT = "m1";
export const LIVE = ["ada", "cem"].map((id) => ({ session: `live-${id}`, athlete: id, name: athleteOf(id).name, started_us: (Date.now() - 754_000) * 1000, kind: id === "ada" ? "record" : "replay" }));
const clients = new Set();
const kept = [];
let n = 0;

function send(event, session, data) {
  n++;
  const one = { n, session, event, data, at: Date.now() };
  kept.push(one);
  while (kept.length && kept[0].at < Date.now() - 60_000) kept.shift();
  for (const c of clients) write(c, one);
}
function write(c, e) {
  if (c.session !== "squad" && c.session !== e.session) return;
  const data = c.session === "squad" ? { session: e.session, ...e.data } : e.data;
  c.res.write(`id: ${BOOT}-${e.n}\nevent: ${e.event}\ndata: ${JSON.stringify(data)}\n\n`);
}

const wave = (t, period, phase = 0) => Math.sin((2 * Math.PI * t) / period + phase);
export function windowAt(id, t) {
  const a = athleteOf(id);
  const speed = a.speed + 0.12 * wave(t, 95) + 0.04 * wave(t, 13);
  const cadence = a.cadence - 3.2 + (speed - a.speed) * 9 + 0.8 * wave(t, 41, 1);
  const lost = t % 120 > 78 && t % 120 < 92;
  return {
    t_s: t, cadence_spm: Math.round(cadence * 10) / 10, speed_ms: speed, step_length_m: lost ? null : (speed * 60) / cadence, stride_length_m: lost ? null : (speed * 120) / cadence, contact_left_s: a.contact - 0.002 + 0.002 * wave(t, 33), contact_right_s: lost ? null : a.contact + 0.004 + 0.002 * wave(t, 29, 2), drop_left_rad: (a.drop[0] + 0.4 * wave(t, 51)) * RAD, drop_right_rad: (a.drop[1] + 1.6 + 0.4 * wave(t, 47, 1)) * RAD, tilt_rad: (a.tilt + 0.4 * wave(t, 60)) * RAD, overstride_m: lost ? null : 0.3, distance_km: (t * a.speed) / 1000, n: 14, data: lost ? "poor" : "good",
    usual: { cadence_spm: { low: a.cadence - 2.2, high: a.cadence + 2.2 }, step_length_m: { low: (a.speed * 60) / a.cadence - 0.03, high: (a.speed * 60) / a.cadence + 0.03 }, contact_left_s: { low: a.contact - 0.008, high: a.contact + 0.008 }, contact_right_s: { low: a.contact - 0.008, high: a.contact + 0.008 }, drop_left_rad: { low: (a.drop[0] - 1) * RAD, high: (a.drop[0] + 1) * RAD }, drop_right_rad: { low: (a.drop[1] - 1) * RAD, high: (a.drop[1] + 1) * RAD } },
  };
}

const mutes = new Map();
/** The cue machine, told in a few words: bursts of a minute, silence on target, muted when asked. */
function cueAt(l, t, w) {
  if (l.athlete !== "ada") return { state: "off", target_spm: null, low_spm: null, high_spm: null, now_spm: null, why: null };
  const target = 172;
  const now = w.cadence_spm;
  const aim = { target_spm: target, low_spm: target * 0.98, high_spm: target * 1.02, now_spm: now };
  if (mutes.get(l.session)) return { state: "off", ...aim, why: "muted" };
  if (Math.abs(now - target) <= target * 0.02) return { state: "silent", ...aim, why: "on target" };
  return t % 300 < 60 ? { state: "on", ...aim, why: null } : { state: "silent", ...aim, why: "resting between cues" };
}
/** What the live screen asks of a run: [status, answer]. */
export function ask(session, body) {
  const l = LIVE.find((x) => x.session === session);
  if (!l) return [404, { code: "lope::api::not_found", detail: "There is no such live run." }];
  const cues = body.kind === "mute" || body.kind === "unmute";
  if (cues && l.athlete !== "ada") return [409, { code: "lope::live::no_cue", detail: "No cues were asked for in this run, so there is nothing to mute." }];
  if (!cues && body.kind !== "stop" && l.kind === "replay") return [409, { code: "lope::live::keeps_nothing", detail: "This run is only played back; there is nowhere to keep a mark." }];
  const t = second(l);
  if (cues) {
    mutes.set(session, body.kind === "mute");
    send("event", session, { t_s: t, kind: "cues", text: body.kind === "mute" ? "cues muted" : "cues no longer muted" });
    send("cue", session, cueAt(l, t, windowAt(l.athlete, t)));
  } else if (body.kind === "stop") send("bye", session, { reason: "the run ended" });
  else send("event", session, { t_s: t, kind: body.kind, text: body.kind === "pain" ? `pain ${body.value}` : body.kind });
  return [202, { id: body.id }];
}

/** What is sent at second `t` of a run, as [event, data]. */
function eventsAt(l, t) {
  const out = [];
  const w = windowAt(l.athlete, t);
  out.push(["window", w]);
  for (let i = 0; i < 3; i++) {
    const side = (t * 3 + i) % 2 ? "right" : "left";
    const contact = side === "left" ? w.contact_left_s : w.contact_right_s;
    if (contact !== null) out.push(["stride", { t_s: t - 1 + i * 0.35, side, contact_s: contact + 0.004 * wave(t * 3 + i, 7), length_m: w.stride_length_m, speed_ms: w.speed_ms, class: w.data === "good" ? "A" : "C" }]);
  }
  if (t % 2 === 0) out.push(["health", { t_s: t, sensors: [
    { placement: "left_foot", state: "ok", battery: 82, rssi: -58, lost_share: 0.004, residual_ms: 0.8, text: null },
    w.data === "poor" ? { placement: "right_foot", state: "lost", battery: 31, rssi: null, lost_share: 0.061, residual_ms: null, text: "link lost, trying again" } : { placement: "right_foot", state: "ok", battery: 31, rssi: -71, lost_share: 0.021, residual_ms: 1.1, text: null },
    { placement: "sacrum", state: t % 90 > 70 ? "poor" : "ok", battery: 77, rssi: -80, lost_share: 0.012, residual_ms: 1.9, text: null }] }]);
  if (t % 2 === 0) out.push(["cue", cueAt(l, t, w)]);
  if (t % 300 === 0) out.push(["event", { t_s: t, kind: "lap", text: `Lap ${t / 300}` }]);
  return out;
}
const second = (l) => Math.round(Date.now() / 1000 - l.started_us / 1e6);
function beat() {
  for (const l of LIVE) for (const [event, data] of eventsAt(l, second(l))) send(event, l.session, data);
}
let timer;

export function stream(session, req, res) {
  res.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
  const last = String(req.headers["last-event-id"] ?? "");
  const client = { session, res };
  const whose = LIVE.filter((l) => session === "squad" || l.session === session);
  for (const l of whose) write(client, { n, session: l.session, event: "hello", data: { ...l, sensors: ["left_foot", "right_foot", "sacrum"].map((placement) => ({ placement, rate_hz: 208, kind: "pod" })), speed_factor: 1, resumed: last.startsWith(`${BOOT}-`), cues: l.athlete === "ada", marks: l.kind !== "replay" } });
  for (const l of whose.filter((x) => x.athlete === "cem")) write(client, { n, session: l.session, event: "flag", data: { id: "FS1", level: "watch", text: "Your step rate has been lower than your usual at this pace in 3 of the last 5 runs." } });
  if (last.startsWith(`${BOOT}-`)) kept.filter((e) => e.n > Number(last.split("-")[1])).forEach((e) => write(client, e));
  else for (const l of whose) {
    const now = second(l);
    for (let t = Math.max(0, now - 60); t < now; t++) for (const [event, data] of eventsAt(l, t)) write(client, { n, session: l.session, event, data });
  }
  clients.add(client);
  timer ??= setInterval(beat, 1000);
  const alive = setInterval(() => res.write(": still here\n\n"), 15_000);
  req.on("close", () => {
    clients.delete(client);
    clearInterval(alive);
    if (clients.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  });
}
void SESSIONS;
