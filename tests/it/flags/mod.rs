//! The lower-back flags: equal to the reference program day by day, tested by hand-made cases where that is not at hand.
//!
//! `LOPE_FLAG_HISTORIES=1000` compares that many random histories (60 otherwise), `LOPE_FLAG_SEED` repeats a seed. Without a
//! seed each run takes another one and says it.

mod cases;
#[cfg(feature = "cli")]
mod command;
mod equality;
mod refusals;
mod rows;
mod spreads;
mod words;

use lope::interchange::flag_history::{self, HistoryFile};
use lope::interchange::flag_rules;
use lope::risk::Rules;
use serde_json::{Value, json};

/// The built-in rules.
fn rules() -> Rules {
    flag_rules::built_in()
}

/// A file with one history of these days and parts.
fn document(days: i32, parts: &Value) -> Value {
    let mut history = json!({ "id": "t", "days": days, "profile": {}, "sessions": [], "checkins": [] });
    for (key, value) in parts.as_object().expect("an object") {
        history[key] = value.clone();
    }
    json!({ "format": "lope-flags-history/1", "histories": [history] })
}

fn read(document: &Value, rules: &Rules) -> HistoryFile {
    flag_history::parse(document.to_string().as_bytes(), rules)
        .unwrap_or_else(|problems| panic!("{}", problems.iter().map(|p| format!("{p}\n")).collect::<String>()))
}
