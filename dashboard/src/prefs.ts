/** What this device remembers: theme, units, vocabulary, notation of numbers. Kept in the browser, never sent. */
import { useEffect, useState } from "preact/hooks";
import type { Style, Units } from "./pure/format";

export type Theme = "auto" | "light" | "dark" | "sunlight";
export type Vocabulary = "runner" | "therapist";
export interface Prefs { theme: Theme; units: Units; vocabulary: Vocabulary; numbers: string }

const KEY = "lope.prefs";
const DEFAULTS: Prefs = { theme: "auto", units: "metric", vocabulary: "runner", numbers: "auto" };
const listeners = new Set<() => void>();

function read(): Prefs {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Prefs>;
    return { ...DEFAULTS, ...kept };
  } catch {
    return { ...DEFAULTS };
  }
}

let prefs = read();

/** Puts the theme on the document; called before the first paint and on changes. */
export function applyTheme(): void {
  const root = document.documentElement;
  if (prefs.theme === "auto") delete root.dataset.theme;
  else root.dataset.theme = prefs.theme;
  root.dataset.vocabulary = prefs.vocabulary;
}

export function setPrefs(changes: Partial<Prefs>): void {
  prefs = { ...prefs, ...changes };
  try {
    localStorage.setItem(KEY, JSON.stringify(prefs));
  } catch {
    // Private windows may refuse; the choice then holds until the page is left.
  }
  applyTheme();
  listeners.forEach((f) => f());
}

export function usePrefs(): Prefs {
  const [, draw] = useState(0);
  useEffect(() => {
    const f = (): void => draw((n) => n + 1);
    listeners.add(f);
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", f);
    return () => {
      listeners.delete(f);
      dark.removeEventListener("change", f);
    };
  }, []);
  return prefs;
}

/** Notation and units for the functions of `pure/format`. */
export function useStyle(): Style {
  const p = usePrefs();
  return { units: p.units, locale: p.numbers === "auto" ? undefined : p.numbers };
}
