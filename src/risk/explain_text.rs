//! An explanation as plain text, one block a question: what, from what, against what, how counted, how sure, what else.

use super::explain::{ConditionShown, Data, Explanation, InputShown, Outcome};
use super::usual::Compared;
use std::fmt::Write as _;

impl Explanation {
    /// As text for a terminal or a page.
    #[must_use]
    pub fn text(&self) -> String {
        let mut t = String::new();
        // Writing to a String cannot fail.
        let _ = writeln!(
            t,
            "{} {} · {} since day {} · day {} · rules {}",
            self.flag,
            self.slug.replace('_', " "),
            self.state.replace('_', " "),
            self.since_day,
            self.day,
            self.rules_version
        );
        match &self.outcome {
            Outcome::Raised { message, .. } => {
                let _ = writeln!(t, "  {message}");
            }
            Outcome::Clear => t.push_str("  evaluated, nothing to show\n"),
            Outcome::Insufficient { missing } => {
                t.push_str("  not enough data:\n");
                for m in missing {
                    let _ = match m.input.is_empty() {
                        true => writeln!(t, "    {}", m.why),
                        false => writeln!(t, "    {}: {}", m.input, m.why),
                    };
                }
            }
        }
        if let Some(day) = self.values_of_day {
            let _ = writeln!(t, "inputs, of day {day}");
            self.inputs.iter().for_each(|i| input(&mut t, i));
            t.push_str("levels\n");
            for level in &self.levels {
                let any: Vec<String> = level
                    .conditions
                    .iter()
                    .map(|all| {
                        let all: Vec<String> = all.iter().map(condition).collect();
                        all.join(" and ")
                    })
                    .collect();
                let holds = if level.holds { "holds" } else { "does not hold" };
                let _ = writeln!(t, "  {:<5} {}: {holds}", level.level.name(), any.join(", or "));
            }
        }
        let _ = writeln!(t, "counted ({})\n  {}", self.memory, self.counted);
        for vote in &self.votes {
            let _ = writeln!(t, "  run of day {}: {}", vote.day, vote.reaches.name());
        }
        let e = &self.evidence;
        let marks = [
            (e.contested, ", disputed"),
            (e.convention, ", a convention"),
            (e.indirect, ", indirect"),
        ];
        let marks: String = marks.iter().filter(|m| m.0).map(|m| m.1).collect();
        let counts = if self.counts {
            "may move the summary"
        } else {
            "does not move the summary"
        };
        let _ = writeln!(
            t,
            "evidence {} ({}{marks}), about {}; at most {}; {counts}\n  {}",
            e.strength.letter(),
            e.strength.word(),
            e.outcome.words(),
            self.cap.name(),
            e.note
        );
        let _ = writeln!(t, "data {}", data(self.data));
        t.push_str("sources\n");
        for c in &self.sources {
            let year = c.year.map(|y| format!(" {y}")).unwrap_or_default();
            let doi = c.doi.as_ref().map(|d| format!(", doi {d}")).unwrap_or_default();
            let _ = writeln!(
                t,
                "  {}{year}, {}{doi} (read: {}): {}",
                c.authors, c.journal, c.basis, c.finding
            );
        }
        t.push_str("what else could explain it\n");
        for reason in &self.other_reasons {
            let _ = writeln!(t, "  {reason}");
        }
        let _ = writeln!(t, "what would clear it\n  {}", self.clears);
        t.push_str("worth trying\n");
        for offer in &self.offers {
            let _ = writeln!(t, "  {offer}");
        }
        t
    }
}

/// A number with up to three decimals.
fn number(x: f64) -> String {
    let text = format!("{x:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

fn condition(c: &ConditionShown) -> String {
    let widened = if c.effective == c.table {
        String::new()
    } else {
        format!(" (table {}, widened by the own spread)", number(c.table))
    };
    format!("{} {} {}{widened}", c.input, c.op.sign(), number(c.effective))
}

fn input(t: &mut String, i: &InputShown) {
    let value = match (&i.value, &i.missing) {
        (Some(x), _) => format!("{} {}", number(*x), i.unit),
        (None, Some(why)) => format!("not known: {why}"),
        (None, None) => "not known".to_owned(),
    };
    let _ = writeln!(t, "  {} = {value}\n    {}", i.name, i.definition);
    for c in &i.compared {
        compared(t, c);
    }
    if let Some((low, high)) = i.own_band {
        let _ = writeln!(t, "    own band {} to {} {}", number(low), number(high), i.unit);
    }
    let origins: Vec<String> = i.origins.iter().map(|o| format!("{} ({})", o.raw, o.from)).collect();
    let _ = writeln!(t, "    from {}", origins.join("; "));
}

fn compared(t: &mut String, c: &Compared) {
    let _ = writeln!(
        t,
        "    {}: {} at {} m/s; usual {} from {} runs (slope {} per m/s, compared from {} to {} m/s); change {}, spread {}",
        c.channel,
        number(c.value),
        number(c.speed_ms),
        number(c.expected),
        c.runs,
        number(c.slope),
        number(c.speeds_ms.0),
        number(c.speeds_ms.1),
        number(c.change),
        number(c.spread)
    );
}

fn data(data: Data) -> &'static str {
    match data {
        Data::Good => "good: a full reference and 20 windows or more",
        Data::Fair => "fair: a usable reference; pelvic angles are never better",
        Data::Poor => "poor: a trend only",
        Data::None => "none",
        Data::Entered => "entered: no sensor, what was logged or answered",
    }
}
