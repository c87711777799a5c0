//! The HTTP interface beside whatever else runs: one runtime, one process, one hub of live runs.
//!
//! Here stands what the interface may not have: the clocks, the sockets, and the machine that is looked at.

use crate::api::app::{KitItem, KitSensorItem, MachineCheck};
use crate::api::{self, App, Clock, Entrance, Hub, Limits, Setup};
use crate::config::Settings;
use crate::interchange::flag_rules;
use crate::runtime::doctor::Check;
use crate::store::access::Role;
use crate::store::journal::Day;
use crate::store::{SqliteAccess, StoreError, UtcMicros};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Ports tried after the one wished for, where any will do.
const NEXT_PORTS: u16 = 20;
/// Tokens and consents that other programs changed are noticed within this time.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// The clocks of this machine.
#[must_use]
pub fn clocks() -> Clock {
    let began = Instant::now();
    Clock {
        utc: Arc::new(now),
        today: Arc::new(|| {
            let date = jiff::ZonedDateTime::now().date();
            Day::parse(&date.to_string()).unwrap_or(Day::FIRST)
        }),
        steady: Arc::new(move || began.elapsed()),
    }
}

/// The wall clock.
#[must_use]
pub fn now() -> UtcMicros {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UtcMicros::from_micros(i64::try_from(since.as_micros()).unwrap_or(0))
}

/// A hub without runs, named by this start of the program.
///
/// # Errors
/// The system gives no random numbers.
pub fn hub(clock: &Clock) -> std::io::Result<Hub> {
    let secret = api::access::login::secret().map_err(std::io::Error::other)?;
    let boot = secret.get(..12).unwrap_or(&secret).to_owned();
    Ok(Hub::new(boot, Arc::clone(&clock.steady)))
}

/// How it is served.
#[derive(Clone, Debug)]
pub struct ServePlan {
    /// The data folder.
    pub dir: PathBuf,
    /// Where to listen.
    pub listen: SocketAddr,
    /// Whether the next free port will do when that one is taken.
    pub port: Port,
    /// Whether others may reach it.
    pub reach: Reach,
    /// Proxies whose `X-Forwarded-*` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Limits.
    pub limits: Limits,
}

/// Which port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    /// The one named.
    Exactly,
    /// The next free one.
    OrNext,
}

/// Who may reach it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// This machine.
    Loopback,
    /// Others, with tokens.
    Exposed,
}

/// Why it is not served.
#[derive(Debug)]
pub enum NotServed {
    /// The address is not of the loopback and nobody said that others may reach it.
    NotExposed(SocketAddr),
    /// Others would reach it and there is no token that lets anyone in.
    NoToken,
    /// The address cannot be listened on.
    Address(SocketAddr, std::io::Error),
    /// The system gives no random numbers or sockets.
    System(std::io::Error),
    /// The record cannot be opened.
    Store(StoreError),
}

impl fmt::Display for NotServed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotExposed(at) => write!(f, "{at} can be reached from other machines"),
            Self::NoToken => f.write_str("there is no token, so nobody could sign in"),
            Self::Address(at, e) => write!(f, "{at}: {e}"),
            Self::System(e) => e.fmt(f),
            Self::Store(e) => e.fmt(f),
        }
    }
}

/// A server under way. Dropping it without [`Serving::stop`] lets it go on until its runtime ends.
#[derive(Debug)]
pub struct Serving {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its live runs.
    pub hub: Hub,
    end: oneshot::Sender<()>,
    task: JoinHandle<std::io::Result<()>>,
}

impl Serving {
    /// The address for a browser.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Ends it: viewers are told, and given a moment.
    pub fn stop(self, runtime: &Runtime) {
        // It may have ended by itself.
        let _ = self.end.send(());
        let _ = runtime.block_on(self.task);
    }
}

/// Begins to serve.
///
/// # Errors
/// Why not.
pub fn start(runtime: &Runtime, plan: ServePlan, settings: &Settings, checks: Checks) -> Result<Serving, NotServed> {
    let entrance = entrance(&plan)?;
    let clock = clocks();
    let hub = hub(&clock).map_err(NotServed::System)?;
    let app = App::open(Setup {
        dir: plan.dir.clone(),
        clock,
        entrance,
        limits: plan.limits,
        trusted_proxies: plan.trusted_proxies.clone(),
        hub: hub.clone(),
        checks: Box::new(move || checks().into_iter().map(machine_check).collect()),
        kits: kits(settings),
        rules: flag_rules::built_in(),
    })
    .map_err(NotServed::Store)?;
    let listener = runtime.block_on(listen(plan.listen, plan.port))?;
    let address = listener.local_addr().map_err(NotServed::System)?;
    let (end, ended) = oneshot::channel();
    runtime.spawn(look_again(app.clone()));
    let task = runtime.spawn(api::serve(listener, app, async move {
        // A dropped sender means that nobody will ask for the end.
        if ended.await.is_err() {
            std::future::pending::<()>().await;
        }
    }));
    Ok(Serving {
        address,
        hub,
        end,
        task,
    })
}

/// Looks at the machine.
pub type Checks = Box<dyn Fn() -> Vec<Check> + Send + Sync>;

fn entrance(plan: &ServePlan) -> Result<Entrance, NotServed> {
    let loopback = plan.listen.ip().is_loopback();
    match plan.reach {
        Reach::Loopback if loopback => Ok(Entrance::ThisMachine),
        Reach::Loopback => Err(NotServed::NotExposed(plan.listen)),
        Reach::Exposed => {
            let tokens = SqliteAccess::open(&plan.dir)
                .and_then(|a| a.tokens())
                .map_err(NotServed::Store)?;
            let counts = |t: &crate::store::access::TokenRow| t.role != Role::Share && t.counts(now());
            if tokens.iter().any(counts) {
                Ok(Entrance::Tokens)
            } else {
                Err(NotServed::NoToken)
            }
        }
    }
}

async fn listen(at: SocketAddr, port: Port) -> Result<TcpListener, NotServed> {
    let last = match port {
        Port::Exactly => at.port(),
        Port::OrNext => at.port().saturating_add(NEXT_PORTS),
    };
    let mut failed = None;
    for port in at.port()..=last {
        let at = SocketAddr::new(at.ip(), port);
        match TcpListener::bind(at).await {
            Ok(listener) => return Ok(listener),
            Err(e) => failed = failed.or(Some(NotServed::Address(at, e))),
        }
    }
    Err(failed.unwrap_or(NotServed::NotExposed(at)))
}

/// Notices what other programs changed about tokens and consents, so that a withdrawal ends streams that are open.
async fn look_again(app: App) {
    let mut tick = tokio::time::interval(LOOK_AGAIN);
    let mut known = None;
    loop {
        tick.tick().await;
        // What cannot be read now is read the next time.
        let Ok(now) = app.ask(access_state).await else {
            continue;
        };
        if known.as_ref().is_some_and(|k| *k != now) {
            app.access_changed();
        }
        known = Some(now);
    }
}

/// Everything that decides who may look, as one text.
fn access_state(app: &App) -> Result<String, StoreError> {
    use crate::store::journal::{EntryQuery, Journal as _, Kind};
    let tokens = app.access().tokens()?;
    let said = app.journal().entries(&EntryQuery {
        kinds: vec![Kind::Consent, Kind::Athlete],
        ..EntryQuery::default()
    })?;
    Ok(format!("{tokens:?} {said:?}"))
}

fn machine_check(check: Check) -> MachineCheck {
    MachineCheck {
        state: check.verdict.name().to_owned(),
        what: check.name.to_owned(),
        text: check.detail,
        r#try: check.mend,
    }
}

fn kits(settings: &Settings) -> Vec<KitItem> {
    let kit = |(name, kit): (&String, &crate::config::Setting<crate::config::kit::Kit>)| KitItem {
        name: name.clone(),
        sensors: kit
            .value
            .sensors
            .iter()
            .map(|(place, sensor)| KitSensorItem {
                place: place.name().to_owned(),
                name: sensor.shown().to_owned(),
                kind: sensor.kind.name().to_owned(),
                firmware: sensor.firmware.clone(),
                battery: sensor.battery,
                last_seen_us: sensor
                    .last_seen
                    .as_deref()
                    .and_then(|t| t.parse::<jiff::Timestamp>().ok())
                    .map(|t| t.as_microsecond()),
            })
            .collect(),
    };
    settings.kits.iter().map(kit).collect()
}
