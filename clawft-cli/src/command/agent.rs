//! `weft agent`: a message, lines of standard input, or a conversation.

use super::{Place, Result, lines, prompt, say, voice};
use crate::config::Settings;
use crate::driver::{Clock, Driver, Progress};
use crate::interrupt::Interrupt;
use clawft_types::{AgentError, Answer, answer};
use clawft_wasm::Agent;
use std::io::{self, IsTerminal as _, Read as _};

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
    /// A line of JSON for each answer; lines of standard input are JSON as well.
    #[arg(long)]
    json: bool,
}

/// An agent with its driver, in one conversation.
pub struct Talk {
    driver: Driver,
    interrupt: Interrupt,
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
    let Settings {
        json, keys, times, ..
    } = settings;
    let agent = Agent::at(&json, &root).map_err(|error| error.message)?;
    let driver = Driver::new(agent, keys, times, Clock::System);
    let interrupt = Interrupt::install(driver.outbox())?;
    let mut talk = Talk {
        driver,
        interrupt,
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
        let mut shown = Shown {
            silent: self.json,
            ..Shown::default()
        };
        self.interrupt.begin();
        let answer = self
            .driver
            .respond(session, text, &mut |progress| shown.take(progress));
        self.interrupt.end();
        let written = match shown.failed.take() {
            Some(error) => Err(error),
            None if self.json => say(&line(&answer)),
            None => shown.end(&answer),
        };
        written?;
        Ok(answer.is_ok())
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
