//! What a session's numbers come to, as a person reads them and as a script does.

use super::INTENDED_PURPOSE;
use super::analyze::Analysis;
use crate::metrics::foot::StrikeClass;
use crate::metrics::{METRICS, MetricId as Id, StrideRecord};
use crate::model::{Absent, Activity, DataClass, Placement, Side};
use crate::pipeline::{Health, Losses};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Metrics of the table, with decimals.
const ROWS: &[(Id, usize)] = &[
    (Id::Cadence, 1),
    (Id::StrideLength, 3),
    (Id::Speed, 2),
    (Id::ContactTime, 0),
    (Id::FlightTime, 0),
    (Id::DutyFactor, 1),
    (Id::FootStrikeAngle, 1),
    (Id::TouchdownSpeed, 2),
    (Id::ShankAngleIc, 1),
    (Id::OverstrideDistance, 1),
    (Id::PelvisTilt, 1),
    (Id::PelvisTiltRange, 1),
    (Id::PelvisObliquityRange, 1),
    (Id::PelvisDrop, 1),
    (Id::PelvisRotationRange, 1),
    (Id::PelvisOscillation, 1),
    (Id::VerticalRatio, 1),
    (Id::BrakingPeak, 1),
    (Id::TibialPeakAcc, 1),
    (Id::VerticalStiffness, 1),
    (Id::LegStiffness, 1),
    (Id::HarmonicRatioV, 1),
    (Id::StrideTimeCv, 1),
];

/// Medians of one metric.
#[derive(Clone, Copy, Debug, Default)]
struct Sides {
    left: Option<f64>,
    right: Option<f64>,
    both: Option<f64>,
    n: usize,
}

/// The summary of one session.
#[derive(Debug)]
pub struct Summary {
    name: String,
    seconds: f64,
    strides: [usize; 3],
    classes: [usize; 4],
    rows: Vec<(Id, usize, Sides)>,
    strike: Option<StrikeClass>,
    asymmetry: Vec<(Id, f64)>,
    absent: Vec<(Id, Absent)>,
    losses: Vec<(Placement, Losses)>,
    notes: Vec<String>,
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let n = values.len();
    // The mean of the two middle values for an even count.
    (n > 0).then(|| (values[(n - 1) / 2] + values[n / 2]) / 2.0)
}

impl Summary {
    /// Of an analysed session called `name`. Medians are over strides whose data are good or fair.
    #[must_use]
    pub fn of(name: &str, analysis: &Analysis) -> Self {
        let records = &analysis.records;
        let usable: Vec<&StrideRecord> = records
            .iter()
            .filter(|r| matches!(r.class, DataClass::A | DataClass::B))
            .collect();
        let running = usable.iter().filter(|r| r.stride.activity == Activity::Running).count() * 2 > usable.len();
        let main = if running { Activity::Running } else { Activity::Walking };
        let of_side = |id: Id, side: Option<Side>| {
            let chosen = usable.iter().filter(|r| side.is_none() || r.stride.side == side);
            chosen
                .filter(|r| r.stride.activity == main)
                .filter_map(|r| r.metrics.value(id))
                .collect::<Vec<f64>>()
        };
        let mut rows = Vec::new();
        let mut absent = Vec::new();
        let mut asymmetry = Vec::new();
        for (id, decimals) in ROWS {
            let all = of_side(*id, None);
            let sides = Sides {
                left: median(of_side(*id, Some(Side::Left))),
                right: median(of_side(*id, Some(Side::Right))),
                n: all.len(),
                both: median(all),
            };
            if sides.both.is_some() {
                rows.push((*id, *decimals, sides));
            }
            if let (Some(l), Some(r), Id::ContactTime | Id::StrideLength | Id::PelvisDrop) =
                (sides.left, sides.right, id)
            {
                // SI = 200 (L − R) / (L + R) %.
                asymmetry.push((*id, 200.0 * (l - r) / (l + r)));
            }
        }
        for metric in METRICS {
            if records.iter().all(|r| r.metrics.value(metric.id).is_none())
                && let Some(reason) = most_common(records, metric.id)
            {
                absent.push((metric.id, reason));
            }
        }
        let strike = rows
            .iter()
            .find(|(id, ..)| *id == Id::FootStrikeAngle)
            .and_then(|(.., s)| s.both)
            .map(|angle| StrikeClass::of(angle, None));
        let side_count = |side| records.iter().filter(|r| r.stride.side == side).count();
        let class_count = |class| records.iter().filter(|r| r.class == class).count();
        Self {
            name: name.to_owned(),
            seconds: analysis.end.secs(),
            strides: [
                side_count(Some(Side::Left)),
                side_count(Some(Side::Right)),
                side_count(None),
            ],
            classes: [DataClass::A, DataClass::B, DataClass::C, DataClass::D].map(class_count),
            rows,
            strike,
            asymmetry,
            absent,
            losses: analysis.losses.clone(),
            notes: notes(&analysis.health),
        }
    }

    /// As text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut t = String::new();
        // Writing to a String cannot fail.
        let _ = self.write_text(&mut t);
        t
    }

    fn write_text(&self, t: &mut String) -> std::fmt::Result {
        let [left, right, unsided] = self.strides;
        let (minutes, seconds) = ((self.seconds / 60.0).floor(), self.seconds % 60.0);
        writeln!(
            t,
            "{}: {minutes:.0} min {seconds:.0} s, {} strides",
            self.name,
            left + right + unsided
        )?;
        if left + right > 0 {
            writeln!(
                t,
                "  left {left}, right {right}{}",
                if unsided > 0 {
                    format!(", side unknown {unsided}")
                } else {
                    String::new()
                }
            )?;
        }
        let [a, b, c, d] = self.classes;
        writeln!(
            t,
            "  data: {a} good, {b} fair, {c} poor, {d} none (medians below are over good and fair)"
        )?;
        if !self.rows.is_empty() {
            writeln!(
                t,
                "\n  {:<26} {:>9} {:>9} {:>9}  {:<10} {:>6}",
                "median", "left", "right", "all", "unit", "n"
            )?;
        }
        for (id, decimals, sides) in &self.rows {
            let def = id.def();
            let cell =
                |v: Option<f64>| v.map_or_else(|| "-".to_owned(), |v| format!("{:.*}", decimals, v * def.shown_factor));
            write!(
                t,
                "  {:<26} {:>9} {:>9} {:>9}  {:<10} {:>6}",
                def.label,
                cell(sides.left),
                cell(sides.right),
                cell(sides.both),
                def.shown_unit,
                sides.n
            )?;
            match (id, self.strike) {
                (Id::FootStrikeAngle, Some(class)) => writeln!(t, "  {}", class.name())?,
                _ => writeln!(t)?,
            }
        }
        for (id, si) in &self.asymmetry {
            writeln!(
                t,
                "  {:<26} {si:>+9.1} %  (left larger is positive)",
                format!("{} L-R", id.def().label)
            )?;
        }
        writeln!(t, "\n  sensors")?;
        for (place, l) in &self.losses {
            write!(
                t,
                "  {:<12} {:>9} samples, coverage {:.1} %",
                place.name(),
                l.taken,
                100.0 * l.coverage()
            )?;
            for (n, what) in [
                (l.bridged, "bridged"),
                (l.missing, "missing"),
                (l.gaps, "gaps"),
                (l.not_finite, "not a number"),
                (l.disorder, "out of order"),
                (l.stuck, "stuck"),
            ] {
                if n > 0 {
                    write!(t, ", {n} {what}")?;
                }
            }
            writeln!(t)?;
        }
        for note in &self.notes {
            writeln!(t, "  note: {note}")?;
        }
        self.write_absent(t)?;
        writeln!(t, "\n{INTENDED_PURPOSE}")
    }

    fn write_absent(&self, t: &mut String) -> std::fmt::Result {
        let mut by_reason: BTreeMap<Absent, Vec<&str>> = BTreeMap::new();
        for (id, reason) in &self.absent {
            by_reason.entry(*reason).or_default().push(id.def().label);
        }
        if !by_reason.is_empty() {
            writeln!(t, "\n  not measured")?;
        }
        for (reason, labels) in by_reason {
            writeln!(t, "  {}: {}", reason.reason(), labels.join(", "))?;
        }
        Ok(())
    }

    /// As one JSON object; numbers in SI units.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        let metrics: serde_json::Map<String, serde_json::Value> = self
            .rows
            .iter()
            .map(|(id, _, s)| {
                let d = id.def();
                (
                    d.name.to_owned(),
                    serde_json::json!({"unit": d.unit, "left": s.left, "right": s.right, "all": s.both, "n": s.n}),
                )
            })
            .collect();
        let absent: serde_json::Map<String, serde_json::Value> = self
            .absent
            .iter()
            .map(|(id, r)| (id.def().name.to_owned(), serde_json::json!(r)))
            .collect();
        let sensors: serde_json::Map<String, serde_json::Value> = self
            .losses
            .iter()
            .map(|(p, l)| {
                let value = serde_json::json!({
                    "taken": l.taken, "coverage": l.coverage(), "bridged": l.bridged, "missing": l.missing, "gaps": l.gaps,
                    "not_finite": l.not_finite, "out_of_order": l.disorder, "stuck": l.stuck
                });
                (p.name().to_owned(), value)
            })
            .collect();
        let [good, fair, poor, none] = self.classes;
        serde_json::json!({
            "name": self.name,
            "duration_s": self.seconds,
            "strides": {"left": self.strides[0], "right": self.strides[1], "side_unknown": self.strides[2]},
            "data": {"good": good, "fair": fair, "poor": poor, "none": none},
            "strike": self.strike.map(StrikeClass::name),
            "metrics": metrics,
            "not_measured": absent,
            "sensors": sensors,
            "notes": self.notes,
            "purpose": INTENDED_PURPOSE,
        })
    }
}

fn most_common(records: &[StrideRecord], id: Id) -> Option<Absent> {
    let mut counts: BTreeMap<Absent, usize> = BTreeMap::new();
    for record in records {
        if let Err(reason) = record.metrics.get(id) {
            *counts.entry(reason).or_default() += 1;
        }
    }
    counts.into_iter().max_by_key(|(_, n)| *n).map(|(reason, _)| reason)
}

/// What a person should know, each kind once with its count.
fn notes(health: &[Health]) -> Vec<String> {
    let mut counted: BTreeMap<String, usize> = BTreeMap::new();
    for h in health {
        let text = match h {
            Health::Gap { .. } | Health::Aligned { .. } => continue,
            Health::ContactRefused { placement, guard, .. } => {
                format!("{}: not counted as a stride: {guard}", placement.name())
            }
            Health::SensorMoved { placement, t } => {
                format!(
                    "{}: the sensor turned in its strap at {:.0} s; what it measured before and after is not compared",
                    placement.name(),
                    t.secs()
                )
            }
            Health::SidesSwapped { t } => format!(
                "left and right shoe sensors look exchanged (seen at {:.0} s); check before comparing sides",
                t.secs()
            ),
            Health::CadenceDisagrees { events, spectrum, .. } => {
                format!(
                    "cadence by contacts ({events:.0}) and by spectrum ({spectrum:.0} steps/min) disagree: strides may be missing"
                )
            }
            Health::RailLearned { placement, .. } => format!(
                "{}: the sensor reached its limit; strides with clipped samples are marked",
                placement.name()
            ),
        };
        *counted.entry(text).or_default() += 1;
    }
    counted
        .into_iter()
        .map(|(text, n)| if n > 1 { format!("{text} ({n} times)") } else { text })
        .collect()
}
