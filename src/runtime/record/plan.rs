//! What a recording is about, as it stands at the head of its log: enough to finish it without the program that began it.

use crate::model::{Athlete, Placement};
use crate::runtime::collect::SensorPlan;
use crate::sensors::driver::{Wanted, Wish};
use crate::sensors::drivers::DriverKind;
use crate::store::{AthleteId, SessionId, UtcMicros};
use serde::{Deserialize, Serialize};

/// Number under which the recording itself stands among the sensors' plans.
pub const RECORDING: u8 = u8::MAX;

/// A recording.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordPlan {
    /// Its session.
    pub session: SessionId,
    /// Number the sensors know it by; not zero.
    pub number: u64,
    /// Who runs.
    pub athlete: AthleteId,
    /// Session time zero, UTC.
    pub start: UtcMicros,
    /// Facts about the runner.
    pub facts: Athlete,
    /// A word for people.
    pub note: Option<String>,
    /// Whether the runner was asked to stand still at the start, so that the first quiet standing is one.
    pub standing: bool,
    /// Zone of the runner's clock, where the system knows it: says on which day a run was.
    #[serde(default)]
    pub tz: Option<String>,
}

impl RecordPlan {
    /// A recording that begins at `start`, with dice of the caller.
    #[must_use]
    pub fn new(start: UtcMicros, dice: [u8; 18], athlete: AthleteId, facts: Athlete, note: Option<String>) -> Self {
        let (id, number) = dice.split_at(10);
        let number = number.iter().fold(0_u64, |n, b| n << 8 | u64::from(*b));
        let mut random = [0; 10];
        random.copy_from_slice(id);
        Self {
            session: SessionId::live(start, random),
            // Zero is not a number of a recording; one of 2⁶⁴ throws meets it.
            number: number.max(1),
            athlete,
            start,
            facts,
            note,
            standing: true,
            tz: None,
        }
    }

    pub(super) fn to_text(&self) -> String {
        // Plain data always serialises.
        serde_json::to_string(self).unwrap_or_default()
    }

    pub(super) fn parse(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|e| e.to_string())
    }
}

#[derive(Serialize, Deserialize)]
struct SensorText {
    placement: Option<Placement>,
    kind: String,
    os_id: String,
    name: String,
    id: Option<String>,
}

pub(super) fn sensor_text(plan: &SensorPlan) -> String {
    let text = SensorText {
        placement: plan.placement,
        kind: plan.kind.name().to_owned(),
        os_id: plan.os_id.clone(),
        name: plan.name.clone(),
        id: plan.id.clone(),
    };
    serde_json::to_string(&text).unwrap_or_default()
}

pub(super) fn parse_sensor(text: &str) -> Result<SensorPlan, String> {
    let text: SensorText = serde_json::from_str(text).map_err(|e| e.to_string())?;
    let kind = DriverKind::parse(&text.kind).ok_or_else(|| format!("unknown kind of sensor {:?}", text.kind))?;
    Ok(SensorPlan {
        placement: text.placement,
        kind,
        os_id: text.os_id,
        name: text.name,
        id: text.id,
    })
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WishText {
    Inspect,
    Stream {
        session: u64,
        rate_hz: f64,
        acc_range: f64,
        gyro_range: f64,
    },
    Stop,
    Identify(u8),
    Mark,
    AllSafe,
    Hurried,
    AtEase,
}

pub(super) fn wish_text(wish: &Wish) -> String {
    let text = match *wish {
        Wish::Inspect => WishText::Inspect,
        Wish::Stream(w) => WishText::Stream {
            session: w.session,
            rate_hz: w.rate_hz,
            acc_range: w.acc_range,
            gyro_range: w.gyro_range,
        },
        Wish::Stop => WishText::Stop,
        Wish::Identify { seconds } => WishText::Identify(seconds),
        Wish::Mark => WishText::Mark,
        Wish::AllSafe => WishText::AllSafe,
        Wish::Hurried => WishText::Hurried,
        Wish::AtEase => WishText::AtEase,
    };
    serde_json::to_string(&text).unwrap_or_default()
}

pub(super) fn parse_wish(text: &str) -> Result<Wish, String> {
    Ok(match serde_json::from_str(text).map_err(|e| e.to_string())? {
        WishText::Inspect => Wish::Inspect,
        WishText::Stream {
            session,
            rate_hz,
            acc_range,
            gyro_range,
        } => Wish::Stream(Wanted {
            session,
            rate_hz,
            acc_range,
            gyro_range,
        }),
        WishText::Stop => Wish::Stop,
        WishText::Identify(seconds) => Wish::Identify { seconds },
        WishText::Mark => Wish::Mark,
        WishText::AllSafe => Wish::AllSafe,
        WishText::Hurried => Wish::Hurried,
        WishText::AtEase => Wish::AtEase,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_and_wishes_come_back_from_their_text() {
        let plan = RecordPlan::new(
            UtcMicros::from_micros(1_700_000_000_000_000),
            [7; 18],
            AthleteId::parse("me").expect("a word"),
            Athlete::default(),
            None,
        );
        assert_eq!(RecordPlan::parse(&plan.to_text()), Ok(plan));
        let sensor = SensorPlan {
            placement: Some(Placement::Sacrum),
            kind: DriverKind::Polar,
            os_id: "AA:BB".into(),
            name: "Polar H10".into(),
            id: Some("9A3".into()),
        };
        assert_eq!(parse_sensor(&sensor_text(&sensor)), Ok(sensor));
        let stream = Wish::Stream(Wanted {
            session: u64::MAX,
            rate_hz: 208.0,
            acc_range: 156.9,
            gyro_range: 34.9,
        });
        for wish in [stream, Wish::Stop, Wish::Identify { seconds: 3 }, Wish::Mark] {
            assert_eq!(parse_wish(&wish_text(&wish)), Ok(wish));
        }
        assert!(parse_wish("\"dance\"").is_err());
    }
}
