//! Chunks onto pages: what stands whole is moved whole, a heading never stands alone at the foot, a table's head is repeated.

use super::super::chart::scene::{Anchor, Ink, Mark, Weight};
use super::super::document::{Document, Text};
use super::face::Faces;
use super::flow::{Chunk, Laid, Leaf, Piece};
use super::wrap::wrap;

/// Margins, points.
pub(super) const SIDE: f64 = 37.0;
const TOP: f64 = 26.0;
/// Size of the footer's text and of its lines.
const FOOT: (f64, f64) = (6.8, 8.2);

/// A page.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// What stands on it.
    pub(super) pieces: Vec<Piece>,
}

/// All pages, with the tree of the parts.
#[derive(Debug)]
pub(super) struct Pages {
    /// In order.
    pub(super) pages: Vec<Page>,
    /// The parts as a tree of tags.
    pub(super) nodes: Vec<super::flow::Node>,
    /// Headings for the outline: level, words, page, height on it.
    pub(super) outline: Vec<(u8, String, usize, f64)>,
}

fn moved(mark: &Mark, (dx, dy): (f64, f64)) -> Mark {
    let by = |(x, y): (f64, f64)| (x + dx, y + dy);
    let mut mark = mark.clone();
    match &mut mark {
        Mark::Line { points, .. } | Mark::Area { points, .. } => points.iter_mut().for_each(|p| *p = by(*p)),
        Mark::Shape { at, .. } | Mark::Text { at, .. } => *at = by(*at),
    }
    mark
}

fn place(page: &mut Page, chunk: &Chunk, at: (f64, f64), as_artifact: bool) {
    for piece in &chunk.pieces {
        page.pieces.push(Piece {
            leaf: if as_artifact { Leaf::Artifact } else { piece.leaf },
            marks: piece.marks.iter().map(|m| moved(m, at)).collect(),
            frame: piece.frame.map(|(x, y, w, h)| (x + at.0, y + at.1, w, h)),
        });
    }
}

/// Fills pages.
pub(super) fn fill(document: &Document, faces: &Faces, laid: Laid) -> Pages {
    let (width, height) = document.paper.size();
    let foot: Vec<Text> = document.footer.iter().map(Text::plain).collect();
    let lines: Vec<_> = foot
        .iter()
        .flat_map(|t| wrap(t, faces, FOOT.0, width - 2.0 * SIDE - 40.0))
        .collect();
    let foot_top = height - 19.0 - FOOT.1 * lines.len() as f64;
    let bottom = foot_top - 6.0;
    let mut pages = vec![Page::default()];
    let mut outline = Vec::new();
    let mut y = TOP;
    let chunks = &laid.chunks;
    for (i, chunk) in chunks.iter().enumerate() {
        if chunk.breaks {
            if y > TOP {
                pages.push(Page::default());
                y = TOP;
            }
            continue;
        }
        // With everything that must stay with it.
        let mut needed = chunk.height;
        let mut next = i;
        while chunks[next].keep && next + 1 < chunks.len() && !chunks[next + 1].breaks {
            next += 1;
            needed += chunks[next].before + chunks[next].height;
        }
        let mut gap = if y > TOP { chunk.before } else { 0.0 };
        if y > TOP && y + gap + needed > bottom {
            pages.push(Page::default());
            (y, gap) = (TOP, 0.0);
            if let Some(head) = &chunk.repeat {
                if let Some(page) = pages.last_mut() {
                    place(page, head, (SIDE, y), true);
                }
                y += head.height;
            }
        }
        let number = pages.len() - 1;
        if let Some(page) = pages.last_mut() {
            place(page, chunk, (SIDE, y + gap), false);
        }
        if let Some((level, words)) = &chunk.heading {
            outline.push((*level, words.clone(), number, y + gap));
        }
        for (level, words, down) in &chunk.inner {
            outline.push((*level, words.clone(), number, y + gap + down));
        }
        y += gap + chunk.height;
    }
    let count = pages.len();
    for (number, page) in pages.iter_mut().enumerate() {
        let mut marks = vec![Mark::Line {
            points: vec![(SIDE, foot_top - 2.0), (width - SIDE, foot_top - 2.0)],
            ink: Ink::Muted,
            width: 0.4,
            dash: super::super::chart::scene::Dash::Solid,
        }];
        let text = |at, text: String, anchor| Mark::Text {
            at,
            text,
            size: FOOT.0,
            weight: Weight::Regular,
            anchor,
            ink: Ink::Muted,
        };
        for (i, line) in lines.iter().enumerate() {
            let words: String = line.stretches.iter().map(|s| s.text.as_str()).collect();
            let y = foot_top + FOOT.1 * (i as f64 + 0.9);
            marks.push(text((SIDE, y), words, Anchor::Start));
        }
        let of = format!("{} / {count}", number + 1);
        marks.push(text((width - SIDE, foot_top + FOOT.1 * 0.9), of, Anchor::End));
        page.pieces.push(Piece {
            leaf: Leaf::Footer,
            marks,
            frame: None,
        });
    }
    Pages {
        pages,
        nodes: laid.nodes,
        outline,
    }
}
