//! Panels over one x-axis: bands, lines, points, bars, hatched gaps, and marks of what happened.
//!
//! A line is broken where there is no value; a gap is hatched. The name of a y-axis stands level above its panel, because
//! turned text is hard to read. Names of layers stand in a legend above all panels, each with the very stroke that it names.

use super::scene::{Anchor, Dash, Filling, Ink, Scene, Shape, TEXT, assumed_width, cut};
use super::ticks::{Ticks, ticks};

/// How a series is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pen {
    /// The left side: blue, solid, disc.
    Left,
    /// The right side: orange, dashed, square.
    Right,
    /// Before: grey, solid, hollow disc.
    Before,
    /// After: violet, dashed, diamond.
    After,
    /// The only series: black, solid, disc.
    One,
    /// A third beside before and after: grey, dotted, hollow triangle.
    Third,
    /// One of many, or the edge of a spread: thin, grey, a small hollow square.
    Thin,
}

impl Pen {
    fn ink(self) -> Ink {
        match self {
            Self::Left => Ink::Left,
            Self::Right => Ink::Right,
            Self::Before => Ink::Before,
            Self::After => Ink::After,
            Self::One => Ink::Text,
            Self::Third => Ink::Muted,
            Self::Thin => Ink::Bar,
        }
    }

    fn dash(self) -> Dash {
        match self {
            Self::Left | Self::Before | Self::One | Self::Thin => Dash::Solid,
            Self::Right | Self::After => Dash::Dashed,
            Self::Third => Dash::Dotted,
        }
    }

    fn shape(self) -> (Shape, Filling) {
        match self {
            Self::Left | Self::One => (Shape::Disc, Filling::Full),
            Self::Right => (Shape::Square, Filling::Full),
            Self::Before => (Shape::Disc, Filling::Hollow),
            Self::After => (Shape::Diamond, Filling::Full),
            Self::Third => (Shape::Up, Filling::Hollow),
            Self::Thin => (Shape::Square, Filling::Hollow),
        }
    }

    fn width(self) -> f64 {
        match self {
            Self::Thin => 0.5,
            _ => 1.4,
        }
    }
}

/// An axis.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Axis {
    /// What it measures, with its unit.
    pub label: String,
    /// Values that must lie on it; those of the layers do anyway.
    pub holds: Vec<f64>,
    /// Marks with names, in place of numbers. They also fix its ends where there are two or more.
    pub named: Vec<(f64, String)>,
}

impl Axis {
    /// An axis with a name.
    #[must_use]
    pub fn new(label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            ..Self::default()
        }
    }

    /// The same with these values on it.
    #[must_use]
    pub fn holding(mut self, values: impl IntoIterator<Item = f64>) -> Self {
        self.holds.extend(values);
        self
    }
}

/// A point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dot {
    /// Place on the x-axis.
    pub x: f64,
    /// Value.
    pub y: f64,
    /// Half-width of its bar of uncertainty.
    pub error: Option<f64>,
}

/// A bar from the zero line.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    /// Its edges on the x-axis.
    pub from: f64,
    /// See `from`.
    pub to: f64,
    /// Its height.
    pub y: f64,
    /// Written on top of it.
    pub text: String,
}

/// What lies in a panel, drawn in this order.
#[derive(Clone, Debug, PartialEq)]
pub enum Layer {
    /// A band: x, lower and upper edge.
    Band {
        /// In the legend, where it has a name.
        name: Option<String>,
        /// Its edges.
        edges: Vec<(f64, f64, f64)>,
    },
    /// A line, broken where there is no value.
    Line {
        /// In the legend.
        name: Option<String>,
        /// How it is drawn.
        pen: Pen,
        /// x and value.
        points: Vec<(f64, Option<f64>)>,
    },
    /// Points.
    Dots {
        /// In the legend.
        name: Option<String>,
        /// How they are drawn.
        pen: Pen,
        /// They.
        dots: Vec<Dot>,
    },
    /// Bars.
    Bars {
        /// In the legend.
        name: Option<String>,
        /// They.
        bars: Vec<Bar>,
    },
    /// No trustworthy data from here to there.
    Gap {
        /// From.
        from: f64,
        /// To.
        to: f64,
    },
    /// Something happened.
    Happened {
        /// When.
        x: f64,
        /// What, in a word or two.
        text: String,
    },
}

/// A panel.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plot {
    /// Its y-axis.
    pub y: Axis,
    /// What lies in it.
    pub layers: Vec<Layer>,
}

/// Panels from top to bottom over one x-axis.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stack {
    /// The shared axis.
    pub x: Axis,
    /// Panels with their share of the height.
    pub panels: Vec<(Plot, f64)>,
}

const RIGHT: f64 = 8.0;
const LINE: f64 = 10.0;

/// A panel's place and scales.
struct Frame {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    x: (f64, f64),
    y: (f64, f64),
}

impl Frame {
    fn at(&self, x: f64, y: f64) -> (f64, f64) {
        let share = |v: f64, (low, high): (f64, f64)| ((v - low) / (high - low)).clamp(0.0, 1.0);
        (
            self.left + share(x, self.x) * (self.right - self.left),
            self.bottom - share(y, self.y) * (self.bottom - self.top),
        )
    }
}

fn span(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values
        .filter(|v| v.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)))
}

fn xs(layer: &Layer) -> Vec<f64> {
    match layer {
        Layer::Band { edges, .. } => edges.iter().map(|e| e.0).collect(),
        Layer::Line { points, .. } => points.iter().map(|p| p.0).collect(),
        Layer::Dots { dots, .. } => dots.iter().map(|d| d.x).collect(),
        Layer::Bars { bars, .. } => bars.iter().flat_map(|b| [b.from, b.to]).collect(),
        Layer::Gap { from, to } => vec![*from, *to],
        Layer::Happened { x, .. } => vec![*x],
    }
}

fn ys(layer: &Layer) -> Vec<f64> {
    match layer {
        Layer::Band { edges, .. } => edges.iter().flat_map(|e| [e.1, e.2]).collect(),
        Layer::Line { points, .. } => points.iter().filter_map(|p| p.1).collect(),
        Layer::Dots { dots, .. } => {
            let ends = |d: &Dot| [d.y - d.error.unwrap_or(0.0), d.y + d.error.unwrap_or(0.0)];
            dots.iter().flat_map(ends).collect()
        }
        Layer::Bars { bars, .. } => bars.iter().map(|b| b.y).chain([0.0]).collect(),
        Layer::Gap { .. } | Layer::Happened { .. } => Vec::new(),
    }
}

fn scale(axis: &Axis, values: Vec<f64>, most: usize) -> Ticks {
    let (low, high) = span(values.into_iter().chain(axis.holds.iter().copied()));
    if axis.named.is_empty() {
        return ticks(low, high, most);
    }
    let (a, b) = span(axis.named.iter().map(|t| t.0).chain([low, high]));
    let (low, high) = if a < b { (a, b) } else { (a - 1.0, a + 1.0) };
    Ticks {
        low,
        high,
        values: Vec::new(),
        decimals: 0,
    }
}

/// Draws panels into the whole of a scene.
pub(super) fn draw(stack: &Stack, scene: &mut Scene) {
    let layers = || stack.panels.iter().flat_map(|(p, _)| &p.layers);
    let x = scale(&stack.x, layers().flat_map(xs).collect(), (scene.width / 42.0) as usize);
    let weights: f64 = stack.panels.iter().map(|p| p.1).sum();
    let fixed: f64 = stack.panels.iter().map(|(p, _)| head(p)).sum();
    let scales: Vec<Ticks> = stack
        .panels
        .iter()
        .map(|p| {
            let values: Vec<f64> = p.0.layers.iter().flat_map(ys).collect();
            let room = (scene.height - 30.0 - fixed) * p.1 / weights.max(1e-9);
            scale(&p.0.y, values, ((room / 13.0) as usize).clamp(2, 6))
        })
        .collect();
    let widest = |t: &Ticks| {
        t.values
            .iter()
            .map(|v| assumed_width(&t.text(*v), TEXT))
            .fold(0.0, f64::max)
    };
    let left = 6.0 + scales.iter().map(widest).fold(8.0, f64::max);
    let top = legend(stack, scene);
    // The name of the axis has a line of its own, where it has one.
    let bottom = scene.height - if stack.x.label.is_empty() { 1.4 } else { 2.4 } * LINE;
    let mut at = top;
    for ((plot, weight), y) in stack.panels.iter().zip(&scales) {
        let height = (bottom - top - fixed) * weight / weights.max(1e-9);
        let frame = Frame {
            left,
            right: scene.width - RIGHT,
            top: at + head(plot),
            bottom: at + head(plot) + height,
            x: (x.low, x.high),
            y: (y.low, y.high),
        };
        panel(plot, y, &frame, scene);
        at = frame.bottom;
    }
    x_axis(&stack.x, &x, left, bottom, scene);
}

/// Height of what stands above a panel: its name, and two lines for what happened.
fn head(plot: &Plot) -> f64 {
    let happened = plot
        .layers
        .iter()
        .filter(|l| matches!(l, Layer::Happened { .. }))
        .count();
    LINE + 9.0 + LINE * happened.min(2) as f64
}

/// The legend; the y at which panels begin.
fn legend(stack: &Stack, scene: &mut Scene) -> f64 {
    let (mut x, mut y) = (2.0, LINE - 2.0);
    let mut any = false;
    let named = stack
        .panels
        .iter()
        .flat_map(|(p, _)| &p.layers)
        .filter_map(|l| match l {
            Layer::Band { name, .. }
            | Layer::Line { name, .. }
            | Layer::Dots { name, .. }
            | Layer::Bars { name, .. } => Some((name.as_ref()?, l)),
            Layer::Gap { .. } | Layer::Happened { .. } => None,
        });
    let named: Vec<_> = named.collect();
    for (name, layer) in named {
        let width = 22.0 + assumed_width(name, TEXT) + 8.0;
        if any && x + width > scene.width {
            (x, y) = (2.0, y + LINE);
        }
        any = true;
        let middle = y - 2.6;
        match layer {
            Layer::Band { .. } => scene.rect((x, middle - 3.5), (x + 16.0, middle + 3.5), Ink::Band),
            Layer::Bars { .. } => scene.rect((x, middle - 3.5), (x + 16.0, middle + 3.5), Ink::Bar),
            Layer::Line { pen, .. } => scene.line(
                vec![(x, middle), (x + 16.0, middle)],
                pen.ink(),
                pen.width(),
                pen.dash(),
            ),
            Layer::Dots { pen, .. } => {
                let (shape, filling) = pen.shape();
                scene.shape((x + 8.0, middle), 2.6, shape, pen.ink(), filling);
            }
            Layer::Gap { .. } | Layer::Happened { .. } => {}
        }
        scene.text((x + 20.0, y), name.clone(), Anchor::Start, Ink::Text);
        x += width;
    }
    if any { y + 2.0 } else { 0.0 }
}

fn panel(plot: &Plot, y: &Ticks, f: &Frame, scene: &mut Scene) {
    let name = cut(&plot.y.label, scene.width - 4.0, TEXT);
    scene.text((2.0, f.top - head(plot) + LINE - 1.0), name, Anchor::Start, Ink::Muted);
    for value in &y.values {
        let (_, at) = f.at(f.x.0, *value);
        scene.line(vec![(f.left, at), (f.right, at)], Ink::Grid, 0.5, Dash::Solid);
        scene.text((f.left - 3.0, at + 2.6), y.text(*value), Anchor::End, Ink::Muted);
    }
    for (value, text) in &plot.y.named {
        let (_, at) = f.at(f.x.0, *value);
        scene.text((f.left - 3.0, at + 2.6), text.clone(), Anchor::End, Ink::Muted);
    }
    if y.low < 0.0 && y.high > 0.0 {
        let (_, zero) = f.at(f.x.0, 0.0);
        scene.line(vec![(f.left, zero), (f.right, zero)], Ink::Muted, 0.7, Dash::Solid);
    }
    for layer in &plot.layers {
        draw_layer(layer, f, scene);
    }
    happened(plot, f, scene);
    scene.line(
        vec![(f.left, f.top), (f.left, f.bottom), (f.right, f.bottom)],
        Ink::Muted,
        0.7,
        Dash::Solid,
    );
}

fn draw_layer(layer: &Layer, f: &Frame, scene: &mut Scene) {
    match layer {
        Layer::Band { edges, .. } => {
            let high = edges.iter().map(|(x, _, high)| f.at(*x, *high));
            let low = edges.iter().rev().map(|(x, low, _)| f.at(*x, *low));
            let points: Vec<_> = high.chain(low).collect();
            if edges.len() > 1 {
                scene.marks.push(super::scene::Mark::Area { points, ink: Ink::Band });
                // Edges, so that the band is seen in a faint print.
                let edge = |of: fn(&(f64, f64, f64)) -> f64| edges.iter().map(|e| f.at(e.0, of(e))).collect();
                scene.line(edge(|e| e.1), Ink::Bar, 0.4, Dash::Solid);
                scene.line(edge(|e| e.2), Ink::Bar, 0.4, Dash::Solid);
            }
        }
        Layer::Line { pen, points, .. } => {
            for piece in points.split(|p| p.1.is_none()) {
                let piece: Vec<_> = piece.iter().filter_map(|(x, y)| Some(f.at(*x, (*y)?))).collect();
                scene.line(piece, pen.ink(), pen.width(), pen.dash());
            }
        }
        Layer::Dots { pen, dots, .. } => {
            let (shape, filling) = pen.shape();
            // Many points are small ones.
            let radius = if dots.len() > 60 { 1.6 } else { 2.4 };
            for dot in dots {
                if let Some(error) = dot.error {
                    let ends = vec![f.at(dot.x, dot.y - error), f.at(dot.x, dot.y + error)];
                    scene.line(ends, pen.ink(), 0.8, Dash::Solid);
                }
                scene.shape(f.at(dot.x, dot.y), radius, shape, pen.ink(), filling);
            }
        }
        Layer::Bars { bars, .. } => {
            for bar in bars {
                let (x0, y0) = f.at(bar.from, 0.0);
                let (x1, y1) = f.at(bar.to, bar.y);
                let slit = 0.12 * (x1 - x0);
                if (y0 - y1).abs() > 0.01 {
                    scene.rect((x0 + slit, y1), (x1 - slit, y0), Ink::Bar);
                }
                if assumed_width(&bar.text, TEXT) <= x1 - x0 + 2.0 {
                    let middle = (0.5 * (x0 + x1), (y1 - 2.0).max(f.top + 4.0));
                    scene.text(middle, bar.text.clone(), Anchor::Middle, Ink::Text);
                }
            }
        }
        Layer::Gap { from, to } => {
            let (x0, _) = f.at(*from, f.y.0);
            let (x1, _) = f.at(*to, f.y.0);
            scene.hatch((x0, f.top), (x1, f.bottom));
        }
        Layer::Happened { .. } => {}
    }
}

/// What happened, in two lines above the panel; what finds no room keeps its stroke and its triangle.
fn happened(plot: &Plot, f: &Frame, scene: &mut Scene) {
    let mut marks: Vec<(f64, &str)> = plot
        .layers
        .iter()
        .filter_map(|l| match l {
            Layer::Happened { x, text } => Some((*x, text.as_str())),
            _ => None,
        })
        .collect();
    marks.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut free = [f64::NEG_INFINITY; 2];
    for (x, text) in marks {
        let (at, _) = f.at(x, f.y.0);
        scene.line(vec![(at, f.top - 1.0), (at, f.bottom)], Ink::Text, 0.6, Dash::Dotted);
        scene.shape((at, f.top - 3.5), 2.4, Shape::Down, Ink::Text, Filling::Full);
        let width = assumed_width(text, TEXT);
        let begins = (at - 2.0).min(f.right - width).max(2.0);
        if let Some(row) = (0..2).find(|row| free[*row] <= begins) {
            free[row] = begins + width + 4.0;
            let baseline = f.top - 8.0 - LINE * row as f64;
            scene.text((begins, baseline), text, Anchor::Start, Ink::Text);
        }
    }
}

fn x_axis(axis: &Axis, x: &Ticks, left: f64, bottom: f64, scene: &mut Scene) {
    let right = scene.width - RIGHT;
    let place = |v: f64| left + (v - x.low) / (x.high - x.low) * (right - left);
    let numbers = x.values.iter().map(|v| (*v, x.text(*v)));
    let marks: Vec<(f64, String)> = if axis.named.is_empty() {
        numbers.collect()
    } else {
        axis.named.clone()
    };
    let mut free = f64::NEG_INFINITY;
    for (value, text) in marks {
        let at = place(value);
        scene.line(vec![(at, bottom), (at, bottom + 2.5)], Ink::Muted, 0.7, Dash::Solid);
        let half = 0.5 * assumed_width(&text, TEXT);
        let middle = at.min(scene.width - half - 1.0);
        if middle - half >= free {
            free = middle + half + 4.0;
            scene.text((middle, bottom + LINE), text, Anchor::Middle, Ink::Muted);
        }
    }
    let middle = 0.5 * (left + right);
    scene.text(
        (middle, bottom + 2.1 * LINE),
        axis.label.clone(),
        Anchor::Middle,
        Ink::Muted,
    );
}

#[cfg(test)]
mod tests {
    use super::super::scene::Mark;
    use super::super::{Body, Chart, svg};
    use super::*;

    fn chart(layers: Vec<Layer>) -> Chart {
        Chart {
            title: "t".to_owned(),
            desc: "d".to_owned(),
            size: (240.0, 120.0),
            body: Body::Stack(Stack {
                x: Axis::new("x"),
                panels: vec![(
                    Plot {
                        y: Axis::new("y"),
                        layers,
                    },
                    1.0,
                )],
            }),
        }
    }

    #[test]
    fn a_line_is_broken_where_there_is_no_value_and_never_bridged() {
        let points = [Some(1.0), Some(2.0), None, Some(3.0), Some(4.0)];
        let points = points.into_iter().enumerate().map(|(i, y)| (i as f64, y)).collect();
        let scene = super::super::draw(&chart(vec![Layer::Line {
            name: None,
            pen: Pen::Left,
            points,
        }]));
        let pieces = scene
            .marks
            .iter()
            .filter(|m| matches!(m, Mark::Line { ink: Ink::Left, .. }));
        assert_eq!(pieces.count(), 2);
    }

    #[test]
    fn everything_stays_on_the_scene_even_without_data() {
        for layers in [
            vec![],
            vec![Layer::Dots {
                name: Some("<b>&".to_owned()),
                pen: Pen::Right,
                dots: vec![Dot {
                    x: 1e6,
                    y: -3.0,
                    error: Some(2.0),
                }],
            }],
            vec![
                Layer::Gap { from: 2.0, to: 5.0 },
                Layer::Happened {
                    x: 5.0,
                    text: "a very long text about shoes that were new on that day".to_owned(),
                },
            ],
        ] {
            let c = chart(layers);
            let scene = super::super::draw(&c);
            for mark in &scene.marks {
                let points: Vec<(f64, f64)> = match mark {
                    Mark::Line { points, .. } | Mark::Area { points, .. } => points.clone(),
                    Mark::Shape { at, .. } | Mark::Text { at, .. } => vec![*at],
                };
                for (x, y) in points {
                    assert!((-1.0..=241.0).contains(&x) && (-1.0..=121.0).contains(&y), "{mark:?}");
                }
            }
            let text = svg(&c);
            assert!(!text.contains("<b>") && !text.contains("NaN"));
        }
    }

    #[test]
    fn left_and_right_differ_in_colour_dash_and_shape() {
        assert_ne!(Pen::Left.ink(), Pen::Right.ink());
        assert_ne!(Pen::Left.dash(), Pen::Right.dash());
        assert_ne!(Pen::Left.shape(), Pen::Right.shape());
        let pens = [
            Pen::Left,
            Pen::Right,
            Pen::Before,
            Pen::After,
            Pen::One,
            Pen::Third,
            Pen::Thin,
        ];
        for (i, a) in pens.iter().enumerate() {
            for b in &pens[i + 1..] {
                let (la, lb) = ((a.shape(), a.dash()), (b.shape(), b.dash()));
                assert!(
                    la != lb || (*a == Pen::Left && *b == Pen::One),
                    "{a:?} {b:?} look alike in grey"
                );
            }
        }
    }
}
