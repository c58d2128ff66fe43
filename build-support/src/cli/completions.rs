//! `completions SHELL` and `man FOLDER`: what shells and `man` want to know of the command line,
//! out of the command line itself.

use crate::cli::ended::Ended;
use crate::cli::help;
use crate::system::streams;
use anyhow::Context as _;
use clap::{Args, Command};
use clap_complete::Shell;
use std::io::Write as _;
use std::path::PathBuf;

/// Print what a shell needs to complete the options
#[derive(Args)]
#[command(after_help = "\
Examples:
  build-support completions bash > ~/.local/share/bash-completion/completions/PROGRAM
  build-support completions fish > ~/.config/fish/completions/PROGRAM.fish
PROGRAM is what completes: cargo-budget or build-support.")]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Write a manual page for every subcommand
#[derive(Args)]
#[command(after_help = "\
Examples:
  build-support man ~/.local/share/man/man1")]
pub struct Man {
    /// Where they go; it is made where it is not there
    folder: PathBuf,
}

/// Prints the completions of `command`, the program's own.
///
/// # Errors
/// Where stdout is closed.
pub fn complete(opts: &Completions, mut command: Command) -> anyhow::Result<Ended> {
    let mut script = Vec::new();
    let name = program(&command);
    clap_complete::generate(opts.shell, &mut command, name, &mut script);
    let mut stdout = streams::stdout();
    stdout.write_all(&script)?;
    stdout.flush()?;
    Ok(Ended::Well)
}

/// Writes the pages of `command`.
///
/// # Errors
/// Where they cannot be written.
pub fn man(opts: &Man, command: Command) -> anyhow::Result<Ended> {
    let folder = opts.folder.display();
    let root = command.get_bin_name().unwrap_or_default().to_owned();
    let name = program(&command);
    let command = help::renamed(command.name(name), &root);
    std::fs::create_dir_all(&opts.folder).with_context(|| format!("creating {folder}"))?;
    clap_mangen::generate_to(command, &opts.folder)
        .with_context(|| format!("writing to {folder}"))?;
    Ok(Ended::Well)
}

/// The file that is started: cargo finds its subcommands by their names.
fn program(command: &Command) -> &'static str {
    match command.get_bin_name() {
        Some("cargo budget") => "cargo-budget",
        _ => "build-support",
    }
}
