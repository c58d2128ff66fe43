//! The program: its arguments, and a file for each command. Exit codes: 0 all is well, 1 an answer
//! is an error or something asked for is not there, 2 it could not be run.

mod agent;
mod approval;
mod configuration;
mod lines;
mod prompt;
mod serve;
mod sessions;
mod voice;

use crate::config::{self, Settings};
use clap::{Args, Parser, Subcommand};
use clawft_types::os;
use std::error::Error;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

/// What can go wrong with a command, in words.
type Result<T> = std::result::Result<T, Box<dyn Error>>;

const EXAMPLES: &str = "\
Examples:
  weft agent -m \"what is in my notes?\"       one message, one answer
  weft agent --session work                  a conversation
  git diff | weft agent -m -                 a message from standard input
  weft agent --json < lines.jsonl            {\"session\": \"work\", \"message\": \"hello\"} a line
  weft sessions show work                    what was said
  weft config path                           where the configuration is
  weft serve --store file:./sync             the page of target/bundle, and its devices

Exit codes: 0 all is well, 1 an answer is an error, 2 it could not be run.";

/// Conversations with a model, with tools that see one folder.
#[derive(Parser)]
#[command(name = "weft", version, after_help = EXAMPLES)]
struct Opts {
    #[command(flatten)]
    place: Place,
    #[command(subcommand)]
    command: Command,
}

#[derive(Args, Clone)]
struct Place {
    /// The configuration [default: ~/.config/clawft/config.toml].
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// The only folder the agent may see [default: the user's data folder].
    #[arg(long, value_name = "DIR", global = true)]
    root: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    /// Talks with the agent: one message, lines of standard input, or a conversation.
    Agent(agent::Opts),
    /// What was said.
    #[command(subcommand)]
    Sessions(sessions::Command),
    /// The configuration.
    #[command(subcommand)]
    Config(configuration::Command),
    /// Serves a bundle, the agent in a page, on this machine.
    Serve(serve::Opts),
}

/// Runs the program with the arguments it was started with.
pub fn run() -> ExitCode {
    let opts = match Opts::try_parse() {
        Ok(opts) => opts,
        Err(error) => {
            let code = u8::try_from(error.exit_code()).unwrap_or(2);
            return match error.print() {
                Ok(()) => ExitCode::from(code),
                Err(_) => ExitCode::from(2),
            };
        }
    };
    let done = match &opts.command {
        Command::Agent(command) => agent::run(command, &opts.place),
        Command::Sessions(command) => sessions::run(command, &opts.place),
        Command::Config(command) => configuration::run(command, &opts.place),
        Command::Serve(command) => serve::run(command),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        // Who reads has had enough.
        Err(error) if is_broken_pipe(error.as_ref()) => ExitCode::from(1),
        Err(error) => {
            voice::complain(&error.to_string());
            ExitCode::from(2)
        }
    }
}

fn is_broken_pipe(error: &(dyn Error + 'static)) -> bool {
    let io = error.downcast_ref::<io::Error>();
    io.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

impl Place {
    fn config(&self) -> Result<PathBuf> {
        match &self.config {
            Some(path) => Ok(path.clone()),
            None => Ok(config::path()?),
        }
    }

    fn settings(&self) -> Result<Settings> {
        let path = self.config()?;
        if self.config.is_some() && !path.exists() {
            return Err(format!("{}: there is no such file", path.display()).into());
        }
        Ok(Settings::read(&path)?)
    }

    /// The folder of the agent.
    fn root(&self, settings: &Settings) -> Result<PathBuf> {
        let root = self.root.clone().or_else(|| settings.root.clone());
        root.or_else(os::default_root)
            .ok_or_else(|| "there is no data folder; give --root DIR".into())
    }
}

/// Writes `text` to standard output at once.
fn say(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}
