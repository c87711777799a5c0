//! Strides as pictures: the pelvis in three planes, single strides over each other, the way of each foot.
//!
//! Two lines differ in dash before they differ in colour, so that a grey print tells them apart; the spread of the second is
//! drawn as its edges alone, because two grey bands over each other are one.

use super::super::chart::plot::Stack;
use super::super::chart::{Axis, Body, Chart, Layer, Pen, Plot};
use super::super::document::{Block, Text, Tone};
use super::figures::HALF;
use super::material::Material;
use super::words;
use crate::review::curves::of_run::RunCurves;
use crate::review::{PelvisCurve, PlaneCurve};

/// Takes one plane out of the curves.
type Plane = fn(&PelvisCurve) -> &PlaneCurve;

/// A curve with its name and how it is drawn.
type Named<'a> = (&'a str, Pen, &'a PelvisCurve);

/// Height of each picture, points.
const TALL: f64 = 140.0;

fn extent(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)))
}

fn chart(title: String, desc: String, x: Axis, y: Axis, layers: Vec<Layer>) -> Chart {
    Chart {
        title,
        desc,
        size: (HALF, TALL),
        body: Body::Stack(Stack {
            x,
            panels: vec![(Plot { y, layers }, 1.0)],
        }),
    }
}

fn stride_axis() -> Axis {
    Axis::new("Stride, %, from initial contact").holding([0.0, 100.0])
}

/// The pelvis in three planes: means with a standard deviation to both sides. `side` is the side whose rise and advance
/// count as positive.
fn planes(curves: &[Named], side: &str) -> Vec<Chart> {
    let all: [(&str, String, Plane); 3] = [
        ("Pelvic obliquity", format!("{side} up positive"), |c| &c.obliquity),
        ("Pelvic tilt", "forward positive".to_owned(), |c| &c.tilt),
        ("Pelvic rotation", format!("{side} forward positive"), |c| &c.rotation),
    ];
    let charts = all.into_iter().map(|(title, sign, of)| {
        let mut layers = Vec::new();
        let mut said = Vec::new();
        for (i, (name, pen, curve)) in curves.iter().enumerate() {
            let plane = of(curve);
            let at = |k: f64| -> Vec<(f64, Option<f64>)> {
                let values = plane.mean.iter().zip(&plane.sd);
                let points = curve.percent.iter().zip(values);
                points.map(|(x, (m, sd))| (*x, Some(m + k * sd))).collect()
            };
            if i == 0 {
                let edges = curve.percent.iter().zip(plane.mean.iter().zip(&plane.sd));
                layers.push(Layer::Band {
                    name: None,
                    edges: edges.map(|(x, (m, sd))| (*x, m - sd, m + sd)).collect(),
                });
            } else {
                for k in [-1.0, 1.0] {
                    layers.push(Layer::Line {
                        name: None,
                        pen: Pen::Thin,
                        points: at(k),
                    });
                }
            }
            layers.push(Layer::Line {
                name: Some(format!("{name}, {}", words::counted(curve.strides as usize, "stride"))),
                pen: *pen,
                points: at(0.0),
            });
            let (low, high) = extent(plane.mean.iter().copied());
            said.push(format!(
                "{name} from {} to {}°, range {}°",
                words::number(low, 1),
                words::number(high, 1),
                words::number(high - low, 1)
            ));
        }
        chart(
            format!("{title} over the stride"),
            format!("Mean ± standard deviation, {sign}: {}.", said.join("; ")),
            stride_axis(),
            Axis::new(format!("°, {sign}")),
            layers,
        )
    });
    charts.collect()
}

/// Single strides over each other.
fn overlay(curves: &RunCurves) -> Option<Chart> {
    let first = curves.overlay.first()?;
    let n = curves.overlay.len();
    let percent = |i: usize, of: usize| 100.0 * i as f64 / of.saturating_sub(1).max(1) as f64;
    let layers = curves.overlay.iter().enumerate().map(|(i, one)| Layer::Line {
        name: (i == 0).then(|| format!("single stride, {n} of them")),
        pen: Pen::Thin,
        points: one
            .iter()
            .enumerate()
            .map(|(k, v)| (percent(k, one.len()), Some(*v)))
            .collect(),
    });
    let mut layers: Vec<Layer> = layers.collect();
    let mean = |k: usize| curves.overlay.iter().filter_map(|c| c.get(k)).sum::<f64>() / n as f64;
    layers.push(Layer::Line {
        name: Some("their mean".to_owned()),
        pen: Pen::One,
        points: (0..first.len())
            .map(|k| (percent(k, first.len()), Some(mean(k))))
            .collect(),
    });
    let ranges = curves.overlay.iter().map(|c| {
        let (low, high) = extent(c.iter().copied());
        high - low
    });
    let (least, most) = extent(ranges);
    Some(chart(
        format!("Pelvic obliquity, {n} single strides"),
        format!(
            "{n} cycles of the left foot over each other, left side up positive; their ranges lie between {} and {}°.",
            words::number(least, 1),
            words::number(most, 1)
        ),
        stride_axis(),
        Axis::new("°, left side up positive"),
        layers,
    ))
}

/// The way of each foot, seen from the side.
fn foot_paths(curves: &RunCurves) -> Option<Chart> {
    let mut layers = Vec::new();
    let mut said = Vec::new();
    for (name, pen, paths) in [
        ("left", Pen::Left, &curves.left_paths),
        ("right", Pen::Right, &curves.right_paths),
    ] {
        let Some(first) = paths.first() else { continue };
        let n = paths.len() as f64;
        let mean = |of: fn(&crate::review::FootPathView) -> &Vec<f64>, k: usize| {
            paths.iter().filter_map(|p| of(p).get(k)).sum::<f64>() / n
        };
        let points: Vec<(f64, f64)> = (0..first.percent.len())
            .map(|k| (mean(|p| &p.x_m, k), 100.0 * mean(|p| &p.z_m, k)))
            .collect();
        let (_, high) = extent(points.iter().map(|p| p.1));
        let along = points.last().map_or(0.0, |p| p.0);
        said.push(format!(
            "{name} foot up to {} cm high over {} m",
            words::number(high, 1),
            words::number(along, 2)
        ));
        layers.push(Layer::Line {
            name: Some(format!("{name}, mean of {}", words::counted(paths.len(), "stride"))),
            pen,
            points: points.into_iter().map(|(x, y)| (x, Some(y))).collect(),
        });
    }
    (!layers.is_empty()).then(|| {
        chart(
            "Way of the shoe sensor, from the side".to_owned(),
            format!("From mid-stance to the next mid-stance: {}.", said.join("; ")),
            Axis::new("Along travel, m").holding([0.0]),
            Axis::new("Height, cm").holding([0.0]),
            layers,
        )
    })
}

/// The whole part: pictures where there are any, and a sentence for each that is missing.
pub fn blocks(m: &Material) -> Vec<Block> {
    let mut blocks = vec![Block::Heading(2, "Strides as curves".into())];
    let mut notes: Vec<String> = Vec::new();
    let mut say = |text: String| {
        if !notes.contains(&text) {
            notes.push(text);
        }
    };
    let compared = &m.compare.curves;
    let own = m.curves.as_ref();
    let mut charts = Vec::new();
    match (&compared.a, &compared.b, own) {
        (Some(a), Some(b), _) => {
            charts.extend(planes(
                &[("before", Pen::Before, a), ("after", Pen::After, b)],
                "left side",
            ));
            compared.zero_text.clone().into_iter().for_each(&mut say);
        }
        (_, _, Some(run)) => {
            let sides = [("left", Pen::Left, &run.left), ("right", Pen::Right, &run.right)];
            let named: Vec<Named> = sides
                .iter()
                .filter_map(|(name, pen, curve)| Some((*name, *pen, (*curve).as_ref()?)))
                .collect();
            if !named.is_empty() {
                charts.extend(planes(&named, "side that began the stride"));
                say("Left and right of the last run; before and after are not drawn over each other.".to_owned());
                run.zero_text.clone().into_iter().for_each(&mut say);
            }
            for (set, why, runs) in [
                ("before", &compared.a_why_not, &m.compare.a.sessions),
                ("after", &compared.b_why_not, &m.compare.b.sessions),
            ] {
                match why {
                    Some(why) if !runs.is_empty() => say(format!("No mean curve of the runs {set}: {why}")),
                    _ => {}
                }
            }
            if let Some(why) = &run.pelvis_why_not {
                say(format!("Pelvis of the last run: {why}"));
            }
        }
        (_, _, None) => say("No run with sensors to draw.".to_owned()),
    }
    if let Some(run) = own {
        charts.extend(overlay(run));
        charts.extend(foot_paths(run));
        if let Some(why) = &run.path_why_not {
            say(format!("Way of the foot: {why}"));
        }
    }
    if !charts.is_empty() {
        say("Angles of a sensor on skin and cloth, not of bones.".to_owned());
    }
    blocks.extend(super::therapist::in_pairs(charts));
    let tone = if blocks.len() == 1 { Tone::Body } else { Tone::Note };
    blocks.push(Block::Paragraph(tone, Text::plain(notes.join(" "))));
    blocks
}
