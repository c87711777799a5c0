/** The therapist's screen: a guided before/after protocol with a timer, where it hurt over time, the printed report. */
import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Compare, Entry, Listing, LiveItem, SessionItem } from "../api";
import { call, changed, newId, query, useApi } from "../http";
import { useStyle } from "../prefs";
import { clock, count, day, KM_PER_MI, number, shortDay, shown, signed, withUnit } from "../pure/format";
import { A, useParam } from "../router";
import { useAthlete, useMay, useSession } from "../session";
import { Choice, Empty, Head, Notice, Panel, Pick, Show } from "../ui/basics";
import { BodyMap, placeText } from "../ui/bodymap";
import { Figure } from "../ui/table";

interface Stage { text: string; seconds: number; kind: "rest" | "run"; speed?: 0 | 1; cue?: boolean }
const STAGES: Stage[] = [
  { text: "Stand still, feet hip-wide, look ahead", seconds: 10, kind: "rest" },
  { text: "First speed, as usual", seconds: 60, kind: "run", speed: 0 },
  { text: "Second speed, as usual", seconds: 60, kind: "run", speed: 1 },
  { text: "Walk easily", seconds: 60, kind: "rest" },
  { text: "First speed with the cue, steps +5 %", seconds: 60, kind: "run", speed: 0, cue: true },
  { text: "Second speed with the cue, steps +5 %", seconds: 60, kind: "run", speed: 1, cue: true },
];
const TOTAL = STAGES.reduce((n, s) => n + s.seconds, 0);

/** Where a run of `elapsed` seconds stands in the protocol. */
export function stageAt(elapsed: number): { index: number; left: number } {
  let t = elapsed;
  for (let i = 0; i < STAGES.length; i++) {
    const s = STAGES[i] as Stage;
    if (t < s.seconds) return { index: i, left: s.seconds - t };
    t -= s.seconds;
  }
  return { index: STAGES.length, left: 0 };
}

function Protocol(): JSX.Element {
  const style = useStyle();
  const mayMark = useMay("own");
  const live = useApi<Listing<LiveItem>>("/live");
  const [athlete] = useAthlete();
  const [speeds, setSpeeds] = useState<[string, string]>(["9", "11"]);
  const [started, setStarted] = useState<number | null>(null);
  const [paused, setPaused] = useState<number | null>(null);
  const [, draw] = useState(0);
  const marked = useRef(-1);
  const session = live.data?.items.find((l) => l.athlete === athlete)?.session;
  useEffect(() => {
    if (started === null || paused !== null) return;
    const t = setInterval(() => draw((n) => n + 1), 200);
    return () => clearInterval(t);
  }, [started, paused]);
  const elapsed = started === null ? 0 : ((paused ?? Date.now()) - started) / 1000;
  const { index, left } = stageAt(elapsed);
  const over = started !== null && index >= STAGES.length;
  const stage = STAGES[Math.min(index, STAGES.length - 1)] as Stage;
  useEffect(() => {
    // Each change of stage is marked in the recording, so that the report finds its parts.
    if (started === null || index === marked.current) return;
    marked.current = index;
    if (session && mayMark) void call(`/live/${session}/events`, "POST", { id: newId("e"), kind: "marker", text: over ? "protocol ends" : `protocol: ${stage.text}` }).catch(() => undefined);
  }, [index, started]);
  const unit = style.units === "imperial" ? "mph" : "km/h";
  const ring = 2 * Math.PI * 52;
  return (
    <Panel title="Guided protocol" note={`About ${Math.ceil(TOTAL / 60)} minutes: twice one minute at two speeds, the cue, and again. Stages are marked in the recording.`}>
      <div class="protocol">
        <div class="timer">
          <svg viewBox="0 0 120 120" role="timer" aria-label={started === null ? "Not started" : over ? "Done" : `${Math.ceil(left)} seconds left: ${stage.text}`}>
            <circle cx="60" cy="60" r="52" class="ring" />
            {started !== null && !over ? <circle cx="60" cy="60" r="52" class={`ring-fill${stage.kind === "run" ? " run" : ""}`} stroke-dasharray={`${(left / stage.seconds) * ring} ${ring}`} transform="rotate(-90 60 60)" /> : null}
            <text x="60" y="68" text-anchor="middle" class="ring-text num">{started === null ? clock(TOTAL) : over ? "done" : Math.ceil(left)}</text>
          </svg>
          <p class="stage-text" aria-live="assertive">{started === null ? "Ready" : over ? "Done. Stop the recording." : <>{stage.text}{stage.speed !== undefined ? <b> {speeds[stage.speed]} {unit}</b> : null}</>}</p>
          <div class="row">
            {started === null || over ? <button type="button" class="primary" onClick={() => { marked.current = -1; setPaused(null); setStarted(Date.now()); }}>{over ? "Again" : "Start"}</button> : paused === null ? <button type="button" onClick={() => setPaused(Date.now())}>Pause</button> : <button type="button" class="primary" onClick={() => { setStarted((started ?? 0) + Date.now() - paused); setPaused(null); }}>Go on</button>}
            {started !== null && !over ? <button type="button" onClick={() => { setStarted(null); setPaused(null); }}>Reset</button> : null}
          </div>
        </div>
        <div class="stages">
          <div class="row wrap">
            {([0, 1] as const).map((i) => <label key={i} class="field">{i ? "Second" : "First"} speed, {unit}<input type="number" min={style.units === "imperial" ? 3 : 4} max={30 / (style.units === "imperial" ? KM_PER_MI : 1)} step="0.5" value={speeds[i]} onInput={(e) => setSpeeds(i ? [speeds[0], e.currentTarget.value] : [e.currentTarget.value, speeds[1]])} /></label>)}
          </div>
          <ol class="stage-list">
            {STAGES.map((s, i) => (
              <li key={s.text} class={started === null ? "" : i < index ? "done" : i === index ? "now" : ""} {...(started !== null && i === index ? { "aria-current": "step" as const } : {})}>
                <span aria-hidden="true">{started !== null && i < index ? "✓" : s.kind === "run" ? "▸" : "·"}</span> {s.text} <span class="muted num">{clock(s.seconds)}</span>
              </li>
            ))}
          </ol>
          {session && !mayMark ? <Notice tone="good" title="A recording is running."><A to={`/live/${session}`}>See it live</A>. Your access does not mark stages in it; note the times.</Notice> : session ? <Notice tone="good" title="A recording is running."><A to={`/live/${session}`}>See it live</A></Notice> : <Notice title="No recording is running for this runner."><code>lope record</code> starts one; the timer works without it, but marks nothing.</Notice>}
        </div>
      </div>
    </Panel>
  );
}

function BodyTimeline({ athlete }: { athlete: string }): JSX.Element {
  const style = useStyle();
  const q = useApi<Listing<Entry>>(`/journal${query({ athlete, kinds: "check_in" })}`);
  return (
    <Panel title="Where it hurt">
      <Show q={q} empty={(d) => !d.items.some((e) => Array.isArray(e.places) && e.places.length) && <Empty title="Nothing marked on the body map.">Check-ins with a back score of 1 or more ask where.</Empty>}>
        {(d) => {
          const marked = d.items.filter((e) => Array.isArray(e.places) && (e.places as string[]).length).sort((a, b) => a.day.localeCompare(b.day));
          const weights: Record<string, number> = {};
          for (const e of marked) for (const p of e.places as string[]) weights[p] = (weights[p] ?? 0) + 1;
          return (
            <Figure readable title="Days by place" says={Object.entries(weights).map(([p, n]) => `${placeText(p)}: ${n}`).join("; ")} table={() => ({ name: "body-map", head: ["day", "places", "back now", "back worst"], rows: marked.map((e) => [e.day, (e.places as string[]).map(placeText).join(", "), (e.back_now as number | undefined) ?? null, (e.back_morning as number | undefined) ?? null]) })}>
              <div class="bodytime">
                <BodyMap chosen={Object.keys(weights)} weights={weights} />
                <ol class="trail">{marked.slice(-12).map((e) => <li key={e.id}><span class="muted">{shortDay(e.day, style)}</span> {(e.places as string[]).map(placeText).join(", ")}{typeof e.back_now === "number" ? <b class="num"> {e.back_now}/10</b> : null}</li>)}</ol>
              </div>
            </Figure>
          );
        }}
      </Show>
    </Panel>
  );
}

function Report({ athlete }: { athlete: string }): JSX.Element {
  const style = useStyle();
  const { metrics } = useSession();
  const sessions = useApi<Listing<SessionItem>>(`/sessions${query({ athlete, limit: 100 })}`);
  const runs = useMemo(() => sessions.data?.items.filter((s) => s.strides > 0) ?? [], [sessions.data]);
  const [before, setBefore] = useParam("before");
  const [after, setAfter] = useParam("after");
  const [paper, setPaper] = useState<"html" | "pdf">("pdf");
  const b = after || runs[0]?.id || "";
  // By default the oldest run at nearly the speed of the other: only such can be compared.
  const speed = runs.find((s) => s.id === b)?.speed_ms;
  const near = [...runs].reverse().find((s) => s.id !== b && typeof s.speed_ms === "number" && typeof speed === "number" && Math.abs(s.speed_ms - speed) < 0.2);
  const a = before || near?.id || runs.at(-1)?.id || "";
  const cmp = useApi<Compare>(a && b && a !== b ? `/compare${query({ athlete, a, b })}` : null);
  const options = runs.map((s) => [s.id, `${day(s.day, style)} · ${number(s.distance_km, 1, style)} km`] as const);
  return (
    <Panel title="Before and after" note="One page that stands alone: dates, speeds, before and after, symptoms if shared, flags with their basis, lines for notes and signature.">
      <div class="row wrap">
        <Pick label="Before" value={a} options={options} onChange={setBefore} />
        <Pick label="After" value={b} options={options} onChange={setAfter} />
      </div>
      {a && a === b ? <p class="muted">Choose two different runs.</p> : a && b ? (
        <Show q={cmp}>
          {(c) => (
            <>
              {c.shared_speed ? null : <Notice tone="care" title="The speeds do not overlap.">{c.note}</Notice>}
              <div class="table-scroll" tabIndex={0} role="region" aria-label="Before and after">
                <table><thead><tr><th scope="col">Metric</th><th scope="col">Side</th><th scope="col" class="n">Before</th><th scope="col" class="n">After</th><th scope="col" class="n">Change</th><th scope="col">Beyond noise?</th></tr></thead>
                  <tbody>{c.rows.map((r) => { const h = shown(metrics.get(r.metric), r.unit); return <tr key={`${r.metric}${r.side}`}><th scope="row">{r.title}</th><td>{r.side === "both" ? "" : r.side === "left" ? "L" : "R"}</td><td class="n num">{withUnit(r.a, h, style)}</td><td class="n num">{withUnit(r.b, h, style)}</td><td class="n num">{typeof r.delta === "number" ? signed(r.delta * h.factor, h.decimals, style) : "–"}</td><td>{r.beyond_noise === true ? "yes" : r.beyond_noise === false ? <span class="muted">no</span> : <span class="why">{r.why ?? "cannot tell"}</span>}</td></tr>; })}</tbody></table>
              </div>
            </>
          )}
        </Show>
      ) : <Show q={sessions}>{() => <Empty title={`${count(runs.length, "run", style)} with strides: two are needed.`} />}</Show>}
      <div class="row wrap">
        <Choice label="Paper" value={paper} options={[["pdf", "PDF"], ["html", "HTML"]]} onChange={setPaper} />
        {a && b ? <a class="button primary" href={`/api/v1/reports${query({ athlete, for: "therapist", a, b, format: paper })}`} target="_blank" rel="noopener">Report to print</a> : null}
        <A class="button" to={`/compare?a=${a}&b=${b}`}>Curves and plots</A>
      </div>
    </Panel>
  );
}

/** Words of a professional about the runner; each is an entry of its own, nothing is overwritten. */
function Notes({ athlete }: { athlete: string }): JSX.Element {
  const style = useStyle();
  const may = useMay("notes");
  const { health } = useSession();
  const q = useApi<Listing<Entry>>(`/journal${query({ athlete, kinds: "clinician_note" })}`);
  const [text, setText] = useState("");
  const [said, setSaid] = useState("");
  const save = (e: Event): void => {
    e.preventDefault();
    const now = new Date();
    call(`/journal/${athlete}/${newId("n")}`, "PUT", { day: now.toISOString().slice(0, 10), at_us: now.getTime() * 1000, kind: "clinician_note", author: health.name, text: text.trim() }).then(
      () => {
        setText("");
        setSaid("Saved.");
        changed();
      },
      (c: Error) => setSaid(`Not saved: ${c.message}`),
    );
  };
  return (
    <Panel title="Notes" note="They stand in the report.">
      <Show q={q} empty={(d) => d.items.length === 0 && <p class="muted">None yet.</p>}>
        {(d) => <ul class="entries">{[...d.items].sort((a, b) => b.at_us - a.at_us).map((e) => <li key={e.id}><span class="muted">{day(e.day, style)}, {String(e.author ?? "")}</span> <span data-fixed>{String(e.text ?? "")}</span></li>)}</ul>}
      </Show>
      {may ? (
        <form onSubmit={save} class="note-form">
          <label class="field">New note<textarea rows={3} maxLength={4000} value={text} onInput={(e) => setText(e.currentTarget.value)} /></label>
          <div class="row"><button type="submit" class="primary" disabled={!text.trim()}>Save</button><span role="status" class="note">{said}</span></div>
        </form>
      ) : null}
    </Panel>
  );
}

export default function Therapist(): JSX.Element {
  const [athlete] = useAthlete();
  if (!athlete) return <Empty title="No runner is assigned to you." />;
  return (
    <>
      <Head title="Therapist" sub={<>From sensors on to a signed page in ten minutes. <span data-fixed>Not a medical device.</span></>} />
      <Protocol />
      <div class="two">
        <Report athlete={athlete} />
        <div>
          <BodyTimeline athlete={athlete} />
          <Notes athlete={athlete} />
        </div>
      </div>
    </>
  );
}
