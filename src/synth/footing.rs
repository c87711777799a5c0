//! What is drawn for one contact of one foot: how it strikes, rolls, creeps and pushes.

use super::pace::{FOREFOOT_RAD, push_lead, slap_delay};
use super::rng::{Rng, Wander};
use super::step::{Gait, Step};
use super::subject::Subject;
use crate::model::units::rad;

/// Speed from which running turns into sprinting, in which the foot has no flat phase, m/s.
const SPRINT_SPEED: f64 = 5.5;

/// Deviations of one foot that persist from stride to stride.
#[derive(Debug, Default)]
pub(super) struct Footing {
    strike: Wander,
    creep: Wander,
}

impl Footing {
    /// Fills in what this contact has of its own; times, speed and form are already in `step`.
    pub(super) fn draw(&mut self, rng: &mut Rng, subject: &Subject, contact_s: f64, step: &mut Step) {
        let var = subject.variability;
        let run = step.gait == Gait::Run;
        let usual_strike = if run {
            subject.strike_rad + step.form.strike_rad
        } else {
            subject.walk_strike_rad
        };
        step.strike_rad = usual_strike + rad(1.5) * var * self.strike.next(rng);
        let creep = subject.creep_mps + subject.creep_sd_mps * var * self.creep.next(rng);
        // In walking the forefoot carries less of the weight while it creeps.
        step.creep_mps = if run { creep } else { 0.3 * creep };

        step.slap_delay_s = match slap_delay(step.speed, step.strike_rad) + 0.002 * var * rng.normal() {
            // The sign tells heel from forefoot: chance must not change it.
            before if step.strike_rad < FOREFOOT_RAD => before.min(-0.015),
            after => after.max(0.002),
        };
        step.push_lead_s = (push_lead(step.gait, step.speed) + 0.0025 * var * rng.normal()).max(0.006);

        // Faster feet are stopped and rolled over faster; the shapes scale with contact time.
        let briskness = if run { 0.245 / contact_s } else { 0.3 };
        let (mid_pitch, mid_rate) = if run { (rad(-5.5), 1.0) } else { (rad(-2.0), 0.25) };
        step.mid_pitch_rad = mid_pitch + rad(0.7) * var * rng.normal();
        let sprint = if run {
            1.5 * (step.speed - SPRINT_SPEED).clamp(0.0, 1.0)
        } else {
            0.0
        };
        step.mid_rate = mid_rate * (1.0 + 0.1 * var * rng.normal()) * briskness.max(0.8).sqrt() + sprint;
        // Real running shows |f| − g of 1.5 to 4 m/s² at mid-stance (signal design 19.3).
        let mid_acc = if step.slap_delay_s < 0.0 {
            [1.7, 1.35]
        } else {
            [2.6, 2.0]
        };
        step.mid_acc = mid_acc.map(|a| a * briskness.min(1.25));

        step.toe_out_rad += rad(1.0) * var * rng.normal();
        // A soft sole gives way by a centimetre or so, whatever the speed.
        step.sole_delay_s = subject.sole_delay_s.min(0.012 / (0.35 * step.speed));
        step.impact_s = subject.impact_s * (1.0 + 0.08 * var * rng.normal());
    }
}
