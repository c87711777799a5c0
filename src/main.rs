//! The `lope` program: everything it does is in [`lope::cli`], so that tests and other programs can use the same parts.

use std::process::ExitCode;

fn main() -> ExitCode {
    lope::cli::run(std::env::args_os())
}
