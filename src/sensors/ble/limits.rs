//! How long each call to the system may take, and how silence is judged.

use super::answers::Refusal;
use std::future::Future;
use std::time::Duration;

/// Limits of every call. A limit that passes is told by the name of the call, never waited out in silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Reaching the service, asking for adapters, their state and the sensors they know.
    pub adapter: Duration,
    /// Beginning or ending a scan.
    pub scan: Duration,
    /// Connecting.
    pub connect: Duration,
    /// Discovering services of a sensor for the first time.
    pub discover_first: Duration,
    /// Discovering them again.
    pub discover: Duration,
    /// Subscribing.
    pub subscribe: Duration,
    /// Writing.
    pub write: Duration,
    /// Reading.
    pub read: Duration,
    /// Asking whether a sensor is connected.
    pub is_connected: Duration,
    /// Disconnecting.
    pub disconnect: Duration,
    /// After this long without a frame the system is asked whether the sensor is there, and again as often.
    pub ask_after: Duration,
    /// After this long without a frame *and* without a yes from the system the link is down.
    pub silent_after: Duration,
}

impl Limits {
    /// The limits of this system.
    ///
    /// Connecting takes longer on Linux: BlueZ itself gives a silent device 30 s, and giving up earlier only makes the
    /// next attempt meet "already in progress".
    #[must_use]
    pub const fn of_this_system() -> Self {
        let s = Duration::from_secs;
        Self {
            adapter: s(3),
            scan: s(3),
            connect: if cfg!(target_os = "linux") { s(35) } else { s(15) },
            discover_first: s(35),
            discover: s(10),
            subscribe: s(5),
            write: s(5),
            read: s(5),
            is_connected: s(2),
            disconnect: s(5),
            ask_after: s(1),
            silent_after: s(5),
        }
    }
}

/// A call that did not do what it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failed {
    /// Its limit passed; its name.
    TimedOut(&'static str),
    /// The system refused.
    Refused(Refusal),
}

/// Runs a call of btleplug under its limit.
pub(super) async fn within<T>(
    limit: Duration,
    call: &'static str,
    work: impl Future<Output = btleplug::Result<T>>,
) -> Result<T, Failed> {
    match tokio::time::timeout(limit, work).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(Failed::Refused(Refusal::of(&error))),
        Err(_) => Err(Failed::TimedOut(call)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_call_that_never_returns_ends_at_its_limit_by_name() {
        let never = std::future::pending::<btleplug::Result<()>>();
        let ended = within(Duration::from_millis(1), "write", never).await;
        assert_eq!(ended, Err(Failed::TimedOut("write")));
    }

    #[test]
    fn silence_is_asked_about_before_it_ends_a_link() {
        let limits = Limits::of_this_system();
        assert!(limits.ask_after + limits.is_connected < limits.silent_after);
    }
}
