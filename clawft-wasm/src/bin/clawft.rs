//! The agent as a native program: what the native figures are taken of, and a way to try it without
//! wasm.

use clawft_wasm::Agent;
use clawft_wasm::types::json::{self, Value};
use std::error::Error;
use std::io::{BufRead as _, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const HELP: &str = "\
The clawft agent.

Usage: clawft [OPTIONS] MESSAGE...     answers each message, a line of JSON for each
       clawft [OPTIONS] < LINES        the same for lines of {\"session\": \"work\", \"message\": \"hello\"}

Options:
  --root DIR         the only folder the agent may see [default: the user's data folder]
  --session NAME     the session the messages belong to [default: default]
  --config JSON      the configuration [default: {}]
  -h, --help         this text

Exit codes: 0 every message was answered, 1 an answer is an error, 2 it could not be run.
Example: clawft --root notes --session work \"write plan.txt: ship it\" \"read plan.txt\"";

struct Options {
    root: Option<PathBuf>,
    session: String,
    config: String,
    messages: Vec<String>,
}

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// Whether every answer was fine.
fn run() -> Result<bool, Box<dyn Error>> {
    let Some(options) = options(std::env::args().skip(1))? else {
        println!("{HELP}");
        return Ok(true);
    };
    let agent = match &options.root {
        Some(root) => Agent::at(&options.config, root),
        None => Agent::new(&options.config, clawft_wasm::platform::Root::open()),
    };
    let mut agent = agent.map_err(|error| error.message.clone())?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    let mut fine = true;
    let mut answer = |session: &str, message: &str| {
        let answer = agent.respond(session, message);
        fine &= answer.is_ok();
        let text = match answer {
            Ok(answer) => answer.to_json(),
            Err(error) => clawft_wasm::types::answer::error_json(&error),
        };
        writeln!(out, "{text}")
    };
    for message in &options.messages {
        answer(&options.session, message)?;
    }
    if options.messages.is_empty() {
        for (number, line) in std::io::stdin().lock().lines().enumerate() {
            let line = line?;
            let request = json::parse(&line)
                .map_err(|error| format!("line {}: {}", number + 1, error.message))?;
            let field = |name: &str| request.get(name).and_then(Value::as_str);
            match (field("session"), field("message")) {
                (Some(session), Some(message)) => answer(session, message)?,
                _ => {
                    let line = number + 1;
                    return Err(
                        format!("line {line}: `session` and `message` must be texts").into(),
                    );
                }
            }
        }
    }
    out.flush()?;
    Ok(fine)
}

/// The options in `args`; none where help is asked for.
fn options(args: impl Iterator<Item = String>) -> Result<Option<Options>, Box<dyn Error>> {
    let mut options = Options {
        root: None,
        session: "default".to_owned(),
        config: "{}".to_owned(),
        messages: Vec::new(),
    };
    let mut args = args;
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or(format!("{arg} needs a value"));
        match arg.as_str() {
            "-h" | "--help" => return Ok(None),
            "--root" => options.root = Some(Path::new(&value()?).to_owned()),
            "--session" => options.session = value()?,
            "--config" => options.config = value()?,
            "--" => options.messages.extend(args.by_ref()),
            _ if arg.starts_with("--") => {
                return Err(format!("there is no option {arg}; see --help").into());
            }
            _ => options.messages.push(arg),
        }
    }
    Ok(Some(options))
}
