//! A build with a profile: instrumented, run with what users do, built anew with what was seen, and
//! held against the plain one by instructions.

use super::instructions::Counter;
use super::program::{self, Build};
use super::workload::{self, Part};
use crate::llvm::Compiler;
use crate::transcript::Transcript;
use build_support::error::{Error, Result};
use build_support::project::package::Package;
use build_support::system::process;
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

/// The profile of cargo for it.
const PROFILE: &str = "release-pgo";

/// What was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pgo {
    /// What counted instructions.
    pub counter: String,
    /// Of the commands that trained.
    pub training: Gain,
    /// Of commands that the profile has not seen.
    pub others: Gain,
    /// Bytes of the program without symbols.
    pub bytes: Gain,
}

/// A figure of the plain program, and of the one with a profile.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gain {
    /// Without.
    pub plain: u64,
    /// With.
    pub profiled: u64,
    /// The second in relation to the first, to four places.
    pub ratio: f64,
}

impl Gain {
    /// Of two figures.
    pub fn new(plain: u64, profiled: u64) -> Self {
        let ratio = profiled as f64 / plain.max(1) as f64;
        Self {
            plain,
            profiled,
            ratio: (ratio * 1e4).round() / 1e4,
        }
    }
}

/// The program with a profile, and what that is worth.
#[derive(Debug)]
pub struct Made {
    /// Where it is.
    pub program: PathBuf,
    /// The figures.
    pub figures: Pgo,
}

/// Builds `weft` of the workspace of `package` with and without a profile, and compares.
///
/// # Errors
/// [`Error::Toolchain`] where LLVM's tools or a counter are missing, [`Error::Process`] where a
/// build or a command of the workload fails.
pub fn run(
    package: &Package,
    transcript: &Transcript,
    progress: &mut dyn FnMut(&str),
) -> Result<Made> {
    let compiler = Compiler::here()?;
    let (profdata, counter) = (compiler.tool("llvm-profdata")?, Counter::find()?);
    let mut built = |stage: &str, build: &Build| {
        progress(stage);
        program::build(package, &compiler.host, "native", build)
    };
    let plain = built("without a profile", &Build::of("release"))?;
    let scratch = tempfile::tempdir().map_err(Error::io("creating", &std::env::temp_dir()))?;
    let raw = scratch.path().join("raw");
    let instrumented = built("instrumented", &instrumented(&raw))?;
    train(&instrumented, transcript, &raw)?;
    let merged = package.target_dir.join("native/weft.profdata");
    merge(&profdata, &raw, &merged)?;
    let profiled = built("with the profile", &with_profile(&merged))?;
    progress("counting instructions");
    let gain = |part| -> Result<Gain> {
        let count = |program: &Path| counter.count(program, part, transcript);
        Ok(Gain::new(count(&plain)?, count(&profiled)?))
    };
    let bytes = |file: &Path| fs::metadata(file).map(|file| file.len());
    let bytes = |file: &Path| bytes(file).map_err(Error::io("reading", file));
    let figures = Pgo {
        counter: counter.name().to_owned(),
        training: gain(Part::Training)?,
        others: gain(Part::Others)?,
        bytes: Gain::new(bytes(&plain)?, bytes(&profiled)?),
    };
    Ok(Made {
        program: profiled,
        figures,
    })
}

/// The build whose programs write to the folder `raw`, unless the environment says another.
fn instrumented(raw: &Path) -> Build {
    Build::of(PROFILE).with(flag("-Cprofile-generate=", raw))
}

/// A profile is of functions that may have changed or are not used: that is no mistake.
fn with_profile(merged: &Path) -> Build {
    let build = Build::of(PROFILE).with(flag("-Cprofile-use=", merged));
    build.with("-Cllvm-args=-pgo-warn-missing-function=false")
}

fn flag(name: &str, path: &Path) -> OsString {
    let mut flag = OsString::from(name);
    flag.push(path);
    flag
}

/// Runs the workload; every process leaves a file in `raw`.
fn train(program: &Path, transcript: &Transcript, raw: &Path) -> Result<()> {
    workload::play(
        Part::Training,
        transcript,
        &|| process::command(program),
        &mut |mut command, input| {
            command.env("LLVM_PROFILE_FILE", raw.join("%p-%m.profraw"));
            workload::ended(command, input)
        },
    )
}

/// Merges what is in the folder `raw`.
fn merge(profdata: &Path, raw: &Path, merged: &Path) -> Result<()> {
    let mut merge = process::command(profdata);
    merge.args(["merge", "--output"]).arg(merged).arg(raw);
    process::output(&mut merge).map(|_| ())
}
