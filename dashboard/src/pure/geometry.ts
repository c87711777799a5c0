/** Shapes from numbers: scales, lines that break at gaps, bands, hatched spans, histograms. No drawing here. */

export interface Scale { (value: number): number; domain: [number, number]; range: [number, number] }

/** A linear scale; a domain without width is widened by one half on each side. */
export function scale(domain: [number, number], range: [number, number]): Scale {
  let [a, b] = domain;
  if (a === b) {
    a -= 0.5;
    b += 0.5;
  }
  const f = ((v: number) => range[0] + ((v - a) / (b - a)) * (range[1] - range[0])) as Scale;
  f.domain = [a, b];
  f.range = range;
  return f;
}

/** Least and greatest of what is finite, widened by `pad` of the width; undefined for nothing. */
export function extent(values: Iterable<number | null | undefined>, pad = 0): [number, number] | undefined {
  let low = Infinity;
  let high = -Infinity;
  for (const v of values) {
    if (v === null || v === undefined || !Number.isFinite(v)) continue;
    if (v < low) low = v;
    if (v > high) high = v;
  }
  if (low > high) return undefined;
  const more = (high - low || Math.abs(high) || 1) * pad;
  return [low - more, high + more];
}

/** Round tick values inside a domain, about `wanted` of them. */
export function ticks(domain: [number, number], wanted: number): number[] {
  const [a, b] = domain;
  const raw = (b - a) / Math.max(1, wanted);
  if (!(raw > 0)) return [a];
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = ([1, 2, 5, 10].find((m) => m * power >= raw) ?? 10) * power;
  const out: number[] = [];
  for (let i = Math.ceil(a / step - 1e-9); i * step <= b + step * 1e-9; i++) out.push(Number((i * step).toPrecision(12)));
  return out;
}

/** Decimals that tell steps of `step` apart, at most 4. */
export function stepDecimals(step: number): number {
  for (let d = 0; d < 4; d++) if (Math.abs(step * 10 ** d - Math.round(step * 10 ** d)) < 1e-6) return d;
  return 4;
}

const r1 = (n: number): string => (Math.round(n * 10) / 10).toString();

/** An SVG path through the points; an absent value or a step in x over `maxStep` starts a new piece, so gaps stay gaps. */
export function brokenPath(xs: readonly number[], ys: readonly (number | null | undefined)[], x: Scale, y: Scale, maxStep = Infinity): string {
  let out = "";
  let pen = false;
  let last = -Infinity;
  xs.forEach((xv, i) => {
    const yv = ys[i];
    if (yv === null || yv === undefined || !Number.isFinite(yv)) {
      pen = false;
      return;
    }
    if (xv - last > maxStep) pen = false;
    out += `${pen ? "L" : "M"}${r1(x(xv))} ${r1(y(yv))}`;
    pen = true;
    last = xv;
  });
  return out;
}

/** A closed band between two lines of equal length. */
export function bandPath(xs: readonly number[], low: readonly number[], high: readonly number[], x: Scale, y: Scale): string {
  if (xs.length === 0) return "";
  const up = xs.map((v, i) => `${i ? "L" : "M"}${r1(x(v))} ${r1(y(high[i] as number))}`).join("");
  const down = xs.map((v, i) => `L${r1(x(v))} ${r1(y(low[i] as number))}`).reverse().join("");
  return `${up}${down}Z`;
}

export interface Span { from: number; to: number }

/** Spans sorted and joined where they touch or overlap, cut to `[from, to]`; empty ones dropped. */
export function mergeSpans(spans: readonly Span[], within?: Span): Span[] {
  const cut = spans
    .map((s) => (within ? { from: Math.max(s.from, within.from), to: Math.min(s.to, within.to) } : { ...s }))
    .filter((s) => s.to > s.from)
    .sort((a, b) => a.from - b.from);
  const out: Span[] = [];
  for (const s of cut) {
    const last = out[out.length - 1];
    if (last && s.from <= last.to) last.to = Math.max(last.to, s.to);
    else out.push(s);
  }
  return out;
}

/** Where a series has no value: spans between known times, from bucket starts and width. */
export function absentSpans(t: readonly number[], values: readonly (number | null)[], width: number): Span[] {
  const out: Span[] = [];
  t.forEach((from, i) => {
    if (values[i] === null || values[i] === undefined) out.push({ from, to: from + width });
  });
  return mergeSpans(out);
}

/** Counts of values in equal bins over `domain`; values outside are counted in the outermost bins. */
export function histogram(values: readonly number[], domain: [number, number], bins: number): number[] {
  const out = new Array<number>(bins).fill(0);
  const [a, b] = domain;
  for (const v of values) {
    const i = Math.min(bins - 1, Math.max(0, Math.floor(((v - a) / (b - a || 1)) * bins)));
    out[i] = (out[i] as number) + 1;
  }
  return out;
}

/** The middle of the values; undefined for none. */
export function median(values: readonly number[]): number | undefined {
  if (values.length === 0) return undefined;
  const s = [...values].sort((a, b) => a - b);
  const m = s.length >> 1;
  return s.length % 2 ? s[m] : ((s[m - 1] as number) + (s[m] as number)) / 2;
}

/** Where a value lies against a band: below, inside, above. */
export const against = (value: number, low: number, high: number): "below" | "inside" | "above" => (value < low ? "below" : value > high ? "above" : "inside");

/** Index of the x nearest to `at`; −1 for no values. `xs` ascends. */
export function nearest(xs: readonly number[], at: number): number {
  if (xs.length === 0) return -1;
  let low = 0;
  let high = xs.length - 1;
  while (high - low > 1) {
    const mid = (low + high) >> 1;
    if ((xs[mid] as number) < at) low = mid;
    else high = mid;
  }
  return at - (xs[low] as number) <= (xs[high] as number) - at ? low : high;
}
