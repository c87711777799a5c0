//! What the step rate did when a cue sounded, and after it.

use super::super::document::{Block, Text, Tone};
use super::material::Material;
use super::words;
use crate::review::after_cue::{AfterCue, SPEED_SLACK, StepChange};

fn change(c: Option<StepChange>, when: &str) -> String {
    match c {
        None => format!("{when} there were fewer than three stretches of ten seconds at that speed"),
        Some(c) => format!(
            "{when} it was {} ({}, 95 % interval {} to {}: {})",
            words::number(c.cadence, 1),
            words::signed(c.change, 1),
            words::signed(c.low, 1),
            words::signed(c.high, 1),
            if c.more_than_noise() {
                "more than noise"
            } else {
                "not more than noise"
            }
        ),
    }
}

fn sentence(c: &AfterCue) -> Text {
    let minute = |s: f64| words::number(s / 60.0, 0);
    let sounded = format!(
        "cues sounded {} between minute {} and {}. ",
        match c.times {
            1 => "once".to_owned(),
            n => format!("{n} times"),
        },
        minute(c.sounded_s.0),
        minute(c.sounded_s.1)
    );
    let rest = match (c.speed_ms, c.before) {
        (Some(speed), Some(before)) => format!(
            "At {} ± {} m/s the step rate was {} a minute in the two minutes before; {}; {}.",
            words::number(speed, 1),
            words::number(SPEED_SLACK, 1),
            words::number(before, 1),
            change(c.during, "in the last two minutes of the cues"),
            change(c.after, "in the five minutes after them"),
        ),
        _ => "There was no steady running before them to compare with.".to_owned(),
    };
    Text::strong(format!("{}: ", words::day(c.day)))
        .then(sounded)
        .then(rest)
}

/// The part; nothing where no cue sounded.
pub fn blocks(m: &Material) -> Vec<Block> {
    if m.cues.is_empty() {
        return Vec::new();
    }
    vec![
        Block::Heading(2, "Change after a cue".into()),
        Block::List(m.cues.iter().map(sentence).collect()),
        Block::Paragraph(
            Tone::Note,
            "Within one run; it says nothing about whether a change stays.".into(),
        ),
    ]
}
