//! Strides as curves, drawn anew from the raw samples when somebody looks.
//!
//! The record keeps numbers; a curve is computed by the chains that made the numbers ([`crate::pipeline::again`]) from the
//! stretch of samples around the stride, read out of the middle of the file. It is shown only if it ends in the stored
//! numbers: the way of the foot in the stride length, the pelvis in its range and its drop. A curve that does not is
//! refused with both figures, because a picture that contradicts its number explains nothing.

pub mod compared;
pub mod of_run;
mod samples;
#[cfg(test)]
mod tests;

use super::pages::pages;
use super::shapes::{CurveMark, FootPathView, PelvisCycle, StanceSpan, StrideCurves};
use crate::gait::FootPath;
use crate::metrics::pelvis_curve::{POINTS, PelvisCurve, Zero};
use crate::metrics::{MetricId as Id, StrideRecord};
use crate::model::{Absent, Contact, Placement, SegmentKind, SensorConfig, SessionTime, Side, Span, Stride};
use crate::pipeline::again::{FootAgain, PelvisAgain};
use crate::store::{History as _, RowQuery, SessionEvent, SessionId, SessionRow, SqliteReader, StoreError};
use std::ops::ControlFlow;

/// How far the end of the way may be from the stored stride length, as a share of it: a choice of this project. The two
/// differ because of the shorter past (offset and mounting go on being learned); simulated strides stay within 1 %.
const LENGTH_SHARE: f64 = 0.03;
/// How far a curve's range and drop may be from the stored ones, rad: 1°.
const ANGLE: f64 = std::f64::consts::PI / 180.0;
/// The record keeps instants to the microsecond; a mid-stance found again must be this near, s.
const SAME_INSTANT_S: f64 = 0.012;

/// Why there is no curve.
#[derive(Clone, Debug, PartialEq)]
pub enum NoCurve {
    /// No samples of the session are kept.
    NotKept,
    /// The sensor was not worn.
    NoSensor(SegmentKind),
    /// As for the numbers.
    Absent(Absent),
    /// The stride was not found in the samples.
    NotFound,
    /// What was drawn does not end in the stored number.
    Disagrees {
        /// Which number.
        what: &'static str,
        /// As stored, in `unit`.
        kept: f64,
        /// As drawn.
        drawn: f64,
        /// `m` or `°`.
        unit: &'static str,
    },
}

impl NoCurve {
    /// In words.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::NotKept => "No samples of this session are kept, and a curve is drawn from samples.".to_owned(),
            Self::NoSensor(SegmentKind::Foot) => "No shoe sensor was worn on this foot.".to_owned(),
            Self::NoSensor(_) => "No sensor was worn over the sacrum.".to_owned(),
            Self::Absent(why) => format!("Not for this stride: {}.", why.reason()),
            Self::NotFound => "The stride was not found again in the samples that are kept.".to_owned(),
            Self::Disagrees {
                what,
                kept,
                drawn,
                unit,
            } => format!(
                "Drawn from the samples, the {what} comes to {drawn:.2} {unit} where {kept:.2} {unit} was kept; a curve that \
                 contradicts its number is not shown."
            ),
        }
    }
}

impl From<Absent> for NoCurve {
    fn from(why: Absent) -> Self {
        Self::Absent(why)
    }
}

/// The curves of one session.
#[derive(Clone, Copy, Debug)]
pub struct SessionCurves<'a> {
    reader: &'a SqliteReader,
    row: &'a SessionRow,
    run_up: RunUp,
}

/// Seconds of samples before a stride that are pushed first, by segment.
#[derive(Clone, Copy, Debug)]
struct RunUp {
    pelvis_s: f64,
    foot_s: f64,
}

impl<'a> SessionCurves<'a> {
    /// Of this session.
    #[must_use]
    pub fn new(reader: &'a SqliteReader, row: &'a SessionRow) -> Self {
        let run_up = RunUp {
            pelvis_s: PelvisAgain::RUN_UP_S,
            foot_s: FootAgain::RUN_UP_S,
        };
        Self { reader, row, run_up }
    }

    fn id(&self) -> &SessionId {
        &self.row.meta.id
    }

    fn sensor(&self, placement: Placement) -> Option<SensorConfig> {
        self.row.meta.sensors.iter().find(|s| s.placement == placement).copied()
    }

    /// Strides that begin in `span`, both sides, by their ends.
    fn strides(&self, span: Span) -> Result<Vec<StrideRecord>, StoreError> {
        let page = self.reader.strides(&RowQuery {
            span,
            ..RowQuery::all(self.id().clone())
        })?;
        let mut rows = page.rows;
        rows.sort_by_key(|r| (r.stride.end, r.stride.side.map(Side::sign).map(|s| s as i8)));
        Ok(rows)
    }

    /// Both curves of one stride as a page shows them.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn of_stride(&self, record: &StrideRecord) -> Result<StrideCurves, StoreError> {
        let pelvis = match self.pelvis(std::slice::from_ref(record))?.pop() {
            Some(drawn) => drawn,
            None => Err(NoCurve::NotFound),
        };
        let path = self.foot_path(record)?;
        let (pelvis, pelvis_why_not) = parted(self.view(record, pelvis)?);
        let (foot_path, foot_path_why_not) = parted(path.map(|p| view_of_path(&p, &record.stride)));
        Ok(StrideCurves {
            pelvis,
            pelvis_why_not,
            foot_path,
            foot_path_why_not,
        })
    }

    /// The pelvis over each of these strides as a page shows it, in the order given; where there is none, why.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn pelvis_views(&self, records: &[StrideRecord]) -> Result<Vec<Result<PelvisCycle, NoCurve>>, StoreError> {
        let drawn = self.pelvis(records)?;
        records.iter().zip(drawn).map(|(r, d)| self.view(r, d)).collect()
    }

    /// A curve with the contacts of both feet around it.
    fn view(
        &self,
        record: &StrideRecord,
        drawn: Result<PelvisCurve, NoCurve>,
    ) -> Result<Result<PelvisCycle, NoCurve>, StoreError> {
        let curve = match drawn {
            Ok(curve) => curve,
            Err(why) => return Ok(Err(why)),
        };
        let (from, to) = record.stride.cycle();
        let around = Span::new(from.plus(-2.0), to.plus(0.5));
        let neighbours = around.map(|span| self.strides(span)).transpose()?.unwrap_or_default();
        Ok(Ok(view_of_pelvis(&curve, &contacts_of(&neighbours))))
    }

    /// The way of the foot over one stride.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn foot_path(&self, record: &StrideRecord) -> Result<Result<FootPath, NoCurve>, StoreError> {
        Ok(match self.foot_paths(std::slice::from_ref(record))?.pop() {
            Some(drawn) => drawn,
            None => Err(NoCurve::NotFound),
        })
    }

    /// The ways of one foot over strides that lie close together (a stretch of some seconds), in the order given.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn foot_paths(&self, records: &[StrideRecord]) -> Result<Vec<Result<FootPath, NoCurve>>, StoreError> {
        let refuse = |why: &NoCurve| Ok(records.iter().map(|_| Err(why.clone())).collect());
        let Some(first) = records.iter().map(|r| r.stride.start).min() else {
            return Ok(Vec::new());
        };
        let last = records.iter().map(|r| r.stride.end).max().unwrap_or(first);
        let sensor = self.row.meta.sensors.iter().copied().find(|s| {
            let side = records[0].stride.side;
            s.placement.segment() == SegmentKind::Foot && (side.is_none() || s.placement.side() == side)
        });
        let Some(sensor) = sensor else {
            return refuse(&NoCurve::NoSensor(SegmentKind::Foot));
        };
        let moved = last_before(&self.moves(sensor.placement)?, first);
        let stands = match samples::stands(self.reader, self.id(), moved, first) {
            Ok(stands) => stands,
            Err(StoreError::Missing { .. }) => return refuse(&NoCurve::NotKept),
            Err(e) => return Err(e),
        };
        let mut spans: Vec<Span> = stands.iter().map(samples::stretch_of).collect();
        spans.extend(Span::new(
            first.plus(-self.run_up.foot_s),
            last.plus(FootAgain::AFTER_S),
        ));
        let wanted = Span::new(first.plus(-SAME_INSTANT_S), last).unwrap_or(spans[0]);
        let mut foot = FootAgain::new(sensor, wanted);
        samples::pump(
            self.reader,
            self.id(),
            sensor.placement,
            &samples::joined(spans),
            &stands,
            |event| {
                foot.push(event);
                ControlFlow::Continue(())
            },
        )?;
        let paths = foot.finish();
        Ok(records.iter().map(|r| checked_path(r, &paths)).collect())
    }

    /// The pelvis over each of these strides, in the order given.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn pelvis(&self, records: &[StrideRecord]) -> Result<Vec<Result<PelvisCurve, NoCurve>>, StoreError> {
        let refuse = |why: &NoCurve| Ok(records.iter().map(|_| Err(why.clone())).collect());
        let Some(sensor) = self.sensor(Placement::Sacrum) else {
            return refuse(&NoCurve::NoSensor(SegmentKind::Sacrum));
        };
        if let Err(StoreError::Missing { .. }) = self.reader.raw(self.id()) {
            return refuse(&NoCurve::NotKept);
        }
        let Some(begin) = self.first_stride()? else {
            return refuse(&NoCurve::NotFound);
        };
        let mut drawn: Vec<Result<PelvisCurve, NoCurve>> = vec![Err(NoCurve::NotFound); records.len()];
        // A sensor that turned in its strap learns its mounting anew: strides since then are drawn apart.
        let moves = self.moves(Placement::Sacrum)?;
        let mut since: Vec<(Option<SessionTime>, Vec<usize>)> = Vec::new();
        for (i, record) in records.iter().enumerate() {
            let moved = last_before(&moves, record.stride.start);
            match since.iter_mut().find(|(t, _)| *t == moved) {
                Some((_, these)) => these.push(i),
                None => since.push((moved, vec![i])),
            }
        }
        for (moved, mut these) in since {
            these.sort_by_key(|i| records[*i].stride.end);
            self.draw_pelvis(&sensor, moved, begin, records, &these, &mut drawn)?;
        }
        Ok(drawn)
    }

    fn draw_pelvis(
        &self,
        sensor: &SensorConfig,
        moved: Option<SessionTime>,
        begin: SessionTime,
        records: &[StrideRecord],
        these: &[usize],
        drawn: &mut [Result<PelvisCurve, NoCurve>],
    ) -> Result<(), StoreError> {
        let Some(last) = these.last().map(|i| records[*i].stride.end) else {
            return Ok(());
        };
        let begin = moved.unwrap_or(begin);
        let stands = samples::stands(self.reader, self.id(), moved, last)?;
        let mut spans: Vec<Span> = stands.iter().map(samples::stretch_of).collect();
        spans.extend(Span::new(
            begin.plus(-self.run_up.pelvis_s),
            begin.plus(PelvisAgain::BEGINNING_S),
        ));
        for i in these {
            let stride = &records[*i].stride;
            spans.extend(Span::new(
                stride.cycle().0.plus(-self.run_up.pelvis_s),
                PelvisAgain::needs_until(stride).plus(0.1),
            ));
        }
        let spans = samples::joined(spans);
        let mut told = Vec::new();
        for span in &spans {
            told.extend(self.strides(*span)?);
        }
        told.retain(|r| r.stride.start >= begin && r.stride.end <= last);
        let mut told = told.iter().peekable();
        let mut pelvis = PelvisAgain::new(sensor.rate_hz);
        let mut waiting: Vec<usize> = these.to_vec();
        samples::pump(self.reader, self.id(), Placement::Sacrum, &spans, &stands, |event| {
            pelvis.push(event);
            let crate::model::SensorEvent::Sample(_, sample) = event else {
                return ControlFlow::Continue(());
            };
            while let Some(next) = told.next_if(|r| PelvisAgain::needs_until(&r.stride) <= sample.t) {
                pelvis.note_stride(&next.stride);
                waiting.retain(|i| {
                    let record = &records[*i];
                    if record.stride.end > next.stride.end {
                        return true;
                    }
                    let curve = pelvis.curve(&record.stride);
                    // The first strides wait for the mounting, as they did in the loop.
                    let wait = curve == Err(Absent::NotAligned);
                    drawn[*i] = curve.map_err(NoCurve::from).and_then(|c| checked_pelvis(record, c));
                    wait
                });
            }
            ControlFlow::Continue(())
        })
    }

    fn first_stride(&self) -> Result<Option<SessionTime>, StoreError> {
        let page = self.reader.strides(&RowQuery {
            limit: 1,
            ..RowQuery::all(self.id().clone())
        })?;
        Ok(page.rows.first().map(|r| r.stride.start))
    }

    /// When this sensor was found to have moved.
    fn moves(&self, placement: Placement) -> Result<Vec<SessionTime>, StoreError> {
        let mut found = Vec::new();
        pages(
            self.id(),
            |query| self.reader.events(query),
            |event| match event {
                SessionEvent::SensorMoved { placement: of, t } if *of == placement => found.push(*t),
                _ => {}
            },
        )?;
        Ok(found)
    }
}

/// The last of these instants up to `t`.
fn last_before(moves: &[SessionTime], t: SessionTime) -> Option<SessionTime> {
    moves.iter().copied().filter(|at| *at <= t).max()
}

fn parted<T>(drawn: Result<T, NoCurve>) -> (Option<T>, Option<String>) {
    match drawn {
        Ok(view) => (Some(view), None),
        Err(why) => (None, Some(why.text())),
    }
}

/// The way of this stride among those found, if it ends in the stride's own length.
fn checked_path(record: &StrideRecord, paths: &[FootPath]) -> Result<FootPath, NoCurve> {
    let kept = record.stride.foot.ok_or(Absent::Refused)?.displacement.v.x;
    let near = |a: SessionTime, b: SessionTime| a.since(b).abs() <= SAME_INSTANT_S;
    let found = paths
        .iter()
        .find(|p| near(p.start, record.stride.start) && near(p.end, record.stride.end))
        .ok_or(NoCurve::NotFound)?;
    let drawn = found.points.last().map_or(0.0, |p| p.place.v.x);
    if (drawn - kept).abs() > LENGTH_SHARE * kept {
        return Err(NoCurve::Disagrees {
            what: "stride length",
            kept,
            drawn,
            unit: "m",
        });
    }
    Ok(found.clone())
}

/// The curve, if it has the range and the drop that were kept.
fn checked_pelvis(record: &StrideRecord, curve: PelvisCurve) -> Result<PelvisCurve, NoCurve> {
    let pairs = [
        (
            "range of pelvic obliquity",
            record.metrics.value(Id::PelvisObliquityRange),
            Some(PelvisCurve::range(&curve.obliquity)),
        ),
        (
            "range of pelvic tilt",
            record.metrics.value(Id::PelvisTiltRange),
            Some(PelvisCurve::range(&curve.tilt)),
        ),
        (
            "mean pelvic tilt",
            record
                .metrics
                .value(Id::PelvisTilt)
                .filter(|_| curve.zero == Zero::Standing),
            Some(mean(&curve.tilt)),
        ),
        (
            "pelvic drop",
            record.metrics.value(Id::PelvisDrop),
            curve.drop(&record.stride),
        ),
    ];
    for (what, kept, drawn) in pairs {
        if let (Some(kept), Some(drawn)) = (kept, drawn)
            && (kept - drawn).abs() > ANGLE
        {
            return Err(NoCurve::Disagrees {
                what,
                kept: kept.to_degrees(),
                drawn: drawn.to_degrees(),
                unit: "°",
            });
        }
    }
    Ok(curve)
}

fn mean(curve: &[f64]) -> f64 {
    curve.iter().sum::<f64>() / curve.len().max(1) as f64
}

/// All contacts of these strides with their sides, by time.
fn contacts_of(records: &[StrideRecord]) -> Vec<(Option<Side>, Contact)> {
    let mut all: Vec<(Option<Side>, Contact)> = records
        .iter()
        .filter_map(|r| Some((r.stride.side, r.stride.contact?)))
        .collect();
    all.sort_by_key(|(_, c)| c.ic);
    all
}

fn percents() -> Vec<f64> {
    (0..POINTS).map(|i| 100.0 * i as f64 / (POINTS - 1) as f64).collect()
}

/// To the hundredth of a degree: finer is noise, and the answer stays small.
fn degrees(curve: &[f64]) -> Vec<f64> {
    curve.iter().map(|v| (v.to_degrees() * 100.0).round() / 100.0).collect()
}

fn mark(name: &str, side: Option<Side>, percent: f64) -> Option<CurveMark> {
    (0.0..=100.0).contains(&percent).then(|| CurveMark {
        name: name.to_owned(),
        side: side.map(|s| s.name().to_owned()),
        percent: (percent * 10.0).round() / 10.0,
    })
}

fn view_of_pelvis(curve: &PelvisCurve, contacts: &[(Option<Side>, Contact)]) -> PelvisCycle {
    let mut stance = Vec::new();
    let mut marks = Vec::new();
    for (side, contact) in contacts {
        let (from, to) = (curve.percent_of(contact.ic), curve.percent_of(contact.tc));
        if let Some(side) = side
            && to > 0.0
            && from < 100.0
        {
            stance.push(StanceSpan {
                side: side.name().to_owned(),
                from_percent: from.max(0.0),
                to_percent: to.min(100.0),
            });
        }
        marks.extend(mark("initial contact", *side, from));
        marks.extend(mark("mid-stance", *side, curve.percent_of(contact.m)));
        marks.extend(mark("terminal contact", *side, to));
    }
    let (zero, zero_text) = match curve.zero {
        Zero::Standing => ("standing", "Tilt and obliquity are counted from quiet standing."),
        Zero::CycleMean => (
            "cycle_mean",
            "The runner was not seen standing: tilt and obliquity are counted from the mean of the cycle, so only their shape \
             and range can be read.",
        ),
    };
    PelvisCycle {
        percent: percents(),
        tilt_deg: degrees(&curve.tilt),
        obliquity_deg: degrees(&curve.obliquity),
        rotation_deg: degrees(&curve.rotation),
        zero: zero.to_owned(),
        zero_text: zero_text.to_owned(),
        stance,
        marks,
    }
}

fn view_of_path(path: &FootPath, stride: &Stride) -> FootPathView {
    let total = path.end.since(path.start);
    let millimetres = |v: f64| (v * 1000.0).round() / 1000.0;
    let places: Vec<_> = percents()
        .iter()
        .filter_map(|p| path.at(path.start.plus(total * p / 100.0).min(path.end)))
        .collect();
    let percent = |t: SessionTime| 100.0 * t.since(path.start) / total.max(1e-9);
    let mut marks: Vec<CurveMark> = Vec::new();
    marks.extend(
        stride
            .contact
            .and_then(|c| mark("terminal contact", stride.side, percent(c.tc))),
    );
    marks.extend(
        stride
            .next_ic
            .and_then(|ic| mark("initial contact", stride.side, percent(ic))),
    );
    FootPathView {
        percent: percents(),
        x_m: places.iter().map(|p| millimetres(p.v.x)).collect(),
        z_m: places.iter().map(|p| millimetres(p.v.z)).collect(),
        marks,
    }
}
