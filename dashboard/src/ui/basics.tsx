/** The small parts of every screen: panels, levels, data labels, numbers with their unit, choices, states of an answer. */
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import type { Data, EvidenceWord, Level } from "../api";
import type { ApiError, Asked } from "../http";
import { age, evidenceText, LEVEL_SHAPE, LEVEL_WORD, NOTHING, number, sentence, shown, withUnit } from "../pure/format";
import { useStyle } from "../prefs";
import { useSession } from "../session";

/** Heading of a screen with what can be done there. */
export function Head({ title, sub, children }: { title: ComponentChildren; sub?: ComponentChildren; children?: ComponentChildren }): JSX.Element {
  return (
    <header class="head">
      <div class="head-words">
        <h1>{title}</h1>
        {sub ? <p class="sub">{sub}</p> : null}
      </div>
      {children ? <div class="head-tools">{children}</div> : null}
    </header>
  );
}

/** A framed part of a screen. */
export function Panel({ title, tools, children, class: extra = "", note }: { title?: ComponentChildren; tools?: ComponentChildren; children: ComponentChildren; class?: string; note?: ComponentChildren }): JSX.Element {
  return (
    <section class={`panel ${extra}`}>
      {title || tools ? (
        <div class="panel-head">
          {title ? <h2>{title}</h2> : <span />}
          {tools ? <div class="panel-tools">{tools}</div> : null}
        </div>
      ) : null}
      {children}
      {note ? <p class="note">{note}</p> : null}
    </section>
  );
}

/** A level by shape and word; `bare` shows the shape alone and leaves the word to readers of screens. */
export function LevelMark({ level, bare, id, extra }: { level: Level; bare?: boolean; id?: string; extra?: string }): JSX.Element {
  const words = `${id ? `${id} ` : ""}${LEVEL_WORD[level]}${extra ? ` ${extra}` : ""}`;
  return (
    <span class={`level level-${level}`} title={words}>
      <span class="shape" aria-hidden="true">{LEVEL_SHAPE[level]}</span>
      {bare ? <span class="sr">{words}</span> : <span>{words}</span>}
    </span>
  );
}

/** How good the data were. A label, never a factor. */
export const DataLabel = ({ data, long }: { data: Data; long?: boolean }): JSX.Element => (
  <span class={`data data-${data}`} title={`Data ${data}: how well the sensors saw this`}>
    <span class="bars" aria-hidden="true"><i /><i /><i /></span>
    {long === false ? <span class="sr">Data {data}</span> : `Data ${data}`}
  </span>
);

export const EvidenceLabel = ({ word, disputed }: { word: EvidenceWord; disputed: boolean }): JSX.Element => (
  <span class={`evidence${disputed ? " disputed" : ""}`} title="How well studies support that this is linked with the back">Evidence {evidenceText(word, disputed)}</span>
);

/** A number of a metric in its shown unit, with n where it is known. */
export function Metric({ name, unit, value, n, plus }: { name: string; unit?: string; value: number | null | undefined; n?: number | null; plus?: boolean }): JSX.Element {
  const { metrics } = useSession();
  const style = useStyle();
  const def = metrics.get(name);
  const how = shown(def, unit ?? def?.unit ?? "");
  const text = withUnit(value, how, style);
  return (
    <span class="num" title={n ? `from ${number(n, 0, style)} strides` : undefined}>
      {plus && typeof value === "number" && value > 0 ? `+${text}` : text}
    </span>
  );
}

/** One of a few: radio buttons that look like a switch. */
export function Choice<T extends string>({ label, value, options, onChange, showLabel }: { label: string; value: T; options: readonly (readonly [T, string])[]; onChange: (v: T) => void; showLabel?: boolean }): JSX.Element {
  const name = useId();
  return (
    <fieldset class="choice">
      <legend class={showLabel ? "choice-label" : "sr"}>{label}</legend>
      <div class="choice-row">
        {options.map(([v, text]) => (
          <label key={v} class={v === value ? "on" : ""}>
            <input type="radio" name={name} checked={v === value} onChange={() => onChange(v)} />
            <span>{text}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

/** A drop-down with its label before it. */
export function Pick({ label, value, options, onChange, hideLabel }: { label: string; value: string; options: readonly (readonly [string, string])[]; onChange: (v: string) => void; hideLabel?: boolean }): JSX.Element {
  return (
    <label class="pick">
      <span class={hideLabel ? "sr" : "pick-label"}>{label}</span>
      <select value={value} onChange={(e) => onChange(e.currentTarget.value)}>
        {options.map(([v, text]) => (
          <option key={v} value={v} selected={v === value}>{text}</option>
        ))}
      </select>
    </label>
  );
}

/** 0 to 10, one tap. `ends` says what the ends mean. */
export function ZeroToTen({ label, value, onChange, ends, bands }: { label: ComponentChildren; value: number | null; onChange: (v: number | null) => void; ends: [string, string]; bands?: boolean }): JSX.Element {
  const name = useId();
  return (
    <fieldset class="scale">
      <legend>{label}</legend>
      <div class="scale-row">
        {Array.from({ length: 11 }, (_, i) => (
          <label key={i} class={`${i === value ? "on" : ""}`}>
            <input type="radio" name={name} checked={i === value} onChange={() => onChange(i)} onClick={() => i === value && onChange(null)} />
            <span>{i}</span>
          </label>
        ))}
      </div>
      <div class="scale-ends" aria-hidden="true"><span>{ends[0]}</span><span>{ends[1]}</span></div>
      {bands ? <p class="note">Most people: 0 to 2 carry on · 3 to 5 ease off · 6 to 10 stop and rest; judge again next morning. Clinics use other bands.</p> : null}
    </fieldset>
  );
}

/** A message that stands out: `calm` for information, `care` for something to act on. */
export const Notice = ({ tone = "calm", title, children }: { tone?: "calm" | "care" | "good"; title?: ComponentChildren; children?: ComponentChildren }): JSX.Element => (
  <div class={`notice notice-${tone}`} role={tone === "care" ? "alert" : "status"}>
    {title ? <strong>{title}</strong> : null}
    {children ? <div>{children}</div> : null}
  </div>
);

/** Why an answer is missing, and what to do. */
export function Failure({ error, again }: { error: ApiError; again?: () => void }): JSX.Element {
  const p = error.problem;
  if (p.status === 401 || p.status === 403) {
    return (
      <div class="state state-closed">
        <span class="state-icon" aria-hidden="true">⊘</span>
        <strong>{p.status === 401 ? "Please log in to see this." : "Not shared with you."}</strong>
        <p>{p.detail ?? "Whoever the data are about decides who sees them: Settings, Consents."}</p>
      </div>
    );
  }
  const offline = p.status === 0;
  return (
    <div class="state state-error" role="alert">
      <span class="state-icon" aria-hidden="true">{offline ? "⌁" : "!"}</span>
      <strong>{p.title}</strong>
      {p.detail ? <p>{p.detail}</p> : null}
      {p.facts?.length ? <ul>{p.facts.map((f) => <li key={f}>{f}</li>)}</ul> : null}
      {p.try ? <p>Try: <code>{p.try}</code></p> : null}
      {p.code ? <p class="code">{p.code}</p> : null}
      {again ? <button type="button" onClick={again}>Try again</button> : null}
    </div>
  );
}

export const Empty = ({ children, title }: { title: string; children?: ComponentChildren }): JSX.Element => (
  <div class="state state-empty">
    <span class="state-icon" aria-hidden="true">∅</span>
    <strong>{title}</strong>
    {children ? <p>{children}</p> : null}
  </div>
);

/** Shows an answer in whatever state it is: first load, old data dimmed with its age, failure with or without old data. */
export function Show<T>({ q, children, empty, rows = 4 }: { q: Asked<T>; children: (data: T) => ComponentChildren; empty?: (data: T) => ComponentChildren | null | undefined | false; rows?: number }): JSX.Element {
  if (q.data === undefined) {
    if (q.error) return <Failure error={q.error} again={q.again} />;
    return (
      <div class="skeleton" role="status">
        <span class="sr">Loading</span>
        {Array.from({ length: rows }, (_, i) => <i key={i} />)}
      </div>
    );
  }
  const nothing = empty?.(q.data);
  return (
    <div class={q.fresh ? "shown" : "shown dimmed"}>
      {q.fresh ? null : q.error ? (
        <p class="stale" role="status">
          {q.error.status === 0 ? "No answer from lope" : q.error.problem.title}. Shown: what was known {age(Date.now() - q.at)} ago.{" "}
          <button type="button" class="quiet" onClick={q.again}>Try again</button>
        </p>
      ) : (
        <p class="stale" role="status">Loading; shown: {age(Date.now() - q.at)} old</p>
      )}
      {nothing ? nothing : children(q.data)}
    </div>
  );
}

/** A dialog over the page; closes on Escape and on its own button. */
export function Dialog({ title, open, onClose, children, side }: { title: string; open: boolean; onClose: () => void; children: ComponentChildren; side?: boolean }): JSX.Element {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const d = ref.current;
    if (!d) return;
    if (open && !d.open) d.showModal();
    if (!open && d.open) d.close();
  }, [open]);
  return (
    <dialog ref={ref} class={side ? "drawer" : ""} aria-labelledby={id} onClose={onClose} onClick={(e) => e.target === ref.current && onClose()}>
      {open ? (
        <div class="dialog-body">
          <div class="panel-head">
            <h2 id={id}>{title}</h2>
            <button type="button" class="quiet" onClick={onClose} aria-label="Close">✕</button>
          </div>
          {children}
        </div>
      ) : null}
    </dialog>
  );
}

/** Draws again every `ms`, for ages that count up. */
export function useTick(ms: number): number {
  const [n, set] = useState(0);
  useEffect(() => {
    const t = setInterval(() => set((v) => v + 1), ms);
    return () => clearInterval(t);
  }, [ms]);
  return n;
}

/** A word of the vocabulary with its meaning on hover. */
export const Term = ({ word, means }: { word: string; means: string }): JSX.Element => <abbr title={means}>{word}</abbr>;
export const STEP = "A step is one foot to the other; a stride is the same foot again: two steps.";

export const words = (id: string | null | undefined): string => (id ? sentence(id) : NOTHING);
