//! The command `cargo budget`. All of it is in the library: [`build_support::cli`] has a file per
//! subcommand.

fn main() -> std::process::ExitCode {
    build_support::cli::cargo_budget()
}
