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
//! talk: `history` lists the conversation, and any other text is given back with what was made of
//! it and with how many messages it was preceded, so that a host can see that the history is kept.

use clawft_types::json::{self, Writer, decimal};
use clawft_types::{AgentError, ErrorCode, Message, Result, Role, ToolCall, text};
use core_alloc::boxed::Box;
use core_alloc::string::String;
use core_alloc::vec::Vec;

use crate::agent::completion::Completion;
use crate::agent::context::Context;
use crate::agent::intent::Intent;

/// Characters of a message that `history` shows.
const SHOWN: usize = 60;

/// Answers `context`.
///
/// # Errors
///
/// `invalid_json` or `invalid_arguments` for a `/tool` line that does not hold what it should.
pub fn complete(context: &Context<'_>) -> Result<Box<Completion>> {
    if context.tools.is_none() {
        return Ok(Completion::text(report(context.turn)));
    }
    let mut rounds_left = context.rounds();
    let mut next = None;
    let mut steps = Some(context.question());
    while let Some(step) = text::next_part(&mut steps, "\nthen\n") {
        let calls = calls(step)?;
        if calls.is_empty() {
            return Ok(Completion::text(talk(context)));
        }
        if rounds_left == 0 && next.is_none() {
            next = Some(calls);
        }
        rounds_left = rounds_left.saturating_sub(1);
    }
    Ok(match next {
        Some(calls) => {
            let mut completion = Completion::text(String::new());
            completion.calls = calls;
            completion
        }
        None => Completion::text(report(context.turn)),
    })
}

/// The calls that `step` asks for; none if it is talk.
fn calls(step: &str) -> Result<Vec<ToolCall>> {
    let mut calls = Vec::new();
    let step = text::trim(step);
    if !step.starts_with('/') {
        spoken(step, &mut calls);
        return Ok(calls);
    }
    let mut lines = Some(step);
    while let Some(line) = text::next_part(&mut lines, "\n") {
        let (command, call) = text::word(line);
        if command != "/tool" {
            let message = "every line of a command begins with /tool";
            return Err(AgentError::new(ErrorCode::InvalidArguments, message, &[]));
        }
        explicit(call, &mut calls)?;
    }
    Ok(calls)
}

/// `NAME` or `NAME {…}`.
fn explicit(call: &str, calls: &mut Vec<ToolCall>) -> Result<()> {
    let (name, rest) = text::word(call);
    if name.is_empty() {
        return Err(AgentError::new(
            ErrorCode::InvalidArguments,
            "/tool needs the name of a tool",
            &[],
        ));
    }
    let arguments = json::parse_at(if rest.is_empty() { "{}" } else { rest }, name)?;
    add(calls, name, arguments.to_json());
    Ok(())
}

/// A sentence that asks for a tool.
struct Sentence {
    keyword: &'static str,
    tool: &'static str,
    /// What the keyword is followed by: the first, `:`, the second, `=>`, the third.
    parameters: &'static [&'static str],
    /// Whether the first must be one word.
    word: bool,
    /// Whether it may be left out.
    optional: bool,
}

impl Sentence {
    const fn new(
        keyword: &'static str,
        tool: &'static str,
        parameters: &'static [&'static str],
    ) -> Self {
        Sentence {
            keyword,
            tool,
            parameters,
            word: true,
            optional: false,
        }
    }

    const fn of_any_words(self) -> Self {
        Sentence {
            word: false,
            ..self
        }
    }

    const fn optionally(self) -> Self {
        Sentence {
            optional: true,
            ..self
        }
    }
}

static SENTENCES: [Sentence; 7] = [
    Sentence::new("read", "read_file", &["path"]),
    Sentence::new("list", "list_directory", &["path"]).optionally(),
    Sentence::new("fetch", "web_fetch", &["url"]),
    Sentence::new("write", "write_file", &["path", "content"]),
    Sentence::new("edit", "edit_file", &["path", "old", "new"]),
    Sentence::new("remember", "memory_write", &["key", "value"]).of_any_words(),
    Sentence::new("recall", "memory_read", &["key"])
        .of_any_words()
        .optionally(),
];

/// The call a sentence asks for, if it does.
fn spoken(step: &str, calls: &mut Vec<ToolCall>) -> Option<()> {
    let (keyword, mut rest) = text::word(step);
    let sentence = SENTENCES
        .iter()
        .find(|sentence| sentence.keyword.eq_ignore_ascii_case(keyword))?;
    let mut out = Writer::new();
    out.open("{");
    for (at, name) in sentence.parameters.iter().enumerate() {
        let mut argument = rest;
        if at + 1 < sentence.parameters.len() {
            (argument, rest) = text::split(rest, if at == 0 { ":" } else { "=>" })?;
        }
        let argument = text::trim(argument);
        if at == 0 {
            if argument.is_empty() {
                if sentence.optional {
                    break;
                }
                return None;
            }
            if sentence.word && !text::word(argument).1.is_empty() {
                return None;
            }
        }
        out.string_member(name, argument);
    }
    out.close("}");
    add(calls, sentence.tool, out.finish());
    Some(())
}

fn add(calls: &mut Vec<ToolCall>, name: &str, arguments: String) {
    calls.push(ToolCall {
        id: String::new(),
        name: String::from(name),
        arguments,
    });
}

/// What the tools of this turn said.
fn report(turn: &[Message]) -> String {
    let mut out = String::new();
    let calls = turn.iter().flat_map(|message| &message.tool_calls);
    let results = turn.iter().filter(|message| message.role == Role::Tool);
    for (call, result) in calls.zip(results) {
        let line = text::fill("{}: {}", &[&call.name, &result.content]);
        text::push_item(&mut out, "\n", &line);
    }
    out
}

fn talk(context: &Context<'_>) -> String {
    let before = decimal(context.history.len() as u64);
    match context.intent {
        Intent::History => {
            let mut out = text::fill("{} earlier messages", &[&before]);
            for message in context.history {
                out.push_str(&text::fill(
                    "\n{} {}: {}",
                    &[
                        &message.id,
                        message.role.as_str(),
                        text::first_characters(&message.content, SHOWN),
                    ],
                ));
            }
            out
        }
        Intent::Greeting => text::fill(
            "hello, this is {}; {} earlier messages",
            &[context.model, &before],
        ),
        intent => {
            let question = text::trim(context.question());
            text::fill(
                "{} after {} earlier messages: {}",
                &[intent.as_str(), &before, question],
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(step: &str) -> String {
        let list = calls(step).unwrap();
        let texts: Vec<String> = list
            .iter()
            .map(|call| text::fill("{} {}", &[&call.name, &call.arguments]))
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
        let code = |text: &str| calls(text).unwrap_err().code;
        assert_eq!(code("/help"), ErrorCode::InvalidArguments);
        assert_eq!(code("/tool"), ErrorCode::InvalidArguments);
        assert_eq!(code("/tool a {}\nnext"), ErrorCode::InvalidArguments);
        assert_eq!(code("/tool a {"), ErrorCode::InvalidJson);
    }
}
