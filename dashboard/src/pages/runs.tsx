/** All runs of a runner, newest first, by week: what was run, how good the data were, what stood out. */
import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import type { Listing, Load, SessionItem } from "../api";
import { call, query, useApi } from "../http";
import { useStyle } from "../prefs";
import { clock, count, distance, distanceUnit, NOTHING, number, pace, paceUnit, runDay, sentence, shortDay, timeOfDay } from "../pure/format";
import { byLevel } from "../pure/flags";
import { scale } from "../pure/geometry";
import { A, RANGES, useParam } from "../router";
import { useAthlete, useShoeNames } from "../session";
import { Choice, DataLabel, Empty, Head, LevelMark, Notice, Panel, Pick, Show } from "../ui/basics";
import { Sized } from "../ui/graphics";
import { Figure } from "../ui/table";

/** Monday of the week of a local day. */
export function weekOf(text: string): string {
  const d = new Date(`${text}T12:00:00Z`);
  d.setUTCDate(d.getUTCDate() - ((d.getUTCDay() + 6) % 7));
  return d.toISOString().slice(0, 10);
}

const since = (weeks: string): string | null => (Number(weeks) >= 520 ? null : new Date(Date.now() - Number(weeks) * 7 * 86_400_000).toISOString().slice(0, 10));

function Row({ s, shoe }: { s: SessionItem; shoe: (id: string | null | undefined) => string | null }): JSX.Element {
  const style = useStyle();
  const to = s.state === "open" ? `/live/${s.id}` : `/run/${s.id}/card`;
  return (
    <tr class={s.left_out ? "left-out" : ""}>
      <th scope="row">
        <A to={to} class="row-link">{runDay(s, style)} <span class="muted">{s.clock === "assumed" ? "time assumed" : timeOfDay(s.start_us, s.tz, style)}</span></A>
        <span class="row-sub">
          {s.run_kind ? sentence(s.run_kind) : "Run"}
          {s.origin === "demo" ? " · simulated" : s.origin === "import" ? " · imported" : ""}
          {s.state === "recovered" ? " · recovered after a break" : ""}
          {s.left_out ? " · left out" : ""}
          {s.note ? ` · ${s.note}` : ""}
        </span>
      </th>
      <td class="n"><b class="num">{distance(s.distance_km, style)}</b> <span class="u">{distanceUnit(style)}</span></td>
      <td class="n num">{clock(s.duration_s)}</td>
      <td class="n"><span class="num">{pace(s.speed_ms, style)}</span> <span class="u">{paceUnit(style)}</span></td>
      <td class="n"><span class="num">{number(s.cadence_spm, 0, style)}</span> <span class="u">spm</span></td>
      <td class="n num hide-s">{number(s.strides, 0, style)}</td>
      <td><DataLabel data={s.data} /></td>
      <td class="hide-s">{shoe(s.shoe) ?? NOTHING}</td>
      <td>{s.state === "open" ? <span class="live-tag">live</span> : s.flags.length ? <span class="marks">{[...s.flags].sort(byLevel).slice(0, 3).map((f) => <LevelMark key={f.id} level={f.level} id={f.id} />)}</span> : <span class="muted">{NOTHING}</span>}</td>
      <td class="hide-s"><A to={`/run/${s.id}`} class="quiet-link">Explore<span class="sr"> {runDay(s, style)}</span></A></td>
    </tr>
  );
}

/** Bars of the weeks with their figures, over the usual zone. */
function Weeks({ load, width }: { load: Load; width: number }): JSX.Element {
  const style = useStyle();
  const height = 92;
  const top = Math.max(1, load.zone?.high ?? 0, ...load.weeks.map((w) => w.km)) * 1.05;
  const y = scale([0, top], [height - 18, 16]);
  const slot = width / load.weeks.length;
  const bar = Math.min(64, slot * 0.62);
  const every = Math.max(1, Math.ceil(46 / slot));
  return (
    <svg class="axes" width={width} height={height} viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
      {load.zone ? <rect x="0" width={width} y={y(load.zone.high)} height={y(load.zone.low) - y(load.zone.high)} class="zone" /> : null}
      <line x1="0" x2={width} y1={height - 18} y2={height - 18} class="axis" />
      {load.weeks.map((w, i) => {
        const mid = slot * (i + 0.5);
        const now = i === load.weeks.length - 1;
        return (
          <g key={w.week_start}>
            <rect x={mid - bar / 2} width={bar} y={y(w.km)} height={height - 18 - y(w.km)} class={now ? "bar unfinished" : "bar"} />
            {w.km > 0 && slot > 26 ? <text x={mid} y={y(w.km) - 4} class="tick middle strong">{distance(w.km, style, 0)}</text> : null}
            {(load.weeks.length - 1 - i) % every === 0 ? <text x={mid} y={height - 5} class="tick middle">{now ? "now" : shortDay(w.week_start, style)}</text> : null}
          </g>
        );
      })}
    </svg>
  );
}

export default function Runs(): JSX.Element {
  const style = useStyle();
  const [athlete] = useAthlete();
  const [range, setRange] = useParam("range", "8");
  const shoe = useShoeNames(athlete);
  const [which, setWhich] = useParam("show", "all");
  const path = athlete ? `/sessions${query({ athlete, from: since(range), limit: 100 })}` : null;
  const ranged = useApi<Listing<SessionItem>>(path);
  // Nothing in the range, as after a break or with a run without a date: older ones are shown rather than none.
  const wider = ranged.data?.items.length === 0 && Number(range) < 520;
  const anywhere = useApi<Listing<SessionItem>>(wider ? `/sessions${query({ athlete, limit: 20 })}` : null);
  const q = wider && anywhere.data ? anywhere : ranged;
  const load = useApi<Load>(athlete ? `/load${query({ athlete, weeks: Math.min(26, Number(range)) })}` : null);
  const [more, setMore] = useState<{ of: string | null; items: SessionItem[]; cursor: string | null }>({ of: null, items: [], cursor: null });
  const extra = more.of === path ? more.items : [];
  const cursor = more.of === path ? more.cursor : wider ? null : (q.data?.next_cursor ?? null);
  const items = useMemo(() => [...(q.data?.items ?? []), ...extra].filter((s) => (which === "flagged" ? s.flags.some((f) => f.level !== "info") : which === "trouble" ? s.data === "poor" || s.data === "none" || s.left_out : true)), [q.data, extra, which]);
  const weeks = useMemo(() => {
    const m = new Map<string, SessionItem[]>();
    for (const s of items) {
      const w = weekOf(s.day);
      m.set(w, [...(m.get(w) ?? []), s]);
    }
    return [...m].sort((a, b) => b[0].localeCompare(a[0]));
  }, [items]);
  const fetchMore = (): void => void call<Listing<SessionItem>>(`${path}&cursor=${encodeURIComponent(cursor ?? "")}`).then((l) => setMore({ of: path, items: [...extra, ...l.items], cursor: l.next_cursor ?? null }));
  return (
    <>
      <Head title="Runs" sub={q.data ? `${count(items.length, "run", style)}${cursor ? " so far" : ""}` : "\u00a0"}>
        <span class="narrow-only"><Pick label="Range" hideLabel value={range} options={RANGES} onChange={setRange} /></span>
        <Choice label="Show" value={which} options={[["all", "All"], ["flagged", "Flagged"], ["trouble", "Data trouble"]]} onChange={setWhich} />
      </Head>
      {load.data && load.data.weeks.length > 1 && load.data.weeks.some((w) => w.km > 0) ? (
        <Panel class="tight">
          <Figure
            title={`Distance per week, ${distanceUnit(style)}`}
            level={2}
            says={load.data.weeks.map((w) => `week of ${shortDay(w.week_start, style)}: ${distance(w.km, style)} ${distanceUnit(style)}`).slice(-8).join("; ")}
            table={() => ({ name: "load", head: ["week from", "km", "runs", "longest km", "rest days"], rows: load.data?.weeks.map((w) => [w.week_start, w.km, w.runs, w.longest_km ?? null, w.rest_days ?? null]) ?? [] })}
            legend={load.data.zone ? <span class="muted">usual {distance(load.data.zone.low, style, 0)} to {distance(load.data.zone.high, style, 0)} {distanceUnit(style)}; last full week {distance(load.data.weeks.at(-2)?.km, style, 0)}</span> : null}
          >
            <Sized>{(w) => <Weeks load={load.data as Load} width={w} />}</Sized>
          </Figure>
        </Panel>
      ) : null}
      {wider && (anywhere.data?.items.length ?? 0) > 0 ? <Notice>No run in the last {range} weeks; older ones are shown.</Notice> : null}
      <Show q={q} rows={8} empty={(d) => d.items.length === 0 && (
        <Empty title="No runs here yet.">
          Record one with <code>lope record</code>, read one in with <code>lope import</code>, or look around with <code>lope demo</code>.
        </Empty>
      )}>
        {() => items.length === 0 ? <Empty title="No run fits this choice." /> : (
          <Panel class="flush">
            <div class="table-scroll" tabIndex={0} role="region" aria-label="Runs">
              <table class="runs">
                <thead><tr><th scope="col">When</th><th scope="col" class="n">Distance</th><th scope="col" class="n">Time</th><th scope="col" class="n">Pace</th><th scope="col" class="n">Cadence</th><th scope="col" class="n hide-s">Strides</th><th scope="col">Data</th><th scope="col" class="hide-s">Shoes</th><th scope="col">Flags</th><th scope="col" class="hide-s"><span class="sr">More</span></th></tr></thead>
                {weeks.map(([w, list]) => (
                  <tbody key={w}>
                    <tr class="week"><th colSpan={10} scope="rowgroup">{w < "1980" ? "Undated" : <>Week of {shortDay(w, style)}</>} <span class="muted">{count(list.length, "run", style)}, {distance(list.reduce((n, s) => n + (s.distance_km ?? 0), 0), style)} {distanceUnit(style)}</span></th></tr>
                    {list.map((s) => <Row key={s.id} s={s} shoe={shoe} />)}
                  </tbody>
                ))}
              </table>
            </div>
            {cursor ? <p class="more"><button type="button" onClick={fetchMore}>Show older runs</button></p> : null}
          </Panel>
        )}
      </Show>
    </>
  );
}
