/** One metric over weeks at one speed: a point per run with its uncertainty, own band, smallest change, shoes, ground, load, symptoms, flags. */
import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import type { Trend, TrendPoint } from "../api";
import { query, useApi } from "../http";
import { useStyle } from "../prefs";
import { day, distance, distanceUnit, NOTHING, number, pace, paceUnit, shortDay, shown, withUnit } from "../pure/format";
import { brokenPath, extent, scale, stepDecimals, ticks } from "../pure/geometry";
import { A, go, link, RANGES, useParam } from "../router";
import { useAthlete, useSession, useShoeNames, useSilence } from "../session";
import { Choice, DataLabel, Empty, Head, Notice, Panel, Pick, Show } from "../ui/basics";
import { LevelGlyph, Sized } from "../ui/graphics";
import { AreaKey, Figure, LineKey } from "../ui/table";

const FIRST = ["cadence", "contact_time", "stride_length", "pelvis_drop", "pelvis_tilt", "overstride_distance", "sacral_peak_acc", "ml_rms_ratio"];
type PlottedPoint = TrendPoint & { value: number };
type Plotted = Omit<Trend, "points"> & { points: PlottedPoint[] };
const T = (d: string): number => Date.parse(`${d}T12:00:00Z`) / 86_400_000;
const H = { top: 26, main: 230, flags: 22, symptoms: 54, load: 56, axis: 24 };

/** The pairs of shoes of a trend, in the order they appear. */
const pairsOf = (t: Plotted): string[] => [...new Set(t.shoes.map((b) => b.shoe))];

function Chart({ t, width, at, onOpen, shoe }: { t: Plotted; width: number; at: number | null; onOpen: (p: PlottedPoint) => void; shoe: (id: string) => string }): JSX.Element {
  const style = useStyle();
  const f = t.shown_factor;
  const pairs = pairsOf(t);
  const days = [...t.points.map((p) => T(p.day)), ...t.load.map((w) => T(w.week_start))];
  const ext = extent(days) ?? [0, 1];
  const left = 46;
  const x = scale([ext[0] - 1, ext[1] + 4], [left, width - 12]);
  const r = t.reference;
  const yExt = extent([...t.points.flatMap((p) => [(p.value + (p.sigma ?? 0)) * f, (p.value - (p.sigma ?? 0)) * f]), ...(r ? [r.low * f, r.high * f] : [])], 0.1) ?? [0, 1];
  const yBottom = H.top + H.main;
  const y = scale(yExt, [yBottom - 6, H.top + 8]);
  const ty = ticks(yExt, 5);
  const places = ty.length > 1 ? stepDecimals((ty[1] as number) - (ty[0] as number)) : 1;
  const flagsY = yBottom + H.flags;
  const symTop = flagsY + 8;
  const symH = t.symptoms ? H.symptoms : 0;
  const sy = scale([0, 10], [symTop + symH, symTop + 6]);
  const loadTop = symTop + symH + 12;
  const top = Math.max(1, ...t.load.map((w) => w.km)) * 1.1;
  const ly = scale([0, top], [loadTop + H.load, loadTop]);
  const height = loadTop + H.load + H.axis;
  const step = Math.max(1, Math.ceil(t.load.length / Math.max(2, Math.floor(width / 90))));
  const s = t.smallest_change ? t.smallest_change.value * f : null;
  const weekW = Math.max(3, x(7) - x(0) - 3);
  return (
    <svg class="axes trend" width={width} height={height} viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
      {t.shoes.map((b) => (
        <g key={`${b.shoe}${b.from}`}>
          <rect x={x(T(b.from) - 0.9)} width={Math.max(4, x(T(b.to) + 0.9) - x(T(b.from) - 0.9))} y={H.top - 12} height="7" rx="2" class={`shoe-${pairs.indexOf(b.shoe) % 3}`}><title>{shoe(b.shoe)}</title></rect>
        </g>
      ))}
      {t.grounds.filter((g) => g.ground && g.ground !== "hard").map((g) => <rect key={`${g.ground}${g.from}`} x={x(T(g.from) - 0.4)} width={Math.max(3, x(T(g.to) + 0.4) - x(T(g.from) - 0.4))} y={yBottom - 5} height="5" class="groundband"><title>{g.ground} ground</title></rect>)}
      {ty.map((v) => <g key={v}><line x1={left} x2={width - 12} y1={y(v)} y2={y(v)} class="grid" /><text x={left - 6} y={y(v) + 3.5} class="tick end">{number(v, places, style)}</text></g>)}
      {r ? <><rect x={left} width={width - 12 - left} y={y(r.high * f)} height={Math.max(1, y(r.low * f) - y(r.high * f))} class={`band${r.state === "learning" ? " learning" : ""}`} /><line x1={left} x2={width - 12} y1={y(r.mid * f)} y2={y(r.mid * f)} class="usual" /></> : null}
      <path d={brokenPath(t.rolling42.map((p) => T(p.day)), t.rolling42.map((p) => p.value * f), x, y)} class="line-second dashed" />
      {t.points.map((p, i) => {
        const px = x(T(p.day));
        const py = y(p.value * f);
        const low = p.data === "poor" || p.data === "none";
        return (
          <g key={p.session} class={`point${i === at ? " at" : ""}${low ? " low" : ""}`} onClick={() => onOpen(p)}>
            {p.sigma && p.at_speed ? <line x1={px} x2={px} y1={y((p.value - p.sigma) * f)} y2={y((p.value + p.sigma) * f)} class="err" /> : null}
            {p.at_speed ? <circle cx={px} cy={py} r={5} class={low ? "hollow stroke-accent dotted" : "fill-accent"} /> : <circle cx={width - 16} cy={py} r={4} class="hollow stroke-accent"><title>{`${p.day}: ${p.why_not ?? "not at this speed"}`}</title></circle>}
            {p.runs_in_reference && p.at_speed ? <circle cx={px} cy={py} r={8} class="hollow ref" /> : null}
            {i === at ? <line x1={px} x2={px} y1={H.top} y2={loadTop + H.load} class="cursor" /> : null}
          </g>
        );
      })}
      {s && r ? (
        <g class="scalebar">
          <line x1={left + 10} x2={left + 10} y1={y(yExt[1]) + 4} y2={y(yExt[1]) + 4 + (y(0) - y(s))} />
          <line x1={left + 6} x2={left + 14} y1={y(yExt[1]) + 4} y2={y(yExt[1]) + 4} />
          <line x1={left + 6} x2={left + 14} y1={y(yExt[1]) + 4 + (y(0) - y(s))} y2={y(yExt[1]) + 4 + (y(0) - y(s))} />
          <text x={left + 18} y={y(yExt[1]) + 10} class="tick">smallest change beyond noise</text>
        </g>
      ) : null}
      <line x1={left} x2={width - 12} y1={yBottom} y2={yBottom} class="axis" />
      <text x={2} y={flagsY - 6} class="tick">flags</text>
      {t.flags.filter((g) => T(g.day) >= ext[0] - 1).map((g) => <LevelGlyph key={`${g.id}${g.day}`} level={g.level} x={x(T(g.day))} y={flagsY - 5} title={`${g.id} ${g.level} from ${g.day}`} />)}
      {t.symptoms ? (
        <>
          <text x={2} y={symTop + 14} class="tick">back</text>
          <text x={2} y={symTop + 26} class="tick">0–10</text>
          {[3, 6].map((v) => <line key={v} x1={left} x2={width - 12} y1={sy(v)} y2={sy(v)} class="grid" />)}
          {t.symptoms.map((d) => (
            <g key={d.day}>
              {typeof d.worst === "number" ? <rect x={x(T(d.day)) - 2.5} width="5" y={sy(d.worst)} height={Math.max(1.5, sy(0) - sy(d.worst))} class="symptom" /> : null}
              {typeof d.morning === "number" ? <circle cx={x(T(d.day) + 1)} cy={sy(d.morning)} r="2.4" class="hollow" /> : null}
            </g>
          ))}
          <line x1={left} x2={width - 12} y1={sy(0)} y2={sy(0)} class="axis" />
        </>
      ) : null}
      <text x={2} y={loadTop + 12} class="tick">{distanceUnit(style)}</text>
      <text x={2} y={loadTop + 24} class="tick">/week</text>
      {t.load.map((w, i) => (
        <g key={w.week_start}>
          <rect x={x(T(w.week_start) - 0.5) + 1} width={weekW} y={ly(w.km)} height={loadTop + H.load - ly(w.km)} class="bar" />
          {i % step === 0 ? <text x={x(T(w.week_start) - 0.5) + 1} y={loadTop + H.load + 15} class="tick">{shortDay(w.week_start, style)}</text> : null}
        </g>
      ))}
      <line x1={left} x2={width - 12} y1={loadTop + H.load} y2={loadTop + H.load} class="axis" />
    </svg>
  );
}

const VERDICT: Record<string, string> = { "no real change": "=", lower: "▽", higher: "△", learning: "…", "not enough data": "?" };

function Body({ all, part, setPart, speed, setSpeed }: { all: Trend; part: string; setPart: (v: string) => void; speed: string; setSpeed: (v: string | null) => void }): JSX.Element {
  const style = useStyle();
  const { metrics } = useSession();
  const silence = useSilence();
  const t = plotted(all);
  const names = useShoeNames(all.athlete);
  const shoe = (id: string): string => names(id) ?? id;
  const [at, setAt] = useState<number | null>(null);
  const how = { ...shown(metrics.get(t.metric), t.unit), factor: t.shown_factor };
  const text = (p: PlottedPoint): string => `${day(p.day, style)}: ${withUnit(p.value, how, style)}${p.sigma ? ` ± ${number(p.sigma * how.factor, how.decimals + 1, style)}` : ""}, Data ${p.data}${p.shoe ? `, ${shoe(p.shoe)}` : ""}${p.why_not ? `, ${p.why_not}` : ""}`;
  const open = (p: PlottedPoint): void => go(link(`/run/${p.session}`));
  const off = t.points.filter((p) => !p.at_speed).length;
  const p = at === null ? undefined : t.points[at];
  const ref = t.reference_speed_ms ?? null;
  return (
    <>
      {silence ? null : <div class={`verdict verdict-${t.verdict.word.replace(/ /g, "-")}`}>
        <span class="shape" aria-hidden="true">{VERDICT[t.verdict.word] ?? ""}</span>
        <div><strong>{t.verdict.word.charAt(0).toUpperCase() + t.verdict.word.slice(1)}</strong><p>{t.verdict.text}</p></div>
      </div>}
      <Panel>
        <Figure
          title={`${t.title} ${ref ? `at ${pace(ref, style)} ${paceUnit(style)}` : ""}`}
          level={2}
          says={`${t.points.length} runs. ${t.verdict.text}`}
          stops={t.points.length}
          describe={(i) => text(t.points[i] as PlottedPoint)}
          onStop={setAt}
          onEnter={(i) => { open(t.points[i] as PlottedPoint); return "Opening the run"; }}
          tools={
            <span class="row">
              <button type="button" class="quiet" disabled={!ref} title="Slower reference speed" onClick={() => setSpeed(String(Math.round(((ref ?? 3) - 0.1) * 100) / 100))}>Slower</button>
              <button type="button" class="quiet" disabled={!ref} title="Faster reference speed" onClick={() => setSpeed(String(Math.round(((ref ?? 3) + 0.1) * 100) / 100))}>Faster</button>
              {speed ? <button type="button" class="quiet" onClick={() => setSpeed(null)}>own median</button> : null}
            </span>
          }
          legend={
            <>
              <span class="key"><svg width="12" height="12" aria-hidden="true"><circle cx="6" cy="6" r="4.5" class="fill-accent" /></svg>a run</span>
              <span class="key"><svg width="18" height="18" aria-hidden="true"><circle cx="9" cy="9" r="4" class="fill-accent" /><circle cx="9" cy="9" r="7" class="hollow ref" /></svg>in the reference</span>
              <AreaKey kind="band">{t.reference?.state === "learning" ? "band, still learning" : "own band"}</AreaKey>
              <LineKey tone="second" dashed>42-day median</LineKey>
              {pairsOf(t).map((n, i) => <span key={n} class="key"><svg width="14" height="8" aria-hidden="true"><rect x="1" y="1" width="12" height="6" rx="2" class={`shoe-${i % 3}`} /></svg>{shoe(n)}</span>)}
              {t.grounds.some((g) => g.ground && g.ground !== "hard") ? <span class="key"><svg width="14" height="8" aria-hidden="true"><rect x="1" y="2" width="12" height="4" class="groundband" /></svg>soft or uneven ground</span> : null}
              {off ? <span class="key"><svg width="12" height="12" aria-hidden="true"><circle cx="6" cy="6" r="4" class="hollow stroke-accent" /></svg>at the edge: not at this speed ({off})</span> : null}
            </>
          }
          table={() => ({ name: `trend-${t.metric}`, head: ["day", `${t.title} (${how.unit})`, "±", "at this speed", "Data", "shoes", "ground", "in reference", "remark"], rows: t.points.map((q) => [q.day, q.value * how.factor, q.sigma ? q.sigma * how.factor : null, q.at_speed ? "yes" : "no", q.data, q.shoe ? shoe(q.shoe) : null, q.ground ?? null, q.runs_in_reference ? "yes" : "no", q.why_not ?? null]) })}
        >
          <Sized>{(w) => <Chart t={t} width={w} at={at} onOpen={open} shoe={shoe} />}</Sized>
        </Figure>
        <p class="readout">{p ? <><b>{text(p)}</b> <A to={`/run/${p.session}`}>open</A></> : <span class="muted">{t.points.length} runs{t.reference ? `; reference of ${t.reference.runs} runs, ${t.reference.state}` : "; no reference yet"}{t.smallest_change ? `; ${t.smallest_change.text.charAt(0).toLowerCase()}${t.smallest_change.text.slice(1).replace(/\.$/, "")}` : ""}. Click a point, or use the arrow keys.</span>}</p>
        <div class="row wrap">
          <Choice label="Part of each run" value={part} options={[["all", "Whole run"], ["first", "First 10 min"], ["last", "Last 10 min"]]} onChange={setPart} />
        </div>
        {t.symptoms ? null : <p class="note">Back scores are not shared with you, or not kept; the lane is left out.</p>}
      </Panel>
      <Runs t={all} shoe={shoe} />
    </>
  );
}

function Runs({ t, shoe }: { t: Trend; shoe: (id: string) => string }): JSX.Element {
  const style = useStyle();
  const { metrics } = useSession();
  const how = { ...shown(metrics.get(t.metric), t.unit), factor: t.shown_factor };
  return (
    <Panel title="Runs">
      <div class="table-scroll" tabIndex={0} role="region" aria-label="Runs of this trend">
        <table>
          <thead><tr><th scope="col">Day</th><th scope="col" class="n">Value</th><th scope="col" class="n">±</th><th scope="col">Data</th><th scope="col">Shoes</th><th scope="col">Used</th></tr></thead>
          <tbody>
            {[...t.points].reverse().slice(0, 12).map((p) => (
              <tr key={p.session}>
                <th scope="row"><A to={`/run/${p.session}`} class="row-link">{day(p.day, style)}</A></th>
                <td class={`n num ${p.at_speed ? "" : "muted"}`}>{withUnit(p.value, how, style)}</td>
                <td class="n num">{number(p.sigma ? p.sigma * how.factor : null, how.decimals + 1, style)}</td>
                <td><DataLabel data={p.data} /></td>
                <td>{p.shoe ? shoe(p.shoe) : NOTHING}</td>
                <td>{p.why_not ? <span class="muted">{p.why_not}</span> : p.runs_in_reference ? "reference" : "compared"}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="note">Weekly load of the range: {t.load.map((w) => distance(w.km, style, 0)).join(", ")} {distanceUnit(style)}.</p>
    </Panel>
  );
}

/** The trend without runs that have no value: those stand in the table below with their reason. */
const plotted = (t: Trend): Plotted => ({ ...t, points: t.points.filter((p): p is PlottedPoint => typeof p.value === "number") });

export default function Trends(): JSX.Element {
  const { metrics } = useSession();
  const [athlete] = useAthlete();
  const [range, setRange] = useParam("range", "8");
  const [metric, setMetric] = useParam("metric", "cadence");
  const [speed, setSpeed] = useParam("speed");
  const [part, setPart] = useParam("part", "all");
  const q = useApi<Trend>(athlete ? `/trends${query({ athlete, metric, weeks: Math.min(104, Number(range)), speed_ms: speed, part })}` : null);
  const options = useMemo(() => {
    const rest = [...metrics.keys()].filter((k) => !FIRST.includes(k)).sort();
    return [...FIRST.filter((k) => metrics.has(k)), ...rest].map((k) => [k, metrics.get(k)?.title ?? k] as const);
  }, [metrics]);
  const d = metrics.get(metric);
  return (
    <>
      <Head title="Trends" sub={d ? <>{d.doc} <span class="muted">{d.not_it}</span></> : undefined}>
        <span class="narrow-only"><Pick label="Range" hideLabel value={range} options={RANGES} onChange={setRange} /></span>
        <Pick label="Metric" value={metric} options={options} onChange={setMetric} />
      </Head>
      <Show q={q} rows={7} empty={(t) => !t.points.some((p) => typeof p.value === "number") && <Empty title="No run in this range has this metric.">A longer range, or another metric, may show some. {d?.title ?? metric} needs the sensors it is measured with.</Empty>}>
        {(t) => (
          <>
            {t.speed_known ? null : <Notice title="Speed unknown.">Values are shown as they were, not at one speed: without shoe sensors or satellites lope does not know the speed.</Notice>}
            <Body all={t} part={part} setPart={setPart} speed={speed} setSpeed={setSpeed} />
          </>
        )}
      </Show>
    </>
  );
}
