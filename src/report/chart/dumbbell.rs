//! Two values a row joined by a line: the first hollow, the last filled. Each row has its own scale.

use super::scene::{Anchor, Dash, Filling, Ink, Scene, Shape, TEXT, Weight, assumed_width, cut};

/// A row.
#[derive(Clone, Debug, PartialEq)]
pub struct DumbbellRow {
    /// What it is, with its unit.
    pub label: String,
    /// First value.
    pub first: f64,
    /// Last value.
    pub last: f64,
    /// They, as they are written.
    pub texts: (String, String),
    /// Beyond what is told apart from chance: said in words too.
    pub word: String,
    /// Least width of its scale, in its unit: a change of nothing must not fill the row.
    pub least_width: f64,
}

/// All rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dumbbell {
    /// Names of the two, as in "minutes 5 to 15", "last fifth".
    pub names: (String, String),
    /// From top to bottom.
    pub rows: Vec<DumbbellRow>,
}

const HEAD: f64 = 14.0;

/// Draws the rows into the whole of a scene.
pub(super) fn draw(d: &Dumbbell, scene: &mut Scene) {
    scene.shape((6.0, 5.5), 2.8, Shape::Disc, Ink::Before, Filling::Hollow);
    scene.text((12.0, 8.0), d.names.0.clone(), Anchor::Start, Ink::Text);
    let next = 24.0 + assumed_width(&d.names.0, TEXT);
    scene.shape((next, 5.5), 2.8, Shape::Diamond, Ink::After, Filling::Full);
    scene.text((next + 6.0, 8.0), d.names.1.clone(), Anchor::Start, Ink::Text);
    let height = (scene.height - HEAD) / d.rows.len().max(1) as f64;
    let (left, right) = (0.40 * scene.width, 0.72 * scene.width);
    for (i, row) in d.rows.iter().enumerate() {
        let y = HEAD + (i as f64 + 0.5) * height;
        scene.text(
            (2.0, y + 2.6),
            cut(&row.label, left - 34.0, TEXT),
            Anchor::Start,
            Ink::Text,
        );
        let middle = 0.5 * (row.first + row.last);
        let width = (row.last - row.first).abs().max(row.least_width).max(1e-9) * 1.25;
        let x = |v: f64| 0.5 * (left + right) + (v - middle) / width * (right - left - 8.0);
        scene.line(
            vec![(left - 26.0, y + 0.5 * height), (scene.width, y + 0.5 * height)],
            Ink::Grid,
            0.4,
            Dash::Solid,
        );
        scene.line(vec![(x(row.first), y), (x(row.last), y)], Ink::Muted, 1.2, Dash::Solid);
        scene.shape((x(row.first), y), 3.0, Shape::Disc, Ink::Before, Filling::Hollow);
        scene.shape((x(row.last), y), 3.2, Shape::Diamond, Ink::After, Filling::Full);
        let (low, high) = if row.first <= row.last {
            (&row.texts.0, &row.texts.1)
        } else {
            (&row.texts.1, &row.texts.0)
        };
        let (from, to) = (x(row.first.min(row.last)), x(row.first.max(row.last)));
        scene.text((from - 6.0, y + 2.6), low.clone(), Anchor::End, Ink::Text);
        scene.text((to + 6.0, y + 2.6), high.clone(), Anchor::Start, Ink::Text);
        scene.words(
            (scene.width - 2.0, y + 2.6),
            row.word.clone(),
            TEXT,
            Weight::Regular,
            Anchor::End,
            Ink::Muted,
        );
    }
}
