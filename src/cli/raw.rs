//! `lope raw`: the raw recordings there are, which of them stay, and making room.

use super::failure::{Exit, Failure};
use super::{Globals, words};
use crate::runtime::retention::{self, Policy};
use crate::store::sqlite::{RawHeld, RawLimits, too_much};
use crate::store::{SqliteReader, SqliteStore, StoreError, UtcMicros};
use clap::{Args, Subcommand};
use serde_json::json;
use std::fmt::Write as _;

/// Bytes of a gigabyte, as disks are sold.
const GB: f64 = 1e9;
/// Microseconds of a day.
const DAY_US: f64 = 86_400e6;

/// Arguments of `lope raw`.
#[derive(Args, Debug)]
pub struct RawArgs {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Subcommand, Debug)]
enum What {
    /// All raw recordings, oldest first
    List,
    /// Keep the raw recording of a session whatever its age
    Pin {
        /// Its id, or the beginning of it; `last` for the newest
        id: String,
    },
    /// Take a pin away
    Unpin {
        /// Its id, or the beginning of it; `last` for the newest
        id: String,
    },
    /// Remove raw samples by age or size; sessions and strides stay
    Prune(PruneArgs),
}

/// Arguments of `lope raw prune`.
#[derive(Args, Debug)]
struct PruneArgs {
    /// Of sessions older than so many days
    #[arg(long, value_name = "DAYS", value_parser = above_zero)]
    older_than: Option<f64>,
    /// Until so many gigabytes are left, the oldest first
    #[arg(long, value_name = "GB", value_parser = above_zero)]
    over: Option<f64>,
    /// Only say what would go
    #[arg(long)]
    dry_run: bool,
}

fn above_zero(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(x) if x >= 0.0 && x.is_finite() => Ok(x),
        _ => Err("a number from 0 on was expected".to_owned()),
    }
}

/// Runs it.
///
/// # Errors
/// No such session; another lope works on the record.
pub fn run(globals: &Globals, args: &RawArgs) -> Result<Exit, Failure> {
    let dir = globals.data_dir()?;
    match args.what.as_ref().unwrap_or(&What::List) {
        What::List => {
            let stock = match SqliteReader::open(&dir) {
                Ok(reader) => reader.raw_stock()?,
                Err(StoreError::Missing { .. }) => Vec::new(),
                Err(e) => return Err(e.into()),
            };
            list(globals, &stock)
        }
        What::Pin { id } | What::Unpin { id } => {
            let session = super::sessions::find(&SqliteReader::open(&dir)?, id)?.meta.id;
            let store = SqliteStore::open(&dir, "lope raw pin")?;
            let pinned = matches!(args.what, Some(What::Pin { .. }));
            if pinned {
                store.pin_raw(&session)?;
            } else {
                store.unpin_raw(&session)?;
            }
            let object = json!({ "session": session.as_str(), "pinned": pinned });
            let words = if pinned {
                "stays whatever its age"
            } else {
                "may go by age or size"
            };
            globals.console.result(&if globals.console.json {
                format!("{object:#}\n")
            } else {
                format!("{session}: its raw recording {words}\n")
            })?;
            Ok(Exit::Done)
        }
        What::Prune(prune) => pruned(globals, &dir, prune),
    }
}

fn list(globals: &Globals, stock: &[RawHeld]) -> Result<Exit, Failure> {
    let total: u64 = stock.iter().map(|r| r.bytes).sum();
    if globals.console.json {
        let rows: Vec<_> = stock.iter().map(held_json).collect();
        let object = json!({ "recordings": rows, "bytes": total });
        globals.console.result(&format!("{object:#}\n"))?;
        return Ok(Exit::Done);
    }
    let mut t = String::new();
    for r in stock {
        let state = match (r.removed, r.open, r.pinned) {
            (Some(when), ..) if r.bytes == 0 => format!("removed {}", &when.iso8601()[..10]),
            (_, true, _) => "being recorded".to_owned(),
            (_, _, true) => "pinned".to_owned(),
            _ if r.unfinished => "not finished yet".to_owned(),
            _ if r.flagged => "flagged: goes only if you prune it".to_owned(),
            _ => String::new(),
        };
        let size = if r.bytes == 0 {
            "-".to_owned()
        } else {
            words::bytes(r.bytes)
        };
        // Writing to a String cannot fail.
        let _ = writeln!(t, "{}  {}  {size:>9}  {state}", r.session, &r.start.iso8601()[..16]);
    }
    let _ = writeln!(
        t,
        "{} recordings, {}   next: lope raw prune --older-than 90 --dry-run",
        stock.len(),
        words::bytes(total)
    );
    globals.console.result(&t)?;
    Ok(Exit::Done)
}

fn held_json(r: &RawHeld) -> serde_json::Value {
    json!({
        "session": r.session.as_str(), "athlete": r.athlete.as_str(), "start": r.start.iso8601(), "bytes": r.bytes,
        "pinned": r.pinned, "open": r.open, "unfinished": r.unfinished, "flagged": r.flagged, "removed": r.removed.map(UtcMicros::iso8601),
    })
}

/// The instant of this computer's clock.
fn now() -> UtcMicros {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    UtcMicros::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// Removes what the settings no longer let stay, and says so in a line. A record that another lope works on is left for the
/// next time, and so is one that cannot be cared for now: whoever calls has something else to do.
pub fn care(globals: &Globals, dir: &std::path::Path, store: &SqliteStore) {
    let Ok(settings) = globals.settings() else { return };
    let policy = Policy::of(settings);
    match retention::pass(dir, store, &policy, now()) {
        Ok(outcome) => {
            if let Some(sentence) = outcome.sentence(&policy) {
                globals.console.advice(&sentence);
            }
        }
        Err(e) => globals.console.advice(&format!("old raw samples stay for now: {e}")),
    }
}

/// As [`care`], of a record that nobody has opened to write; without one there is nothing to do.
pub fn care_before(globals: &Globals, dir: &std::path::Path, command: &str) {
    if SqliteReader::open(dir).is_ok()
        && let Ok(store) = SqliteStore::open(dir, command)
    {
        care(globals, dir, &store);
    }
}

fn pruned(globals: &Globals, dir: &std::path::Path, args: &PruneArgs) -> Result<Exit, Failure> {
    if args.older_than.is_none() && args.over.is_none() {
        return Err(
            Failure::new("lope::raw::limit", Exit::Usage, "Nothing says what may stay.")
                .try_this("lope raw prune --older-than 90, or --over 20"),
        );
    }
    let limits = RawLimits {
        not_before: args
            .older_than
            .map(|days| UtcMicros::from_micros(now().micros() - (days * DAY_US) as i64)),
        most_bytes: args.over.map(|gb| (gb * GB) as u64),
    };
    let stock = SqliteReader::open(dir)?.raw_stock()?;
    let going = too_much(&stock, limits);
    let mut freed = 0;
    if args.dry_run {
        freed = stock
            .iter()
            .filter(|r| going.contains(&r.session))
            .map(|r| r.bytes)
            .sum();
    } else if !going.is_empty() {
        let store = SqliteStore::open(dir, "lope raw prune")?;
        for session in &going {
            freed += store.drop_raw(session, now())?;
        }
    }
    let (names, verb) = (
        going.iter().map(|s| s.as_str()).collect::<Vec<_>>(),
        if args.dry_run { "would remove" } else { "removed" },
    );
    if globals.console.json {
        let object = json!({ "sessions": names, "bytes": freed, "dry_run": args.dry_run });
        globals.console.result(&format!("{object:#}\n"))?;
    } else {
        let mut text = String::new();
        for name in &names {
            let _ = writeln!(text, "{name}");
        }
        let _ = writeln!(
            text,
            "{verb} the raw samples of {} sessions, {}; their strides stay",
            names.len(),
            words::bytes(freed)
        );
        globals.console.result(&text)?;
    }
    Ok(Exit::Done)
}
