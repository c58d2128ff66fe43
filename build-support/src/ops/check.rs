//! The report of a file by itself, judged by its limits. [`run`] is all of it for a file that
//! something else has built; [`ship`](crate::ops::ship) adds what it knows of a file that it has
//! made.

use crate::attribution::{Attribution, Row, RowKind};
use crate::config::{Config, Measure};
use crate::error::Result;
use crate::gate::{self, Verdict};
use crate::measure::{figures, sizes, start};
use crate::ops::named;
use crate::report::{self, Prunable, Report, Sizes, Toolchain, VerdictRecord};
use crate::wasm::artifact::Artifact;
use crate::wasm::{ReadError, features, reachability};
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::path::Path;

/// Measures the core module or component that was read from `file`, attributes its bytes, and
/// judges it by the limits of `config`.
///
/// # Errors
/// [`Error::Input`](crate::Error::Input) for what cannot be read of it, and what a limit on the
/// start reports.
pub fn run(file: &Path, artifact: &Artifact, config: &Config) -> Result<(Report, Verdict)> {
    let mut used = BTreeSet::new();
    for module in artifact.core_modules() {
        used.extend(features::run(module, file)?.into_iter().map(|f| f.name));
    }
    let attribution = named::attribution(file, artifact)?;
    let sizes = sizes::run(artifact.bytes());
    let mut report = describe(config, artifact, sizes, attribution)?;
    report.features = used.into_iter().map(str::to_owned).collect();
    if config.limits.get(&Measure::Start).is_some() {
        report.figures.start = Some(start::run(file, artifact)?);
    }
    let verdict = judge(&mut report, config);
    Ok((report, verdict))
}

/// What the files of `reports` weigh together, each with its name, judged by the limits on their
/// sum. Each file is a row of it.
pub fn sum(reports: &[(String, Report)], config: &Config) -> Option<(Report, Verdict)> {
    let (_, first) = reports.first()?;
    let row = |(name, report): &(String, Report)| {
        Row::new(RowKind::Component, name.clone(), report.sizes.raw)
    };
    let rows = reports.iter().map(row);
    let mut rows: Vec<_> = rows.collect();
    rows.sort_by_key(|row| Reverse(row.bytes));
    let sizes = Sizes::default().map(|size| {
        let all = reports.iter().map(|(_, report)| report.sizes.get(size));
        all.fold(0, u64::saturating_add)
    });
    let mut report = Report {
        package: format!("the sum of {} files", reports.len()),
        sizes,
        attribution: Attribution {
            bytes: sizes.raw,
            rows,
        },
        ..first.clone()
    };
    let mut together = config.clone();
    together.limits = config.files.sum.clone();
    let verdict = judge(&mut report, &together);
    Some((report, verdict))
}

/// The report of `artifact`, of which nothing is known but its bytes; it is not judged.
///
/// # Errors
/// [`Error::InvalidOutput`](crate::Error::InvalidOutput) where a core module cannot be read.
pub(super) fn describe(
    config: &Config,
    artifact: &Artifact,
    sizes: Sizes,
    attribution: Attribution,
) -> Result<Report> {
    let mut unreachable = 0;
    let step = "reachability";
    for module in artifact.modules().map_err(ReadError::output(step))? {
        let found = reachability::unreachable(&module).map_err(ReadError::output(step))?;
        unreachable += found.len() as u64;
    }
    Ok(Report {
        schema: report::SCHEMA,
        package: config.package.clone(),
        file: String::new(),
        target: config.target.clone(),
        kind: artifact.kind(),
        toolchain: Toolchain {
            build_support: env!("CARGO_PKG_VERSION").to_owned(),
            ..Toolchain::default()
        },
        stages: Vec::new(),
        sizes,
        codecs: sizes::codecs(),
        figures: figures::run(artifact)?,
        budget: Vec::new(),
        baseline: None,
        verdict: VerdictRecord {
            within: false,
            exceeded: Vec::new(),
        },
        snipped: Vec::new(),
        swept: Vec::new(),
        attribution,
        features: Vec::new(),
        prunable: Prunable {
            linked: Vec::new(),
            shipped: unreachable,
        },
    })
}

/// Judges by the limits of `config` alone, and records what came of it.
pub(super) fn judge(report: &mut Report, config: &Config) -> Verdict {
    report.baseline = None;
    report.budget = gate::budget(report, config);
    let verdict = gate::decide(report, config, None);
    report.verdict = verdict.record();
    verdict
}
