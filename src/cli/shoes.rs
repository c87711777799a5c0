//! `lope shoes`: pairs, how far each has gone, how it feels, how its heels look.
//!
//! The distance of a pair is what it had when it was added, plus every run it was named for. Runs whose distance nobody
//! knows are counted and told, not guessed.

use super::Globals;
use super::athlete::YesNo;
use super::athlete_choice::AthleteArg;
use super::days::AskedDay;
use super::desk::{Desk, entry_id, put_word};
use super::failure::{Exit, Failure};
use super::run_distance;
use crate::store::journal::{ActivityKind, Body, Day, Entry, EntryId, Kind, Score, ShoeCheck, ShoeFacts};
use clap::{Args, Subcommand};
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Arguments of `lope shoes`.
#[derive(Args, Debug)]
pub struct ShoesArgs {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    who: AthleteArg,
}

#[derive(Subcommand, Debug)]
enum What {
    /// All pairs with their distance
    List {
        #[command(flatten)]
        who: AthleteArg,
    },
    /// A new pair
    Add {
        /// Its id: a short word without spaces
        id: String,
        /// Name as shown
        #[arg(long)]
        name: Option<String>,
        /// Distance it has gone already, km
        #[arg(long, value_name = "KM")]
        km: Option<f64>,
        /// Remarks
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
        #[command(flatten)]
        who: AthleteArg,
    },
    /// A pair that is worn no more
    Retire {
        /// Its id, or the beginning of it
        id: String,
        /// Since when: 2026-11-02, today, yesterday
        #[arg(long, value_name = "DAY", value_parser = AskedDay::parse)]
        day: Option<AskedDay>,
        /// It is worn again after all
        #[arg(long, conflicts_with = "day")]
        again: bool,
        #[command(flatten)]
        who: AthleteArg,
    },
    /// How comfortable a pair is: 0 awful, 10 perfect
    Comfort {
        /// Its id, or the beginning of it
        id: String,
        /// 0 to 10
        #[arg(value_name = "0-10", value_parser = clap::value_parser!(u8).range(0..=10))]
        score: u8,
        /// When: 2026-11-02, today, yesterday
        #[arg(long, value_name = "DAY", value_parser = AskedDay::parse)]
        day: Option<AskedDay>,
        #[command(flatten)]
        who: AthleteArg,
    },
    /// Whether one heel, seen from behind, is clearly more worn than the other
    Heel {
        /// Its id, or the beginning of it
        id: String,
        /// yes or no
        #[arg(value_enum)]
        uneven: YesNo,
        /// When: 2026-11-02, today, yesterday
        #[arg(long, value_name = "DAY", value_parser = AskedDay::parse)]
        day: Option<AskedDay>,
        #[command(flatten)]
        who: AthleteArg,
    },
}

/// Runs `lope shoes`.
///
/// # Errors
/// No such pair, a value that is refused, a record that cannot be written.
pub fn run(globals: &Globals, args: &ShoesArgs) -> Result<Exit, Failure> {
    let desk = |who: &AthleteArg| {
        let athlete = who.athlete.clone().or_else(|| args.who.athlete.clone());
        Desk::open(globals, &AthleteArg { athlete })
    };
    match &args.what {
        None => list(&desk(&args.who)?),
        Some(What::List { who }) => list(&desk(who)?),
        Some(What::Add {
            id,
            name,
            km,
            note,
            who,
        }) => {
            let desk = desk(who)?;
            let id = entry_id(id)?;
            let facts = ShoeFacts {
                name: name.clone().unwrap_or_else(|| id.to_string()),
                km_before: *km,
                retired: None,
                note: note.clone(),
            };
            // Adding again what is there with other numbers would wipe its retirement.
            if let Some(old) = desk.entry(&id)? {
                let same = matches!(&old.body, Body::Shoe(there) if *there == facts);
                if !same {
                    return Err(Failure::new(
                        "lope::shoes::exists",
                        Exit::Refused,
                        format!("There is an entry {id} already."),
                    )
                    .why("ids are given once")
                    .try_this("choose another id, or take it back first: lope log remove ID"));
                }
            }
            let day = desk.entry(&id)?.map_or_else(|| desk.today(), |e| e.day);
            let text = format!("{}  {:.0} km", facts.name, facts.km_before.unwrap_or(0.0));
            let put = desk.put(id.clone(), day, Body::Shoe(facts))?;
            desk.wrote(&id, day, put, &format!("{}: {text}\n", put_word(put)))?;
            desk.console.advice(&format!(
                "next: lope checkin after --shoe {id}, lope shoes comfort {id} 8"
            ));
            Ok(Exit::Done)
        }
        Some(What::Retire { id, day, again, who }) => {
            let desk = desk(who)?;
            let (entry, mut facts) = pair(&desk, id)?;
            let day = desk.day(*day)?;
            facts.retired = (!again).then_some(day);
            let word = if *again {
                "worn again".to_owned()
            } else {
                format!("retired since {}", desk.shown(day))
            };
            let text = format!("{}  {word}\n", facts.name);
            let put = desk.put(entry.id.clone(), entry.day, Body::Shoe(facts))?;
            desk.wrote(&entry.id, entry.day, put, &format!("{}: {text}", put_word(put)))?;
            desk.console.advice("next: lope shoes");
            Ok(Exit::Done)
        }
        Some(What::Comfort { id, score, day, who }) => {
            let desk = desk(who)?;
            let score = Score::new(*score)?;
            check(&desk, id, *day, &format!("comfort {}", score.get()), |c| {
                c.comfort = Some(score)
            })
        }
        Some(What::Heel { id, uneven, day, who }) => {
            let desk = desk(who)?;
            let word = if uneven.yes() {
                "one heel more worn"
            } else {
                "heels alike"
            };
            check(&desk, id, *day, word, |c| c.uneven_heel = Some(uneven.yes()))
        }
    }
}

/// The pair of this id or beginning.
fn pair(desk: &Desk, id: &str) -> Result<(Entry, ShoeFacts), Failure> {
    let entry = desk.find(id, &[Kind::Shoe]).map_err(|failure| match failure.code {
        "lope::journal::unknown" => {
            Failure::new("lope::shoes::unknown", Exit::Unknown, format!("There is no pair {id}."))
                .why(format!("no pair of {} begins so", desk.athlete))
                .try_this(format!("lope shoes shows what there is, lope shoes add {id} adds it"))
        }
        _ => failure,
    })?;
    match entry.body.clone() {
        Body::Shoe(facts) => Ok((entry, facts)),
        _ => Err(Failure::new(
            "lope::shoes::unknown",
            Exit::Unknown,
            format!("There is no pair {id}."),
        )),
    }
}

/// Writes one look at a pair; the other answers of the day stay.
fn check(
    desk: &Desk,
    id: &str,
    day: Option<AskedDay>,
    word: &str,
    change: impl Fn(&mut ShoeCheck),
) -> Result<Exit, Failure> {
    let (shoe, facts) = pair(desk, id)?;
    let day = desk.day(day)?;
    let short = shoe.id.as_str().get(..40).unwrap_or(shoe.id.as_str());
    let id = entry_id(&format!("shoe-{day}-{short}"))?;
    let mut check = match desk.entry(&id)?.map(|e| e.body) {
        Some(Body::ShoeCheck(check)) if check.shoe == shoe.id => check,
        _ => ShoeCheck {
            shoe: shoe.id,
            comfort: None,
            uneven_heel: None,
        },
    };
    change(&mut check);
    let put = desk.put(id.clone(), day, Body::ShoeCheck(check))?;
    let text = format!("{} for {}: {}  {word}\n", put_word(put), desk.shown(day), facts.name);
    desk.wrote(&id, day, put, &text)?;
    desk.console.advice("next: lope shoes");
    Ok(Exit::Done)
}

/// Id and name of the pairs that are not retired, the one worn last first.
///
/// # Errors
/// The record cannot be read.
pub fn in_use(desk: &Desk) -> Result<Vec<(String, String)>, Failure> {
    let mut pairs: Vec<Pair> = pairs(desk)?.into_iter().filter(|p| p.facts.retired.is_none()).collect();
    pairs.sort_by_key(|p| std::cmp::Reverse(p.last_worn));
    Ok(pairs.into_iter().map(|p| (p.id.to_string(), p.facts.name)).collect())
}

/// A pair with what its runs add up to.
struct Pair {
    id: EntryId,
    facts: ShoeFacts,
    km_run: f64,
    runs: usize,
    /// Runs whose distance nobody knows.
    unknown: usize,
    last_worn: Option<Day>,
    comfort: Option<Score>,
    uneven_heel: Option<bool>,
}

impl Pair {
    fn km(&self) -> f64 {
        self.facts.km_before.unwrap_or(0.0) + self.km_run
    }
}

/// All pairs of the athlete, in the order they were added.
fn pairs(desk: &Desk) -> Result<Vec<Pair>, Failure> {
    let kinds = [Kind::Shoe, Kind::ShoeCheck, Kind::Activity, Kind::SessionNote];
    let entries = desk.entries(&kinds, None, None)?;
    let mut pairs: Vec<Pair> = Vec::new();
    let mut place: BTreeMap<EntryId, usize> = BTreeMap::new();
    for entry in &entries {
        if let Body::Shoe(facts) = &entry.body {
            place.insert(entry.id.clone(), pairs.len());
            pairs.push(Pair {
                id: entry.id.clone(),
                facts: facts.clone(),
                km_run: 0.0,
                runs: 0,
                unknown: 0,
                last_worn: None,
                comfort: None,
                uneven_heel: None,
            });
        }
    }
    for entry in &entries {
        let (shoe, km) = match &entry.body {
            Body::Activity(a) if a.activity == ActivityKind::Run => (a.note.shoe.as_ref(), a.note.km.or(a.km)),
            Body::SessionNote(note) => {
                let Some(shoe) = &note.shoe else { continue };
                (Some(shoe), run_distance::km(desk, entry.id.as_str(), note)?)
            }
            Body::ShoeCheck(check) => {
                if let Some(pair) = place.get(&check.shoe).and_then(|i| pairs.get_mut(*i)) {
                    pair.comfort = check.comfort.or(pair.comfort);
                    pair.uneven_heel = check.uneven_heel.or(pair.uneven_heel);
                }
                continue;
            }
            _ => continue,
        };
        let Some(pair) = shoe.and_then(|shoe| place.get(shoe)).and_then(|i| pairs.get_mut(*i)) else {
            continue;
        };
        pair.runs += 1;
        pair.last_worn = pair.last_worn.max(Some(entry.day));
        match km {
            Some(km) => pair.km_run += km,
            None => pair.unknown += 1,
        }
    }
    Ok(pairs)
}

fn list(desk: &Desk) -> Result<Exit, Failure> {
    let pairs = pairs(desk)?;
    let mut text = String::new();
    let mut objects = Vec::new();
    for pair in &pairs {
        let comfort = pair
            .comfort
            .map_or_else(String::new, |c| format!("comfort {}", c.get()));
        let mut remarks = Vec::new();
        if pair.uneven_heel == Some(true) {
            remarks.push("one heel more worn".to_owned());
        }
        if let Some(day) = pair.facts.retired {
            remarks.push(format!("retired {}", desk.shown(day)));
        }
        if pair.unknown > 0 {
            remarks.push(format!("{} of unknown distance not in it", pair.unknown));
        }
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{:<16} {:<20} {:>6.0} km  {:>3} {:<4}  {comfort:<10} {}",
            pair.id.as_str(),
            pair.facts.name,
            pair.km(),
            pair.runs,
            if pair.runs == 1 { "run" } else { "runs" },
            remarks.join(" · ")
        );
        objects.push(json!({
            "id": pair.id, "facts": pair.facts, "km": pair.km(), "runs": pair.runs, "runs_of_unknown_km": pair.unknown,
            "last_worn": pair.last_worn, "comfort": pair.comfort, "uneven_heel": pair.uneven_heel,
        }));
    }
    if pairs.is_empty() {
        text.push_str("no shoes yet\n");
    }
    desk.result(&json!({"athlete": desk.athlete, "shoes": objects}), &text)?;
    desk.console.advice(if pairs.is_empty() {
        "next: lope shoes add ghost --name \"Ghost 15\" --km 120"
    } else {
        "next: lope checkin after --shoe ID, lope shoes comfort ID 8, lope shoes retire ID"
    });
    Ok(Exit::Done)
}
