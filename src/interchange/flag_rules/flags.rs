//! One flag of the rule file.

use super::fields::Fields;
use super::parts::{levels, ops};
use crate::risk::rules::{Evidence, Flag, Strength, StudiedOutcome};
use crate::risk::vocabulary::{AnyOf, Condition, Level, Memory, Op};

pub(super) fn flag(mut f: Fields) -> Flag {
    let id = f.text("id");
    if !id.is_empty() {
        f.place = format!("flag {id}");
    }
    let caps: Vec<(&str, Level)> = levels()
        .into_iter()
        .filter_map(|(name, level)| Some((name, level?)))
        .collect();
    let message_when = if f.has("message_when") {
        f.table("message_when").map(|t| t.named_texts()).unwrap_or_default()
    } else {
        Vec::new()
    };
    let read = Flag {
        slug: f.text("slug"),
        family: f.text("family"),
        memory: f
            .choice("persistence", &Memory::ALL.map(|m| (m.name(), m)))
            .unwrap_or(Memory::Fact),
        needs: f.lists("needs"),
        cap: f.choice("cap", &caps).unwrap_or(Level::None),
        counts: f.yes("counts"),
        causes: f.texts("causes"),
        signs: f.texts_if_any("signs"),
        actions: f.texts("actions"),
        evidence: evidence(f.table("evidence")),
        cites: f.texts("cites"),
        message: f.text("message"),
        message_info: f.text_if_any("message_info"),
        message_when,
        high_line: f.text_if_any("high_line"),
        pt_detail: f.text("pt_detail"),
        clear_by_answers: f.yes_if_any("clear_by_answers"),
        levels: conditions(f.table("levels")),
        id,
    };
    f.finish();
    read
}

fn evidence(fields: Option<Fields>) -> Evidence {
    let mut read = Evidence {
        strength: Strength::C,
        outcome: StudiedOutcome::Mechanism,
        contested: false,
        convention: false,
        indirect: false,
        note: String::new(),
    };
    let Some(f) = fields else { return read };
    let grades = [Strength::A, Strength::B, Strength::C].map(|s| (s.letter(), s));
    read.strength = f.choice("strength", &grades).unwrap_or(Strength::C);
    let outcomes = StudiedOutcome::ALL.map(|o| (o.code(), o));
    read.outcome = f.choice("outcome", &outcomes).unwrap_or(StudiedOutcome::Mechanism);
    read.contested = f.yes("contested");
    read.convention = f.yes_if_any("convention");
    read.indirect = f.yes_if_any("indirect");
    read.note = f.text("note");
    f.finish();
    read
}

fn conditions(fields: Option<Fields>) -> [AnyOf; 4] {
    let Some(f) = fields else { return Default::default() };
    let read = ["info", "watch", "high", "stop"].map(|level| -> AnyOf {
        let lists = f.table_lists(level);
        lists
            .into_iter()
            .map(|all| all.into_iter().map(condition).collect())
            .collect()
    });
    f.finish();
    read
}

fn condition(f: Fields) -> Condition {
    let read = Condition {
        input: f.text("x"),
        op: f.choice("op", &ops()).unwrap_or(Op::AtLeast),
        value: f.number("v"),
    };
    f.finish();
    read
}
