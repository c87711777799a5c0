//! Histories of runners as JSON (`lope-flags-history/1`), read and refused: everything that is wrong with a file at once,
//! each with its path in the file, what stands there, and what was expected.
//!
//! Unknown keys, ticks, run values and markers are errors: a misspelt safety tick that is passed over in silence would be a
//! tick that nobody acts on. `expected`, what an earlier evaluation said, is passed over; it is computed anew.

use super::near_miss::near_miss;
use crate::risk::history::{
    BodyTest, CheckIn, History, MOST_DAYS, Profile, Session, SessionKind, ShoeEntry, SurfaceKm,
};
use crate::risk::{Evaluation, Rules, state_name};
use serde_json::{Map, Value, json};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::Write;

/// Name of the format.
pub const FORMAT: &str = "lope-flags-history/1";

/// A file of histories.
#[derive(Clone, Debug)]
pub struct HistoryFile {
    /// The histories.
    pub histories: Vec<History>,
    document: Value,
}

/// Something wrong in a file of histories.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryProblem {
    /// Path in the file, `histories[0].sessions[3].effort`; line and column where the file is no JSON.
    pub path: String,
    /// What stands there.
    pub found: String,
    /// What was expected.
    pub expected: String,
}

impl fmt::Display for HistoryProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: found {}, expected {}", self.path, self.found, self.expected)
    }
}

/// Longest value quoted in a problem, characters.
const QUOTED: usize = 60;

fn shown(value: &Value) -> String {
    let text = match value {
        Value::Object(_) => "an object".to_owned(),
        Value::Array(a) => format!("a list of {}", a.len()),
        other => other.to_string(),
    };
    match text.char_indices().nth(QUOTED) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

/// A number between two limits, in words and as a range.
#[derive(Clone, Copy)]
struct Range(f64, f64);

const SCORE: Range = Range(0.0, 10.0);
const SIZE: Range = Range(0.0, 1e6);
const ANY: Range = Range(-1e6, 1e6);

impl Range {
    fn words(self) -> String {
        format!("a number from {} to {}", self.0, self.1)
    }
}

/// An object being read.
struct Object<'a> {
    path: String,
    map: &'a Map<String, Value>,
    asked: RefCell<Vec<&'static str>>,
    problems: &'a RefCell<Vec<HistoryProblem>>,
}

impl<'a> Object<'a> {
    fn new(path: &str, value: &'a Value, problems: &'a RefCell<Vec<HistoryProblem>>) -> Option<Self> {
        match value {
            Value::Object(map) => Some(Self {
                path: path.to_owned(),
                map,
                asked: RefCell::new(Vec::new()),
                problems,
            }),
            other => {
                add(problems, path, shown(other), "an object");
                None
            }
        }
    }

    fn at(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    fn refuse(&self, key: &str, expected: &str) {
        let found = self.map.get(key).map_or_else(|| "nothing".to_owned(), shown);
        add(self.problems, &self.at(key), found, expected);
    }

    /// The value of a key; null is as good as nothing.
    fn value(&self, key: &'static str) -> Option<&'a Value> {
        self.asked.borrow_mut().push(key);
        self.map.get(key).filter(|v| !v.is_null())
    }

    fn read<T>(&self, key: &'static str, expected: &str, as_t: impl FnOnce(&'a Value) -> Option<T>) -> Option<T> {
        let read = as_t(self.value(key)?);
        if read.is_none() {
            self.refuse(key, expected);
        }
        read
    }

    fn required<T>(&self, key: &'static str, expected: &str, read: Option<T>) -> Option<T> {
        if read.is_none() && self.map.get(key).is_none_or(Value::is_null) {
            self.refuse(key, expected);
        }
        read
    }

    fn number(&self, key: &'static str, range: Range) -> Option<f64> {
        self.read(key, &range.words(), |v| within(v, range))
    }

    fn whole(&self, key: &'static str, (from, to): (i64, i64)) -> Option<i64> {
        let expected = format!("a whole number from {from} to {to}");
        self.read(key, &expected, |v| v.as_i64().filter(|n| (from..=to).contains(n)))
    }

    fn yes(&self, key: &'static str) -> Option<bool> {
        self.read(key, "true, false, 0 or 1", |v| match v {
            Value::Bool(b) => Some(*b),
            v => match v.as_i64() {
                Some(0) => Some(false),
                Some(1) => Some(true),
                _ => None,
            },
        })
    }

    fn text(&self, key: &'static str) -> Option<String> {
        self.read(key, "a text", |v| v.as_str().map(str::to_owned))
    }

    fn list(&self, key: &'static str) -> &'a [Value] {
        self.read(key, "a list", Value::as_array).map_or(&[], Vec::as_slice)
    }

    fn objects<T>(&self, key: &'static str, one: impl Fn(Object<'a>) -> T) -> Vec<T> {
        let items = self.list(key).iter().enumerate();
        let objects = items.filter_map(|(i, v)| Object::new(&self.at(&format!("{key}[{i}]")), v, self.problems));
        objects.map(one).collect()
    }

    fn day(&self, days: i32) -> i32 {
        let day = self.whole("day", (0, i64::from(days) - 1));
        let expected = format!("a whole number from 0 to {}", days - 1);
        self.required("day", &expected, day).map_or(0, |d| d as i32)
    }

    /// Numbers by name; each name must be a known one.
    fn numbers<'n>(&self, key: &'static str, known: impl Iterator<Item = &'n str>) -> BTreeMap<String, f64> {
        let known: Vec<&str> = known.collect();
        let mut read = BTreeMap::new();
        let Some(Value::Object(map)) = self.value(key) else {
            if self.map.get(key).is_some_and(|v| !v.is_null()) {
                self.refuse(key, "an object of numbers");
            }
            return read;
        };
        for (name, value) in map {
            let path = self.at(&format!("{key}.{name}"));
            if !known.contains(&name.as_str()) {
                add(self.problems, &path, format!("the name `{name}`"), &names(name, &known));
            } else if !value.is_null() {
                match within(value, ANY) {
                    Some(number) => _ = read.insert(name.clone(), number),
                    None => add(self.problems, &path, shown(value), &ANY.words()),
                }
            }
        }
        read
    }

    fn finish(self) {
        let asked = self.asked.borrow();
        for key in self.map.keys().filter(|k| !asked.contains(&k.as_str())) {
            add(
                self.problems,
                &self.at(key),
                format!("the key `{key}`"),
                &names(key, &asked),
            );
        }
    }
}

/// Which names were expected, the likeliest alone where one is near.
fn names(name: &str, known: &[&str]) -> String {
    match near_miss(name, known.iter().copied()) {
        Some(meant) => format!("`{meant}`?"),
        None => format!("one of {}", known.join(", ")),
    }
}

fn add(problems: &RefCell<Vec<HistoryProblem>>, path: &str, found: String, expected: &str) {
    problems.borrow_mut().push(HistoryProblem {
        path: path.to_owned(),
        found,
        expected: expected.to_owned(),
    });
}

fn within(value: &Value, range: Range) -> Option<f64> {
    value.as_f64().filter(|x| (range.0..=range.1).contains(x))
}

/// Reads a file of histories for rules.
///
/// # Errors
/// All problems in the order of the file.
pub fn parse(text: &[u8], rules: &Rules) -> Result<HistoryFile, Vec<HistoryProblem>> {
    let document: Value = serde_json::from_slice(text).map_err(|e| {
        vec![HistoryProblem {
            path: format!("line {}, column {}", e.line(), e.column()),
            found: e.to_string(),
            expected: "JSON; a number that is not there is null".to_owned(),
        }]
    })?;
    let problems = RefCell::new(Vec::new());
    let mut histories = Vec::new();
    if let Some(top) = Object::new("", &document, &problems) {
        let format = top.text("format");
        if format.as_deref() != Some(FORMAT) {
            top.refuse("format", &format!("\"{FORMAT}\""));
        }
        // Whatever made the file; the version written is the one of the rules used.
        let _ = (top.text("rules_version"), top.value("seed"));
        top.required("histories", "a list of histories", top.value("histories"));
        histories = top.objects("histories", |o| history(o, rules));
        top.finish();
    }
    let mut seen = BTreeSet::new();
    for (i, h) in histories.iter().enumerate() {
        if !seen.insert(&h.id) {
            let path = format!("histories[{i}].id");
            add(&problems, &path, format!("\"{}\" again", h.id), "a name of its own");
        }
    }
    let problems = problems.into_inner();
    if problems.is_empty() {
        Ok(HistoryFile { histories, document })
    } else {
        Err(problems)
    }
}

fn history(o: Object, rules: &Rules) -> History {
    let id = o.required("id", "a text", o.text("id")).unwrap_or_default();
    let most = i64::from(MOST_DAYS);
    let days = o.required(
        "days",
        &format!("a whole number from 0 to {most}"),
        o.whole("days", (0, most)),
    );
    let days = days.unwrap_or(most) as i32;
    o.required("sessions", "a list of sessions", o.value("sessions"));
    o.required("checkins", "a list of check-ins", o.value("checkins"));
    let checkins = o.objects("checkins", |c| checkin(c, days, rules));
    let mut days_seen = BTreeSet::new();
    for (i, c) in checkins.iter().enumerate() {
        if !days_seen.insert(c.day) {
            let path = o.at(&format!("checkins[{i}].day"));
            add(
                o.problems,
                &path,
                format!("day {} again", c.day),
                "at most one check-in a day",
            );
        }
    }
    let mut reanchor_days = Vec::new();
    for (i, v) in o.list("reanchor_days").iter().enumerate() {
        match v.as_i64().filter(|d| (0..i64::from(days)).contains(d)) {
            Some(day) => reanchor_days.push(day as i32),
            None => add(
                o.problems,
                &o.at(&format!("reanchor_days[{i}]")),
                shown(v),
                &format!("a whole number from 0 to {}", days - 1),
            ),
        }
    }
    let profile = o
        .value("profile")
        .and_then(|v| Object::new(&o.at("profile"), v, o.problems));
    let read = History {
        profile: profile.map(profile_of).unwrap_or_default(),
        sessions: o.objects("sessions", |s| session(s, days, rules)),
        tests: o.objects("tests", |t| body_test(t, days)),
        shoes: o.objects("shoes", |s| shoe(s, days)),
        id,
        days,
        checkins,
        reanchor_days,
    };
    let _ = o.value("expected");
    o.finish();
    read
}

fn profile_of(o: Object) -> Profile {
    let read = Profile {
        prior_lbp_episodes: o.number("prior_lbp_episodes", SIZE),
        medical_history_tick: o.yes("medical_history_tick"),
        bone_stress_tick: o.yes("bone_stress_tick"),
        logs_core_work: o.yes("logs_core_work"),
    };
    o.finish();
    read
}

fn session(o: Object, days: i32, rules: &Rules) -> Session {
    let kinds = "run, other or core";
    let kind = o.read("kind", kinds, |v| {
        SessionKind::ALL.into_iter().find(|k| v.as_str() == Some(k.name()))
    });
    let kind = o.required("kind", kinds, kind).unwrap_or_default();
    let km = o.number("km", SIZE);
    if kind == SessionKind::Run {
        o.required("km", &SIZE.words(), km);
    }
    let surface = o
        .value("surface_km")
        .and_then(|v| Object::new(&o.at("surface_km"), v, o.problems));
    let windows = o.whole("level_windows", (0, 100_000));
    let read = Session {
        day: o.day(days),
        kind,
        km: km.unwrap_or_default(),
        minutes: o.number("minutes", SIZE),
        effort: o.number("effort", SCORE),
        quality: o.yes("quality"),
        warmup: o.read("warmup", "true or false", Value::as_bool),
        first5_speed_ratio: o.number("first5_speed_ratio", SIZE),
        shoe: o.text("shoe"),
        surface_km: surface.map(surface_km),
        downhill_km: o.number("downhill_km", SIZE),
        back_pre: o.number("back_pre", SCORE),
        back_worst: o.number("back_worst", SCORE),
        sudden_onset: o.yes("sudden_onset"),
        stopped_for_back: o.yes("stopped_for_back"),
        speed_ms: o.number("speed_ms", Range(0.0, 20.0)),
        level_windows: windows.map(|n| n as u32),
        metrics: o.numbers("metrics", rules.measured()),
        drift: o.numbers("drift", rules.markers.iter().map(|m| m.name.as_str())),
    };
    o.finish();
    read
}

fn surface_km(o: Object) -> SurfaceKm {
    let read = SurfaceKm {
        hard: o.number("hard", SIZE).unwrap_or_default(),
        uneven: o.number("uneven", SIZE).unwrap_or_default(),
        other: o.number("other", SIZE).unwrap_or_default(),
    };
    o.finish();
    read
}

fn checkin(o: Object, days: i32, rules: &Rules) -> CheckIn {
    let known: Vec<&str> = rules.ticks.iter().map(|t| t.name.as_str()).collect();
    let mut ticks = Vec::new();
    for (i, v) in o.list("ticks").iter().enumerate() {
        match v.as_str() {
            Some(name) if known.contains(&name) => ticks.push(name.to_owned()),
            other => add(
                o.problems,
                &o.at(&format!("ticks[{i}]")),
                shown(v),
                &names(other.unwrap_or_default(), &known),
            ),
        }
    }
    let read = CheckIn {
        day: o.day(days),
        back_now: o.number("back_now", SCORE),
        back_morning: o.number("back_morning", SCORE),
        fatigue: o.number("fatigue", SCORE),
        sleep_quality: o.number("sleep_quality", SCORE),
        soreness: o.number("soreness", SCORE),
        ticks,
        safety_answered: o.yes("safety_answered").unwrap_or_default(),
        seen_by_professional: o.yes("seen_by_professional").unwrap_or_default(),
    };
    o.finish();
    read
}

fn body_test(o: Object, days: i32) -> BodyTest {
    let read = BodyTest {
        day: o.day(days),
        hip_above_deg: o.number("hip_above_deg", ANY),
        knee_ext_deficit_deg: o.number("knee_ext_deficit_deg", ANY),
        self_test_tight: o.yes("self_test_tight"),
        side_plank_left_s: o.number("side_plank_left_s", SIZE),
        side_plank_right_s: o.number("side_plank_right_s", SIZE),
    };
    o.finish();
    read
}

fn shoe(o: Object, days: i32) -> ShoeEntry {
    let read = ShoeEntry {
        day: o.day(days),
        shoe: o
            .required("shoe", "the pair's name", o.text("shoe"))
            .unwrap_or_default(),
        shoe_km_before: o.number("shoe_km_before", SIZE),
        comfort: o.number("comfort", SCORE),
        uneven_heel: o.yes("uneven_heel"),
    };
    o.finish();
    read
}

/// An evaluation in the file's form: `summary` by day, `changes` as [day, flag, state].
#[must_use]
pub fn expected(rules: &Rules, evaluation: &Evaluation) -> Value {
    let summary: Vec<&str> = evaluation.summary.iter().map(|s| state_name(*s)).collect();
    let change = |(day, flag, state): &(i32, usize, _)| json!([day, rules.flags[*flag].id, state_name(*state)]);
    let changes: Vec<Value> = evaluation.changes.iter().map(change).collect();
    json!({ "summary": summary, "changes": changes })
}

impl HistoryFile {
    /// Writes the file again with what these evaluations say, one history a line. There is one evaluation per history.
    ///
    /// # Errors
    /// What the writer says.
    pub fn write(&self, rules: &Rules, evaluations: &[Evaluation], out: &mut dyn Write) -> std::io::Result<()> {
        let seed = self.document.get("seed").cloned().unwrap_or(Value::Null);
        let version = Value::from(rules.version.as_str());
        write!(
            out,
            "{{\"format\":\"{FORMAT}\",\"rules_version\":{version},\"seed\":{seed},\"histories\":["
        )?;
        let histories = self.document["histories"].as_array().map_or(&[][..], Vec::as_slice);
        for (i, (history, evaluation)) in histories.iter().zip(evaluations).enumerate() {
            let mut history = history.clone();
            history["expected"] = expected(rules, evaluation);
            write!(out, "{}\n{history}", if i == 0 { "" } else { "," })?;
        }
        writeln!(out, "\n]}}")
    }
}
