//! `weft agent`: a message, lines of standard input, or a conversation.

use super::{Place, Result, approval, lines, prompt, say, voice};
use crate::config::Settings;
use crate::driver::{Clock, Driver, Progress};
use crate::interrupt::Interrupt;
use clawft_types::{AgentError, Answer, answer};
use clawft_wasm::Agent;
use std::io::{self, IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};

/// The answer's `finish` where it came to its end.
const STOP: &str = "stop";

/// The messages after which optimised code is worth its while, as `jitHotThreshold` of a manifest
/// has it.
const HOT: u32 = 500;

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
    /// What makes machine code of the component: optimised code, baseline code, which is there at
    /// once, or that first and the other after some messages.
    #[arg(long, value_enum, default_value = "optimised", requires = "wasm")]
    tier: TierArg,
    /// With --tier auto, the messages that are answered before the optimised code goes on.
    #[arg(long, value_name = "MESSAGES", default_value_t = HOT, requires = "wasm")]
    hot_after: u32,
    /// A line of JSON for each answer; lines of standard input are JSON as well.
    #[arg(long)]
    json: bool,
}

/// How a component is run, as an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum TierArg {
    Auto,
    Baseline,
    Optimised,
}

/// Who answers.
enum Speaker {
    /// The agent that is built in.
    Native(Box<Driver>, Interrupt),
    /// The component.
    #[cfg(feature = "wasm")]
    Wasm(Box<crate::wasm::Component>, Interrupt),
}

/// What of an answer is looked at here.
struct Said {
    json: String,
    text: String,
    finish: String,
    /// Why it was not saved, if it was not.
    not_persisted: Option<String>,
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
            Some(file) => component(file, &root, settings, opts)?,
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
    let mut driver = Driver::new(agent, settings.keys, settings.times, Clock::System);
    if approval::can_ask() {
        driver.set_own(Box::new(approval::User));
    }
    let interrupt = Interrupt::install(driver.outbox())?;
    Ok(Speaker::Native(Box::new(driver), interrupt))
}

#[cfg(feature = "wasm")]
fn component(file: &Path, root: &Path, settings: Settings, opts: &Opts) -> Result<Speaker> {
    use crate::wasm::Tier;
    let tier = match opts.tier {
        TierArg::Auto => Tier::Auto {
            after: opts.hot_after,
        },
        TierArg::Baseline => Tier::Baseline,
        TierArg::Optimised => Tier::Optimised,
    };
    std::fs::create_dir_all(root).map_err(|why| format!("{}: {why}", root.display()))?;
    let mut component = crate::wasm::Component::start(file, root, settings, tier)?;
    if approval::can_ask() {
        component.set_own(Box::new(approval::User));
    }
    let interrupt = Interrupt::install(component.outbox())?;
    Ok(Speaker::Wasm(Box::new(component), interrupt))
}

#[cfg(not(feature = "wasm"))]
fn component(file: &Path, _: &Path, _: Settings, _: &Opts) -> Result<Speaker> {
    let file = file.display();
    let help = "cargo install --locked --path clawft-cli";
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
        let mut shown = Shown {
            silent: self.json,
            ..Shown::default()
        };
        let answer = self.speaker.respond(session, text, &mut shown)?;
        match shown.failed.take() {
            Some(error) => return Err(error.into()),
            None if self.json => say(&line(&answer))?,
            None => shown.end(&answer)?,
        }
        Ok(answer.is_ok())
    }
}

impl Speaker {
    /// Has who it is answer `text`, and shows what comes.
    fn respond(&mut self, session: &str, text: &str, shown: &mut Shown) -> Result<Answered> {
        match self {
            Speaker::Native(driver, interrupt) => {
                interrupt.begin();
                let answer = driver.respond(session, text, &mut |progress| shown.take(progress));
                interrupt.end();
                Ok(answer.map(|answer| Said::of(&answer)))
            }
            #[cfg(feature = "wasm")]
            Speaker::Wasm(component, interrupt) => {
                match component.move_if_due() {
                    Ok(Some(count)) => {
                        voice::note(&format!("optimised code after {count} messages"))
                    }
                    Ok(None) => {}
                    Err(why) => voice::warn(&format!("it goes on in baseline code: {why}")),
                }
                interrupt.begin();
                let answer = component.respond(session, text, &mut |progress| shown.take(progress));
                interrupt.end();
                Ok(answer?.map(Said::read))
            }
        }
    }
}

type Answered = std::result::Result<Said, Box<AgentError>>;

impl Said {
    fn of(answer: &Answer) -> Said {
        let why = answer.not_persisted.as_ref();
        Said {
            json: answer.to_json(),
            text: answer.message.content.clone(),
            finish: answer.finish.to_owned(),
            not_persisted: why.map(|why| why.message.clone()),
        }
    }

    /// Of the component's JSON.
    #[cfg(feature = "wasm")]
    fn read(json: String) -> Said {
        use clawft_types::json::{Value, parse};
        let answer = parse(&json).unwrap_or(Value::Null);
        let text = |of: Option<&Value>| of.and_then(Value::as_str).unwrap_or_default().to_owned();
        let member = |of: &str, name: &str| answer.get(of).and_then(|of| of.get(name));
        let why = member("not_persisted", "message");
        Said {
            text: text(member("message", "content")),
            finish: text(answer.get("finish")),
            not_persisted: why.map(|why| text(Some(why))),
            json,
        }
    }
}

/// The answer, or the error, as a line of JSON.
fn line(answer: &Answered) -> String {
    let mut line = match answer {
        Ok(said) => said.json.clone(),
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

    fn end(&self, answer: &Answered) -> io::Result<()> {
        if self.is_open {
            say("\n")?;
        }
        match answer {
            Ok(said) => {
                if !self.any {
                    say(&format!("{}\n", said.text))?;
                }
                if said.finish != STOP {
                    voice::warn(&format!("the answer ended early: {}", said.finish));
                }
                if let Some(why) = &said.not_persisted {
                    voice::warn(&format!("the session was not saved: {why}"));
                }
            }
            Err(error) => voice::complain(&format!("{}: {}", error.code.as_str(), error.message)),
        }
        Ok(())
    }
}
