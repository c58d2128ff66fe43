//! The subcommands that run files, in a build without an engine: each says what is missing.

use crate::cli::ended::Ended;
use clap::{Args, Subcommand};
use std::ffi::OsString;

/// One of them.
#[derive(Subcommand)]
pub enum Command {
    /// Not in this build: it has no engine
    Run(Any),
    /// Not in this build: it has no engine
    Preinit(Any),
    /// Not in this build: it has no engine
    Precompile(Any),
    /// Not in this build: it has no engine
    Bundle(Any),
    /// Not in this build: it has no engine
    BundleAudit(Any),
    /// Not in this build: it has no engine
    Serve(Any),
}

/// Whatever is given to them.
#[derive(Args)]
pub struct Any {
    #[arg(hide = true, trailing_var_arg = true, allow_hyphen_values = true)]
    given: Vec<OsString>,
}

/// Says what is missing.
///
/// # Errors
/// Always.
pub fn run(command: &Command) -> anyhow::Result<Ended> {
    let (name, Any { given }) = match command {
        Command::Run(any) => ("run", any),
        Command::Preinit(any) => ("preinit", any),
        Command::Precompile(any) => ("precompile", any),
        Command::Bundle(any) => ("bundle", any),
        Command::BundleAudit(any) => ("bundle-audit", any),
        Command::Serve(any) => ("serve", any),
    };
    anyhow::bail!(
        "`{name}` needs an engine, and this build of the tool has none ({} arguments were not read)\n  \
         help: install it with its default features: without `--no-default-features --features optimize`",
        given.len()
    )
}
