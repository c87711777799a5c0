//! Rows of the record as points: which measurement, which tags, which fields.
//!
//! | measurement | tags | fields |
//! |---|---|---|
//! | `gait_stride` | athlete, seen_from, side | session, analysis, idx, quality, activity, one a metric |
//! | `gait_window` | athlete | session, analysis, cadence, activity |
//! | `gait_session` (at its start) | athlete | session, analysis, duration_s, strides, `<metric>_median` of both sides |
//! | `sensor_health` (at the begin of ten seconds) | athlete, placement | session, analysis, samples, filled, missing, clipped, loss_pct, battery, links_lost, reboots, clock_ppm, clock_scatter_us |
//! | `gait_flag` (at 00:00 UTC of the day on which it changed) | athlete, rule | level, state, rules_version |
//!
//! Tags make series, and a server keeps every series in memory: they are few and never change. So session, analysis and
//! activity are fields, although one would like to filter by them. A name keeps its type for ever. Values are in SI
//! units, as in the record; names are those of the registry. Notes, markers and raw samples are not sent.

use super::super::outbox::{Content, Erasure, Measurement, OutRow};
use super::super::summary::SideScope;
use super::line::{Name, Point, Tag};
use crate::metrics::METRICS;
use crate::model::{Activity, DataClass, SegmentKind, Side};
use std::sync::LazyLock;

/// Strides.
pub const STRIDE: Name = Name::of("gait_stride");
/// Seconds.
pub const WINDOW: Name = Name::of("gait_window");
/// Sessions.
pub const SESSION: Name = Name::of("gait_session");
/// How sensors did.
pub const HEALTH: Name = Name::of("sensor_health");
/// Flags.
pub const FLAG: Name = Name::of("gait_flag");

const ATHLETE: Name = Name::of("athlete");
const SEEN_FROM: Name = Name::of("seen_from");
const SIDE: Name = Name::of("side");
const SESSION_ID: Name = Name::of("session");
const ANALYSIS: Name = Name::of("analysis");
const INDEX: Name = Name::of("idx");
const QUALITY: Name = Name::of("quality");
const ACTIVITY: Name = Name::of("activity");
const SPECTRAL_CADENCE: Name = Name::of("spectral_cadence");
const DURATION: Name = Name::of("duration_s");
const STRIDES: Name = Name::of("strides");
const PLACEMENT: Name = Name::of("placement");
const SAMPLES: Name = Name::of("samples");
const FILLED: Name = Name::of("filled");
const MISSING: Name = Name::of("missing");
const CLIPPED: Name = Name::of("clipped");
const LOSS: Name = Name::of("loss_pct");
const BATTERY: Name = Name::of("battery");
const LINKS_LOST: Name = Name::of("links_lost");
const REBOOTS: Name = Name::of("reboots");
const CLOCK_PPM: Name = Name::of("clock_ppm");
const CLOCK_SCATTER: Name = Name::of("clock_scatter_us");
const RULE: Name = Name::of("rule");
const LEVEL: Name = Name::of("level");
const STATE: Name = Name::of("state");
const RULES_VERSION: Name = Name::of("rules_version");

/// Field of each metric and of its median, in registry order.
static METRIC_FIELDS: LazyLock<Vec<(Name, Name)>> = LazyLock::new(|| {
    METRICS
        .iter()
        .map(|def| {
            // Once a program, and only as many as there are metrics.
            let median: &'static str = Box::leak(format!("{}_median", def.name).into_boxed_str());
            (Name::of(def.name), Name::of(median))
        })
        .collect()
});

/// The measurement of a kind of row.
#[must_use]
pub fn measurement(kind: Measurement) -> Name {
    match kind {
        Measurement::Stride => STRIDE,
        Measurement::Window => WINDOW,
        Measurement::Session => SESSION,
        Measurement::Health => HEALTH,
        Measurement::Flag => FLAG,
    }
}

/// Tag of a side.
#[must_use]
pub fn side_tag(side: Option<Side>) -> &'static str {
    side.map_or("unknown", Side::name)
}

/// Tag of the segment a stride was seen from.
#[must_use]
pub fn seen_from_tag(segment: SegmentKind) -> &'static str {
    match segment {
        SegmentKind::Foot => "foot",
        SegmentKind::Shank => "shank",
        SegmentKind::Sacrum => "sacrum",
    }
}

fn activity(activity: Activity) -> &'static str {
    match activity {
        Activity::Still => "still",
        Activity::Walking => "walking",
        Activity::Running => "running",
    }
}

/// Quality as a number: 3 good, 2 fair, 1 poor, 0 none.
fn quality(class: DataClass) -> i64 {
    match class {
        DataClass::A => 3,
        DataClass::B => 2,
        DataClass::C => 1,
        DataClass::D => 0,
    }
}

/// A state as a number that can be drawn: −1 not enough data, 0 nothing, 1 info, 2 watch, 3 high, 4 stop.
fn level(state: &str) -> i64 {
    match state {
        "none" => 0,
        "info" => 1,
        "watch" => 2,
        "high" => 3,
        "stop" => 4,
        _ => -1,
    }
}

fn constant_tag(text: &'static str) -> Tag {
    Tag::parse(text).expect("constants are plain words")
}

/// Appends the point of a row to `out`; `false` when it is none (an instant outside 1970 to 2100).
#[must_use]
pub fn write(row: &OutRow, out: &mut String) -> bool {
    let athlete = Tag::from(&row.athlete);
    let begin = |out, m| Point::begin(out, m).tag(ATHLETE, &athlete);
    let common = |p: &mut Point<'_>| {
        if let Some(session) = &row.session {
            p.text(SESSION_ID, session.as_str());
        }
        p.integer(ANALYSIS, i64::from(row.analysis));
    };
    let point = match &row.content {
        Content::Stride(record) => {
            let mut p = begin(out, STRIDE)
                .tag(SEEN_FROM, &constant_tag(seen_from_tag(record.stride.seen_from)))
                .tag(SIDE, &constant_tag(side_tag(record.stride.side)));
            common(&mut p);
            p.integer(INDEX, i64::from(record.index));
            p.integer(QUALITY, quality(record.class));
            p.text(ACTIVITY, activity(record.stride.activity));
            for ((_, value), (name, _)) in record.metrics.iter().zip(METRIC_FIELDS.iter()) {
                p.float(*name, value.ok());
            }
            p
        }
        Content::Window(window) => {
            let mut p = begin(out, WINDOW);
            common(&mut p);
            p.float(SPECTRAL_CADENCE, window.spectral_cadence);
            p.text(ACTIVITY, activity(window.activity));
            p
        }
        Content::Session(session, summary) => {
            let mut p = begin(out, SESSION);
            common(&mut p);
            p.float(DURATION, session.stop.map(|t| t.secs()));
            p.integer(
                STRIDES,
                session.strides.map_or(0, |n| i64::try_from(n).unwrap_or(i64::MAX)),
            );
            for s in summary.iter().filter(|s| s.side == SideScope::Both) {
                p.float(METRIC_FIELDS[s.metric.index()].1, Some(s.median));
            }
            p
        }
        Content::Health(row) => {
            let mut p = begin(out, HEALTH).tag(PLACEMENT, &constant_tag(row.placement.name()));
            common(&mut p);
            let counts = [
                (SAMPLES, Some(row.samples)),
                (FILLED, Some(row.filled)),
                (MISSING, Some(row.missing)),
                (CLIPPED, Some(row.clipped)),
                (BATTERY, row.link.battery_pct.map(u32::from)),
                (LINKS_LOST, row.link.links_lost),
                (REBOOTS, row.link.reboots),
            ];
            for (name, n) in counts {
                if let Some(n) = n {
                    p.integer(name, i64::from(n));
                }
            }
            p.float(LOSS, row.loss_pct());
            p.float(CLOCK_PPM, row.link.clock_ppm);
            p.float(CLOCK_SCATTER, row.link.clock_scatter_us);
            p
        }
        Content::Flag(change) => {
            // Rules name their flags in capitals and digits; a name that is no tag makes no point.
            let Some(rule) = Tag::parse(&change.flag) else {
                return false;
            };
            let mut p = begin(out, FLAG).tag(RULE, &rule);
            p.integer(LEVEL, level(&change.state));
            p.text(STATE, &change.state);
            p.text(RULES_VERSION, &change.rules_version);
            p
        }
    };
    point.end(row.at_us.div_euclid(1000))
}

/// A deletion in words: for people, and as the line that is kept when a server refuses it.
#[must_use]
pub fn describe(erasure: &Erasure) -> String {
    format!(
        "delete {} athlete={} [{}, {}) us",
        measurement(erasure.measurement).as_str(),
        erasure.athlete,
        erasure.from_us,
        erasure.to_us
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::registry::METRIC_COUNT;

    #[test]
    fn every_metric_makes_two_names_and_none_is_taken_twice() {
        let mut names: Vec<&str> = METRIC_FIELDS
            .iter()
            .flat_map(|(a, b)| [a.as_str(), b.as_str()])
            .collect();
        names.extend(
            [
                SESSION_ID,
                ANALYSIS,
                INDEX,
                QUALITY,
                ACTIVITY,
                DURATION,
                STRIDES,
                ATHLETE,
                SEEN_FROM,
                SIDE,
                PLACEMENT,
                SAMPLES,
                FILLED,
                MISSING,
                CLIPPED,
                LOSS,
                BATTERY,
                LINKS_LOST,
                REBOOTS,
                CLOCK_PPM,
                CLOCK_SCATTER,
                RULE,
                LEVEL,
                STATE,
                RULES_VERSION,
            ]
            .map(Name::as_str),
        );
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
        assert_eq!(METRIC_FIELDS.len(), METRIC_COUNT);
    }
}
