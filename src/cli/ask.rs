//! Questions on a terminal: one line each, Enter leaves it unanswered, `q` ends asking and keeps what was answered.
//!
//! Reading and writing go through a pair of streams, so that a whole conversation can be tested without a terminal.

use super::console::spelled;
use super::failure::{Exit, Failure};
use std::io::{self, BufRead, IsTerminal as _, Write};

/// A conversation.
pub struct Asking<'a> {
    from: &'a mut dyn BufRead,
    to: &'a mut dyn Write,
    ended: bool,
}

/// Runs `talk` with the terminal; `None` when there is none to talk with.
///
/// # Errors
/// Those of `talk`.
pub fn on_terminal<T>(talk: impl FnOnce(&mut Asking<'_>) -> Result<T, Failure>) -> Result<Option<T>, Failure> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Ok(None);
    }
    let mut from = io::stdin().lock();
    let mut to = io::stderr();
    talk(&mut Asking::new(&mut from, &mut to)).map(Some)
}

impl<'a> Asking<'a> {
    /// A conversation over these streams.
    pub fn new(from: &'a mut dyn BufRead, to: &'a mut dyn Write) -> Self {
        Self { from, to, ended: false }
    }

    /// Says a line.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn say(&mut self, line: &str) -> Result<(), Failure> {
        writeln!(self.to, "{}", spelled(line)).map_err(|e| gone(&e))
    }

    /// Asks until the answer is one that `read` understands. Empty is no answer; `q` and the end of input leave this and
    /// all later questions unanswered.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn ask<T>(
        &mut self,
        question: &str,
        hint: &str,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, Failure> {
        while !self.ended {
            write!(self.to, "{} [{}] ", spelled(question), spelled(hint))
                .and_then(|()| self.to.flush())
                .map_err(|e| gone(&e))?;
            let mut line = String::new();
            if self.from.read_line(&mut line).map_err(|e| gone(&e))? == 0 {
                self.ended = true;
                self.say("")?;
                break;
            }
            match line.trim() {
                "" => return Ok(None),
                "q" => self.ended = true,
                answer => match read(answer) {
                    Ok(value) => return Ok(Some(value)),
                    Err(expected) => self.say(&format!("  {expected}; Enter skips"))?,
                },
            }
        }
        Ok(None)
    }

    /// Asks for 0 to 10.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn score(&mut self, question: &str) -> Result<Option<u8>, Failure> {
        self.ask(question, "0-10", |text| match text.parse::<u8>() {
            Ok(n) if n <= 10 => Ok(n),
            _ => Err("a whole number from 0 to 10".to_owned()),
        })
    }

    /// Asks for yes or no.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn yes(&mut self, question: &str) -> Result<Option<bool>, Failure> {
        self.ask(question, "y/n", |text| match text {
            "y" | "Y" | "yes" | "1" => Ok(true),
            "n" | "N" | "no" | "0" => Ok(false),
            _ => Err("y or n".to_owned()),
        })
    }

    /// Asks for a number within `range`.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn number(
        &mut self,
        question: &str,
        unit: &str,
        range: std::ops::RangeInclusive<f64>,
    ) -> Result<Option<f64>, Failure> {
        self.ask(question, unit, |text| match text.parse::<f64>() {
            Ok(v) if range.contains(&v) => Ok(v),
            _ => Err(format!("a number from {} to {}", range.start(), range.end())),
        })
    }

    /// Asks for one of several by its number, from 1.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn choice<T: Copy>(&mut self, question: &str, choices: &[(&str, T)]) -> Result<Option<T>, Failure> {
        let list: Vec<String> = choices
            .iter()
            .enumerate()
            .map(|(i, (name, _))| format!("{} {name}", i + 1))
            .collect();
        self.ask(question, &list.join(" · "), |text| {
            let picked = text.parse::<usize>().ok().and_then(|n| choices.get(n.checked_sub(1)?));
            picked
                .or_else(|| choices.iter().find(|(name, _)| *name == text))
                .map(|(_, value)| *value)
                .ok_or_else(|| format!("a number from 1 to {}", choices.len()))
        })
    }

    /// Asks for several of a list by their numbers, from 1; `0` is none of them, and an answer.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn several(&mut self, question: &str, none: &str, choices: &[&str]) -> Result<Option<Vec<usize>>, Failure> {
        if self.ended {
            return Ok(None);
        }
        self.say(question)?;
        self.say(&format!("   0  {none}"))?;
        for (i, text) in choices.iter().enumerate() {
            self.say(&format!("  {:>2}  {text}", i + 1))?;
        }
        self.ask("", "numbers, 0 for none", |text| {
            let wrong = || format!("0, or numbers from 1 to {} with spaces between", choices.len());
            let mut picked = Vec::new();
            for word in text.split([' ', ',']).filter(|w| !w.is_empty()) {
                let n = word.parse::<usize>().map_err(|_| wrong())?;
                if n > choices.len() {
                    return Err(wrong());
                }
                picked.push(n);
            }
            picked.sort_unstable();
            picked.dedup();
            match picked.as_slice() {
                [0] => Ok(Vec::new()),
                [0, ..] | [] => Err(wrong()),
                many => Ok(many.iter().map(|n| n - 1).collect()),
            }
        })
    }
}

fn gone(error: &io::Error) -> Failure {
    Failure::new("lope::terminal::gone", Exit::Outside, "The terminal does not answer.")
        .why(error.to_string())
        .try_this("give the answers as flags: see --help")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with<T>(typed: &str, talk: impl FnOnce(&mut Asking<'_>) -> Result<T, Failure>) -> (T, String) {
        let mut from = typed.as_bytes();
        let mut to = Vec::new();
        let value = talk(&mut Asking::new(&mut from, &mut to)).expect("answered");
        (value, String::from_utf8(to).expect("text"))
    }

    #[test]
    fn a_wrong_answer_is_asked_again_and_enter_skips() {
        let (answers, shown) = with("11\n3\n\nmaybe\ny\n", |a| {
            Ok((a.score("How?")?, a.score("How tired?")?, a.yes("Sure?")?))
        });
        assert_eq!(answers, (Some(3), None, Some(true)));
        assert!(shown.contains("a whole number from 0 to 10"), "{shown}");
        assert_eq!(shown.matches("How? ").count(), 2);
    }

    #[test]
    fn q_and_the_end_of_input_leave_the_rest_unanswered() {
        for typed in ["2\nq\n5\n", "2\n"] {
            let (answers, _) = with(typed, |a| Ok((a.score("A?")?, a.score("B?")?, a.score("C?")?)));
            assert_eq!(answers, (Some(2), None, None), "{typed:?}");
        }
    }

    #[test]
    fn none_of_a_list_is_an_answer_and_nothing_is_not() {
        let row = |typed: &str| with(typed, |a| a.several("New?", "nothing new", &["numb", "fever", "fall"])).0;
        assert_eq!(row("0\n"), Some(vec![]));
        assert_eq!(row("3 1,1\n"), Some(vec![0, 2]));
        assert_eq!(row("0 2\n2\n"), Some(vec![1]));
        assert_eq!(row("\n"), None);
        let (picked, shown) = with("4\n2\n", |a| a.choice("What?", &[("easy", 'e'), ("long", 'l')]));
        assert_eq!(picked, Some('l'));
        assert!(shown.contains("1 easy"), "{shown}");
    }
}
