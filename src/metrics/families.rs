//! All families of per-stride metrics, in one call.

use super::context::{MetricSet, StrideContext};
use super::foot::Strike;
use super::pelvis_cycle::PelvisCycle;
use super::spectral::Spectral;
use super::variability::Variability;
use super::{braking, foot, overstride, pelvis, shank, spring, temporal};

/// Computes everything that one stride by itself, or with its predecessors, can tell.
#[derive(Clone, Debug, Default)]
pub struct StrideMetrics {
    strike: Strike,
    spectral: Spectral,
    variability: Variability,
}

impl StrideMetrics {
    /// Fills `set` from `ctx`. One line a family; a family writes a value or a reason for each of its metrics.
    pub fn compute_all(&mut self, ctx: &StrideContext, set: &mut MetricSet) {
        temporal::compute(ctx, set);
        foot::compute(ctx, set);
        self.strike.compute(set);
        shank::compute(ctx, set);
        let cycle = PelvisCycle::of(ctx);
        overstride::compute(ctx, &cycle, set);
        pelvis::compute(ctx, &cycle, set);
        braking::compute(ctx, &cycle, set);
        spring::compute(ctx, set);
        self.spectral.compute(ctx, set);
        self.variability.compute(ctx, set);
    }
}
