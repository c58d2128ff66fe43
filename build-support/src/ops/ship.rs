//! One package for one target: from linked bytes to shipped file, report and verdict, on disk.

mod banned;
mod paths;

use crate::attribution;
use crate::attribution::definers::Definers;
use crate::config::{Config, Measure};
use crate::error::{Error, Result};
use crate::gate::{self, Comparison, Verdict};
use crate::measure::{engine, sizes, start};
use crate::ops::cache::{self, Record};
use crate::ops::check;
use crate::ops::newer_wasm_opt::Found;
use crate::ops::symbol_map::SymbolMap;
use crate::ops::wasm_bindgen::{self, Beside};
use crate::passes::Job;
use crate::passes::pipeline::{self, Analysis};
use crate::project::package::{CrateKind, Package};
use crate::report::{self, Prunable, Report, Sizes, Stage, Toolchain};
use crate::system::digest::{self, Key};
use crate::system::files;
use crate::wasm::artifact::Artifact;
use crate::wasm::bindgen;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// What runs for one folder wait on, in it.
const LOCK: &str = ".lock";

/// What is to be shipped.
pub struct Input<'a> {
    /// The package's settings.
    pub config: &'a Config,
    /// The files' stem, as cargo calls them, e.g. `clawft_wasm`.
    pub name: &'a str,
    /// Where the linked file is, for messages.
    pub file: &'a Path,
    /// The linked bytes.
    pub linked: Vec<u8>,
    /// What compiled them.
    pub toolchain: Toolchain,
    /// Which crates define what has none in its name.
    pub definers: &'a Definers,
    /// Whether the target ships components.
    pub wants_component: bool,
    /// A newer optimiser; it is not started where nothing changed.
    pub newer_wasm_opt: Option<&'a Found>,
    /// wasm-bindgen's command, where what it makes is shipped.
    pub bindgen: Option<&'a wasm_bindgen::Found>,
    /// Whatever else decides the bytes: this tool's own identity, the second optimiser's.
    pub identity: &'a str,
    /// Folders of this machine that must not be named in the shipped file.
    pub machine_paths: &'a [String],
}

/// The files of one run, in `target/budget/<target>/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// The shipped file.
    pub shipped: PathBuf,
    /// The linked file it was made from.
    pub linked: PathBuf,
    /// The report.
    pub report: PathBuf,
    /// What the functions of the shipped file are called.
    pub symbols: PathBuf,
    cache: PathBuf,
}

/// What a run ended with.
pub struct Shipped {
    /// Everything that was found.
    pub report: Report,
    /// The gate's decision.
    pub verdict: Verdict,
    /// Where things are.
    pub files: Files,
    /// And what is beside them: what wasm-bindgen made.
    pub beside: Vec<PathBuf>,
    /// The shipped file's bytes.
    pub bytes: Vec<u8>,
    /// Whether nothing had changed, so that no pass ran.
    pub unchanged: bool,
}

impl Files {
    /// Where the last build of `package` for `target` left its files.
    pub fn last(package: &Package, target: &str) -> Self {
        // Where it is not clear which program it was, the report is there all the same.
        let product = package.product(None).unwrap_or(CrateKind::Reactor);
        let stem = package.file_stem(&product);
        let config = package.config(Some(target));
        let stem = config.map_or(stem.clone(), |config| shipped_stem(&config, stem));
        Self::new(&package.outputs(target), &stem)
    }

    /// The files for `name` in `folder`.
    pub fn new(folder: &Path, name: &str) -> Self {
        Self {
            shipped: folder.join(format!("{name}.wasm")),
            linked: folder.join(format!("{name}.linked.wasm")),
            report: folder.join("report.json"),
            symbols: folder.join(format!("{name}.symbols.json")),
            cache: folder.join("cache.json"),
        }
    }

    fn folder(&self) -> &Path {
        self.report.parent().unwrap_or(Path::new("."))
    }
}

/// The stem of the shipped file of a package, where cargo calls what is linked `linked`.
pub fn shipped_stem(config: &Config, linked: String) -> String {
    match &config.wasm_bindgen {
        Some(bindgen) => bindgen.wasm_stem(&linked),
        None => linked,
    }
}

/// Makes, measures, judges and writes. Runs for one folder wait for each other.
///
/// # Errors
/// What a pass, the engine, the ban on names or the file system reports; the old files stay then.
pub fn run(input: &Input<'_>, folder: &Path, progress: &mut dyn FnMut(&str)) -> Result<Shipped> {
    let _lock = files::lock(folder, LOCK)?;
    files::remove_leftovers(folder)?;
    let files = Files::new(folder, input.name);
    let key = key(input);
    if let Some(report) = unchanged(&files, &key) {
        return finish(input, files, report, &key, None);
    }
    let linked = Artifact::new(input.linked.clone(), input.file)?;
    progress("analyze");
    let analysis = pipeline::analyze(
        &input.config.snip,
        input.config.sweep.enabled,
        input.file,
        &linked,
    )?;
    banned::refuse(input.config, &analysis)?;
    let (report, made) = make(input, linked, analysis, progress)?;
    finish(input, files, report, &key, Some(&made))
}

/// What is to be written.
struct Made {
    shipped: Artifact,
    beside: Beside,
}

fn make(
    input: &Input<'_>,
    linked: Artifact,
    mut analysis: Analysis,
    progress: &mut dyn FnMut(&str),
) -> Result<(Report, Made)> {
    let newer = input
        .newer_wasm_opt
        .map(Found::optimizer)
        .transpose()?
        .flatten();
    let job = Job {
        wants_component: input.wants_component,
        second_optimizer: newer.as_ref().map(|n| (n.name.as_str(), &*n.run)),
        snips: input.config.snip.enabled,
        poison: input.config.sweep.poison,
        build_id: input.config.build_id,
        metric: input.config.metric(),
        compact: input.config.compact,
        ..Job::new(input.file, std::mem::take(&mut analysis.plans))
    };
    let mut product = pipeline::run(&job, linked, progress)?;
    let mut beside = Beside::new();
    if let Some(bindgen) = input.bindgen {
        let bound = bindgen.carry_on(&job, product, progress)?;
        (product, beside) = (bound.product, bound.beside);
        analysis.features = bound.features;
    }
    analysis.plans = product.carried_out(job.plans);
    let mut stage = |name: &str, run: &mut dyn FnMut(&Artifact) -> Result<String>| {
        progress(name);
        let start = Instant::now();
        let note = run(&product.artifact)?;
        product.stages.push(Stage {
            name: name.to_owned(),
            bytes: product.artifact.len(),
            millis: start.elapsed().as_secs_f64() * 1e3,
            note,
            steps: Vec::new(),
        });
        Ok(())
    };
    let mut measured = Sizes::default();
    stage("paths", &mut |a| {
        paths::refuse(a, input.machine_paths)?;
        Ok("no folder of this machine is named".to_owned())
    })?;
    stage("load", &mut engine::load)?;
    stage("measure", &mut |a| {
        measured = sizes::run(a.bytes());
        Ok("raw, gzip -9, brotli -q 11".to_owned())
    })?;
    let mut attribution = if bindgen::is_input(product.artifact.bytes()) {
        attribution::of_file(input.file, &product.artifact)?
    } else {
        attribution::shipped(&product.names, &product.artifact)?
    };
    input.definers.name(&mut attribution);
    let about = check::describe(input.config, &product.artifact, measured, attribution)?;
    let report = Report {
        file: input.name.to_owned(),
        toolchain: Toolchain {
            wasm_opt: product.kept,
            build_support: about.toolchain.build_support,
            ..input.toolchain.clone()
        },
        stages: product.stages,
        snipped: analysis.snipped(),
        swept: analysis.swept(),
        features: analysis.features,
        prunable: Prunable {
            linked: analysis.unreachable,
            ..about.prunable
        },
        ..about
    };
    let shipped = product.artifact;
    Ok((report, Made { shipped, beside }))
}

/// Judges by the limits as they stand now, and writes what changed; the cache's record goes last,
/// so that a kill before it costs a run and nothing else.
fn finish(
    input: &Input<'_>,
    files: Files,
    mut report: Report,
    key: &str,
    made: Option<&Made>,
) -> Result<Shipped> {
    let shipped = made.map(|made| &made.shipped);
    let before = report.clone();
    let read = |file: &Path| std::fs::read(file).map_err(Error::io("reading", file));
    let limit = input.config.limits.get(&Measure::Start);
    report.figures.start = match (limit, shipped, report.figures.start) {
        (None, ..) => None,
        (_, Some(shipped), _) => Some(start::run(&files.shipped, shipped)?),
        (_, None, Some(counted)) => Some(counted),
        // The limit may be newer than the file.
        (_, None, None) => {
            let shipped = Artifact::read(&files.shipped)?;
            Some(start::run(&files.shipped, &shipped)?)
        }
    };
    let verdict = check::judge(&mut report, input.config);
    let json = report::json::write(&report);
    // Another package's build may have been the last in the folder: what it left is not ours.
    let is_ours = |record: &Record| {
        let shipped = std::fs::read(&files.shipped);
        shipped.is_ok_and(|bytes| digest::digest(&bytes) == record.shipped)
    };
    let last = cache::read(&files.cache).filter(is_ours);
    let last = last.map(|record| record.beside).unwrap_or_default();
    let (bytes, symbols, beside) = match made {
        Some(Made { shipped, beside }) => {
            let map = SymbolMap::new(&report.package, shipped, &report.attribution)?.write();
            wasm_bindgen::prepare(beside, files.folder())?;
            files::write_atomic(&files.linked, &input.linked)?;
            files::write_atomic(&files.shipped, shipped.bytes())?;
            files::write_atomic(&files.symbols, map.as_bytes())?;
            let beside = wasm_bindgen::write(beside, files.folder(), &last)?;
            (shipped.bytes().to_vec(), map.into_bytes(), beside)
        }
        None => (read(&files.shipped)?, read(&files.symbols)?, last),
    };
    let paths = beside.keys().map(|name| files.folder().join(name));
    let paths = paths.collect();
    if shipped.is_some() || report != before {
        files::write_atomic(&files.report, json.as_bytes())?;
        let record = Record {
            key: key.to_owned(),
            shipped: digest::digest(&bytes),
            linked: digest::digest(&input.linked),
            report: digest::digest(json.as_bytes()),
            symbols: digest::digest(&symbols),
            beside,
        };
        cache::write(&files.cache, &record)?;
    }
    Ok(Shipped {
        report,
        verdict,
        files,
        beside: paths,
        bytes,
        unchanged: shipped.is_none(),
    })
}

impl Shipped {
    /// Judges again, by the limits of `config` and by a baseline, and writes the report anew with
    /// what came of it. The next run without a baseline takes that out again.
    ///
    /// # Errors
    /// [`Error::Io`], and [`Error::InvalidOutput`] as [`gate::compared`].
    pub fn hold(&mut self, config: &Config, against: &Comparison) -> Result<()> {
        let _lock = files::lock(self.files.folder(), LOCK)?;
        self.verdict = gate::decide(&self.report, config, Some(&against.entry));
        self.report.baseline = Some(gate::compared(&self.report, config, against)?);
        self.report.verdict = self.verdict.record();
        let json = report::json::write(&self.report);
        files::write_atomic(&self.files.report, json.as_bytes())?;
        if let Some(record) = cache::read(&self.files.cache) {
            let report = digest::digest(json.as_bytes());
            cache::write(&self.files.cache, &Record { report, ..record })?;
        }
        Ok(())
    }
}

/// The last run's report, if it was of the same key and every file it wrote is still what it wrote.
fn unchanged(files: &Files, key: &str) -> Option<Report> {
    let record = cache::read(&files.cache)?;
    let same = |file: &Path, digest: &str| {
        std::fs::read(file)
            .ok()
            .filter(|bytes| digest::digest(bytes) == digest)
    };
    if record.key != key {
        return None;
    }
    same(&files.linked, &record.linked)?;
    same(&files.shipped, &record.shipped)?;
    same(&files.symbols, &record.symbols)?;
    for (name, digest) in &record.beside {
        same(&files.folder().join(name), digest)?;
    }
    let report = same(&files.report, &record.report)?;
    report::json::read(&files.report, std::str::from_utf8(&report).ok()?).ok()
}

fn key(input: &Input<'_>) -> String {
    let snip = &input.config.snip;
    let mut key = Key::start()
        .with(report::SCHEMA.to_le_bytes())
        .with(input.identity)
        .with(&input.config.package)
        .with(&input.config.target)
        .with([
            u8::from(snip.enabled),
            u8::from(input.config.sweep.enabled),
            u8::from(input.config.sweep.poison),
            u8::from(input.wants_component),
            u8::from(input.config.build_id),
        ])
        .with(format!("{:?}", input.config.compact))
        // Which sizes have a limit, whatever it is: they decide what is kept.
        .with(format!("{:?}", input.config.metric()))
        .with(
            input
                .bindgen
                .map(wasm_bindgen::Found::identity)
                .unwrap_or_default(),
        )
        .with(&input.toolchain.rustc)
        .with(&input.toolchain.std)
        // They decide no bytes of the file, but what the limits of crates are held against.
        .with(format!("{:?}", input.definers))
        .with(&input.linked);
    for list in [
        snip.families.as_slice(),
        &snip.allow,
        &snip.deny,
        &input.config.graph.banned_crates,
        input.machine_paths,
    ] {
        key = list
            .iter()
            .fold(key.with(list.len().to_le_bytes()), |key, entry| {
                key.with(entry)
            });
    }
    key.finish()
}

#[cfg(test)]
mod tests;
