//! Which package of a workspace makes a wasm file, and for which targets, by what the project says
//! of itself.

use crate::config::{self, Config};
use crate::error::{Error, Result};
use crate::project::package::Package;
use crate::project::unknown_names;
use crate::system::calling;
use cargo_metadata::Target;
use std::path::{Path, PathBuf};

/// The target of what wasm-bindgen reads, and of plugins.
pub const UNKNOWN: &str = "wasm32-unknown-unknown";
const P1: &str = "wasm32-wasip1";
const P2: &str = "wasm32-wasip2";

/// Crates that are for one target.
const SIGNS: [(&str, &str); 13] = [
    ("wasm-bindgen", UNKNOWN),
    ("js-sys", UNKNOWN),
    ("web-sys", UNKNOWN),
    ("dprint-core", UNKNOWN),
    ("cosmwasm-std", UNKNOWN),
    ("near-sdk", UNKNOWN),
    ("stylus-sdk", UNKNOWN),
    ("worker", UNKNOWN),
    ("wit-bindgen", P2),
    ("proxy-wasm", P1),
    ("extism-pdk", P1),
    ("wasip2", P2),
    ("wasip1", P1),
];

impl Package {
    /// The package called `wanted` in the workspace of the current folder, or the only one there
    /// with a `[package.metadata.budget]`, or where none has one the one that makes a wasm file.
    ///
    /// # Errors
    /// [`Error::Toolchain`] where cargo cannot read the workspace or the choice is not clear.
    pub fn find(wanted: Option<&str>) -> Result<Self> {
        let all = Self::all_here()?;
        let mut meant: Vec<_> = all.iter().collect();
        meant.retain(|package| wanted.map_or(package.has_budget, |name| package.name == name));
        let unknown = || {
            let root = all.first().map(|package| package.root.as_path());
            Error::toolchain(
                format!(
                    "no such package in {}, or none with a [package.metadata.budget] table",
                    root.unwrap_or(Path::new(".")).display()
                ),
                name_one(&all),
            )
        };
        match meant.as_slice() {
            [package] => Ok((*package).clone()),
            [] if wanted.is_none() => choose(&all, None, &here()).map_err(|_| unknown()),
            [] => Err(unknown()),
            several => Err(Error::toolchain(
                "several packages have a [package.metadata.budget] table",
                name_one(several.iter().copied()),
            )),
        }
    }

    /// The package's settings for `target`, or for the first of its own targets, or for the one it
    /// is plainly made for.
    ///
    /// # Errors
    /// [`Error::Config`] with every mistake in the metadata.
    pub fn config(&self, target: Option<&str>) -> Result<Config> {
        let config = self.written(target)?;
        unknown_names::refuse(self, &config)?;
        Ok(config)
    }

    fn written(&self, target: Option<&str>) -> Result<Config> {
        if let Some(target) = target {
            return config::load(&self.manifest, target);
        }
        let first = match self.targets.first() {
            Some(first) => first.clone(),
            // A mistake in the metadata may be why there is none.
            None => targets(self, &[])
                .or_else(|error| config::load(&self.manifest, UNKNOWN).and(Err(error)))?
                .remove(0),
        };
        config::load(&self.manifest, &first)
    }
}

/// The package called `wanted`, or the only one of the workspace in the current folder that can be
/// a wasm file: a `cdylib`, else a program. Of several it is the one whose folder this is.
///
/// # Errors
/// [`Error::Toolchain`] where there is none, or it is not clear which.
pub fn package(wanted: Option<&str>) -> Result<Package> {
    choose(&Package::all_here()?, wanted, &here())
}

fn here() -> PathBuf {
    std::env::current_dir().unwrap_or_default()
}

fn choose(all: &[Package], wanted: Option<&str>, here: &Path) -> Result<Package> {
    if let Some(name) = wanted {
        let named = all.iter().find(|package| package.name == name);
        return named.cloned().ok_or_else(|| {
            Error::toolchain(
                format!("there is no package `{name}` here"),
                format!("the packages are {}", names(all)),
            )
        });
    }
    let makers = |is_wasm: fn(&Target) -> bool| -> Vec<&Package> {
        let packages = all.iter();
        packages
            .filter(|package| package.makes.iter().any(is_wasm))
            .collect()
    };
    let mut fit = makers(Target::is_cdylib);
    if fit.is_empty() {
        fit = makers(Target::is_bin);
    }
    if fit.len() > 1 && fit.iter().any(|package| is_in(package, here)) {
        fit.retain(|package| is_in(package, here));
    }
    match fit.as_slice() {
        [only] => Ok((*only).clone()),
        [] => Err(Error::toolchain(
            format!("no package here makes a wasm file: {}", names(all)),
            "add `crate-type = [\"cdylib\"]` under [lib], or a program",
        )),
        several => Err(Error::toolchain(
            "several packages make a wasm file",
            name_one(several.iter().copied()),
        )),
    }
}

fn name_one<'a>(packages: impl IntoIterator<Item = &'a Package>) -> String {
    format!("name one with --package: {}", names(packages))
}

fn names<'a>(packages: impl IntoIterator<Item = &'a Package>) -> String {
    let names = packages.into_iter().map(|package| package.name.as_str());
    names.collect::<Vec<_>>().join(", ")
}

fn is_in(package: &Package, folder: &Path) -> bool {
    package
        .manifest
        .parent()
        .is_some_and(|own| own != package.root && folder.starts_with(own))
}

/// The targets `package` is for: those `given`, else cargo's own `build.target` for it, else what
/// its dependencies are made for.
///
/// # Errors
/// [`Error::Toolchain`] where nothing says it, or they are made for different ones.
pub fn targets(package: &Package, given: &[String]) -> Result<Vec<String>> {
    if !given.is_empty() {
        return Ok(given.to_vec());
    }
    let environment = std::env::var("CARGO_BUILD_TARGET").ok();
    if let Some(target) = environment.filter(|target| is_wasm(target)) {
        return Ok(vec![target]);
    }
    let folder = package.manifest.parent().unwrap_or(Path::new("."));
    for folder in folder.ancestors() {
        let configured = configured(&folder.join(".cargo/config.toml"));
        if !configured.is_empty() {
            return Ok(configured);
        }
        // What rustup is to install is what is built.
        if let [only] = toolchain_targets(&folder.join("rust-toolchain.toml")).as_slice() {
            return Ok(vec![only.clone()]);
        }
    }
    let signs = SIGNS.iter();
    let mut signs: Vec<_> = signs
        .filter(|(name, _)| package.dependencies.iter().any(|d| d == name))
        .collect();
    signs.dedup_by_key(|(_, target)| *target);
    if let [(_, target)] = signs.as_slice() {
        return Ok(vec![(*target).to_owned()]);
    }
    let signs = signs
        .iter()
        .map(|(name, target)| format!("{name} is for {target}"));
    let why = signs.collect::<Vec<_>>().join(", ");
    let why = if why.is_empty() {
        why
    } else {
        format!(" ({why})")
    };
    Err(Error::toolchain(
        format!(
            "it is not clear which target `{}` is for{why}",
            package.name
        ),
        candidates(package),
    ))
}

/// The lines to copy, each with what it is for.
fn candidates(package: &Package) -> String {
    let for_hosts = (UNKNOWN, "a browser, or a host with imports of its own");
    let for_wasi = [
        (P1, "WASI preview 1: wasmtime, WAMR, node, extism"),
        (P2, "WASI 0.2: a component"),
    ];
    let mut all = for_wasi.to_vec();
    // A program without a system has nothing to print to.
    if package.makes.iter().any(Target::is_cdylib) {
        all.insert(0, for_hosts);
    }
    let this = calling::with_target();
    let all = all.iter();
    let lines = all.map(|(target, what)| format!("{this} --target {target:<22}  # {what}"));
    format!(
        "say which, with one of\n          {}",
        lines.collect::<Vec<_>>().join("\n          ")
    )
}

/// `build.target` in a configuration of cargo's, so far as it is for wasm.
fn configured(file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    // Cargo will say what is wrong with it.
    let table: toml::Table = text.parse().unwrap_or_default();
    let targets = match table.get("build").and_then(|build| build.get("target")) {
        Some(toml::Value::String(target)) => vec![target.as_str()],
        Some(toml::Value::Array(targets)) => {
            targets.iter().filter_map(toml::Value::as_str).collect()
        }
        _ => Vec::new(),
    };
    let targets = targets.into_iter().filter(|target| is_wasm(target));
    targets.map(str::to_owned).collect()
}

/// The wasm targets that a toolchain file asks rustup for.
fn toolchain_targets(file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let table: toml::Table = text.parse().unwrap_or_default();
    let targets = table.get("toolchain").and_then(|own| own.get("targets"));
    let targets = targets
        .and_then(toml::Value::as_array)
        .into_iter()
        .flatten();
    let targets = targets.filter_map(toml::Value::as_str);
    let targets = targets.filter(|target| is_wasm(target));
    targets.map(str::to_owned).collect()
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
            has_budget: false,
            targets: Vec::new(),
            root: "/w".into(),
            target_dir: "/w/target".into(),
            build_dir: "/w/target".into(),
            makes: vec![serde_json::from_value(target).unwrap()],
            chosen: None,
            default_run: None,
            dependencies: dependencies.iter().map(|d| (*d).to_owned()).collect(),
            features: Default::default(),
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
            choose(&all, wanted, Path::new(here)).map(|p| p.name)
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
        let targets_with =
            |dependencies: &[&str]| targets(&package("app", "cdylib", dependencies), &[]);
        assert_eq!(
            targets_with(&["serde", "js-sys", "wasm-bindgen"]).unwrap(),
            [UNKNOWN]
        );
        assert_eq!(targets_with(&["wit-bindgen"]).unwrap(), [P2]);
        let unclear = targets_with(&["wasm-bindgen", "wasip1"])
            .unwrap_err()
            .to_string();
        assert!(
            unclear.contains(
                "wasm-bindgen is for wasm32-unknown-unknown, wasip1 is for wasm32-wasip1"
            ),
            "{unclear}"
        );
        // What can be copied is there, and a program has no use for a target without a system.
        let unclear = targets_with(&[]).unwrap_err().to_string();
        assert!(
            unclear.contains("--target wasm32-unknown-unknown"),
            "{unclear}"
        );
        let program = targets(&package("app", "bin", &[]), &[])
            .unwrap_err()
            .to_string();
        assert!(program.contains("--target wasm32-wasip1"), "{program}");
        assert!(!program.contains(UNKNOWN), "{program}");
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
        let file = folder.path().join("rust-toolchain.toml");
        std::fs::write(
            &file,
            "[toolchain]\ntargets = [\"x86_64-unknown-linux-gnu\", \"wasm32-wasip1\"]",
        )
        .unwrap();
        assert_eq!(toolchain_targets(&file), [P1]);
    }
}
