//! The journal as people meet it: who runs, check-ins, shoes, the log, and the files of watches, through the built program.

mod commands;
mod import;
mod tracks;
mod watch;

use assert_cmd::Command;
use lope::model::{Athlete, SessionTime};
use lope::store::{AthleteId, Closing, Origin, SessionId, SessionMeta, SqliteStore, Store as _, UtcMicros, WallClock};
use serde_json::Value;
use std::path::Path;
use std::process::Output;

/// A home of its own: record and settings.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        let home = Self(tempfile::tempdir().expect("folder"));
        std::fs::write(home.path().join("settings.toml"), "units = \"metric\" # mine\n").expect("written");
        home
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn data(&self) -> std::path::PathBuf {
        self.path().join("data")
    }

    fn command(&self) -> Command {
        let mut command = crate::cli::lope(&self.data());
        command
            .env("TZ", "UTC")
            .arg("--config")
            .arg(self.path().join("settings.toml"));
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command().args(arguments).output().expect("run")
    }

    /// Runs it with `--json`; it must end with this code.
    #[track_caller]
    fn json(&self, code: i32, arguments: &[&str]) -> Value {
        let output = self.command().arg("--json").args(arguments).output().expect("run");
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{err}");
        serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{arguments:?}: {e}\n{err}"))
    }

    /// Runs it; it must end with this code and say these words.
    #[track_caller]
    fn expect(&self, code: i32, words: &[&str], arguments: &[&str]) -> Output {
        let output = self.run(arguments);
        crate::cli::expect(&output, code, words);
        output
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.path().join(name);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).expect("folder");
        }
        std::fs::write(&path, bytes).expect("written");
        path.display().to_string()
    }

    /// A recorded session of this athlete from a known instant, without strides.
    fn session(&self, athlete: &str, start_s: i64, seconds: f64) -> String {
        let store = SqliteStore::open(&self.data(), "test").expect("store");
        let id = SessionId::live(UtcMicros::from_micros(start_s * 1_000_000), [7; 10]);
        let meta = SessionMeta {
            id: id.clone(),
            athlete: AthleteId::parse(athlete).expect("id"),
            start: UtcMicros::from_micros(start_s * 1_000_000),
            wall_clock: WallClock::Known,
            expected_stop: None,
            origin: Origin::Live,
            tz: None,
            note: None,
            facts: Athlete::default(),
            sensors: Vec::new(),
        };
        store.open_session(&meta).expect("opened");
        let closing = Closing {
            stop: SessionTime::from_secs(seconds),
            analysis: 1,
            pipeline_version: "test".to_owned(),
            params: serde_json::json!({}),
            sensors: Vec::new(),
        };
        store.close_session(&id, &closing).expect("closed");
        id.to_string()
    }
}
