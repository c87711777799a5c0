//! An export read back: every row as it was, and nothing of one that is damaged.

use super::{DAY_US, START_US, athlete, entry, keep, lope, run_of, say, session};
use ::lope::model::{Placement, SensorEvent, SessionTime};
use ::lope::pipeline::Block;
use ::lope::pipeline::output::Confidence;
use ::lope::runtime::export::{Raw, export};
use ::lope::runtime::restore::{RestoreError, look};
use ::lope::store::journal::{Body, ClinicianNote, Journal as _};
use ::lope::store::outbox::SinkName;
use ::lope::store::raw::RawOptions;
use ::lope::store::sqlite::{Restore, SinkLedger};
use ::lope::store::{
    Batch, Closing, HealthSeries, History as _, LinkHealth, Origin, RowQuery, SessionMeta, SqliteJournal, SqliteReader,
    SqliteStore, Store as _, UtcMicros, WallClock,
};
use rusqlite::types::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What is not about anybody, and is no part of an export.
const NOT_EXPORTED: [&str; 4] = ["tokens", "outbox", "sink_cursors", "sink_rejects"];

/// Every row of every table as text, with the session's id in the place of this file's own number for it.
fn rows(dir: &Path) -> BTreeMap<String, Vec<String>> {
    let conn = rusqlite::Connection::open(dir.join("lope.db")).expect("opens");
    let mut names = conn
        .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        .expect("sql");
    let tables: Vec<String> = names
        .query_map([], |r| r.get(0))
        .expect("rows")
        .map(|r| r.expect("a name"))
        .collect();
    let of_session = |no: i64| -> String {
        let sql = "SELECT session_id FROM sessions WHERE session_no = ?1";
        conn.query_row(sql, [no], |r| r.get(0)).expect("a session")
    };
    let mut all = BTreeMap::new();
    for table in tables.into_iter().filter(|t| !NOT_EXPORTED.contains(&t.as_str())) {
        let mut stmt = conn.prepare(&format!("SELECT * FROM {table}")).expect("sql");
        let columns: Vec<String> = stmt.column_names().map(str::to_owned).collect();
        let mut found = stmt.query([]).expect("rows");
        let mut lines = Vec::new();
        while let Some(row) = found.next().expect("a row") {
            let cell = |(i, name): (usize, &String)| match row.get::<_, Value>(i).expect("a value") {
                Value::Integer(no) if name == "session_no" => of_session(no),
                Value::Real(x) => format!("{x:?} {:x}", x.to_bits()),
                other => format!("{other:?}"),
            };
            lines.push(columns.iter().enumerate().map(cell).collect::<Vec<_>>().join("|"));
        }
        lines.sort();
        all.insert(table, lines);
    }
    all
}

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

/// Every file of a folder by its path inside.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = Vec::new();
    files(folder, &mut all);
    let name = |p: &PathBuf| p.strip_prefix(folder).expect("inside").display().to_string();
    all.iter().map(|p| (name(p), std::fs::read(p).expect("read"))).collect()
}

fn export_all(dir: &Path, to: &Path, raw: Raw) {
    let reader = SqliteReader::open(dir).expect("reader");
    export(&reader, &reader.everybody().expect("athletes"), raw, to).expect("exported");
}

fn samples(dir: &Path, name: &str) -> Vec<SensorEvent> {
    let reader = SqliteReader::open(dir).expect("reader");
    reader
        .raw(&session(name))
        .expect("kept")
        .map(|e| e.expect("sound"))
        .collect()
}

/// A record with something in every table: two analyses, a pinned, a removed and a cut-off recording, a log of links,
/// corrected and withdrawn entries, flags, texts that are awkward in a file.
fn rich(dir: &Path) {
    let store = SqliteStore::open(dir, "test").expect("opens");
    keep(
        &store,
        "ada",
        "s1",
        START_US,
        "=\"first\",\n\u{1f3c3}",
        &run_of(3),
        20.0,
    );
    keep(&store, "ada", "s2", START_US + DAY_US, "", &run_of(4), 10.0);
    keep(&store, "ben.x", "s3", START_US, "of Ben", &run_of(5), 20.0);
    // The same strides once more, one of them different, as analysis 2.
    let mut strides = store.strides(&RowQuery::all(session("s1"))).expect("rows").rows;
    strides[0].index += 7;
    let mut batch = Batch::new(session("s1"), 2);
    for stride in &strides {
        batch.push_stride(stride).expect("sound");
    }
    let block = Block {
        side: strides[0].stride.side,
        start: strides[0].stride.start,
        end: strides[3].stride.end,
        usable: 2,
        seen: 4,
        medians: strides[1].metrics,
        confidence: Confidence::Low,
    };
    batch.push_block(&block).expect("sound");
    store.append(batch).expect("kept");
    let closing = Closing {
        stop: SessionTime::from_secs(21.5),
        analysis: 2,
        pipeline_version: "test 2".to_owned(),
        params: serde_json::json!({"b": 1.0e-7, "a": [0.1, 1e300]}),
        sensors: vec![],
    };
    store.close_session(&session("s1"), &closing).expect("closed");
    let mut health = HealthSeries::default();
    run_of(3).events().take(9000).for_each(|e| health.take(&e));
    let link = LinkHealth {
        battery_pct: Some(71),
        links_lost: Some(2),
        reboots: None,
        clock_ppm: Some(-0.1),
        clock_scatter_us: Some(1.0 / 3.0),
    };
    health.take_link(Placement::Sacrum, SessionTime::from_secs(12.0), link);
    store.keep_health(&session("s1"), health.rows()).expect("kept");
    std::fs::write(store.link_log(&session("s1")).expect("a log"), b"frames\0\xff").expect("written");
    store.pin_raw(&session("s1")).expect("pinned");
    store
        .drop_raw(&session("s2"), UtcMicros::from_micros(START_US + 9))
        .expect("removed");
    cut_off(&store);
    drop(store);
    // Whoever writes next notices that it was cut off.
    drop(SqliteStore::open(dir, "test").expect("opens"));
    say(dir, "ada", "Ada");
    say(dir, "ben.x", "Ben");
    let journal = SqliteJournal::open(dir).expect("journal");
    let note = ClinicianNote {
        author: "Dr. \u{e9}\u{10348} \"O'\\\"".to_owned(),
        session: Some(session("s1")),
        text: "line one\nline two\t\u{2028}, ; = +".to_owned(),
    };
    let now = UtcMicros::from_micros(START_US);
    journal
        .put(&entry("ada", "n1", Body::ClinicianNote(note.clone())), now)
        .expect("kept");
    journal
        .put(&entry("cleo", "n2", Body::ClinicianNote(note)), now)
        .expect("kept");
    // Of Cleo only what she took back is left.
    journal
        .take_back(
            &athlete("cleo"),
            &entry("cleo", "n2", Body::Athlete(Default::default())).id,
            now,
        )
        .expect("taken back");
    let conn = rusqlite::Connection::open(dir.join("lope.db")).expect("opens");
    conn.execute_batch(
        "INSERT INTO flag_states VALUES ('ada', 'v1', 'FS1', 20000, 'watch', '{\"z\": 1.0, \"a\": null}');
         INSERT INTO flag_states VALUES ('ada', 'v1', 'FS1', 20001, 'none', NULL);
         INSERT INTO flag_inputs VALUES ('ada', 'v1', 'load', 20000, 1.2345678901234567e-3);
         INSERT INTO flag_inputs VALUES ('ada', 'v1', 'load', 20001, 3.0);
         INSERT INTO flag_summaries VALUES ('ada', 'v1', 20000, 'info', 0.1);
         INSERT INTO flag_copies VALUES ('ada', 'FS1', 20000, 'watch', 'v1');
         INSERT INTO run_values SELECT session_no, 1, 3, '{\"x\":[1,2.50]}' FROM sessions;
         INSERT INTO tokens VALUES ('00', 'phone', 'runner', '{\"athletes\":[\"ada\"]}', 0, NULL, NULL);
         INSERT INTO access_log (log_no, at_us, actor, role, athlete_id, action) VALUES (41, 1, 'coach', 'coach', 'ada', 'read');",
    )
    .expect("sql");
}

/// A recording whose program is gone: its last samples stand in the log beside its file.
fn cut_off(store: &SqliteStore) {
    let run = run_of(6);
    let meta = SessionMeta {
        id: session("s4"),
        athlete: athlete("ada"),
        start: UtcMicros::from_micros(START_US + 3 * DAY_US),
        wall_clock: WallClock::Known,
        expected_stop: None,
        origin: Origin::Live,
        tz: Some("Europe/Berlin".to_owned()),
        note: None,
        facts: run.athlete(),
        sensors: run.sensor_configs(),
    };
    store.open_session(&meta).expect("opens");
    let mut raw = store.start_raw(&meta.id, RawOptions::default()).expect("raw");
    for event in run.events().take(3000) {
        raw.push(&event).expect("kept");
    }
    raw.flush().expect("kept");
    // A reader keeps the log from being emptied when the writer goes.
    let file = store.raw(&meta.id).expect("reads");
    drop(raw);
    drop(file);
}

#[test]
fn what_was_exported_comes_back_row_for_row_and_goes_out_again_byte_for_byte() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let (from, new) = (dir.path().join("from"), dir.path().join("new"));
    rich(&from);
    let first = dir.path().join("first");
    export_all(&from, &first, Raw::Included);
    let said = lope(&new)
        .args(["import", "--json"])
        .arg(&first)
        .output()
        .expect("it runs");
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let told: serde_json::Value = serde_json::from_slice(&said.stdout).expect("JSON");
    assert_eq!(
        (&told["imported"]["athletes"], &told["imported"]["sessions"]),
        (&3.into(), &4.into())
    );

    let (before, after) = (rows(&from), rows(&new));
    for (table, lines) in &before {
        assert!(!lines.is_empty(), "{table} is tried with nothing");
        assert_eq!(Some(lines), after.get(table), "{table}");
    }
    assert_eq!(before.len(), after.len());
    for name in ["s1", "s3", "s4"] {
        let (a, b) = (samples(&from, name), samples(&new, name));
        assert!(a.len() > 1000 && a == b, "{name}: {} samples, {}", a.len(), b.len());
    }
    assert_eq!(std::fs::read(new.join("raw/s1.links")).expect("there"), b"frames\0\xff");

    let again = dir.path().join("again");
    export_all(&new, &again, Raw::Included);
    assert_eq!(contents(&first), contents(&again));
    // It is a record like any other: it takes the next session.
    let store = SqliteStore::open(&new, "test").expect("opens");
    keep(&store, "ada", "s9", START_US + 9 * DAY_US, "", &run_of(3), 8.0);
    drop(store);

    let twice = lope(&new).arg("import").arg(&first).output().expect("it runs");
    let why = String::from_utf8_lossy(&twice.stderr).into_owned();
    assert_eq!(twice.status.code(), Some(5), "{why}");
    assert!(why.contains("rows of sessions"), "{why}");
}

#[test]
fn an_export_without_samples_comes_back_without_them_and_a_dry_run_writes_nothing() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let (from, new) = (dir.path().join("from"), dir.path().join("new"));
    rich(&from);
    let out = dir.path().join("out");
    export_all(&from, &out, Raw::LeftOut);
    let run = |args: &[&str]| lope(&new).arg("import").arg(&out).args(args).output().expect("it runs");
    let dry = run(&["--dry-run"]);
    assert!(dry.status.success(), "{}", String::from_utf8_lossy(&dry.stderr));
    assert!(!new.exists());
    let done = run(&[]);
    assert!(done.status.success());
    assert_eq!(dry.stdout, done.stdout);
    let (mut before, mut after) = (rows(&from), rows(&new));
    assert_eq!(
        after.remove("raw_files"),
        Some(vec![]),
        "no row says that samples are there"
    );
    before.remove("raw_files");
    for (table, lines) in &before {
        assert_eq!(Some(lines), after.get(table), "{table}");
    }
    assert_eq!(
        run(&["--as", "run"]).status.code(),
        Some(2),
        "an export says itself what it holds"
    );
}

#[test]
fn a_sink_that_the_empty_record_knew_is_told_and_a_new_one_gets_everything() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let (from, new) = (dir.path().join("from"), dir.path().join("new"));
    rich(&from);
    let out = dir.path().join("out");
    export_all(&from, &out, Raw::LeftOut);
    let waiting = |dir: &Path| {
        let found = ::lope::store::sqlite::sink_statuses(dir).expect("read");
        found
            .iter()
            .map(|s| (s.sink.to_string(), s.waiting))
            .collect::<Vec<_>>()
    };
    drop(SqliteStore::open(&new, "test").expect("opens"));
    let ledger = |name: &str| {
        let sink = SinkName::parse(name).expect("a name");
        drop(SinkLedger::open(&new, &sink, "there", UtcMicros::EPOCH).expect("a sink"));
    };
    ledger("before");
    look(&out)
        .and_then(|sound| sound.into_record(&new, "test"))
        .expect("comes back");
    ledger("after");
    let found = waiting(&new);
    assert_eq!(found.len(), 2);
    assert!(found[0].1 >= 6, "{found:?}");
    assert_eq!(found[0].1, found[1].1, "{found:?}");
}

/// A copy of an export with one file changed.
fn changed(export: &BTreeMap<String, Vec<u8>>, to: &Path, change: impl FnOnce(&mut BTreeMap<String, Vec<u8>>)) {
    let mut all = export.clone();
    change(&mut all);
    for (name, bytes) in all {
        let path = to.join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, bytes).expect("written");
    }
}

/// What becomes of an export in a folder that has no record, which it must not have afterwards either.
fn refused(folder: &Path) -> RestoreError {
    let place = tempfile::tempdir().expect("a temporary folder");
    let new = place.path().join("new");
    let error = look(folder)
        .and_then(|s| s.into_record(&new, "test"))
        .expect_err("damaged");
    assert!(!new.exists(), "{error}: something was left");
    error
}

/// Writes the sums of the manifest anew, as somebody would who wants a changed file taken.
fn sum_anew(all: &mut BTreeMap<String, Vec<u8>>) {
    let mut manifest: serde_json::Value = serde_json::from_slice(&all["MANIFEST.json"]).expect("JSON");
    let mut bytes = 0;
    for file in manifest["files"].as_array_mut().expect("a list") {
        let content = &all[file["path"].as_str().expect("a path")];
        let sum: String = ::lope::store::ids::sha256(content)
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        bytes += content.len();
        file["sha256"] = sum.into();
        file["bytes"] = content.len().into();
    }
    manifest["totals"]["bytes"] = bytes.into();
    all.insert("MANIFEST.json".to_owned(), manifest.to_string().into_bytes());
}

fn a_small_export(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let store = SqliteStore::open(&dir.join("from"), "test").expect("opens");
    keep(&store, "ada", "s1", START_US, "a run", &run_of(3), 20.0);
    drop(store);
    say(&dir.join("from"), "ada", "Ada");
    export_all(&dir.join("from"), &dir.join("out"), Raw::Included);
    contents(&dir.join("out"))
}

#[test]
fn every_file_that_is_cut_changed_or_missing_is_named_and_nothing_is_kept() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let sound = a_small_export(dir.path());
    let names: Vec<&String> = sound.keys().filter(|n| *n != "MANIFEST.json").collect();
    assert!(names.len() >= 14, "{names:?}");
    for (n, name) in names.into_iter().enumerate() {
        type Change = fn(&mut BTreeMap<String, Vec<u8>>, &str);
        let damage: [Change; 3] = [
            |all, name| {
                all.remove(name);
            },
            |all, name| {
                let bytes = all.get_mut(name).expect("there");
                bytes.truncate(bytes.len() / 2);
            },
            |all, name| {
                let bytes = all.get_mut(name).expect("there");
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
            },
        ];
        for (kind, change) in damage.iter().enumerate() {
            let to = dir.path().join(format!("d{n}-{kind}"));
            changed(&sound, &to, |all| change(all, name));
            let error = refused(&to);
            let facts = ["it cannot be read:", "size", "SHA-256"];
            assert!(
                matches!(&error, RestoreError::File { path, what, .. } if path == name && *what == facts[kind]),
                "{name}: {error}"
            );
            std::fs::remove_dir_all(&to).expect("removed");
        }
    }
}

#[test]
fn a_row_that_does_not_fit_is_refused_with_file_line_and_value_although_its_sum_holds() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let sound = a_small_export(dir.path());
    let strides = "ada/sessions/s1/exact/strides.csv";
    let journal = "ada/journal.jsonl";
    let cases: [(&str, &str, &str, &str); 9] = [
        (strides, ",walking,", ",flying,", "flying"),
        (strides, "\n", ",\n", "column"),
        (journal, "\"athlete_id\":\"ada\"", "\"athlete_id\":\"eve\"", "eve"),
        (journal, "\"day\":", "\"dai\":", "dai"),
        (journal, "{\"athlete_id\"", "[{\"athlete_id\"", "line 1"),
        (journal, "\"back_now\":2", "\"back_now\":20", "journal"),
        (
            "ada/sessions/s1/session.jsonl",
            "\"state\":\"closed\"",
            "\"state\":\"gone\"",
            "line 1",
        ),
        (
            "ada/sessions/s1/session.jsonl",
            "\"start_us\":",
            "\"start_us\":1e",
            "a whole number",
        ),
        ("metric_columns.jsonl", "\"metric\":\"", "\"metric\":\"x) --", "line 1"),
    ];
    for (n, (name, old, new, fact)) in cases.into_iter().enumerate() {
        let to = dir.path().join(format!("r{n}"));
        changed(&sound, &to, |all| {
            let text = String::from_utf8(all[name].clone()).expect("text");
            assert!(text.contains(old), "{name}: {old}");
            all.insert(name.to_owned(), text.replacen(old, new, 1).into_bytes());
            sum_anew(all);
        });
        let error = refused(&to).to_string();
        assert!(error.contains(fact), "{name}: {error}");
        if !fact.contains("journal") && fact != "flying" {
            assert!(error.contains(name) && error.contains("line "), "{name}: {error}");
        }
    }
}

#[test]
fn manifests_that_lead_elsewhere_or_come_from_the_future_are_refused() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let sound = a_small_export(dir.path());
    let edited = |n: usize, edit: &dyn Fn(&mut serde_json::Value)| {
        let to = dir.path().join(format!("m{n}"));
        changed(&sound, &to, |all| {
            let mut manifest: serde_json::Value = serde_json::from_slice(&all["MANIFEST.json"]).expect("JSON");
            edit(&mut manifest);
            all.insert("MANIFEST.json".to_owned(), manifest.to_string().into_bytes());
        });
        refused(&to)
    };
    for (n, path) in [
        "../../etc/passwd",
        "/etc/passwd",
        "ada\\..\\x",
        "ada/sessions/s1/../../../x",
        "ada/tokens.jsonl",
    ]
    .into_iter()
    .enumerate()
    {
        let error = edited(n, &|m| m["files"][1]["path"] = path.into());
        assert!(
            matches!(&error, RestoreError::Name { path: found, .. } if found == path),
            "{error}"
        );
    }
    let error = edited(10, &|m| m["format"] = "lope-export/3".into());
    assert!(
        matches!(&error, RestoreError::Version { what: "format", found, .. } if found == "lope-export/3"),
        "{error}"
    );
    let error = edited(11, &|m| m["layout"] = 1_000.into());
    assert!(
        matches!(&error, RestoreError::Version { what: "layout", .. }),
        "{error}"
    );
    assert!(
        error.to_string().contains(&Restore::newest_layout().to_string()),
        "{error}"
    );
    let error = edited(12, &|m| {
        let first = m["files"][0].clone();
        m["files"].as_array_mut().expect("a list").push(first);
    });
    assert!(
        matches!(&error, RestoreError::Name { why, .. } if why.contains("twice")),
        "{error}"
    );
    let error = edited(13, &|m| {
        // A file that is not listed is missed: what came does not add up.
        let files = m["files"].as_array_mut().expect("a list");
        let at = files
            .iter()
            .position(|f| f["path"] == "ada/sessions/s1/exact/strides.csv")
            .expect("listed");
        let gone = files.remove(at);
        let bytes = m["totals"]["bytes"].as_u64().expect("a number") - gone["bytes"].as_u64().expect("a number");
        m["totals"]["bytes"] = bytes.into();
        m["totals"]["files"] = (m["totals"]["files"].as_u64().expect("a number") - 1).into();
    });
    assert!(
        matches!(
            error,
            RestoreError::Total {
                what: "strides",
                found: 0,
                ..
            }
        ),
        "{error}"
    );
}

#[cfg(unix)]
#[test]
fn a_link_in_the_place_of_a_file_is_not_followed() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let sound = a_small_export(dir.path());
    let to = dir.path().join("linked");
    changed(&sound, &to, |_| {});
    let elsewhere = dir.path().join("elsewhere");
    std::fs::rename(to.join("ada/journal.jsonl"), &elsewhere).expect("moved");
    std::os::unix::fs::symlink(&elsewhere, to.join("ada/journal.jsonl")).expect("linked");
    assert!(matches!(refused(&to), RestoreError::File { what: "a link", .. }));
}

/// Seeded damage to manifests: whatever it is, there is the same record afterwards or none.
#[test]
fn a_manifest_damaged_anywhere_gives_the_same_record_or_none() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let store = SqliteStore::open(&dir.path().join("from"), "test").expect("opens");
    keep(&store, "ada", "s1", START_US, "a run", &run_of(3), 3.0);
    drop(store);
    say(&dir.path().join("from"), "ada", "Ada");
    let out = dir.path().join("out");
    export_all(&dir.path().join("from"), &out, Raw::Included);
    let whole = rows(&dir.path().join("from"));
    let path = out.join("MANIFEST.json");
    let manifest = std::fs::read(&path).expect("read");
    let mut state = 2026_u64;
    let mut draw = |n: usize| {
        // Knuth's MMIX constants.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % n
    };
    let (mut taken, mut refused) = (0, 0);
    for case in 0..400 {
        let mut bytes = manifest.clone();
        match case % 4 {
            0 => {
                let at = draw(bytes.len());
                bytes[at] ^= 1 << draw(8);
            }
            1 => bytes.truncate(draw(bytes.len())),
            2 => {
                let (from, n) = (draw(bytes.len() - 40), draw(40));
                bytes.drain(from..from + n);
            }
            _ => {
                let (from, to, n) = (draw(bytes.len() - 40), draw(bytes.len()), draw(40));
                let part = bytes[from..from + n].to_vec();
                bytes.splice(to..to, part);
            }
        }
        std::fs::write(&path, &bytes).expect("written");
        let new = dir.path().join("new");
        match look(&out).and_then(|sound| sound.into_record(&new, "test")) {
            Ok(_) => {
                assert_eq!(rows(&new), whole, "case {case}");
                std::fs::remove_dir_all(&new).expect("removed");
                taken += 1;
            }
            Err(_) => {
                assert!(!new.exists(), "case {case}");
                refused += 1;
            }
        }
    }
    assert!(refused > 300, "{refused} refused, {taken} taken");
}
