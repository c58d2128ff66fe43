//! What a user does with `weft`, as commands: a conversation with the offline provider, turns with
//! models of both vendors that call tools, and what there is besides. One part trains a profile,
//! another that is not in it tells what the profile is worth.

use super::home::Home;
use crate::transcript::Transcript;
use build_support::error::{Error, Result};
use build_support::system::process;
use mock_provider::scenario::Form;
use mock_provider::{Mock, Scenario};
use std::fs::File;
use std::path::Path;
use std::process::Command;

/// How often the transcript is played in one process.
const ROUNDS: usize = 20;

/// Turns with a model that train.
const TRAINING: [&str; 4] = ["one_tool", "three_rounds", "text_and_call", "two_turns"];

/// Turns with a model that only measure.
const OTHERS: [&str; 4] = ["plain", "two_calls", "reasoning", "arguments_no_json"];

/// Which part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// What a profile is made of.
    Training,
    /// What a profile has not seen.
    Others,
}

/// Starts a program with its words, and gives what it took; the file is its input.
pub type Run<'a> = dyn FnMut(Command, Option<File>) -> Result<()> + 'a;

/// Runs each command of `part`: `starts` is what starts `weft`, to which its own words are added.
///
/// # Errors
/// What `run` reports; [`Error::Process`] where the mock was asked what no vendor would take.
pub fn play(
    part: Part,
    transcript: &Transcript,
    starts: &dyn Fn() -> Command,
    run: &mut Run<'_>,
) -> Result<()> {
    offline(part, transcript, starts, run)?;
    let names = match part {
        Part::Training => TRAINING,
        Part::Others => OTHERS,
    };
    for name in names {
        let scenario = Scenario::named(name).map_err(|why| refused(name, &why))?;
        for form in scenario.forms() {
            turns(&scenario, form, starts, run)?;
        }
    }
    Ok(())
}

/// The agent's transcript, or a conversation of other words, and a look at what was said.
fn offline(
    part: Part,
    transcript: &Transcript,
    starts: &dyn Fn() -> Command,
    run: &mut Run<'_>,
) -> Result<()> {
    let lines = match part {
        Part::Training => transcript.lines().repeat(ROUNDS),
        Part::Others => (0..ROUNDS * 20)
            .map(|turn| {
                let message = match turn % 4 {
                    0 => format!("remember k{turn}: {turn}"),
                    1 => format!("write f{}.txt: {}", turn % 9, "words ".repeat(turn)),
                    2 => format!("read f{}.txt", turn % 9),
                    _ => format!("{turn}: what is it to you?"),
                };
                let line = serde_json::json!({"session": "other", "message": message});
                format!("{line}\n")
            })
            .collect(),
    };
    let home = Home::new(&transcript.toml()?)?;
    let mut weft = |words: &[&str], input| {
        let mut command = home.command(starts());
        command.args(words);
        run(command, input)
    };
    weft(&["agent", "--json"], Some(home.input(&lines)?))?;
    weft(&["sessions", "list"], None)?;
    if part == Part::Training {
        weft(&["sessions", "show", "work"], None)?;
        weft(&["config", "show"], None)?;
    } else {
        weft(&["sessions", "export", "other"], None)?;
        weft(&["config", "check"], None)?;
    }
    Ok(())
}

/// The messages of a scenario, in one process.
fn turns(
    scenario: &Scenario,
    form: Form,
    starts: &dyn Fn() -> Command,
    run: &mut Run<'_>,
) -> Result<()> {
    let mock = Mock::start(scenario.exchanges.clone());
    let mock = mock.map_err(Error::io("listening on", Path::new("127.0.0.1")))?;
    let home = Home::of(scenario, form, &mock)?;
    let mut command = home.command(starts());
    command.arg("agent");
    for text in &scenario.say {
        command.args(["-m", text]);
    }
    run(command, None)?;
    mock.finish()
        .map(|_| ())
        .map_err(|why| refused(&scenario.about, &why))
}

fn refused(name: &str, why: &str) -> Error {
    Error::Process {
        command: format!("weft agent, against the mock's {name}"),
        status: "what it asked is not what it must ask".to_owned(),
        stderr: why.to_owned(),
    }
}

/// Runs `command` to its end: it may end with 1, for some answers are errors.
///
/// # Errors
/// [`Error::Process`] where it cannot be started or ends with anything else.
pub fn ended(mut command: Command, input: Option<File>) -> Result<()> {
    let input = match input {
        Some(file) => file,
        None => {
            let nothing = Path::new("/dev/null");
            File::open(nothing).map_err(Error::io("reading", nothing))?
        }
    };
    process::output_or_no(&mut command, input).map(|_| ())
}
