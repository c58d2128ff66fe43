//! A page with an agent in it, as one folder for any static host: manifest → checked plan → files.
//! What `cargo bundle` does. Which agent it is, and what it is driven by, is said by
//! `[package.metadata.bundle]`.
//!
//! `manifest` reads, `plan` brings the files together, `contents` knows what they weigh, `policy`
//! is the page's, `audit` looks at what is really there, `folder` writes and reads all of it.

pub mod audit;
mod contents;
pub mod folder;
mod json;
pub mod manifest;
mod memory;
mod origin;
mod pack;
mod plan;
pub mod policy;

use crate::config::bundle::{self as config, Bundle, Limit, Measure};
use crate::config::mistakes::code;
use crate::diagnostic::Diagnostic;
use crate::error::{Error, Result};
use crate::ops::build;
use crate::project::listener::Listener;
use crate::project::package::{Package, Wanted};
use crate::report::bundle::{FirstAnswer, Report, Row, SCHEMA};
use crate::report::{LimitRecord, Size, Sizes};
use crate::system::files;
use audit::About;
use contents::Served;
pub use plan::Configure;
use plan::Plan;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Held while a bundle is written, in the folder it is in.
const LOCK: &str = ".bundle.lock";

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The examples; all where none is named.
    pub examples: Vec<String>,
    /// A module that is there, instead of building one.
    pub module: Option<PathBuf>,
    /// Where the bundle goes; `target/bundle` where this is not said.
    pub folder: Option<PathBuf>,
    /// Whether nothing is written.
    pub dry_run: bool,
    /// How the module is built.
    pub wanted: Wanted,
}

/// A bundle, and what is to be said of it.
pub struct Bundled {
    /// What is in it.
    pub report: Report,
    /// The limits that do not hold, each with what was measured.
    pub breaches: Vec<(Limit, u64)>,
    /// What the package says of it, for its limits' places.
    pub settings: Bundle,
}

impl Bundled {
    /// What the manifest claims and nobody finds: the row and the example.
    pub fn false_claims(&self) -> Vec<(&Row, &str)> {
        audit::false_claims(&self.report.rows)
    }

    /// Whether all is as it should be.
    pub fn is_well(&self) -> bool {
        self.breaches.is_empty() && self.false_claims().is_empty()
    }
}

/// The folder of `package`'s bundle where nothing else is said.
pub fn folder_of(package: &Package) -> PathBuf {
    package.target_dir.join("bundle")
}

/// What `package` says of its bundle.
///
/// # Errors
/// [`Error::Config`] with every mistake; [`Error::Toolchain`] where it says nothing.
pub fn settings(package: &Package) -> Result<Bundle> {
    config::load(&package.manifest)?.ok_or_else(|| {
        Error::toolchain(
            format!(
                "{} has no [package.metadata.bundle]",
                package.manifest.display()
            ),
            "docs/bundle.md says what stands in it",
        )
    })
}

/// Makes the bundle of `package`.
///
/// # Errors
/// [`Error::Manifest`] with every mistake of the manifest, what a build reports, and [`Error::Io`].
/// The bundle of the run before stays then.
pub fn run(
    package: &Package,
    request: &Request,
    configure: Configure<'_>,
    listener: &mut dyn Listener,
) -> Result<Bundled> {
    let settings = settings(package)?;
    // Mistakes are told before anything is built.
    let draft = plan::read(&settings, &request.examples)?;
    let file = match &request.module {
        Some(file) => file.clone(),
        None => {
            let outputs = package.outputs(&settings.target);
            let target = &settings.target;
            let built = build::run(package, target, &request.wanted, &outputs, listener)?;
            built.files.shipped
        }
    };
    listener.stage("bundling");
    let plan = plan::fill(draft, &settings, &file, configure)?;
    let folder = request.folder.clone();
    let folder = folder.unwrap_or_else(|| folder_of(package));
    finish(plan, settings, &folder, request.dry_run)
}

/// Weighs, judges, audits and writes.
fn finish(plan: Plan, settings: Bundle, folder: &Path, dry_run: bool) -> Result<Bundled> {
    let about = About {
        init: settings.init.clone(),
        steps: settings.steps.clone(),
        loads: settings.loads.clone(),
    };
    let policy = policy::of(&plan.manifest);
    let build = contents::build_id(&plan.root, &plan.files);
    let served = served(&plan, &build, &policy.meta);
    let files: BTreeMap<_, _> = served
        .iter()
        .map(|(path, served)| (path.clone(), served.sizes()))
        .collect();
    let inside = format!("{build}/");
    let known = files.iter().map(|(path, sizes)| {
        let path = path.strip_prefix(&inside).unwrap_or(path);
        (path.to_owned(), *sizes)
    });
    let known = known.collect();
    let input = audit::Input {
        plan: &plan.manifest,
        root: &plan.root,
        files: &plan.files,
        known: &known,
        about: &about,
    };
    let first_answer = audit::first_answers(&input);
    in_order(&plan, &first_answer)?;
    let rows = audit::run(&input)?;
    let sum = |size| files.values().map(|sizes| sizes.get(size)).sum::<u64>();
    let sizes = Sizes::default().map(sum);
    let mut first = first_answer.iter();
    let first = first.find(|one| one.example == plan.manifest.default);
    let measured = |measure| match measure {
        Measure::Brotli => sizes.brotli,
        Measure::Gzip => sizes.gzip,
        Measure::Files => files.len() as u64,
        Measure::FirstAnswer => first.map_or(0, |one| one.sizes.get(Size::Brotli)),
    };
    let limits = settings.limits.iter();
    let judged: Vec<_> = limits
        .map(|limit| (limit.clone(), measured(limit.measure)))
        .collect();
    let audit = folder::Audit {
        version: SCHEMA,
        build: build.clone(),
        policy: policy.header,
        about,
        first_answer: first_answer.clone(),
        rows: rows.clone(),
    };
    let unchanged = !dry_run && {
        let parent = folder.parent().unwrap_or(Path::new("."));
        let _lock = files::lock(parent, LOCK)?;
        folder::write(folder, &served, &audit)?
    };
    let report = Report {
        schema: SCHEMA,
        folder: folder.display().to_string(),
        build,
        unchanged,
        files,
        sizes,
        first_answer,
        limits: judged.iter().map(record).collect(),
        rows,
    };
    let breaches = judged.into_iter();
    Ok(Bundled {
        report,
        breaches: breaches
            .filter(|(limit, actual)| *actual > limit.most)
            .collect(),
        settings,
    })
}

/// The files by their paths in the bundle, compressed, templates filled in.
fn served(plan: &Plan, build: &str, policy: &str) -> BTreeMap<String, Served> {
    let files = plan.files.iter();
    let files = files.map(|(path, bytes)| (format!("{build}/{path}"), bytes.clone()));
    let root = plan.root.iter().map(|(path, bytes)| {
        let text = String::from_utf8_lossy(bytes);
        let filled = contents::filled(&text, build, policy);
        (path.clone(), filled.into_bytes())
    });
    let all = files.chain(root);
    all.map(|(path, bytes)| (path, Served::new(bytes)))
        .collect()
}

fn record((limit, actual): &(Limit, u64)) -> LimitRecord {
    LimitRecord {
        measure: limit.measure.key().to_owned(),
        unit: limit.measure.unit(),
        limit: limit.most,
        actual: *actual,
    }
}

/// Who opens the page sees the lightest first, unless somebody has decided otherwise.
fn in_order(plan: &Plan, answers: &[FirstAnswer]) -> Result<()> {
    let manifest = &plan.manifest;
    let least = answers.iter().min_by_key(|one| one.sizes.brotli);
    let (Some(first), Some(least)) = (answers.first(), least) else {
        return Ok(());
    };
    if manifest.is_chosen || first.sizes.brotli == least.sizes.brotli {
        return Ok(());
    }
    let (is, other) = (
        crate::size::bytes(first.sizes.brotli),
        crate::size::bytes(least.sizes.brotli),
    );
    let (name, lighter) = (&first.example, &least.example);
    let span = manifest.examples[0].span.clone();
    Err(Error::Manifest(vec![Diagnostic {
        code: code::CONFLICT,
        message: format!("`{name}` is first, and `{lighter}` is lighter"),
        label: format!("{is} bytes before it answers; `{lighter}` takes {other}"),
        help: vec![format!(
            "put `{lighter}` first, or say \"default\": \"{name}\""
        )],
        ..Diagnostic::at(&manifest.file, &manifest.source, span)
    }]))
}

#[cfg(test)]
mod tests;
