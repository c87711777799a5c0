//! The tables of the rule file other than the flags.

use super::fields::Fields;
use crate::risk::check::Place;
use crate::risk::rules::{
    Action, ChangeIn, ChangeRule, Cite, Input, Marker, Named, Per, Question, Raw, Rules, Source, Tick, Urgency, Wording,
};
use crate::risk::summary_rules::{Summary, SummaryLine, SummaryNumbers, SummaryTest, SummaryVector};
use crate::risk::vocabulary::{Clearing, Hold, LastAnswers, Latch, Level, Memories, Memory, Op, OwnReference, Votes};
use std::collections::BTreeMap;

/// The only layout of rule files that is known.
const SCHEMA: u32 = 2;
/// Its word for a state without enough data.
const UNKNOWN: &str = "not_enough_data";

/// Where things of the file begin, bytes.
pub(super) type Places = BTreeMap<Place, usize>;

pub(super) fn levels() -> Vec<(&'static str, Option<Level>)> {
    let levels = Level::ALL.iter().map(|l| (l.name(), Some(*l)));
    levels.chain([(UNKNOWN, None)]).collect()
}

pub(super) fn ops() -> Vec<(&'static str, Op)> {
    Op::ALL.iter().map(|o| (o.sign(), *o)).collect()
}

/// Reads the whole file. What could not be read holds something empty, and a problem says so.
pub(super) fn rules(top: Fields, places: &mut Places) -> Rules {
    if top.count::<u32>("schema") != SCHEMA {
        top.refuse("schema", "2");
    }
    if top.texts("levels") != Level::ALL.map(Level::name) {
        top.refuse("levels", "none, info, watch, high, stop");
    }
    if top.text("unknown_level") != UNKNOWN {
        top.refuse("unknown_level", UNKNOWN);
    }
    let mut each = |key: &'static str| -> Vec<(String, Fields)> {
        let named = top.table(key).map(|t| t.named()).unwrap_or_default();
        for (name, fields) in &named {
            places.insert(Place::of(key, name), fields.at);
        }
        named
    };
    let causes = each("cause").into_iter().map(|(id, f)| cause(id, f)).collect();
    let signs = each("sign").into_iter().map(|(id, f)| cause(id, f)).collect();
    let actions = each("action").into_iter().map(|(id, f)| action(id, f)).collect();
    let questions = each("question").into_iter().map(|(id, f)| question(id, f)).collect();
    let ticks = each("tick").into_iter().map(|(id, f)| tick(id, f)).collect();
    let raws = each("raw").into_iter().map(|(id, f)| raw(id, f)).collect();
    let inputs = each("input").into_iter().map(|(id, f)| input(id, f)).collect();
    let markers = each("drift_marker").into_iter().map(|(id, f)| marker(id, f)).collect();
    let cites = each("cite").into_iter().map(|(id, f)| cite(id, f)).collect();
    let mut flags = Vec::new();
    for fields in top.tables("flag") {
        let at = fields.at;
        let flag = super::flags::flag(fields);
        places.insert(Place::Flag(flag.id.clone()), at);
        flags.push(flag);
    }
    let rules = Rules {
        version: top.text("version"),
        label: top.text("ui_label"),
        subtitle: top.text("ui_subtitle"),
        purpose: top.text("intended_purpose"),
        footer: top.text("footer"),
        first_time_line: top.text("first_time_line"),
        epsilon: top.size("epsilon"),
        reference: reference(top.table("baseline"), places),
        memories: memories(&top, places),
        summary: summary(top.table("summary"), places),
        wording: wording(top.table("wording")),
        causes,
        signs,
        actions,
        questions,
        ticks,
        raws,
        inputs,
        markers,
        flags,
        cites,
    };
    top.finish();
    rules
}

fn reference(fields: Option<Fields>, places: &mut Places) -> OwnReference {
    let Some(f) = fields else {
        return OwnReference::default();
    };
    places.insert(Place::Baseline, f.at);
    let read = OwnReference {
        window_strides: f.count("window_strides"),
        min_windows: f.count("min_windows"),
        max_abs_grade_pct: f.size("max_abs_grade_pct"),
        max_window_speed_cv_pct: f.size("max_window_speed_cv_pct"),
        skip_first_minutes: f.size("skip_first_minutes"),
        trend_only_runs: f.count::<u32>("trend_only_runs") as usize,
        min_runs: f.count::<u32>("min_runs") as usize,
        full_runs: f.count::<u32>("full_runs") as usize,
        exclude_back_score_ge: f.size("exclude_back_score_ge"),
        fit_speed_span_ms: f.size("fit_speed_span_ms"),
        speed_slack_fitted_ms: f.size("speed_slack_fitted_ms"),
        speed_slack_flat_ms: f.size("speed_slack_flat_ms"),
        min_pair_speed_gap_ms: f.size("min_pair_speed_gap_ms"),
        mad_factor: f.size("mad_factor"),
        scale_factor: f.size("scale_factor"),
        rolling_display_days: f.count("rolling_display_days"),
    };
    f.finish();
    read
}

fn days(f: &Fields, key: &'static str) -> i32 {
    i32::try_from(f.count::<u32>(key)).unwrap_or(i32::MAX)
}

fn memories(top: &Fields, places: &mut Places) -> Memories {
    let mut all = Memories::default();
    let Some(table) = top.table("persistence") else {
        return all;
    };
    for memory in Memory::ALL {
        let Some(f) = table.table(memory.name()) else { continue };
        places.insert(Place::Memory(memory.name().to_owned()), f.at);
        match memory {
            Memory::Form => all.form = votes(&f),
            Memory::Drift => all.drift = votes(&f),
            Memory::Event => {
                all.event = Hold {
                    hold_days: days(&f, "hold_days"),
                    stale_days: days(&f, "stale_days"),
                }
            }
            Memory::Daily => all.daily = clearing(&f),
            Memory::SymptomDaily => all.symptom_daily = clearing(&f),
            Memory::Symptom => {
                all.symptom = LastAnswers {
                    checkin_days: f.count::<u32>("checkin_days") as usize,
                    stale_days: days(&f, "stale_days"),
                }
            }
            Memory::Latched => {
                all.latched = Latch {
                    clear_days: days(&f, "clear_days"),
                    clear_min_answers: f.count::<u32>("clear_min_answers") as usize,
                    stale_days: days(&f, "stale_days"),
                }
            }
            Memory::Fact => {}
        }
        f.finish();
    }
    table.finish();
    all
}

fn votes(f: &Fields) -> Votes {
    Votes {
        raise_k: f.count::<u32>("raise_k") as usize,
        raise_n: f.count::<u32>("raise_n") as usize,
        clear_k: f.count::<u32>("clear_k") as usize,
        clear_n: f.count::<u32>("clear_n") as usize,
        clear_factor: f.size("clear_factor"),
        min_dwell_days: days(f, "min_dwell_days"),
        stale_days: days(f, "stale_days"),
    }
}

fn clearing(f: &Fields) -> Clearing {
    Clearing {
        clear_days: days(f, "clear_days"),
        hold_missing_days: days(f, "hold_missing_days"),
    }
}

fn summary(fields: Option<Fields>, places: &mut Places) -> Summary {
    let mut read = Summary::default();
    let Some(f) = fields else { return read };
    places.insert(Place::Summary, f.at);
    read.families = f.texts("families_counted");
    read.numbers = SummaryNumbers {
        min_coverage: f.size("min_coverage"),
        max_checkin_age_days: days(&f, "max_checkin_age_days"),
        long_watch_days: days(&f, "long_watch_days"),
    };
    for line in f.tables("rule") {
        let says = line.choice("level", &levels());
        let sentence = line.text("if");
        let test = SummaryTest::ALL
            .into_iter()
            .find(|t| t.sentence(&read.numbers) == sentence);
        match (says, test) {
            (Some(says), Some(test)) => read.lines.push(SummaryLine { says, test }),
            (_, None) => line.refuse(
                "if",
                "a sentence of the ordered list with its numbers; it is no line of the ordered list",
            ),
            (None, _) => {}
        }
        line.finish();
    }
    if let Some(text) = f.table("text") {
        read.text = text.named_texts();
    }
    for v in f.tables("vector") {
        let states = v.table("flags").map(|t| t.named_texts()).unwrap_or_default();
        let known = levels();
        let mut flags = Vec::new();
        for (id, name) in states {
            match known.iter().find(|l| l.0 == name) {
                Some(level) => flags.push((id, level.1)),
                None => v.refuse("flags", "a level for each flag"),
            }
        }
        let vector = SummaryVector {
            n: v.count("n"),
            flags,
            coverage: v.size("coverage"),
            checkin_age: days(&v, "checkin_age"),
            long: v.texts("long"),
            expect: v.choice("expect", &known).flatten(),
        };
        places.insert(Place::Vector(vector.n), v.at);
        read.vectors.push(vector);
        v.finish();
    }
    f.finish();
    read
}

fn wording(fields: Option<Fields>) -> Wording {
    let Some(f) = fields else { return Wording::default() };
    let read = Wording {
        banned_messages: f.texts("banned_messages"),
        banned_pt: f.texts("banned_pt"),
    };
    f.finish();
    read
}

fn cause(id: String, f: Fields) -> Named {
    let read = Named {
        id,
        articles: f.counts("in"),
        text: f.text("text"),
    };
    f.finish();
    read
}

fn action(id: String, f: Fields) -> Action {
    let offer = if f.yes("offered") {
        Ok(f.text("line"))
    } else {
        Err(f.text("why_not"))
    };
    let read = Action {
        id,
        articles: f.counts("in"),
        text: f.text("text"),
        offer,
    };
    f.finish();
    read
}

fn question(name: String, f: Fields) -> Question {
    let read = Question {
        name,
        when: f.text("when"),
        text: f.text("text"),
        answer: f.text("answer"),
    };
    f.finish();
    read
}

fn tick(name: String, f: Fields) -> Tick {
    let choices = Urgency::ALL.map(|u| (u.name(), u));
    let read = Tick {
        name,
        show: f.choice("show", &choices).unwrap_or(Urgency::None),
        text: f.text("text"),
        note: f.text_if_any("note"),
    };
    f.finish();
    read
}

fn raw(name: String, f: Fields) -> Raw {
    let source = match f.choice("source", &[("sensor", 0), ("entry", 1), ("log", 2), ("profile", 3)]) {
        Some(0) => Source::Sensors(f.lists("sensors")),
        Some(1) => Source::Entry(f.text("question")),
        Some(3) => Source::Profile(f.text("question")),
        _ => Source::Log,
    };
    let read = Raw {
        name,
        unit: f.text("unit"),
        source,
        text: f.text("text"),
    };
    f.finish();
    read
}

fn input(name: String, f: Fields) -> Input {
    let combine = f
        .has("combine")
        .then(|| f.choice("combine", &[("max", 0), ("left_minus_right", 1)]))
        .flatten();
    let by = [("percent", ChangeIn::Percent), ("difference", ChangeIn::Difference)];
    let change = f.has("change").then(|| ChangeRule {
        by: f.choice("change", &by).unwrap_or(ChangeIn::Percent),
        anchor: f.size("anchor"),
        size_only: f.yes_if_any("absolute"),
        left_minus_right: combine == Some(1),
        per_surface: f.yes_if_any("per_surface"),
    });
    let read = Input {
        name,
        unit: f.text("unit"),
        per: f.choice("per", &Per::ALL.map(|p| (p.name(), p))).unwrap_or(Per::Day),
        from: f.texts("from"),
        optional: f.texts_if_any("optional"),
        flags: f.texts_if_any("flags"),
        change,
        text: f.text("text"),
    };
    f.finish();
    read
}

fn marker(name: String, f: Fields) -> Marker {
    let unit = f.text("unit");
    let read = Marker {
        name,
        op: f.choice("op", &ops()).unwrap_or(Op::AtLeast),
        value: f.number("v"),
        size_only: unit.ends_with("size of the change"),
        unit,
        sensors: f.lists("sensors"),
    };
    f.finish();
    read
}

fn cite(key: String, f: Fields) -> Cite {
    let read = Cite {
        key,
        authors: f.text("authors"),
        year: f.has("year").then(|| f.count("year")),
        journal: f.text("journal"),
        doi: f.text_if_any("doi"),
        basis: f.text("basis"),
        finding: f.text("finding"),
    };
    f.finish();
    read
}
