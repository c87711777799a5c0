//! What the record says about a runner, asked once, as who reads may see it.
//!
//! Everything that a reader may not see is left behind here: what follows composes pages from this and looks nowhere else,
//! so that no page can give away what its reader was not given.

use super::bins::{Bin, SIDED, bins};
use super::losses::{Losses, losses};
use super::words;
use super::{Ask, Form, Naming, Reader};
use crate::metrics::MetricId as Id;
use crate::model::Side;
use crate::review::after_cue::{AfterCue, after_cue};
use crate::review::compare::{Chosen, compare};
use crate::review::curves::of_run::{RunCurves, of_run};
use crate::review::flags::{flag_detail, flag_history, flags_now};
use crate::review::history_of::{PastSession, main_ground};
use crate::review::own_usual::{Part, Series};
use crate::review::run_values::windows_of;
use crate::review::trend::{TrendQuery, trend};
use crate::review::{
    Card, Compare, FlagDetail, FlagsNow, Load, Past, Review, Sight, SymptomPoint, Trend, Viewer, card, load,
};
use crate::store::journal::{Body, Day, Score};
use crate::store::{SessionId, StoreError};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// Weeks of load, symptoms and trends.
pub const WEEKS: u32 = 10;
/// Most runs of a set whose strides are read.
const MOST_READ: usize = 6;
/// Runs from which a leg has an own range.
const OWN_RANGE: usize = 4;
/// Metrics of the trends.
const TRENDS: [Id; 4] = [Id::Cadence, Id::ContactTime, Id::OverstrideDistance, Id::PelvisDrop];

/// A run in the list of runs.
#[derive(Clone, Debug, PartialEq)]
pub struct RunLine {
    /// Its day.
    pub day: Day,
    /// `before`, `after`.
    pub set: &'static str,
    /// Distance, km.
    pub km: Option<f64>,
    /// Median speed of its windows, m/s.
    pub speed_ms: Option<f64>,
    /// Its level, steady windows.
    pub windows: u32,
    /// Pair worn.
    pub shoe: Option<String>,
    /// Main ground.
    pub ground: Option<&'static str>,
    /// How good its data are.
    pub data: &'static str,
    /// Why it counts little or not at all.
    pub why_not: Option<String>,
}

/// A weekly answer.
#[derive(Clone, Debug, PartialEq)]
pub struct WeekAnswer {
    /// Its day.
    pub day: Day,
    /// Planned runs left out.
    pub left_out: Option<u8>,
    /// Runs cut short.
    pub cut_short: Option<u8>,
    /// How much the back held the running back.
    pub held_back: Option<u8>,
    /// Goals with how well each went.
    pub goals: Vec<(String, u8)>,
}

/// Everything.
#[derive(Clone, Debug)]
pub struct Material {
    /// Name or pseudonym.
    pub name: String,
    /// Whether it is a pseudonym.
    pub pseudonym: bool,
    /// The last day looked at.
    pub day: Day,
    /// Version of the rule file.
    pub rules_version: String,
    /// Title of the panel of flags, and what stands under it.
    pub label: (String, String),
    /// What lope is for.
    pub purpose: String,
    /// What stands under everything.
    pub footer: String,
    /// Counted areas.
    pub areas: u32,
    /// Whether symptoms are in it.
    pub sight: Sight,
    /// The card of the session.
    pub card: Option<Card>,
    /// Flags of the day.
    pub flags: FlagsNow,
    /// Those raised, in full, highest first.
    pub raised: Vec<FlagDetail>,
    /// The comparison; curves in it where somebody filled them in.
    pub compare: Compare,
    /// The last of the runs after, as curves; nothing for who gets none.
    pub curves: Option<RunCurves>,
    /// What cues did in the runs compared, oldest first; empty where none sounded.
    pub cues: Vec<AfterCue>,
    /// Before and after at equal speeds.
    pub bins: Vec<Bin>,
    /// The own range of a leg near the speed of the fullest bin.
    pub own: BTreeMap<(Id, Side), (f64, f64)>,
    /// Trends.
    pub trends: Vec<Trend>,
    /// Back scores; `None` where they are not shown.
    pub symptoms: Option<Vec<SymptomPoint>>,
    /// Weeks.
    pub load: Load,
    /// New shoes, restarts and cues, by day.
    pub happened: Vec<(Day, String)>,
    /// Gaps, moves and exchanges in the runs compared.
    pub losses: Losses,
    /// Sensors worn in the last of the runs.
    pub sensors: Vec<(String, f64)>,
    /// Runs used.
    pub runs: Vec<RunLine>,
    /// What does not count, and why.
    pub left_out: Vec<(Day, String)>,
    /// Weekly answers; empty where symptoms are not shown.
    pub weekly: Vec<WeekAnswer>,
    /// Words of professionals: day, author, text; empty where they are not for this reader.
    pub notes: Vec<(Day, String, String)>,
}

/// A name that stays the same over reports and does not tell who it is.
#[must_use]
pub fn pseudonym(athlete: &str) -> String {
    let hash = Sha256::digest(format!("lope pseudonym {athlete}").as_bytes());
    let letters: String = hash.iter().take(3).map(|b| format!("{b:02X}")).collect();
    format!("Runner {letters}")
}

fn viewer(ask: &Ask) -> Viewer {
    let name = ask.clinician.clone().unwrap_or_default();
    match ask.reader {
        Reader::Runner => Viewer::Runner,
        Reader::Coach => Viewer::Coach(name),
        Reader::Therapist => Viewer::Therapist(name),
    }
}

/// Asks the record. `past` reaches up to the day of the report.
///
/// # Errors
/// Those of the disk.
pub fn gather(review: &Review, past: &Past, ask: &Ask) -> Result<Material, StoreError> {
    gather_at_most(review, past, ask, Sight::Everything)
}

/// As [`gather`], for somebody who may see no more than `most`, whoever the report is for.
///
/// # Errors
/// Those of the disk.
pub fn gather_at_most(review: &Review, past: &Past, ask: &Ask, most: Sight) -> Result<Material, StoreError> {
    let rules = review.rules();
    let sight = match most {
        Sight::NoSymptoms => Sight::NoSymptoms,
        // A letter is passed on: what it holds must not depend on who wrote it.
        Sight::Everything if ask.form == Form::Letter => Sight::NoSymptoms,
        Sight::Everything => Sight::of(&viewer(ask), past),
    };
    let flags = flags_now(rules, past, sight);
    let mut raised: Vec<FlagDetail> = flags
        .flags
        .iter()
        .filter(|f| f.level.raised() && !f.hidden)
        .filter_map(|f| flag_detail(rules, past, sight, &f.id))
        .collect();
    raised.sort_by_key(|d| std::cmp::Reverse(d.flag.level));
    let (a, b) = sets(past, ask);
    let compare = compare(review, past, &a, &b)?;
    let read = |ids: &[SessionId]| -> Result<Vec<_>, StoreError> {
        let last = ids.iter().rev().take(MOST_READ).rev();
        last.map(|id| windows_of(review.reader(), id)).collect()
    };
    let bins = bins(&read(&compare.a.sessions)?, &read(&compare.b.sessions)?);
    let fullest = bins.iter().max_by_key(|b| b.after.windows).map(|b| b.speed_ms);
    let shown = match &ask.session {
        Some(id) => card::card(review, past, id, sight, &flag_history(rules, past, sight).changes)?,
        None => None,
    };
    let entries = review.entries(&past.athlete)?;
    let trends: Vec<Trend> = TRENDS
        .iter()
        .map(|id| {
            let query = TrendQuery {
                series: Series::Metric(*id),
                weeks: WEEKS,
                speed_ms: None,
                part: Part::All,
            };
            trend(rules, past, &query, sight, &[])
        })
        .collect();
    let everything = sight == Sight::Everything;
    let last = compare.b.sessions.last().or(compare.a.sessions.last());
    let sensors = past.recorded.iter().find(|r| Some(&r.row.meta.id) == last);
    // A curve costs a minute of samples: drawn for those whose page shows it.
    let curves = match (sensors, ask.reader, ask.form) {
        (Some(r), Reader::Coach | Reader::Therapist, Form::Report) => {
            Some(of_run(review.reader(), &r.row, compare.shared_speed)?)
        }
        _ => None,
    };
    Ok(Material {
        name: match ask.naming {
            Naming::Pseudonym => pseudonym(past.athlete.as_str()),
            Naming::Name => past.name(),
        },
        pseudonym: ask.naming == Naming::Pseudonym,
        day: past.today,
        rules_version: rules.version.clone(),
        label: (rules.label.clone(), rules.subtitle.clone()),
        purpose: rules.purpose.clone(),
        footer: rules.footer.clone(),
        areas: rules.summary.families.len() as u32,
        sight,
        card: shown,
        raised,
        symptoms: trends.first().and_then(|t| t.symptoms.clone()),
        load: load::load(past, WEEKS as usize),
        happened: happened(past),
        losses: losses(review, past, &compare)?,
        sensors: sensors
            .map(|r| {
                r.row
                    .meta
                    .sensors
                    .iter()
                    .map(|s| (words::spaced(s.placement.name()), s.rate_hz))
                    .collect()
            })
            .unwrap_or_default(),
        runs: run_lines(past, &compare),
        left_out: left_out(past, everything),
        own: fullest
            .map(|speed| own_ranges(past, &compare, speed))
            .unwrap_or_default(),
        weekly: if everything {
            weekly(&entries, past.today)
        } else {
            Vec::new()
        },
        notes: if everything && ask.reader == Reader::Therapist {
            notes(&entries, past.today)
        } else {
            Vec::new()
        },
        trends,
        flags,
        cues: cues(review, past, &compare)?,
        compare,
        curves,
        bins,
    })
}

/// The two sets of runs: as asked for, else the session and what was run before it.
fn sets(past: &Past, ask: &Ask) -> (Chosen, Chosen) {
    if let Some((a, b)) = &ask.compare {
        return (a.clone(), b.clone());
    }
    let session = ask
        .session
        .as_ref()
        .and_then(|id| past.recorded.iter().find(|r| r.row.meta.id == *id));
    match session {
        Some(r) => (Chosen::Before(r.day), Chosen::Session(r.row.meta.id.to_string())),
        None => (Chosen::Before(past.today), Chosen::Last),
    }
}

/// What cues did in the last runs of both sets.
fn cues(review: &Review, past: &Past, compare: &Compare) -> Result<Vec<AfterCue>, StoreError> {
    let mut all = Vec::new();
    for set in [&compare.a, &compare.b] {
        for id in set.sessions.iter().rev().take(MOST_READ) {
            if let Some(r) = past.recorded.iter().find(|r| r.row.meta.id == *id) {
                all.extend(after_cue(review, &r.row, r.day)?);
            }
        }
    }
    all.sort_by_key(|c| c.day);
    Ok(all)
}

fn shoe_name(past: &Past, s: &PastSession) -> Option<String> {
    let id = s.note.shoe.as_ref()?;
    let named = past.shoes.get(id).map(|f| f.name.clone()).filter(|n| !n.is_empty());
    Some(named.unwrap_or_else(|| id.to_string()))
}

fn run_lines(past: &Past, compare: &Compare) -> Vec<RunLine> {
    let mut lines = Vec::new();
    for (set, side) in [("before", &compare.a), ("after", &compare.b)] {
        for id in &side.sessions {
            let Some(s) = past.sessions.iter().find(|s| s.id() == Some(id)) else {
                continue;
            };
            let run = s.run.as_ref();
            lines.push(RunLine {
                day: s.day,
                set,
                km: s.km,
                speed_ms: run.and_then(|r| r.values.speed_ms),
                windows: run.map_or(0, |r| r.values.level_windows),
                shoe: shoe_name(past, s),
                ground: main_ground(s).map(words::ground_word),
                data: run.map_or("none", |r| r.values.data.word()),
                why_not: run.and_then(|r| r.values.why_not.first().cloned()),
            });
        }
    }
    lines
}

/// What does not count. Without symptoms the words of the runner are left out too: they may tell them.
fn left_out(past: &Past, everything: bool) -> Vec<(Day, String)> {
    let mut all: Vec<(Day, String)> = past
        .left_out
        .iter()
        .filter(|l| l.what != "symptoms")
        .map(|l| (l.day, l.why.clone()))
        .collect();
    for s in past.runs().filter(|s| s.row.is_some()) {
        let run = s.run.as_ref();
        if s.left_out {
            let said = s.note.text.as_deref().filter(|_| everything).map(|t| format!(": {t}"));
            all.push((s.day, format!("left out by the runner{}", said.unwrap_or_default())));
        } else if let Some(why) = run
            .filter(|r| !r.values.eligible)
            .and_then(|r| r.values.why_not.first())
        {
            all.push((s.day, why.clone()));
        }
    }
    all.sort();
    all
}

/// Median ± 2 × 1.4826 × median absolute deviation of the runs before, at that speed.
fn own_ranges(past: &Past, compare: &Compare, speed: f64) -> BTreeMap<(Id, Side), (f64, f64)> {
    let mut ranges = BTreeMap::new();
    for id in SIDED {
        for side in [Side::Left, Side::Right] {
            let near = past
                .comparable()
                .filter(|(s, _)| s.id().is_some_and(|id| !compare.b.sessions.contains(id)))
                .filter(|(_, r)| {
                    let at = r.values.speed_ms;
                    at.is_some_and(|v| (v - speed).abs() <= super::bins::HALF_WIDTH + 1e-9)
                })
                .filter_map(|(_, r)| {
                    let metric = r.metrics.get(id.def().name)?;
                    match side {
                        Side::Left => metric.left,
                        Side::Right => metric.right,
                    }
                });
            let values: Vec<f64> = near.collect();
            let median = crate::review::windows::median;
            if let Some(middle) = median(&values).filter(|_| values.len() >= OWN_RANGE) {
                let apart: Vec<f64> = values.iter().map(|v| (v - middle).abs()).collect();
                let half = 2.0 * 1.4826 * median(&apart).unwrap_or(0.0);
                ranges.insert((id, side), (middle - half, middle + half));
            }
        }
    }
    ranges
}

/// The first run in each pair, and new beginnings of the usual.
fn happened(past: &Past) -> Vec<(Day, String)> {
    let mut all: Vec<(Day, String)> = Vec::new();
    let mut worn: Vec<String> = Vec::new();
    for s in past.runs() {
        if let Some(shoe) = shoe_name(past, s)
            && !worn.contains(&shoe)
        {
            // The first pair of the record is not new.
            if !worn.is_empty() {
                all.push((s.day, format!("shoes: {shoe}")));
            }
            worn.push(shoe);
        }
    }
    all.extend(past.restarts.iter().map(|d| (*d, "usual learned anew".to_owned())));
    all.sort();
    all
}

fn weekly(entries: &[crate::store::journal::Entry], today: Day) -> Vec<WeekAnswer> {
    let of = |s: &Option<Score>| s.map(Score::get);
    let mut all: Vec<WeekAnswer> = entries
        .iter()
        .filter(|e| e.day <= today && e.day > today.plus(-7 * WEEKS as i32))
        .filter_map(|e| match &e.body {
            Body::Weekly(w) => Some(WeekAnswer {
                day: e.day,
                left_out: w.left_out,
                cut_short: w.cut_short,
                held_back: of(&w.held_back),
                goals: w.goals.iter().map(|(g, s)| (g.clone(), s.get())).collect(),
            }),
            _ => None,
        })
        .collect();
    all.sort_by_key(|w| w.day);
    all
}

fn notes(entries: &[crate::store::journal::Entry], today: Day) -> Vec<(Day, String, String)> {
    let mut all: Vec<(Day, String, String)> = entries
        .iter()
        .filter(|e| e.day <= today)
        .filter_map(|e| match &e.body {
            Body::ClinicianNote(n) => Some((e.day, n.author.clone(), n.text.clone())),
            _ => None,
        })
        .collect();
    all.sort();
    all
}
