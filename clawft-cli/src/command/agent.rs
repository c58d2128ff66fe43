//! `weft agent`: a message, lines of standard input, or a conversation.

use super::{Place, Result, lines, prompt, say, voice};
use crate::config::Settings;
use crate::driver::{Clock, Driver, Progress};
use crate::interrupt::Interrupt;
use clawft_types::{AgentError, Answer, answer};
use clawft_wasm::Agent;
use std::io::{self, IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};

/// The answer's `finish` where it came to its end.
const STOP: &str = "stop";

#[derive(clap::Args)]
pub struct Opts {
    /// The message; `-` is all of standard input. May be given more than once.
    #[arg(short, long, value_name = "TEXT", allow_hyphen_values = true)]
    message: Vec<String>,
    /// The conversation it belongs to.
    #[arg(long, value_name = "NAME", default_value = "default")]
    session: String,
    /// The shipped component, to be run in place of the agent that is built in.
    #[arg(long, value_name = "FILE")]
    wasm: Option<PathBuf>,
    /// A line of JSON for each answer; lines of standard input are JSON as well.
    #[arg(long)]
    json: bool,
}

/// Who answers.
enum Speaker {
    /// The agent that is built in.
    Native(Box<Driver>, Interrupt),
    /// The component.
    #[cfg(feature = "wasm")]
    Wasm(Box<crate::wasm::Component>),
}

/// An agent in one conversation.
pub struct Talk {
    speaker: Speaker,
    /// The conversation, unless a line names another.
    pub session: String,
    /// Whether answers are lines of JSON.
    pub json: bool,
}

/// Runs the command; gives whether every answer was fine.
pub fn run(opts: &Opts, place: &Place) -> Result<bool> {
    let settings = place.settings()?;
    let root = place.root(&settings)?;
    if !settings.is_written && io::stderr().is_terminal() {
        welcome(place)?;
    }
    let mut talk = Talk {
        speaker: match &opts.wasm {
            Some(file) => component(file, &root, settings)?,
            None => native(&root, settings)?,
        },
        session: opts.session.clone(),
        json: opts.json,
    };
    if opts.message.is_empty() {
        return if opts.json || !io::stdin().is_terminal() {
            lines::run(&mut talk)
        } else {
            prompt::run(&mut talk)
        };
    }
    let mut fine = true;
    for message in &opts.message {
        fine &= match message.as_str() {
            "-" => {
                let mut text = String::new();
                io::stdin().lock().read_to_string(&mut text)?;
                talk.answer(text.trim_end_matches('\n'))?
            }
            text => talk.answer(text)?,
        };
    }
    Ok(fine)
}

fn native(root: &Path, settings: Settings) -> Result<Speaker> {
    let agent = Agent::at(&settings.json, root).map_err(|error| error.message)?;
    let driver = Driver::new(agent, settings.keys, settings.times, Clock::System);
    let interrupt = Interrupt::install(driver.outbox())?;
    Ok(Speaker::Native(Box::new(driver), interrupt))
}

#[cfg(feature = "wasm")]
fn component(file: &Path, root: &Path, settings: Settings) -> Result<Speaker> {
    std::fs::create_dir_all(root).map_err(|why| format!("{}: {why}", root.display()))?;
    let component = crate::wasm::Component::start(file, root, settings)?;
    Ok(Speaker::Wasm(Box::new(component)))
}

#[cfg(not(feature = "wasm"))]
fn component(file: &Path, _: &Path, _: Settings) -> Result<Speaker> {
    let file = file.display();
    let help = "cargo install --locked --path clawft-cli --features editor,wasm";
    Err(format!("{file}: this weft cannot run it; build one that can: {help}").into())
}

/// What a first run is told.
fn welcome(place: &Place) -> Result<()> {
    let path = place.config()?;
    voice::note(&format!(
        "There is no configuration yet: the offline provider answers, which is no model.\n\
         To talk to one, write {}:\n\n{}",
        path.display(),
        super::configuration::EXAMPLE
    ));
    Ok(())
}

impl Talk {
    /// Has the agent answer `text` in the session of this talk, and shows the answer; gives whether
    /// it is fine.
    pub fn answer(&mut self, text: &str) -> Result<bool> {
        let session = self.session.clone();
        self.answer_in(&session, text)
    }

    /// The same in another session.
    pub fn answer_in(&mut self, session: &str, text: &str) -> Result<bool> {
        match &mut self.speaker {
            Speaker::Native(driver, interrupt) => {
                let mut shown = Shown {
                    silent: self.json,
                    ..Shown::default()
                };
                interrupt.begin();
                let answer = driver.respond(session, text, &mut |progress| shown.take(progress));
                interrupt.end();
                let written = match shown.failed.take() {
                    Some(error) => Err(error),
                    None if self.json => say(&line(&answer)),
                    None => shown.end(&answer),
                };
                written?;
                Ok(answer.is_ok())
            }
            #[cfg(feature = "wasm")]
            Speaker::Wasm(component) => {
                let answer = component.answer(session, text)?;
                if self.json {
                    say(&format!("{}\n", answer.json))?;
                } else {
                    match &answer.text {
                        Ok(text) => say(&format!("{text}\n"))?,
                        Err(error) => voice::complain(error),
                    }
                }
                Ok(answer.text.is_ok())
            }
        }
    }
}

/// The answer, or the error, as a line of JSON.
fn line(answer: &std::result::Result<Box<Answer>, Box<AgentError>>) -> String {
    let mut line = match answer {
        Ok(answer) => answer.to_json(),
        Err(error) => answer::error_json(error),
    };
    line.push('\n');
    line
}

/// What of an answer is on standard output.
#[derive(Default)]
struct Shown {
    silent: bool,
    /// Whether anything is, and whether it is of the answer as it stands.
    any: bool,
    is_open: bool,
    failed: Option<io::Error>,
}

impl Shown {
    fn take(&mut self, progress: Progress<'_>) {
        if self.silent || self.failed.is_some() {
            return;
        }
        let written = match progress {
            // What was said before tools were called is a part by itself.
            Progress::Request if self.is_open => {
                self.is_open = false;
                say("\n")
            }
            Progress::Request => Ok(()),
            Progress::Text(text) => {
                self.any = true;
                self.is_open = !text.ends_with('\n');
                say(text)
            }
        };
        self.failed = written.err();
    }

    fn end(&self, answer: &std::result::Result<Box<Answer>, Box<AgentError>>) -> io::Result<()> {
        if self.is_open {
            say("\n")?;
        }
        match answer {
            Ok(answer) => {
                if !self.any {
                    say(&format!("{}\n", answer.message.content))?;
                }
                if answer.finish != STOP {
                    voice::warn(&format!("the answer ended early: {}", answer.finish));
                }
                if let Some(why) = &answer.not_persisted {
                    voice::warn(&format!("the session was not saved: {}", why.message));
                }
            }
            Err(error) => voice::complain(&format!("{}: {}", error.code.as_str(), error.message)),
        }
        Ok(())
    }
}
