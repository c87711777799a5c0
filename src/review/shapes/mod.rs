//! The answers, field by field, as commands print them and the HTTP interface sends them.
//!
//! Names are part of the interface and are only added to. What is not known is `null`, never 0; days are `2026-03-01`,
//! instants end in `_us` (microseconds UTC since 1970), seconds of a session in `_s`. SI units, unless `unit` says else.

mod card;
mod compare;
mod curves;
mod flags;
mod load;
mod run;
#[cfg(feature = "serve")]
mod schema;
mod session;
mod squad;
mod trend;
mod words;

pub use card::{Card, CardLoad, CardRow, SafetyNow, WithinRow};
pub use compare::{Compare, CompareRow, CompareSide, Curves, PelvisCurve, PlaneCurve, Scatter, SpeedRange};
pub use curves::{CurveMark, FootPathView, PelvisCycle, StanceSpan, StrideCurves};
pub use flags::{
    ActionDone, CiteShown, Computation, ConditionItem, FlagDetail, FlagHistory, FlagItem, FlagsNow, InputItem,
    Learning, ReferenceSpan, ReplayDifference, StateChange, SummaryNow, VoteItem,
};
pub use load::{Load, LoadWeek, LoadZone};
pub use run::RunValues;
pub use session::{Coverage, CoverageSpan, FlagLevel, SensorItem, SessionItem};
pub use squad::{InboxItem, LastRun, RowFlag, ShoeNow, Spark, SquadRow, StripPoint};
pub use trend::{
    GroundStretch, OwnBand, ShoeStretch, SmallestChange, SymptomPoint, Trend, TrendFlag, TrendLoad, TrendPoint,
    TrendValue, Verdict,
};
pub use words::{
    ChangeWord, CoachingWord, DataFrom, DataWord, LevelWord, LoadWord, ReferenceWord, SafetyWord, SharedWord, SpanWord,
    VerdictWord,
};
