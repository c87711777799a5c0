//! Nothing in the dependency tree but what `deny.toml` allows, checked on every run and without a program to install.

use crate::support::project_root;
use std::process::Command;

/// Whether a licence expression can be satisfied with licences of `allowed`. Expressions of crates are flat `OR`s and `AND`s,
/// at most one level of brackets deep; `/` is the old spelling of `OR`.
fn is_allowed(expression: &str, allowed: &[String]) -> bool {
    let flat = expression.replace('/', " OR ");
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0_i32, 0);
    for (i, c) in flat.char_indices() {
        depth += i32::from(c == '(') - i32::from(c == ')');
        if depth == 0 && flat[i..].starts_with(" AND ") {
            parts.push(&flat[start..i]);
            start = i + " AND ".len();
        }
    }
    parts.push(&flat[start..]);
    let term = |t: &str| allowed.iter().any(|a| a == t.trim());
    parts.iter().all(
        |part| match part.trim().strip_prefix('(').and_then(|p| p.strip_suffix(')')) {
            Some(inner) => is_allowed(inner, allowed),
            None => part
                .split(" OR ")
                .any(|t| term(t) || (t.contains(" WITH ") && term(t.split(" WITH ").next().unwrap_or_default()))),
        },
    )
}

/// The `allow` list of `deny.toml`.
fn allow_list() -> Vec<String> {
    let text = std::fs::read_to_string(project_root().join("deny.toml")).expect("deny.toml");
    let list = text
        .split_once("allow = [")
        .and_then(|(_, rest)| rest.split_once(']'))
        .expect("an allow list")
        .0;
    list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn every_dependency_has_a_licence_the_project_allows() {
    let allowed = allow_list();
    assert!(allowed.len() > 4, "the list must be readable: {allowed:?}");
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--workspace",
            "--all-features",
            "--locked",
            "--prefix",
            "none",
            "--format",
            "{p}\t{l}",
        ])
        .current_dir(project_root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8_lossy(&output.stdout);
    let mut lines: Vec<&str> = tree
        .lines()
        .map(|l| l.trim_end_matches(" (*)"))
        .filter(|l| !l.is_empty())
        .collect();
    lines.sort_unstable();
    lines.dedup();
    assert!(lines.len() > 20, "the tree must be readable:\n{tree}");
    let refused: Vec<&str> = lines
        .into_iter()
        .filter(|l| !is_allowed(l.split_once('\t').map_or("", |(_, licence)| licence), &allowed))
        .collect();
    assert!(refused.is_empty(), "not allowed by deny.toml:\n{}", refused.join("\n"));
}

#[test]
fn expressions_are_read_as_they_are_meant() {
    let allowed: Vec<String> = ["MIT", "Apache-2.0", "Unicode-3.0"].map(str::to_owned).to_vec();
    for good in [
        "MIT",
        "MIT OR GPL-3.0",
        "GPL-3.0/MIT",
        "(MIT OR Apache-2.0) AND Unicode-3.0",
        "Apache-2.0 WITH LLVM-exception",
    ] {
        assert!(is_allowed(good, &allowed), "{good}");
    }
    for bad in [
        "",
        "GPL-3.0",
        "MIT AND GPL-3.0",
        "(MIT OR Apache-2.0) AND AGPL-3.0",
        "AGPL-3.0 OR LGPL-3.0",
    ] {
        assert!(!is_allowed(bad, &allowed), "{bad}");
    }
}
