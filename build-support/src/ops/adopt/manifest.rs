//! A manifest that is changed without losing a comment or a space of what somebody wrote: tables
//! are added at its end, and limits replaced where they stand. What came out is read again, and
//! must be what was there and the addition.

use crate::config::WasmBindgen;
use crate::error::{Error, Result};
use crate::project::package::{CrateKind, Wanted};
use crate::report::units;
use crate::system::files;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// A manifest's text.
#[derive(Debug, Clone)]
pub struct Manifest {
    path: PathBuf,
    text: String,
    table: toml::Table,
}

/// A number of bytes, and where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// The byte range in the text that it replaces.
    pub span: Range<usize>,
    /// The number.
    pub bytes: u64,
}

/// The keys of limits, and the bytes.
pub type Limits = [(&'static str, u64); 3];

impl Manifest {
    /// Reads it.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::Input`] where it is not TOML.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(Error::io("reading", path))?;
        Self::of(path, text, "fix it first")
    }

    fn of(path: &Path, text: String, help: &str) -> Result<Self> {
        match text.parse() {
            Ok(table) => Ok(Self {
                path: path.to_owned(),
                text,
                table,
            }),
            Err(error) => Err(Error::Input {
                file: path.to_owned(),
                offset: error.span().map(|span| span.start as u64),
                message: error.message().replace('\n', ", "),
                help: help.to_owned(),
            }),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// All of it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether there is a `[package.metadata.budget]`.
    pub fn has_budget(&self) -> bool {
        let metadata = self
            .table
            .get("package")
            .and_then(|package| package.get("metadata"));
        metadata.is_some_and(|metadata| metadata.get("budget").is_some())
    }

    /// Whether there is a profile of that name.
    pub fn has_profile(&self, name: &str) -> bool {
        self.table
            .get("profile")
            .is_some_and(|profiles| profiles.get(name).is_some())
    }

    /// With `tables` at its end.
    ///
    /// # Errors
    /// [`Error::Input`] where they cannot stand there.
    pub fn with(&self, tables: &str) -> Result<Self> {
        let mut text = self.text.clone();
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        let added = if text.contains("\r\n") {
            format!("\n{tables}").replace('\n', "\r\n")
        } else {
            format!("\n{tables}")
        };
        text.push_str(&added);
        let help = format!(
            "[package.metadata] is written in a way that nothing can be added to: add this by hand\n{tables}"
        );
        Self::of(&self.path, text, &help)
    }

    /// With other numbers in places that do not overlap.
    ///
    /// # Errors
    /// [`Error::Input`] where that is TOML no more.
    pub fn replaced(&self, places: &[Placed]) -> Result<Self> {
        let mut places = places.to_vec();
        places.sort_by_key(|place| std::cmp::Reverse(place.span.start));
        let mut text = self.text.clone();
        for Placed { span, bytes } in places {
            text.replace_range(span, &number(bytes));
        }
        Self::of(&self.path, text, "write the limits by hand")
    }

    /// Writes it, whole.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn save(&self) -> Result<()> {
        files::write_atomic(&self.path, self.text.as_bytes())
    }
}

/// Whether cargo has that profile without being told.
pub fn is_built_in(profile: &str) -> bool {
    ["dev", "release", "test", "bench"].contains(&profile)
}

/// The table of a profile for size.
pub fn profile(name: &str) -> String {
    let keys: Vec<_> = PROFILE
        .iter()
        .map(|(key, value)| format!("{key} = {value}\n"))
        .collect();
    format!(
        "# The shipped wasm: size. Names stay, the budget's tool uses them and strips them afterwards.\n[profile.{name}]\n{}",
        keys.concat()
    )
}

/// The same for cargo's command line.
pub fn profile_settings(name: &str) -> Vec<String> {
    PROFILE
        .iter()
        .map(|(key, value)| format!("profile.{name}.{key}={value}"))
        .collect()
}

const PROFILE: [(&str, &str); 6] = [
    ("inherits", "\"release\""),
    ("opt-level", "\"z\""),
    ("lto", "\"fat\""),
    ("codegen-units", "1"),
    ("panic", "\"abort\""),
    ("strip", "\"none\""),
];

/// The budget's first table, with what of `wanted` decides what is shipped.
pub fn head(profile: &str, targets: &[String], wanted: &Wanted) -> String {
    let list = |texts: &[String]| {
        let texts = texts.iter().cloned().map(toml::Value::from);
        toml::Value::Array(texts.collect())
    };
    let mut text = format!(
        "# What the shipped wasm file may weigh: `cargo budget build` exits with 1 when it weighs more.\n\
         [package.metadata.budget]\nprofile = \"{profile}\"\ntargets = {}\n",
        list(targets)
    );
    match &wanted.product {
        Some(CrateKind::Command(name)) => {
            text.push_str(&format!("bin = {}\n", toml::Value::from(name.as_str())));
        }
        Some(CrateKind::Reactor) => text.push_str("lib = true\n"),
        None => {}
    }
    if !wanted.features.is_empty() {
        text.push_str(&format!("features = {}\n", list(&wanted.features)));
    }
    for (key, is_set) in [
        ("all-features", wanted.all_features),
        ("no-default-features", wanted.no_default_features),
    ] {
        if is_set {
            text.push_str(&format!("{key} = true\n"));
        }
    }
    text
}

/// The table of a package that is shipped by way of wasm-bindgen.
pub fn wasm_bindgen() -> String {
    let target = WasmBindgen::default().target;
    format!(
        "\n# What is shipped is what wasm-bindgen makes, with its JavaScript beside it; options as its command has them.\n\
         [package.metadata.budget.wasm-bindgen]\ntarget = \"{target}\"\n"
    )
}

/// The tables of limits: one where there is one target, else one for each.
pub fn limits(targets: &[(&str, Limits)], margin: &str) -> String {
    let mut text = format!(
        "\n# What it weighed when this was written, and {margin}. In bytes, or \"60 KiB\". A raise is a decision.\n"
    );
    let tables = targets.iter().map(|(target, limits)| {
        let key = match targets.len() {
            1 => "limits".to_owned(),
            _ => format!("target.{target}.limits"),
        };
        let lines = limits
            .iter()
            .map(|(name, bytes)| format!("{name} = {}\n", number(*bytes)));
        format!(
            "[package.metadata.budget.{key}]\n{}",
            lines.collect::<String>()
        )
    });
    text.push_str(&tables.collect::<Vec<_>>().join("\n"));
    text
}

/// `12345` as TOML takes it and people read it: `12_345`.
fn number(bytes: u64) -> String {
    units::bytes(bytes).replace(',', "_")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{self, Measure};
    use crate::report::Size;

    const OWN: &str = "[package] # mine\nname = \"app\"   # spaced\n\n[dependencies]\n# none";

    fn manifest(text: &str) -> Manifest {
        Manifest::of(Path::new("Cargo.toml"), text.to_owned(), "").unwrap()
    }

    fn both(targets: &[&str]) -> String {
        let targets: Vec<_> = targets.iter().map(|target| (*target).to_owned()).collect();
        let sizes: Vec<_> = targets
            .iter()
            .zip(1..)
            .map(|(target, n)| {
                (
                    target.as_str(),
                    [
                        ("raw", n * 100_000),
                        ("gzip", n * 1_000),
                        ("brotli", n * 10),
                    ],
                )
            })
            .collect();
        head("release-wasm", &targets, &Wanted::default()) + &limits(&sizes, "3%")
    }

    /// Protects what people wrote: every byte of it is still there, and the budget is what was
    /// meant.
    #[test]
    fn a_budget_is_added_behind_everything() {
        let one = manifest(OWN).with(&both(&["wasm32-wasip1"])).unwrap();
        assert!(
            one.text()
                .starts_with(&format!("{OWN}\n\n# What the shipped")),
            "{}",
            one.text()
        );
        assert!(one.has_budget() && !manifest(OWN).has_budget());
        let config = config::parse(Path::new("Cargo.toml"), one.text(), "wasm32-wasip1").unwrap();
        let raw = config.limits.get(&Measure::Size(Size::Raw)).unwrap();
        assert_eq!(
            (raw.most, &one.text()[raw.span.clone()]),
            (100_000, "100_000")
        );

        let two = manifest(OWN)
            .with(&both(&["wasm32-wasip2", "wasm32-wasip1"]))
            .unwrap();
        let config = config::parse(Path::new("Cargo.toml"), two.text(), "wasm32-wasip1").unwrap();
        assert_eq!(
            config.limits.get(&Measure::Size(Size::Gzip)).unwrap().most,
            2_000
        );
        let windows = manifest("[package]\r\nname = \"app\"\r\n")
            .with(&both(&["wasm32-wasip1"]))
            .unwrap();
        assert_eq!(
            windows.text().matches('\n').count(),
            windows.text().matches("\r\n").count()
        );
    }

    /// Protects manifests in which the tables cannot stand: they are not touched, and the user gets
    /// the text.
    #[test]
    fn a_closed_table_is_left_alone() {
        let closed = manifest("[package]\nname = \"app\"\nmetadata = { docs = 1 }\n");
        let error = closed
            .with(&both(&["wasm32-wasip1"]))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("by hand") && error.contains("raw = 100_000"),
            "{error}"
        );
        let open = manifest("[package]\nname = \"app\"\nmetadata.docs.all = true\n");
        assert!(open.with(&both(&["wasm32-wasip1"])).is_ok());
    }

    /// Protects everything around a limit when it is written anew.
    #[test]
    fn limits_are_replaced_where_they_stand() {
        let text = "a = \"1 KiB\" # one\nb = 2 # two\n";
        let places = [
            Placed {
                span: 4..11,
                bytes: 1_234_567,
            },
            Placed {
                span: 22..23,
                bytes: 9,
            },
        ];
        let new = manifest(text).replaced(&places).unwrap();
        assert_eq!(new.text(), "a = 1_234_567 # one\nb = 9 # two\n");
    }

    /// Protects the build that is measured: it is made with the very profile that is written.
    #[test]
    fn the_profile_and_its_settings_are_the_same() {
        let added = manifest(OWN).with(&profile("release-wasm")).unwrap();
        assert!(added.has_profile("release-wasm") && !added.has_profile("release"));
        let settings: toml::Table = profile_settings("release-wasm").join("\n").parse().unwrap();
        assert_eq!(settings["profile"], added.table["profile"]);
    }
}
