//! A user at a terminal is asked about calls of tools that are configured so (`tools.NAME = "ask"`).

use clawft_types::{Result, ToolCall};
use clawft_wasm::agent::host::{Host, Nobody};
use std::io::{self, IsTerminal as _, Write as _};

/// Characters of a call's arguments that are shown.
const SHOWN: usize = 300;

/// Who sits at the terminal.
pub struct User;

/// Whether somebody does.
pub fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

impl Host for User {
    fn run(&mut self, call: &ToolCall) -> Result<String> {
        Nobody.run(call)
    }

    fn agrees(&mut self, call: &ToolCall) -> bool {
        agrees(call).unwrap_or(false)
    }
}

fn agrees(call: &ToolCall) -> io::Result<bool> {
    let mut stderr = io::stderr().lock();
    write!(stderr, "{}", question(call))?;
    stderr.flush()?;
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    Ok(is_yes(&line))
}

/// Nothing that a model says can make more of a terminal than a line.
fn question(call: &ToolCall) -> String {
    let plain = |text: &str| -> String {
        let all = text.chars().take(SHOWN);
        all.map(|c| if c.is_control() { '\u{FFFD}' } else { c })
            .collect()
    };
    let more = if call.arguments.chars().count() > SHOWN {
        " …"
    } else {
        ""
    };
    let (name, arguments) = (plain(&call.name), plain(&call.arguments));
    format!("{name} {arguments}{more}\nrun it? [y/N] ")
}

fn is_yes(line: &str) -> bool {
    ["y", "yes"].contains(&line.trim().to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::{is_yes, question};
    use clawft_types::ToolCall;

    #[test]
    fn a_question_is_a_line_whatever_the_model_says() {
        let call = ToolCall {
            id: "c1".to_owned(),
            name: "write_file".to_owned(),
            arguments: format!("{{\"a\":\"\u{1b}[2J\n{}\"}}", "x".repeat(400)),
        };
        let question = question(&call);
        assert!(
            question.starts_with("write_file {\"a\":\"\u{FFFD}[2J\u{FFFD}xx"),
            "{question}"
        );
        assert!(question.ends_with("xx …\nrun it? [y/N] ") && question.chars().count() < 340);
        assert!(is_yes("Y\n") && is_yes(" yes\r\n"));
        assert!(!is_yes("\n") && !is_yes("") && !is_yes("yesterday\n") && !is_yes("n\n"));
    }
}
