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
        "Same shoes and ground as before",
        "Signature",
        "Pelvis over the stride",
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
