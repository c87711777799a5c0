/** The runner's live page: four big tiles, the last strides of both feet, ten minutes as a strip, sensors, cue, buttons. */
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Band, Listing, LiveCue, LiveItem, LiveStride, LiveWindow, SensorHealth } from "../api";
import { call, newId, useApi } from "../http";
import { type LiveRun, useLive } from "../live";
import { useStyle } from "../prefs";
import { against, extent, scale, type Span } from "../pure/geometry";
import { age, clock, distance, distanceUnit, KM_PER_MI, number, pace, paceUnit, placeName, sentence } from "../pure/format";
import { doubtOf, markLabel } from "../pure/marks";
import { lostSentence } from "../pure/sensors";
import { A, go, link } from "../router";
import { useMayWrite, useSilence } from "../session";
import { DataLabel, Dialog, Empty, Head, Notice, Panel, Show, STEP, Term } from "../ui/basics";
import { Sized, Spark } from "../ui/graphics";
import { Figure, SideKey } from "../ui/table";
import { TimeChart } from "../ui/timechart";

const DEG = 180 / Math.PI;

function List(): JSX.Element {
  const q = useApi<Listing<LiveItem>>("/live");
  useEffect(() => {
    const t = setInterval(q.again, 5000);
    return () => clearInterval(t);
  }, [q.again]);
  useEffect(() => {
    // A runner with one session running wants that one.
    const only = q.data?.items.length === 1 ? q.data.items[0] : undefined;
    if (only) go(link(`/live/${only.session}`), "replace");
  }, [q.data]);
  return (
    <>
      <Head title="Live" sub="Runs that are going on now" />
      {q.data ? (
        q.data.items.length === 0 ? (
          <Empty title="Nobody is running now.">Start with <code>lope record</code>, play a run back with <code>lope replay</code>, or watch a simulated one: <code>lope demo</code>.</Empty>
        ) : (
          <ul class="cards">
            {q.data.items.map((l) => (
              <li key={l.session}>
                <A to={`/live/${l.session}`} class="card-link">
                  <strong>{l.name}</strong>
                  <span class="live-tag">{l.kind === "record" ? "live" : l.kind === "replay" ? "played back" : "simulated"}</span>
                  <span class="muted">since {age(Date.now() - l.started_us / 1000)}</span>
                </A>
              </li>
            ))}
            {q.data.items.length > 1 ? <li><A to="/coach?tab=live" class="card-link"><strong>All together</strong><span class="muted">squad view</span></A></li> : null}
          </ul>
        )
      ) : <Show q={q}>{() => null}</Show>}
    </>
  );
}

const ARROW = { below: "▽", inside: "", above: "△" };
/** Seconds whose mean is held against the band: it is one of whole runs, and a few strides scatter more. */
const HELD_S = 30;
/** The newest number; an arrow where the last half minute lies outside the own band. */
function Value({ recent, band, text }: { recent: (number | null)[]; band?: Band | undefined; text: string }): JSX.Element {
  const value = recent.at(-1);
  const last = recent.slice(-HELD_S).filter((v) => v !== null);
  const where = typeof value === "number" && band && last.length >= HELD_S / 3 ? against(last.reduce((a, b) => a + b, 0) / last.length, band.low, band.high) : "inside";
  const says = `${where} your usual at this pace`;
  return (
    <span class={`big num ${typeof value === "number" ? "" : "gone"}`}>
      {text}
      {ARROW[where] ? <span class="arrow" title={says}><span aria-hidden="true">{ARROW[where]}</span><span class="sr"> {says}</span></span> : null}
    </span>
  );
}

function Tile({ name, unit, children, spark, data, n }: { name: ComponentChildren; unit: string; children: ComponentChildren; spark: ComponentChildren; data: LiveWindow["data"]; n: number }): JSX.Element {
  return (
    <section class="tile">
      <div class="tile-head"><h2>{name}</h2><span class="u">{unit}</span></div>
      <div class="tile-values">{children}</div>
      <div class="tile-foot"><span class="tile-sparks">{spark}</span><span class="tile-data"><DataLabel data={data} /><span class="muted">n {n}</span></span></div>
    </section>
  );
}

function Tiles({ windows }: { windows: LiveWindow[] }): JSX.Element | null {
  const style = useStyle();
  const w = windows.at(-1);
  if (!w) return null;
  const last = windows.filter((o) => o.t_s > w.t_s - 60);
  const of = (key: keyof LiveWindow): (number | null)[] => last.map((o) => (o[key] as number | null | undefined) ?? null);
  const u = w.usual ?? {};
  const metre = style.units === "imperial" ? 39.3701 / 12 : 1;
  return (
    <div class="tiles">
      <Tile name="Cadence" unit="steps/min" data={w.data} n={w.n} spark={<Spark values={of("cadence_spm")} band={u.cadence_spm ?? null} />}>
        <Value recent={of("cadence_spm")} band={u.cadence_spm} text={number(w.cadence_spm, 0, style)} />
      </Tile>
      <Tile name={<Term word="Step length" means={STEP} />} unit={style.units === "imperial" ? "ft" : "m"} data={w.data} n={w.n} spark={<Spark values={of("step_length_m")} band={u.step_length_m ?? null} />}>
        <Value recent={of("step_length_m")} band={u.step_length_m} text={number(w.step_length_m === null || w.step_length_m === undefined ? null : w.step_length_m * metre, 2, style)} />
      </Tile>
      <Tile name="Contact" unit="ms" data={w.data} n={w.n} spark={<><Spark values={of("contact_left_s")} band={u.contact_left_s ?? null} tone="left" width={84} /><Spark values={of("contact_right_s")} band={u.contact_right_s ?? null} tone="right" width={84} /></>}>
        <span class="pair"><SideKey side="left">L</SideKey><Value recent={of("contact_left_s")} band={u.contact_left_s} text={number(w.contact_left_s ? w.contact_left_s * 1000 : null, 0, style)} /></span>
        <span class="pair"><SideKey side="right">R</SideKey><Value recent={of("contact_right_s")} band={u.contact_right_s} text={number(w.contact_right_s ? w.contact_right_s * 1000 : null, 0, style)} /></span>
      </Tile>
      <Tile name="Pelvic drop" unit="degrees" data={w.data} n={w.n} spark={<><Spark values={of("drop_left_rad")} band={u.drop_left_rad ?? null} tone="left" width={84} /><Spark values={of("drop_right_rad")} band={u.drop_right_rad ?? null} tone="right" width={84} /></>}>
        <span class="pair"><SideKey side="left">L</SideKey><Value recent={of("drop_left_rad")} band={u.drop_left_rad} text={number(typeof w.drop_left_rad === "number" ? w.drop_left_rad * DEG : null, 1, style)} /></span>
        <span class="pair"><SideKey side="right">R</SideKey><Value recent={of("drop_right_rad")} band={u.drop_right_rad} text={number(typeof w.drop_right_rad === "number" ? w.drop_right_rad * DEG : null, 1, style)} /></span>
      </Tile>
    </div>
  );
}

/** The last forty contacts: left above as circles, right below as squares; height is contact time. */
function Ribbon({ strides }: { strides: LiveStride[] }): JSX.Element {
  const style = useStyle();
  const ms = strides.map((s) => (typeof s.contact_s === "number" ? s.contact_s * 1000 : null));
  const ext = extent(ms, 0.1) ?? [200, 300];
  const half = { left: scale(ext, [44, 10]), right: scale(ext, [96, 62]) };
  return (
    <Figure
      title="Last 40 strides"
      level={2}
      says="Contact time of each stride; left above, right below."
      legend={<><SideKey side="left" /><SideKey side="right" /><span class="muted">contact {number(ext[0], 0, style)} to {number(ext[1], 0, style)} ms, higher is longer</span></>}
      table={() => ({ name: "strides", head: ["time s", "side", "contact ms", "class"], rows: strides.map((s, i) => [s.t_s, s.side ?? null, ms[i] ?? null, s.class]), decimals: 1 })}
    >
      <Sized>{(width) => { const x = scale([0, 39], [12, width - 12]); return (
      <svg class="ribbon" width={width} height="106" viewBox={`0 0 ${width} 106`} aria-hidden="true">
        <line x1="0" x2={width} y1="53" y2="53" class="axis" />
        {strides.map((s, i) => {
          const v = ms[i];
          const cx = x(i + 40 - strides.length);
          if (typeof v !== "number") return <text key={i} x={cx} y={s.side === "left" ? 30 : 82} class="tick middle">×</text>;
          const faint = s.class === "C" || s.class === "D" ? " faint" : "";
          return s.side !== "right" ? <circle key={i} cx={cx} cy={half.left(v)} r="4.5" class={`fill-left${faint}`} /> : <rect key={i} x={cx - 4} y={half.right(v) - 4} width="8" height="8" class={`fill-right${faint}`} />;
        })}
      </svg>
      ); }}</Sized>
    </Figure>
  );
}

function Strip({ run }: { run: LiveRun }): JSX.Element {
  const style = useStyle();
  const speed = style.units === "imperial" ? 3.6 / KM_PER_MI : 3.6;
  const { x, cadence, fast, gaps } = useMemo(() => {
    const x: number[] = [];
    const cadence: (number | null)[] = [];
    const fast: (number | null)[] = [];
    const gaps: Span[] = [];
    for (const w of run.windows) {
      const before = x.at(-1);
      if (before !== undefined && w.t_s - before > 2.5) {
        // A hole in the stream stays one.
        x.push(before + 1);
        cadence.push(null);
        fast.push(null);
        gaps.push({ from: before, to: w.t_s });
      }
      x.push(w.t_s);
      cadence.push(w.cadence_spm ?? null);
      fast.push(typeof w.speed_ms === "number" ? w.speed_ms * speed : null);
      if (w.data === "none" || w.data === "poor") gaps.push({ from: w.t_s - 1, to: w.t_s });
    }
    return { x, cadence, fast, gaps };
  }, [run.windows, speed]);
  const end = x.at(-1) ?? 600;
  const start = Math.max(x[0] ?? 0, end - 600);
  const band = run.windows.at(-1)?.usual?.cadence_spm;
  return (
    <TimeChart
      title="Ten minutes"
      level={2}
      name="live"
      x={x}
      from={start}
      to={Math.max(end, start + 60)}
      height={170}
      lines={[
        { key: "cadence", label: "Cadence", unit: "spm", values: cadence, tone: "accent", decimals: 0, scale: "y" },
        { key: "speed", label: "Speed", unit: style.units === "imperial" ? "mph" : "km/h", values: fast, tone: "second", dashed: true, decimals: 1, scale: "v" },
      ]}
      bands={band ? [{ scale: "y", low: band.low, high: band.high }] : []}
      gaps={gaps}
      marks={run.events.flatMap((e) => { const label = markLabel(e); return label ? [{ at: e.t_s, label }] : []; })}
    />
  );
}

const upper = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
/** What the cadence cue does: a bar with the zone of silence where there is a target, and why nothing is said. */
function Cue({ cue }: { cue: LiveCue }): JSX.Element | null {
  const style = useStyle();
  const t = cue.target_spm;
  const why = cue.state === "on" ? "Light, quick steps." : cue.why ? `${upper(cue.why)}.` : cue.state === "silent" ? "Silent now." : null;
  if (cue.state === "off" || typeof t !== "number") return why ? <Panel class="cue" title={<>Cadence cue <span class="muted">{cue.state}</span></>}><p class="cue-line">{why}</p></Panel> : null;
  const low = cue.low_spm ?? t * 0.98;
  const high = cue.high_spm ?? (typeof cue.low_spm === "number" ? t * 1.08 : t * 1.02);
  const x = scale([t * 0.92, t * 1.08], [0, 300]);
  const clamp = (v: number): number => Math.min(t * 1.08, Math.max(t * 0.92, v));
  const now = typeof cue.now_spm === "number" ? clamp(cue.now_spm) : null;
  const inside = now !== null && now >= low && now <= high;
  return (
    <Panel class="cue" title={<>Cadence cue <span class="muted">{cue.state === "on" ? "sounding" : "silent"}</span></>}>
      <svg viewBox="0 0 300 34" role="img" aria-label={`Target ${number(t, 0, style)} steps a minute, now ${number(cue.now_spm, 0, style)}${inside ? ", inside the silent zone" : ""}`}>
        <line x1="0" x2="300" y1="17" y2="17" class="axis" />
        <rect x={x(clamp(low))} width={x(clamp(high)) - x(clamp(low))} y="7" height="20" rx="3" class="zone" />
        <line x1={x(t)} x2={x(t)} y1="4" y2="30" class="usual" />
        {now !== null ? <path d={`M${x(now)} 8l8 9l-8 9l-8-9Z`} class="value" /> : null}
      </svg>
      <p class="cue-line">{why} <span class="muted">target {number(t, 0, style)}, now {number(cue.now_spm, 0, style)} steps/min</span></p>
      <p class="muted small">Slope is not measured: mute cues on hills.</p>
    </Panel>
  );
}

const STATE_WORD: Record<SensorHealth["state"], string> = { ok: "ok", poor: "poor", lost: "lost", connecting: "connecting" };
const STATE_SHAPE: Record<SensorHealth["state"], string> = { ok: "●", poor: "◐", lost: "○", connecting: "◌" };
export function Sensors({ sensors }: { sensors: SensorHealth[] }): JSX.Element {
  const style = useStyle();
  return (
    <>
      <ul class="sensors">
        {sensors.map((s) => (
          <li key={s.placement} class={`sensor sensor-${s.state}`}>
            <span class="shape" aria-hidden="true">{STATE_SHAPE[s.state]}</span>
            <strong>{placeName(s.placement)}</strong> <span>{STATE_WORD[s.state]}</span>
            <span class="muted num">
              {typeof s.battery === "number" ? `battery ${number(s.battery, 0, style)} % · ` : ""}{number(s.lost_share * 100, 1, style)} % lost{typeof s.residual_ms === "number" ? ` · clock ±${number(s.residual_ms, 1, style)} ms` : ""}
            </span>
          </li>
        ))}
      </ul>
      <p class="sensor-text" role="status">{lostSentence(sensors)}</p>
      {sensors.filter((s) => s.text && s.state !== "ok").map((s) => <p key={s.placement} class="note">{placeName(s.placement)}: {s.text}</p>)}
    </>
  );
}

/** A button that acts after being held for a second, by pointer or key. */
function HoldButton({ text, onDone }: { text: string; onDone: () => void }): JSX.Element {
  const [since, setSince] = useState<number | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const start = (): void => {
    if (timer.current) return;
    setSince(Date.now());
    timer.current = setTimeout(() => {
      end();
      onDone();
    }, 1000);
  };
  const end = (): void => {
    clearTimeout(timer.current);
    timer.current = undefined;
    setSince(null);
  };
  useEffect(() => () => clearTimeout(timer.current), []);
  return (
    <button type="button" class={`stop ${since ? "holding" : ""}`} onPointerDown={start} onPointerUp={end} onPointerLeave={end} onBlur={end}
      onKeyDown={(e) => { if (e.key === "Enter" || e.key === " ") { e.preventDefault(); if (!e.repeat) start(); } }} onKeyUp={end}>
      <span>{since ? "Keep holding" : text}</span>
      <small>hold 1 s</small>
    </button>
  );
}

const DONE: Record<string, string> = { mute: "Cues muted", unmute: "Cues sound again", stop: "Stopping" };
function Buttons({ session, marks, cues, muted }: { session: string; marks: boolean; cues: boolean; muted: boolean }): JSX.Element {
  const [pain, setPain] = useState(false);
  const [said, setSaid] = useState("");
  const send = (kind: string, value?: number): void => {
    setPain(false);
    call(`/live/${session}/events`, "POST", { id: newId("e"), kind, ...(value === undefined ? {} : { value }) }).then(
      () => setSaid(DONE[kind] ?? `${sentence(kind)}${value === undefined ? "" : ` ${value}`} noted at ${new Date().toLocaleTimeString()}`),
      (cause: Error) => setSaid(`${kind in DONE ? "That did not work" : "Not noted"}: ${cause.message}`),
    );
  };
  useEffect(() => {
    const f = (e: KeyboardEvent): void => {
      const t = e.target as HTMLElement;
      if (e.ctrlKey || e.metaKey || e.altKey || e.repeat || /^(INPUT|SELECT|TEXTAREA)$/.test(t.tagName) || t.closest("dialog")) return;
      if (marks && e.key === "l") send("lap");
      if (marks && e.key === "m") send("marker");
      if (marks && e.key === "p") setPain(true);
      if (cues && e.key === "c") send(muted ? "unmute" : "mute");
    };
    addEventListener("keydown", f);
    return () => removeEventListener("keydown", f);
  }, [session, marks, cues, muted]);
  return (
    <div class={`live-buttons${cues ? "" : " three-buttons"}${marks ? "" : " stop-only"}`}>
      {marks ? (
        <>
          <button type="button" onClick={() => send("lap")}>Lap</button>
          <button type="button" onClick={() => setPain(true)}>Pain 0–10</button>
          <button type="button" onClick={() => send("marker")}>Marker</button>
        </>
      ) : null}
      {cues ? <button type="button" aria-pressed={muted} onClick={() => send(muted ? "unmute" : "mute")}>{muted ? "Cues again" : "Mute cues"}</button> : null}
      <HoldButton text="Stop" onDone={() => send("stop")} />
      <p class="said" role="status">{said}</p>
      <Dialog title="How is your lower back now?" open={pain} onClose={() => setPain(false)}>
        <p class="note">0 is nothing at all, 10 is the worst you can imagine.</p>
        <div class="pain-grid">{Array.from({ length: 11 }, (_, i) => <button key={i} type="button" onClick={() => send("pain", i)}>{i}</button>)}</div>
      </Dialog>
    </div>
  );
}

/** Muted is told by an event at once, and by the cue's reason to who comes later. */
function isMuted(run: LiveRun | undefined): boolean {
  const told = run?.events.filter((e) => e.kind === "cues").at(-1);
  return told ? told.text === "cues muted" : run?.cue?.why === "muted";
}

function One({ session }: { session: string }): JSX.Element {
  const style = useStyle();
  const mayWrite = useMayWrite();
  const silence = useSilence();
  const { runs, link: state } = useLive(session);
  const run = runs.get(session);
  const w = run?.windows.at(-1);
  const hello = run?.hello;
  useEffect(() => {
    // The screen stays on while a run is shown; where the browser refuses, nothing is lost but comfort.
    let lock: { release: () => Promise<void> } | undefined;
    const wake = (navigator as { wakeLock?: { request: (k: "screen") => Promise<{ release: () => Promise<void> }> } }).wakeLock;
    if (!hello || hello.kind !== "record" || !wake) return;
    wake.request("screen").then((l) => (lock = l), () => undefined);
    return () => void lock?.release();
  }, [hello?.kind]);
  if (state.state === "refused") {
    return state.status === 404 ? <Empty title="This run is not going on."><A to={`/run/${session}/card`}>Its card</A> may be there, or see <A to="/live">what is running now</A>.</Empty> : <Empty title={state.status === 401 ? "Please log in to see this." : "Not shared with you."} />;
  }
  return (
    <div class="live">
      <Head
        title={<>{hello?.name ?? "Live"} <span class="live-tag">{run?.over ? "ended" : hello?.kind === "record" ? "live" : hello?.kind === "replay" ? "played back" : hello ? "simulated" : "…"}</span></>}
        sub={w ? <span class="num"><b>{clock(w.t_s)}</b> · <b>{distance(w.distance_km, style, 2)}</b> {distanceUnit(style)} · <b>{pace(w.speed_ms, style)}</b> {paceUnit(style)}</span> : "waiting for the first strides"}
      />
      {run?.over ? <Notice tone="good" title="This run has ended."><A to={`/run/${session}/card`}>See its card</A></Notice> : state.state === "broken" ? <Notice tone="care" title="The connection broke.">Trying again; what is missed will be filled in for up to a minute.</Notice> : null}
      {run && run.missed > 0 ? <p class="note">{number(run.missed, 0, style)} updates were skipped: this device was too slow for them.</p> : null}
      {w ? (
        <div class={state.state === "open" || run?.over ? "" : "dimmed"}>
          {[...new Set(run?.events.flatMap((e) => doubtOf(e) ?? []))].map((t) => <Notice key={t} tone="care" title={t} />)}
          <Tiles windows={run?.windows ?? []} />
          {run?.cue && !silence ? <Cue cue={run.cue} /> : null}
          {run?.flags.map((f) => <p key={f.id} class="flag-line"><b>{f.id}</b> {f.text}</p>)}
          {mayWrite && !run?.over ? <Buttons session={session} marks={hello?.marks !== false} cues={hello?.cues === true} muted={isMuted(run)} /> : null}
          <Panel title="Sensors">{run?.health ? <Sensors sensors={run.health.sensors} /> : <p class="muted">Not heard from yet.</p>}</Panel>
          <Panel>{run && run.strides.length ? <Ribbon strides={run.strides} /> : <p class="muted">No stride yet.</p>}</Panel>
          <Panel>{run ? <Strip run={run} /> : null}</Panel>
        </div>
      ) : (
        <div class="skeleton" role="status"><span class="sr">Waiting for data</span><i /><i /><i /></div>
      )}
    </div>
  );
}

export default function Live({ session }: { session?: string }): JSX.Element {
  return session ? <One session={session} /> : <List />;
}
