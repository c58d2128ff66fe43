//! The agent as a native program: what the native figures are taken of, and a way to try it without
//! wasm.

use clawft_wasm::Agent;
use clawft_wasm::types::json::{self, Value};
use clawft_wasm::types::{AgentError, ErrorCode, answer};
use std::error::Error;
use std::ffi::OsString;
use std::io::{BufRead as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

const HELP: &str = "\
The clawft agent.

Usage: clawft [OPTIONS] MESSAGE...     answers each message, a line of JSON for each
       clawft [OPTIONS] < LINES        the same for lines of {\"session\": \"work\", \"message\": \"hello\"}

Each answer is written at once. A line that is none of these gets an error for an answer.

Options:
  --root DIR         the only folder the agent may see [default: the user's data folder]
  --session NAME     the session the messages belong to [default: default]
  --config JSON      the configuration [default: {}]
  -h, --help         this text
  -V, --version      the version

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
    let Some(options) = options(std::env::args_os().skip(1))? else {
        return Ok(true);
    };
    let agent = match &options.root {
        Some(root) => Agent::at(&options.config, root),
        None => Agent::new(&options.config, clawft_wasm::platform::Root::open()),
    };
    let mut agent = agent.map_err(|error| error.message.clone())?;
    let mut fine = true;
    for message in &options.messages {
        fine &= show(&agent.process_message(&options.session, message))?;
    }
    if options.messages.is_empty() {
        for (number, line) in std::io::stdin().lock().split(b'\n').enumerate() {
            fine &= show(&answer_line(&mut agent, number + 1, &line?))?;
        }
    }
    Ok(fine)
}

/// Writes an answer at once: the other side may wait for it before it says more. Gives whether it
/// is fine.
fn show(answer: &str) -> std::io::Result<bool> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{answer}")?;
    out.flush()?;
    Ok(answer.starts_with(r#"{"ok":true"#))
}

/// The answer to a line of JSON; one that is no message is answered with what is wrong with it.
fn answer_line(agent: &mut Agent, number: usize, line: &[u8]) -> String {
    let place = format!("line {number}");
    let wrong = |code, message: &str| {
        let error = AgentError::new(code, "{}: {}", &[&place, message]);
        answer::error_json(&error)
    };
    let Ok(line) = std::str::from_utf8(line) else {
        return wrong(ErrorCode::InvalidUtf8, "not UTF-8");
    };
    let request = match json::parse(line) {
        Ok(request) => request,
        Err(error) => return wrong(error.code, &error.message),
    };
    let field = |name: &str| request.get(name).and_then(Value::as_str);
    match (field("session"), field("message")) {
        (Some(session), Some(message)) => agent.process_message(session, message),
        _ => wrong(
            ErrorCode::InvalidMessage,
            "`session` and `message` must be texts",
        ),
    }
}

/// The options in `args`; none where what was asked for is printed already.
fn options(mut args: impl Iterator<Item = OsString>) -> Result<Option<Options>, Box<dyn Error>> {
    let mut options = Options {
        root: None,
        session: "default".to_owned(),
        config: "{}".to_owned(),
        messages: Vec::new(),
    };
    while let Some(arg) = args.next() {
        let (name, given) = split(&arg);
        let mut value = || {
            let value = given.clone().or_else(|| args.next());
            value.ok_or_else(|| format!("{name} needs a value"))
        };
        match name.as_str() {
            "-h" | "--help" => {
                println!("{HELP}");
                return Ok(None);
            }
            "-V" | "--version" => {
                println!("clawft {}", env!("CARGO_PKG_VERSION"));
                return Ok(None);
            }
            "--root" => options.root = Some(value()?.into()),
            "--session" => options.session = text(value()?)?,
            "--config" => options.config = text(value()?)?,
            "--" => {
                for message in args.by_ref() {
                    options.messages.push(text(message)?);
                }
            }
            _ if name.starts_with("--") => {
                return Err(format!("there is no option {name}; see --help").into());
            }
            _ => options.messages.push(text(arg)?),
        }
    }
    Ok(Some(options))
}

/// `--root=DIR` as `--root` and `DIR`, every other argument as it is. What is not UTF-8 in a name
/// is replaced: no option is called so.
fn split(arg: &OsString) -> (String, Option<OsString>) {
    let bytes = arg.as_encoded_bytes();
    if let (true, Some(at)) = (
        bytes.starts_with(b"--"),
        bytes.iter().position(|byte| *byte == b'='),
    ) {
        let name = String::from_utf8_lossy(&bytes[..at]).into_owned();
        return (name, Some(after(arg, at + 1)));
    }
    (arg.to_string_lossy().into_owned(), None)
}

/// `arg` from the byte `at` on, which stands behind an ASCII character.
#[cfg(unix)]
fn after(arg: &std::ffi::OsStr, at: usize) -> OsString {
    use std::os::unix::ffi::OsStrExt as _;
    std::ffi::OsStr::from_bytes(&arg.as_bytes()[at..]).to_owned()
}

/// `arg` from the byte `at` on, which stands behind an ASCII character.
#[cfg(not(unix))]
fn after(arg: &std::ffi::OsStr, at: usize) -> OsString {
    arg.to_string_lossy()
        .chars()
        .skip(at)
        .collect::<String>()
        .into()
}

fn text(arg: OsString) -> Result<String, String> {
    arg.into_string()
        .map_err(|arg| format!("`{}` is not UTF-8", arg.to_string_lossy()))
}
