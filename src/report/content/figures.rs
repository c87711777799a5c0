//! The pictures of a report.

use super::super::chart::plot::Stack;
use super::super::chart::{
    Axis, Bar, Body, Butterfly, ButterflyRow, Chart, Dot, Dumbbell, DumbbellRow, Layer, Pen, Plot, Wing,
};
use super::bins::{Bin, SIDED};
use super::material::{Material, WEEKS};
use super::words;
use crate::metrics::MetricId as Id;
use crate::model::Side;
use crate::review::local_day::monday;
use crate::review::{Card, Scatter, Trend};
use crate::store::journal::Day;

/// Widths on paper, points: a column and the whole page.
pub(super) const HALF: f64 = 252.0;
const WHOLE: f64 = 521.0;
/// Height of the two pictures that share page 1 with a full table, points.
const FIRST_PAGE_TALL: f64 = 125.0;

/// Names along an axis of days: every so many Mondays.
fn day_axis(from: Day, to: Day) -> Axis {
    let weeks = ((to.days() - from.days()) / 7).max(1);
    let step = 7 * (weeks / 6).max(1);
    let named = (0..)
        .map(|i| from.plus(i * step))
        .take_while(|d| *d <= to)
        .map(|d| (f64::from(d.days()), words::short_day(d)));
    Axis {
        label: String::new(),
        holds: vec![f64::from(from.days()), f64::from(to.days())],
        named: named.collect(),
    }
}

fn first_monday(m: &Material) -> Day {
    m.load
        .weeks
        .first()
        .map_or_else(|| monday(m.day).plus(-7 * WEEKS as i32), |w| w.week_start)
}

fn load_panel(m: &Material) -> Plot {
    let mut layers = Vec::new();
    if let Some(zone) = m.load.zone {
        let ends = [first_monday(m), monday(m.day).plus(7)].map(|d| (f64::from(d.days()), zone.low, zone.high));
        layers.push(Layer::Band {
            name: Some("usual week".to_owned()),
            edges: ends.to_vec(),
        });
    }
    let bars = m.load.weeks.iter().map(|w| Bar {
        from: f64::from(w.week_start.days()),
        to: f64::from(w.week_start.plus(7).days()),
        y: w.km,
        text: words::number(w.km, 0),
    });
    layers.push(Layer::Bars {
        name: None,
        bars: bars.collect(),
    });
    Plot {
        y: Axis::new("Distance a week, km"),
        layers,
    }
}

fn load_words(m: &Material) -> String {
    let weeks: Vec<String> = m
        .load
        .weeks
        .iter()
        .map(|w| format!("{} {} km", words::short_day(w.week_start), words::number(w.km, 1)))
        .collect();
    let zone = m.load.zone.map(|z| {
        format!(
            " Usual week {} to {} km.",
            words::number(z.low, 0),
            words::number(z.high, 0)
        )
    });
    format!("Weeks from Monday: {}.{}", weeks.join(", "), zone.unwrap_or_default())
}

/// Weekly load alone.
pub fn load(m: &Material) -> Chart {
    Chart {
        title: "Distance a week".to_owned(),
        desc: load_words(m),
        size: (WHOLE, 118.0),
        body: Body::Stack(Stack {
            x: day_axis(first_monday(m), monday(m.day).plus(7)),
            panels: vec![(load_panel(m), 1.0)],
        }),
    }
}

/// Back scores over weekly load, with shoes and cues; load alone where symptoms are not shown.
pub fn timeline(m: &Material) -> Chart {
    let from = first_monday(m);
    let happened: Vec<Layer> = m
        .happened
        .iter()
        .filter(|(d, _)| *d >= from)
        .map(|(d, text)| Layer::Happened {
            x: f64::from(d.days()),
            text: text.clone(),
        })
        .collect();
    let mut panels = Vec::new();
    let mut said = Vec::new();
    if let Some(points) = &m.symptoms {
        let of = |f: fn(&crate::review::SymptomPoint) -> Option<f64>| -> Vec<Dot> {
            let dots = points.iter().filter(|p| p.day >= from).filter_map(|p| {
                Some(Dot {
                    x: f64::from(p.day.days()) + 0.5,
                    y: f(p)?,
                    error: None,
                })
            });
            dots.collect()
        };
        let series = [
            ("before a run", Pen::Before, of(|p| p.before)),
            ("worst in it", Pen::After, of(|p| p.worst)),
            ("next morning", Pen::Third, of(|p| p.morning)),
        ];
        for (name, _, dots) in &series {
            let highest = dots.iter().map(|d| d.y).fold(0.0, f64::max);
            said.push(format!(
                "{name}: {}, highest {}",
                words::counted(dots.len(), "answer"),
                words::number(highest, 0)
            ));
        }
        let mut layers: Vec<Layer> = series
            .into_iter()
            .map(|(name, pen, dots)| Layer::Dots {
                name: Some(name.to_owned()),
                pen,
                dots,
            })
            .collect();
        layers.extend(happened.iter().cloned());
        panels.push((
            Plot {
                y: Axis::new("Back score, 0 to 10").holding([0.0, 10.0]),
                layers,
            },
            1.25,
        ));
    }
    let mut weeks = load_panel(m);
    weeks.layers.iter_mut().for_each(|l| {
        if let Layer::Band { name, .. } = l {
            *name = None;
        }
    });
    weeks.y.label.push_str(if m.load.zone.is_some() {
        " (band: usual week)"
    } else {
        ""
    });
    if m.symptoms.is_none() {
        weeks.layers.extend(happened);
    }
    panels.push((weeks, 1.0));
    let changes: Vec<String> = m
        .happened
        .iter()
        .filter(|(d, _)| *d >= from)
        .map(|(d, text)| format!("{} {text}", words::short_day(*d)))
        .collect();
    let changes = if changes.is_empty() {
        String::new()
    } else {
        format!(" {}.", changes.join("; "))
    };
    let scores = if said.is_empty() {
        String::new()
    } else {
        format!("Back scores {}. ", said.join("; "))
    };
    Chart {
        title: if m.symptoms.is_some() {
            "Back scores over distance a week".to_owned()
        } else {
            "Distance a week (symptoms not shared)".to_owned()
        },
        desc: format!("{scores}{}{changes}", load_words(m)),
        size: (HALF, FIRST_PAGE_TALL),
        body: Body::Stack(Stack {
            x: day_axis(from, monday(m.day).plus(7)),
            panels,
        }),
    }
}

/// Left and right at one speed.
pub fn butterfly(m: &Material, bin: &Bin) -> Chart {
    let mut said = Vec::new();
    let rows = SIDED.iter().map(|id| {
        let wing = |side: Side| {
            let value = bin.after.of(*id, Some(side)).map(|v| v.value);
            Wing {
                value,
                text: value.map(|v| words::shown(v, *id)).unwrap_or_default(),
                own: m.own.get(&(*id, side)).copied(),
            }
        };
        let row = ButterflyRow {
            label: words::titled(*id),
            left: wing(Side::Left),
            right: wing(Side::Right),
        };
        let told = |w: &Wing| {
            if w.value.is_some() {
                w.text.clone()
            } else {
                "not measured".to_owned()
            }
        };
        said.push(format!(
            "{} left {}, right {}",
            row.label,
            told(&row.left),
            told(&row.right)
        ));
        row
    });
    let rows: Vec<ButterflyRow> = rows.collect();
    let bracket = if m.own.is_empty() {
        ""
    } else {
        "; bracket: own range of that side"
    };
    Chart {
        title: format!("Left and right at {} m/s{bracket}", words::number(bin.speed_ms, 1)),
        desc: format!("{}.", said.join("; ")),
        size: (HALF, FIRST_PAGE_TALL),
        body: Body::Butterfly(Butterfly { rows }),
    }
}

/// First and last part of the run.
pub fn within(card: &Card) -> Option<Chart> {
    let rows: Vec<DumbbellRow> = card
        .within_run
        .as_ref()?
        .iter()
        .filter_map(|r| {
            // The marker's metric by its words: markers are named in the rule file, not in the registry.
            let def = crate::metrics::METRICS.iter().find(|m| m.label == r.title)?;
            Some(DumbbellRow {
                label: words::titled(def.id),
                first: r.first,
                last: r.last,
                texts: (words::shown(r.first, def.id), words::shown(r.last, def.id)),
                word: if r.counts { "changed" } else { "as before" }.to_owned(),
                least_width: 0.05 * r.first.abs(),
            })
        })
        .collect();
    if rows.is_empty() {
        return None;
    }
    let said: Vec<String> = rows
        .iter()
        .map(|r| format!("{} {} then {}, {}", r.label, r.texts.0, r.texts.1, r.word))
        .collect();
    Some(Chart {
        title: "What changed in the run, at equal speed".to_owned(),
        desc: format!("{}.", said.join("; ")),
        size: (WHOLE, 18.0 + 17.0 * rows.len() as f64),
        body: Body::Dumbbell(Dumbbell {
            names: ("minutes 5 to 15".to_owned(), "last fifth".to_owned()),
            rows,
        }),
    })
}

/// One metric over speed, before and after.
pub fn scatter(m: &Material, id: Id) -> Option<Chart> {
    let s: &Scatter = m.compare.scatter.get(id.def().name)?;
    let factor = id.def().shown_factor;
    let dots = |p: &[[f64; 2]]| -> Vec<Dot> {
        // Of very many points a regular share is drawn.
        let step = p.len().div_ceil(150).max(1);
        p.iter()
            .step_by(step)
            .map(|[x, y]| Dot {
                x: *x,
                y: y * factor,
                error: None,
            })
            .collect()
    };
    let line = |fit: &Option<[[f64; 2]; 2]>, pen| {
        fit.map(|points| Layer::Line {
            name: None,
            pen,
            points: points.iter().map(|[x, y]| (*x, Some(y * factor))).collect(),
        })
    };
    let mut layers = vec![
        Layer::Dots {
            name: Some("before".to_owned()),
            pen: Pen::Before,
            dots: dots(&s.a),
        },
        Layer::Dots {
            name: Some("after".to_owned()),
            pen: Pen::After,
            dots: dots(&s.b),
        },
    ];
    layers.extend(line(&s.fit_a, Pen::Before));
    layers.extend(line(&s.fit_b, Pen::After));
    Some(Chart {
        title: format!("{} over speed", id.def().label),
        desc: format!(
            "{} points before, {} after; lines are drawn within the speeds that both ran.",
            s.a.len(),
            s.b.len()
        ),
        size: (HALF, 140.0),
        body: Body::Stack(Stack {
            x: Axis::new("Speed, m/s"),
            panels: vec![(
                Plot {
                    y: Axis::new(words::titled(id)),
                    layers,
                },
                1.0,
            )],
        }),
    })
}

/// One metric over weeks at matched speed.
pub fn trend(m: &Material, t: &Trend) -> Option<Chart> {
    let id = Id::from_name(&t.metric)?;
    let factor = t.shown_factor;
    let from = first_monday(m);
    let dots = |at_speed: bool| -> Vec<Dot> {
        t.points
            .iter()
            .filter(|p| p.at_speed == at_speed && p.day >= from)
            .filter_map(|p| {
                Some(Dot {
                    x: f64::from(p.day.days()) + 0.5,
                    y: p.value? * factor,
                    error: p.sigma.map(|s| 1.96 * s * factor.abs()),
                })
            })
            .collect()
    };
    let mut layers = Vec::new();
    if let Some(band) = t.reference {
        let ends = [from, monday(m.day).plus(7)];
        layers.push(Layer::Band {
            name: Some("own usual".to_owned()),
            edges: ends
                .iter()
                .map(|d| (f64::from(d.days()), band.low * factor, band.high * factor))
                .collect(),
        });
    }
    layers.push(Layer::Line {
        name: Some("median of 42 days".to_owned()),
        pen: Pen::Third,
        points: t
            .rolling42
            .iter()
            .filter(|v| v.day >= from)
            .map(|v| (f64::from(v.day.days()) + 0.5, Some(v.value * factor)))
            .collect(),
    });
    layers.push(Layer::Dots {
        name: Some("run".to_owned()),
        pen: Pen::One,
        dots: dots(true),
    });
    let other = dots(false);
    if !other.is_empty() {
        layers.push(Layer::Dots {
            name: Some("other speed".to_owned()),
            pen: Pen::Before,
            dots: other,
        });
    }
    let at = t
        .reference_speed_ms
        .map_or_else(String::new, |v| format!(" at {} m/s", words::number(v, 2)));
    Some(Chart {
        title: format!("{}{at}", id.def().label),
        desc: format!("{} runs in {WEEKS} weeks. {}", t.points.len(), t.verdict.text),
        size: (HALF, 140.0),
        body: Body::Stack(Stack {
            x: day_axis(from, monday(m.day).plus(7)),
            panels: vec![(
                Plot {
                    y: Axis::new(words::titled(id)),
                    layers,
                },
                1.0,
            )],
        }),
    })
}
