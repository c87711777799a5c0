//! Ctrl-C: the first asks, the second insists.
//!
//! A long command looks at [`requested`] between pieces of work and stops cleanly: nothing stored, temporary files gone.
//! The second Ctrl-C ends the process at once with 130.

use std::sync::atomic::{AtomicBool, Ordering};

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// Whether a stop was asked for.
#[must_use]
pub fn requested() -> bool {
    REQUESTED.load(Ordering::Relaxed)
}

/// Listens for Ctrl-C in a thread of its own. Without it (no runtime to be had) the system's default stays: the process
/// just ends.
pub fn install() {
    let listener = std::thread::Builder::new().name("interrupt".to_owned());
    // A thread that cannot be started leaves the default action in place.
    let _ = listener.spawn(|| {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
            return;
        };
        runtime.block_on(async {
            while tokio::signal::ctrl_c().await.is_ok() {
                if REQUESTED.swap(true, Ordering::Relaxed) {
                    std::process::exit(130);
                }
            }
        });
    });
}
