//! `lope serve`: the record and live runs as a dashboard and an interface for programs, until Ctrl-C.

use super::failure::{Exit, Failure};
use super::{Globals, serving};
use crate::runtime::live;
use crate::runtime::serve::{Port, Reach, ServePlan, now};
use crate::runtime::stop::Stop;
use crate::store::access::{Role, TokenRow, TokenScope};
use crate::store::{SqliteAccess, StoreError};
use clap::Args;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Shortest token in a file, characters: 128 bits as hexadecimal digits.
const TOKEN_MIN: usize = 32;
/// Name of the token that a file brings along.
const FILE_TOKEN: &str = "token file";

/// Arguments of `lope serve`.
#[derive(Args, Debug)]
pub struct ServeArgs {
    /// Where to listen; other than this machine it also needs --expose
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8787")]
    listen: SocketAddr,
    /// Let other machines reach it: everybody then needs a token (lope token add)
    #[arg(long)]
    expose: bool,
    /// A file with a token of the owner, readable by its owner only
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// A proxy whose X-Forwarded-For and X-Forwarded-Proto are believed; may be given more than once
    #[arg(long, value_name = "IP")]
    trusted_proxy: Vec<IpAddr>,
    /// Requests a second of one caller in the long run, three times as many at once; 0 for no limit
    #[arg(long, value_name = "N", default_value_t = 20.0)]
    rate_limit: f64,
    /// Live streams in all
    #[arg(long, value_name = "N", default_value_t = 512)]
    max_streams: usize,
    /// Live streams of one caller
    #[arg(long, value_name = "N", default_value_t = 8)]
    streams_each: usize,
}

/// Runs `lope serve`. Ctrl-C is a normal end.
///
/// # Errors
/// It cannot be served as asked.
pub fn run(globals: &Globals, args: &ServeArgs) -> Result<Exit, Failure> {
    let dir = globals.data_dir()?;
    if let Some(file) = &args.token_file {
        bring_token(&dir, file)?;
    }
    super::raw::care_before(globals, &dir, "lope serve (old raw samples)");
    let runtime = live::threads().map_err(|e| super::threads_failed(&e))?;
    let stop = Stop::on_ctrl_c();
    let plan = ServePlan {
        dir,
        listen: args.listen,
        port: Port::Exactly,
        reach: if args.expose { Reach::Exposed } else { Reach::Loopback },
        trusted_proxies: args.trusted_proxy.clone(),
        limits: serving::limits(args.rate_limit, args.max_streams, args.streams_each),
    };
    let serving = serving::start(globals, &runtime, plan)?;
    let console = globals.console;
    if console.json {
        console.result(&format!("{}\n", serde_json::json!({ "url": serving.url() })))?;
    } else {
        console.result(&format!("serving {}\n", serving.url()))?;
    }
    if args.expose {
        console.advice("other machines can reach it; whoever has a token sees what its role reaches");
        console.advice("there is no encryption here: put a proxy with https before it (docs/serving.md)");
    }
    console.advice("Ctrl-C stops");
    wait(&runtime, &stop);
    serving.stop(&runtime);
    Ok(Exit::Done)
}

/// Waits until somebody asks to stop.
pub fn wait(runtime: &tokio::runtime::Runtime, stop: &Stop) {
    runtime.block_on(async {
        let mut tick = tokio::time::interval(Duration::from_millis(100));
        while !stop.asked() {
            tick.tick().await;
        }
    });
}

/// Lets in whoever holds the token in a file.
fn bring_token(dir: &Path, file: &Path) -> Result<(), Failure> {
    let text = std::fs::read_to_string(file).map_err(|e| {
        Failure::new(
            "lope::serve::token_file",
            Exit::Refused,
            format!("{} cannot be read.", file.display()),
        )
        .why(e.to_string())
    })?;
    let refused = |why: &str, advice: &str| {
        Failure::new(
            "lope::serve::token_file",
            Exit::Refused,
            format!("{} holds no token that can be used.", file.display()),
        )
        .why(why)
        .try_this(advice)
    };
    if !private(file) {
        return Err(refused("others can read it", &format!("chmod 600 {}", file.display())));
    }
    let token = text.trim();
    if token.len() < TOKEN_MIN || token.chars().any(char::is_whitespace) {
        let why = format!("a token is one word of at least {TOKEN_MIN} characters");
        return Err(refused(&why, "openssl rand -hex 32 gives one"));
    }
    let row = TokenRow {
        sha256: TokenRow::hash_of(token),
        name: FILE_TOKEN.to_owned(),
        role: Role::Owner,
        scope: TokenScope::default(),
        made: now(),
        expires: None,
        revoked: None,
    };
    match SqliteAccess::open(dir)?.add(&row) {
        // It was brought along before.
        Ok(()) | Err(StoreError::Conflict { .. }) => Ok(()),
        Err(e) => Err(e.into()),
    }
}

/// Whether only its owner can read a file; where the system cannot tell, the folder's own rules hold.
fn private(file: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::metadata(file).is_ok_and(|m| m.permissions().mode() & 0o077 == 0)
    }
    #[cfg(not(unix))]
    {
        file.is_file()
    }
}
