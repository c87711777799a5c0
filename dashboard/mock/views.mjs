// Dev only. The answers of the fake API that are made of many runs: card, trends, flags, squad, compare.
import { ATHLETES, athleteOf, coverage, dayBack, METRICS, normal, pelvis, publicItem, rng, round, RULES, SESSIONS, sessionOf, shoesOf, TODAY, valueAt } from "./data.mjs";

const RAD = Math.PI / 180;
const def = (m) => METRICS.find((d) => d.name === m);
const runsOf = (a) => SESSIONS.filter((s) => s.athlete === a);
const median = (v) => { const s = [...v].sort((x, y) => x - y); return s.length ? (s[(s.length - 1) >> 1] + s[s.length >> 1]) / 2 : null; };
export const journal = new Map();
export const actions = [];
for (const [back, places, score] of [[24, ["low_back_left"], 2], [17, ["low_back_left", "buttock_left"], 3], [12, ["low_back_left"], 2], [8, ["low_back_centre"], 1], [2, ["low_back_left"], 2]]) {
  const day = dayBack(back);
  journal.set(`ada/c${back}`, { id: `c${back}`, athlete: "ada", day, at_us: Date.parse(`${day}T18:00:00Z`) * 1000, kind: "check_in", back_now: score, places, ticks: [], safety_answered: true });
}

/** Median of a metric in a run, SI. */
export function runMedian(s, m, side = "both", part = "all") {
  const [a, b] = part === "first" ? [0.05, 0.25] : part === "last" ? [0.8, 0.98] : [0.1, 0.95];
  const v = Array.from({ length: 24 }, (_, i) => valueAt(s, m, side, s.duration_s * (a + ((b - a) * i) / 23))).filter((x) => x !== null);
  return median(v);
}
const SMALLEST = { cadence: 1.6, contact_time: 0.006, stride_length: 0.03, pelvis_drop: 0.9 * RAD, pelvis_tilt: 1.5 * RAD, pelvis_tilt_range: 0.8 * RAD, sacral_peak_acc: 2.2, ml_rms_ratio: 0.02, overstride_distance: 0.02, pelvis_oscillation: 0.004, speed: 0.1 };
const smallest = (m) => SMALLEST[m] ?? null;

export const safetyOf = (a) => a === "eli" ? { level: "stop", title: "Please do not run now.", text: `${RULES.urgent_text} This page cannot tell you the cause.`, ticks: [RULES.ticks.find((t) => t.id === "night_pain_unrelieved").text] }
  : a === "cem" ? { level: "no_cues", title: RULES.before_next_run_text, text: "This app cannot tell you the cause.", ticks: [RULES.ticks.find((t) => t.id === "pain_below_knee").text] } : null;

const STATES = {
  ada: { FS1: ["watch", 9], LD1: ["watch", 2], IG3: ["watch", 20], SY1: ["info", 1], FS5: ["info", 5], HX1: ["info", 60], IG5: ["none"], CP2: ["not_enough_data"], LD5: ["not_enough_data"], IG2: ["not_enough_data"] },
  bea: { LD3: ["info", 3], FF1: ["not_enough_data"] }, cem: { FF1: ["high", 6], SY4: ["high", 2], LD1: ["watch", 4], FF2: ["watch", 11] },
  dora: { IG3: ["info", 12], FS1: ["watch", 14] }, eli: { SY5: ["stop", 1], SY1: ["high", 1], LD4: ["watch", 3] }, fay: {},
};
const VALUES = { cadence_change_pct: -3.6, percent: 14, spike_ratio: 1.14, spike_extra_km: 1.4, shoe_km: 812, shoe: "Endorph 3", back_day_max: 2, rest_days_7: 1, training_streak_days: 5, drop_change_max_deg: 3.2, side: "left", markers: "longer contact", tick: "Much worse at night and no position eases it", when: RULES.urgent_text.toLowerCase().replace("ask for", "soon: ask for").replace(".", ""), week_jump_pct: 18, break_days: 3, low_recovery_signs: 2, direction: "forward" };
const fill = (t) => t?.replace(/\{(\w+)\}/g, (_, k) => (VALUES[k] === undefined ? "–" : String(typeof VALUES[k] === "number" ? Math.abs(VALUES[k]) : VALUES[k]).replace("-", ""))) ?? null;
const MISSING = { FS: ["no foot and waistband pair", "fewer than 3 evaluated runs in 28 days"], FF: ["the waistband sensor was not worn"], LD: ["fewer than 3 runs in the last 30 days"], IG: ["no shin sensor"], CP: ["not answered in the last 42 days"], SY: ["no back score in the last 28 days"], HX: ["the profile question is open"] };
const NO_DATA_FAY = new Set(["FS1", "FS2", "FS3", "FS4", "FS5", "FF1", "FF2", "FF3", "IG1", "IG2", "LD1", "LD5", "SY1", "SY2", "SY3", "SY4", "SY5", "SY6", "CP1", "CP2", "CP3", "HX1"]);

export function flagItem(a, f, role = "owner") {
  const st = STATES[a]?.[f.id] ?? [a === "fay" && NO_DATA_FAY.has(f.id) ? "not_enough_data" : f.id === "FS2" || f.id === "IG2" || f.id === "CP3" ? "not_enough_data" : "none"];
  const [level, ago] = st;
  const hidden = role === "coach" && ["SY", "HX"].includes(f.family) && !athleteOf(a).consent;
  const message = level === "none" || level === "not_enough_data" ? null : level === "high" && f.high_line ? `${fill(f.message)} ${f.high_line}` : level === "info" ? fill(f.message).split(/(?<=\.) /)[0] : fill(f.message);
  return {
    id: f.id, slug: f.slug, title: f.title, family: f.family, level: hidden ? "not_enough_data" : level, since: ago === undefined || hidden ? null : dayBack(ago), message: hidden ? null : message, missing: level === "not_enough_data" ? (MISSING[f.family] ?? []).slice(0, 2) : [], evidence_word: f.evidence.word, disputed: f.evidence.disputed,
    data: level === "not_enough_data" ? "none" : f.family === "FF" || f.id === "FS3" ? "fair" : "good", hidden, muted_until: null, actions: actions.filter((x) => x.athlete === a && x.flag === f.id).map(({ actor, action, note, day }) => ({ actor, action, note, day })),
  };
}
const RANK = ["not_enough_data", "none", "info", "watch", "high", "stop"];
const SUMMARY = { ada: "watch", bea: "info", cem: "high", dora: "info", eli: "stop", fay: "not_enough_data" };

export function flagsNow(a, role) {
  const flags = RULES.flags.map((f) => flagItem(a, f, role));
  const level = SUMMARY[a];
  const measurable = a === "fay" ? 1 : 3;
  const changed = new Set(flags.filter((f) => ["watch", "high"].includes(f.level) && ["LD", "FS", "FF", "IG"].includes(f.family) && f.id !== "IG3" && f.id !== "FF2").map((f) => f.family)).size;
  return {
    athlete: a, day: TODAY, rules_version: RULES.version, summary: { level, text: level === "not_enough_data" ? "Not enough data for a summary. Three more runs with the same sensors are needed." : RULES.summary_text[level].replace("{n_areas}", String(measurable)), areas_changed: changed, areas_measurable: measurable, coverage: measurable / 4 },
    coaching: a === "eli" ? "silent" : a === "cem" ? "no_cues" : "open", safety: role === "coach" && !athleteOf(a).consent ? null : safetyOf(a), learning: a === "fay" ? { runs: 2, needed: 5 } : null, flags, first_time_line: RULES.first_time_line, footer: RULES.footer,
  };
}

export function flagDetail(a, id, role) {
  const f = RULES.flags.find((x) => x.id === id);
  if (!f) return null;
  const item = flagItem(a, f, role);
  const rank = RANK.indexOf(item.level);
  // A clear flag gets values that stay below its thresholds; a raised one those of VALUES.
  const calm = (c) => (c.op === "==" ? 0 : c.op === "<" ? c.v * 2 : c.v * 0.4);
  const values = (c) => (item.level === "not_enough_data" ? null : rank >= 2 && typeof VALUES[c.x] === "number" ? VALUES[c.x] : calm(c));
  const widened = (c) => (f.persistence === "form" && !c.x.startsWith("back") ? round(c.v * 1.08, 2) : c.v);
  const fits = (c) => { const v = values(c); const t = widened(c); return { ">=": v >= t, ">": v > t, "<": v < t, "<=": v <= t, "==": v === t }[c.op]; };
  const conditions = Object.entries(f.levels).flatMap(([level, lists]) => lists.map((list) => ({
    level, text: list.map((c) => `${c.x} ${c.op} ${c.v}`).join(" and "), holds: item.level === "not_enough_data" ? null : list.every(fits),
    inputs: list.map((c) => ({ name: c.x, title: c.x.replace(/_/g, " ").replace(/ (pct|deg|cm|pp)$/, ""), value: values(c), unit: RULES.inputs[c.x]?.unit ?? "", threshold: c.v, effective_threshold: widened(c), op: c.op, why_missing: item.level === "not_enough_data" ? item.missing[0] ?? "not measured" : null })),
  })));
  const lead = Object.values(f.levels).flat()[0]?.[0];
  const first = lead?.x ?? "value";
  return {
    flag: item, text: [`${f.id} ${f.title.toLowerCase()}: ${item.level.replace(/_/g, " ")}${item.since ? ` since ${item.since}` : ""}.`, item.message ?? "", f.persistence === "form" ? "Judged over the last 5 evaluated runs; 3 are needed." : ""].filter(Boolean).join("\n"),
    computation: {
      conditions, votes: f.persistence === "form" && item.level !== "not_enough_data" ? runsOf(a).filter((s) => s.sensors.length).slice(0, 5).map((s, i) => ({ session: s.id, day: s.day, level: rank >= 2 && i < 3 ? item.level : i === 3 ? null : "none", values: i === 3 ? {} : { [first]: round((values(lead) ?? 0) * (i < 3 ? 1 : 0.3) + i * 0.1, 1) } })) : [],
      needs: f.persistence === "form" ? "3 of the last 5 evaluated runs at or above the threshold" : f.persistence === "latched" ? "one tick; it stays until a professional looked at it" : "true on the day",
      clears: f.persistence === "form" ? ["3 of the last 4 runs below 0.8 of the threshold, at the earliest 7 days after it was raised"] : f.persistence === "latched" ? ["“Looked at by a health professional” on a later day"] : ["by time, or when the inputs fall below the threshold"],
      other_reasons: f.family === "FS" || f.family === "IG" ? ["New shoes: Endorph 3 since 24 Oct", "More climbing than usual in these runs (+40 %)"] : f.family === "FF" ? ["The waistband sensor sits 6° lower than in the reference runs"] : [], remedies: f.remedies, cites: f.cites,
      reference: f.persistence === "form" ? { runs: 6, from: dayBack(56), to: dayBack(36) } : null,
    },
  };
}

export function inbox(role, group) {
  return ATHLETES.filter((a) => !group || a.groups.includes(group)).flatMap((a) => RULES.flags.map((f) => flagItem(a.id, f, role)).filter((f) => !f.hidden && ["watch", "high", "stop"].includes(f.level)).map((flag) => ({
    athlete: a.id, athlete_name: a.name, flag, strip: runsOf(a.id).slice(0, 5).reverse().map((s, i) => ({ day: s.day, level: i > 1 ? (flag.level === "stop" ? "high" : flag.level) : i === 1 ? "not_enough_data" : "none" })), other_reasons: flagDetail(a.id, flag.id, role).computation.other_reasons, since: flag.since,
  }))).sort((p, q) => RANK.indexOf(q.flag.level) - RANK.indexOf(p.flag.level));
}

export function history(a) {
  const days = Array.from({ length: 56 }, (_, i) => dayBack(55 - i));
  const top = SUMMARY[a];
  return { rules_version: RULES.version, days, summary: days.map((_, i) => (i < 14 ? "not_enough_data" : i < 44 ? (i % 11 < 3 ? "info" : "none") : i < 50 && top !== "not_enough_data" ? "info" : top)), changes: Object.entries(STATES[a] ?? {}).filter(([, s]) => s[1] !== undefined).map(([id, s]) => ({ day: dayBack(s[1]), id, state: s[0] })).sort((p, q) => q.day.localeCompare(p.day)) };
}

const monday = (day) => { const d = new Date(`${day}T12:00:00Z`); d.setUTCDate(d.getUTCDate() - ((d.getUTCDay() + 6) % 7)); return d.toISOString().slice(0, 10); };
export function load(a, weeks) {
  const out = Array.from({ length: weeks }, (_, i) => ({ week_start: dayBack(7 * (weeks - 1 - i), monday(TODAY)), km: 0, runs: 0, rest_days: 7, longest_km: null }));
  for (const s of runsOf(a)) {
    const w = out.find((x) => x.week_start === monday(s.day));
    if (!w) continue;
    w.km = round(w.km + s.distance_km, 1);
    w.runs++;
    w.rest_days--;
    w.longest_km = Math.max(w.longest_km ?? 0, s.distance_km);
  }
  const full = out.slice(0, -1).map((w) => w.km).filter((k) => k > 0);
  return { weeks: out, zone: full.length > 2 ? { low: round(median(full) * 0.8, 1), high: round(median(full) * 1.15, 1) } : null };
}

export function trend(a, metric, weeks, speed, part) {
  const d = def(metric) ?? def("cadence");
  const own = athleteOf(a);
  const from = dayBack(weeks * 7);
  const ref = speed ?? own.speed;
  const runs = runsOf(a).filter((s) => s.day >= from).reverse();
  const points = runs.filter((s) => runMedian(s, d.name) !== null).map((s, i) => {
    const v = runMedian(s, d.name, "both", part);
    const atSpeed = Math.abs(s.speed_ms - ref) < 0.35;
    const adjusted = d.name === "cadence" ? v + (ref - s.speed_ms) * 9 : d.name === "contact_time" ? v + (s.speed_ms - ref) * 0.02 : v;
    return { session: s.id, day: s.day, start_us: s.start_us, value: adjusted, at_speed: atSpeed, sigma: (smallest(d.name) ?? Math.abs(v) * 0.01) * (s.data === "poor" ? 1.4 : 0.5), data: s.data, shoe: s.shoe, ground: s.ground, runs_in_reference: i < 6 && !s.left_out, why_not: s.left_out ? "left out: shoe sensors looked exchanged" : atSpeed ? null : "no level minutes near this speed" };
  });
  const usable = points.filter((p) => p.at_speed);
  const base = usable.filter((p) => p.runs_in_reference);
  const learning = base.length < 4;
  const mid = median(base.map((p) => p.value));
  const s = smallest(d.name);
  const last = median(usable.slice(-3).map((p) => p.value));
  const delta = last !== null && mid !== null ? last - mid : null;
  const word = learning ? (points.length < 2 ? "not enough data" : "learning") : s === null || Math.abs(delta) < s ? "no real change" : delta < 0 ? "lower" : "higher";
  const text = { "not enough data": "Not enough data: too few runs with this metric.", learning: `Learning your usual: ${base.length} of 5 runs.`, "no real change": "No real change: the last three runs lie within what cannot be told from noise.", lower: `Lower than your usual by ${round(Math.abs(delta ?? 0) * d.shown_factor, 1)} ${d.shown_unit}, more than the smallest change that can be told from noise.`, higher: `Higher than your usual by ${round(Math.abs(delta ?? 0) * d.shown_factor, 1)} ${d.shown_unit}, more than the smallest change that can be told from noise.` }[word];
  const change = (key) => { const out = []; for (const p of points) { const l = out.at(-1); if (l && l[key] === p[key]) l.to = p.day; else out.push({ [key]: p[key], from: p.day, to: p.day }); } return out; };
  return {
    athlete: a, metric: d.name, title: d.title, unit: d.unit, shown_unit: d.shown_unit, shown_factor: d.shown_factor, reference_speed_ms: ref, speed_known: true, points,
    reference: points.length < 2 || mid === null ? null : { low: mid - (s ?? 0) * 1.3, mid, high: mid + (s ?? 0) * 1.3, runs: base.length, state: learning ? "learning" : "frozen" },
    rolling42: usable.slice(2).map((p, i) => ({ day: p.day, value: median(usable.slice(Math.max(0, i - 3), i + 3).map((q) => q.value)) })), smallest_change: s === null ? null : { value: s, text: `${round(s * d.shown_factor, 1)} ${d.shown_unit}` }, verdict: { word, text },
    symptoms: own.consent ? runs.map((r, i) => ({ day: r.day, before: i % 4 === 0 ? null : (i * 3) % 3, worst: (i * 5) % 4, morning: i % 3 ? (i * 2) % 3 : null })) : null, load: load(a, weeks).weeks, flags: Object.entries(STATES[a] ?? {}).filter(([, x]) => x[1] !== undefined).map(([id, x]) => ({ day: dayBack(x[1]), id, level: x[0] })), shoes: change("shoe"), grounds: change("ground"),
  };
}

const CARD = ["cadence", "stride_length", "contact_time", "pelvis_drop", "pelvis_tilt", "sacral_peak_acc"];
export function card(s) {
  const a = s.athlete;
  const learning = runsOf(a).length < 5;
  const stop = safetyOf(a)?.level === "stop";
  const rows = CARD.map((m) => {
    const value = runMedian(s, m);
    const d = def(m);
    const usual = learning ? null : median(runsOf(a).filter((x) => x.index > 6 - (a === "ada" ? 0 : 4) && x.sensors.length).map((x) => runMedian(x, m)).filter((v) => v !== null));
    const sm = smallest(m) ?? 1;
    const change = value === null || usual === null ? null : value - usual;
    return { metric: m, title: d.title, unit: d.unit, value, usual, band_low: usual === null ? null : usual - sm * 1.3, band_high: usual === null ? null : usual + sm * 1.3, change, beyond_noise: change === null ? null : Math.abs(change) > sm, word: value === null ? "not comparable" : learning ? "learning" : Math.abs(change) <= sm * 1.3 ? "usual" : change > 0 ? "higher" : "lower", why: value === null ? "A foot sensor it needs was not worn." : null };
  });
  const long = s.duration_s > 40 * 60 && s.sensors.length === 3;
  const zone = load(a, 8).zone;
  const week = load(a, 8).weeks.find((w) => w.week_start === monday(s.day))?.km ?? s.distance_km;
  return {
    session: publicItem(s), headline: stop ? "Saved." : learning ? `Learning your usual: ${runsOf(a).length} of 5 runs.` : s.special === "poor" ? "Saved, with long gaps: little can be said about form." : "Steady; slightly longer steps than usual at this pace.",
    load: { km: s.distance_km, week_km: week, usual_week_low_km: zone?.low ?? null, usual_week_high_km: zone?.high ?? null, word: !zone ? "learning" : week < zone.low ? "below" : week > zone.high ? "above" : "within" },
    rows: s.special === "poor" ? rows.map((r) => ({ ...r, usual: null, band_low: null, band_high: null, change: null, beyond_noise: null, word: "not comparable", why: r.value === null ? r.why : "Too little of the run was seen." })) : s.sensors.length ? rows : rows.map((r) => ({ ...r, value: null, usual: null, band_low: null, band_high: null, change: null, beyond_noise: null, word: "not comparable", why: "No sensor was worn." })),
    within_run: long ? ["contact_time", "cadence", "pelvis_drop"].map((m) => { const first = runMedian(s, m, "both", "first"); const last = runMedian(s, m, "both", "last"); return { metric: m, title: def(m).title, unit: def(m).unit, first, last, change: last - first, counts: Math.abs(last - first) > (smallest(m) ?? 0) }; }) : null,
    within_why: long ? null : s.sensors.length < 3 ? "Both shoes are needed for this comparison." : "Only runs of 40 minutes or more are compared with themselves.", one_thing: stop ? null : a === "ada" && s.index < 5 ? "Try slightly quicker, shorter, lighter steps." : null, coverage: coverage(s), data: s.data, checkin_due: s.index === 0 && !journal.has(`${a}/checkin-${s.id}`), safety: safetyOf(a),
  };
}

export function squad(role, group) {
  return ATHLETES.filter((a) => !group || a.groups.includes(group)).map((a) => {
    const runs = runsOf(a.id);
    const flags = RULES.flags.map((f) => flagItem(a.id, f, role)).filter((f) => !f.hidden && ["info", "watch", "high", "stop"].includes(f.level)).map(({ id, level, since }) => ({ id, level, since }));
    const top = Math.max(0, ...flags.map((f) => RANK.indexOf(f.level)));
    const last = runs[0];
    const silent = last ? Math.round((Date.parse(TODAY) - Date.parse(last.day)) / 86_400_000) : null;
    const shoe = shoesOf(a.id).sort((x, y) => y.km - x.km)[0];
    const spark = (m, f) => runs.filter((s) => s.sensors.length).reverse().map((s) => ({ day: s.day, value: f(s, m) })).filter((p) => p.value !== null);
    return { athlete: a.id, name: a.name, groups: a.groups, triage: top * 100 + (silent > 7 ? 50 : 0) + flags.length, summary: SUMMARY[a.id], flags, last_run: last ? { session: last.id, day: last.day, km: last.distance_km } : null, silent_days: silent, data: last?.data ?? "none", cadence_spark: spark("cadence", (s) => s.cadence_spm), drop_asym_spark: spark("pelvis_drop", (s, m) => { const l = runMedian(s, m, "left"); const r = runMedian(s, m, "right"); return l === null ? null : round((l - r) / RAD, 2); }), load_weeks: load(a.id, 8).weeks.map(({ week_start, km }) => ({ week_start, km })), load_zone: load(a.id, 8).zone, shoe: shoe ? { name: shoe.name, km: Math.round(shoe.km) } : null, symptoms: role !== "coach" || a.consent ? "shared" : "not shared", back_last: role !== "coach" || a.consent ? (a.id === "eli" ? 6 : a.id === "cem" ? 4 : 1) : null };
  }).sort((x, y) => y.triage - x.triage);
}

function pick(a, spec, other) {
  const runs = runsOf(a).filter((s) => s.sensors.length && !s.left_out);
  if (sessionOf(spec)) return { label: `Run of ${sessionOf(spec).day}`, list: [sessionOf(spec)] };
  const [kind, value] = (spec || other).split(":");
  if (kind === "lap") { const [id, n] = spec.slice(4).split(":"); return { label: `Lap ${n} of ${sessionOf(id)?.day ?? id}`, list: sessionOf(id) && Number(n) <= 4 ? [sessionOf(id)] : [] }; }
  if (kind === "before") return { label: `Before ${value}`, list: runs.filter((s) => s.day < value) };
  if (kind === "after") return { label: `From ${value} on`, list: runs.filter((s) => s.day >= value) };
  if (kind === "shoe") { const shoe = shoesOf(a).find((x) => x.id === value); return { label: shoe?.name ?? value, list: runs.filter((s) => s.shoe === value) }; }
  if (kind === "ground") return { label: `${value} ground`, list: runs.filter((s) => s.ground === value) };
  return { label: "All runs", list: runs };
}
const SCATTER = ["cadence", "contact_time", "stride_length", "pelvis_drop", "pelvis_tilt", "sacral_peak_acc"];
export function compare(a, specA, specB) {
  const A = pick(a, specA, "before:" + dayBack(14));
  const B = pick(a, specB, "after:" + dayBack(14));
  const side = (x) => ({ label: x.label, sessions: x.list.map((s) => s.id), day_from: x.list.at(-1)?.day ?? null, day_to: x.list[0]?.day ?? null });
  const cloud = (x, m) => x.list.flatMap((s) => [...Array(Math.max(6, Math.round(60 / x.list.length))).keys()].map((i, _, all) => { const t = s.duration_s * (0.1 + (0.85 * i) / all.length); const v = valueAt(s, m, "both", t); return v === null ? null : [round(valueAt(s, "speed", "both", t), 3), v]; })).filter(Boolean);
  const fit = (pts) => { if (pts.length < 8) return null; const n = pts.length; const mx = pts.reduce((k, p) => k + p[0], 0) / n; const my = pts.reduce((k, p) => k + p[1], 0) / n; const b = pts.reduce((k, p) => k + (p[0] - mx) * (p[1] - my), 0) / (pts.reduce((k, p) => k + (p[0] - mx) ** 2, 0) || 1); const lo = Math.min(...pts.map((p) => p[0])); const hi = Math.max(...pts.map((p) => p[0])); return [[lo, my + b * (lo - mx)], [hi, my + b * (hi - mx)]]; };
  const speeds = (x) => x.list.flatMap((s) => [s.speed_ms - 0.2, s.speed_ms + 0.2]);
  const lo = Math.max(Math.min(...speeds(A)), Math.min(...speeds(B)));
  const hi = Math.min(Math.max(...speeds(A)), Math.max(...speeds(B)));
  const shared = A.list.length && B.list.length && hi > lo ? { low: round(lo, 2), high: round(hi, 2) } : null;
  const mean = (x, m, sd) => { const v = x.list.map((s) => runMedian(s, m, sd)).filter((q) => q !== null); return v.length ? v.reduce((p, q) => p + q, 0) / v.length : null; };
  const rows = [["cadence", "both"], ["stride_length", "both"], ["contact_time", "left"], ["contact_time", "right"], ["pelvis_drop", "left"], ["pelvis_drop", "right"], ["pelvis_tilt", "both"], ["sacral_peak_acc", "both"]].map(([m, sd]) => {
    const va = mean(A, m, sd);
    const vb = mean(B, m, sd);
    const sm = smallest(m);
    const delta = va === null || vb === null || !shared ? null : vb - va;
    return { metric: m, title: def(m).title, unit: def(m).unit, side: sd, a: va, b: vb, delta, low: delta === null ? null : delta - sm * 0.7, high: delta === null ? null : delta + sm * 0.7, smallest_change: sm, beyond_noise: delta === null ? null : Math.abs(delta) > sm, why: delta === null ? "The speeds do not overlap." : null, n_a: A.list.reduce((n, s) => n + s.strides, 0), n_b: B.list.reduce((n, s) => n + s.strides, 0) };
  });
  const curve = (x, shift) => { const s = x.list[0]; if (!s) return null; const c = pelvis(s, "left"); const sd = (k) => c.percent.map((p) => round(k + 0.2 * Math.sin(p / 9), 2)); return { percent: c.percent, strides: 60, tilt: { mean: c.tilt_deg.map((v) => v + shift), sd: sd(1.1) }, obliquity: { mean: c.obliquity_deg.map((v) => v * (1 + shift / 8)), sd: sd(0.9) }, rotation: { mean: c.rotation_deg, sd: sd(1.3) } }; };
  return { a: side(A), b: side(B), shared_speed: shared, rows, scatter: Object.fromEntries(SCATTER.map((m) => { const pa = cloud(A, m); const pb = cloud(B, m); return [m, { a: pa, b: pb, fit_a: fit(pa), fit_b: fit(pb) }]; })), curves: { a: curve(A, 0), b: curve(B, 1.1), a_why_not: A.list.length ? null : "No run.", b_why_not: B.list.length ? null : "No run.", zero_text: "Tilt and obliquity are counted from quiet standing." }, note: shared ? null : "The speeds of A and B do not overlap; the values are shown, not compared." };
}
export { runsOf };
void normal;
void rng;
