/**
 * Time series on canvas (uPlot): several lines over session time, own bands, hatched gaps, marks, a cursor shared between plots.
 * Gaps are never bridged. Colours come from the style sheet, because a canvas does not know custom properties.
 */
import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { usePrefs, useStyle } from "../prefs";
import { clock, NOTHING, number } from "../pure/format";
import { nearest, type Span, stepDecimals } from "../pure/geometry";
import { AreaKey, Figure, LineKey, SideKey } from "./table";

export type Tone = "left" | "right" | "accent" | "second" | "third";
export interface Line {
  key: string;
  label: string;
  unit: string;
  values: (number | null)[];
  tone: Tone;
  dashed?: boolean;
  decimals: number;
  /** Lines with the same scale share the axis; the first scale stands left, the second right. */
  scale?: string;
}
export interface Mark { at: number; label: string; kind?: string }
interface Props {
  title: string;
  name: string;
  x: number[];
  lines: Line[];
  height?: number;
  bands?: { scale?: string; low: number; high: number }[];
  gaps?: Span[];
  marks?: Mark[];
  sync?: string;
  selection?: Span | null;
  onSelect?: (span: Span | null) => void;
  /** Where the cursor of another plot stands, for keyboards. */
  xText?: (x: number) => string;
  from?: number;
  to?: number;
  level?: 2 | 3;
  /** Points drawn at samples, for few samples. */
  points?: boolean;
  /** Least width of a vertical axis, so that stacked plots line up. */
  tools?: JSX.Element | null;
  reverse?: boolean;
}

let probe: HTMLElement | undefined;
/** The colour that the style sheet gives a custom property now. */
export function colour(name: string): string {
  if (!probe) {
    probe = document.createElement("span");
    probe.hidden = true;
    document.body.append(probe);
  }
  probe.style.color = `var(--${name})`;
  return getComputedStyle(probe).color;
}

function hatch(): CanvasPattern | string {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 8;
  const c = tile.getContext("2d");
  if (!c) return colour("hatch");
  c.strokeStyle = colour("hatch");
  c.lineWidth = 1.5;
  c.beginPath();
  for (const o of [-8, 0, 8]) {
    c.moveTo(o, 8);
    c.lineTo(o + 8, 0);
  }
  c.stroke();
  return c.createPattern(tile, "repeat") ?? colour("hatch");
}

const PAGE_S = 60;
/** Steps of a time axis, s: the ones people read. */
const STEPS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];

export function TimeChart(p: Props): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const { theme } = usePrefs();
  const style = useStyle();
  const [at, setAt] = useState<number | null>(null);
  const now = useRef(p);
  now.current = p;
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const scales = useMemo(() => [...new Set(p.lines.map((l) => l.scale ?? "y"))], [p.lines.map((l) => `${l.key}${l.scale}`).join()]);
  const shape = `${p.lines.map((l) => `${l.key}|${l.label}|${l.unit}`).join()}#${scales.join()}#${theme}#${dark}#${p.height}#${p.sync}#${Boolean(p.onSelect)}#${p.points}`;
  const xText = p.xText ?? clock;

  useEffect(() => {
    const el = box.current;
    if (!el) return;
    const pattern = hatch();
    const muted = colour("muted");
    const rule = colour("line");
    const font = "11px system-ui, sans-serif";
    const under = (u: uPlot): void => {
      const { ctx, bbox } = u;
      ctx.save();
      ctx.beginPath();
      ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
      ctx.clip();
      for (const b of now.current.bands ?? []) {
        const top = u.valToPos(b.high, b.scale ?? "y", true);
        ctx.fillStyle = colour("band");
        ctx.fillRect(bbox.left, top, bbox.width, u.valToPos(b.low, b.scale ?? "y", true) - top);
      }
      for (const g of now.current.gaps ?? []) {
        const left = u.valToPos(g.from, "x", true);
        ctx.fillStyle = pattern;
        ctx.fillRect(left, bbox.top, Math.max(2 * devicePixelRatio, u.valToPos(g.to, "x", true) - left), bbox.height);
      }
      const s = now.current.selection;
      if (s) {
        const left = u.valToPos(s.from, "x", true);
        ctx.fillStyle = colour("select");
        ctx.fillRect(left, bbox.top, u.valToPos(s.to, "x", true) - left, bbox.height);
      }
      ctx.restore();
    };
    const over = (u: uPlot): void => {
      const { ctx, bbox } = u;
      ctx.save();
      // The axes leave their own alignment behind.
      ctx.textAlign = "left";
      ctx.textBaseline = "alphabetic";
      ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
      ctx.fillStyle = ctx.strokeStyle = colour("ink");
      ctx.lineWidth = devicePixelRatio;
      let free = -Infinity;
      let row = 0;
      for (const m of [...(now.current.marks ?? [])].sort((a, b) => a.at - b.at)) {
        const x = u.valToPos(m.at, "x", true);
        if (x < bbox.left || x > bbox.left + bbox.width) continue;
        ctx.setLineDash([2 * devicePixelRatio, 3 * devicePixelRatio]);
        ctx.beginPath();
        ctx.moveTo(x, bbox.top);
        ctx.lineTo(x, bbox.top + bbox.height);
        ctx.stroke();
        row = x < free ? row + 1 : 0;
        ctx.fillText(m.label, x + 3 * devicePixelRatio, bbox.top + (11 + 12 * (row % 3)) * devicePixelRatio);
        free = Math.max(row ? free : -Infinity, x + 8 * devicePixelRatio + ctx.measureText(m.label).width);
      }
      ctx.restore();
    };
    const options: uPlot.Options = {
      width: Math.max(120, el.clientWidth),
      height: p.height ?? 150,
      legend: { show: false },
      padding: [6, scales.length > 1 ? 0 : 10, 0, 0],
      cursor: { ...(p.sync ? { sync: { key: p.sync, setSeries: false } } : {}), drag: { x: Boolean(p.onSelect), y: false, setScale: false }, points: { size: 6 } },
      select: { show: Boolean(p.onSelect), left: 0, top: 0, width: 0, height: 0 },
      scales: {
        x: { time: false, range: (_u, min, max) => [now.current.from ?? min, now.current.to ?? max] },
        ...Object.fromEntries(scales.map((s) => [s, {
          range: (_u: uPlot, min: number | null, max: number | null): [number, number] => {
            const b = (now.current.bands ?? []).filter((v) => (v.scale ?? "y") === s);
            const low = Math.min(min ?? Infinity, ...b.map((v) => v.low));
            const high = Math.max(max ?? -Infinity, ...b.map((v) => v.high));
            if (!(low <= high)) return [0, 1];
            // Never so close that noise looks like a change.
            const pad = Math.max((high - low || Math.abs(high) * 0.1 || 1) * 0.12, Math.abs(high + low) * 0.006);
            return [low - pad, high + pad];
          },
        }])),
      },
      axes: [
        { stroke: muted, font, grid: { stroke: rule, width: 1 }, ticks: { show: false }, size: 24, space: 70, incrs: STEPS, values: (_u, v) => v.map((n) => xText(n)) },
        ...scales.slice(0, 2).map((s, i): uPlot.Axis => {
          return { scale: s, side: i ? 1 : 3, stroke: muted, font, grid: { show: i === 0, stroke: rule, width: 1 }, ticks: { show: false }, size: 46, space: 28, values: (_u, v) => {
            const step = v.length > 1 ? Math.abs((v[1] as number) - (v[0] as number)) : 1;
            return v.map((n) => number(n, stepDecimals(step), style));
          } };
        }),
      ],
      series: [
        {},
        ...p.lines.map((l): uPlot.Series => ({
          scale: l.scale ?? "y",
          label: l.label,
          stroke: colour(l.tone),
          width: theme === "sunlight" ? 2.5 : 1.6,
          spanGaps: false,
          ...(l.dashed || l.tone === "right" ? { dash: [6, 4] } : {}),
          points: { show: Boolean(p.points), size: 5, stroke: colour(l.tone), fill: colour(l.tone) },
        })),
      ],
      hooks: {
        drawClear: [under],
        draw: [over],
        setCursor: [(u) => setAt(u.cursor.idx ?? null)],
        setSelect: [(u) => {
          const { left, width } = u.select;
          if (width > 3) now.current.onSelect?.({ from: u.posToVal(left, "x"), to: u.posToVal(left + width, "x") });
          u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        }],
      },
    };
    const u = new uPlot(options, data(now.current), el);
    // The words are in the figure around it.
    u.root.setAttribute("aria-hidden", "true");
    plot.current = u;
    const watch = new ResizeObserver(() => {
      const w = Math.max(120, el.clientWidth);
      if (w !== u.width) u.setSize({ width: w, height: now.current.height ?? 150 });
    });
    watch.observe(el);
    return () => {
      watch.disconnect();
      u.destroy();
      plot.current = undefined;
    };
  }, [shape]);

  useEffect(() => plot.current?.setData(data(p)), [p.x, p.lines, p.from, p.to]);
  useEffect(() => plot.current?.redraw(false), [p.bands, p.gaps, p.marks, p.selection]);

  const value = (l: Line, i: number | null): string => {
    const v = i === null ? undefined : l.values[i];
    return v === null || v === undefined ? NOTHING : `${number(v, l.decimals, style)} ${l.unit}`;
  };
  const begun = useRef<number | null>(null);
  const step = p.x.length > 1 ? (p.x[1] as number) - (p.x[0] as number) : 1;
  return (
    <Figure
      title={p.title}
      level={p.level ?? 3}
      tools={p.tools}
      says={`${p.lines.map((l) => `${l.label} in ${l.unit || "no unit"}`).join(", ")}${p.gaps?.length ? `, ${p.gaps.length} ${p.gaps.length === 1 ? "gap" : "gaps"}` : ""}.`}
      stops={p.x.length}
      page={Math.max(1, Math.round(PAGE_S / (step || 1)))}
      describe={(i) => `${xText(p.x[i] as number)}: ${p.lines.map((l) => `${l.label} ${value(l, i)}`).join(", ")}`}
      onStop={(i) => {
        const u = plot.current;
        if (!u) return;
        if (i === null) u.setCursor({ left: -10, top: -10 });
        else u.setCursor({ left: u.valToPos(p.x[i] as number, "x"), top: u.over.clientHeight / 2 });
      }}
      {...(p.onSelect ? {
        onEnter: (i: number): string => {
          const t = p.x[i] as number;
          if (begun.current === null) {
            begun.current = t;
            return `Selection begins at ${xText(t)}`;
          }
          const [from, to] = [Math.min(begun.current, t), Math.max(begun.current, t)];
          begun.current = null;
          p.onSelect?.(to > from ? { from, to } : null);
          return to > from ? `Selected ${xText(from)} to ${xText(to)}` : "Selection cleared";
        },
      } : {})}
      table={() => ({ name: p.name, head: ["time", ...p.lines.map((l) => `${l.label} (${l.unit || "1"})`)], rows: p.x.map((x, i) => [xText(x), ...p.lines.map((l) => l.values[i] ?? null)]) })}
      legend={
        <>
          {p.lines.map((l) => (
            <span key={l.key} class="legend-item">
              {p.lines.length === 1 && l.label === p.title ? null : l.tone === "left" || l.tone === "right" ? <SideKey side={l.tone}>{l.label}</SideKey> : <LineKey tone={l.tone} dashed={l.dashed ?? false}>{l.label}</LineKey>}
              <b class="num">{at === null ? "" : value(l, at)}</b>
              {at === null ? <span class="muted">{l.unit}</span> : null}
            </span>
          ))}
          {p.bands?.length ? <AreaKey kind="band">own band</AreaKey> : null}
          {p.gaps?.length ? <AreaKey kind="hatch">no data</AreaKey> : null}
          {at === null ? null : <span class="muted">at {xText(p.x[Math.min(at, p.x.length - 1)] ?? 0)}</span>}
        </>
      }
    >
      <div ref={box} class="uplot-box" />
    </Figure>
  );
}

const data = (p: Props): uPlot.AlignedData => [p.x, ...p.lines.map((l) => l.values)] as uPlot.AlignedData;

/** The sample nearest to a time. */
export const indexAt = (x: number[], t: number): number => nearest(x, t);
