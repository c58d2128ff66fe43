//! The flags that plain cargo gives the compiler for a target, by cargo's own rules (the Cargo
//! book, "build.rustflags"): the environment's, else what the configuration says for the target,
//! else what it says for every build. What would take names or relocations from the linker's file
//! is left out: they are needed until this tool has looked, and it strips what is shipped itself.

use super::request::Request;
use crate::error::{Error, Result};
use crate::project::toolchain::Toolchain;
use crate::system::process;
use cargo_metadata::cargo_platform::{Cfg, CfgExpr};
use serde_json::Value;

/// Between the flags in `CARGO_ENCODED_RUSTFLAGS`.
pub const SEPARATOR: &str = "\x1f";

/// Linker arguments that take names or relocations from the file, or the line tables, which go in
/// any case; after one dash or two, as LLVM's linkers have it.
const HIDE: [&str; 5] = ["strip-all", "s", "strip-debug", "S", "compress-relocations"];

/// The user's flags for what `request` asks for.
///
/// # Errors
/// [`Error::Process`] where cargo cannot read its configuration or the compiler takes no such flag.
pub fn run(request: &Request, toolchain: &Toolchain) -> Result<Vec<String>> {
    let flags = match environment() {
        Some(flags) => flags,
        None => Configuration::read(request, toolchain)?.flags(request, toolchain)?,
    };
    Ok(without_strip(flags))
}

/// Whether the project's configuration or the environment names a linker for the target, this tool
/// aside.
///
/// # Errors
/// [`Error::Process`] where cargo cannot read its configuration.
pub fn names_linker(request: &Request, toolchain: &Toolchain) -> Result<bool> {
    let target = &request.target;
    let variable = target.to_uppercase().replace(['-', '.'], "_");
    if std::env::var_os(format!("CARGO_TARGET_{variable}_LINKER")).is_some() {
        return Ok(true);
    }
    let config = Configuration::read(request, toolchain)?.all;
    let tables = config.get("target").and_then(Value::as_object);
    let linkers = tables.into_iter().flatten().filter_map(|(key, table)| {
        let is_it = key == target || key.starts_with("cfg(");
        table.get("linker").filter(|_| is_it)?.as_str()
    });
    let mut others = linkers.filter(|linker| !linker.ends_with("build-support"));
    Ok(others.next().is_some())
}

/// As cargo reads them: one that is set holds, however empty.
fn environment() -> Option<Vec<String>> {
    let (flags, separator) = match std::env::var("CARGO_ENCODED_RUSTFLAGS") {
        Ok(flags) => (flags, SEPARATOR),
        Err(_) => (std::env::var("RUSTFLAGS").ok()?, " "),
    };
    let flags = flags.split(separator).map(str::trim);
    let flags = flags.filter(|flag| !flag.is_empty());
    Some(flags.map(str::to_owned).collect())
}

/// Cargo's configuration where the package is.
struct Configuration {
    /// All of it.
    all: Value,
    /// Its files alone: what stands in the environment comes after them and before what is given
    /// on the command line.
    files: Value,
}

impl Configuration {
    fn read(request: &Request, toolchain: &Toolchain) -> Result<Self> {
        let all = ask(request, toolchain, &request.settings)?;
        let files = match request.settings.is_empty() {
            true => all.clone(),
            false => ask(request, toolchain, &[])?,
        };
        Ok(Self { all, files })
    }

    /// What it says for the target, else what it says for every build.
    fn flags(&self, request: &Request, toolchain: &Toolchain) -> Result<Vec<String>> {
        let target = &request.target;
        let variable = target.to_uppercase().replace(['-', '.'], "_");
        let variable = format!("CARGO_TARGET_{variable}_RUSTFLAGS");
        let given = |name: &str| std::env::var(name).unwrap_or_default();
        let mut own = self.list(&["target", target, "rustflags"], &given(&variable));
        let every = || self.list(&["build", "rustflags"], &given("CARGO_BUILD_RUSTFLAGS"));
        let mut conditional = self.conditional();
        if !conditional.is_empty() {
            let known = if own.is_empty() { every() } else { own.clone() };
            let known = conditions(&known, target, toolchain)?;
            conditional.retain(|(key, _)| CfgExpr::matches_key(key, &known));
        }
        own.extend(conditional.into_iter().flat_map(|(_, flags)| flags));
        Ok(if own.is_empty() { every() } else { own })
    }

    /// What stands under `keys`, and what the environment has `given` besides.
    fn list(&self, keys: &[&str], given: &str) -> Vec<String> {
        let listed = |config: &Value| {
            let value = keys.iter().try_fold(config, |value, key| value.get(key));
            value.map(words).unwrap_or_default()
        };
        let (mut flags, files) = (listed(&self.all), listed(&self.files));
        // A string replaces what stands below it; lists are joined.
        let end = if flags.starts_with(&files) {
            files.len()
        } else {
            0
        };
        flags.splice(end..end, given.split_whitespace().map(str::to_owned));
        flags
    }

    /// The flags of every `target.'cfg(…)'`, in cargo's order.
    fn conditional(&self) -> Vec<(&str, Vec<String>)> {
        let tables = self.all.get("target").and_then(Value::as_object);
        let tables = tables.into_iter().flatten();
        let flags = tables.filter_map(|(key, table)| Some((key.as_str(), table.get("rustflags")?)));
        let flags = flags.filter(|(key, _)| key.starts_with("cfg("));
        let mut flags: Vec<_> = flags.map(|(key, flags)| (key, words(flags))).collect();
        flags.sort();
        flags
    }
}

fn ask(request: &Request, toolchain: &Toolchain, settings: &[String]) -> Result<Value> {
    let mut cargo = process::cargo(&toolchain.cargo);
    if let Some(folder) = request.manifest.parent() {
        cargo.current_dir(folder);
    }
    // It is there since 1.49 and still unstable. Nothing is built with this variable.
    cargo.env("RUSTC_BOOTSTRAP", "1");
    for setting in settings {
        cargo.arg("--config").arg(setting);
    }
    cargo.args(["-Zunstable-options", "config", "get", "--format", "json"]);
    let json = process::output(&mut cargo)?;
    serde_json::from_str(&json).map_err(|error| {
        Error::toolchain(
            format!(
                "cargo config get for {}: {error}",
                request.manifest.display()
            ),
            "is the cargo in use newer than this tool?",
        )
    })
}

/// Flags as cargo's configuration has them: a list, or a string with spaces between them.
fn words(value: &Value) -> Vec<String> {
    match value {
        Value::String(flags) => flags.split_whitespace().map(str::to_owned).collect(),
        Value::Array(flags) => {
            let flags = flags.iter().filter_map(Value::as_str);
            flags.map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

/// What holds of `target` with `flags`, which may be what decides it.
fn conditions(flags: &[String], target: &str, toolchain: &Toolchain) -> Result<Vec<Cfg>> {
    let mut rustc = process::command(&toolchain.rustc);
    rustc.args(["--print", "cfg", "--target", target]);
    let printed = process::output(rustc.args(flags))?;
    Ok(printed.lines().filter_map(|cfg| cfg.parse().ok()).collect())
}

/// `flags` but for what takes names or relocations from the linked file.
fn without_strip(flags: Vec<String>) -> Vec<String> {
    let mut kept = Vec::new();
    let mut flags = flags.into_iter();
    while let Some(flag) = flags.next() {
        let long = flag == "-C" || flag == "--codegen";
        let option = if long { flags.next() } else { None };
        let joined = flag.strip_prefix("--codegen=");
        let joined = joined.or_else(|| flag.strip_prefix("-C"));
        match option.as_deref().or(joined.filter(|_| !long)) {
            Some(option) => {
                kept.extend(codegen(option).map(|option| format!("-C{option}")));
            }
            // The last one may lack its option: the compiler says so.
            None => kept.push(flag),
        }
    }
    kept
}

/// A codegen option but for what strips; nothing where that is all of it.
fn codegen(option: &str) -> Option<String> {
    let (name, value) = option.split_once('=').unwrap_or((option, ""));
    match name.replace('_', "-").as_str() {
        "strip" => None,
        "link-arg" if hides(value) => None,
        "link-args" => {
            let kept = value.split_whitespace().filter(|word| !hides(word));
            let kept = kept.collect::<Vec<_>>().join(" ");
            (!kept.is_empty()).then(|| format!("{name}={kept}"))
        }
        _ => Some(option.to_owned()),
    }
}

/// Whether a linker that is given `argument` leaves out names, relocations or their room.
pub fn hides(argument: &str) -> bool {
    let name = argument.strip_prefix('-');
    name.is_some_and(|name| HIDE.contains(&name.strip_prefix('-').unwrap_or(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Protects names and relocations from each way to spell it, and everything else from this.
    #[test]
    fn what_strips_goes_and_the_rest_stays_in_order() {
        let kept = |flags: &[&str]| without_strip(flags.iter().map(|f| (*f).to_owned()).collect());
        for strips in [
            &["-Cstrip=symbols"][..],
            &["-C", "strip=debuginfo"],
            &["--codegen=strip=symbols"],
            &["--codegen", "strip=symbols"],
            &["-Clink-arg=-s"],
            &["-C", "link_arg=--strip-all"],
            &["-Clink-args=--strip-all  -S"],
            &["-Clink-arg=--compress-relocations"],
        ] {
            assert!(kept(strips).is_empty(), "{strips:?}");
        }
        let flags = [
            "--cfg",
            "a",
            "-C",
            "link-args=-s --export=x",
            "-Copt-level=1",
        ];
        let expected = ["--cfg", "a", "-Clink-args=--export=x", "-Copt-level=1"];
        assert_eq!(kept(&flags), expected);
        for others in [
            &["-Clink-arg=-slow"][..],
            &["--cfg=strip", "-C"],
            &["-Clinker=strip", "-Ctarget-feature=+simd128", "-g"],
            &["-Clink-arg=a b"],
        ] {
            assert_eq!(kept(others), others);
        }
    }

    /// Protects cargo's order: lists are joined, a string replaces, and what the environment says
    /// stands between files and command line.
    #[test]
    fn files_then_environment_then_command_line() {
        let flags = |files: &str, all: &str| {
            let value = |text| serde_json::from_str(text).unwrap();
            let config = Configuration {
                all: value(all),
                files: value(files),
            };
            config.list(&["build", "rustflags"], "given")
        };
        let list = r#"{"build":{"rustflags":["a"]}}"#;
        let both = r#"{"build":{"rustflags":["a","b c"]}}"#;
        assert_eq!(flags("{}", "{}"), ["given"]);
        assert_eq!(flags(list, list), ["a", "given"]);
        assert_eq!(flags(list, both), ["a", "given", "b c"]);
        let (string, other) = (
            r#"{"build":{"rustflags":"a b"}}"#,
            r#"{"build":{"rustflags":"c"}}"#,
        );
        assert_eq!(flags(string, string), ["a", "b", "given"]);
        assert_eq!(flags(string, other), ["given", "c"]);
    }
}
