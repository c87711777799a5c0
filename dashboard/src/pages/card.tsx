/** The card after a run: one sentence, three chips, six rows against the own band, what changed within the run, one thing to try. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Card, CardRow, ShareMade } from "../api";
import { call, query, useApi } from "../http";
import { useStyle } from "../prefs";
import { clock, count, distance, distanceUnit, number, pace, paceUnit, runDay, sentence, shown, signed, timeOfDay, withUnit } from "../pure/format";
import { A } from "../router";
import { useMayWrite, useSession, useShoeNames } from "../session";
import { DataLabel, Head, LevelMark, Notice, Panel, Show } from "../ui/basics";
import { CheckIn } from "../ui/checkin";
import { Bullet, CoverageBar, Dumbbell } from "../ui/graphics";
import { Figure } from "../ui/table";

const WORD_SHAPE: Record<string, string> = { higher: "△", lower: "▽", usual: "=", learning: "…", "not comparable": "∅" };

function Row({ r, data, n }: { r: CardRow; data: Card["data"]; n: number }): JSX.Element {
  const { metrics } = useSession();
  const style = useStyle();
  const how = shown(metrics.get(r.metric), r.unit);
  const grey = r.beyond_noise !== true;
  const value = withUnit(r.value, how, style);
  return (
    <tr>
      <th scope="row">{metrics.has(r.metric) ? <A to={`/trends?metric=${r.metric}`} class="row-link">{r.title}</A> : r.title}</th>
      <td class="n"><b class="num" title={`from ${number(n, 0, style)} strides, Data ${data}`}>{value}</b></td>
      <td>{typeof r.value === "number" ? <Bullet unsure={data === "poor" || data === "none"} value={r.value} low={r.band_low} high={r.band_high} usual={r.usual} label={typeof r.band_low === "number" && typeof r.band_high === "number" ? `${value}; own band ${withUnit(r.band_low, how, style)} to ${withUnit(r.band_high, how, style)}` : `${value}; no own band yet`} /> : <span class="hatched" aria-hidden="true" />}</td>
      <td class={grey ? "muted" : ""}>
        <span aria-hidden="true">{WORD_SHAPE[r.word] ?? ""}</span> {r.word}
        {typeof r.change === "number" && r.word !== "usual" && r.word !== "learning" ? <span class="num"> {signed(r.change * how.factor, how.decimals, style)}{how.unit === "°" ? "°" : ` ${how.unit}`}</span> : null}
        {r.why ? <span class="row-sub">{r.why}</span> : null}
      </td>
    </tr>
  );
}

function Downloads({ c }: { c: Card }): JSX.Element {
  const mayWrite = useMayWrite();
  const [shared, setShared] = useState("");
  const s = c.session;
  const share = (): void => void call<ShareMade>("/shares", "POST", { athlete: s.athlete, what: "session", session: s.id, expires_us: (Date.now() + 14 * 86_400_000) * 1000 }).then((a) => setShared(new URL(a.url, location.origin).href), (e: Error) => setShared(e.message));
  return (
    <div class="row wrap">
      <A to={`/run/${s.id}`} class="button">Explore this run</A>
      {([["fit", ".fit"], ["csv", "-strides.csv"], ["xlsx", ".xlsx"]] as const).map(([f, end]) => <a key={f} class="button" href={`/api/v1/sessions/${s.id}/export?format=${f}`} download={`${s.id}${end}`}>{f.toUpperCase()}</a>)}
      <a class="button" href={`/api/v1/reports${query({ session: s.id, for: "runner", format: "html" })}`} target="_blank" rel="noopener">Report</a>
      {mayWrite ? <button type="button" onClick={share}>Share for 14 days</button> : null}
      {shared ? <output class="share-url">{shared}</output> : null}
    </div>
  );
}

function Body({ c }: { c: Card }): JSX.Element {
  const style = useStyle();
  const { metrics } = useSession();
  const mayWrite = useMayWrite();
  const stop = c.safety?.level === "stop";
  const s = c.session;
  const duration = s.duration_s ?? 0;
  const [checkin, setCheckin] = useState(c.checkin_due);
  const zone = typeof c.load.usual_week_low_km === "number" && typeof c.load.usual_week_high_km === "number";
  const loadWord: Record<string, string> = { below: "below your usual week", within: "within your usual week", above: "above your usual week", learning: "learning your usual week" };
  return (
    <>
      {stop || !c.headline ? null : <p class="headline">{c.headline}</p>}
      <div class="chips">
        <div class="chip"><span>Distance</span><b class="num">{distance(s.distance_km, style, 2)}</b> <span class="u">{distanceUnit(style)}</span></div>
        <div class="chip"><span>Time</span><b class="num">{clock(s.duration_s)}</b> <span class="u">{pace(s.speed_ms, style)} {paceUnit(style)}</span></div>
        <div class="chip"><span>This week</span><b class="num">{distance(c.load.week_km, style)}</b> <span class="u">{distanceUnit(style)}</span> <span class="chip-sub">{loadWord[c.load.word] ?? c.load.word}{zone ? `, ${distance(c.load.usual_week_low_km, style, 0)} to ${distance(c.load.usual_week_high_km, style, 0)}` : ""}</span></div>
        <div class="chip"><span>Data</span><DataLabel data={c.data} /> <span class="chip-sub">{count(s.strides, "stride", style)}{typeof s.usable_share === "number" ? `, ${number(s.usable_share * 100, 1, style)} % usable` : ""}</span></div>
      </div>
      {s.left_out ? <Notice title="Left out of your usual and of trends.">{s.note}</Notice> : null}
      {s.data === "poor" ? <Notice tone="calm" title="Low confidence.">Little of this run can be relied on: it was short, or not seen well. Numbers come from what there is; their diamonds are hollow.</Notice> : null}
      <div class={`two ${checkin && mayWrite ? "with-checkin" : ""}`}>
        <div>
          {stop ? null : (
            <Panel>
              <Figure readable level={2} title="How you ran" says="Value, own band and change of each." table={() => ({ name: `card-${s.id}`, head: ["metric", "unit", "value", "usual", "band low", "band high", "word"], rows: c.rows.map((r) => { const h = shown(metrics.get(r.metric), r.unit); const f = (v: number | null | undefined): number | null => (typeof v === "number" ? v * h.factor : null); return [r.title, h.unit, f(r.value), f(r.usual), f(r.band_low), f(r.band_high), r.word]; }) })}>
                <div class="table-scroll"><table class="card-rows"><thead class="sr"><tr><th scope="col">Metric</th><th scope="col">Value</th><th scope="col">Against own band</th><th scope="col">Change</th></tr></thead><tbody>{c.rows.map((r) => <Row key={r.metric} r={r} data={c.data} n={s.strides} />)}</tbody></table></div>
              </Figure>
              <p class="note">Bar: your own band at this pace. Diamond: this run. Grey words: inside what cannot be told from noise.</p>
            </Panel>
          )}
          {stop ? null : (
            <Panel title="What changed in the run">
              {c.within_run?.length ? (
                <ul class="within">
                  {c.within_run.map((w) => {
                    const h = shown(metrics.get(w.metric), w.unit);
                    const span = Math.max(Math.abs(w.first - w.last) * 1.6, Math.abs(w.first) * 0.06);
                    const mid = (w.first + w.last) / 2;
                    const words = `first fifth ${withUnit(w.first, h, style)}, last fifth ${withUnit(w.last, h, style)}`;
                    return (
                      <li key={w.metric}>
                        <span>{w.title}</span>
                        <Dumbbell first={w.first} last={w.last} domain={[mid - span, mid + span]} label={`${w.title}: ${words}`} />
                        <span class={`num ${w.counts ? "" : "muted"}`}>{withUnit(w.first, h, style)} → {withUnit(w.last, h, style)}</span>
                        <span class={w.counts ? "" : "muted"}>{w.counts ? "more than noise" : "no real change"}</span>
                      </li>
                    );
                  })}
                </ul>
              ) : <p class="muted">{c.within_why ?? "Not enough data for this comparison."}</p>}
              {c.within_run?.length ? <p class="note">First (hollow) and last fifth (full), corrected for pace.</p> : null}
            </Panel>
          )}
          {stop ? null : (
            <Panel title="One thing to try" class="one-thing">
              <p>{c.one_thing ?? (c.rows.some((r) => ["usual", "higher", "lower"].includes(r.word) && typeof r.value === "number") ? "Nothing to change." : "Not enough data to say.")}</p>
              {s.flags.length ? <p class="marks">{s.flags.map((f) => <A key={f.id} to={`/flags/${f.id}`}><LevelMark level={f.level} id={f.id} /></A>)}</p> : null}
            </Panel>
          )}
          <Panel title="What the sensors saw">{c.coverage.length ? <CoverageBar coverage={c.coverage} duration={duration} /> : <p class="muted">No sensor was worn: distance and time come from {s.origin === "import" ? "an imported file" : "what was typed in"}.</p>}</Panel>
        </div>
        {mayWrite ? (
          <div>
            {checkin ? <CheckIn session={s} /> : <Panel title="Check-in"><p class="muted">{typeof s.effort === "number" ? `Effort ${s.effort} of 10.` : "Effort not told."} {c.checkin_due ? "" : "Nothing is due."}</p><button type="button" onClick={() => setCheckin(true)}>{c.checkin_due ? "Check in" : "Add or change"}</button></Panel>}
          </div>
        ) : null}
      </div>
      <Downloads c={c} />
    </>
  );
}

export default function CardPage({ session }: { session: string }): JSX.Element {
  const style = useStyle();
  const q = useApi<Card>(`/sessions/${session}/card`);
  const s = q.data?.session;
  const shoe = useShoeNames(s?.athlete);
  return (
    <>
      <Head title={s ? <>{s.run_kind ? sentence(s.run_kind) : "Run"} <span class="light">{runDay(s, style)}</span></> : "Run"} sub={s ? `${s.athlete_name} · ${s.clock === "assumed" ? "time assumed" : timeOfDay(s.start_us, s.tz, style)}${s.shoe ? ` · ${shoe(s.shoe)}` : ""}${s.ground ? ` · ${s.ground} ground` : ""}` : "\u00a0"}>
        {s?.state === "open" ? <A to={`/live/${s.id}`} class="button primary">Still running: live</A> : null}
      </Head>
      <Show q={q} rows={6}>{(c) => <Body c={c} />}</Show>
    </>
  );
}
