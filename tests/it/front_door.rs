//! The script `./x` on systems that lack something, and the accuracy gate's check of itself and of the documents.

#[cfg(unix)]
use crate::support::program;
use crate::support::{project_root, python};
use std::process::{Command, Output};

fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// `./x ARGS` on a system that has only `tools`, seen from a folder that is not the project's.
#[cfg(unix)]
fn x_with_tools_only(tools: &[&str], args: &[&str]) -> Option<Output> {
    let bin = tempfile::tempdir().expect("a scratch folder");
    for tool in ["sh", "sed", "head", "dirname", "uname", "cat"].iter().chain(tools) {
        std::os::unix::fs::symlink(program(tool)?, bin.path().join(tool)).expect("a link");
    }
    let mut command = Command::new(project_root().join("x"));
    command
        .args(args)
        .env_clear()
        .env("PATH", bin.path())
        .env("HOME", bin.path())
        .current_dir(bin.path());
    Some(command.output().expect("x runs"))
}

#[cfg(unix)]
#[test]
fn without_rust_and_c_the_script_names_the_line_that_installs_both_and_ends_with_3() {
    let Some(output) = x_with_tools_only(&[], &["demo"]) else {
        return;
    };
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    assert!(output.stdout.is_empty());
    let shown = text(&output);
    assert!(
        shown.contains("rust not found") && shown.contains("C compiler not found"),
        "{shown}"
    );
    assert!(shown.contains("rustup.rs") && shown.contains(" && "), "{shown}");
}

#[cfg(unix)]
#[test]
fn without_a_c_compiler_alone_the_script_does_not_ask_for_rust() {
    let bin = tempfile::tempdir().expect("a scratch folder");
    for (name, says) in [("cargo", "cargo 1.99.0"), ("rustc", "rustc 1.99.0 (0 2030-01-01)")] {
        use std::os::unix::fs::PermissionsExt as _;
        let path = bin.path().join(name);
        std::fs::write(&path, format!("#!/bin/sh\necho '{says}'\n")).expect("a stand-in");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("made executable");
    }
    let tools: Vec<_> = ["sh", "sed", "head", "dirname", "uname", "cat"]
        .into_iter()
        .map(|t| (t, program(t)))
        .collect();
    for (name, path) in tools {
        let Some(path) = path else { return };
        std::os::unix::fs::symlink(path, bin.path().join(name)).expect("a link");
    }
    let mut command = Command::new(project_root().join("x"));
    let output = command
        .arg("test")
        .env_clear()
        .env("PATH", bin.path())
        .env("HOME", bin.path())
        .output()
        .expect("x runs");
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    assert!(
        text(&output).contains("C compiler not found") && !text(&output).contains("rustup"),
        "{}",
        text(&output)
    );
}

#[cfg(unix)]
#[test]
fn an_unknown_verb_is_a_usage_error_and_no_verb_shows_the_usage() {
    let Some(wrong) = x_with_tools_only(&[], &["dance"]) else {
        return;
    };
    assert_eq!(wrong.status.code(), Some(2));
    let Some(none) = x_with_tools_only(&[], &[]) else {
        return;
    };
    assert_eq!(none.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&none.stdout).contains("./x VERB"));
}

fn gate(argument: &str) {
    let Some(python) = python() else { return };
    let output = Command::new(python)
        .arg(project_root().join("tests/gate/score_gate.py"))
        .arg(argument)
        .output()
        .expect("python runs");
    assert!(output.status.success(), "{}", text(&output));
}

#[test]
fn the_accuracy_gate_refuses_what_is_worse() {
    gate("--self-test");
}

#[test]
fn readme_and_changelog_agree_with_the_accuracy_snapshot() {
    gate("--check-docs");
}
