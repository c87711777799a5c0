/** The thirty flags of a runner: what stands, what is clear, what cannot be judged yet; and for one flag the whole argument. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Computation, FlagDetail, FlagHistory, FlagItem, FlagsNow } from "../api";
import { call, changed, query, useApi } from "../http";
import { usePrefs, useStyle } from "../prefs";
import { day, LEVEL_WORD, NOTHING, number, sentence, shortDay, trimmed } from "../pure/format";
import { bucket, byLevel } from "../pure/flags";
import { A, useParam } from "../router";
import { useAthlete, useMay, useSession } from "../session";
import { Choice, DataLabel, EvidenceLabel, Head, LevelMark, Notice, Panel, Show } from "../ui/basics";

const OPS: Record<string, string> = { ">=": "≥", "<=": "≤", "==": "=" };
const ACTIONS = [["acknowledge", "Acknowledge"], ["note", "Add a note"], ["ask_runner", "Ask the runner"], ["mute", "Mute for 14 days"], ["hand_to_therapist", "Hand to therapist"]] as const;

/** What can be done about a flag; everything is appended, nothing is taken back. */
export function FlagActions({ flag, athlete, small }: { flag: FlagItem; athlete: string; small?: boolean }): JSX.Element | null {
  const mayWrite = useMay("flags");
  const style = useStyle();
  const { health } = useSession();
  const [note, setNote] = useState("");
  const [writing, setWriting] = useState(false);
  const [state, setState] = useState("");
  const act = (action: string): void => {
    if (action === "note" && !writing) return setWriting(true);
    const until = new Date(Date.now() + 14 * 86_400_000).toISOString().slice(0, 10);
    call(`/flags/${flag.id}/actions`, "POST", { athlete, id: flag.id, action, ...(note.trim() ? { note: note.trim() } : {}), ...(action === "mute" ? { until } : {}) }).then(
      () => {
        setWriting(false);
        setNote("");
        setState(`${sentence(action)}: noted.`);
        changed();
      },
      (e: Error) => setState(`Not noted: ${e.message}`),
    );
  };
  // A safety stop is not muted away.
  const offered = ACTIONS.filter(([a]) => flag.level !== "stop" || a !== "mute").filter(([a]) => health.role !== "runner" || a === "acknowledge" || a === "note" || a === "mute");
  return (
    <div class="actions">
      {mayWrite ? (
        <>
          <div class="row wrap">{offered.map(([a, text]) => <button key={a} type="button" class={small ? "small" : ""} onClick={() => act(a)} aria-label={`${text}: ${flag.id}`}>{text}</button>)}</div>
          {writing ? (
            <form class="row" onSubmit={(e) => { e.preventDefault(); act("note"); }}>
              <label class="grow"><span class="sr">Note on {flag.id}</span><input class="wide" value={note} maxLength={400} onInput={(e) => setNote(e.currentTarget.value)} placeholder="Note" /></label>
              <button type="submit" class="primary" disabled={!note.trim()}>Save</button>
            </form>
          ) : null}
        </>
      ) : null}
      <p role="status" class="note">{state}</p>
      {flag.actions.length ? (
        <ol class="trail">{flag.actions.map((a, i) => <li key={i}><span class="muted">{day(a.day, style)}</span> {a.actor}: {sentence(a.action).toLowerCase()}{a.note ? ` “${a.note}”` : ""}</li>)}</ol>
      ) : null}
    </div>
  );
}

function SummaryPanel({ now, history }: { now: FlagsNow; history: FlagHistory | undefined }): JSX.Element {
  const style = useStyle();
  const { rules } = useSession();
  const stop = now.safety?.level === "stop";
  const s = now.summary;
  return (
    <Panel class="summary">
      <div class="summary-row">
        <LevelMark level={s.level} />
        <div>
          <p class="summary-text">{stop ? "See the safety text above." : s.text}</p>
          {stop ? null : <p class="muted">{number(s.areas_changed, 0, style)} of 4 areas changed; {number(s.areas_measurable, 0, style)} of 4 measurable with your sensors.</p>}
          {now.learning ? <p>Learning your usual: {now.learning.runs} of {now.learning.needed} runs.</p> : null}
        </div>
      </div>
      {history && history.days.length ? (
        <div class="days" role="img" aria-label={`Summary of ${history.days.length} days, last: ${LEVEL_WORD[s.level]}`}>
          {history.days.map((d, i) => <i key={d} class={`day level-${history.summary[i]}`} title={`${shortDay(d, style)}: ${LEVEL_WORD[history.summary[i] ?? "none"]}`} />)}
        </div>
      ) : null}
      <p class="note">{now.first_time_line} As of {day(now.day, style)}, rules {now.rules_version}. {rules ? null : "The rule texts could not be loaded."}</p>
    </Panel>
  );
}

function Row({ f, chosen }: { f: FlagItem; chosen: boolean }): JSX.Element {
  const style = useStyle();
  const b = bucket(f);
  return (
    <li class={`flag-row bucket-${b}${chosen ? " chosen" : ""}`}>
      <A to={`/flags/${f.id}`} {...(chosen ? { "aria-current": "true" as const } : {})}>
        <span class="flag-top"><LevelMark level={f.hidden ? "not_enough_data" : f.level} bare={b === "clear" || b === "hidden"} /><b class="flag-id">{f.id}</b> <span class="flag-title">{f.title}</span>{f.since ? <span class="muted since">since {shortDay(f.since, style)}</span> : null}</span>
        {b === "raised" && f.message ? <span class="flag-message">{f.message}</span> : null}
        {b === "unknown" ? <span class="flag-missing">not enough data{f.missing.length ? `: ${f.missing.join("; ")}` : ""}</span> : null}
        {b === "hidden" ? <span class="flag-missing">not shared with you</span> : null}
        {b === "raised" ? <span class="flag-labels"><EvidenceLabel word={f.evidence_word} disputed={f.disputed} /><DataLabel data={f.data} />{f.muted_until ? <span class="muted">muted until {shortDay(f.muted_until, style)}</span> : null}</span> : null}
      </A>
    </li>
  );
}

const NO_COMPUTATION: Computation = { conditions: [], votes: [], needs: "", clears: [], other_reasons: [], remedies: [], cites: [] };

function Detail({ d, athlete }: { d: FlagDetail; athlete: string }): JSX.Element {
  const style = useStyle();
  const { vocabulary } = usePrefs();
  const { rules } = useSession();
  const c = d.computation ?? NO_COMPUTATION;
  const f = d.flag;
  const pt = vocabulary === "therapist";
  return (
    <article class="argument">
      <header>
        <h2>{f.title} <span class="muted">{f.id}</span></h2>
        <p class="row wrap"><LevelMark level={f.level} />{f.since ? <span class="muted">since {day(f.since, style)}</span> : null}<EvidenceLabel word={f.evidence_word} disputed={f.disputed} /><DataLabel data={f.data} /></p>
      </header>
      {f.hidden ? <Notice title="Not shared with you.">The runner decides who sees symptoms: Settings, Consents.</Notice> : null}
      {f.message ? <p class="lead">{f.message}</p> : f.level === "not_enough_data" ? <p class="lead">Not enough data{f.missing.length ? `: ${f.missing.join("; ")}.` : "."}</p> : <p class="lead">Nothing found.</p>}
      {c.remedies.length && f.level !== "none" && f.level !== "not_enough_data" ? <section><h3>Worth trying</h3><ul class="plain">{c.remedies.map((r) => <li key={r}>{r}</li>)}</ul></section> : null}
      {f.family === "SY" ? null : <section>
        <h3>What else could explain it</h3>
        {c.other_reasons.length ? <ul class="plain">{c.other_reasons.map((r) => <li key={r}>{r}</li>)}</ul> : <p class="muted">Nothing else stood out: no new shoes, ground or sensor place in these runs.</p>}
      </section>}
      <section>
        <h3>The computation</h3>
        {c.conditions.length === 0 ? <p class="muted">No condition to show.</p> : (
          <div class="table-scroll" tabIndex={0} role="region" aria-label={`Conditions of ${f.id}`}>
            <table class="conditions">
              <thead><tr><th scope="col">Level</th><th scope="col">Input</th><th scope="col" class="n">Value</th><th scope="col" class="n">Needed</th><th scope="col">Holds</th></tr></thead>
              {c.conditions.map((k, i) => (
                <tbody key={i} class={k.holds ? "holds" : ""}>
                  {k.inputs.map((n, j) => (
                    <tr key={`${n.name}${j}`}>
                      {j === 0 ? <th scope="rowgroup" rowSpan={k.inputs.length}><LevelMark level={k.level} /></th> : null}
                      <td>{pt ? <code>{n.name}</code> : sentence(n.title)}{j > 0 ? <span class="sr"> and</span> : null}</td>
                      <td class="n num">{typeof n.value === "number" ? <>{trimmed(n.value, 2, style)} <span class="u">{n.unit === "1" ? "" : n.unit}</span></> : <span class="why">{n.why_missing ?? "missing"}</span>}</td>
                      <td class="n num">{OPS[n.op] ?? n.op} {trimmed(n.effective_threshold, 2, style)}{n.effective_threshold !== n.threshold ? <span class="row-sub">rule {trimmed(n.threshold, 2, style)}, widened by your own spread</span> : null}</td>
                      {j === 0 ? <td rowSpan={k.inputs.length}>{k.holds === null || k.holds === undefined ? <span class="muted">cannot tell</span> : k.holds ? "yes" : "no"}</td> : null}
                    </tr>
                  ))}
                </tbody>
              ))}
            </table>
          </div>
        )}
        {c.needs ? <p><b>Needs</b> {c.needs}</p> : null}
      </section>
      {c.votes.length ? (
        <section>
          <h3>Runs that voted</h3>
          <ul class="votes">
            {c.votes.map((v, i) => (
              <li key={i}>{v.level ? <LevelMark level={v.level} /> : <span class="level level-not_enough_data"><span class="shape" aria-hidden="true">∅</span>not evaluated</span>} {v.session ? <A to={`/run/${v.session}`}>{day(v.day, style)}</A> : day(v.day, style)} <span class="muted num">{Object.entries(v.values).map(([k, x]) => `${k.replace(/_/g, " ")} ${number(x, 1, style)}`).join(", ") || NOTHING}</span></li>
            ))}
          </ul>
          {c.reference ? <p class="muted">Against {number(c.reference.runs, 0, style)} reference runs, {shortDay(c.reference.from, style)} to {shortDay(c.reference.to, style)}.</p> : null}
        </section>
      ) : null}
      {c.clears.length ? <section><h3>What would clear it</h3><ul class="plain">{c.clears.map((x) => <li key={x}>{x}</li>)}</ul></section> : null}
      <section>
        <h3>Sources</h3>
        <p class="muted">Evidence {f.evidence_word}{f.disputed ? ", disputed" : ""}: how well studies support that this is linked with the back. It says nothing about you.</p>
        <ul class="cites" data-fixed>{c.cites.map((x) => <li key={x.key}>{x.text} <span class="muted">[{x.basis}]</span> {x.url ? <a href={x.url} target="_blank" rel="noopener noreferrer">source<span class="sr"> of {x.key}</span></a> : null}</li>)}</ul>
      </section>
      <section><h3>Done about it</h3><FlagActions flag={f} athlete={athlete} /></section>
      {pt ? <details class="more-detail"><summary>As text (lope flags explain)</summary><pre>{d.text}</pre></details> : null}
      <p class="note" data-fixed>{rules?.footer}</p>
    </article>
  );
}

const FILTERS = [["all", "All 30"], ["raised", "Standing"], ["unknown", "Not enough data"], ["clear", "Nothing found"]] as const;

export default function Flags({ flag }: { flag?: string }): JSX.Element {
  const { rules } = useSession();
  const [athlete] = useAthlete();
  const [filter, setFilter] = useParam("show", "all");
  const q = useApi<FlagsNow>(athlete ? `/flags${query({ athlete })}` : null);
  const h = useApi<FlagHistory>(athlete ? `/flags/history${query({ athlete })}` : null);
  const d = useApi<FlagDetail>(athlete && flag ? `/flags/${flag}${query({ athlete })}` : null);
  return (
    <>
      <Head title={rules?.label ?? "Lower-back flags"} sub={rules?.subtitle} />
      <Show q={q} rows={8}>
        {(now) => {
          const raised = now.flags.filter((f) => bucket(f) === "raised").sort(byLevel);
          const pick = (b: string): FlagItem[] => (b === "raised" ? raised : now.flags.filter((f) => (b === "unknown" ? ["unknown", "hidden"].includes(bucket(f)) : bucket(f) === b)));
          const parts = ([["raised", "Standing"], ["unknown", "Not enough data"], ["clear", "Looked at, nothing found"]] as const).filter(([b]) => filter === "all" || filter === b);
          return (
            <>
              <SummaryPanel now={now} history={h.data} />
              <div class={`flags-layout${flag ? " with-detail" : ""}`}>
                <div class="flags-list">
                  <Choice label="Show" value={filter as "all"} options={FILTERS} onChange={setFilter} />
                  {parts.map(([b, text]) => {
                    const list = pick(b);
                    return (
                      <section key={b}>
                        <h2 class="list-title">{text} <span class="muted">{list.length}</span></h2>
                        {list.length ? <ul class="flag-list">{list.map((f) => <Row key={f.id} f={f} chosen={f.id === flag} />)}</ul> : <p class="muted">None.</p>}
                      </section>
                    );
                  })}
                </div>
                {flag ? <div class="flags-detail"><p class="back"><A to="/flags">← all flags</A></p><Show q={d} rows={6}>{(x) => <Detail d={x} athlete={athlete} />}</Show></div> : null}
              </div>
              {h.data?.changes.length ? <details class="more-detail"><summary>Changes so far</summary><ul class="trail">{h.data.changes.slice(0, 40).map((c, i) => <li key={i}><span class="muted">{c.day}</span> {c.id} <LevelMark level={c.state} /></li>)}</ul></details> : null}
            </>
          );
        }}
      </Show>
    </>
  );
}
