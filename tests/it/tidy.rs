//! The house rules, checked on the text of the project.
//!
//! A rule lives here when neither the compiler nor clippy can hold it: who may use whom, which words may be shown, which
//! documents must agree. Each rule of [`rules::RULES`] and [`layers::RULES`] carries its reason and examples it must refuse and
//! must let pass; [`every_rule_refuses_its_bad_examples_and_passes_its_good_ones`] runs them, so a rule cannot go blind
//! unnoticed. Rules about documents (links, decision records, the layer table) are in [`documents`].
//!
//! To allow an exception, add a line with a reason to [`EXCEPTIONS`]; an exception that is no longer needed fails too.

mod documents;
mod layers;
mod rules;
mod source;

use crate::support::project_root;
use source::{File, Finding};
use std::path::Path;

/// A rule about one file at a time.
pub(crate) struct Rule {
    /// Short name, as printed and as used in [`EXCEPTIONS`].
    pub(crate) name: &'static str,
    /// Why the rule exists: printed with each finding.
    pub(crate) why: &'static str,
    /// Finds what breaks the rule in one file.
    pub(crate) check: fn(&File) -> Vec<Finding>,
    /// Files (path, text) in which the rule must find something.
    pub(crate) bad: &'static [(&'static str, &'static str)],
    /// Files (path, text) in which it must find nothing.
    pub(crate) good: &'static [(&'static str, &'static str)],
}

/// (rule, path, reason) of what is knowingly let pass.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    (
        "no-wall-clock",
        "src/store/sqlite/writer.rs",
        "a monotonic reading bounds how long a transaction stays open; no result depends on it",
    ),
    (
        "no-sleep",
        "src/sensors/simulated/radio.rs",
        "it stands in for a radio in real time: adverts and packets come when they are due",
    ),
    (
        "no-sleep",
        "src/sensors/wire/server.rs",
        "a listener that fails at once must not spin",
    ),
];

fn all_rules() -> impl Iterator<Item = &'static Rule> {
    layers::RULES.iter().chain(rules::RULES)
}

/// Every text file of the project, in the order of paths; build output and git's own files are not part of it.
pub(crate) fn project_files() -> Vec<File> {
    fn walk(root: &Path, dir: &Path, files: &mut Vec<File>) {
        let mut entries: Vec<_> = std::fs::read_dir(dir)
            .expect("a folder of the project")
            .map(|e| e.expect("entry").path())
            .collect();
        entries.sort();
        for path in entries {
            let name = path
                .file_name()
                .expect("entries have names")
                .to_string_lossy()
                .into_owned();
            if path.is_dir() {
                if !["target", ".git", "node_modules", "dist"].contains(&name.as_str()) {
                    walk(root, &path, files);
                }
            } else if source::is_text(&name)
                && let Ok(text) = std::fs::read_to_string(&path)
            {
                let relative = path.strip_prefix(root).expect("walked from the root");
                files.push(File::new(&relative.to_string_lossy().replace('\\', "/"), &text));
            }
        }
    }
    let mut files = Vec::new();
    walk(&project_root(), &project_root(), &mut files);
    let for_tests: Vec<String> = files
        .iter()
        .filter(|f| f.path.starts_with("src/"))
        .flat_map(File::test_modules)
        .collect();
    for file in &mut files {
        let module = file.path.trim_end_matches(".rs").trim_end_matches("/mod").to_owned();
        file.test_only = for_tests
            .iter()
            .any(|t| module == *t || module.starts_with(&format!("{t}/")));
    }
    files
}

#[test]
fn the_project_keeps_its_house_rules() {
    let files = project_files();
    assert!(
        files.iter().any(|f| f.path == "src/lib.rs"),
        "the walk must see the project"
    );
    let mut complaints = Vec::new();
    let mut used = vec![false; EXCEPTIONS.len()];
    for rule in all_rules() {
        for file in &files {
            let findings = (rule.check)(file);
            if findings.is_empty() {
                continue;
            }
            if let Some(i) = EXCEPTIONS
                .iter()
                .position(|(name, path, _)| *name == rule.name && *path == file.path)
            {
                used[i] = true;
                continue;
            }
            for finding in findings {
                complaints.push(format!(
                    "{}:{}: {} [{}: {}]",
                    file.path, finding.line, finding.what, rule.name, rule.why
                ));
            }
        }
    }
    for ((name, path, _), used) in EXCEPTIONS.iter().zip(used) {
        if !used {
            complaints.push(format!("the exception of {name} for {path} is no longer needed"));
        }
    }
    assert!(
        complaints.is_empty(),
        "{} broken:\n{}",
        complaints.len(),
        complaints.join("\n")
    );
}

#[test]
fn every_rule_refuses_its_bad_examples_and_passes_its_good_ones() {
    for rule in all_rules() {
        assert!(
            !rule.bad.is_empty() && !rule.good.is_empty(),
            "{} needs examples of both kinds",
            rule.name
        );
        for (path, text) in rule.bad {
            let findings = (rule.check)(&File::new(path, text));
            assert!(!findings.is_empty(), "{} must refuse {path}:\n{text}", rule.name);
        }
        for (path, text) in rule.good {
            let findings = (rule.check)(&File::new(path, text));
            assert!(
                findings.is_empty(),
                "{} must pass {path}:\n{text}\n{findings:?}",
                rule.name
            );
        }
    }
}
