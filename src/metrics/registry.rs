//! The registry: every metric with its unit, sign, span, what it is not, and its source.
//!
//! Store columns, catalogue, labels and the generated reference page all read [`METRICS`]; adding a metric is one line
//! here and one computation. Ids are for ever: they name columns and are never reused.

use serde::{Deserialize, Serialize};

/// What one metric is.
#[derive(Clone, Copy, Debug)]
pub struct MetricDef {
    /// Its id.
    pub id: MetricId,
    /// Column name, `[a-z][a-z0-9_]{1,40}`, never reused.
    pub name: &'static str,
    /// Words a runner reads.
    pub label: &'static str,
    /// SI unit in which the value is kept.
    pub unit: &'static str,
    /// Unit shown to people.
    pub shown_unit: &'static str,
    /// Factor from the kept to the shown value.
    pub shown_factor: f64,
    /// Interval the value describes.
    pub span: &'static str,
    /// When it is positive, and against what zero.
    pub sign: &'static str,
    /// What it is.
    pub is: &'static str,
    /// What it is not.
    pub is_not: &'static str,
    /// Where method and constants come from.
    pub source: &'static str,
}

macro_rules! metrics {
    ($($variant:ident { $name:literal, $label:literal, $unit:literal, $shown:literal, $factor:expr, span: $span:literal,
        sign: $sign:literal, is: $is:literal, is_not: $not:literal, source: $source:literal })+) => {
        /// Identity of a metric.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum MetricId { $(#[doc = $is] $variant),+ }

        /// All metrics, in the order of [`MetricId`].
        pub const METRICS: &[MetricDef] = &[$(MetricDef {
            id: MetricId::$variant, name: $name, label: $label, unit: $unit, shown_unit: $shown, shown_factor: $factor,
            span: $span, sign: $sign, is: $is, is_not: $not, source: $source,
        }),+];
    };
}

const DEG: f64 = crate::model::units::DEG_PER_RAD;

metrics! {
    StrideTime { "stride_time", "Stride time", "s", "s", 1.0, span: "ic to next ic of the same foot", sign: "positive",
        is: "Time of one gait cycle.", is_not: "Not the step time: a stride is two steps.", source: "definition" }
    StepTime { "step_time", "Step time", "s", "s", 1.0, span: "ic of the other foot to ic of this foot", sign: "positive",
        is: "Time of the step that ends with this foot's contact.", is_not: "Not half the stride time: needs both feet on one clock.", source: "definition" }
    Cadence { "cadence", "Cadence", "steps/min", "steps/min", 1.0, span: "stride", sign: "positive",
        is: "Steps per minute: 120 / stride time.", is_not: "Not strides per minute, as FIT files count.", source: "definition" }
    ContactTime { "contact_time", "Contact time", "s", "ms", 1e3, span: "ic to tc", sign: "positive",
        is: "Time the foot is on the ground.", is_not: "Not from a force plate; from foot sensors only.", source: "Falbriard 2018, doi 10.3389/fphys.2018.00610" }
    FlightTime { "flight_time", "Flight time", "s", "ms", 1e3, span: "tc to ic of the other foot", sign: "positive in flight, negative in double support",
        is: "Time with no foot on the ground.", is_not: "Not measurable from one foot.", source: "definition" }
    DutyFactor { "duty_factor", "Duty factor", "1", "%", 100.0, span: "stride", sign: "positive",
        is: "Share of the stride in contact.", is_not: "Not a force.", source: "definition" }
    StrideLength { "stride_length", "Stride length", "m", "m", 1.0, span: "mid-stance to mid-stance", sign: "positive",
        is: "Horizontal displacement of the foot over one stride.", is_not: "Not GNSS distance.", source: "Zrenner 2018, PMC6308955 (foot trajectory by inertial sensor); docs/signal-chain.md" }
    Speed { "speed", "Speed", "m/s", "m/s", 1.0, span: "mid-stance to mid-stance", sign: "positive",
        is: "Stride length over its own interval.", is_not: "Not instantaneous speed.", source: "Falbriard 2021, PMC8014039; docs/signal-chain.md" }
    FootStrikeAngle { "foot_strike_angle", "Foot strike angle", "rad", "°", DEG, span: "10 ms before ic", sign: "toe up positive, 0 as in standing",
        is: "Pitch of the foot at initial contact.", is_not: "Not the pressure pattern under the sole.", source: "Altman and Davis 2012, doi 10.1016/j.gaitpost.2011.09.104" }
    FootInversionRange { "foot_inversion_range", "Inversion range", "rad", "°", DEG, span: "ic to mid-stance", sign: "range, no sign",
        is: "Range of inversion while the foot loads.", is_not: "Not subtalar motion: the shoe, not the bone.", source: "Falbriard 2020, doi 10.3389/fbioe.2020.00065 (foot angles by inertial sensor)" }
    ToeOut { "toe_out", "Toe-out", "rad", "°", DEG, span: "mid-stance", sign: "toes away from the midline positive",
        is: "Direction of the foot against travel.", is_not: "Not hip rotation.", source: "definition" }
    TouchdownSpeed { "touchdown_speed", "Touchdown speed", "m/s", "m/s", 1.0, span: "10 ms before ic", sign: "forward positive",
        is: "Forward speed of the foot just before contact.", is_not: "Not a braking force; a proxy of reaching forward.", source: "our definition; docs/signal-chain.md" }
    ShankAngleIc { "shank_angle_ic", "Shank angle at contact", "rad", "°", DEG, span: "ic", sign: "ankle ahead of knee positive, 0 as in standing",
        is: "Lean of the shank at initial contact.", is_not: "Not the knee angle.", source: "our definition by one sensor; joint angles by several: 3 to 8° (doi 10.3389/fbioe.2022.1005496)" }
    OverstrideDistance { "overstride_distance", "Foot ahead of pelvis", "m", "cm", 100.0, span: "ic", sign: "ankle ahead of the pelvis positive",
        is: "How far ahead of the pelvis the foot lands.", is_not: "An index without an agreed cut-off; not a fault by itself.", source: "docs/signal-chain.md, overstride tiers" }
    PelvisTilt { "pelvis_tilt", "Pelvic tilt", "rad", "°", DEG, span: "mean over the stride", sign: "anterior (front down) positive, 0 as in quiet standing",
        is: "Mean forward tilt of the pelvis sensor against standing.", is_not: "Not the bone's angle: a sensor on skin and cloth.", source: "docs/signal-chain.md" }
    PelvisTiltRange { "pelvis_tilt_range", "Pelvic tilt range", "rad", "°", DEG, span: "stride", sign: "range, no sign",
        is: "Range of pelvic tilt over the stride.", is_not: "Not lumbar motion.", source: "docs/signal-chain.md" }
    PelvisObliquityRange { "pelvis_obliquity_range", "Pelvic obliquity range", "rad", "°", DEG, span: "stride", sign: "range, no sign",
        is: "Range of obliquity over the stride.", is_not: "Not hip abductor strength.", source: "docs/signal-chain.md" }
    PelvisDrop { "pelvis_drop", "Pelvic drop", "rad", "°", DEG, span: "largest in the contact of this side", sign: "swing side below level positive, against standing",
        is: "How far the swing side of the pelvis drops in stance.", is_not: "Not a test of strength.", source: "Bramah 2018, doi 10.1177/0363546518793657" }
    PelvisDropFromIc { "pelvis_drop_from_ic", "Pelvic drop from contact", "rad", "°", DEG, span: "largest in the contact of this side", sign: "swing side falling positive, 0 at ic",
        is: "Drop counted from the instant of contact.", is_not: "Does not need standing; not comparable with drop against standing.", source: "docs/signal-chain.md" }
    PelvisRotationRange { "pelvis_rotation_range", "Pelvic rotation range", "rad", "°", DEG, span: "stride", sign: "range, no sign",
        is: "Range of rotation about the vertical over the stride.", is_not: "Not trunk rotation.", source: "docs/signal-chain.md" }
    PelvisOscillation { "pelvis_oscillation", "Vertical oscillation", "m", "cm", 100.0, span: "stride", sign: "peak to peak",
        is: "Vertical travel of the pelvis sensor.", is_not: "Not of the centre of mass, which moves some 16 mm less (Watari 2016).", source: "Watari 2016 (pelvis sensor against marker and centre of mass); harmonic fit in docs/signal-chain.md" }
    ComOscillationModel { "com_oscillation_model", "Oscillation (model)", "m", "cm", 100.0, span: "stride", sign: "peak to peak",
        is: "Vertical travel of the centre of mass in the spring model.", is_not: "A model, on level ground only.", source: "Morin 2005, doi 10.1123/jab.21.2.167" }
    VerticalRatio { "vertical_ratio", "Vertical ratio", "1", "%", 100.0, span: "stride", sign: "positive",
        is: "Vertical oscillation over step length.", is_not: "Not running economy.", source: "definition" }
    BrakingPeak { "braking_peak", "Braking peak", "m/s²", "m/s²", 1.0, span: "ic to mid-stance", sign: "braking is negative",
        is: "Strongest backward acceleration of the pelvis after contact, 20 Hz low-pass.", is_not: "Not ground reaction force.", source: "our definition; docs/signal-chain.md" }
    BrakingDv { "braking_dv", "Braking speed loss", "m/s", "m/s", 1.0, span: "contact", sign: "loss is negative",
        is: "Speed lost in the braking part of the contact.", is_not: "Not energy.", source: "our definition; docs/signal-chain.md" }
    SacralPeakAcc { "sacral_peak_acc", "Sacral peak acceleration", "m/s²", "g", 1.0 / 9.80665, span: "stride", sign: "magnitude",
        is: "Largest specific force at the sacrum, 60 Hz low-pass.", is_not: "Not spinal load.", source: "our definition; docs/signal-chain.md" }
    TibialPeakAcc { "tibial_peak_acc", "Tibial peak acceleration", "m/s²", "g", 1.0 / 9.80665, span: "10 ms before to 60 ms after ic", sign: "magnitude; a lower bound when the sensor clipped",
        is: "Largest specific force at the shank, 60 Hz low-pass.", is_not: "A shock number, not bone load (Zandbergen 2023).", source: "Zandbergen 2023, doi 10.3389/fspor.2023.1085513" }
    TibialPeakAxial { "tibial_peak_axial", "Tibial axial peak", "m/s²", "g", 1.0 / 9.80665, span: "10 ms before to 60 ms after ic", sign: "along the shank, up positive",
        is: "Largest axial specific force at the shank.", is_not: "Not bone load.", source: "Zandbergen 2023, doi 10.3389/fspor.2023.1085513" }
    FootImpact { "foot_impact", "Foot impact", "m/s²", "g", 1.0 / 9.80665, span: "10 ms before to 60 ms after ic", sign: "magnitude",
        is: "Largest specific force at the foot.", is_not: "Absent when the sensor clipped, as ±16 g sensors mostly do.", source: "Bailey and Harle 2014 (70 g at the shoe); Potter 2019, doi 10.3390/s19112601 (ranges)" }
    VerticalStiffness { "k_vert", "Vertical stiffness", "N/m", "kN/m", 1e-3, span: "stride", sign: "positive",
        is: "Peak model force over centre-of-mass drop.", is_not: "A spring model: read changes only.", source: "Morin 2005, doi 10.1123/jab.21.2.167" }
    LegStiffness { "k_leg", "Leg stiffness", "N/m", "kN/m", 1e-3, span: "stride", sign: "positive",
        is: "Peak model force over leg compression.", is_not: "A spring model: read changes only.", source: "Morin 2005, doi 10.1123/jab.21.2.167" }
    PeakForceModel { "f_max_model", "Peak force (model)", "N", "N", 1.0, span: "contact", sign: "positive",
        is: "Peak vertical force of the spring model.", is_not: "Not measured force.", source: "Morin 2005, doi 10.1123/jab.21.2.167" }
    MlRmsRatio { "ml_rms_ratio", "Side-to-side share", "1", "%", 100.0, span: "stride", sign: "positive",
        is: "RMS of lateral over RMS of total pelvis acceleration.", is_not: "Not balance.", source: "Schütte 2015, doi 10.1371/journal.pone.0141957" }
    StepRegularityV { "step_regularity_v", "Step regularity (vertical)", "1", "1", 1.0, span: "8 strides", sign: "1 is perfect",
        is: "Autocorrelation of vertical acceleration at one step.", is_not: "Not symmetry of forces.", source: "Moe-Nilssen 2004, doi 10.1016/S0021-9290(03)00233-1" }
    StepRegularityAp { "step_regularity_ap", "Step regularity (fore-aft)", "1", "1", 1.0, span: "8 strides", sign: "1 is perfect",
        is: "Autocorrelation of fore-aft acceleration at one step.", is_not: "Not symmetry of forces.", source: "Moe-Nilssen 2004, doi 10.1016/S0021-9290(03)00233-1" }
    StrideRegularity { "stride_regularity", "Stride regularity", "1", "1", 1.0, span: "8 strides", sign: "1 is perfect",
        is: "Autocorrelation of vertical acceleration at one stride.", is_not: "Not fitness.", source: "Moe-Nilssen 2004, doi 10.1016/S0021-9290(03)00233-1" }
    HarmonicRatioV { "harmonic_ratio_v", "Harmonic ratio (vertical)", "1", "1", 1.0, span: "stride", sign: "higher is more step-symmetric",
        is: "Even over odd stride harmonics of vertical acceleration.", is_not: "Unbounded; not comparable across cadences.", source: "Menz 2003, doi 10.1016/S0966-6362(02)00159-5" }
    HarmonicRatioAp { "harmonic_ratio_ap", "Harmonic ratio (fore-aft)", "1", "1", 1.0, span: "stride", sign: "higher is more step-symmetric",
        is: "Even over odd stride harmonics of fore-aft acceleration.", is_not: "Unbounded; not comparable across cadences.", source: "Menz 2003, doi 10.1016/S0966-6362(02)00159-5" }
    HarmonicRatioMl { "harmonic_ratio_ml", "Harmonic ratio (lateral)", "1", "1", 1.0, span: "stride", sign: "higher is more step-symmetric",
        is: "Odd over even stride harmonics of lateral acceleration.", is_not: "Unbounded; not comparable across cadences.", source: "Menz 2003, doi 10.1016/S0966-6362(02)00159-5" }
    ShockAttenuation { "shock_attenuation", "Shock attenuation", "dB", "dB", 1.0, span: "8 strides", sign: "negative is attenuated",
        is: "Power at the sacrum against the tibia, 10 to 20 Hz.", is_not: "Not what the body absorbs: two sensors compared in one band.", source: "Shorten and Winslow 1992, doi 10.1123/ijsb.8.4.288" }
    StrideTimeCv { "stride_time_cv", "Stride time variability", "1", "%", 100.0, span: "32 strides", sign: "positive",
        is: "SD over mean of the last 32 stride times.", is_not: "Not fatigue by itself.", source: "definition" }
    StrideLengthCv { "stride_length_cv", "Stride length variability", "1", "%", 100.0, span: "32 strides", sign: "positive",
        is: "SD over mean of the last 32 stride lengths.", is_not: "Not fatigue by itself.", source: "definition" }
    FootStrikeClass { "foot_strike_class", "Foot strike", "1", "1", 1.0, span: "10 ms before ic", sign: "1 rear-foot, 0 mid-foot, −1 fore-foot",
        is: "Class of the foot strike angle (limits 8° and −1.6°), left only 2° beyond its limit.", is_not: "Not the pressure pattern under the sole; neither class is better.", source: "Altman and Davis 2012, doi 10.1016/j.gaitpost.2011.09.104; hysteresis our choice" }
}

/// How many metrics there are.
pub const METRIC_COUNT: usize = METRICS.len();

impl MetricId {
    /// Position in [`METRICS`].
    #[must_use]
    pub fn index(self) -> usize {
        self as usize
    }

    /// Its entry.
    #[must_use]
    pub fn def(self) -> &'static MetricDef {
        &METRICS[self.index()]
    }

    /// The metric with that column name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        METRICS.iter().find(|m| m.name == name).map(|m| m.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_stand_in_registry_order_and_names_are_unique_and_well_formed() {
        for (i, m) in METRICS.iter().enumerate() {
            assert_eq!(m.id.index(), i);
            assert_eq!(MetricId::from_name(m.name), Some(m.id));
            assert!(m.name.len() <= 41 && m.name.starts_with(|c: char| c.is_ascii_lowercase()));
            assert!(
                m.name
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
            );
            assert!(m.is.ends_with('.') && m.is_not.ends_with('.'), "{}", m.name);
        }
    }
}
