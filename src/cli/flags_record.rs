//! `lope flags show`, `explain FLAG`, `history` and `replay`: the flags of the record.
//!
//! Each of them also brings the kept time series of flags up to date, so that other programs see what was last said here.

use super::Globals;
use super::athlete_choice::{self, AthleteArg};
use super::failure::{Exit, Failure};
use super::flags::RulesArg;
use crate::review::flags::{flag_detail, flag_history, flags_now, replay};
use crate::review::{FlagHistory, FlagsNow, LevelWord, Past, Review, RulesAre, Sight, flag_words};
use crate::risk::Rules;
use crate::runtime::attended::Look;
use crate::runtime::before_run::BeforeRun;
use crate::store::AthleteId;
use crate::store::journal::Day;
use clap::Args;
use serde::Serialize;
use serde_json::json;
use std::fmt::Write as _;

/// Whose flags, and of which day.
#[derive(Args, Debug, Default)]
pub struct WhoseArgs {
    /// Whose; the one of `lope athlete use`, else `me`, where nobody is named
    #[arg(long, value_name = "ID")]
    pub athlete: Option<String>,
}

/// Today by this machine's clock and zone.
fn today() -> Day {
    let date = jiff::ZonedDateTime::now().date();
    Day::parse(&date.to_string()).unwrap_or(Day::FIRST)
}

/// A day as people write it: `2026-03-01`, `today`, `yesterday`.
///
/// # Errors
/// It is none of these.
pub fn day(text: Option<&str>) -> Result<Day, Failure> {
    match text {
        None | Some("today") => Ok(today()),
        Some("yesterday") => Ok(today().plus(-1)),
        Some(text) => Day::parse(text).map_err(|e| {
            Failure::new("lope::day::unknown", Exit::Usage, format!("{text} is no day."))
                .why(e.to_string())
                .try_this("write 2026-03-01, today or yesterday")
        }),
    }
}

/// The athlete named, or the usual one.
///
/// # Errors
/// Nobody goes by that id.
pub fn athlete(globals: &Globals, named: Option<&str>) -> Result<AthleteId, Failure> {
    let arg = AthleteArg {
        athlete: named.map(str::to_owned),
    };
    Ok(athlete_choice::resolve(globals, &arg, Some(&globals.data_dir()?))?.id)
}

fn open(globals: &Globals, rules: Rules) -> Result<Review, Failure> {
    Ok(Review::open(&globals.data_dir()?, rules)?)
}

/// Prints a value as JSON.
pub(super) fn print_json(globals: &Globals, value: &impl Serialize) -> Result<Exit, Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|e| {
        Failure::new(
            "lope::output::json",
            Exit::Unexpected,
            "The result cannot be written as JSON.",
        )
        .why(e.to_string())
    })?;
    globals.console.result(&(text + "\n"))?;
    Ok(Exit::Done)
}

/// Brings the kept series of an athlete's flags up to date, after something about them was kept.
///
/// # Errors
/// Those of the store.
pub fn refresh(dir: &std::path::Path, who: &AthleteId) -> Result<(), Failure> {
    let review = Review::open(dir, crate::interchange::flag_rules::built_in())?;
    review.renewed(who, today(), RulesAre::InForce)?;
    Ok(())
}

/// How to look at what the record knows of a runner today, before a run and while it goes on.
///
/// # Errors
/// Never in practice.
pub fn look(dir: std::path::PathBuf, athlete: AthleteId) -> Result<Look, Failure> {
    let today = day(None)?;
    Ok(Box::new(move || BeforeRun::read(&dir, &athlete, today)))
}

/// The past of the athlete up to a day, with what is kept of flags brought up to date.
fn past_of(review: &Review, who: &AthleteId, day: Day, rules: &RulesArg) -> Result<Past, Failure> {
    let are = if rules.rules.is_none() {
        RulesAre::InForce
    } else {
        RulesAre::TriedOut
    };
    Ok(review.renewed(who, day, are)?)
}

/// Says which flags there are.
fn no_such_flag(rules: &Rules, id: &str) -> Failure {
    let codes: Vec<&str> = rules.flags.iter().map(|f| f.id.as_str()).collect();
    Failure::new("lope::flags::unknown", Exit::Unknown, format!("There is no flag {id}."))
        .try_this(format!("flags are {}", codes.join(", ")))
}

/// `lope flags show [FLAG]`.
///
/// # Errors
/// No such flag; those of the store.
pub fn show(
    globals: &Globals,
    whose: &WhoseArgs,
    flag: Option<&str>,
    on: Option<&str>,
    rules: &RulesArg,
) -> Result<Exit, Failure> {
    let review = open(globals, rules.read()?)?;
    let past = past_of(&review, &athlete(globals, whose.athlete.as_deref())?, day(on)?, rules)?;
    let rules = review.rules();
    let Some(id) = flag else {
        let now = flags_now(rules, &past, Sight::Everything);
        return if globals.console.json {
            print_json(globals, &now)
        } else {
            globals.console.result(&overview(rules, &past, &now))?;
            Ok(Exit::Done)
        };
    };
    let detail = flag_detail(rules, &past, Sight::Everything, id).ok_or_else(|| no_such_flag(rules, id))?;
    if globals.console.json {
        return print_json(globals, &detail);
    }
    let text = format!(
        "{}{}   full computation: lope flags explain {}\n",
        flag_words::short(&detail),
        rules.footer,
        detail.flag.id
    );
    globals.console.result(&text)?;
    Ok(Exit::Done)
}

fn overview(rules: &Rules, past: &Past, now: &FlagsNow) -> String {
    let areas = rules.summary.families.len();
    let mut t = format!(
        "{} · {} · {}\n{}\n{} of {areas} areas changed; {} of {areas} measurable with your sensors\n",
        rules.label,
        now.day,
        now.summary.level.word().replace('_', " "),
        now.summary.text,
        now.summary.areas_changed,
        now.summary.areas_measurable
    );
    // Writing to a String cannot fail.
    if let Some(safety) = &now.safety {
        let _ = writeln!(t, "\n{}\n{}", safety.title, safety.text);
    }
    if let Some(l) = now.learning {
        let _ = writeln!(t, "learning your usual: {} of {} runs", l.runs, l.needed);
    }
    let mut raised: Vec<_> = now.flags.iter().filter(|f| f.level.raised()).collect();
    raised.sort_by_key(|f| std::cmp::Reverse(f.level));
    for f in &raised {
        let _ = writeln!(
            t,
            "\n{}\n  {}",
            flag_words::heading(f),
            f.message.as_deref().unwrap_or("")
        );
    }
    if !raised.is_empty() {
        let _ = writeln!(t, "\n{}", now.first_time_line);
    }
    let ids = |level: LevelWord| {
        let of = now.flags.iter().filter(|f| f.level == level).map(|f| f.id.as_str());
        of.collect::<Vec<_>>().join(" ")
    };
    for (label, level) in [
        ("nothing to show", LevelWord::None),
        ("not enough data", LevelWord::NotEnoughData),
    ] {
        let of = ids(level);
        if !of.is_empty() {
            let _ = writeln!(t, "\n{label}: {of}");
        }
    }
    if !past.left_out.is_empty() {
        let _ = writeln!(t, "\nleft out");
        let mut reasons: Vec<(&str, usize)> = Vec::new();
        for l in &past.left_out {
            match reasons.iter_mut().find(|(why, _)| *why == l.why) {
                Some((_, n)) => *n += 1,
                None => reasons.push((&l.why, 1)),
            }
        }
        for (why, n) in reasons {
            let _ = writeln!(t, "  {n} × {why}");
        }
    }
    let next = raised
        .first()
        .or(now.flags.first().as_ref())
        .map_or("FS1", |f| f.id.as_str());
    let _ = writeln!(t, "\n{}   next: lope flags show {next}", now.footer);
    t
}

/// `lope flags explain FLAG`.
///
/// # Errors
/// As [`show`].
pub fn explain(
    globals: &Globals,
    whose: &WhoseArgs,
    flag: &str,
    on: Option<&str>,
    rules: &RulesArg,
) -> Result<Exit, Failure> {
    let review = open(globals, rules.read()?)?;
    let past = past_of(&review, &athlete(globals, whose.athlete.as_deref())?, day(on)?, rules)?;
    let rules = review.rules();
    let detail = flag_detail(rules, &past, Sight::Everything, flag).ok_or_else(|| no_such_flag(rules, flag))?;
    if globals.console.json {
        return print_json(globals, &detail);
    }
    globals
        .console
        .result(&format!("{}\n{}\n", detail.text, rules.footer))?;
    Ok(Exit::Done)
}

/// `lope flags history`.
///
/// # Errors
/// Those of the store.
pub fn history(globals: &Globals, whose: &WhoseArgs, on: Option<&str>, rules: &RulesArg) -> Result<Exit, Failure> {
    let review = open(globals, rules.read()?)?;
    let past = past_of(&review, &athlete(globals, whose.athlete.as_deref())?, day(on)?, rules)?;
    let all = flag_history(review.rules(), &past, Sight::Everything);
    if globals.console.json {
        return print_json(globals, &all);
    }
    globals.console.result(&changes(review.rules(), &all))?;
    Ok(Exit::Done)
}

fn changes(rules: &Rules, all: &FlagHistory) -> String {
    let mut t = String::new();
    let mut summary = None;
    let mut at = 0;
    for (day, level) in all.days.iter().zip(&all.summary) {
        let from = at;
        while all.changes.get(at).is_some_and(|c| c.day == *day) {
            at += 1;
        }
        let today = &all.changes[from..at];
        if summary != Some(*level) || !today.is_empty() {
            let told: Vec<String> = today
                .iter()
                .map(|c| format!("{} {}", c.id, c.state.word().replace('_', " ")))
                .collect();
            let _ = writeln!(t, "{day}  {:<15}  {}", level.word().replace('_', " "), told.join(", "));
        }
        summary = Some(*level);
    }
    let _ = writeln!(
        t,
        "{} days, rules {}   next: lope flags show",
        all.days.len(),
        all.rules_version
    );
    let _ = writeln!(t, "{}", rules.footer);
    t
}

/// `lope flags replay --rules FILE`.
///
/// # Errors
/// A rule file that is refused; those of the store.
pub fn replayed(globals: &Globals, whose: &WhoseArgs, on: Option<&str>, other: &RulesArg) -> Result<Exit, Failure> {
    if other.rules.is_none() {
        return Err(Failure::new(
            "lope::flags::rules",
            Exit::Usage,
            "There are no other rules to replay with.",
        )
        .try_this("name them: lope flags replay --rules FILE.toml"));
    }
    let other = other.read()?;
    let review = open(globals, crate::interchange::flag_rules::built_in())?;
    let past = past_of(
        &review,
        &athlete(globals, whose.athlete.as_deref())?,
        day(on)?,
        &RulesArg { rules: None },
    )?;
    let differences = replay(review.rules(), &other, &past, Sight::Everything);
    if globals.console.json {
        let object = json!({ "old": review.rules().version, "new": other.version, "differences": differences });
        return print_json(globals, &object);
    }
    let mut t = format!("rules {} against {}\n", other.version, review.rules().version);
    for d in &differences {
        let days = if d.day == d.to {
            d.day.to_string()
        } else {
            format!("{} to {}", d.day, d.to)
        };
        let word = |l: LevelWord| l.word().replace('_', " ");
        let _ = writeln!(t, "  {days}  {}  {} -> {}", d.flag, word(d.old), word(d.new));
    }
    let _ = writeln!(t, "{} differences over {} days", differences.len(), past.history.days);
    globals.console.result(&t)?;
    Ok(Exit::Done)
}
