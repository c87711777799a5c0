//! What can be measured, and the rules of the flags: from the registries, so that a view never invents a definition.

use crate::api::access::roles::Resource;
use crate::api::answer::{self, List};
use crate::api::app::App;
use crate::api::endpoint::Endpoint;
use crate::api::problem::Problem;
use crate::metrics::registry::MetricDef;
use crate::metrics::{METRICS, MetricId};
use crate::risk::rules::{Flag, Rules, Urgency};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

/// What is measured.
#[derive(Serialize, ToSchema)]
struct MetricItem {
    /// Name for programs.
    name: &'static str,
    /// Name for people.
    title: &'static str,
    /// Unit of values, SI.
    unit: &'static str,
    /// Unit in which people read it.
    shown_unit: &'static str,
    /// From the one to the other.
    shown_factor: f64,
    /// Digits after the point in the shown unit.
    shown_decimals: u8,
    /// What it is.
    doc: &'static str,
    /// What it is not.
    not_it: &'static str,
    /// Where the definition comes from.
    source: &'static str,
    /// Whether left and right are told apart.
    per_side: bool,
    /// Over what it is taken.
    interval: &'static str,
}

/// Evidence behind a flag.
#[derive(Serialize, ToSchema)]
struct EvidenceItem {
    /// Grade: A, B or C.
    strength: &'static str,
    /// What was studied.
    outcome: &'static str,
    /// Studies disagree.
    contested: bool,
    /// strong, some or little.
    word: &'static str,
    /// As people are told that studies disagree.
    disputed: bool,
}

/// A source.
#[derive(Serialize, ToSchema)]
struct CiteItem {
    /// Its key.
    key: String,
    /// Authors, year, where.
    text: String,
    /// How it was read.
    basis: String,
    /// Where it can be found.
    url: Option<String>,
}

/// A flag as a rule.
#[derive(Serialize, ToSchema)]
struct RuleFlag {
    /// Short code.
    id: String,
    /// Name for programs.
    slug: String,
    /// Name for people.
    title: String,
    /// Family, the letters of the code.
    family: String,
    /// What it rests on.
    evidence: EvidenceItem,
    /// What a runner reads.
    message: String,
    /// Instead of it at `info`.
    message_info: Option<String>,
    /// Added at `high`.
    high_line: Option<String>,
    /// Remedies that are offered.
    remedies: Vec<String>,
    /// Sources.
    cites: Vec<CiteItem>,
}

/// A question.
#[derive(Serialize, ToSchema)]
struct QuestionItem {
    /// Its name.
    id: String,
    /// When it is asked.
    when: String,
    /// The question.
    text: String,
    /// Possible answers.
    answer: String,
}

/// A tick of the safety row.
#[derive(Serialize, ToSchema)]
struct TickItem {
    /// Its name.
    id: String,
    /// Under which text it is shown.
    shown_under: &'static str,
    /// What a person ticks.
    text: String,
    /// When it is shown or set.
    note: Option<String>,
}

/// A family of flags.
#[derive(Serialize, ToSchema)]
struct FamilyItem {
    /// Its letters.
    id: String,
    /// In words.
    title: String,
}

/// The rules of the flags.
#[derive(Serialize, ToSchema)]
struct RulesItem {
    /// Version of the rule file.
    version: String,
    /// Title of the panel.
    label: String,
    /// What stands under it.
    subtitle: String,
    /// Stands under every report.
    footer: String,
    /// What lope is for.
    purpose: String,
    /// Said the first time a flag shows.
    first_time_line: String,
    /// The flags.
    flags: Vec<RuleFlag>,
    /// Questions that are asked.
    questions: Vec<QuestionItem>,
    /// Ticks of the safety row.
    ticks: Vec<TickItem>,
    /// Families of flags.
    families: Vec<FamilyItem>,
    /// What stands on top while an emergency tick stands.
    emergency_text: String,
    /// The same for an urgent one.
    urgent_text: String,
    /// The same for what should be looked at before the next run.
    before_next_run_text: String,
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get(
            "/catalog/metrics",
            Resource::Catalog,
            "What is measured, and what it is not.",
            metrics,
        )
        .answers_list::<MetricItem>(200),
        Endpoint::get(
            "/catalog/rules",
            Resource::Catalog,
            "The rules of the flags, with their evidence.",
            rules,
        )
        .answers::<RulesItem>(200),
    ]
}

async fn metrics(headers: HeaderMap) -> Result<Response, Problem> {
    answer::json_marked(&headers, &List::whole(METRICS.iter().map(metric).collect()))
}

fn metric(def: &MetricDef) -> MetricItem {
    MetricItem {
        name: def.name,
        title: def.label,
        unit: def.unit,
        shown_unit: def.shown_unit,
        shown_factor: def.shown_factor,
        shown_decimals: decimals(def.shown_unit),
        doc: def.is,
        not_it: def.is_not,
        source: def.source,
        per_side: !of_the_whole_body(def.id),
        interval: def.span,
    }
}

/// Digits that are more than noise, by the unit in which they are shown.
fn decimals(unit: &str) -> u8 {
    match unit {
        "ms" | "steps/min" | "N" => 0,
        "m" | "s" | "m/s" | "1" => 2,
        _ => 1,
    }
}

/// Metrics that do not belong to a foot, although they are noted with each stride.
fn of_the_whole_body(id: MetricId) -> bool {
    use MetricId as M;
    matches!(
        id,
        M::Cadence
            | M::Speed
            | M::PelvisTilt
            | M::PelvisTiltRange
            | M::PelvisObliquityRange
            | M::PelvisRotationRange
            | M::PelvisOscillation
            | M::ComOscillationModel
            | M::VerticalRatio
            | M::MlRmsRatio
            | M::StepRegularityV
            | M::StepRegularityAp
            | M::StrideRegularity
            | M::HarmonicRatioV
            | M::HarmonicRatioAp
            | M::HarmonicRatioMl
    )
}

async fn rules(State(app): State<App>, headers: HeaderMap) -> Result<Response, Problem> {
    answer::json_marked(&headers, &rules_item(app.rules()))
}

fn rules_item(rules: &Rules) -> RulesItem {
    let mut families: Vec<FamilyItem> = Vec::new();
    for flag in &rules.flags {
        if families.iter().all(|f| f.id != flag.family) {
            families.push(FamilyItem {
                title: family_title(&flag.family).to_owned(),
                id: flag.family.clone(),
            });
        }
    }
    let text = |urgency| safety_text(rules, urgency);
    RulesItem {
        version: rules.version.clone(),
        label: rules.label.clone(),
        subtitle: rules.subtitle.clone(),
        footer: rules.footer.clone(),
        purpose: rules.purpose.clone(),
        first_time_line: rules.first_time_line.clone(),
        flags: rules.flags.iter().map(|f| rule_flag(rules, f)).collect(),
        questions: rules
            .questions
            .iter()
            .map(|q| QuestionItem {
                id: q.name.clone(),
                when: q.when.clone(),
                text: q.text.clone(),
                answer: q.answer.clone(),
            })
            .collect(),
        ticks: rules
            .ticks
            .iter()
            .map(|t| TickItem {
                id: t.name.clone(),
                shown_under: match t.show {
                    Urgency::Emergency => "emergency",
                    Urgency::Urgent => "urgent",
                    Urgency::BeforeNextRun => "before next run",
                    Urgency::None => "none",
                },
                text: t.text.clone(),
                note: t.note.clone(),
            })
            .collect(),
        families,
        emergency_text: text(Urgency::Emergency),
        urgent_text: text(Urgency::Urgent),
        before_next_run_text: text(Urgency::BeforeNextRun),
    }
}

/// The fixed text for ticks of this urgency: the message of the flag that answers them, without the sentence that repeats
/// what was ticked. Where no flag has words for the urgency, the message of the flag about leg and daily-life signs.
fn safety_text(rules: &Rules, urgency: Urgency) -> String {
    let when = rules.flags.iter().find_map(|f| {
        let (_, words) = f.message_when.iter().find(|(name, _)| name == urgency.name())?;
        Some(f.message.replace("{when}", words))
    });
    let otherwise = || {
        let flag = rules.flags.iter().find(|f| f.slug == "leg_or_daily_life_signs");
        flag.map(|f| f.message.clone())
    };
    let text = when.or_else(otherwise).unwrap_or_default();
    let said: Vec<&str> = text.split_inclusive(". ").filter(|s| !s.contains('{')).collect();
    said.concat()
}

fn family_title(letters: &str) -> &'static str {
    match letters {
        "LD" => "Load",
        "FS" => "Form, seen from the side",
        "FF" => "Form, seen from behind",
        "IG" => "Impact, gear and ground",
        "CP" => "Warm-up, flexibility, core",
        "SY" => "What you feel",
        "HX" => "What was before",
        _ => "Other",
    }
}

fn rule_flag(rules: &Rules, flag: &Flag) -> RuleFlag {
    let offers = |id: &String| rules.actions.iter().find(|a| a.id == *id)?.offer.clone().ok();
    let evidence = &flag.evidence;
    RuleFlag {
        id: flag.id.clone(),
        slug: flag.slug.clone(),
        title: title_of(&flag.slug),
        family: flag.family.clone(),
        evidence: EvidenceItem {
            strength: evidence.strength.letter(),
            outcome: evidence.outcome.words(),
            contested: evidence.contested,
            word: evidence.strength.word(),
            disputed: evidence.contested,
        },
        message: flag.message.clone(),
        message_info: flag.message_info.clone(),
        high_line: flag.high_line.clone(),
        remedies: flag.actions.iter().filter_map(offers).collect(),
        cites: flag.cites.iter().filter_map(|key| cite(rules, key)).collect(),
    }
}

/// A slug as words: `step_rate_low_for_speed` is "Step rate low for speed".
fn title_of(slug: &str) -> String {
    let words = slug.replace('_', " ");
    let mut letters = words.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn cite(rules: &Rules, key: &str) -> Option<CiteItem> {
    let cite = rules.cite(key)?;
    let year = cite.year.map(|y| format!(" {y}")).unwrap_or_default();
    Some(CiteItem {
        key: cite.key.clone(),
        text: format!("{}{year}, {}", cite.authors, cite.journal),
        basis: cite.basis.clone(),
        url: cite.doi.as_ref().map(|doi| format!("https://doi.org/{doi}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interchange::flag_rules;

    #[test]
    fn every_family_has_a_name_and_every_text_is_whole() {
        let rules = rules_item(&flag_rules::built_in());
        assert_eq!(rules.flags.len(), 30);
        assert!(rules.families.iter().all(|f| f.title != "Other"));
        for text in [&rules.emergency_text, &rules.urgent_text, &rules.before_next_run_text] {
            assert!(!text.is_empty() && !text.contains(['{', '}']), "{text}");
        }
        assert!(
            rules.emergency_text.contains("emergency number"),
            "{}",
            rules.emergency_text
        );
    }

    #[test]
    fn a_slug_reads_as_words() {
        assert_eq!(title_of("step_rate_low_for_speed"), "Step rate low for speed");
    }
}
