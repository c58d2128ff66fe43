//! `weft`, the program: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    clawft_cli::command::run()
}
