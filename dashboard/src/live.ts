/**
 * A live stream over fetch: parses events, connects again with `Last-Event-ID` after a break, and tells its state.
 * Not `EventSource`, because that cannot carry the id over a reconnect of our own nor say how old the last sign of life is.
 */
import { useEffect, useRef, useState } from "preact/hooks";
import type { LiveCue, LiveHealth, LiveHello, LiveStride, LiveWindow } from "./api";
import { heard, missed, setLive } from "./pulse";
import { backoffMs, SseParser } from "./pure/sse";

export interface LiveEvents {
  hello: LiveHello;
  window: LiveWindow;
  stride: LiveStride;
  health: LiveHealth;
  event: { session?: string; t_s: number; kind: string; text: string };
  flag: { session?: string; id: string; level: string; text: string };
  cue: LiveCue;
  lag: { session?: string; missed: number };
  bye: { reason: string; session: string };
}
export type LiveName = keyof LiveEvents;
type Handler = <N extends LiveName>(name: N, data: LiveEvents[N] & { session?: string }) => void;
export interface LinkState { state: "connecting" | "open" | "broken" | "over" | "refused"; status?: number }

/** Silence after which the connection is taken for dead: the server sends a comment every 15 s. */
const SILENCE_MS = 25_000;
const NAMES = new Set<string>(["hello", "window", "stride", "health", "event", "flag", "cue", "lag", "bye"]);

/** Follows `/live/{what}` until the returned function is called. */
export function follow(what: string, handle: Handler, tell: (s: LinkState) => void): () => void {
  let stopped = false;
  let tries = 0;
  let lastId = "";
  let retry: number | undefined;
  let abort = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let watchdog: ReturnType<typeof setTimeout> | undefined;

  const again = (): void => {
    if (stopped) return;
    setLive(false);
    missed();
    tell({ state: "broken" });
    timer = setTimeout(() => void connect(), Math.max(retry ?? 0, backoffMs(tries++)));
  };
  const alive = (): void => {
    clearTimeout(watchdog);
    watchdog = setTimeout(() => abort.abort(), SILENCE_MS);
  };
  const connect = async (): Promise<void> => {
    abort = new AbortController();
    const parser = new SseParser();
    parser.lastId = lastId;
    try {
      const answer = await fetch(`/api/v1/live/${encodeURIComponent(what)}`, { headers: { Accept: "text/event-stream", ...(lastId ? { "Last-Event-ID": lastId } : {}) }, cache: "no-store", signal: abort.signal, credentials: "same-origin" });
      if (!answer.ok || !answer.body) {
        if (answer.status >= 400 && answer.status < 500 && answer.status !== 429) {
          stopped = true;
          setLive(false);
          tell({ state: "refused", status: answer.status });
          return;
        }
        throw new Error(String(answer.status));
      }
      tries = 0;
      tell({ state: "open" });
      setLive(true);
      alive();
      const reader = answer.body.getReader();
      const text = new TextDecoder();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        heard();
        alive();
        for (const e of parser.push(text.decode(value, { stream: true }))) {
          lastId = e.id || lastId;
          retry = parser.retryMs;
          if (!NAMES.has(e.event)) continue;
          const data = JSON.parse(e.data) as LiveEvents[LiveName] & { session?: string };
          handle(e.event as LiveName, data as never);
          if (e.event === "bye" && what !== "squad") {
            stopped = true;
            setLive(false);
            tell({ state: "over" });
            abort.abort();
            return;
          }
        }
      }
      again();
    } catch {
      again();
    } finally {
      clearTimeout(watchdog);
    }
  };
  tell({ state: "connecting" });
  void connect();
  const back = (): void => {
    // Coming back online, or into view: do not sit out the rest of the wait.
    if (stopped || document.hidden || timer === undefined) return;
    clearTimeout(timer);
    timer = undefined;
    tries = 0;
    void connect();
  };
  addEventListener("online", back);
  return () => {
    stopped = true;
    setLive(false);
    clearTimeout(timer);
    clearTimeout(watchdog);
    removeEventListener("online", back);
    abort.abort();
  };
}

const MINUTES_10 = 600;
const RIBBON = 40;

/** One runner's last ten minutes. */
export class LiveRun {
  hello: LiveHello | undefined;
  windows: LiveWindow[] = [];
  strides: LiveStride[] = [];
  health: LiveHealth | undefined;
  cue: LiveCue | undefined;
  events: LiveEvents["event"][] = [];
  flags: LiveEvents["flag"][] = [];
  missed = 0;
  over: string | undefined;

  /** Takes an event in; replayed ones that are already here are dropped. */
  take<N extends LiveName>(name: N, data: LiveEvents[N]): void {
    switch (name) {
      case "hello":
        this.hello = data as LiveHello;
        break;
      case "window": {
        const w = data as LiveWindow;
        if (w.t_s <= (this.windows.at(-1)?.t_s ?? -1)) return;
        this.windows = [...this.windows.filter((o) => o.t_s > w.t_s - MINUTES_10), w];
        break;
      }
      case "stride": {
        const s = data as LiveStride;
        if (s.t_s <= (this.strides.filter((o) => o.side === s.side).at(-1)?.t_s ?? -1)) return;
        this.strides = [...this.strides, s].slice(-RIBBON);
        break;
      }
      case "health":
        this.health = data as LiveHealth;
        break;
      case "cue":
        this.cue = data as LiveCue;
        break;
      case "event": {
        const e = data as LiveEvents["event"];
        if (!this.events.some((o) => o.t_s === e.t_s && o.text === e.text)) this.events = [...this.events, e].slice(-50);
        break;
      }
      case "flag": {
        const f = data as LiveEvents["flag"];
        // A flag that no longer stands comes once more, at level none.
        this.flags = [...this.flags.filter((o) => o.id !== f.id), ...(f.level === "none" ? [] : [f])];
        break;
      }
      case "lag":
        this.missed += (data as LiveEvents["lag"]).missed;
        break;
      case "bye":
        this.over = (data as LiveEvents["bye"]).reason;
        break;
    }
  }
}

/** Follows one session, or all of the squad, and draws again at most ten times a second. */
export function useLive(what: string | null): { runs: Map<string, LiveRun>; link: LinkState } {
  const runs = useRef(new Map<string, LiveRun>());
  const [link, setLink] = useState<LinkState>({ state: "connecting" });
  const [, draw] = useState(0);
  useEffect(() => {
    runs.current = new Map();
    if (!what) return;
    let due: ReturnType<typeof setTimeout> | undefined;
    const stop = follow(
      what,
      (name, data) => {
        const key = what === "squad" ? (data.session ?? "") : what;
        let run = runs.current.get(key);
        if (!run) runs.current.set(key, (run = new LiveRun()));
        run.take(name, data);
        due ??= setTimeout(() => {
          due = undefined;
          draw((n) => n + 1);
        }, 100);
      },
      setLink,
    );
    return () => {
      clearTimeout(due);
      stop();
    };
  }, [what]);
  return { runs: runs.current, link };
}
