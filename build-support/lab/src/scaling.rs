//! How the sweep and the compaction grow with the file: time beside the final wasm-opt run, and
//! memory. The files are
//! linked out of real crates, from 0.1 to 20 MB; the fixture `scaling` is as large as its features
//! ask for. How `analyze` and `diff` grow, on the same files, says [`attribution`].
//!
//! Memory is the process's own peak, so each file wants a process to itself; that is the command's
//! business.

pub mod attribution;

use crate::processor::peak;
use crate::size_bench;
use build_support::config::Config;
use build_support::error::{Error, Result};
use build_support::passes::{Compact, Job, compact, componentize, pipeline};
use build_support::project::compile::{self, Request};
use build_support::project::listener::{Listener, Silent};
use build_support::project::package::{Package, Wanted};
use build_support::project::toolchain;
use build_support::report::{Metric, Size};
use build_support::system::files;
use build_support::wasm::artifact::Artifact;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const TARGET: &str = "wasm32-wasip1";
const PACKAGE: &str = "scaling";

/// The sizes: the profile and the feature that give each, and what it is called.
const SIZES: [(&str, Option<&str>, &str); 5] = [
    ("release-wasm", None, "0.1-mb"),
    ("scaling", Some("mb-1"), "1-mb"),
    ("scaling", Some("mb-5"), "5-mb"),
    ("scaling", Some("mb-10"), "10-mb"),
    ("scaling", Some("mb-20"), "20-mb"),
];

/// What one file costs. Times are wall time in milliseconds, on a machine that may be busy: the
/// ratio is what counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// The file.
    pub file: PathBuf,
    /// Its size with names and relocations, in bytes.
    pub linked_bytes: u64,
    /// Finding out what is dead.
    pub analysis_millis: f64,
    /// Taking it away.
    pub rewrite_millis: f64,
    /// The final wasm-opt run, on what the sweep left.
    pub wasm_opt_millis: f64,
    /// Both parts of the sweep in relation to wasm-opt.
    pub ratio: f64,
    /// Compacting what wasm-opt made, for raw bytes.
    pub compact_millis: f64,
    /// The same for brotli, and no more of gzip.
    pub compact_compressed_millis: f64,
    /// The process's resident memory at its highest before snip and wasm-opt, in bytes; none where
    /// the system does not say.
    pub sweep_peak_bytes: Option<u64>,
    /// The same at the end, wasm-opt included.
    pub peak_bytes: Option<u64>,
}

/// Links a file of each size, and gives where they are.
///
/// # Errors
/// [`Error::Toolchain`] where the fixture is not there, and as [`package::link`].
pub fn build(agent: &Package, listener: &mut dyn Listener) -> Result<Vec<PathBuf>> {
    let package = size_bench::packages(agent)?
        .into_iter()
        .find(|package| package.name == PACKAGE)
        .ok_or_else(|| Error::Toolchain {
            message: format!("{} has no fixture `{PACKAGE}`", agent.root.display()),
            help: "run this in the workspace of build-support, or name a linked file".to_owned(),
        })?;
    let toolchain = toolchain::find(TARGET, &mut |line| listener.say(line))?;
    let folder = package.target_dir.join("scaling");
    std::fs::create_dir_all(&folder).map_err(Error::io("creating folder", &folder))?;
    let mut files = Vec::new();
    for (profile, feature, name) in SIZES {
        listener.stage(&format!("linking {name}"));
        let config = Config {
            profile: profile.to_owned(),
            ..package.config(Some(TARGET))?
        };
        let wanted = Wanted {
            features: feature.map(str::to_owned).into_iter().collect(),
            ..Wanted::default()
        };
        let request = Request::new(&package, &config, &wanted);
        let linked = compile::run(&request, &toolchain, &mut Silent)?;
        let file = folder.join(format!("{name}.wasm"));
        files::write_atomic(&file, &linked.bytes)?;
        files.push(file);
    }
    Ok(files)
}

/// What the linked file `file` costs.
///
/// # Errors
/// [`Error::Input`] where it does not have the linker's relocations, and what the passes report.
pub fn measure(file: &Path) -> Result<Cost> {
    let artifact = Artifact::read(file)?;
    let linked_bytes = artifact.len();
    let mut config = Config::without_package(&file.display().to_string());
    config.snip.enabled = true;
    // The first of all runs pays for memory that the later ones find; the second is like the third.
    let mut without = Duration::ZERO;
    for _ in 0..2 {
        let start = Instant::now();
        pipeline::analyze(&config.snip, config.sweep.enabled, file, &artifact)?;
        without = start.elapsed();
    }
    config.sweep.enabled = true;
    let start = Instant::now();
    let analysis = pipeline::analyze(&config.snip, config.sweep.enabled, file, &artifact)?;
    let analysis_millis = millis(start.elapsed().saturating_sub(without));
    let job = Job {
        wants_component: componentize::has_world(artifact.bytes()),
        ..Job::new(file, analysis.plans)
    };
    let mut sweep_peak_bytes = None;
    let product = pipeline::run(&job, artifact, &mut |stage| {
        if stage == "snip" {
            sweep_peak_bytes = peak();
        }
    })?;
    let stage = |name: &str| {
        let stages = product.stages.iter().filter(|stage| stage.name == name);
        stages.map(|stage| stage.millis).sum::<f64>()
    };
    let (rewrite_millis, wasm_opt_millis) = (stage("sweep"), stage("optimize"));
    let peak_bytes = peak();
    let compact = |metric| compact_millis(file, metric, &product.artifact);
    Ok(Cost {
        compact_millis: compact(Metric::default())?,
        compact_compressed_millis: compact(Metric::new(Size::Brotli, [Size::Gzip]))?,
        file: file.to_owned(),
        linked_bytes,
        analysis_millis,
        rewrite_millis,
        wasm_opt_millis,
        ratio: (analysis_millis + rewrite_millis) / wasm_opt_millis,
        sweep_peak_bytes,
        peak_bytes,
    })
}

/// How long it takes to compact a file that has been optimised, in milliseconds.
///
/// # Errors
/// What the pass reports.
pub fn compact_millis(file: &Path, metric: Metric, artifact: &Artifact) -> Result<f64> {
    let job = Job {
        metric,
        compact: Some(Compact::DEFAULT),
        ..Job::new(file, Vec::new())
    };
    let start = Instant::now();
    compact::run(&job, artifact.clone())?;
    Ok(millis(start.elapsed()))
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
