//! Left and right as bars to both sides of a middle, with the runner's own range of each side as a bracket.

use super::scene::{Anchor, Dash, Filling, Ink, Scene, Shape, TEXT, Weight, cut};

/// One side of a row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wing {
    /// The value; absent is hatched.
    pub value: Option<f64>,
    /// It, as it is written.
    pub text: String,
    /// Own range of this side.
    pub own: Option<(f64, f64)>,
}

/// A metric of both sides.
#[derive(Clone, Debug, PartialEq)]
pub struct ButterflyRow {
    /// What it is, with its unit.
    pub label: String,
    /// The left side.
    pub left: Wing,
    /// The right side.
    pub right: Wing,
}

/// All rows. Each has its own scale from zero: bars of one row may be compared, those of two may not.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Butterfly {
    /// From top to bottom.
    pub rows: Vec<ButterflyRow>,
}

const HEAD: f64 = 13.0;
const NUMBER: f64 = 34.0;

/// Draws the rows into the whole of a scene.
pub(super) fn draw(b: &Butterfly, scene: &mut Scene) {
    let middle = 0.5 * scene.width;
    scene.shape((middle - 28.0, 5.5), 2.6, Shape::Disc, Ink::Left, Filling::Full);
    scene.words((middle - 8.0, 8.0), "left", TEXT, Weight::Bold, Anchor::End, Ink::Text);
    scene.shape((middle + 34.0, 5.5), 2.6, Shape::Square, Ink::Right, Filling::Full);
    scene.words(
        (middle + 8.0, 8.0),
        "right",
        TEXT,
        Weight::Bold,
        Anchor::Start,
        Ink::Text,
    );
    let height = (scene.height - HEAD) / b.rows.len().max(1) as f64;
    for (i, row) in b.rows.iter().enumerate() {
        let top = HEAD + i as f64 * height;
        let label = cut(&row.label, scene.width - 4.0, TEXT);
        scene.text((middle, top + 8.5), label, Anchor::Middle, Ink::Muted);
        let bar = (top + 11.0, (top + height - 3.0).max(top + 14.0));
        let wings = [&row.left, &row.right];
        let values = wings.iter().flat_map(|w| w.value.into_iter().chain(w.own.map(|o| o.1)));
        let largest = values.map(f64::abs).fold(0.0, f64::max);
        wing(&row.left, -1.0, (middle, bar), largest, scene);
        wing(&row.right, 1.0, (middle, bar), largest, scene);
        scene.line(
            vec![(middle, bar.0 - 1.0), (middle, bar.1 + 1.0)],
            Ink::Text,
            0.8,
            Dash::Solid,
        );
    }
}

fn wing(wing: &Wing, way: f64, (middle, (top, bottom)): (f64, (f64, f64)), largest: f64, scene: &mut Scene) {
    let room = middle - NUMBER - 4.0;
    let x = |value: f64| {
        let share = if largest > 0.0 { value / largest } else { 0.0 };
        // A negative value begins at the middle too; its sign stands in its number.
        middle + way * room * share.abs().min(1.0)
    };
    let anchor = if way < 0.0 { Anchor::End } else { Anchor::Start };
    let baseline = 0.5 * (top + bottom) + 2.6;
    let Some(value) = wing.value else {
        scene.hatch((middle, top), (middle + way * 0.35 * room, bottom));
        scene.text(
            (middle + way * (0.35 * room + 4.0), baseline),
            "not measured",
            anchor,
            Ink::Muted,
        );
        return;
    };
    let ink = if way < 0.0 { Ink::Left } else { Ink::Right };
    scene.rect((middle, top), (x(value), bottom), ink);
    if way > 0.0 {
        // Right is dashed: slits of paper in its bar tell it from left in a grey print.
        let mut at = middle + 6.0;
        while at < x(value) - 1.0 {
            scene.rect((at, top), (at + 1.2, bottom), Ink::Paper);
            at += 7.0;
        }
    }
    let mut end = x(value);
    if let Some((low, high)) = wing.own {
        let (from, to, y) = (x(low), x(high), bottom + 1.8);
        scene.line(
            vec![(from, y - 2.0), (from, y), (to, y), (to, y - 2.0)],
            Ink::Text,
            0.9,
            Dash::Solid,
        );
        end = if way < 0.0 { end.min(to) } else { end.max(to) };
    }
    scene.text((end + way * 3.0, baseline), wing.text.clone(), anchor, Ink::Text);
}
