/** Settings: how this device shows things; who may see what; sensors; health of the machine; who looked. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Access, Athlete, DoctorCheck, Listing, Role, SensorKit, Share, Token } from "../api";
import { call, changed, newId, query, useApi } from "../http";
import { setPrefs, type Theme, usePrefs, useStyle, type Vocabulary } from "../prefs";
import { age, day, NOTHING, number, placeName, sentence } from "../pure/format";
import { go, link, useParam } from "../router";
import { useAthlete, useMay, useMayWrite, useSession } from "../session";
import { Choice, Empty, Head, Panel, Pick, Show } from "../ui/basics";

const dayOf = (us: number): string => new Date(us / 1000).toISOString().slice(0, 10);

function Looks(): JSX.Element {
  const p = usePrefs();
  return (
    <Panel title="This device" class="looks">
      <Choice label="Units" showLabel value={p.units} options={[["metric", "km"], ["imperial", "miles"]]} onChange={(units) => setPrefs({ units })} />
      <Choice label="Theme" showLabel value={p.theme} options={[["auto", "As the system"], ["light", "Light"], ["dark", "Dark"], ["sunlight", "Sunlight"]]} onChange={(theme: Theme) => setPrefs({ theme })} />
      <Choice label="Vocabulary" showLabel value={p.vocabulary} options={[["runner", "Runner: plain words"], ["therapist", "Therapist: rule, numbers, study"]]} onChange={(vocabulary: Vocabulary) => setPrefs({ vocabulary })} />
      <Choice label="Numbers and dates" showLabel value={p.numbers} options={[["auto", "As the browser"], ["en-GB", "1,234.5"], ["de-DE", "1.234,5"], ["fr-FR", "1 234,5"]]} onChange={(numbers) => setPrefs({ numbers })} />
    </Panel>
  );
}

const PURPOSE: Record<string, string> = { symptoms: "Back scores and check-ins are kept at all", coach: "A coach may see symptoms", therapist: "A therapist may see everything about you", sink: "Symptom flags may be copied to another store", bone_stress: "The question about bones may be asked and kept" };

function Consents(): JSX.Element {
  const style = useStyle();
  const [athlete] = useAthlete();
  const mayWrite = useMayWrite();
  const q = useApi<Athlete>(athlete ? `/athletes/${athlete}` : null);
  const [said, setSaid] = useState("");
  const set = (purpose: string, recipient: string, given: boolean): void => void call(`/journal/${athlete}/${newId("c")}`, "PUT", { day: new Date().toISOString().slice(0, 10), at_us: Date.now() * 1000, kind: "consent", purpose, recipient, given }).then(() => { setSaid(given ? "Given." : "Withdrawn: open views and links end now."); changed(); }, (e: Error) => setSaid(`Not changed: ${e.message}`));
  return (
    <Panel title="Consents" note="Per purpose and recipient; withdrawn at any time. Wearing a sensor is no consent.">
      <Show q={q}>
        {(a) => {
          const known = Object.keys(PURPOSE).flatMap((p) => {
            const of = a.consents.filter((c) => c.purpose === p);
            return of.length ? of : [{ purpose: p, recipient: "", given: false, day: "" }];
          });
          return (
            <ul class="consents">
              {known.map((c) => (
                <li key={`${c.purpose}${c.recipient}`}>
                  <label class="check"><input type="checkbox" checked={c.given} disabled={!mayWrite} onChange={() => set(c.purpose, c.recipient, !c.given)} /><span>{PURPOSE[c.purpose] ?? sentence(c.purpose)}{c.recipient ? <> <b>{c.recipient}</b></> : null} <span class="muted">{c.day ? `${c.given ? "given" : "withdrawn"} ${day(c.day, style)}` : "never given"}</span></span></label>
                </li>
              ))}
            </ul>
          );
        }}
      </Show>
      <p role="status" class="note">{said}</p>
    </Panel>
  );
}

function Tokens(): JSX.Element {
  const style = useStyle();
  const { athletes } = useSession();
  const q = useApi<Listing<Token>>("/tokens");
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("coach");
  const [scope, setScope] = useState<string[]>([]);
  const [days, setDays] = useState("90");
  const [made, setMade] = useState("");
  const make = (e: Event): void => {
    e.preventDefault();
    call<Token>("/tokens", "POST", { name: name.trim(), role, athletes: scope, groups: [], expires_us: days === "0" ? null : (Date.now() + Number(days) * 86_400_000) * 1000 }).then((t) => { setMade(t.token ?? ""); setName(""); changed(); }, (c: Error) => setMade(`Not made: ${c.message}`));
  };
  return (
    <Panel title="Tokens" note="A token opens this record from another device or for another person, within its role and runners.">
      <Show q={q} empty={(d) => !d.items.some(open) && <Empty title="No tokens: only this machine has access." />}>
        {(d) => (
          <ul class="entries">{d.items.filter(open).map((t) => <li key={t.prefix}><code>{t.prefix}…</code> <b>{t.name}</b> {t.role} <span class="muted">{[...(t.athletes ?? []), ...(t.groups ?? [])].join(", ") || "all runners"}{t.expires_us ? `, until ${day(dayOf(t.expires_us), style)}` : ", no end"}</span> <button type="button" class="small" aria-label={`Revoke ${t.name}`} onClick={() => void call(`/tokens/${t.prefix}`, "DELETE").then(changed)}>Revoke</button></li>)}</ul>
        )}
      </Show>
      <form class="row wrap" onSubmit={make}>
        <label class="field">For whom<input value={name} required maxLength={60} onInput={(e) => setName(e.currentTarget.value)} /></label>
        <Pick label="Role" value={role} options={[["runner", "Runner"], ["coach", "Coach"], ["therapist", "Therapist"], ["owner", "Owner"]]} onChange={(v) => setRole(v as Role)} />
        <Pick label="Ends" value={days} options={[["7", "in 7 days"], ["90", "in 90 days"], ["365", "in a year"], ["0", "never"]]} onChange={setDays} />
        <fieldset class="inline-checks"><legend>Runners</legend>{athletes.map((a) => <label key={a.id} class="check"><input type="checkbox" checked={scope.includes(a.id)} onChange={() => setScope(scope.includes(a.id) ? scope.filter((x) => x !== a.id) : [...scope, a.id])} />{a.name}</label>)}</fieldset>
        <button type="submit" class="primary">Make a token</button>
      </form>
      {made ? <p class="made" role="status">Shown once, copy it now: <output>{made}</output></p> : null}
    </Panel>
  );
}

/** Neither taken back nor over. */
const open = (t: { revoked_us?: number | null | undefined; expires_us?: number | null | undefined }): boolean => !t.revoked_us && (!t.expires_us || t.expires_us / 1000 > Date.now());

function Shares(): JSX.Element {
  const style = useStyle();
  const q = useApi<Listing<Share>>("/shares");
  return (
    <Panel title="Shares" note="A run is shared by link from its card. Links end by themselves and can be ended here.">
      <Show q={q} empty={(d) => !d.items.some(open) && <Empty title="Nothing is shared by link." />}>
        {(d) => <ul class="entries">{d.items.filter(open).map((s, i) => <li key={s.prefix}><b>{sentence(s.what ?? "session")}</b> {s.session ?? ""} of {s.athlete} <span class="muted">{typeof s.expires_us === "number" ? `until ${day(dayOf(s.expires_us), style)}` : ""}</span> <button type="button" class="small" aria-label={`End share ${i + 1}`} onClick={() => void call(`/shares/${s.prefix}`, "DELETE").then(changed)}>End</button></li>)}</ul>}
      </Show>
    </Panel>
  );
}

function Sensors(): JSX.Element {
  const style = useStyle();
  const q = useApi<{ kits: SensorKit[] }>("/sensors");
  return (
    <Panel title="Sensors" note="Pairing is done where the radio is: lope scan, lope pair.">
      <Show q={q} empty={(d) => d.kits.length === 0 && <Empty title="No kit yet."><code>lope pair --kit NAME</code> makes one.</Empty>}>
        {(d) => d.kits.map((k) => (
          <section key={k.name}>
            <h3>{k.name}</h3>
            <div class="table-scroll" tabIndex={0} role="region" aria-label={`Kit ${k.name}`}><table><thead><tr><th scope="col">Place</th><th scope="col">Sensor</th><th scope="col">Firmware</th><th scope="col" class="n">Battery</th><th scope="col">Last heard</th></tr></thead>
              <tbody>{k.sensors.map((s) => <tr key={s.place}><th scope="row">{placeName(s.place)}</th><td>{s.name} <span class="muted">{s.kind}</span></td><td>{s.firmware ?? NOTHING}</td><td class={`n num${typeof s.battery === "number" && s.battery < 35 ? " low-battery" : ""}`}>{typeof s.battery === "number" ? `${number(s.battery, 0, style)} %${s.battery < 35 ? " low" : ""}` : NOTHING}</td><td>{typeof s.last_seen_us === "number" ? `${age(Date.now() - s.last_seen_us / 1000)} ago` : <span class="muted">never</span>}</td></tr>)}</tbody></table></div>
          </section>
        ))}
      </Show>
    </Panel>
  );
}

const CHECK_SHAPE = { ok: "●", warn: "▲", fail: "◆" };
function Doctor(): JSX.Element {
  const q = useApi<{ checks: DoctorCheck[] }>("/doctor");
  return (
    <Panel title="Doctor" tools={<button type="button" class="quiet" onClick={q.again}>Check again</button>}>
      <Show q={q}>
        {(d) => <ul class="doctor">{d.checks.map((c) => <li key={c.what} class={`check-${c.state}`}><span class="shape" aria-hidden="true">{CHECK_SHAPE[c.state]}</span><b>{c.state}</b> <span>{sentence(c.what)}: {c.text}{c.try ? <span class="row-sub">Try {c.try}</span> : null}</span></li>)}</ul>}
      </Show>
    </Panel>
  );
}

function Log(): JSX.Element {
  const style = useStyle();
  const [athlete] = useAthlete();
  const q = useApi<Listing<Access>>(`/access-log${query({ athlete })}`);
  return (
    <Panel title="Who looked">
      <Show q={q} empty={(d) => d.items.length === 0 && <Empty title="Nobody else looked." />}>
        {(d) => <ul class="entries">{d.items.map((a, i) => <li key={i}><span class="muted">{day(dayOf(a.at_us), style)}</span> <b>{a.actor}</b> ({a.role}) {a.action}</li>)}</ul>}
      </Show>
    </Panel>
  );
}

function Profile(): JSX.Element {
  const { rules } = useSession();
  const [athlete] = useAthlete();
  const mayWrite = useMayWrite();
  const q = useApi<Athlete>(athlete ? `/athletes/${athlete}` : null);
  const [edit, setEdit] = useState<Partial<Athlete>>({});
  const [said, setSaid] = useState("");
  const [confirm, setConfirm] = useState("");
  const [receipt, setReceipt] = useState<Record<string, unknown> | null>(null);
  const ask = (id: string): string => rules?.questions.find((x) => x.id === id)?.text ?? id;
  const save = (e: Event): void => {
    e.preventDefault();
    call(`/athletes/${athlete}`, "PATCH", edit).then(() => { setSaid("Saved."); setEdit({}); changed(); }, (c: Error) => setSaid(`Not saved: ${c.message}`));
  };
  const forget = (): void => void call<Record<string, unknown>>(`/athletes/${athlete}`, "DELETE", { confirm }).then((r) => { setReceipt(r); changed(); }, (c: Error) => setSaid(c.message));
  return (
    <>
      <Panel title="Runner">
        <Show q={q}>
          {(a0) => {
            const a = { ...a0, ...edit };
            const field = (k: "height_m" | "mass_kg" | "leg_length_m" | "birth_year", label: string, unit: string, step: number): JSX.Element => <label class="field">{label} <span class="u">{unit}</span><input type="number" step={step} value={a[k] ?? ""} disabled={!mayWrite} onInput={(e) => setEdit({ ...edit, [k]: e.currentTarget.value === "" ? null : Number(e.currentTarget.value) })} /></label>;
            const yesNo = (v: boolean | null | undefined): string => (v === true ? "yes" : v === false ? "no" : "");
            const back = (v: string): boolean | null => (v === "" ? null : v === "yes");
            return (
              <form onSubmit={save} class="entry" data-fixed>
                <label class="field">Name<input value={a.name} disabled={!mayWrite} onInput={(e) => setEdit({ ...edit, name: e.currentTarget.value })} /></label>
                <div class="row wrap">{field("height_m", "Height", "m", 0.01)}{field("mass_kg", "Mass", "kg", 0.1)}{field("leg_length_m", "Leg length", "m", 0.01)}{field("birth_year", "Born", "year", 1)}</div>
                <Choice label={ask("q_episodes")} showLabel value={String(a.prior_lbp_episodes ?? "")} options={[["", "no answer"], ["0", "0"], ["1", "1"], ["2", "2"], ["3", "more"]]} onChange={(v) => setEdit({ ...edit, prior_lbp_episodes: v === "" ? null : Number(v) })} />
                <Choice label={ask("q_medical")} showLabel value={yesNo(a.medical_history)} options={[["", "rather not say"], ["no", "No"], ["yes", "Yes"]]} onChange={(v) => setEdit({ ...edit, medical_history: back(v) })} />
                <Choice label={ask("q_core_log")} showLabel value={yesNo(a.logs_core_work)} options={[["", "no answer"], ["no", "No"], ["yes", "Yes"]]} onChange={(v) => setEdit({ ...edit, logs_core_work: back(v) })} />
                {mayWrite ? <div class="row"><button type="submit" class="primary" disabled={Object.keys(edit).length === 0}>Save</button><span role="status" class="note">{said}</span></div> : null}
              </form>
            );
          }}
        </Show>
      </Panel>
      {mayWrite ? (
        <Panel title="Take out, or erase">
          <p>Everything in open formats: <code>lope export --all {athlete} FOLDER</code></p>
          {receipt ? <p role="status">Erased. {Object.entries(receipt).map(([k, v]) => `${sentence(k)}: ${Array.isArray(v) ? v.join(", ") || "nothing" : String(v)}`).join(" · ")}</p> : (
            <div class="row wrap">
              <label class="field">To erase this runner for good, type the id <code>{athlete}</code><input value={confirm} onInput={(e) => setConfirm(e.currentTarget.value)} /></label>
              <button type="button" class="danger" disabled={confirm !== athlete} onClick={forget}>Erase everything</button>
            </div>
          )}
        </Panel>
      ) : null}
    </>
  );
}

export default function Settings(): JSX.Element {
  const { health } = useSession();
  const [tab, setTab] = useParam("tab", "device");
  const admin = useMay("tokens");
  const own = useMay("own");
  const tabs: [string, string][] = [["device", "Device"], ...(own ? ([["runner", "Runner"], ["consents", "Consents"]] as [string, string][]) : []), ...(admin ? ([["access", "Tokens"], ["machine", "Machine"]] as [string, string][]) : [])];
  return (
    <>
      <Head title="Settings" sub={`lope ${health.version}, ${health.name}, ${health.role}${health.read_only ? ", reading only" : ""}`}>
        <Choice label="Part" value={tab} options={tabs} onChange={setTab} />
      </Head>
      <div class="reading">
        {tab === "runner" && own ? <Profile /> : tab === "consents" && own ? <><Consents /><Shares /><Log /></> : tab === "access" && admin ? <Tokens /> : tab === "machine" && admin ? <><Sensors /><Doctor /></> : <Looks />}
        {health.role !== "owner" ? <p><button type="button" class="quiet" onClick={() => void call("/logout", "POST").then(() => { go(link("/")); location.reload(); })}>Log out</button></p> : null}
      </div>
    </>
  );
}
