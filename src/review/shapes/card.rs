//! The card after a run.

use super::session::{Coverage, SessionItem};
use super::words::{ChangeWord, DataWord, LoadWord, SafetyWord};
use serde::Serialize;

/// A reason to stop, from what a person ticked.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct SafetyNow {
    /// How strongly.
    pub level: SafetyWord,
    /// One line.
    pub title: String,
    /// The fixed words.
    pub text: String,
    /// What was ticked.
    pub ticks: Vec<String>,
}

/// The week's distance.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct CardLoad {
    /// This run, km; `null` where its distance is not known.
    pub km: Option<f64>,
    /// The seven days up to it, km.
    pub week_km: f64,
    /// Lower end of the usual week.
    pub usual_week_low_km: Option<f64>,
    /// Upper end.
    pub usual_week_high_km: Option<f64>,
    /// Where the week lies.
    pub word: LoadWord,
}

/// One value of the run against the own usual at this speed.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct CardRow {
    /// Metric.
    pub metric: String,
    /// Words a runner reads.
    pub title: String,
    /// Unit of the numbers here.
    pub unit: String,
    /// Value of the run.
    pub value: Option<f64>,
    /// Usual value at this speed.
    pub usual: Option<f64>,
    /// Lower end of the own band.
    pub band_low: Option<f64>,
    /// Upper end.
    pub band_high: Option<f64>,
    /// Value less usual.
    pub change: Option<f64>,
    /// Whether the change leaves the own band.
    pub beyond_noise: Option<bool>,
    /// In a word.
    pub word: ChangeWord,
    /// Why it is not known or not compared.
    pub why: Option<String>,
}

/// One value early and late in the run, at equal speed.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct WithinRow {
    /// Marker of the rule file.
    pub metric: String,
    /// Words a runner reads.
    pub title: String,
    /// Unit of the numbers here.
    pub unit: String,
    /// Median of minutes 5 to 15.
    pub first: f64,
    /// The same moved by the change: the last fifth at the speed of the first.
    pub last: f64,
    /// Change, in the unit of the marker.
    pub change: f64,
    /// Whether it meets the rule file's limit.
    pub counts: bool,
}

/// The card.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct Card {
    /// The session.
    pub session: SessionItem,
    /// One sentence.
    pub headline: String,
    /// The week.
    pub load: CardLoad,
    /// How you ran: six rows.
    pub rows: Vec<CardRow>,
    /// What changed in the run; `null` where it was too short or too little is known.
    pub within_run: Option<Vec<WithinRow>>,
    /// Why there is none.
    pub within_why: Option<String>,
    /// One thing to try.
    pub one_thing: Option<String>,
    /// What each sensor delivered.
    pub coverage: Vec<Coverage>,
    /// How good the data are.
    pub data: DataWord,
    /// Whether nothing was answered about this run yet.
    pub checkin_due: bool,
    /// A reason to stop, where one stands and may be shown.
    pub safety: Option<SafetyNow>,
}
