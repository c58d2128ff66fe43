//! Keys of providers: where they come from, and which request gets one. A key goes to the provider
//! it was configured for and to nobody else, by https or to this machine.

use clawft_wasm::machine::Credential;
use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::Stdio;
use ureq::http::Uri;

/// The most bytes of a key.
const MAX_KEY: u64 = 16 * 1024;

/// What stands where a key stood.
const GONE: &str = "[key]";

/// Where a key comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A variable of the environment.
    Env(String),
    /// A file that nobody else may read.
    File(PathBuf),
    /// The first line that a program prints.
    Command(Vec<String>),
}

/// A key itself. Nothing shows it.
#[derive(Clone, PartialEq, Eq)]
struct Key(String);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(GONE)
    }
}

/// A header with a key.
#[derive(Debug, Clone)]
pub struct Header {
    /// The header.
    pub name: &'static str,
    prefix: &'static str,
    key: Key,
}

impl Header {
    /// What stands in it.
    pub(crate) fn value(&self) -> String {
        format!("{}{}", self.prefix, self.key.0)
    }

    /// `text` without the key.
    pub fn without(&self, text: &str) -> String {
        text.replace(&self.key.0, GONE)
    }
}

#[derive(Debug)]
struct Entry {
    credential: String,
    base_url: String,
    source: Source,
    /// Once it has been read.
    key: Option<Key>,
}

/// The keys of all providers.
#[derive(Debug, Default)]
pub struct Keys(Vec<Entry>);

impl Keys {
    /// Adds the key that the core calls `credential`, for requests below `base_url`.
    pub fn add(&mut self, credential: &str, base_url: &str, source: Source) {
        self.0.push(Entry {
            credential: credential.to_owned(),
            base_url: base_url.to_owned(),
            source,
            key: None,
        });
    }

    /// The header with the key that is `wanted`, for a request to `url`.
    ///
    /// # Errors
    /// Why it cannot have it, and what mends that.
    pub fn header(&mut self, wanted: &Credential, url: &str) -> Result<Header, String> {
        let name = &wanted.name;
        let entry = self.0.iter_mut().find(|entry| entry.credential == *name);
        let entry = entry.ok_or_else(|| {
            format!("{name}: no key is configured; give key_env, key_file or key_command")
        })?;
        if !is_below(url, &entry.base_url) {
            return Err(format!("{name}: the key is not for this address"));
        }
        if !is_safe(url) {
            return Err(format!(
                "{name}: a key goes by https alone, or to this machine"
            ));
        }
        let key = match &entry.key {
            Some(key) => key.clone(),
            None => entry
                .source
                .read()
                .map_err(|why| format!("{name}: {why}"))?,
        };
        entry.key = Some(key.clone());
        Ok(Header {
            name: wanted.header,
            prefix: wanted.prefix,
            key,
        })
    }

    /// `text` without any key that has been read.
    pub fn without(&self, text: &str) -> String {
        let keys = self.0.iter().filter_map(|entry| entry.key.as_ref());
        keys.fold(text.to_owned(), |text, key| text.replace(&key.0, GONE))
    }
}

impl Source {
    fn read(&self) -> Result<Key, String> {
        let text = match self {
            Source::Env(name) => std::env::var(name)
                .map_err(|_| format!("the variable {name} is not set: export {name}=…"))?,
            Source::File(path) => {
                let place = path.display();
                let file = File::open(path).map_err(|why| format!("{place}: {why}"))?;
                private(&file).map_err(|why| format!("{place}: {why}"))?;
                let mut text = String::new();
                let read = file.take(MAX_KEY).read_to_string(&mut text);
                read.map_err(|why| format!("{place}: {why}"))?;
                text
            }
            Source::Command(words) => command(words)?,
        };
        let key = text.lines().next().unwrap_or_default().trim();
        let fine = |byte: u8| byte.is_ascii_graphic();
        if key.is_empty() || !key.bytes().all(fine) {
            return Err(format!("{self}: expected a key in its first line"));
        }
        Ok(Key(key.to_owned()))
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Env(name) => write!(f, "the variable {name}"),
            Source::File(path) => write!(f, "{}", path.display()),
            Source::Command(words) => write!(f, "`{}`", words.join(" ")),
        }
    }
}

/// Whether `url` is one of those that begin with `base_url`.
pub(crate) fn is_below(url: &str, base_url: &str) -> bool {
    let rest = url.strip_prefix(base_url);
    rest.is_some_and(|rest| rest.starts_with('/'))
}

/// Whether what goes to `url` can be read by nobody on the way.
fn is_safe(url: &str) -> bool {
    let Ok(uri) = url.parse::<Uri>() else {
        return false;
    };
    match (uri.scheme_str(), uri.host()) {
        (Some("https"), Some(_)) => true,
        (Some("http"), Some("localhost")) => true,
        (Some("http"), Some(host)) => {
            let address = host.trim_start_matches('[').trim_end_matches(']');
            address
                .parse()
                .is_ok_and(|address: IpAddr| address.is_loopback())
        }
        _ => false,
    }
}

/// Whether nobody but its owner may read `file`.
#[cfg(unix)]
fn private(file: &File) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = file
        .metadata()
        .map_err(|why| why.to_string())?
        .permissions()
        .mode();
    if mode & 0o077 != 0 {
        let mode = mode & 0o777;
        return Err(format!(
            "others may read the key (mode {mode:o}): chmod 600 it"
        ));
    }
    Ok(())
}

#[cfg(not(unix))]
fn private(_: &File) -> Result<(), String> {
    Ok(())
}

/// What the program prints.
#[allow(clippy::disallowed_methods)] // The one process that weft starts, at the user's wish.
fn command(words: &[String]) -> Result<String, String> {
    let Some((program, args)) = words.split_first() else {
        return Err("key_command: expected a program and its arguments".to_owned());
    };
    let mut command = std::process::Command::new(program);
    command
        .args(args)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit());
    let done = command
        .output()
        .map_err(|why| format!("`{program}`: {why}"))?;
    if !done.status.success() {
        return Err(format!("`{program}` failed: {}", done.status));
    }
    String::from_utf8(done.stdout).map_err(|_| format!("`{program}`: its output is not UTF-8"))
}

#[cfg(test)]
mod tests;
