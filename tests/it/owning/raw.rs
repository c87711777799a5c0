//! Making room: only samples go, pins hold, and what is gone is said.

use super::{DAY_US, START_US, keep, lope, run_of};
use ::lope::store::SqliteStore;

#[test]
fn raw_samples_go_by_age_and_size_and_pins_hold() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let store = SqliteStore::open(dir.path(), "test").expect("opens");
    for (n, name) in ["s0", "s1", "s2"].into_iter().enumerate() {
        keep(&store, "me", name, START_US + n as i64 * DAY_US, "", &run_of(5), 6.0);
    }
    drop(store);
    let run = |args: &[&str]| {
        let out = lope(dir.path()).args(args).arg("--json").output().expect("it runs");
        assert!(
            out.status.success(),
            "{args:?}: {}",
            String::from_utf8_lossy(&out.stderr)
        );
        serde_json::from_slice::<serde_json::Value>(&out.stdout).expect("JSON")
    };
    let there = |name: &str| dir.path().join(format!("raw/{name}.db")).exists();
    run(&["raw", "pin", "s0"]);
    let plan = run(&["raw", "prune", "--older-than", "0", "--dry-run"]);
    assert_eq!(plan["sessions"], serde_json::json!(["s1", "s2"]));
    assert!(there("s1") && there("s2"), "a dry run removes nothing");
    let one = std::fs::metadata(dir.path().join("raw/s2.db")).expect("there").len();
    let limit = format!("{}", (one as f64 + 1.0) / 1e9);
    assert_eq!(
        run(&["raw", "prune", "--over", &limit])["sessions"],
        serde_json::json!(["s1"])
    );
    assert!(there("s0") && !there("s1") && there("s2"));
    let listed = run(&["raw", "list"]);
    let state: Vec<_> = listed["recordings"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|r| {
            (
                r["session"].as_str().expect("text"),
                r["pinned"] == true,
                r["removed"].is_string(),
            )
        })
        .collect();
    assert_eq!(state, [("s0", true, false), ("s1", false, true), ("s2", false, false)]);
    // The session stays, with its strides.
    assert!(run(&["sessions", "show", "s1"])["strides"].as_u64().is_some());
    run(&["raw", "unpin", "s0"]);
    assert_eq!(
        run(&["raw", "prune", "--older-than", "0"])["sessions"],
        serde_json::json!(["s0", "s2"])
    );
    assert_eq!(
        lope(dir.path())
            .args(["raw", "prune"])
            .output()
            .expect("it runs")
            .status
            .code(),
        Some(2)
    );
}
