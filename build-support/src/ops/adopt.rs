//! A budget for a package that has none: what it weighs now, and a margin, written into its
//! manifest. What `cargo budget init` does.
//!
//! The package is built first, as it will be built with the budget, and only then is anything
//! written; the package's manifest comes last. So nothing is half there: a profile without a budget
//! changes nothing. [`choice`] finds package and targets, [`manifest`] changes the text.

pub mod manifest;
mod margin;

use crate::config::{self, Config, Limit, Measure, WasmBindgen};
use crate::error::{Error, Result};
use crate::measure::sizes;
use crate::ops::build::{self, Road};
use crate::ops::wasm_bindgen;
use crate::project::compile;
use crate::project::listener::Listener;
use crate::project::package::{Package, Wanted};
use crate::project::{choice, toolchain};
use crate::report::{Size, Sizes};
use crate::system::{calling, files};
use crate::wasm::artifact::{Artifact, FileKind};
use crate::wasm::bindgen;
use manifest::{Manifest, Placed};
pub use margin::Margin;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The profile that is added where the workspace has none for size.
pub const PROFILE: &str = "release-wasm";

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The package; the only one that makes a wasm file where there is none.
    pub package: Option<String>,
    /// The targets; found by the project's own signs where there are none.
    pub targets: Vec<String>,
    /// What is built, and how; it is written down, too.
    pub wanted: Wanted,
    /// The profile; [`PROFILE`] where there is none.
    pub profile: Option<String>,
    /// A file of the package that something else has built, to be measured instead of a build.
    pub from: Option<PathBuf>,
    /// What the limits are above the sizes.
    pub margin: Margin,
    /// Whether the limits of a budget that is there are to be written anew.
    pub force: bool,
}

/// What was done.
pub struct Adopted {
    /// The package.
    pub package: String,
    /// Its manifest, which was changed.
    pub manifest: PathBuf,
    /// The workspace's manifest, if the profile was added to it.
    pub profile_added_to: Option<PathBuf>,
    /// The profile it is built with.
    pub profile: String,
    /// What it weighs, by target, and where the files are.
    pub built: Vec<Built>,
    /// What was written, as it stands in the package's manifest now; none where only limits were
    /// rewritten.
    pub written: Option<String>,
    /// How many limits were rewritten.
    pub rewritten: usize,
}

/// What the package is for one target.
pub struct Built {
    /// The target.
    pub target: String,
    /// What it is.
    pub kind: FileKind,
    /// What it weighs.
    pub sizes: Sizes,
    /// The functions whose panics lost their messages.
    pub snipped: usize,
    /// Whether wasm-bindgen makes it of what is linked.
    pub is_bound: bool,
}

/// Builds the package and gives it a budget.
///
/// # Errors
/// [`Error::Toolchain`] where it is not clear what is meant, [`Error::Input`] where there is a
/// budget already, and what a build reports. Nothing is written then.
pub fn run(request: &Request, listener: &mut dyn Listener) -> Result<Adopted> {
    let package = choice::package(request.package.as_deref())?;
    let own = Manifest::read(&package.manifest)?;
    // Before minutes go into a build.
    files::can_write(&package.manifest)?;
    files::can_write(&package.root.join("Cargo.toml"))?;
    match (own.has_budget(), request.force) {
        (true, false) => Err(Error::input(
            &package.manifest,
            "there is a [package.metadata.budget] already",
            format!(
                "`{}` builds with it; `{} --force` writes its limits anew from the present size, and nothing else in it",
                calling::call("build"),
                calling::budget("init")
            ),
        )),
        (true, true) => renew(&package, own, request, listener),
        (false, _) => found(&package, own, request, listener),
    }
}

/// A budget where there is none.
fn found(
    package: &Package,
    own: Manifest,
    request: &Request,
    listener: &mut dyn Listener,
) -> Result<Adopted> {
    let targets = choice::targets(package, &request.targets)?;
    let root = package.root.join("Cargo.toml");
    let one_file = root == package.manifest;
    let root = if one_file {
        own.clone()
    } else {
        Manifest::read(&root)?
    };
    let profile = request
        .profile
        .clone()
        .unwrap_or_else(|| PROFILE.to_owned());
    let known = manifest::is_built_in(&profile) || root.has_profile(&profile);
    if !known && request.profile.is_some() {
        return Err(Error::toolchain(
            format!(
                "there is no profile `{profile}` in {}",
                root.path().display()
            ),
            format!("leave --profile out: `{PROFILE}`, for size, is added then"),
        ));
    }
    let settings = if known {
        Vec::new()
    } else {
        manifest::profile_settings(&profile)
    };
    let empty = own.with(&manifest::head(&profile, &targets, &request.wanted))?;
    let mut built = Vec::new();
    refuse_several(request, &targets)?;
    for target in &targets {
        let config = config::parse(&package.manifest, empty.text(), target)?;
        built.push(make(package, request, &config, settings.clone(), listener)?);
    }
    let mut written = manifest::head(&profile, &targets, &request.wanted);
    if built.iter().any(|built| built.is_bound) {
        written.push_str(&manifest::wasm_bindgen());
    }
    written.push_str(&limits(&built, request.margin));
    let profile_added_to = (!known).then(|| root.path().to_owned());
    if known {
        own.with(&written)?.save()?;
    } else {
        let root = root.with(&manifest::profile(&profile))?;
        // Both texts are right before either is written.
        if one_file {
            root.with(&written)?.save()?;
        } else {
            let own = own.with(&written)?;
            root.save()?;
            own.save()?;
        }
    }
    Ok(Adopted {
        package: package.name.clone(),
        manifest: package.manifest.clone(),
        profile_added_to,
        profile,
        built,
        written: Some(written),
        rewritten: 0,
    })
}

/// New limits where there is a budget. One that holds for several targets is set by the largest of
/// them.
fn renew(
    package: &Package,
    own: Manifest,
    request: &Request,
    listener: &mut dyn Listener,
) -> Result<Adopted> {
    let targets = match (package.targets.as_slice(), request.targets.as_slice()) {
        ([], given) => choice::targets(package, given)?,
        (own, []) => own.to_vec(),
        (_, given) => given.to_vec(),
    };
    refuse_several(request, &targets)?;
    let mut places: BTreeMap<usize, Placed> = BTreeMap::new();
    let (mut built, mut profile) = (Vec::new(), String::new());
    for target in &targets {
        let config = config::parse(&package.manifest, own.text(), target)?;
        profile.clone_from(&config.profile);
        let made = make(package, request, &config, Vec::new(), listener)?;
        for limit in config.limits.iter() {
            // What else is limited is no matter of a margin.
            let Measure::Size(size) = limit.measure else {
                continue;
            };
            let bytes = request.margin.above(made.sizes.get(size));
            let place = places.entry(limit.span.start).or_insert(Placed {
                span: limit.span.clone(),
                bytes,
            });
            place.bytes = place.bytes.max(bytes);
        }
        built.push(made);
    }
    let places: Vec<_> = places.into_values().collect();
    let (changed, written) = if places.is_empty() {
        let text = limits(&built, request.margin);
        (own.with(&text)?, Some(text))
    } else {
        (own.replaced(&places)?, None)
    };
    changed.save()?;
    Ok(Adopted {
        package: package.name.clone(),
        manifest: package.manifest.clone(),
        profile_added_to: None,
        profile,
        built,
        written,
        rewritten: places.len(),
    })
}

/// One file is of one target.
fn refuse_several(request: &Request, targets: &[String]) -> Result<()> {
    let (Some(file), 2..) = (&request.from, targets.len()) else {
        return Ok(());
    };
    Err(Error::toolchain(
        format!(
            "{} is of one target, and these are {}",
            file.display(),
            targets.join(", ")
        ),
        "say with --target which",
    ))
}

fn make(
    package: &Package,
    request: &Request,
    config: &Config,
    settings: Vec<String>,
    listener: &mut dyn Listener,
) -> Result<Built> {
    if let Some(file) = &request.from {
        let artifact = Artifact::read(file)?;
        refuse_input_of_wasm_bindgen(package, file, artifact.bytes())?;
        return Ok(Built {
            target: config.target.clone(),
            kind: artifact.kind(),
            sizes: sizes::run(artifact.bytes()),
            snipped: 0,
            is_bound: false,
        });
    }
    wasm_bindgen::look(config, &package.root)?;
    let toolchain = toolchain::find(&config.target, &mut |line| listener.say(line))?;
    let mut with_settings = compile::Request::new(package, config, &request.wanted);
    with_settings.settings.extend(settings);
    let linked = compile::run(&with_settings, &toolchain, listener)?;
    let folder = package.outputs(&config.target);
    // As it is built afterwards: what has a limit counts in what is kept, and will have one.
    let mut limited = config.clone();
    if config.limits.iter().next().is_none() {
        for size in Size::ALL {
            limited.limits.set(Limit {
                most: u64::MAX,
                span: 0..0,
                measure: Measure::Size(size),
            });
        }
    }
    let is_bound = bindgen::is_input(&linked.bytes);
    if is_bound {
        limited
            .wasm_bindgen
            .get_or_insert_with(WasmBindgen::default);
        wasm_bindgen::find(&limited, &package.root, "").map_err(or_from)?;
    }
    let road = Road::new(package, &limited, &folder);
    let shipped = build::ship(&road, linked, listener)?;
    Ok(Built {
        target: config.target.clone(),
        kind: shipped.report.kind,
        sizes: shipped.report.sizes,
        snipped: shipped.report.snipped.len(),
        is_bound,
    })
}

/// Something else may run wasm-bindgen for the package.
fn or_from(error: Error) -> Error {
    match error {
        Error::Toolchain { message, help } => Error::Toolchain {
            message,
            help: format!(
                "{help}; or, where wasm-pack runs it: {} --from pkg/app_bg.wasm",
                calling::budget("init")
            ),
        },
        error => error,
    }
}

/// A limit is on what is shipped.
fn refuse_input_of_wasm_bindgen(package: &Package, file: &Path, bytes: &[u8]) -> Result<()> {
    if !bindgen::is_input(bytes) {
        return Ok(());
    }
    Err(Error::input(
        file,
        format!(
            "`{}` is not shipped as this file: wasm-bindgen reads it and makes another",
            package.name
        ),
        format!(
            "run wasm-bindgen (or wasm-pack) on it, then `{} pkg/app_bg.wasm -o pkg/app_bg.wasm` and `{} --from pkg/app_bg.wasm`",
            calling::call("optimize"),
            calling::budget("init")
        ),
    ))
}

/// The tables of limits for what was built.
fn limits(built: &[Built], margin: Margin) -> String {
    let limits = built.iter().map(|built| {
        let above = Size::ALL.map(|size| (size.name(), margin.above(built.sizes.get(size))));
        (built.target.as_str(), above)
    });
    manifest::limits(&limits.collect::<Vec<_>>(), &margin.to_string())
}
