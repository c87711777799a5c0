//! What commands that serve share: their options, beginning to serve, and how that fails.

use super::failure::{Exit, Failure};
use super::{Globals, doctor};
use crate::api::Limits;
use crate::api::access::rate::Rate;
use crate::api::live::{Cues, Marks, RunAbout, RunKind};
use crate::model::SensorConfig;
use crate::runtime::serve::{self, NotServed, Port, Reach, ServePlan, Serving};
use crate::runtime::stop::Stop;
use crate::store::{AthleteId, SessionId};
use clap::Args;
use std::io::IsTerminal as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use tokio::runtime::Runtime;

/// Where it is served when nobody says.
pub const USUAL: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8787);

/// Options of commands that serve beside their work.
#[derive(Args, Debug, Clone, Default)]
pub struct ServeBeside {
    /// Serve the dashboard meanwhile, at 127.0.0.1:8787 or this address
    #[arg(long, value_name = "ADDR", num_args = 0..=1, require_equals = true, default_missing_value = "127.0.0.1:8787")]
    pub serve: Option<SocketAddr>,
    /// With --serve: let other machines reach it; needs a token (lope token add)
    #[arg(long, requires = "serve")]
    pub expose: bool,
    /// With --serve: a proxy whose X-Forwarded-For and X-Forwarded-Proto are believed; may be given more than once
    #[arg(long, value_name = "IP", requires = "serve")]
    pub trusted_proxy: Vec<IpAddr>,
}

impl ServeBeside {
    /// Begins to serve if that is wanted.
    ///
    /// # Errors
    /// It cannot be served as asked.
    pub fn start(&self, globals: &Globals, runtime: &Runtime) -> Result<Option<Serving>, Failure> {
        let Some(listen) = self.serve else { return Ok(None) };
        let plan = ServePlan {
            dir: globals.data_dir()?,
            listen,
            port: if listen == USUAL { Port::OrNext } else { Port::Exactly },
            reach: if self.expose { Reach::Exposed } else { Reach::Loopback },
            trusted_proxies: self.trusted_proxy.clone(),
            limits: Limits::default(),
        };
        let serving = start(globals, runtime, plan)?;
        globals.console.advice(&format!("dashboard  {}", serving.url()));
        Ok(Some(serving))
    }
}

/// What viewers are told of a run of this athlete. Without cues, unless they are asked for afterwards.
#[must_use]
pub fn about(
    session: &SessionId,
    athlete: AthleteId,
    name: &str,
    kind: RunKind,
    sensors: &[SensorConfig],
    speed: Option<f64>,
) -> RunAbout {
    RunAbout {
        session: session.clone(),
        athlete,
        name: name.to_owned(),
        kind,
        started: serve::now(),
        sensors: sensors.to_vec(),
        speed_factor: speed.or((kind == RunKind::Record).then_some(1.0)),
        marks: match kind {
            RunKind::Record | RunKind::Demo => Marks::Kept,
            RunKind::Replay => Marks::Nowhere,
        },
        cues: Cues::None,
    }
}

/// Serves a record that was made to be looked at, until somebody ends it.
///
/// # Errors
/// It cannot be served.
pub fn look_at(globals: &Globals, dir: std::path::PathBuf) -> Result<(), Failure> {
    let runtime = crate::runtime::live::threads().map_err(|e| super::threads_failed(&e))?;
    let stop = Stop::on_ctrl_c();
    let plan = ServePlan {
        dir,
        listen: USUAL,
        port: Port::OrNext,
        reach: Reach::Loopback,
        trusted_proxies: Vec::new(),
        limits: Limits::default(),
    };
    let serving = start(globals, &runtime, plan)?;
    stay(globals, &runtime, serving, &stop);
    Ok(())
}

/// Whether somebody sits before it, so that a demonstration waits to be looked at.
#[must_use]
pub fn somebody_sits(globals: &Globals) -> bool {
    let console = globals.console;
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal() && !console.json && !console.quiet
}

/// Serves beside the demonstration. It goes on without a dashboard where that cannot be.
pub fn beside_demo(globals: &Globals, runtime: &Runtime) -> Option<Serving> {
    let plan = ServePlan {
        dir: globals.data_dir().ok()?,
        listen: USUAL,
        port: Port::OrNext,
        reach: Reach::Loopback,
        trusted_proxies: Vec::new(),
        limits: Limits::default(),
    };
    match start(globals, runtime, plan) {
        Ok(serving) => {
            globals.console.advice(&format!("dashboard  {}", serving.url()));
            Some(serving)
        }
        Err(failure) => {
            let why = failure.why.first().cloned().unwrap_or(failure.what);
            globals.console.advice(&format!("no dashboard: {why}"));
            None
        }
    }
}

/// The demonstration is over and the dashboard stays, until q and Enter, or Ctrl-C.
pub fn stay(globals: &Globals, runtime: &Runtime, serving: Serving, stop: &Stop) {
    let url = serving.url();
    globals.console.advice(&format!(
        "the dashboard stays at {url}; q and Enter, or Ctrl-C, ends it"
    ));
    let asked = stop.clone();
    // Ends with the program if nobody types.
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if line.trim().eq_ignore_ascii_case("q") {
                asked.ask();
            }
        }
    });
    super::serve::wait(runtime, stop);
    serving.stop(runtime);
}

/// The demonstration is over, and so is its dashboard.
pub fn leave(globals: &Globals, runtime: &Runtime, serving: Serving) {
    if std::io::stderr().is_terminal() {
        globals
            .console
            .advice("look around in it with: lope serve   (or lope demo --stay)");
    }
    serving.stop(runtime);
}

/// Limits with another rate; 0 for none.
#[must_use]
pub fn limits(requests_per_s: f64, streams: usize, streams_each: usize) -> Limits {
    Limits {
        requests: (requests_per_s > 0.0).then_some(Rate {
            per_s: requests_per_s,
            burst: 3.0 * requests_per_s,
        }),
        streams_each,
        streams,
    }
}

/// Begins to serve.
///
/// # Errors
/// Why not, in words.
pub fn start(globals: &Globals, runtime: &Runtime, plan: ServePlan) -> Result<Serving, Failure> {
    let (config, dir) = (globals.config.clone(), plan.dir.clone());
    let settings = globals.settings()?;
    serve::start(runtime, plan, settings, Box::new(move || doctor::checks(&config))).map_err(|e| failure(e, &dir))
}

fn failure(error: NotServed, dir: &std::path::Path) -> Failure {
    let words = error.to_string();
    match error {
        NotServed::NotExposed(at) => Failure::new(
            "lope::serve::not_exposed",
            Exit::Declined,
            "Nothing is served: other machines could look at this record.",
        )
        .why(words)
        .try_this("serve on this machine only: lope serve")
        .try_this(format!(
            "let others in, each with a token: lope token add NAME --role owner, then lope serve --listen {at} --expose"
        )),
        NotServed::NoToken => Failure::new(
            "lope::serve::no_token",
            Exit::Declined,
            "Nothing is served: --expose needs somebody who may look.",
        )
        .why(words)
        .try_this("lope token add NAME --role owner")
        .try_this("or bring one along: lope serve --expose --token-file FILE"),
        NotServed::Address(..) => Failure::new(
            "lope::serve::address",
            Exit::Outside,
            "This address cannot be listened on.",
        )
        .why(words)
        .try_this("another program may listen there; name another port: --listen 127.0.0.1:8788"),
        NotServed::System(_) => Failure::new(
            "lope::serve::system",
            Exit::Outside,
            "This system does not let lope serve.",
        )
        .why(words),
        NotServed::Store(e) => Failure::from(e).why(format!("the record is in {}", dir.display())),
    }
}
