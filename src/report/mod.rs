//! Reports: what a runner, a coach or a therapist takes away from the record, as HTML and as accessible PDF.
//!
//! A report describes. It holds numbers with their units, what they are compared with, how far they can be told from chance,
//! the messages of the flags and the whole computation behind them; no sentence of interpretation beyond those messages and
//! no advice beyond the remedies that flags offer. What is missing, doubtful or exchanged looks like it.
//!
//! [`content::gather`] asks the record, [`content::compose`] makes a [`document::Document`] of the answers without looking
//! anywhere else, [`html::html`] and `pdf::pdf` print it. Nothing here reads a clock: callers say which day it is.

pub mod chart;
pub mod content;
pub mod document;
pub mod html;
#[cfg(feature = "pdf")]
pub mod pdf;

pub use content::{Ask, Form, Naming, Reader, compose, gather, gather_at_most};
pub use document::{Document, Paper};
