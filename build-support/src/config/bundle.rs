//! `[package.metadata.bundle]` of a package's manifest: what a bundle is made of and what it may
//! weigh. It says what there is of an agent, so that nothing else here has to know one.
//!
//! ```toml
//! [package.metadata.bundle]
//! folder = "../page"                  # with manifest.json, www/ and what the manifest names
//! target = "wasm32-wasip1"            # whose shipped file the page runs
//! init = "app_init"                   # the export that takes the configuration
//! steps = ["app_start", "app_poll"]   # the exports that a turn is driven by, step by step
//! memory-maximum = "16 MiB"           # what its memory may grow to, in whole pages
//! [package.metadata.bundle.loads]     # modules of the page that an option has loaded
//! persistence = ["store.js"]
//! [package.metadata.bundle.limits]    # on what comes over the network
//! brotli = "90 KiB"                   # all files, each as small as it is served
//! gzip = "99 KiB"
//! files = 40                          # files, compressed forms not counted
//! first-answer = "52 KiB"             # of the default example, brotli
//! ```

use super::amounts;
use super::mistakes::{Mistakes, code};
use super::value::Value;
use crate::error::{Error, Result};
use crate::report::Unit;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use toml::de::DeTable;

/// Bytes of a page of linear memory.
const PAGE: u64 = 65_536;
/// What 32 bits can address.
const ADDRESSED: u64 = 1 << 32;

/// What a package says of its bundle.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bundle {
    /// The package's manifest.
    pub manifest: PathBuf,
    /// Its text, which every span is a byte range of.
    pub source: String,
    /// The folder of the page.
    pub folder: PathBuf,
    /// The target whose shipped file is used.
    pub target: String,
    /// The export that takes the configuration.
    pub init: String,
    /// The exports that a turn is driven by.
    pub steps: Vec<String>,
    /// The most bytes of its memory, a number of whole pages; what the module says where it is
    /// none.
    pub memory_maximum: Option<u64>,
    /// Modules of the page by the option, or the host call, that has them loaded.
    pub loads: BTreeMap<String, Vec<String>>,
    /// What it may weigh.
    pub limits: Vec<Limit>,
}

/// A limit on a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// What it is on.
    pub measure: Measure,
    /// The most that is allowed.
    pub most: u64,
    /// Where the value stands in [`Bundle::source`].
    pub span: Range<usize>,
}

/// What of a bundle is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Measure {
    /// Bytes of all files, each compressed with brotli where that makes it smaller.
    Brotli,
    /// The same with gzip.
    Gzip,
    /// How many files there are, compressed forms not counted.
    Files,
    /// Bytes that the default example takes over the network before it answers, with brotli.
    FirstAnswer,
}

impl Measure {
    /// All of them.
    pub const ALL: [Measure; 4] = [
        Measure::Brotli,
        Measure::Gzip,
        Measure::Files,
        Measure::FirstAnswer,
    ];

    /// Its key in the table of limits.
    pub fn key(self) -> &'static str {
        match self {
            Measure::Brotli => "brotli",
            Measure::Gzip => "gzip",
            Measure::Files => "files",
            Measure::FirstAnswer => "first-answer",
        }
    }

    /// What it is counted in.
    pub fn unit(self) -> Unit {
        match self {
            Measure::Files => Unit::Count,
            _ => Unit::Bytes,
        }
    }
}

/// Reads what `manifest` says of the bundle; none where it says nothing.
///
/// # Errors
/// [`Error::Io`], and as [`parse`].
pub fn load(manifest: &Path) -> Result<Option<Bundle>> {
    let source = std::fs::read_to_string(manifest).map_err(Error::io("reading", manifest))?;
    parse(manifest, &source)
}

/// The same of `source`, the text of `manifest`.
///
/// # Errors
/// [`Error::Config`] with every mistake in the table, in the order of the file.
pub fn parse(manifest: &Path, source: &str) -> Result<Option<Bundle>> {
    let mistakes = Mistakes::new(manifest, source);
    let (document, errors) = DeTable::parse_recoverable(source);
    for error in errors {
        let span = error.span().unwrap_or(source.len()..source.len());
        let message = error.message().replace('\n', ", ");
        mistakes.add(
            code::SYNTAX,
            span,
            format!("the manifest is not valid TOML: {message}"),
        );
    }
    let table = |table: &'_ toml::Spanned<toml::de::DeValue<'_>>| table.get_ref().is_table();
    let metadata = document
        .get_ref()
        .get("package")
        .filter(|p| table(p))
        .and_then(|package| package.get_ref().get("metadata"))
        .filter(|metadata| table(metadata))
        .and_then(|metadata| metadata.get_ref().get("bundle"));
    let bundle = metadata.map(|value| {
        let value = Value::new(value, "package.metadata.bundle".to_owned(), &mistakes);
        read(&value, manifest, source)
    });
    mistakes.or(bundle).map_err(Error::Config)
}

fn read(table: &Value<'_>, manifest: &Path, source: &str) -> Bundle {
    let mut bundle = Bundle {
        manifest: manifest.to_owned(),
        source: source.to_owned(),
        ..Bundle::default()
    };
    let string = |value: &Value<'_>| value.string().unwrap_or_default().to_owned();
    let mut missing = vec!["folder", "target", "init"];
    for (key, value) in table.known(&[
        "folder",
        "target",
        "init",
        "steps",
        "memory-maximum",
        "loads",
        "limits",
    ]) {
        missing.retain(|other| *other != key);
        match key {
            "folder" => {
                let here = manifest.parent().unwrap_or(Path::new(""));
                bundle.folder = here.join(string(&value));
            }
            "target" => bundle.target = string(&value),
            "init" => bundle.init = string(&value),
            "steps" => bundle.steps = strings(&value),
            "memory-maximum" => bundle.memory_maximum = pages(&value),
            "loads" => {
                let entries = value.entries().into_iter();
                let loads = entries.map(|(name, value)| (name.text.to_owned(), strings(&value)));
                bundle.loads = loads.collect();
            }
            _ => bundle.limits = limits(&value),
        }
    }
    for key in missing {
        let message = format!("`{}` has no `{key}`", table.path);
        let mistake = table.mistake(code::UNKNOWN_KEY, message);
        mistake.help(format!("add `{key}`, as docs/bundle.md has it"));
    }
    bundle
}

/// A size that memory can have.
fn pages(value: &Value<'_>) -> Option<u64> {
    let bytes = amounts::size(value)?;
    if bytes.is_multiple_of(PAGE) && bytes <= ADDRESSED {
        return Some(bytes);
    }
    let message = format!("`{}` is no size of a memory", value.path);
    value
        .mistake(code::BAD_SIZE, message)
        .help("memory comes in pages of 64 KiB, and has at most 4 GiB");
    None
}

fn strings(value: &Value<'_>) -> Vec<String> {
    let names = value.strings().into_iter();
    names.map(|name| name.text.to_owned()).collect()
}

fn limits(table: &Value<'_>) -> Vec<Limit> {
    let keys = Measure::ALL.map(Measure::key);
    let mut limits = Vec::new();
    for (key, value) in table.known(&keys) {
        let Some(measure) = Measure::ALL.into_iter().find(|one| one.key() == key) else {
            continue;
        };
        let most = match measure.unit() {
            Unit::Count => amounts::count(&value, "a bundle has at least one file"),
            _ => amounts::size(&value),
        };
        limits.extend(most.map(|most| Limit {
            measure,
            most,
            span: value.span.clone(),
        }));
    }
    limits.sort_by_key(|limit| limit.measure);
    limits
}

#[cfg(test)]
mod tests {
    use super::{Measure, parse};
    use crate::error::Error;
    use std::path::Path;

    const WHOLE: &str = "\
[package]
name = \"app\"
[package.metadata.bundle]
folder = \"../page\"
target = \"wasm32-wasip1\"
init = \"app_init\"
steps = [\"app_poll\"]
[package.metadata.bundle.loads]
sync = [\"sync.js\"]
[package.metadata.bundle.limits]
first-answer = \"52 KiB\"
files = 40
";

    #[test]
    fn is_read_with_its_places() {
        let bundle = parse(Path::new("/w/app/Cargo.toml"), WHOLE);
        let bundle = bundle.unwrap().unwrap();
        assert_eq!(bundle.folder, Path::new("/w/app/../page"));
        assert_eq!(bundle.init, "app_init");
        assert_eq!(bundle.loads["sync"], ["sync.js"]);
        let limits = bundle
            .limits
            .iter()
            .map(|limit| (limit.measure, limit.most));
        let limits: Vec<_> = limits.collect();
        assert_eq!(
            limits,
            [(Measure::Files, 40), (Measure::FirstAnswer, 53_248)]
        );
        assert_eq!(&WHOLE[bundle.limits[0].span.clone()], "40");
    }

    #[test]
    fn a_package_may_have_none() {
        for source in ["[package]\nname = \"a\"", "[package]\nmetadata = 1", ""] {
            assert_eq!(parse(Path::new("Cargo.toml"), source).unwrap(), None);
        }
    }

    #[test]
    fn all_mistakes_in_one_go() {
        let source = WHOLE
            .replace("init = ", "innit = ")
            .replace("files = 40", "files = 0")
            .replace("\"52 KiB\"", "\"52 K\"")
            .replace("steps =", "memory-maximum = \"1 KiB\"\nsteps =");
        let Err(Error::Config(mistakes)) = parse(Path::new("Cargo.toml"), &source) else {
            panic!("it was read");
        };
        let said: Vec<_> = mistakes.iter().map(|one| one.message.as_str()).collect();
        assert_eq!(said.len(), 5, "{said:?}");
        assert!(
            said.iter()
                .any(|one| one.contains("is no size of a memory"))
        );
        assert!(said[0].contains("has no `init`") || said[1].contains("has no `init`"));
        assert!(
            mistakes
                .iter()
                .any(|one| one.help == ["did you mean `init`?"])
        );
    }
}
