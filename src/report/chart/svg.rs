//! A chart as SVG text: no script, no style, no address of another place.
//!
//! Title and description stand inside it for screen readers. Every element carries a class beside its colour, so that a page
//! with a dark theme can give it another one; without a page it looks as on paper.

use super::super::document::clean;
use super::scene::{Anchor, Dash, Ink, Mark, Scene, Weight, corners};
use super::{Chart, draw};
use std::fmt::Write as _;

/// A text in XML or HTML: nothing in it can open a tag, an entity or an attribute.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// A number with at most two decimals.
fn n(x: f64) -> String {
    let text = format!("{x:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

fn colour(ink: Ink) -> String {
    let [r, g, b] = ink.rgb();
    format!("#{r:02x}{g:02x}{b:02x}")
}

fn stroke(ink: Ink) -> String {
    format!("class=\"s-{}\" stroke=\"{}\"", ink.name(), colour(ink))
}

fn fill(ink: Ink) -> String {
    format!("class=\"f-{}\" fill=\"{}\"", ink.name(), colour(ink))
}

fn path(points: &[(f64, f64)]) -> String {
    let mut d = String::new();
    for (i, (x, y)) in points.iter().enumerate() {
        // Writing to a String cannot fail.
        let _ = write!(d, "{}{} {}", if i == 0 { "M" } else { "L" }, n(*x), n(*y));
    }
    d
}

/// A name for the ids inside: the same chart has the same, so that a page is the same byte for byte.
fn key(chart: &Chart) -> String {
    let bytes = chart.title.bytes().chain([0]).chain(chart.desc.bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |h, b| {
        (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    format!("c{hash:016x}")
}

/// The chart as an `svg` element, to be put into a page as it is.
#[must_use]
pub fn svg(chart: &Chart) -> String {
    let scene = draw(chart);
    let key = key(chart);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {w} {h}\" width=\"{w}\" height=\"{h}\" role=\"img\" \
         aria-labelledby=\"{key}t {key}d\" font-family=\"sans-serif\"><title id=\"{key}t\">{title}</title><desc id=\"{key}d\">{desc}</desc>",
        w = n(scene.width),
        h = n(scene.height),
        title = escaped(&clean(&chart.title)),
        desc = escaped(&clean(&chart.desc)),
    );
    marks(&scene, &mut out);
    out.push_str("</svg>");
    out
}

fn marks(scene: &Scene, out: &mut String) {
    for mark in &scene.marks {
        // Writing to a String cannot fail.
        let _ = match mark {
            Mark::Line {
                points,
                ink,
                width,
                dash,
            } => write!(
                out,
                "<path d=\"{}\" {} fill=\"none\" stroke-width=\"{}\"{}/>",
                path(points),
                stroke(*ink),
                n(*width),
                dashes(*dash)
            ),
            Mark::Area { points, ink } => write!(out, "<path d=\"{}Z\" {}/>", path(points), fill(*ink)),
            Mark::Shape {
                at,
                radius,
                shape,
                ink,
                hollow,
            } => {
                let look = if *hollow {
                    format!(
                        "class=\"f-paper s-{}\" fill=\"{}\" stroke=\"{}\" stroke-width=\"1\"",
                        ink.name(),
                        colour(Ink::Paper),
                        colour(*ink)
                    )
                } else {
                    fill(*ink)
                };
                match corners(*at, *radius, *shape) {
                    Some(points) => write!(out, "<path d=\"{}Z\" {look}/>", path(&points)),
                    None => write!(
                        out,
                        "<circle cx=\"{}\" cy=\"{}\" r=\"{}\" {look}/>",
                        n(at.0),
                        n(at.1),
                        n(*radius)
                    ),
                }
            }
            Mark::Text {
                at,
                text,
                size,
                weight,
                anchor,
                ink,
            } => write!(
                out,
                "<text x=\"{}\" y=\"{}\" font-size=\"{}\"{}{} {}>{}</text>",
                n(at.0),
                n(at.1),
                n(*size),
                match weight {
                    Weight::Regular => "",
                    Weight::Bold => " font-weight=\"bold\"",
                },
                match anchor {
                    Anchor::Start => "",
                    Anchor::Middle => " text-anchor=\"middle\"",
                    Anchor::End => " text-anchor=\"end\"",
                },
                fill(*ink),
                escaped(text)
            ),
        };
    }
}

fn dashes(dash: Dash) -> String {
    match dash.lengths() {
        None => String::new(),
        Some([on, off]) => format!(" stroke-dasharray=\"{} {}\"", n(on), n(off)),
    }
}
