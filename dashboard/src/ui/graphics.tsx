/** Hand-drawn pictures in SVG: sparklines, bullet graphs, load bars, coverage, pelvis curves, foot path, scatter. */
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import type { Coverage, Level } from "../api";
import { bandPath, brokenPath, extent, type Scale, scale, stepDecimals, ticks } from "../pure/geometry";
import { clock, LEVEL_SHAPE, number, placeName } from "../pure/format";
import { useStyle } from "../prefs";

/** Diagonal lines for "no trustworthy data"; `id` for `fill="url(#id)"`. */
export const Hatch = ({ id }: { id: string }): JSX.Element => (
  <pattern id={id} width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
    <line x1="0" y1="0" x2="0" y2="6" class="hatch-line" />
  </pattern>
);

/** A small line without axes; the last value is marked. Its words are the caller's. */
export function Spark({ values, band, width = 108, height = 28, tone = "accent", label }: { values: (number | null)[]; band?: { low: number; high: number } | null; width?: number; height?: number; tone?: string; label?: string }): JSX.Element {
  const ext = extent([...values, band?.low, band?.high], 0.12);
  if (!ext) return <svg class="spark" width={width} height={height} {...(label ? { role: "img", "aria-label": `${label}: no values` } : { "aria-hidden": true })} />;
  const x = scale([0, Math.max(1, values.length - 1)], [3, width - 4]);
  const y = scale(ext, [height - 3, 3]);
  let last = values.length - 1;
  while (last > 0 && (values[last] === null || values[last] === undefined)) last--;
  const v = values[last];
  return (
    <svg class="spark" width={width} height={height} viewBox={`0 0 ${width} ${height}`} {...(label ? { role: "img", "aria-label": label } : { "aria-hidden": true })}>
      {band ? <rect x="0" width={width} y={y(band.high)} height={Math.max(1, y(band.low) - y(band.high))} class="band" /> : null}
      <path d={brokenPath(values.map((_, i) => i), values, x, y)} class={`line-${tone} thin`} />
      {typeof v === "number" ? <circle cx={x(last)} cy={y(v)} r="2.6" class={`fill-${tone}`} /> : null}
    </svg>
  );
}

/** Value against own band: band as a bar, usual as a tick, value as a diamond, hollow where the data were poor. */
export function Bullet({ value, low, high, usual, label, unsure }: { unsure?: boolean; value: number | null | undefined; low?: number | null | undefined; high?: number | null | undefined; usual?: number | null | undefined; label: string }): JSX.Element {
  const ext = extent([value, low, high, usual]);
  const width = 150;
  const known = typeof low === "number" && typeof high === "number";
  const half = known ? (high - low) * 1.6 : 1;
  const mid = known ? (low + high) / 2 : (value ?? 0);
  const domain: [number, number] = [Math.min(mid - half, ext?.[0] ?? mid), Math.max(mid + half, ext?.[1] ?? mid)];
  const x = scale(domain, [6, width - 6]);
  return (
    <svg class="bullet" width={width} height="22" viewBox={`0 0 ${width} 22`} role="img" aria-label={label}>
      <line x1="0" x2={width} y1="11" y2="11" class="axis" />
      {known ? <rect x={x(low)} y="5" width={Math.max(2, x(high) - x(low))} height="12" rx="2" class="band" /> : null}
      {typeof usual === "number" ? <line x1={x(usual)} x2={x(usual)} y1="4" y2="18" class="usual" /> : null}
      {typeof value === "number" ? <path d={`M${x(value)} 4l6 7l-6 7l-6-7Z`} class={unsure ? "value unsure" : "value"} /> : null}
    </svg>
  );
}

/** First against last of a run: hollow to full. */
export function Dumbbell({ first, last, domain, label }: { first: number; last: number; domain: [number, number]; label: string }): JSX.Element {
  const x = scale(domain, [10, 170]);
  return (
    <svg class="dumbbell" width="180" height="20" viewBox="0 0 180 20" role="img" aria-label={label}>
      <line x1="0" x2="180" y1="10" y2="10" class="axis" />
      <line x1={x(first)} x2={x(last)} y1="10" y2="10" class="line-accent" />
      <circle cx={x(first)} cy="10" r="5" class="hollow" />
      <circle cx={x(last)} cy="10" r="5" class="fill-accent" />
    </svg>
  );
}

/** Weekly load as bars over the usual zone. */
export function LoadBars({ weeks, zone, width = 120, height = 34, label }: { weeks: { week_start: string; km: number }[]; zone?: { low: number; high: number } | null | undefined; width?: number; height?: number; label: string }): JSX.Element {
  const top = Math.max(1, zone?.high ?? 0, ...weeks.map((w) => w.km)) * 1.08;
  const y = scale([0, top], [height - 1, 1]);
  const w = width / Math.max(1, weeks.length);
  return (
    <svg class="loadbars" width={width} height={height} viewBox={`0 0 ${width} ${height}`} {...(label ? { role: "img", "aria-label": label } : { "aria-hidden": true })}>
      {zone ? <rect x="0" width={width} y={y(zone.high)} height={y(zone.low) - y(zone.high)} class="zone" /> : null}
      {weeks.map((k, i) => <rect key={k.week_start} x={i * w + 1} width={Math.max(1, w - 2)} y={y(k.km)} height={height - 1 - y(k.km)} class="bar"><title>{`week of ${k.week_start}: ${Math.round(k.km)} km`}</title></rect>)}
      {zone ? <path d={`M0 ${y(zone.high).toFixed(1)}H${width}M0 ${y(zone.low).toFixed(1)}H${width}`} class="zone-edge" /> : null}
    </svg>
  );
}

/** Spans may lie over each other; what is worse is drawn later. */
const LAYERS = ["ok", "moved", "filled", "clipped", "unsynced", "lost"];

/** What each sensor gave, second by second: even, hatched, or marked, under one time axis. */
export function CoverageBar({ coverage, duration, height = 16 }: { coverage: Coverage[]; duration: number; height?: number }): JSX.Element {
  const id = useId();
  const style = useStyle();
  const width = 600;
  const x = scale([0, duration || 1], [0, width]);
  return (
    <div class="coverage">
      {coverage.map((c) => (
        <div key={c.placement} class="coverage-row">
          <span class="coverage-name">{placeName(c.placement)}</span>
          <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img" aria-label={`${placeName(c.placement)}: ${number((1 - c.lost_share) * 100, 1, style)} % there. ${c.spans.filter((s) => s.state !== "ok").slice(0, 6).map((s) => `${s.state} from ${clock(s.from_s)} to ${clock(s.to_s)}`).join("; ") || "no gap"}`}>
            <defs><Hatch id={`${id}${c.placement}`} /></defs>
            {/* Only what is not ok need be told; the rest was there. */}
            <rect width={width} height={height} class={c.lost_share < 1 ? "cov-ok" : "cov-none"} />
            {[...c.spans].sort((a, b) => LAYERS.indexOf(a.state) - LAYERS.indexOf(b.state)).map((s) => (
              <g key={`${s.state}${s.from_s}`}>
                <rect x={x(s.from_s)} width={Math.max(s.state === "ok" ? 0 : 2, x(s.to_s) - x(s.from_s))} height={height} class={`cov-${s.state}`} />
                {s.state === "lost" || s.state === "unsynced" ? <rect x={x(s.from_s)} width={Math.max(2, x(s.to_s) - x(s.from_s))} height={height} fill={`url(#${id}${c.placement})`} /> : null}
              </g>
            ))}
          </svg>
          <span class="num">{number((1 - c.lost_share) * 100, 1, style)} %</span>
        </div>
      ))}
      <div class="coverage-row coverage-axis" aria-hidden="true"><span /><span class="between"><span>0:00</span><span>{clock(duration)}</span></span><span /></div>
      <p class="legend small"><span class="key"><i class="swatch cov-ok" />ok</span><span class="key"><i class="swatch cov-filled" />filled</span><span class="key"><i class="swatch swatch-hatch" />lost</span><span class="key"><i class="swatch cov-clipped" />clipped</span><span class="key"><i class="swatch cov-moved" />moved</span></p>
      <p class="muted small">Clipped: samples at the limit of the sensor, no more than two seconds apart.</p>
    </div>
  );
}

/** Gives the width it has, so that pictures keep the size of their text on every screen. */
export function Sized({ otherwise = 600, children }: { otherwise?: number; children: (width: number) => ComponentChildren }): JSX.Element {
  const ref = useRef<HTMLDivElement>(null);
  const [w, setW] = useState(otherwise);
  useEffect(() => {
    const el = ref.current;
    if (!el) return;
    const f = (): void => setW(Math.max(160, Math.floor(el.clientWidth)));
    f();
    const watch = new ResizeObserver(f);
    watch.observe(el);
    return () => watch.disconnect();
  }, []);
  return <div ref={ref} class="sized">{children(w)}</div>;
}

interface Frame { width: number; height: number; left: number; right: number; top: number; bottom: number }
const FRAME: Frame = { width: 420, height: 210, left: 44, right: 10, top: 10, bottom: 30 };

interface AxesProps { x: [number, number]; y: [number, number]; xLabel: string; yLabel: string; xText?: (v: number) => string; yText?: (v: number) => string; frame?: Partial<Frame>; children: (x: Scale, y: Scale) => ComponentChildren }

/** Axes and grid of a plot as wide as its place; the children draw with the scales. */
export const Axes = (p: AxesProps): JSX.Element => <Sized otherwise={p.frame?.width ?? FRAME.width}>{(width) => <AxesAt {...p} frame={{ ...p.frame, width }} />}</Sized>;

function AxesAt({ x: dx, y: dy, xLabel, yLabel, xText, yText, frame = FRAME, children }: AxesProps): JSX.Element {
  const style = useStyle();
  const f = { ...FRAME, ...frame };
  const x = scale(dx, [f.left, f.width - f.right]);
  const y = scale(dy, [f.height - f.bottom, f.top + 8]);
  const tx = ticks(x.domain, Math.max(2, Math.floor((f.width - f.left) / 80)));
  const ty = ticks(y.domain, Math.max(2, Math.floor((f.height - f.top - f.bottom) / 28)));
  const places = (t: number[]): number => (t.length > 1 ? stepDecimals(Math.abs((t[1] as number) - (t[0] as number))) : stepDecimals(t[0] ?? 0));
  return (
    <svg class="axes" width={f.width} height={f.height} viewBox={`0 0 ${f.width} ${f.height}`} aria-hidden="true">
      {ty.map((t) => (
        <g key={t}>
          <line x1={f.left} x2={f.width - f.right} y1={y(t)} y2={y(t)} class="grid" />
          <text x={f.left - 6} y={y(t) + 3.5} class="tick end">{yText ? yText(t) : number(t, places(ty), style)}</text>
        </g>
      ))}
      {tx.map((t) => <text key={t} x={x(t)} y={f.height - f.bottom + 14} class="tick middle">{xText ? xText(t) : number(t, places(tx), style)}</text>)}
      <text x={f.width - f.right} y={f.height - 2} class="axis-name end">{xLabel}</text>
      <text x={2} y={f.top} class="axis-name">{yLabel}</text>
      {children(x, y)}
    </svg>
  );
}

export interface CurveLine { key: string; percent: number[]; values: number[]; sd?: number[]; tone: string; dashed?: boolean }
/** An angle over the gait cycle with stance of both sides shaded. */
export function CycleCurves({ lines, title, stance = [] }: { lines: CurveLine[]; title: string; stance?: { side: string; from_percent: number; to_percent: number }[] }): JSX.Element {
  const ext = extent(lines.flatMap((l) => l.values.flatMap((v, i) => [v - (l.sd?.[i] ?? 0), v + (l.sd?.[i] ?? 0)])), 0.1) ?? [-1, 1];
  return (
    <Axes x={[0, 100]} y={ext} xLabel="% of stride" yLabel={`${title} °`} frame={{ width: 300, height: 190, left: 34 }}>
      {(x, y) => (
        <>
          {stance.map((s) => (
            // The left foot's bar lies above the right one's: told by place as well as by colour.
            <rect key={`${s.side}${s.from_percent}`} x={x(s.from_percent)} width={x(s.to_percent) - x(s.from_percent)} y={y(ext[1]) + (s.side === "right" ? 6 : 0)} height={4} class={`fill-${s.side}`} />
          ))}
          <line x1={x(0)} x2={x(100)} y1={y(0)} y2={y(0)} class={ext[0] < 0 && ext[1] > 0 ? "zero" : "none"} />
          {lines.map((l) => (
            <g key={l.key}>
              {l.sd ? <path d={bandPath(l.percent, l.values.map((v, i) => v - (l.sd?.[i] ?? 0)), l.values.map((v, i) => v + (l.sd?.[i] ?? 0)), x, y)} class={`area-${l.tone}`} /> : null}
              <path d={brokenPath(l.percent, l.values, x, y)} class={`line-${l.tone}${l.dashed ? " dashed" : ""}`} />
            </g>
          ))}
        </>
      )}
    </Axes>
  );
}

/** The shape of a level at a place in a plot. */
export const LevelGlyph = ({ level, x, y, title }: { level: Level; x: number; y: number; title: string }): JSX.Element => (
  <text x={x} y={y} class={`glyph level-${level}`} text-anchor="middle">
    {LEVEL_SHAPE[level]}
    <title>{title}</title>
  </text>
);

/** A point by side: circle for left and both, square for right. */
export const Dot = ({ x, y, r = 4, tone, square, hollow }: { x: number; y: number; r?: number; tone: string; square?: boolean; hollow?: boolean }): JSX.Element =>
  square ? <rect x={x - r} y={y - r} width={2 * r} height={2 * r} class={hollow ? `hollow stroke-${tone}` : `fill-${tone}`} /> : <circle cx={x} cy={y} r={r} class={hollow ? `hollow stroke-${tone}` : `fill-${tone}`} />;
