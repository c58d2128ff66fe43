//! What this program was called as, so that messages name commands that are there where they are
//! read.

use std::path::Path;
use std::sync::OnceLock;

/// Set by what the aliases of this repository start (the package `launch`).
pub const BY_ALIAS: &str = "BUILD_SUPPORT_BY_ALIAS";

/// This program.
const OWN: &str = "build-support";

/// The aliases in `.cargo/config.toml`, by their subcommands.
const ALIASES: [(&str, &str); 9] = [
    ("analyze", "cargo analyze"),
    ("build", "cargo wasm"),
    ("check", "cargo wasm-check"),
    ("doctor", "cargo doctor"),
    ("gate", "cargo gate"),
    ("precompile", "cargo precompile"),
    ("preinit", "cargo preinit"),
    ("report", "cargo budget-report"),
    ("run", "cargo wasm-run"),
];

/// How it was called.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Caller {
    /// As a subcommand of cargo.
    Budget,
    /// By cargo, in this repository.
    Workspace,
    /// By itself: the program as it was named.
    Program(String),
}

impl Caller {
    fn of(program: &str, first: Option<&str>, by_alias: bool) -> Self {
        let path = Path::new(program);
        let is_budget = path.file_stem().is_some_and(|stem| stem == "cargo-budget");
        if is_budget || first == Some("budget") {
            Self::Budget
        } else if by_alias {
            Self::Workspace
        } else {
            // Any other program has the tool as a library, and not its command line.
            Self::Program(if is_own(program) { program } else { OWN }.to_owned())
        }
    }

    fn call(&self, subcommand: &str) -> String {
        match self {
            Self::Budget => format!("cargo budget {subcommand}"),
            Self::Workspace => {
                let mut known = ALIASES.iter().filter(|(name, _)| *name == subcommand);
                known.next().map_or_else(
                    || format!("cargo run -p build-support -- {subcommand}"),
                    |(_, alias)| (*alias).to_owned(),
                )
            }
            Self::Program(program) => format!("{program} {subcommand}"),
        }
    }
}

/// Whether a program is this one, and not another that has it as a library.
fn is_own(program: &str) -> bool {
    let path = Path::new(program);
    path.file_stem() == Some(OWN.as_ref())
}

fn caller() -> &'static Caller {
    static CALLER: OnceLock<Caller> = OnceLock::new();
    CALLER.get_or_init(|| {
        let mut arguments = std::env::args_os().map(|word| word.to_string_lossy().into_owned());
        let program = arguments.next().unwrap_or_default();
        // `cargo run -p build-support` says so, too; what has the tool as a library is not it,
        // the tests among them.
        let cargo_runs_it = || {
            is_own(&program)
                && std::env::var_os("CARGO_PKG_NAME").is_some_and(|name| name == "build-support")
        };
        let by_alias = std::env::var_os(BY_ALIAS).is_some() || cargo_runs_it();
        Caller::of(&program, arguments.next().as_deref(), by_alias)
    })
}

/// The command that gives `subcommand`, as whoever reads this would call it.
pub fn call(subcommand: &str) -> String {
    caller().call(subcommand)
}

/// The command that runs now, without its arguments; `init` where it takes no `--target`.
pub fn with_target() -> String {
    const HAVE: [&str; 6] = ["build", "check", "doctor", "gate", "init", "watch"];
    let this = this();
    let last = this.rsplit(' ').next().unwrap_or_default();
    if HAVE.contains(&last) {
        this
    } else {
        budget("init")
    }
}

/// The command that runs now, without its arguments.
pub fn this() -> String {
    let words = std::env::args().skip(1);
    let mut words = words.skip_while(|word| word == "budget" || word.starts_with('-'));
    let subcommand = words.next().unwrap_or_default();
    match (subcommand.as_str(), is_budget()) {
        // Both programs have one, and they differ.
        ("check" | "init", true) => budget(&subcommand),
        _ => call(&subcommand),
    }
}

/// The same of a subcommand that `cargo budget` alone has: `init`, and `check` of a file.
pub fn budget(subcommand: &str) -> String {
    match caller() {
        Caller::Budget => call(subcommand),
        other => other.call(&format!("budget {subcommand}")),
    }
}

/// Whether this is the subcommand of cargo.
pub fn is_budget() -> bool {
    *caller() == Caller::Budget
}

#[cfg(test)]
mod tests {
    use super::Caller;

    /// Protects whoever copies a command out of a message: it is the one that was called.
    #[test]
    fn commands_are_named_as_they_were_called() {
        let called = |program, first, by_alias| Caller::of(program, first, by_alias);
        for (caller, analyze, diff) in [
            (
                called("/x/cargo-budget", Some("gate"), false),
                "cargo budget analyze",
                "cargo budget diff",
            ),
            (
                called("/x/build-support", Some("budget"), false),
                "cargo budget analyze",
                "cargo budget diff",
            ),
            (
                called("target/debug/build-support", Some("gate"), true),
                "cargo analyze",
                "cargo run -p build-support -- diff",
            ),
            (
                called("tools/build-support", Some("gate"), false),
                "tools/build-support analyze",
                "tools/build-support diff",
            ),
            (
                called("build-support", None, false),
                "build-support analyze",
                "build-support diff",
            ),
        ] {
            assert_eq!(
                (
                    caller.call("analyze").as_str(),
                    caller.call("diff").as_str()
                ),
                (analyze, diff)
            );
        }
    }

    /// Protects from an alias that is gone.
    #[test]
    fn every_alias_is_there() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let aliases = std::fs::read_to_string(root.join(".cargo/config.toml")).unwrap();
        for (subcommand, alias) in super::ALIASES {
            let name = alias.trim_start_matches("cargo ");
            let starts = |line: &str| {
                line.starts_with(&format!("{name} = "))
                    && line.contains(&format!("-- build-support {subcommand}"))
            };
            assert!(aliases.lines().any(starts), "{alias}");
        }
    }
}
