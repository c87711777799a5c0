//! Charts as values: what is drawn, not how; one model for HTML, for the plain pages and for PDF.
//!
//! A [`Chart`] says what its axes, lines, bands and bars mean. [`draw`] lays it out as a [`scene::Scene`] of lines, areas and
//! texts, which [`svg::svg`] writes as SVG and the PDF writer paints with the same coordinates. Nothing is told by colour
//! alone: left is blue, solid, a disc; right is orange, dashed, a square; before is hollow; what is missing is hatched and
//! never bridged.

pub mod butterfly;
pub mod dumbbell;
pub mod plot;
pub mod scene;
pub mod svg;
pub mod ticks;

pub use butterfly::{Butterfly, ButterflyRow, Wing};
pub use dumbbell::{Dumbbell, DumbbellRow};
pub use plot::{Axis, Bar, Dot, Layer, Pen, Plot, Stack};
pub use scene::Scene;
pub use svg::svg;

/// What kind of chart.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// Lines, bands, points or bars over an x-axis; several panels share it.
    Stack(Stack),
    /// Left against right, bars to both sides.
    Butterfly(Butterfly),
    /// Two values a row, joined.
    Dumbbell(Dumbbell),
}

/// A chart with the words that stand for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// What it shows, in a few words.
    pub title: String,
    /// The same and what is to be seen, in sentences, for who does not see it.
    pub desc: String,
    /// Width and height, points.
    pub size: (f64, f64),
    /// What is drawn.
    pub body: Body,
}

/// Lays a chart out.
#[must_use]
pub fn draw(chart: &Chart) -> Scene {
    let (width, height) = chart.size;
    let mut scene = Scene::new(width, height);
    match &chart.body {
        Body::Stack(stack) => plot::draw(stack, &mut scene),
        Body::Butterfly(b) => butterfly::draw(b, &mut scene),
        Body::Dumbbell(d) => dumbbell::draw(d, &mut scene),
    }
    scene
}
