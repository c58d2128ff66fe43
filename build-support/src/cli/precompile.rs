//! `build-support precompile`: machine code of the shipped files, made ahead of time. What `cargo
//! precompile` and `cargo make precompile` are.

use crate::agent::precompiled::{self, Precompiled};
use crate::cli::ended::Ended;
use crate::cli::options::Features;
use crate::cli::terminal::{print, shown};
use crate::engine::setup::Compiler;
use crate::ops::build;
use crate::output::progress::Progress;
use crate::project::listener::Listener as _;
use crate::project::package::Package;
use crate::report::units;
use crate::system::files;
use crate::wasm::artifact::Artifact;
use clap::{Args, ValueEnum};
use serde_json::json;
use std::path::PathBuf;

/// Compile a wasm file to machine code for this machine, with a record that is checked when it is
/// loaded
#[derive(Args)]
#[command(after_help = "\
Without FILE the agent is built for each of its targets, and the code is put beside the shipped files:
target/budget/<target>/clawft_wasm.cwasm, and clawft_wasm.cwasm.json, which says what it was made from and by what.
Such a file is for this machine and this version of the engine alone. `build-support run --component FILE.cwasm` runs it.
Exit codes: 0 made, 2 error.
Examples:
  build-support precompile
  build-support precompile app.wasm -o app.cwasm
  build-support precompile app.wasm --compiler winch")]
pub struct Opts {
    /// A core module or component; the shipped files of the package where none is given
    file: Option<PathBuf>,
    /// Where to write; beside FILE where this is not given
    #[arg(short, long, requires = "file")]
    output: Option<PathBuf>,
    /// What compiles: cranelift makes fast code, winch makes code fast
    #[arg(long, value_enum, default_value = "cranelift")]
    compiler: CompilerArg,
    #[command(flatten)]
    features: Features,
    /// Print what was written as JSON
    #[arg(long)]
    json: bool,
}

/// [`Compiler`] as an argument.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum CompilerArg {
    Cranelift,
    Winch,
}

impl From<CompilerArg> for Compiler {
    fn from(arg: CompilerArg) -> Self {
        match arg {
            CompilerArg::Cranelift => Self::Cranelift,
            CompilerArg::Winch => Self::Winch,
        }
    }
}

/// Runs the subcommand.
pub fn run(opts: &Opts) -> anyhow::Result<Ended> {
    // Hidden where stderr is no terminal, so that `--json` may show it too.
    let mut progress = Progress::start(false);
    let sources = match &opts.file {
        Some(file) => vec![file.clone()],
        None => build::shipped_files(
            &Package::find(None)?,
            &opts.features.wanted(),
            &mut progress,
        )?,
    };
    let streams = opts.file.as_deref().is_some_and(files::is_stdin)
        || opts.output.as_deref().is_some_and(files::is_stdout);
    anyhow::ensure!(
        !streams,
        "machine code has a record beside it, which says what it was made from\n  help: name files, not `-`"
    );
    let mut made = Vec::new();
    for source in &sources {
        progress.stage(&format!("compiling {}", source.display()));
        let file = opts
            .output
            .clone()
            .unwrap_or_else(|| precompiled::beside(source));
        anyhow::ensure!(
            file != *source,
            "{}: this would overwrite the wasm file\n  help: name another file with --output",
            file.display()
        );
        let artifact = Artifact::read(source)?;
        precompiled::write(source, &artifact, opts.compiler.into(), &file)?;
        // What was written is what will be read: no file that this very tool refuses is left behind
        // in silence.
        let read = Precompiled::read(&file)?;
        read.load(&read.engine()?)?;
        made.push((file, read.record().clone()));
    }
    drop(progress);
    let written: Vec<_> = made
        .iter()
        .map(|(file, record)| json!({ "file": file.to_string_lossy(), "record": record }))
        .collect();
    print(opts.json, &json!({ "files": written }), || {
        let lines = made.iter().map(|(file, record)| {
            let (file, bytes) = (shown(file).display(), units::counted(record.bytes));
            format!("{file}  {bytes}  {}, {}\n", record.compiler, record.machine)
        });
        lines.collect()
    })?;
    Ok(Ended::Well)
}
