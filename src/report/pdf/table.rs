//! Tables as chunks: one a row, the head repeated on each page, cells tagged with what they are heads of.

use super::super::chart::scene::{Dash, Ink, Mark, Scene};
use super::super::document::{Align, Cell, Column, Row, Table, Text, Trust};
use super::flow::{Chunk, Flow, Kind, Laid, Leaf, Node, Piece, Type, bold};
use super::wrap::wrap;
use std::rc::Rc;

/// Space inside a cell, to the sides and up and down.
const PAD: (f64, f64) = (3.0, 1.1);
/// Width of the names of facts.
const NAMES: f64 = 80.0;
const USUAL: Type = (8.2, 10.4);
const DENSE: Type = (7.6, 9.4);

/// A cell's place in its row.
struct Spot {
    left: f64,
    width: f64,
    align: Align,
    span: usize,
}

/// Name and value in two pairs of columns.
pub(super) fn facts(flow: &mut Flow, facts: &[(String, Text)], width: f64, laid: &mut Laid) {
    let column = |share| Column::words("", share);
    let rows = facts
        .iter()
        .map(|(name, value)| Row::Cells(vec![Cell::new(name.as_str()), Cell::new(value.clone())]));
    let t = Table {
        summary: "Facts".to_owned(),
        columns: vec![column(NAMES / width), column(1.0 - NAMES / width)],
        rows: rows.collect(),
        dense: false,
    };
    rows_of(flow, &t, width, Look::Facts, laid);
}

/// Any other table.
pub(super) fn table(flow: &mut Flow, t: &Table, width: f64, laid: &mut Laid) {
    rows_of(flow, t, width, Look::Ruled, laid);
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Look {
    /// No head, no lines.
    Facts,
    /// A head, and a line under each row.
    Ruled,
}

fn rows_of(flow: &mut Flow, t: &Table, width: f64, look: Look, laid: &mut Laid) {
    let kind = match (look, t.dense) {
        (Look::Ruled, true) => DENSE,
        _ => USUAL,
    };
    let shares: f64 = t.columns.iter().map(|c| c.share).sum();
    let mut left = 0.0;
    let spots: Vec<Spot> = t
        .columns
        .iter()
        .map(|c| {
            let own = width * c.share / shares.max(1e-9);
            left += own;
            Spot {
                left: left - own,
                width: own,
                align: c.align,
                span: 1,
            }
        })
        .collect();
    let mut parts = Vec::new();
    let mut repeat = None;
    if look == Look::Ruled {
        let heads: Vec<Cell> = t.columns.iter().map(|c| Cell::new(bold(&c.head))).collect();
        let (mut chunk, node) = row(flow, &heads, &spots, kind, Place::Head);
        under(&mut chunk, width, 0.9, Ink::Text);
        chunk.before = 4.0;
        chunk.keep = true;
        repeat = Some(Rc::new(chunk.clone()));
        laid.chunks.push(chunk);
        parts.push(Node::of_nodes(Kind::TableHead, vec![node]));
    }
    let mut body = Vec::new();
    for (i, r) in t.rows.iter().enumerate() {
        let (mut chunk, node) = match r {
            Row::Group(text) => {
                let cell = Cell::new(bold(text)).over(t.columns.len());
                let (mut chunk, node) = row(flow, &[cell], &spots, kind, Place::Body);
                let tint = Piece {
                    leaf: Leaf::Artifact,
                    marks: vec![Mark::Area {
                        points: vec![(0.0, 0.0), (width, 0.0), (width, chunk.height), (0.0, chunk.height)],
                        ink: Ink::Band,
                    }],
                    frame: None,
                };
                chunk.pieces.insert(0, tint);
                chunk.keep = true;
                (chunk, node)
            }
            Row::Cells(cells) => row(flow, cells, &spots, kind, Place::Body),
        };
        if look == Look::Ruled {
            under(&mut chunk, width, 0.4, Ink::Bar);
        } else if i == 0 {
            chunk.before = 2.0;
        }
        chunk.repeat.clone_from(&repeat);
        laid.chunks.push(chunk);
        body.push(node);
    }
    if body.is_empty() {
        return;
    }
    parts.push(Node::of_nodes(Kind::TableBody, body));
    laid.nodes.push(Node::of_nodes(Kind::Table(t.summary.clone()), parts));
    laid.chunks.push(Chunk {
        height: 3.0,
        ..Chunk::default()
    });
}

fn under(chunk: &mut Chunk, width: f64, weight: f64, ink: Ink) {
    let y = chunk.height;
    chunk.pieces.push(Piece {
        leaf: Leaf::Artifact,
        marks: vec![Mark::Line {
            points: vec![(0.0, y), (width, y)],
            ink,
            width: weight,
            dash: Dash::Solid,
        }],
        frame: None,
    });
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Head,
    Body,
}

fn row(flow: &mut Flow, cells: &[Cell], spots: &[Spot], kind: Type, place: Place) -> (Chunk, Node) {
    let mut laid_cells = Vec::new();
    let mut at = 0;
    let mut most = 1;
    for cell in cells {
        let Some(first) = spots.get(at) else { break };
        let span = cell.span.max(1).min(spots.len() - at);
        let width: f64 = spots[at..at + span].iter().map(|s| s.width).sum();
        let words = match cell.trust {
            Trust::Strong => bold(&cell.shown()),
            _ => cell.shown(),
        };
        let lines = wrap(&words, flow.faces, kind.0, width - 2.0 * PAD.0);
        most = most.max(lines.len());
        let spot = Spot {
            left: first.left,
            width,
            align: cell.align.unwrap_or(first.align),
            span,
        };
        laid_cells.push((cell, spot, lines));
        at += span;
    }
    let height = most as f64 * kind.1 + 2.0 * PAD.1;
    let mut chunk = Chunk {
        height,
        ..Chunk::default()
    };
    let mut nodes = Vec::new();
    for (i, (cell, spot, lines)) in laid_cells.into_iter().enumerate() {
        if cell.trust == Trust::Missing {
            let mut scene = Scene::new(spot.width, height);
            scene.hatch((spot.left + 1.0, 1.0), (spot.left + spot.width - 1.0, height - 1.0));
            // A pale ground under the words keeps them readable on the hatching.
            let widest = lines.iter().map(|l| l.width).fold(0.0, f64::max);
            let tall = lines.len() as f64 * kind.1;
            let from = match spot.align {
                Align::Left => spot.left + PAD.0 - 1.0,
                Align::Right => spot.left + spot.width - PAD.0 - widest - 1.0,
                Align::Centre => spot.left + 0.5 * (spot.width - widest) - 1.0,
            };
            scene.rect((from, PAD.1), (from + widest + 2.0, PAD.1 + tall), Ink::Paper);
            chunk.pieces.push(Piece {
                leaf: Leaf::Artifact,
                marks: scene.marks,
                frame: None,
            });
        }
        let ink = match cell.trust {
            Trust::Missing => Ink::Muted,
            _ => Ink::Text,
        };
        let mut leaves = Vec::new();
        for (n, line) in lines.iter().enumerate() {
            let x = match spot.align {
                Align::Left => spot.left + PAD.0,
                Align::Right => spot.left + spot.width - PAD.0 - line.width,
                Align::Centre => spot.left + 0.5 * (spot.width - line.width),
            };
            let top = PAD.1 + n as f64 * kind.1;
            leaves.extend(flow.lines(std::slice::from_ref(line), (x, top), kind, ink, &mut chunk.pieces));
        }
        let what = match (place, i) {
            (Place::Head, _) => Kind::ColumnHead(spot.span),
            (Place::Body, 0) => Kind::RowHead(spot.span),
            (Place::Body, _) => Kind::Cell(spot.span),
        };
        nodes.push(Node::of_leaves(what, leaves));
    }
    (chunk, Node::of_nodes(Kind::TableRow, nodes))
}
