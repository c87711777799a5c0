//! `lope influx`: a copy of the record in InfluxDB: look whether it can be reached, bring it up to date, say how it is.
//!
//! The token comes from a file that only its owner can read, or from the environment; it is never an argument, because
//! arguments are shown to every user of the machine, and it is never printed.

use super::Globals;
use super::failure::{Exit, Failure};
use crate::runtime::stop::Stop;
use crate::store::influx::{
    Delivery, Destination, Health, InfluxTransport, LineTransport as _, Pace, Plaintext, Reply, Token, Waiting, worker,
};
use crate::store::outbox::SinkStatus;
use crate::store::sqlite::{Registered, SinkLedger, sink_rejects, sink_statuses};
use crate::store::{SinkName, SqliteStore, StoreError, UtcMicros};
use clap::{Args, Subcommand};
use serde_json::json;
use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Arguments of `lope influx`.
#[derive(Args, Debug)]
pub struct InfluxArgs {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    there: There,
}

/// Where to. What a flag does not say, the environment says (`LOPE_INFLUX_URL` and so on).
#[derive(Args, Debug, Default)]
struct There {
    /// The server, http(s)://host[:port]
    #[arg(long, global = true)]
    url: Option<String>,
    /// Its organisation
    #[arg(long, global = true)]
    org: Option<String>,
    /// Its bucket
    #[arg(long, global = true)]
    bucket: Option<String>,
    /// File that holds the token and nothing else, readable by you alone
    #[arg(long, global = true, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Certificate of a private authority (PEM)
    #[arg(long, global = true, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Let the token travel unencrypted to another machine
    #[arg(long, global = true)]
    allow_plaintext: bool,
    /// A name for this copy
    #[arg(long, global = true, default_value = "influx")]
    name: String,
}

#[derive(Subcommand, Debug)]
enum What {
    /// Whether the server can be reached and would take what it is sent; sends nothing
    Check,
    /// Send what is not there yet
    Sync {
        /// Go on sending what is recorded, until Ctrl-C
        #[arg(long)]
        follow: bool,
    },
    /// How far each copy has come, and what was refused
    Status,
    /// Keep nothing for this copy any more; what it was sent stays there
    Forget,
}

/// Runs `lope influx`.
///
/// # Errors
/// Settings that cannot work, a server that cannot be reached or refuses, a record that cannot be read.
pub fn run(globals: &Globals, args: &InfluxArgs) -> Result<Exit, Failure> {
    let dir = globals.data_dir()?;
    match args.what.as_ref().unwrap_or(&What::Status) {
        What::Status => status(globals, &dir),
        What::Check => check(globals, &destination(&args.there, &variable)?),
        What::Sync { follow } => {
            let there = destination(&args.there, &variable)?;
            let until = if *follow { Until::Stopped } else { Until::InStep };
            sync(globals, &dir, &SinkName::parse(&args.there.name)?, &there, until)
        }
        What::Forget => {
            let sink = SinkName::parse(&args.there.name)?;
            let known = sink_statuses(&dir)?.into_iter().find(|s| s.sink == sink);
            let Some(known) = known else {
                return Err(Failure::new(
                    "lope::influx::unknown",
                    Exit::Unknown,
                    format!("There is no copy {sink}."),
                )
                .try_this("lope influx status shows what there is"));
            };
            SinkLedger::open(&dir, &sink, &known.target, utc_now())?.0.forget()?;
            globals.console.result(&if globals.console.json {
                format!("{:#}\n", json!({ "forgotten": sink.as_str() }))
            } else {
                format!("forgot {sink}; what was sent is still at {}\n", known.target)
            })?;
            Ok(Exit::Done)
        }
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|v| !v.is_empty())
}

fn refused(what: impl Into<String>) -> Failure {
    Failure::new("lope::influx::settings", Exit::Refused, what)
}

/// The destination that flags and environment name. The one place where settings come together: a `[[sink]]` table of a
/// settings file becomes one more `or_else` at the end of each line.
fn destination(there: &There, variable: &dyn Fn(&str) -> Option<String>) -> Result<Destination, Failure> {
    let text = |flag: &Option<String>, name: &str| flag.clone().or_else(|| variable(name));
    let url = text(&there.url, "LOPE_INFLUX_URL");
    let org = text(&there.org, "LOPE_INFLUX_ORG");
    let bucket = text(&there.bucket, "LOPE_INFLUX_BUCKET");
    let file = there
        .token_file
        .clone()
        .or_else(|| variable("LOPE_INFLUX_TOKEN_FILE").map(PathBuf::from));
    let ca_file = there
        .ca_file
        .clone()
        .or_else(|| variable("LOPE_INFLUX_CA_FILE").map(PathBuf::from));
    let token = match &file {
        Some(path) => Some(token_in(path)?),
        None => variable("LOPE_INFLUX_TOKEN")
            .map(|t| Token::parse(&t))
            .transpose()
            .map_err(settings)?,
    };
    let mut missing = Vec::new();
    for (there, name) in [
        (url.is_some(), "--url or LOPE_INFLUX_URL"),
        (bucket.is_some(), "--bucket or LOPE_INFLUX_BUCKET"),
        (
            token.is_some(),
            "--token-file, LOPE_INFLUX_TOKEN_FILE or LOPE_INFLUX_TOKEN",
        ),
    ] {
        if !there {
            missing.push(name);
        }
    }
    let (Some(url), Some(bucket), Some(token)) = (url, bucket, token) else {
        let failure = missing
            .iter()
            .fold(refused("It is not said where to send to."), |f, name| {
                f.why(format!("no {name}"))
            });
        return Err(failure.try_this("docs/influx.md shows how to set up a server"));
    };
    let plaintext = if there.allow_plaintext {
        Plaintext::Allowed
    } else {
        Plaintext::Loopback
    };
    let mut destination =
        Destination::new(&url, org.as_deref().unwrap_or_default(), &bucket, token, plaintext).map_err(settings)?;
    destination.ca_file = ca_file;
    Ok(destination)
}

fn settings(error: StoreError) -> Failure {
    refused("These settings cannot be used.").why(error.to_string())
}

/// The token in a file that nobody else can read.
fn token_in(path: &Path) -> Result<Token, Failure> {
    let unreadable =
        |e: std::io::Error| refused("The token file cannot be read.").why(format!("{}: {e}", path.display()));
    let meta = std::fs::metadata(path).map_err(unreadable)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        if meta.permissions().mode() & 0o077 != 0 {
            return Err(refused("Others can read the token file.")
                .why(format!(
                    "{} has mode {:o}",
                    path.display(),
                    meta.permissions().mode() & 0o777
                ))
                .try_this(format!("chmod 600 {}", path.display())));
        }
    }
    if meta.len() > 64 * 1024 {
        return Err(refused("The token file cannot be read.").why("it is too long to be a token"));
    }
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    Token::parse(&text).map_err(settings)
}

fn utc_now() -> UtcMicros {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UtcMicros::from_micros(i64::try_from(since.as_micros()).unwrap_or(0))
}

/// What an answer of the server means for a person; `None` for one that means all is well.
fn trouble(reply: &Reply, there: &Destination) -> Option<Failure> {
    let outside = |code, what: &str| Failure::new(code, Exit::Outside, what).why(there.describe());
    Some(match reply {
        Reply::Taken => return None,
        Reply::Silence(why) => outside("lope::influx::unreachable", "The server cannot be reached.")
            .why(why)
            .try_this("check the address, and that the server runs"),
        Reply::Status(status, text) => {
            let text: String = text.chars().filter(|c| !c.is_control()).take(300).collect();
            let said = format!("HTTP {status} {text}");
            match status {
                // The question was no point, which some servers say: the token and the bucket were looked at before.
                400 | 422 => return None,
                401 | 403 => outside("lope::influx::token", "The server refuses the token.")
                    .why(said.trim())
                    .try_this(format!(
                        "make one that may write to {}: influx auth create --write-bucket ID",
                        there.bucket
                    )),
                404 => outside("lope::influx::no_bucket", "The server has no such bucket.")
                    .why(said.trim())
                    .try_this(format!(
                        "influx bucket create --org {} --name {}",
                        there.org, there.bucket
                    )),
                300..=399 => outside("lope::influx::redirect", "The address leads elsewhere.")
                    .why(said.trim())
                    .try_this("give the final address; a redirect is not followed, because the token would go along"),
                _ => outside("lope::influx::answer", "The server does not take what it is sent.").why(said.trim()),
            }
        }
    })
}

fn check(globals: &Globals, there: &Destination) -> Result<Exit, Failure> {
    let transport = InfluxTransport::new(there)?;
    // A comment is no point: nothing is written.
    let reply = transport.write(b"# lope asks whether it may write\n".to_vec());
    if let Some(failure) = trouble(&reply, there) {
        return Err(failure);
    }
    globals.console.result(&if globals.console.json {
        format!("{:#}\n", json!({ "target": there.describe(), "reachable": true }))
    } else {
        format!(
            "ok    {} takes what it is sent   next: lope influx sync\n",
            there.describe()
        )
    })?;
    Ok(Exit::Done)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    InStep,
    Stopped,
}

/// Real time, Ctrl-C, and when one pass is enough.
struct RealPace<'a> {
    globals: &'a Globals,
    begin: Instant,
    stop: Stop,
    until: Until,
    /// What was said last, so that a state is said once.
    said: std::cell::RefCell<String>,
}

/// How long a wait goes on without looking for Ctrl-C.
const SLICE: Duration = Duration::from_millis(100);

impl RealPace<'_> {
    fn say(&self, what: &str) {
        let mut said = self.said.borrow_mut();
        if *said != what {
            what.clone_into(&mut said);
            self.globals.console.advice(what);
        }
    }
}

impl Pace for RealPace<'_> {
    fn now(&self) -> Duration {
        self.begin.elapsed()
    }

    fn utc(&self) -> UtcMicros {
        utc_now()
    }

    fn asked_to_stop(&self) -> bool {
        self.stop.asked()
    }

    fn wait(&self, why: &Waiting<'_>, time: Duration) -> ControlFlow<()> {
        let give_up = match why {
            Waiting::InStep => {
                self.say("in step");
                true
            }
            Waiting::Retry { health, error } => {
                self.say(&format!("the server does not take it: {error}; trying again"));
                **health == Health::Offline
            }
            Waiting::Paused { error, .. } => {
                self.say(&format!("paused for {} min: {error}", time.as_secs() / 60));
                true
            }
        };
        if give_up && self.until == Until::InStep {
            return ControlFlow::Break(());
        }
        let end = Instant::now() + time;
        while Instant::now() < end {
            if self.stop.asked() {
                return ControlFlow::Break(());
            }
            std::thread::sleep(SLICE.min(end.saturating_duration_since(Instant::now())));
        }
        ControlFlow::Continue(())
    }
}

fn sync(globals: &Globals, dir: &Path, sink: &SinkName, there: &Destination, until: Until) -> Result<Exit, Failure> {
    let transport = InfluxTransport::new(there)?;
    let target = there.describe();
    let opened = match SinkLedger::open(dir, sink, &target, utc_now()) {
        // A record of an older layout gets its outbox from the writer.
        Err(StoreError::Missing { .. }) if dir.join(crate::store::sqlite::RECORD_FILE).exists() => {
            drop(SqliteStore::open(dir, "lope influx sync")?);
            SinkLedger::open(dir, sink, &target, utc_now())
        }
        other => other,
    };
    let (mut ledger, registered) = match opened {
        Err(StoreError::Missing { .. }) => {
            return Err(Failure::new(
                "lope::influx::no_record",
                Exit::Unknown,
                "There is no record to copy yet.",
            )
            .why(format!("nothing is kept in {}", dir.display()))
            .try_this("lope record, or another folder with --data-dir"));
        }
        other => other?,
    };
    if registered == Registered::New {
        globals
            .console
            .advice(&format!("new copy {sink}: sending everything to {target}"));
    }
    let begin = Instant::now();
    let pace = RealPace {
        globals,
        begin,
        stop: Stop::on_ctrl_c(),
        until,
        said: std::cell::RefCell::default(),
    };
    // Waits are random so that many senders do not come back together: each process has a seed of its own.
    let seed = utc_now().micros().unsigned_abs() ^ u64::from(std::process::id()) << 32;
    let mut delivery = Delivery::new(seed);
    let sent = worker::run(&mut ledger, &transport, &mut delivery, &pace)?;
    drop(ledger);
    let now = sink_statuses(dir)?.into_iter().find(|s| s.sink == *sink);
    let waiting = now.as_ref().map_or(0, |s| s.waiting);
    globals.console.result(&if globals.console.json {
        let value = json!({
            "sink": sink.as_str(), "target": target, "lines": sent.lines, "refused": sent.refused,
            "erasures": sent.erasures, "requests": sent.requests, "waiting": waiting,
            "state": now.as_ref().map(|s| s.state.clone()),
        });
        format!("{value:#}\n")
    } else {
        format!(
            "{sink}: {} points in {} requests, {:.1} s; {} refused, {} deletions, {waiting} entries waiting\n",
            sent.lines - sent.refused.min(sent.lines),
            sent.requests,
            begin.elapsed().as_secs_f64(),
            sent.refused,
            sent.erasures
        )
    })?;
    if pace.stop.asked() || (waiting == 0 && sent.refused == 0) {
        return Ok(Exit::Done);
    }
    if waiting == 0 {
        globals
            .console
            .advice(&format!("refused points are kept: lope influx status --name {sink}"));
        return Ok(Exit::Partial);
    }
    Err(Failure::new(
        "lope::influx::behind",
        Exit::Outside,
        "The copy could not be brought up to date.",
    )
    .why(
        delivery
            .last_error()
            .unwrap_or("the server does not take what it is sent")
            .to_owned(),
    )
    .why(format!("{waiting} entries wait; nothing is lost"))
    .try_this("lope influx check says what is wrong; lope influx sync goes on where it stopped"))
}

/// Refused lines shown of each sink.
const REJECTS_SHOWN: usize = 5;

fn status(globals: &Globals, dir: &Path) -> Result<Exit, Failure> {
    let sinks = match sink_statuses(dir) {
        Ok(sinks) => sinks,
        Err(StoreError::Missing { .. }) => Vec::new(),
        Err(e) => return Err(e.into()),
    };
    let mut shown = Vec::new();
    for sink in &sinks {
        let rejects = sink_rejects(dir, &sink.sink, REJECTS_SHOWN)?;
        shown.push((sink, rejects));
    }
    if globals.console.json {
        let all: Vec<_> = shown
            .iter()
            .map(|(s, rejects)| {
                let rejects: Vec<_> = rejects
                    .iter()
                    .map(|r| json!({"session": r.session.as_ref().map(|s| s.as_str()), "line": r.line, "reason": r.reason}))
                    .collect();
                json!({
                    "sink": s.sink.as_str(), "target": s.target, "state": s.state, "error": s.error,
                    "points": s.lines, "waiting": s.waiting, "refused": s.rejects, "latest_refused": rejects,
                    "updated": UtcMicros::from_micros(s.updated_us).iso8601(),
                })
            })
            .collect();
        globals.console.result(&format!("{:#}\n", json!({ "sinks": all })))?;
        return Ok(Exit::Done);
    }
    let mut t = String::new();
    // Writing to a String cannot fail.
    for (sink, rejects) in &shown {
        let _ = writeln!(t, "{}", line(sink));
        for r in rejects {
            let start: String = r.line.chars().take(100).collect();
            let _ = writeln!(t, "    refused: {start}\n             {}", r.reason);
        }
    }
    if shown.is_empty() {
        t.push_str("no copy   next: lope influx sync --url URL --org ORG --bucket BUCKET --token-file FILE\n");
    }
    globals.console.result(&t)?;
    Ok(Exit::Done)
}

fn line(s: &SinkStatus) -> String {
    let error = s.error.as_ref().map(|e| format!(" ({e})")).unwrap_or_default();
    format!(
        "{}  {}{error}  {} points sent, {} entries waiting, {} refused  {}  {}",
        s.sink,
        s.state,
        s.lines,
        s.waiting,
        s.rejects,
        &UtcMicros::from_micros(s.updated_us).iso8601()[..19],
        s.target
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_come_before_the_environment_and_what_is_missing_is_told_at_once() {
        let environment = |name: &str| match name {
            "LOPE_INFLUX_URL" => Some("https://env.example.org".to_owned()),
            "LOPE_INFLUX_BUCKET" => Some("env".to_owned()),
            "LOPE_INFLUX_TOKEN" => Some("s3cret".to_owned()),
            _ => None,
        };
        let flags = There {
            url: Some("https://flag.example.org".to_owned()),
            org: Some("club".to_owned()),
            ..There::default()
        };
        let there = destination(&flags, &environment).expect("complete");
        assert_eq!(there.describe(), "https://flag.example.org org=club bucket=env");
        let failure = destination(&There::default(), &|_| None).expect_err("nothing is said");
        assert_eq!((failure.exit, failure.why.len()), (Exit::Refused, 3));
        let bad = There {
            url: Some("https://flag.example.org/path".to_owned()),
            ..There::default()
        };
        let failure = destination(&bad, &environment).expect_err("a path");
        assert!(failure.exit == Exit::Refused && !format!("{failure:?}").contains("s3cret"));
    }

    #[cfg(unix)]
    #[test]
    fn a_token_that_others_can_read_is_refused_and_not_shown() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join("token");
        std::fs::write(&path, "s3cret\n").expect("written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("set");
        let failure = token_in(&path).expect_err("readable by all");
        assert!(failure.exit == Exit::Refused && !format!("{failure:?}").contains("s3cret"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("set");
        token_in(&path).expect("private");
    }
}
