//! Runs the loop on the synthetic runner and puts what it measured beside what was true.

use lope::metrics::{MetricId, StrideRecord};
use lope::model::{Activity, Side};
use lope::pipeline::{Output, Pipeline, PipelineConfig};
use lope::synth::presets::Case;
use lope::synth::{Simulation, TrueStride};
use std::fmt::Write;

/// Two strides of one side whose mid-stances are this near are the same, s.
const SAME_S: f64 = 0.2;

/// Errors of one quantity over one case.
#[derive(Clone, Debug, Default)]
pub(crate) struct Errors {
    pub(crate) values: Vec<f64>,
    /// Strides for which it was absent.
    pub(crate) absent: usize,
}

impl Errors {
    fn push(&mut self, measured: Option<f64>, truth: Option<f64>, factor: f64) {
        match (measured, truth) {
            (Some(m), Some(t)) => self.values.push((m - t) * factor),
            (None, Some(_)) => self.absent += 1,
            _ => {}
        }
    }

    fn sorted(&self) -> Vec<f64> {
        let mut v = self.values.clone();
        v.sort_unstable_by(f64::total_cmp);
        v
    }

    pub(crate) fn median(&self) -> f64 {
        self.sorted().get(self.values.len() / 2).copied().unwrap_or(0.0)
    }

    pub(crate) fn iqr(&self) -> f64 {
        let v = self.sorted();
        if v.len() < 4 {
            0.0
        } else {
            v[v.len() * 3 / 4] - v[v.len() / 4]
        }
    }

    pub(crate) fn mean(&self) -> f64 {
        self.values.iter().sum::<f64>() / self.values.len().max(1) as f64
    }

    pub(crate) fn sd(&self) -> f64 {
        let m = self.mean();
        let n = self.values.len().max(2) - 1;
        (self.values.iter().map(|v| (v - m) * (v - m)).sum::<f64>() / n as f64).sqrt()
    }

    pub(crate) fn has_any(&self) -> bool {
        !self.values.is_empty()
    }
}

/// One case: strides found, and the errors of everything that is checked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) truth: usize,
    pub(crate) found: usize,
    pub(crate) wrong: usize,
    pub(crate) ic_ms: Errors,
    pub(crate) tc_ms: Errors,
    pub(crate) contact_ms: Errors,
    pub(crate) flight_ms: Errors,
    pub(crate) cadence: Errors,
    pub(crate) length_pct: Errors,
    /// Scatter of length per side about its mean, cm: creep is a bias that personalisation takes out.
    pub(crate) length_sd_cm: f64,
    pub(crate) speed: Errors,
    pub(crate) strike_deg: Errors,
    pub(crate) shank_deg: Errors,
    pub(crate) over_cm: Errors,
    pub(crate) tilt_deg: Errors,
    pub(crate) obliquity_range_deg: Errors,
    pub(crate) rotation_range_deg: Errors,
    pub(crate) oscillation_mm: Errors,
    pub(crate) k_vert_pct: Errors,
}

/// Runs one case.
pub(crate) fn evaluate(case: &Case) -> Row {
    let simulation = Simulation::new(case.config.clone());
    let mut pipeline = Pipeline::new(PipelineConfig {
        sensors: simulation.sensor_configs(),
        athlete: simulation.athlete(),
        ..PipelineConfig::default()
    });
    let mut out = Vec::new();
    let mut records: Vec<StrideRecord> = Vec::new();
    for event in simulation.events() {
        pipeline.push(&event, &mut out);
        records.extend(
            out.drain(..)
                .filter_map(|o| if let Output::Stride(r) = o { Some(*r) } else { None }),
        );
    }
    pipeline.flush(&mut out);
    records.extend(
        out.drain(..)
            .filter_map(|o| if let Output::Stride(r) = o { Some(*r) } else { None }),
    );
    compare(&case.name, &simulation.truth(0.0).strides, &records)
}

fn compare(name: &str, truth: &[TrueStride], records: &[StrideRecord]) -> Row {
    let mut row = Row {
        name: name.to_owned(),
        ..Row::default()
    };
    let mut used = vec![false; records.len()];
    let mut lengths: [Vec<f64>; 2] = [Vec::new(), Vec::new()];
    for t in truth {
        row.truth += 1;
        let near = records
            .iter()
            .enumerate()
            .filter(|(i, r)| !used[*i] && r.stride.side == Some(t.side))
            .map(|(i, r)| {
                (
                    r.stride.start.since(t.m).abs().max(r.stride.end.since(t.next_m).abs()),
                    i,
                )
            })
            .min_by(|a, b| a.0.total_cmp(&b.0));
        // A standing foot may be marked anywhere in its stand: only the moving end counts for strides at rest.
        let slack = if t.at_rest { 2.0 } else { SAME_S };
        let Some((_, i)) = near.filter(|(d, _)| *d < slack) else {
            continue;
        };
        used[i] = true;
        row.found += 1;
        if !t.at_rest {
            errors(&mut row, t, &records[i], &mut lengths);
        }
    }
    row.wrong = used.iter().filter(|u| !**u).count();
    let scatter: Vec<f64> = lengths
        .iter()
        .filter(|l| l.len() > 3)
        .map(|l| {
            Errors {
                values: l.clone(),
                absent: 0,
            }
            .sd()
        })
        .collect();
    row.length_sd_cm = scatter.iter().copied().fold(0.0, f64::max);
    row
}

fn errors(row: &mut Row, t: &TrueStride, r: &StrideRecord, lengths: &mut [Vec<f64>; 2]) {
    let get = |id| r.metrics.value(id);
    let deg = 1.0_f64.to_degrees();
    if let Some(c) = r.stride.contact {
        row.ic_ms.values.push(1e3 * c.ic.since(t.ic));
        row.tc_ms.values.push(1e3 * c.tc.since(t.tc));
    }
    row.contact_ms
        .push(get(MetricId::ContactTime), Some(t.contact_time), 1e3);
    row.flight_ms.push(get(MetricId::FlightTime), t.flight_time, 1e3);
    row.cadence.push(get(MetricId::Cadence), Some(t.cadence), 1.0);
    row.length_pct
        .push(get(MetricId::StrideLength), Some(t.length), 100.0 / t.length);
    if let Some(l) = get(MetricId::StrideLength) {
        lengths[usize::from(t.side == Side::Right)].push(100.0 * (l - t.length));
    }
    row.speed.push(get(MetricId::Speed), Some(t.speed), 1.0);
    row.strike_deg
        .push(get(MetricId::FootStrikeAngle), Some(t.foot_strike_angle), deg);
    row.shank_deg
        .push(get(MetricId::ShankAngleIc), Some(t.shank_angle_ic_from_standing), deg);
    row.over_cm
        .push(get(MetricId::OverstrideDistance), Some(t.overstride), 100.0);
    if !t.turning {
        row.tilt_deg
            .push(get(MetricId::PelvisTilt), Some(t.pelvis.tilt_mean), deg);
        row.obliquity_range_deg
            .push(get(MetricId::PelvisObliquityRange), Some(t.pelvis.obliquity_range), deg);
        row.rotation_range_deg
            .push(get(MetricId::PelvisRotationRange), Some(t.pelvis.rotation_range), deg);
        row.oscillation_mm.push(
            get(MetricId::PelvisOscillation),
            Some(t.pelvis.oscillation_at_sensor),
            1e3,
        );
    }
    if t.activity == Activity::Running {
        let spring = t.spring.map(|s| s.k_vert);
        row.k_vert_pct
            .push(get(MetricId::VerticalStiffness), spring, 100.0 / spring.unwrap_or(1.0));
    }
}

/// The table as text a person would read.
pub(crate) fn table(rows: &[Row]) -> String {
    let mut t = String::new();
    let head = [
        "case",
        "true",
        "found",
        "wrong",
        "ic ms",
        "tc ms",
        "contact ms",
        "flight ms",
        "cadence",
        "length %",
        "SD cm",
        "speed m/s",
        "strike °",
        "shank °",
        "over cm",
        "tilt °",
        "obliq. °",
        "rot. °",
        "osc. mm",
        "k_vert %",
    ];
    let _ = writeln!(t, "| {} |\n|{}", head.join(" | "), "---|".repeat(head.len()));
    for r in rows {
        let pm = |e: &Errors, d: usize| {
            if e.has_any() {
                format!("{:+.d$} ± {:.d$}", e.mean(), e.sd())
            } else {
                "–".to_owned()
            }
        };
        let mid = |e: &Errors| {
            if e.has_any() {
                format!("{:+.0} ({:.0})", e.median(), e.iqr())
            } else {
                "–".to_owned()
            }
        };
        let cells = [
            r.name.clone(),
            r.truth.to_string(),
            r.found.to_string(),
            r.wrong.to_string(),
            mid(&r.ic_ms),
            mid(&r.tc_ms),
            mid(&r.contact_ms),
            mid(&r.flight_ms),
            pm(&r.cadence, 1),
            pm(&r.length_pct, 1),
            format!("{:.1}", r.length_sd_cm),
            pm(&r.speed, 2),
            pm(&r.strike_deg, 1),
            pm(&r.shank_deg, 1),
            pm(&r.over_cm, 1),
            pm(&r.tilt_deg, 1),
            pm(&r.obliquity_range_deg, 1),
            pm(&r.rotation_range_deg, 1),
            pm(&r.oscillation_mm, 1),
            pm(&r.k_vert_pct, 0),
        ];
        let _ = writeln!(t, "| {} |", cells.join(" | "));
    }
    t
}
