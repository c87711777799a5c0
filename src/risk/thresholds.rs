//! Whether the conditions of a level hold, and where a threshold lies for this runner.
//!
//! A number of the rule file is widened by the runner's own spread: a note needs a change beyond twice the spread, and the
//! higher levels move up together with it, so that a variable runner needs a larger change at every level and the order of
//! levels stays.

use super::rules::{Flag, Rules};
use super::vocabulary::{Condition, Level};
use std::collections::BTreeMap;

/// Values of inputs by name. What is not in it is not known.
pub type Values<'r> = BTreeMap<&'r str, f64>;

/// Whether the full threshold counts or the smaller one below which a raised level clears.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Reach {
    /// To raise.
    Full,
    /// To clear: this share of it.
    Share(f64),
}

/// The number a change is compared with, in the input's unit.
pub(super) fn effective(rules: &Rules, condition: &Condition, level: Level, spreads: &Values, reach: Reach) -> f64 {
    let table = condition.value;
    let Some(spread) = spreads.get(condition.input.as_str()) else {
        return table;
    };
    let floor = rules.reference.scale_factor * spread;
    let anchor = rules.input(&condition.input).and_then(|i| i.change).map(|c| c.anchor);
    let size = match (level, anchor) {
        (Level::Info, _) => table.abs().max(floor),
        (_, Some(anchor)) => table.abs() * (floor / anchor).max(1.0),
        (_, None) => table.abs(),
    };
    let signed = if table > 0.0 { size } else { -size };
    match reach {
        Reach::Full => signed,
        Reach::Share(share) => signed * share,
    }
}

/// Whether the level's conditions hold: any of its lists, all conditions of that list. What is not known does not hold.
pub(super) fn level_holds(
    rules: &Rules,
    flag: &Flag,
    level: Level,
    values: &Values,
    spreads: &Values,
    reach: Reach,
) -> bool {
    flag.conditions(level).iter().any(|all| {
        all.iter().all(|c| {
            values.get(c.input.as_str()).is_some_and(|x| {
                c.op.holds(*x, effective(rules, c, level, spreads, reach), rules.epsilon)
            })
        })
    })
}

/// The highest level whose conditions hold, before memory and cap.
pub(super) fn instant(rules: &Rules, flag: &Flag, values: &Values) -> Level {
    let none = Values::new();
    let holds = |level: &Level| level_holds(rules, flag, *level, values, &none, Reach::Full);
    Level::RAISED.into_iter().rev().find(holds).unwrap_or(Level::None)
}

/// Whether the flag can be evaluated with these values.
pub(super) fn evaluable(flag: &Flag, values: &Values) -> bool {
    flag.needs
        .iter()
        .any(|all| all.iter().all(|name| values.contains_key(name.as_str())))
}
