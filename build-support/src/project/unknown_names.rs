//! What a budget names of its package and is not there: a profile, a feature, a program. Cargo
//! would say so, too, but not where it is written.

use crate::config::{Config, code};
use crate::diagnostic::Diagnostic;
use crate::error::{Error, Result};
use crate::project::package::Package;
use std::collections::BTreeSet;
use std::path::Path;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The profiles that cargo has itself.
const BUILT_IN: [&str; 4] = ["dev", "release", "test", "bench"];

/// Looks each name up.
///
/// # Errors
/// [`Error::Config`] with each at its place.
pub(super) fn refuse(package: &Package, config: &Config) -> Result<()> {
    let Ok(document) = DeTable::parse(&config.source) else {
        return Ok(());
    };
    let Some(budget) = table(document.get_ref(), &["package", "metadata", "budget"]) else {
        return Ok(());
    };
    let mut found = Vec::new();
    let mut look = |value: &Spanned<DeValue<'_>>, what: &str, known: &BTreeSet<String>| {
        let Some(name) = value
            .get_ref()
            .as_str()
            .filter(|name| !known.contains(*name))
        else {
            return;
        };
        let known: Vec<_> = known.iter().map(String::as_str).collect();
        let help = match known.as_slice() {
            [] => format!("the package has no {what}"),
            known => format!("there are: {}", known.join(", ")),
        };
        found.push(Diagnostic {
            code: code::BAD_NAME,
            message: format!("`{}` has no {what} `{name}`", package.name),
            label: "not there".to_owned(),
            help: vec![help],
            ..Diagnostic::at(&config.manifest, &config.source, value.span())
        });
    };
    if let Some(bin) = budget.get("bin") {
        let bins = package.makes.iter().filter(|target| target.is_bin());
        look(
            bin,
            "program",
            &bins.map(|target| target.name.clone()).collect(),
        );
    }
    if let Some(features) = budget
        .get("features")
        .and_then(|list| list.get_ref().as_array())
    {
        for feature in features.iter() {
            // What is of a dependency is cargo's to resolve.
            let name = feature.get_ref().as_str().unwrap_or_default();
            if !name.contains(['/', ':', ' ']) {
                look(feature, "feature", &package.features);
            }
        }
    }
    if let Some(profile) = budget.get("profile").filter(|_| !is_set_elsewhere()) {
        look(profile, "profile", &profiles(package));
    }
    if found.is_empty() {
        Ok(())
    } else {
        Err(Error::Config(found))
    }
}

/// Whether a profile may be defined where no file says it.
fn is_set_elsewhere() -> bool {
    std::env::args().any(|word| word.starts_with("--config"))
        || std::env::vars_os().any(|(name, _)| name.to_string_lossy().starts_with("CARGO_PROFILE_"))
}

fn table<'t>(table: &'t DeTable<'t>, path: &[&str]) -> Option<&'t DeTable<'t>> {
    path.iter()
        .try_fold(table, |table, key| table.get(*key)?.get_ref().as_table())
}

/// Those of the workspace, of cargo's configuration around it, and of cargo itself.
fn profiles(package: &Package) -> BTreeSet<String> {
    let mut names: BTreeSet<_> = BUILT_IN.map(str::to_owned).into();
    let folder = package.manifest.parent().unwrap_or(Path::new("."));
    let home = std::env::var_os("CARGO_HOME").map(Into::into);
    let home = home.or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    let mut files = vec![package.root.join("Cargo.toml")];
    for folder in folder
        .ancestors()
        .map(|folder| folder.join(".cargo"))
        .chain(home)
    {
        files.extend(["config.toml", "config"].map(|name| folder.join(name)));
    }
    for file in files {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let all: toml::Table = text.parse().unwrap_or_default();
        let profiles = all.get("profile").and_then(toml::Value::as_table);
        names.extend(profiles.into_iter().flat_map(|table| table.keys().cloned()));
    }
    names
}
