/** One stride down to the samples: raw acceleration and rotation with event lines, foot path, pelvis angles, how each number was made. */
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Explain, FootPath as Path, Raw, Said, SessionFull, Stride, Verdict } from "../api";
import { call, changed, query, useApi } from "../http";
import { useStyle } from "../prefs";
import { clock, day, NOTHING, number, placeName, sentence, shown, timeOfDay, trimmed, withUnit } from "../pure/format";
import { brokenPath, extent } from "../pure/geometry";
import { useMay, useSession } from "../session";
import { Choice, DataLabel, Show } from "../ui/basics";
import { Axes, CycleCurves } from "../ui/graphics";
import { Figure, LineKey, SideKey } from "../ui/table";
import { type Line, TimeChart } from "../ui/timechart";

const AXES = ["forward", "left", "up"];
const TONES = ["accent", "second", "third"] as const;

function RawPlots({ raw, e }: { raw: Raw; e: Explain }): JSX.Element {
  const [what, setWhat] = useState<"acc" | "gyro">("acc");
  const s = e.stride;
  const marks = ([[s.ic_s, "contact"], [s.mid_s, "mid"], [s.tc_s, "toe-off"], [s.next_ic_s, "contact"]] as const).flatMap(([at, label]) => (typeof at === "number" ? [{ at, label }] : []));
  if (!raw.kept) return <p class="muted">{raw.why_not ?? "Raw samples of this run are not kept any more."}</p>;
  return (
    <>
      <Choice label="Signal" value={what} options={[["acc", "Acceleration"], ["gyro", "Rotation"]]} onChange={setWhat} />
      <div class="strips">
        {raw.sensors.map((r) => {
          const lines: Line[] = (what === "acc" ? r.acc : r.gyro).map((v, i) => ({ key: String(i), label: AXES[i] ?? String(i), unit: what === "acc" ? "m/s²" : "rad/s", values: v, tone: TONES[i] ?? "accent", dashed: i === 1, decimals: 1 }));
          return (
            <div key={r.placement} class="strip">
              <TimeChart title={placeName(r.placement)} name={`raw-${r.placement}`} x={r.t_s} lines={lines} height={140} sync="raw" marks={marks} xText={(v) => `${clock(v + 0.005)}.${String(Math.floor((((v + 0.005) % 1) * 100))).padStart(2, "0")}`} />
              {r.clipped.length ? <p class="note">{r.clipped.length} samples reached the end of the sensor's range.</p> : null}
            </div>
          );
        })}
      </div>
    </>
  );
}

function FootPath({ path }: { path: Path }): JSX.Element {
  const style = useStyle();
  const ex = extent(path.x_m, 0.03) ?? [0, 1];
  const ez = extent(path.z_m, 0.12) ?? [0, 0.3];
  return (
    <Figure title="Foot path, from the side" says={`The shoe rises ${number((Math.max(...path.z_m) - Math.min(...path.z_m)) * 100, 0, style)} cm over ${number(Math.max(...path.x_m) - Math.min(...path.x_m), 2, style)} m.`} table={() => ({ name: "foot-path", head: ["forward m", "up m"], rows: path.x_m.map((v, i) => [v, path.z_m[i] ?? null]), decimals: 3 })}>
      <Axes x={ex} y={ez} xLabel="m forward" yLabel="m up" frame={{ width: 460, height: 170 }}>
        {(x, y) => (
          <>
            <line x1={x(ex[0])} x2={x(ex[1])} y1={y(0)} y2={y(0)} class="ground" />
            <path d={brokenPath(path.x_m, path.z_m, x, y)} class="line-accent" />
            {path.marks.map((m) => {
              const at = Math.round((m.percent / 100) * (path.x_m.length - 1));
              const [mx, mz] = [path.x_m[at] ?? 0, path.z_m[at] ?? 0];
              return <g key={m.name}><line x1={x(mx)} x2={x(mx)} y1={y(0)} y2={y(ez[1])} class="zero" /><text x={x(mx)} y={y(ez[1]) + 10} class="tick" text-anchor={mx > (ex[0] + ex[1]) / 2 ? "end" : "start"} dx={mx > (ex[0] + ex[1]) / 2 ? -4 : 4}>{m.name}</text><circle cx={x(mx)} cy={y(mz)} r="4" class="fill-accent" /></g>;
            })}
            {path.x_m.map((v, i) => (i % 5 === 0 ? <circle key={i} cx={x(v)} cy={y(path.z_m[i] as number)} r="2.4" class="fill-accent" /> : null))}
          </>
        )}
      </Axes>
    </Figure>
  );
}

const QUALITY: Record<string, string> = { innovation: "attitude agrees with gravity", clipping: "inside the sensor's range", gaps: "no samples missing", agreement: "two ways of measuring agree", guards: "plausible", alignment: "mounting known" };

const told = (v: Verdict, style: ReturnType<typeof useStyle>): string => `${v.bad ? "Marked as bad" : "Counted again"} ${v.by ? `by ${v.by} (${v.role})` : `by the ${v.role}`}, ${day(new Date(v.said_us / 1000).toISOString().slice(0, 10), style)} ${timeOfDay(v.said_us, null, style)}${v.note ? `: ${v.note}` : ""}`;

/** Whether the stride counts: who says it does not, since when and why; and the way to say so, or to take it back. */
function Counting({ path, s }: { path: string; s: Stride }): JSX.Element | null {
  const style = useStyle();
  const may = useMay("verdicts");
  const [note, setNote] = useState("");
  const [failed, setFailed] = useState("");
  const said = useApi<Said>(s.verdict ? `${path}/verdict${query({ side: s.side ?? null })}` : null);
  const v = s.verdict;
  const bad = v?.bad === true;
  const say = (e: Event): void => {
    e.preventDefault();
    void call(`${path}/verdict${query({ side: s.side ?? null })}`, "PUT", { bad: !bad, ...(note.trim() ? { note: note.trim() } : {}) }).then(() => { setNote(""); setFailed(""); changed(); }, (x: Error) => setFailed(`Not kept: ${x.message}`));
  };
  if (!may && !v) return null;
  return (
    <div class={bad ? "verdict bad" : "verdict"}>
      {v ? <p role="status"><b>{told(v, style)}.</b> {bad ? "It is kept and shown, and counts in no average, no usual and no flag." : ""}</p> : null}
      {said.data?.past.length ? <details class="more-detail"><summary>Said before</summary><ul class="plain">{said.data.past.map((x) => <li key={`${x.said_us}${x.bad}`}>{told(x, style)}</li>)}</ul></details> : null}
      {may ? <form class="row" onSubmit={say}><label class="grow"><span class="sr">Why</span><input value={note} maxLength={500} placeholder={bad ? "Why it is good after all (optional)" : "Why it is bad (optional)"} onInput={(e) => setNote(e.currentTarget.value)} /></label><button type="submit">{bad ? "Count it again" : "Mark as bad"}</button></form> : null}
      {failed ? <p role="alert" class="note">{failed}</p> : null}
    </div>
  );
}

export function StrideDetail({ session, idx, side, onClose }: { session: SessionFull; idx: number; side: string | null; onClose: () => void }): JSX.Element {
  const style = useStyle();
  const { metrics } = useSession();
  const path = `/sessions/${session.id}/strides/${idx}`;
  const q = useApi<Explain>(`${path}/explain${query({ side })}`);
  const s = q.data?.stride;
  const begin = s?.ic_s ?? s?.t_s ?? 0;
  const end = s?.next_ic_s ?? (s ? s.t_s + s.duration_s : 0);
  const raw = useApi<Raw>(s ? `/sessions/${session.id}/raw${query({ from_s: Math.max(0, begin - 0.3).toFixed(3), to_s: Math.min(begin + 9, end + 0.3).toFixed(3) })}` : null);
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => title.current?.focus({ preventScroll: true }), [idx]);
  return (
    <section class="panel stride-detail" id="stride" aria-labelledby="stride-title">
      <div class="panel-head">
        <h2 id="stride-title" ref={title} tabIndex={-1}>Stride {s ? <>at {clock(s.t_s)} {s.side ? <SideKey side={s.side} /> : null} <DataLabel data={s.class === "A" ? "good" : s.class === "B" ? "fair" : "poor"} /></> : idx}</h2>
        <div class="panel-tools">
          <button type="button" class="quiet" onClick={onClose}>Close</button>
        </div>
      </div>
      {s ? <Counting path={path} s={s} /> : null}
      <Show q={q} rows={5}>
        {(e) => (
          <>
            <h3>Raw samples</h3>
            <Show q={raw} rows={3}>{(r) => <RawPlots raw={r} e={e} />}</Show>
            <div class="two even">
              {e.curves.foot_path ? <FootPath path={e.curves.foot_path} /> : <div class="strip-none"><h3>Foot path</h3><span class="hatched wide" /><span class="muted">{e.curves.foot_path_why_not ?? "No curve."}</span></div>}
              {e.curves.pelvis ? (
                <Figure title="Pelvis over the stride" says={`Tilt, obliquity and rotation over 0 to 100 % of the stride. ${e.curves.pelvis.zero_text}`} legend={<><LineKey tone="accent">angle</LineKey><SideKey side="left">stance</SideKey><SideKey side="right">stance</SideKey></>}
                  table={() => ({ name: "pelvis", head: ["%", "tilt °", "obliquity °", "rotation °"], rows: (e.curves.pelvis?.percent ?? []).map((p, i) => [p, e.curves.pelvis?.tilt_deg[i] ?? null, e.curves.pelvis?.obliquity_deg[i] ?? null, e.curves.pelvis?.rotation_deg[i] ?? null]), decimals: 1 })}>
                  <div class="three">
                    {([["tilt", e.curves.pelvis.tilt_deg], ["obliquity", e.curves.pelvis.obliquity_deg], ["rotation", e.curves.pelvis.rotation_deg]] as const).map(([name, v]) => (
                      <CycleCurves key={name} title={name} lines={[{ key: name, percent: e.curves.pelvis?.percent ?? [], values: v, tone: "accent" }]} stance={e.curves.pelvis?.stance ?? []} />
                    ))}
                  </div>
                </Figure>
              ) : <div class="strip-none"><h3>Pelvis</h3><span class="hatched wide" /><span class="muted">{e.curves.pelvis_why_not ?? "No curve."}</span></div>}
            </div>
            <h3>How this was made</h3>
            <ol class="steps">
              {e.steps.map((x) => (
                <li key={x.name}>
                  <strong>{sentence(x.name)}</strong> {typeof x.value === "number" ? <b class="num">{number(x.value, 3, style)} {x.unit}</b> : null}
                  <p>{x.text}</p>
                  <p class="inputs">{Object.entries(x.inputs).map(([k, v]) => <span key={k}>{k} = {typeof v === "number" ? trimmed(v, 3, style) : typeof v === "object" ? JSON.stringify(v) : String(v)}</span>)}</p>
                </li>
              ))}
            </ol>
            <div class="two even">
              <div>
                <h3>Quality, part by part</h3>
                <ul class="parts">
                  {Object.entries(e.quality_parts).map(([k, v]) => (
                    <li key={k}><span>{sentence(k)} <span class="muted">{QUALITY[k] ?? ""}</span></span><meter min={0} max={1} low={0.5} high={0.8} optimum={1} value={v ?? 0} aria-label={sentence(k)} /><span class="num">{number(v, 2, style)}</span></li>
                  ))}
                </ul>
              </div>
              <div>
                <h3>Remarks, and what was ruled out</h3>
                {e.ruled_out.length ? <ul class="plain">{e.ruled_out.map((r) => <li key={r}>{r}</li>)}</ul> : <p class="muted">Nothing remarkable.</p>}
              </div>
            </div>
            <h3>Every number of this stride</h3>
            <div class="table-scroll" tabIndex={0} role="region" aria-label="Numbers of this stride">
              <table class="how">
                <thead><tr><th scope="col">Metric</th><th scope="col" class="n">Value</th><th scope="col">What it is, and is not</th><th scope="col">Source</th></tr></thead>
                <tbody>
                  {e.how.map((h) => {
                    const how = shown(metrics.get(h.metric), h.unit);
                    return (
                      <tr key={h.metric}>
                        <th scope="row">{h.title}</th>
                        <td class="n num">{typeof h.value === "number" ? <b>{withUnit(h.value, how, style)}</b> : <span class="absent">{NOTHING}</span>}</td>
                        <td>{h.absent ? <span class="why">not measured: {h.absent}. </span> : null}{h.doc} <span class="muted">{h.not_it}</span></td>
                        <td class="muted">{h.source}</td>
                      </tr>
                    );
                  })}
                </tbody>
              </table>
            </div>
          </>
        )}
      </Show>
    </section>
  );
}
