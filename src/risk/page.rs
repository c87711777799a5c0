//! The reference page of the flags, made from the rule file so that it cannot disagree with it.

use super::rules::{Flag, Rules, Source};
use super::vocabulary::{AnyOf, Level};
use std::fmt::Write as _;

const HEAD: &str =
    "Made from the rule file (`src/risk/rules.toml`) by `LOPE_BLESS=1 cargo test --test it flags`; not edited by hand.
What a flag may say is decided in [0010](../adr/0010-what-a-flag-may-claim.md).

";

const LEVELS: &str = "## How to read this

Levels are `none`, `info`, `watch`, `high`; `stop` is for what a person ticks on the safety row alone. *Not enough data* is a state
of its own. A level is raised when all conditions of one of its lists hold; conditions on changes are widened by the runner's own spread.
All watch and high numbers of the form, impact and gear flags are design choices above measurement error; none is a clinical cut-off.

Evidence: A large prospective study or trial in runners, B smaller or case-control with the outcome, C self-report, laboratory,
convention or consensus. LBP low-back pain, RRI any running injury, MECH a mechanism only, CONSENSUS a clinical list.

";

/// `docs/reference/flags.md`.
#[must_use]
pub fn markdown(rules: &Rules) -> String {
    let mut page = format!(
        "# {}\n\n{}. Rule file {}.\n\n",
        rules.label, rules.subtitle, rules.version
    );
    // Writing to a String cannot fail.
    let _ = write!(page, "> {}\n>\n> {}\n\n{HEAD}{LEVELS}", rules.purpose, rules.footer);
    overview(&mut page, rules);
    memories(&mut page, rules);
    summary(&mut page, rules);
    for f in &rules.flags {
        flag(&mut page, rules, f);
    }
    articles(&mut page, rules);
    inputs(&mut page, rules);
    sources(&mut page, rules);
    page
}

/// Conditions in one line; `–` where there are none.
fn conditions(any_of: &AnyOf) -> String {
    let lists: Vec<String> = any_of
        .iter()
        .map(|all| {
            let all: Vec<String> = all
                .iter()
                .map(|c| format!("{} {} {}", c.input, c.op.sign(), c.value))
                .collect();
            all.join(" and ")
        })
        .collect();
    if lists.is_empty() {
        "–".to_owned()
    } else {
        lists.join("; or ")
    }
}

fn grade(f: &Flag) -> String {
    let e = &f.evidence;
    let mut text = format!("{} {}", e.strength.letter(), e.outcome.code());
    for (holds, word) in [
        (e.contested, "disputed"),
        (e.convention, "convention"),
        (e.indirect, "indirect"),
    ] {
        if holds {
            text.push_str(", ");
            text.push_str(word);
        }
    }
    text
}

fn title(f: &Flag) -> String {
    format!("{} {}", f.id, f.slug.replace('_', " "))
}

fn overview(page: &mut String, rules: &Rules) {
    page.push_str("## All flags\n\n| flag | memory | info | watch | high | evidence | moves the summary |\n|---|---|---|---|---|---|---|\n");
    for f in &rules.flags {
        let [info, watch, high, stop] = &f.levels;
        let high = if stop.is_empty() {
            conditions(high)
        } else {
            format!("stop: {}", conditions(stop))
        };
        let _ = writeln!(
            page,
            "| [{}](#{}) | {} | {} | {} | {high} | {} | {} |",
            title(f),
            title(f).to_lowercase().replace(' ', "-"),
            f.memory.name(),
            conditions(info),
            conditions(watch),
            grade(f),
            if f.counts { "yes" } else { "no" }
        );
    }
}

fn memories(page: &mut String, rules: &Rules) {
    let m = &rules.memories;
    page.push_str("\n## Memory\n\n| memory | raised | cleared | not enough data |\n|---|---|---|---|\n");
    for (name, v) in [("form", &m.form), ("drift", &m.drift)] {
        let _ = writeln!(
            page,
            "| {name} | {} of the last {} evaluated runs | {} of the last {} below {} of the threshold, {} days after raising | fewer than {} evaluated runs in {} days and nothing raised |",
            v.raise_k, v.raise_n, v.clear_k, v.clear_n, v.clear_factor, v.min_dwell_days, v.raise_k, v.stale_days
        );
    }
    let _ = writeln!(
        page,
        "| event | at once, the highest of the last {} days | by time | no such event in {} days |",
        m.event.hold_days, m.event.stale_days
    );
    for (name, c) in [("daily", &m.daily), ("symptom_daily", &m.symptom_daily)] {
        let _ = writeln!(
            page,
            "| {name} | at once | {} evaluable days without | inputs missing; a raised level is kept {} days |",
            c.clear_days, c.hold_missing_days
        );
    }
    let _ = writeln!(
        page,
        "| symptom | at once, the highest of the last {} check-in days | by later check-ins | {} days without an answer |",
        m.symptom.checkin_days, m.symptom.stale_days
    );
    let _ = writeln!(
        page,
        "| latched | at a tick | looked at by a professional on a later day; some also after {} days with {} answers without it | not answered in {} days |",
        m.latched.clear_days, m.latched.clear_min_answers, m.latched.stale_days
    );
    page.push_str("| fact | the current value | the current value | not answered |\n");
    let r = &rules.reference;
    let _ = write!(
        page,
        "\nThe reference of a run value is its first {} to {} runs with {} level, steady windows of {} strides, then frozen. A run with a back\n\
        score of {} or more does not join. With speeds over {} m/s apart a line over speed is fitted (median of pairwise slopes). Own spread:\n\
        {} times the median absolute deviation. `info` needs at least {} spreads; `watch` and `high` grow by the same measure.\n\n",
        r.min_runs,
        r.full_runs,
        r.min_windows,
        r.window_strides,
        r.exclude_back_score_ge,
        r.fit_speed_span_ms,
        r.mad_factor,
        r.scale_factor
    );
}

fn summary(page: &mut String, rules: &Rules) {
    page.push_str("## Summary\n\nThe first line that holds. No weights, no score.\n\n");
    for (i, line) in rules.summary.lines.iter().enumerate() {
        let sentence = line.test.sentence(&rules.summary.numbers);
        let _ = writeln!(page, "{}. **{}**: {sentence}", i + 1, super::state_name(line.says));
    }
    let _ = write!(
        page,
        "\nCounted families: {}. Coverage is the share of them with a counting flag that can be evaluated.\n\n",
        rules.summary.families.join(", ")
    );
    for (level, text) in &rules.summary.text {
        let _ = writeln!(page, "- {level}: “{text}”");
    }
}

fn flag(page: &mut String, rules: &Rules, f: &Flag) {
    let _ = write!(page, "\n## {}\n\n> {}\n", title(f), f.message);
    for (name, line) in [("at info", &f.message_info), ("at high, added", &f.high_line)] {
        if let Some(line) = line {
            let _ = write!(page, ">\n> {name}: {line}\n");
        }
    }
    page.push('\n');
    for level in Level::RAISED {
        let any_of = f.conditions(level);
        if !any_of.is_empty() {
            let _ = writeln!(page, "- {}: {}", level.name(), conditions(&any_of.to_vec()));
        }
    }
    let needs: Vec<String> = f.needs.iter().map(|all| all.join(" and ")).collect();
    let _ = writeln!(page, "- needs: {}", needs.join("; or "));
    let _ = writeln!(page, "- memory {}, at most {}", f.memory.name(), f.cap.name());
    let _ = writeln!(page, "- evidence {}: {}", grade(f), f.evidence.note);
    let _ = writeln!(page, "- sources: {}", f.cites.join(", "));
    let answers: Vec<&str> = f.causes.iter().chain(&f.signs).map(String::as_str).collect();
    let _ = writeln!(page, "- answers {}", answers.join(", "));
    for action in rules.actions.iter().filter(|a| f.actions.contains(&a.id)) {
        if let Ok(line) = &action.offer {
            let _ = writeln!(page, "- offers: {line}");
        }
    }
    let _ = writeln!(page, "- for a physical therapist: {}", f.pt_detail);
}

fn articles(page: &mut String, rules: &Rules) {
    page.push_str("\n## What the source articles name\n\nArticle 1: “Why Does My Lower Back Hurt When I Run? Causes and Solutions”. Article 2: “Lower Back Pain When Running: Unveiling Causes\nand Remedies in 2024”. In own words; that a flag answers a cause does not mean that it is one.\n\n| code | named | article | flags |\n|---|---|---|---|\n");
    let articles = |of: &[u32]| {
        let list: Vec<String> = of.iter().map(u32::to_string).collect();
        if list.is_empty() {
            "–".to_owned()
        } else {
            list.join(", ")
        }
    };
    for c in rules.causes.iter().chain(&rules.signs) {
        let flags: Vec<&str> = rules
            .flags
            .iter()
            .filter(|f| f.causes.contains(&c.id) || f.signs.contains(&c.id))
            .map(|f| f.id.as_str())
            .collect();
        let _ = writeln!(
            page,
            "| {} | {} | {} | {} |",
            c.id,
            c.text,
            articles(&c.articles),
            flags.join(", ")
        );
    }
    page.push_str("\n| code | remedy | article | offered by, or why not |\n|---|---|---|---|\n");
    for a in &rules.actions {
        let flags: Vec<&str> = rules
            .flags
            .iter()
            .filter(|f| f.actions.contains(&a.id))
            .map(|f| f.id.as_str())
            .collect();
        let by = match &a.offer {
            Ok(_) => flags.join(", "),
            Err(why) => format!("not offered: {why}"),
        };
        let _ = writeln!(page, "| {} | {} | {} | {by} |", a.id, a.text, articles(&a.articles));
    }
}

fn inputs(page: &mut String, rules: &Rules) {
    page.push_str("\n## Inputs\n\nF one foot, FF both feet, K shank, P sacrum, V speed, G grade.\n\n| input | unit | per | definition | from |\n|---|---|---|---|---|\n");
    for i in &rules.inputs {
        let from: Vec<&str> = i.from.iter().chain(&i.flags).map(String::as_str).collect();
        let _ = writeln!(
            page,
            "| `{}` | {} | {} | {} | {} |",
            i.name,
            i.unit,
            i.per.name(),
            i.text,
            from.join(", ")
        );
    }
    page.push_str("\n| raw value | unit | definition | from |\n|---|---|---|---|\n");
    for r in &rules.raws {
        let from = match &r.source {
            Source::Sensors(sets) => {
                let sets: Vec<String> = sets.iter().map(|s| s.join("+")).collect();
                format!("sensors {}", sets.join(" or "))
            }
            Source::Log => "session log".to_owned(),
            Source::Entry(q) | Source::Profile(q) => format!("answer to `{q}`"),
        };
        let _ = writeln!(page, "| `{}` | {} | {} | {from} |", r.name, r.unit, r.text);
    }
    page.push_str("\n| question | asked | text | answer |\n|---|---|---|---|\n");
    for q in &rules.questions {
        let _ = writeln!(
            page,
            "| `{}` | {} | {} | {} |",
            q.name,
            q.when.replace('_', " "),
            q.text,
            q.answer.replace('|', "/")
        );
    }
    page.push_str("\n| tick of the safety row | answered as | text |\n|---|---|---|\n");
    for t in &rules.ticks {
        let _ = writeln!(
            page,
            "| `{}` | {} | {} |",
            t.name,
            t.show.name().replace('_', " "),
            t.text
        );
    }
    page.push_str("\n| late change | met when | unit |\n|---|---|---|\n");
    for m in &rules.markers {
        let _ = writeln!(page, "| `{}` | {} {} | {} |", m.name, m.op.sign(), m.value, m.unit);
    }
}

fn sources(page: &mut String, rules: &Rules) {
    page.push_str("\n## Sources\n\nHow each was read stands with it; *unverified* entries are not confirmed in some detail.\n\n| key | source | read | finding |\n|---|---|---|---|\n");
    for c in &rules.cites {
        let year = c.year.map(|y| format!(" ({y})")).unwrap_or_default();
        let doi = c.doi.as_ref().map(|d| format!(", doi {d}")).unwrap_or_default();
        let _ = writeln!(
            page,
            "| {} | {}{year}. {}{doi} | {} | {} |",
            c.key, c.authors, c.journal, c.basis, c.finding
        );
    }
}
