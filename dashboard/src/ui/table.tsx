/** Tables, and what every plot owes its reader: the same data as a table and as a CSV file. */
import type { ComponentChildren, JSX } from "preact";
import { useId, useRef, useState } from "preact/hooks";
import { type Cell, toCsv } from "../pure/csv";
import { number } from "../pure/format";
import { useStyle } from "../prefs";

export interface TableData { name: string; head: string[]; rows: Cell[][]; decimals?: number }

/** Hands a text to the reader as a file. */
export function download(name: string, text: string, type = "text/csv;charset=utf-8"): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const a = document.createElement("a");
  a.href = url;
  a.download = name;
  a.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

const MOST = 500;

export function PlainTable({ data, caption }: { data: TableData; caption: string }): JSX.Element {
  const style = useStyle();
  const text = (c: Cell): string => (typeof c === "number" ? (Number.isInteger(c) && data.decimals === undefined ? String(c) : number(c, data.decimals ?? 2, style)) : (c ?? "–"));
  return (
    <div class="table-scroll" tabIndex={0} role="region" aria-label={caption}>
      <table>
        <caption class="sr">{caption}</caption>
        <thead><tr>{data.head.map((h) => <th key={h} scope="col">{h}</th>)}</tr></thead>
        <tbody>
          {data.rows.slice(0, MOST).map((r, i) => (
            <tr key={i}>{r.map((c, j) => <td key={j} class={typeof c === "number" ? "n" : ""}>{text(c)}</td>)}</tr>
          ))}
        </tbody>
      </table>
      {data.rows.length > MOST ? <p class="note">The first {MOST} of {data.rows.length} rows; the CSV file has all.</p> : null}
    </div>
  );
}

interface FigureProps {
  title: string;
  /** What the picture shows, for readers who do not see it. */
  says: string;
  table: () => TableData;
  legend?: ComponentChildren;
  tools?: ComponentChildren;
  children: ComponentChildren;
  level?: 2 | 3;
  /** The content is words and tables that can be read as they are, not one picture. */
  readable?: boolean;
  /** For the key-driven cursor: how many stops there are, and what each says. */
  stops?: number;
  describe?: (i: number) => string;
  onStop?: (i: number | null) => void;
  onEnter?: (i: number) => string;
  page?: number;
}

/** A plot with its name, its legend, a cursor driven by keys, the same data as a table, and a CSV file. */
export function Figure({ title, says, table, legend, tools, children, level = 3, readable, stops = 0, describe, onStop, onEnter, page = 10 }: FigureProps): JSX.Element {
  const [asTable, setAsTable] = useState(false);
  const at = useRef(-1);
  const [spoken, setSpoken] = useState("");
  const last = useRef(0);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const id = useId();
  const say = (text: string): void => {
    // At most one a second: a reader of screens must be able to finish.
    clearTimeout(timer.current);
    const wait = Math.max(0, last.current + 1000 - Date.now());
    timer.current = setTimeout(() => {
      last.current = Date.now();
      setSpoken(text);
    }, wait);
  };
  const key = (e: KeyboardEvent): void => {
    if (!stops || !describe || e.target !== e.currentTarget) return;
    const move: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, PageUp: -page, PageDown: page, Home: -Infinity, End: Infinity };
    if (e.key === "Escape") {
      at.current = -1;
      onStop?.(null);
      return;
    }
    if (e.key === "Enter" && onEnter && at.current >= 0) {
      e.preventDefault();
      say(onEnter(at.current));
      return;
    }
    const d = move[e.key];
    if (d === undefined || e.altKey || e.ctrlKey || e.metaKey) return;
    e.preventDefault();
    const next = at.current < 0 && Number.isFinite(d) ? (d > 0 ? 0 : stops - 1) : Math.min(stops - 1, Math.max(0, at.current + d));
    at.current = next;
    onStop?.(next);
    say(describe(next));
  };
  const H = `h${level}` as "h2" | "h3";
  const data = asTable ? table() : undefined;
  return (
    <figure class="figure" aria-labelledby={id}>
      <div class="figure-head">
        <H id={id}>{title}</H>
        {legend ? <div class="legend">{legend}</div> : null}
        <div class="figure-tools">
          {tools}
          <button type="button" class="quiet" aria-pressed={asTable} onClick={() => setAsTable(!asTable)}>{asTable ? "View as plot" : "View as table"}</button>
          <button type="button" class="quiet" aria-label={`CSV of ${title}`} onClick={() => { const t = table(); download(`${t.name}.csv`, toCsv(t.head, t.rows)); }}>CSV</button>
        </div>
      </div>
      {data ? (
        <PlainTable data={data} caption={title} />
      ) : (
        <div class="plot" {...(stops ? { tabIndex: 0, role: "group", "aria-roledescription": "plot" } : {})} {...(readable ? {} : { "aria-label": `${title}. ${says}${stops ? " Arrow keys move along it." : ""}` })} onKeyDown={key} {...(stops || readable ? {} : { role: "img" })}>
          {children}
        </div>
      )}
      <span class="sr" aria-live="polite">{spoken}</span>
    </figure>
  );
}

/** The signs of left and right: blue, solid, circle; orange, dashed, square. */
export const SideKey = ({ side, children }: { side: "left" | "right"; children?: ComponentChildren }): JSX.Element => (
  <span class={`key key-${side}`}>
    <svg width="26" height="10" aria-hidden="true" viewBox="0 0 26 10">
      <line x1="0" x2="26" y1="5" y2="5" class={`line-${side}`} />
      {side === "left" ? <circle cx="13" cy="5" r="3.6" class={`fill-${side}`} /> : <rect x="9.5" y="1.5" width="7" height="7" class={`fill-${side}`} />}
    </svg>
    {children ?? (side === "left" ? "left" : "right")}
  </span>
);
export const LineKey = ({ tone, dashed, children }: { tone: string; dashed?: boolean; children: ComponentChildren }): JSX.Element => (
  <span class="key">
    <svg width="26" height="10" aria-hidden="true" viewBox="0 0 26 10"><line x1="0" x2="26" y1="5" y2="5" class={`line-${tone}${dashed ? " dashed" : ""}`} /></svg>
    {children}
  </span>
);
export const AreaKey = ({ kind, children }: { kind: "band" | "hatch"; children: ComponentChildren }): JSX.Element => (
  <span class="key"><span class={`swatch swatch-${kind}`} aria-hidden="true" />{children}</span>
);
