/** Strides worth a look side by side: pelvic obliquity over each, on one scale, four of each kind. */
import type { JSX } from "preact";
import type { PickedCurve, PickedCurves } from "../api";
import { query, useApi } from "../http";
import { useStyle } from "../prefs";
import { clock, count, number } from "../pure/format";
import { brokenPath, extent, scale } from "../pure/geometry";
import { DataLabel, Empty, Panel, Show } from "../ui/basics";
import { Figure, LineKey, SideKey } from "../ui/table";

const KINDS = [["typical", "Typical"], ["longest", "Longest"], ["shortest", "Shortest"], ["poor", "Low quality"], ["most_asymmetric", "Most uneven"]] as const;
const [W, H] = [150, 64];
const AT = Array.from({ length: 11 }, (_, i) => i * 10);

const when = (t: number): string => `${clock(t)}.${Math.floor((t % 1) * 10)}`;

function Small({ p, percent, domain, open }: { p: PickedCurve; percent: number[]; domain: [number, number]; open: (p: PickedCurve) => void }): JSX.Element {
  const x = scale([0, 100], [2, W - 2]);
  const y = scale(domain, [H - 3, 13]);
  return (
    <li class="small-multiple">
      <button type="button" class="quiet-link" onClick={() => open(p)}><span>{when(p.t_s)}</span><span class="sr"> {p.side ?? ""} stride, open</span></button>
      {p.side ? <SideKey side={p.side} /> : null}
      <DataLabel data={p.class === "A" ? "good" : p.class === "B" ? "fair" : "poor"} />
      {p.obliquity_deg ? (
        <svg viewBox={`0 0 ${W} ${H}`} aria-hidden="true">
          {p.stance.map((s) => <rect key={`${s.side}${s.from_percent}`} x={x(s.from_percent)} width={Math.max(1, x(s.to_percent) - x(s.from_percent))} y={s.side === "right" ? 6 : 1} height={3.5} class={`fill-${s.side}`} />)}
          {domain[0] < 0 && domain[1] > 0 ? <line x1={x(0)} x2={x(100)} y1={y(0)} y2={y(0)} class="zero" /> : null}
          <path d={brokenPath(percent, p.obliquity_deg, x, y)} class="line-accent" />
        </svg>
      ) : <span class="why small-why"><span class="hatched wide" />{p.why_not ?? "No curve."}</span>}
    </li>
  );
}

export function Multiples({ session, range, open }: { session: string; range: { from_s: number | null; to_s: number | null }; open: (p: PickedCurve) => void }): JSX.Element {
  const style = useStyle();
  const q = useApi<PickedCurves>(`/sessions/${session}/curves${query(range)}`);
  return (
    <Panel title="Pelvis over these strides">
      <Show q={q} rows={5} empty={(d) => d.items.length === 0 && <Empty title="No strides in this part." />}>
        {(d) => {
          const drawn = d.items.filter((p) => p.obliquity_deg);
          const domain = extent(drawn.flatMap((p) => p.obliquity_deg ?? []), 0.06);
          const reasons = new Set(d.items.flatMap((p) => (p.why_not ? [p.why_not] : [])));
          // One reason for all is said once.
          if (!domain) return <p class="muted">{[...reasons].join(" ") || "No curve."}</p>;
          const span = (v: number[]): number => Math.max(...v) - Math.min(...v);
          return (
            <Figure title="Obliquity over 0 to 100 % of the stride" readable says={`${count(drawn.length, "stride", style)} on one scale, ${number(domain[0], 1, style)} to ${number(domain[1], 1, style)} °. Left side up is up.`}
              legend={<><LineKey tone="accent">obliquity, {number(domain[0], 0, style)} to {number(domain[1], 0, style)} °, left side up</LineKey><SideKey side="left">stance</SideKey><SideKey side="right">stance</SideKey>{drawn.some((p) => p.zero === "cycle_mean") ? <span class="muted">counted from the mean of each stride</span> : null}</>}
              table={() => ({ name: `obliquity-${session}`, head: ["kind", "time", "foot", "range °", ...AT.map((a) => `${a} % °`), "why not"], rows: d.items.map((p) => [KINDS.find(([k]) => k === p.pick)?.[1] ?? p.pick, when(p.t_s), p.side ?? null, p.obliquity_deg ? span(p.obliquity_deg) : null, ...AT.map((a) => p.obliquity_deg?.[Math.round((a / 100) * (d.percent.length - 1))] ?? null), p.why_not ?? null]), decimals: 1 })}>
              <div class="multiples">
                {KINDS.map(([kind, name]) => {
                  const own = d.items.filter((p) => p.pick === kind);
                  return own.length ? <section key={kind}><h4>{name}</h4><ul class="multiple-row">{own.map((p) => <Small key={`${p.idx}${p.side}`} p={p} percent={d.percent} domain={domain} open={open} />)}</ul></section> : null;
                })}
              </div>
            </Figure>
          );
        }}
      </Show>
    </Panel>
  );
}
