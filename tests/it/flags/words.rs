//! What flags may say: no banned word, every source listed, every cause and sign of the articles answered, the page as made.

use super::rules;
use crate::support::project_root;
use lope::risk::check::runner_texts;
use lope::risk::page::markdown;
use lope::risk::rules::Rules;
use lope::risk::{Level, vocabulary::Memory};

/// Causes and signs of the source articles and the flags that answer them.
const ANSWERED: &[(&str, &str)] = &[
    ("C1", "FS1 FS2 FS3 FF1 FF3"),
    ("C2", "FS1 FS2 IG2"),
    ("C3", "LD5 FS3 FS4 FS5"),
    ("C4", "FF1 FF2 CP3"),
    ("C5", "FS4 FF1 FF3 CP3"),
    ("C6", "FS3 CP2"),
    ("C7", "SY1 SY2"),
    ("C8", "SY1 SY3 SY4 SY5 SY6"),
    ("C9", "IG1 IG4 IG5"),
    ("C10", "IG3 IG5"),
    ("C11", "IG1 IG6"),
    ("C12", "IG7"),
    ("C13", "CP1"),
    ("C14", "LD4 FS5"),
    ("C15", "LD1 LD2 LD3 LD4"),
    ("C16", "LD3"),
    ("C17", "HX1"),
    ("C18", "FS3 FF1 IG3 IG7"),
    ("C19", "LD5 IG1 IG2"),
    ("W1", "SY1 SY3"),
    ("W2", "SY4"),
    ("W3", "SY4"),
    ("W4", "SY1 SY2"),
    ("W5", "SY5"),
    ("W6", "SY6"),
];

pub(super) fn assert_clean(rules: &Rules, text: &str) {
    let small = text.to_lowercase();
    for word in &rules.wording.banned_messages {
        assert!(!small.contains(word.as_str()), "`{word}` in: {text}");
    }
}

#[test]
fn no_text_of_a_flag_holds_a_banned_word() {
    let rules = rules();
    assert!(rules.wording.banned_messages.len() > 40);
    let mut read = 0;
    for flag in &rules.flags {
        for text in runner_texts(flag) {
            assert_clean(&rules, text);
            read += 1;
        }
        let detail = flag.pt_detail.to_lowercase();
        assert!(
            rules.wording.banned_pt.iter().all(|w| !detail.contains(w.as_str())),
            "{}",
            flag.id
        );
    }
    assert!(read >= rules.flags.len());
    for (_, text) in &rules.summary.text {
        assert_clean(&rules, text);
    }
    for action in &rules.actions {
        assert_clean(&rules, action.offer.as_deref().unwrap_or_default());
    }
    assert_clean(&rules, &rules.first_time_line);
}

#[test]
fn every_source_of_a_flag_is_listed_and_every_listed_source_used() {
    let rules = rules();
    for flag in &rules.flags {
        assert!(!flag.cites.is_empty(), "{}: no citation, no flag", flag.id);
        for key in &flag.cites {
            let cite = rules
                .cite(key)
                .unwrap_or_else(|| panic!("{}: {key} is not listed", flag.id));
            assert!(!cite.finding.is_empty() && !cite.basis.is_empty(), "{key}");
        }
    }
    for cite in &rules.cites {
        assert!(
            rules.flags.iter().any(|f| f.cites.contains(&cite.key)),
            "{} is cited by no flag",
            cite.key
        );
    }
}

#[test]
fn every_cause_and_sign_of_the_articles_is_answered() {
    let rules = rules();
    let named: Vec<&str> = rules.causes.iter().chain(&rules.signs).map(|c| c.id.as_str()).collect();
    let listed: Vec<&str> = ANSWERED.iter().map(|(code, _)| *code).collect();
    assert_eq!(named, listed);
    for (code, flags) in ANSWERED {
        let answers = rules
            .flags
            .iter()
            .filter(|f| f.causes.iter().chain(&f.signs).any(|c| c == code));
        let answers: Vec<&str> = answers.map(|f| f.id.as_str()).collect();
        assert_eq!(answers.join(" "), *flags, "{code}");
    }
}

#[test]
fn evidence_limits_what_a_flag_may_say() {
    for flag in &rules().flags {
        let e = &flag.evidence;
        if e.contested || e.convention {
            assert!(flag.cap <= Level::Watch && !flag.counts, "{}", flag.id);
        }
        if flag.cap == Level::Stop {
            assert_eq!(flag.memory, Memory::Latched, "{}", flag.id);
        }
    }
}

#[test]
fn the_flags_page_is_the_rule_file() {
    let path = project_root().join("docs/reference/flags.md");
    let page = markdown(&rules());
    if std::env::var_os("LOPE_BLESS").is_some() {
        std::fs::write(&path, &page).expect("written");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page,
        "docs/reference/flags.md is not what the rule file says: LOPE_BLESS=1 cargo test --test it flags"
    );
}
