//! Which package of a workspace makes a wasm file, and for which targets, by what the project says of itself.

use crate::config::{self, Config};
use crate::error::{Error, Result};
use crate::project::package::Package;
use cargo_metadata::MetadataCommand;
use std::cell::Cell;
use std::path::Path;

const UNKNOWN: &str = "wasm32-unknown-unknown";
const P1: &str = "wasm32-wasip1";
const P2: &str = "wasm32-wasip2";

/// Crates that are for one target.
const SIGNS: [(&str, &str); 6] = [
    ("wasm-bindgen", UNKNOWN),
    ("js-sys", UNKNOWN),
    ("web-sys", UNKNOWN),
    ("wit-bindgen", P2),
    ("wasip2", P2),
    ("wasip1", P1),
];

impl Package {
    /// The package called `wanted` in the workspace of the current folder, or the only one there with a
    /// `[package.metadata.budget]`, or where none has one the one that makes a wasm file.
    ///
    /// # Errors
    /// [`Error::Toolchain`] where cargo cannot read the workspace or the choice is not clear.
    pub fn find(wanted: Option<&str>) -> Result<Self> {
        let budgets = Cell::new(0);
        let found = Self::choose(&mut MetadataCommand::new(), |package| match wanted {
            Some(name) => package.name.as_str() == name,
            None => {
                let has_budget = package.metadata.get("budget").is_some();
                budgets.set(budgets.get() + usize::from(has_budget));
                has_budget
            }
        });
        match (&found, wanted) {
            (Err(_), None) if budgets.get() == 0 => package(None).or(found),
            _ => found,
        }
    }

    /// The package's settings for `target`, or for the first of its own targets, or for the one it is plainly made for.
    ///
    /// # Errors
    /// [`Error::Config`] with every mistake in the metadata.
    pub fn config(&self, target: Option<&str>) -> Result<Config> {
        if let Some(target) = target {
            return config::load(&self.manifest, target);
        }
        let first = match self.targets.first() {
            Some(first) => first.clone(),
            None => targets(self, &[])?.remove(0),
        };
        config::load(&self.manifest, &first)
    }
}

/// The package called `wanted`, or the only one of the workspace in the current folder that can be a wasm file: a
/// `cdylib`, else a program. Of several it is the one whose folder this is.
///
/// # Errors
/// [`Error::Toolchain`] where there is none, or it is not clear which.
pub fn package(wanted: Option<&str>) -> Result<Package> {
    let all = Package::all_here()?;
    let here = std::env::current_dir().unwrap_or_default();
    choose(all, wanted, &here)
}

fn choose(all: Vec<Package>, wanted: Option<&str>, here: &Path) -> Result<Package> {
    let makes = |package: &Package, test: fn(&cargo_metadata::Target) -> bool| {
        package.makes.iter().any(test)
    };
    let names = |packages: &[Package]| {
        packages
            .iter()
            .map(|package| package.name.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let error = |message: String, help: String| Err(Error::Toolchain { message, help });
    let known = names(&all);
    if let Some(name) = wanted {
        let Some(package) = all.into_iter().find(|package| package.name == name) else {
            return error(
                format!("there is no package `{name}` here"),
                format!("the packages are {known}"),
            );
        };
        return Ok(package);
    }
    let libraries = all
        .iter()
        .any(|package| makes(package, cargo_metadata::Target::is_cdylib));
    let mut fit: Vec<_> = all
        .into_iter()
        .filter(|package| match libraries {
            true => makes(package, cargo_metadata::Target::is_cdylib),
            false => makes(package, cargo_metadata::Target::is_bin),
        })
        .collect();
    if fit.len() > 1 && fit.iter().any(|package| is_in(package, here)) {
        fit.retain(|package| is_in(package, here));
    }
    match fit.len() {
        1 => Ok(fit.remove(0)),
        0 => error(
            format!("no package here makes a wasm file: {known}"),
            "add `crate-type = [\"cdylib\"]` under [lib], or a program".to_owned(),
        ),
        _ => error(
            "several packages make a wasm file".to_owned(),
            format!("name one with --package: {}", names(&fit)),
        ),
    }
}

fn is_in(package: &Package, folder: &Path) -> bool {
    package
        .manifest
        .parent()
        .is_some_and(|own| own != package.root && folder.starts_with(own))
}

/// The targets `package` is for: those `given`, else cargo's own `build.target` for it, else what its dependencies are
/// made for.
///
/// # Errors
/// [`Error::Toolchain`] where nothing says it, or they are made for different ones.
pub fn targets(package: &Package, given: &[String]) -> Result<Vec<String>> {
    if !given.is_empty() {
        return Ok(given.to_vec());
    }
    let environment = std::env::var("CARGO_BUILD_TARGET")
        .ok()
        .filter(|target| is_wasm(target));
    if let Some(target) = environment {
        return Ok(vec![target]);
    }
    let folder = package.manifest.parent().unwrap_or(Path::new("."));
    for folder in folder.ancestors() {
        let configured = configured(&folder.join(".cargo/config.toml"));
        if !configured.is_empty() {
            return Ok(configured);
        }
    }
    let mut signs: Vec<_> = SIGNS
        .iter()
        .filter(|(name, _)| package.dependencies.iter().any(|d| d == name))
        .collect();
    signs.dedup_by_key(|(_, target)| *target);
    match signs.as_slice() {
        [(_, target)] => Ok(vec![(*target).to_owned()]),
        found => {
            let found: Vec<_> = found
                .iter()
                .map(|(name, target)| format!("{name} is for {target}"))
                .collect();
            let why = if found.is_empty() {
                String::new()
            } else {
                format!(" ({})", found.join(", "))
            };
            Err(Error::Toolchain {
                message: format!(
                    "it is not clear which target `{}` is for{why}",
                    package.name
                ),
                help: format!(
                    "say it with --target: {P2}, {P1} or {UNKNOWN}; --target may be repeated"
                ),
            })
        }
    }
}

/// `build.target` in a configuration of cargo's, so far as it is for wasm.
fn configured(file: &Path) -> Vec<String> {
    let Ok(text) = std::fs::read_to_string(file) else {
        return Vec::new();
    };
    let Ok(table) = text.parse::<toml::Table>() else {
        // Cargo will say what is wrong with it.
        return Vec::new();
    };
    let targets = match table.get("build").and_then(|build| build.get("target")) {
        Some(toml::Value::String(target)) => vec![target.clone()],
        Some(toml::Value::Array(targets)) => targets
            .iter()
            .filter_map(|t| t.as_str().map(str::to_owned))
            .collect(),
        _ => Vec::new(),
    };
    targets
        .into_iter()
        .filter(|target| is_wasm(target))
        .collect()
}

fn is_wasm(target: &str) -> bool {
    target.starts_with("wasm32")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, kind: &str, dependencies: &[&str]) -> Package {
        let target = serde_json::json!({
            "name": name, "kind": [kind], "crate_types": [kind], "src_path": "/w/x.rs", "edition": "2024",
        });
        Package {
            id: String::new(),
            name: name.to_owned(),
            manifest: format!("/w/{name}/Cargo.toml").into(),
            targets: Vec::new(),
            root: "/w".into(),
            target_dir: "/w/target".into(),
            build_dir: "/w/target".into(),
            makes: vec![serde_json::from_value(target).unwrap()],
            dependencies: dependencies.iter().map(|d| (*d).to_owned()).collect(),
        }
    }

    /// Protects the first five minutes: the package that is meant is found where it can be.
    #[test]
    fn the_package_that_makes_wasm_is_found() {
        let all = || {
            vec![
                package("core", "lib", &[]),
                package("cli", "bin", &[]),
                package("web", "cdylib", &[]),
            ]
        };
        let name = |all: Vec<Package>, wanted, here: &str| {
            choose(all, wanted, Path::new(here)).map(|p| p.name)
        };
        assert_eq!(
            name(all(), None, "/w").unwrap(),
            "web",
            "a cdylib is made for it"
        );
        assert_eq!(name(all()[..2].to_vec(), None, "/w").unwrap(), "cli");
        assert_eq!(name(all(), Some("core"), "/w").unwrap(), "core");
        let two = || [all(), vec![package("edge", "cdylib", &[])]].concat();
        assert_eq!(name(two(), None, "/w/edge/src").unwrap(), "edge");
        let unclear = name(two(), None, "/w").unwrap_err().to_string();
        assert!(unclear.contains("--package: web, edge"), "{unclear}");
        let none = name(all()[..1].to_vec(), None, "/w")
            .unwrap_err()
            .to_string();
        assert!(none.contains("cdylib"), "{none}");
        let typo = name(all(), Some("wbe"), "/w").unwrap_err().to_string();
        assert!(typo.contains("core, cli, web"), "{typo}");
    }

    /// Protects against a budget for a target that nobody builds.
    #[test]
    fn dependencies_say_the_target() {
        let of = |dependencies: &[&str]| targets(&package("app", "cdylib", dependencies), &[]);
        assert_eq!(of(&["serde", "js-sys", "wasm-bindgen"]).unwrap(), [UNKNOWN]);
        assert_eq!(of(&["wit-bindgen"]).unwrap(), [P2]);
        let unclear = of(&["wasm-bindgen", "wasip1"]).unwrap_err().to_string();
        assert!(
            unclear.contains(
                "wasm-bindgen is for wasm32-unknown-unknown, wasip1 is for wasm32-wasip1"
            ),
            "{unclear}"
        );
        assert!(of(&[]).unwrap_err().to_string().contains("--target"));
    }

    /// Protects projects that say it the usual way.
    #[test]
    fn cargos_configuration_says_the_target() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        let cases = [
            ("[build]\ntarget = \"wasm32-wasip1\"", &[P1][..]),
            (
                "build.target = [\"x86_64-unknown-linux-gnu\", \"wasm32-wasip2\", \"wasm32-wasip1\"]",
                &[P2, P1],
            ),
            ("[build]\ntarget = \"x86_64-unknown-linux-gnu\"", &[]),
            ("[build]\njobs = 2", &[]),
            ("[build", &[]),
        ];
        for (text, expected) in cases {
            std::fs::write(&file, text).unwrap();
            assert_eq!(configured(&file), expected, "{text}");
        }
        assert!(configured(&folder.path().join("none")).is_empty());
    }
}
