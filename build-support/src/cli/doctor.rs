//! `build-support doctor`: what is on this machine, what is missing, and the command that mends it. It
//! installs nothing.

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

/// Say what is on this machine, what is missing, and the command that mends it
#[derive(Args)]
#[command(after_help = "\
Exit codes: 0 everything that is needed is there, 2 something is missing.
Examples:
  build-support doctor
  build-support doctor --target wasm32-wasip1
  build-support doctor --json | jq '.findings[] | select(.mend)'")]
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
    /// The command that mends it.
    mend: Option<String>,
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
    let rustc = match &machine.active {
        Some(active) => good(
            "rustc",
            format!("{} ({})", active.version, active.rustc.display()),
        ),
        None => absent(
            "rustc",
            State::Missing,
            "none on PATH",
            "install rustup: see the project's README",
        ),
    };
    let cargo = machine
        .active
        .as_ref()
        .and_then(|active| active.cargo.as_ref());
    let cargo = match cargo.map(|cargo| (cargo, process::capture(cargo, &["--version"]))) {
        Some((cargo, Ok(version))) => {
            good("cargo", format!("{} ({})", version.trim(), cargo.display()))
        }
        _ => absent(
            "cargo",
            State::Missing,
            "none beside rustc or on PATH",
            "install rustup: see the project's README",
        ),
    };
    let rustup = match &machine.rustup {
        Rustup::Ready { program, toolchain } => {
            good("rustup", format!("{toolchain} ({})", program.display()))
        }
        Rustup::Off => good(
            "rustup",
            "there, and told not to install anything by itself".to_owned(),
        ),
        Rustup::Absent | Rustup::Failed(_) => optional("rustup", "not in use", None),
    };
    let clippy = machine
        .active
        .as_ref()
        .map(|active| active.rustc.with_file_name("cargo-clippy"));
    let clippy = match clippy.and_then(|clippy| process::capture(&clippy, &["--version"]).ok()) {
        Some(version) => good("clippy", version.trim().to_owned()),
        None => optional(
            "clippy",
            "none for the active compiler",
            Some("rustup component add clippy"),
        ),
    };
    vec![
        rustc,
        cargo,
        rustup,
        clippy,
        distribution(machine),
        libc(machine),
        linker(machine),
    ]
}

fn distribution(machine: &Machine) -> Finding {
    let what = "the distribution's compiler and sources";
    match &machine.distribution {
        Some(Compiler {
            version,
            sources: Some(sources),
            ..
        }) => good(what, format!("{version}, {}", sources.library.display())),
        Some(compiler) => optional(
            what,
            &format!("{}, without sources", compiler.version),
            None,
        ),
        None => optional(what, "none", None),
    }
}

fn libc(machine: &Machine) -> Finding {
    let what = "the distribution's C library for WASI";
    match &machine.libc {
        Some(folder) => good(what, folder.display().to_string()),
        None => optional(
            what,
            "none; needed only to build a standard library from sources",
            None,
        ),
    }
}

fn linker(machine: &Machine) -> Finding {
    match &machine.linker {
        Some(path) => good("a linker for wasm", path.display().to_string()),
        None => optional(
            "a linker for wasm",
            "none; needed only to build a standard library from sources",
            None,
        ),
    }
}

fn standard_library(machine: &Machine) -> Finding {
    let what = format!("standard library for {}", machine.target);
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
            good(&what, format!("{from}, by {}", toolchain.version))
        }
        Ok(Decision::AddTarget { toolchain, .. }) => {
            let mend = format!(
                "rustup target add --toolchain {toolchain} {}",
                machine.target
            );
            absent(
                &what,
                State::Missing,
                "none; a build will ask rustup for it",
                &mend,
            )
        }
        Ok(Decision::InstallPackages(packages)) => {
            let mend = toolchain::apt_commands(&packages, &Apt::Ready);
            absent(
                &what,
                State::Missing,
                "none; a build will ask apt-get for its sources",
                &mend,
            )
        }
        Err(Error::Toolchain { message, help }) => absent(&what, State::Missing, &message, &help),
        Err(error) => absent(&what, State::Missing, &error.to_string(), "see the message"),
    }
}

/// What makes things better, or some tests possible.
fn extras() -> Vec<Finding> {
    let version = |program: &str, args: &[&str]| {
        process::capture(Path::new(program), args)
            .ok()
            .map(|said| said.trim().to_owned())
    };
    let wasm_opt = match newer_wasm_opt::find().map(|found| found.optimizer()) {
        Some(Ok(Some(newer))) => good("wasm-opt besides the built-in one", newer.name),
        Some(Err(error)) => absent(
            "wasm-opt besides the built-in one",
            State::Missing,
            &error.to_string(),
            "set WASM_OPT to a working wasm-opt, or to nothing",
        ),
        Some(Ok(None)) | None => optional(
            "wasm-opt besides the built-in one",
            "none that is newer; 116 is built in",
            Some("npm install binaryen"),
        ),
    };
    let node = match version("node", &["--version"]) {
        Some(node) => good("node (tests of the wasip1 file)", node),
        None => optional(
            "node (tests of the wasip1 file)",
            "none",
            Some("apt-get install -y nodejs"),
        ),
    };
    let make = match version("cargo-make", &["make", "--version"]) {
        Some(make) => good("cargo-make", make),
        None => optional(
            "cargo-make",
            "none; the aliases in .cargo/config.toml do without",
            Some("cargo install cargo-make --locked"),
        ),
    };
    vec![wasm_opt, node, make]
}

fn good(what: &str, found: String) -> Finding {
    Finding {
        what: what.to_owned(),
        state: State::Good,
        found,
        mend: None,
    }
}

fn optional(what: &str, found: &str, mend: Option<&str>) -> Finding {
    Finding {
        what: what.to_owned(),
        state: State::Optional,
        found: found.to_owned(),
        mend: mend.map(str::to_owned),
    }
}

fn absent(what: &str, state: State, found: &str, mend: &str) -> Finding {
    Finding {
        what: what.to_owned(),
        state,
        found: found.to_owned(),
        mend: Some(mend.to_owned()),
    }
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
    if let Some(mend) = &finding.mend {
        text.push_str(&format!("          mend: {mend}\n"));
    }
    text
}
