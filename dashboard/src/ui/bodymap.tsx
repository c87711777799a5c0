/** Back view of trunk and legs with places to tap: where it hurts. Names are those the journal keeps. */
import type { JSX } from "preact";

export const PLACES: { id: string; text: string; x: number; y: number; w: number; h: number }[] = [
  { id: "mid_back", text: "Middle back", x: 78, y: 62, w: 64, h: 34 },
  { id: "low_back_left", text: "Lower back, left", x: 72, y: 100, w: 24, h: 36 },
  { id: "low_back_centre", text: "Lower back, middle", x: 98, y: 100, w: 24, h: 36 },
  { id: "low_back_right", text: "Lower back, right", x: 124, y: 100, w: 24, h: 36 },
  { id: "buttock_left", text: "Buttock, left", x: 70, y: 140, w: 38, h: 34 },
  { id: "buttock_right", text: "Buttock, right", x: 112, y: 140, w: 38, h: 34 },
  { id: "thigh_left", text: "Thigh, left", x: 70, y: 178, w: 34, h: 56 },
  { id: "thigh_right", text: "Thigh, right", x: 116, y: 178, w: 34, h: 56 },
  { id: "below_knee_left", text: "Below the knee, left", x: 74, y: 240, w: 28, h: 60 },
  { id: "below_knee_right", text: "Below the knee, right", x: 118, y: 240, w: 28, h: 60 },
];
export const placeText = (id: string): string => PLACES.find((p) => p.id === id)?.text ?? id;

/** With `onChange`, places can be ticked (a list of check boxes beside the picture does the same); without, it only shows. */
export function BodyMap({ chosen, onChange, weights }: { chosen: string[]; onChange?: (places: string[]) => void; weights?: Record<string, number> }): JSX.Element {
  const toggle = (id: string): void => onChange?.(chosen.includes(id) ? chosen.filter((p) => p !== id) : [...chosen, id]);
  const most = Math.max(1, ...Object.values(weights ?? {}));
  return (
    <div class="bodymap">
      <svg viewBox="30 0 160 310" aria-hidden={onChange ? true : undefined} role={onChange ? undefined : "img"} {...(onChange ? {} : { "aria-label": chosen.length ? `Back view; marked: ${chosen.map(placeText).join(", ")}` : "Back view; nothing marked" })}>
        <path class="body" d="M110 6c11 0 18 9 18 20 0 9-5 16-9 19v8c16 3 30 7 34 22l10 60c1 9-9 11-11 3l-13-48-2 22c5 20 7 44 4 68l-8 62-4 74c-1 8-16 8-16 0l-3-70-1-52h-2l-1 52-3 70c0 8-15 8-16 0l-4-74-8-62c-3-24-1-48 4-68l-2-22-13 48c-2 8-12 6-11-3l10-60c4-15 18-19 34-22v-8c-4-3-9-10-9-19 0-11 7-20 18-20Z" transform="translate(0 0)" />
        <line class="spine" x1="110" x2="110" y1="56" y2="138" />
        {PLACES.map((p) => {
          const on = chosen.includes(p.id);
          return (
            <g key={p.id} onClick={() => toggle(p.id)} class={`place${on ? " on" : ""}${onChange ? " tap" : ""}`}>
              <rect x={p.x} y={p.y} width={p.w} height={p.h} rx="7" style={weights && on ? { fillOpacity: 0.25 + 0.75 * ((weights[p.id] ?? 0) / most) } : undefined} />
              {on ? <text x={p.x + p.w / 2} y={p.y + p.h / 2 + 4} text-anchor="middle">{weights ? (weights[p.id] ?? "") : "✕"}</text> : null}
            </g>
          );
        })}
        <text x="40" y="152" class="tick">left</text>
        <text x="162" y="152" class="tick">right</text>
      </svg>
      {onChange ? (
        <fieldset class="checks">
          <legend>Where?</legend>
          {PLACES.map((p) => (
            <label key={p.id} class="check"><input type="checkbox" checked={chosen.includes(p.id)} onChange={() => toggle(p.id)} />{p.text}</label>
          ))}
        </fieldset>
      ) : null}
    </div>
  );
}
