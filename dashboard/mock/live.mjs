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
    w.data === "poor" ? { placement: "right_foot", state: "lost", battery: 31, rssi: null, lost_share: 0.061, residual_ms: null, text: "Right shoe not heard: cadence, left contact and pelvis remain." } : { placement: "right_foot", state: "ok", battery: 31, rssi: -71, lost_share: 0.021, residual_ms: 1.1, text: null },
    { placement: "sacrum", state: t % 90 > 70 ? "poor" : "ok", battery: 77, rssi: -80, lost_share: 0.012, residual_ms: 1.9, text: null }] }]);
  if (t % 30 === 0) out.push(["cue", l.athlete === "ada" ? { state: t % 300 < 60 ? "on" : "silent", target_spm: 172, now_spm: w.cadence_spm, why: null } : { state: "off", target_spm: null, now_spm: null, why: null }]);
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
  for (const l of whose) write(client, { n, session: l.session, event: "hello", data: { ...l, sensors: ["left_foot", "right_foot", "sacrum"].map((placement) => ({ placement, rate_hz: 208, kind: "pod" })), speed_factor: 1, resumed: last.startsWith(`${BOOT}-`) } });
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
export const tell = (session, event, data) => send(event, session, data);
void SESSIONS;
