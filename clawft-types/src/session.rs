//! A conversation: its history, the counters that number messages and calls, and its file.
//!
//! The file is JSON Lines: a head with the version and the name, then a line for each turn, which
//! is added when the turn ends. A last line that does not end is of a turn that nobody was told of.
//! Version 1 was one object with everything in it; it is read, and written no more.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use crate::error::{AgentError, ErrorCode, Result};
use crate::fields::{self, Fields};
use crate::json::{self, MAX_DEPTH, Value, Writer, decimal};
use crate::limits::Limits;
use crate::message::{Message, Role};

/// The version of the session file that is written.
const VERSION: u64 = 2;

/// What is counted, as a turn's line has it.
const NUMBERS: [&str; 3] = ["next_message", "next_call", "tokens"];

/// The longest session name, in bytes.
const MAX_NAME: usize = 64;

/// One conversation. What is in it is bounded by [`Limits`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The name the host gave it, checked by [`Session::check_name`].
    pub name: String,
    /// The history, oldest first.
    pub messages: Vec<Message>,
    /// The number of the next message, from 1.
    pub next_message: u64,
    /// The number of the next tool call, from 1.
    pub next_call: u64,
    /// Messages that [`Session::trim`] has dropped so far.
    pub dropped: u64,
    /// Tokens of all turns that the file has, and of those since.
    pub tokens: u64,
    /// Turns so far.
    pub turns: u32,
    /// What stands for the oldest messages where a provider is asked.
    pub summary: Option<Box<Summary>>,
}

/// What a part of a conversation has come to, from its first message on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The number of the first message that it does not stand for.
    pub before: u64,
    /// It, in words.
    pub text: String,
    /// Whether the file does not have it yet.
    pub is_new: bool,
}

impl Session {
    /// A session without history.
    pub fn new(name: &str) -> Self {
        Session {
            name: String::from(name),
            messages: Vec::new(),
            next_message: 1,
            next_call: 1,
            dropped: 0,
            tokens: 0,
            turns: 0,
            summary: None,
        }
    }

    /// Checks a session name: 1 to 64 of `A-Z a-z 0-9 . _ -`, not beginning with a dot.
    ///
    /// # Errors
    ///
    /// [`ErrorCode::InvalidSessionName`].
    pub fn check_name(name: &str) -> Result<()> {
        if name.is_empty()
            || name.len() > MAX_NAME
            || name.starts_with('.')
            || !name.bytes().all(is_allowed)
        {
            return Err(AgentError::new(
                ErrorCode::InvalidSessionName,
                "a session name is 1 to 64 of A-Z a-z 0-9 . _ - and does not begin with a dot",
                &[],
            ));
        }
        Ok(())
    }

    /// The file the session is kept in: the name, which has been checked, with each capital `A` as
    /// `+a`, because some file systems take `Main` and `main` for one, and `.json`.
    pub fn file_name(name: &str) -> String {
        let mut file = String::new();
        for letter in name.bytes() {
            if letter.is_ascii_uppercase() {
                file.push('+');
            }
            file.push(char::from(letter.to_ascii_lowercase()));
        }
        file.push_str(".json");
        file
    }

    /// The name of the session that is kept in this file, if one can be: the reverse of
    /// [`Session::file_name`].
    pub fn name_of(file: &str) -> Option<String> {
        let mut name = String::new();
        let mut capital = false;
        for letter in file.strip_suffix(".json")?.bytes() {
            if letter == b'+' && !capital {
                capital = true;
                continue;
            }
            let letter = if capital {
                letter.to_ascii_uppercase()
            } else {
                letter
            };
            capital = false;
            name.push(char::from(letter));
        }
        (!capital && Session::file_name(&name) == file && Session::check_name(&name).is_ok())
            .then_some(name)
    }

    /// Reads the first line of a session file, or all of one of version 1. Gives the version too.
    ///
    /// # Errors
    ///
    /// [`ErrorCode::StateCorrupted`] with what is wrong with it; [`ErrorCode::NewerVersion`] for
    /// one of a newer version, which is not to be touched.
    pub fn begin(line: &str) -> Result<(Box<Self>, u64)> {
        read_line(line, |value| {
            let version = value.get("version").and_then(Value::as_u64);
            if let Some(newer) = version.filter(|version| *version > VERSION) {
                return Err(AgentError::new(
                    ErrorCode::NewerVersion,
                    "the session is of version {}, newer than this program, which knows 2",
                    &[&decimal(newer)],
                ));
            }
            fields::read(value, "session", ErrorCode::StateCorrupted, |fields| {
                (Box::new(read(fields)), version.unwrap_or_default())
            })
        })
    }

    /// Adds the turn of a line of the file; of one that has failed its numbers alone.
    ///
    /// # Errors
    ///
    /// [`ErrorCode::StateCorrupted`] with what is wrong with it; the session is then as before.
    pub fn add_turn(&mut self, line: &str) -> Result<()> {
        self.add(line, false)
    }

    /// As [`Session::add_turn`], with the messages of turns that have failed.
    ///
    /// # Errors
    ///
    /// As [`Session::add_turn`].
    pub fn add_any_turn(&mut self, line: &str) -> Result<()> {
        self.add(line, true)
    }

    fn add(&mut self, line: &str, with_failed: bool) -> Result<()> {
        let mut summary = None;
        let (mut messages, [next_message, next_call, tokens]) = read_line(line, |value| {
            summary = value.get("summary").and_then(Summary::read);
            fields::read(value, "turn", ErrorCode::StateCorrupted, |fields| {
                let mut numbers = [self.next_message, self.next_call, self.tokens];
                for (name, number) in NUMBERS.into_iter().zip(&mut numbers) {
                    fields.number(name, number, 0, u64::MAX >> 1);
                }
                let mut messages = messages(fields);
                if !with_failed && fields.get("failed").is_some() {
                    messages.clear();
                }
                (messages, numbers)
            })
        })?;
        self.messages.append(&mut messages);
        self.next_message = next_message;
        self.next_call = next_call;
        self.tokens = tokens;
        self.turns += 1;
        if summary.is_some() {
            self.summary = summary;
        }
        Ok(())
    }

    /// The first line of the session file.
    pub fn head(&self) -> String {
        let mut out = Writer::new();
        out.open("{");
        out.unsigned_member("version", VERSION);
        out.string_member("name", &self.name);
        out.unsigned_member("dropped", self.dropped);
        out.close("}\n");
        out.finish()
    }

    /// The line of the last turn, which is the last `count` messages.
    pub fn last_turn(&self, count: usize) -> String {
        let start = self.messages.len().saturating_sub(count);
        self.turn(self.messages.get(start..).unwrap_or_default(), None)
    }

    /// The line of the last turn, which is these messages. One that has `failed` is kept for
    /// people: it is no part of the conversation.
    pub fn turn(&self, messages: &[Message], failed: Option<&AgentError>) -> String {
        let mut out = Writer::new();
        out.open("{");
        out.unsigned_member("turn", self.turns.into());
        out.unsigned_member("next_message", self.next_message);
        out.unsigned_member("next_call", self.next_call);
        if self.tokens > 0 {
            out.unsigned_member("tokens", self.tokens);
        }
        if let Some(summary) = self.summary.as_ref().filter(|summary| summary.is_new) {
            out.open(r#""summary":{"#);
            out.unsigned_member("before", summary.before);
            out.string_member("text", &summary.text);
            out.close("}");
        }
        if let Some(error) = failed {
            out.key("failed");
            error.write(&mut out);
        }
        out.open(r#""messages":["#);
        for message in messages {
            message.write(&mut out);
        }
        out.close("]}\n");
        out.finish()
    }

    /// Drops the oldest turns until the history fits `limits`: it begins with the user, and no
    /// result is without its call, for no provider accepts that. The last turn stays, or where it
    /// is too large by itself, its question and its answer.
    pub fn trim(&mut self, limits: &Limits) {
        let before = self.messages.len();
        let mut bytes = 0_u64;
        let mut start = before;
        let mut fitting = false;
        for (at, message) in self.messages.iter().enumerate().rev() {
            bytes = bytes.saturating_add(message.bytes() as u64);
            let count = (before - at) as u64;
            let fits = count <= limits.max_history && bytes <= limits.max_history_bytes;
            if fitting && !fits {
                break;
            }
            if message.role == Role::User {
                start = at;
                fitting = fits;
                if !fits {
                    break;
                }
            }
        }
        drop_messages(&mut self.messages, 0, start);
        let answer = self.messages.len().saturating_sub(1);
        if !fitting && answer > 1 {
            drop_messages(&mut self.messages, 1, answer);
        }
        self.dropped += (before - self.messages.len()) as u64;
    }
}

/// Drops the messages from the place `start` on that are before `end`, as far as there are any.
pub fn drop_messages(messages: &mut Vec<Message>, start: usize, end: usize) {
    let end = end.min(messages.len());
    messages.drain(start.min(end)..end);
}

impl Summary {
    /// Reads what [`Session::turn`] wrote.
    fn read(value: &Value) -> Option<Box<Self>> {
        Some(Box::new(Summary {
            before: value.get("before")?.as_u64()?,
            text: String::from(value.get("text")?.as_str()?),
            is_new: false,
        }))
    }
}

/// Whether a session name may have `byte` in it.
fn is_allowed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')
}

/// Reads a line of JSON; whatever is wrong with it, a newer version aside, is damage.
fn read_line<T>(line: &str, read: impl FnOnce(&Value) -> Result<T>) -> Result<T> {
    // A tool call's arguments may be as deep as any text, and stand deeper here.
    let read = json::parse_deep(line, MAX_DEPTH + 8).and_then(|value| read(&value));
    read.map_err(|mut error| {
        if error.code != ErrorCode::NewerVersion {
            error.code = ErrorCode::StateCorrupted;
        }
        error
    })
}

fn read(fields: &Fields<'_, '_>) -> Session {
    let mut version = 0;
    fields.number("version", &mut version, 0, u64::MAX);
    if version == 0 {
        fields.fail("version", "expected 1 or 2, got 0", &[]);
    }
    let mut session = Session::new(fields.str("name"));
    fields.number("next_message", &mut session.next_message, 1, u64::MAX >> 1);
    fields.number("next_call", &mut session.next_call, 1, u64::MAX >> 1);
    fields.number("dropped", &mut session.dropped, 0, u64::MAX >> 1);
    if version == 1 {
        session.messages = messages(fields);
        session.turns = 1;
    }
    session
}

fn messages(fields: &Fields<'_, '_>) -> Vec<Message> {
    if fields.get("messages").is_none() {
        fields.fail("messages", "expected an array, got nothing", &[]);
    }
    fields.each("messages", Message::read)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tool_call::ToolCall;

    fn message(role: Role, content: &str) -> Message {
        Message {
            id: "m".into(),
            role,
            content: content.into(),
            timestamp_ms: 1,
            tool_calls: Vec::new(),
            call_id: String::new(),
        }
    }

    fn again(session: &Session) -> Session {
        let (mut read, version) = Session::begin(&session.head()).unwrap();
        assert_eq!(version, 2);
        let line = session.last_turn(session.messages.len());
        assert_eq!(line.find('\n'), Some(line.len() - 1), "one line");
        read.add_turn(&line).unwrap();
        *read
    }

    #[test]
    fn comes_back_as_it_went() {
        let mut session = Session::new("main");
        session
            .messages
            .push(message(Role::User, "hi \"there\"\n\u{2028}"));
        (session.next_message, session.next_call) = (2, 3);
        (session.dropped, session.turns, session.tokens) = (4, 1, 5);
        assert_eq!(again(&session), session);
    }

    #[test]
    fn a_summary_is_in_the_line_of_its_turn_alone() {
        let mut session = Session::new("main");
        session.turns = 3;
        session.summary = Some(Box::new(Summary {
            before: 5,
            text: "so far".into(),
            is_new: true,
        }));
        let line = session.turn(&[], None);
        assert!(
            line.contains(r#""summary":{"before":5,"text":"so far"}"#),
            "{line}"
        );
        let mut read = Session::new("main");
        read.add_turn(&line).unwrap();
        let summary = read.summary.clone().unwrap();
        assert_eq!((summary.before, summary.is_new), (5, false));
        let next = read.turn(&[], None);
        assert!(!next.contains("summary"), "{next}");
        read.add_turn(&next).unwrap();
        assert_eq!(read.summary.unwrap().text, "so far");
    }

    #[test]
    fn a_failed_turn_is_for_people() {
        let mut session = Session::new("main");
        (session.turns, session.next_message) = (1, 3);
        let error = AgentError::new(ErrorCode::Io, "x", &[]);
        let line = session.turn(&[message(Role::User, "hi")], Some(&error));
        assert!(
            line.contains(r#""failed":{"code":"io","message":"x"}"#),
            "{line}"
        );
        let mut read = Session::new("main");
        read.add_turn(&line).unwrap();
        assert_eq!(read, session, "the numbers and nothing else");
        read.add_any_turn(&line).unwrap();
        assert_eq!(read.messages.len(), 1);
    }

    #[test]
    fn the_deepest_arguments_come_back() {
        let mut session = Session::new("main");
        let mut call = message(Role::Assistant, "");
        call.tool_calls.push(ToolCall {
            id: "c1".into(),
            name: "x".into(),
            arguments: ["[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH)].concat(),
        });
        json::parse(&call.tool_calls[0].arguments).unwrap();
        session.messages.push(call);
        session.turns = 1;
        assert_eq!(again(&session), session);
    }

    #[test]
    fn version_1_is_read() {
        let text = r#"{"version":1,"name":"a","next_message":7,"next_call":3,"dropped":2,"messages":[{"id":"m6","role":"user","content":"x","timestamp_ms":5}]}"#;
        let (session, version) = Session::begin(text).unwrap();
        assert_eq!(
            (version, session.messages.len(), session.dropped),
            (1, 1, 2)
        );
        assert_eq!((session.next_message, session.next_call), (7, 3));
    }

    #[test]
    fn corrupted_files() {
        for text in [
            "",
            "{",
            "[]",
            "{}",
            r#"{"version":0,"name":"a","messages":[]}"#,
            r#"{"version":1,"messages":[]}"#,
            r#"{"version":2}"#,
            r#"{"version":1,"name":"a"}"#,
            r#"{"version":1,"name":"a","messages":[{}]}"#,
        ] {
            assert_eq!(
                Session::begin(text).unwrap_err().code,
                ErrorCode::StateCorrupted,
                "{text}"
            );
        }
        let newer = Session::begin(r#"{"version":3}"#).unwrap_err();
        assert_eq!(newer.code, ErrorCode::NewerVersion);
        let mut session = Session::new("a");
        for line in [
            "",
            "{}",
            r#"{"turn":1,"messages":[{}]}"#,
            r#"{"messages":[]"#,
        ] {
            let error = session.add_turn(line).unwrap_err();
            assert_eq!(error.code, ErrorCode::StateCorrupted, "{line}");
        }
        assert_eq!(session, Session::new("a"));
    }

    #[test]
    fn names() {
        for good in ["a", "Main", "a-b_c.d", "0", &"x".repeat(64)] {
            Session::check_name(good).unwrap();
        }
        for bad in [
            "",
            ".",
            "..",
            ".a",
            "a/b",
            "a\\b",
            "a b",
            "é",
            "a\0",
            &"x".repeat(65),
        ] {
            assert_eq!(
                Session::check_name(bad).unwrap_err().code,
                ErrorCode::InvalidSessionName,
                "{bad}"
            );
        }
        assert_eq!(Session::file_name("Main"), "+main.json");
        assert_eq!(Session::file_name("main"), "main.json");
        for name in ["main", "Main", "aBC", "a.json"] {
            assert_eq!(Session::name_of(&Session::file_name(name)).unwrap(), name);
        }
        for file in [
            "main",
            ".json",
            "Main.json",
            "+.json",
            "++a.json",
            "+1.json",
            "a.json.corrupt1",
            "é.json",
        ] {
            assert_eq!(Session::name_of(file), None, "{file}");
        }
    }

    #[test]
    fn trims_by_count_and_by_bytes_to_whole_turns() {
        let limits = |max_history, max_history_bytes| Limits {
            max_history,
            max_history_bytes,
            ..Limits::default()
        };
        let trimmed = |roles: &str, limits: Limits| {
            let mut session = Session::new("a");
            let role = |letter| match letter {
                'u' => Role::User,
                'a' => Role::Assistant,
                _ => Role::Tool,
            };
            let messages = roles.chars().map(|letter| message(role(letter), "12345"));
            session.messages.extend(messages);
            session.trim(&limits);
            let kept = session.messages.len();
            assert_eq!(session.dropped as usize, roles.len() - kept);
            let kept = session.messages.iter().map(|message| match message.role {
                Role::User => 'u',
                Role::Assistant => 'a',
                _ => 't',
            });
            kept.collect::<String>()
        };
        for (roles, max_history, max_bytes, expected) in [
            ("uauata", 6, 1024, "uauata"),
            ("uauata", 5, 1024, "uata"),
            ("uauata", 4, 1024, "uata"),
            ("uauata", 3, 1024, "ua"),
            ("uatauauaua", 6, 1024, "uauaua"),
            ("uatauauaua", 9, 1024, "uauaua"),
            ("uatauauaua", 10, 49, "uauaua"),
            ("uatauauaua", 10, 20, "uaua"),
            ("uaua", 10, 1, "ua"),
            ("uatata", 10, 1, "ua"),
            ("u", 2, 1, "u"),
            ("", 2, 1, ""),
        ] {
            let limits = limits(max_history, max_bytes);
            assert_eq!(
                trimmed(roles, limits),
                expected,
                "{roles} {max_history} {max_bytes}"
            );
        }
    }
}
