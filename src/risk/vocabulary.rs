//! The words rules are written in: levels, comparisons, conditions, and the kinds of memory with their numbers.
//!
//! Kept apart from the flags themselves, because everything else in this module speaks in them.

use serde::Serialize;

/// How far a flag has risen. Ordered: a higher level is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Evaluated, and nothing to show.
    None,
    /// A note.
    Info,
    /// Something to keep an eye on.
    Watch,
    /// Asks for care.
    High,
    /// Stop running; only what a person ticked leads here.
    Stop,
}

impl Level {
    /// All levels, lowest first.
    pub const ALL: [Self; 5] = [Self::None, Self::Info, Self::Watch, Self::High, Self::Stop];
    /// The levels that have conditions, lowest first.
    pub const RAISED: [Self; 4] = [Self::Info, Self::Watch, Self::High, Self::Stop];
    /// The levels that a flag with a memory switches on and off; `stop` is latched or not.
    pub const SWITCHED: [Self; 3] = [Self::Info, Self::Watch, Self::High];

    /// Its name in rule files and histories.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Info => "info",
            Self::Watch => "watch",
            Self::High => "high",
            Self::Stop => "stop",
        }
    }

    /// The level of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == name)
    }
}

/// A comparison of a rule. All are made with the tolerance of the rule file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Op {
    /// `>=`
    AtLeast,
    /// `>`
    Above,
    /// `<=`
    AtMost,
    /// `<`
    Below,
    /// `==`
    Equal,
}

impl Op {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::AtLeast, Self::Above, Self::AtMost, Self::Below, Self::Equal];

    /// As written in the rule file.
    #[must_use]
    pub fn sign(self) -> &'static str {
        match self {
            Self::AtLeast => ">=",
            Self::Above => ">",
            Self::AtMost => "<=",
            Self::Below => "<",
            Self::Equal => "==",
        }
    }

    /// Whether `a op b` holds, with `epsilon` of tolerance: 11 km after 10 km is not more than 1.1 times as far.
    #[must_use]
    pub fn holds(self, a: f64, b: f64, epsilon: f64) -> bool {
        match self {
            Self::AtLeast => a >= b - epsilon,
            Self::Above => a > b + epsilon,
            Self::AtMost => a <= b + epsilon,
            Self::Below => a < b - epsilon,
            Self::Equal => (a - b).abs() <= epsilon,
        }
    }
}

/// One comparison of an input with a number.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Condition {
    /// Name of the input.
    pub input: String,
    /// Comparison.
    pub op: Op,
    /// The number of the table, in the input's unit.
    pub value: f64,
}

/// The conditions of one level: any of the lists, all of its conditions.
pub type AnyOf = Vec<Vec<Condition>>;

/// How a flag remembers: what raises it, what clears it, when it knows nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Memory {
    /// Per evaluated run: k of the last n.
    Form,
    /// The same per evaluated long run.
    Drift,
    /// At once, held some days.
    Event,
    /// At once, cleared after some days without.
    Daily,
    /// The highest of the last check-in days.
    Symptom,
    /// As daily, but silence is not recovery.
    SymptomDaily,
    /// Held until a person says that it was looked at.
    Latched,
    /// The current value.
    Fact,
}

impl Memory {
    /// All of them, in the order of the rule file.
    pub const ALL: [Self; 8] = [
        Self::Form,
        Self::Drift,
        Self::Event,
        Self::Daily,
        Self::Symptom,
        Self::SymptomDaily,
        Self::Latched,
        Self::Fact,
    ];

    /// Its name in the rule file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::Drift => "drift",
            Self::Event => "event",
            Self::Daily => "daily",
            Self::Symptom => "symptom",
            Self::SymptomDaily => "symptom_daily",
            Self::Latched => "latched",
            Self::Fact => "fact",
        }
    }
}

/// Votes of runs: numbers of [`Memory::Form`] and [`Memory::Drift`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Votes {
    /// Runs that must agree to raise.
    pub raise_k: usize,
    /// Of so many.
    pub raise_n: usize,
    /// Runs that must agree to clear.
    pub clear_k: usize,
    /// Of so many.
    pub clear_n: usize,
    /// A run is clear when it is below this share of the threshold (hysteresis).
    pub clear_factor: f64,
    /// A raised level stays at least this long, days.
    pub min_dwell_days: i32,
    /// Without an evaluated run for so many days everything is forgotten.
    pub stale_days: i32,
}

/// Numbers of [`Memory::Event`], days.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Hold {
    /// An event shows for so long.
    pub hold_days: i32,
    /// Without an evaluable event for so long, nothing is known.
    pub stale_days: i32,
}

/// Numbers of [`Memory::Daily`] and [`Memory::SymptomDaily`], days.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Clearing {
    /// Evaluable days without, to clear.
    pub clear_days: i32,
    /// A raised level outlives missing inputs for so long.
    pub hold_missing_days: i32,
}

/// Numbers of [`Memory::Symptom`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct LastAnswers {
    /// Check-in days looked at.
    pub checkin_days: usize,
    /// Without an answer for so long, nothing is known, days.
    pub stale_days: i32,
}

/// Numbers of [`Memory::Latched`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Latch {
    /// Days since the last tick, where answers may clear.
    pub clear_days: i32,
    /// Answers without the tick that are needed then.
    pub clear_min_answers: usize,
    /// Without an answer for so long, nothing is known, days.
    pub stale_days: i32,
}

/// The numbers of all kinds of memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Memories {
    /// Form flags.
    pub form: Votes,
    /// Drift flags.
    pub drift: Votes,
    /// Event flags.
    pub event: Hold,
    /// Daily flags.
    pub daily: Clearing,
    /// Symptom flags.
    pub symptom: LastAnswers,
    /// Daily symptom flags.
    pub symptom_daily: Clearing,
    /// Latched flags.
    pub latched: Latch,
}

impl Memories {
    /// The votes of a form or drift flag; `None` for the other kinds.
    #[must_use]
    pub fn votes(&self, memory: Memory) -> Option<&Votes> {
        match memory {
            Memory::Form => Some(&self.form),
            Memory::Drift => Some(&self.drift),
            _ => None,
        }
    }
}

/// The runner's own reference: how it is learned and compared with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct OwnReference {
    /// Strides of a window.
    pub window_strides: u32,
    /// Level, steady windows of a run that counts.
    pub min_windows: u32,
    /// A window is level up to this grade, %.
    pub max_abs_grade_pct: f64,
    /// A window is steady up to this variation of speed, %.
    pub max_window_speed_cv_pct: f64,
    /// Left out at the start, minutes.
    pub skip_first_minutes: f64,
    /// Runs from which a chart may draw a trend.
    pub trend_only_runs: usize,
    /// Runs from which it is compared with.
    pub min_runs: usize,
    /// Runs at which it is frozen.
    pub full_runs: usize,
    /// A run with this back score or more does not join.
    pub exclude_back_score_ge: f64,
    /// A slope over speed is fitted from this span, m/s.
    pub fit_speed_span_ms: f64,
    /// Evaluated outside the seen speeds by at most this with a slope, m/s.
    pub speed_slack_fitted_ms: f64,
    /// And without one, m/s.
    pub speed_slack_flat_ms: f64,
    /// Pairs of runs count for the slope from this difference of speed, m/s.
    pub min_pair_speed_gap_ms: f64,
    /// Median absolute deviation to standard deviation, for normal noise.
    pub mad_factor: f64,
    /// Own spreads that a change must exceed.
    pub scale_factor: f64,
    /// Rolling median drawn beside it, days.
    pub rolling_display_days: u32,
}
