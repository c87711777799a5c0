//! What viewers see of a run: outputs of the pipeline gathered to one frame a second, and one for each stride.
//!
//! Pure: time is that of the signal, so a replay at twenty times real time sends twenty windows a second.

use crate::metrics::{MetricId, StrideRecord};
use crate::model::{DataClass, Placement, SessionTime, Side};
use crate::pipeline::{Health, Output};
use crate::review::live::{Bands, LiveUsual};
use serde::Serialize;
use std::collections::VecDeque;

/// Strides that ended within this time make the numbers of a window, s: long enough that single strides do not jump, short
/// enough that a change of pace is seen at once.
const WINDOW_S: f64 = 5.0;
/// Strides kept for that; nobody takes more than some five a second.
const STRIDES: usize = 64;

/// One second.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[expect(missing_docs, reason = "names with units; docs/serving.md describes each")]
pub struct Window {
    pub t_s: f64,
    pub cadence_spm: Option<f64>,
    pub speed_ms: Option<f64>,
    pub step_length_m: Option<f64>,
    pub stride_length_m: Option<f64>,
    pub contact_left_s: Option<f64>,
    pub contact_right_s: Option<f64>,
    pub drop_left_rad: Option<f64>,
    pub drop_right_rad: Option<f64>,
    pub tilt_rad: Option<f64>,
    pub overstride_m: Option<f64>,
    pub distance_km: Option<f64>,
    /// Strides behind the numbers.
    pub n: usize,
    /// Data: `good`, `fair`, `poor` or `none`.
    pub data: &'static str,
    /// The runner's usual at this speed, by name; null while it is not known.
    pub usual: Option<Bands>,
}

/// One stride.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[expect(missing_docs, reason = "names with units; docs/serving.md describes each")]
pub struct StrideFrame {
    pub t_s: f64,
    pub side: Option<&'static str>,
    pub contact_s: Option<f64>,
    pub length_m: Option<f64>,
    pub speed_ms: Option<f64>,
    pub class: char,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Word {
    /// When, s.
    pub t_s: f64,
    /// What kind: `gap`, `aligned`, `lap`, …
    pub kind: String,
    /// In words.
    pub text: String,
}

/// What cues do now.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[expect(missing_docs, reason = "names with units; docs/serving.md describes each")]
pub struct CueNow {
    /// `off`: nothing will be said before the runner or the record changes something; `silent`: not now; `on`: now.
    pub state: &'static str,
    pub target_spm: Option<f64>,
    /// From here to `high_spm` there is silence.
    pub low_spm: Option<f64>,
    /// Null where quicker steps are never spoken of.
    pub high_spm: Option<f64>,
    pub now_spm: Option<f64>,
    /// Why nothing is said, in words.
    pub why: Option<String>,
}

impl CueNow {
    /// Of a run in which no cues were asked for.
    #[must_use]
    pub fn none() -> Self {
        Self {
            state: "off",
            target_spm: None,
            low_spm: None,
            high_spm: None,
            now_spm: None,
            why: None,
        }
    }

    /// For somebody who may not know how the runner's back is: that cues are off, or why, could tell.
    #[must_use]
    pub fn without_symptoms(&self) -> Self {
        Self {
            state: if self.state == "on" { "on" } else { "silent" },
            why: None,
            ..self.clone()
        }
    }
}

/// One sensor at a moment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SensorNow {
    /// Where it is worn.
    pub placement: Placement,
    /// `ok`, `poor`, `lost` or `connecting`.
    pub state: &'static str,
    /// Charge, %.
    pub battery: Option<u8>,
    /// Strength of its radio, dBm.
    pub rssi: Option<i16>,
    /// Share of its samples that are missing, 0 to 1.
    pub lost_share: f64,
    /// Scatter of its clock, ms.
    pub residual_ms: Option<f64>,
    /// What a person should know.
    pub text: Option<String>,
}

/// What a viewer is sent.
#[derive(Clone, Debug, PartialEq)]
pub enum Shown {
    /// One second.
    Window(Box<Window>),
    /// One stride.
    Stride(StrideFrame),
    /// Something that happened.
    Event(Word),
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    end: SessionTime,
    side: Option<Side>,
    class: DataClass,
    cadence: Option<f64>,
    speed: Option<f64>,
    length: Option<f64>,
    contact: Option<f64>,
    drop: Option<f64>,
    tilt: Option<f64>,
    overstride: Option<f64>,
}

/// Gathers outputs.
#[derive(Debug, Default)]
pub struct Gathering {
    usual: LiveUsual,
    recent: VecDeque<Seen>,
    /// Metres run by strides of the left foot, the right one, and of unknown side.
    metres: [f64; 3],
    spectral: Option<(SessionTime, f64)>,
    now: Option<SessionTime>,
    told: Option<i64>,
}

impl Gathering {
    /// Nothing yet, of a runner of whom this is usual.
    #[must_use]
    pub fn of(usual: LiveUsual) -> Self {
        Self {
            usual,
            ..Self::default()
        }
    }

    /// The newest instant seen, s.
    #[must_use]
    pub fn now_s(&self) -> f64 {
        self.now.map_or(0.0, SessionTime::secs)
    }

    /// Takes an output; what is to be shown for it goes to `show`.
    pub fn take(&mut self, output: &Output, show: &mut impl FnMut(Shown)) {
        match output {
            Output::Stride(record) => {
                show(Shown::Stride(stride_frame(record)));
                self.stride(record);
                self.reach(record.stride.end, show);
            }
            Output::Window(window) => {
                self.spectral = window.spectral_cadence.map(|c| (window.t, c));
                self.reach(window.t, show);
            }
            Output::Health(health) => {
                if let Some(word) = word(health) {
                    show(Shown::Event(word));
                }
            }
            Output::ProvisionalContact { .. } | Output::Contact { .. } | Output::Block(_) => {}
        }
    }

    fn stride(&mut self, record: &StrideRecord) {
        let m = &record.metrics;
        let length = m.value(MetricId::StrideLength);
        let column = match record.stride.side {
            Some(Side::Left) => 0,
            Some(Side::Right) => 1,
            None => 2,
        };
        self.metres[column] += length.unwrap_or(0.0);
        if self.recent.len() == STRIDES {
            self.recent.pop_front();
        }
        self.recent.push_back(Seen {
            end: record.stride.end,
            side: record.stride.side,
            class: record.class,
            cadence: m.value(MetricId::Cadence),
            speed: m.value(MetricId::Speed),
            length,
            contact: m.value(MetricId::ContactTime),
            drop: m.value(MetricId::PelvisDrop),
            tilt: m.value(MetricId::PelvisTilt),
            overstride: m.value(MetricId::OverstrideDistance),
        });
    }

    /// Time has come to `t`: tells a window when a whole second was passed.
    fn reach(&mut self, t: SessionTime, show: &mut impl FnMut(Shown)) {
        let now = self.now.map_or(t, |now| now.max(t));
        self.now = Some(now);
        let second = now.secs().floor() as i64;
        if self.told.is_some_and(|told| second <= told) {
            return;
        }
        // The first instant only sets the clock; a window of nothing tells nothing.
        if self.told.replace(second).is_some() {
            show(Shown::Window(Box::new(self.window(now))));
        }
    }

    fn window(&self, now: SessionTime) -> Window {
        let recent = || {
            let fresh = self.recent.iter().filter(|s| now.since(s.end) <= WINDOW_S);
            // Strides that no one should build on are counted nowhere else either.
            fresh.filter(|s| s.class <= DataClass::B)
        };
        let of = |side: Option<Side>, value: fn(&Seen) -> Option<f64>| {
            mean(recent().filter(|s| side.is_none() || s.side == side).filter_map(value))
        };
        let spectral = self.spectral.filter(|(t, _)| now.since(*t) <= WINDOW_S).map(|(_, c)| c);
        let speed = of(None, |s| s.speed);
        let stride_length = of(None, |s| s.length);
        let metres = self.metres.iter().copied().fold(0.0, f64::max);
        let n = recent().count();
        let worst = recent().map(|s| s.class).max().unwrap_or(DataClass::D);
        Window {
            t_s: now.secs(),
            cadence_spm: of(None, |s| s.cadence).or(spectral),
            speed_ms: speed,
            step_length_m: stride_length.map(|l| l / 2.0),
            stride_length_m: stride_length,
            contact_left_s: of(Some(Side::Left), |s| s.contact),
            contact_right_s: of(Some(Side::Right), |s| s.contact),
            drop_left_rad: of(Some(Side::Left), |s| s.drop),
            drop_right_rad: of(Some(Side::Right), |s| s.drop),
            tilt_rad: of(None, |s| s.tilt),
            overstride_m: of(None, |s| s.overstride),
            // Every stride of a foot is the whole way of the runner; the side that missed fewer strides is nearer to it.
            distance_km: (metres > 0.0).then_some(metres / 1000.0),
            n,
            data: worst.word(),
            usual: speed.and_then(|v| self.usual.at(v)),
        }
    }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (n, sum) = values.fold((0_u32, 0.0), |(n, sum), v| (n + 1, sum + v));
    (n > 0).then(|| sum / f64::from(n))
}

fn stride_frame(record: &StrideRecord) -> StrideFrame {
    let m = &record.metrics;
    StrideFrame {
        t_s: record.stride.start.secs(),
        side: record.stride.side.map(Side::name),
        contact_s: m.value(MetricId::ContactTime),
        length_m: m.value(MetricId::StrideLength),
        speed_ms: m.value(MetricId::Speed),
        class: record.class.letter(),
    }
}

/// What of the health of the data a viewer is told.
fn word(health: &Health) -> Option<Word> {
    let place = |p: Placement| p.name().replace('_', " ");
    let (t, kind, text) = match health {
        Health::Gap {
            placement, from, to, ..
        } => (
            *from,
            "gap",
            format!("{}: {:.1} s without data", place(*placement), to.since(*from)),
        ),
        Health::Aligned { placement, t } => (*t, "aligned", format!("{}: it is known how it sits", place(*placement))),
        Health::ContactRefused { placement, t, guard } => (
            *t,
            "contact_refused",
            format!("{}: a contact was not believed ({guard})", place(*placement)),
        ),
        Health::SensorMoved { placement, t } => (
            *t,
            "sensor_moved",
            format!("{}: it turned in its strap; fasten it", place(*placement)),
        ),
        Health::SidesSwapped { t } => (
            *t,
            "sides_swapped",
            "left and right shoe sensors look exchanged".to_owned(),
        ),
        Health::CadenceDisagrees { t, events, spectrum } => (
            *t,
            "cadence_disagrees",
            format!("cadence by contacts {events:.0}, by spectrum {spectrum:.0} steps/min: strides may be missed"),
        ),
        Health::RailLearned { placement, t } => (
            *t,
            "rail_learned",
            format!("{}: its limit was learned", place(*placement)),
        ),
        // The dots of the sensors and the class of each stride say so at once; this is told when it is over.
        Health::Clipped { .. } | Health::Filled { .. } => return None,
    };
    Some(Word {
        t_s: t.secs(),
        kind: kind.to_owned(),
        text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::MetricSet;
    use crate::model::{Activity, QualityParts, SegmentKind, Stride, StrideFlags};
    use crate::pipeline::Window as Second;

    fn stride(start: f64, side: Side, length: f64, class: DataClass) -> Output {
        let mut metrics = MetricSet::default();
        metrics.set(MetricId::StrideLength, Ok(length));
        metrics.set(MetricId::Speed, Ok(length / 0.7));
        metrics.set(MetricId::Cadence, Ok(170.0));
        metrics.set(MetricId::ContactTime, Ok(if side == Side::Left { 0.24 } else { 0.26 }));
        Output::Stride(Box::new(StrideRecord {
            index: 0,
            stride: Stride {
                side: Some(side),
                seen_from: SegmentKind::Foot,
                start: SessionTime::from_secs(start),
                end: SessionTime::from_secs(start + 0.7),
                contact: None,
                next_ic: None,
                foot: None,
                activity: Activity::Running,
                flags: StrideFlags::default(),
                quality: QualityParts::FULL,
            },
            metrics,
            class,
        }))
    }

    fn windows(outputs: &[Output]) -> (Vec<Window>, usize) {
        let (mut gathering, mut windows, mut strides) = (Gathering::default(), Vec::new(), 0);
        for output in outputs {
            gathering.take(output, &mut |shown| match shown {
                Shown::Window(w) => windows.push(*w),
                Shown::Stride(_) => strides += 1,
                Shown::Event(_) => {}
            });
        }
        (windows, strides)
    }

    #[test]
    fn one_window_a_second_however_many_strides() {
        let run: Vec<Output> = (0..40)
            .map(|i| {
                let side = if i % 2 == 0 { Side::Left } else { Side::Right };
                stride(f64::from(i) * 0.35, side, 2.0, DataClass::A)
            })
            .collect();
        let (windows, strides) = windows(&run);
        assert_eq!(strides, 40);
        // From 0.7 s to 14.35 s fourteen whole seconds are passed, the first of which sets the clock.
        assert_eq!(windows.len(), 14);
        let last = &windows[13];
        assert_eq!((last.contact_left_s, last.contact_right_s), (Some(0.24), Some(0.26)));
        assert_eq!((last.stride_length_m, last.step_length_m), (Some(2.0), Some(1.0)));
        assert_eq!(last.data, "good");
        // Twenty strides of two metres on each side are one way of 40 m, not 80.
        assert!(
            last.distance_km.is_some_and(|km| (0.036..=0.04).contains(&km)),
            "{last:?}"
        );
    }

    #[test]
    fn nothing_is_shown_as_a_number_when_nothing_was_measured() {
        let second = |t: f64, cadence| {
            Output::Window(Second {
                t: SessionTime::from_secs(t),
                spectral_cadence: cadence,
                activity: Activity::Still,
            })
        };
        let (seen, _) = windows(&[second(1.0, None), second(2.0, None), second(3.0, Some(168.0))]);
        assert_eq!(
            seen[0],
            Window {
                t_s: 2.0,
                data: "none",
                ..Window::default()
            }
        );
        assert_eq!(seen[1].cadence_spm, Some(168.0));
    }

    #[test]
    fn poor_strides_make_no_number_and_old_ones_fade() {
        let (seen, strides) = windows(&[
            stride(0.0, Side::Left, 2.0, DataClass::A),
            stride(1.0, Side::Left, 9.0, DataClass::C),
            stride(9.0, Side::Left, 9.0, DataClass::C),
        ]);
        assert_eq!(strides, 3);
        assert_eq!((seen[0].stride_length_m, seen[0].n), (Some(2.0), 1));
        assert_eq!((seen[1].stride_length_m, seen[1].n, seen[1].data), (None, 0, "none"));
    }
}
