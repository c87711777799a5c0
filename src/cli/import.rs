//! `lope import`: runs made without lope, from the FIT, GPX and TCX files of watches, into the journal.
//!
//! The id of an entry follows from the athlete and the bytes, so that the same file again changes nothing. A run that lope
//! recorded itself, or that came in by another file, is told and not counted twice.
//!
//! A folder that `lope export --all` made is another matter: it is the record itself (`restore`).

use super::Globals;
use super::athlete_choice::AthleteArg;
use super::days::{SECOND_US, Zone};
use super::desk::{Desk, entry_id, put_name, put_word};
use super::failure::{Exit, Failure};
use super::restore::Mode;
use crate::interchange::fit::session_mark;
use crate::interchange::tracks::course::{self, Course};
use crate::interchange::tracks::{self, Format, Sport, TrackError};
use crate::store::ids::sha256;
use crate::store::journal::{Activity, ActivityKind, ActivitySource, Body, Day, EntryId, Kind, Put, SessionNote};
use crate::store::{AthleteId, SessionRow, SqliteJournal, UtcMicros, WallClock};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Extensions looked for in a folder.
const EXTENSIONS: [&str; 3] = ["fit", "gpx", "tcx"];
/// Deepest folder looked into.
const DEEPEST: usize = 8;

/// Arguments of `lope import`.
#[derive(Args, Debug)]
pub struct ImportArgs {
    /// FIT, GPX or TCX files, or folders of them; or one folder that `lope export --all` made
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    who: AthleteArg,
    /// Only say what would be kept
    #[arg(long)]
    dry_run: bool,
    /// What it was, whatever the file says
    #[arg(long = "as", value_enum, value_name = "KIND")]
    kind: Option<KindArg>,
    /// Zone whose days are meant, whatever the file says: Europe/Berlin, +02:00
    #[arg(long, value_name = "ZONE", value_parser = Zone::parse)]
    tz: Option<Zone>,
    /// Where lope recorded the run as well, note the distance of the file with that session
    #[arg(long = "match")]
    take_km: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum KindArg {
    /// A run
    Run,
    /// Another sport
    Other,
}

/// What became of one activity.
enum Became {
    /// It is an entry now.
    Kept(Put),
    /// It would be one.
    WouldKeep,
    /// Lope recorded it as well; its distance was noted, or not.
    Recorded(String, Option<Put>),
    /// It came in by another file already.
    Elsewhere(EntryId),
}

/// One activity of a file.
struct Told {
    id: EntryId,
    day: Day,
    course: Course,
    activity: Activity,
    became: Became,
    hints: Vec<String>,
}

/// Where it is kept.
struct Place {
    /// `None` in a dry run without a record.
    desk: Option<Desk>,
    athlete: AthleteId,
    /// What lope recorded of the athlete.
    sessions: Vec<SessionRow>,
}

/// Runs `lope import`.
///
/// # Errors
/// No file could be read; the record cannot be written. Where some could, the rest is listed and the exit is partial.
pub fn run(globals: &Globals, args: &ImportArgs) -> Result<Exit, Failure> {
    if let Some(export) = args.files.iter().find(|f| crate::runtime::restore::is_export(f)) {
        return whole(globals, args, export);
    }
    let dir = globals.data_dir()?;
    let fresh = args.dry_run && SqliteJournal::open_existing(&dir)?.is_none();
    let athlete = super::athlete_choice::resolve(globals, &args.who, Some(&dir))?.id;
    // A dry run makes no record, not even an empty one.
    let desk = if fresh {
        None
    } else {
        Some(Desk::open(globals, &args.who)?)
    };
    let sessions = desk.as_ref().map(Desk::sessions).transpose()?.unwrap_or_default();
    let place = Place {
        desk,
        athlete,
        sessions,
    };
    let (files, left) = gather(&args.files)?;
    let mut read: Vec<(PathBuf, Format, Vec<Told>)> = Vec::new();
    let mut refused: Vec<(PathBuf, Failure)> = Vec::new();
    for path in files {
        match take(&place, args, &path) {
            Ok((format, told)) => read.push((path, format, told)),
            // What is wrong with the record would be wrong with every file.
            Err(failure) if failure.exit != Exit::Refused => return Err(failure),
            Err(failure) => refused.push((path, failure)),
        }
    }
    if read.is_empty() {
        return Err(all_refused(refused));
    }
    if let Some(desk) = place.desk.as_ref().filter(|_| !args.dry_run) {
        desk.renew_flags()?;
    }
    let today = place.desk.as_ref().map(Desk::today);
    let console = globals.console;
    console.result(&if console.json {
        format!("{:#}\n", report_json(&place.athlete, args.dry_run, &read, &refused))
    } else {
        report(&read, &refused, today)
    })?;
    for hint in read.iter().flat_map(|(_, _, told)| told).flat_map(|t| &t.hints) {
        console.advice(hint);
    }
    if left > 0 {
        console.advice(&format!(
            "{left} files of other kinds in the folders were not looked at"
        ));
    }
    console.advice(if args.dry_run {
        "nothing was written   next: the same without --dry-run"
    } else {
        "next: lope log list, lope log session ID --effort 6"
    });
    Ok(if refused.is_empty() { Exit::Done } else { Exit::Partial })
}

/// An export stands alone: what it holds says itself whose and what it is.
fn whole(globals: &Globals, args: &ImportArgs, export: &Path) -> Result<Exit, Failure> {
    let more =
        args.files.len() > 1 || args.kind.is_some() || args.tz.is_some() || args.take_km || args.who.athlete.is_some();
    if more {
        return Err(Failure::new(
            "lope::import::alone",
            Exit::Usage,
            format!("{} is an export of lope, and it is read alone.", export.display()),
        )
        .why("it names its athletes, days and distances itself")
        .try_this(format!("lope import {}", export.display())));
    }
    let mode = if args.dry_run { Mode::DryRun } else { Mode::Write };
    super::restore::run(globals, export, mode)
}

fn all_refused(mut refused: Vec<(PathBuf, Failure)>) -> Failure {
    if refused.len() == 1
        && let Some((_, failure)) = refused.pop()
    {
        return failure;
    }
    let mut failure = Failure::new("lope::import::refused", Exit::Refused, "None of the files can be read.");
    for (path, one) in &refused {
        failure = failure.why(format!("{}: {}", path.display(), one.why.join("; ")));
    }
    if refused.is_empty() {
        failure = failure.why("there is no FIT, GPX or TCX file in the folder");
    }
    failure.try_this("lope import FILE of a watch's export; recordings of lope go to lope analyze")
}

/// The files meant: those named, and those of the folders named. Also how many files of folders were not looked at.
fn gather(named: &[PathBuf]) -> Result<(Vec<PathBuf>, usize), Failure> {
    let mut files = Vec::new();
    let mut left = 0;
    for path in named {
        if path.is_dir() {
            if path.join("recording.toml").is_file() {
                return Err(recording(path));
            }
            folder(path, 0, &mut files, &mut left)?;
        } else {
            files.push(path.clone());
        }
    }
    Ok((files, left))
}

fn folder(path: &Path, depth: usize, files: &mut Vec<PathBuf>, left: &mut usize) -> Result<(), Failure> {
    let unreadable = |e: std::io::Error| {
        Failure::new(
            "lope::import::open",
            Exit::Refused,
            format!("{} cannot be read.", path.display()),
        )
        .why(e.to_string())
        .try_this("name a folder that is yours")
    };
    let mut inside: Vec<PathBuf> = std::fs::read_dir(path)
        .map_err(unreadable)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    inside.sort();
    for path in inside {
        // A link may lead round in a circle.
        let Ok(kind) = std::fs::symlink_metadata(&path) else {
            continue;
        };
        if kind.is_dir() && depth < DEEPEST {
            folder(&path, depth + 1, files, left)?;
        } else if path.is_file() {
            let extension = path
                .extension()
                .and_then(|e| e.to_str())
                .unwrap_or("")
                .to_ascii_lowercase();
            if EXTENSIONS.contains(&extension.as_str()) {
                files.push(path);
            } else {
                *left += 1;
            }
        }
    }
    Ok(())
}

fn recording(path: &Path) -> Failure {
    Failure::new(
        "lope::import::recording",
        Exit::Refused,
        format!("{} looks like a recording of sensors.", path.display()),
    )
    .why("lope import takes the FIT, GPX and TCX files of watches")
    .try_this(format!("lope analyze {}", path.display()))
}

fn unreadable(path: &Path, why: String) -> Failure {
    Failure::new(
        "lope::import::refused",
        Exit::Refused,
        format!("{} cannot be read.", path.display()),
    )
    .why(why)
    .try_this("export the run from the watch's app again, as FIT, GPX or TCX")
}

fn bytes_of(path: &Path) -> Result<Vec<u8>, Failure> {
    let open = |e: std::io::Error| unreadable(path, e.to_string());
    let about = std::fs::metadata(path).map_err(open)?;
    if !about.is_file() {
        return Err(unreadable(path, "it is no file".to_owned()));
    }
    if about.len() > tracks::MAX_BYTES {
        return Err(unreadable(
            path,
            TrackError::TooLarge { bytes: about.len() }.to_string(),
        ));
    }
    std::fs::read(path).map_err(open)
}

/// Reads a file and keeps what is in it.
fn take(place: &Place, args: &ImportArgs, path: &Path) -> Result<(Format, Vec<Told>), Failure> {
    let bytes = bytes_of(path)?;
    let is_table = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("csv"));
    let file = tracks::read(&bytes).map_err(|e| match e {
        TrackError::Unknown(_) if is_table => recording(path),
        e => unreadable(path, e.to_string()),
    })?;
    let courses: Vec<Course> = file
        .tracks
        .iter()
        .map(course::summarise)
        .collect::<Result<_, _>>()
        .map_err(|e| unreadable(path, e.to_string()))?;
    let hash = sha256(&bytes);
    let mut told = Vec::new();
    for (number, course) in courses.into_iter().enumerate() {
        let one = keep(place, args, file.format, &hash, number, course).map_err(|failure| match failure.code {
            "lope::journal::refused" => unreadable(path, failure.why.join("; ")),
            _ => failure,
        })?;
        told.push(one);
    }
    Ok((file.format, told))
}

/// The id of an activity: of the athlete, the bytes, and its number in the file.
fn id_of(athlete: &AthleteId, hash: &[u8; 32], number: usize) -> Result<EntryId, Failure> {
    let mut named = b"lope-track-1\0".to_vec();
    named.extend_from_slice(athlete.as_str().as_bytes());
    named.push(0);
    named.extend_from_slice(hash);
    if number > 0 {
        named.extend_from_slice(&(number as u64).to_be_bytes());
    }
    entry_id(&format!("f{}", hex(&sha256(&named)[..12])))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn keep(
    place: &Place,
    args: &ImportArgs,
    format: Format,
    hash: &[u8; 32],
    number: usize,
    course: Course,
) -> Result<Told, Failure> {
    let id = id_of(&place.athlete, hash, number)?;
    let at = UtcMicros::from_micros(course.start_us);
    let of_file = course.utc_offset_s.and_then(Zone::fixed);
    let zone = args.tz.clone().or(of_file).unwrap_or_else(Zone::here);
    let day = zone.day(at);
    let run = match args.kind {
        Some(kind) => kind == KindArg::Run,
        None => !matches!(course.sport, Sport::Other(_)),
    };
    let mut activity = Activity {
        activity: if run { ActivityKind::Run } else { ActivityKind::Other },
        km: course.km.map(|v| round(v, 1000.0)),
        minutes: Some(round(course.moving_s / 60.0, 100.0)),
        heart_rate: course.heart_rate.map(|v| round(v, 10.0)),
        cadence: course.cadence.filter(|_| run).map(|v| round(v, 10.0)),
        ascent_m: course.ascent_m.map(|v| round(v, 10.0)),
        downhill_km: course.downhill_km.map(|v| round(v, 1000.0)),
        first5_speed_ratio: course.first5_speed_ratio.map(|v| round(v, 1000.0)),
        note: SessionNote::default(),
        source: ActivitySource::File {
            format: format.name().to_owned(),
            sha256: hex(hash),
        },
    };
    let mut hints = Vec::new();
    if args.kind.is_none() && course.sport == Sport::Unsaid {
        hints.push(format!(
            "{id}: the file does not say what it was; taken as a run (--as other says otherwise)"
        ));
    }
    let end = UtcMicros::from_micros(at.micros() + (course.elapsed_s * SECOND_US as f64) as i64);
    let mut became = Became::WouldKeep;
    if let Some(desk) = &place.desk {
        let known = desk.entry(&id)?;
        if let Some(Body::Activity(old)) = known.as_ref().map(|e| &e.body) {
            // What the runner said about it since stays.
            activity.note = old.note.clone();
        }
        // A file that lope wrote of a session is that session, whatever its clock.
        let of = |s: &&SessionRow| course.lope_session == Some(session_mark(s.meta.id.as_str()));
        let own = place.sessions.iter().find(of);
        let recorded = place.sessions.iter().find(|s| overlaps(s, at, end));
        let elsewhere = other_file(desk, &id, at, end)?;
        became = match (own.or(recorded), elsewhere) {
            (Some(session), _) if own.is_some() => {
                // Its distance is the one that the session has.
                hints.push(format!("{id}: lope wrote this file, of session {}", session.meta.id));
                Became::Recorded(session.meta.id.to_string(), None)
            }
            (Some(session), _) if known.is_none() => {
                let noted = if args.take_km && !args.dry_run {
                    note_km(desk, session, activity.km)?
                } else {
                    None
                };
                if noted.is_none() {
                    hints.push(format!(
                        "{}: lope recorded it as session {}; --match notes the file's distance with it",
                        id, session.meta.id
                    ));
                }
                Became::Recorded(session.meta.id.to_string(), noted)
            }
            (None, Some(other)) if known.is_none() => Became::Elsewhere(other),
            _ if args.dry_run => Became::WouldKeep,
            _ => Became::Kept(desk.put_at(id.clone(), day, at, Body::Activity(activity.clone()))?),
        };
        if matches!(became, Became::Kept(Put::New)) {
            hints.extend(typed_hint(desk, day, run)?);
        }
    }
    Ok(Told {
        id,
        day,
        course,
        activity,
        became,
        hints,
    })
}

/// A value at the precision it deserves: what is kept is what is shown, and does not depend on the last bit.
fn round(value: f64, per_unit: f64) -> f64 {
    (value * per_unit).round() / per_unit
}

/// Whether lope recorded a session in this time. Sessions whose start was never read from a clock say nothing of it.
fn overlaps(session: &SessionRow, from: UtcMicros, to: UtcMicros) -> bool {
    let begin = session.meta.start.micros();
    let lasts = session.stop.or(session.meta.expected_stop).map_or(0.0, |t| t.secs());
    let end = begin + (lasts * SECOND_US as f64) as i64;
    session.meta.wall_clock == WallClock::Known && begin < to.micros() && from.micros() < end
}

/// An activity of another file in this time.
fn other_file(desk: &Desk, id: &EntryId, from: UtcMicros, to: UtcMicros) -> Result<Option<EntryId>, Failure> {
    // Days differ by zone; two either side hold every entry of the time.
    let around = |at: UtcMicros, days: i32| Day::of_utc(at).plus(days);
    let near = desk.entries(&[Kind::Activity], Some(around(from, -2)), Some(around(to, 2)))?;
    let same_time = |entry: &crate::store::journal::Entry| match &entry.body {
        Body::Activity(a) => {
            let lasts = a.minutes.unwrap_or(0.0) * 60.0 * SECOND_US as f64;
            let end = entry.at.micros() + lasts as i64;
            a.source != ActivitySource::Typed && entry.at < to && from.micros() < end
        }
        _ => false,
    };
    Ok(near.into_iter().find(|e| e.id != *id && same_time(e)).map(|e| e.id))
}

fn note_km(desk: &Desk, session: &SessionRow, km: Option<f64>) -> Result<Option<Put>, Failure> {
    if km.is_none() {
        return Ok(None);
    }
    let run = super::run_note::Run::Recorded(Box::new(session.clone()));
    let note = SessionNote { km, ..run.note(desk)? };
    Ok(Some(run.write(desk, note)?.1))
}

/// What to do when the same run may have been typed in as well.
fn typed_hint(desk: &Desk, day: Day, run: bool) -> Result<Option<String>, Failure> {
    let of_day = desk.entries(&[Kind::Activity], Some(day), Some(day))?;
    let typed = of_day.iter().find(|e| {
        matches!(&e.body, Body::Activity(a)
            if a.source == ActivitySource::Typed && (a.activity == ActivityKind::Run) == run)
    });
    Ok(typed.map(|e| {
        format!(
            "{} was typed in for the same day; if it is the same, take it back: lope log remove {}",
            e.id, e.id
        )
    }))
}

/// `52:10` or `1:02:03`.
fn clock(seconds: f64) -> String {
    let s = seconds.round().max(0.0) as u64;
    match s / 3600 {
        0 => format!("{}:{:02}", s / 60, s % 60),
        h => format!("{h}:{:02}:{:02}", s / 60 % 60, s % 60),
    }
}

fn figures(course: &Course, activity: &Activity) -> String {
    let kind = match (activity.activity, &course.sport) {
        (ActivityKind::Run, _) => "run".to_owned(),
        (_, Sport::Other(word)) => word.clone(),
        _ => "other".to_owned(),
    };
    let mut parts = vec![kind];
    if let (Some(km), Some(from)) = (course.km, course.km_from) {
        parts.push(format!("{km:.2} km {}", from.words()));
    }
    let (moving, whole) = (clock(course.moving_s), clock(course.elapsed_s));
    parts.push(if moving == whole {
        moving
    } else {
        format!("{moving} of {whole}")
    });
    parts.extend(activity.heart_rate.map(|v| format!("heart {v:.0}/min")));
    parts.extend(activity.cadence.map(|v| format!("{v:.0} steps/min")));
    parts.extend(activity.ascent_m.map(|v| format!("climb {v:.0} m")));
    parts.extend(
        activity
            .downhill_km
            .filter(|v| *v > 0.0)
            .map(|v| format!("{v:.2} km downhill")),
    );
    parts.join(" · ")
}

fn became_words(told: &Told, today: Option<Day>) -> String {
    let day = today.map_or_else(|| told.day.to_string(), |today| super::days::shown(told.day, today));
    let short = &told.id.as_str()[..9];
    match &told.became {
        Became::Kept(put) => format!("{} for {day}  {short}", put_word(*put)),
        Became::WouldKeep => format!("would be saved for {day}"),
        Became::Recorded(session, None) => {
            format!("not counted again: lope recorded it as session {session}")
        }
        Became::Recorded(session, Some(put)) => {
            format!(
                "distance noted with session {session} ({}); not counted again",
                put_word(*put)
            )
        }
        Became::Elsewhere(other) => format!("not counted again: {} came from another file", &other.as_str()[..9]),
    }
}

fn report(read: &[(PathBuf, Format, Vec<Told>)], refused: &[(PathBuf, Failure)], today: Option<Day>) -> String {
    let mut text = String::new();
    for (path, _, told) in read {
        for one in told {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{}: {}", path.display(), figures(&one.course, &one.activity));
            let _ = writeln!(text, "  {}", became_words(one, today));
            for remark in &one.course.remarks {
                let _ = writeln!(text, "  {remark}");
            }
        }
    }
    for (path, failure) in refused {
        let _ = writeln!(text, "{}: refused: {}", path.display(), failure.why.join("; "));
    }
    text
}

fn told_json(one: &Told) -> Value {
    let (status, about) = match &one.became {
        Became::Kept(put) => (put_name(*put), None),
        Became::WouldKeep => ("would_keep", None),
        Became::Recorded(session, None) => ("recorded", Some(session.clone())),
        Became::Recorded(session, Some(_)) => ("matched", Some(session.clone())),
        Became::Elsewhere(other) => ("other_file", Some(other.to_string())),
    };
    json!({
        "id": one.id, "status": status, "same_as": about, "day": one.day,
        "start": UtcMicros::from_micros(one.course.start_us).iso8601(), "activity": one.activity,
        "km_from": one.course.km_from.map(|f| format!("{f:?}").to_lowercase()), "elapsed_min": round(one.course.elapsed_s / 60.0, 100.0),
        "points": one.course.points, "remarks": one.course.remarks,
    })
}

fn report_json(
    athlete: &AthleteId,
    dry_run: bool,
    read: &[(PathBuf, Format, Vec<Told>)],
    refused: &[(PathBuf, Failure)],
) -> Value {
    let mut files: Vec<Value> = read
        .iter()
        .map(|(path, format, told)| {
            let activities: Vec<Value> = told.iter().map(told_json).collect();
            json!({"file": path.display().to_string(), "format": format.name(), "activities": activities})
        })
        .collect();
    files.extend(
        refused
            .iter()
            .map(|(path, f)| json!({"file": path.display().to_string(), "refused": f.why, "code": f.code})),
    );
    json!({"athlete": athlete, "dry_run": dry_run, "files": files})
}
