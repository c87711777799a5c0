//! The parts of a report as chunks: pieces of a page that stand whole, with the tags they belong to.

use super::super::chart::scene::{Anchor, Dash, Ink, Mark, Scene};
use super::super::chart::{Chart, draw};
use super::super::document::{Block, Document, Text, Tone};
use super::face::Faces;
use super::pages::SIDE;
use super::wrap::{Line, wrap};
use super::{super::document::clean, table};

/// Size of text and height of lines, points.
pub(super) type Type = (f64, f64);
/// Text of paragraphs.
pub(super) const BODY: Type = (9.0, 12.2);
/// Remarks.
pub(super) const NOTE: Type = (7.8, 10.2);

/// What a piece belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leaf {
    /// To the tree, by its number.
    Tagged(usize),
    /// To the look of the page only.
    Artifact,
    /// To the footer.
    Footer,
}

/// Marks drawn together.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    /// What it belongs to.
    pub(super) leaf: Leaf,
    /// They.
    pub(super) marks: Vec<Mark>,
    /// Left, top, width, height of a figure.
    pub(super) frame: Option<(f64, f64, f64, f64)>,
}

/// A part of a page that stands whole, from its own top left corner.
#[derive(Clone, Debug, Default)]
pub(super) struct Chunk {
    /// Its height.
    pub(super) height: f64,
    /// Space before it, unless it begins a page.
    pub(super) before: f64,
    /// It may not be the last of a page.
    pub(super) keep: bool,
    /// A new page begins here; nothing else.
    pub(super) breaks: bool,
    /// What stands in it.
    pub(super) pieces: Vec<Piece>,
    /// Drawn again above it where it begins a page: the head of its table.
    pub(super) repeat: Option<std::rc::Rc<Chunk>>,
    /// It is a heading.
    pub(super) heading: Option<(u8, String)>,
    /// Headings inside it, with their height.
    pub(super) inner: Vec<(u8, String, f64)>,
}

/// What a group of the tree is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// A paragraph.
    Paragraph,
    /// A heading.
    Heading(u8, String),
    /// A list.
    List,
    /// Its item.
    Item,
    /// The mark of an item.
    Label,
    /// The body of an item.
    ItemBody,
    /// A table with its summary.
    Table(String),
    /// Its rows of heads.
    TableHead,
    /// Its rows.
    TableBody,
    /// A row.
    TableRow,
    /// A head of a column, spanning so many.
    ColumnHead(usize),
    /// A head of a row, spanning so many columns.
    RowHead(usize),
    /// A cell, spanning so many columns.
    Cell(usize),
    /// A figure with the words that stand for it.
    Figure(String),
    /// Parts that belong together.
    Division,
}

/// A child of a node.
#[derive(Clone, Debug)]
pub(super) enum Child {
    /// A node.
    Node(Node),
    /// A piece, by the number of its leaf.
    Leaf(usize),
}

/// A group of the tree.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// What it is.
    pub(super) kind: Kind,
    /// What it holds, in reading order.
    pub(super) children: Vec<Child>,
}

impl Node {
    /// A group of leaves.
    pub(super) fn of_leaves(kind: Kind, leaves: Vec<usize>) -> Self {
        Self {
            kind,
            children: leaves.into_iter().map(Child::Leaf).collect(),
        }
    }

    /// A group of nodes.
    pub(super) fn of_nodes(kind: Kind, nodes: Vec<Node>) -> Self {
        Self {
            kind,
            children: nodes.into_iter().map(Child::Node).collect(),
        }
    }
}

/// Everything, laid out.
#[derive(Debug, Default)]
pub(super) struct Laid {
    /// Chunks from top to bottom.
    pub(super) chunks: Vec<Chunk>,
    /// The tree.
    pub(super) nodes: Vec<Node>,
}

/// The layout at work.
pub(super) struct Flow<'a> {
    /// The faces.
    pub(super) faces: &'a Faces,
    leaves: usize,
}

/// The whole report.
pub(super) fn lay_out(document: &Document, faces: &Faces) -> Laid {
    let mut flow = Flow { faces, leaves: 0 };
    let width = document.paper.size().0 - 2.0 * SIDE;
    let mut laid = Laid::default();
    for block in &document.blocks {
        flow.block(block, width, &mut laid);
    }
    laid
}

impl Flow<'_> {
    /// A new leaf.
    pub(super) fn leaf(&mut self) -> usize {
        self.leaves += 1;
        self.leaves
    }

    /// Lines of text as pieces, one leaf each. The first baseline lies one size below `top`.
    pub(super) fn lines(
        &mut self,
        lines: &[Line],
        (x, top): (f64, f64),
        (size, height): Type,
        ink: Ink,
        pieces: &mut Vec<Piece>,
    ) -> Vec<usize> {
        let mut leaves = Vec::new();
        for (i, line) in lines.iter().enumerate() {
            let y = top + size * 0.95 + i as f64 * height;
            let marks: Vec<Mark> = line
                .stretches
                .iter()
                .filter(|s| !s.text.is_empty())
                .map(|s| Mark::Text {
                    at: (x + s.x, y),
                    text: s.text.clone(),
                    size,
                    weight: s.weight,
                    anchor: Anchor::Start,
                    ink,
                })
                .collect();
            if marks.is_empty() {
                continue;
            }
            let leaf = self.leaf();
            leaves.push(leaf);
            pieces.push(Piece {
                leaf: Leaf::Tagged(leaf),
                marks,
                frame: None,
            });
        }
        leaves
    }

    /// Text in a chunk of its own.
    fn text(&mut self, text: &Text, width: f64, kind: Type, ink: Ink) -> (Chunk, Vec<usize>) {
        let lines = wrap(text, self.faces, kind.0, width);
        let mut chunk = Chunk {
            height: lines.len() as f64 * kind.1,
            ..Chunk::default()
        };
        let leaves = self.lines(&lines, (0.0, 0.0), kind, ink, &mut chunk.pieces);
        (chunk, leaves)
    }

    fn block(&mut self, block: &Block, width: f64, laid: &mut Laid) {
        match block {
            Block::Heading(level, text) => self.heading(*level, text, width, laid),
            Block::Paragraph(Tone::Safety, text) => self.safety(text, width, laid),
            Block::Paragraph(tone, text) => {
                let (kind, ink) = match tone {
                    Tone::Note => (NOTE, Ink::Muted),
                    _ => (BODY, Ink::Text),
                };
                let (mut chunk, leaves) = self.text(text, width, kind, ink);
                chunk.before = 3.0;
                laid.chunks.push(chunk);
                laid.nodes.push(Node::of_leaves(Kind::Paragraph, leaves));
            }
            Block::Facts(facts) => table::facts(self, facts, width, laid),
            Block::List(items) => self.list(items, "•", width, laid),
            Block::Checklist(items) => self.list(items, "☐", width, laid),
            Block::Lines(what, count) => self.ruled(what, *count, width, laid),
            Block::Fields(fields) => self.fields(fields, width, laid),
            Block::Table(t) => table::table(self, t, width, laid),
            Block::Figure(chart) => self.figure(chart, width, laid),
            Block::Together(parts) => parts.iter().for_each(|p| self.block(p, width, laid)),
            Block::Beside(a, b) => self.beside(a, b, width, laid),
            Block::PageBreak => laid.chunks.push(Chunk {
                breaks: true,
                ..Chunk::default()
            }),
        }
    }

    fn heading(&mut self, level: u8, text: &Text, width: f64, laid: &mut Laid) {
        let (kind, before, after) = match level {
            1 => ((16.0, 20.0), 0.0, 4.0),
            2 => ((11.0, 13.5), 7.5, 3.5),
            _ => ((9.2, 12.0), 6.0, 1.0),
        };
        let strong = Text::strong(text.words());
        let (mut chunk, leaves) = self.text(&strong, width, kind, Ink::Text);
        if level == 2 {
            let y = chunk.height + 0.5;
            chunk.pieces.push(Piece {
                leaf: Leaf::Artifact,
                marks: vec![Mark::Line {
                    points: vec![(0.0, y), (width, y)],
                    ink: Ink::Text,
                    width: 0.8,
                    dash: Dash::Solid,
                }],
                frame: None,
            });
        }
        chunk.height += after;
        chunk.before = before;
        chunk.keep = true;
        chunk.heading = Some((level, text.words()));
        laid.chunks.push(chunk);
        laid.nodes
            .push(Node::of_leaves(Kind::Heading(level, text.words()), leaves));
    }

    /// The safety text: large, in a frame.
    fn safety(&mut self, text: &Text, width: f64, laid: &mut Laid) {
        let kind = (11.0, 14.5);
        let lines = wrap(text, self.faces, kind.0, width - 20.0);
        let mut chunk = Chunk {
            height: lines.len() as f64 * kind.1 + 14.0,
            before: 6.0,
            ..Chunk::default()
        };
        let (right, bottom) = (width - 1.0, chunk.height - 1.0);
        chunk.pieces.push(Piece {
            leaf: Leaf::Artifact,
            marks: vec![Mark::Line {
                points: vec![(1.0, 1.0), (right, 1.0), (right, bottom), (1.0, bottom), (1.0, 1.0)],
                ink: Ink::Text,
                width: 2.0,
                dash: Dash::Solid,
            }],
            frame: None,
        });
        let leaves = self.lines(&lines, (10.0, 6.5), kind, Ink::Text, &mut chunk.pieces);
        laid.chunks.push(chunk);
        laid.nodes.push(Node::of_leaves(Kind::Paragraph, leaves));
    }

    fn list(&mut self, items: &[Text], mark: &str, width: f64, laid: &mut Laid) {
        let mut nodes = Vec::new();
        for (i, item) in items.iter().enumerate() {
            let lines = wrap(item, self.faces, BODY.0, width - 13.0);
            let mut chunk = Chunk {
                // Points to tick stand close: page 1 of a therapist is full.
                height: lines.len() as f64 * BODY.1 + if mark == "☐" { 0.0 } else { 1.0 },
                before: if i == 0 { 2.0 } else { 0.0 },
                ..Chunk::default()
            };
            let label = wrap(&mark.into(), self.faces, BODY.0, 13.0);
            let label = self.lines(&label, (1.0, 0.0), BODY, Ink::Text, &mut chunk.pieces);
            let body = self.lines(&lines, (13.0, 0.0), BODY, Ink::Text, &mut chunk.pieces);
            laid.chunks.push(chunk);
            let parts = vec![
                Node::of_leaves(Kind::Label, label),
                Node::of_leaves(Kind::ItemBody, body),
            ];
            nodes.push(Node::of_nodes(Kind::Item, parts));
        }
        if !nodes.is_empty() {
            laid.nodes.push(Node::of_nodes(Kind::List, nodes));
        }
    }

    /// Lines to write on.
    fn ruled(&mut self, what: &str, count: usize, width: f64, laid: &mut Laid) {
        const APART: f64 = 15.0;
        let (mut chunk, leaves) = match what {
            "" => (Chunk::default(), Vec::new()),
            what => self.text(&Text::plain(what), width, NOTE, Ink::Muted),
        };
        let top = chunk.height;
        let marks = (1..=count).map(|i| {
            let y = top + APART * i as f64 - 3.0;
            Mark::Line {
                points: vec![(0.0, y), (width, y)],
                ink: Ink::Muted,
                width: 0.4,
                dash: Dash::Solid,
            }
        });
        chunk.pieces.push(Piece {
            leaf: Leaf::Artifact,
            marks: marks.collect(),
            frame: None,
        });
        chunk.height += APART * count as f64;
        chunk.before = 4.0;
        laid.chunks.push(chunk);
        if !leaves.is_empty() {
            laid.nodes.push(Node::of_leaves(Kind::Paragraph, leaves));
        }
    }

    /// Fields beside each other.
    fn fields(&mut self, fields: &[String], width: f64, laid: &mut Laid) {
        let each = width / fields.len().max(1) as f64;
        let mut chunk = Chunk {
            height: 27.5,
            before: 0.0,
            ..Chunk::default()
        };
        let mut nodes = Vec::new();
        for (i, field) in fields.iter().enumerate() {
            let left = i as f64 * each;
            chunk.pieces.push(Piece {
                leaf: Leaf::Artifact,
                marks: vec![Mark::Line {
                    points: vec![(left, 16.5), (left + each - 14.0, 16.5)],
                    ink: Ink::Text,
                    width: 0.6,
                    dash: Dash::Solid,
                }],
                frame: None,
            });
            let lines = wrap(&Text::plain(field), self.faces, NOTE.0, each - 14.0);
            let leaves = self.lines(&lines, (left, 18.0), NOTE, Ink::Muted, &mut chunk.pieces);
            nodes.push(Node::of_leaves(Kind::Paragraph, leaves));
        }
        laid.chunks.push(chunk);
        laid.nodes.extend(nodes);
    }

    fn figure(&mut self, chart: &Chart, width: f64, laid: &mut Laid) {
        let title = Text::strong(clean(&chart.title));
        let (mut caption, leaves) = self.text(&title, width, (8.2, 10.6), Ink::Text);
        caption.before = 5.0;
        caption.height += 2.0;
        caption.keep = true;
        // A chart may be wider than its column (a wide one beside another): it is made smaller, never cut.
        let mut scene = draw(chart);
        if scene.width > width + 0.5 {
            let fitted = Chart {
                size: (width, chart.size.1),
                ..chart.clone()
            };
            scene = draw(&fitted);
        }
        let Scene { height, marks, .. } = scene;
        let leaf = self.leaf();
        laid.chunks.push(caption);
        laid.nodes.push(Node::of_leaves(Kind::Paragraph, leaves));
        laid.chunks.push(Chunk {
            height: height + 3.0,
            pieces: vec![Piece {
                leaf: Leaf::Tagged(leaf),
                marks,
                frame: Some((0.0, 0.0, width, height)),
            }],
            ..Chunk::default()
        });
        laid.nodes
            .push(Node::of_leaves(Kind::Figure(clean(&chart.desc)), vec![leaf]));
    }

    /// Two columns, one chunk.
    fn beside(&mut self, a: &Block, b: &Block, width: f64, laid: &mut Laid) {
        const APART: f64 = 16.0;
        let column = 0.5 * (width - APART);
        let mut whole = Chunk {
            before: 2.0,
            ..Chunk::default()
        };
        for (block, left) in [(a, 0.0), (b, column + APART)] {
            let mut part = Laid::default();
            self.block(block, column, &mut part);
            let mut y = 0.0;
            for (i, chunk) in part.chunks.into_iter().enumerate() {
                y += if i == 0 { 0.0 } else { chunk.before };
                whole
                    .inner
                    .extend(chunk.heading.map(|(level, words)| (level, words, y)));
                for mut piece in chunk.pieces {
                    shift(&mut piece, (left, y));
                    whole.pieces.push(piece);
                }
                y += chunk.height;
            }
            whole.height = whole.height.max(y);
            laid.nodes.push(Node::of_nodes(Kind::Division, part.nodes));
        }
        whole.before = 4.0;
        laid.chunks.push(whole);
    }
}

/// Moves a piece.
pub(super) fn shift(piece: &mut Piece, (dx, dy): (f64, f64)) {
    for mark in &mut piece.marks {
        match mark {
            Mark::Line { points, .. } | Mark::Area { points, .. } => {
                points.iter_mut().for_each(|p| *p = (p.0 + dx, p.1 + dy));
            }
            Mark::Shape { at, .. } | Mark::Text { at, .. } => *at = (at.0 + dx, at.1 + dy),
        }
    }
    piece.frame = piece.frame.map(|(x, y, w, h)| (x + dx, y + dy, w, h));
}

/// Bold text of the heads of tables.
pub(super) fn bold(text: &Text) -> Text {
    Text(
        text.0
            .iter()
            .map(|r| super::super::document::Run::Strong(r.text().to_owned()))
            .collect(),
    )
}
