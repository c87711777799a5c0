//! `lope log`: the journal as a list, and what is written into it by hand: runs made without lope, other sports, core
//! work, rest days, words about a session, a professional's notes.

use super::Globals;
use super::athlete_choice::AthleteArg;
use super::days::AskedDay;
use super::desk::{self, Desk, entry_id, put_word};
use super::failure::{Exit, Failure};
use super::run_note::{self, NoteArgs, Run};
use crate::store::SessionId;
use crate::store::journal::{
    Activity, ActivityKind, ActivitySource, Body, CheckIn, ClinicianNote, Day, Entry, Kind, SessionNote,
};
use clap::{Args, Subcommand};
use serde_json::json;
use std::fmt::Write as _;

/// Days that a list goes back without `--from`.
const LISTED_DAYS: i32 = 42;

/// Arguments of `lope log`.
#[derive(Args, Debug)]
pub struct LogArgs {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    who: AthleteArg,
}

#[derive(Subcommand, Debug)]
enum What {
    /// The entries of the last six weeks
    List {
        /// From this day on: 2026-11-02, today, yesterday
        #[arg(long, value_name = "DAY", value_parser = AskedDay::parse)]
        from: Option<AskedDay>,
        /// Up to this day, included
        #[arg(long, value_name = "DAY", value_parser = AskedDay::parse)]
        to: Option<AskedDay>,
        #[command(flatten)]
        who: AthleteArg,
    },
    /// A run made without lope
    Run {
        #[command(flatten)]
        done: DoneArgs,
        #[command(flatten)]
        note: NoteArgs,
    },
    /// Another sport
    Other {
        #[command(flatten)]
        done: DoneArgs,
        /// Effort of the whole session, 0 to 10
        #[arg(long, value_name = "0-10", value_parser = clap::value_parser!(u8).range(0..=10))]
        effort: Option<u8>,
        /// Distance, km
        #[arg(long, value_name = "KM")]
        km: Option<f64>,
        /// Free words
        #[arg(long, value_name = "TEXT")]
        text: Option<String>,
    },
    /// Core work
    Core {
        #[command(flatten)]
        done: DoneArgs,
        /// Effort of the whole session, 0 to 10
        #[arg(long, value_name = "0-10", value_parser = clap::value_parser!(u8).range(0..=10))]
        effort: Option<u8>,
        /// Free words
        #[arg(long, value_name = "TEXT")]
        text: Option<String>,
    },
    /// A rest day on purpose
    Rest {
        /// 2026-11-02, today, yesterday
        #[arg(value_name = "DAY", value_parser = AskedDay::parse, default_value = "today")]
        day: AskedDay,
        #[command(flatten)]
        who: AthleteArg,
    },
    /// What is said about a recorded session or a logged run
    Session {
        /// Its id, or the beginning of it; `last` for the newest
        id: String,
        #[command(flatten)]
        note: NoteArgs,
        /// Leave it out of the usual and of trends, and say why
        #[arg(long, value_name = "REASON")]
        leave_out: Option<String>,
        /// Let it count again
        #[arg(long, conflicts_with = "leave_out")]
        count_again: bool,
        #[command(flatten)]
        who: AthleteArg,
    },
    /// A professional's words
    Note {
        /// What it says
        words: String,
        /// Who wrote it
        #[arg(long, value_name = "NAME", default_value = "")]
        author: String,
        /// The session it is about, by its id or the beginning of it
        #[arg(long, value_name = "ID")]
        session: Option<String>,
        /// When: 2026-11-02, today, yesterday
        #[arg(long, value_name = "DAY", value_parser = AskedDay::parse)]
        day: Option<AskedDay>,
        #[command(flatten)]
        who: AthleteArg,
    },
    /// Take an entry back
    Remove {
        /// Its id, or the beginning of it
        id: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        who: AthleteArg,
    },
}

/// When something was done, and how long it took.
#[derive(Args, Debug)]
struct DoneArgs {
    /// Duration, minutes
    #[arg(long, value_name = "MIN")]
    minutes: Option<f64>,
    /// When: 2026-11-02, today, yesterday
    #[arg(long, value_name = "DAY", value_parser = AskedDay::parse)]
    day: Option<AskedDay>,
    /// Which of that day, where there was more than one: 2 for the second
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=9))]
    number: u8,
    #[command(flatten)]
    who: AthleteArg,
}

/// Runs `lope log`.
///
/// # Errors
/// No such entry, a value that is refused, a record that cannot be written.
pub fn run(globals: &Globals, args: &LogArgs) -> Result<Exit, Failure> {
    let desk = |who: &AthleteArg| {
        let athlete = who.athlete.clone().or_else(|| args.who.athlete.clone());
        Desk::open(globals, &AthleteArg { athlete })
    };
    match &args.what {
        None => list(&desk(&args.who)?, None, None),
        Some(What::List { from, to, who }) => list(&desk(who)?, *from, *to),
        Some(What::Run { done, note }) => {
            let desk = desk(&done.who)?;
            if note.about_body() {
                desk.may_keep_symptoms()?;
            }
            // The distance of a logged run stands with the run, not with what is said about it.
            let said = NoteArgs {
                km: None,
                ..note.clone()
            };
            log(&desk, done, ActivityKind::Run, note.km, &said)
        }
        Some(What::Other { done, effort, km, text }) => {
            let said = words(*effort, text.as_deref());
            log(&desk(&done.who)?, done, ActivityKind::Other, *km, &said)
        }
        Some(What::Core { done, effort, text }) => {
            let said = words(*effort, text.as_deref());
            log(&desk(&done.who)?, done, ActivityKind::Core, None, &said)
        }
        Some(What::Rest { day, who }) => rest(&desk(who)?, *day),
        Some(What::Session {
            id,
            note,
            leave_out,
            count_again,
            who,
        }) => session(&desk(who)?, id, note, leave_out.as_deref(), *count_again),
        Some(What::Note {
            words,
            author,
            session,
            day,
            who,
        }) => clinician(&desk(who)?, words, author, session.as_deref(), *day),
        Some(What::Remove { id, yes, who }) => remove(&desk(who)?, id, *yes),
    }
}

fn words(effort: Option<u8>, text: Option<&str>) -> NoteArgs {
    NoteArgs {
        effort,
        text: text.map(str::to_owned),
        ..NoteArgs::default()
    }
}

fn kind_word(kind: ActivityKind) -> &'static str {
    match kind {
        ActivityKind::Run => "run",
        ActivityKind::Other => "other",
        ActivityKind::Core => "core",
    }
}

/// Writes an activity that was typed in. Its id follows from the day, the kind and the number, so that typing it again
/// corrects it; what is not typed again stays.
fn log(desk: &Desk, done: &DoneArgs, kind: ActivityKind, km: Option<f64>, said: &NoteArgs) -> Result<Exit, Failure> {
    if km.is_none() && done.minutes.is_none() && !said.any() {
        return Err(
            Failure::new("lope::log::nothing", Exit::Usage, "Nothing was said about it.")
                .why("neither distance nor duration nor anything else is given")
                .try_this(format!("lope log {} --minutes 45", kind_word(kind))),
        );
    }
    let day = desk.day(done.day)?;
    let id = entry_id(&format!("{}-{day}-{}", kind_word(kind), done.number))?;
    let mut activity = match desk.entry(&id)?.map(|e| e.body) {
        Some(Body::Activity(there)) => there,
        _ => Activity {
            activity: kind,
            source: ActivitySource::Typed,
            ..Activity::default()
        },
    };
    activity.km = km.or(activity.km);
    activity.minutes = done.minutes.or(activity.minutes);
    said.apply(desk, &mut activity.note)?;
    let text = activity_words(&activity);
    let put = desk.put(id.clone(), day, Body::Activity(activity))?;
    desk.wrote(
        &id,
        day,
        put,
        &format!("{} for {}: {text}\n", put_word(put), desk.shown(day)),
    )?;
    desk.console.advice(&format!(
        "{} is corrected by logging it again; --number {} logs another one   next: lope log list",
        id,
        done.number + 1
    ));
    Ok(Exit::Done)
}

fn rest(desk: &Desk, day: AskedDay) -> Result<Exit, Failure> {
    let day = desk.day(Some(day))?;
    let id = entry_id(&format!("rest-{day}"))?;
    let check_in = CheckIn {
        rest_day: true,
        ..CheckIn::default()
    };
    let put = desk.put(id.clone(), day, Body::CheckIn(check_in))?;
    desk.wrote(
        &id,
        day,
        put,
        &format!("{} for {}: rest day\n", put_word(put), desk.shown(day)),
    )?;
    desk.console.advice("next: lope log list");
    Ok(Exit::Done)
}

fn session(
    desk: &Desk,
    id: &str,
    args: &NoteArgs,
    leave_out: Option<&str>,
    count_again: bool,
) -> Result<Exit, Failure> {
    let today = desk.today();
    let run = run_note::find(desk, Some(id), today)?;
    let mut note = run.note(desk)?;
    if !(args.any() || leave_out.is_some() || count_again) {
        let text = format!("{}  {}\n{}", run.id(), desk.shown(run.day(desk)), note_lines(&note));
        desk.result(&json!({"id": run.id(), "day": run.day(desk), "note": note}), &text)?;
        desk.console.advice(&format!(
            "next: lope log session {} --effort 6 --surface hard --shoe ID",
            run.id()
        ));
        return Ok(Exit::Done);
    }
    if args.about_body() {
        desk.may_keep_symptoms()?;
    }
    args.apply(desk, &mut note)?;
    if let Some(reason) = leave_out {
        note.left_out = true;
        note.text = Some(reason.to_owned());
    }
    if count_again {
        note.left_out = false;
    }
    let lines = note_lines(&note);
    let (entry, put) = run.write(desk, note)?;
    let day = run.day(desk);
    desk.wrote(
        &entry,
        day,
        put,
        &format!("{} for {}\n{lines}", put_word(put), desk.shown(day)),
    )?;
    desk.console.advice("next: lope log list");
    Ok(Exit::Done)
}

fn note_lines(note: &SessionNote) -> String {
    let object = serde_json::to_value(note).unwrap_or_default();
    let mut text = String::new();
    for (key, value) in object.as_object().into_iter().flatten() {
        if !value.is_null() && *value != json!(false) {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "  {:<18} {}", key.replace('_', " "), plain(value));
        }
    }
    if text.is_empty() {
        text.push_str("  nothing said yet\n");
    }
    text
}

/// A value without the quotes of JSON.
fn plain(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn clinician(
    desk: &Desk,
    words: &str,
    author: &str,
    session: Option<&str>,
    day: Option<AskedDay>,
) -> Result<Exit, Failure> {
    if words.trim().is_empty() {
        return Err(
            Failure::new("lope::log::nothing", Exit::Usage, "The note says nothing.")
                .why("its words are empty")
                .try_this("lope log note \"calf raises twice a week\" --author \"Dr. Ito\""),
        );
    }
    desk.may_keep_symptoms()?;
    let mut day = desk.day(day)?;
    let mut about = None;
    if let Some(id) = session {
        let run = run_note::find(desk, Some(id), day)?;
        if let Run::Recorded(row) = &run {
            about = Some(SessionId::parse(row.meta.id.as_str())?);
            day = run.day(desk);
        } else {
            return Err(Failure::new(
                "lope::log::not_recorded",
                Exit::Unknown,
                format!("{} is no recorded session.", run.id()),
            )
            .why("notes name sessions that lope recorded")
            .try_this("leave --session out and say in words which run is meant"));
        }
    }
    // The same words of the same author about the same day are the same note.
    let digest = crate::store::ids::sha256(format!("{author}\0{}\0{words}", session.unwrap_or("")).as_bytes());
    let tail: String = digest[..4].iter().map(|b| format!("{b:02x}")).collect();
    let id = entry_id(&format!("note-{day}-{tail}"))?;
    let note = ClinicianNote {
        author: author.to_owned(),
        session: about,
        text: words.to_owned(),
    };
    let put = desk.put(id.clone(), day, Body::ClinicianNote(note))?;
    desk.wrote(
        &id,
        day,
        put,
        &format!("{} for {}: {words}\n", put_word(put), desk.shown(day)),
    )?;
    desk.console.advice("next: lope log list");
    Ok(Exit::Done)
}

fn remove(desk: &Desk, id: &str, yes: bool) -> Result<Exit, Failure> {
    let entry = desk.find(id, &[])?;
    if !yes {
        desk::confirm(
            &format!("the entry {} ({})", entry.id, line_words(&entry)),
            entry.id.as_str(),
        )?;
    }
    let gone = desk.take_back(&entry.id)?;
    let object = json!({"removed": entry.id, "gone": gone, "entry": entry.body});
    desk.result(&object, &format!("removed {}  {}\n", entry.id, line_words(&entry)))?;
    desk.console.advice("next: lope log list");
    Ok(Exit::Done)
}

fn list(desk: &Desk, from: Option<AskedDay>, to: Option<AskedDay>) -> Result<Exit, Failure> {
    let today = desk.today();
    let from: Day = from.map_or_else(|| today.plus(-LISTED_DAYS), |d| d.day(today));
    let to: Option<Day> = to.map(|d| d.day(today));
    let entries: Vec<Entry> = desk
        .entries(&[], Some(from), to)?
        .into_iter()
        .filter(|e| e.body.kind() != Kind::Athlete)
        .collect();
    let mut text = String::new();
    for entry in &entries {
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{}  {:<14} {:<32} {}",
            entry.day,
            kind_of(entry),
            entry.id.as_str(),
            line_words(entry)
        );
    }
    if entries.is_empty() {
        let _ = writeln!(text, "nothing since {from}");
    }
    let objects: Vec<_> = entries
        .iter()
        .map(|e| json!({"id": e.id, "day": e.day, "at": e.at.iso8601(), "entry": e.body}))
        .collect();
    let object = json!({"athlete": desk.athlete, "from": from, "entries": objects});
    desk.result(&object, &text)?;
    desk.console.advice(if entries.is_empty() {
        "next: lope log run --km 8 --minutes 45, lope checkin, or lope import FILE"
    } else {
        "next: lope log session ID, lope log remove ENTRY; --from DAY goes further back"
    });
    Ok(Exit::Done)
}

fn kind_of(entry: &Entry) -> &'static str {
    match &entry.body {
        Body::Activity(a) => kind_word(a.activity),
        Body::SessionNote(_) => "session",
        Body::CheckIn(_) => "check-in",
        Body::Weekly(_) => "week",
        Body::BodyTest(_) => "test",
        Body::Shoe(_) => "shoes",
        Body::ShoeCheck(_) => "shoe check",
        Body::ClinicianNote(_) => "note",
        Body::Restart(_) => "restart",
        Body::Consent(_) => "consent",
        Body::FlagAction(_) => "flag",
        Body::StrideVerdict(_) => "stride",
        Body::Athlete(_) => "athlete",
    }
}

/// `10.4 km · 52 min · effort 6`.
#[must_use]
pub fn activity_words(activity: &Activity) -> String {
    let mut parts = Vec::new();
    parts.extend(activity.km.map(|v| format!("{v:.1} km")));
    parts.extend(activity.minutes.map(|v| format!("{v:.0} min")));
    parts.extend(activity.heart_rate.map(|v| format!("heart {v:.0}/min")));
    parts.extend(activity.cadence.map(|v| format!("{v:.0} steps/min")));
    parts.extend(note_words(&activity.note));
    if let ActivitySource::File { format, .. } = &activity.source {
        parts.push(format!("from a {format} file"));
    }
    parts.join(" · ")
}

fn note_words(note: &SessionNote) -> Vec<String> {
    let mut parts = Vec::new();
    parts.extend(note.effort.map(|s| format!("effort {}", s.get())));
    parts.extend(note.back_worst.map(|s| format!("back at worst {}", s.get())));
    if note.stopped_for_back == Some(true) {
        parts.push("stopped for the back".to_owned());
    }
    if note.eased_for_back == Some(true) {
        parts.push("eased off for the back".to_owned());
    }
    parts.extend(note.shoe.as_ref().map(|s| format!("in {s}")));
    if note.left_out {
        parts.push("left out".to_owned());
    }
    parts.extend(note.text.as_deref().map(|t| t.chars().take(40).collect()));
    parts
}

fn line_words(entry: &Entry) -> String {
    match &entry.body {
        Body::Activity(activity) => activity_words(activity),
        Body::SessionNote(note) => {
            let mut parts: Vec<String> = note.km.map(|v| format!("{v:.1} km")).into_iter().collect();
            parts.extend(note_words(note));
            parts.join(" · ")
        }
        Body::CheckIn(c) => {
            let mut parts = Vec::new();
            parts.extend(c.back_now.or(c.back_morning).map(|s| format!("back {}", s.get())));
            parts.extend(c.fatigue.map(|s| format!("tired {}", s.get())));
            parts.extend(c.sleep_quality.map(|s| format!("sleep {}", s.get())));
            if c.rest_day {
                parts.push("rest day".to_owned());
            }
            if c.seen_by_professional {
                parts.push("seen by a professional".to_owned());
            }
            match (c.safety_answered, c.ticks.len()) {
                (true, 0) => parts.push("nothing new".to_owned()),
                (_, 0) => {}
                (_, n) => parts.push(format!("{n} ticked")),
            }
            parts.join(" · ")
        }
        Body::Weekly(w) => w
            .held_back
            .map_or_else(String::new, |s| format!("held back {}", s.get())),
        Body::BodyTest(t) => {
            let side = |v: Option<f64>| v.map_or_else(|| "?".to_owned(), |v| format!("{v:.0} s"));
            format!(
                "side plank {} left, {} right",
                side(t.side_plank_left_s),
                side(t.side_plank_right_s)
            )
        }
        Body::Shoe(s) => s.name.clone(),
        Body::ShoeCheck(c) => c
            .comfort
            .map_or_else(|| c.shoe.to_string(), |s| format!("{} comfort {}", c.shoe, s.get())),
        Body::ClinicianNote(n) => n.text.chars().take(60).collect(),
        Body::Restart(r) => r.reason.chars().take(60).collect(),
        Body::Consent(c) => if c.given { "given" } else { "withdrawn" }.to_owned(),
        Body::FlagAction(a) => a.flag.clone(),
        Body::StrideVerdict(v) => v.words(),
        Body::Athlete(a) => a.name.clone(),
    }
}
