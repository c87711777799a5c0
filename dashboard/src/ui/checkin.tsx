/**
 * The check-in after a run: effort, back, where, onset, safety row; twenty seconds when all is well. Everything may be skipped
 * but the safety row, which offers "nothing new". What it keeps: the note of the session and a check-in of the day.
 */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { SessionItem, Tick } from "../api";
import { call, changed } from "../http";
import { safetyUnder } from "../pure/flags";
import { useNow, useSession } from "../session";
import { Choice, Notice, Panel, ZeroToTen } from "./basics";
import { BodyMap } from "./bodymap";

export type TickSet = { ticks: string[]; nothingNew: boolean };

/** The safety row, in its fixed order and words. `oneSided` is asked only when a back score is 1 or more. */
export function SafetyRow({ value, onChange, oneSided }: { value: TickSet; onChange: (v: TickSet) => void; oneSided: boolean }): JSX.Element | null {
  const { rules } = useSession();
  if (!rules) return null;
  const shown = rules.ticks.filter((t) => t.id !== "one_sided_back_pain" || oneSided);
  const toggle = (t: Tick): void => onChange({ nothingNew: false, ticks: value.ticks.includes(t.id) ? value.ticks.filter((x) => x !== t.id) : [...value.ticks, t.id] });
  const under = safetyUnder(rules.ticks, value.ticks);
  const text = under === "emergency" ? rules.emergency_text : under === "urgent" ? rules.urgent_text : under ? rules.before_next_run_text : null;
  return (
    <fieldset class="checks safety-row" data-fixed>
      <legend>{rules.questions.find((q) => q.id === "q_safety")?.text ?? "Anything new to report?"}</legend>
      <label class="check check-main"><input type="checkbox" checked={value.nothingNew} onChange={() => onChange({ ticks: [], nothingNew: !value.nothingNew })} />Nothing new</label>
      <details open={value.ticks.length > 0}>
        <summary>Something is new: show the list</summary>
        {shown.map((t) => (
          <label key={t.id} class="check"><input type="checkbox" checked={value.ticks.includes(t.id)} onChange={() => toggle(t)} />{t.text}</label>
        ))}
      </details>
      {text ? <div class={`safety safety-${under === "before next run" ? "no_cues" : "stop"}`} role="alert"><span class="shape" aria-hidden="true">{under === "before next run" ? "◆" : "⬢"}</span><strong>{text}</strong></div> : null}
    </fieldset>
  );
}

export function CheckIn({ session }: { session: SessionItem }): JSX.Element {
  const { rules } = useSession();
  const now = useNow();
  const ask = (id: string, or: string): string => rules?.questions.find((q) => q.id === id)?.text ?? or;
  const [effort, setEffort] = useState<number | null>(session.effort ?? null);
  const [back, setBack] = useState<number | null>(null);
  const [worst, setWorst] = useState<number | null>(null);
  const [places, setPlaces] = useState<string[]>([]);
  const [onset, setOnset] = useState("no");
  const [minute, setMinute] = useState(10);
  const [stopped, setStopped] = useState("no");
  const [safety, setSafety] = useState<TickSet>({ ticks: [], nothingNew: false });
  const [state, setState] = useState<"open" | "saving" | "saved" | { failed: string }>("open");
  const sore = Math.max(back ?? 0, worst ?? 0) >= 1;
  const answered = safety.nothingNew || safety.ticks.length > 0;
  const latched = Boolean(now?.safety);

  const save = async (): Promise<void> => {
    setState("saving");
    try {
      // The safety row first: it must not be lost to a break of the connection.
      await call(`/journal/${session.athlete}/checkin-${session.id}`, "PUT", {
        day: session.day, at_us: Date.now() * 1000, kind: "check_in", ...(back === null ? {} : { back_now: back }), places, ticks: safety.ticks, safety_answered: true,
      });
      await call(`/sessions/${session.id}`, "PATCH", {
        ...(effort === null ? {} : { effort }), ...(worst === null ? {} : { back_worst: worst }), ...(sore ? { onset, ...(onset === "gradual" ? { onset_minute: minute } : {}), stopped_for_back: stopped === "stopped", eased_for_back: stopped === "eased" } : {}),
      });
      setState("saved");
      changed();
    } catch (cause) {
      setState({ failed: cause instanceof Error ? cause.message : String(cause) });
    }
  };
  if (state === "saved") return <Notice tone="good" title="Saved.">{latched ? null : "Next: how is your back tomorrow morning?"}</Notice>;
  return (
    <Panel title="Check-in" class="checkin" note="Stays on this machine. Who else may see it: Settings, Consents.">
      <ZeroToTen label={ask("q_effort", "How hard was the whole session?")} value={effort} onChange={setEffort} ends={["no effort", "everything"]} />
      <ZeroToTen label={ask("q_back_now", "How does your lower back feel right now?")} value={back} onChange={setBack} ends={["nothing at all", "worst you can imagine"]} />
      <ZeroToTen label={ask("q_back_worst", "What was the worst your lower back felt during this run?")} value={worst} onChange={setWorst} ends={["nothing at all", "worst you can imagine"]} bands={sore} />
      {sore ? (
        <div class="sore">
          <BodyMap chosen={places} onChange={setPlaces} />
          <div>
            <Choice label={ask("q_onset", "How did it come on?")} showLabel value={onset} options={[["no", "It did not"], ["gradual", "Bit by bit"], ["sudden", "Suddenly"]]} onChange={setOnset} />
            {onset === "gradual" ? (
              <label class="slider">From minute <output>{minute}</output><input type="range" min={0} max={Math.max(1, Math.round((session.duration_s ?? 3600) / 60))} value={minute} onInput={(e) => setMinute(Number(e.currentTarget.value))} /></label>
            ) : null}
            <Choice label={ask("q_changed", "Did your back change the run?")} showLabel value={stopped} options={[["no", "No"], ["eased", "I eased off"], ["stopped", "I stopped"]]} onChange={setStopped} />
          </div>
        </div>
      ) : null}
      <SafetyRow value={safety} onChange={setSafety} oneSided={sore} />
      <div class="row">
        <button type="button" class="primary" disabled={!answered || state === "saving"} onClick={() => void save()}>{state === "saving" ? "Saving" : "Save"}</button>
        {answered ? null : <span class="note">Tick “nothing new” or what fits; the rest may stay open.</span>}
        {typeof state === "object" ? <span class="wrong" role="alert">Not saved: {state.failed}</span> : null}
      </div>
    </Panel>
  );
}
