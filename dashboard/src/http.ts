/**
 * Talks to `/api/v1`: one fetch, one error type, and a hook that keeps the last good answer while it asks again.
 * Why a hook of our own: loading must show old data dimmed with its age, which needs the time of every answer.
 */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { Problem } from "./api";
import { heard, missed } from "./pulse";

const BASE = "/api/v1";

/** An answer that is no success. `status` 0 means that no answer came. */
export class ApiError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail ?? problem.title);
  }
  get status(): number {
    return this.problem.status;
  }
}

let csrf = "";
/** Remembers the token that unsafe requests must carry. */
export const setCsrf = (token: string | null | undefined): void => {
  csrf = token ?? "";
};

async function problemOf(answer: Response): Promise<Problem> {
  try {
    const body = (await answer.json()) as Partial<Problem>;
    if (typeof body.title === "string") return { status: answer.status, ...body, title: body.title };
  } catch {
    // No JSON: the status says what there is to say.
  }
  return { title: answer.statusText || `The answer was ${answer.status}.`, status: answer.status };
}

/** Asks `path` (below `/api/v1`). Throws {@link ApiError}. A 204 gives `undefined`. */
export async function call<T>(path: string, method = "GET", body?: unknown, signal?: AbortSignal, again = 0): Promise<T> {
  const headers: Record<string, string> = { Accept: "application/json" };
  if (method !== "GET") {
    headers["Content-Type"] = "application/json";
    if (csrf) headers["X-Lope-CSRF"] = csrf;
  }
  let answer: Response;
  try {
    answer = await fetch(BASE + path, { method, headers, credentials: "same-origin", ...(signal ? { signal } : {}), ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    missed();
    throw new ApiError({ title: "No answer from lope.", status: 0, detail: "Is it still running, and is this device in the same network?" });
  }
  heard();
  // Asked too often: reading waits as long as the server says, twice at most.
  const wait = Number(answer.headers.get("Retry-After"));
  if (method === "GET" && (answer.status === 429 || answer.status === 503) && wait > 0 && wait <= 5 && again < 2) {
    await new Promise((f) => setTimeout(f, wait * 1000));
    if (!signal?.aborted) return call<T>(path, method, body, signal, again + 1);
  }
  if (!answer.ok) throw new ApiError(await problemOf(answer));
  if (answer.status === 204) return undefined as T;
  const text = await answer.text();
  return (text ? JSON.parse(text) : undefined) as T;
}

/** `?a=1&b=2` from what is present. */
export function query(parts: Record<string, string | number | null | undefined>): string {
  const q = new URLSearchParams();
  for (const [k, v] of Object.entries(parts)) if (v !== null && v !== undefined && v !== "") q.set(k, String(v));
  const text = q.toString();
  return text ? `?${text}` : "";
}

/** What a page knows about an answer. `at` is the local time of `data`, ms; `fresh` is false while older data is shown. */
export interface Asked<T> {
  data: T | undefined;
  error: ApiError | undefined;
  loading: boolean;
  at: number;
  fresh: boolean;
  again: () => void;
}

const kept = new Map<string, { data: unknown; at: number }>();
const KEEP = 200;

function keep(path: string, data: unknown): number {
  const at = Date.now();
  kept.delete(path);
  kept.set(path, { data, at });
  if (kept.size > KEEP) kept.delete(kept.keys().next().value as string);
  return at;
}

const waiting = new Set<() => void>();
/** Something was changed: every shown answer is asked again, and old ones of other pages are forgotten at the next visit. */
export const changed = (): void => waiting.forEach((f) => f());
/** Forgets all answers, when somebody else logs in. */
export const forgetAnswers = (): void => kept.clear();

/** Asks `path` when it changes; `null` asks nothing. Shows the last answer to the same path until the new one is there. */
export function useApi<T>(path: string | null): Asked<T> {
  const [, draw] = useState(0);
  const [round, setRound] = useState(0);
  const state = useRef<{ path: string | null; error: ApiError | undefined; loading: boolean }>({ path: null, error: undefined, loading: false });
  if (state.current.path !== path) state.current = { path, error: undefined, loading: path !== null };
  useEffect(() => {
    if (path === null) return;
    const stop = new AbortController();
    const mine = state.current;
    mine.loading = true;
    draw((n) => n + 1);
    call<T>(path, "GET", undefined, stop.signal).then(
      (data) => {
        if (stop.signal.aborted) return;
        keep(path, data);
        Object.assign(mine, { error: undefined, loading: false });
        draw((n) => n + 1);
      },
      (cause: unknown) => {
        if (stop.signal.aborted) return;
        const error = cause instanceof ApiError ? cause : new ApiError({ title: "The answer could not be read.", status: -1, detail: String(cause) });
        Object.assign(mine, { error, loading: false });
        draw((n) => n + 1);
      },
    );
    return () => stop.abort();
  }, [path, round]);
  const again = useCallback(() => setRound((n) => n + 1), []);
  useEffect(() => {
    waiting.add(again);
    addEventListener("online", again);
    return () => {
      waiting.delete(again);
      removeEventListener("online", again);
    };
  }, [again]);
  const old = path === null ? undefined : kept.get(path);
  const s = state.current;
  return { data: old?.data as T | undefined, error: s.error, loading: s.loading, at: old?.at ?? 0, fresh: !s.loading && !s.error, again };
}

/** An id for an entry that this device makes: sortable by time, letters and digits only. */
export function newId(prefix = "w"): string {
  const random = crypto.getRandomValues(new Uint8Array(6));
  return `${prefix}${Date.now().toString(36)}${Array.from(random, (b) => b.toString(16).padStart(2, "0")).join("")}`;
}
