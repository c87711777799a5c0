/** The coach's screens: roster in triage order, inbox of flags, the squad live. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { InboxItem, Level, Listing, LiveItem, SessionItem, SquadRow } from "../api";
import { query, useApi } from "../http";
import { useLive } from "../live";
import { useStyle } from "../prefs";
import { byLevel } from "../pure/flags";
import { clock, count, DATA_RANK, distance, distanceUnit, LEVEL_RANK, NOTHING, number, pace, paceUnit, runDay, shortDay } from "../pure/format";
import { lostSentence } from "../pure/sensors";
import { A, useParam } from "../router";
import { Choice, DataLabel, Dialog, Empty, EvidenceLabel, Head, LevelMark, Notice, Panel, Pick, Show } from "../ui/basics";
import { LoadBars, Sized, Spark } from "../ui/graphics";
import { download, SideKey } from "../ui/table";
import { toCsv } from "../pure/csv";
import { FlagActions } from "./flags";

const DEG = 180 / Math.PI;
const ageDays = (since: string | null | undefined): number | null => (since ? Math.max(0, Math.round((Date.now() - Date.parse(`${since}T12:00:00Z`)) / 86_400_000)) : null);

function RosterRow({ r, open }: { r: SquadRow; open: () => void }): JSX.Element {
  const style = useStyle();
  const flags = [...r.flags].sort(byLevel);
  const spark = (label: string, unit: string, list: { day: string; value: number }[], decimals: number): JSX.Element => (
    list.length ? <span class="sparkcell"><Spark values={list.map((p) => p.value)} width={92} label={`${label}: ${list.length} runs, last ${number(list.at(-1)?.value, decimals, style)} ${unit}`} /><span class="num">{number(list.at(-1)?.value, decimals, style)}<span class="u"> {unit}</span></span></span> : <span class="muted">{NOTHING}</span>
  );
  return (
    <tr>
      <th scope="row"><button type="button" class="quiet-link name" onClick={open}><LevelMark level={r.summary} bare /> {r.name}<span class="sr">: last seven days</span></button><span class="row-sub">{r.groups.join(", ")}</span></th>
      <td data-label="">{flags.length ? <span class="marks">{flags.slice(0, 4).map((f) => <A key={f.id} to={`/flags/${f.id}?athlete=${r.athlete}`}><LevelMark level={f.level} id={f.id} extra={ageDays(f.since) === null ? "" : `${ageDays(f.since)} d`} /></A>)}{flags.length > 4 ? <span class="muted">+{flags.length - 4}</span> : null}</span> : <span class="muted">{r.summary === "not_enough_data" ? "not enough data" : "none"}</span>}</td>
      <td data-label="Cadence">{spark("Cadence", "spm", r.cadence_spark, 0)}</td>
      <td data-label="Drop L–R">{spark("Left minus right drop", "°", r.drop_asym_spark, 1)}</td>
      <td data-label="Load"><LoadBars weeks={r.load_weeks} zone={r.load_zone} label={`Weekly distance, last ${distance(r.load_weeks.at(-1)?.km, style, 0)} ${distanceUnit(style)}${r.load_zone ? `, usual ${distance(r.load_zone.low, style, 0)} to ${distance(r.load_zone.high, style, 0)}` : ""}`} width={96} height={30} /></td>
      <td data-label="Last run">{r.last_run ? (r.last_run.session ? <A to={`/run/${r.last_run.session}?athlete=${r.athlete}`}>{shortDay(r.last_run.day, style)}</A> : shortDay(r.last_run.day, style)) : NOTHING} {(r.silent_days ?? 0) >= 7 ? <span class="silent">silent {r.silent_days} d</span> : typeof r.last_run?.km === "number" ? <span class="muted num">{distance(r.last_run.km, style)} {distanceUnit(style)}</span> : null}</td>
      <td data-label="Data"><DataLabel data={r.data} /></td>
      <td data-label="Shoes">{r.shoe ? <>{r.shoe.name} <span class="muted num">{distance(r.shoe.km, style, 0)} {distanceUnit(style)}</span></> : NOTHING}</td>
      <td data-label="Check-in">{r.symptoms === "shared" ? <span class="num">{typeof r.back_last === "number" ? `back ${r.back_last}/10` : "no answer"}</span> : <span class="muted">not shared</span>}</td>
    </tr>
  );
}

function Drawer({ row, onClose }: { row: SquadRow; onClose: () => void }): JSX.Element {
  const style = useStyle();
  const q = useApi<Listing<SessionItem>>(`/sessions${query({ athlete: row.athlete, limit: 20 })}`);
  // The last seven days; at least three runs, however old.
  const week = new Date(Date.now() - 7 * 86_400_000).toISOString().slice(0, 10);
  const recent = (items: SessionItem[]): SessionItem[] => items.filter((s, i) => i < 3 || s.day >= week);
  return (
    <Dialog title={`${row.name}, last runs`} open side onClose={onClose}>
      <p class="row wrap"><LevelMark level={row.summary} />{row.flags.map((f) => <A key={f.id} to={`/flags/${f.id}?athlete=${row.athlete}`}><LevelMark level={f.level} id={f.id} /></A>)}</p>
      <Show q={q} empty={(d) => d.items.length === 0 && <Empty title="No run yet." />}>
        {(d) => (
          <ol class="drawer-runs">
            {recent(d.items).map((s) => (
              <li key={s.id}>
                <A to={`/run/${s.id}?athlete=${row.athlete}`} class="row-link">{runDay(s, style)}</A>
                <span class="num">{distance(s.distance_km, style)} {distanceUnit(style)} · {clock(s.duration_s)} · {pace(s.speed_ms, style)} {paceUnit(style)} · {number(s.cadence_spm, 0, style)} spm</span>
                <span class="row wrap"><DataLabel data={s.data} />{s.flags.map((f) => <LevelMark key={f.id} level={f.level} id={f.id} />)}</span>
              </li>
            ))}
          </ol>
        )}
      </Show>
      <div class="row wrap"><A to={`/trends?athlete=${row.athlete}`} class="button">Trends</A><A to={`/flags?athlete=${row.athlete}`} class="button">Flags</A><A to={`/compare?athlete=${row.athlete}`} class="button">Compare</A></div>
    </Dialog>
  );
}

function Roster({ group, groups, setGroup }: { group: string; groups: (list: SquadRow[]) => readonly (readonly [string, string])[]; setGroup: (v: string | null) => void }): JSX.Element {
  const style = useStyle();
  const [only, setOnly] = useParam("only", "all");
  const [open, setOpen] = useParam("open");
  const q = useApi<Listing<SquadRow>>("/squad");
  const csv = (rows: SquadRow[]): void => download("roster.csv", toCsv(["name", "summary", "flags", "last run", "silent days", "data", "week km", "shoe", "shoe km", "symptoms"], rows.map((r) => [r.name, r.summary, r.flags.map((f) => `${f.id} ${f.level}`).join(" "), r.last_run?.day ?? null, r.silent_days ?? null, r.data, r.load_weeks.at(-1)?.km ?? null, r.shoe?.name ?? null, r.shoe?.km ?? null, r.symptoms])));
  return (
    <Show q={q} rows={8} empty={(d) => d.items.length === 0 && <Empty title="No runner is assigned to you.">Runners are assigned where your access was made: Settings, Tokens.</Empty>}>
      {(d) => {
        const rows = d.items
          .filter((r) => !group || r.groups.includes(group))
          .filter((r) => (only === "flagged" ? r.flags.some((f) => LEVEL_RANK[f.level] >= LEVEL_RANK.watch) : only === "silent" ? (r.silent_days ?? 0) >= 7 : true))
          .sort((a, b) => b.triage - a.triage);
        const row = d.items.find((r) => r.athlete === open);
        return (
          <>
            <div class="row wrap filters">
              <Choice label="Show" value={only} options={[["all", "All"], ["flagged", "Flagged"], ["silent", "Silent 7 d"]]} onChange={setOnly} />
              <Pick label="Group" hideLabel value={group} options={groups(d.items)} onChange={(v) => setGroup(v || null)} />
              <span class="muted">{count(rows.length, "runner", style)}, who needs a look first</span>
              <button type="button" class="quiet" onClick={() => csv(rows)}>CSV of the roster</button>
              <a class="button" href={`/api/v1/squad/export${query({ format: "xlsx", group })}`} download="roster.xlsx">Workbook of the roster</a>
            </div>
            {rows.length === 0 ? <Empty title="No runner fits this choice." /> : (
              <Panel class="flush">
                <div class="table-scroll" tabIndex={0} role="region" aria-label="Roster">
                  <table class="roster">
                    <thead><tr><th scope="col">Runner</th><th scope="col">Flags</th><th scope="col">Cadence</th><th scope="col">Drop L–R</th><th scope="col">Load, 8 weeks</th><th scope="col">Last run</th><th scope="col">Data</th><th scope="col">Shoes</th><th scope="col">Check-in</th></tr></thead>
                    <tbody>{rows.map((r) => <RosterRow key={r.athlete} r={r} open={() => setOpen(r.athlete)} />)}</tbody>
                  </table>
                </div>
              </Panel>
            )}
            {row ? <Drawer row={row} onClose={() => setOpen(null)} /> : null}
          </>
        );
      }}
    </Show>
  );
}

function Strip({ strip }: { strip: { day: string; level: Level }[] }): JSX.Element {
  const style = useStyle();
  return <ol class="evidence-strip" aria-label="Last five runs, oldest first">{strip.map((s, i) => <li key={i} title={`${shortDay(s.day, style)}`}><LevelMark level={s.level} bare /><span class="muted">{shortDay(s.day, style)}</span></li>)}</ol>;
}

function Card({ i, hideName }: { i: InboxItem; hideName: boolean }): JSX.Element {
  const f = i.flag;
  const d = ageDays(i.since);
  return (
    <li class="inbox-card panel">
      <p class="inbox-head"><LevelMark level={f.level} id={f.id} />{hideName ? null : <b>{i.athlete_name}</b>}<span>{f.title}</span>{d === null ? null : <span class="muted">{d} d</span>}</p>
      <p class="flag-message">{f.message ?? "Its text is not shared with you."}</p>
      <Strip strip={i.strip} />
      <p class="row wrap"><EvidenceLabel word={f.evidence_word} disputed={f.disputed} /><DataLabel data={f.data} /></p>
      {f.family === "SY" ? null : <p class="other"><b>Could also be</b> {i.other_reasons.length ? i.other_reasons.join(" · ") : "nothing else stood out"}</p>}
      <FlagActions flag={f} athlete={i.athlete} small />
      <A to={`/flags/${f.id}?athlete=${i.athlete}`} class="quiet-link">Whole argument<span class="sr"> of {f.id} for {i.athlete_name}</span></A>
    </li>
  );
}

function Inbox({ group }: { group: string }): JSX.Element {
  const [by, setBy] = useParam("by", "runner");
  const q = useApi<Listing<InboxItem>>(`/inbox${query({ group })}`);
  return (
    <Show q={q} rows={6} empty={(d) => d.items.length === 0 && <Empty title="The inbox is clear.">Flags at watch or above come here, muted ones excepted.</Empty>}>
      {(d) => {
        const m = new Map<string, InboxItem[]>();
        for (const i of d.items) {
          const k = by === "runner" ? i.athlete_name : `${i.flag.id} ${i.flag.title}`;
          m.set(k, [...(m.get(k) ?? []), i]);
        }
        return (
          <>
            <div class="row wrap filters"><Choice label="Grouped by" value={by} options={[["runner", "By runner"], ["rule", "By flag"]]} onChange={setBy} /><span class="muted">{d.items.length} to look at</span></div>
            {[...m].map(([k, list]) => <section key={k}><h2 class="list-title">{k} <span class="muted">{list.length}</span></h2><ul class="inbox">{list.map((i) => <Card key={`${i.athlete}${i.flag.id}`} i={i} hideName={by === "runner"} />)}</ul></section>)}
          </>
        );
      }}
    </Show>
  );
}

function LiveSquad(): JSX.Element {
  const style = useStyle();
  const { runs, link } = useLive("squad");
  // A stream without runs says nothing for a while; the list knows at once.
  const now = useApi<Listing<LiveItem>>("/live");
  const list = [...runs].filter(([, r]) => r.hello).sort(([, a], [, b]) => DATA_RANK[a.windows.at(-1)?.data ?? "none"] - DATA_RANK[b.windows.at(-1)?.data ?? "none"] || (a.hello?.name ?? "").localeCompare(b.hello?.name ?? ""));
  if (link.state === "refused") return <Empty title="Not shared with you." />;
  if (list.length === 0) return now.data?.items.length === 0 ? <Empty title="Nobody is running now.">Whoever starts appears here.</Empty> : <div class="skeleton" role="status"><span class="sr">Connecting</span><i /><i /></div>;
  return (
    <>
      {link.state === "broken" ? <Notice tone="care" title="The connection broke.">Trying again.</Notice> : null}
      <ul class={`squad${link.state === "open" ? "" : " dimmed"}`}>
        {list.slice(0, 12).map(([id, r]) => {
          const w = r.windows.at(-1);
          const lost = lostSentence(r.health?.sensors ?? []);
          return (
            <li key={id} class="panel squad-tile">
              <p class="inbox-head"><A to={`/live/${id}`}><b>{r.hello?.name}</b></A><span class="muted num">{clock(w?.t_s)}</span>{w ? <DataLabel data={w.data} /> : null}{r.over ? <span class="muted">ended</span> : null}</p>
              <p class="squad-big"><b class="num">{number(w?.cadence_spm, 0, style)}</b> <span class="u">spm</span> <b class="num">{pace(w?.speed_ms, style)}</b> <span class="u">{paceUnit(style)}</span> <b class="num">{distance(w?.distance_km, style, 2)}</b> <span class="u">{distanceUnit(style)}</span></p>
              <Sized otherwise={260}>{(width) => <Spark values={r.windows.slice(-120).map((v) => v.cadence_spm ?? null)} band={w?.usual?.cadence_spm ?? null} width={width} height={34} label={`Cadence of the last two minutes, now ${number(w?.cadence_spm, 0, style)} steps a minute`} />}</Sized>
              <p class="row wrap small"><span><SideKey side="left">contact {number(w?.contact_left_s ? w.contact_left_s * 1000 : null, 0, style)} ms</SideKey></span><span><SideKey side="right">{number(w?.contact_right_s ? w.contact_right_s * 1000 : null, 0, style)} ms</SideKey></span><span>drop {number(typeof w?.drop_left_rad === "number" ? w.drop_left_rad * DEG : null, 1, style)} / {number(typeof w?.drop_right_rad === "number" ? w.drop_right_rad * DEG : null, 1, style)}°</span></p>
              {lost ? <p class="sensor-text">{lost}</p> : null}
            </li>
          );
        })}
      </ul>
    </>
  );
}

export default function Coach(): JSX.Element {
  const [tab, setTab] = useParam("tab", "roster");
  const [group, setGroup] = useParam("group");
  const [seen, setSeen] = useState<string[]>([]);
  const groups = (list: SquadRow[]): readonly (readonly [string, string])[] => {
    const all = [...new Set(list.flatMap((r) => r.groups))].sort();
    if (all.join() !== seen.join()) queueMicrotask(() => setSeen(all));
    return [["", "All groups"] as const, ...all.map((g) => [g, g] as const)];
  };
  return (
    <>
      <Head title="Coach" sub={{ roster: "Who needs a look today", inbox: "Flags to look at", live: "Running now" }[tab] ?? ""}>
        <Choice label="View" value={tab} options={[["roster", "Roster"], ["inbox", "Inbox"], ["live", "Live"]]} onChange={setTab} />
      </Head>
      {tab === "inbox" ? <Inbox group={group} /> : tab === "live" ? <LiveSquad /> : <Roster group={group} groups={groups} setGroup={setGroup} />}
    </>
  );
}
