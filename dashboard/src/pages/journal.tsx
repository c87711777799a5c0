/** What only people know: check-ins by day and week, shoes, runs made without lope, tests, notes. Entries can be corrected. */
import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import type { Entry, Listing, Shoe } from "../api";
import { call, changed, newId, query, useApi } from "../http";
import { useStyle } from "../prefs";
import { day, distance, distanceUnit, KM_PER_MI, NOTHING, number, sentence, signed } from "../pure/format";
import { useParam } from "../router";
import { useAthlete, useMayWrite, useSession } from "../session";
import { Choice, Empty, Head, Panel, Pick, Show, ZeroToTen } from "../ui/basics";
import { placeText } from "../ui/bodymap";
import { SafetyRow, type TickSet } from "../ui/checkin";

const today = (): string => new Date(Date.now() - new Date().getTimezoneOffset() * 60_000).toISOString().slice(0, 10);
type Body = Record<string, unknown>;

/** A form that puts one entry. `body` gives what to keep, or a reason why not. */
function EntryForm({ kind, title, children, body, onSaved, id }: { kind: string; title: string; children: ComponentChildren; body: () => Body | string; onSaved?: () => void; id?: () => string }): JSX.Element {
  const [athlete] = useAthlete();
  const [when, setWhen] = useState(today());
  const [said, setSaid] = useState<{ ok: boolean; text: string } | null>(null);
  const submit = (e: Event): void => {
    e.preventDefault();
    const b = body();
    if (typeof b === "string") return setSaid({ ok: false, text: b });
    call(`/journal/${athlete}/${id?.() ?? newId()}`, "PUT", { day: when, at_us: Date.now() * 1000, kind, ...b }).then(
      () => {
        setSaid({ ok: true, text: `Saved for ${when}.` });
        onSaved?.();
        changed();
      },
      (cause: Error) => setSaid({ ok: false, text: `Not saved: ${cause.message}` }),
    );
  };
  return (
    <Panel title={title}>
      <form onSubmit={submit} class="entry">
        <label class="field">Day<input type="date" value={when} max={today()} required onChange={(e) => setWhen(e.currentTarget.value)} /></label>
        {children}
        <div class="row"><button type="submit" class="primary">Save</button>{said ? <span class={said.ok ? "note" : "wrong"} role={said.ok ? "status" : "alert"}>{said.text}</span> : null}</div>
      </form>
    </Panel>
  );
}

const Num = ({ label, value, set, unit, min = 0, max, step = 1 }: { label: string; value: string; set: (v: string) => void; unit: string; min?: number; max: number; step?: number }): JSX.Element => (
  <label class="field">{label} <span class="u">{unit}</span><input type="number" inputMode="decimal" min={min} max={max} step={step} value={value} onInput={(e) => set(e.currentTarget.value)} /></label>
);
const some = (fields: Record<string, number | string | boolean | null>): Body => Object.fromEntries(Object.entries(fields).filter(([, v]) => v !== null && v !== ""));
const num = (t: string): number | null => (t.trim() === "" || !Number.isFinite(Number(t)) ? null : Number(t));

function useQuestion(): (id: string, or: string) => string {
  const { rules } = useSession();
  return (id, or) => rules?.questions.find((q) => q.id === id)?.text ?? or;
}

function DayForm(): JSX.Element {
  const ask = useQuestion();
  const [back, setBack] = useState<number | null>(null);
  const [morning, setMorning] = useState<number | null>(null);
  const [tired, setTired] = useState<number | null>(null);
  const [sleep, setSleep] = useState<number | null>(null);
  const [sore, setSore] = useState<number | null>(null);
  const [rest, setRest] = useState(false);
  const [seen, setSeen] = useState(false);
  const [safety, setSafety] = useState<TickSet>({ ticks: [], nothingNew: false });
  return (
    <EntryForm kind="check_in" title="Today" body={() => ({ ...some({ back_now: back, back_morning: morning, fatigue: tired, sleep_quality: sleep, soreness: sore }), ticks: safety.ticks, safety_answered: safety.nothingNew || safety.ticks.length > 0, rest_day: rest, seen_by_professional: seen })} onSaved={() => setSafety({ ticks: [], nothingNew: false })}>
      <ZeroToTen label={ask("q_back_now", "How does your lower back feel right now?")} value={back} onChange={setBack} ends={["nothing at all", "worst you can imagine"]} bands={(back ?? 0) > 0} />
      <ZeroToTen label={ask("q_morning", "Good morning. How is your lower back now?")} value={morning} onChange={setMorning} ends={["nothing at all", "worst you can imagine"]} />
      <ZeroToTen label={ask("q_fatigue", "How tired are you today?")} value={tired} onChange={setTired} ends={["fresh", "worn out"]} />
      <ZeroToTen label={ask("q_sleep", "How good was your sleep last night?")} value={sleep} onChange={setSleep} ends={["awful", "great"]} />
      <ZeroToTen label={ask("q_soreness", "How sore are your muscles?")} value={sore} onChange={setSore} ends={["not at all", "extremely"]} />
      <label class="check"><input type="checkbox" checked={rest} onChange={() => setRest(!rest)} />A rest day on purpose</label>
      <label class="check"><input type="checkbox" checked={seen} onChange={() => setSeen(!seen)} />{ask("q_seen", "Have you had this looked at by a health professional?")}</label>
      <SafetyRow value={safety} onChange={setSafety} oneSided={(back ?? morning ?? 0) >= 1} />
    </EntryForm>
  );
}

function WeekForm(): JSX.Element {
  const ask = useQuestion();
  const [left, setLeft] = useState("");
  const [cut, setCut] = useState("");
  const [held, setHeld] = useState<number | null>(null);
  const [hard, setHard] = useState("");
  const [goals, setGoals] = useState<[string, number | null][]>([["", null], ["", null], ["", null]]);
  return (
    <EntryForm kind="weekly" title="This week" body={() => ({ ...some({ left_out: num(left), cut_short: num(cut), held_back: held, daily_life_hard: hard === "" ? null : hard === "yes" }), goals: Object.fromEntries(goals.filter(([g, v]) => g.trim() && v !== null).map(([g, v]) => [g.trim(), v])) })}>
      <Num label={ask("q_week_skipped", "Planned runs left out because of your back")} value={left} set={setLeft} unit="runs" max={30} />
      <Num label={ask("q_week_cut", "Runs slowed or cut short because of it")} value={cut} set={setCut} unit="runs" max={30} />
      <ZeroToTen label={ask("q_week_held", "How much did your back hold your running back?")} value={held} onChange={setHeld} ends={["not at all", "fully"]} />
      <Choice label={ask("q_daily_life", "Did your back make ordinary things hard?")} showLabel value={hard} options={[["", "no answer"], ["no", "No"], ["yes", "Yes"]]} onChange={setHard} />
      <fieldset class="goals"><legend>{ask("q_week_things", "Up to three things you want to do freely")}</legend>
        {goals.map(([g, v], i) => (
          <div key={i} class="row wrap">
            <label class="grow"><span class="sr">Thing {i + 1}</span><input class="wide" maxLength={80} value={g} placeholder={`Thing ${i + 1}`} onInput={(e) => setGoals(goals.map((x, j) => (j === i ? [e.currentTarget.value, x[1]] : x)))} /></label>
            <Pick label={`How well, thing ${i + 1}`} hideLabel value={v === null ? "" : String(v)} options={[["", "–"], ...Array.from({ length: 11 }, (_, k) => [String(k), String(k)] as const)]} onChange={(t) => setGoals(goals.map((x, j) => (j === i ? [x[0], num(t)] : x)))} />
          </div>
        ))}
      </fieldset>
    </EntryForm>
  );
}

function ActivityForm({ shoes }: { shoes: Shoe[] }): JSX.Element {
  const style = useStyle();
  const [what, setWhat] = useState("run");
  const [km, setKm] = useState("");
  const [minutes, setMinutes] = useState("");
  const [effort, setEffort] = useState<number | null>(null);
  const [kind, setKind] = useState("");
  const [shoe, setShoe] = useState("");
  const [ground, setGround] = useState("");
  const [warm, setWarm] = useState("");
  const body = (): Body | string => {
    if (num(minutes) === null && num(km) === null) return "Say how long or how far it was.";
    const d = num(km);
    return { activity: what, ...some({ km: d === null ? null : Math.round(d * (style.units === "imperial" ? KM_PER_MI : 1) * 100) / 100, minutes: num(minutes) }), note: some({ effort, run_kind: what === "run" ? kind || null : null, shoe: shoe || null, ground: ground || null, warmup: warm === "" ? null : warm === "yes" }) };
  };
  return (
    <EntryForm kind="activity" title="A run without sensors, another sport, core work" body={body}>
      <Choice label="What" value={what} options={[["run", "Run"], ["other", "Other sport"], ["core", "Core work"]]} onChange={setWhat} />
      <div class="row wrap">
        {what === "core" ? null : <Num label="Distance" value={km} set={setKm} unit={distanceUnit(style)} max={1000} step={0.01} />}
        <Num label="Time" value={minutes} set={setMinutes} unit="min" max={6000} />
      </div>
      <ZeroToTen label="How hard was the whole session?" value={effort} onChange={setEffort} ends={["no effort", "everything"]} />
      {what === "run" ? (
        <div class="row wrap">
          <Pick label="Kind" value={kind} options={[["", "–"], ["easy", "Easy"], ["long", "Long"], ["intervals", "Intervals"], ["tempo", "Tempo"], ["race", "Race"]]} onChange={setKind} />
          <Pick label="Shoes" value={shoe} options={[["", "–"], ...shoes.map((s) => [s.id, s.name] as const)]} onChange={setShoe} />
          <Pick label="Ground" value={ground} options={[["", "–"], ["hard", "Hard"], ["uneven", "Uneven"], ["other", "Other"]]} onChange={setGround} />
          <Pick label="Easy minutes first" value={warm} options={[["", "–"], ["yes", "Yes"], ["no", "No"]]} onChange={setWarm} />
        </div>
      ) : null}
    </EntryForm>
  );
}

function Shoes({ shoes }: { shoes: Shoe[] }): JSX.Element {
  const style = useStyle();
  const ask = useQuestion();
  const mayWrite = useMayWrite();
  const [athlete] = useAthlete();
  const [name, setName] = useState("");
  const [before, setBefore] = useState("");
  const [pair, setPair] = useState("");
  const [comfort, setComfort] = useState<number | null>(null);
  const [heel, setHeel] = useState("");
  const retire = (s: Shoe): void => void call(`/journal/${athlete}/${s.id}`, "PUT", { day: today(), at_us: Date.now() * 1000, kind: "shoe", name: s.name, km_before: s.km_before ?? null, retired: s.retired ? null : today() }).then(() => changed());
  const idOf = (): string => name.trim().toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 60) || newId("s");
  return (
    <>
      <Panel title="Shoes" note="480 to 800 km (300 to 500 miles) is a common rule of thumb, not a hard limit; comfort decides.">
        {shoes.length === 0 ? <Empty title="No shoes yet.">Add a pair below; runs can then be counted on it.</Empty> : (
          <ul class="shoes">
            {shoes.map((s) => (
              <li key={s.id} class={s.retired ? "retired" : ""}>
                <strong>{s.name}</strong>
                <span class="num">{distance(s.km, style, 0)} {distanceUnit(style)}</span>
                <span class="shoe-bar"><meter min={0} max={800} low={480} high={800} optimum={0} value={Math.min(800, s.km)} aria-label={`${s.name}: ${number(s.km, 0, style)} of 800 km`} /></span>
                <span class="muted">{s.runs} runs{s.last_worn ? `, last ${day(s.last_worn, style)}` : ""} · comfort {s.comfort ?? NOTHING}{s.uneven_heel ? " · heels unevenly worn" : ""}{typeof s.impact_change_pct === "number" ? ` · impact at your pace ${signed(s.impact_change_pct, 0, style)} % since new` : ""}</span>
                {mayWrite ? <button type="button" class="small" onClick={() => retire(s)} aria-label={`${s.retired ? "Take back" : "Retire"} ${s.name}`}>{s.retired ? "Take back" : "Retire"}</button> : null}
              </li>
            ))}
          </ul>
        )}
      </Panel>
      {mayWrite ? (
        <div class="two even">
          <EntryForm kind="shoe" title="Add a pair" id={idOf} body={() => (name.trim() ? { name: name.trim(), ...some({ km_before: num(before) === null ? null : (num(before) as number) * (style.units === "imperial" ? KM_PER_MI : 1) }) } : "The pair needs a name.")} onSaved={() => setName("")}>
            <label class="field">Name<input class="wide" maxLength={80} value={name} onInput={(e) => setName(e.currentTarget.value)} /></label>
            <Num label={ask("q_shoe_start", "Distance when added")} value={before} set={setBefore} unit={distanceUnit(style)} max={20000} />
          </EntryForm>
          <EntryForm kind="shoe_check" title="How a pair feels" body={() => (pair ? { shoe: pair, ...some({ comfort, uneven_heel: heel === "" ? null : heel === "yes" }) } : "Choose a pair.")}>
            <Pick label="Pair" value={pair} options={[["", "–"], ...shoes.map((s) => [s.id, s.name] as const)]} onChange={setPair} />
            <ZeroToTen label={ask("q_comfort", "How comfortable is this pair?")} value={comfort} onChange={setComfort} ends={["awful", "perfect"]} />
            <Choice label={ask("q_heel", "Is one heel clearly more worn?")} showLabel value={heel} options={[["", "no answer"], ["no", "No"], ["yes", "Yes"]]} onChange={setHeel} />
          </EntryForm>
        </div>
      ) : null}
    </>
  );
}

function TestForm(): JSX.Element {
  const ask = useQuestion();
  const [left, setLeft] = useState("");
  const [right, setRight] = useState("");
  const [tight, setTight] = useState("");
  const [hip, setHip] = useState("");
  const [knee, setKnee] = useState("");
  const [name, setName] = useState("");
  const [score, setScore] = useState("");
  return (
    <EntryForm kind="body_test" title="Tests, every six weeks" body={() => ({ ...some({ side_plank_left_s: num(left), side_plank_right_s: num(right), self_test_tight: tight === "" ? null : tight === "yes", hip_above_deg: num(hip), knee_ext_deficit_deg: num(knee) }), scores: name.trim() && num(score) !== null ? [{ name: name.trim(), value: num(score) }] : [] })}>
      <fieldset class="goals"><legend>{ask("q_plank", "Side plank, seconds")}</legend><div class="row wrap"><Num label="Left" value={left} set={setLeft} unit="s" max={3600} /><Num label="Right" value={right} set={setRight} unit="s" max={3600} /></div></fieldset>
      <Choice label={ask("q_flex", "Does either look tight?")} showLabel value={tight} options={[["", "no answer"], ["no", "No"], ["yes", "Yes"]]} onChange={setTight} />
      <fieldset class="goals"><legend>{ask("q_flex_pt", "Measured angles")}</legend><div class="row wrap"><Num label="Hip front" value={hip} set={setHip} unit="°" min={-60} max={60} /><Num label="Knee" value={knee} set={setKnee} unit="°" min={-20} max={110} /></div></fieldset>
      <fieldset class="goals"><legend>A questionnaire filled in elsewhere: name and score</legend><div class="row wrap"><label class="grow"><span class="sr">Name of the questionnaire</span><input class="wide" maxLength={80} value={name} onInput={(e) => setName(e.currentTarget.value)} /></label><Num label="Score" value={score} set={setScore} unit="" min={-1000000} max={1000000} step={0.1} /></div></fieldset>
    </EntryForm>
  );
}

function describe(e: Entry): string {
  const skip = new Set(["id", "athlete", "day", "at_us", "kind", "safety_answered", "source"]);
  return Object.entries(e)
    .filter(([k, v]) => !skip.has(k) && v !== null && v !== false && v !== "" && !(Array.isArray(v) && v.length === 0) && !(typeof v === "object" && !Array.isArray(v) && Object.keys(v as object).length === 0))
    .map(([k, v]) => `${sentence(k).toLowerCase()} ${Array.isArray(v) ? v.map((x) => (typeof x === "string" ? placeText(x).replace(/_/g, " ") : JSON.stringify(x))).join(", ") : typeof v === "object" ? Object.entries(v as object).map(([a, b]) => `${a} ${b}`).join(", ") : v === true ? "yes" : String(v)}`)
    .join(" · ");
}

function Past(): JSX.Element {
  const style = useStyle();
  const [athlete] = useAthlete();
  const mayWrite = useMayWrite();
  const q = useApi<Listing<Entry>>(`/journal${query({ athlete })}`);
  const drop = (e: Entry): void => void call(`/journal/${athlete}/${e.id}`, "DELETE").then(() => changed());
  return (
    <Panel title="What was written">
      <Show q={q} empty={(d) => d.items.length === 0 && <Empty title="Nothing written yet." />}>
        {(d) => <ul class="entries">{d.items.slice(0, 100).map((e) => <li key={e.id}><span class="muted">{day(e.day, style)}</span> <b>{sentence(e.kind)}</b> <span data-fixed>{describe(e)}</span> {mayWrite ? <button type="button" class="small quiet" aria-label={`Delete ${sentence(e.kind)} of ${e.day}`} onClick={() => drop(e)}>Delete</button> : null}</li>)}</ul>}
      </Show>
    </Panel>
  );
}

export default function Journal(): JSX.Element {
  const [athlete] = useAthlete();
  const mayWrite = useMayWrite();
  const [form, setForm] = useParam("form", "today");
  const shoes = useApi<Listing<Shoe>>(athlete ? `/shoes${query({ athlete })}` : null);
  const list = shoes.data?.items ?? [];
  return (
    <>
      <Head title="Journal" sub="What sensors cannot know. It stays on this machine.">
        <Choice label="Form" value={form} options={[["today", "Today"], ["week", "Week"], ["activity", "Activity"], ["shoes", "Shoes"], ["tests", "Tests"], ["past", "Written"]]} onChange={setForm} />
      </Head>
      <div class="reading">
        {form === "shoes" ? <Show q={shoes}>{() => <Shoes shoes={list} />}</Show> : form === "past" ? <Past /> : !mayWrite ? <Empty title="The runner writes here.">What was written stands under Written; a therapist's notes are on the Therapist screen.</Empty> : form === "week" ? <WeekForm /> : form === "activity" ? <ActivityForm shoes={list} /> : form === "tests" ? <TestForm /> : <DayForm />}
      </div>
    </>
  );
}
