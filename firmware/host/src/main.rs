//! `lope-pod`: the reference firmware of a pod as a program on this machine.
//!
//! Its radio is a virtual Bluetooth controller behind a TCP port (HCI packets in H4 framing), its sensor sits on a simulated
//! runner, its clock drifts as it is told. Everything between is the firmware that a chip would run. Several of these, one
//! per place on the body and all with the same seed and the same origin of the run, are one runner.

mod arguments;
mod board;
mod clock;
mod h4;
mod hci;
mod runner;
mod truth;

use std::error::Error;
use std::io::Write as _;
use std::process::ExitCode;

use arguments::Arguments;
use board::HostBoard;
use clap::Parser as _;
use clock::PodClock;
use embassy_time::{Duration, Timer};
use firmware_protocol::pod::Slot;
use firmware_protocol::{BootId, PodUid};
use hci::TcpHci;
use pod_firmware::{Identity, ImuCaps, LONGEST_NAME, Station};
use runner::SimulatedImu;
use tokio::net::TcpStream;
use trouble_host::prelude::ExternalController;
use truth::{PodFacts, Truth};

/// Commands that may be on their way to the controller at once.
const COMMAND_SLOTS: usize = 8;
/// The port of a controller may open a moment later than this program starts.
const TRY_AGAIN: Duration = Duration::from_millis(100);
/// The fastest rate the firmware offers, for the size of the ring, Hz.
const FASTEST_HZ: u32 = 833;
/// What the simulated sensor can do: more than one chip, so that every wish of the protocol's recommendations is met.
const SENSOR: ImuCaps<'static> = ImuCaps {
    gyr_ranges_dps: &[500, 1000, 2000, 4000],
    ..ImuCaps::COMMON
};
const FIRMWARE: &str = concat!("lope-pod ", env!("CARGO_PKG_VERSION"));

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let name = arguments.name();
    match run_as_task(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("{name}: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// The firmware must be a task of its own: the waker of a task is the same one at every poll, that of `block_on` is not, and
/// the signals of the firmware wake whoever waited with another waker. With `block_on` alone it would never sleep.
fn run_as_task(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let tasks = tokio::task::LocalSet::new();
    let firmware = tasks.spawn_local(async move { run(&arguments).await });
    tasks.block_on(&runtime, firmware)?
}

/// One line on standard output, at once: whoever started this reads it through a pipe.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // Nobody listens any more: then there is nobody to tell.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

async fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let name = arguments.name();
    if name.len() > LONGEST_NAME {
        return Err(format!("a name has at most {LONGEST_NAME} bytes").into());
    }
    let placement = arguments.placement()?;
    let clock = PodClock::new(arguments.drift_ppm, arguments.clock_starts_at_us());
    let uid = arguments.pod_uid();
    let boot = arguments.boot_id.unwrap_or_else(|| clock::fresh_number(uid));
    let serial = format!("{uid:016x}");
    let address = arguments.address();
    let identity = Identity {
        name: &name,
        pod_uid: PodUid::new(uid).ok_or("the number of a pod is never 0")?,
        boot_id: BootId::new(boot).ok_or("the number of a boot is never 0")?,
        address,
        vendor: "lope",
        product: "lope-pod (open)",
        serial: &serial,
        firmware: FIRMWARE,
        hardware: "simulated",
    };

    let facts = PodFacts {
        name: name.clone(),
        placement,
        pod_uid: uid,
        boot_id: boot,
    };
    let truth = Truth::new(facts, arguments.truth.clone(), arguments.samples.clone());
    let board = HostBoard::new(clock, truth);
    let mut slots = vec![Slot::EMPTY; (arguments.ring_s * FASTEST_HZ) as usize];
    // A crystal of the kind pods have; what this one really does is the caller's choice.
    let station =
        Station::new(identity.setup(clock.now(), 50), SENSOR, &mut slots, board).map_err(|e| format!("{e:?}"))?;
    let imu = SimulatedImu::new(arguments.wearer(placement)?, clock);

    let stream = connect(&arguments.hci).await?;
    say(&format!(
        "{name}: on {}, pod {uid:016x}, boot {boot:08x}",
        arguments.hci
    ));
    let controller: ExternalController<TcpHci, COMMAND_SLOTS> = ExternalController::new(TcpHci::new(stream)?);
    let ended = tokio::select! {
        stopped = pod_firmware::run(controller, imu, &station, &identity) => {
            let Err(why) = stopped;
            Err(format!("stopped: {why:?}").into())
        }
        () = time_is_up(arguments.seconds) => Ok(()),
        end = ended_by_signal() => end,
    };
    station.board().finish()?;
    ended
}

/// Tries for ten seconds.
async fn connect(to: &str) -> Result<TcpStream, Box<dyn Error>> {
    let mut left = 100;
    loop {
        match TcpStream::connect(to).await {
            Ok(stream) => return Ok(stream),
            Err(error) if left == 0 => return Err(format!("{to}: {error}").into()),
            Err(_) => left -= 1,
        }
        Timer::after(TRY_AGAIN).await;
    }
}

async fn time_is_up(seconds: Option<f64>) {
    match seconds {
        Some(seconds) => Timer::after(Duration::from_micros((seconds.max(0.0) * 1e6) as u64)).await,
        None => std::future::pending().await,
    }
}

async fn ended_by_signal() -> Result<(), Box<dyn Error>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
