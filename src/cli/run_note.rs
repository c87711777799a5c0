//! What a runner says about one run, whether lope recorded it or it was logged: which run is meant, and how answers
//! given by flags join those that are there.
//!
//! A recorded session's note is an entry with the session's id; a logged run carries its note itself.

use super::ask::Asking;
use super::athlete::YesNo;
use super::days::shown;
use super::desk::{Desk, entry_id};
use super::failure::{Exit, Failure};
use crate::store::SessionRow;
use crate::store::journal::{
    Activity, ActivityKind, Body, Day, Entry, EntryId, Ground, GroundKm, Kind, Onset, Put, RunKind, Score, SessionNote,
};
use clap::{Args, ValueEnum};

/// Answers about a run.
#[derive(Args, Clone, Debug, Default)]
pub struct NoteArgs {
    /// Effort of the whole session, 0 to 10
    #[arg(long, value_name = "0-10", value_parser = clap::value_parser!(u8).range(0..=10))]
    pub effort: Option<u8>,
    /// What the run was for
    #[arg(long, value_enum)]
    pub run_kind: Option<RunKindArg>,
    /// Main ground
    #[arg(long, value_enum, alias = "ground")]
    pub surface: Option<SurfaceArg>,
    /// Distance by kind of ground, km: hard=6,uneven=2
    #[arg(long, value_name = "GROUND=KM", value_delimiter = ',', value_parser = ground_km)]
    pub surface_km: Vec<(SurfaceArg, f64)>,
    /// Pair worn: its id, or the beginning of it
    #[arg(long, value_name = "ID")]
    pub shoe: Option<String>,
    /// Easy minutes were done before the main part
    #[arg(long, value_enum)]
    pub warmup: Option<YesNo>,
    /// Back score just before, 0 to 10
    #[arg(long, value_name = "0-10", value_parser = clap::value_parser!(u8).range(0..=10))]
    pub back_before: Option<u8>,
    /// Worst back score during it, 0 to 10
    #[arg(long, value_name = "0-10", value_parser = clap::value_parser!(u8).range(0..=10))]
    pub back_worst: Option<u8>,
    /// How it came on: not at all, bit by bit, suddenly
    #[arg(long, value_enum)]
    pub onset: Option<OnsetArg>,
    /// Minute at which it came on, where it came bit by bit
    #[arg(long, value_name = "MIN")]
    pub onset_minute: Option<u16>,
    /// Whether the back changed the run
    #[arg(long, value_enum)]
    pub changed: Option<ChangedArg>,
    /// Distance, km, where it is known better than the sensors know it
    #[arg(long, value_name = "KM")]
    pub km: Option<f64>,
    /// Free words
    #[arg(long, value_name = "TEXT")]
    pub text: Option<String>,
}

/// What a run was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "the words say it")]
pub enum RunKindArg {
    Easy,
    Long,
    Intervals,
    Tempo,
    Race,
}

impl RunKindArg {
    fn kind(self) -> RunKind {
        match self {
            Self::Easy => RunKind::Easy,
            Self::Long => RunKind::Long,
            Self::Intervals => RunKind::Intervals,
            Self::Tempo => RunKind::Tempo,
            Self::Race => RunKind::Race,
        }
    }
}

/// A kind of ground.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SurfaceArg {
    /// Concrete, asphalt
    #[value(alias = "road")]
    Hard,
    /// Trail, grass, sloping edge
    #[value(alias = "trail")]
    Uneven,
    /// Track, treadmill, gravel path
    #[value(alias = "treadmill", alias = "track")]
    Other,
}

impl SurfaceArg {
    fn ground(self) -> Ground {
        match self {
            Self::Hard => Ground::Hard,
            Self::Uneven => Ground::Uneven,
            Self::Other => Ground::Other,
        }
    }
}

/// How pain came on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OnsetArg {
    /// It did not
    No,
    /// Bit by bit
    Gradual,
    /// Suddenly
    Sudden,
}

/// Whether the back changed the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ChangedArg {
    /// No
    No,
    /// Eased off
    Eased,
    /// Stopped
    Stopped,
}

fn ground_km(text: &str) -> Result<(SurfaceArg, f64), String> {
    let wrong = || "expected GROUND=KM such as hard=6.5; grounds are hard, uneven, other".to_owned();
    let (ground, km) = text.split_once('=').ok_or_else(wrong)?;
    let ground = SurfaceArg::from_str(ground, true).map_err(|_| wrong())?;
    match km.parse::<f64>() {
        Ok(km) if (0.0..=1000.0).contains(&km) => Ok((ground, km)),
        _ => Err(wrong()),
    }
}

/// A score already checked by the command line.
///
/// # Errors
/// Above 10.
pub fn score(value: Option<u8>) -> Result<Option<Score>, Failure> {
    Ok(value.map(Score::new).transpose()?)
}

impl NoteArgs {
    /// Whether anything was answered.
    #[must_use]
    pub fn any(&self) -> bool {
        self.effort.is_some()
            || self.run_kind.is_some()
            || self.surface.is_some()
            || !self.surface_km.is_empty()
            || self.shoe.is_some()
            || self.warmup.is_some()
            || self.km.is_some()
            || self.text.is_some()
            || self.about_body()
    }

    /// Whether anything about the body was answered.
    #[must_use]
    pub fn about_body(&self) -> bool {
        self.back_before.is_some()
            || self.back_worst.is_some()
            || self.onset.is_some()
            || self.onset_minute.is_some()
            || self.changed.is_some()
    }

    /// Lays the answers over what the note says; what was not answered stays.
    ///
    /// # Errors
    /// There is no such pair of shoes.
    pub fn apply(&self, desk: &Desk, note: &mut SessionNote) -> Result<(), Failure> {
        note.effort = score(self.effort)?.or(note.effort);
        note.run_kind = self.run_kind.map(RunKindArg::kind).or(note.run_kind);
        note.warmup = self.warmup.map(YesNo::yes).or(note.warmup);
        note.back_before = score(self.back_before)?.or(note.back_before);
        note.back_worst = score(self.back_worst)?.or(note.back_worst);
        note.onset_minute = self.onset_minute.or(note.onset_minute);
        if let Some(onset) = self.onset {
            note.onset = Some(match onset {
                OnsetArg::No => Onset::No,
                OnsetArg::Gradual => Onset::Gradual,
                OnsetArg::Sudden => Onset::Sudden,
            });
            if onset != OnsetArg::Gradual && self.onset_minute.is_none() {
                note.onset_minute = None;
            }
        }
        if let Some(changed) = self.changed {
            note.stopped_for_back = Some(changed == ChangedArg::Stopped);
            note.eased_for_back = Some(changed == ChangedArg::Eased);
        }
        if let Some(surface) = self.surface {
            note.ground = Some(surface.ground());
            note.ground_km = None;
        }
        if !self.surface_km.is_empty() {
            let mut all = GroundKm::default();
            for (ground, km) in &self.surface_km {
                match ground {
                    SurfaceArg::Hard => all.hard += km,
                    SurfaceArg::Uneven => all.uneven += km,
                    SurfaceArg::Other => all.other += km,
                }
            }
            note.ground_km = Some(all);
        }
        if let Some(shoe) = &self.shoe {
            note.shoe = Some(desk.find(shoe, &[Kind::Shoe])?.id);
        }
        note.km = self.km.or(note.km);
        if let Some(text) = &self.text {
            note.text = Some(text.clone());
        }
        Ok(())
    }

    /// Asks what was not given by flags; what the note says already is not asked again.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn ask(
        &mut self,
        asking: &mut Asking<'_>,
        question: &dyn Fn(&str) -> String,
        shoes: &[(String, String)],
    ) -> Result<(), Failure> {
        if self.effort.is_none() {
            self.effort = asking.score(&question("q_effort"))?;
        }
        if self.back_worst.is_none() {
            self.back_worst = asking.score(&question("q_back_worst"))?;
        }
        if self.back_worst.is_some_and(|s| s > 0) {
            if self.onset.is_none() {
                let choices = [
                    ("it did not", OnsetArg::No),
                    ("bit by bit", OnsetArg::Gradual),
                    ("suddenly", OnsetArg::Sudden),
                ];
                self.onset = asking.choice(&question("q_onset"), &choices)?;
            }
            if self.onset == Some(OnsetArg::Gradual) && self.onset_minute.is_none() {
                let minute = asking.number("From which minute on?", "min", 0.0..=6000.0)?;
                self.onset_minute = minute.map(|m| m as u16);
            }
            if self.changed.is_none() {
                let choices = [
                    ("no", ChangedArg::No),
                    ("eased off", ChangedArg::Eased),
                    ("stopped", ChangedArg::Stopped),
                ];
                self.changed = asking.choice(&question("q_changed"), &choices)?;
            }
        }
        if self.run_kind.is_none() {
            let choices = [
                ("easy", RunKindArg::Easy),
                ("long", RunKindArg::Long),
                ("intervals", RunKindArg::Intervals),
                ("tempo", RunKindArg::Tempo),
                ("race", RunKindArg::Race),
            ];
            self.run_kind = asking.choice(&question("q_kind"), &choices)?;
        }
        // Asked where an answer is used: hard sessions.
        let hard = self.effort.is_some_and(|e| e >= 6) || self.run_kind.is_some_and(|k| k.kind().quality());
        if hard && self.warmup.is_none() {
            let yes = asking.yes(&question("q_warmup"))?;
            self.warmup = yes.map(|y| if y { YesNo::Yes } else { YesNo::No });
        }
        if self.surface.is_none() && self.surface_km.is_empty() {
            let choices = [
                ("hard", SurfaceArg::Hard),
                ("uneven", SurfaceArg::Uneven),
                ("other", SurfaceArg::Other),
            ];
            self.surface = asking.choice(&question("q_surface"), &choices)?;
        }
        if self.shoe.is_none() && !shoes.is_empty() {
            let choices: Vec<(&str, usize)> = shoes
                .iter()
                .enumerate()
                .map(|(i, (_, name))| (name.as_str(), i))
                .collect();
            let picked = asking.choice(&question("q_shoe"), &choices)?;
            self.shoe = picked.and_then(|i| shoes.get(i)).map(|(id, _)| id.clone());
        }
        Ok(())
    }
}

/// The run that is meant.
#[derive(Clone, Debug)]
pub enum Run {
    /// A session of the record.
    Recorded(Box<SessionRow>),
    /// A logged or imported activity.
    Logged(Box<Entry>),
}

impl Run {
    /// The id by which people name it.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Recorded(row) => row.meta.id.as_str(),
            Self::Logged(entry) => entry.id.as_str(),
        }
    }

    /// Its day.
    #[must_use]
    pub fn day(&self, desk: &Desk) -> Day {
        match self {
            Self::Recorded(row) => desk.day_of(row),
            Self::Logged(entry) => entry.day,
        }
    }

    /// What was said about it before.
    ///
    /// # Errors
    /// The record cannot be read.
    pub fn note(&self, desk: &Desk) -> Result<SessionNote, Failure> {
        Ok(match self {
            Self::Logged(entry) => match &entry.body {
                Body::Activity(activity) => activity.note.clone(),
                _ => SessionNote::default(),
            },
            Self::Recorded(row) => match desk.entry(&entry_id(row.meta.id.as_str())?)?.map(|e| e.body) {
                Some(Body::SessionNote(note)) => note,
                _ => SessionNote::default(),
            },
        })
    }

    /// Writes what is said about it now.
    ///
    /// # Errors
    /// The note is refused, or the record cannot be written.
    pub fn write(&self, desk: &Desk, note: SessionNote) -> Result<(EntryId, Put), Failure> {
        match self {
            Self::Recorded(row) => {
                let id = entry_id(row.meta.id.as_str())?;
                let put = desk.put_at(id.clone(), desk.day_of(row), row.meta.start, Body::SessionNote(note))?;
                Ok((id, put))
            }
            Self::Logged(entry) => {
                let Body::Activity(activity) = &entry.body else {
                    return Err(none_meant(desk, entry.day));
                };
                let activity = Activity {
                    note,
                    ..activity.clone()
                };
                let put = desk.put_at(entry.id.clone(), entry.day, entry.at, Body::Activity(activity))?;
                Ok((entry.id.clone(), put))
            }
        }
    }
}

fn none_meant(desk: &Desk, day: Day) -> Failure {
    Failure::new(
        "lope::journal::no_run",
        Exit::Unknown,
        format!("There is no run of {} on {}.", desk.athlete, shown(day, desk.today())),
    )
    .why("neither a recorded session nor a logged run of that day is there")
    .try_this("name one with --session ID (lope sessions), another day with --day, or log it first: lope log run --km 8 --minutes 45")
}

fn logged_runs(desk: &Desk, day: Option<Day>) -> Result<Vec<Entry>, Failure> {
    let all = desk.entries(&[Kind::Activity], day, day)?;
    let is_run = |e: &Entry| matches!(&e.body, Body::Activity(a) if a.activity == ActivityKind::Run);
    Ok(all.into_iter().filter(is_run).collect())
}

/// The run that is meant: the one of this id or beginning (`last` for the newest), else the last one of the day.
///
/// # Errors
/// There is none, or more than one.
pub fn find(desk: &Desk, id: Option<&str>, day: Day) -> Result<Run, Failure> {
    let sessions = desk.sessions()?;
    let logged = logged_runs(desk, None)?;
    let start = |run: &Run| match run {
        Run::Recorded(row) => row.meta.start,
        Run::Logged(entry) => entry.at,
    };
    let mut all: Vec<Run> = sessions
        .into_iter()
        .map(|row| Run::Recorded(Box::new(row)))
        .chain(logged.into_iter().map(|entry| Run::Logged(Box::new(entry))))
        .collect();
    all.sort_by_key(start);
    match id {
        None => all
            .into_iter()
            .rev()
            .find(|run| run.day(desk) == day)
            .ok_or_else(|| none_meant(desk, day)),
        Some("last") => all.pop().ok_or_else(|| none_meant(desk, day)),
        Some(id) => {
            if let Some(same) = all.iter().find(|run| run.id() == id) {
                return Ok(same.clone());
            }
            let mut fits = all.into_iter().filter(|run| run.id().starts_with(id));
            match (fits.next(), fits.next()) {
                (Some(run), None) => Ok(run),
                (Some(a), Some(b)) => Err(Failure::new(
                    "lope::journal::ambiguous",
                    Exit::Unknown,
                    format!("Several runs begin with {id}."),
                )
                .why(format!("{} and {}", a.id(), b.id()))
                .try_this("give more of the id")),
                (None, _) => Err(Failure::new(
                    "lope::journal::no_run",
                    Exit::Unknown,
                    format!("There is no run {id} of {}.", desk.athlete),
                )
                .why("neither a recorded session nor a logged run begins so")
                .try_this("lope sessions and lope log list show what there is")),
            }
        }
    }
}
