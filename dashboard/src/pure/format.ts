/** Numbers, units, times as text. Everything shown goes through here, so that km/mi and decimal commas hold everywhere. */
import type { Data, EvidenceWord, Level, MetricDef } from "../api";

export type Units = "metric" | "imperial";
export interface Style { units: Units; locale: string | undefined }

export const KM_PER_MI = 1.609344;
/** What stands where there is no number. */
export const NOTHING = "–";

/** `value` with a fixed number of decimals in the reader's notation, minus as a true minus sign. */
export function number(value: number | null | undefined, decimals: number, style: Style): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NOTHING;
  const rounded = Math.abs(value) < 0.5 * 10 ** -decimals ? 0 : value;
  return new Intl.NumberFormat(style.locale, { minimumFractionDigits: decimals, maximumFractionDigits: decimals }).format(rounded).replace("-", "−");
}

/** `value` with up to `most` decimals, none that are zero. */
export function trimmed(value: number | null | undefined, most: number, style: Style): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NOTHING;
  return new Intl.NumberFormat(style.locale, { maximumFractionDigits: most }).format(value).replace("-", "−");
}

/** As {@link number}, with a plus sign for increases. */
export function signed(value: number | null | undefined, decimals: number, style: Style): string {
  const text = number(value, decimals, style);
  return typeof value === "number" && value > 0 && /[1-9]/.test(text) ? `+${text}` : text;
}

export const distanceUnit = (style: Style): string => (style.units === "imperial" ? "mi" : "km");
/** A distance of `km` in the chosen unit, without the unit. */
export function distance(km: number | null | undefined, style: Style, decimals = 1): string {
  if (km === null || km === undefined) return NOTHING;
  return number(style.units === "imperial" ? km / KM_PER_MI : km, decimals, style);
}

export const paceUnit = (style: Style): string => `/${distanceUnit(style)}`;
/** `m/s` as minutes per km or mile; a standstill has no pace. */
export function pace(speed: number | null | undefined, style: Style): string {
  if (speed === null || speed === undefined || !(speed > 0.2)) return NOTHING;
  const metres = style.units === "imperial" ? 1000 * KM_PER_MI : 1000;
  const seconds = Math.round(metres / speed);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** Seconds as `m:ss`, or `h:mm:ss` from one hour on. */
export function clock(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return NOTHING;
  const s = Math.max(0, Math.floor(seconds));
  const two = (n: number): string => String(n).padStart(2, "0");
  const h = Math.floor(s / 3600);
  const m = Math.floor((s % 3600) / 60);
  return h ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`;
}

/** A local day `2026-11-02` as `Mon 2 Nov`, with the year when it is not `now`'s. */
export function day(text: string | null | undefined, style: Style, now = new Date()): string {
  if (!text || !/^\d{4}-\d\d-\d\d$/.test(text)) return NOTHING;
  const date = new Date(`${text}T12:00:00Z`);
  const other = date.getUTCFullYear() !== now.getUTCFullYear();
  return new Intl.DateTimeFormat(style.locale ?? "en-GB", { timeZone: "UTC", weekday: "short", day: "numeric", month: "short", ...(other ? { year: "numeric" as const } : {}) }).format(date);
}

/** The day of a run; a clock that was only assumed and stands near 1970 knows no day. */
export const runDay = (s: { day: string; clock: string }, style: Style): string => (s.clock === "assumed" && s.day < "1980" ? "Undated" : day(s.day, style));

export const shortDay = (text: string, style: Style): string => new Intl.DateTimeFormat(style.locale ?? "en-GB", { timeZone: "UTC", day: "numeric", month: "short" }).format(new Date(`${text}T12:00:00Z`));

/** An instant as time of day in a zone, `07:42`. */
export function timeOfDay(us: number, tz: string | null | undefined, style: Style): string {
  const form = (zone?: string): string => new Intl.DateTimeFormat(style.locale ?? "en-GB", { hour: "2-digit", minute: "2-digit", hourCycle: "h23", ...(zone ? { timeZone: zone } : {}) }).format(new Date(us / 1000));
  try {
    return form(tz ?? undefined);
  } catch {
    return form();
  }
}

/** How long ago, coarsely: `3 s`, `4 min`, `2 h`, `5 d`. */
export function age(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.round(s / 60)} min`;
  if (s < 86_400) return `${Math.round(s / 3600)} h`;
  return `${Math.round(s / 86_400)} d`;
}

/** `n` with its noun. */
export const count = (n: number, one: string, style: Style, many = `${one}s`): string => `${number(n, 0, style)} ${n === 1 ? one : many}`;

/** How a value of a metric is shown. `factor` turns the kept unit into the shown one. */
export interface Shown { unit: string; factor: number; decimals: number }

const EXTRA: Record<string, Shown> = {
  rad: { unit: "°", factor: 180 / Math.PI, decimals: 1 },
  "m/s": { unit: "m/s", factor: 1, decimals: 2 },
  "m/s2": { unit: "m/s²", factor: 1, decimals: 1 },
  deg: { unit: "°", factor: 1, decimals: 1 },
  "steps/min": { unit: "spm", factor: 1, decimals: 0 },
  m: { unit: "m", factor: 1, decimals: 2 },
  s: { unit: "s", factor: 1, decimals: 2 },
  g: { unit: "g", factor: 1, decimals: 2 },
  "1": { unit: "", factor: 1, decimals: 2 },
  "%": { unit: "%", factor: 1, decimals: 1 },
};

/** How values with `unit` of `def` are shown. A value already in the shown unit is left alone. */
export function shown(def: MetricDef | undefined, unit: string): Shown {
  if (def && unit === def.unit) return { unit: plainUnit(def.shown_unit), factor: def.shown_factor, decimals: def.shown_decimals };
  if (def && unit === def.shown_unit) return { unit: plainUnit(unit), factor: 1, decimals: def.shown_decimals };
  return EXTRA[unit] ?? { unit, factor: 1, decimals: 1 };
}

const plainUnit = (unit: string): string => (unit === "steps/min" ? "spm" : unit === "1" ? "" : unit);

/** Value and unit, `243 ms`; the unit is left out where there is no number. */
export function withUnit(value: number | null | undefined, how: Shown, style: Style): string {
  if (value === null || value === undefined) return NOTHING;
  const text = number(value * how.factor, how.decimals, style);
  return how.unit ? `${text}${how.unit === "°" ? "" : " "}${how.unit}` : text;
}

export const LEVEL_SHAPE: Record<Level, string> = { none: "○", info: "·", watch: "▲", high: "◆", stop: "⬢", not_enough_data: "?" };
export const LEVEL_WORD: Record<Level, string> = { none: "none", info: "info", watch: "watch", high: "high", stop: "stop", not_enough_data: "not enough data" };
export const LEVEL_RANK: Record<Level, number> = { stop: 5, high: 4, watch: 3, info: 2, not_enough_data: 1, none: 0 };
export const DATA_RANK: Record<Data, number> = { none: 0, poor: 1, fair: 2, good: 3 };
/** Evidence as people read it: strength, and apart from it whether it is disputed. */
export const evidenceText = (word: EvidenceWord, disputed: boolean): string => (disputed ? `${word}, disputed` : word);

const PLACES: Record<string, string> = { left_foot: "Left shoe", right_foot: "Right shoe", sacrum: "Waistband", left_shank: "Left shin", right_shank: "Right shin", pelvis: "Waistband", trunk: "Trunk" };
/** A sensor's place in words. */
export const placeName = (placement: string): string => PLACES[placement] ?? sentence(placement);
/** `left_foot` as `Left foot`. */
export const sentence = (id: string): string => {
  const text = id.replace(/_/g, " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
};
