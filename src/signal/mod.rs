//! Filters, windows, peaks, spectra: signal processing that knows no gait.

pub mod butterworth;
pub mod spectrum;
