//! What a chart looks like: lines, areas, texts and shapes at points of a page, y downwards.
//!
//! Small on purpose. Whoever can draw these four things can show every chart, and two that do show the same.

use super::super::document::clean;

/// What a colour stands for. The colours themselves are in [`Ink::rgb`]; each is told apart in grey as well by dash, shape or
/// hatching, because prints and eyes differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// Text, axes.
    Text,
    /// Text of less weight.
    Muted,
    /// Lines of the grid.
    Grid,
    /// The left side.
    Left,
    /// The right side.
    Right,
    /// What was before.
    Before,
    /// What was after, or the only one.
    After,
    /// A band of usual values.
    Band,
    /// A bar of load.
    Bar,
    /// The paper: the inside of hollow shapes.
    Paper,
}

impl Ink {
    /// Red, green, blue on white paper.
    #[must_use]
    pub fn rgb(self) -> [u8; 3] {
        match self {
            Self::Text => [0x1a, 0x1a, 0x1a],
            Self::Muted => [0x59, 0x59, 0x59],
            Self::Grid => [0xdc, 0xdc, 0xdc],
            Self::Left => [0x00, 0x72, 0xb2],
            Self::Right => [0xd5, 0x5e, 0x00],
            Self::Before => [0x59, 0x59, 0x59],
            Self::After => [0x5e, 0x2a, 0x84],
            Self::Band => [0xe2, 0xe7, 0xec],
            Self::Bar => [0x85, 0x90, 0x9b],
            Self::Paper => [0xff, 0xff, 0xff],
        }
    }

    /// Its name, as a class in SVG.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Muted => "muted",
            Self::Grid => "grid",
            Self::Left => "left",
            Self::Right => "right",
            Self::Before => "before",
            Self::After => "after",
            Self::Band => "band",
            Self::Bar => "bar",
            Self::Paper => "paper",
        }
    }
}

/// How a line is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dash {
    /// Not at all.
    Solid,
    /// Long dashes.
    Dashed,
    /// Dots.
    Dotted,
}

impl Dash {
    /// Lengths on and off, points.
    #[must_use]
    pub fn lengths(self) -> Option<[f64; 2]> {
        match self {
            Self::Solid => None,
            Self::Dashed => Some([4.0, 2.0]),
            Self::Dotted => Some([1.2, 1.8]),
        }
    }
}

/// A shape of a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A disc.
    Disc,
    /// A square.
    Square,
    /// A triangle, point up.
    Up,
    /// A triangle, point down.
    Down,
    /// A diamond.
    Diamond,
}

/// Where a text stands against its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// It begins there.
    Start,
    /// It is centred there.
    Middle,
    /// It ends there.
    End,
}

/// How heavy a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// As usual.
    Regular,
    /// Bold.
    Bold,
}

/// One thing drawn. Points are (x, y).
#[derive(Clone, Debug, PartialEq)]
pub enum Mark {
    /// A line through points.
    Line {
        /// The points.
        points: Vec<(f64, f64)>,
        /// Its ink.
        ink: Ink,
        /// Its width.
        width: f64,
        /// How it is broken.
        dash: Dash,
    },
    /// A closed area.
    Area {
        /// Its corners.
        points: Vec<(f64, f64)>,
        /// Its ink.
        ink: Ink,
    },
    /// A shape of a point.
    Shape {
        /// Its middle.
        at: (f64, f64),
        /// Half its width.
        radius: f64,
        /// What it is.
        shape: Shape,
        /// Its ink.
        ink: Ink,
        /// Filled with its ink, or with paper and an outline.
        hollow: bool,
    },
    /// A line of text.
    Text {
        /// Where its baseline begins, has its middle, or ends.
        at: (f64, f64),
        /// The words.
        text: String,
        /// Its size, points.
        size: f64,
        /// Its weight.
        weight: Weight,
        /// How it stands there.
        anchor: Anchor,
        /// Its ink.
        ink: Ink,
    },
}

/// Everything that is drawn, first things first.
#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    /// Width, points.
    pub width: f64,
    /// Height, points.
    pub height: f64,
    /// What is drawn.
    pub marks: Vec<Mark>,
}

/// Size of the text in charts, points.
pub const TEXT: f64 = 7.5;

/// Width of a text as the layout of charts assumes it, points: a little more than it is in a usual sans-serif face.
#[must_use]
pub fn assumed_width(text: &str, size: f64) -> f64 {
    let of = |c: char| match c {
        'i' | 'l' | 'j' | '.' | ',' | ':' | ';' | '|' | '\'' | '!' => 0.28,
        ' ' | 'f' | 't' | 'r' | '(' | ')' | '-' => 0.36,
        'm' | 'w' | 'M' | 'W' | '●' | '■' | '▲' => 0.88,
        c if c.is_ascii_uppercase() => 0.66,
        c if (c as u32) > 0x2e80 => 1.0,
        _ => 0.56,
    };
    size * text.chars().map(of).sum::<f64>()
}

/// A text cut to a width, with an ellipsis where something is cut.
#[must_use]
pub fn cut(text: &str, width: f64, size: f64) -> String {
    if assumed_width(text, size) <= width {
        return text.to_owned();
    }
    let mut kept = String::new();
    for c in text.chars() {
        kept.push(c);
        if assumed_width(&kept, size) + 0.6 * size > width {
            kept.pop();
            break;
        }
    }
    kept.truncate(kept.trim_end().len());
    kept + "…"
}

/// Whether the inside of a shape shows the paper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filling {
    /// Full of its ink.
    Full,
    /// An outline around paper.
    Hollow,
}

impl Scene {
    /// An empty scene.
    #[must_use]
    pub fn new(width: f64, height: f64) -> Self {
        Self {
            width,
            height,
            marks: Vec::new(),
        }
    }

    /// Adds a line.
    pub fn line(&mut self, points: Vec<(f64, f64)>, ink: Ink, width: f64, dash: Dash) {
        if points.len() > 1 {
            self.marks.push(Mark::Line {
                points,
                ink,
                width,
                dash,
            });
        }
    }

    /// Adds an upright rectangle from one corner to the opposite one.
    pub fn rect(&mut self, (x0, y0): (f64, f64), (x1, y1): (f64, f64), ink: Ink) {
        self.marks.push(Mark::Area {
            points: vec![(x0, y0), (x1, y0), (x1, y1), (x0, y1)],
            ink,
        });
    }

    /// Adds a shape.
    pub fn shape(&mut self, at: (f64, f64), radius: f64, shape: Shape, ink: Ink, filling: Filling) {
        self.marks.push(Mark::Shape {
            at,
            radius,
            shape,
            ink,
            hollow: filling == Filling::Hollow,
        });
    }

    /// Adds a text in the usual size.
    pub fn text(&mut self, at: (f64, f64), text: impl Into<String>, anchor: Anchor, ink: Ink) {
        self.words(at, text, TEXT, Weight::Regular, anchor, ink);
    }

    /// Adds a text.
    pub fn words(
        &mut self,
        at: (f64, f64),
        text: impl Into<String>,
        size: f64,
        weight: Weight,
        anchor: Anchor,
        ink: Ink,
    ) {
        self.marks.push(Mark::Text {
            at,
            text: clean(&text.into()),
            size,
            weight,
            anchor,
            ink,
        });
    }

    /// Hatches an upright rectangle: no trustworthy data.
    pub fn hatch(&mut self, (x0, y0): (f64, f64), (x1, y1): (f64, f64)) {
        let (x0, x1) = (x0.min(x1), x0.max(x1));
        let (y0, y1) = (y0.min(y1), y0.max(y1));
        let height = y1 - y0;
        let mut at = x0 - height + HATCH;
        while at < x1 {
            // The stroke from (at, y1) up to (at + height, y0), cut to the rectangle.
            let (from, to) = ((x0 - at).max(0.0), (x1 - at).min(height));
            if to > from {
                self.line(
                    vec![(at + from, y1 - from), (at + to, y1 - to)],
                    Ink::Bar,
                    0.4,
                    Dash::Solid,
                );
            }
            at += HATCH;
        }
    }
}

/// Distance of the strokes of a hatching, points.
const HATCH: f64 = 3.5;

/// Corners of a shape, going round; a disc has none.
#[must_use]
pub fn corners((x, y): (f64, f64), r: f64, shape: Shape) -> Option<Vec<(f64, f64)>> {
    let s = 0.88 * r;
    match shape {
        Shape::Disc => None,
        Shape::Square => Some(vec![(x - s, y - s), (x + s, y - s), (x + s, y + s), (x - s, y + s)]),
        Shape::Up => Some(vec![(x - r, y + s), (x, y - r), (x + r, y + s)]),
        Shape::Down => Some(vec![(x - r, y - s), (x + r, y - s), (x, y + r)]),
        Shape::Diamond => Some(vec![(x - r, y), (x, y - 1.15 * r), (x + r, y), (x, y + 1.15 * r)]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hatching_stays_inside_its_rectangle() {
        for (w, h) in [(40.0, 12.0), (3.0, 30.0), (0.5, 0.5)] {
            let mut scene = Scene::new(100.0, 100.0);
            scene.hatch((10.0, 20.0), (10.0 + w, 20.0 + h));
            for mark in &scene.marks {
                let Mark::Line { points, .. } = mark else {
                    panic!("only lines")
                };
                for (x, y) in points {
                    assert!((10.0 - 1e-9..=10.0 + w + 1e-9).contains(x) && (20.0 - 1e-9..=20.0 + h + 1e-9).contains(y));
                }
            }
        }
    }

    #[test]
    fn a_long_text_is_cut_and_says_so() {
        assert_eq!(cut("short", 200.0, 8.0), "short");
        let long = cut("a very long name of a pair of shoes", 60.0, 8.0);
        assert!(long.ends_with('…') && assumed_width(&long, 8.0) <= 66.0, "{long}");
    }
}
