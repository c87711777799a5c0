//! What several test binaries need: where the project is, where recordings lie, and how a test says that it cannot run.
//!
//! A skip is loud. It goes straight to standard error, past the capture of the test harness, and with `LOPE_REQUIRE_ALL=1`
//! (continuous integration) it is a failure, so that a suite cannot turn green by running nothing.

use std::io::Write as _;
use std::path::{Path, PathBuf};

/// The folder of `Cargo.toml`.
pub(crate) fn project_root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A file or folder of the recordings beside the checkout; `None`, with the skip said, when it is not there.
pub(crate) fn shared(path: &str) -> Option<PathBuf> {
    let full = project_root().join("../shared").join(path);
    if full.exists() {
        return Some(full);
    }
    skip(&format!("no {path} in the folder of recordings beside the checkout"));
    None
}

/// A program on `PATH`; `None`, with the skip said, when it is not there.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let found = std::env::var_os("PATH").and_then(|path| {
        std::env::split_paths(&path)
            .map(|dir| dir.join(name))
            .find(|p| p.is_file())
    });
    if found.is_none() {
        skip(&format!("the program {name} is not installed"));
    }
    found
}

/// The Python that tests may use: `LOPE_PYTHON`, else `python3` on `PATH`.
pub(crate) fn python() -> Option<PathBuf> {
    match std::env::var_os("LOPE_PYTHON") {
        Some(path) => Some(Path::new(&path).to_path_buf()),
        None => program("python3"),
    }
}

/// Whether that Python can import a package.
pub(crate) fn python_has(python: &Path, package: &str) -> bool {
    std::process::Command::new(python)
        .args(["-c", &format!("import {package}")])
        .stderr(std::process::Stdio::null())
        .status()
        .is_ok_and(|s| s.success())
}

/// Says that a test cannot run here and why. The caller returns right after.
///
/// # Panics
/// With `LOPE_REQUIRE_ALL=1`: there, everything has to run.
pub(crate) fn skip(why: &str) {
    assert!(
        std::env::var_os("LOPE_REQUIRE_ALL").is_none_or(|v| v != "1"),
        "skipped, and LOPE_REQUIRE_ALL=1: {why}"
    );
    // Captured, for the summary of `./x test`; a failing write to standard error is no reason to fail a test.
    println!("skipped: {why}");
    let _ = writeln!(std::io::stderr(), "skipped: {why}");
}
