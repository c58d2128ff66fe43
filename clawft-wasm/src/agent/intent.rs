//! Classify, the first stage: what a message is about, by its first word or its last character.

use clawft_types::text;

/// What a message is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    /// It begins with `/`.
    Command,
    /// It wants a file or a directory read or changed.
    File,
    /// It wants something remembered or recalled.
    Memory,
    /// It wants a page fetched.
    Web,
    /// It asks for the conversation so far.
    History,
    /// It greets.
    Greeting,
    /// It asks something.
    Question,
    /// Anything else.
    Chat,
}

/// First words, in lower case, and what they mean.
static WORDS: [(&str, Intent); 6] = [
    ("read write edit list", Intent::File),
    ("fetch", Intent::Web),
    ("remember recall", Intent::Memory),
    ("history", Intent::History),
    ("hello hi hey", Intent::Greeting),
    (
        "what who when where why how which is are can",
        Intent::Question,
    ),
];

impl Intent {
    /// Every intent.
    pub const ALL: [Intent; 8] = [
        Intent::Command,
        Intent::File,
        Intent::Memory,
        Intent::Web,
        Intent::History,
        Intent::Greeting,
        Intent::Question,
        Intent::Chat,
    ];

    /// The name of the intent, in answers and in `config.routes`.
    pub fn as_str(self) -> &'static str {
        match self {
            Intent::Command => "command",
            Intent::File => "file",
            Intent::Memory => "memory",
            Intent::Web => "web",
            Intent::History => "history",
            Intent::Greeting => "greeting",
            Intent::Question => "question",
            Intent::Chat => "chat",
        }
    }
}

/// What `message` is about.
pub fn classify(message: &str) -> Intent {
    let message = text::trim(message);
    if message.starts_with('/') {
        return Intent::Command;
    }
    let end = message
        .bytes()
        .position(|byte| !byte.is_ascii_alphabetic())
        .unwrap_or(message.len());
    let word = message.get(..end).unwrap_or_default();
    for (words, intent) in &WORDS {
        let mut words = Some(*words);
        while let Some(known) = text::next_part(&mut words, " ") {
            if known.eq_ignore_ascii_case(word) {
                return *intent;
            }
        }
    }
    if message.ends_with('?') {
        Intent::Question
    } else {
        Intent::Chat
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_first_word_or_last_character() {
        for (text, intent) in [
            ("/tool x", Intent::Command),
            (" Read a.txt", Intent::File),
            ("REMEMBER a: b", Intent::Memory),
            ("history", Intent::History),
            ("Hi, there", Intent::Greeting),
            ("Hirsch", Intent::Chat),
            ("why", Intent::Question),
            ("und nun?", Intent::Question),
            ("日本語", Intent::Chat),
        ] {
            assert_eq!(classify(text), intent, "{text}");
        }
    }
}
