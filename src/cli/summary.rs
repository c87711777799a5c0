//! What a session came to, as text and as JSON: the same facts, once for people and once for programs.

use super::words::{self, PURPOSE};
use crate::interchange::Recording;
use crate::metrics::MetricId;
use crate::metrics::foot::StrikeClass;
use crate::model::{Activity, Placement, Side};
use crate::pipeline::Losses;
use crate::runtime::offline::Pass;
use crate::runtime::tally::Tally;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// Metrics of the table of sides, in the order people ask for them.
const BY_SIDE: [MetricId; 8] = [
    MetricId::Cadence,
    MetricId::StrideLength,
    MetricId::Speed,
    MetricId::ContactTime,
    MetricId::FlightTime,
    MetricId::FootStrikeAngle,
    MetricId::OverstrideDistance,
    MetricId::ShankAngleIc,
];
/// Metrics of the pelvis: of one sensor, but told per side where they belong to a side's stance.
const PELVIS: [MetricId; 6] = [
    MetricId::PelvisTilt,
    MetricId::PelvisTiltRange,
    MetricId::PelvisObliquityRange,
    MetricId::PelvisDrop,
    MetricId::PelvisRotationRange,
    MetricId::PelvisOscillation,
];
/// Holes told one by one, the longest ones.
const HOLES_TOLD: usize = 5;

/// What a session came to.
#[derive(Clone, Debug)]
pub struct Summary {
    name: String,
    seconds: f64,
    tally: Tally,
    losses: Vec<(Placement, Losses)>,
    notes: Vec<String>,
    session: Option<String>,
}

impl Summary {
    /// The summary of a pass over a recording.
    #[must_use]
    pub fn of(recording: &Recording, pass: &Pass) -> Self {
        let mut name = recording.description.name.clone();
        if name.is_empty() {
            name = recording.path.display().to_string();
        }
        let seconds = pass.span_s.map_or(0.0, |(a, b)| b - a);
        let mut summary = Self::new(name, seconds, pass.tally.clone(), pass.losses.clone());
        for file in &pass.truncated {
            summary.notes.push(format!(
                "{} ends in the middle of a line; that line was left out",
                file.display()
            ));
        }
        for sensor in recording.sensors.iter().filter(|s| s.placement.is_none()) {
            summary.notes.push(format!(
                "{} was worn at a place lope does not use",
                sensor.path.display()
            ));
        }
        summary
    }

    /// A summary of a session that came from anywhere.
    #[must_use]
    pub fn new(name: String, seconds: f64, tally: Tally, losses: Vec<(Placement, Losses)>) -> Self {
        let notes = words::notes(&tally, HOLES_TOLD);
        Self {
            name,
            seconds,
            tally,
            losses,
            notes,
            session: None,
        }
    }

    /// Names the session under which the strides are kept.
    pub fn stored_as(&mut self, session: String) {
        self.session = Some(session);
    }

    fn sides(&self) -> Vec<Option<Side>> {
        [Some(Side::Left), Some(Side::Right), None]
            .into_iter()
            .filter(|s| self.tally.sides[crate::runtime::tally::side_index(*s)].strides > 0)
            .collect()
    }

    /// Metrics that most strides lack: id, words.
    fn lacking(&self) -> Vec<(MetricId, String)> {
        let all = self.tally.strides();
        self.tally
            .absences()
            .filter(|(_, _, n)| 2 * n > all)
            .map(|(id, reason, n)| {
                let share = if n == all {
                    String::new()
                } else {
                    format!(" ({n} of {all} strides)")
                };
                (id, format!("{}{share}", reason.reason()))
            })
            .collect()
    }

    /// For people; ends with the intended purpose.
    #[must_use]
    pub fn text(&self) -> String {
        let mut t = String::new();
        // Writing to a String cannot fail; the results of `writeln!` are dropped for that reason.
        let _ = writeln!(t, "{}  {}", self.name, words::duration(self.seconds));
        let [walking, running] = self.tally.activities();
        let [a, b, c, d] = self.tally.classes();
        let _ = writeln!(
            t,
            "  {} strides: running {running}, walking {walking} · Data good {a}, fair {b}, poor {c}, none {d}",
            self.tally.strides()
        );
        self.write_table(&mut t);
        t.push_str("\n  sensors\n");
        for (placement, losses) in &self.losses {
            let _ = writeln!(t, "    {:<12} {}", placement.name(), words::losses(losses));
        }
        let lacking = self.lacking();
        if self.tally.strides() > 0 && !lacking.is_empty() {
            t.push_str("\n  not measured\n");
            // Metrics that share a reason share a line.
            let mut told: Vec<&str> = Vec::new();
            for (_, reason) in &lacking {
                if told.contains(&reason.as_str()) {
                    continue;
                }
                told.push(reason);
                let labels: Vec<&str> = lacking
                    .iter()
                    .filter(|(_, r)| r == reason)
                    .map(|(id, _)| id.def().label)
                    .collect();
                let _ = writeln!(t, "    {reason}: {}", labels.join(", "));
            }
        }
        if !self.notes.is_empty() {
            t.push_str("\n  notes\n");
            for note in &self.notes {
                let _ = writeln!(t, "    {note}");
            }
        }
        if let Some(session) = &self.session {
            let _ = writeln!(t, "\n  stored as {session}   next: lope sessions show {session}");
        }
        let _ = writeln!(t, "\n{PURPOSE}");
        t
    }

    fn write_table(&self, t: &mut String) {
        let sides = self.sides();
        if sides.is_empty() {
            t.push_str("  no stride was found: lope needs a few seconds of walking or running after the start\n");
            return;
        }
        let activity = match self.tally.main_activity() {
            Activity::Walking => "walking",
            _ => "running",
        };
        let _ = write!(t, "\n  {:<28}", format!("median, {activity}"));
        for side in &sides {
            let _ = write!(t, "{:>10}", side.map_or("no side", Side::name));
        }
        t.push('\n');
        for (title, ids) in [("", &BY_SIDE[..]), ("pelvis", &PELVIS[..])] {
            let mut block = String::new();
            for id in ids {
                if *id == MetricId::FootStrikeAngle {
                    self.write_row(&mut block, &sides, *id);
                    self.write_strike(&mut block, &sides);
                } else {
                    self.write_row(&mut block, &sides, *id);
                }
            }
            if !block.is_empty() && !title.is_empty() {
                let _ = writeln!(t, "  {title}");
            }
            t.push_str(&block);
        }
    }

    fn write_row(&self, t: &mut String, sides: &[Option<Side>], id: MetricId) {
        let values: Vec<_> = sides.iter().map(|s| self.tally.median(*s, id)).collect();
        if values.iter().all(Option::is_none) {
            return;
        }
        let _ = write!(t, "  {:<28}", id.def().label);
        for value in values {
            let cell = value.map_or_else(|| "-".to_owned(), |m| words::number(id, m.value));
            let _ = write!(t, "{cell:>10}");
        }
        let _ = writeln!(t, "  {}", id.def().shown_unit);
    }

    fn write_strike(&self, t: &mut String, sides: &[Option<Side>]) {
        let classes: Vec<_> = sides
            .iter()
            .map(|s| self.tally.median(*s, MetricId::FootStrikeAngle))
            .map(|m| m.map(|m| StrikeClass::of(m.value, None).name()))
            .collect();
        if classes.iter().any(Option::is_some) {
            let _ = write!(t, "  {:<28}", "Foot strike");
            for class in classes {
                let _ = write!(t, "{:>10}", class.unwrap_or("-"));
            }
            t.push('\n');
        }
    }

    /// For programs: one object. Values are in SI units, named beside them.
    #[must_use]
    pub fn json(&self) -> Value {
        let [walking, running] = self.tally.activities();
        let [good, fair, poor, none] = self.tally.classes();
        let sides: serde_json::Map<String, Value> = self
            .sides()
            .into_iter()
            .map(|side| (side.map_or("unknown", Side::name).to_owned(), self.side_json(side)))
            .collect();
        let sensors: serde_json::Map<String, Value> = self
            .losses
            .iter()
            .map(|(p, l)| (p.name().to_owned(), words::losses_json(l)))
            .collect();
        let absent: serde_json::Map<String, Value> = self
            .tally
            .absences()
            .map(|(id, reason, n)| {
                (
                    id.def().name.to_owned(),
                    json!({"reason": reason, "why": reason.reason(), "strides": n}),
                )
            })
            .collect();
        json!({
            "name": self.name,
            "duration_s": self.seconds,
            "strides": {
                "total": self.tally.strides(), "walking": walking, "running": running,
                "data": {"good": good, "fair": fair, "poor": poor, "none": none},
            },
            "activity": self.tally.main_activity(),
            "sides": sides,
            "sensors": sensors,
            "absent": absent,
            "notes": self.notes,
            "session": self.session,
            "purpose": PURPOSE,
        })
    }

    fn side_json(&self, side: Option<Side>) -> Value {
        let tally = &self.tally.sides[crate::runtime::tally::side_index(side)];
        let medians: serde_json::Map<String, Value> = crate::metrics::registry::METRICS
            .iter()
            .filter_map(|def| {
                let m = self.tally.median(side, def.id)?;
                Some((
                    def.name.to_owned(),
                    json!({"value": m.value, "unit": def.unit, "strides": m.n}),
                ))
            })
            .collect();
        let strike = self
            .tally
            .median(side, MetricId::FootStrikeAngle)
            .map(|m| StrikeClass::of(m.value, None).name());
        json!({"strides": tally.strides, "medians": medians, "foot_strike": strike})
    }

    /// [`Summary::json`] as text with a line break.
    #[must_use]
    pub fn json_text(&self) -> String {
        format!("{:#}\n", self.json())
    }
}
