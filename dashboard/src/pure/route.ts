/** Matching paths against route patterns such as `/run/:session/card`. Pure, so that it can be tested without a browser. */

export interface Match<N extends string = string> { name: N; params: Record<string, string> }

/** The first pattern that fits `path`, with its parameters decoded; `undefined` if none does. A trailing slash is ignored. */
export function matchRoute<N extends string>(routes: readonly (readonly [pattern: string, name: N])[], path: string): Match<N> | undefined {
  const parts = split(path);
  for (const [pattern, name] of routes) {
    const wanted = split(pattern);
    if (wanted.length !== parts.length) continue;
    const params: Record<string, string> = {};
    const fits = wanted.every((w, i) => {
      const part = parts[i] as string;
      if (!w.startsWith(":")) return w === part;
      try {
        params[w.slice(1)] = decodeURIComponent(part);
      } catch {
        return false;
      }
      return part !== "";
    });
    if (fits) return { name, params };
  }
  return undefined;
}

const split = (path: string): string[] => path.replace(/^\/+|\/+$/g, "").split("/");

/** `search` with some parameters changed; null removes one. Gives "" or a text that begins with "?". */
export function withParams(search: string, changes: Record<string, string | number | null | undefined>): string {
  const q = new URLSearchParams(search);
  for (const [k, v] of Object.entries(changes)) {
    if (v === null || v === undefined || v === "") q.delete(k);
    else q.set(k, String(v));
  }
  const text = q.toString();
  return text ? `?${text}` : "";
}
