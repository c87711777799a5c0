//! `lope report`: what a runner, a coach or a therapist takes away, as one HTML file or a tagged PDF.
//!
//! The file is readable by its owner only and never written over another one unasked: it holds what is nobody else's
//! business. Who does not say where it goes finds it in the present folder, named after the session and not after the runner.

use super::failure::{Exit, Failure};
use super::flags_record::{athlete, day, print_json};
use super::safe_file::{self, SafeFile};
use super::{Globals, sessions};
use crate::interchange::flag_rules;
use crate::report::{Ask, Document, Form, Naming, Paper, Reader, compose, gather, html};
use crate::review::compare::Chosen;
use crate::review::flags::flags_now;
use crate::review::{Review, Sight};
use crate::store::SessionRow;
use clap::{Args, ValueEnum};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Who reads it.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum For {
    /// A page about a run
    #[default]
    Runner,
    /// Load, form and flags; symptoms only where the runner allowed it
    Coach,
    /// Before and after, pictures, methods; symptoms only where the runner allowed it
    Therapist,
}

/// The paper.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum PaperName {
    #[default]
    A4,
    Letter,
}

/// Arguments of `lope report`.
#[derive(Args, Debug)]
pub struct ReportArgs {
    /// A session's id, or the beginning of it; `last` for the newest
    #[arg(value_name = "SESSION", default_value = "last")]
    session: String,
    /// The runner; that of the session where nobody is named
    #[arg(long, value_name = "ID")]
    athlete: Option<String>,
    /// Who reads it
    #[arg(long = "for", value_enum, default_value_t)]
    reader: For,
    /// Two sets of runs: a session's id, last, before:DAY, from:DAY, shoe:ID, ground:hard|uneven|other
    #[arg(long, num_args = 2, value_names = ["A", "B"], conflicts_with_all = ["before", "after"])]
    compare: Option<Vec<String>>,
    /// Compare runs before this day ...
    #[arg(long, value_name = "DAY", requires = "after")]
    before: Option<String>,
    /// ... with runs from this day on, or with the last one
    #[arg(long, value_name = "DAY|last", requires = "before")]
    after: Option<String>,
    /// The day of the report; the last day that anything is known of where none is named
    #[arg(long, value_name = "DAY")]
    day: Option<String>,
    /// The paper
    #[arg(long, value_enum, default_value_t)]
    paper: PaperName,
    /// A pseudonym in place of the name; a coach's report has one unless --name is given
    #[arg(long)]
    pseudonym: bool,
    /// The name, in a coach's report too
    #[arg(long, conflicts_with = "pseudonym")]
    name: bool,
    /// A letter of one page in plain words, without symptoms, to hand on
    #[arg(long)]
    plain: bool,
    /// What was agreed, for the letter; may be given several times
    #[arg(long, value_name = "TEXT", requires = "plain")]
    agreed: Vec<String>,
    /// The question asked
    #[arg(long, value_name = "TEXT")]
    question: Option<String>,
    /// Name of the coach or clinician; the runner's consent for this name, or for everybody in that role, counts
    #[arg(long, value_name = "NAME", visible_alias = "coach")]
    clinician: Option<String>,
    /// The file: .html or .pdf
    #[arg(short, long, value_name = "FILE", visible_alias = "out")]
    output: Option<PathBuf>,
    /// Write over a file that is there
    #[arg(long)]
    force: bool,
}

/// What kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Html,
    Pdf,
}

impl Format {
    fn of(path: &Path) -> Result<Self, Failure> {
        let extension = path.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase);
        match extension.as_deref() {
            Some("html" | "htm") => Ok(Self::Html),
            Some("pdf") if cfg!(feature = "pdf") => Ok(Self::Pdf),
            Some("pdf") => Err(
                Failure::new("lope::report::no_pdf", Exit::Lacking, "This build writes no PDF.")
                    .why("it was built without the feature `pdf`")
                    .try_this(format!(
                        "-o {} and print it from a browser",
                        path.with_extension("html").display()
                    ))
                    .try_this("cargo install lope --features pdf"),
            ),
            _ => Err(Failure::new(
                "lope::report::format",
                Exit::Usage,
                format!("{} says no format.", path.display()),
            )
            .try_this("end the name in .html or .pdf")),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Pdf => "pdf",
        }
    }
}

fn chosen(text: &str) -> Result<Chosen, Failure> {
    Chosen::parse(text).map_err(|why| {
        Failure::new("lope::report::runs", Exit::Usage, format!("{text} names no runs."))
            .why(why)
            .try_this("a session's id, last, before:DAY, from:DAY, shoe:ID or ground:hard")
    })
}

/// The two sets of runs, where they are named.
fn compared(args: &ReportArgs) -> Result<Option<(Chosen, Chosen)>, Failure> {
    if let Some([a, b]) = args.compare.as_deref() {
        return Ok(Some((chosen(a)?, chosen(b)?)));
    }
    let (Some(before), Some(after)) = (&args.before, &args.after) else {
        return Ok(None);
    };
    let after = match after.as_str() {
        "last" => Chosen::Last,
        text => Chosen::From(day(Some(text))?),
    };
    Ok(Some((Chosen::Before(day(Some(before))?), after)))
}

/// The session: the newest of the athlete named, or the one with that id.
fn session(globals: &Globals, review: &Review, args: &ReportArgs) -> Result<SessionRow, Failure> {
    let Some(named) = args.athlete.as_deref().filter(|_| args.session == "last") else {
        return sessions::find(review.reader(), &args.session);
    };
    let who = athlete(globals, Some(named))?;
    review.sessions(Some(&who))?.pop().ok_or_else(|| {
        Failure::new(
            "lope::report::nothing",
            Exit::Unknown,
            format!("No session of {named} is kept."),
        )
        .try_this("lope sessions list shows what there is")
    })
}

fn bytes(document: &Document, format: Format) -> Result<Vec<u8>, Failure> {
    match format {
        Format::Html => Ok(html::html(document).into_bytes()),
        #[cfg(feature = "pdf")]
        Format::Pdf => crate::report::pdf::pdf(document).map_err(|e| {
            Failure::new("lope::report::pdf", Exit::Unexpected, "The PDF was not written.")
                .why(e.to_string())
                .try_this("write it as .html, and please report this")
        }),
        #[cfg(not(feature = "pdf"))]
        Format::Pdf => Err(Failure::new(
            "lope::report::no_pdf",
            Exit::Lacking,
            "This build writes no PDF.",
        )),
    }
}

/// How the runner is named.
fn naming(args: &ReportArgs) -> Naming {
    match (args.pseudonym, args.name) {
        (true, _) => Naming::Pseudonym,
        (_, true) => Naming::Name,
        // A letter is somebody's own.
        _ if args.plain => Naming::Name,
        _ => reader(args).usual_naming(),
    }
}

fn reader(args: &ReportArgs) -> Reader {
    match args.reader {
        For::Runner => Reader::Runner,
        For::Coach => Reader::Coach,
        For::Therapist => Reader::Therapist,
    }
}

/// Runs `lope report`.
///
/// # Errors
/// No such session, a file that is there, a format this build lacks, those of the store.
pub fn run(globals: &Globals, args: &ReportArgs) -> Result<Exit, Failure> {
    // What is wrong with the line is said before the record is looked at.
    let compare = compared(args)?;
    let at = day(args.day.as_deref())?;
    if let Some(path) = &args.output {
        Format::of(path)?;
    }
    let review = Review::open(&globals.data_dir()?, flag_rules::built_in())?;
    let row = session(globals, &review, args)?;
    if let Some(named) = args.athlete.as_deref()
        && athlete(globals, Some(named))? != row.meta.athlete
    {
        return Err(Failure::new(
            "lope::report::whose",
            Exit::Unknown,
            format!("Session {} is not of {named}.", row.meta.id),
        )
        .try_this("leave --athlete away"));
    }
    let path = match &args.output {
        Some(path) => path.clone(),
        None if args.plain => PathBuf::from(format!("lope-letter-{}.html", row.meta.id)),
        None => PathBuf::from(format!("lope-report-{}.html", row.meta.id)),
    };
    let format = Format::of(&path)?;
    if !args.force {
        safe_file::not_there(&path, "lope::report::exists")?;
    }
    let ask = Ask {
        reader: reader(args),
        session: Some(row.meta.id.clone()),
        compare,
        paper: match args.paper {
            PaperName::A4 => Paper::A4,
            PaperName::Letter => Paper::Letter,
        },
        form: if args.plain { Form::Letter } else { Form::Report },
        naming: naming(args),
        agreed: args.agreed.clone(),
        question: args.question.clone(),
        clinician: args.clinician.clone(),
    };
    // Without a day: the last one that anything is known of, so that a record of last year does not look like a long rest.
    let at = match &args.day {
        Some(_) => at,
        None => review.last_day(&row.meta.athlete)?.map_or(at, |last| last.min(at)),
    };
    let past = review.past(&row.meta.athlete, at)?;
    let material = gather(&review, &past, &ask)?;
    // A letter holds no symptoms and so no safety text; the one who writes it reads it here.
    let open = match ask.form {
        Form::Letter => flags_now(review.rules(), &past, Sight::Everything).safety,
        Form::Report => None,
    };
    let document = compose(&material, &ask);
    let bytes = bytes(&document, format)?;
    let mut file = SafeFile::create_private(&path)?;
    file.write(|out| out.write_all(&bytes))?;
    file.keep()?;
    let shared = material.sight == Sight::Everything;
    if globals.console.json {
        return print_json(
            globals,
            &json!({
                "file": path.display().to_string(),
                "format": format.name(),
                "bytes": bytes.len(),
                "for": ask.reader.name(),
                "session": row.meta.id.as_str(),
                "day": past.today.to_string(),
                "title": document.title,
                "symptoms": material.sight.word(),
                "form": if args.plain { "letter" } else { "report" },
                "pseudonym": material.pseudonym,
            }),
        );
    }
    let kilobytes = bytes.len().div_ceil(1000);
    let what = match ask.form {
        Form::Report => format!("for the {}", ask.reader.name()),
        Form::Letter => "letter to hand on, without symptoms".to_owned(),
    };
    let mut text = format!("{}  {what}, {kilobytes} kB\n", path.display());
    if material.pseudonym && !args.pseudonym {
        text.push_str(&format!("named {} inside; --name writes the name\n", material.name));
    }
    if let Some(safety) = open {
        text.push_str(&format!(
            "open, and not in the letter: {} {}\n",
            safety.title, safety.text
        ));
    }
    if !shared && ask.form == Form::Report {
        text.push_str("symptoms left out: the runner has not allowed this reader to see them\n");
    }
    globals.console.result(&text)?;
    Ok(Exit::Done)
}
