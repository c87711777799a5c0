// Dev only. A squad of six and forty runs, the same every time: seeded, on days counted back from a fixed one.
import { metricCatalog, ruleCatalog } from "./catalog.mjs";

export const METRICS = metricCatalog();
export const RULES = ruleCatalog();
export const TODAY = "2026-11-22";
const DAY_US = 86_400_000_000;
const US = (day) => Date.parse(`${day}T00:00:00Z`) * 1000;
export const dayBack = (n, from = TODAY) => new Date((US(from) - n * DAY_US) / 1000).toISOString().slice(0, 10);
const RAD = Math.PI / 180;

export function rng(seed) {
  let a = [...String(seed)].reduce((h, c) => Math.imul(h ^ c.charCodeAt(0), 16777619) >>> 0, 2166136261);
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
const normal = (r) => Math.sqrt(-2 * Math.log(1 - r() * 0.999999)) * Math.cos(2 * Math.PI * r());
const round = (v, d) => Number(v.toFixed(d));

export const ATHLETES = [
  { id: "ada", name: "Ada", groups: ["Thursday"], speed: 3.1, cadence: 170, contact: 0.243, drop: [5.6, 6.4], tilt: 9, runs: 16, consent: true },
  { id: "bea", name: "Bea", groups: ["Thursday"], speed: 3.4, cadence: 176, contact: 0.228, drop: [4.9, 5.1], tilt: 7, runs: 7, consent: false },
  { id: "cem", name: "Cem", groups: ["Thursday", "Trail"], speed: 2.8, cadence: 163, contact: 0.262, drop: [7.1, 5.9], tilt: 12, runs: 6, consent: true },
  { id: "dora", name: "Dora", groups: ["Trail"], speed: 3.0, cadence: 168, contact: 0.25, drop: [5.2, 5.4], tilt: 10, runs: 5, consent: false },
  { id: "eli", name: "Eli", groups: ["Trail"], speed: 2.9, cadence: 165, contact: 0.256, drop: [6.0, 6.2], tilt: 11, runs: 4, consent: true },
  { id: "fay", name: "Fay", groups: [], speed: 2.6, cadence: 160, contact: 0.275, drop: [6.6, 6.5], tilt: 8, runs: 2, consent: false },
];
export const athleteOf = (id) => ATHLETES.find((a) => a.id === id);

const KINDS = ["easy", "easy", "long", "tempo", "easy", "intervals"];
const SHOES = { ada: [["ghost", "Ghost 15", 61], ["endorph", "Endorph 3", 742]], bea: [["kayano", "Kayano 30", 210]], cem: [["speedgoat", "Speedgoat 5", 388]], dora: [["pegasus", "Pegasus 40", 505]], eli: [["clifton", "Clifton 9", 120]], fay: [["glide", "Glide 4", 30]] };
export const shoesOf = (a) => (SHOES[a] ?? []).map(([id, name, km_before], i) => {
  const worn = SESSIONS.filter((s) => s.athlete === a && s.shoe === id);
  return { id, name, km_before, km: round(km_before + worn.reduce((n, s) => n + (s.distance_km ?? 0), 0), 1), runs: worn.length, comfort: i ? 5 : 8, uneven_heel: i === 1, retired: null, last_worn: worn[0]?.day ?? null, impact_change_pct: i ? 4.2 : 0.8 };
});

function session(a, i) {
  const r = rng(`${a.id}${i}`);
  const back = i === 0 && a.id !== "eli" ? (a.id === "dora" ? 11 : 1 + ATHLETES.indexOf(a) % 3) : (a.id === "dora" ? 9 : 0) + 2 + Math.round(i * 3.4) + ATHLETES.indexOf(a) % 2;
  const day = dayBack(back);
  const kind = KINDS[i % KINDS.length];
  const speed = round(a.speed + (kind === "tempo" ? 0.45 : kind === "long" ? -0.12 : kind === "intervals" ? 0.3 : 0) + normal(r) * 0.06, 2);
  const ten = a.id === "ada" && i === 3;
  const minutes = ten ? 119 : kind === "long" ? 84 + r() * 12 : kind === "intervals" ? 44 : 36 + r() * 20;
  const duration_s = Math.round(minutes * 60);
  // Ada has been taking slower, longer steps for her last runs: what FS1 is about.
  const shift = a.id === "ada" && i < 5 ? -0.036 : 0;
  const cadence = round(a.cadence * (1 + shift) + (speed - a.speed) * 9 + normal(r) * 0.9, 1);
  const strides = ten ? 10_000 : Math.round((duration_s / 60) * cadence * 0.985);
  const special = a.id === "ada" && i === 7 ? "swapped" : a.id === "cem" && i === 1 ? "poor" : a.id === "ada" && i === 1 ? "gap" : a.id === "bea" && i === 2 ? "pelvis only" : a.id === "dora" && i === 1 ? "imported" : "";
  const none = special === "imported";
  const data = special === "poor" ? "poor" : special === "gap" || special === "swapped" ? "fair" : none ? "none" : r() < 0.25 ? "fair" : "good";
  const sensors = none ? [] : special === "pelvis only" ? [{ placement: "sacrum", rate_hz: 208 }] : ["left_foot", "right_foot", "sacrum"].map((placement) => ({ placement, rate_hz: 208 }));
  const shoes = SHOES[a.id];
  return {
    id: `${a.id}-${day.replaceAll("-", "")}`, athlete: a.id, athlete_name: a.name, start_us: US(day) + (6 * 3600 + Math.round(r() * 5400) + (i % 3) * 40_000) * 1e6, tz: "Europe/Berlin", day, duration_s, distance_km: round((duration_s * speed) / 1000, 2),
    state: special === "gap" ? "recovered" : "closed", origin: none ? "import" : "live", clock: a.id === "cem" && i === 4 ? "assumed" : "known", strides: none ? 0 : strides, usable_share: none ? null : data === "poor" ? 0.61 : data === "fair" ? 0.93 : 0.985, data,
    speed_ms: speed, cadence_spm: none ? null : cadence, shoe: shoes[i % shoes.length][0], ground: i % 4 === 3 ? "uneven" : i % 5 === 4 ? "other" : "hard", run_kind: kind, effort: kind === "easy" ? 4 : kind === "long" ? 6 : 8, left_out: special === "swapped",
    note: special === "swapped" ? "Shoe sensors looked exchanged" : null, flags: [], sensors, special, seed: `${a.id}${i}`, index: i,
  };
}
export const SESSIONS = ATHLETES.flatMap((a) => Array.from({ length: a.runs }, (_, i) => session(a, i))).sort((x, y) => y.start_us - x.start_us);
export const sessionOf = (id) => SESSIONS.find((s) => s.id === id);
export const publicItem = ({ special, seed, index, ...rest }) => ({ ...rest });

/** Holes of a session's sensors. */
export function gapsOf(s) {
  const d = s.duration_s;
  const out = [];
  if (s.special === "gap") out.push({ placement: "right_foot", from_s: 250, to_s: 322, cause: "radio", missing: 14976 }, { placement: "left_foot", from_s: d * 0.6, to_s: d * 0.6 + 40, cause: "radio", missing: 8320 });
  if (s.special === "poor") for (let i = 0; i < 9; i++) out.push({ placement: i % 2 ? "right_foot" : "left_foot", from_s: d * (0.06 + i * 0.1), to_s: d * (0.06 + i * 0.1) + 45 + i * 8, cause: i % 3 ? "radio" : "buffer", missing: 9000 });
  if (s.index % 3 === 2) out.push({ placement: "sacrum", from_s: d * 0.42, to_s: d * 0.42 + 14, cause: "radio", missing: 2912 });
  return out;
}

const noise = (seed, t, scale) => {
  const u = t / scale;
  const i = Math.floor(u);
  const at = (k) => { let h = Math.imul(k ^ seed, 0x9e3779b1); h ^= h >>> 15; h = Math.imul(h, 0x85ebca6b); h ^= h >>> 13; return ((h >>> 0) / 4294967296) * 2 - 1; };
  const f = u - i;
  return at(i) * (1 - f) + at(i + 1) * f;
};
const hash = (text) => [...text].reduce((h, c) => Math.imul(h ^ c.charCodeAt(0), 16777619) | 0, 2166136261);

/** What a metric was at `t`, SI; null where the session does not have it. */
export function valueAt(s, metric, side, t, shake = 1) {
  const a = athleteOf(s.athlete);
  if (s.origin === "import" && metric !== "speed") return null;
  const feet = s.sensors.length === 3;
  const h = hash(`${s.seed}${metric}${side}`);
  const frac = t / s.duration_s;
  const tired = Math.max(0, frac - 0.6) * (s.index % 2 ? 1 : 0.3);
  const slow = noise(h, t, 240) + noise(h + 7, t, 45) * 0.5;
  const hill = noise(hash(s.seed), t, 400);
  const left = side === "left" ? 0 : side === "right" ? 1 : 0.5;
  const speed = s.speed_ms * (1 + 0.04 * hill + (s.run_kind === "intervals" ? 0.12 * Math.sign(Math.sin(t / 55)) : 0) - 0.03 * tired);
  const cadence = s.cadence_spm + (speed - s.speed_ms) * 9 + slow * 0.9 * shake - 2.5 * tired;
  switch (metric) {
    case "speed": return speed + slow * 0.02;
    case "cadence": return cadence;
    case "stride_time": return 120 / cadence;
    case "step_length": return feet ? (speed * 60) / cadence : null;
    case "stride_length": return feet ? (speed * 120) / cadence : null;
    case "contact_time": return feet ? a.contact - (speed - a.speed) * 0.02 + (left - 0.5) * 0.006 + slow * 0.0025 * shake + tired * 0.012 : null;
    case "flight_time": return feet ? 60 / cadence - (a.contact + slow * 0.002) : null;
    case "duty_factor": return feet ? a.contact / (120 / cadence) : null;
    case "pelvis_drop": return (a.drop[0] * (1 - left) + a.drop[1] * left + slow * 0.35 * shake + tired * (left ? 2.4 : 0.8)) * RAD;
    case "pelvis_tilt": return (a.tilt + slow * 0.5 * shake + tired * 1.8) * RAD;
    case "pelvis_tilt_range": return (6.2 + slow * 0.4) * RAD;
    case "pelvis_obliquity_range": return (8.8 + slow * 0.5) * RAD;
    case "pelvis_rotation_range": return (11 + slow * 0.7) * RAD;
    case "pelvis_oscillation": return 0.081 + slow * 0.002;
    case "overstride_distance": return feet ? 0.29 + (speed - a.speed) * 0.05 + slow * 0.008 - (cadence - a.cadence) * 0.002 : null;
    case "sacral_peak_acc": return 9.80665 * (3.6 + (speed - a.speed) * 0.9 + slow * 0.12 * shake);
    case "ml_rms_ratio": return 0.27 + slow * 0.012 + tired * 0.02;
    case "foot_strike_angle": return feet ? (11 + slow * 1.2 + (left - 0.5) * 1.5) * RAD : null;
    case "braking_peak": return -3.9 - slow * 0.2;
    default: return null;
  }
}

const NEEDS = { contact_time: "foot", stride_length: "foot", step_length: "foot", overstride_distance: "foot", foot_strike_angle: "foot", flight_time: "foot", duty_factor: "foot" };
const blind = (s, metric, side, t) => gapsOf(s).some((g) => t >= g.from_s && t < g.to_s && (NEEDS[metric] ? g.placement === `${side === "right" ? "right" : "left"}_foot` || (side === "both" && g.placement.endsWith("foot")) : /^(pelvis|sacral|ml_|braking)/.test(metric) ? g.placement === "sacrum" : g.placement.endsWith("foot") && side === "both" && metric !== "speed"));

export function series(s, metrics, side, from, to, buckets) {
  const n = Math.max(1, Math.min(2000, buckets));
  const width = (to - from) / n;
  const t = Array.from({ length: n }, (_, i) => round(from + i * width, 3));
  const out = {};
  for (const m of metrics) {
    const sides = side === "each" ? ["left", "right"] : [side];
    out[m] = {};
    for (const sd of sides) {
      const mean = t.map((x) => (blind(s, m, sd, x + width / 2) ? null : valueAt(s, m, sd, x + width / 2)));
      if (mean.every((v) => v === null)) continue;
      out[m][sd] = { mean, min: mean.map((v) => (v === null ? null : v * 0.98)), max: mean.map((v) => (v === null ? null : v * 1.02)), n: mean.map((v) => (v === null ? 0 : Math.max(1, Math.round(width * 1.4)))) };
    }
  }
  return { width_s: width, t_s: t, strides: t.map(() => Math.round(width * 2.8)), series: out, gaps: gapsOf(s) };
}

const STRIDE_METRICS = ["stride_time", "cadence", "contact_time", "flight_time", "stride_length", "speed", "foot_strike_angle", "overstride_distance", "pelvis_drop", "pelvis_tilt", "pelvis_tilt_range", "pelvis_obliquity_range", "pelvis_rotation_range", "pelvis_oscillation", "sacral_peak_acc", "ml_rms_ratio", "braking_peak"];
export function strideAt(s, idx) {
  const verdict = verdicts.get(`${s.id}/${idx}`)?.at(-1) ?? null;
  const x = measuredAt(s, idx);
  return { ...x, verdict, flags: verdict?.bad ? [...x.flags, "marked_bad"] : x.flags };
}
function measuredAt(s, idx) {
  const dt = s.duration_s / Math.max(1, s.strides);
  const t = idx * dt;
  const side = (idx % 2 === 0) !== (s.special === "swapped") ? "left" : "right";
  const r = rng(`${s.seed}${idx}`);
  const wobble = 1 + normal(r) * 0.012;
  const metrics = {};
  const absent = {};
  for (const m of STRIDE_METRICS) {
    const v = blind(s, m, side, t) ? null : valueAt(s, m, side, t);
    if (v === null) absent[m] = s.sensors.length < 3 && NEEDS[m] ? "no foot sensor is worn" : "samples are missing here";
    else metrics[m] = v * (1 + (wobble - 1) * (m === "speed" ? 0.5 : 1));
  }
  const dur = metrics.stride_time ?? 0.7;
  const contact = metrics.contact_time ?? 0.25;
  const q = s.data === "poor" ? 0.4 + r() * 0.3 : 0.8 + r() * 0.19;
  return { idx, t_s: round(t, 3), side, duration_s: round(dur, 4), ic_s: round(t, 4), mid_s: round(t + contact * 0.45, 4), tc_s: round(t + contact, 4), next_ic_s: round(t + dur, 4), class: q > 0.85 ? "A" : q > 0.7 ? "B" : q > 0.5 ? "C" : "D", quality: round(q, 2), activity: "running", flags: q < 0.5 ? ["gap_inside"] : [], metrics, absent };
}

/** What was said about strides, by session and number. */
export const verdicts = new Map();
export const said = (s, idx) => { const all = verdicts.get(`${s.id}/${idx}`) ?? []; return { idx, side: strideAt(s, idx).side, verdict: all.at(-1) ?? null, past: all.slice(0, -1) }; };
const PICKS = ["typical", "longest", "shortest", "poor", "most_asymmetric"];
export function curves(s, from, to) {
  const p = pelvis(s, "left");
  const items = PICKS.flatMap((pick) => strides(s, { from, to, side: null, limit: 4, select: pick }).items.map((x, i) => {
    const r = rng(`${s.seed}${x.idx}curve`);
    const [size, turn] = [1 + normal(r) * 0.12, normal(r) * 0.5];
    const why_not = s.index > 8 ? "No samples of this session are kept, and a curve is drawn from samples." : pick === "poor" && i === 2 ? "Not for this stride: samples are missing there." : null;
    const own = pelvis(s, x.side);
    return { pick, idx: x.idx, side: x.side, t_s: x.t_s, class: x.class, stride_length: x.metrics.stride_length ?? null, contact_time: x.metrics.contact_time ?? null, obliquity_deg: why_not ? null : own.obliquity_deg.map((v) => round(v * size + turn, 2)), zero: why_not ? null : own.zero, stance: why_not ? [] : own.stance, marks: [], why_not };
  }));
  return { percent: p.percent, items };
}

export function strides(s, { from, to, side, limit, cursor, select }) {
  const dt = s.duration_s / Math.max(1, s.strides);
  const a = Math.max(0, Math.ceil(from / dt));
  const b = Math.min(s.strides, Math.floor(to / dt));
  if (select) {
    const step = Math.max(1, Math.floor((b - a) / 400));
    const pool = [];
    for (let i = a; i < b; i += step) pool.push(strideAt(s, i));
    if (select === "marked") return { items: [...verdicts].filter(([k, v]) => k.startsWith(`${s.id}/`) && v.at(-1).bad).map(([k]) => strideAt(s, Number(k.split("/")[1]))).filter((x) => x.t_s >= from && x.t_s <= to).slice(0, limit), next_cursor: null };
    const length = (x) => x.metrics.stride_length ?? x.duration_s;
    const mid = length(pool[Math.floor(pool.length / 2)] ?? { metrics: {}, duration_s: 0 });
    const rank = { typical: (x) => Math.abs(length(x) - mid), longest: (x) => -length(x), shortest: length, most_asymmetric: (x) => -Math.abs((x.metrics.contact_time ?? 0) - athleteOf(s.athlete).contact), poor: (x) => x.quality }[select] ?? (() => 0);
    return { items: pool.filter((x) => !side || x.side === side).sort((p, q) => rank(p) - rank(q)).slice(0, limit), next_cursor: null };
  }
  const start = cursor ? Number(cursor) : a;
  const items = [];
  let i = start;
  for (; i < b && items.length < limit; i++) {
    const x = strideAt(s, i);
    if (!side || x.side === side) items.push(x);
  }
  return { items, next_cursor: i < b ? String(i) : null };
}

/** Pelvis angles over the stride, degrees: two drops, two tips, one turn. */
export function pelvis(s, side) {
  const a = athleteOf(s.athlete);
  const percent = Array.from({ length: 51 }, (_, i) => i * 2);
  const w = (p, k, ph) => Math.sin((2 * Math.PI * (p * k)) / 100 + ph);
  const flip = side === "right" ? -1 : 1;
  return { percent, zero: "standing", zero_text: "Tilt and obliquity are counted from quiet standing.", marks: [], stance: [{ side, from_percent: 0, to_percent: 34 }, { side: side === "left" ? "right" : "left", from_percent: 50, to_percent: 84 }], tilt_deg: percent.map((p) => round(a.tilt + 2.6 * w(p, 2, 0.6) + 0.4 * w(p, 1, 0), 2)), obliquity_deg: percent.map((p) => round(flip * (-4.3 * w(p, 1, 0.5)) + 0.9 * w(p, 2, 1), 2)), rotation_deg: percent.map((p) => round(flip * 5.2 * w(p, 1, 1.7), 2)) };
}

export function explain(s, idx) {
  const x = strideAt(s, idx);
  const m = (n) => METRICS.find((d) => d.name === n);
  const L = x.metrics.stride_length ?? 2.2;
  const path = Array.from({ length: 101 }, (_, i) => i / 100);
  return {
    stride: x,
    steps: [
      { name: "initial_contact", text: "The sole's first contact: where the filtered vertical acceleration of the shoe turns after its swing minimum.", inputs: { search_from_s: round(x.ic_s - 0.09, 3), search_to_s: round(x.ic_s + 0.06, 3) }, value: x.ic_s, unit: "s" },
      { name: "terminal_contact", text: "The foot leaves the ground: the pitch rate passes its push-off peak.", inputs: { peak_rad_s: 9.4 }, value: x.tc_s, unit: "s" },
      { name: "zero_velocity", text: "In mid-stance the shoe stands still; position is integrated between two such instants.", inputs: { window_ms: 28, gyro_norm_rad_s: 0.61 }, value: round(x.mid_s, 3), unit: "s" },
      { name: "stride_length", text: "Horizontal way of the shoe from mid-stance to mid-stance, drift taken out linearly.", inputs: { drift_m_s: 0.07, attitude_error_deg: 1.2 }, value: round(L, 3), unit: "m" },
    ],
    quality_parts: { innovation: 0.93, clipping: s.data === "poor" ? 0.6 : 1, gaps: x.class === "D" ? 0.4 : 1, agreement: 0.91, guards: 1, alignment: 0.97 },
    ruled_out: ["a contact 38 ms earlier: no flight phase between it and the other foot", "a walk: both feet were never on the ground together"],
    how: STRIDE_METRICS.map((n) => ({ metric: n, title: m(n).title, value: x.metrics[n] ?? null, unit: m(n).unit, doc: m(n).doc, not_it: m(n).not_it, source: m(n).source, absent: x.absent[n] ?? null })),
    curves: { pelvis: s.sensors.length ? pelvis(s, x.side) : null, foot_path_why_not: s.sensors.length === 3 ? null : "No shoe sensor was worn on this foot.", pelvis_why_not: s.sensors.length ? null : "No sensor was worn over the sacrum.", foot_path: s.sensors.length === 3 ? { percent: path.map((f) => 100 * f), marks: [{ name: "terminal contact", side: x.side, percent: 14 }, { name: "initial contact", side: x.side, percent: 84 }], x_m: path.map((f) => round(L * (f - 0.16 * Math.sin(2 * Math.PI * f)), 3)), z_m: path.map((f) => round(0.27 * Math.sin(Math.PI * f) ** 2 * (1 - 0.55 * f) + 0.05 * Math.sin(Math.PI * f) ** 8, 3)) } : null },
  };
}

export function raw(s, from, to) {
  if (s.index > 8) return { sensors: [], kept: false, why_not: "Raw samples are kept 90 days; these are older." };
  const rate = 208;
  const n = Math.round((to - from) * rate);
  const t = Array.from({ length: n }, (_, i) => round(from + i / rate, 4));
  const dt = s.duration_s / Math.max(1, s.strides);
  const r = rng(`${s.seed}raw${from}`);
  return { kept: true, why_not: null, sensors: s.sensors.map(({ placement }) => {
    const off = placement === "right_foot" ? dt : 0;
    const ph = t.map((x) => (((x - off) / (2 * dt)) % 1 + 1) % 1);
    const bump = (p, c, w, h) => h * Math.exp(-(((p - c + 1.5) % 1 - 0.5) ** 2) / (2 * w * w));
    const sac = placement === "sacrum";
    const acc = [ph.map((p) => (sac ? bump(p % 0.5 * 2, 0.1, 0.05, -4) : bump(p, 0.02, 0.012, -40) + bump(p, 0.4, 0.06, 22)) + normal(r) * 0.5), ph.map((p) => bump(p, 0.05, 0.03, sac ? 5 : 14) + normal(r) * 0.5), ph.map((p) => 9.8 + (sac ? bump(p % 0.5 * 2, 0.14, 0.09, 17) : bump(p, 0.015, 0.01, 85) + bump(p, 0.33, 0.05, 24)) + normal(r) * 0.6)];
    const gyro = [ph.map((p) => bump(p, 0.3, 0.08, sac ? 1.2 : 4) + normal(r) * 0.05), ph.map((p) => (sac ? 0.8 * Math.sin(4 * Math.PI * p) : bump(p, 0.36, 0.05, -10) + bump(p, 0.7, 0.1, 7)) + normal(r) * 0.06), ph.map((p) => 0.6 * Math.sin(2 * Math.PI * p) + normal(r) * 0.05)];
    return { placement, rate_hz: rate, t_s: t, acc: acc.map((c) => c.map((v) => round(v, 3))), gyro: gyro.map((c) => c.map((v) => round(v, 3))), clipped: [] };
  }) };
}

export function coverage(s) {
  return s.sensors.map(({ placement }) => {
    const holes = gapsOf(s).filter((g) => g.placement === placement).sort((a, b) => a.from_s - b.from_s);
    const spans = [];
    let at = 0;
    for (const g of holes) {
      spans.push({ from_s: at, to_s: g.from_s, state: "ok" }, { from_s: g.from_s, to_s: g.to_s, state: "lost" });
      at = g.to_s;
    }
    spans.push({ from_s: at, to_s: s.duration_s, state: "ok" });
    if (placement === "left_foot" && s.index % 2 === 0) spans.push({ from_s: s.duration_s * 0.2, to_s: s.duration_s * 0.2 + 90, state: "clipped" }, { from_s: s.duration_s * 0.7, to_s: s.duration_s * 0.7 + 25, state: "filled" });
    if (s.special === "poor" && placement === "sacrum") spans.splice(0, 1, { from_s: 0, to_s: s.duration_s * 0.4, state: "ok" }, { from_s: s.duration_s * 0.4, to_s: s.duration_s * 0.55, state: "moved" }, { from_s: s.duration_s * 0.55, to_s: s.duration_s, state: "clipped" });
    return { placement, spans, lost_share: round(holes.reduce((n, g) => n + g.to_s - g.from_s, 0) / s.duration_s, 4) };
  });
}
export { round, normal };
