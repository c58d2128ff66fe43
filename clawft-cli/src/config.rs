//! The configuration file: TOML, with what the core takes and what only a native host has (root,
//! keys, times). Whatever is wrong is told with line and column.
//!
//! What the core knows it checks itself; here its JSON is made, and the place of what it refuses is
//! found. [`schema`] knows the names, for suggestions.

mod document;
mod schema;

use crate::http::Times;
use crate::keys::{Keys, Source};
use clawft_types::{Config, ProviderConfig, ProviderKind};
use clawft_wasm::Agent;
use clawft_wasm::machine::Credential;
use document::Document;
use std::fmt;
use std::path::{Path, PathBuf};
use toml::de::{DeTable, DeValue};

/// What is wrong with a file, a line for each mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistakes(Vec<String>);

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for Mistakes {}

impl Mistakes {
    fn one(message: String) -> Mistakes {
        Mistakes(vec![message])
    }
}

/// A configuration, ready to be used.
#[derive(Debug, Default)]
pub struct Settings {
    /// What the core takes.
    pub json: String,
    /// The only folder the agent may see, if the file names one.
    pub root: Option<PathBuf>,
    /// The keys of its providers.
    pub keys: Keys,
    /// Where its providers are, with what each calls its key, if it has one.
    pub addresses: Vec<(String, Option<Credential>)>,
    /// Times of the network that differ from the core's.
    pub times: Times,
    /// Whether there is a file.
    pub is_written: bool,
}

impl Settings {
    /// Reads the configuration in `path`; one that is not there is the default: the offline
    /// provider.
    ///
    /// # Errors
    /// What is wrong with it, with file, line and column.
    pub fn read(path: &Path) -> Result<Settings, Mistakes> {
        match std::fs::read_to_string(path) {
            Ok(text) => Settings::parse(&text, &path.display().to_string()),
            Err(why) if why.kind() == std::io::ErrorKind::NotFound => Ok(Settings {
                json: "{}".to_owned(),
                ..Settings::default()
            }),
            Err(why) => Err(Mistakes::one(format!("{}: {why}", path.display()))),
        }
    }

    /// Reads the configuration `text` of the file `name`.
    ///
    /// # Errors
    /// As [`Settings::read`].
    pub fn parse(text: &str, name: &str) -> Result<Settings, Mistakes> {
        let document = Document::parse(text, name).map_err(Mistakes::one)?;
        let unknown = schema::unknown(&document);
        if !unknown.is_empty() {
            return Err(Mistakes(unknown));
        }
        let table = document.table();
        let own = Own::read(&document).map_err(Mistakes::one)?;
        let json = own.core_json(&document, table).map_err(Mistakes::one)?;
        let refused = |message: &str| Mistakes::one(document.refused(message));
        let config = Config::parse(&json).map_err(|error| refused(&error.message))?;
        // Tools and intents are names that only the agent knows.
        Agent::new(&json, None).map_err(|error| refused(&error.message))?;
        let mut keys = Keys::default();
        let mut addresses = Vec::new();
        for (source, provider) in own.sources.iter().zip(&config.providers) {
            if let Some(source) = source {
                keys.add(&provider.credential, &provider.base_url, source.clone());
            }
            addresses.push((provider.base_url.clone(), credential(provider)));
        }
        Ok(Settings {
            json,
            root: own.root,
            keys,
            addresses,
            times: own.times,
            is_written: true,
        })
    }
}

/// What a provider calls its key, as the core has it in requests.
fn credential(provider: &ProviderConfig) -> Option<Credential> {
    let (header, prefix) = match provider.kind {
        ProviderKind::Offline => return None,
        ProviderKind::OpenAi => ("authorization", "Bearer "),
        ProviderKind::Anthropic => ("x-api-key", ""),
    };
    let name = provider.credential.clone();
    let credential = Credential {
        name,
        header,
        prefix,
    };
    (!provider.credential.is_empty()).then_some(credential)
}

/// Where the configuration is, unless an option says otherwise: in `XDG_CONFIG_HOME`, or in
/// `~/.config`.
///
/// # Errors
/// Where the user has no home.
pub fn path() -> Result<PathBuf, String> {
    let folder = |name: &str| {
        let path = std::env::var_os(name).map(PathBuf::from);
        path.filter(|path| path.is_absolute())
    };
    folder("XDG_CONFIG_HOME")
        .or_else(|| folder("HOME").map(|home| home.join(".config")))
        .or_else(|| folder("APPDATA"))
        .map(|folder| folder.join("clawft/config.toml"))
        .ok_or_else(|| "there is no home folder; set HOME, or give --config FILE".to_owned())
}

/// What only this host has.
#[derive(Debug, Default)]
struct Own {
    root: Option<PathBuf>,
    times: Times,
    /// The key of each provider.
    sources: Vec<Option<Source>>,
    /// The name of each provider's key.
    credentials: Vec<String>,
}

impl Own {
    fn read(document: &Document<'_>) -> Result<Own, String> {
        let mut own = Own::default();
        let table = document.table();
        if let Some(root) = table.get("root") {
            own.root = Some(folder(document.text_of(root, "a folder")?));
        }
        if let Some(http) = table.get("http") {
            let times = document.table_of(http)?;
            let time = |name: &str| {
                let value = times.get(name);
                value.map(|value| document.time_of(value)).transpose()
            };
            own.times = Times {
                connect_ms: time("connect_ms")?,
                first_byte_ms: time("first_byte_ms")?,
                between_bytes_ms: time("between_bytes_ms")?,
                until_ms: None,
            };
        }
        for provider in document.providers() {
            let (source, name) = match provider.get_ref() {
                DeValue::Table(table) => (document.source(table)?, provider_name(table)),
                _ => (None, ""),
            };
            if source.is_some() && own.credentials.iter().any(|other| other == name) {
                let message = format!("another provider is called {name:?}; give this a name");
                return Err(document.at(provider.span(), &message));
            }
            own.credentials.push(match &source {
                Some(_) => name.to_owned(),
                None => String::new(),
            });
            own.sources.push(source);
        }
        Ok(own)
    }

    /// The core's part of `table` as JSON, with the name of a key in each provider that has one.
    fn core_json(&self, document: &Document<'_>, table: &DeTable<'_>) -> Result<String, String> {
        document.json(table, &|path, name, number| match (path, name) {
            ("", "root" | "http") => Some(None),
            ("providers", "key_env" | "key_file" | "key_command") => {
                Some(self.credentials.get(number).cloned())
            }
            _ => None,
        })
    }
}

/// How the core calls a provider.
fn provider_name<'a>(table: &'a DeTable<'_>) -> &'a str {
    let text = |name: &str| table.get(name).and_then(|value| value.get_ref().as_str());
    text("name").or_else(|| text("kind")).unwrap_or_default()
}

/// `text` as a path, with `~/` as the user's home.
fn folder(text: &str) -> PathBuf {
    match (text.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(rest), Some(home)) => Path::new(&home).join(rest),
        _ => PathBuf::from(text),
    }
}

#[cfg(test)]
mod tests;
