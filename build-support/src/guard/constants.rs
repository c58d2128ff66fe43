//! Sizes from the manifest as constants of the program: what a static buffer is long, what a type
//! may take at most. The program includes them, declares its buffers with them, and asserts the
//! rest in `const` context, so that `cargo check` fails where one does not hold.

use crate::error::{Error, Result};
use crate::size;
use serde_json::Value;
use std::path::Path;

/// The largest that is accepted: what `usize` holds on wasm32.
const MAX: u64 = u32::MAX as u64;

/// Sizes in bytes, by their key in the manifest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Constants(Vec<(String, u64)>);

impl Constants {
    /// Reads `[package.metadata.budget.constants]` from a package's metadata; none are there
    /// without the table.
    ///
    /// # Errors
    /// [`Error::Input`] naming `manifest` for a key that makes no name and a value that is no size.
    pub fn read(manifest: &Path, metadata: &Value) -> Result<Self> {
        let wrong = |message: String| Error::Input {
            file: manifest.to_owned(),
            offset: None,
            message: format!("[package.metadata.budget.constants]: {message}"),
            help: "write key = \"2 KiB\" or key = 2_048, with a key such as read-buffer".to_owned(),
        };
        let Some(table) = metadata["budget"].get("constants") else {
            return Ok(Self::default());
        };
        let table = table
            .as_object()
            .ok_or_else(|| wrong("it is not a table".to_owned()))?;
        let mut all = Vec::new();
        for (key, value) in table {
            if !is_key(key) {
                let words =
                    "is no key: small letters and digits, words joined by -, a letter first";
                return Err(wrong(format!("`{key}` {words}")));
            }
            let bytes = size(value).map_err(|why| wrong(format!("`{key}`: {why}")))?;
            all.push((key.clone(), bytes));
        }
        all.sort();
        Ok(Self(all))
    }

    /// The size of `key` in bytes.
    pub fn get(&self, key: &str) -> Option<u64> {
        let mut all = self.0.iter();
        all.find(|(name, _)| name == key).map(|(_, bytes)| *bytes)
    }

    /// The constants as source text, to be included in a module.
    pub fn source(&self) -> String {
        let mut text = String::from(
            "// Made by build-support from [package.metadata.budget.constants]; do not edit.\n",
        );
        for (key, bytes) in &self.0 {
            let name = key.to_uppercase().replace('-', "_");
            text.push_str(&format!(
                "\n/// `{key}` of `[package.metadata.budget.constants]`, in bytes.\npub const {name}: usize = {bytes};\n"
            ));
        }
        text
    }
}

/// Whether `key` makes the name of a constant, and no other key makes the same one.
pub fn is_key(key: &str) -> bool {
    let word = |word: &str| {
        let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        !word.is_empty() && word.bytes().all(letter)
    };
    key.starts_with(|first: char| first.is_ascii_lowercase()) && key.split('-').all(word)
}

fn size(value: &Value) -> Result<u64, String> {
    let bytes = match value {
        Value::String(text) => {
            size::parse(text).map_err(|wrong| format!("{}; {}", wrong.message, wrong.help))?
        }
        Value::Number(number) => number
            .as_u64()
            .ok_or_else(|| format!("{number} is not a whole number of bytes"))?,
        _ => return Err("it is no size".to_owned()),
    };
    match bytes {
        0 => Err("zero is no size: nothing fits".to_owned()),
        1..=MAX => Ok(bytes),
        _ => Err(format!("{bytes} bytes are more than wasm32 can address")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(constants: Value) -> Result<Constants> {
        let metadata = json!({ "budget": { "constants": constants } });
        Constants::read(Path::new("app/Cargo.toml"), &metadata)
    }

    /// Protects what programs are compiled with.
    #[test]
    fn sizes_become_constants() {
        let constants = read(json!({ "read-buffer": "2 KiB", "agent": 96 })).unwrap();
        assert_eq!(
            (constants.get("agent"), constants.get("Agent")),
            (Some(96), None)
        );
        let source = constants.source();
        assert!(
            source.contains("\npub const AGENT: usize = 96;\n"),
            "{source}"
        );
        assert!(
            source.contains("\npub const READ_BUFFER: usize = 2048;\n"),
            "{source}"
        );
        assert_eq!(
            Constants::read(Path::new("Cargo.toml"), &json!(null)).unwrap(),
            Constants::default()
        );
    }

    /// Protects against a constant that is not what was meant.
    #[test]
    fn what_is_no_size_is_an_error_with_its_key() {
        for (constants, expected) in [
            (json!({ "agent": 0 }), "`agent`: zero is no size"),
            (json!({ "agent": -1 }), "`agent`: -1 is not a whole number"),
            (
                json!({ "agent": 1.5 }),
                "`agent`: 1.5 is not a whole number",
            ),
            (json!({ "agent": "2 KiBs" }), "`agent`: "),
            (json!({ "agent": "0 B" }), "`agent`: "),
            (json!({ "agent": "4 GiB" }), "more than wasm32 can address"),
            (json!({ "agent": true }), "`agent`: it is no size"),
            (json!({ "Agent": 1 }), "`Agent` is no key"),
            (json!({ "read_buffer": 1 }), "`read_buffer` is no key"),
            (json!({ "2nd": 1 }), "`2nd` is no key"),
            (json!({ "a--b": 1 }), "`a--b` is no key"),
            (json!({ "": 1 }), "`` is no key"),
            (json!([]), "it is not a table"),
        ] {
            let error = read(constants.clone()).unwrap_err().to_string();
            assert!(
                error.starts_with("app/Cargo.toml: [package.metadata.budget.constants]: "),
                "{error}"
            );
            assert!(error.contains(expected), "{constants}: {error}");
        }
    }
}
