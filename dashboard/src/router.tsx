/** The address bar as state: history API, links that do not reload, and parameters of the query as hooks. */
import type { ComponentChildren, JSX } from "preact";
import { useCallback, useEffect, useState } from "preact/hooks";
import { withParams } from "./pure/route";

const listeners = new Set<() => void>();
const tell = (): void => listeners.forEach((f) => f());
addEventListener("popstate", tell);

/** Goes to an address of this site. */
export function go(url: string, how: "push" | "replace" = "push"): void {
  const before = location.pathname;
  if (how === "push") history.pushState(null, "", url);
  else history.replaceState(null, "", url);
  tell();
  if (how === "push" && location.pathname !== before) {
    scrollTo(0, 0);
    // A new page begins at its heading, for readers of screens as for eyes.
    requestAnimationFrame(() => document.querySelector<HTMLElement>("main")?.focus({ preventScroll: true }));
  }
}

/** Path and query; the component draws again when they change. */
export function useAddress(): { path: string; search: string } {
  const [, draw] = useState(0);
  useEffect(() => {
    const f = (): void => draw((n) => n + 1);
    listeners.add(f);
    return () => void listeners.delete(f);
  }, []);
  return { path: location.pathname, search: location.search };
}

/** A parameter of the query and how to change it. Changing replaces the history entry: filters are no pages. */
export function useParam(name: string, otherwise = ""): [string, (value: string | number | null) => void] {
  const { search } = useAddress();
  const value = new URLSearchParams(search).get(name) ?? otherwise;
  const set = useCallback(
    (v: string | number | null) => {
      const next = v !== null && String(v) === otherwise ? null : v;
      go(location.pathname + withParams(location.search, { [name]: next }), "replace");
    },
    [name, otherwise],
  );
  return [value, set];
}

/** Choices of how far back lists and trends go, weeks. */
export const RANGES = [["4", "4 weeks"], ["8", "8 weeks"], ["26", "26 weeks"], ["520", "All"]] as const;

/** Parameters that every link keeps: whose data and which range. */
const CARRIED = ["athlete", "range"];

/** `to` with the carried parameters of the present address, unless it sets them itself. */
export function link(to: string): string {
  const [path = "/", search = ""] = to.split("?");
  const now = new URLSearchParams(location.search);
  const q = new URLSearchParams(search);
  for (const k of CARRIED) {
    const v = now.get(k);
    if (v && !q.has(k)) q.set(k, v);
  }
  const text = q.toString();
  return text ? `${path}?${text}` : path;
}

interface LinkProps { to: string; children: ComponentChildren; class?: string; "aria-label"?: string; "aria-current"?: "page" | "true" }

/** A link inside the dashboard. */
export function A({ to, children, ...rest }: LinkProps): JSX.Element {
  const href = link(to);
  const click = (e: MouseEvent): void => {
    if (e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return;
    e.preventDefault();
    go(href);
  };
  return (
    <a {...rest} href={href} onClick={click}>
      {children}
    </a>
  );
}
