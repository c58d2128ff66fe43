//! A reply while it comes: server-sent events or one JSON object, of either vendor.
//!
//! [`openai`](super::openai) and [`anthropic`](super::anthropic) know what stands in the JSON; what
//! they find is put together here: text as it comes, calls from their fragments, thinking as it
//! is to be sent back.

use clawft_types::json::{self, Writer};
use clawft_types::{ProviderKind, Tokens, ToolCall, Value, text};
use core_alloc::boxed::Box;
use core_alloc::string::String;
use core_alloc::vec::Vec;

use super::sse::Sse;
use super::{anthropic, openai};
use crate::agent::completion::Completion;

/// Calls and blocks of thinking of one reply; what is beyond is no answer.
const MAX_PARTS: usize = 4096;

/// Values in one JSON text of a reply.
const MAX_VALUES: usize = 65_536;

/// Why a reply is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What is to be done about it.
    pub remedy: Remedy,
    /// What was wrong.
    pub message: String,
}

/// What is to be done about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// Ask again, later or elsewhere.
    Again,
    /// Ask with less.
    Less,
    /// Nothing: it would fail again.
    None,
}

impl Failure {
    /// What is nothing to be done about.
    pub fn new(message: &str) -> Self {
        Failure {
            remedy: Remedy::None,
            message: String::from(message),
        }
    }

    /// What a vendor's error says, which is a text, or an object with `message` and words for
    /// programs; `otherwise` is to be done where it is not that there was too much text.
    pub fn of(error: &Value, otherwise: Remedy) -> Self {
        let all = match error {
            Value::String(text) => text.clone(),
            other => other.to_json(),
        };
        let told = error.get("message").and_then(Value::as_str);
        Failure::said(&all, told.unwrap_or(&all), otherwise)
    }

    /// As [`Failure::of`], of all that was said, and what of it is shown.
    pub fn said(all: &str, shown: &str, otherwise: Remedy) -> Self {
        let less = super::TOO_LONG
            .iter()
            .any(|part| text::find(all, part).is_some());
        Failure {
            remedy: if less { Remedy::Less } else { otherwise },
            message: String::from(text::first_characters(shown, 300)),
        }
    }
}

/// A reply while it comes.
#[derive(Debug)]
pub struct Reply {
    kind: ProviderKind,
    /// Of a stream of events; `None` where the body is one JSON object.
    sse: Option<Sse>,
    whole: Vec<u8>,
    content: Content,
}

/// What has come so far.
#[derive(Debug, Default)]
pub struct Content {
    text: String,
    parts: Vec<Part>,
    /// What was counted.
    pub tokens: Tokens,
    /// Whether the provider has said that this is all.
    pub is_complete: bool,
    failure: Option<Failure>,
}

/// What a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A call of a tool.
    Call,
    /// Thinking that can be read.
    Thinking,
    /// Thinking that cannot.
    Redacted,
}

/// A call or a block of thinking, put together from fragments.
#[derive(Debug)]
pub struct Part {
    kind: Kind,
    index: u64,
    id: String,
    name: String,
    /// Arguments, or thinking.
    pub text: String,
    /// Of thinking.
    pub signature: String,
}

impl Reply {
    /// A reply of a provider of this kind, as a stream of events or whole.
    pub fn new(kind: ProviderKind, is_stream: bool) -> Self {
        Reply {
            kind,
            sse: is_stream.then(Sse::default),
            whole: Vec::new(),
            content: Content::default(),
        }
    }

    /// Takes the next bytes; gives the text that has come with them.
    ///
    /// # Errors
    ///
    /// What is wrong with them, or what the provider says went wrong.
    pub fn push(&mut self, bytes: &[u8]) -> Result<String, Failure> {
        let before = self.content.text.len();
        let (kind, content) = (self.kind, &mut self.content);
        match &mut self.sse {
            None => self.whole.extend_from_slice(bytes),
            Some(sse) => sse
                .push(bytes, &mut |data| content.take(kind, data))
                .map_err(|_| Failure::new("an event has more than 1 MiB"))?,
        }
        match content.failure.take() {
            Some(failure) => Err(failure),
            None => Ok(String::from(content.text.get(before..).unwrap_or_default())),
        }
    }

    /// The body has ended; gives what it was.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn end(mut self) -> Result<Box<Completion>, Failure> {
        if self.sse.is_none() {
            self.content.take(self.kind, &self.whole);
        }
        if let Some(failure) = self.content.failure {
            return Err(failure);
        }
        if !self.content.is_complete {
            return Err(Failure {
                remedy: Remedy::Again,
                message: String::from("the reply ends in its middle"),
            });
        }
        Ok(self.content.finish())
    }

    /// Whether anything of an answer has come.
    pub fn is_begun(&self) -> bool {
        !(self.content.text.is_empty() && self.content.parts.is_empty())
    }
}

impl Content {
    /// Takes one JSON text.
    fn take(&mut self, kind: ProviderKind, data: &[u8]) {
        // OpenAI's end of a stream, which is no JSON.
        if data == b"[DONE]" {
            self.is_complete = true;
            return;
        }
        let text = core::str::from_utf8(data).unwrap_or("\u{1}");
        let value = match json::parse_reply(text, MAX_VALUES) {
            Ok(value) => value,
            Err(error) => {
                return self.fail(Failure::new(&text::fill(
                    "the reply is no JSON: {}",
                    &[&error.message],
                )));
            }
        };
        match kind {
            ProviderKind::Anthropic => anthropic::take(&value, self),
            _ => openai::take(&value, self),
        }
    }

    /// Takes down what went wrong, if it is the first.
    pub fn fail(&mut self, failure: Failure) {
        self.failure.get_or_insert(failure);
    }

    /// Takes down the vendor's error.
    pub fn fail_with(&mut self, error: &Value) {
        self.fail(Failure::of(error, Remedy::Again));
    }

    /// More text.
    pub fn say(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// The part with this index, made if it is not there.
    pub fn part(&mut self, kind: Kind, index: u64) -> &mut Part {
        let known = self
            .parts
            .iter()
            .position(|part| part.index == index && part.kind == kind);
        self.at(known, kind, index)
    }

    /// The part of a call's fragment: servers leave out indices, or count every call as the first.
    pub fn call(&mut self, index: Option<u64>, id: &str, name: &str) -> &mut Part {
        let known = match index {
            Some(index) => self.parts.iter().rposition(|part| part.index == index),
            None => self.parts.len().checked_sub(1),
        };
        let same = known.filter(|at| {
            self.parts.get(*at).is_some_and(|part| {
                let fits = |new: &str, old: &str| new.is_empty() || old.is_empty() || new == old;
                // A call with a name that has arguments already is another one.
                fits(id, &part.id) && (name.is_empty() || part.text.is_empty())
            })
        });
        let next = self.parts.len() as u64;
        let part = self.at(same, Kind::Call, index.unwrap_or(next));
        if part.id.is_empty() {
            part.id.push_str(id);
        }
        if part.name.is_empty() {
            part.name.push_str(name);
        }
        part
    }

    fn at(&mut self, known: Option<usize>, kind: Kind, index: u64) -> &mut Part {
        let mut at = known.unwrap_or(self.parts.len());
        if at >= MAX_PARTS {
            self.fail(Failure::new("the reply has too many parts"));
            at = 0;
        }
        if at == self.parts.len() {
            self.parts.push(Part {
                kind,
                index,
                id: String::new(),
                name: String::new(),
                text: String::new(),
                signature: String::new(),
            });
        }
        // There is one: it was found, made, or there are many.
        &mut self.parts[at]
    }

    fn finish(self) -> Box<Completion> {
        let mut thinking = Writer::new();
        let mut calls = Vec::new();
        for part in self.parts {
            match part.kind {
                Kind::Call => calls.push(ToolCall {
                    id: String::new(),
                    name: part.name,
                    arguments: arguments(&part.text),
                }),
                Kind::Thinking => {
                    thinking.open(r#"{"type":"thinking""#);
                    thinking.string_member("thinking", &part.text);
                    thinking.string_member("signature", &part.signature);
                    thinking.close("}");
                }
                Kind::Redacted => {
                    thinking.open(r#"{"type":"redacted_thinking""#);
                    thinking.string_member("data", &part.text);
                    thinking.close("}");
                }
            }
        }
        Box::new(Completion {
            text: self.text,
            calls,
            thinking: thinking.finish(),
            tokens: self.tokens,
        })
    }
}

/// Arguments as the pipeline has them: a JSON object, or where they are none a JSON text with what
/// they are.
fn arguments(text: &str) -> String {
    if text::trim(text).is_empty() {
        return String::from("{}");
    }
    match json::parse_reply(text, MAX_VALUES) {
        Ok(value @ Value::Object(_)) => value.to_json(),
        _ => {
            let mut out = Writer::new();
            out.string(text);
            out.finish()
        }
    }
}

#[cfg(test)]
mod tests;
