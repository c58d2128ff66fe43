//! What the agent remembers across sessions: texts by key, in `.clawft/memory.json`.
//!
//! The file is read for every access, so that agents on one root agree; a lock, where the platform
//! has one, keeps two that write at a time from losing each other's.
//! Without a directory the texts are kept here.

use clawft_types::json::{self, Writer};
use clawft_types::{AgentError, ErrorCode, Result, Value, text};
use core_alloc::boxed::Box;
use core_alloc::string::String;
use core_alloc::vec::Vec;

use super::workspace::{self, Workspace};

const FILE: &str = ".clawft/memory.json";

/// The longest key, in bytes.
const MAX_KEY: usize = 256;

/// The memory of an agent.
#[derive(Debug)]
pub struct Memory {
    /// What the file would hold, where there is no directory.
    unsaved: String,
}

impl Default for Memory {
    fn default() -> Self {
        Memory {
            unsaved: String::from("{}"),
        }
    }
}

impl Memory {
    /// The text under `key`.
    ///
    /// # Errors
    ///
    /// `not_found`, `state_corrupted`, or what the platform says.
    pub fn get(&self, key: &str, limit: u64, workspace: &Workspace) -> Result<String> {
        for (known, text) in &self.load(limit, workspace)? {
            if let Value::String(text) = text
                && known == key
            {
                return Ok(text.clone());
            }
        }
        Err(AgentError::new(
            ErrorCode::NotFound,
            "nothing is remembered under {}",
            &[key],
        ))
    }

    /// All keys, sorted, one on each line.
    ///
    /// # Errors
    ///
    /// `state_corrupted`, or what the platform says.
    pub fn keys(&self, limit: u64, workspace: &Workspace) -> Result<String> {
        let mut keys = String::new();
        for (key, _) in &self.load(limit, workspace)? {
            text::push_item(&mut keys, "\n", key);
        }
        Ok(keys)
    }

    /// Remembers `text` under `key`, in place of what was there.
    ///
    /// # Errors
    ///
    /// `invalid_arguments` for a key that is empty or longer than 256 bytes, `too_large` if all
    /// texts together would exceed `limit` bytes, `state_corrupted` (the file is left as it is), or
    /// what the platform says.
    pub fn set(&mut self, key: &str, text: &str, limit: u64, workspace: &Workspace) -> Result<()> {
        if key.is_empty() || key.len() > MAX_KEY {
            let message = "memory_write.key: expected 1 to 256 bytes";
            return Err(AgentError::new(ErrorCode::InvalidArguments, message, &[]));
        }
        let _lock = workspace.is_there().then(|| workspace.lock()).transpose()?;
        let mut out = Writer::new();
        out.open("{");
        let mut new = Some(text);
        for (known, value) in &self.load(limit, workspace)? {
            if known.as_str() >= key
                && let Some(text) = new.take()
            {
                out.string_member(key, text);
            }
            if known != key {
                out.key(known);
                value.write(&mut out);
            }
        }
        if let Some(text) = new {
            out.string_member(key, text);
        }
        out.close("}");
        let file = out.finish();
        let bytes = file.len() as u64;
        if bytes > limit {
            return Err(workspace::too_large("memory", bytes, limit));
        }
        if workspace.is_there() {
            workspace.write(FILE, &file)
        } else {
            self.unsaved = file;
            Ok(())
        }
    }

    /// Keys with a text each, sorted.
    fn load(&self, limit: u64, workspace: &Workspace) -> Result<Vec<(String, Value)>> {
        let read;
        let file = if workspace.is_there() {
            if !workspace.exists(FILE)? {
                return Ok(Vec::new());
            }
            read = workspace.read(FILE, limit)?;
            &read
        } else {
            &self.unsaved
        };
        match json::parse(file) {
            Ok(Value::Object(members)) if members.iter().all(is_text) => Ok(members),
            _ => Err(corrupted()),
        }
    }
}

fn is_text(member: &(String, Value)) -> bool {
    matches!(member.1, Value::String(_))
}

fn corrupted() -> Box<AgentError> {
    let message = "{} is no object of texts; mend it or move it away";
    AgentError::new(ErrorCode::StateCorrupted, message, &[FILE])
}
