//! Messages from standard input, a line each: text, or with `--json` objects. Each answer is
//! written before the next line is read, so that another program can keep up a conversation; a line
//! that is none gets an error for an answer.

use super::agent::Talk;
use super::{Result, say, voice};
use clawft_types::json::{self, Value};
use clawft_types::{AgentError, ErrorCode, answer};
use std::io::{self, BufRead as _};

/// Answers every line; gives whether every answer was fine.
pub fn run(talk: &mut Talk) -> Result<bool> {
    let mut fine = true;
    for (number, line) in io::stdin().lock().split(b'\n').enumerate() {
        let line = line?;
        fine &= match read(&line, talk.json) {
            Ok((session, text)) => {
                let session = session.unwrap_or_else(|| talk.session.clone());
                talk.answer_in(&session, &text)?
            }
            Err(error) => {
                refuse(&error.at(&format!("line {}", number + 1)), talk.json)?;
                false
            }
        };
    }
    Ok(fine)
}

fn refuse(error: &AgentError, json: bool) -> io::Result<()> {
    if json {
        return say(&format!("{}\n", answer::error_json(error)));
    }
    voice::complain(&format!("{}: {}", error.code.as_str(), error.message));
    Ok(())
}

type Read = std::result::Result<(Option<String>, String), Box<AgentError>>;

/// The session, if it names one, and the message of a line.
fn read(line: &[u8], json: bool) -> Read {
    let wrong = |code, message: &str| AgentError::new(code, message, &[]);
    let text = std::str::from_utf8(line);
    let text = text.map_err(|_| wrong(ErrorCode::InvalidUtf8, "not UTF-8"))?;
    if !json {
        let text = text.strip_suffix('\r').unwrap_or(text);
        return Ok((None, text.to_owned()));
    }
    let request = json::parse(text)?;
    let member = |name: &str| match request.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => {
            let message = "`session` and `message` must be texts";
            Err(wrong(ErrorCode::InvalidMessage, message))
        }
    };
    let message = member("message")?;
    let message = message.ok_or_else(|| {
        let message = "expected {\"session\": \"NAME\", \"message\": \"TEXT\"}";
        wrong(ErrorCode::InvalidMessage, message)
    })?;
    Ok((member("session")?, message))
}
