//! A session on its way into the store: batches while it runs, whole at its end, gone when it fails.
//!
//! A failed or stopped analysis leaves nothing that was not there before. A session that is there already is given the
//! same rows again, which changes nothing; made by another version of lope, it gets a new analysis beside the old one.

use crate::interchange::Recording;
use crate::model::{Athlete, SensorConfig, SessionTime};
use crate::pipeline::Output;
use crate::store::batch::FIRST_ANALYSIS;
use crate::store::{
    AthleteId, Batch, Closing, History, Opened, Origin, SensorOutcome, SessionEvent, SessionId, SessionMeta,
    SqliteStore, Store, StoreError, UtcMicros, WallClock,
};
use sha2::{Digest as _, Sha256};
use std::io::Read as _;
use std::path::Path;
use std::time::UNIX_EPOCH;

/// Rows handed to the store at once.
const BATCH_ROWS: usize = 512;
/// Who runs when nobody is named.
const ATHLETE: &str = "me";
/// Version of the program, noted with every analysis.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The runner when none is named.
///
/// # Errors
/// Never in practice: the name is a valid id.
pub fn athlete() -> Result<AthleteId, StoreError> {
    AthleteId::parse(ATHLETE)
}

/// SHA-256 over names and bytes of all files of a recording: the same recording names the same session.
///
/// # Errors
/// A file cannot be read.
pub fn fingerprint(recording: &Recording) -> std::io::Result<[u8; 32]> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0_u8; 1 << 16];
    let description = recording.path.join("recording.toml");
    let files = recording.sensors.iter().map(|s| s.path.as_path());
    for path in std::iter::once(description.as_path())
        .filter(|p| p.is_file())
        .chain(files)
    {
        hash.update(path.file_name().unwrap_or_default().as_encoded_bytes());
        let mut file = std::fs::File::open(path)?;
        loop {
            match file.read(&mut buffer)? {
                0 => break,
                n => hash.update(&buffer[..n]),
            }
        }
    }
    Ok(hash.finalize().into())
}

/// What the store is told of a recording of this athlete. The start is the time of the file, marked as assumed: recordings
/// do not say when they were made.
///
/// # Errors
/// The recording cannot be read.
pub fn meta_of(recording: &Recording, athlete: AthleteId) -> Result<SessionMeta, StoreError> {
    let io = |e: std::io::Error| StoreError::Io {
        path: recording.path.clone(),
        detail: e.to_string(),
    };
    let hash = fingerprint(recording).map_err(io)?;
    Ok(SessionMeta {
        id: SessionId::for_import(&athlete, &hash),
        athlete,
        start: file_time(&recording.sensors[0].path).map_err(io)?,
        wall_clock: WallClock::Assumed,
        expected_stop: None,
        origin: Origin::import(&hash),
        tz: None,
        note: Some(recording.description.name.clone()).filter(|n| !n.is_empty()),
        facts: recording.athlete(),
        sensors: recording.configs(),
    })
}

/// What the store is told of a demonstration: everything but its start follows from the seed. The start is for people to
/// find it by and stays assumed: a run that nobody ran enters no usual, no load and no flag.
///
/// # Errors
/// Never in practice.
pub fn meta_of_demo(
    seed: u64,
    minutes: f64,
    start: UtcMicros,
    facts: Athlete,
    sensors: Vec<SensorConfig>,
) -> Result<SessionMeta, StoreError> {
    let athlete = athlete()?;
    let hash: [u8; 32] = Sha256::digest(format!("lope demo {seed} {minutes}")).into();
    Ok(SessionMeta {
        id: SessionId::for_import(&athlete, &hash),
        athlete,
        start,
        wall_clock: WallClock::Assumed,
        expected_stop: None,
        origin: Origin::Demo,
        tz: None,
        note: Some(format!("demo, seed {seed}")),
        facts,
        sensors,
    })
}

fn file_time(path: &Path) -> std::io::Result<UtcMicros> {
    let modified = std::fs::metadata(path)?.modified()?;
    let since = modified.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(UtcMicros::from_micros(i64::try_from(since.as_micros()).unwrap_or(0)))
}

/// A session being kept.
pub struct Keeper<'a> {
    store: &'a SqliteStore,
    session: SessionId,
    analysis: u32,
    batch: Batch,
    /// It did not exist before.
    new: bool,
    rhythm: Rhythm,
}

/// When rows are handed to the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rhythm {
    /// Many at once: what is lost can be read again.
    Batches,
    /// At once, because a killed program would lose them; the store commits once a second.
    AtOnce,
}

impl<'a> Keeper<'a> {
    /// Begins, or finds the session.
    ///
    /// # Errors
    /// Those of the store.
    pub fn open(store: &'a SqliteStore, mut meta: SessionMeta) -> Result<Self, StoreError> {
        let session = meta.id.clone();
        let before = store.session(&session)?;
        let mut analysis = FIRST_ANALYSIS;
        if let Some(row) = &before {
            // The file's time may have changed by copying it; the session's start does not.
            meta.start = row.meta.start;
            meta.note.clone_from(&row.meta.note);
            let same = row.pipeline_version.as_deref().is_none_or(|v| v == VERSION);
            analysis = row.current_analysis + u32::from(!same);
        }
        let opened = store.open_session(&meta)?;
        Ok(Self {
            store,
            batch: Batch::new(session.clone(), analysis),
            session,
            analysis,
            new: opened == Opened::New,
            rhythm: Rhythm::Batches,
        })
    }

    /// The same for a run that is being made: every row is handed over at once, and the store commits within a second.
    #[must_use]
    pub fn live(self) -> Self {
        Self {
            rhythm: Rhythm::AtOnce,
            ..self
        }
    }

    /// Goes on with a session that is there, in this analysis of it.
    #[must_use]
    pub fn again(store: &'a SqliteStore, session: SessionId, analysis: u32) -> Self {
        Self {
            store,
            batch: Batch::new(session.clone(), analysis),
            session,
            analysis,
            new: false,
            rhythm: Rhythm::Batches,
        }
    }

    /// Its id.
    #[must_use]
    pub fn session(&self) -> &SessionId {
        &self.session
    }

    /// Takes an output.
    ///
    /// # Errors
    /// Those of the store.
    pub fn take(&mut self, output: &Output) -> Result<(), StoreError> {
        self.batch.push_output(output)?;
        if self.rhythm == Rhythm::AtOnce || self.batch.len() >= BATCH_ROWS {
            self.hand_over()?;
        }
        Ok(())
    }

    /// Takes something that happened besides what the pipeline says: a lap, a mark. It is handed over at once: there are few,
    /// and unlike strides nothing could compute them again.
    ///
    /// # Errors
    /// Those of the store.
    pub fn note(&mut self, event: SessionEvent) -> Result<(), StoreError> {
        self.batch.push_event(event)?;
        self.hand_over()
    }

    /// Hands over what waits and makes it durable.
    ///
    /// # Errors
    /// Those of the store.
    pub fn flush(&mut self) -> Result<(), StoreError> {
        self.hand_over()?;
        self.store.flush()?;
        Ok(())
    }

    fn hand_over(&mut self) -> Result<(), StoreError> {
        let empty = Batch::new(self.session.clone(), self.analysis);
        self.store.append(std::mem::replace(&mut self.batch, empty))?;
        Ok(())
    }

    /// Ends the session at `stop`.
    ///
    /// # Errors
    /// Those of the store.
    pub fn finish(&mut self, stop: SessionTime) -> Result<(), StoreError> {
        self.finish_with(stop, Vec::new())
    }

    /// As [`Keeper::finish`], with what became known about the sensors.
    ///
    /// # Errors
    /// Those of the store.
    pub fn finish_with(&mut self, stop: SessionTime, sensors: Vec<SensorOutcome>) -> Result<(), StoreError> {
        self.hand_over()?;
        self.store.close_session(
            &self.session,
            &Closing {
                stop,
                analysis: self.analysis,
                pipeline_version: VERSION.to_owned(),
                params: serde_json::json!({}),
                sensors,
            },
        )?;
        Ok(())
    }

    /// Takes everything back that this keeper brought, as far as nothing of the session was there before.
    ///
    /// # Errors
    /// Those of the store.
    pub fn discard(self) -> Result<(), StoreError> {
        if self.new {
            self.store.delete_session(&self.session)?;
        }
        Ok(())
    }
}
