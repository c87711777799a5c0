//! Taken out whole, and a copy that is a record itself.

use super::{DAY_US, START_US, keep, lope, run_of, say};
use ::lope::store::SqliteStore;
use sha2::{Digest as _, Sha256};
use std::path::Path;

fn json(out: &std::process::Output) -> serde_json::Value {
    let text = String::from_utf8_lossy(&out.stdout);
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}{}", String::from_utf8_lossy(&out.stderr)))
}

fn record(dir: &Path) {
    let store = SqliteStore::open(dir, "test").expect("opens");
    keep(&store, "ada", "s1", START_US, "=first", &run_of(3), 40.0);
    keep(&store, "ben", "s2", START_US + DAY_US, "of Ben", &run_of(4), 15.0);
    drop(store);
    say(dir, "ada", "Ada");
}

#[test]
fn an_export_is_whole_by_its_sums_and_its_recordings_measure_the_same_again() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    record(dir.path());
    let target = dir.path().join("out");
    let out = lope(dir.path())
        .args(["export", "--json", "--all"])
        .arg(&target)
        .output()
        .expect("it runs");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let done = &json(&out)["exported"];
    assert_eq!(
        (&done["athletes"], &done["sessions"], &done["recordings"]),
        (&2.into(), &2.into(), &2.into())
    );
    assert_eq!(done["entries"], 2);

    let manifest: serde_json::Value =
        serde_json::from_slice(&std::fs::read(target.join("MANIFEST.json")).expect("read")).expect("JSON");
    let listed = manifest["files"].as_array().expect("a list");
    assert!(listed.len() >= 20, "{}", listed.len());
    for file in listed {
        let bytes = std::fs::read(target.join(file["path"].as_str().expect("a path"))).expect("read");
        let sum: String = Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(
            (file["sha256"].as_str(), file["bytes"].as_u64()),
            (Some(sum.as_str()), Some(bytes.len() as u64))
        );
        if let Some(rows) = file["rows"].as_u64() {
            let lines = bytes.iter().filter(|b| **b == b'\n').count() as u64;
            let heads = u64::from(file["path"].as_str().is_some_and(|p| p.ends_with(".csv")));
            assert_eq!(rows + heads, lines, "{}", file["path"]);
        }
    }

    // The same samples give the same strides.
    let kept = std::fs::read_to_string(target.join("ada/sessions/s1/strides.csv")).expect("read");
    let again = tempfile::tempdir().expect("a temporary folder");
    let analyzed = lope(again.path())
        .arg("analyze")
        .arg(target.join("ada/sessions/s1/recording"))
        .output()
        .expect("it runs");
    assert!(
        analyzed.status.success(),
        "{}",
        String::from_utf8_lossy(&analyzed.stderr)
    );
    let strides = lope(again.path())
        .args(["sessions", "export", "last"])
        .output()
        .expect("it runs")
        .stdout;
    let strides = String::from_utf8_lossy(&strides).into_owned();
    // Session and date differ; everything from the side on is the same.
    let rest = |text: &str| -> Vec<String> {
        let cut = |line: &str| line.splitn(3, ',').nth(2).unwrap_or_default().to_owned();
        text.lines().map(cut).collect()
    };
    assert!(kept.lines().count() > 40);
    assert_eq!(rest(&kept), rest(&strides));

    let there = lope(dir.path())
        .args(["export", "--all"])
        .arg(&target)
        .output()
        .expect("it runs");
    assert_eq!(
        there.status.code(),
        Some(5),
        "a folder that is there is not written into"
    );
}

#[test]
fn a_backup_made_beside_a_writer_is_a_record() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    record(dir.path());
    let to = tempfile::tempdir().expect("a temporary folder");
    let copy = to.path().join("copy");
    let writer = SqliteStore::open(dir.path(), "lope record").expect("opens");
    let out = lope(dir.path())
        .args(["backup", "--json"])
        .arg(&copy)
        .output()
        .expect("it runs");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    assert_eq!(json(&out)["backup"]["raw_files"], 2);
    drop(writer);
    let list = |data: &Path| {
        json(
            &lope(data)
                .args(["sessions", "list", "--json"])
                .output()
                .expect("it runs"),
        )
    };
    assert_eq!(list(&copy), list(dir.path()));
    assert_eq!(list(&copy)["sessions"].as_array().map(Vec::len), Some(2));
    // The copy stands for itself: an export of it is the export of the record.
    for (data, name) in [(dir.path(), "a"), (copy.as_path(), "b")] {
        let done = lope(data)
            .args(["export", "--all"])
            .arg(to.path().join(name))
            .output()
            .expect("it runs");
        assert!(done.status.success());
    }
    let manifest = |name: &str| std::fs::read_to_string(to.path().join(name).join("MANIFEST.json")).expect("read");
    assert_eq!(manifest("a"), manifest("b"));

    for wrong in [copy.clone(), dir.path().join("raw/inside")] {
        let out = lope(dir.path()).arg("backup").arg(&wrong).output().expect("it runs");
        assert_eq!(out.status.code(), Some(5), "{}", wrong.display());
    }
    assert!(!dir.path().join("raw/inside").exists() && !dir.path().join("raw/inside.part").exists());
}

#[cfg(unix)]
#[test]
fn copies_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().expect("a temporary folder");
    record(dir.path());
    let to = tempfile::tempdir().expect("a temporary folder");
    for (verb, name) in [(&["backup"][..], "copy"), (&["export", "--all"][..], "out")] {
        let out = lope(dir.path())
            .args(verb)
            .arg(to.path().join(name))
            .output()
            .expect("it runs");
        assert!(out.status.success());
        let mode = std::fs::metadata(to.path().join(name))
            .expect("there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o077, 0, "{name}: {mode:o}");
    }
}
