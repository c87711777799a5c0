//! What the documents say must be so: links lead somewhere, every decision record is listed, the fixed lines are word for word.

use super::rules::FIXED_LINES;
use super::source::{File, line_of};
use super::{project_files, project_root};
use std::collections::BTreeSet;

/// Problems of the links `[text](target)` of a Markdown file: a file or a heading that does not exist. Addresses of other
/// sites are not looked at.
fn broken_links(file: &File, all: &[File]) -> Vec<String> {
    let mut broken = Vec::new();
    let shown = without_code(&file.text);
    for (at, _) in shown.match_indices("](") {
        let target = shown[at + 2..].split([')', ' ']).next().unwrap_or_default();
        if target.contains("://") || target.starts_with("mailto:") {
            continue;
        }
        let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
        let path = if path.is_empty() {
            file.path.clone()
        } else {
            resolve(&file.path, path)
        };
        let line = line_of(&shown, at);
        let linked = all.iter().find(|f| f.path == path);
        let exists = linked.is_some() || project_root().join(&path).exists();
        if !exists {
            broken.push(format!("{}:{line}: {target} leads nowhere", file.path));
        } else if let Some(linked) = linked.filter(|_| !anchor.is_empty())
            && !headings(&linked.text).contains(anchor)
        {
            broken.push(format!(
                "{}:{line}: {} has no heading #{anchor}",
                file.path, linked.path
            ));
        }
    }
    broken
}

/// The text with code blocks and code spans blanked: a bracket there is not a link.
fn without_code(text: &str) -> String {
    let (mut out, mut fenced) = (String::with_capacity(text.len()), false);
    for line in text.lines() {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        let mut code = fenced || fence;
        for c in line.chars() {
            if c == '`' && !fenced && !fence {
                code = !code;
            }
            out.push(if code { ' ' } else { c });
        }
        out.push('\n');
    }
    out
}

/// `target` as seen from the folder of `from`, with `.` and `..` taken out.
fn resolve(from: &str, target: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in target.trim_end_matches('/').split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// The anchors that the headings of a Markdown text give, by the usual rule.
fn headings(text: &str) -> BTreeSet<String> {
    let titles = text
        .lines()
        .filter(|l| l.starts_with('#'))
        .map(|l| l.trim_start_matches('#').trim());
    let kept = |c: &char| c.is_alphanumeric() || *c == '-' || *c == '_' || *c == ' ';
    titles
        .map(|t| {
            t.to_lowercase()
                .chars()
                .filter(kept)
                .map(|c| if c == ' ' { '-' } else { c })
                .collect()
        })
        .collect()
}

/// Documents named in any text as `docs/….md` that do not exist.
fn missing_documents(file: &File, all: &[File]) -> Vec<String> {
    let mut missing = Vec::new();
    for (at, _) in file.text.match_indices("docs/") {
        let name: String = file.text[at..]
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || "/-_.".contains(*c))
            .collect();
        let before = file.text[..at].chars().next_back().unwrap_or(' ');
        let is_ours = !before.is_alphanumeric() && !"/.-_".contains(before);
        if is_ours && name.ends_with(".md") && !all.iter().any(|f| f.path == name) {
            missing.push(format!(
                "{}:{}: {name} does not exist",
                file.path,
                line_of(&file.text, at)
            ));
        }
    }
    missing
}

/// What is wrong with the decision records: numbers that the index does not name, missing parts.
fn faults_of_records(all: &[File]) -> Vec<String> {
    let records: Vec<_> = all
        .iter()
        .filter(|f| f.path.starts_with("docs/adr/") && f.path != "docs/adr/README.md")
        .collect();
    let Some(index) = all.iter().find(|f| f.path == "docs/adr/README.md") else {
        return vec!["no docs/adr/README.md".to_owned()];
    };
    let mut faults = Vec::new();
    for record in &records {
        let name = record.path.trim_start_matches("docs/adr/");
        let number = name.split('-').next().unwrap_or_default();
        if number.len() != 4 || !number.chars().all(|c| c.is_ascii_digit()) {
            faults.push(format!("{}: not named NNNN-words.md", record.path));
        }
        if records
            .iter()
            .any(|r| r.path != record.path && r.path.starts_with(&format!("docs/adr/{number}-")))
        {
            faults.push(format!("{}: another record has that number", record.path));
        }
        if !index.text.lines().any(|l| l.starts_with('|') && l.contains(number)) {
            faults.push(format!("{}: not in the index", record.path));
        }
        for part in ["Status:", "## Context", "## Decision", "## Consequences", "## Rejected"] {
            if !record.text.contains(part) {
                faults.push(format!("{}: no `{part}`", record.path));
            }
        }
    }
    faults
}

#[test]
fn every_link_of_the_documents_leads_somewhere() {
    let files = project_files();
    let markdown: Vec<_> = files.iter().filter(|f| f.path.ends_with(".md")).collect();
    assert!(markdown.len() > 10, "the walk must see the documents");
    let mut broken: Vec<String> = markdown.iter().flat_map(|f| broken_links(f, &files)).collect();
    broken.extend(
        files
            .iter()
            .filter(|f| !f.path.starts_with("tests/it/tidy/"))
            .flat_map(|f| missing_documents(f, &files)),
    );
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn every_decision_record_is_whole_and_listed() {
    let faults = faults_of_records(&project_files());
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_readme_states_the_purpose_word_for_word_and_the_changelog_keeps_scientific_changes_apart() {
    let files = project_files();
    let text_of = |path: &str| {
        files
            .iter()
            .find(|f| f.path == path)
            .map(|f| f.text.as_str())
            .expect("document")
    };
    assert!(
        text_of("README.md").contains(FIXED_LINES[0]),
        "the intended purpose must stand in README.md on one line"
    );
    assert!(text_of("CHANGELOG.md").contains("### Scientific changes"));
}

#[test]
fn a_broken_link_a_missing_document_and_an_unlisted_record_are_seen() {
    let all = [
        File::new(
            "docs/a.md",
            "# One thing\n[ok](b.md#two-things) [ok](../README.md) [ok](#one-thing) `[code](no.md)`\n```\n[code](no.md)\n```",
        ),
        File::new("docs/b.md", "## Two things\n[gone](c.md) [gone](a.md#two) docs/gone.md"),
        File::new("README.md", "[site](https://example.org/x.md)"),
        File::new("docs/adr/README.md", "| 0001 | listed |"),
        File::new(
            "docs/adr/0001-listed.md",
            "Status: accepted\n## Context\n## Decision\n## Consequences\n## Rejected\n",
        ),
        File::new("docs/adr/0002-new.md", "## Context\n"),
    ];
    assert_eq!(broken_links(&all[0], &all), Vec::<String>::new());
    assert_eq!(broken_links(&all[1], &all).len(), 2);
    assert_eq!(broken_links(&all[2], &all), Vec::<String>::new());
    assert_eq!(missing_documents(&all[1], &all).len(), 1);
    let faults = faults_of_records(&all);
    assert!(
        faults.iter().all(|f| f.starts_with("docs/adr/0002")) && faults.len() == 5,
        "{faults:?}"
    );
}
