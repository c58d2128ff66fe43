//! The offline provider: the same context always gives the same answer, and nothing is asked.
//!
//! It understands, with the keyword in any case:
//!
//! ```text
//! message := step ( newline "then" newline step )*        one round of tools per step
//! step    := ( "/tool" NAME [ JSON-OBJECT ] newline )+    each on a line of its own
//!          | "read" FILE | "list" [ DIRECTORY ] | "fetch" URL
//!          | "write" FILE ":" TEXT | "edit" FILE ":" OLD "=>" NEW
//!          | "remember" KEY ":" VALUE | "recall" [ KEY ]
//! ```
//!
//! FILE, DIRECTORY and URL are one word; TEXT, OLD, NEW and VALUE are trimmed. When the steps are
//! through, the answer is what the tools said, one per line: `NAME: OUTPUT`. Everything else is
//! talk: `history` lists the conversation, and any other text is given back with what was made of it
//! and with how many messages it was preceded, so that a host can see that the history is kept.

use clawft_types::json::{self, Writer, decimal};
use clawft_types::{AgentError, ErrorCode, Message, Result, Role, ToolCall, text};
use core_alloc::string::String;
use core_alloc::vec::Vec;

use super::Completion;
use crate::agent::context::Context;
use crate::agent::intent::Intent;

/// Characters of a message that `history` shows.
const SHOWN: usize = 60;

/// Answers `context`.
///
/// # Errors
///
/// `invalid_json` or `invalid_arguments` for a `/tool` line that does not hold what it should.
pub fn complete(context: &Context<'_>) -> Result<Completion> {
    let mut rounds = Vec::new();
    for step in steps(context.question()) {
        let wishes = wishes(step)?;
        if wishes.is_empty() {
            return Ok(Completion::Text(talk(context)));
        }
        rounds.push(wishes);
    }
    let done = context.rounds();
    if done < rounds.len() {
        return Ok(Completion::Calls(rounds.swap_remove(done)));
    }
    Ok(Completion::Text(report(context.turn)))
}

/// The parts between the lines that say `then`.
fn steps(question: &str) -> Vec<&str> {
    let mut steps = Vec::new();
    let mut rest = question;
    while let Some((step, after)) = text::split(rest, "\nthen\n") {
        steps.push(step);
        rest = after;
    }
    steps.push(rest);
    steps
}

/// The calls that `step` asks for; none if it is talk.
fn wishes(step: &str) -> Result<Vec<ToolCall>> {
    let mut wishes = Vec::new();
    let mut rest = step.trim_ascii();
    if !rest.starts_with('/') {
        wishes.extend(spoken(rest));
        return Ok(wishes);
    }
    while !rest.is_empty() {
        let (line, after) = text::split(rest, "\n").unwrap_or((rest, ""));
        rest = after;
        let (command, call) = text::word(line);
        if command != "/tool" {
            let message = &["every line of a command begins with /tool"];
            return Err(AgentError::new(ErrorCode::InvalidArguments, message));
        }
        wishes.push(explicit(call)?);
    }
    Ok(wishes)
}

/// `NAME` or `NAME {…}`.
fn explicit(call: &str) -> Result<ToolCall> {
    let (name, rest) = text::word(call);
    if name.is_empty() {
        return Err(AgentError::new(
            ErrorCode::InvalidArguments,
            &["/tool needs the name of a tool"],
        ));
    }
    let arguments =
        json::parse(if rest.is_empty() { "{}" } else { rest }).map_err(|error| error.at(name))?;
    Ok(ToolCall {
        id: String::new(),
        name: String::from(name),
        arguments: arguments.to_json(),
    })
}

/// The call a sentence asks for, if it does.
fn spoken(step: &str) -> Option<ToolCall> {
    let (keyword, rest) = text::word(step);
    let one_word = text::word(rest).1.is_empty();
    let is = |known: &str| keyword.eq_ignore_ascii_case(known);
    // Before and after the colon.
    let pair = || {
        let (before, after) = text::split(rest, ":")?;
        let before = before.trim_ascii();
        (!before.is_empty()).then_some((before, after.trim_ascii()))
    };
    let file_pair = || pair().filter(|(file, _)| text::word(file).1.is_empty());
    if is("read") && one_word && !rest.is_empty() {
        return Some(wish("read_file", &[("path", rest)]));
    }
    if is("list") && one_word {
        return Some(wish("list_directory", optional(&[("path", rest)], rest)));
    }
    if is("fetch") && one_word && !rest.is_empty() {
        return Some(wish("web_fetch", &[("url", rest)]));
    }
    if is("write") {
        let (file, text) = file_pair()?;
        return Some(wish("write_file", &[("path", file), ("content", text)]));
    }
    if is("edit") {
        let (file, change) = file_pair()?;
        let (old, new) = text::split(change, "=>")?;
        return Some(wish(
            "edit_file",
            &[
                ("path", file),
                ("old", old.trim_ascii()),
                ("new", new.trim_ascii()),
            ],
        ));
    }
    if is("remember") {
        let (key, value) = pair()?;
        return Some(wish("memory_write", &[("key", key), ("value", value)]));
    }
    if is("recall") {
        return Some(wish("memory_read", optional(&[("key", rest)], rest)));
    }
    None
}

/// `arguments`, or none if `given` is empty.
fn optional<'a>(arguments: &'a [(&'a str, &'a str)], given: &str) -> &'a [(&'a str, &'a str)] {
    if given.is_empty() { &[] } else { arguments }
}

fn wish(name: &str, arguments: &[(&str, &str)]) -> ToolCall {
    let mut out = Writer::new();
    out.open('{');
    for (key, value) in arguments {
        out.string_member(key, value);
    }
    out.close('}');
    ToolCall {
        id: String::new(),
        name: String::from(name),
        arguments: out.finish(),
    }
}

/// What the tools of this turn said.
fn report(turn: &[Message]) -> String {
    let mut out = String::new();
    let calls = turn.iter().flat_map(|message| &message.tool_calls);
    let results = turn.iter().filter(|message| message.role == Role::Tool);
    for (call, result) in calls.zip(results) {
        let line = text::concat(&[&call.name, ": ", &result.content]);
        text::push_line(&mut out, &line);
    }
    out
}

fn talk(context: &Context<'_>) -> String {
    let before = decimal(context.history.len() as u64);
    match context.intent {
        Intent::History => {
            let mut out = text::concat(&[&before, " earlier messages"]);
            for message in context.history {
                out.push_str(&text::concat(&[
                    "\n",
                    &message.id,
                    " ",
                    message.role.as_str(),
                    ": ",
                    text::first_characters(&message.content, SHOWN),
                ]));
            }
            out
        }
        Intent::Greeting => text::concat(&[
            "hello, this is ",
            context.model,
            "; ",
            &before,
            " earlier messages",
        ]),
        intent => {
            let question = context.question().trim_ascii();
            text::concat(&[
                intent.as_str(),
                " after ",
                &before,
                " earlier messages: ",
                question,
            ])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(step: &str) -> String {
        let list = wishes(step).unwrap();
        let texts: Vec<String> = list
            .iter()
            .map(|wish| text::concat(&[&wish.name, " ", &wish.arguments]))
            .collect();
        texts.join("; ")
    }

    #[test]
    fn grammar() {
        for (text, want) in [
            ("/tool nope", "nope {}"),
            (
                "/tool read_file {\"path\": \"a\"}\n/tool x",
                r#"read_file {"path":"a"}; x {}"#,
            ),
            ("Read a.txt", r#"read_file {"path":"a.txt"}"#),
            ("read", ""),
            ("read the news", ""),
            ("reading a", ""),
            ("list", "list_directory {}"),
            ("list src", r#"list_directory {"path":"src"}"#),
            ("fetch http://x/", r#"web_fetch {"url":"http://x/"}"#),
            (
                "write a: b: c\nd",
                r#"write_file {"path":"a","content":"b: c\nd"}"#,
            ),
            ("write a b: c", ""),
            ("write a", ""),
            (
                "edit a: x => y",
                r#"edit_file {"path":"a","old":"x","new":"y"}"#,
            ),
            ("edit a: x", ""),
            (
                "remember my name: Ada",
                r#"memory_write {"key":"my name","value":"Ada"}"#,
            ),
            ("remember me", ""),
            ("recall", "memory_read {}"),
            ("recall my name", r#"memory_read {"key":"my name"}"#),
            ("hello", ""),
        ] {
            assert_eq!(json(text), want, "{text}");
        }
    }

    #[test]
    fn commands_that_are_none() {
        let code = |text: &str| wishes(text).unwrap_err().code;
        assert_eq!(code("/help"), ErrorCode::InvalidArguments);
        assert_eq!(code("/tool"), ErrorCode::InvalidArguments);
        assert_eq!(code("/tool a {}\nnext"), ErrorCode::InvalidArguments);
        assert_eq!(code("/tool a {"), ErrorCode::InvalidJson);
    }

    #[test]
    fn steps_are_parted_by_then() {
        assert_eq!(steps("a\nthen\nb\nthen\nc"), ["a", "b", "c"]);
        assert_eq!(steps("now and then"), ["now and then"]);
    }
}
