//! `build-support symbolicate`: an engine's backtrace of a shipped file, which has no names, with
//! names.

use crate::cli::ended::Ended;
use crate::cli::terminal;
use crate::ops::ship::Files;
use crate::ops::symbol_map::trace::{Tally, Tracer};
use crate::ops::symbol_map::{self, Scope, SymbolMap};
use crate::project::package::Package;
use crate::system::files;
use crate::system::streams;
use crate::wasm::artifact::Artifact;
use anyhow::Context as _;
use clap::Args;
use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read as _, Write};
use std::path::{Path, PathBuf};

/// Put names into the backtrace of a trap in a shipped file
#[derive(Args)]
#[command(after_help = "\
Reads backtraces of wasmtime, node, Chrome, Firefox, Safari and WAMR, from a file or standard input, as they come;
every other line stays as it is. The names are those of WASM.symbols.json, which every build writes beside the shipped
file, or those in WASM itself. Without WASM and --map it is the package's last build for its first target.
Exit codes: 0 done; 2 error, also where the map is of another file than WASM.
Examples:
  node app.mjs 2>&1 | build-support symbolicate target/budget/wasm32-wasip1/app.wasm
  build-support symbolicate --map app-1.2.0.symbols.json --trace crash.log
  build-support symbolicate --map app-1.2.0.symbols.json deployed.wasm < crash.log
                                        refused where deployed.wasm is not the file of that map")]
pub struct Opts {
    /// The file that trapped: a core module or a component
    wasm: Option<PathBuf>,
    /// Its symbol map; the one beside WASM where this is not given
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,
    /// The backtrace; standard input where this is not given
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
}

/// Longer lines are passed on as they are: no frame is, and nothing has to fit in memory.
const LONGEST: u64 = 64 << 10;

/// Runs the subcommand.
pub fn run(opts: &Opts) -> anyhow::Result<Ended> {
    let trace = opts.trace.as_deref().unwrap_or(Path::new("-"));
    let read = opts.wasm.iter().chain(&opts.map).map(PathBuf::as_path);
    terminal::read_once(read.chain([trace]))?;
    let (map, scope) = map(opts)?;
    let mut tracer = Tracer::new(&map, scope);
    let stdout = std::io::stdout().lock();
    let copied = if files::is_stdin(trace) {
        copy(std::io::stdin().lock(), stdout, &mut tracer)
    } else {
        let file = File::open(trace).with_context(|| format!("reading {}", trace.display()))?;
        copy(BufReader::new(file), stdout, &mut tracer)
    };
    // Whoever reads it may stop before the program that writes the trace does.
    copied.or_else(|error| match error.kind() {
        ErrorKind::BrokenPipe => Ok(()),
        _ => Err(error),
    })?;
    remark(tracer.tally);
    Ok(Ended::Well)
}

fn map(opts: &Opts) -> anyhow::Result<(SymbolMap, Scope)> {
    let wasm = match (&opts.wasm, &opts.map) {
        (None, Some(map)) => return Ok((SymbolMap::read(map)?, Scope::File)),
        (Some(wasm), _) => wasm.clone(),
        (None, None) => {
            let package = Package::find(None)?;
            Files::last(&package, &package.config(None)?.target).shipped
        }
    };
    let artifact = Artifact::read(&wasm)?;
    let beside = symbol_map::beside(&wasm);
    let file = opts
        .map
        .clone()
        .or_else(|| beside.exists().then_some(beside.clone()));
    let map = match file {
        Some(file) => SymbolMap::read(&file)?,
        None => of_names(&wasm, &artifact, &beside)?,
    };
    let scope = map.scope(&wasm, artifact.bytes())?;
    Ok((map, scope))
}

/// The map of a file that has its names in it.
fn of_names(wasm: &Path, artifact: &Artifact, beside: &Path) -> anyhow::Result<SymbolMap> {
    let map = SymbolMap::of_file(wasm, artifact)?;
    let mut functions = map.modules.iter().flat_map(|module| &module.functions);
    let named = functions.any(|f| f.body.is_some() && !f.name.starts_with("[function "));
    anyhow::ensure!(
        named,
        "{} has no names and {} is not there\n  help: give the map of its build with --map",
        wasm.display(),
        beside.display()
    );
    Ok(map)
}

/// Line by line, so that it can stand at the end of a pipe while the program runs. Lines need not
/// be UTF-8.
fn copy(
    mut from: impl BufRead,
    mut to: impl Write,
    tracer: &mut Tracer<'_>,
) -> std::io::Result<()> {
    let mut line = Vec::new();
    let mut whole = true;
    loop {
        line.clear();
        let read = from.by_ref().take(LONGEST).read_until(b'\n', &mut line)?;
        if read == 0 {
            return to.flush();
        }
        let ends = line.last() == Some(&b'\n');
        let is_line = whole && (ends || (read as u64) < LONGEST);
        let text = std::str::from_utf8(&line).ok().filter(|_| is_line);
        match text.and_then(|text| tracer.line(text)) {
            Some(named) => to.write_all(named.as_bytes())?,
            None => to.write_all(&line)?,
        }
        if ends {
            to.flush()?;
        }
        whole = ends;
    }
}

/// What the reader of the trace should know.
fn remark(tally: Tally) {
    let Tally {
        unknown, misplaced, ..
    } = tally;
    if misplaced > 0 {
        streams::say(&format!(
            "{misplaced} of the frames point outside of the function they name: the trace is of another build than the map"
        ));
    }
    if unknown > 0 {
        streams::say(&format!(
            "{unknown} of the frames are of functions that the map does not have"
        ));
    }
}
