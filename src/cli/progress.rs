//! Progress of long work, on standard error.
//!
//! On a terminal a bar, from half a second on, at most ten times a second; elsewhere one line every ten seconds. It leaves
//! nothing behind.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

const SHOW_AFTER: Duration = Duration::from_millis(500);
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Progress of one piece of work in some unit.
#[derive(Debug)]
pub struct Progress {
    what: String,
    total: u64,
    started: Instant,
    last_line: Instant,
    bar: Option<ProgressBar>,
    terminal: bool,
    quiet: bool,
}

impl Progress {
    /// For `total` units of work called `what`.
    #[must_use]
    pub fn new(what: impl Into<String>, total: u64, quiet: bool) -> Self {
        let now = Instant::now();
        Self {
            what: what.into(),
            total,
            started: now,
            last_line: now,
            bar: None,
            terminal: std::io::stderr().is_terminal(),
            quiet,
        }
    }

    /// `done` units are done; `note` says how fast.
    pub fn at(&mut self, done: u64, note: &str) {
        if self.quiet {
            return;
        }
        if !self.terminal {
            if self.last_line.elapsed() >= LINE_EVERY {
                self.last_line = Instant::now();
                eprintln!(
                    "{} {:.0} % {note}",
                    self.what,
                    100.0 * done as f64 / self.total.max(1) as f64
                );
            }
            return;
        }
        if self.started.elapsed() < SHOW_AFTER {
            return;
        }
        let bar = self.bar.get_or_insert_with(|| {
            let bar = ProgressBar::with_draw_target(Some(self.total), ProgressDrawTarget::stderr_with_hz(10));
            // The template is a constant that is known to parse.
            if let Ok(style) = ProgressStyle::with_template("{prefix} {percent:>3} % {bar:24} {msg} {eta} left") {
                bar.set_style(style.progress_chars("█▉ "));
            }
            bar.set_prefix(self.what.clone());
            bar
        });
        bar.set_message(note.to_owned());
        bar.set_position(done);
    }

    /// The work is over; the bar goes.
    pub fn done(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
