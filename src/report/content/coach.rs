//! The report for a coach: load, form, flags and what stands behind them.

use super::super::document::{Block, Text, Tone};
use super::bins::Bin;
use super::material::Material;
use super::{cues, curve_figures, figures, flag_parts, methods, not_shared, tables, therapist, words};

/// Title and parts.
pub fn blocks(m: &Material) -> (String, Vec<Block>) {
    let title = format!("Coach's report: {}, {}", m.name, words::day(m.day));
    let mut blocks = vec![Block::Heading(1, Text::plain(&title))];
    blocks.extend(not_shared(m));
    blocks.push(Block::Heading(2, m.label.0.as_str().into()));
    blocks.push(flag_parts::summary(m));
    blocks.extend(flag_parts::fired(m, usize::MAX));
    blocks.push(Block::Heading(2, "Load".into()));
    blocks.push(Block::Figure(figures::load(m)));
    blocks.push(Block::Heading(2, "Before and after at equal speeds".into()));
    if m.bins.is_empty() {
        let why = m
            .compare
            .note
            .clone()
            .unwrap_or_else(|| "No speed is shared by both sets of runs.".to_owned());
        blocks.push(Block::Paragraph(Tone::Body, why.into()));
    } else {
        let bins: Vec<&Bin> = m.bins.iter().collect();
        blocks.push(tables::before_after(m, &bins));
        let notes = tables::before_after_notes(m);
        blocks.extend(notes.into_iter().map(|n| Block::Paragraph(Tone::Note, n.into())));
    }
    blocks.extend(cues::blocks(m));
    blocks.extend(curve_figures::blocks(m));
    blocks.push(Block::Heading(2, "Over weeks at matched speed".into()));
    blocks.extend(therapist::trends(m));
    if !m.raised.is_empty() {
        blocks.push(Block::Heading(2, "Flags in full".into()));
        blocks.extend(flag_parts::in_full(m));
    }
    if let Some(missing) = flag_parts::not_evaluated(m) {
        blocks.push(Block::Heading(2, "Flags without enough data".into()));
        blocks.push(missing);
    }
    blocks.extend(methods::runs(m));
    (title, blocks)
}
