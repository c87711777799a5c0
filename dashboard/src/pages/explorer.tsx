/** A run in full: synced overview strips with hatched gaps, a brushed selection, its strides, and one stride down to raw samples. */
import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import type { Listing, Series, SessionFull, Stride } from "../api";
import { query, useApi } from "../http";
import { useStyle } from "../prefs";
import { clock, count, number, NOTHING, placeName, runDay, sentence, shown, withUnit } from "../pure/format";
import { absentSpans, extent, histogram, median, mergeSpans, type Span } from "../pure/geometry";
import { doubtOf, markLabel } from "../pure/marks";
import { A, useParam } from "../router";
import { useSession } from "../session";
import { Choice, DataLabel, Empty, Head, Notice, Panel, Show } from "../ui/basics";
import { Axes, CoverageBar, Dot } from "../ui/graphics";
import { Figure, SideKey } from "../ui/table";
import { type Line, type Mark, TimeChart } from "../ui/timechart";
import { Multiples } from "./multiples";
import { StrideDetail } from "./stride";

const STRIPS: { metrics: [string, string?]; sides: boolean }[] = [
  { metrics: ["speed"], sides: false },
  { metrics: ["cadence"], sides: false },
  { metrics: ["stride_length"], sides: false },
  { metrics: ["contact_time"], sides: true },
  { metrics: ["pelvis_drop"], sides: true },
  { metrics: ["pelvis_tilt"], sides: false },
];
const BOTH = "speed,cadence,stride_length,pelvis_tilt";
const SIDED = "contact_time,pelvis_drop";
/** Narrow enough to see a minute, wide enough that a walking or running foot lands in each. */
const bucketsOf = (duration: number): number => Math.max(1, Math.min(480, Math.floor(duration / 5)));

function Overview({ s, selection, onSelect }: { s: SessionFull; selection: Span | null; onSelect: (v: Span | null) => void }): JSX.Element {
  const { metrics } = useSession();
  const BUCKETS = bucketsOf(s.duration_s ?? 0);
  const both = useApi<Series>(`/sessions/${s.id}/series${query({ metrics: BOTH, side: "both", buckets: BUCKETS })}`);
  const left = useApi<Series>(`/sessions/${s.id}/series${query({ metrics: SIDED, side: "left", buckets: BUCKETS })}`);
  const right = useApi<Series>(`/sessions/${s.id}/series${query({ metrics: SIDED, side: "right", buckets: BUCKETS })}`);
  const marks: Mark[] = s.events.flatMap((e) => { const label = markLabel(e); return label ? [{ at: e.t_s, label }] : []; });
  return (
    <Show q={both} rows={6}>
      {(d) => (
        <div class="strips">
          {STRIPS.map(({ metrics: [m], sides }) => {
            const def = metrics.get(m);
            const how = shown(def, def?.unit ?? "");
            const from = (q: Series | undefined, side: "both" | "left" | "right"): (number | null)[] | undefined => q?.series[m]?.[side]?.mean.map((v) => (v === null ? null : v * how.factor));
            const title = def?.title ?? sentence(m);
            const lines: Line[] = [];
            if (sides) {
              const l = from(left.data, "left");
              const r = from(right.data, "right");
              if (l) lines.push({ key: "l", label: "left", unit: how.unit, values: l, tone: "left", decimals: how.decimals });
              if (r) lines.push({ key: "r", label: "right", unit: how.unit, values: r, tone: "right", decimals: how.decimals });
            } else {
              const v = from(d, "both");
              if (v) lines.push({ key: "v", label: title, unit: how.unit, values: v, tone: "accent", decimals: how.decimals });
            }
            if (lines.length === 0) {
              if (sides && (left.loading || right.loading)) return <div key={m} class="skeleton strip"><i /></div>;
              return <div key={m} class="strip-none"><h3>{title}</h3><span class="hatched wide" /><span class="muted">not measured: a sensor it needs was not worn</span></div>;
            }
            const gaps = mergeSpans(lines.flatMap((l) => absentSpans(d.t_s, l.values, d.width_s)));
            return (
              <div key={m} class="strip">
                <TimeChart title={title} name={`${s.id}-${m}`} x={d.t_s} lines={lines} tools={sides && s.events.some((e) => e.kind.includes("swapped")) ? <span class="doubt">sides in doubt</span> : null} height={108} sync="run" gaps={gaps} marks={marks} selection={selection} onSelect={onSelect} from={0} to={s.duration_s ?? d.t_s.at(-1) ?? 1} />
              </div>
            );
          })}
          <p class="muted small">Elevation is not measured: these sensors do not know height, and no imported track of the run is kept with altitude.</p>
        </div>
      )}
    </Show>
  );
}

const DISTRIBUTED = ["contact_time", "stride_length", "pelvis_drop", "cadence", "foot_strike_angle", "overstride_distance", "sacral_peak_acc"];

function Distributions({ strides }: { strides: Stride[] }): JSX.Element | null {
  const { metrics } = useSession();
  const style = useStyle();
  const [chosen, setM] = useState("");
  const some = DISTRIBUTED.filter((k) => metrics.has(k) && strides.some((x) => typeof x.metrics[k] === "number"));
  const m = chosen || some[0] || "cadence";
  const def = metrics.get(m);
  const how = shown(def, def?.unit ?? "");
  const values = (side: "left" | "right"): number[] => strides.filter((x) => x.side === side && typeof x.metrics[m] === "number").map((x) => (x.metrics[m] as number) * how.factor);
  const l = values("left");
  const r = values("right");
  const ext = extent([...l, ...r], 0.05);
  const options = some.map((k) => [k, metrics.get(k)?.title ?? k] as const);
  const bins = 24;
  const hl = ext ? histogram(l, ext, bins) : [];
  const hr = ext ? histogram(r, ext, bins) : [];
  const top = Math.max(1, ...hl, ...hr);
  const ml = median(l);
  const mr = median(r);
  const pts = strides.filter((x) => typeof x.metrics[m] === "number" && typeof x.metrics.speed === "number");
  const sx = extent(pts.map((p) => p.metrics.speed as number), 0.05);
  return (
    <Panel title="Distributions of the selection" tools={<label class="pick"><span class="sr">Metric</span><select value={m} onChange={(e) => setM(e.currentTarget.value)}>{options.map(([k, t]) => <option key={k} value={k}>{t}</option>)}</select></label>}>
      {ext ? (
        <div class="two even">
          <Figure title={`${def?.title ?? m}, left and right`} says={`Median left ${number(ml, how.decimals, style)}, right ${number(mr, how.decimals, style)} ${how.unit}.`}
            legend={<><SideKey side="left">left {number(ml, how.decimals, style)} {how.unit}, n {l.length}</SideKey><SideKey side="right">right {number(mr, how.decimals, style)} {how.unit}, n {r.length}</SideKey></>}
            table={() => ({ name: `distribution-${m}`, head: [`from (${how.unit})`, "left", "right"], rows: hl.map((n, i) => [ext[0] + ((ext[1] - ext[0]) * i) / bins, n, hr[i] ?? 0]) })}>
            <Axes x={ext} y={[-top, top]} xLabel={how.unit} yLabel="strides" yText={(v) => String(Math.abs(v))}>
              {(x, y) => (
                <>
                  {hl.map((n, i) => <rect key={i} x={x(ext[0] + ((ext[1] - ext[0]) * i) / bins) + 0.5} width={Math.max(1, (x(ext[1]) - x(ext[0])) / bins - 1)} y={y(n)} height={y(0) - y(n)} class="fill-left" />)}
                  {hr.map((n, i) => <rect key={i} x={x(ext[0] + ((ext[1] - ext[0]) * i) / bins) + 0.5} width={Math.max(1, (x(ext[1]) - x(ext[0])) / bins - 1)} y={y(0)} height={y(-n) - y(0)} class="fill-right" />)}
                  {ml !== undefined ? <line x1={x(ml)} x2={x(ml)} y1={y(top)} y2={y(0)} class="usual" /> : null}
                  {mr !== undefined ? <line x1={x(mr)} x2={x(mr)} y1={y(0)} y2={y(-top)} class="usual" /> : null}
                </>
              )}
            </Axes>
          </Figure>
          {sx ? (
            <Figure title={`${def?.title ?? m} against speed`} says={`${pts.length} strides.`} legend={<><SideKey side="left" /><SideKey side="right" /></>}
              table={() => ({ name: `speed-${m}`, head: ["speed (m/s)", `${m} (${how.unit})`, "side"], rows: pts.map((p) => [p.metrics.speed ?? null, (p.metrics[m] as number) * how.factor, p.side ?? null]) })}>
              <Axes x={sx} y={ext} xLabel="m/s" yLabel={how.unit}>
                {(x, y) => pts.map((p) => <Dot key={`${p.idx}${p.side}`} x={x(p.metrics.speed as number)} y={y((p.metrics[m] as number) * how.factor)} r={2.4} tone={p.side ?? "accent"} square={p.side === "right"} />)}
              </Axes>
            </Figure>
          ) : null}
        </div>
      ) : <p class="muted">The selection has no strides with this metric.</p>}
    </Panel>
  );
}

const SELECTS = [["typical", "Typical"], ["longest", "Longest"], ["shortest", "Shortest"], ["most_asymmetric", "Most uneven"], ["poor", "Low quality"], ["marked", "Marked as bad"]] as const;
type SelectKind = (typeof SELECTS)[number][0];

function StrideRow({ x, open }: { x: Stride; open: (x: Stride) => void }): JSX.Element {
  const { metrics } = useSession();
  const style = useStyle();
  const show = (m: string): string => {
    const d = metrics.get(m);
    return withUnit(x.metrics[m], shown(d, d?.unit ?? ""), style);
  };
  return (
    <tr class={x.verdict?.bad ? "struck" : x.class === "D" ? "low" : ""}>
      <th scope="row"><button type="button" class="quiet-link" onClick={() => open(x)}><span>{clock(x.t_s)}.{Math.floor((x.t_s % 1) * 10)}</span><span class="sr"> {x.side ?? ""} stride, open</span></button></th>
      <td>{x.side ? <SideKey side={x.side} /> : <span class="muted">unknown</span>}</td>
      <td class="n num">{show("speed")}</td>
      <td class="n num">{show("cadence")}</td>
      <td class="n num">{show("stride_length")}</td>
      <td class="n num">{show("contact_time")}</td>
      <td class="n num">{show("pelvis_drop")}</td>
      <td><DataLabel data={x.class === "A" ? "good" : x.class === "B" ? "fair" : "poor"} /></td>
      <td class="muted">{x.verdict?.bad ? <b>{x.verdict.by ? `marked as bad by ${x.verdict.by}` : "marked as bad"}. </b> : null}{x.flags.filter((f) => f !== "marked_bad").map(sentence).join(", ") || (x.verdict?.bad ? "" : Object.keys(x.absent).length ? `${Object.keys(x.absent).length} not measured` : NOTHING)}</td>
    </tr>
  );
}

export default function Explorer({ session }: { session: string }): JSX.Element {
  const style = useStyle();
  const q = useApi<SessionFull>(`/sessions/${session}`);
  const [from, setFrom] = useParam("from");
  const [to, setTo] = useParam("to");
  const [kind, setKind] = useParam("pick", "typical");
  const [stride, setStride] = useParam("stride");
  const [strideSide, setStrideSide] = useParam("side");
  const selection = useMemo<Span | null>(() => (from !== "" && to !== "" && Number(to) > Number(from) ? { from: Number(from), to: Number(to) } : null), [from, to]);
  const select = (v: Span | null): void => {
    setFrom(v ? Math.floor(v.from) : null);
    setTo(v ? Math.ceil(v.to) : null);
  };
  const range = { from_s: selection?.from ?? null, to_s: selection?.to ?? null };
  const list = useApi<Listing<Stride>>(q.data?.strides ? `/sessions/${session}/strides${query({ ...range, select: kind, limit: 20 })}` : null);
  const sample = useApi<Listing<Stride>>(q.data?.strides ? `/sessions/${session}/strides${query({ ...range, select: "typical", limit: 400 })}` : null);
  const s = q.data;
  const laps = s?.events.filter((x) => markLabel(x) === "lap").length ?? 0;
  const open = (x: Pick<Stride, "idx" | "side">): void => {
    setStrideSide(x.side ?? null);
    setStride(x.idx);
    requestAnimationFrame(() => document.getElementById("stride")?.scrollIntoView({ block: "start", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" }));
  };
  return (
    <>
      <Head title={s ? <>{s.run_kind ? sentence(s.run_kind) : "Run"} <span class="light">{runDay(s, style)}</span></> : "Run"} sub={s ? `${s.athlete_name} · ${clock(s.duration_s)} · ${count(s.strides, "stride", style)}` : "\u00a0"}>
        <A to={`/run/${session}/card`} class="button">Card</A>
        <A to={laps ? `/compare?a=lap:${session}:1&b=lap:${session}:2` : `/compare?a=${session}`} class="button">{laps ? "Compare laps" : "Compare"}</A>
      </Head>
      <Show q={q} rows={6}>
        {(d) => (
          <>
            {d.events.filter((e) => doubtOf(e)).slice(0, 4).map((e) => <Notice key={`${e.kind}${e.t_s}`} tone="care" title={doubtOf(e)}>At {clock(e.t_s)}. {d.left_out ? "The run is left out of your usual and of trends. " : ""}{e.kind.includes("swapped") ? "If so, what stands at left belongs to the right foot." : ""}</Notice>)}
            {d.run_values && !d.run_values.eligible ? <Notice title="Not used for flags.">{d.run_values.why_not.join(" ")}</Notice> : null}
            {d.strides === 0 ? <Empty title="No strides in this run.">It was imported: distance, time and what was typed in are kept; no sensor was worn.</Empty> : (
              <>
                <Panel title="Overview" tools={<SelectionTools duration={d.duration_s ?? 0} selection={selection} onSelect={select} />} note="Drag across a strip, or type times, to select a part.">
                  <Overview s={d} selection={selection} onSelect={select} />
                  {d.coverage.length ? <details class="more-detail"><summary>What each sensor saw</summary><CoverageBar coverage={d.coverage} duration={d.duration_s ?? 0} /></details> : null}
                </Panel>
                {sample.data?.items.length ? <Distributions strides={sample.data.items} /> : null}
                <Panel title={<>Strides {selection ? <span class="muted">{clock(selection.from)} to {clock(selection.to)}</span> : null}</>} tools={<Choice label="Which strides" value={kind as SelectKind} options={SELECTS} onChange={setKind} />}>
                  <Show q={list} empty={(l) => l.items.length === 0 && <Empty title="No strides in this part." />}>
                    {(l) => (
                      <div class="table-scroll" tabIndex={0} role="region" aria-label="Strides">
                        <table class="strides">
                          <thead><tr><th scope="col">Time</th><th scope="col">Foot</th><th scope="col" class="n">Speed</th><th scope="col" class="n">Cadence</th><th scope="col" class="n">Stride</th><th scope="col" class="n">Contact</th><th scope="col" class="n">Drop</th><th scope="col">Data</th><th scope="col">Remarks</th></tr></thead>
                          <tbody>{l.items.map((x) => <StrideRow key={`${x.idx}${x.side}`} x={x} open={open} />)}</tbody>
                        </table>
                      </div>
                    )}
                  </Show>
                </Panel>
                {s?.sensors.some((x) => x.placement === "sacrum") ? <Multiples session={session} range={range} open={open} /> : null}
                {stride !== "" ? <StrideDetail session={d} idx={Number(stride)} side={strideSide || null} onClose={() => setStride(null)} /> : null}
                <Panel title="The whole run in numbers">
                  <Numbers s={d} />
                </Panel>
                <Panel title="Clocks and calibration">
                  <div class="table-scroll" tabIndex={0} role="region" aria-label="Clocks"><table><thead><tr><th scope="col">Sensor</th><th scope="col" class="n">Clock</th><th scope="col" class="n">Left over</th><th scope="col">Calibration</th></tr></thead>
                    <tbody>{d.outcomes.map((o) => <tr key={o.placement}><th scope="row">{placeName(o.placement)}</th><td class="n num">{number(o.clock_ppm, 1, style)} ppm</td><td class="n num">{number(typeof o.clock_residual_us === "number" ? o.clock_residual_us / 1000 : null, 2, style)} ms</td><td>{o.calibration ? "stood still" : <span class="muted">none</span>}</td></tr>)}</tbody></table></div>
                </Panel>
              </>
            )}
          </>
        )}
      </Show>
    </>
  );
}

function SelectionTools({ duration, selection, onSelect }: { duration: number; selection: Span | null; onSelect: (v: Span | null) => void }): JSX.Element {
  const parse = (t: string): number | null => {
    const m = /^(?:(\d+):)?(\d{1,3}):(\d\d)$/.exec(t.trim());
    return m ? Number(m[1] ?? 0) * 3600 + Number(m[2]) * 60 + Number(m[3]) : null;
  };
  const [a, setA] = useState("");
  const [b, setB] = useState("");
  const apply = (e: Event): void => {
    e.preventDefault();
    const f = parse(a) ?? 0;
    const t = parse(b) ?? duration;
    if (t > f) onSelect({ from: f, to: Math.min(t, duration) });
  };
  return (
    <form class="row selection" onSubmit={apply}>
      {selection ? <><span class="num">{clock(selection.from)} to {clock(selection.to)}</span><button type="button" class="quiet" onClick={() => onSelect(null)}>Whole run</button></> : null}
      <label><span class="sr">From</span><input class="time" placeholder="0:00" value={a} onInput={(e) => setA(e.currentTarget.value)} aria-label="Selection from, minutes:seconds" /></label>
      <label><span class="sr">To</span><input class="time" placeholder={clock(duration)} value={b} onInput={(e) => setB(e.currentTarget.value)} aria-label="Selection to, minutes:seconds" /></label>
      <button type="submit">Select</button>
    </form>
  );
}

function Numbers({ s }: { s: SessionFull }): JSX.Element {
  const { metrics } = useSession();
  const style = useStyle();
  return (
    <div class="table-scroll" tabIndex={0} role="region" aria-label="Summary">
      <table>
        <thead><tr><th scope="col">Metric</th><th scope="col">Side</th><th scope="col" class="n">Median</th><th scope="col" class="n">Middle 80 %</th><th scope="col" class="n">n</th><th scope="col">Data</th></tr></thead>
        <tbody>
          {s.summary.map((r) => {
            const d = metrics.get(r.metric);
            const h = shown(d, d?.unit ?? "");
            return (
              <tr key={`${r.metric}${r.side}`}>
                <th scope="row"><abbr title={`${d?.doc ?? ""} ${d?.not_it ?? ""}`}>{d?.title ?? sentence(r.metric)}</abbr></th>
                <td>{r.side === "both" ? <span class="muted">both</span> : <SideKey side={r.side} />}</td>
                <td class="n num"><b>{withUnit(r.median, h, style)}</b></td>
                <td class="n num">{number(r.p10 * h.factor, h.decimals, style)} to {number(r.p90 * h.factor, h.decimals, style)}</td>
                <td class="n num">{number(r.n, 0, style)}</td>
                <td><DataLabel data={s.data} /></td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
