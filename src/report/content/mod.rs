//! What stands in a report, for whom.
//!
//! Three readers: the runner gets a page about a run; a coach gets load, form and flags, without symptoms and what follows
//! from them unless the runner allowed it; a therapist gets a first page that stands alone, a second with pictures and a third
//! with methods and errors, with symptoms only where the runner allowed that too. A letter says the least of it in plain
//! words, for whoever the runner hands it to.

pub mod bins;
pub mod coach;
pub mod cues;
pub mod curve_figures;
pub mod errors;
pub mod figures;
pub mod flag_parts;
pub mod letter;
pub mod losses;
pub mod material;
pub mod methods;
pub mod runner;
pub mod tables;
pub mod therapist;
pub mod words;

pub use material::{Material, gather, gather_at_most, pseudonym};

use super::document::{Block, Document, Paper, Text, Tone};
use crate::review::compare::Chosen;
use crate::review::{SafetyNow, Sight};
use crate::store::SessionId;

/// Who reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// The runner.
    Runner,
    /// A coach.
    Coach,
    /// A physical therapist.
    Therapist,
}

impl Reader {
    /// `runner`, `coach` or `therapist`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Runner => "runner",
            Self::Coach => "coach",
            Self::Therapist => "therapist",
        }
    }

    /// The reader by that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Runner, Self::Coach, Self::Therapist]
            .into_iter()
            .find(|r| r.name() == name)
    }
}

impl Reader {
    /// How the runner is named for this reader where nobody says otherwise. A coach's page lies on a table among others;
    /// a therapist's goes into a record that has the name on it, where a pseudonym would be mistaken for somebody else.
    #[must_use]
    pub fn usual_naming(self) -> Naming {
        match self {
            Self::Coach => Naming::Pseudonym,
            Self::Runner | Self::Therapist => Naming::Name,
        }
    }
}

/// How the runner is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    /// By name.
    Name,
    /// By a pseudonym that is the same in every report.
    Pseudonym,
}

/// What is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// A report for its reader.
    #[default]
    Report,
    /// A letter of one page in plain words, without symptoms, for whoever the runner gives it to.
    Letter,
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Ask {
    /// Who reads it.
    pub reader: Reader,
    /// The session it is about; `None` for the athlete as of the last day.
    pub session: Option<SessionId>,
    /// Two sets of runs; where there are none, the session against all runs before it.
    pub compare: Option<(Chosen, Chosen)>,
    /// The paper.
    pub paper: Paper,
    /// What is written.
    pub form: Form,
    /// How the runner is named.
    pub naming: Naming,
    /// What was agreed, for a letter.
    pub agreed: Vec<String>,
    /// The question asked.
    pub question: Option<String>,
    /// Name of the coach or clinician; consent given to this name or to everybody in that role counts.
    pub clinician: Option<String>,
}

/// The report.
#[must_use]
pub fn compose(material: &Material, ask: &Ask) -> Document {
    let (title, mut blocks) = match (ask.form, ask.reader) {
        (Form::Letter, _) => letter::blocks(material, ask),
        (Form::Report, Reader::Runner) => runner::blocks(material),
        (Form::Report, Reader::Coach) => coach::blocks(material),
        (Form::Report, Reader::Therapist) => therapist::blocks(material, ask),
    };
    if let Some(safety) = &material.flags.safety {
        // Above everything but the title.
        for (i, block) in safety_blocks(safety).into_iter().enumerate() {
            blocks.insert((1 + i).min(blocks.len()), block);
        }
    }
    Document {
        title: super::document::clean(&title),
        lang: "en".to_owned(),
        paper: ask.paper,
        blocks,
        footer: footer(material),
    }
}

fn safety_blocks(safety: &SafetyNow) -> Vec<Block> {
    let mut blocks = vec![Block::Paragraph(
        Tone::Safety,
        Text::strong(&safety.title).then(" ").then(&safety.text),
    )];
    if !safety.ticks.is_empty() {
        let ticks = format!("Ticked: {}.", safety.ticks.join("; "));
        blocks.push(Block::Paragraph(Tone::Note, ticks.into()));
    }
    blocks
}

fn footer(m: &Material) -> Vec<String> {
    vec![
        m.purpose.clone(),
        m.footer.clone(),
        format!(
            "lope {}, rules {}, written for {}.",
            env!("CARGO_PKG_VERSION"),
            m.rules_version,
            words::day(m.day)
        ),
    ]
}

/// What is said where symptoms would stand.
fn not_shared(m: &Material) -> Option<Block> {
    (m.sight == Sight::NoSymptoms).then(|| {
        Block::Paragraph(
            Tone::Note,
            "Symptoms: not shared by the runner; nothing in this report was computed from them.".into(),
        )
    })
}

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;
