//! What others made, through the passes: modules of packages of npm, by many toolchains, each as it
//! is, as wasm-opt alone makes it, and as the passes do, with and without snip. What a package does
//! with them is compared before and after.
//!
//! The list, the lock file and the scripts are those of `build-support`'s tests, in
//! `tests/it/foreign`.

mod behaviour;
mod files;

pub use behaviour::Check;
pub use files::{Fetched, File, fetch, list};

use crate::processor;
use build_support::config::Config;
use build_support::error::Result;
use build_support::measure::{engine, sizes};
use build_support::passes::{Compact, Job, optimize, pipeline, strip};
use build_support::report::{Metric, Sizes};
use build_support::wasm::artifact::Artifact;
use build_support::wasm::names::{self, Names};
use build_support::wasm::{ReadError, features};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// How much processor time the passes may take for each second of wasm-opt alone, in per cent.
const MOST_TIME: u64 = 150;
/// From how many bytes on that is looked at: below, the start of a process counts for more.
const WORTH_TIMING: u64 = 100_000;

/// What was measured of one file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The file, below `node_modules`.
    pub file: String,
    /// Its size as it is published, in bytes.
    pub published: u64,
    /// Whether its functions have names, without which nothing can be snipped.
    pub named: bool,
    /// Without what only tools read.
    pub input: Sizes,
    /// By wasm-opt alone, the built-in one; none where it cannot read the file.
    pub wasm_opt: Option<Sizes>,
    /// By all passes.
    pub ours: Ours,
    /// By all passes and snip; none where there is nothing to snip.
    pub snipped: Option<Ours>,
    /// Processor time of wasm-opt alone, in milliseconds.
    pub wasm_opt_millis: u64,
    /// The same of reading, analysing, all passes, loading and measuring.
    pub post_link_millis: u64,
    /// Resident memory at its highest, in bytes.
    pub peak_bytes: Option<u64>,
    /// Whether the package does what it did.
    pub check: Check,
}

/// A file the passes made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ours {
    /// Its sizes.
    #[serde(flatten)]
    pub sizes: Sizes,
    /// What was kept, in the words of the stage.
    pub kept: String,
}

impl Row {
    /// What of the promises is not kept, in words.
    pub fn missed(&self, metric: &Metric) -> Vec<String> {
        let mut missed = Vec::new();
        let all = [("", Some(&self.ours)), ("snip: ", self.snipped.as_ref())];
        for (name, ours) in all {
            let Some(Ours { sizes, .. }) = ours else {
                continue;
            };
            if !metric.allows(sizes, &self.input) {
                missed.push(format!("{name}larger than the input"));
            }
            let alone = self.wasm_opt.as_ref();
            if alone.is_some_and(|alone| {
                metric.allows(alone, &self.input) && metric.prefers(alone, sizes)
            }) {
                missed.push(format!("{name}larger than wasm-opt alone"));
            }
        }
        if self.published > WORTH_TIMING && self.time_share() > MOST_TIME {
            missed.push("time".to_owned());
        }
        if self.check == Check::Differs {
            missed.push("behaviour".to_owned());
        }
        missed
    }

    /// Processor time of the passes in per cent of wasm-opt's alone.
    pub fn time_share(&self) -> u64 {
        self.post_link_millis * 100 / self.wasm_opt_millis.max(1)
    }
}

/// Measures one file of those that were fetched, compacted where that is asked for, and asks its
/// package where it has a script. The peak of memory is the process's, so each wants one to itself.
///
/// # Errors
/// [`Error::Input`](build_support::Error::Input) where it is no wasm file, and what a pass reports.
pub fn measure(
    fetched: &Fetched,
    file: &File,
    metric: &Metric,
    compact: Option<Compact>,
) -> Result<Row> {
    let path = fetched.path(file);
    let published = Artifact::read(&path)?;
    let stripped = strip::run(&Job::new(&path, Vec::new()), published.clone())?.artifact;
    let known = features::run(stripped.bytes(), &path)?;
    let (alone, wasm_opt_millis) =
        processor::timed(|| optimize::built_in(stripped.bytes(), &known));
    let (made, post_link_millis) = processor::timed(|| {
        let (artifact, ours) = through(&path, metric, compact, false)?;
        engine::load(&artifact)?;
        Ok((artifact, ours))
    });
    let (artifact, ours) = made?;
    let mut all = vec![artifact];
    let named = is_named(&path, &published)?;
    let mut snipped = None;
    if named {
        let (artifact, ours) = through(&path, metric, compact, true)?;
        snipped = (artifact != all[0]).then_some(ours);
        all.push(artifact);
        all.dedup();
    }
    Ok(Row {
        file: file.name.clone(),
        published: published.len(),
        named,
        input: sizes::run(stripped.bytes()),
        wasm_opt: alone.ok().map(|alone| sizes::run(&alone)),
        ours,
        snipped,
        wasm_opt_millis,
        post_link_millis,
        peak_bytes: processor::peak(),
        check: behaviour::compare(fetched, file, &all)?,
    })
}

/// What `optimize` does to a file, and its sizes.
fn through(
    path: &Path,
    metric: &Metric,
    compact: Option<Compact>,
    snip: bool,
) -> Result<(Artifact, Ours)> {
    let mut config = Config::without_package("");
    config.snip.enabled = snip;
    let input = Artifact::read(path)?;
    let analysis = pipeline::analyze(&config.snip, false, path, &input)?;
    let job = Job {
        snips: snip,
        metric: metric.clone(),
        compact,
        ..Job::new(path, analysis.plans)
    };
    let product = pipeline::run(&job, input, &mut |_| {})?;
    let kept = product
        .stages
        .into_iter()
        .find(|stage| stage.name == "decide");
    let ours = Ours {
        sizes: sizes::run(product.artifact.bytes()),
        kept: kept.map(|stage| stage.note).unwrap_or_default(),
    };
    Ok((product.artifact, ours))
}

fn is_named(path: &Path, artifact: &Artifact) -> Result<bool> {
    let modules = artifact.modules();
    let names = modules.and_then(|modules| modules.iter().map(names::read).collect());
    let names: Vec<Names> = names.map_err(ReadError::input(path, "get the package again"))?;
    let mut functions = names.iter().flat_map(|names| &names.functions);
    Ok(functions.any(Option::is_some))
}

#[cfg(test)]
mod tests {
    use super::{Check, Ours, Row, files};
    use build_support::report::{Metric, Size, Sizes};

    fn sizes(raw: u64, gzip: u64) -> Sizes {
        Sizes {
            raw,
            gzip,
            brotli: gzip,
        }
    }

    fn row(ours: Sizes) -> Row {
        let ours = Ours {
            sizes: ours,
            kept: String::new(),
        };
        Row {
            file: "a.wasm".to_owned(),
            published: 1_000_000,
            named: false,
            input: sizes(1_000, 400),
            wasm_opt: Some(sizes(900, 410)),
            ours,
            snipped: None,
            wasm_opt_millis: 1_000,
            post_link_millis: 1_500,
            peak_bytes: None,
            check: Check::Same,
        }
    }

    /// Protects what `--check` looks at, by whatever is minimised.
    #[test]
    fn what_is_not_kept_is_missed() {
        let raw = Metric::default();
        let gzip = Metric::new(Size::Gzip, []);
        assert_eq!(row(sizes(900, 410)).missed(&raw), [] as [&str; 0]);
        assert_eq!(
            row(sizes(901, 410)).missed(&raw),
            ["larger than wasm-opt alone"]
        );
        assert_eq!(
            row(sizes(900, 410)).missed(&gzip),
            ["larger than the input"]
        );
        assert_eq!(row(sizes(1_000, 400)).missed(&gzip), [] as [&str; 0]);
        let slow = Row {
            post_link_millis: 1_510,
            check: Check::Differs,
            ..row(sizes(900, 410))
        };
        assert_eq!(slow.missed(&raw), ["time", "behaviour"]);
        let small = Row {
            published: 100_000,
            ..slow
        };
        assert_eq!(small.missed(&raw), ["behaviour"]);
    }

    /// Protects the comparison of behaviour: every file has a script for its package, and it is
    /// there.
    #[test]
    fn every_file_has_a_script() {
        let scripts = super::behaviour::scripts().join("api");
        for file in files::list() {
            let script = file.script.unwrap_or_else(|| panic!("{}: none", file.name));
            assert!(scripts.join(format!("{script}.mjs")).is_file(), "{script}");
        }
    }
}
