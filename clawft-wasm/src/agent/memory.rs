//! What the agent remembers across sessions: texts by key, in `.clawft/memory.json`.
//!
//! The file is read for every access, so that agents that follow each other on one root agree.
//! Without a directory the texts are kept here.

use clawft_types::json::{self, Writer};
use clawft_types::{AgentError, ErrorCode, Result, Value};
use core_alloc::boxed::Box;
use core_alloc::string::String;
use core_alloc::vec::Vec;

use super::workspace::{self, Workspace};

const FILE: &str = ".clawft/memory.json";

/// The longest key, in bytes.
const MAX_KEY: usize = 256;

/// Texts by key, sorted by key.
type Texts = Vec<(String, String)>;

/// The memory of an agent.
#[derive(Debug, Default)]
pub struct Memory {
    /// In use only where there is no directory.
    texts: Texts,
}

impl Memory {
    /// The text under `key`.
    ///
    /// # Errors
    ///
    /// `not_found`, `state_corrupted`, or what the platform says.
    pub fn get(&self, key: &str, limit: u64, place: &Workspace) -> Result<String> {
        for (known, text) in self.load(limit, place)? {
            if known == key {
                return Ok(text);
            }
        }
        Err(AgentError::new(
            ErrorCode::NotFound,
            &["nothing is remembered under ", key],
        ))
    }

    /// All keys, sorted.
    ///
    /// # Errors
    ///
    /// `state_corrupted`, or what the platform says.
    pub fn keys(&self, limit: u64, place: &Workspace) -> Result<Vec<String>> {
        Ok(self
            .load(limit, place)?
            .into_iter()
            .map(|(key, _)| key)
            .collect())
    }

    /// Remembers `text` under `key`, in place of what was there.
    ///
    /// # Errors
    ///
    /// `invalid_arguments` for a key that is empty or longer than 256 bytes, `too_large` if all texts
    /// together would exceed `limit` bytes, `state_corrupted` (the file is left as it is), or what
    /// the platform says.
    pub fn set(&mut self, key: &str, text: &str, limit: u64, place: &Workspace) -> Result<()> {
        if key.is_empty() || key.len() > MAX_KEY {
            let message = &["memory_write.key: expected 1 to 256 bytes"];
            return Err(AgentError::new(ErrorCode::InvalidArguments, message));
        }
        let mut texts = self.load(limit, place)?;
        texts.retain(|(known, _)| known != key);
        let at = texts.partition_point(|(known, _)| known.as_str() < key);
        texts.insert(at, (String::from(key), String::from(text)));
        let mut out = Writer::new();
        out.open('{');
        for (key, text) in &texts {
            out.string_member(key, text);
        }
        out.close('}');
        let file = out.finish();
        if file.len() as u64 > limit {
            return Err(workspace::too_large("memory", file.len() as u64, limit));
        }
        if place.is_there() {
            place.write(FILE, &file)
        } else {
            self.texts = texts;
            Ok(())
        }
    }

    fn load(&self, limit: u64, place: &Workspace) -> Result<Texts> {
        if !place.is_there() {
            return Ok(self.texts.clone());
        }
        if !place.exists(FILE)? {
            return Ok(Texts::new());
        }
        let mut texts = Texts::new();
        if let Ok(Value::Object(members)) = json::parse(&place.read(FILE, limit)?) {
            for (key, value) in members {
                let Value::String(text) = value else {
                    return Err(corrupted());
                };
                texts.push((key, text));
            }
            return Ok(texts);
        }
        Err(corrupted())
    }
}

fn corrupted() -> Box<AgentError> {
    let message = &[FILE, " is no object of texts; mend it or move it away"];
    AgentError::new(ErrorCode::StateCorrupted, message)
}
