//! What else could explain that a flag is raised: looked up in the history where it can be, said as a possibility where not.
//!
//! A change of form after new shoes is first of all a change of shoes. None of this moves a level; it stands beside it.

use super::engine::{Basis, Engine};
use super::gear_inputs::pair;
use super::rules::Flag;
use super::vocabulary::Memory;
use std::collections::BTreeSet;

/// A reference older than this is worth a word, days.
const OLD_REFERENCE_DAYS: i32 = 84;
/// Runs harder by this are worth a word, points of effort.
const HARDER: f64 = 2.0;

/// The list, the concrete ones first.
pub(super) fn other_reasons(engine: &Engine, flag: &Flag, basis: Option<&Basis>, voting: &[usize]) -> Vec<String> {
    let mut reasons = Vec::new();
    if flag.memory == Memory::Form {
        against_reference(engine, flag, basis, voting, &mut reasons);
    }
    let general: &[&str] = match (flag.memory, flag.family.as_str()) {
        (Memory::Form | Memory::Drift, _) => &[
            "the sensor sits differently, or is another one; start the references anew after that",
            "wind, heat or a course with many turns: only level, steady windows count, the rest is not corrected for",
        ],
        (_, "LD") => &["a session that was logged twice, with a wrong distance, or not at all"],
        (_, "IG") => &["entries about shoes or ground that are missing, old or tagged by mistake"],
        (_, "CP") => &["a test done in another way than before, or easy minutes and core work that were not logged"],
        _ => &["nothing is computed about a cause: this is what was typed in"],
    };
    reasons.extend(general.iter().map(|s| (*s).to_owned()));
    if flag.evidence.contested {
        reasons.push(format!("studies disagree: {}", flag.evidence.note));
    }
    reasons
}

fn against_reference(engine: &Engine, flag: &Flag, basis: Option<&Basis>, voting: &[usize], reasons: &mut Vec<String>) {
    let Some(run) = basis.and_then(|b| b.run).and_then(|i| engine.runs.get(i)) else {
        return;
    };
    let channels = flag
        .needs
        .iter()
        .flatten()
        .filter_map(|n| run.compared.get(n.as_str()))
        .flatten();
    let points = channels
        .filter_map(|c| engine.usuals.get(&c.channel))
        .flat_map(|u| &u.points);
    let learned: BTreeSet<usize> = points.map(|p| p.run).collect();
    if learned.is_empty() {
        return;
    }
    let session = |i: &usize| engine.runs.get(*i).map(|r| r.session);
    let shoes = |runs: &mut dyn Iterator<Item = &usize>| -> BTreeSet<String> {
        runs.filter_map(|i| pair(session(i)?)).map(str::to_owned).collect()
    };
    let grounds = |runs: &mut dyn Iterator<Item = &usize>| -> BTreeSet<String> {
        let known = runs.filter_map(|i| Some(session(i)?.surface_km?.main()));
        known.filter(|g| *g != "unknown").map(str::to_owned).collect()
    };
    let (then, now) = (shoes(&mut learned.iter()), shoes(&mut voting.iter()));
    match (then.is_empty(), now.is_empty()) {
        (false, false) => {
            for new in now.difference(&then) {
                reasons.push(format!("other shoes: {new} was not worn in the reference runs"));
            }
        }
        _ => reasons.push("other shoes: not all runs name their pair".to_owned()),
    }
    let (then, now) = (grounds(&mut learned.iter()), grounds(&mut voting.iter()));
    for new in now.difference(&then) {
        reasons.push(format!(
            "other ground: {new} was not the main ground of a reference run"
        ));
    }
    let effort = |runs: &mut dyn Iterator<Item = &usize>| {
        let known: Vec<f64> = runs.filter_map(|i| session(i)?.effort).collect();
        (!known.is_empty()).then(|| super::diary::mean(&known))
    };
    if let (Some(then), Some(now)) = (effort(&mut learned.iter()), effort(&mut voting.iter()))
        && now >= then + HARDER
    {
        reasons.push(format!(
            "harder runs: effort {now:.1} of 10, {then:.1} in the reference"
        ));
    }
    let last = learned.iter().filter_map(session).map(|s| s.day).max();
    if let (Some(last), Some(basis)) = (last, basis)
        && basis.day - last >= OLD_REFERENCE_DAYS
    {
        reasons.push(format!(
            "an old reference: its last run is {} days back",
            basis.day - last
        ));
    }
}
