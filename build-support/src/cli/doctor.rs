//! `build-support doctor`: what is on this machine, what is missing, and the command that fixes it.
//! It installs nothing.

use crate::Error;
use crate::cli::ended::Ended;
use crate::cli::terminal::{self, print};
use crate::ops::newer_wasm_opt;
use crate::project::package::Package;
use crate::project::toolchain::{self, Apt, Compiler, Decision, Machine, Rustup, Std};
use crate::report::units;
use crate::system::process;
use anstyle::{AnsiColor, Style};
use clap::Args;
use serde::Serialize;
use std::path::Path;

/// The targets that are looked at where no package names any.
const TARGETS: [&str; 2] = ["wasm32-wasip2", "wasm32-wasip1"];

/// Say what is on this machine, what is missing, and the command that fixes it
#[derive(Args)]
#[command(after_help = "\
Exit codes: 0 everything that is needed is there, 2 something is missing.
Examples:
  build-support doctor
  build-support doctor --target wasm32-wasip1
  build-support doctor --json | jq '.findings[] | select(.fix)'")]
pub struct Opts {
    /// A target triple; may be repeated. The package's targets where this is not given
    #[arg(long)]
    target: Vec<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Good,
    Missing,
    /// Not there, and all goes well without it.
    Optional,
}

#[derive(Serialize)]
struct Finding {
    what: String,
    state: State,
    found: String,
    /// What it is for, in words.
    #[serde(rename = "for")]
    purpose: &'static str,
    /// The command that fixes it.
    fix: Option<String>,
}

impl Finding {
    fn new(what: impl Into<String>, state: State, found: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            state,
            found: found.into(),
            purpose: "",
            fix: None,
        }
    }

    /// With what it is for.
    fn serving(mut self, purpose: &'static str) -> Self {
        self.purpose = purpose;
        self
    }

    /// With the command that fixes it, if it is not there.
    fn or_by(mut self, fix: &str) -> Self {
        self.fix = (self.state != State::Good).then(|| fix.to_owned());
        self
    }

    /// What was found, or why there is nothing.
    fn of(what: &str, found: Option<String>, absent: (State, &str)) -> Self {
        match found {
            Some(found) => Self::new(what, State::Good, found),
            None => Self::new(what, absent.0, absent.1),
        }
    }
}

#[derive(Serialize)]
struct Findings {
    complete: bool,
    findings: Vec<Finding>,
}

/// Runs the subcommand.
pub fn run(opts: &Opts) -> anyhow::Result<Ended> {
    let targets = match (&opts.target, Package::find(None)) {
        (given, _) if !given.is_empty() => given.clone(),
        (_, Ok(package)) if !package.targets.is_empty() => package.targets,
        _ => TARGETS.map(str::to_owned).to_vec(),
    };
    let machines: Vec<_> = targets
        .iter()
        .map(|target| toolchain::observe(target))
        .collect();
    let mut findings = machines.first().map(shared).unwrap_or_default();
    findings.extend(machines.iter().map(standard_library));
    findings.extend(extras());
    if is_this_repository() {
        findings.extend(for_tests());
    }
    findings.push(disk());
    let complete = findings
        .iter()
        .all(|finding| finding.state != State::Missing);
    let all = Findings { complete, findings };
    print(opts.json, &all, || {
        let drawn: String = all.findings.iter().map(draw).collect();
        let verdict = if complete {
            "everything that is needed is there"
        } else {
            "something is missing"
        };
        format!("{drawn}{verdict}\n")
    })?;
    Ok(if complete { Ended::Well } else { Ended::Badly })
}

/// What does not depend on the target.
fn shared(machine: &Machine) -> Vec<Finding> {
    const RUSTUP: &str = "install rustup: see the project's README";
    const FOR_SOURCES: (State, &str) = (
        State::Optional,
        "none; needed only to build a standard library from sources",
    );
    let active = machine.active.as_ref();
    let rustc = active.map(|active| format!("{} ({})", active.version, active.rustc.display()));
    let cargo = active.and_then(|active| active.cargo.as_ref());
    let cargo = cargo.and_then(|cargo| {
        let version = version(cargo, &["--version"])?;
        Some(format!("{version} ({})", cargo.display()))
    });
    let clippy = active.map(|active| active.rustc.with_file_name("cargo-clippy"));
    let clippy = clippy.and_then(|clippy| version(&clippy, &["--version"]));
    let (rustup, state) = match &machine.rustup {
        Rustup::Ready { program, toolchain } => {
            (format!("{toolchain} ({})", program.display()), State::Good)
        }
        Rustup::Off => {
            let off = "there, and told not to install anything by itself";
            (off.to_owned(), State::Good)
        }
        Rustup::Absent | Rustup::Failed(_) => ("not in use".to_owned(), State::Optional),
    };
    let libc = machine.libc.as_ref().map(|path| path.display().to_string());
    let linker = machine.linker.as_ref();
    let linker = linker.map(|path| path.display().to_string());
    vec![
        Finding::of("rustc", rustc, (State::Missing, "none on PATH"))
            .serving("compiling")
            .or_by(RUSTUP),
        Finding::of(
            "cargo",
            cargo,
            (State::Missing, "none beside rustc or on PATH"),
        )
        .serving("building")
        .or_by(RUSTUP),
        Finding::new("rustup", state, rustup).serving("adding a standard library for wasm"),
        Finding::of(
            "clippy",
            clippy,
            (State::Optional, "none for the active compiler"),
        )
        .serving("lints")
        .or_by("rustup component add clippy"),
        distribution(machine).serving("a standard library from sources, without rustup"),
        Finding::of("the distribution's C library for WASI", libc, FOR_SOURCES)
            .serving("a standard library from sources, for WASI"),
        Finding::of("a linker for wasm", linker, FOR_SOURCES)
            .serving("linking with a standard library from sources"),
        Finding::of(
            "a C++ compiler",
            compiler("CXX", "c++"),
            (State::Optional, "none"),
        )
        .serving("building this tool, not using it")
        .or_by("apt-get install -y g++"),
        Finding::of(
            "git",
            version("git", &["--version"]),
            (State::Optional, "none"),
        )
        .serving("the baseline of the merge base, which `gate` compares with")
        .or_by("apt-get install -y git"),
    ]
}

fn distribution(machine: &Machine) -> Finding {
    let what = "the distribution's compiler and sources";
    match &machine.distribution {
        Some(Compiler {
            version,
            sources: Some(sources),
            ..
        }) => {
            let found = format!("{version}, {}", sources.library.display());
            Finding::new(what, State::Good, found)
        }
        Some(compiler) => {
            let found = format!("{}, without sources", compiler.version);
            Finding::new(what, State::Optional, found)
        }
        None => Finding::new(what, State::Optional, "none"),
    }
}

fn standard_library(machine: &Machine) -> Finding {
    const FOR: &str = "every build for this target";
    let what = format!("standard library for {}", machine.target);
    let missing = |found: &str, fix: &str| {
        Finding::new(what.as_str(), State::Missing, found)
            .serving(FOR)
            .or_by(fix)
    };
    match toolchain::decide(machine) {
        Ok(Decision::Use(toolchain)) => {
            let from = match &toolchain.std {
                Std::Sources(sources) => {
                    format!("built with the package from {}", sources.library.display())
                }
                Std::Installed | Std::Added => {
                    format!("installed in {}", toolchain.sysroot.display())
                }
            };
            let found = format!("{from}, by {}", toolchain.version);
            Finding::new(what.as_str(), State::Good, found).serving(FOR)
        }
        Ok(Decision::AddTarget { toolchain, .. }) => missing(
            "none; a build will ask rustup for it",
            &format!(
                "rustup target add --toolchain {toolchain} {}",
                machine.target
            ),
        ),
        Ok(Decision::InstallPackages(packages)) => missing(
            "none; a build will ask apt-get for its sources",
            &toolchain::apt_commands(&packages, &Apt::Ready),
        ),
        Err(Error::Toolchain { message, help }) => missing(&message, &help),
        Err(error) => missing(&error.to_string(), "see the message"),
    }
}

/// What makes things better, or some tests possible.
fn extras() -> Vec<Finding> {
    let what = "wasm-opt besides the built-in one";
    let wasm_opt = match newer_wasm_opt::find().map(|found| found.optimizer()) {
        Some(Ok(Some(newer))) => Finding::new(what, State::Good, newer.name),
        Some(Err(error)) => Finding::new(what, State::Missing, error.to_string())
            .or_by("set WASM_OPT to a working wasm-opt, or to nothing"),
        Some(Ok(None)) | None => {
            let none = "none that is newer; 116 is built in";
            Finding::new(what, State::Optional, none).or_by("npm install binaryen")
        }
    };
    vec![wasm_opt.serving("a second candidate, of which the smaller is kept")]
}

/// Whether the folder is in this repository, whose tests want more than its users do.
fn is_this_repository() -> bool {
    let here = terminal::here();
    here.ancestors()
        .any(|folder| folder.join("build-support/src/cli/doctor.rs").is_file())
}

/// What the tests here want.
fn for_tests() -> Vec<Finding> {
    let none = (State::Optional, "none");
    let browser = ["chromium", "chromium-browser", "google-chrome"];
    let browser = browser
        .iter()
        .find_map(|name| version(name, &["--version"]));
    let no_make = "none; the aliases in .cargo/config.toml do without";
    vec![
        Finding::of("node", version("node", &["--version"]), none)
            .serving("tests that run in node's WASI, and `cargo startup`")
            .or_by("apt-get install -y nodejs"),
        Finding::of("npm", version("npm", &["--version"]), none)
            .serving("the test that takes modules of others apart")
            .or_by("apt-get install -y npm"),
        Finding::of("a browser", browser, none)
            .serving("the tests of the report's page")
            .or_by("apt-get install -y --no-install-recommends chromium"),
        Finding::of(
            "cargo-make",
            version("cargo-make", &["make", "--version"]),
            (State::Optional, no_make),
        )
        .serving("the `cargo make` names")
        .or_by("cargo install cargo-make --locked"),
    ]
}

/// A compiler of C or C++, as build scripts look for it.
fn compiler(variable: &str, name: &str) -> Option<String> {
    let set = std::env::var_os(variable).filter(|set| !set.is_empty());
    let program = set.unwrap_or_else(|| name.into());
    let said = version(program, &["--version"])?;
    said.lines().next().map(str::to_owned)
}

/// What a build may fill; nothing where nobody says how much there is.
fn disk() -> Finding {
    const WANTED: u64 = 5_000_000_000;
    let what = "room on the disk";
    // POSIX: a heading, then a line with the kibibytes that are free in its fourth column.
    let said = process::capture(Path::new("df"), &["-Pk", "."]).unwrap_or_default();
    let free = said
        .lines()
        .nth(1)
        .and_then(|line| line.split_whitespace().nth(3));
    let free = free.and_then(|free| free.parse::<u64>().ok()?.checked_mul(1024));
    let finding = match free {
        Some(free) if free < WANTED => Finding::new(
            what,
            State::Optional,
            format!("{} free", units::human(free)),
        )
        .or_by("cargo clean, where there is another project"),
        Some(free) => Finding::new(what, State::Good, format!("{} free", units::human(free))),
        None => Finding::new(what, State::Optional, "nobody says how much"),
    };
    finding.serving("what cargo builds, a standard library included")
}

fn version(program: impl AsRef<Path>, args: &[&str]) -> Option<String> {
    let version = process::capture(program.as_ref(), args).ok()?;
    Some(version.trim().to_owned())
}

/// One finding; the stream drops the colours where they are not wanted (`NO_COLOR`, a pipe).
fn draw(finding: &Finding) -> String {
    let (mark, colour) = match finding.state {
        State::Good => ("ok      ", AnsiColor::Green),
        State::Missing => ("missing ", AnsiColor::Red),
        State::Optional => ("optional", AnsiColor::Yellow),
    };
    let style = Style::new().fg_color(Some(colour.into()));
    let mut text = format!(
        "{style}{mark}{style:#}  {}: {}\n",
        finding.what, finding.found
    );
    if !finding.purpose.is_empty() {
        text.push_str(&format!("          for: {}\n", finding.purpose));
    }
    if let Some(fix) = &finding.fix {
        text.push_str(&format!("          fix: {fix}\n"));
    }
    text
}
