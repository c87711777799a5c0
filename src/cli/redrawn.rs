//! A few lines at the end of the terminal that are drawn over themselves and leave nothing behind.
//!
//! Only on a terminal that can; everywhere else nothing is drawn, and the command says what matters in plain lines.

use super::console::{Console, spelled};
use ratatui::crossterm::terminal::{self, Clear, ClearType};
use ratatui::crossterm::{cursor, queue};
use std::io::{self, Write as _};

/// See the module's head.
pub struct Redrawn {
    draws: bool,
    lines: u16,
}

impl Redrawn {
    /// Nothing drawn yet.
    #[must_use]
    pub fn new(console: Console) -> Self {
        let dumb = std::env::var_os("TERM").is_some_and(|v| v == "dumb");
        Self {
            draws: console.draws_progress() && !dumb,
            lines: 0,
        }
    }

    /// Whether anything is ever seen of it.
    #[must_use]
    pub fn draws(&self) -> bool {
        self.draws
    }

    /// Draws these lines in place of those before; what does not fit is cut, so that they can be drawn over again.
    pub fn draw(&mut self, text: &str) {
        if !self.draws {
            return;
        }
        let (columns, rows) = terminal::size().unwrap_or((80, 24));
        let text = fitted(&spelled(text), columns.into(), usize::from(rows).saturating_sub(1));
        // Nowhere is left to say that the terminal is gone.
        let _ = self.put(&text);
    }

    /// Takes the lines away.
    pub fn clear(&mut self) {
        if self.lines > 0 {
            let _ = self.put("");
        }
    }

    fn put(&mut self, text: &str) -> io::Result<()> {
        let mut out = io::stderr().lock();
        if self.lines > 0 {
            queue!(out, cursor::MoveToColumn(0), cursor::MoveUp(self.lines))?;
        }
        queue!(out, Clear(ClearType::FromCursorDown))?;
        out.write_all(text.as_bytes())?;
        self.lines = u16::try_from(text.matches('\n').count()).unwrap_or(u16::MAX);
        out.flush()
    }
}

impl Drop for Redrawn {
    fn drop(&mut self) {
        self.clear();
    }
}

/// At most `rows` lines of less than `columns` characters, each ended.
fn fitted(text: &str, columns: usize, rows: usize) -> String {
    let mut fitted = String::new();
    for line in text.lines().take(rows) {
        fitted.extend(line.chars().take(columns.saturating_sub(1)));
        fitted.push('\n');
    }
    fitted
}

#[cfg(test)]
mod tests {
    use super::fitted;

    #[test]
    fn what_is_drawn_never_wraps_or_scrolls() {
        assert_eq!(fitted("abcdef\nb\nc", 4, 2), "abc\nb\n");
        assert_eq!(fitted("", 80, 24), "");
    }
}
