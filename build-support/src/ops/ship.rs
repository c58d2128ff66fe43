//! One package for one target: from linked bytes to shipped file, report and verdict, on disk.

use crate::attribution;
use crate::config::{Config, Measure};
use crate::error::{Error, Result};
use crate::gate::{self, Comparison, Verdict};
use crate::measure::{engine, figures, sizes, start};
use crate::ops::cache::{self, Record};
use crate::ops::newer_wasm_opt::Found;
use crate::ops::symbol_map::SymbolMap;
use crate::passes::Job;
use crate::passes::pipeline::{self, Analysis};
use crate::report::{self, Prunable, Report, Sizes, Stage, Toolchain, VerdictRecord};
use crate::system::digest::{self, Key};
use crate::system::files;
use crate::wasm::artifact::Artifact;
use crate::wasm::{ReadError, bindgen, reachability};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// What runs for one folder wait on, in it.
const LOCK: &str = ".lock";

/// What is to be shipped.
pub struct Input<'a> {
    /// The package's settings.
    pub config: &'a Config,
    /// The files' stem, e.g. `clawft_wasm`.
    pub name: &'a str,
    /// Where the linked file is, for messages.
    pub file: &'a Path,
    /// The linked bytes.
    pub linked: Vec<u8>,
    /// What compiled them.
    pub toolchain: Toolchain,
    /// Whether the target ships components.
    pub wants_component: bool,
    /// A newer optimiser; it is not started where nothing changed.
    pub newer_wasm_opt: Option<&'a Found>,
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
    /// The shipped file's bytes.
    pub bytes: Vec<u8>,
    /// Whether nothing had changed, so that no pass ran.
    pub unchanged: bool,
}

impl Files {
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
    refuse_banned(input.config, &analysis)?;
    let (report, shipped) = make(input, linked, analysis, progress)?;
    finish(input, files, report, &key, Some(&shipped))
}

fn make(
    input: &Input<'_>,
    linked: Artifact,
    analysis: Analysis,
    progress: &mut dyn FnMut(&str),
) -> Result<(Report, Artifact)> {
    let snipped = analysis.snipped();
    let swept = analysis.swept();
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
        ..Job::new(input.file, analysis.plans)
    };
    let mut product = pipeline::run(&job, linked, progress)?;
    let mut stage = |name: &str, note: &str, run: &mut dyn FnMut(&Artifact) -> Result<()>| {
        progress(name);
        let start = Instant::now();
        run(&product.artifact)?;
        product.stages.push(Stage {
            name: name.to_owned(),
            bytes: product.artifact.len(),
            millis: start.elapsed().as_secs_f64() * 1e3,
            note: note.to_owned(),
        });
        Ok(())
    };
    let mut measured = Sizes::default();
    stage("paths", "no folder of this machine is named", &mut |a| {
        refuse_paths(a, input.machine_paths)
    })?;
    stage("load", "wasmtime compiles it", &mut engine::load)?;
    stage("measure", "raw, gzip -9, brotli -q 11", &mut |a| {
        measured = sizes::run(a.bytes());
        Ok(())
    })?;
    let attribution = match bindgen::is_input(product.artifact.bytes()) {
        true => attribution::of_file(input.file, &product.artifact)?,
        false => attribution::shipped(&product.names, &product.artifact)?,
    };
    let report = Report {
        schema: report::SCHEMA,
        package: input.config.package.clone(),
        target: input.config.target.clone(),
        kind: product.artifact.kind(),
        toolchain: Toolchain {
            wasm_opt: product.kept,
            build_support: env!("CARGO_PKG_VERSION").to_owned(),
            ..input.toolchain.clone()
        },
        stages: product.stages,
        sizes: measured,
        codecs: sizes::codecs(),
        figures: figures::run(&product.artifact)?,
        budget: Vec::new(),
        baseline: None,
        verdict: VerdictRecord {
            within: false,
            exceeded: Vec::new(),
        },
        snipped,
        swept,
        attribution,
        features: analysis.features,
        prunable: Prunable {
            linked: analysis.unreachable,
            shipped: left_unreachable(&product.artifact)?,
        },
    };
    Ok((report, product.artifact))
}

fn left_unreachable(shipped: &Artifact) -> Result<u64> {
    let mut count = 0;
    let step = "reachability";
    for module in shipped.modules().map_err(ReadError::output(step))? {
        let unreachable = reachability::unreachable(&module).map_err(ReadError::output(step))?;
        count += unreachable.len() as u64;
    }
    Ok(count)
}

/// Judges by the limits as they stand now, and writes what changed; the cache's record goes last, so that
/// a kill before it costs a run and nothing else.
fn finish(
    input: &Input<'_>,
    files: Files,
    mut report: Report,
    key: &str,
    shipped: Option<&Artifact>,
) -> Result<Shipped> {
    let before = report.clone();
    let read = |file: &Path| std::fs::read(file).map_err(Error::io("reading", file));
    report.figures.start = match (input.config.limits.get(&Measure::Start), shipped) {
        (None, _) => None,
        (Some(_), Some(shipped)) => Some(start::run(&files.shipped, shipped)?),
        // The limit may be newer than the file.
        (Some(_), None) => match report.figures.start {
            Some(counted) => Some(counted),
            None => Some(start::run(
                &files.shipped,
                &Artifact::read(&files.shipped)?,
            )?),
        },
    };
    report.baseline = None;
    report.budget = gate::budget(&report, input.config);
    let verdict = gate::decide(&report, input.config, None);
    report.verdict = verdict.record();
    let json = report::json::write(&report);
    let (bytes, symbols) = match shipped {
        Some(shipped) => {
            let map = SymbolMap::new(&report.package, shipped, &report.attribution)?.write();
            files::write_atomic(&files.linked, &input.linked)?;
            files::write_atomic(&files.shipped, shipped.bytes())?;
            files::write_atomic(&files.symbols, map.as_bytes())?;
            (shipped.bytes().to_vec(), map.into_bytes())
        }
        None => (read(&files.shipped)?, read(&files.symbols)?),
    };
    if shipped.is_some() || report != before {
        files::write_atomic(&files.report, json.as_bytes())?;
        let record = Record {
            key: key.to_owned(),
            shipped: digest::digest(&bytes),
            linked: digest::digest(&input.linked),
            report: digest::digest(json.as_bytes()),
            symbols: digest::digest(&symbols),
        };
        cache::write(&files.cache, &record)?;
    }
    Ok(Shipped {
        report,
        verdict,
        files,
        bytes,
        unchanged: shipped.is_none(),
    })
}

impl Shipped {
    /// Judges again, by the limits of `config` and by a baseline, and writes the report anew with what came of it. The
    /// next run without a baseline takes that out again.
    ///
    /// # Errors
    /// [`Error::Io`], and [`Error::InvalidOutput`] as [`gate::compared`].
    pub fn hold(&mut self, config: &Config, against: &Comparison) -> Result<()> {
        let folder = self.files.report.parent().unwrap_or(Path::new("."));
        let _lock = files::lock(folder, LOCK)?;
        self.verdict = gate::decide(&self.report, config, Some(&against.held));
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
        .with(&input.toolchain.rustc)
        .with(&input.toolchain.std)
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

/// FR-10: the linked file, which still has names, holds nothing of a banned crate.
fn refuse_banned(config: &Config, analysis: &Analysis) -> Result<()> {
    let banned: Vec<_> = config
        .graph
        .banned_crates
        .iter()
        .map(|name| name.replace('-', "_"))
        .collect();
    let found: Vec<_> = analysis
        .contributors
        .iter()
        .filter(|c| banned.contains(&c.krate))
        .collect();
    if found.is_empty() {
        return Ok(());
    }
    let list: Vec<_> = found
        .iter()
        .take(10)
        .map(|c| format!("  {} ({} bytes)", c.name, c.bytes))
        .collect();
    Err(Error::Banned(format!(
        "the linked file holds {} functions of banned crates:\n{}\n  \
         banned by [package.metadata.budget.graph] in {}\n  \
         help: `cargo tree --target {} -i <crate>` shows what brings it in",
        found.len(),
        list.join("\n"),
        config.manifest.display(),
        config.target,
    )))
}

fn refuse_paths(artifact: &Artifact, paths: &[String]) -> Result<()> {
    let bytes = artifact.bytes();
    for path in paths.iter().filter(|path| path.len() > 1) {
        if let Some(at) = bytes
            .windows(path.len())
            .position(|window| window == path.as_bytes())
        {
            let end = bytes[at..]
                .iter()
                .take(120)
                .take_while(|b| b.is_ascii_graphic())
                .count();
            return Err(Error::InvalidOutput {
                pass: "paths",
                offset: Some(at as u64),
                message: format!(
                    "`{}` names a folder of this machine; add a --remap-path-prefix for it or drop the `file!()`/`env!()` that brings it in",
                    String::from_utf8_lossy(&bytes[at..at + end])
                ),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "\
[package]
name = \"app\"
[package.metadata.budget.sweep]
enabled = false
[package.metadata.budget.graph]
banned-crates = [\"big-runtime\"]
";

    /// Ships a module; says what is left in the folder when that fails.
    fn ship(wat: &str, machine_paths: &[String]) -> Result<Shipped> {
        let folder = tempfile::tempdir().unwrap();
        let file = Path::new("app.linked.wasm");
        let config = crate::config::parse(Path::new("Cargo.toml"), MANIFEST, "wasm32-wasip1")?;
        let input = Input {
            config: &config,
            name: "app",
            file,
            linked: wat::parse_str(wat).unwrap(),
            toolchain: Toolchain::default(),
            wants_component: false,
            newer_wasm_opt: None,
            identity: "test",
            machine_paths,
        };
        let shipped = run(&input, folder.path(), &mut |_| {});
        let exists = folder.path().join("app.wasm").exists();
        assert_eq!(
            exists,
            shipped.is_ok(),
            "a refused file must not be shipped"
        );
        shipped
    }

    /// Protects FR-10 where the graph could not: what was linked, by its names.
    #[test]
    fn a_banned_crate_in_the_linked_file_is_refused_by_name() {
        let module = |krate: &str| {
            let name = format!("_ZN{}{krate}5spawn17h0123456789abcdefE", krate.len());
            format!("(module (func ${name} (export \"f\") (nop)))")
        };
        let error = ship(&module("big_runtime"), &[])
            .err()
            .expect("it is banned")
            .to_string();
        assert!(
            error.contains("big_runtime::spawn") && error.contains("cargo tree"),
            "{error}"
        );
        assert!(
            ship(&module("big_runtimes"), &[]).is_ok(),
            "another crate is fine"
        );
    }

    /// Protects privacy and determinism: no folder of the machine gets out.
    #[test]
    fn a_folder_of_this_machine_in_the_shipped_file_is_refused() {
        let module = r#"(module (memory (export "m") 1) (data (i32.const 8) "/home/me/project/src/lib.rs"))"#;
        let error = ship(module, &["/home/me/project".to_owned()])
            .err()
            .expect("it is named");
        assert!(
            error.to_string().contains("/home/me/project/src/lib.rs"),
            "{error}"
        );
        assert!(ship(module, &["/home/you".to_owned()]).is_ok());
    }

    /// Protects whoever has a trace and two builds: the id is measured, attributed, in the map, and of the contents.
    #[test]
    fn a_build_id_is_part_of_what_is_measured() {
        let folder = tempfile::tempdir().unwrap();
        let module =
            r#"(module (@custom "build_id" "\04link") (func $app::run (export "run") (nop)))"#;
        let run = |manifest: &str, module: &str| {
            let target = "wasm32-wasip1";
            let config = crate::config::parse(Path::new("Cargo.toml"), manifest, target).unwrap();
            let input = Input {
                config: &config,
                name: "app",
                file: Path::new("app.linked.wasm"),
                linked: wat::parse_str(module).unwrap(),
                toolchain: Toolchain::default(),
                wants_component: false,
                newer_wasm_opt: None,
                identity: "test",
                machine_paths: &[],
            };
            let shipped = super::run(&input, folder.path(), &mut |_| {}).unwrap();
            let map = SymbolMap::read(&shipped.files.symbols).unwrap();
            assert_eq!(map.sha256, digest::digest(&shipped.bytes));
            assert_eq!(map.modules[0].functions[0].name, "app::run");
            (shipped, map.build_id)
        };
        let with = MANIFEST.replace(
            "[package.metadata.budget.sweep]",
            "[package.metadata.budget]\nbuild-id = true\n[package.metadata.budget.sweep]",
        );
        let (plain, none) = run(MANIFEST, module);
        let (stamped, id) = run(&with, module);
        assert_eq!(
            (none, stamped.unchanged),
            (None, false),
            "the key is in the cache's"
        );
        assert_eq!(stamped.report.sizes.raw, plain.report.sizes.raw + 28);
        let rows = &stamped.report.attribution.rows;
        assert!(
            rows.iter()
                .any(|row| row.name == "build_id" && row.bytes == 28)
        );
        assert_eq!(stamped.report.stages[6].name, "build id");
        assert_eq!(stamped.report.stages[6].note, id.clone().unwrap());
        assert!(run(&with, module).0.unchanged);
        std::fs::remove_file(&stamped.files.symbols).unwrap();
        assert_eq!(
            (run(&with, module).1, stamped.files.symbols.exists()),
            (id.clone(), true)
        );
        let (_, other) = run(&with, r#"(module (func $app::run (export "go") (nop)))"#);
        assert_ne!(other, id);
    }

    /// Protects the loop's promise: what no engine takes is no product.
    #[test]
    fn what_does_not_validate_is_refused_with_the_offset() {
        let error =
            Artifact::new(b"\0asm\x01\0\0\0\x01\xff".to_vec(), Path::new("x.wasm")).unwrap_err();
        assert!(
            matches!(
                error,
                Error::Input {
                    offset: Some(_),
                    ..
                }
            ),
            "{error}"
        );
    }
}
