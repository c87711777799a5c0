//! The crate builds for a microcontroller, where its target is installed.

use std::process::Command;

const TARGET: &str = "thumbv7em-none-eabihf";

/// Whether the target's `core` is there. It is looked for where rustc says its libraries are.
fn is_installed() -> bool {
    let asked = Command::new("rustc").args(["--print", "sysroot"]).output();
    let Ok(asked) = asked else { return false };
    let root = String::from_utf8_lossy(&asked.stdout).trim().to_string();
    std::path::Path::new(&root)
        .join("lib/rustlib")
        .join(TARGET)
        .join("lib")
        .is_dir()
}

#[test]
fn the_crate_builds_for_a_microcontroller() {
    if !is_installed() {
        eprintln!("skipped: the target {TARGET} is not installed");
        return;
    }
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/src/lib.rs");
    // rustc and not cargo: the crate has no dependencies, and cargo would wait for the lock of the running build.
    let built = Command::new("rustc")
        .args([
            "--crate-name",
            "firmware_protocol",
            "--crate-type",
            "rlib",
            "--edition",
            "2024",
            "--target",
            TARGET,
            root,
        ])
        .arg("--out-dir")
        .arg(env!("CARGO_TARGET_TMPDIR"))
        .output()
        .unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
}
