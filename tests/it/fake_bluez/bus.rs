//! A private bus, and a test run again in a child that sees no other.

use crate::support::{program, project_root};
use std::future::Future;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Set in the child: its bus is the private one.
const CHILD: &str = "LOPE_TEST_PRIVATE_BUS";
/// A child that takes longer hangs.
const LIMIT: Duration = Duration::from_secs(120);

/// Who may talk to the Bluetooth service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Policy {
    /// Everybody.
    Open,
    /// Nobody: as for a user whom the system does not let at it.
    Closed,
    /// There is not even a bus.
    NoBus,
}

/// Runs `scenario` in a child process on a private bus; `test` is the path of the calling test, as the test program lists it.
///
/// # Panics
/// When the child fails; its output is part of the message.
pub(crate) fn in_a_child<F>(test: &str, policy: Policy, scenario: impl FnOnce() -> F)
where
    F: Future<Output = ()>,
{
    if std::env::var_os(CHILD).is_some() {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            tokio::time::timeout(LIMIT, scenario()).await.expect("ends in time");
        });
        return;
    }
    let Some(daemon) = program("dbus-daemon") else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("bus");
    let _daemon = (policy != Policy::NoBus).then(|| Daemon::start(&daemon, folder.path(), &socket, policy));
    // The child is this test program again, with this one test.
    let output = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env("DBUS_SYSTEM_BUS_ADDRESS", format!("unix:path={}", socket.display()))
        .env(CHILD, "1")
        .current_dir(project_root())
        .output()
        .expect("the test program runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{test} in its child:\n{text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    // Behind the name of the test, which the child's own harness writes on the same line.
    for measured in text.lines().filter_map(|l| l.split_once("measured: ")) {
        println!("measured: {}", measured.1);
    }
}

struct Daemon(Child);

impl Daemon {
    fn start(program: &Path, folder: &Path, socket: &Path, policy: Policy) -> Self {
        let config = folder.join("bus.conf");
        let denied = match policy {
            Policy::Closed => r#"<deny send_destination="org.bluez"/>"#,
            Policy::Open | Policy::NoBus => "",
        };
        let text = format!(
            r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <listen>unix:path={}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_destination="*"/>
    <allow send_type="signal"/>
    <allow receive_sender="*"/>
    {denied}
  </policy>
</busconfig>
"#,
            socket.display()
        );
        std::fs::write(&config, text).expect("a file in a folder of ours");
        let mut child = Command::new(program)
            .arg(format!("--config-file={}", config.display()))
            .args(["--nofork", "--nopidfile", "--print-address"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(folder.join("bus.log")).expect("a file in a folder of ours"))
            .spawn()
            .expect("dbus-daemon starts");
        // It prints its address when it listens.
        let mut address = String::new();
        let out = child.stdout.take().expect("asked for");
        BufReader::new(out).read_line(&mut address).expect("dbus-daemon prints");
        assert!(
            address.starts_with("unix:path="),
            "dbus-daemon did not start: {address:?} {}",
            std::fs::read_to_string(folder.join("bus.log")).unwrap_or_default()
        );
        Self(child)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Already gone, or killed now: both are the end of it.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A test whose body runs in a child on a private bus.
macro_rules! on_a_private_bus {
    ($(#[doc = $doc:literal])* fn $name:ident() $body:block) => {
        on_a_private_bus!(super::bus::Policy::Open, $(#[doc = $doc])* fn $name() $body);
    };
    ($policy:expr, $(#[doc = $doc:literal])* fn $name:ident() $body:block) => {
        $(#[doc = $doc])*
        #[test]
        fn $name() {
            // The test program lists tests without the name of their crate.
            let test = concat!(module_path!(), "::", stringify!($name));
            let test = test.split_once("::").expect("a module path").1;
            super::bus::in_a_child(test, $policy, || async $body);
        }
    };
}
pub(crate) use on_a_private_bus;
