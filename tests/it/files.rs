//! Files of one run, read by programs that know nothing of lope, and by lope itself: `tests/files/readers.py` works every
//! value out anew from the CSV of the same run.

use crate::support::{project_root, python, python_has, skip};
use assert_cmd::Command;
use lope::model::{Placement, SensorEvent, SessionTime};
use lope::pipeline::{Pipeline, PipelineConfig};
use lope::store::journal::{
    AthleteFacts, Body, CheckIn, Consent, Day, Entry, EntryId, Journal as _, Purpose, Score, SessionNote,
};
use lope::store::{
    AthleteId, Batch, Closing, Origin, SessionEvent, SessionId, SessionMeta, SqliteJournal, SqliteStore, Store as _,
    UtcMicros, WallClock,
};
use lope::synth::{FaultEvent, Faults, Script, SimConfig, Simulation};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Output;

/// 2026-03-01T06:30:00.123456Z.
const START_US: i64 = 1_772_346_600_123_456;
/// What must not reach who may not see symptoms.
const SECRET: &str = "=HYPERLINK(\"secret\")";

/// The Python that has what `tests/files/requirements.txt` asks for; `None`, with the skip said, where there is none.
pub(crate) fn reading_python() -> Option<PathBuf> {
    let python = python()?;
    for package in ["fitdecode", "fitparse", "openpyxl"] {
        if !python_has(&python, package) {
            skip(&format!(
                "the Python package {package} is not installed (tests/files/requirements.txt)"
            ));
            return None;
        }
    }
    Some(python)
}

/// Has a file read; its facts are handed over beside it.
pub(crate) fn have_read(python: &Path, what: &str, files: &[&Path], facts: &Value) {
    let facts_path = files[0].with_extension("facts.json");
    std::fs::write(&facts_path, facts.to_string()).expect("written");
    let read = std::process::Command::new(python)
        .arg(project_root().join("tests/files/readers.py"))
        .arg(what)
        .args(files)
        .arg(&facts_path)
        .output()
        .expect("Python runs");
    let (out, err) = (
        String::from_utf8_lossy(&read.stdout),
        String::from_utf8_lossy(&read.stderr),
    );
    assert!(read.status.success(), "{what} {files:?}: {out}{err}");
    println!("{}", out.trim());
}

fn lope(dir: &Path, line: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lope"));
    command
        .env_clear()
        .env("LANG", "C")
        .arg("--data-dir")
        .arg(dir.join("data"));
    command.current_dir(dir).args(line).output().expect("run")
}

fn done(out: &Output) -> String {
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(out.status.success(), "{text}{}", String::from_utf8_lossy(&out.stderr));
    text
}

/// A run that is kept.
struct Run {
    id: &'static str,
    who: &'static str,
    clock: WallClock,
    tz: Option<&'static str>,
    config: SimConfig,
    /// Samples and the session end here, s.
    end_s: f64,
    /// Marks: when, s, and words.
    marks: &'static [(f64, &'static str)],
}

/// Two feet and the pelvis, a rest of twenty seconds in between, twelve seconds of one shoe lost.
fn with_a_rest() -> Run {
    let config = SimConfig {
        seed: 5,
        script: Script::new()
            .stand(13.0)
            .run(45.0, 3.0)
            .stop(6.0)
            .stand(20.0)
            .accelerate(5.0, 2.7)
            .run(40.0, 2.7)
            .stop(6.0),
        faults: Faults::typical().with(FaultEvent::Dropout {
            placement: Placement::RightFoot,
            from_s: 35.0,
            secs: 9.0,
        }),
        ..SimConfig::default()
    };
    Run {
        id: "s1",
        who: "ada",
        clock: WallClock::Known,
        tz: Some("Europe/Berlin"),
        config,
        end_s: 131.0,
        marks: &[
            (40.5, "lap: bridge"),
            (44.0, "pain 4"),
            (50.0, "lapwing"),
            (72.25, "lap"),
        ],
    }
}

/// A single shoe on a walk, of which nobody knows when it was.
fn one_shoe() -> Run {
    let config = SimConfig {
        seed: 6,
        placements: vec![Placement::RightFoot],
        script: Script::new().stand(6.0).walk(40.0, 1.4),
        ..SimConfig::default()
    };
    Run {
        id: "s2",
        who: "ada",
        clock: WallClock::Assumed,
        tz: None,
        config,
        end_s: 41.3,
        marks: &[],
    }
}

fn keep(dir: &Path, run: &Run) {
    let store = SqliteStore::open(&dir.join("data"), "test").expect("store");
    let simulation = Simulation::new(run.config.clone());
    let meta = SessionMeta {
        id: SessionId::parse(run.id).expect("id"),
        athlete: AthleteId::parse(run.who).expect("id"),
        start: UtcMicros::from_micros(START_US),
        wall_clock: run.clock,
        expected_stop: None,
        origin: Origin::Live,
        tz: run.tz.map(str::to_owned),
        note: None,
        facts: simulation.athlete(),
        sensors: simulation.sensor_configs(),
    };
    store.open_session(&meta).expect("opens");
    let mut pipeline = Pipeline::new(PipelineConfig {
        athlete: simulation.athlete(),
        sensors: simulation.sensor_configs(),
        sync_sigma_s: 0.001,
        ..PipelineConfig::default()
    });
    let mut outputs = Vec::new();
    for event in simulation.events() {
        if matches!(&event, SensorEvent::Sample(_, s) if s.t.secs() > run.end_s) {
            break;
        }
        pipeline.push(&event, &mut outputs);
    }
    pipeline.flush(&mut outputs);
    let mut batch = Batch::new(meta.id.clone(), 1);
    for output in &outputs {
        batch.push_output(output).expect("sound");
    }
    for (t, text) in run.marks {
        let t = SessionTime::from_secs(*t);
        let text = (*text).to_owned();
        batch.push_event(SessionEvent::Marker { t, text }).expect("sound");
    }
    store.append(batch).expect("kept");
    let closing = Closing {
        stop: SessionTime::from_secs(run.end_s),
        analysis: 1,
        pipeline_version: "test".to_owned(),
        params: json!({}),
        sensors: vec![],
    };
    store.close_session(&meta.id, &closing).expect("closed");
}

fn say(dir: &Path, id: &str, body: Body) {
    let entry = Entry {
        id: EntryId::parse(id).expect("id"),
        athlete: AthleteId::parse("ada").expect("id"),
        day: Day::of_utc(UtcMicros::from_micros(START_US)),
        at: UtcMicros::from_micros(START_US),
        body,
    };
    let journal = SqliteJournal::open(&dir.join("data")).expect("journal");
    journal.put(&entry, entry.at).expect("kept");
}

/// Both runs, and what the runner said about the first.
fn record() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("folder");
    keep(dir.path(), &with_a_rest());
    keep(dir.path(), &one_shoe());
    let facts = AthleteFacts {
        name: "Ada".to_owned(),
        ..AthleteFacts::default()
    };
    say(dir.path(), "athlete", Body::Athlete(facts));
    let score = |n| Some(Score::new(n).expect("score"));
    let note = SessionNote {
        back_worst: score(3),
        text: Some(SECRET.to_owned()),
        ..SessionNote::default()
    };
    say(dir.path(), "s1", Body::SessionNote(note));
    let check_in = CheckIn {
        back_now: score(2),
        stiffness: score(4),
        text: Some("@stiff".to_owned()),
        ..CheckIn::default()
    };
    say(dir.path(), "c1", Body::CheckIn(check_in));
    dir
}

#[test]
fn fit_is_read_alike_by_programs_that_know_nothing_of_lope_and_equals_the_csv() {
    let Some(python) = reading_python() else { return };
    let dir = record();
    let at = dir.path();
    for id in ["s1", "s2"] {
        done(&lope(
            at,
            &["export", id, "--format", "fit", "-o", &format!("{id}.fit")],
        ));
        done(&lope(at, &["export", id, "-o", &format!("{id}.csv")]));
    }
    let facts = json!({
        "start_us": START_US, "end_s": 131.0, "laps": [40.5, 72.25], "utc_offset_s": 3600,
        "sensors": ["left_leg", "right_leg", "waist_mid_back"],
        // Some twenty seconds of standing between; the ten before are heard by nobody yet. None where a shoe was lost.
        "pauses": { "before": false, "between": 1, "at_least_s": 16.0, "at_most_s": 26.0 },
        "never": [],
    });
    have_read(&python, "fit", &[&at.join("s1.fit"), &at.join("s1.csv")], &facts);
    let facts = json!({
        "start_us": START_US, "end_s": 41.3, "laps": [], "utc_offset_s": null, "sensors": ["right_leg"],
        "pauses": { "before": false, "between": 0, "at_least_s": 0.0, "at_most_s": 0.0 },
        "never": ["vertical_oscillation", "vertical_ratio", "Pelvic Tilt Change", "Pelvic Drop L", "Foot Ahead of Hip"],
    });
    have_read(&python, "fit", &[&at.join("s2.fit"), &at.join("s2.csv")], &facts);
}

#[cfg(feature = "xlsx")]
#[test]
fn a_workbook_holds_the_csv_typed_and_symptoms_only_where_they_may_be_seen() {
    let Some(python) = reading_python() else { return };
    let dir = record();
    let at = dir.path();
    done(&lope(at, &["export", "s1", "--format", "csv", "-o", "s1.csv"]));
    let facts = |symptoms: bool| json!({ "end_s": 131.0, "symptoms": symptoms, "note": SECRET, "flags_at_least": 10, "secrets": ["secret", "@stiff", "pain 4"] });
    let check = |name: &str, symptoms: bool| {
        have_read(&python, "xlsx", &[&at.join(name), &at.join("s1.csv")], &facts(symptoms));
    };
    done(&lope(at, &["export", "s1", "--format", "xlsx"]));
    check("s1.xlsx", true);
    done(&lope(at, &["export", "s1", "-o", "without.xlsx", "--no-symptoms"]));
    check("without.xlsx", false);
    // What the runner no longer wants kept is in no file, whoever asks.
    let withdrawn = Consent {
        purpose: Purpose::Symptoms,
        recipient: String::new(),
        given: false,
    };
    say(at, "no-symptoms", Body::Consent(withdrawn));
    done(&lope(at, &["export", "s1", "-o", "withdrawn.xlsx"]));
    check("withdrawn.xlsx", false);
}

#[test]
fn a_file_of_a_run_is_not_written_over_and_says_what_it_is() {
    let dir = record();
    let at = dir.path();
    let told = done(&lope(at, &["export", "s1", "--format", "fit", "--json"]));
    let told: Value = serde_json::from_str(&told).expect("one object");
    assert_eq!((&told["file"], &told["session"]), (&json!("s1.fit"), &json!("s1")));
    let size = std::fs::metadata(at.join("s1.fit")).expect("a file").len();
    assert_eq!(told["bytes"], size);
    for (line, code, says) in [
        (&["export", "s1", "--format", "fit"][..], 5, "lope::export::exists"),
        (&["export", "s1"], 2, "lope::export::format"),
        (&["export", "s1", "-o", "a.doc"], 2, "lope::export::format"),
        (&["export"], 2, "SESSION"),
        (&["export", "s1", "--all", "out"], 2, "--all"),
        (&["export", "--all", "out", "--format", "fit"], 2, "--format"),
        (&["export", "s9", "--format", "csv"], 6, "lope::store::missing"),
        (&["export", "s1", "-o", "no/such/a.csv"], 3, "lope::file::write"),
    ] {
        let out = lope(at, line);
        let err = String::from_utf8_lossy(&out.stderr).into_owned();
        assert_eq!(out.status.code(), Some(code), "{line:?}: {err}");
        assert!(err.contains(says), "{line:?}: {err}");
    }
    done(&lope(at, &["export", "s1", "--format", "fit", "--force"]));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(at.join("s1.fit"))
            .expect("a file")
            .permissions()
            .mode();
        assert_eq!(mode & 0o077, 0, "for its owner only");
    }
}

#[cfg(not(feature = "xlsx"))]
#[test]
fn a_build_without_workbooks_says_so_and_how_to_go_on() {
    let dir = record();
    let out = lope(dir.path(), &["export", "s1", "--format", "xlsx"]);
    assert_eq!(out.status.code(), Some(4));
    assert!(String::from_utf8_lossy(&out.stderr).contains("csv"));
}

#[cfg(feature = "tracks")]
#[test]
fn lope_knows_its_own_file_and_does_not_count_the_run_twice() {
    let dir = record();
    let at = dir.path();
    for (id, km) in [("s1", 0.24), ("s2", 0.04)] {
        let name = format!("{id}.fit");
        done(&lope(at, &["export", id, "-o", &name]));
        let line = ["import", &name, "--athlete", "ada", "--match", "--json"];
        let told: Value = serde_json::from_str(&done(&lope(at, &line))).expect("one object");
        let one = &told["files"][0]["activities"][0];
        assert_eq!(
            (&one["status"], &one["same_as"]),
            (&json!("recorded"), &json!(id)),
            "{told}"
        );
        assert_eq!(one["activity"]["activity"], "run");
        let found = one["activity"]["km"].as_f64().expect("a distance");
        assert!((found / km - 1.0).abs() < 0.25, "{found} km, {km} were meant");
        if id == "s1" {
            assert_eq!(one["start"], "2026-03-01T06:30:00.000000Z", "{one}");
            let cadence = one["activity"]["cadence"].as_f64().expect("cadence");
            assert!((150.0..190.0).contains(&cadence), "{cadence} steps a minute");
        }
    }
    let listed = done(&lope(at, &["log", "list", "--athlete", "ada", "--json"]));
    assert!(!listed.contains("\"sha256\""), "no run was entered: {listed}");
    // In a record that does not have the session, it is a run like any other.
    let other = tempfile::tempdir().expect("folder");
    std::fs::copy(at.join("s1.fit"), other.path().join("s1.fit")).expect("copied");
    let told = done(&lope(other.path(), &["import", "s1.fit", "--json"]));
    let told: Value = serde_json::from_str(&told).expect("one object");
    assert_eq!(told["files"][0]["activities"][0]["status"], "new", "{told}");
}

#[test]
fn a_demonstration_leaves_its_run_where_it_is_asked_to() {
    let dir = tempfile::tempdir().expect("folder");
    let out = lope(dir.path(), &["demo", "--minutes", "1", "--files", ".", "--no-serve"]);
    done(&out);
    let err = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(
        err.contains("wrote demo.fit  demo-strides.csv  demo-report.html"),
        "{err}"
    );
    let bytes = std::fs::read(dir.path().join("demo.fit")).expect("read");
    assert_eq!(bytes.get(8..12), Some(b".FIT".as_slice()));
    let table = std::fs::read_to_string(dir.path().join("demo-strides.csv")).expect("read");
    assert!(table.lines().count() > 20 && table.starts_with("session,time_utc"));
    let page = std::fs::read_to_string(dir.path().join("demo-report.html")).expect("read");
    assert!(page.starts_with("<!doctype html>"));
    // Again, and where nothing can be written the run is told all the same.
    done(&lope(
        dir.path(),
        &["demo", "--minutes", "1", "--files", ".", "--no-serve"],
    ));
    let refused = lope(
        dir.path(),
        &["demo", "--minutes", "1", "--files", "no/such", "--no-serve"],
    );
    assert_eq!(refused.status.code(), Some(7));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("lope::file::write"));
}
