/** The frame of all screens: top bar, safety text, keys, routes (each loaded when first visited), footer. */
import type { ComponentChildren, ComponentType, JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { AthleteItem, FlagsNow, Health, Listing, MetricDef, Rules } from "./api";
import { call, changed, forgetAnswers, query, setCsrf, useApi } from "./http";
import { setPrefs, type Theme, usePrefs } from "./prefs";
import { age } from "./pure/format";
import { matchRoute } from "./pure/route";
import { pulse } from "./pulse";
import { A, go, link, RANGES, useAddress, useParam } from "./router";
import { NowContext, type Session, SessionContext, useAthlete, useNow, useSession } from "./session";
import { Dialog, Empty, Failure, Pick, useTick } from "./ui/basics";

type Page = ComponentType<Record<string, string>>;
const ROUTES = [
  ["/", "runs"], ["/live", "live"], ["/live/:session", "live"], ["/run/:session/card", "card"], ["/run/:session", "explorer"],
  ["/trends", "trends"], ["/flags", "flags"], ["/flags/:flag", "flags"], ["/coach", "coach"], ["/compare", "compare"],
  ["/therapist", "therapist"], ["/journal", "journal"], ["/settings", "settings"], ["/safety", "safety"],
] as const;
type Name = (typeof ROUTES)[number][1];
const LOAD: Record<Name, () => Promise<{ default: unknown }>> = {
  runs: () => import("./pages/runs"),
  live: () => import("./pages/live"),
  card: () => import("./pages/card"),
  explorer: () => import("./pages/explorer"),
  trends: () => import("./pages/trends"),
  flags: () => import("./pages/flags"),
  coach: () => import("./pages/coach"),
  compare: () => import("./pages/compare"),
  therapist: () => import("./pages/therapist"),
  journal: () => import("./pages/journal"),
  settings: () => import("./pages/settings"),
  safety: () => import("./pages/safety"),
};
const loaded = new Map<Name, Page>();

/** A screen by its name; its code is fetched when it is first asked for. */
function Screen({ name, params }: { name: Name; params: Record<string, string> }): JSX.Element {
  const [, draw] = useState(0);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    if (loaded.has(name)) return;
    LOAD[name]().then(
      (m) => {
        loaded.set(name, m.default as Page);
        draw((n) => n + 1);
      },
      () => setFailed(true),
    );
  }, [name]);
  const Found = loaded.get(name);
  if (Found) return <Found key={`${name}${Object.values(params).join("/")}`} {...params} />;
  if (failed) {
    return (
      <div class="state state-error" role="alert">
        <strong>This screen could not be loaded.</strong>
        <p>Is lope still running? It may have been updated since this page was opened.</p>
        <button type="button" onClick={() => location.reload()}>Load again</button>
      </div>
    );
  }
  return <div class="skeleton" role="status"><span class="sr">Loading</span><i /><i /><i /></div>;
}

const NAV: { to: string; text: string; key: string; roles?: string[] }[] = [
  { to: "/", text: "Runs", key: "r" },
  { to: "/live", text: "Live", key: "l" },
  { to: "/trends", text: "Trends", key: "t" },
  { to: "/flags", text: "Flags", key: "f" },
  { to: "/compare", text: "Compare", key: "c" },
  { to: "/coach", text: "Coach", key: "o", roles: ["owner", "coach", "therapist"] },
  { to: "/therapist", text: "Therapist", key: "p", roles: ["owner", "therapist"] },
  { to: "/journal", text: "Journal", key: "j" },
  { to: "/settings", text: "Settings", key: "s" },
];

/** Connection dot with the age of the last sign of life. */
function Dot(): JSX.Element {
  useTick(1000);
  const p = pulse();
  const old = p.lastMs ? age(Date.now() - p.lastMs) : "never";
  const word = p.state === "ok" ? (p.live ? "live" : "connected") : p.state === "trying" ? "trying" : "no answer";
  return (
    <span class={`link-dot link-${p.state}`} title={`lope: ${word}; last heard ${old} ago`}>
      <i aria-hidden="true" />
      <span class="link-age"><span class="sr">{word}, last heard </span>{old}</span>
    </span>
  );
}

function TopBar({ here, help }: { here: string; help: () => void }): JSX.Element {
  const { health, athletes } = useSession();
  const prefs = usePrefs();
  const [athlete, setAthlete] = useAthlete();
  const [range, setRange] = useParam("range", "8");
  const [open, setOpen] = useState(false);
  const now = useNow();
  useEffect(() => setOpen(false), [here]);
  const items = NAV.filter((n) => (n.roles ? n.roles.includes(health.role) : health.role !== "share"));
  return (
    <header class="top">
      <div class="top-row">
        <A to="/" class="brand" aria-label="lope, list of runs"><svg width="30" height="20" viewBox="0 0 30 20" aria-hidden="true"><path d="M1 13c5 0 5-9 9-9s4 12 8 12 5-7 11-7" /><circle cx="10" cy="4" r="2.6" /></svg>lope</A>
        <button type="button" class="menu-button quiet" aria-expanded={open} aria-controls="nav" onClick={() => setOpen(!open)}>Menu</button>
        <nav id="nav" class={open ? "open" : ""} aria-label="Screens">
          {items.map((n) => (
            <A key={n.to} to={n.to} class={here === n.to ? "here" : ""} {...(here === n.to ? { "aria-current": "page" as const } : {})}>
              {n.text}
              {n.to === "/flags" && now && ["watch", "high", "stop"].includes(now.summary.level) ? <span class={`nav-mark level-${now.summary.level}`} aria-hidden="true">{{ watch: "▲", high: "◆", stop: "⬢" }[now.summary.level as "watch"]}</span> : null}
            </A>
          ))}
          <A to="/safety" class={here === "/safety" ? "here" : ""}>Safety page</A>
        </nav>
        <div class="top-tools">
          {athletes.length > 1 ? <Pick label="Runner" hideLabel value={athlete} options={athletes.map((a) => [a.id, a.name] as const)} onChange={setAthlete} /> : <span class="who">{athletes[0]?.name ?? health.name}</span>}
          <span class="wide-only"><Pick label="Range" hideLabel value={range} options={RANGES} onChange={setRange} /></span>
          <span class="wide-only"><Pick label="Units" hideLabel value={prefs.units} options={[["metric", "km"], ["imperial", "mi"]]} onChange={(v) => setPrefs({ units: v as "metric" })} /></span>
          <span class="wide-only"><Pick label="Theme" hideLabel value={prefs.theme} options={[["auto", "Auto"], ["light", "Light"], ["dark", "Dark"], ["sunlight", "Sun"]]} onChange={(v) => setPrefs({ theme: v as Theme })} /></span>
          <button type="button" class="quiet wide-only" aria-label="Keys" title="Keys (?)" onClick={help}>?</button>
          <Dot />
        </div>
      </div>
    </header>
  );
}

/** The fixed safety text, on top of every screen while it stands. */
function Safety(): JSX.Element | null {
  const s = useNow()?.safety;
  if (!s) return null;
  return (
    <section class={`safety safety-${s.level}`} role="alert" data-fixed>
      <span class="shape" aria-hidden="true">{s.level === "stop" ? "⬢" : "◆"}</span>
      <div>
        <h2>{s.title}</h2>
        <p>{s.text}</p>
        {s.ticks.length ? <p class="ticked">You ticked: {s.ticks.join(" · ")}</p> : null}
      </div>
      <A to="/safety" class="button">Safety page</A>
    </section>
  );
}

const KEYS: [string, string][] = [
  ["?", "this list"],
  ["g then r l t f c o p j s", "go to Runs, Live, Trends, Flags, Compare, Coach, Therapist, Journal, Settings"],
  ["Tab, Enter", "move along links and buttons, and use them"],
  ["← →", "in a plot: one sample back or on; its values are read out"],
  ["Page Up, Page Down", "in a plot: a minute (or ten stops) back or on"],
  ["Home, End", "in a plot: first and last"],
  ["Enter", "in the overview of a run: begin a selection at the cursor, then end it"],
  ["Escape", "leave a plot's cursor, close a window"],
  ["l m p c", "on the live screen: lap, marker, pain, mute cues"],
];

function useKeys(help: () => void): void {
  const g = useRef(0);
  useEffect(() => {
    const f = (e: KeyboardEvent): void => {
      const t = e.target as HTMLElement;
      if (e.ctrlKey || e.metaKey || e.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(t.tagName) || t.closest("dialog")) return;
      if (e.key === "?") help();
      else if (e.key === "g") g.current = Date.now();
      else if (Date.now() - g.current < 1500) {
        g.current = 0;
        const to = NAV.find((n) => n.key === e.key)?.to;
        if (to) {
          e.preventDefault();
          e.stopImmediatePropagation();
          go(link(to));
        }
      }
    };
    addEventListener("keydown", f, true);
    return () => removeEventListener("keydown", f, true);
  }, [help]);
}

const TITLE: Record<Name, string> = { runs: "Runs", live: "Live", card: "After the run", explorer: "Run", trends: "Trends", flags: "Flags", coach: "Coach", compare: "Compare", therapist: "Therapist", journal: "Journal", settings: "Settings", safety: "Safety page" };

function Frame({ children }: { children?: ComponentChildren }): JSX.Element {
  const { path } = useAddress();
  const { rules } = useSession();
  const [athlete] = useAthlete();
  const [keys, setKeys] = useState(false);
  const help = useMemo(() => () => setKeys(true), []);
  useKeys(help);
  const now = useApi<FlagsNow>(athlete ? `/flags${query({ athlete })}` : null);
  const found = matchRoute(ROUTES, path);
  useEffect(() => {
    document.title = found ? `${TITLE[found.name]} · lope` : "lope";
  }, [found?.name]);
  useEffect(() => {
    // Keeps the dot honest while nothing else is asked.
    const t = setInterval(() => void call<Health>("/health").catch(() => undefined), 15_000);
    return () => clearInterval(t);
  }, []);
  const here = path.startsWith("/run/") ? "/" : `/${path.split("/")[1] ?? ""}`;
  return (
    <NowContext.Provider value={now.data}>
      <a class="skip" href="#main" onClick={(e) => { e.preventDefault(); document.getElementById("main")?.focus(); }}>To the content</a>
      <TopBar here={here} help={help} />
      <main id="main" tabIndex={-1}>
        <Safety />
        {found ? <Screen name={found.name} params={found.params} /> : <Empty title="There is no such page."><A to="/">All runs</A></Empty>}
        {children}
      </main>
      <footer class="foot" data-fixed>
        <p>{rules?.footer ?? "Information only. Not a medical device, not a diagnosis."}</p>
        <p class="muted">{rules?.purpose}</p>
      </footer>
      <Dialog title="Keys" open={keys} onClose={() => setKeys(false)}>
        <dl class="keys">{KEYS.map(([k, what]) => <div key={k}><dt><kbd>{k}</kbd></dt><dd>{what}</dd></div>)}</dl>
      </Dialog>
    </NowContext.Provider>
  );
}

function Login({ onDone }: { onDone: () => void }): JSX.Element {
  const [token, setToken] = useState("");
  const [wrong, setWrong] = useState("");
  const submit = (e: Event): void => {
    e.preventDefault();
    call<{ csrf: string }>("/login", "POST", { token: token.trim() }).then(
      (a) => {
        setCsrf(a.csrf);
        onDone();
      },
      (cause: Error) => setWrong(cause.message),
    );
  };
  return (
    <main class="login">
      <h1>lope</h1>
      <form onSubmit={submit}>
        <label>
          Access token
          <input type="password" autocomplete="current-password" value={token} onInput={(e) => setToken(e.currentTarget.value)} required />
        </label>
        <p class="note">It was shown once, where it was made: Settings, Tokens, or <code>lope serve</code>.</p>
        {wrong ? <p class="wrong" role="alert">{wrong}</p> : null}
        <button type="submit" class="primary">Log in</button>
      </form>
    </main>
  );
}

/** Everything. */
export function App(): JSX.Element {
  const health = useApi<Health>("/health");
  const may = health.data ? "" : null;
  const athletes = useApi<Listing<AthleteItem>>(may === null ? null : "/athletes");
  const metrics = useApi<Listing<MetricDef>>(may === null ? null : "/catalog/metrics");
  const rules = useApi<Rules>(may === null ? null : "/catalog/rules");
  const [offline, setOffline] = useState(!navigator.onLine);
  useEffect(() => {
    const f = (): void => setOffline(!navigator.onLine);
    addEventListener("online", f);
    addEventListener("offline", f);
    return () => {
      removeEventListener("online", f);
      removeEventListener("offline", f);
    };
  }, []);
  useEffect(() => {
    if (health.data?.csrf) setCsrf(health.data.csrf);
  }, [health.data?.csrf]);
  const session = useMemo<Session | undefined>(
    () => health.data && (athletes.data || athletes.error) && metrics.data && (rules.data || rules.error)
      ? { health: health.data, athletes: athletes.data?.items ?? [], metrics: new Map(metrics.data.items.map((m) => [m.name, m])), rules: rules.data }
      : undefined,
    [health.data, athletes.data, athletes.error, metrics.data, rules.data, rules.error],
  );
  const login = (): void => {
    forgetAnswers();
    changed();
  };
  if ([health, athletes, metrics].some((q) => q.error?.status === 401)) return <Login onDone={login} />;
  const failed = health.error ?? metrics.error;
  if (!session) return <main class="boot">{failed ? <><h1>lope</h1><Failure error={failed} again={() => changed()} /></> : <div class="skeleton" role="status"><span class="sr">Loading lope</span><i /><i /></div>}</main>;
  return (
    <SessionContext.Provider value={session}>
      {offline ? <p class="offline" role="status">This device is offline. What you see was loaded before.</p> : null}
      <Frame />
    </SessionContext.Provider>
  );
}
