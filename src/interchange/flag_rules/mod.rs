//! The rule file of the flags, read and refused: everything that is wrong with it at once, each with its line.
//!
//! A rule file is whole: lope brings one along, and another replaces it as a whole, under its own version. Unknown keys are
//! errors, because a misspelt threshold would otherwise fall silently back to nothing.

mod fields;
mod flags;
mod parts;

use crate::risk::check::{self, Place};
use crate::risk::rules::{BUILT_IN, Rules};
use fields::{Fields, Problems};
use std::collections::BTreeMap;
use std::fmt;
use toml::de::DeTable;

/// Something wrong in a rule file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RuleProblem {
    /// Line, from 1.
    pub line: usize,
    /// The table it is in, `flag FS1`; empty at the top of the file.
    pub place: String,
    /// What was found and what was expected.
    pub what: String,
}

impl fmt::Display for RuleProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.place.is_empty() {
            write!(f, "line {}: {}", self.line, self.what)
        } else {
            write!(f, "line {}: {}: {}", self.line, self.place, self.what)
        }
    }
}

/// The rules that lope brings along.
///
/// # Panics
/// Never in a tested build: a test reads the built-in file.
#[must_use]
pub fn built_in() -> Rules {
    match parse(BUILT_IN) {
        Ok(rules) => rules,
        Err(problems) => unreachable!("the built-in rule file is tested: {}", problems[0]),
    }
}

/// Reads a rule file's text.
///
/// # Errors
/// All problems, by line. Where the text is no TOML, only those of the syntax: what follows from them would mislead.
pub fn parse(text: &str) -> Result<Rules, Vec<RuleProblem>> {
    let problems = Problems::new(text);
    let (document, syntax) = DeTable::parse_recoverable(text);
    for error in &syntax {
        problems.add(error.span().map_or(0, |s| s.start), "", error.message().to_owned());
    }
    if !syntax.is_empty() {
        return Err(sorted(problems.into_found()));
    }
    let mut lines = BTreeMap::new();
    let top = Fields::new(String::new(), 0, document.get_ref(), &problems);
    let rules = parts::rules(top, &mut lines);
    let mut at_line: BTreeMap<Place, usize> = BTreeMap::new();
    for (place, at) in lines {
        at_line.insert(place, problems.line(at));
    }
    let mut found = problems.into_found();
    // What could not be read has no parts that could fit together; the rest is checked all the same.
    let unread = |place: &Place| {
        let name = place.to_string();
        found
            .iter()
            .any(|p| p.place == name || p.place.starts_with(&format!("{name}.")))
    };
    let unfit: Vec<RuleProblem> = check::problems(&rules)
        .into_iter()
        .filter(|(place, _)| !unread(place) && (found.is_empty() || *place != Place::File))
        .map(|(place, what)| RuleProblem {
            line: at_line.get(&place).copied().unwrap_or(1),
            place: place.to_string(),
            what,
        })
        .collect();
    found.extend(unfit);
    if found.is_empty() {
        Ok(rules)
    } else {
        Err(sorted(found))
    }
}

fn sorted(mut problems: Vec<RuleProblem>) -> Vec<RuleProblem> {
    problems.sort();
    problems.dedup();
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_file_has_no_problem() {
        let told = parse(BUILT_IN).err().unwrap_or_default();
        assert!(
            told.is_empty(),
            "{}",
            told.iter().map(|p| format!("{p}\n")).collect::<String>()
        );
        assert_eq!(built_in().flags.len(), 30);
    }

    /// The line of the first `needle`, from 1.
    fn line_of(text: &str, needle: &str) -> usize {
        text[..text.find(needle).expect(needle)].matches('\n').count() + 1
    }

    /// Problems of the built-in file with each of these replaced, once.
    fn with(changes: &[(&str, &str)]) -> Vec<RuleProblem> {
        let mut text = BUILT_IN.to_owned();
        for (from, to) in changes {
            assert!(text.contains(from), "{from}");
            text = text.replacen(from, to, 1);
        }
        parse(&text).err().unwrap_or_default()
    }

    #[test]
    fn all_problems_come_at_once_each_with_its_line() {
        let changes = [
            ("raise_k = 3", "raise_k = \"three\""),
            ("slug = \"weekly_jump\"", "slug = \"weekly_jump\"\ncolour = \"red\""),
            ("x = \"hip_above\"", "x = \"hip_abvoe\""),
            (
                "cites = [\"Drozda24\", \"Heiderscheit11\"",
                "cites = [\"Nobody99\", \"Heiderscheit11\"",
            ),
        ];
        let found = with(&changes);
        let mut text = BUILT_IN.to_owned();
        for (from, to) in changes {
            text = text.replacen(from, to, 1);
        }
        let lines: Vec<usize> = found.iter().map(|p| p.line).collect();
        assert!(lines.contains(&line_of(&text, "raise_k = \"three\"")), "{found:?}");
        assert!(lines.contains(&line_of(&text, "colour = \"red\"")), "{found:?}");
        assert!(
            found
                .iter()
                .any(|p| p.what.contains("hip_abvoe") && p.what.contains("hip_above")),
            "{found:?}"
        );
        assert!(found.iter().any(|p| p.what.contains("Nobody99")), "{found:?}");
        // The misspelt input leaves the right one unread: five, and nothing that follows from what could not be read.
        assert_eq!(found.len(), 5, "{found:#?}");
        assert!(found.iter().any(|p| p.place == "input.hip_above"), "{found:#?}");
    }

    #[test]
    fn what_the_evidence_does_not_allow_is_refused() {
        for (from, to, told) in [
            (
                "message = \"This run was",
                "message = \"You are at risk: this run was",
                "risk",
            ),
            (
                "cap = \"info\"\ncounts = false\ncauses = [\"C15\"]",
                "cap = \"high\"\ncounts = false\ncauses = [\"C15\"]",
                "LD2",
            ),
            ("cites = [\"Winter20\", \"Frandsen25\"]", "cites = []", "cite"),
            ("raise_k = 3", "raise_k = 9", "raise_k"),
            (
                "fit_speed_span_ms = 0.5",
                "fit_speed_span_ms = 0.01",
                "fit_speed_span_ms",
            ),
            ("at least 21 days", "at least 20 days", "no line of the ordered list"),
            (
                "from = [\"cadence_spm\", \"speed_ms\"",
                "from = [\"cadence\", \"speed_ms\"",
                "cadence",
            ),
            ("epsilon = 1e-9", "epsilon = nan", "epsilon"),
        ] {
            let found = with(&[(from, to)]);
            assert!(
                found.iter().any(|p| p.to_string().contains(told)),
                "{from} -> {to}: {found:#?}"
            );
        }
    }

    #[test]
    fn a_file_that_is_no_toml_says_where() {
        let found = parse("schema = 2\nversion = = 3\n[flag\n").expect_err("no TOML");
        assert!(found.iter().any(|p| p.line == 2), "{found:?}");
        assert!(parse("").expect_err("empty").len() > 10);
    }
}
