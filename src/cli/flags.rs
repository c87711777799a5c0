//! `lope flags`: the lower-back flags, of the record or of a file of histories.
//!
//! A file that is refused is refused as a whole, with every problem in it and nothing written: half an evaluation would look
//! like a quiet one.

use super::Globals;
use super::failure::{Exit, Failure};
use super::flags_record::{self, WhoseArgs};
use super::safe_file::SafeFile;
use crate::interchange::flag_history::{self, HistoryFile};
use crate::interchange::flag_rules;
use crate::risk::message::summary_text;
use crate::risk::rules::BUILT_IN;
use crate::risk::spreads::{NOTICED_WITHIN, SCATTERS, THRESHOLD_SIZED, WATCHED_RUNS, false_alarms, power};
use crate::risk::{self, Engine, History, Level, Rules};
use clap::{Args, Subcommand};
use serde_json::json;
use std::fmt::Display;
use std::path::{Path, PathBuf};

/// Problems of one file that are told; the rest is counted.
const PROBLEMS_TOLD: usize = 20;

/// True changes whose noticing is simulated, times the threshold.
const CHANGES: [f64; 3] = [1.0, 1.5, 2.0];

/// Arguments of `lope flags`.
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub struct FlagsArgs {
    #[command(subcommand)]
    verb: Option<FlagsVerb>,
    #[command(flatten)]
    whose: WhoseArgs,
}

#[derive(Subcommand, Debug)]
enum FlagsVerb {
    /// The flags of the record, or one of them (without a verb: all)
    Show {
        /// One flag (FS1)
        #[arg(value_name = "FLAG")]
        flag: Option<String>,
        #[command(flatten)]
        whose: WhoseArgs,
        /// The day; today where none is named
        #[arg(long, value_name = "DAY")]
        day: Option<String>,
        #[command(flatten)]
        rules: RulesArg,
    },
    /// Every change of a flag in the record
    History {
        #[command(flatten)]
        whose: WhoseArgs,
        /// The last day; today where none is named
        #[arg(long, value_name = "DAY")]
        day: Option<String>,
        #[command(flatten)]
        rules: RulesArg,
    },
    /// What would differ under another rule file
    Replay {
        #[command(flatten)]
        whose: WhoseArgs,
        /// The last day; today where none is named
        #[arg(long, value_name = "DAY")]
        day: Option<String>,
        #[command(flatten)]
        rules: RulesArg,
    },
    /// State of every flag on every day of a file of histories
    Evaluate(EvaluateArgs),
    /// The whole computation behind a flag of the record, or behind the flags of one day of a file
    Explain(ExplainArgs),
    /// The built-in rule file
    Rules,
    /// How often flags rise by chance, and by a true change, in simulated runners
    Spreads(SpreadsArgs),
}

/// Arguments of `lope flags evaluate`.
#[derive(Args, Debug)]
pub struct EvaluateArgs {
    /// File of histories (lope-flags-history/1); `-` for standard input
    #[arg(value_name = "HISTORY.json")]
    pub history: PathBuf,
    /// File to write instead of standard output
    #[arg(short, long, value_name = "OUT.json")]
    pub out: Option<PathBuf>,
    /// Which rules apply.
    #[command(flatten)]
    pub rules: RulesArg,
}

/// Arguments of `lope flags explain`.
#[derive(Args, Debug)]
pub struct ExplainArgs {
    /// A flag of the record (FS1), or a file of histories (lope-flags-history/1; `-` for standard input)
    #[arg(value_name = "FLAG|HISTORY.json")]
    pub history: PathBuf,
    /// Whose flags, of the record.
    #[command(flatten)]
    pub whose: WhoseArgs,
    /// Which history of the file; needed where it holds several
    #[arg(long, value_name = "ID")]
    pub id: Option<String>,
    /// Day: of the record 2026-03-01, today where none is named; of a file from 0, the last one where none is named
    #[arg(long)]
    pub day: Option<String>,
    /// One flag (FS1); all that are raised where it is not given
    #[arg(long)]
    pub flag: Option<String>,
    /// Which rules apply.
    #[command(flatten)]
    pub rules: RulesArg,
}

/// Arguments of `lope flags spreads`.
#[derive(Args, Debug)]
pub struct SpreadsArgs {
    /// Seed of everything random
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Runners of each figure
    #[arg(long, default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub runners: u32,
    /// Which rules apply.
    #[command(flatten)]
    pub rules: RulesArg,
}

/// Which rules apply.
#[derive(Args, Debug)]
pub struct RulesArg {
    /// A rule file of your own, complete, instead of the built-in one
    #[arg(long, value_name = "FILE.toml")]
    pub rules: Option<PathBuf>,
}

/// Runs it.
///
/// # Errors
/// A refused history or rule file ([`Exit::Refused`]); what cannot be written ([`Exit::Outside`]).
pub fn run(globals: &Globals, args: &FlagsArgs) -> Result<Exit, Failure> {
    let Some(verb) = &args.verb else {
        return flags_record::show(globals, &args.whose, None, None, &RulesArg { rules: None });
    };
    match verb {
        FlagsVerb::Show {
            flag,
            whose,
            day,
            rules,
        } => flags_record::show(globals, whose, flag.as_deref(), day.as_deref(), rules),
        FlagsVerb::History { whose, day, rules } => flags_record::history(globals, whose, day.as_deref(), rules),
        FlagsVerb::Replay { whose, day, rules } => flags_record::replayed(globals, whose, day.as_deref(), rules),
        FlagsVerb::Evaluate(args) => evaluate(globals, args),
        FlagsVerb::Explain(args) => explain(globals, args),
        FlagsVerb::Rules => globals.console.result(BUILT_IN).map(|()| Exit::Done),
        FlagsVerb::Spreads(args) => spreads(globals, args),
    }
}

fn evaluate(globals: &Globals, args: &EvaluateArgs) -> Result<Exit, Failure> {
    let rules = args.rules.read()?;
    let file = read_history(&args.history, &rules)?;
    let evaluations: Vec<_> = file.histories.iter().map(|h| risk::evaluate(&rules, h)).collect();
    match &args.out {
        Some(target) => {
            let mut out = SafeFile::create(target)?;
            out.write(|w| file.write(&rules, &evaluations, w))?;
            out.keep()?;
        }
        None => {
            let mut text = Vec::new();
            // Writing to memory does not fail.
            let _ = file.write(&rules, &evaluations, &mut text);
            globals.console.result(&String::from_utf8_lossy(&text))?;
        }
    }
    Ok(Exit::Done)
}

fn explain(globals: &Globals, args: &ExplainArgs) -> Result<Exit, Failure> {
    let rules = args.rules.read()?;
    let named = args.history.to_str().unwrap_or_default();
    if rules.flags.iter().any(|f| f.id.eq_ignore_ascii_case(named)) {
        return flags_record::explain(globals, &args.whose, named, args.day.as_deref(), &args.rules);
    }
    let file = read_history(&args.history, &rules)?;
    let history = one_history(&file, args.id.as_deref())?;
    let last = history.days - 1;
    let day = match &args.day {
        None => last,
        Some(text) => text.parse().map_err(|_| {
            Failure::new(
                "lope::flags::day",
                Exit::Usage,
                format!("{text} is no day of a file of histories."),
            )
            .try_this("its days are numbers from 0")
        })?,
    };
    let unknown =
        |what: String, advice: String| Failure::new("lope::flags::unknown", Exit::Unknown, what).try_this(advice);
    if !(0..=last).contains(&day) {
        return Err(unknown(
            format!("{} has no day {day}.", history.id),
            format!("its days are 0 to {last}"),
        ));
    }
    let codes: Vec<&str> = rules.flags.iter().map(|f| f.id.as_str()).collect();
    if let Some(flag) = args.flag.as_deref().filter(|f| !codes.contains(f)) {
        return Err(unknown(
            format!("There is no flag {flag}."),
            format!("flags are {}", codes.join(", ")),
        ));
    }
    let mut engine = Engine::new(&rules, history);
    let mut end = None;
    while let Some(now) = engine.next_day() {
        if now.day == day {
            end = Some(now.clone());
            break;
        }
    }
    // The day is within the history, so the engine came to it.
    let Some(end) = end else { return Ok(Exit::Done) };
    let asked = |i: &usize| match &args.flag {
        Some(flag) => codes[*i] == flag,
        None => end.states[*i].is_some_and(|s| s > Level::None),
    };
    let explained: Vec<_> = (0..codes.len())
        .filter(asked)
        .filter_map(|i| engine.explain(i))
        .collect();
    let summary = summary_text(&rules, &end);
    if globals.console.json {
        let object = json!({
            "id": history.id, "day": day, "summary": risk::state_name(end.summary), "summary_text": summary,
            "coverage": end.coverage, "coaching": end.coaching, "flags": explained, "footer": rules.footer,
        });
        globals.console.result(&format!("{object:#}\n"))?;
    } else {
        let mut text = format!(
            "{} · day {day} · {}\n{summary}\n",
            rules.label,
            risk::state_name(end.summary).replace('_', " ")
        );
        for e in &explained {
            text.push('\n');
            text.push_str(&e.text());
        }
        text.push_str(&format!("\n{}\n", rules.footer));
        globals.console.result(&text)?;
    }
    Ok(Exit::Done)
}

fn spreads(globals: &Globals, args: &SpreadsArgs) -> Result<Exit, Failure> {
    let rules = args.rules.read()?;
    let alarms = SCATTERS.map(|s| (s, false_alarms(&rules, args.runners, s, args.seed)));
    let noticed = THRESHOLD_SIZED.iter().map(|change| {
        let shares = CHANGES.map(|times| power(&rules, args.runners, *change, times, args.seed));
        (change.0, shares)
    });
    let noticed: Vec<_> = noticed.collect();
    if globals.console.json {
        let alarms = alarms.map(|(s, a)| {
            json!({ "spread": s.spread, "correlation": s.correlation, "info": a.info, "watch": a.watch, "two_families": a.two_families })
        });
        let noticed: Vec<_> = noticed
            .iter()
            .map(|(flag, shares)| json!({ "flag": flag, "times": CHANGES, "noticed": shares }))
            .collect();
        let object = json!({
            "rules_version": rules.version, "seed": args.seed, "runners": args.runners,
            "false_alarms": alarms, "noticed": noticed,
        });
        globals.console.result(&format!("{object:#}\n"))?;
        return Ok(Exit::Done);
    }
    let mut text = format!(
        "Steady runners, {WATCHED_RUNS} runs after the reference, {} runners, seed {}\n\n| assumption | any false info | any false watch | two families at once |\n|---|---|---|---|\n",
        args.runners, args.seed
    );
    for (s, a) in alarms {
        text.push_str(&format!(
            "| spreads x {:.1}, correlation of successive runs {:.1} | {:.2} | {:.2} | {:.3} |\n",
            s.spread, s.correlation, a.info, a.watch, a.two_families
        ));
    }
    let head: Vec<String> = CHANGES.iter().map(|t| format!("{t} times")).collect();
    text.push_str(&format!(
        "\nA true lasting change, raised to watch within {NOTICED_WITHIN} runs\n\n| flag | {} the threshold |\n|---|---|---|---|\n",
        head.join(" | ")
    ));
    for (flag, shares) in noticed {
        let shares = shares.map(|s| format!("{s:.2}"));
        text.push_str(&format!("| {flag} | {} |\n", shares.join(" | ")));
    }
    globals.console.result(&text)?;
    Ok(Exit::Done)
}

/// The history of that name, or the only one.
fn one_history<'a>(file: &'a HistoryFile, id: Option<&str>) -> Result<&'a History, Failure> {
    let found = match (id, file.histories.as_slice()) {
        (Some(id), all) => all.iter().find(|h| h.id == id),
        (None, [only]) => Some(only),
        (None, _) => None,
    };
    let known: Vec<&str> = file
        .histories
        .iter()
        .map(|h| h.id.as_str())
        .take(PROBLEMS_TOLD)
        .collect();
    found.ok_or_else(|| {
        let what = id.map_or_else(
            || "The file does not hold exactly one history.".to_owned(),
            |id| format!("There is no history {id}."),
        );
        Failure::new("lope::flags::unknown", Exit::Unknown, what)
            .try_this(format!("name one with --id: {}", known.join(", ")))
    })
}

impl RulesArg {
    /// The rules to use.
    ///
    /// # Errors
    /// The file cannot be read or is refused.
    pub fn read(&self) -> Result<Rules, Failure> {
        let Some(path) = &self.rules else {
            return Ok(flag_rules::built_in());
        };
        let bytes = read(path, "lope::flags::rules")?;
        let text = String::from_utf8(bytes).map_err(|_| {
            refused(
                "lope::flags::rules",
                "The rule file is no text.",
                path,
                &["it is not UTF-8"],
            )
        })?;
        flag_rules::parse(&text).map_err(|problems| {
            refused("lope::flags::rules", "The rule file is refused.", path, &problems)
                .try_this("lope flags rules shows the built-in file, to start from")
        })
    }
}

/// Reads a file of histories.
///
/// # Errors
/// It cannot be read or is refused.
pub fn read_history(path: &Path, rules: &Rules) -> Result<HistoryFile, Failure> {
    let bytes = read(path, "lope::flags::history")?;
    flag_history::parse(&bytes, rules).map_err(|problems| {
        refused(
            "lope::flags::history",
            "The history is refused; nothing was evaluated.",
            path,
            &problems,
        )
        .try_this("correct these places; a value that nobody entered is null or left out")
    })
}

fn read(path: &Path, code: &'static str) -> Result<Vec<u8>, Failure> {
    let bytes = if path == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut std::io::stdin().lock(), &mut bytes).map(|_| bytes)
    } else {
        std::fs::read(path)
    };
    bytes.map_err(|e| {
        Failure::new(code, Exit::Refused, format!("{} cannot be read.", path.display()))
            .why(e.to_string())
            .try_this("name a file that is there")
    })
}

fn refused(code: &'static str, what: &str, path: &Path, problems: &[impl Display]) -> Failure {
    let mut failure = Failure::new(code, Exit::Refused, what);
    for problem in problems.iter().take(PROBLEMS_TOLD) {
        failure = failure.why(format!("{}: {problem}", path.display()));
    }
    if problems.len() > PROBLEMS_TOLD {
        failure = failure.why(format!("and {} more", problems.len() - PROBLEMS_TOLD));
    }
    failure
}
