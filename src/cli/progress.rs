//! How far a long command is: a bar on a terminal, a line every ten seconds elsewhere, nothing for what is over at once.

use super::console::{Console, speaks_unicode};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::{Duration, Instant};

/// A bar appears after this long.
const SHOW_AFTER: Duration = Duration::from_millis(500);
/// Off a terminal, one line in this time.
const LINE_EVERY: Duration = Duration::from_secs(10);
/// Drawn at most this often per second.
const DRAW_HZ: u8 = 10;

/// Progress of one command, measured in bytes or any other count.
pub struct Progress {
    what: &'static str,
    total: u64,
    bar: Option<ProgressBar>,
    lines: bool,
    began: Instant,
    last_line: Instant,
}

impl Progress {
    /// Progress of `what` (a participle: "analysing") towards `total`.
    #[must_use]
    pub fn new(console: Console, what: &'static str, total: u64) -> Self {
        let now = Instant::now();
        let bar = console.draws_progress().then(|| {
            let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::hidden());
            let blocks = if speaks_unicode() { "█░" } else { "#." };
            if let Ok(style) = ProgressStyle::with_template("{msg} {bar:20} {percent:>3} %  {prefix}  {eta} left") {
                bar.set_style(style.progress_chars(blocks));
            }
            bar.set_message(what);
            bar
        });
        Self {
            what,
            total,
            bar,
            lines: !console.quiet && !console.draws_progress(),
            began: now,
            last_line: now,
        }
    }

    /// Says how far it is; `signal_s` is how many seconds of signal that was, for the speed over real time.
    pub fn at(&mut self, done: u64, signal_s: f64) {
        let now = Instant::now();
        let spent = now.duration_since(self.began);
        let rate = signal_s / spent.as_secs_f64().max(1e-3);
        if let Some(bar) = &self.bar {
            if spent >= SHOW_AFTER {
                if bar.is_hidden() {
                    bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(DRAW_HZ));
                }
                bar.set_prefix(format!("{rate:.0}x real time"));
                bar.set_position(done.min(self.total));
            }
        } else if self.lines && now.duration_since(self.last_line) >= LINE_EVERY {
            self.last_line = now;
            let share = 100.0 * done as f64 / self.total.max(1) as f64;
            let line = format!("{} {share:.0} %, {rate:.0}x real time", self.what);
            let _ = std::io::Write::write_all(&mut std::io::stderr().lock(), format!("{line}\n").as_bytes());
        }
    }

    /// Leaves nothing behind.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
