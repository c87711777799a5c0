//! Every question of the supplied dashboards, on a real server: each must give rows.

use super::season::{self, DAY_US, START_US};
use super::servers::{Influxd, Keeper, sync};
use crate::support::project_root;
use lope::store::SqliteStore;
use serde_json::Value;

/// (where, InfluxQL) of all panels and variables of a dashboard.
fn questions(dashboard: &Value) -> Vec<(String, String)> {
    let list = |v: &Value| v.as_array().cloned().unwrap_or_default();
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let mut found = Vec::new();
    for panel in list(&dashboard["panels"]) {
        for target in list(&panel["targets"]) {
            assert_eq!(target["rawQuery"], true, "{panel}");
            found.push((text(&panel["title"]), text(&target["query"])));
        }
    }
    for variable in list(&dashboard["templating"]["list"]) {
        found.push((
            format!("variable {}", text(&variable["name"])),
            text(&variable["query"]),
        ));
    }
    found
}

/// What Grafana puts in.
fn filled(question: &str) -> String {
    let (from, to) = ((START_US - DAY_US) / 1000, (START_US + 30 * DAY_US) / 1000);
    question
        .replace("$timeFilter", &format!("time >= {from}ms and time <= {to}ms"))
        .replace("$__interval", "10s")
        .replace("$athlete", "anna")
}

#[test]
fn every_question_of_the_dashboards_gives_rows() {
    let folder = project_root().join("deploy/grafana/dashboards");
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the dashboards") {
        let path = entry.expect("an entry").path();
        let dashboard: Value = serde_json::from_slice(&std::fs::read(&path).expect("read")).expect("JSON");
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        all.extend(
            questions(&dashboard)
                .into_iter()
                .map(|(at, q)| (format!("{name}, {at}"), q)),
        );
    }
    assert!(all.len() >= 15, "{all:?}");
    let Some(server) = Influxd::start() else { return };
    let dir = tempfile::tempdir().expect("a temporary folder");
    let store = SqliteStore::open(dir.path(), "test").expect("opens");
    season::season(&store, 6, 60);
    season::some_flags(dir.path());
    sync(dir.path(), &server.url());
    for (at, question) in all {
        let q = filled(&question);
        // The end of a regular expression is no variable.
        assert!(!q.replace("$/", "/").contains('$'), "{at}: a variable is left in {q}");
        let answer = server.ask(&q);
        let series = answer["results"][0]["series"]
            .as_array()
            .unwrap_or_else(|| panic!("{at}: {q}\n{answer}"));
        let columns = series[0]["columns"].as_array().expect("columns").len();
        let full = |row: &Value| {
            row.as_array()
                .is_some_and(|r| r.len() == columns && r.iter().all(|c| !c.is_null()))
        };
        let rows = series
            .iter()
            .flat_map(|s| s["values"].as_array().cloned().unwrap_or_default());
        assert!(
            rows.filter(|r| full(r)).count() > 0,
            "{at}: no row without a hole: {answer}"
        );
    }
}
