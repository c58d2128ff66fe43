//! What can go wrong, as one type with a stable code.
//!
//! The code is for programs and never changes its meaning; the message is for people and names the
//! place. Every layer above (the answer in JSON, the C ABI, the WIT interface) passes the code on.

use alloc::boxed::Box;
use alloc::string::String;

use crate::json::write::Writer;
use crate::text;

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $number:literal, $text:literal;)+) => {
        /// The stable code of an error.
        ///
        /// The number is what the C ABI returns, negated; the text is what the JSON answer and the
        /// WIT interface (with `-` for `_`) carry.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        pub enum ErrorCode {
            $($(#[doc = $doc])+ $name = $number,)+
        }

        impl ErrorCode {
            /// Every code, by number.
            pub const ALL: &[ErrorCode] = &[$(ErrorCode::$name,)+];

            /// The stable text of the code.
            pub fn as_str(self) -> &'static str {
                let mut rest = Some(TEXTS);
                let mut text = None;
                for _ in 0..self.number() {
                    text = text::next_part(&mut rest, " ");
                }
                text.unwrap_or_default()
            }
        }

        /// The texts of all codes, by number: one text is less than a table of them.
        const TEXTS: &str = concat!($($text, " "),+);
    };
}

codes! {
    /// A call came before a successful `init`.
    NotInitialized = 1, "not_initialized";
    /// The configuration is JSON, and says something it must not.
    InvalidConfig = 2, "invalid_config";
    /// Text that had to be JSON is not, or is nested too deeply.
    InvalidJson = 3, "invalid_json";
    /// A message in JSON lacks a field, or has one of a wrong type.
    InvalidMessage = 4, "invalid_message";
    /// The message holds nothing but white space.
    EmptyMessage = 5, "empty_message";
    /// The message is larger than `limits.max_message_bytes`.
    MessageTooLarge = 6, "message_too_large";
    /// Bytes that had to be UTF-8 are not.
    InvalidUtf8 = 7, "invalid_utf8";
    /// A pointer and length from the C ABI reach outside the linear memory.
    InvalidPointer = 8, "invalid_pointer";
    /// The session name is empty, too long, or has a character outside `A-Z a-z 0-9 . _ -`.
    InvalidSessionName = 9, "invalid_session_name";
    /// There are `limits.max_sessions` sessions in memory and no file system to put one away in.
    TooManySessions = 10, "too_many_sessions";
    /// A file in `.clawft` cannot be read back; the message says where it was put.
    StateCorrupted = 11, "state_corrupted";
    /// There is no tool of this name.
    UnknownTool = 12, "unknown_tool";
    /// The configuration does not allow this tool.
    ToolDisabled = 13, "tool_disabled";
    /// A tool was called with arguments it does not take.
    InvalidArguments = 14, "invalid_arguments";
    /// A path leads out of the root, into `.clawft`, or is no path.
    PathOutsideSandbox = 15, "path_outside_sandbox";
    /// There is no such file, directory or key.
    NotFound = 16, "not_found";
    /// A directory stands where a file is needed, or the other way round.
    WrongKind = 17, "wrong_kind";
    /// The platform refuses the access.
    PermissionDenied = 18, "permission_denied";
    /// A file, a list or a value is larger than its limit.
    TooLarge = 19, "too_large";
    /// The file holds no UTF-8 text.
    NotText = 20, "not_text";
    /// The text to replace does not occur exactly once.
    EditMismatch = 21, "edit_mismatch";
    /// Reading or writing failed below.
    Io = 22, "io";
    /// The host gave no directory.
    NoFileSystem = 23, "no_file_system";
    /// This build cannot do that (yet).
    Unsupported = 24, "unsupported";
    /// No configured provider serves the model.
    NoProvider = 25, "no_provider";
    /// Of versions before 0.2: such a turn is kept now, and its answer has `finish`.
    TooManyRounds = 26, "too_many_rounds";
    /// The call came from inside another call to the same agent.
    Busy = 27, "busy";
    /// The provider asks to wait longer than is waited for; `retry_after_ms` says how long.
    RateLimited = 28, "rate_limited";
    /// The provider refused, could not be reached, or gave what is no answer.
    ProviderFailed = 29, "provider_failed";
    /// The provider's reply ended in its middle, after a part of it had been handed out.
    Interrupted = 30, "interrupted";
    /// Nothing came in the time there is for it.
    TimedOut = 31, "timed_out";
    /// The conversation is too long for the model, also when it has been made shorter.
    ContextExceeded = 32, "context_exceeded";
    /// `limits.max_tokens_per_turn` or `limits.max_tokens_per_session` is used up.
    BudgetExceeded = 33, "budget_exceeded";
    /// Others write to the session all the time.
    Conflict = 34, "conflict";
    /// The turn was cancelled.
    Cancelled = 35, "cancelled";
    /// The configuration or the host does not allow this host.
    HostNotAllowed = 36, "host_not_allowed";
    /// A file of the agent's own is of a newer version than this program knows.
    NewerVersion = 37, "newer_version";
    /// What the driver handed in does not answer what it was asked for; nothing has changed.
    UnexpectedEvent = 38, "unexpected_event";
    /// There is not enough memory for that; sessions and agent stay as they were.
    OutOfMemory = 39, "out_of_memory";
}

impl ErrorCode {
    /// The number of the code, 1 and up.
    pub fn number(self) -> u8 {
        self as u8
    }
}

/// What can go wrong, with an error of one word: results are moved at every `?`.
pub type Result<T, E = Box<AgentError>> = core::result::Result<T, E>;

/// An error: a code for programs, a message for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentError {
    /// What kind of error this is.
    pub code: ErrorCode,
    /// What happened and where, in lower case.
    pub message: String,
    /// Milliseconds after which it may be tried again; 0 where nobody said.
    pub retry_after_ms: u64,
}

impl AgentError {
    /// An error whose message is the template [filled](text::fill) with the values.
    pub fn new(code: ErrorCode, template: &str, values: &[&str]) -> Box<Self> {
        Box::new(AgentError {
            code,
            message: text::fill(template, values),
            retry_after_ms: 0,
        })
    }

    /// The same error with `place` and a colon before its message.
    pub fn at(self, place: &str) -> Box<Self> {
        AgentError::new(self.code, "{}: {}", &[place, &self.message])
    }

    /// Writes `{"code":…,"message":…}`, with `"retry_after_ms"` where there is any.
    pub fn write(&self, out: &mut Writer) {
        out.open("{");
        out.string_member("code", self.code.as_str());
        out.string_member("message", &self.message);
        if self.retry_after_ms > 0 {
            out.unsigned_member("retry_after_ms", self.retry_after_ms);
        }
        out.close("}");
    }
}

impl core::fmt::Display for AgentError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.code.as_str())?;
        f.write_str(": ")?;
        f.write_str(&self.message)
    }
}

impl core::error::Error for AgentError {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn numbers_are_dense_and_texts_distinct() {
        for (at, code) in ErrorCode::ALL.iter().enumerate() {
            assert_eq!(usize::from(code.number()), at + 1);
            let same = ErrorCode::ALL
                .iter()
                .filter(|other| other.as_str() == code.as_str());
            assert_eq!(same.count(), 1);
        }
    }

    #[test]
    fn display_and_json() {
        let error = AgentError::new(ErrorCode::NotFound, "a.txt: not found", &[]).at("read_file");
        assert_eq!(error.to_string(), "not_found: read_file: a.txt: not found");
        let mut out = Writer::new();
        error.write(&mut out);
        assert_eq!(
            out.finish(),
            r#"{"code":"not_found","message":"read_file: a.txt: not found"}"#
        );
        let mut limited = AgentError::new(ErrorCode::RateLimited, "later", &[]);
        limited.retry_after_ms = 90_000;
        let mut out = Writer::new();
        limited.write(&mut out);
        assert_eq!(
            out.finish(),
            r#"{"code":"rate_limited","message":"later","retry_after_ms":90000}"#
        );
    }
}
