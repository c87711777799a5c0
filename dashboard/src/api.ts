/**
 * The JSON of `/api/v1` as types. Hand-written after the contract; `npm run types` compares them with the OpenAPI document.
 * SI units inside; `*_us` are microseconds UTC since 1970; `t_s` seconds since session start; absent is null or missing.
 */

export type Maybe<T> = T | null | undefined;
export type Role = "owner" | "runner" | "coach" | "therapist" | "share";
export type Data = "good" | "fair" | "poor" | "none";
export type Level = "none" | "info" | "watch" | "high" | "stop" | "not_enough_data";
export type Side = "left" | "right";
export type SeriesSide = "both" | Side;

export interface Listing<T> { items: T[]; next_cursor?: Maybe<string> }

export interface Problem { type?: string; title: string; status: number; code?: string; detail?: string; facts?: string[]; try?: string }

export interface Health { status: string; version: string; boot_id: string; role: Role; name: string; read_only: boolean; csrf?: Maybe<string> }

export interface MetricDef {
  name: string; title: string; unit: string; shown_unit: string; shown_factor: number; shown_decimals: number;
  doc: string; not_it: string; source: string; per_side: boolean; interval: string;
}

export interface Evidence { strength: "A" | "B" | "C"; outcome: string; contested: boolean; word: EvidenceWord; disputed: boolean }
export type EvidenceWord = "strong" | "some" | "little";
export interface Cite { key: string; text: string; basis: string; url?: Maybe<string> }
export interface RuleFlag {
  id: string; slug: string; title: string; family: string; evidence: Evidence; message: string;
  message_info?: Maybe<string>; high_line?: Maybe<string>; remedies: string[]; cites: Cite[];
}
export interface Question { id: string; when: string; text: string; answer: string }
export interface Tick { id: string; shown_under: string; text: string; note?: Maybe<string> }
export interface Rules {
  version: string; label: string; subtitle: string; footer: string; purpose: string; first_time_line: string;
  flags: RuleFlag[]; questions: Question[]; ticks: Tick[]; families: { id: string; title: string }[];
  emergency_text: string; urgent_text: string; before_next_run_text: string;
}

export interface AthleteItem { id: string; name: string; groups: string[]; last_session_us?: Maybe<number> }
export interface Consent { purpose: string; recipient: string; given: boolean; day: string }
export interface Athlete {
  id: string; name: string; height_m?: Maybe<number>; mass_kg?: Maybe<number>; leg_length_m?: Maybe<number>;
  birth_year?: Maybe<number>; sex?: Maybe<string>; groups: string[]; prior_lbp_episodes?: Maybe<number>;
  medical_history?: Maybe<boolean>; bone_stress?: Maybe<boolean>; logs_core_work?: Maybe<boolean>; consents: Consent[];
}

export interface FlagMark { id: string; level: Level; since?: Maybe<string> }
export interface SessionItem {
  id: string; athlete: string; athlete_name: string; start_us: number; tz?: Maybe<string>; day: string;
  duration_s?: Maybe<number>; distance_km?: Maybe<number>; state: "open" | "closed" | "recovered";
  origin: "live" | "import" | "demo"; clock: "known" | "assumed"; strides: number; usable_share?: Maybe<number>;
  data: Data; speed_ms?: Maybe<number>; cadence_spm?: Maybe<number>; shoe?: Maybe<string>; ground?: Maybe<string>;
  run_kind?: Maybe<string>; effort?: Maybe<number>; left_out: boolean; note?: Maybe<string>; flags: FlagMark[];
  sensors: { placement: string; rate_hz?: Maybe<number> }[];
}
export interface SummaryRow {
  metric: string; side: SeriesSide; n: number; median: number; mad: number; mean: number; p10: number; p90: number;
}
export interface CoverageSpan { from_s: number; to_s: number; state: "ok" | "filled" | "lost" | "clipped" | "moved" | "unsynced" }
export interface Coverage { placement: string; spans: CoverageSpan[]; lost_share: number }
export interface SessionEvent { t_s: number; kind: string; placement?: Maybe<string>; text: string; body?: unknown }
export interface RunValues {
  speed_ms?: Maybe<number>; level_windows: number; eligible: boolean; why_not: string[]; metrics: Record<string, number>;
  drift?: Maybe<Record<string, number>>; distance_km?: Maybe<number>; minutes?: Maybe<number>; data: Data;
  absent: Record<string, string>;
}
export interface SessionNote {
  run_kind?: Maybe<string>; effort?: Maybe<number>; warmup?: Maybe<boolean>; shoe?: Maybe<string>; ground?: Maybe<string>;
  back_before?: Maybe<number>; back_worst?: Maybe<number>; onset?: Maybe<string>; onset_minute?: Maybe<number>;
  stopped_for_back?: Maybe<boolean>; eased_for_back?: Maybe<boolean>; km?: Maybe<number>; left_out?: boolean; text?: Maybe<string>;
}
export interface SessionFull extends SessionItem {
  analysis?: unknown; pipeline_version?: Maybe<string>; summary: SummaryRow[]; run_values?: Maybe<RunValues>;
  coverage: Coverage[]; events: SessionEvent[]; note_entry?: Maybe<SessionNote>;
  outcomes: { placement: string; clock_ppm?: Maybe<number>; clock_residual_us?: Maybe<number>; calibration?: unknown }[];
}
export interface SeriesBuckets { mean: (number | null)[]; min: (number | null)[]; max: (number | null)[]; n: number[] }
export interface Gap { placement: string; from_s: number; to_s: number; cause: string; missing?: Maybe<number> }
export interface Series {
  width_s: number; t_s: number[]; strides: number[];
  series: Record<string, Partial<Record<SeriesSide, SeriesBuckets>>>; gaps: Gap[];
}
export interface Stride {
  /** Counted on its side, from 0. */
  idx: number; t_s: number; side?: Maybe<Side>; duration_s: number; ic_s?: Maybe<number>; mid_s?: Maybe<number>; tc_s?: Maybe<number>;
  next_ic_s?: Maybe<number>; class: string; quality: number; activity: string; flags: string[];
  metrics: Record<string, number>; absent: Record<string, string>; verdict?: Maybe<Verdict>;
}
/** What a person said about a stride: bad ones are kept, shown and counted nowhere. `by` is not told to a link. */
export interface Verdict { bad: boolean; by?: Maybe<string>; role: string; said_us: number; note?: Maybe<string> }
export interface Said { idx: number; side?: Maybe<Side>; verdict?: Maybe<Verdict>; past: Verdict[] }
export interface PickedCurve {
  pick: string; idx: number; side?: Maybe<Side>; t_s: number; class: string; stride_length?: Maybe<number>; contact_time?: Maybe<number>;
  obliquity_deg?: Maybe<number[]>; zero?: Maybe<string>; stance: { side: Side; from_percent: number; to_percent: number }[]; marks: CurveMark[];
  why_not?: Maybe<string>;
}
export interface PickedCurves { percent: number[]; items: PickedCurve[] }
export interface CurveMark { name: string; side?: Maybe<Side>; percent: number }
export interface CycleCurve {
  percent: number[]; tilt_deg: number[]; obliquity_deg: number[]; rotation_deg: number[]; zero: string; zero_text: string;
  stance: { side: Side; from_percent: number; to_percent: number }[]; marks: CurveMark[];
}
export interface FootPath { percent: number[]; x_m: number[]; z_m: number[]; marks: CurveMark[] }
export interface Explain {
  stride: Stride;
  steps: { name: string; text: string; inputs: Record<string, unknown>; value?: Maybe<number>; unit?: Maybe<string> }[];
  quality_parts: Record<string, Maybe<number>>; ruled_out: string[];
  how: { metric: string; title: string; value?: Maybe<number>; unit: string; doc: string; not_it: string; source: string; absent?: Maybe<string> }[];
  curves: { pelvis?: Maybe<CycleCurve>; pelvis_why_not?: Maybe<string>; foot_path?: Maybe<FootPath>; foot_path_why_not?: Maybe<string> };
}
export interface Raw {
  sensors: { placement: string; rate_hz: number; t_s: number[]; acc: number[][]; gyro: number[][]; clipped: number[] }[];
  kept: boolean; why_not?: Maybe<string>;
}
export interface SafetyNow { level: "stop" | "no_cues"; title: string; text: string; ticks: string[] }
export interface CardRow {
  metric: string; title: string; unit: string; value?: Maybe<number>; usual?: Maybe<number>; band_low?: Maybe<number>;
  band_high?: Maybe<number>; change?: Maybe<number>; beyond_noise?: Maybe<boolean>; word: string; why?: Maybe<string>;
}
export interface Card {
  session: SessionItem; headline: string;
  load: { km?: Maybe<number>; week_km: number; usual_week_low_km?: Maybe<number>; usual_week_high_km?: Maybe<number>; word: string };
  rows: CardRow[];
  within_run?: Maybe<{ metric: string; title: string; unit: string; first: number; last: number; change: number; counts: boolean }[]>;
  within_why?: Maybe<string>; one_thing?: Maybe<string>; coverage: Coverage[]; data: Data; checkin_due: boolean; safety?: Maybe<SafetyNow>;
}

export interface Entry { id: string; athlete: string; day: string; at_us: number; kind: string; [field: string]: unknown }
export interface Shoe {
  id: string; name: string; km: number; km_before?: Maybe<number>; runs: number; runs_without_km?: number; comfort?: Maybe<number>;
  uneven_heel?: Maybe<boolean>; retired?: Maybe<string>; last_worn?: Maybe<string>; impact_change_pct?: Maybe<number>;
}

export interface TrendPoint {
  session: string; day: string; start_us: number; value?: Maybe<number>; at_speed: boolean; sigma?: Maybe<number>; data: Data;
  shoe?: Maybe<string>; ground?: Maybe<string>; runs_in_reference: boolean; why_not?: Maybe<string>;
}
export interface Trend {
  athlete: string; metric: string; title: string; unit: string; shown_unit: string; shown_factor: number;
  reference_speed_ms?: Maybe<number>; speed_known: boolean; points: TrendPoint[];
  reference?: Maybe<{ low: number; mid: number; high: number; runs: number; state: "learning" | "frozen" }>;
  rolling42: { day: string; value: number }[]; smallest_change?: Maybe<{ value: number; text: string }>;
  verdict: { word: string; text: string };
  symptoms?: Maybe<{ day: string; before?: Maybe<number>; worst?: Maybe<number>; morning?: Maybe<number> }[]>;
  load: { week_start: string; km: number; runs: number }[]; flags: { day: string; id: string; level: Level }[];
  shoes: { shoe: string; from: string; to: string }[]; grounds: { ground: string; from: string; to: string }[];
}

export interface FlagAction { actor: string; action: string; note?: Maybe<string>; day: string }
export interface FlagItem {
  id: string; slug: string; title: string; family: string; level: Level; since?: Maybe<string>; message?: Maybe<string>;
  missing: string[]; evidence_word: EvidenceWord; disputed: boolean; data: Data; data_from?: "sensors" | "entered"; hidden: boolean;
  muted_until?: Maybe<string>; actions: FlagAction[];
}
export interface FlagsNow {
  athlete: string; day: string; rules_version: string;
  summary: { level: Level; text: string; areas_changed: number; areas_measurable: number; coverage: number };
  coaching: "open" | "no_cues" | "silent"; safety?: Maybe<SafetyNow>; learning?: Maybe<{ runs: number; needed: number }>;
  flags: FlagItem[]; first_time_line: string; footer: string;
}
export interface ConditionInput {
  name: string; title: string; value?: Maybe<number>; unit: string; threshold: number; effective_threshold: number;
  op: string; why_missing?: Maybe<string>;
}
export interface Condition { level: Level; text: string; holds?: Maybe<boolean>; inputs: ConditionInput[] }
export interface Vote { session?: Maybe<string>; day: string; level?: Maybe<Level>; values: Record<string, Maybe<number>> }
export interface Computation {
  conditions: Condition[]; votes: Vote[]; needs: string; clears: string[]; other_reasons: string[]; remedies: string[];
  cites: Cite[]; reference?: Maybe<{ runs: number; from: string; to: string }>;
}
/** `computation` is null where the flag is not shown to this reader. */
export interface FlagDetail { flag: FlagItem; text: string; computation?: Maybe<Computation> }
export interface FlagHistory { rules_version: string; days: string[]; summary: Level[]; changes: { day: string; id: string; state: Level }[] }
export interface InboxItem {
  athlete: string; athlete_name: string; flag: FlagItem; strip: { day: string; level: Level }[]; other_reasons: string[]; since?: Maybe<string>;
}
export interface SquadRow {
  athlete: string; name: string; groups: string[]; triage: number; summary: Level; flags: FlagMark[];
  last_run?: Maybe<{ session?: Maybe<string>; day: string; km?: Maybe<number> }>; silent_days?: Maybe<number>; data: Data;
  cadence_spark: { day: string; value: number }[]; drop_asym_spark: { day: string; value: number }[];
  load_weeks: { week_start: string; km: number }[]; load_zone?: Maybe<{ low: number; high: number }>;
  shoe?: Maybe<{ id?: string; name: string; km: number }>; symptoms: "shared" | "not shared"; back_last?: Maybe<number>;
}
export interface CompareSide { label: string; sessions: string[]; day_from?: Maybe<string>; day_to?: Maybe<string> }
export interface CompareRow {
  metric: string; title: string; unit: string; side: SeriesSide; a?: Maybe<number>; b?: Maybe<number>; delta?: Maybe<number>;
  low?: Maybe<number>; high?: Maybe<number>; smallest_change?: Maybe<number>; beyond_noise?: Maybe<boolean>; why?: Maybe<string>; n_a: number; n_b: number;
}
export type Point2 = [number, number];
export interface MeanCurve { mean: number[]; sd: number[] }
export interface CompareCurves { percent: number[]; strides: number; tilt: MeanCurve; obliquity: MeanCurve; rotation: MeanCurve }
export interface Compare {
  a: CompareSide; b: CompareSide; shared_speed?: Maybe<{ low: number; high: number }>; rows: CompareRow[];
  scatter: Record<string, { a: Point2[]; b: Point2[]; fit_a?: Maybe<Point2[]>; fit_b?: Maybe<Point2[]> }>;
  curves: { a?: Maybe<CompareCurves>; a_why_not?: Maybe<string>; b?: Maybe<CompareCurves>; b_why_not?: Maybe<string>; zero_text?: Maybe<string> }; note?: Maybe<string>;
}
export interface Load {
  weeks: { week_start: string; km: number; runs: number; rest_days?: Maybe<number>; longest_km?: Maybe<number> }[];
  zone?: Maybe<{ low: number; high: number }>;
}

export interface LiveItem { session: string; athlete: string; name: string; started_us: number; kind: "record" | "replay" | "demo" }
export interface LiveHello extends LiveItem {
  sensors: { placement: string; rate_hz?: Maybe<number>; kind?: Maybe<string> }[]; speed_factor: Maybe<number>; resumed: boolean;
  /** Whether cues were asked for, and whether marks are kept. */ cues?: boolean; marks?: boolean;
}
export interface Band { low: number; high: number }
export interface LiveWindow {
  session?: string; t_s: number; cadence_spm?: Maybe<number>; speed_ms?: Maybe<number>; step_length_m?: Maybe<number>;
  stride_length_m?: Maybe<number>; contact_left_s?: Maybe<number>; contact_right_s?: Maybe<number>;
  drop_left_rad?: Maybe<number>; drop_right_rad?: Maybe<number>; tilt_rad?: Maybe<number>; overstride_m?: Maybe<number>;
  distance_km?: Maybe<number>; n: number; data: Data; usual?: Maybe<Record<string, Band>>;
}
export interface LiveStride { session?: string; t_s: number; side?: Maybe<Side>; contact_s?: Maybe<number>; length_m?: Maybe<number>; speed_ms?: Maybe<number>; class: string }
export interface SensorHealth {
  placement: string; state: "ok" | "poor" | "lost" | "connecting"; /** Percent. */ battery?: Maybe<number>; rssi?: Maybe<number>;
  lost_share: number; residual_ms?: Maybe<number>; text?: Maybe<string>;
}
export interface LiveHealth { session?: string; t_s: number; sensors: SensorHealth[] }
export interface LiveCue {
  session?: string; state: "off" | "silent" | "on"; target_spm?: Maybe<number>; now_spm?: Maybe<number>; why?: Maybe<string>;
  /** Between these nothing sounds; without `high_spm` quicker steps are never spoken of. */ low_spm?: Maybe<number>; high_spm?: Maybe<number>;
}

export interface SensorKit { name: string; sensors: { place: string; name: string; kind: string; firmware?: Maybe<string>; battery?: Maybe<number>; last_seen_us?: Maybe<number> }[] }
export interface DoctorCheck { state: "ok" | "warn" | "fail"; what: string; text: string; try?: Maybe<string> }
export interface Token { prefix: string; name: string; role: Role; athletes: string[]; groups: string[]; made_us?: number; expires_us?: Maybe<number>; revoked_us?: Maybe<number>; token?: string }
export interface Share { prefix: string; athlete?: Maybe<string>; what?: Maybe<string>; session?: Maybe<string>; made_us?: number; expires_us?: Maybe<number>; revoked_us?: Maybe<number> }
export interface ShareMade { url: string; prefix: string; expires_us: number }
export interface Access { at_us: number; actor: string; role: string; action: string }
