//! The simulated shares of the documents, drawn again with another seed.

use super::rules;
use crate::support::project_root;
use lope::risk::spreads::{SCATTERS, THRESHOLD_SIZED, false_alarms, power};

const RUNNERS: u32 = 400;
/// Runners behind the figures of the document.
const WRITTEN_RUNNERS: f64 = 2000.0;
/// Standard errors that two draws may lie apart; with 24 figures, one in some thousand runs of another seed would not.
const APART: f64 = 4.0;

/// Rows of the tables of the page: the first cell and the numbers.
fn written() -> Vec<(String, Vec<f64>)> {
    let page = std::fs::read_to_string(project_root().join("docs/reference/flag-spreads.md")).expect("the page");
    let rows = page.lines().filter(|l| l.starts_with("| "));
    let cells = rows.map(|l| {
        l.trim_matches('|')
            .split('|')
            .map(|c| c.trim().to_owned())
            .collect::<Vec<_>>()
    });
    let numbers = |c: &[String]| c.iter().map(|x| x.parse().ok()).collect::<Option<Vec<f64>>>();
    cells.filter_map(|c| Some((c[0].clone(), numbers(&c[1..])?))).collect()
}

fn assert_alike(what: &str, drawn: f64, written: f64) {
    let p = ((drawn + written) / 2.0).clamp(0.005, 0.995);
    let error = (p * (1.0 - p) * (1.0 / f64::from(RUNNERS) + 1.0 / WRITTEN_RUNNERS)).sqrt();
    assert!(
        (drawn - written).abs() <= APART * error,
        "{what}: drawn {drawn}, written {written}"
    );
}

#[test]
fn the_shares_of_the_page_come_out_again() {
    let rules = rules();
    let rows = written();
    assert_eq!(rows.len(), SCATTERS.len() + THRESHOLD_SIZED.len());
    for (s, (what, shares)) in SCATTERS.iter().zip(&rows) {
        assert!(
            what.contains(&format!(
                "x {:.1}, correlation of successive runs {:.1}",
                s.spread, s.correlation
            )),
            "{what}"
        );
        let drawn = false_alarms(&rules, RUNNERS, *s, 77);
        for (drawn, written) in [drawn.info, drawn.watch, drawn.two_families].iter().zip(shares) {
            assert_alike(what, *drawn, *written);
        }
    }
    for (change, (what, shares)) in THRESHOLD_SIZED.iter().zip(&rows[SCATTERS.len()..]) {
        assert_eq!(change.0, what);
        for (times, written) in [1.0, 1.5, 2.0].iter().zip(shares) {
            assert_alike(what, power(&rules, RUNNERS, *change, *times, 78), *written);
        }
    }
}

#[test]
fn a_seed_gives_the_same_shares_again() {
    let rules = rules();
    let draw = |seed| false_alarms(&rules, 40, SCATTERS[1], seed);
    assert_eq!(draw(3), draw(3));
    assert_ne!(draw(3), draw(4));
}
