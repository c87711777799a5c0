//! `lope athlete`: who runs, what formulas need to know of them, what they consent to, and who is meant when nobody is named.

use super::Globals;
use super::athlete_choice::{self, AthleteArg, facts_id};
use super::config_file;
use super::desk::{self, Desk, put_name, put_word};
use super::failure::{Exit, Failure};
use crate::config::edit;
use crate::runtime::keep;
use crate::store::journal::{AthleteFacts, Body, Consent, EntryId, Journal as _, Kind, Purpose, Put, Sex};
use crate::store::{AthleteId, SqliteJournal};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;
use std::fmt::Write as _;

/// Arguments of `lope athlete`.
#[derive(Args, Debug)]
pub struct AthleteArgs {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Subcommand, Debug)]
enum What {
    /// Everybody who is known here
    List,
    /// What is known of one athlete
    Show {
        /// The id, or its beginning; the one meant by default without it
        id: Option<String>,
    },
    /// Somebody new
    Add {
        /// The id: a short word without spaces
        id: String,
        #[command(flatten)]
        facts: FactsArgs,
    },
    /// Correct what is known of somebody
    Set {
        /// The id, or its beginning
        id: String,
        #[command(flatten)]
        facts: FactsArgs,
        /// Take an answer back
        #[arg(long, value_name = "WHAT", value_enum, value_delimiter = ',')]
        clear: Vec<Answer>,
    },
    /// Mean this athlete when none is named
    Use {
        /// The id, or its beginning
        id: String,
    },
    /// What may be kept and shown to whom
    Consent(ConsentArgs),
}

/// What can be said of an athlete.
#[derive(Args, Debug, Default)]
struct FactsArgs {
    /// Name as shown; stays on this machine
    #[arg(long)]
    name: Option<String>,
    /// Standing height, m
    #[arg(long, value_name = "M")]
    height_m: Option<f64>,
    /// Body mass, kg
    #[arg(long, value_name = "KG")]
    mass_kg: Option<f64>,
    /// Height of the hip bone at the side (greater trochanter) above the floor, m
    #[arg(long, value_name = "M")]
    leg_m: Option<f64>,
    /// Year of birth
    #[arg(long, value_name = "YEAR")]
    birth_year: Option<u16>,
    /// Sex
    #[arg(long, value_enum)]
    sex: Option<SexArg>,
    /// Groups the athlete belongs to, several separated by commas
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    group: Vec<String>,
    /// How many times before back pain changed what was done for a day or more: 0, 1, 2, or 3 for more
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=3))]
    earlier_episodes: Option<u8>,
    /// An earlier injury or condition that a health professional should know of when looking at the back
    #[arg(long, value_enum)]
    medical_history: Option<Said>,
    /// Stress injury of a bone, missed periods, or eating less than training needs; needs its own consent
    #[arg(long, value_enum)]
    bone_stress: Option<Said>,
    /// Core work is logged
    #[arg(long, value_enum)]
    logs_core: Option<YesNo>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum SexArg {
    Female,
    Male,
    Other,
}

/// Yes, no, or rather not said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Said {
    Yes,
    No,
    /// Rather not say; nothing is kept
    Unsaid,
}

impl Said {
    fn answer(self) -> Option<bool> {
        match self {
            Self::Yes => Some(true),
            Self::No => Some(false),
            Self::Unsaid => None,
        }
    }
}

/// Yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum YesNo {
    /// Yes
    Yes,
    /// No
    No,
}

impl YesNo {
    /// Whether it is yes.
    #[must_use]
    pub fn yes(self) -> bool {
        self == Self::Yes
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Answer {
    HeightM,
    MassKg,
    LegM,
    BirthYear,
    Sex,
    Group,
    EarlierEpisodes,
    MedicalHistory,
    BoneStress,
    LogsCore,
}

#[derive(Args, Debug)]
struct ConsentArgs {
    #[command(subcommand)]
    what: Option<ConsentWhat>,
    #[command(flatten)]
    who: AthleteArg,
}

#[derive(Subcommand, Debug)]
enum ConsentWhat {
    /// Give it
    Give(ConsentTo),
    /// Withdraw it
    Withdraw(ConsentTo),
}

#[derive(Args, Debug)]
struct ConsentTo {
    /// For what
    #[arg(long, value_enum)]
    purpose: PurposeArg,
    /// For whom: the name of a token's holder or of a sink; everybody with that role without it
    #[arg(long, value_name = "NAME", default_value = "")]
    recipient: String,
    #[command(flatten)]
    who: AthleteArg,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum PurposeArg {
    /// Answers about the body are kept at all
    Symptoms,
    /// A coach may see them
    Coach,
    /// A therapist may see everything
    Therapist,
    /// Symptom flags may be copied to a sink
    Sink,
    /// The profile's question about bones
    BoneStress,
}

impl PurposeArg {
    fn purpose(self) -> Purpose {
        match self {
            Self::Symptoms => Purpose::Symptoms,
            Self::Coach => Purpose::Coach,
            Self::Therapist => Purpose::Therapist,
            Self::Sink => Purpose::Sink,
            Self::BoneStress => Purpose::BoneStress,
        }
    }
}

fn purpose_words(purpose: Purpose) -> (&'static str, &'static str) {
    match purpose {
        Purpose::Symptoms => ("symptoms", "keep answers about the body on this machine"),
        Purpose::Coach => ("coach", "show a coach symptoms"),
        Purpose::Therapist => ("therapist", "show a therapist everything"),
        Purpose::Sink => ("sink", "copy symptom flags to a sink"),
        Purpose::BoneStress => ("bone-stress", "keep the answer about bones"),
    }
}

/// Runs `lope athlete`.
///
/// # Errors
/// Nobody goes by that id, a value is refused, the record or the settings cannot be written.
pub fn run(globals: &Globals, args: &AthleteArgs) -> Result<Exit, Failure> {
    match args.what.as_ref().unwrap_or(&What::List) {
        What::List => list(globals),
        What::Show { id } => show(globals, id.clone()),
        What::Add { id, facts } => add(globals, id, facts),
        What::Set { id, facts, clear } => set(globals, id, facts, clear),
        What::Use { id } => choose(globals, id),
        What::Consent(args) => consent(globals, args),
    }
}

fn open(globals: &Globals, id: Option<String>) -> Result<Desk, Failure> {
    Desk::open(globals, &AthleteArg { athlete: id })
}

fn list(globals: &Globals) -> Result<Exit, Failure> {
    let dir = globals.data_dir()?;
    let meant = globals.settings()?.athlete.value.clone();
    let owner = keep::athlete()?;
    let mut all = match SqliteJournal::open_existing(&dir)? {
        Some(journal) => athlete_choice::athletes(&journal)?,
        None => Vec::new(),
    };
    if all.iter().all(|(id, _)| *id != owner) {
        all.insert(0, (owner.clone(), AthleteFacts::default()));
    }
    let meant = meant.unwrap_or_else(|| owner.as_str().to_owned());
    if globals.console.json {
        let all: Vec<_> = all
            .iter()
            .map(|(id, facts)| json!({"id": id, "default": id.as_str() == meant, "facts": facts}))
            .collect();
        globals.console.result(&format!("{:#}\n", json!({"athletes": all})))?;
        return Ok(Exit::Done);
    }
    let mut text = String::new();
    for (id, facts) in &all {
        let mark = if id.as_str() == meant { "*" } else { " " };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{mark} {:<16} {}", id.as_str(), in_short(facts));
    }
    globals.console.result(&text)?;
    globals
        .console
        .advice("* is meant when nobody is named   next: lope athlete show ID, lope athlete use ID");
    Ok(Exit::Done)
}

fn in_short(facts: &AthleteFacts) -> String {
    let mut parts = Vec::new();
    if !facts.name.is_empty() {
        parts.push(facts.name.clone());
    }
    parts.extend(facts.height_m.map(|v| format!("{v:.2} m")));
    parts.extend(facts.mass_kg.map(|v| format!("{v:.0} kg")));
    parts.extend((!facts.groups.is_empty()).then(|| facts.groups.join(", ")));
    if parts.is_empty() {
        "nothing known yet".to_owned()
    } else {
        parts.join(" · ")
    }
}

fn show(globals: &Globals, id: Option<String>) -> Result<Exit, Failure> {
    let desk = open(globals, id)?;
    let facts = desk.facts()?;
    let consents = consents(&desk)?;
    let entries = desk.entries(&[], None, None)?.len();
    let sessions = desk.sessions()?.len();
    let mut text = format!("{}  {}\n", desk.athlete, facts.name);
    let yes = |answer: Option<bool>| answer.map(|y| if y { "yes" } else { "no" }.to_owned());
    let rows = [
        ("height", facts.height_m.map(|v| format!("{v:.2} m"))),
        ("mass", facts.mass_kg.map(|v| format!("{v:.1} kg"))),
        ("leg length", facts.leg_length_m.map(|v| format!("{v:.2} m"))),
        ("born", facts.birth_year.map(|v| v.to_string())),
        ("sex", facts.sex.map(|s| sex_word(s).to_owned())),
        ("groups", (!facts.groups.is_empty()).then(|| facts.groups.join(", "))),
        (
            "earlier episodes",
            facts
                .prior_lbp_episodes
                .map(|n| if n >= 3 { "3 or more".to_owned() } else { n.to_string() }),
        ),
        ("medical history", yes(facts.medical_history)),
        ("bones", yes(facts.bone_stress)),
        ("logs core work", yes(facts.logs_core_work)),
    ];
    for (label, value) in rows {
        let _ = writeln!(text, "  {label:<18} {}", value.as_deref().unwrap_or("not said"));
    }
    for c in &consents {
        let (name, words) = purpose_words(c.purpose);
        let to = if c.recipient.is_empty() {
            String::new()
        } else {
            format!(" ({})", c.recipient)
        };
        let _ = writeln!(
            text,
            "  consent {name}{to}: {} · {words}",
            if c.given { "given" } else { "withdrawn" }
        );
    }
    let _ = writeln!(text, "  {sessions} sessions, {entries} entries in the journal");
    let object = json!({
        "id": desk.athlete, "facts": facts, "consents": consents, "sessions": sessions, "entries": entries,
    });
    desk.result(&object, &text)?;
    desk.console
        .advice(&format!("next: lope athlete set {} --height-m 1.72 …", desk.athlete));
    Ok(Exit::Done)
}

fn sex_word(sex: Sex) -> &'static str {
    match sex {
        Sex::Female => "female",
        Sex::Male => "male",
        Sex::Other => "other",
    }
}

fn add(globals: &Globals, id: &str, args: &FactsArgs) -> Result<Exit, Failure> {
    let parsed = AthleteId::parse(id).map_err(|e| {
        Failure::new("lope::athlete::name", Exit::Usage, "An athlete cannot be called so.")
            .why(e.to_string())
            .try_this("for example: ada, runner-7")
    })?;
    let dir = globals.data_dir()?;
    let journal = SqliteJournal::open(&dir)?;
    let known = journal.entry(&parsed, &facts_id()?)?.is_some();
    if known {
        return Err(Failure::new(
            "lope::athlete::exists",
            Exit::Refused,
            format!("There is an athlete {id} already."),
        )
        .why("ids are given once")
        .try_this(format!("lope athlete set {id} … corrects what is known")));
    }
    // The desk knows athletes by the journal; this one comes into it with the entry written below.
    let desk = Desk {
        athlete: parsed,
        ..open(globals, Some(keep::athlete()?.to_string()))?
    };
    write(&desk, args, &[])?;
    desk.console.advice(&format!(
        "next: lope athlete use {id}, so that {id} is meant when nobody is named"
    ));
    Ok(Exit::Done)
}

fn set(globals: &Globals, id: &str, args: &FactsArgs, clear: &[Answer]) -> Result<Exit, Failure> {
    let desk = open(globals, Some(id.to_owned()))?;
    write(&desk, args, clear)?;
    desk.console
        .advice(&format!("next: lope athlete show {}", desk.athlete));
    Ok(Exit::Done)
}

fn write(desk: &Desk, args: &FactsArgs, clear: &[Answer]) -> Result<(), Failure> {
    let mut facts = desk.facts()?;
    let answered_health = args.earlier_episodes.is_some() || args.medical_history.is_some_and(|a| a != Said::Unsaid);
    if answered_health {
        desk.may_keep_symptoms()?;
    }
    if args.bone_stress.is_some_and(|a| a != Said::Unsaid) && desk.consent(Purpose::BoneStress, "")? != Some(true) {
        return Err(Failure::new(
            "lope::consent::bone_stress",
            Exit::Declined,
            "The answer about bones needs its own consent.",
        )
        .why("it is kept on this machine and shown to nobody unless that is consented to as well")
        .try_this(format!(
            "lope athlete consent give --purpose bone-stress --athlete {}",
            desk.athlete
        )));
    }
    for answer in clear {
        match answer {
            Answer::HeightM => facts.height_m = None,
            Answer::MassKg => facts.mass_kg = None,
            Answer::LegM => facts.leg_length_m = None,
            Answer::BirthYear => facts.birth_year = None,
            Answer::Sex => facts.sex = None,
            Answer::Group => facts.groups.clear(),
            Answer::EarlierEpisodes => facts.prior_lbp_episodes = None,
            Answer::MedicalHistory => facts.medical_history = None,
            Answer::BoneStress => facts.bone_stress = None,
            Answer::LogsCore => facts.logs_core_work = None,
        }
    }
    if let Some(name) = &args.name {
        facts.name.clone_from(name);
    }
    facts.height_m = args.height_m.or(facts.height_m);
    facts.mass_kg = args.mass_kg.or(facts.mass_kg);
    facts.leg_length_m = args.leg_m.or(facts.leg_length_m);
    facts.birth_year = args.birth_year.or(facts.birth_year);
    facts.sex = args.sex.map_or(facts.sex, |sex| {
        Some(match sex {
            SexArg::Female => Sex::Female,
            SexArg::Male => Sex::Male,
            SexArg::Other => Sex::Other,
        })
    });
    if !args.group.is_empty() {
        facts.groups.clone_from(&args.group);
    }
    facts.prior_lbp_episodes = args.earlier_episodes.or(facts.prior_lbp_episodes);
    facts.medical_history = args.medical_history.map_or(facts.medical_history, Said::answer);
    facts.bone_stress = args.bone_stress.map_or(facts.bone_stress, Said::answer);
    facts.logs_core_work = args.logs_core.map_or(facts.logs_core_work, |a| Some(a.yes()));
    let id = facts_id()?;
    // Who somebody is belongs to no day; the day of the first entry stays.
    let day = desk.entry(&id)?.map_or_else(|| desk.today(), |e| e.day);
    let text = format!("{}  {}", desk.athlete, in_short(&facts));
    let put = desk.put(id.clone(), day, Body::Athlete(facts))?;
    desk.wrote(&id, day, put, &format!("{}: {text}\n", put_word(put)))?;
    Ok(())
}

fn choose(globals: &Globals, id: &str) -> Result<Exit, Failure> {
    let dir = globals.data_dir()?;
    let arg = AthleteArg {
        athlete: Some(id.to_owned()),
    };
    let athlete = athlete_choice::resolve(globals, &arg, Some(&dir))?.id;
    let path = config_file::change(&globals.config, |text| edit::put_athlete(text, athlete.as_str()))?;
    globals.console.result(&if globals.console.json {
        format!(
            "{:#}\n",
            json!({"default": athlete, "settings": path.display().to_string()})
        )
    } else {
        format!("{athlete} is meant from now on when nobody is named\n")
    })?;
    globals
        .console
        .advice(&format!("kept in {}   next: lope athlete show", path.display()));
    Ok(Exit::Done)
}

/// What counts of the consents: the latest of each purpose and recipient, in order of purpose.
fn consents(desk: &Desk) -> Result<Vec<Consent>, Failure> {
    let mut all = desk.entries(&[Kind::Consent], None, None)?;
    all.sort_by_key(|e| e.at);
    let mut latest: Vec<Consent> = Vec::new();
    for entry in all {
        let Body::Consent(new) = entry.body else { continue };
        latest.retain(|c| c.purpose != new.purpose || c.recipient != new.recipient);
        latest.push(new);
    }
    latest.sort_by(|a, b| (purpose_words(a.purpose).0, &a.recipient).cmp(&(purpose_words(b.purpose).0, &b.recipient)));
    Ok(latest)
}

fn consent(globals: &Globals, args: &ConsentArgs) -> Result<Exit, Failure> {
    let (to, given) = match &args.what {
        Some(ConsentWhat::Give(to)) => (to, true),
        Some(ConsentWhat::Withdraw(to)) => (to, false),
        None => {
            let desk = Desk::open(globals, &args.who)?;
            let all = consents(&desk)?;
            let mut text = String::new();
            for c in &all {
                let (name, words) = purpose_words(c.purpose);
                let word = if c.given { "given" } else { "withdrawn" };
                let _ = writeln!(text, "{name:<12} {word:<10} {:<16} {words}", c.recipient);
            }
            if all.is_empty() {
                text.push_str("nothing was given or withdrawn yet\n");
            }
            desk.result(&json!({"athlete": desk.athlete, "consents": all}), &text)?;
            desk.console
                .advice("next: lope athlete consent give --purpose coach, or withdraw");
            return Ok(Exit::Done);
        }
    };
    let who = AthleteArg {
        athlete: to.who.athlete.clone().or_else(|| args.who.athlete.clone()),
    };
    let desk = Desk::open(globals, &who)?;
    let purpose = to.purpose.purpose();
    let (name, words) = purpose_words(purpose);
    let id = consent_id(name, &to.recipient)?;
    let day = desk.today();
    let body = Consent {
        purpose,
        recipient: to.recipient.clone(),
        given,
    };
    let known = desk.consent(purpose, &to.recipient)? == Some(given);
    let put = if known {
        Put::Known
    } else {
        desk.put(id.clone(), day, Body::Consent(body))?
    };
    let mut text = format!(
        "{}: {} may {words}: {}\n",
        desk.athlete,
        if to.recipient.is_empty() { "lope" } else { &to.recipient },
        if given { "yes" } else { "no" }
    );
    if put == Put::Known {
        text = format!("nothing changed: {text}");
    }
    let object = json!({"athlete": desk.athlete, "purpose": name, "recipient": to.recipient, "given": given, "put": put_name(put)});
    desk.result(&object, &text)?;
    if !given && matches!(purpose, Purpose::Symptoms | Purpose::BoneStress) {
        if purpose == Purpose::BoneStress && desk.facts()?.bone_stress.is_some() {
            let facts = AthleteFacts {
                bone_stress: None,
                ..desk.facts()?
            };
            desk.put(facts_id()?, day, Body::Athlete(facts))?;
            desk.console.advice("the answer about bones was taken back");
        }
        desk.console.advice(
            "nothing more of it is kept; what was kept before stays among earlier versions until the athlete is forgotten \
             (lope log list, lope log remove ENTRY take entries back)",
        );
    }
    Ok(Exit::Done)
}

/// The id of a consent: its purpose and recipient, so that withdrawing corrects giving.
fn consent_id(purpose: &str, recipient: &str) -> Result<EntryId, Failure> {
    let plain: String = recipient
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') {
                c
            } else {
                '_'
            }
        })
        .take(32)
        .collect();
    let tail = match recipient {
        "" => String::new(),
        same if same == plain => format!("-{plain}"),
        // Two names may look alike after spelling; their bytes tell them apart.
        other => {
            let digest: [u8; 32] = crate::store::ids::sha256(other.as_bytes());
            let hex: String = digest[..5].iter().map(|b| format!("{b:02x}")).collect();
            format!("-{hex}-{}", &plain[..plain.len().min(20)])
        }
    };
    desk::entry_id(&format!("consent-{purpose}{tail}"))
}
