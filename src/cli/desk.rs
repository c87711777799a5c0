//! The desk at which journal commands write: one athlete, one journal, one clock, and the rules of writing.
//!
//! An entry that says what it said before is not written again, so that repeating a command changes nothing. Answers
//! about health are refused once their consent was withdrawn.

use super::Globals;
use super::athlete_choice::{self, AthleteArg, facts_id, facts_in};
use super::console::Console;
use super::days::{self, AskedDay, Zone};
use super::failure::{Exit, Failure};
use crate::store::journal::{AthleteFacts, Body, Day, Entry, EntryId, EntryQuery, Journal as _, Kind, Purpose, Put};
use crate::store::{
    AthleteId, Completeness, History, SessionQuery, SessionRow, SqliteJournal, SqliteReader, StoreError, UtcMicros,
};
use serde_json::json;
use std::path::PathBuf;

/// One athlete's journal, open.
pub struct Desk {
    /// Where output goes.
    pub console: Console,
    /// Folder of the record.
    pub dir: PathBuf,
    /// The journal.
    pub journal: SqliteJournal,
    /// Whose.
    pub athlete: AthleteId,
    /// The zone whose days are meant.
    pub zone: Zone,
    /// The clock when the command began.
    pub now: UtcMicros,
}

/// What became of something that was written, in words.
#[must_use]
pub fn put_word(put: Put) -> &'static str {
    match put {
        Put::New => "saved",
        Put::Known => "nothing changed",
        Put::Corrected => "corrected",
    }
}

/// What became of something that was written, for programs.
#[must_use]
pub fn put_name(put: Put) -> &'static str {
    match put {
        Put::New => "new",
        Put::Known => "known",
        Put::Corrected => "corrected",
    }
}

/// A store's refusal of an entry, as the refusal of what was entered.
#[must_use]
pub fn refused(error: StoreError) -> Failure {
    match &error {
        StoreError::Rejected { .. } => {
            Failure::new("lope::journal::refused", Exit::Refused, "This cannot be kept as it is.")
                .why(error.to_string())
                .try_this("correct the value; nothing was written")
        }
        StoreError::Conflict { .. } => Failure::new(
            "lope::journal::conflict",
            Exit::Refused,
            "Another entry goes by that id.",
        )
        .why(error.to_string())
        .try_this("choose another id; lope log list shows what there is"),
        _ => error.into(),
    }
}

impl Desk {
    /// Opens the journal of the athlete meant, making the record where there is none.
    ///
    /// # Errors
    /// The settings are wrong, the athlete is unknown, the record cannot be opened.
    pub fn open(globals: &Globals, who: &AthleteArg) -> Result<Self, Failure> {
        let dir = globals.data_dir()?;
        let athlete = athlete_choice::resolve(globals, who, Some(&dir))?.id;
        Ok(Self {
            console: globals.console,
            journal: SqliteJournal::open(&dir)?,
            dir,
            athlete,
            zone: Zone::here(),
            now: days::now(),
        })
    }

    /// The day it is.
    #[must_use]
    pub fn today(&self) -> Day {
        self.zone.day(self.now)
    }

    /// The day asked for; today without one.
    ///
    /// # Errors
    /// It has not come yet.
    pub fn day(&self, asked: Option<AskedDay>) -> Result<Day, Failure> {
        let today = self.today();
        let day = asked.map_or(today, |asked| asked.day(today));
        // Somebody east of here may be a day ahead.
        if day > today.plus(1) {
            return Err(Failure::new(
                "lope::journal::future",
                Exit::Refused,
                format!("{day} has not come yet."),
            )
            .why(format!("today is {today}"))
            .try_this("--day takes today, yesterday or a day such as 2026-11-02"));
        }
        Ok(day)
    }

    /// A day as people say it.
    #[must_use]
    pub fn shown(&self, day: Day) -> String {
        days::shown(day, self.today())
    }

    /// The instant of an answer about a day: now, or noon of another day.
    #[must_use]
    pub fn instant(&self, day: Day) -> UtcMicros {
        if day == self.today() {
            self.now
        } else {
            self.zone.noon(day)
        }
    }

    /// One entry of this athlete.
    ///
    /// # Errors
    /// The record cannot be read.
    pub fn entry(&self, id: &EntryId) -> Result<Option<Entry>, Failure> {
        Ok(self.journal.entry(&self.athlete, id)?)
    }

    /// Entries of this athlete, of some kinds (all where none is named), between two days.
    ///
    /// # Errors
    /// The record cannot be read.
    pub fn entries(&self, kinds: &[Kind], from: Option<Day>, to: Option<Day>) -> Result<Vec<Entry>, Failure> {
        let query = EntryQuery {
            athlete: Some(self.athlete.clone()),
            kinds: kinds.to_vec(),
            from,
            to,
        };
        Ok(self.journal.entries(&query)?)
    }

    /// What is known of this athlete.
    ///
    /// # Errors
    /// The record cannot be read.
    pub fn facts(&self) -> Result<AthleteFacts, Failure> {
        Ok(facts_in(self.entry(&facts_id()?)?).unwrap_or_default())
    }

    /// Writes an answer given now about a day and brings the kept flags up to date. Where the entry says this already,
    /// nothing is written.
    ///
    /// # Errors
    /// The entry is refused, or the record cannot be written.
    pub fn put(&self, id: EntryId, day: Day, body: Body) -> Result<Put, Failure> {
        let put = self.put_at(id, day, self.instant(day), body)?;
        if put != Put::Known {
            self.renew_flags()?;
        }
        Ok(put)
    }

    /// Takes an entry back and brings the kept flags up to date; whether there was one.
    ///
    /// # Errors
    /// Those of the store.
    pub fn take_back(&self, id: &EntryId) -> Result<bool, Failure> {
        let gone = self.journal.take_back(&self.athlete, id, self.now)?;
        if gone {
            self.renew_flags()?;
        }
        Ok(gone)
    }

    /// Brings what is kept of flags up to date, after entries came or went.
    ///
    /// # Errors
    /// Those of the store.
    pub fn renew_flags(&self) -> Result<(), Failure> {
        super::flags_record::refresh(&self.dir, &self.athlete)
    }

    /// As [`Desk::put`], about an instant, for many entries: whoever wrote the last calls [`Desk::renew_flags`].
    ///
    /// # Errors
    /// As [`Desk::put`].
    pub fn put_at(&self, id: EntryId, day: Day, at: UtcMicros, body: Body) -> Result<Put, Failure> {
        if let Some(old) = self.entry(&id)?
            && old.body == body
            && old.day == day
        {
            return Ok(Put::Known);
        }
        let entry = Entry {
            id,
            athlete: self.athlete.clone(),
            day,
            at,
            body,
        };
        self.journal.put(&entry, self.now).map_err(refused)
    }

    /// The entry whose id is this or begins so.
    ///
    /// # Errors
    /// There is none, or more than one.
    pub fn find(&self, id: &str, kinds: &[Kind]) -> Result<Entry, Failure> {
        let all = self.entries(kinds, None, None)?;
        if let Some(entry) = all.iter().find(|e| e.id.as_str() == id) {
            return Ok(entry.clone());
        }
        let mut fits = all.into_iter().filter(|e| e.id.as_str().starts_with(id));
        match (fits.next(), fits.next()) {
            (Some(entry), None) => Ok(entry),
            (Some(a), Some(b)) => Err(Failure::new(
                "lope::journal::ambiguous",
                Exit::Unknown,
                format!("Several entries begin with {id}."),
            )
            .why(format!("{} and {}", a.id, b.id))
            .try_this("give more of the id")),
            (None, _) => Err(Failure::new(
                "lope::journal::unknown",
                Exit::Unknown,
                format!("There is no entry {id}."),
            )
            .why(format!("none of the entries of {} begins so", self.athlete))
            .try_this("lope log list shows what there is, lope shoes the pairs")),
        }
    }

    /// What was last said about a purpose, for a recipient; `None` when nobody said anything.
    ///
    /// # Errors
    /// The record cannot be read.
    pub fn consent(&self, purpose: Purpose, recipient: &str) -> Result<Option<bool>, Failure> {
        let mut all = self.entries(&[Kind::Consent], None, None)?;
        all.sort_by_key(|e| e.at);
        Ok(all.iter().rev().find_map(|entry| match &entry.body {
            Body::Consent(c) if c.purpose == purpose && c.recipient == recipient => Some(c.given),
            _ => None,
        }))
    }

    /// Refuses answers about health after consent to keep them was withdrawn.
    ///
    /// # Errors
    /// It was withdrawn, or the record cannot be read.
    pub fn may_keep_symptoms(&self) -> Result<(), Failure> {
        if self.consent(Purpose::Symptoms, "")? == Some(false) {
            return Err(Failure::new(
                "lope::consent::withdrawn",
                Exit::Declined,
                "Answers about the body are not kept.",
            )
            .why(format!("{} withdrew the consent to keep them", self.athlete))
            .try_this("lope athlete consent give --purpose symptoms"));
        }
        Ok(())
    }

    /// Sessions of this athlete, oldest first; none where there is no record yet.
    ///
    /// # Errors
    /// The record cannot be read.
    pub fn sessions(&self) -> Result<Vec<SessionRow>, Failure> {
        let reader = match SqliteReader::open(&self.dir) {
            Ok(reader) => reader,
            Err(StoreError::Missing { .. }) => return Ok(Vec::new()),
            Err(e) => return Err(e.into()),
        };
        let mut query = SessionQuery {
            athlete: Some(self.athlete.clone()),
            ..SessionQuery::default()
        };
        let mut rows = Vec::new();
        loop {
            let page = reader.sessions(&query)?;
            rows.extend(page.rows);
            match page.completeness {
                Completeness::Complete => return Ok(rows),
                Completeness::Truncated { resume_at } => query.from = resume_at,
            }
        }
    }

    /// The day of a session: in its own zone where it has one.
    #[must_use]
    pub fn day_of(&self, session: &SessionRow) -> Day {
        let own = session.meta.tz.as_deref().and_then(|tz| Zone::parse(tz).ok());
        own.as_ref().unwrap_or(&self.zone).day(session.meta.start)
    }

    /// Gives a result: an object for programs, a text for people.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub fn result(&self, object: &serde_json::Value, text: &str) -> Result<Exit, Failure> {
        self.console.result(&if self.console.json {
            format!("{object:#}\n")
        } else {
            text.to_owned()
        })?;
        Ok(Exit::Done)
    }

    /// Gives the result of one entry written.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub fn wrote(&self, id: &EntryId, day: Day, put: Put, text: &str) -> Result<Exit, Failure> {
        let entry = self.entry(id)?.map(|e| e.body);
        self.result(
            &json!({"id": id, "athlete": self.athlete, "day": day, "put": put_name(put), "entry": entry}),
            text,
        )
    }
}

/// The id made of these words and days; they are known to fit.
///
/// # Errors
/// They do not fit.
pub fn entry_id(text: &str) -> Result<EntryId, Failure> {
    EntryId::parse(text).map_err(|e| {
        Failure::new("lope::journal::id", Exit::Usage, "An entry cannot be called so.")
            .why(e.to_string())
            .try_this("for example: ghost-15, endorphin3")
    })
}

/// Asks for the id to be typed before something goes.
///
/// # Errors
/// It was not typed, or there is no terminal to type it at.
pub fn confirm(what: &str, id: &str) -> Result<(), Failure> {
    let typed = super::ask::on_terminal(|asking| {
        asking.ask(&format!("This removes {what}. Type its id to go on:"), id, |text| {
            Ok(text.to_owned())
        })
    })?;
    if typed.flatten().as_deref() == Some(id) {
        return Ok(());
    }
    Err(
        Failure::new("lope::journal::not_confirmed", Exit::Declined, "Nothing was removed.")
            .why("removing was not confirmed")
            .try_this("type the id when asked, or add --yes"),
    )
}
