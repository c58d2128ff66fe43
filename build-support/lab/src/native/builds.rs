//! Ways of building `weft`, compared: thin against fat LTO, with and without tables of unwinding,
//! with and without a profile; and how long the shipped wasm file takes from nothing (NFR-07).

use super::home::Home;
use super::pgo::{self, Pgo};
use super::program::{self, Build};
use super::sections;
use crate::build_time;
use crate::llvm::Compiler;
use crate::processor;
use crate::transcript::Transcript;
use build_support::error::{Error, Result};
use build_support::project::package::Package;
use build_support::system::process;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// What was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Builds {
    /// The compiler.
    pub rustc: String,
    /// The target, this machine's.
    pub target: String,
    /// Each way, in the order of the page.
    pub ways: Vec<Way>,
    /// What a profile is worth.
    pub pgo: Pgo,
    /// The shipped wasm file.
    pub wasm: CleanBuild,
}

/// A way of building the program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Way {
    /// What it is called.
    pub name: String,
    /// Bytes of the program.
    pub bytes: u64,
    /// Bytes of its sections, by name.
    pub sections: BTreeMap<String, u64>,
    /// What the clean build took; absent where it was not built for this, but made of another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<CleanBuild>,
    /// Whether it answers a message.
    pub answers: bool,
    /// Whether it refuses what is no name of a session, in words.
    pub refuses: bool,
}

/// What a build from nothing took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CleanBuild {
    /// Processor time of all that ran, in milliseconds: a busy machine changes it little.
    pub processor_ms: u64,
    /// Time on the clock, in milliseconds.
    pub clock_ms: u64,
}

/// What is the same for all ways.
struct Plan<'a> {
    package: &'a Package,
    transcript: &'a Transcript,
    compiler: Compiler,
}

/// Builds and measures each way; `tool` is `build-support`, which makes the wasm file.
///
/// # Errors
/// [`Error::Toolchain`] where LLVM's tools or a counter are missing, [`Error::Process`] where a
/// build fails.
pub fn run(
    package: &Package,
    transcript: &Transcript,
    tool: &Path,
    progress: &mut dyn FnMut(&str),
) -> Result<Builds> {
    let plan = Plan {
        package,
        transcript,
        compiler: Compiler::here()?,
    };
    let no_tables = Build::of("release").with("-Cforce-unwind-tables=no");
    let with_symbols = Build {
        symbols: true,
        ..Build::of("release")
    };
    let mut ways = Vec::new();
    for (name, build) in [
        (FAT, Build::of("release")),
        (THIN, Build::of("release-thin")),
        (NO_TABLES, no_tables),
        (SYMBOLS, with_symbols),
    ] {
        progress(name);
        ways.push(plan.way(name, &build)?);
    }
    progress(TAKEN_OUT);
    ways.push(plan.taken_out()?);
    let made = pgo::run(package, transcript, progress)?;
    ways.push(plan.look(PROFILED, &made.program)?);
    progress("the shipped wasm file, from nothing");
    Ok(Builds {
        rustc: plan.compiler.version.clone(),
        target: plan.compiler.host.clone(),
        ways,
        pgo: made.figures,
        wasm: wasm(package, tool)?,
    })
}

/// The names of the ways.
pub const FAT: &str = "fat LTO (`release`)";
/// Thin LTO.
pub const THIN: &str = "thin LTO (`release-thin`)";
/// Without tables of unwinding in our crates and their dependencies.
pub const NO_TABLES: &str = "`-C force-unwind-tables=no`";
/// With symbols.
pub const SYMBOLS: &str = "`release` with symbols";
/// With the sections taken out of the program.
pub const TAKEN_OUT: &str = "`release`, unwinding taken out by llvm-objcopy";
/// With a profile.
pub const PROFILED: &str = "with a profile (`release-pgo`)";

impl Plan<'_> {
    /// Builds from nothing, and looks at what came of it.
    fn way(&self, name: &str, build: &Build) -> Result<Way> {
        let folder = "native-clean";
        let path = self.package.target_dir.join(folder);
        remove(&path)?;
        let (made, build) =
            timed(|| program::build(self.package, &self.compiler.host, folder, build));
        let mut way = self.look(name, &made?)?;
        way.build = Some(build);
        remove(&path)?;
        Ok(way)
    }

    /// The program of `release`, as it is in the folder of all others, without the sections.
    fn taken_out(&self) -> Result<Way> {
        let build = Build::of("release");
        let program = program::build(self.package, &self.compiler.host, "native", &build)?;
        let copy = program.with_file_name("weft-without-unwinding");
        sections::without_unwinding(&self.compiler, &program, &copy)?;
        self.look(TAKEN_OUT, &copy)
    }

    fn look(&self, name: &str, program: &Path) -> Result<Way> {
        let home = Home::new(&self.transcript.toml()?)?;
        let said = |words: &[&str]| {
            let mut command = home.weft(program);
            process::output(command.args(words)).map_err(|error| error.to_string())
        };
        let bytes = fs::metadata(program).map_err(Error::io("reading", program))?;
        Ok(Way {
            name: name.to_owned(),
            bytes: bytes.len(),
            sections: sections::read(&self.compiler, program)?,
            build: None,
            answers: said(&["agent", "-m", "hello"]).is_ok_and(|answer| !answer.is_empty()),
            refuses: said(&["agent", "--session", "../x", "-m", "hello"])
                .is_err_and(|error| error.contains("error: ")),
        })
    }
}

/// The shipped file from an empty folder, with `tool`; the standard library is built where the
/// target has none.
fn wasm(package: &Package, tool: &Path) -> Result<CleanBuild> {
    let target = package.targets.first().ok_or_else(|| {
        let help = "write `targets` in its budget";
        Error::toolchain("the package names no target", help)
    })?;
    let scratch = tempfile::tempdir().map_err(Error::io("creating", &std::env::temp_dir()))?;
    let folder = scratch.path().join("target");
    let root = package.root.as_path();
    let (built, time) = timed(|| build_time::clean_build(package, tool, root, &folder, target));
    built?;
    Ok(time)
}

fn timed<T>(run: impl FnOnce() -> T) -> (T, CleanBuild) {
    let start = std::time::Instant::now();
    let (made, processor_ms) = processor::timed_with_children(run);
    let clock_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    (
        made,
        CleanBuild {
            processor_ms,
            clock_ms,
        },
    )
}

/// Removes the folder, if it is there.
fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(why) if why.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::io("removing", folder)(why))
        }
        _ => Ok(()),
    }
}
