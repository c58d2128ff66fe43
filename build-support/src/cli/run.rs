//! `build-support run`: talks to the shipped agent component in an embedded wasmtime.

use crate::agent::host::Host;
use crate::cli::ended::Ended;
use crate::ops::ship::Files;
use crate::project::package::Package;
use crate::system::calling;
use crate::system::streams;
use anyhow::Context as _;
use clap::Args;
use std::io::Write as _;
use std::path::PathBuf;

/// The target whose file is a component.
const TARGET: &str = "wasm32-wasip2";

/// Load the shipped agent component into wasmtime and send it messages
#[derive(Args)]
#[command(after_help = "\
The agent keeps sessions in the folder it is given, so the next call goes on where this one stopped.
Examples:
  build-support run \"hello\"
  build-support run --session work \"write plan.txt: ship it\" \"read plan.txt\"
  build-support run --component agent.wasm --root /srv/agent \"list .\"")]
pub struct Opts {
    /// The messages, sent in order
    #[arg(required = true)]
    messages: Vec<String>,
    /// The session they belong to
    #[arg(long, default_value = "default")]
    session: String,
    /// The agent's configuration, as JSON
    #[arg(long, default_value = "{}")]
    config: String,
    /// Do not configure it: the file was pre-initialised with a configuration
    #[arg(long, conflicts_with = "config")]
    initialised: bool,
    /// The only folder the agent may see; target/agent where this is not given
    #[arg(long)]
    root: Option<PathBuf>,
    /// The component, a reactor, or a precompiled file; what the last build shipped where this is
    /// not given
    #[arg(long)]
    component: Option<PathBuf>,
    /// Print the whole answers as JSON, one a line
    #[arg(long)]
    json: bool,
}

/// Runs the subcommand.
pub fn run(opts: &Opts) -> anyhow::Result<Ended> {
    let (component, root) = match (opts.component.clone(), opts.root.clone()) {
        (Some(component), Some(root)) => (component, root),
        (component, root) => {
            let package = Package::find(None)?;
            (
                component.unwrap_or_else(|| Files::last(&package, TARGET).shipped),
                root.unwrap_or_else(|| package.target_dir.join("agent")),
            )
        }
    };
    if opts.component.is_none() && !component.is_file() {
        anyhow::bail!(
            "{} is not there yet; run `{}` first",
            component.display(),
            calling::call("build")
        );
    }
    if opts.root.is_none() {
        std::fs::create_dir_all(&root).with_context(|| format!("creating {}", root.display()))?;
    }
    let mut host = Host::load(&component, &root)?;
    if !opts.initialised {
        host.init(&opts.config)?;
    }
    let mut stdout = streams::stdout();
    let mut ended = Ended::Well;
    for message in &opts.messages {
        let answer = host.process_message(&opts.session, message)?;
        let parsed: serde_json::Value =
            serde_json::from_str(&answer).context("the agent's answer is not JSON")?;
        if parsed["ok"] == serde_json::Value::Bool(false) {
            ended = Ended::Badly;
        }
        match (
            opts.json,
            parsed["message"]["content"].as_str(),
            parsed["error"]["message"].as_str(),
        ) {
            (false, Some(text), _) => writeln!(stdout, "{text}")?,
            (false, None, Some(error)) => anyhow::bail!("the agent answers: {error}"),
            _ => writeln!(stdout, "{answer}")?,
        }
    }
    Ok(ended)
}
