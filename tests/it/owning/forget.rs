//! Erased is gone: marks planted wherever lope writes are looked for in every byte of the folder.

use super::{DAY_US, START_US, athlete, entry, keep, lope, run_of, say, session};
use ::lope::metrics::MetricId;
use ::lope::runtime::export::{Raw, export};
use ::lope::store::journal::{Body, ClinicianNote, Journal as _};
use ::lope::store::sqlite::SinkLedger;
use ::lope::store::{
    Batch, History as _, RowQuery, SinkName, SqliteJournal, SqliteReader, SqliteStore, Store as _, UtcMicros,
};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Stands in every text about Ada.
const WORD: &str = "Qx7canaryWv9";
/// A metric of one of Ada's strides.
const NUMBER: f64 = 1.234_567_890_123_456_7e-3;

fn files(folder: &Path, all: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(&path, all);
        } else {
            all.push(path);
        }
    }
}

/// Files of a folder that hold any of these marks.
fn traces(folder: &Path, marks: &[&[u8]]) -> Vec<String> {
    let mut all = Vec::new();
    files(folder, &mut all);
    let mut found = Vec::new();
    for path in all {
        let bytes = std::fs::read(&path).expect("read");
        for mark in marks {
            if bytes.windows(mark.len()).any(|w| w == *mark) {
                found.push(format!("{}: {}", path.display(), String::from_utf8_lossy(mark)));
            }
        }
    }
    found
}

/// Every file of an export by path.
fn exported(dir: &Path, who: &str) -> BTreeMap<String, Vec<u8>> {
    let to = tempfile::tempdir().expect("a temporary folder");
    let target = to.path().join("out");
    export(
        &SqliteReader::open(dir).expect("reader"),
        &[athlete(who)],
        Raw::Included,
        &target,
    )
    .expect("exported");
    let mut all = Vec::new();
    files(&target, &mut all);
    let name = |p: &PathBuf| p.strip_prefix(&target).expect("inside").display().to_string();
    all.iter().map(|p| (name(p), std::fs::read(p).expect("read"))).collect()
}

/// A record with Ada, whose every trace is marked, and Ben.
fn two_people(dir: &Path) {
    let store = SqliteStore::open(dir, "test").expect("opens");
    let sink = SinkName::parse("club").expect("a name");
    drop(SinkLedger::open(dir, &sink, "there", UtcMicros::EPOCH).expect("a sink"));
    keep(&store, "ada", "s-ada", START_US, WORD, &run_of(1), 25.0);
    keep(&store, "ben", "s-ben", START_US + DAY_US, "of Ben", &run_of(2), 25.0);
    let first = store
        .strides(&RowQuery::all(session("s-ada")))
        .expect("rows")
        .rows
        .remove(0);
    let mut marked = first.clone();
    marked.metrics.set(MetricId::ContactTime, Ok(NUMBER));
    let mut batch = Batch::new(session("s-ada"), 2);
    batch.push_stride(&marked).expect("sound");
    store.append(batch).expect("kept");
    std::fs::write(store.link_log(&session("s-ada")).expect("a log"), WORD).expect("written");
    drop(store);
    say(dir, "ada", WORD);
    say(dir, "ben", "Ben");
    let journal = SqliteJournal::open(dir).expect("journal");
    let note = ClinicianNote {
        author: WORD.to_owned(),
        session: Some(session("s-ada")),
        text: WORD.to_owned(),
    };
    journal
        .put(
            &entry("ada", "n1", Body::ClinicianNote(note)),
            UtcMicros::from_micros(START_US),
        )
        .expect("kept");
    let conn = rusqlite::Connection::open(dir.join("lope.db")).expect("opens");
    conn.execute_batch(&format!(
        "INSERT INTO flag_states VALUES ('ada', 'v1', 'FS1', 20000, 'watch', '{{\"x\": \"{WORD}\"}}');
         INSERT INTO flag_inputs VALUES ('ada', 'v1', '{WORD}', 20000, {NUMBER});
         INSERT INTO flag_summaries VALUES ('ada', 'v1', 20000, 'info', 0.5);
         INSERT INTO sensor_health SELECT session_no, start_us, 'sacrum', 1, 0, 0, 0, NULL, NULL, NULL, {NUMBER}, NULL
             FROM sessions WHERE session_id = 's-ada';
         INSERT INTO flag_copies VALUES ('ada', '{WORD}', 20000, 'watch', 'v1');
         INSERT INTO sink_rejects VALUES ('club', 'gait_flag,athlete=ada,rule={WORD} level=2i 1', 2, '', 'no');
         INSERT INTO tokens VALUES ('00', '{WORD}', 'runner', '{{\"athletes\":[\"ada\"]}}', 0, NULL, NULL);
         INSERT INTO tokens VALUES ('01', 'coach of Ben', 'coach', '{{\"athletes\":[\"ben\"]}}', 0, NULL, NULL);
         INSERT INTO access_log (at_us, actor, role, athlete_id, action) VALUES (1, '{WORD}', 'coach', 'ada', 'read');
         INSERT INTO sink_rejects VALUES ('club', 'gait_stride,athlete=ada {WORD}=1 1', 1, 's-ada', 'no');"
    ))
    .expect("sql");
    drop(conn);
    // As a change of layout leaves it.
    std::fs::copy(dir.join("lope.db"), dir.join("lope.db.v1.bak")).expect("copied");
}

#[test]
fn nothing_of_a_forgotten_athlete_is_left_and_nothing_of_another_is_touched() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    two_people(dir.path());
    let number = NUMBER.to_be_bytes();
    let marks: [&[u8]; 3] = [WORD.as_bytes(), &number, b"s-ada.db"];
    assert!(
        traces(dir.path(), &marks[..2]).len() >= 3,
        "the marks are there to be found"
    );
    let raw = dir.path().join("raw/s-ada.db");
    assert!(raw.exists());
    let before = exported(dir.path(), "ben");
    assert!(
        before.len() > 10 && before.keys().any(|k| k.ends_with("recording.toml")),
        "{:?}",
        before.keys()
    );

    let said = lope(dir.path())
        .args(["forget", "ada", "--yes"])
        .output()
        .expect("it runs");
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    // A sink is to be told: a part that is not done yet.
    assert_eq!(
        said.status.code(),
        Some(7),
        "{text}{}",
        String::from_utf8_lossy(&said.stderr)
    );
    for fact in [
        "1 sessions",
        "2 raw files",
        "4 entries",
        "4 rows of flags",
        "1 tokens",
        "copy club",
        "not reachable",
    ] {
        assert!(text.contains(fact), "{fact}: {text}");
    }
    assert_eq!(traces(dir.path(), &marks), Vec::<String>::new());
    assert!(!raw.exists() && !dir.path().join("raw/s-ada.links").exists());
    assert_eq!(exported(dir.path(), "ben"), before, "the other one is as before");
    assert_eq!(
        SqliteReader::open(dir.path()).expect("reader").everybody(),
        Ok(vec![athlete("ben")])
    );

    let again = lope(dir.path())
        .args(["forget", "ada", "--yes"])
        .output()
        .expect("it runs");
    assert_eq!(again.status.code(), Some(6));
}

#[test]
fn nobody_is_forgotten_without_a_word() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    say(dir.path(), "ada", "Ada");
    let said = lope(dir.path()).args(["forget", "ada"]).output().expect("it runs");
    assert_eq!(said.status.code(), Some(8));
    assert!(String::from_utf8_lossy(&said.stderr).contains("not confirmed"));
    assert_eq!(
        SqliteReader::open(dir.path()).expect("reader").everybody(),
        Ok(vec![athlete("ada")])
    );
}
