//! Where a command writes: results on standard output, everything else on standard error.
//!
//! A closed pipe (`lope … | head`) is a normal end, not a failure.

use super::failure::{Exit, Failure, Paint};
use std::borrow::Cow;
use std::io::{self, IsTerminal as _, Write as _};

/// What the global flags say about output.
#[derive(Clone, Copy, Debug)]
pub struct Console {
    /// Results as JSON.
    pub json: bool,
    /// No advice, no progress.
    pub quiet: bool,
    /// Never colour.
    pub no_color: bool,
}

impl Console {
    /// Writes a result to standard output.
    ///
    /// # Errors
    /// Standard output cannot be written, other than by being closed by its reader.
    pub fn result(&self, text: &str) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        // JSON is UTF-8 wherever it is read.
        let text = if self.json { Cow::Borrowed(text) } else { spelled(text) };
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(e) if e.kind() != io::ErrorKind::BrokenPipe => Err(Failure::new(
                "lope::output::write",
                Exit::Outside,
                "The result could not be written to standard output.",
            )
            .why(e.to_string())),
            _ => Ok(()),
        }
    }

    /// Writes one line of advice to standard error, unless `--quiet`.
    pub fn advice(&self, line: &str) {
        if !self.quiet {
            // Nowhere is left to say that standard error is gone.
            let _ = writeln!(io::stderr().lock(), "{}", spelled(line));
        }
    }

    /// Writes a failure to standard error, always.
    pub fn failure(&self, failure: &Failure) {
        let _ = io::stderr()
            .lock()
            .write_all(spelled(&failure.text(self.paint_stderr())).as_bytes());
    }

    /// Whether standard error is coloured: a terminal, `NO_COLOR` empty or unset, no `--no-color`, a terminal that can.
    #[must_use]
    pub fn paint_stderr(&self) -> Paint {
        let refused = self.no_color
            || std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty())
            || std::env::var_os("TERM").is_some_and(|v| v == "dumb");
        if io::stderr().is_terminal() && !refused {
            Paint::Coloured
        } else {
            Paint::Plain
        }
    }

    /// Whether progress may be drawn over itself.
    #[must_use]
    pub fn draws_progress(&self) -> bool {
        !self.quiet && io::stderr().is_terminal()
    }
}

/// Whether the terminal's locale shows letters beyond ASCII. `LANG=C` gets plain bars.
#[must_use]
pub fn speaks_unicode() -> bool {
    let set = |name| std::env::var(name).ok().filter(|v| !v.is_empty());
    match set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG")) {
        Some(locale) => {
            let locale = locale.to_ascii_lowercase();
            locale.contains("utf-8") || locale.contains("utf8")
        }
        None => cfg!(windows) || cfg!(target_os = "macos"),
    }
}

/// A text as this terminal's locale can show it.
#[must_use]
pub fn spelled(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || speaks_unicode() {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(ascii(text))
    }
}

/// A text in ASCII: what lope itself writes has a spelling, the rest (names of files and people) becomes `?`.
fn ascii(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if c.is_ascii() => plain.push(c),
            '·' => plain.push(';'),
            '°' => plain.push_str("deg"),
            '²' => plain.push('2'),
            '×' => plain.push('x'),
            '±' => plain.push_str("+-"),
            '–' | '—' | '−' => plain.push('-'),
            '…' => plain.push_str("..."),
            '“' | '”' => plain.push('"'),
            '‘' | '’' => plain.push('\''),
            'µ' | 'μ' => plain.push('u'),
            _ => plain.push('?'),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::ascii;

    #[test]
    fn every_unit_has_a_spelling_in_ascii() {
        assert_eq!(
            ascii("12 °/s · 9.8 m/s² × 2 – ±1 …"),
            "12 deg/s ; 9.8 m/s2 x 2 - +-1 ..."
        );
        for def in crate::metrics::registry::METRICS {
            for text in [def.label, def.shown_unit] {
                assert!(ascii(text).is_ascii() && !ascii(text).contains('?'), "{text}");
            }
        }
    }
}
