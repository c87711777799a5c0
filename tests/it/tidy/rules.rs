//! The rules about single files that are not about layers.
//!
//! Words that no file of the project may hold are put together with `concat!`, because this file is looked at too.

use super::Rule;
use super::layers::CORE;
use super::source::{File, Finding, is_word, line_of, words};

/// Longest file, lines. A longer one holds more than one idea.
const MAX_LINES: usize = 800;

/// Stems that no text shown to a runner may hold (as beginnings of words): they claim what lope cannot know. The two fixed
/// lines of [`FIXED_LINES`] are exempt.
const BANNED_STEMS: &[&str] = &[
    "predict",
    "prevent",
    "risk",
    "diagnos",
    "abnormal",
    "damage",
    "wear and tear",
    "misalign",
    "realign",
    "unstable",
    "instab",
    "weak",
    "degenerat",
    "dysfunction",
    "out of place",
    "slipped",
    "crumbl",
    "faulty",
    "poor form",
    "bad form",
    "bad posture",
    "bad back",
    "cure",
    "treat",
    "heals",
    "prescri",
    "patholog",
    "sciatica",
    "hernia",
    "stenosis",
    "fracture",
    "arthritis",
    "sacroiliac",
    "strain",
    "safe to run",
    "you should",
    "you must",
];

/// The intended purpose and the footer, word for word.
pub(crate) const FIXED_LINES: [&str; 3] = [
    "Records and describes running form and training load for fitness and coaching. It does not diagnose, predict, monitor or treat any condition.",
    "Information only. Not a medical device, not a diagnosis. If you are worried, or pain does not settle, talk to a qualified health professional.",
    "Not a medical device, not a diagnosis.",
];

/// The rules.
pub(crate) const RULES: &[Rule] = &[
    Rule {
        name: "file-head",
        why: "a reader learns first what a file is and why it is so",
        check: |f| {
            if f.is_rust() && !f.text.starts_with("//! ") {
                found(1, "does not begin with `//! `")
            } else {
                vec![]
            }
        },
        bad: &[("src/gait/a.rs", "use crate::model;\n//! late"), ("tests/a.rs", "")],
        good: &[("src/gait/a.rs", "//! What it is.\n"), ("docs/a.md", "# A")],
    },
    Rule {
        name: "file-length",
        why: "one idea a file",
        check: |f| {
            let lines = f.text.lines().count();
            if f.is_rust() && lines > MAX_LINES {
                found(lines, &format!("{lines} lines, at most {MAX_LINES}"))
            } else {
                vec![]
            }
        },
        bad: &[("src/gait/a.rs", LONG)],
        good: &[("docs/a.md", LONG), ("src/gait/a.rs", "//! Short.")],
    },
    Rule {
        name: "file-names",
        why: "a drawer for everything is a place where nothing is found",
        check: no_drawers,
        bad: &[
            ("src/gait/utils.rs", ""),
            ("src/common/mod.rs", ""),
            ("src/store/pool_manager.rs", ""),
        ],
        good: &[("src/gait/stride.rs", ""), ("docs/common.md", "")],
    },
    Rule {
        name: "nothing-unfinished",
        why: "what is not done is left out, not left open",
        check: |f| no_code_words(f, &["todo!", "unimplemented!", "dbg!", "#[ignore"], "unfinished"),
        bad: &[
            ("src/gait/a.rs", "fn f() { todo!() }"),
            ("src/gait/a.rs", "fn f() { unimplemented!(\"later\") }"),
            ("tests/it/a.rs", "fn f() { dbg!(1); }"),
            ("tests/it/a.rs", "#[test]\n#[ignore = \"slow\"]\nfn f() {}"),
        ],
        good: &[("src/gait/a.rs", "//! No todo!() here.\nfn f() { g(\"#[ignore]\") }")],
    },
    Rule {
        name: "no-hash-maps-in-core",
        why: "their order changes from run to run and would reach an output; a BTreeMap or an array keeps results equal byte for byte",
        check: |f| {
            if f.module().is_some_and(|m| CORE.contains(&m)) {
                no_code_words(f, &["HashMap", "HashSet"], "random order")
            } else {
                vec![]
            }
        },
        bad: &[
            ("src/gait/a.rs", "use std::collections::HashMap;"),
            ("src/synth/a.rs", "let s: HashSet<u8>;"),
        ],
        good: &[
            ("src/gait/a.rs", "//! No HashMap.\nuse std::collections::BTreeMap;"),
            ("src/store/a.rs", "use std::collections::HashMap;"),
        ],
    },
    Rule {
        name: "no-wall-clock",
        why: "time comes in with the events; who reads a clock gets another result every time",
        check: |f| {
            let allowed = f.module().is_none_or(|m| ["runtime", "cli"].contains(&m));
            if allowed {
                vec![]
            } else {
                no_code_words(
                    f,
                    &["SystemTime::now", "Instant::now", "Utc::now", "Local::now"],
                    "clock",
                )
            }
        },
        bad: &[
            ("src/store/a.rs", "let t = std::time::SystemTime::now();"),
            ("src/gait/a.rs", "let t = Instant::now();"),
            ("src/interchange/a.rs", "let t = chrono::Utc::now();"),
        ],
        good: &[
            ("src/runtime/a.rs", "let t = Instant::now();"),
            ("benches/a.rs", "let t = Instant::now();"),
            ("src/gait/a.rs", "let t = SessionTime::ZERO;"),
        ],
    },
    Rule {
        name: "no-sleep",
        why: "a sleep hides a race or slows the suite; wait for the event itself",
        check: |f| {
            let allowed = f.module().is_some_and(|m| ["runtime", "cli"].contains(&m));
            if allowed {
                vec![]
            } else {
                no_code_words(f, &["thread::sleep", "time::sleep"], "sleep")
            }
        },
        bad: &[
            ("tests/it/a.rs", "std::thread::sleep(d);"),
            ("src/store/a.rs", "tokio::time::sleep(d).await;"),
        ],
        good: &[
            ("src/cli/replay.rs", "std::thread::sleep(d);"),
            ("tests/it/a.rs", "reader.recv();"),
        ],
    },
    Rule {
        name: "bounded-channels",
        why: "a slow reader of an unbounded channel eats all memory; every edge states what it loses (docs/architecture.md)",
        check: bounded_channels,
        bad: &[
            (
                "src/runtime/a.rs",
                "let (a, b) = tokio::sync::mpsc::unbounded_channel();",
            ),
            ("src/runtime/a.rs", "let (a, b) = mpsc::channel();"),
            ("src/cli/a.rs", "let (a, b) = std::sync::mpsc::channel::<u8>();"),
            ("src/cli/a.rs", "let (a, b) = crossbeam::unbounded();"),
        ],
        good: &[
            ("src/runtime/a.rs", "let (a, b) = mpsc::channel(64);"),
            (
                "src/runtime/a.rs",
                "let (a, b) = mpsc::channel::<u8>(64); let c = read_channel();",
            ),
            ("src/runtime/a.rs", "let (a, b) = sync_channel(8);"),
            ("src/runtime/a.rs", "let (a, b) = tokio::sync::oneshot::channel();"),
        ],
    },
    Rule {
        name: "no-bool-parameters",
        why: "`f(x, true)` says nothing where it is called; an enum does",
        check: no_bool_parameters,
        bad: &[
            ("src/gait/a.rs", "pub fn f(x: f64, fast: bool) {}"),
            ("src/gait/a.rs", "pub fn f(\n    &self,\n    fast: bool,\n) -> u8 {}"),
        ],
        good: &[
            (
                "src/gait/a.rs",
                "pub fn f(x: f64) -> bool { g(x, true) }\nfn g(x: f64, fast: bool) {}",
            ),
            (
                "src/gait/a.rs",
                "pub struct S { pub fast: bool }\npub fn f(axes: [bool; 3]) {}",
            ),
        ],
    },
    Rule {
        name: "shown-words",
        why: "lope describes; it knows no causes, no outlook and no cure (docs/adr/0010-what-a-flag-may-claim.md)",
        check: no_banned_stems,
        bad: &[
            ("src/cli/a.rs", "fn f() { say(\"Your risk is high\") }"),
            ("src/cli/a.rs", "fn f() { say(\"This Prevents pain\") }"),
            (
                "src/report/a.rs",
                "const A: &str = \"weak \\\n    hips, you should rest\";",
            ),
        ],
        good: &[
            (
                "src/cli/a.rs",
                "const P: &str = \"Records and describes running form and training load for fitness and coaching. \\\n    It does not diagnose, predict, monitor or treat any condition.\";",
            ),
            (
                "src/cli/a.rs",
                "fn f() { say(\"secure, under constraint, healthy\") } // no risk",
            ),
            ("src/store/a.rs", "fn f() { log(\"treated as lost\") }"),
        ],
    },
    Rule {
        name: "no-registry-hosts",
        why: "where packages come from is the business of whoever builds",
        check: |f| {
            if f.path.ends_with("Cargo.lock") {
                vec![]
            } else {
                no_text(f, HOSTS, "names a package registry")
            }
        },
        bad: &[
            ("README.md", concat!("see crates", ".io")),
            (".ci/run", concat!("pip install -i https://pypi", ".org/simple vqf")),
            (
                "dashboard/package.json",
                concat!("\"https://registry.npmjs", ".org/preact\""),
            ),
        ],
        good: &[("README.md", "see the package index"), (".ci/run", "pip install vqf")],
    },
    Rule {
        name: "no-machine-paths",
        why: "what works only in one person's folder works nowhere",
        check: no_machine_paths,
        bad: &[
            ("docs/a.md", concat!("see /ro", "ot/lope")),
            ("src/cli/a.rs", concat!("let p = \"/wo", "rk/data\";")),
            ("tests/it/a.rs", concat!("open(\"/ho", "me/eve/x\")")),
            ("x", concat!("cd /Us", "ers/eve")),
        ],
        good: &[
            ("README.md", "/home/ada/.local/share/lope"),
            ("docs/a.md", "the framework/data and ../shared"),
            ("x", "cd \"$root\""),
        ],
    },
    Rule {
        name: "own-words",
        why: "a reader has the project and nothing else: notes, trackers and folders of whoever wrote it mean nothing there",
        check: no_outside_references,
        bad: &[
            ("docs/a.md", concat!("as in shared/", "design/signal")),
            ("src/gait/a.rs", concat!("// see issue ", "#12")),
            ("src/gait/a.rs", concat!("//! From house", ".md section 3.")),
        ],
        good: &[
            ("docs/a.md", "colour #123456, see docs/signal-chain.md"),
            ("src/gait/a.rs", "#[test]\nfn f() {}"),
        ],
    },
];

/// Ten times the same text.
macro_rules! ten {
    ($text:expr) => {
        concat!($text, $text, $text, $text, $text, $text, $text, $text, $text, $text)
    };
}

/// A thousand lines.
const LONG: &str = concat!("//! A\n", ten!(ten!(ten!("//\n"))));

const HOSTS: &[&str] = &[
    concat!("crates", ".io"),
    concat!("pypi", ".org"),
    concat!("pythonhosted", ".org"),
    concat!("npmjs", ".org"),
    concat!("npmjs", ".com"),
    concat!("deb.debian", ".org"),
    concat!("proxy.golang", ".org"),
];

fn found(line: usize, what: &str) -> Vec<Finding> {
    vec![Finding {
        line,
        what: what.to_owned(),
    }]
}

fn no_code_words(file: &File, banned: &[&str], what: &str) -> Vec<Finding> {
    let at = |word| words(&file.code, word).map(move |at| (line_of(&file.code, at), word));
    let found = banned.iter().flat_map(|word| at(*word));
    found
        .map(|(line, word)| Finding {
            line,
            what: format!("{what}: `{word}`"),
        })
        .collect()
}

fn no_text(file: &File, banned: &[&str], what: &str) -> Vec<Finding> {
    let at = |word: &&str| {
        file.text
            .match_indices(*word)
            .map(|(at, _)| line_of(&file.text, at))
            .collect::<Vec<_>>()
    };
    let found = banned
        .iter()
        .flat_map(|word| at(word).into_iter().map(move |line| (line, word)));
    found
        .map(|(line, word)| Finding {
            line,
            what: format!("{what}: {word}"),
        })
        .collect()
}

fn no_drawers(file: &File) -> Vec<Finding> {
    const DRAWERS: &[&str] = &["util", "utils", "common", "manager", "helper", "helpers", "misc"];
    let names = file.path.trim_end_matches(".rs").split(['/', '_', '-']);
    let drawer = names.filter(|_| file.is_rust()).find(|name| DRAWERS.contains(name));
    drawer.map_or(vec![], |name| found(1, &format!("named `{name}`")))
}

fn bounded_channels(file: &File) -> Vec<Finding> {
    let mut findings = no_code_words(file, &["unbounded_channel", "unbounded"], "unbounded channel");
    for at in words(&file.code, "channel") {
        // It carries one value and is gone.
        if file.code[..at].ends_with("oneshot::") {
            continue;
        }
        let mut rest = &file.code[at + "channel".len()..];
        if let Some(turbofish) = rest.strip_prefix("::<") {
            rest = turbofish.split_once(">(").map_or("", |(_, after)| after);
        } else {
            rest = rest.strip_prefix('(').unwrap_or_default();
        }
        if rest.starts_with(')') {
            findings.push(Finding {
                line: line_of(&file.code, at),
                what: "a channel without a bound".to_owned(),
            });
        }
    }
    findings
}

fn no_bool_parameters(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for at in words(&file.code, "pub fn").filter(|_| file.path.contains("src/")) {
        let Some(open) = file.code[at..].find('(').map(|i| at + i) else {
            continue;
        };
        let mut depth = 0_usize;
        let close = file.code[open..].char_indices().find(|(_, c)| {
            match c {
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            depth == 0
        });
        let Some((len, _)) = close else { continue };
        let parameters = &file.code[open + 1..open + len];
        let line = line_of(&file.code, at);
        if !file.is_test_line(line) && parameters.split(',').any(|p| p.trim_end().ends_with(": bool")) {
            findings.push(Finding {
                line,
                what: "a public function takes a bool".to_owned(),
            });
        }
    }
    findings
}

/// Only modules whose literals people read are looked at.
fn no_banned_stems(file: &File) -> Vec<Finding> {
    if !file.module().is_some_and(|m| ["cli", "report", "api"].contains(&m)) {
        return vec![];
    }
    let mut findings = Vec::new();
    for (line, literal) in file.literals.iter().filter(|(line, _)| !file.is_test_line(*line)) {
        let shown = FIXED_LINES
            .iter()
            .fold(literal.clone(), |text, fixed| text.replace(fixed, ""))
            .to_lowercase();
        let begins_a_word = |at: usize| !shown[..at].chars().next_back().is_some_and(is_word);
        for stem in BANNED_STEMS {
            if shown.match_indices(stem).any(|(at, _)| begins_a_word(at)) {
                findings.push(Finding {
                    line: *line,
                    what: format!("shows \u{201c}{stem}\u{201d}: {literal}"),
                });
            }
        }
    }
    findings
}

fn no_machine_paths(file: &File) -> Vec<Finding> {
    const PREFIXES: &[&str] = &[
        concat!("/ro", "ot/"),
        concat!("/wo", "rk/"),
        concat!("/ho", "me/"),
        concat!("/Us", "ers/"),
    ];
    let mut findings = Vec::new();
    for prefix in PREFIXES {
        for (at, _) in file.text.match_indices(prefix) {
            let begins_a_path = !file.text[..at]
                .chars()
                .next_back()
                .is_some_and(|c| is_word(c) || ".}~".contains(c));
            // Ada is the runner of the examples.
            let is_example = file.text[at..].starts_with(concat!("/ho", "me/ada"));
            if begins_a_path && !is_example {
                findings.push(Finding {
                    line: line_of(&file.text, at),
                    what: format!("a path of one machine: {prefix}…"),
                });
            }
        }
    }
    findings
}

fn no_outside_references(file: &File) -> Vec<Finding> {
    const NOTES: &[&str] = &[
        concat!("house", ".md"),
        concat!("product", ".md"),
        concat!("storage", ".md"),
        concat!("signal", ".md"),
        concat!("sensors", ".md"),
    ];
    let mut findings = no_text(file, &[concat!("shared/", "design")], "a folder outside the project");
    for note in NOTES {
        let at = words(&file.text, note).filter(|&at| !file.text[..at].ends_with('-'));
        findings.extend(at.map(|at| Finding {
            line: line_of(&file.text, at),
            what: format!("a note outside the project: {note}"),
        }));
    }
    for (at, word) in file.text.match_indices("issue #") {
        if file.text[at + word.len()..].starts_with(|c: char| c.is_ascii_digit()) {
            findings.push(Finding {
                line: line_of(&file.text, at),
                what: "an entry of a tracker".to_owned(),
            });
        }
    }
    findings
}
