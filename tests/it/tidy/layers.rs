//! Who may use whom: the layer table, and the rules that read it against each source file.
//!
//! A module may use itself and strictly lower layers; siblings of one layer never see each other. The same table stands in
//! `docs/architecture.md` for people; a test keeps the two equal.

use super::source::{File, Finding, is_word, line_of, words};
use super::{Rule, project_files};

/// Every top-level module of the library with its layer, those of planned versions included.
pub(crate) const LAYERS: &[(&str, u8)] = &[
    ("model", 0),
    ("clock", 1),
    ("signal", 1),
    ("synth", 1),
    ("orientation", 2),
    ("gait", 3),
    ("metrics", 4),
    ("risk", 5),
    ("pipeline", 6),
    ("sensors", 7),
    ("store", 7),
    ("interchange", 7),
    ("config", 8),
    ("review", 8),
    ("report", 9),
    ("api", 10),
    ("runtime", 11),
    ("cli", 12),
];

/// The pure core: synchronous, infallible, no IO, no clock.
pub(crate) const CORE: &[&str] = &[
    "model",
    "clock",
    "signal",
    "synth",
    "orientation",
    "gait",
    "metrics",
    "risk",
    "pipeline",
];

/// Who may run the synthetic runner outside tests: what stands in for sensors, and the commands that show it.
const MAY_USE_SYNTH: &[&str] = &["sensors", "runtime", "cli"];

/// Who knows the wire format: drivers, and the synthetic runner that speaks it.
const MAY_USE_PROTOCOL: &[&str] = &["sensors", "synth"];

/// The rules about layers.
pub(crate) const RULES: &[Rule] = &[
    Rule {
        name: "layers",
        why: "a module uses itself and strictly lower layers, so that each can be read and tested without those above it",
        check: only_lower_layers,
        bad: &[
            ("src/gait/a.rs", "use crate::pipeline::Output;"),
            ("src/gait/a.rs", "use crate::{model::Side, metrics};"),
            ("src/gait/a.rs", "fn f() { crate::metrics::compute() }"),
            ("src/signal/a.rs", "use crate::clock::Skew;"),
            ("src/store/a.rs", "use crate::interchange::csv;"),
            ("src/gait/mod.rs", "use super::metrics::MetricId;"),
            ("src/gait/a.rs", "use super::super::metrics::MetricId;"),
            ("src/gait/a.rs", "use crate::newcomer::X;"),
            ("src/newcomer/a.rs", "use crate::model::Side;"),
            ("src/gait/a.rs", "use crate::*;"),
            (
                "src/gait/a.rs",
                "#[cfg(test)]\nmod tests {\n    use crate::metrics::X;\n}",
            ),
            ("src/lib.rs", "pub mod newcomer;"),
        ],
        good: &[
            (
                "src/gait/a.rs",
                "use crate::model::Side;\nuse crate::{orientation::Track, signal::{filter, peaks}};\nuse super::stride;",
            ),
            (
                "src/gait/a.rs",
                "//! See [`crate::metrics`].\nuse crate::gait::contact;",
            ),
            (
                "src/gait/a.rs",
                "#[cfg(test)]\nmod tests {\n    use super::super::contact;\n    use crate::synth::runner;\n}",
            ),
            (
                "src/signal/a.rs",
                "#[cfg(test)]\nmod tests {\n    use crate::synth::runner;\n}",
            ),
            ("src/main.rs", "fn main() { lope::cli::main() }"),
            ("src/lib.rs", "pub mod model;\npub mod gait;"),
            ("tests/it/a.rs", "use crate::support;"),
        ],
    },
    Rule {
        name: "synth-apart",
        why: "an estimator that shares code with the generator of its test data proves nothing",
        check: synth_stays_apart,
        bad: &[
            ("src/gait/a.rs", "use crate::synth::walker;"),
            ("src/metrics/a.rs", "use crate::{model::Side, synth};"),
            ("src/store/a.rs", "use crate::synth::walker;"),
        ],
        good: &[
            (
                "src/gait/a.rs",
                "#[cfg(test)]\nmod tests {\n    use crate::synth::walker;\n}",
            ),
            ("src/cli/demo.rs", "use crate::synth::walker;"),
            ("src/synth/a.rs", "use crate::synth::walker;"),
        ],
    },
    Rule {
        name: "protocol-apart",
        why: "only drivers and the synthetic runner know the wire format; everything else speaks `model`",
        check: protocol_stays_apart,
        bad: &[
            ("src/gait/a.rs", "use firmware_protocol::Frame;"),
            ("src/cli/a.rs", "firmware_protocol::crc(&bytes)"),
        ],
        good: &[
            ("src/synth/pod.rs", "use firmware_protocol::Frame;"),
            ("src/gait/a.rs", "//! Unlike firmware_protocol, this knows no bytes."),
            ("firmware-protocol/tests/a.rs", "use firmware_protocol::Frame;"),
        ],
    },
    Rule {
        name: "pure-core",
        why: "the core is synchronous, infallible and touches nothing of the world, so that the same events give the same result anywhere",
        check: core_touches_nothing,
        bad: &[
            ("src/gait/a.rs", "use std::fs::File;"),
            ("src/signal/a.rs", "fn f() { std::env::var(\"X\"); }"),
            ("src/model/a.rs", "#[cfg(feature = \"store\")]\nmod x;"),
            ("src/metrics/a.rs", "async fn f() {}"),
            ("src/gait/a.rs", "use serde_json::Value;"),
        ],
        good: &[
            ("src/store/a.rs", "use std::fs::File;"),
            ("src/gait/a.rs", "//! No std::fs here.\nuse std::ops::Range;"),
            ("src/gait/a.rs", "#[cfg(test)]\nmod tests {\n    use std::fs::File;\n}"),
        ],
    },
];

fn layer(module: &str) -> Option<u8> {
    LAYERS.iter().find(|(name, _)| *name == module).map(|(_, layer)| *layer)
}

fn only_lower_layers(file: &File) -> Vec<Finding> {
    if file.path == "src/lib.rs" {
        return unlisted_modules(file);
    }
    let Some(own) = file.module() else { return Vec::new() };
    let Some(own_layer) = layer(own) else {
        return vec![Finding {
            line: 1,
            what: format!("module `{own}` is not in the layer table"),
        }];
    };
    let mut findings = Vec::new();
    for (line, used) in root_names(file) {
        let what = match layer(&used) {
            _ if used == own => continue,
            // Tests of any layer may feed themselves from the synthetic runner.
            Some(_) if used == "synth" && file.is_test_line(line) => continue,
            Some(lower) if lower < own_layer => continue,
            Some(other) => format!("`{own}` (L{own_layer}) uses `{used}` (L{other})"),
            None => format!("`{own}` uses `crate::{used}`, which is not in the layer table"),
        };
        findings.push(Finding { line, what });
    }
    findings
}

fn unlisted_modules(lib: &File) -> Vec<Finding> {
    let declared = words(&lib.code, "mod").map(|at| (line_of(&lib.code, at), first_word(&lib.code[at + 3..])));
    declared
        .filter(|(_, module)| layer(module).is_none())
        .map(|(line, module)| Finding {
            line,
            what: format!("module `{module}` is not in the layer table"),
        })
        .collect()
}

fn synth_stays_apart(file: &File) -> Vec<Finding> {
    let Some(own) = file.module().filter(|m| *m != "synth" && !MAY_USE_SYNTH.contains(m)) else {
        return Vec::new();
    };
    root_names(file)
        .into_iter()
        .filter(|(line, used)| used == "synth" && !file.is_test_line(*line))
        .map(|(line, _)| Finding {
            line,
            what: format!("`{own}` uses `synth` outside tests"),
        })
        .collect()
}

fn protocol_stays_apart(file: &File) -> Vec<Finding> {
    let Some(own) = file.module().filter(|m| !MAY_USE_PROTOCOL.contains(m)) else {
        return Vec::new();
    };
    words(&file.code, "firmware_protocol")
        .map(|at| Finding {
            line: line_of(&file.code, at),
            what: format!("`{own}` uses `firmware_protocol`"),
        })
        .collect()
}

fn core_touches_nothing(file: &File) -> Vec<Finding> {
    if !file.module().is_some_and(|m| CORE.contains(&m)) {
        return Vec::new();
    }
    const WORLD: &[&str] = &[
        "std::fs",
        "std::io",
        "std::net",
        "std::env",
        "std::process",
        "std::thread",
        "tokio",
        "rusqlite",
        "serde_json",
        "toml",
        "async",
        "cfg(feature",
    ];
    let found = WORLD
        .iter()
        .flat_map(|word| words(&file.code, word).map(move |at| (line_of(&file.code, at), *word)));
    found
        .filter(|(line, _)| !file.is_test_line(*line))
        .map(|(line, word)| Finding {
            line,
            what: format!("`{word}` in the core"),
        })
        .collect()
}

/// The names a file uses from the root of the library, with their lines: `gait` for `crate::gait::x`, `use crate::{gait, ..}`,
/// and for as many `super::` as lead to the root.
fn root_names(file: &File) -> Vec<(usize, String)> {
    let code = file.code.as_str();
    let mut names = Vec::new();
    for at in words(code, "crate::") {
        let line = line_of(code, at);
        names.extend(
            names_at(&code[at + "crate::".len()..])
                .into_iter()
                .map(|name| (line, name)),
        );
    }
    for at in words(code, "super::") {
        if code[..at].ends_with("super::") {
            continue;
        }
        let rest = &code[at..];
        let after = rest.trim_start_matches("super::");
        let steps = (rest.len() - after.len()) / "super::".len();
        let line = line_of(code, at);
        // Inside `mod tests` of a file one `super` leads only to the file.
        let depth = file.depth() + usize::from(file.is_test_line(line));
        if steps >= depth {
            names.extend(names_at(after).into_iter().map(|name| (line, name)));
        }
    }
    names
}

/// The first names of a path or of a braced group of paths.
fn names_at(rest: &str) -> Vec<String> {
    let rest = rest.trim_start();
    let Some(group) = rest.strip_prefix('{') else {
        let name = first_word(rest);
        // A macro of the library stands at its root whatever module defines it.
        let is_macro = rest[name.len().min(rest.len())..].starts_with('!');
        return if is_macro { Vec::new() } else { vec![name] };
    };
    let (mut depth, mut names, mut start) = (0_usize, Vec::new(), 0);
    for (i, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                let name = first_word(&group[start..i]);
                if name != "self" && !group[start..i].trim().is_empty() {
                    names.push(name);
                }
                start = i + 1;
                if c == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    names
}

fn first_word(text: &str) -> String {
    let text = text.trim_start();
    let word: String = text.chars().take_while(|&c| is_word(c)).collect();
    if word.is_empty() {
        text.chars().take(1).collect()
    } else {
        word
    }
}

#[test]
fn the_layer_table_of_the_architecture_document_is_the_one_checked_here() {
    let files = project_files();
    let document = files
        .iter()
        .find(|f| f.path == "docs/architecture.md")
        .expect("docs/architecture.md");
    let mut written = Vec::new();
    for line in document.text.lines() {
        let mut cells = line.split('|').map(str::trim).skip(1);
        let Some(layer) = cells
            .next()
            .and_then(|c| c.strip_prefix('L'))
            .and_then(|n| n.parse::<u8>().ok())
        else {
            continue;
        };
        let names = cells.next().unwrap_or_default();
        written.extend(names.split('`').skip(1).step_by(2).map(|name| (name.to_owned(), layer)));
    }
    let mut checked: Vec<_> = LAYERS
        .iter()
        .map(|(name, layer)| ((*name).to_owned(), *layer))
        .collect();
    written.sort();
    checked.sort();
    assert_eq!(written, checked);
}

#[test]
fn the_core_compiles_without_any_crate_that_touches_the_world() {
    let output = std::process::Command::new(env!("CARGO"))
        .args([
            "tree",
            "--locked",
            "-e",
            "normal",
            "--no-default-features",
            "--prefix",
            "none",
            "-p",
            "lope",
        ])
        .current_dir(crate::support::project_root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8_lossy(&output.stdout);
    assert!(
        tree.lines().any(|l| l.starts_with("nalgebra ")),
        "the tree must be readable:\n{tree}"
    );
    for banned in [
        "tokio",
        "mio",
        "rusqlite",
        "clap",
        "serde_json",
        "toml",
        "miette",
        "ratatui",
        "libc",
    ] {
        assert!(
            !tree.lines().any(|l| l.starts_with(&format!("{banned} "))),
            "{banned} is in the tree of the core:\n{tree}"
        );
    }
}
