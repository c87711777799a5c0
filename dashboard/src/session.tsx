/** What all screens share: who is looking, whose data, the catalogs. Loaded once, given down as a context. */
import { createContext } from "preact";
import { useContext, useMemo } from "preact/hooks";
import type { AthleteItem, FlagsNow, Health, Listing, MetricDef, Rules, Shoe } from "./api";
import { query, useApi } from "./http";
import { useParam } from "./router";

export interface Session {
  health: Health;
  athletes: AthleteItem[];
  metrics: Map<string, MetricDef>;
  rules: Rules | undefined;
}

export const SessionContext = createContext<Session | undefined>(undefined);

export function useSession(): Session {
  const s = useContext(SessionContext);
  if (!s) throw new Error("the session context is set by the frame before any page is drawn");
  return s;
}

/** The athlete the screens are about: from the address, else the one that ran last. Empty when there is none. */
export function useAthlete(): [string, (id: string) => void] {
  const { athletes } = useSession();
  const first = useMemo(() => [...athletes].sort((a, b) => (b.last_session_us ?? 0) - (a.last_session_us ?? 0))[0]?.id ?? "", [athletes]);
  const [value, set] = useParam("athlete");
  return [value || first, set];
}

/** What a reader may do, as the server's table has it; buttons that would be refused are not shown. */
export type Doing = "own" | "flags" | "notes" | "raw" | "tokens" | "verdicts";
const MAY: Record<Doing, readonly string[]> = {
  own: ["owner", "runner"],
  flags: ["owner", "runner", "coach", "therapist"],
  notes: ["owner", "therapist"],
  verdicts: ["owner", "runner", "coach", "therapist"],
  raw: ["owner", "runner", "therapist"],
  tokens: ["owner"],
};
export const useMay = (what: Doing): boolean => {
  const { health } = useSession();
  return MAY[what].includes(health.role) && (what === "raw" || !health.read_only);
};
/** May this reader change what a runner says and does: entries, notes of runs, consents, links, live commands? */
export const useMayWrite = (): boolean => useMay("own");

/** Flags of the chosen athlete now; undefined while unknown or not shared. Set by the frame, for the safety text and its silence. */
export const NowContext = createContext<FlagsNow | undefined>(undefined);
export const useNow = (): FlagsNow | undefined => useContext(NowContext);
/** While an emergency or urgent tick stands: no scores, no cues, no praise. */
export const useSilence = (): boolean => useContext(NowContext)?.safety?.level === "stop";

/** Pairs of shoes by id, as people call them: other answers carry ids only. */
export function useShoeNames(athlete: string | null | undefined): (id: string | null | undefined) => string | null {
  const q = useApi<Listing<Shoe>>(athlete ? `/shoes${query({ athlete })}` : null);
  const names = useMemo(() => new Map(q.data?.items.map((s) => [s.id, s.name])), [q.data]);
  return (id) => (id ? (names.get(id) ?? id) : null);
}
