//! Pages and tree into the file.

use super::super::chart::scene::{Anchor, Dash, Ink, Mark, Shape, corners};
use super::super::document::Document;
use super::PdfError;
use super::face::Faces;
use super::flow::{Child, Kind, Leaf, Node};
use super::pages::Pages;
use krilla::SerializeSettings;
use krilla::color::rgb;
use krilla::configure::{Accessibility, ConfigurationBuilder};
use krilla::destination::XyzDestination;
use krilla::geom::{Path, PathBuilder, Point, Rect};
use krilla::metadata::Metadata;
use krilla::num::NormalizedF32;
use krilla::outline::{Outline, OutlineNode};
use krilla::page::PageSettings;
use krilla::paint::{Fill, LineCap, LineJoin, Stroke, StrokeDash};
use krilla::surface::Surface;
use krilla::tagging::{
    Artifact, ArtifactType, BBox, ContentTag, Identifier, ListNumbering, SpanTag, TableHeaderScope, Tag, TagGroup,
    TagKind, TagTree,
};
use krilla::text::KrillaGlyph;
use std::collections::BTreeMap;
use std::num::{NonZeroU16, NonZeroU32};

/// What became of the leaves.
type Placed = BTreeMap<usize, (Identifier, Option<BBox>)>;

/// Writes the file.
pub(super) fn write(document: &Document, faces: &Faces, pages: &Pages) -> Result<Vec<u8>, PdfError> {
    let refuse = |what: String| PdfError { what };
    let configuration = ConfigurationBuilder::new()
        .with_accessibility_validator(Accessibility::UA1)
        .finish()
        .map_err(|e| refuse(format!("{e:?}")))?;
    let mut file = krilla::Document::new_with(SerializeSettings {
        configuration,
        enable_tagging: true,
        ..SerializeSettings::default()
    });
    file.set_metadata(
        Metadata::new()
            .title(document.title.clone())
            .language(document.lang.clone())
            .creator(concat!("lope ", env!("CARGO_PKG_VERSION")).to_owned()),
    );
    let (width, height) = document.paper.size();
    let mut placed = Placed::new();
    for (number, page) in pages.pages.iter().enumerate() {
        let settings = PageSettings::from_wh(width as f32, height as f32).ok_or_else(|| refuse("paper".to_owned()))?;
        let mut sheet = file.start_page_with(settings);
        let mut surface = sheet.surface();
        for piece in &page.pieces {
            let tag = match piece.leaf {
                Leaf::Tagged(_) if piece.frame.is_some() => ContentTag::Other,
                Leaf::Tagged(_) => ContentTag::Span(SpanTag::empty()),
                Leaf::Artifact => ContentTag::Artifact(Artifact::with_kind(ArtifactType::Layout)),
                Leaf::Footer => ContentTag::Artifact(Artifact::with_kind(ArtifactType::Footer)),
            };
            let id = surface.start_tagged(tag);
            for mark in &piece.marks {
                paint(mark, faces, &mut surface);
            }
            surface.end_tagged();
            if let Leaf::Tagged(leaf) = piece.leaf {
                let frame = piece.frame.and_then(|(x, y, w, h)| {
                    let rect = Rect::from_xywh(x as f32, y as f32, w as f32, h as f32)?;
                    Some(BBox::new(number, rect))
                });
                placed.insert(leaf, (id, frame));
            }
        }
        surface.finish();
        sheet.finish();
    }
    let mut tree = TagTree::new().with_lang(Some(document.lang.clone()));
    for node in &pages.nodes {
        if let Some(group) = group(node, &placed) {
            tree.push(group);
        }
    }
    file.set_tag_tree(tree);
    file.set_outline(outline(pages));
    let bytes = file.finish().map_err(|e| refuse(format!("{e:?}")))?;
    Ok(without_default_suspects(bytes))
}

/// The entry that says that no tag is in doubt, as the library writes it.
const MARK_INFO: &[u8] = b"/MarkInfo<</Marked true/Suspects false>>";
/// Leaves away `/Suspects false`, which is the default (ISO 32000-1, table 321) and so means the same to a check of PDF/UA.
/// Poppler up to 25.11 calls the legal `false` a "syntax error: wrong type", and a reader would take a sound file for a
/// broken one.
fn without_default_suspects(mut bytes: Vec<u8>) -> Vec<u8> {
    // The catalogue is at the end, and inside a text `<<` would be escaped or packed: the last match is the entry itself.
    let at = bytes.windows(MARK_INFO.len()).rposition(|w| w == MARK_INFO);
    if let Some(at) = at {
        // Blanks, and no byte of the file moves: its table of places stays true.
        let end = at + MARK_INFO.len() - b">>".len();
        bytes[end - b"/Suspects false".len()..end].fill(b' ');
    }
    bytes
}

fn outline(pages: &Pages) -> Outline {
    let mut outline = Outline::new();
    let mut open: Option<OutlineNode> = None;
    for (level, words, page, y) in &pages.outline {
        let point = Point::from_xy(super::pages::SIDE as f32, *y as f32);
        let node = OutlineNode::new(words.clone(), XyzDestination::new(*page, point));
        match (*level > 2, &mut open) {
            (true, Some(parent)) => parent.push_child(node),
            _ => {
                if let Some(done) = open.replace(node) {
                    outline.push_child(done);
                }
            }
        }
    }
    if let Some(done) = open {
        outline.push_child(done);
    }
    outline
}

fn spanning(columns: usize) -> Option<NonZeroU32> {
    NonZeroU32::new(columns as u32).filter(|n| n.get() > 1)
}

/// A group with what it holds; `None` of a part in which nothing was drawn, unless it is a cell: a row keeps its columns.
fn group(node: &Node, placed: &Placed) -> Option<TagGroup> {
    let mut children: Vec<krilla::tagging::Node> = Vec::new();
    let mut frame = None;
    for child in &node.children {
        match child {
            Child::Leaf(leaf) => {
                let (id, own) = placed.get(leaf)?;
                frame = frame.or(*own);
                children.push((*id).into());
            }
            Child::Node(n) => children.extend(group(n, placed).map(krilla::tagging::Node::from)),
        }
    }
    let cell = matches!(node.kind, Kind::Cell(_) | Kind::RowHead(_) | Kind::ColumnHead(_));
    if children.is_empty() && !cell {
        return None;
    }
    let tag: TagKind = match &node.kind {
        Kind::Paragraph => Tag::P.into(),
        Kind::Heading(level, words) => {
            let level = NonZeroU16::new(u16::from(*level)).unwrap_or(NonZeroU16::MIN);
            Tag::Hn(level, Some(words.clone())).into()
        }
        Kind::List => Tag::L(ListNumbering::None).into(),
        Kind::Item => Tag::LI.into(),
        Kind::Label => Tag::Lbl.into(),
        Kind::ItemBody => Tag::LBody.into(),
        Kind::Table(summary) => Tag::Table.with_summary(Some(summary.clone())).into(),
        Kind::TableHead => Tag::THead.into(),
        Kind::TableBody => Tag::TBody.into(),
        Kind::TableRow => Tag::TR.into(),
        Kind::ColumnHead(span) => Tag::TH(TableHeaderScope::Column).with_col_span(spanning(*span)).into(),
        Kind::RowHead(span) => Tag::TH(TableHeaderScope::Row).with_col_span(spanning(*span)).into(),
        Kind::Cell(span) => Tag::TD.with_col_span(spanning(*span)).into(),
        Kind::Figure(alt) => Tag::Figure(Some(alt.clone())).with_bbox(frame).into(),
        Kind::Division => Tag::Div.into(),
    };
    Some(TagGroup::with_children(tag, children))
}

fn colour(ink: Ink) -> rgb::Color {
    let [r, g, b] = ink.rgb();
    rgb::Color::new(r, g, b)
}

fn fill(ink: Ink) -> Option<Fill> {
    Some(Fill {
        paint: colour(ink).into(),
        opacity: NormalizedF32::ONE,
        ..Fill::default()
    })
}

fn stroke(ink: Ink, width: f64, dash: Dash) -> Option<Stroke> {
    Some(Stroke {
        paint: colour(ink).into(),
        width: width as f32,
        miter_limit: 4.0,
        line_cap: LineCap::Butt,
        line_join: LineJoin::Round,
        opacity: NormalizedF32::ONE,
        dash: dash.lengths().map(|[on, off]| StrokeDash {
            array: vec![on as f32, off as f32],
            offset: 0.0,
        }),
    })
}

fn line(points: &[(f64, f64)], closed: bool) -> Option<Path> {
    let mut builder = PathBuilder::new();
    for (i, (x, y)) in points.iter().enumerate() {
        if i == 0 {
            builder.move_to(*x as f32, *y as f32);
        } else {
            builder.line_to(*x as f32, *y as f32);
        }
    }
    if closed {
        builder.close();
    }
    builder.finish()
}

fn disc((x, y): (f64, f64), r: f64) -> Option<Path> {
    // Four arcs as cubic curves; 0.5523 is the usual length of their handles.
    let (x, y, r) = (x as f32, y as f32, r as f32);
    let k = 0.5523 * r;
    let mut b = PathBuilder::new();
    b.move_to(x + r, y);
    b.cubic_to(x + r, y + k, x + k, y + r, x, y + r);
    b.cubic_to(x - k, y + r, x - r, y + k, x - r, y);
    b.cubic_to(x - r, y - k, x - k, y - r, x, y - r);
    b.cubic_to(x + k, y - r, x + r, y - k, x + r, y);
    b.close();
    b.finish()
}

fn paint(mark: &Mark, faces: &Faces, surface: &mut Surface) {
    match mark {
        Mark::Line {
            points,
            ink,
            width,
            dash,
        } => {
            surface.set_fill(None);
            surface.set_stroke(stroke(*ink, *width, *dash));
            if let Some(path) = line(points, false) {
                surface.draw_path(&path);
            }
        }
        Mark::Area { points, ink } => {
            surface.set_stroke(None);
            surface.set_fill(fill(*ink));
            if let Some(path) = line(points, true) {
                surface.draw_path(&path);
            }
        }
        Mark::Shape {
            at,
            radius,
            shape,
            ink,
            hollow,
        } => {
            surface.set_fill(fill(if *hollow { Ink::Paper } else { *ink }));
            surface.set_stroke(hollow.then(|| stroke(*ink, 1.0, Dash::Solid)).flatten());
            let path = match corners(*at, *radius, *shape) {
                Some(points) => line(&points, true),
                None => disc(*at, *radius),
            };
            debug_assert!(*shape == Shape::Disc || corners(*at, *radius, *shape).is_some());
            if let Some(path) = path {
                surface.draw_path(&path);
            }
        }
        Mark::Text {
            at,
            text,
            size,
            weight,
            anchor,
            ink,
        } => {
            let face = faces.of(*weight);
            let glyphs: Vec<KrillaGlyph> = text
                .char_indices()
                .map(|(i, c)| {
                    let letter = face.letter(c);
                    let range = i..i + c.len_utf8();
                    KrillaGlyph::new(letter.glyph, letter.advance as f32, 0.0, 0.0, 0.0, range, None)
                })
                .collect();
            if glyphs.is_empty() {
                return;
            }
            let x = match anchor {
                Anchor::Start => at.0,
                Anchor::Middle => at.0 - 0.5 * face.width(text, *size),
                Anchor::End => at.0 - face.width(text, *size),
            };
            surface.set_stroke(None);
            surface.set_fill(fill(*ink));
            surface.draw_glyphs(
                Point::from_xy(x as f32, at.1 as f32),
                &glyphs,
                face.font.clone(),
                text,
                *size as f32,
                false,
            );
        }
    }
}
