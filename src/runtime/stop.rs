//! Ctrl-C: the first one asks to stop, the second one ends the program at once with code 130.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Exit code after the second Ctrl-C.
const SECOND: i32 = 130;

/// The wish to stop, shared by everyone who works.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Listens to Ctrl-C from a thread of its own. Where the system cannot tell, nobody is ever asked to stop and Ctrl-C
    /// ends the program as it does every program.
    #[must_use]
    pub fn on_ctrl_c() -> Self {
        let stop = Self::default();
        let asked = stop.clone();
        if let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() {
            std::thread::spawn(move || {
                runtime.block_on(async {
                    if tokio::signal::ctrl_c().await.is_ok() {
                        asked.ask();
                        if tokio::signal::ctrl_c().await.is_ok() {
                            std::process::exit(SECOND);
                        }
                    }
                });
            });
        }
        stop
    }

    /// Asks everyone to stop.
    pub fn ask(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether to stop.
    #[must_use]
    pub fn asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
