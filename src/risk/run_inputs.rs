//! The inputs of one run: changes against the runner's own usual, markers of a late change of form.

use super::diary::Diary;
use super::history::Session;
use super::rules::{Input, Rules};
use super::thresholds::Values;
use super::usual::{Compared, NotCompared, Point, Usual};
use std::collections::{BTreeMap, BTreeSet};

/// Markers that must be measured before their number means something.
const FEWEST_MARKERS: usize = 3;

/// A run as the form flags see it.
#[derive(Clone, Debug)]
pub(super) struct RunRecord<'r> {
    pub(super) session: &'r Session,
    pub(super) values: Values<'r>,
    pub(super) spreads: Values<'r>,
    /// Per input, each channel that was compared.
    pub(super) compared: BTreeMap<&'r str, Vec<Compared>>,
    /// Per input, why nothing was compared.
    pub(super) not_compared: BTreeMap<&'r str, NotCompared>,
    /// Markers met.
    pub(super) markers: Vec<&'r str>,
}

/// The references of all channels.
pub(super) type Usuals = BTreeMap<String, Usual>;

/// The channels of an input and the run's values in them.
fn channels(input: &Input, run: &Session) -> Vec<(String, Option<f64>)> {
    let own = ["speed_ms", "level_windows", "surface_km"];
    let names = input.from.iter().filter(|n| !own.contains(&n.as_str()));
    let Some(change) = &input.change else { return Vec::new() };
    let pairs: Vec<(String, Option<f64>)> = if change.left_minus_right {
        let values: Vec<Option<f64>> = names.map(|n| run.metrics.get(n).copied()).collect();
        let value = match values[..] {
            [Some(left), Some(right)] => Some(left - right),
            _ => None,
        };
        vec![("drop_diff".to_owned(), value)]
    } else {
        names.map(|n| (n.clone(), run.metrics.get(n).copied())).collect()
    };
    if !change.per_surface {
        return pairs;
    }
    let ground = run.surface_km.map_or("unknown", |s| s.main());
    pairs
        .into_iter()
        .map(|(key, value)| (format!("{key}@{ground}"), value))
        .collect()
}

/// Compares a run with the references and lets it join them. `place` is its number among all runs.
pub(super) fn record<'r>(
    rules: &'r Rules,
    diary: &Diary,
    run: &'r Session,
    place: usize,
    usuals: &mut Usuals,
) -> RunRecord<'r> {
    let rule = &rules.reference;
    let mut record = RunRecord {
        session: run,
        values: Values::new(),
        spreads: Values::new(),
        compared: BTreeMap::new(),
        not_compared: BTreeMap::new(),
        markers: Vec::new(),
    };
    let sore = run.back_score().is_some_and(|x| x >= rule.exclude_back_score_ge);
    let windows = run.level_windows.unwrap_or(0);
    let mut joins: Vec<(String, Point)> = Vec::new();
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for input in &rules.inputs {
        let Some(change) = &input.change else { continue };
        let mut compared = Vec::new();
        for (key, value) in channels(input, run) {
            let usual = usuals.entry(key.clone()).or_default();
            let outcome = match (value, run.speed_ms) {
                (None, _) => Err(NotCompared::NotMeasured),
                (_, None) => Err(NotCompared::NoSpeed),
                _ if windows < rule.min_windows => Err(NotCompared::FewWindows {
                    windows,
                    needed: rule.min_windows,
                }),
                (Some(value), Some(speed_ms)) => {
                    if seen.insert(key.clone()) && !sore && !usual.full(rule) {
                        joins.push((
                            key.clone(),
                            Point {
                                speed_ms,
                                value,
                                run: place,
                            },
                        ));
                    }
                    usual.compare(&key, (speed_ms, value), change.by, rule)
                }
            };
            match outcome {
                Ok(one) => compared.push(one),
                Err(why) => {
                    // The reason of the channel that came nearest to being compared says most.
                    let kept = record.not_compared.entry(&input.name).or_insert(why);
                    if *kept == NotCompared::NotMeasured {
                        *kept = why;
                    }
                }
            }
        }
        let largest = compared.iter().map(|c| c.change).reduce(f64::max);
        let spread = compared.iter().map(|c| c.spread).reduce(f64::max);
        if let (Some(largest), Some(spread)) = (largest, spread) {
            let value = if change.size_only { largest.abs() } else { largest };
            record.values.insert(&input.name, value);
            record.spreads.insert(&input.name, spread);
            record.not_compared.remove(input.name.as_str());
        }
        record.compared.insert(&input.name, compared);
    }
    for (key, point) in joins {
        usuals.entry(key).or_default().points.push(point);
    }
    late_change(rules, run, &mut record);
    for (name, value) in [
        ("run_effort", run.effort),
        ("run_back_worst", run.back_worst),
        ("back_7d_max", super::day_inputs::back_7d_max(diary, run.day)),
        ("one_sided_pain_7d", super::day_inputs::one_sided_7d(diary, run.day)),
    ] {
        if let Some(value) = value {
            record.values.insert(name, value);
        }
    }
    record
}

fn late_change<'r>(rules: &'r Rules, run: &Session, record: &mut RunRecord<'r>) {
    let mut measured = 0;
    for marker in &rules.markers {
        let Some(&change) = run.drift.get(&marker.name) else {
            continue;
        };
        measured += 1;
        let change = if marker.size_only { change.abs() } else { change };
        if marker.op.holds(change, marker.value, rules.epsilon) {
            record.markers.push(&marker.name);
        }
    }
    if measured >= FEWEST_MARKERS {
        record.values.insert("drift_markers", record.markers.len() as f64);
    }
}
