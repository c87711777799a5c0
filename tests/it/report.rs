//! `lope report` as people meet it: a file of each kind, tagged and in reading order, and everything it refuses.

#[cfg(feature = "pdf")]
use crate::support::program;
use assert_cmd::Command;
use std::path::Path;
use std::process::Output;

fn lope(data: &Path, line: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lope"));
    command
        .env_clear()
        .env("LANG", "C")
        .arg("--data-dir")
        .arg(data.join("data"));
    command.current_dir(data).args(line).output().expect("run")
}

/// A record with one short simulated run.
fn record() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("folder");
    let made = lope(
        dir.path(),
        &["simulate", "--minutes", "1", "--seed", "3", "--out", "run"],
    );
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let kept = lope(dir.path(), &["analyze", "run"]);
    assert!(kept.status.success(), "{}", String::from_utf8_lossy(&kept.stderr));
    dir
}

#[test]
fn a_report_is_one_file_and_is_not_written_over() {
    let dir = record();
    let at = dir.path();
    let first = lope(at, &["report", "last", "-o", "a.html"]);
    assert!(first.status.success(), "{}", String::from_utf8_lossy(&first.stderr));
    let page = std::fs::read_to_string(at.join("a.html")).expect("a page");
    assert!(page.starts_with("<!doctype html>") && page.contains("<html lang=\"en\">") && page.contains("How you ran"));
    assert!(!page.contains("<script") && !page.contains("href="));
    let again = lope(at, &["report", "last", "-o", "a.html"]);
    assert_eq!(again.status.code(), Some(5));
    assert!(String::from_utf8_lossy(&again.stderr).contains("lope::report::exists"));
    let forced = lope(
        at,
        &[
            "report",
            "last",
            "--for",
            "therapist",
            "-o",
            "a.html",
            "--force",
            "--json",
        ],
    );
    assert!(forced.status.success());
    let told: serde_json::Value = serde_json::from_slice(&forced.stdout).expect("json");
    assert_eq!(
        (told["for"].as_str(), told["symptoms"].as_str()),
        (Some("therapist"), Some("not shared"))
    );
    for (line, code) in [
        (vec!["report", "last", "-o", "a.docx"], 2),
        (vec!["report", "nothing-like-it", "-o", "b.html"], 6),
        (
            vec!["report", "last", "--compare", "moon:full", "last", "-o", "b.html"],
            2,
        ),
        (vec!["report", "last", "--before", "2026-01-01", "-o", "b.html"], 2),
        (vec!["report", "last", "-o", "no/such/folder.html"], 3),
    ] {
        let refused = lope(at, &line);
        assert_eq!(
            refused.status.code(),
            Some(code),
            "{line:?}: {}",
            String::from_utf8_lossy(&refused.stderr)
        );
    }
    assert!(!at.join("b.html").exists());
}

#[cfg(not(feature = "pdf"))]
#[test]
fn a_build_without_pdf_says_so_and_how_to_go_on() {
    let dir = record();
    let refused = lope(dir.path(), &["report", "last", "-o", "a.pdf"]);
    assert_eq!(refused.status.code(), Some(4));
    let text = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(text.contains("a.html") && text.contains("feature"), "{text}");
}

#[cfg(feature = "pdf")]
#[test]
fn a_pdf_is_tagged_and_read_in_order() {
    let dir = record();
    let at = dir.path();
    let made = lope(
        at,
        &[
            "report",
            "last",
            "--for",
            "therapist",
            "--question",
            "Sore?",
            "-o",
            "a.pdf",
        ],
    );
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let bytes = std::fs::read(at.join("a.pdf")).expect("a file");
    let holds = |what: &str| bytes.windows(what.len()).any(|w| w == what.as_bytes());
    assert!(holds("/Lang") && holds("pdfuaid"), "language and part of PDF/UA");
    let Some(reader) = program("pdftotext") else { return };
    let text = Command::new(reader)
        .arg(at.join("a.pdf"))
        .arg("-")
        .output()
        .expect("run");
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    let mut from = 0;
    for part in [
        "Running report",
        "Question asked",
        "Sore?",
        "Before and after",
        "Lower-back flags",
        "Checklist",
        "Same shoes and ground as before",
        "Name, signature",
        "Strides as curves",
        "Methods and errors",
        "Gaps and losses",
        "Words",
    ] {
        let at = text[from..]
            .find(part)
            .unwrap_or_else(|| panic!("{part} does not follow in:\n{text}"));
        from += at;
    }
    let Some(info) = program("pdfinfo") else { return };
    let tree = Command::new(&info)
        .arg("-struct")
        .arg(at.join("a.pdf"))
        .output()
        .expect("run");
    let tree = String::from_utf8_lossy(&tree.stdout).into_owned();
    for tag in ["H1", "H2", "Table", "TH", "Figure", "P"] {
        assert!(tree.contains(tag), "no {tag} in:\n{tree}");
    }
    let told = Command::new(info).arg(at.join("a.pdf")).output().expect("run");
    assert!(String::from_utf8_lossy(&told.stdout).contains("Tagged:          yes"));
}

/// Numbers that a person sees in a page: text between tags, without style, title and what is only read aloud.
fn numbers(text: &str) -> std::collections::BTreeSet<String> {
    let mut found = std::collections::BTreeSet::new();
    let mut number = String::new();
    for c in text.chars().chain([' ']) {
        if c.is_ascii_digit() || (c == '.' && !number.is_empty()) {
            number.push(c);
        } else if !number.is_empty() {
            found.insert(number.trim_end_matches('.').to_owned());
            number.clear();
        }
    }
    found
}

fn seen(page: &str) -> String {
    let mut rest = page.split_once("<main>").expect("main").1.to_owned();
    for (open, close) in [("<desc", "</desc>"), ("<title", "</title>")] {
        while let Some(from) = rest.find(open) {
            let to = from + rest[from..].find(close).expect("its end") + close.len();
            rest.replace_range(from..to, " ");
        }
    }
    let mut text = String::new();
    let mut inside = false;
    for c in rest.chars() {
        match c {
            '<' => inside = true,
            '>' => {
                inside = false;
                text.push(' ');
            }
            c if !inside => text.push(c),
            _ => {}
        }
    }
    text.replace("&#39;", "'")
}

#[cfg(feature = "pdf")]
#[test]
fn a_pdf_holds_every_number_of_the_page_and_no_reader_finds_fault() {
    let dir = record();
    let at = dir.path();
    for (paper, size) in [("a4", "595.28 x 841.89"), ("letter", "612 x 792")] {
        for (reader, plain) in [
            ("therapist", false),
            ("coach", false),
            ("runner", false),
            ("runner", true),
        ] {
            let name = |end: &str| format!("{reader}-{plain}-{paper}.{end}");
            for end in ["html", "pdf"] {
                let file = name(end);
                let mut line = vec!["report", "last", "--for", reader, "--paper", paper, "-o", file.as_str()];
                if plain {
                    line.extend(["--plain", "--agreed", "Two easy runs until 14 December"]);
                }
                let made = lope(at, &line);
                assert!(
                    made.status.success(),
                    "{line:?}: {}",
                    String::from_utf8_lossy(&made.stderr)
                );
            }
            let Some(read) = program("pdftotext") else { return };
            let read = Command::new(read)
                .arg(at.join(name("pdf")))
                .arg("-")
                .output()
                .expect("run");
            let pdf = numbers(&String::from_utf8_lossy(&read.stdout));
            let page = std::fs::read_to_string(at.join(name("html"))).expect("a page");
            let html = numbers(&seen(&page));
            assert!(html.len() >= 5, "{html:?}");
            let lacking: Vec<&String> = html.difference(&pdf).collect();
            assert!(lacking.is_empty(), "{}: not in the PDF: {lacking:?}", name("pdf"));
            let Some(info) = program("pdfinfo") else { return };
            let told = Command::new(info).arg(at.join(name("pdf"))).output().expect("run");
            assert!(told.stderr.is_empty(), "{}", String::from_utf8_lossy(&told.stderr));
            let told = String::from_utf8_lossy(&told.stdout).into_owned();
            assert!(told.contains(size) && told.contains("Tagged:          yes"), "{told}");
            if plain {
                assert!(told.contains("Pages:           1"), "{told}");
                assert!(page.contains("Two easy runs until 14 December") && page.contains("What was agreed"));
            }
        }
    }
}

#[test]
fn a_coachs_page_has_a_pseudonym_unless_the_name_is_asked_for() {
    let dir = record();
    let at = dir.path();
    let told = |more: &[&str]| {
        let line = [
            &["report", "last", "--for", "coach", "-o", "c.html", "--force", "--json"],
            more,
        ]
        .concat();
        let made = lope(at, &line);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let told: serde_json::Value = serde_json::from_slice(&made.stdout).expect("json");
        told["pseudonym"].as_bool().expect("told")
    };
    assert!(told(&[]));
    assert!(!told(&["--name"]));
    assert!(!told(&["--plain"]), "a letter is somebody's own");
    assert_eq!(
        lope(at, &["report", "last", "--name", "--pseudonym"]).status.code(),
        Some(2)
    );
    assert_eq!(lope(at, &["report", "last", "--agreed", "x"]).status.code(), Some(2));
}
