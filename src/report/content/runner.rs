//! The report for the runner: one run, one page.

use super::super::document::{Block, Text, Tone};
use super::material::Material;
use super::{cues, figures, flag_parts, tables, words};
use crate::review::{Card, LoadWord, SafetyWord};

/// Title and parts.
pub fn blocks(m: &Material) -> (String, Vec<Block>) {
    let Some(card) = &m.card else {
        let title = format!("Your running, {}", words::day(m.day));
        let mut blocks = vec![Block::Heading(1, Text::plain(&title))];
        blocks.extend(flags(m));
        blocks.push(Block::Figure(figures::load(m)));
        return (title, blocks);
    };
    let title = format!("Your run, {}", words::day(card.session.day));
    let mut blocks = vec![Block::Heading(1, Text::plain(&title))];
    let stopped = m.flags.safety.as_ref().is_some_and(|s| s.level == SafetyWord::Stop);
    blocks.push(Block::Facts(facts(m, card)));
    if stopped {
        blocks.push(Block::Paragraph(
            Tone::Body,
            "While this stands, no values, flags or comparisons are shown.".into(),
        ));
        return (title, blocks);
    }
    blocks.push(Block::Paragraph(Tone::Body, Text::strong(&card.headline)));
    blocks.push(Block::Heading(2, "How you ran".into()));
    blocks.push(tables::card_rows(card));
    match (figures::within(card), &card.within_why) {
        (Some(chart), _) => blocks.push(Block::Figure(chart)),
        (None, Some(why)) => {
            let text = format!("What changed in the run: {why}.");
            blocks.push(Block::Paragraph(Tone::Note, text.into()));
        }
        (None, None) => {}
    }
    blocks.extend(cues::blocks(m));
    blocks.push(Block::Heading(2, "One thing to try".into()));
    let one = card.one_thing.as_deref().unwrap_or("Nothing to change.");
    blocks.push(Block::Paragraph(Tone::Body, one.into()));
    blocks.extend(flags(m));
    blocks.push(Block::Heading(2, "Your weeks".into()));
    blocks.push(Block::Figure(figures::load(m)));
    (title, blocks)
}

fn flags(m: &Material) -> Vec<Block> {
    let mut blocks = vec![
        Block::Heading(2, m.label.0.as_str().into()),
        Block::Paragraph(Tone::Note, m.label.1.as_str().into()),
        flag_parts::summary(m),
    ];
    blocks.extend(flag_parts::messages(m));
    blocks.push(flag_parts::first_time(m));
    blocks
}

fn facts(m: &Material, card: &Card) -> Vec<(String, Text)> {
    let s = &card.session;
    let mut facts: Vec<(String, Text)> = vec![("Runner".to_owned(), Text::strong(&m.name))];
    let mut say = |name: &str, text: String| facts.push((name.to_owned(), text.into()));
    if let Some(km) = s.distance_km {
        say("Distance", format!("{} km", words::number(km, 2)));
    }
    if let Some(seconds) = s.duration_s {
        say("Time", words::minutes(seconds / 60.0));
    }
    if let Some(speed) = s.speed_ms {
        say("Speed", words::speed(speed));
    }
    let load = &card.load;
    let zone = match (load.usual_week_low_km, load.usual_week_high_km, load.word) {
        (Some(low), Some(high), word) if word != LoadWord::Learning => format!(
            ", {} your usual week of {} to {} km",
            word.word(),
            words::number(low, 0),
            words::number(high, 0)
        ),
        _ => "; your usual week is still being learned".to_owned(),
    };
    say("Seven days", format!("{} km{zone}", words::number(load.week_km, 1)));
    let lost: Vec<String> = card
        .coverage
        .iter()
        .filter(|c| !c.spans.is_empty())
        .map(|c| {
            format!(
                "{} lost {} %",
                words::spaced(&c.placement),
                words::number(100.0 * c.lost_share, 1)
            )
        })
        .collect();
    let lost = if lost.is_empty() {
        "nothing lost".to_owned()
    } else {
        lost.join(", ")
    };
    say("Data", format!("{}; {lost}", s.data.word()));
    facts
}
