//! The safety row of a check-in: its ticks, how they are asked, and what is said when one stands.
//!
//! Every word comes from the rule file and is shown as it stands there. Nothing is computed about how urgent anything is,
//! and nothing else is said beside it.

use crate::cli::ask::Asking;
use crate::cli::failure::{Exit, Failure};
use crate::risk::Rules;
use crate::risk::rules::{Flag, Tick, Urgency};
use crate::store::journal::CheckIn;
use clap::Args;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Answers to the safety row.
#[derive(Args, Clone, Debug, Default)]
pub struct SafetyArgs {
    /// Something new of the safety row, by its name; lope checkin ticks lists them
    #[arg(long, value_name = "NAME", value_delimiter = ',', conflicts_with = "nothing_new")]
    pub tick: Vec<String>,
    /// Nothing of the safety row is new
    #[arg(long)]
    pub nothing_new: bool,
}

impl SafetyArgs {
    /// Whether the row was answered.
    #[must_use]
    pub fn answered(&self) -> bool {
        self.nothing_new || !self.tick.is_empty()
    }

    /// Refuses names that the rule file does not have.
    ///
    /// # Errors
    /// The first of them, with the nearest names there are.
    pub fn check(&self, rules: &Rules) -> Result<(), Failure> {
        let unknown = self
            .tick
            .iter()
            .find(|name| rules.ticks.iter().all(|t| t.name != **name));
        match unknown {
            None => Ok(()),
            Some(name) => {
                let all: Vec<&str> = rules.ticks.iter().map(|t| t.name.as_str()).collect();
                Err(
                    Failure::new("lope::checkin::tick", Exit::Usage, format!("There is no tick {name}."))
                        .why(format!("ticks are {}", all.join(", ")))
                        .try_this("lope checkin ticks shows each with its words"),
                )
            }
        }
    }

    /// Asks the row unless it was answered. `worst` is the highest back score given: the side of pain is asked from 1 on.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn ask(
        &mut self,
        asking: &mut Asking<'_>,
        rules: &Rules,
        question: &str,
        worst: Option<u8>,
    ) -> Result<(), Failure> {
        if self.answered() {
            return Ok(());
        }
        let shown: Vec<&Tick> = rules
            .ticks
            .iter()
            .filter(|t| worst.is_some_and(|s| s > 0) || t.name != "one_sided_back_pain")
            .collect();
        let words: Vec<&str> = shown.iter().map(|t| t.text.as_str()).collect();
        match asking.several(question, "nothing new", &words)? {
            Some(picked) if picked.is_empty() => self.nothing_new = true,
            Some(picked) => {
                self.tick = picked
                    .iter()
                    .filter_map(|i| shown.get(*i))
                    .map(|t| t.name.clone())
                    .collect()
            }
            None => {}
        }
        Ok(())
    }

    /// Lays the answer over what the check-in says; an unanswered row changes nothing.
    pub fn apply(&self, check_in: &mut CheckIn) {
        if self.answered() {
            check_in.ticks.clone_from(&self.tick);
            check_in.safety_answered = true;
        }
    }
}

/// A text shown because a tick stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The ticks it is about.
    pub ticks: Vec<String>,
    /// Under what it is shown.
    pub under: &'static str,
    /// The text.
    pub text: String,
}

impl Shown {
    /// As an object.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({"ticks": self.ticks, "under": self.under, "text": self.text})
    }
}

/// The texts for these ticks, gravest first: one a tick of the emergency, urgent and before-the-next-run groups, and the
/// one for pain on one side that hurts on landing, which takes two ticks.
#[must_use]
pub fn texts(rules: &Rules, ticks: &BTreeSet<String>) -> Vec<Shown> {
    let flag = |id: &str| rules.flags.iter().find(|f| f.id == id);
    let mut all = Vec::new();
    for urgency in Urgency::ALL {
        let flag = match urgency {
            Urgency::Emergency | Urgency::Urgent => flag("SY5"),
            Urgency::BeforeNextRun => flag("SY4"),
            Urgency::None => None,
        };
        let Some(flag) = flag else { continue };
        for tick in rules
            .ticks
            .iter()
            .filter(|t| t.show == urgency && ticks.contains(&t.name))
        {
            all.push(Shown {
                ticks: vec![tick.name.clone()],
                under: urgency.name(),
                text: filled(flag, tick),
            });
        }
    }
    let both = ["focal_one_side", "pain_on_impact"];
    if let Some(flag) = flag("SY6")
        && both.iter().all(|t| ticks.contains(*t))
    {
        all.push(Shown {
            ticks: both.iter().map(|t| (*t).to_owned()).collect(),
            under: Urgency::BeforeNextRun.name(),
            text: flag.message.clone(),
        });
    }
    all
}

/// A message with the tick's own words and the words for its group.
fn filled(flag: &Flag, tick: &Tick) -> String {
    let when = flag.message_when.iter().find(|(group, _)| group == tick.show.name());
    flag.message
        .replace("{tick}", &tick.text)
        .replace("{when}", when.map_or("", |(_, words)| words.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interchange::flag_rules::built_in;

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|n| (*n).to_owned()).collect()
    }

    #[test]
    fn every_tick_of_a_group_has_its_text_and_the_gravest_comes_first() {
        let rules = built_in();
        for tick in rules.ticks.iter().filter(|t| t.show != Urgency::None) {
            let shown = texts(&rules, &set(&[&tick.name]));
            assert_eq!(shown.len(), 1, "{}", tick.name);
            assert!(shown[0].text.contains(&tick.text), "{}", shown[0].text);
            assert!(!shown[0].text.contains(['{', '}']), "{}", shown[0].text);
        }
        let many = texts(&rules, &set(&["leg_numb_tingle", "fever_or_unwell", "saddle_numb"]));
        let groups: Vec<_> = many.iter().map(|s| s.under).collect();
        assert_eq!(groups, ["emergency", "urgent", "before_next_run"]);
        assert!(many[0].text.contains("call your emergency number"), "{}", many[0].text);
    }

    #[test]
    fn pain_on_one_side_speaks_only_together_with_pain_on_landing() {
        let rules = built_in();
        assert!(texts(&rules, &set(&["focal_one_side"])).is_empty());
        assert!(texts(&rules, &set(&["one_sided_back_pain"])).is_empty());
        assert_eq!(texts(&rules, &set(&["focal_one_side", "pain_on_impact"])).len(), 1);
    }

    #[test]
    fn the_row_is_answered_by_nothing_new_and_left_open_by_enter() {
        let rules = built_in();
        let asked = |typed: &str, worst: Option<u8>| {
            let (mut from, mut to) = (typed.as_bytes(), Vec::new());
            let mut args = SafetyArgs::default();
            args.ask(&mut Asking::new(&mut from, &mut to), &rules, "Anything new?", worst)
                .expect("asked");
            (args, String::from_utf8(to).expect("text"))
        };
        let (args, shown) = asked("0\n", Some(0));
        assert!(args.nothing_new && args.tick.is_empty());
        assert!(
            shown.contains("nothing new") && !shown.contains("My back pain is on one side"),
            "{shown}"
        );
        let (args, _) = asked("1 7\n", Some(2));
        assert_eq!(args.tick, ["saddle_numb", "fever_or_unwell"]);
        let (args, _) = asked("\n", None);
        assert!(!args.answered());
        let mut before = CheckIn {
            ticks: vec!["saddle_numb".to_owned()],
            safety_answered: true,
            ..CheckIn::default()
        };
        args.apply(&mut before);
        assert_eq!(before.ticks, ["saddle_numb"], "no answer changes nothing");
    }
}
