//! `weft config`: what the configuration is, and whether it is one.

use super::{Place, Result, say};
use clawft_types::json;

/// A file to begin with.
pub const EXAMPLE: &str = "\
model = \"gpt-5-mini\"

[[providers]]
kind = \"openai\"                 # or \"anthropic\"
key_env = \"OPENAI_API_KEY\"      # or key_file, or key_command = [\"pass\", \"openai\"]

# A server of your own needs no key:
# [[providers]]
# kind = \"openai\"
# name = \"local\"
# base_url = \"http://localhost:11434/v1\"
";

#[derive(clap::Subcommand)]
pub enum Command {
    /// Prints what the agent is told, as JSON; keys are not in it.
    Show,
    /// Says what is wrong with the file, if anything is.
    Check,
    /// Prints where the file is.
    Path,
}

/// Runs the command.
pub fn run(command: &Command, place: &Place) -> Result<bool> {
    match command {
        Command::Path => say(&format!("{}\n", place.config()?.display()))?,
        Command::Show => {
            let value = json::parse(&place.settings()?.json).map_err(|error| error.message)?;
            say(&format!("{}\n", value.to_json()))?;
        }
        Command::Check => {
            let path = place.config()?;
            let settings = place.settings()?;
            let path = path.display();
            if settings.is_written {
                say(&format!("{path}: fine\n"))?;
            } else {
                say(&format!(
                    "{path}: not there; the offline provider answers.\n"
                ))?;
                say(&format!("For a model write:\n\n{EXAMPLE}"))?;
            }
        }
    }
    Ok(true)
}
