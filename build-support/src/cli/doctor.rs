//! `build-support doctor`: what is on this machine, what is missing, and the command that fixes it.
//! It installs nothing.

use crate::Error;
use crate::cli::ended::Ended;
use crate::cli::terminal::print;
use crate::ops::newer_wasm_opt;
use crate::project::package::Package;
use crate::project::toolchain::{self, Apt, Compiler, Decision, Machine, Rustup, Std};
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
    /// The command that fixes it.
    fix: Option<String>,
}

impl Finding {
    fn new(what: impl Into<String>, state: State, found: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            state,
            found: found.into(),
            fix: None,
        }
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
        Finding::of("rustc", rustc, (State::Missing, "none on PATH")).or_by(RUSTUP),
        Finding::of(
            "cargo",
            cargo,
            (State::Missing, "none beside rustc or on PATH"),
        )
        .or_by(RUSTUP),
        Finding::new("rustup", state, rustup),
        Finding::of(
            "clippy",
            clippy,
            (State::Optional, "none for the active compiler"),
        )
        .or_by("rustup component add clippy"),
        distribution(machine),
        Finding::of("the distribution's C library for WASI", libc, FOR_SOURCES),
        Finding::of("a linker for wasm", linker, FOR_SOURCES),
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
    let what = format!("standard library for {}", machine.target);
    let missing =
        |found: &str, fix: &str| Finding::new(what.as_str(), State::Missing, found).or_by(fix);
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
            Finding::new(what.as_str(), State::Good, found)
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
    let node = version("node", &["--version"]);
    let make = version("cargo-make", &["make", "--version"]);
    let no_make = "none; the aliases in .cargo/config.toml do without";
    vec![
        wasm_opt,
        Finding::of(
            "node (tests of the wasip1 file)",
            node,
            (State::Optional, "none"),
        )
        .or_by("apt-get install -y nodejs"),
        Finding::of("cargo-make", make, (State::Optional, no_make))
            .or_by("cargo install cargo-make --locked"),
    ]
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
    if let Some(fix) = &finding.fix {
        text.push_str(&format!("          fix: {fix}\n"));
    }
    text
}
