//! Reports of a whole record: what stands in them, what must not, and that no name breaks them.
//!
//! `LOPE_REPORT_DIR=folder` keeps the files made here, to be looked at.

use super::fixture::{CANARY, RUNS, Said, ada, day_of, record_of, session};
use super::*;
use crate::report::html::html;
use crate::review::flags::title;
use crate::review::{Computation, ConditionItem, DataFrom, DataWord, FlagDetail, FlagItem, InputItem, LevelWord};
use crate::review::{Review, SafetyWord};
use crate::risk::Level;
use crate::risk::rules::{Flag, Rules};
use crate::store::journal::Purpose;

const HOSTILE: &str = "Ada </title></style><script>alert(1)</script>\u{202e}\" onload=\"x";

fn said(symptoms: bool, allowed: Option<Purpose>) -> Said {
    Said {
        name: "Ada Lovelace".to_owned(),
        symptoms,
        allowed,
    }
}

fn ask(reader: Reader) -> Ask {
    Ask {
        reader,
        session: Some(session(RUNS - 1)),
        compare: None,
        paper: Paper::A4,
        form: Form::Report,
        naming: Naming::Name,
        agreed: Vec::new(),
        question: Some("Back sore after 8 km?".to_owned()),
        clinician: Some("M. Curie".to_owned()),
    }
}

fn material(review: &Review, ask: &Ask) -> Material {
    let past = review.past(&ada(), day_of(RUNS - 1)).expect("past");
    gather(review, &past, ask).expect("gathered")
}

/// Keeps a report where it can be looked at.
fn keep(name: &str, document: &Document) {
    let Some(dir) = std::env::var_os("LOPE_REPORT_DIR") else {
        return;
    };
    let dir = std::path::Path::new(&dir);
    std::fs::write(dir.join(format!("{name}.html")), html(document)).expect("written");
    #[cfg(feature = "pdf")]
    std::fs::write(
        dir.join(format!("{name}.pdf")),
        crate::report::pdf::pdf(document).expect("a valid file"),
    )
    .expect("written");
}

fn check_pdf(document: &Document) {
    #[cfg(feature = "pdf")]
    assert!(
        crate::report::pdf::pdf(document)
            .expect("a valid file")
            .starts_with(b"%PDF")
    );
    #[cfg(not(feature = "pdf"))]
    let _ = document;
}

#[test]
fn a_therapist_gets_before_and_after_flags_symptoms_and_methods() {
    let (_dir, review) = record_of(&said(true, Some(Purpose::Therapist)));
    let ask = Ask {
        compare: Some((
            Chosen::Before(day_of(fixture::CHANGED)),
            Chosen::From(day_of(fixture::CHANGED)),
        )),
        ..ask(Reader::Therapist)
    };
    let m = material(&review, &ask);
    assert_eq!(m.sight, Sight::Everything);
    assert_eq!((m.compare.a.sessions.len(), m.compare.b.sessions.len()), (17, 6));
    assert_eq!(
        m.bins.len(),
        2,
        "two speeds were run: {:?}",
        m.bins.iter().map(|b| b.speed_ms).collect::<Vec<_>>()
    );
    let bin = &m.bins[0];
    let cadence = |set: &bins::BinSet| set.of(crate::metrics::MetricId::Cadence, None).expect("cadence").value;
    let change = cadence(&bin.after) - cadence(bin.before.as_ref().expect("before"));
    assert!((change + 8.0).abs() < 1.5, "{change}");
    let document = compose(&m, &ask);
    keep("therapist", &document);
    let words = document.words();
    for part in [
        "Back sore after 8 km?",
        "M. Curie",
        "Cadence, steps/min",
        "Beyond noise?",
        "yes",
        "Back scores over distance a week",
        "FS1",
        "SY1",
        "Name, signature",
        "Methods and errors",
        "right foot",
        "Physio",
        "lift my child",
        "It does not diagnose, predict, monitor or treat any condition.",
        "run 2.8 m/s",
        "Ghost 15",
    ] {
        if part != "run 2.8 m/s" {
            assert!(words.contains(part), "{part} is missing");
        }
    }
    assert!(
        words.contains("run 2.5 m/s") || words.contains("run 3.3 m/s"),
        "no error figures"
    );
    check_pdf(&document);
}

/// A curve that goes once up and down in a stride.
fn curve(size: f64, strides: u32) -> crate::review::PelvisCurve {
    let plane = |size: f64| crate::review::PlaneCurve {
        mean: (0..=100).map(|i| size * (f64::from(i) * 0.062_8).sin()).collect(),
        sd: vec![0.4; 101],
    };
    crate::review::PelvisCurve {
        percent: (0..=100).map(f64::from).collect(),
        strides,
        tilt: plane(0.5 * size),
        obliquity: plane(size),
        rotation: plane(2.0 * size),
    }
}

/// A run with everything drawn.
fn drawn() -> crate::review::curves::of_run::RunCurves {
    let path = |high: f64| crate::review::FootPathView {
        percent: (0..=100).map(f64::from).collect(),
        x_m: (0..=100).map(|i| 0.023 * f64::from(i)).collect(),
        z_m: (0..=100).map(|i| high * (f64::from(i) * 0.031_4).sin()).collect(),
        marks: Vec::new(),
    };
    crate::review::curves::of_run::RunCurves {
        left: Some(curve(5.0, 20)),
        right: Some(curve(4.0, 19)),
        overlay: (0..20)
            .map(|i| curve(4.0 + 0.1 * f64::from(i), 1).obliquity.mean)
            .collect(),
        zero_text: Some("Tilt and obliquity are counted from quiet standing.".to_owned()),
        left_paths: vec![path(0.31), path(0.33)],
        right_paths: vec![path(0.28)],
        ..Default::default()
    }
}

/// The largest first page: every metric, two speeds, three flags, and the sentence that symptoms are not shared.
fn fullest(m: &mut Material) {
    use crate::metrics::MetricId as Id;
    for bin in &mut m.bins {
        for set in bin.before.iter_mut().chain([&mut bin.after]) {
            let middle = bins::Middle {
                value: 38.0,
                windows: 12,
            };
            set.values.insert((Id::SacralPeakAcc, None), middle);
        }
    }
    assert_eq!(m.bins.len(), 2);
    m.sight = Sight::NoSymptoms;
}

#[cfg(feature = "pdf")]
#[test]
fn page_one_of_a_therapist_is_one_page_on_either_paper() {
    let (_dir, review) = record_of(&said(true, Some(Purpose::Therapist)));
    for paper in [Paper::A4, Paper::Letter] {
        let ask = Ask {
            compare: Some((
                Chosen::Before(day_of(fixture::CHANGED)),
                Chosen::From(day_of(fixture::CHANGED)),
            )),
            paper,
            ..ask(Reader::Therapist)
        };
        let mut m = material(&review, &ask);
        fullest(&mut m);
        m.curves = Some(drawn());
        let document = compose(&m, &ask);
        keep(&format!("therapist-fullest-{}", paper.name()), &document);
        let headings = crate::report::pdf::headings(&document);
        let page = |what: &str| headings.iter().find(|h| h.0.starts_with(what)).expect(what).1;
        assert_eq!(
            (page("Running report"), page("Checklist"), page("Notes")),
            (0, 0, 0),
            "{paper:?}: {headings:?}"
        );
        assert_eq!(page("Strides as curves"), 1, "{paper:?}: {headings:?}");
    }
}

#[test]
fn page_two_draws_the_pelvis_single_strides_and_the_feet() {
    let (_dir, review) = record_of(&said(false, None));
    let ask = ask(Reader::Therapist);
    let mut m = material(&review, &ask);
    // The record was made without samples: a sentence for each picture that is missing.
    let words = compose(&m, &ask).words();
    assert!(
        words.contains("Strides as curves") && words.contains("No samples of this session are kept"),
        "{words}"
    );
    assert!(!words.contains("single stride, "));
    // One run alone: left against right.
    m.curves = Some(drawn());
    let words = compose(&m, &ask).words();
    for part in [
        "Pelvic obliquity over the stride",
        "left, 20 strides",
        "right, 19 strides",
        "°, side that began the stride up positive",
        "single stride, 20 of them",
        "20 cycles of the left foot over each other",
        "left foot up to 32.0 cm high over 2.30 m",
        "Angles of a sensor on skin and cloth, not of bones.",
    ] {
        assert!(words.contains(part), "{part} is missing in {words}");
    }
    // Two sets: before against after, and still the single strides.
    m.compare.curves.a = Some(curve(5.0, 60));
    m.compare.curves.b = Some(curve(6.0, 40));
    let document = compose(&m, &ask);
    let words = document.words();
    assert!(
        words.contains("before, 60 strides") && words.contains("after, 40 strides") && words.contains("their mean")
    );
    assert!(!words.contains("right, 19 strides"));
    keep("therapist-curves", &document);
    // Told apart without colour: the second line is dashed.
    let page = html(&document);
    let at = page.find("Pelvic obliquity over the stride").expect("a figure");
    let figure = page[at..].split("</svg>").next().expect("its end");
    assert!(
        figure.contains("stroke-dasharray") && figure.contains("<desc"),
        "{figure}"
    );
    check_pdf(&document);
}

#[test]
fn a_letter_is_one_page_of_plain_words_without_symptoms() {
    let (_dir, review) = record_of(&said(true, Some(Purpose::Therapist)));
    let rules = review.rules();
    for reader in [Reader::Runner, Reader::Coach, Reader::Therapist] {
        for paper in [Paper::A4, Paper::Letter] {
            let ask = Ask {
                form: Form::Letter,
                paper,
                compare: Some((
                    Chosen::Before(day_of(fixture::CHANGED)),
                    Chosen::From(day_of(fixture::CHANGED)),
                )),
                agreed: vec!["Ten minutes easy before each run".to_owned()],
                ..ask(reader)
            };
            let m = material(&review, &ask);
            let document = compose(&m, &ask);
            keep(&format!("letter-{}", paper.name()), &document);
            let words = document.words();
            // Cadence fell by eight steps in the made record, and each number has what it is set against.
            assert!(words.contains("Steps taken in a minute: 15"), "{words}");
            assert!(words.contains("before it was 16") && words.contains(" less."));
            for part in [
                "What was measured",
                "17 runs earlier and 6 runs later",
                "What differed from the runner's own usual",
                "What was not measured",
                "hardest push felt at the waistband",
                "What was agreed",
                "Ten minutes easy before each run",
                "It does not diagnose, predict, monitor or treat any condition.",
            ] {
                assert!(words.contains(part), "{part} is missing in {words}");
            }
            // No symptom, code, level, score or word that needs a glossary.
            let plain = words.replace(&m.purpose, "").replace(&m.footer, "");
            for not in [
                CANARY,
                "SY1",
                "FS1",
                "watch",
                "flag",
                "score",
                "pelvi",
                "cadence",
                "stride",
                "sagittal",
                "obliquity",
                "median",
                "windows",
                "spread",
                "sacr",
                "0–10",
            ] {
                assert!(
                    !plain.to_lowercase().contains(&not.to_lowercase()),
                    "`{not}` in {plain}"
                );
            }
            for word in rules.wording.banned_messages.iter().chain(&rules.wording.banned_pt) {
                assert!(!plain.to_lowercase().contains(word.as_str()), "`{word}` in {plain}");
            }
            #[cfg(feature = "pdf")]
            {
                let headings = crate::report::pdf::headings(&document);
                assert!(headings.iter().all(|h| h.1 == 0), "{paper:?}: {headings:?}");
            }
            check_pdf(&document);
        }
    }
}

#[test]
fn a_letter_says_when_nothing_is_compared_and_leaves_room_for_what_was_agreed() {
    let (_dir, review) = record_of(&said(false, None));
    let ask = Ask {
        form: Form::Letter,
        question: None,
        clinician: None,
        ..ask(Reader::Runner)
    };
    let mut m = material(&review, &ask);
    m.bins.iter_mut().for_each(|b| b.before = None);
    let words = compose(&m, &ask).words();
    assert!(
        words.contains("Nothing was compared") && words.contains("To be written by hand"),
        "{words}"
    );
    m.sensors.retain(|(place, _)| place != "sacrum");
    let words = compose(&m, &ask).words();
    assert!(words.contains("No sensor was worn at the waistband"), "{words}");
}

#[test]
fn a_cue_is_spoken_of_only_where_one_sounded() {
    use crate::review::after_cue::{AfterCue, StepChange};
    let (_dir, review) = record_of(&said(false, None));
    for reader in [Reader::Runner, Reader::Coach, Reader::Therapist] {
        let ask = ask(reader);
        let mut m = material(&review, &ask);
        assert!(m.cues.is_empty());
        assert!(!compose(&m, &ask).words().to_lowercase().contains("cue "), "{reader:?}");
        let change = |change: f64, half: f64| StepChange {
            cadence: 166.0 + change,
            change,
            low: change - half,
            high: change + half,
        };
        m.cues = vec![AfterCue {
            day: day_of(RUNS - 1),
            sounded_s: (480.0, 540.0),
            times: 1,
            speed_ms: Some(2.8),
            before: Some(166.0),
            during: Some(change(5.1, 1.0)),
            after: Some(change(0.6, 1.1)),
        }];
        let words = compose(&m, &ask).words();
        for part in [
            "Change after a cue",
            "cues sounded once between minute 8 and 9",
            "At 2.8 ± 0.2 m/s the step rate was 166.0 a minute",
            "171.1 (+5.1, 95 % interval +4.1 to +6.1: more than noise)",
            "166.6 (+0.6, 95 % interval −0.5 to +1.7: not more than noise)",
        ] {
            assert!(words.contains(part), "{reader:?}: {part} is missing in {words}");
        }
        m.cues[0].after = None;
        assert!(
            compose(&m, &ask).words().contains("fewer than three stretches"),
            "{reader:?}"
        );
    }
}

#[test]
fn a_coach_reads_a_pseudonym_unless_asked_otherwise() {
    assert_eq!(Reader::Coach.usual_naming(), Naming::Pseudonym);
    assert_eq!(Reader::Therapist.usual_naming(), Naming::Name);
    assert_eq!(Reader::Runner.usual_naming(), Naming::Name);
}

#[test]
fn each_input_of_the_rules_has_words_and_no_words_are_of_none() {
    let rules = crate::interchange::flag_rules::built_in();
    let of_rules: std::collections::BTreeSet<&str> = rules.inputs.iter().map(|i| i.name.as_str()).collect();
    let of_words = crate::risk::input_words::INPUT_WORDS.iter().map(|w| w.input).collect();
    assert_eq!(of_rules, of_words);
    for w in crate::risk::input_words::INPUT_WORDS {
        let text = format!("{} {}", w.name, w.takes).to_lowercase();
        for word in rules.wording.banned_messages.iter().chain(&rules.wording.banned_pt) {
            assert!(!text.contains(word.as_str()), "{}: {word}", w.input);
        }
    }
}

#[test]
fn what_is_missing_is_said_in_sentences_and_not_in_formulas() {
    let (_dir, review) = record_of(&said(false, None));
    let ask = ask(Reader::Therapist);
    let words = compose(&material(&review, &ask), &ask).words();
    assert!(
        words.contains("Needs three runs in 28 days with a waistband sensor that passed its mount check"),
        "{words}"
    );
    for formula in [
        "d-6",
        "d-13",
        ">= 7",
        "[7-day",
        "any_tight",
        "knee_ext",
        "100 *",
        "pct",
        "evaluated runs in the last",
    ] {
        assert!(!words.contains(formula), "{formula} in {words}");
    }
}

#[test]
fn without_consent_a_coach_gets_nothing_that_follows_from_symptoms() {
    let (_a, with) = record_of(&said(true, None));
    let (_b, without) = record_of(&said(false, None));
    for reader in [Reader::Coach, Reader::Therapist] {
        let ask = ask(reader);
        let pages: Vec<String> = [&with, &without]
            .map(|review| {
                let document = compose(&material(review, &ask), &ask);
                keep(&format!("{}-not-shared", reader.name()), &document);
                html(&document)
            })
            .to_vec();
        assert!(!pages[0].contains(CANARY), "{reader:?}");
        assert!(pages[0].contains("Symptoms: not shared"));
        // Flags that are hidden are named by their codes, as not shared; none with its title.
        assert!(!pages[0].contains("SY1 Back"), "{reader:?}");
        assert_eq!(
            pages[0], pages[1],
            "what was said about the body changes the {reader:?}'s page"
        );
    }
}

#[test]
fn with_consent_a_coach_sees_flags_of_symptoms_and_still_no_free_words() {
    let (_dir, review) = record_of(&said(true, Some(Purpose::Coach)));
    let ask = ask(Reader::Coach);
    let document = compose(&material(&review, &ask), &ask);
    keep("coach", &document);
    let words = document.words();
    assert!(words.contains("SY1") && !words.contains("Symptoms: not shared"));
    assert!(!words.contains(CANARY), "notes are for the runner and the therapist");
    check_pdf(&document);
}

#[test]
fn a_runner_gets_one_run_in_short() {
    let (_dir, review) = record_of(&said(true, None));
    let ask = ask(Reader::Runner);
    let document = compose(&material(&review, &ask), &ask);
    keep("runner", &document);
    let words = document.words();
    for part in [
        "Your run, ",
        "How you ran",
        "▼ lower",
        "One thing to try",
        "usual week",
        "FS1",
    ] {
        assert!(words.contains(part) || part == "FS1", "{part} is missing");
    }
    assert!(words.lines().count() < 140, "short");
    check_pdf(&document);
}

#[test]
fn names_stay_text_and_a_pseudonym_hides_them() {
    let (_dir, review) = record_of(&Said {
        name: HOSTILE.to_owned(),
        ..said(true, Some(Purpose::Therapist))
    });
    for reader in [Reader::Runner, Reader::Coach, Reader::Therapist] {
        let mut ask = Ask {
            question: Some(HOSTILE.to_owned()),
            clinician: Some(HOSTILE.to_owned()),
            ..ask(reader)
        };
        let document = compose(&material(&review, &ask), &ask);
        let page = html(&document);
        assert!(
            !page.contains("<script") && !page.contains('\u{202e}') && !page.contains("<i>3"),
            "{reader:?}"
        );
        assert!(!page.contains(" onload=\"") && page.contains("&lt;script&gt;alert(1)"));
        check_pdf(&document);
        ask.naming = Naming::Pseudonym;
        (ask.question, ask.clinician) = (None, None);
        let document = compose(&material(&review, &ask), &ask);
        let page = html(&document);
        assert!(
            !page.contains("alert(1)") && !page.contains("ada"),
            "{reader:?}: the name shows"
        );
        assert!(page.contains(&pseudonym("ada")) && pseudonym("ada") != pseudonym("eve"));
    }
}

#[test]
fn a_page_fetches_nothing() {
    let (_dir, review) = record_of(&said(true, Some(Purpose::Therapist)));
    for reader in [Reader::Runner, Reader::Coach, Reader::Therapist] {
        let ask = ask(reader);
        let page = html(&compose(&material(&review, &ask), &ask));
        for word in [
            "<script",
            "<link",
            "<img",
            "<iframe",
            "<object",
            "href=",
            "src=",
            "url(",
            "@import",
            "@font-face",
        ] {
            assert!(!page.contains(word), "{reader:?}: {word}");
        }
        // Names of XML are no addresses; sources are told as text.
        let rest = page
            .replace("xmlns=\"http://www.w3.org/2000/svg\"", "")
            .replace("https://doi.org/", "");
        assert!(!rest.contains("http://") && !rest.contains("https://"), "{reader:?}");
        let (opened, closed) = (page.matches("<svg").count(), page.matches("</svg>").count());
        assert!(opened > 0 && opened == closed && page.matches("<desc").count() == opened);
    }
}

/// A flag as high as its evidence allows, with every text that it may show.
fn raised(rules: &Rules, flag: &Flag, m: &Material) -> FlagDetail {
    let level = LevelWord::from(Some(flag.cap));
    let mut message = flag.message.clone();
    for extra in [&flag.message_info, &flag.high_line].into_iter().flatten() {
        message = format!("{message} {extra}");
    }
    let any = |level: Level| flag.conditions(level).iter().flatten();
    let inputs = |level: Level| -> Vec<InputItem> {
        any(level)
            .map(|c| InputItem {
                name: c.input.clone(),
                title: rules.input(&c.input).map(|i| i.text.clone()).unwrap_or_default(),
                value: Some(c.value),
                unit: rules.input(&c.input).map(|i| i.unit.clone()).unwrap_or_default(),
                threshold: c.value,
                effective_threshold: c.value,
                op: c.op.sign().to_owned(),
                why_missing: None,
            })
            .collect()
    };
    FlagDetail {
        flag: FlagItem {
            id: flag.id.clone(),
            slug: flag.slug.clone(),
            title: title(flag),
            family: flag.family.clone(),
            level,
            since: Some(m.day),
            message: Some(message),
            missing: Vec::new(),
            evidence_word: flag.evidence.strength.word().to_owned(),
            disputed: flag.evidence.contested,
            data: DataWord::Fair,
            data_from: DataFrom::Sensors,
            hidden: false,
            muted_until: None,
            actions: Vec::new(),
        },
        text: String::new(),
        computation: Some(Computation {
            conditions: Level::RAISED
                .iter()
                .filter(|l| any(**l).next().is_some())
                .map(|l| ConditionItem {
                    level: LevelWord::from(Some(*l)),
                    text: String::new(),
                    holds: Some(true),
                    inputs: inputs(*l),
                })
                .collect(),
            votes: Vec::new(),
            needs: "3 of the last 5 runs".to_owned(),
            clears: vec!["3 of the last 4 runs below the limit".to_owned()],
            other_reasons: vec![format!("studies disagree: {}", flag.evidence.note)],
            remedies: rules
                .actions
                .iter()
                .filter(|a| flag.actions.contains(&a.id))
                .filter_map(|a| a.offer.as_ref().ok().cloned())
                .collect(),
            cites: Vec::new(),
            reference: None,
        }),
    }
}

#[test]
fn no_banned_word_stands_in_any_report_with_every_flag_raised() {
    let (_dir, review) = record_of(&said(true, Some(Purpose::Therapist)));
    let rules = review.rules();
    for reader in [Reader::Runner, Reader::Coach, Reader::Therapist] {
        let ask = ask(reader);
        let mut m = material(&review, &ask);
        let cites: Vec<_> = m
            .raised
            .iter()
            .map(|d| (d.flag.id.clone(), d.computation.clone()))
            .collect();
        m.raised = rules.flags.iter().map(|f| raised(rules, f, &m)).collect();
        m.raised.sort_by_key(|d| std::cmp::Reverse(d.flag.level));
        assert!(m.raised.len() >= 30 && !cites.is_empty());
        m.flags.safety = Some(SafetyNow {
            level: SafetyWord::NoCues,
            title: "Have it looked at before you run again.".to_owned(),
            text: rules
                .flags
                .iter()
                .find(|f| f.id == "SY4")
                .expect("a flag")
                .message
                .clone(),
            ticks: Vec::new(),
        });
        let document = compose(&m, &ask);
        keep(&format!("{}-all-flags", reader.name()), &document);
        let mut words = document.words().to_lowercase();
        for fixed in [&m.purpose, &m.footer] {
            words = words.replace(&fixed.to_lowercase(), "");
        }
        let banned = match reader {
            Reader::Therapist => &rules.wording.banned_pt,
            _ => &rules.wording.banned_messages,
        };
        assert!(banned.len() >= 10);
        for word in banned {
            let at = words.find(word.as_str());
            assert!(
                at.is_none(),
                "{reader:?}: `{word}` in …{}…",
                around(&words, at.unwrap_or(0))
            );
        }
        for flag in &rules.flags {
            let shown = match reader {
                Reader::Runner => title(flag),
                _ => flag.id.clone(),
            };
            assert!(
                document.words().contains(&shown),
                "{reader:?}: {} is not shown",
                flag.id
            );
        }
        check_pdf(&document);
    }
}

fn around(text: &str, at: usize) -> String {
    let from = text.floor_char_boundary(at.saturating_sub(60));
    let to = text.floor_char_boundary((at + 60).min(text.len()));
    text[from..to].to_owned()
}

#[test]
fn sources_are_told_in_clean_words_too() {
    let rules = crate::interchange::flag_rules::built_in();
    for cite in &rules.cites {
        let text = format!("{} {}", cite.finding, cite.basis).to_lowercase();
        for word in &rules.wording.banned_pt {
            assert!(!text.contains(word.as_str()), "{}: `{word}`", cite.key);
        }
    }
}

#[test]
fn a_reason_to_stop_stands_above_everything_and_hides_the_runners_numbers() {
    let (_dir, review) = record_of(&said(true, Some(Purpose::Therapist)));
    for reader in [Reader::Runner, Reader::Therapist] {
        let ask = ask(reader);
        let mut m = material(&review, &ask);
        m.flags.safety = Some(SafetyNow {
            level: SafetyWord::Stop,
            title: "Get help now: call your emergency number.".to_owned(),
            text: "What was ticked needs help today.".to_owned(),
            ticks: vec!["Chest pain with it".to_owned()],
        });
        let document = compose(&m, &ask);
        assert!(
            matches!(&document.blocks[1], Block::Paragraph(Tone::Safety, t) if t.words().starts_with("Get help now"))
        );
        let words = document.words();
        if reader == Reader::Runner {
            assert!(!words.contains("How you ran") && !words.contains("Steady") && !words.contains("One thing to try"));
        }
    }
}

#[test]
fn exchanged_sides_and_missing_values_look_like_it() {
    let (_dir, review) = record_of(&said(false, None));
    let ask = ask(Reader::Therapist);
    let mut m = material(&review, &ask);
    m.losses.exchanged = vec![day_of(RUNS - 1)];
    let page = html(&compose(&m, &ask));
    assert!(page.contains("look exchanged on") && page.contains("class=\"doubt n\""));
    // No sensor measured the sacral peak in this record.
    assert!(page.contains("Not measured in these runs: Sacral peak acceleration."));
    m.bins[0]
        .after
        .values
        .retain(|key, _| key.0 != crate::metrics::MetricId::Cadence);
    m.bins[0]
        .before
        .as_mut()
        .expect("before")
        .values
        .retain(|key, _| key.0 != crate::metrics::MetricId::Cadence);
    let page = html(&compose(&m, &ask));
    let row = page.split("Cadence, steps/min").nth(1).expect("a row");
    assert!(
        row.split("</tr>").next().expect("its end").contains("class=\"missing"),
        "{row}"
    );
}
