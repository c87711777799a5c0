//! `lope trend`: one metric over weeks at matched speed, drawn in the terminal.

use super::Globals;
use super::console::speaks_unicode;
use super::failure::{Exit, Failure};
use super::flags_record::{WhoseArgs, athlete, day, print_json};
use crate::interchange::flag_rules;
use crate::metrics::METRICS;
use crate::review::own_usual::{Part, Series};
use crate::review::precision::Precision;
use crate::review::trend::{TrendQuery, trend};
use crate::review::{Review, Sight, Trend, TrendPoint};
use crate::risk::Rules;
use clap::Args;
use std::fmt::Write as _;

/// Columns and lines of the drawing.
const COLUMNS: usize = 64;
const LINES: usize = 13;

/// Arguments of `lope trend`.
#[derive(Args, Debug)]
pub struct TrendArgs {
    /// A metric (cadence, contact_time, …) or a run value of the flags (contact_asym_pct, drop_left_deg, …)
    pub metric: String,
    /// Whose.
    #[command(flatten)]
    pub whose: WhoseArgs,
    /// Weeks looked back on
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=1040))]
    pub weeks: u32,
    /// Speed at which runs are compared, m/s; the middle speed of your reference where none is named
    #[arg(long, value_name = "M_PER_S", value_parser = super::positive)]
    pub speed: Option<f64>,
    /// Part of each run: all, first (minutes 5 to 15), last (ten minutes)
    #[arg(long, default_value = "all", value_parser = ["all", "first", "last"])]
    pub part: String,
    /// The last day; today where none is named
    #[arg(long, value_name = "DAY")]
    pub day: Option<String>,
}

/// Runs `lope trend`.
///
/// # Errors
/// No such metric; those of the store.
pub fn run(globals: &Globals, args: &TrendArgs) -> Result<Exit, Failure> {
    let rules = flag_rules::built_in();
    let series = Series::from_name(&args.metric, &rules).ok_or_else(|| no_such(&args.metric, &rules))?;
    let query = TrendQuery {
        series,
        weeks: args.weeks,
        speed_ms: args.speed,
        part: Part::from_name(&args.part).unwrap_or_default(),
    };
    let review = Review::open(&globals.data_dir()?, rules)?;
    let who = athlete(globals, args.whose.athlete.as_deref())?;
    let past = review.past(&who, day(args.day.as_deref())?)?;
    let kept = review.series().state_changes(&who, &review.rules().version)?;
    let t = trend(review.rules(), &past, &query, Sight::Everything, &kept);
    if globals.console.json {
        return print_json(globals, &t);
    }
    let signs = if speaks_unicode() { &UNICODE } else { &ASCII };
    globals.console.result(&text(&t, args.weeks, signs))?;
    Ok(Exit::Done)
}

fn no_such(name: &str, rules: &Rules) -> Failure {
    let mut known: Vec<&str> = METRICS.iter().map(|m| m.name).chain(rules.measured()).collect();
    known.sort_by_key(|k| usize::MAX - common(k, name));
    Failure::new(
        "lope::trend::unknown",
        Exit::Unknown,
        format!("There is no metric {name}."),
    )
    .try_this(format!(
        "near it: {}",
        known.into_iter().take(4).collect::<Vec<_>>().join(", ")
    ))
    .try_this("docs/reference/metrics.md lists all of them")
}

/// Letters that two names share from the beginning.
fn common(a: &str, b: &str) -> usize {
    a.chars().zip(b.chars()).take_while(|(x, y)| x == y).count()
}

/// What a drawing is made of.
struct Signs {
    run: char,
    reference: char,
    apart: char,
    middle: char,
    edge: char,
    rolling: char,
}

const UNICODE: Signs = Signs {
    run: '●',
    reference: '◆',
    apart: '○',
    middle: '─',
    edge: '┄',
    rolling: '·',
};

const ASCII: Signs = Signs {
    run: '*',
    reference: '#',
    apart: 'o',
    middle: '-',
    edge: '.',
    rolling: '~',
};

fn text(t: &Trend, weeks: u32, signs: &Signs) -> String {
    let smallest = t.smallest_change.as_ref().map(|s| s.value);
    let precise = Precision::of(&t.shown_unit, t.shown_factor, smallest);
    let at = t
        .reference_speed_ms
        .map(|v| format!(" at {v:.2} m/s"))
        .unwrap_or_default();
    let mut out = format!("{}{at} · {weeks} weeks · {} runs\n", t.title, t.points.len());
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{}", t.verdict.text);
    if let Some(s) = &t.smallest_change {
        let _ = writeln!(out, "{}", s.text);
    }
    if let Some(r) = &t.reference {
        let _ = writeln!(
            out,
            "your usual {}, band {} to {} ({} runs, {})",
            precise.text(r.mid),
            precise.text(r.low),
            precise.text(r.high),
            r.runs,
            r.state.word()
        );
    }
    out.push('\n');
    out.push_str(&drawing(t, signs));
    let apart: Vec<&TrendPoint> = t.points.iter().filter(|p| !p.at_speed).collect();
    let _ = writeln!(
        out,
        "{} run  {} in the reference  {} not comparable  {} your usual  {} band  {} 42-day median",
        signs.run, signs.reference, signs.apart, signs.middle, signs.edge, signs.rolling
    );
    let mut reasons: Vec<(&str, usize)> = Vec::new();
    for why in apart.iter().filter_map(|p| p.why_not.as_deref()) {
        match reasons.iter_mut().find(|(known, _)| *known == why) {
            Some((_, n)) => *n += 1,
            None => reasons.push((why, 1)),
        }
    }
    for (why, n) in reasons.iter().take(5) {
        let _ = writeln!(out, "  {n} not comparable: {why}");
    }
    if reasons.len() > 5 {
        let _ = writeln!(out, "  and {} more reasons (--json has all)", reasons.len() - 5);
    }
    let _ = writeln!(out, "next: lope flags show");
    out
}

/// Runs over days, with band, usual and rolling median behind them.
fn drawing(t: &Trend, signs: &Signs) -> String {
    let (Some(first), Some(last)) = (t.points.first(), t.points.last()) else {
        return "no run in these weeks\n".to_owned();
    };
    let factor = t.shown_factor;
    let values = t.points.iter().filter_map(|p| p.value);
    let band = t.reference.into_iter().flat_map(|r| [r.low, r.high]);
    let all: Vec<f64> = values.chain(band).map(|v| v * factor).collect();
    let (Some(low), Some(high)) = (
        all.iter().copied().reduce(f64::min),
        all.iter().copied().reduce(f64::max),
    ) else {
        return "no run of these weeks has a value\n".to_owned();
    };
    // A flat series still needs a height.
    let pad = (0.05 * (high - low)).max(1e-3 * high.abs()).max(1e-9);
    let (low, high) = (low - pad, high + pad);
    let line_of = |v: f64| {
        let share = (high - v * factor) / (high - low);
        ((share * (LINES - 1) as f64).round() as usize).min(LINES - 1)
    };
    let days = f64::from((last.day.days() - first.day.days()).max(1));
    let column_of = |day: i32| (f64::from(day - first.day.days()) / days * (COLUMNS - 1) as f64).round() as usize;
    let mut cells = vec![vec![' '; COLUMNS]; LINES];
    if let Some(r) = &t.reference {
        for (value, sign) in [(r.low, signs.edge), (r.high, signs.edge), (r.mid, signs.middle)] {
            cells[line_of(value)].fill(sign);
        }
    }
    for v in &t.rolling42 {
        cells[line_of(v.value)][column_of(v.day.days()).min(COLUMNS - 1)] = signs.rolling;
    }
    // Runs that do not compare first, so that those that do stand over them.
    let order = |at_speed: bool| t.points.iter().filter(move |p| p.at_speed == at_speed);
    for p in order(false).chain(order(true)) {
        let Some(value) = p.value else { continue };
        let sign = match (p.at_speed, p.runs_in_reference) {
            (false, _) => signs.apart,
            (true, true) => signs.reference,
            (true, false) => signs.run,
        };
        cells[line_of(value)][column_of(p.day.days()).min(COLUMNS - 1)] = sign;
    }
    let mut out = String::new();
    for (i, line) in cells.iter().enumerate() {
        let share = i as f64 / (LINES - 1) as f64;
        let label = if i % 4 == 0 {
            format!("{:9.2}", high - share * (high - low))
        } else {
            " ".repeat(9)
        };
        let line: String = line.iter().collect();
        let _ = writeln!(out, "{label} | {}", line.trim_end());
    }
    let gap = COLUMNS.saturating_sub(20);
    let _ = writeln!(
        out,
        "{:>9}   {}{}{}",
        t.shown_unit,
        first.day,
        " ".repeat(gap),
        last.day
    );
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::review::{DataWord, OwnBand, ReferenceWord, Verdict, VerdictWord};
    use crate::store::journal::Day;
    use crate::store::{AthleteId, SessionId};

    fn example() -> Trend {
        let point = |i: i32, value: f64, at_speed| TrendPoint {
            session: SessionId::parse(&format!("s{i}")).expect("id"),
            day: Day::from_days(20_500 + i),
            start_us: 0,
            value: Some(value),
            at_speed,
            sigma: None,
            data: DataWord::Good,
            shoe: None,
            ground: None,
            runs_in_reference: i < 4,
            why_not: (!at_speed).then(|| "outside your usual speeds".to_owned()),
        };
        Trend {
            athlete: AthleteId::parse("me").expect("id"),
            metric: "contact_time".to_owned(),
            title: "Contact time".to_owned(),
            unit: "s".to_owned(),
            shown_unit: "ms".to_owned(),
            shown_factor: 1000.0,
            reference_speed_ms: Some(3.0),
            speed_known: true,
            points: vec![
                point(0, 0.240, true),
                point(3, 0.244, true),
                point(6, 0.290, false),
                point(9, 0.242, true),
            ],
            reference: Some(OwnBand {
                low: 0.236,
                mid: 0.242,
                high: 0.248,
                runs: 8,
                state: ReferenceWord::Frozen,
            }),
            rolling42: Vec::new(),
            smallest_change: None,
            verdict: Verdict {
                word: VerdictWord::NoRealChange,
                text: "No real change.".to_owned(),
            },
            symptoms: None,
            load: Vec::new(),
            flags: Vec::new(),
            shoes: Vec::new(),
            grounds: Vec::new(),
        }
    }

    #[test]
    fn a_drawing_has_every_run_where_it_belongs_and_reads_in_ascii() {
        let t = example();
        let drawn = drawing(&t, &ASCII);
        assert!(drawn.is_ascii(), "{drawn}");
        let count = |c: char| drawn.matches(c).count();
        assert_eq!((count('#'), count('o'), count('*')), (2, 1, 1), "{drawn}");
        let lines: Vec<&str> = drawn.lines().collect();
        assert_eq!(lines.len(), LINES + 1);
        // The slow run is the highest value, and stands two thirds of the way along.
        let top = lines[..3].iter().find(|l| l.contains('o')).expect("at the top");
        assert_eq!(top.find('o'), Some(12 + 42), "{drawn}");
        assert!(lines[0].trim_start().starts_with("29"), "{drawn}");
        let all = text(&t, 8, &UNICODE);
        assert!(
            all.contains("◆") && all.contains("1 not comparable: outside your usual speeds"),
            "{all}"
        );
    }
}
