//! The crate builds without the standard library: for a microcontroller where its target is installed, else for this
//! machine, which shows at least that it stands alone.

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
fn the_crate_builds_alone_and_for_a_microcontroller() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/src/lib.rs");
    // rustc and not cargo: the crate has no dependencies, and cargo would wait for the lock of the running build.
    let mut build = Command::new("rustc");
    build.args([
        "--crate-name",
        "firmware_protocol",
        "--crate-type",
        "rlib",
        "--edition",
        "2024",
        root,
    ]);
    build.arg("--out-dir").arg(env!("CARGO_TARGET_TMPDIR"));
    if is_installed() {
        build.args(["--target", TARGET]);
    } else {
        eprintln!("built for this machine only: the target {TARGET} is not installed");
    }
    let built = build.output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
}
