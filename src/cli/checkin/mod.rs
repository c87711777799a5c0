//! `lope checkin`: short questions around running, asked on a terminal or answered by flags.
//!
//! Ids follow from the day and the kind of check-in, so that answering again corrects; what is not answered stays as it
//! was. The safety row is asked every time. When something of it stands, its fixed text is all that is said: no advice on
//! form, no praise.

pub mod answers;
pub mod safety;

use super::Globals;
use super::ask::{self, Asking};
use super::athlete::YesNo;
use super::athlete_choice::AthleteArg;
use super::days::AskedDay;
use super::desk::{Desk, entry_id, put_name, put_word};
use super::failure::{Exit, Failure};
use super::run_note::{self, NoteArgs, Run};
use super::shoes;
use crate::interchange::flag_rules;
use crate::risk::Rules;
use crate::store::journal::{Body, BodyTest, CheckIn, Day, EntryId, Kind, Put, Restart, Weekly};
use answers::{DayArgs, TestArgs, WeekArgs};
use clap::{Args, ValueEnum};
use safety::{SafetyArgs, Shown};
use serde_json::json;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Arguments of `lope checkin`.
#[derive(Args, Clone, Debug)]
pub struct CheckinArgs {
    /// Which questions
    #[arg(value_enum, default_value_t = What::Before)]
    what: What,
    #[command(flatten)]
    who: AthleteArg,
    /// The day it is about: 2026-11-02, today, yesterday
    #[arg(long, value_name = "DAY", value_parser = AskedDay::parse)]
    day: Option<AskedDay>,
    /// after: the run it is about, by its id or the beginning of it; the last one of the day without it
    #[arg(long, value_name = "ID")]
    session: Option<String>,
    /// restart: why
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    safety: SafetyArgs,
    #[command(flatten)]
    of_day: DayArgs,
    #[command(flatten, next_help_heading = "Answers about a run (after)")]
    note: NoteArgs,
    #[command(flatten)]
    of_week: WeekArgs,
    #[command(flatten)]
    test: TestArgs,
}

/// Which questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    /// Before a run, or on a day without one: back, tiredness, sleep, soreness
    Before,
    /// After a run: effort, back, ground, shoes
    After,
    /// The morning after a run
    Morning,
    /// Once a week
    Weekly,
    /// Every six weeks: side plank, flexibility
    Test,
    /// From this day on the usual is learned anew: --reason
    Restart,
    /// A health professional looked at it on this day
    Seen,
    /// The safety row with its words
    Ticks,
}

impl What {
    fn word(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::After => "after",
            Self::Morning => "morning",
            Self::Weekly => "weekly",
            Self::Test => "test",
            Self::Restart => "restart",
            Self::Seen => "seen",
            Self::Ticks => "ticks",
        }
    }
}

/// What was written by one check-in.
struct Saved {
    day: Day,
    entries: Vec<(EntryId, Put)>,
}

/// Runs `lope checkin`.
///
/// # Errors
/// Nothing was answered, an answer is refused, no run is meant, consent was withdrawn, the record cannot be written.
pub fn run(globals: &Globals, args: &CheckinArgs) -> Result<Exit, Failure> {
    let rules = flag_rules::built_in();
    if args.what == What::Ticks {
        return ticks(globals, &rules);
    }
    args.safety.check(&rules)?;
    args.refuse_strangers()?;
    let desk = Desk::open(globals, &args.who)?;
    let day = desk.day(args.day)?;
    desk.may_keep_symptoms()?;
    let mut args = args.clone();
    let run = match args.what {
        What::After => Some(run_note::find(&desk, args.session.as_deref(), day)?),
        _ => None,
    };
    let day = run.as_ref().map_or(day, |run| run.day(&desk));
    let asked = ask::on_terminal(|asking| args.ask(asking, &desk, &rules, run.as_ref()))?;
    if asked.is_none() && !args.any() {
        return Err(nothing_answered(args.what));
    }
    if asked.is_some() && !args.any() {
        desk.console.advice("nothing was answered; nothing was written");
        return Ok(Exit::Done);
    }
    let mut saved = Saved {
        day,
        entries: Vec::new(),
    };
    args.save(&desk, run.as_ref(), &mut saved)?;
    tell(&desk, &args, &rules, &saved)
}

fn nothing_answered(what: What) -> Failure {
    let example = match what {
        What::After => "lope checkin after --effort 6 --back-worst 2 --surface hard --nothing-new",
        What::Morning => "lope checkin morning --back-morning 1 --nothing-new",
        What::Weekly => "lope checkin weekly --left-out 0 --cut-short 1 --held-back 2 --nothing-new",
        What::Test => "lope checkin test --side-plank-left 45 --side-plank-right 50",
        What::Restart => "lope checkin restart --reason \"new shoes for good\"",
        _ => "lope checkin before --back-now 1 --fatigue 3 --sleep 7 --soreness 2 --nothing-new",
    };
    Failure::new("lope::checkin::nothing", Exit::Usage, "Nothing was answered.")
        .why("there is no terminal to ask at, and no answer among the flags")
        .try_this(example)
}

impl CheckinArgs {
    /// Whether anything was answered that this kind of check-in keeps.
    fn any(&self) -> bool {
        self.safety.answered()
            || match self.what {
                What::Before | What::Morning => self.of_day.any() || self.note.text.is_some(),
                What::After => self.of_day.any() || self.note.any(),
                What::Weekly => self.of_week.any(),
                What::Test => self.test.any(),
                What::Restart => self.reason.is_some(),
                What::Seen => true,
                What::Ticks => false,
            }
    }

    /// Refuses answers that belong to another kind of check-in: they would be lost without a word.
    fn refuse_strangers(&self) -> Result<(), Failure> {
        use What::{After, Before, Morning, Restart, Test, Weekly};
        let note = NoteArgs {
            text: None,
            ..self.note.clone()
        };
        let groups = [
            (
                self.of_day.any(),
                "answers of a day",
                [Before, Morning, After].as_slice(),
            ),
            (note.any(), "answers about a run", [After].as_slice()),
            (self.session.is_some(), "--session", [After].as_slice()),
            (self.of_week.any(), "answers of a week", [Weekly].as_slice()),
            (self.test.any(), "results of tests", [Test].as_slice()),
            (self.reason.is_some(), "--reason", [Restart].as_slice()),
        ];
        let stranger = groups.iter().find(|(given, _, at)| *given && !at.contains(&self.what));
        match stranger {
            None => Ok(()),
            Some((_, what, at)) => {
                let at: Vec<&str> = at.iter().map(|w| w.word()).collect();
                Err(Failure::new(
                    "lope::checkin::elsewhere",
                    Exit::Usage,
                    format!("lope checkin {} does not take {what}.", self.what.word()),
                )
                .why(format!("they belong to lope checkin {}", at.join(", ")))
                .try_this(format!(
                    "lope checkin {} with the same flags",
                    at.first().unwrap_or(&"before")
                )))
            }
        }
    }

    /// Asks on a terminal: everything where no flag answered anything, else only the safety row.
    fn ask(&mut self, asking: &mut Asking<'_>, desk: &Desk, rules: &Rules, run: Option<&Run>) -> Result<(), Failure> {
        let question = |name: &str| {
            let found = rules.questions.iter().find(|q| q.name == name);
            found.map_or_else(|| name.to_owned(), |q| q.text.clone())
        };
        let silent = !self.any() || (self.what == What::Seen && !self.safety.answered());
        if silent {
            asking.say("Enter skips a question, q ends.")?;
            match self.what {
                What::Before => self.of_day.ask_before(asking, &question)?,
                What::Morning => self.of_day.back_morning = asking.score(&question("q_morning"))?,
                What::After => {
                    let worn: Vec<(String, String)> = shoes::in_use(desk)?;
                    if let Some(run) = run {
                        asking.say(&format!("About the run {} of {}.", run.id(), desk.shown(run.day(desk))))?;
                    }
                    self.note.ask(asking, &question, &worn)?;
                }
                What::Weekly => {
                    let goals = last_goals(desk)?;
                    self.of_week.ask(asking, &question, &goals)?;
                }
                What::Test => self.test.ask(asking, &question)?,
                What::Restart => {
                    self.reason = asking.ask("Why does the usual change?", "words", |t| Ok(t.to_owned()))?;
                    return Ok(());
                }
                What::Seen | What::Ticks => {}
            }
        }
        if self.what == What::Restart {
            return Ok(());
        }
        let (day, run) = (&self.of_day, &self.note);
        let scores = [day.back_now, day.back_morning, run.back_worst, run.back_before];
        let worst = scores.into_iter().flatten().max();
        self.safety.ask(asking, rules, &question("q_safety"), worst)
    }

    fn save(&self, desk: &Desk, run: Option<&Run>, saved: &mut Saved) -> Result<(), Failure> {
        let day = saved.day;
        match self.what {
            What::After => {
                if let Some(run) = run {
                    self.save_note(desk, run, saved)?;
                }
            }
            What::Weekly if self.of_week.any() => {
                let id = entry_id(&format!("weekly-{day}"))?;
                let mut weekly = match desk.entry(&id)?.map(|e| e.body) {
                    Some(Body::Weekly(weekly)) => weekly,
                    _ => Weekly::default(),
                };
                self.of_week.apply(&mut weekly)?;
                let put = desk.put(id.clone(), day, Body::Weekly(weekly))?;
                saved.entries.push((id, put));
            }
            What::Test if self.test.any() => {
                let id = entry_id(&format!("test-{day}"))?;
                let mut test = match desk.entry(&id)?.map(|e| e.body) {
                    Some(Body::BodyTest(test)) => test,
                    _ => BodyTest::default(),
                };
                self.test.apply(&mut test);
                let put = desk.put(id.clone(), day, Body::BodyTest(test))?;
                saved.entries.push((id, put));
            }
            What::Restart => {
                let reason = self.reason.clone().unwrap_or_default();
                let id = entry_id(&format!("restart-{day}"))?;
                let put = desk.put(id.clone(), day, Body::Restart(Restart { reason }))?;
                saved.entries.push((id, put));
                return Ok(());
            }
            _ => {}
        }
        self.save_check_in(desk, run, saved)
    }

    /// What was said about the run itself.
    fn save_note(&self, desk: &Desk, run: &Run, saved: &mut Saved) -> Result<(), Failure> {
        let mut note = run.note(desk)?;
        let before = note.clone();
        self.note.apply(desk, &mut note)?;
        if note.back_before.is_none() {
            // What was answered before the run is the score before it.
            let id = entry_id(&format!("checkin-{}-before", saved.day))?;
            if let Some(Body::CheckIn(check_in)) = desk.entry(&id)?.map(|e| e.body) {
                note.back_before = check_in.back_now;
            }
        }
        if self.note.any() || note != before {
            saved.entries.push(run.write(desk, note)?);
        }
        Ok(())
    }

    /// What was said about the day, with the safety row.
    fn save_check_in(&self, desk: &Desk, run: Option<&Run>, saved: &mut Saved) -> Result<(), Failure> {
        let day = saved.day;
        let limited = self.what == What::Weekly && self.of_week.daily_life.is_some();
        let own_text = self.note.text.is_some() && self.what != What::After;
        if !(self.of_day.any() || self.safety.answered() || own_text || limited || self.what == What::Seen) {
            return Ok(());
        }
        let id = match run {
            // Two runs of a day have two answers.
            Some(run) => format!("checkin-{day}-after-{}", run.id().get(..36).unwrap_or(run.id())),
            None => format!("checkin-{day}-{}", self.what.word()),
        };
        let id = entry_id(&id)?;
        let mut check_in = match desk.entry(&id)?.map(|e| e.body) {
            Some(Body::CheckIn(check_in)) => check_in,
            _ => CheckIn::default(),
        };
        self.of_day.apply(&mut check_in)?;
        self.safety.apply(&mut check_in);
        if own_text {
            check_in.text.clone_from(&self.note.text);
        }
        check_in.seen_by_professional |= self.what == What::Seen;
        if let Some(hard) = self.of_week.daily_life.filter(|_| limited) {
            // The rule file: a yes to q_daily_life sets this tick for that day.
            check_in.ticks.retain(|t| t != DAILY_LIFE);
            if hard == YesNo::Yes {
                check_in.ticks.push(DAILY_LIFE.to_owned());
            }
        }
        let put = desk.put(id.clone(), day, Body::CheckIn(check_in))?;
        saved.entries.push((id, put));
        Ok(())
    }
}

/// The tick that a yes to the question about ordinary things sets.
const DAILY_LIFE: &str = "daily_life_limited";

/// Goals of the latest week that named some.
fn last_goals(desk: &Desk) -> Result<Vec<String>, Failure> {
    let weeks = desk.entries(&[Kind::Weekly], None, None)?;
    let named = weeks.iter().rev().find_map(|entry| match &entry.body {
        Body::Weekly(weekly) if !weekly.goals.is_empty() => Some(weekly.goals.keys().cloned().collect()),
        _ => None,
    });
    Ok(named.unwrap_or_default())
}

/// The safety row of a day, over every check-in in it.
#[derive(Default)]
struct Row {
    ticks: BTreeSet<String>,
    answered: bool,
}

fn row_of(desk: &Desk, day: Day) -> Result<Row, Failure> {
    let mut row = Row::default();
    for entry in desk.entries(&[Kind::CheckIn], Some(day), Some(day))? {
        if let Body::CheckIn(check_in) = entry.body {
            row.ticks.extend(check_in.ticks);
            row.answered |= check_in.safety_answered;
        }
    }
    Ok(row)
}

fn tell(desk: &Desk, args: &CheckinArgs, rules: &Rules, saved: &Saved) -> Result<Exit, Failure> {
    let changed = saved.entries.iter().map(|(_, put)| *put).find(|put| *put != Put::Known);
    let word = put_word(changed.unwrap_or(Put::Known));
    let row = row_of(desk, saved.day)?;
    let shown: Vec<Shown> = safety::texts(rules, &row.ticks);
    let mut text = format!("{word} for {}", desk.shown(saved.day));
    if args.what == What::Restart {
        text.push_str(": from here on the usual is learned anew");
    } else if args.safety.nothing_new {
        text.push_str(" · nothing new");
    }
    text.push('\n');
    for s in &shown {
        let _ = writeln!(text, "\n{}", s.text);
    }
    if !shown.is_empty() {
        let _ = writeln!(text, "\n{}", rules.footer);
    }
    let entries: Vec<_> = saved
        .entries
        .iter()
        .map(|(id, put)| {
            let body = desk.entry(id)?.map(|e| e.body);
            Ok(json!({"id": id, "put": put_name(*put), "entry": body}))
        })
        .collect::<Result<_, Failure>>()?;
    let object = json!({
        "athlete": desk.athlete, "day": saved.day, "entries": entries,
        "safety_answered": row.answered, "safety": shown.iter().map(Shown::json).collect::<Vec<_>>(),
    });
    desk.result(&object, &text)?;
    if !shown.is_empty() {
        // Only the fixed text is said.
        return Ok(Exit::Done);
    }
    if !row.answered && args.what != What::Restart {
        desk.console
            .advice("the safety row was not answered: add --nothing-new, or --tick NAME (lope checkin ticks)");
    }
    desk.console.advice(match args.what {
        What::Before => "next: lope record, then lope checkin after",
        What::After => "next: tomorrow lope checkin morning",
        _ => "next: lope log list",
    });
    Ok(Exit::Done)
}

fn ticks(globals: &Globals, rules: &Rules) -> Result<Exit, Failure> {
    if globals.console.json {
        globals
            .console
            .result(&format!("{:#}\n", json!({"ticks": rules.ticks})))?;
    } else {
        let mut text = String::new();
        for tick in &rules.ticks {
            let _ = writeln!(
                text,
                "{:<26} {:<16} {}",
                tick.name,
                tick.show.name().replace('_', " "),
                tick.text
            );
        }
        globals.console.result(&text)?;
    }
    globals
        .console
        .advice("next: lope checkin --nothing-new, or lope checkin --tick NAME");
    Ok(Exit::Done)
}
