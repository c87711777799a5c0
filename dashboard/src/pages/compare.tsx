/** A against B, never by raw means: metric against speed with fits, a table with the smallest change, pelvis curves. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Compare, CompareRow, CompareSide, Listing, SessionFull, SessionItem, Shoe } from "../api";
import { query, useApi } from "../http";
import { useStyle } from "../prefs";
import { clock, count, day, number, pace, paceUnit, sentence, shortDay, shown, signed, withUnit } from "../pure/format";
import { extent } from "../pure/geometry";
import { markLabel } from "../pure/marks";
import { useParam } from "../router";
import { useAthlete, useSession } from "../session";
import { Empty, Head, Notice, Panel, Pick, Show } from "../ui/basics";
import { Axes, type CurveLine, CycleCurves, Dot } from "../ui/graphics";
import { Figure, LineKey, SideKey } from "../ui/table";

const dayBack = (n: number): string => new Date(Date.now() - n * 86_400_000).toISOString().slice(0, 10);

/** One lap of a run, by the marks that end one. */
function LapPick({ label, session, lap, onChange }: { label: string; session: string; lap: string; onChange: (lap: string) => void }): JSX.Element {
  const q = useApi<SessionFull>(session ? `/sessions/${session}` : null);
  const marks = (q.data?.events ?? []).filter((e) => markLabel(e) === "lap").map((e) => e.t_s).sort((x, y) => x - y);
  if (q.data && marks.length === 0) return <span class="muted">no lap was marked in this run</span>;
  const edges = [0, ...marks, q.data?.duration_s ?? marks.at(-1) ?? 0];
  return <Pick label={`${label}: lap`} hideLabel value={lap} options={edges.slice(1).map((to, i) => [String(i + 1), `Lap ${i + 1} · ${clock(edges[i] ?? 0)} to ${clock(to)}`] as const)} onChange={onChange} />;
}

/** A choice of a side of the comparison: a run, a lap of one, a pair of shoes, a ground, the time before or from a day. */
function Chooser({ label, value, onChange, sessions, shoes }: { label: string; value: string; onChange: (v: string) => void; sessions: SessionItem[]; shoes: Shoe[] }): JSX.Element {
  const style = useStyle();
  const at = value.indexOf(":");
  const [kind, rest] = at < 0 ? ["run", value] : [value.slice(0, at), value.slice(at + 1)];
  const [lapRun, lap] = kind === "lap" ? [rest.slice(0, rest.lastIndexOf(":")), rest.slice(rest.lastIndexOf(":") + 1)] : [kind === "run" ? rest : (sessions[0]?.id ?? ""), "1"];
  const set = (k: string): void => onChange(k === "run" ? lapRun : k === "lap" ? `lap:${lapRun}:${label === "B" ? 2 : 1}` : k === "shoe" ? `shoe:${shoes[0]?.id ?? ""}` : k === "ground" ? "ground:hard" : `${k}:${rest && /^\d{4}-/.test(rest) ? rest : dayBack(14)}`);
  const runs = sessions.map((s) => [s.id, `${day(s.day, style)} · ${number(s.distance_km, 1, style)} km`] as const);
  return (
    <div class="chooser">
      <span class="chooser-name">{label}</span>
      <Pick label={`${label}: kind`} hideLabel value={kind} options={[["run", "One run"], ["lap", "A lap"], ["before", "Before a day"], ["after", "From a day on"], ["shoe", "Shoes"], ["ground", "Ground"]]} onChange={set} />
      {kind === "run" ? <Pick label={`${label}: run`} hideLabel value={rest} options={runs} onChange={onChange} />
        : kind === "lap" ? <><Pick label={`${label}: run`} hideLabel value={lapRun} options={runs} onChange={(v) => onChange(`lap:${v}:1`)} /><LapPick label={label} session={lapRun} lap={lap} onChange={(n) => onChange(`lap:${lapRun}:${n}`)} /></>
        : kind === "shoe" ? <Pick label={`${label}: shoes`} hideLabel value={rest} options={shoes.map((s) => [s.id, s.name] as const)} onChange={(v) => onChange(`shoe:${v}`)} />
        : kind === "ground" ? <Pick label={`${label}: ground`} hideLabel value={rest} options={[["hard", "Hard"], ["uneven", "Uneven"], ["other", "Other"]]} onChange={(v) => onChange(`ground:${v}`)} />
        : <label class="pick"><span class="sr">{label}: day</span><input type="date" value={rest} onChange={(e) => e.currentTarget.value && onChange(`${kind}:${e.currentTarget.value}`)} /></label>}
    </div>
  );
}

const AKey = (): JSX.Element => <span class="key"><svg width="12" height="12" aria-hidden="true"><circle cx="6" cy="6" r="4.5" class="fill-a" /></svg>A</span>;
const BKey = (): JSX.Element => <span class="key"><svg width="12" height="12" aria-hidden="true"><path d="M6 1l5 9H1Z" class="fill-b" /></svg>B</span>;

function Scatter({ c }: { c: Compare }): JSX.Element | null {
  const { metrics } = useSession();
  const style = useStyle();
  const names = Object.keys(c.scatter);
  const [m, setM] = useState(names[0] ?? "");
  const s = c.scatter[m];
  if (!s) return null;
  const def = metrics.get(m);
  const how = shown(def, def?.unit ?? "");
  const all = [...s.a, ...s.b];
  const ex = extent(all.map((p) => p[0]), 0.04);
  const ey = extent(all.map((p) => p[1] * how.factor), 0.08);
  const title = `${def?.title ?? sentence(m)} against speed`;
  return (
    <Panel>
      {ex && ey ? (
        <Figure level={2} title={title} tools={<Pick label="Metric" hideLabel value={m} options={names.map((n) => [n, metrics.get(n)?.title ?? sentence(n)] as const)} onChange={setM} />} says={`${s.a.length} windows of A, ${s.b.length} of B.`} legend={<><AKey /><BKey />{s.fit_a ? <LineKey tone="a">fit of A</LineKey> : null}{s.fit_b ? <LineKey tone="b" dashed>fit of B</LineKey> : null}{c.shared_speed ? <span class="key"><i class="swatch swatch-shared" />shared speeds</span> : null}</>}
          table={() => ({ name: `compare-${m}`, head: ["side", "speed m/s", `${m} (${how.unit})`], rows: [...s.a.map((p) => ["A", p[0], p[1] * how.factor]), ...s.b.map((p) => ["B", p[0], p[1] * how.factor])] })}>
          <Axes x={ex} y={ey} xLabel={`pace ${paceUnit(style)}`} yLabel={how.unit} xText={(v) => pace(v, style)} frame={{ height: 300 }}>
            {(x, y) => (
              <>
                {c.shared_speed ? <rect x={x(Math.max(ex[0], c.shared_speed.low))} width={Math.max(0, x(Math.min(ex[1], c.shared_speed.high)) - x(Math.max(ex[0], c.shared_speed.low)))} y={y(ey[1])} height={y(ey[0]) - y(ey[1])} class="shared" /> : null}
                {s.a.map((p, i) => <Dot key={`a${i}`} x={x(p[0])} y={y(p[1] * how.factor)} r={2.8} tone="a" />)}
                {s.b.map((p, i) => { const px = x(p[0]); const py = y(p[1] * how.factor); return <path key={`b${i}`} d={`M${px.toFixed(1)} ${(py - 3.4).toFixed(1)}l3.4 6h-6.8Z`} class="fill-b" />; })}
                {([["a", s.fit_a, false], ["b", s.fit_b, true]] as const).map(([k, f, dashed]) => f && f.length > 1 ? <polyline key={k} points={f.map((p) => `${x(p[0]).toFixed(1)},${y(p[1] * how.factor).toFixed(1)}`).join(" ")} class={`line-${k} fit${dashed ? " dashed" : ""}`} /> : null)}
              </>
            )}
          </Axes>
        </Figure>
      ) : <p class="muted">No windows to show.</p>}
    </Panel>
  );
}

function Row({ r }: { r: CompareRow }): JSX.Element {
  const { metrics } = useSession();
  const style = useStyle();
  const how = shown(metrics.get(r.metric), r.unit);
  const u = how.unit === "°" ? "°" : ` ${how.unit}`;
  return (
    <tr class={r.beyond_noise ? "beyond" : ""}>
      <th scope="row">{r.title}{r.side === "both" ? "" : <> <SideKey side={r.side}>{r.side === "left" ? "L" : "R"}</SideKey></>}</th>
      <td class="n num">{withUnit(r.a, how, style)}</td>
      <td class="n num">{withUnit(r.b, how, style)}</td>
      <td class="n num">{typeof r.delta === "number" ? <b>{signed(r.delta * how.factor, how.decimals, style)}{u}</b> : <span class="absent">–</span>}{typeof r.low === "number" && typeof r.high === "number" ? <span class="row-sub">{signed(r.low * how.factor, how.decimals, style)} to {signed(r.high * how.factor, how.decimals, style)}</span> : null}</td>
      <td class="n num">{withUnit(r.smallest_change, how, style)}</td>
      <td>{r.beyond_noise === true ? <b>yes</b> : r.beyond_noise === false ? <span class="muted">no real change</span> : <span class="why">{r.why ?? "cannot tell"}</span>}</td>
      <td class="n num muted">{number(r.n_a, 0, style)} / {number(r.n_b, 0, style)}</td>
    </tr>
  );
}

const sideText = (s: CompareSide, style: ReturnType<typeof useStyle>): string => `${s.label}: ${count(s.sessions.length, "run", style)}${s.day_from ? `, ${shortDay(s.day_from, style)}${s.day_to && s.day_to !== s.day_from ? ` to ${shortDay(s.day_to, style)}` : ""}` : ""}`;

function Body({ c }: { c: Compare }): JSX.Element {
  const style = useStyle();
  if (c.a.sessions.length === 0 || c.b.sessions.length === 0) return <Empty title={`${c.a.sessions.length === 0 ? "A" : "B"} has no runs.`}>{c.note ? `${c.note} ` : ""}Choose another run, lap, pair, ground or day.</Empty>;
  const planes = (["tilt", "obliquity", "rotation"] as const).map((k) => ({ k, lines: ([["A", c.curves.a, "a"], ["B", c.curves.b, "b"]] as const).flatMap(([key, v, tone]): CurveLine[] => (v ? [{ key, percent: v.percent, values: v[k].mean, sd: v[k].sd, tone, dashed: key === "B" }] : [])) }));
  return (
    <>
      <p class="sides"><span><AKey /> {sideText(c.a, style)}</span><span><BKey /> {sideText(c.b, style)}</span>{c.shared_speed ? <span class="muted">shared speeds {pace(c.shared_speed.low, style)} to {pace(c.shared_speed.high, style)} {paceUnit(style)}</span> : null}</p>
      {c.shared_speed ? null : <Notice tone="care" title="The speeds do not overlap.">{c.note ?? "A and B were not run at common speeds, so they are shown but not compared."}</Notice>}
      {c.shared_speed && c.note ? <Notice>{c.note}</Notice> : null}
      <div class="two compare">
        <Scatter c={c} />
        <Panel title="At the shared speeds">
          <div class="table-scroll" tabIndex={0} role="region" aria-label="Comparison">
            <table class="compare-table"><thead><tr><th scope="col">Metric</th><th scope="col" class="n">A</th><th scope="col" class="n">B</th><th scope="col" class="n">B − A, 95 %</th><th scope="col" class="n">Smallest change</th><th scope="col">More than noise?</th><th scope="col" class="n">n A / B</th></tr></thead><tbody>{c.rows.map((r) => <Row key={`${r.metric}${r.side}`} r={r} />)}</tbody></table>
          </div>
        </Panel>
      </div>
      <Panel>
        {planes[0]?.lines.length ? (
          <Figure level={2} title="Pelvis over the left stride" says={`Tilt, obliquity and rotation of A, solid (${c.curves.a?.strides ?? 0} strides), and B, dashed (${c.curves.b?.strides ?? 0} strides). ${c.curves.zero_text ?? ""}`} legend={<><LineKey tone="a">A</LineKey><LineKey tone="b" dashed>B</LineKey><span class="muted">area: ± 1 SD</span></>}
            table={() => ({ name: "compare-pelvis", head: ["side", "%", "tilt °", "obliquity °", "rotation °"], rows: ([["A", c.curves.a], ["B", c.curves.b]] as const).flatMap(([k, v]) => (v ? v.percent.map((p, i) => [k, p, v.tilt.mean[i] ?? null, v.obliquity.mean[i] ?? null, v.rotation.mean[i] ?? null]) : [])), decimals: 1 })}>
            <div class="three">{planes.map((p) => <CycleCurves key={p.k} title={p.k} lines={p.lines} />)}</div>
          </Figure>
        ) : <p class="muted">No pelvis curves.</p>}
        {(["a", "b"] as const).map((k) => (c.curves[`${k}_why_not`] ? <p key={k} class="muted">{k.toUpperCase()}: {c.curves[`${k}_why_not`]}</p> : null))}
      </Panel>
    </>
  );
}

export default function ComparePage(): JSX.Element {
  const [athlete] = useAthlete();
  const [a, setA] = useParam("a", `before:${dayBack(14)}`);
  const [b, setB] = useParam("b", `after:${dayBack(14)}`);
  const sessions = useApi<Listing<SessionItem>>(athlete ? `/sessions${query({ athlete, limit: 100 })}` : null);
  const shoes = useApi<Listing<Shoe>>(athlete ? `/shoes${query({ athlete })}` : null);
  const q = useApi<Compare>(athlete ? `/compare${query({ athlete, a, b })}` : null);
  const runs = sessions.data?.items.filter((s) => s.strides > 0) ?? [];
  return (
    <>
      <Head title="Compare" sub="Two runs, laps, pairs of shoes, grounds or times, at the speeds they share" />
      <div class="choosers">
        <Chooser label="A" value={a} onChange={setA} sessions={runs} shoes={shoes.data?.items ?? []} />
        <Chooser label="B" value={b} onChange={setB} sessions={runs} shoes={shoes.data?.items ?? []} />
        <button type="button" class="quiet" onClick={() => { const x = a; setA(b); setB(x); }}>Swap A and B</button>
      </div>
      <Show q={q} rows={7}>{(c) => <Body c={c} />}</Show>
    </>
  );
}
