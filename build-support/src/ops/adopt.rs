//! A budget for a package that has none: what it weighs now, and a margin, written into its manifest. What
//! `cargo budget init` does.
//!
//! The package is built first, as it will be built with the budget, and only then is anything written; the package's
//! manifest comes last. So nothing is half there: a profile without a budget changes nothing. [`choice`] finds
//! package and targets, [`manifest`] changes the text.

pub mod manifest;

use crate::config::{self, Config, Measure};
use crate::error::{Error, Result};
use crate::measure::sizes;
use crate::ops::build::{self, Road};
use crate::ops::newer_wasm_opt;
use crate::project::compile::{self, Request};
use crate::project::listener::Listener;
use crate::project::package::{Features, Package};
use crate::project::{choice, toolchain};
use crate::report::{Size, Sizes};
use crate::wasm::artifact::{Artifact, Kind};
use crate::wasm::bindgen;
use manifest::{Manifest, Placed};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The profile that is added where the workspace has none for size.
pub const PROFILE: &str = "release-wasm";

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// The package; the only one that makes a wasm file where there is none.
    pub package: Option<String>,
    /// The targets; found by the project's own signs where there are none.
    pub targets: Vec<String>,
    /// The profile; [`PROFILE`] where there is none.
    pub profile: Option<String>,
    /// A file of the package that something else has built, to be measured instead of a build.
    pub from: Option<PathBuf>,
    /// What the limits are above the sizes.
    pub margin: Margin,
    /// Whether the limits of a budget that is there are to be written anew.
    pub force: bool,
}

/// A share of a size, in thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Margin(u64);

impl Default for Margin {
    fn default() -> Self {
        Self(30)
    }
}

impl std::str::FromStr for Margin {
    type Err = String;

    /// `3%`, `2.5%` or `3`.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is no margin: write a percentage from 0% to 1000%, such as 3% or 2.5%"
            )
        };
        let number = text.trim().trim_end_matches('%').trim_end();
        let (whole, tenth) = number.split_once('.').unwrap_or((number, "0"));
        let is_number = |digits: &str, most| {
            (1..=most).contains(&digits.len()) && digits.bytes().all(|d| d.is_ascii_digit())
        };
        if !is_number(whole, 4) || !is_number(tenth, 1) {
            return Err(wrong());
        }
        let whole: u64 = whole.parse().map_err(|_| wrong())?;
        let tenth: u64 = tenth.parse().map_err(|_| wrong())?;
        let thousandths = whole * 10 + tenth;
        (thousandths <= 10_000)
            .then_some(Self(thousandths))
            .ok_or_else(wrong)
    }
}

impl std::fmt::Display for Margin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 % 10 {
            0 => write!(f, "{}%", self.0 / 10),
            tenth => write!(f, "{}.{tenth}%", self.0 / 10),
        }
    }
}

impl Margin {
    /// The limit for something of that many bytes, rounded up.
    pub fn above(self, bytes: u64) -> u64 {
        let more = u128::from(bytes) * u128::from(self.0);
        bytes
            .saturating_add(u64::try_from(more.div_ceil(1000)).unwrap_or(u64::MAX))
            .max(1)
    }
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
    /// What was written, as it stands in the package's manifest now; none where only limits were rewritten.
    pub written: Option<String>,
    /// How many limits were rewritten.
    pub rewritten: usize,
}

/// What the package is for one target.
pub struct Built {
    /// The target.
    pub target: String,
    /// What it is.
    pub kind: Kind,
    /// What it weighs.
    pub sizes: Sizes,
}

/// Builds the package and gives it a budget.
///
/// # Errors
/// [`Error::Toolchain`] where it is not clear what is meant, [`Error::Input`] where there is a budget already, and what
/// a build reports. Nothing is written then.
pub fn run(wish: &Wish, listener: &mut dyn Listener) -> Result<Adopted> {
    let package = choice::package(wish.package.as_deref())?;
    let own = Manifest::read(&package.manifest)?;
    match (own.has_budget(), wish.force) {
        (true, false) => Err(Error::Input {
            file: package.manifest.clone(),
            offset: None,
            message: "there is a [package.metadata.budget] already".to_owned(),
            help: "`cargo budget build` builds with it; `cargo budget init --force` writes its limits anew from the present size, and \
                   nothing else in it".to_owned(),
        }),
        (true, true) => renew(&package, own, wish, listener),
        (false, _) => found(&package, own, wish, listener),
    }
}

/// A budget where there is none.
fn found(
    package: &Package,
    own: Manifest,
    wish: &Wish,
    listener: &mut dyn Listener,
) -> Result<Adopted> {
    let targets = choice::targets(package, &wish.targets)?;
    let root = package.root.join("Cargo.toml");
    let one_file = root == package.manifest;
    let root = if one_file {
        own.clone()
    } else {
        Manifest::read(&root)?
    };
    let profile = wish.profile.clone().unwrap_or_else(|| PROFILE.to_owned());
    let known = manifest::is_built_in(&profile) || root.has_profile(&profile);
    if !known && wish.profile.is_some() {
        return Err(Error::Toolchain {
            message: format!(
                "there is no profile `{profile}` in {}",
                root.path().display()
            ),
            help: format!("leave --profile out: `{PROFILE}`, for size, is added then"),
        });
    }
    let settings = if known {
        Vec::new()
    } else {
        manifest::profile_settings(&profile)
    };
    let empty = own.with(&manifest::head(&profile, &targets))?;
    let mut built = Vec::new();
    refuse_several(wish, &targets)?;
    for target in &targets {
        let config = config::parse(&package.manifest, empty.text(), target)?;
        built.push(make(package, wish, &config, settings.clone(), listener)?);
    }
    let sizes: Vec<_> = built
        .iter()
        .map(|b| (b.target.as_str(), limits(b.sizes, wish.margin)))
        .collect();
    let written =
        manifest::head(&profile, &targets) + &manifest::limits(&sizes, &wish.margin.to_string());
    let profile_added_to = (!known).then(|| root.path().to_owned());
    if known {
        own.with(&written)?.save()?;
    } else if one_file {
        own.with(&manifest::profile(&profile))?
            .with(&written)?
            .save()?;
    } else {
        // Both texts are right before either is written.
        let (root, own) = (
            root.with(&manifest::profile(&profile))?,
            own.with(&written)?,
        );
        root.save()?;
        own.save()?;
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

/// New limits where there is a budget. One that holds for several targets has room for the largest of them.
fn renew(
    package: &Package,
    own: Manifest,
    wish: &Wish,
    listener: &mut dyn Listener,
) -> Result<Adopted> {
    let targets = match (package.targets.as_slice(), wish.targets.as_slice()) {
        ([], given) => choice::targets(package, given)?,
        (own, []) => own.to_vec(),
        (_, given) => given.to_vec(),
    };
    refuse_several(wish, &targets)?;
    let mut places: BTreeMap<usize, Placed> = BTreeMap::new();
    let (mut built, mut profile) = (Vec::new(), String::new());
    for target in &targets {
        let config = config::parse(&package.manifest, own.text(), target)?;
        profile.clone_from(&config.profile);
        let made = make(package, wish, &config, Vec::new(), listener)?;
        for limit in config.limits.iter() {
            // What else is limited is no matter of a margin.
            let Measure::Size(size) = limit.measure else {
                continue;
            };
            let bytes = wish.margin.above(made.sizes.get(size));
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
        let sizes: Vec<_> = built
            .iter()
            .map(|b| (b.target.as_str(), limits(b.sizes, wish.margin)))
            .collect();
        let text = manifest::limits(&sizes, &wish.margin.to_string());
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
fn refuse_several(wish: &Wish, targets: &[String]) -> Result<()> {
    match (&wish.from, targets.len()) {
        (Some(file), 2..) => Err(Error::Toolchain {
            message: format!(
                "{} is of one target, and these are {}",
                file.display(),
                targets.join(", ")
            ),
            help: "say with --target which".to_owned(),
        }),
        _ => Ok(()),
    }
}

fn make(
    package: &Package,
    wish: &Wish,
    config: &Config,
    settings: Vec<String>,
    listener: &mut dyn Listener,
) -> Result<Built> {
    if let Some(file) = &wish.from {
        let artifact = Artifact::read(file)?;
        refuse_input_of_wasm_bindgen(package, file, artifact.bytes())?;
        return Ok(Built {
            target: config.target.clone(),
            kind: artifact.kind(),
            sizes: sizes::run(artifact.bytes()),
        });
    }
    let toolchain = toolchain::find(&config.target, &mut |line| listener.say(line))?;
    let request = Request {
        settings,
        ..Request::new(package, config, &Features::default())
    };
    let linked = compile::run(&request, &toolchain, listener)?;
    let newer = newer_wasm_opt::find();
    let folder = package.outputs(&config.target);
    let road = Road {
        package,
        config,
        folder: &folder,
        newer: newer.as_ref(),
    };
    let shipped = build::ship(&road, linked, listener)?;
    refuse_input_of_wasm_bindgen(package, &shipped.files.shipped, &shipped.bytes)?;
    Ok(Built {
        target: config.target.clone(),
        kind: shipped.report.kind,
        sizes: shipped.report.sizes,
    })
}

/// A limit is on what is shipped.
fn refuse_input_of_wasm_bindgen(package: &Package, file: &Path, bytes: &[u8]) -> Result<()> {
    if !bindgen::is_input(bytes) {
        return Ok(());
    }
    Err(Error::Input {
        file: file.to_owned(),
        offset: None,
        message: format!("`{}` is not shipped as this file: wasm-bindgen reads it and makes another", package.name),
        help: "run wasm-bindgen (or wasm-pack) on it, then `cargo budget optimize pkg/app_bg.wasm -o pkg/app_bg.wasm` and \
               `cargo budget init --from pkg/app_bg.wasm`".to_owned(),
    })
}

/// The limits for `sizes`.
fn limits(sizes: Sizes, margin: Margin) -> manifest::Limits {
    Size::ALL.map(|size| (size.name(), margin.above(sizes.get(size))))
}

#[cfg(test)]
mod tests {
    use super::Margin;

    /// Protects the limits that are written: a margin is what it says, and never rounds a limit below the size.
    #[test]
    fn a_margin_is_a_percentage() {
        let cases = [
            ("3%", 1_000, 1_030),
            ("3", 1_001, 1_032),
            ("2.5 %", 1_000, 1_025),
            ("0%", 7, 7),
            ("1000%", 2, 22),
        ];
        for (text, bytes, limit) in cases {
            assert_eq!(
                text.parse::<Margin>().unwrap().above(bytes),
                limit,
                "{text}"
            );
        }
        assert_eq!(Margin::default().to_string(), "3%");
        assert_eq!("2.5%".parse::<Margin>().unwrap().to_string(), "2.5%");
        assert_eq!(Margin::default().above(u64::MAX), u64::MAX);
        for text in [
            "",
            "%",
            "-3%",
            "3.25%",
            "1001%",
            "three",
            "99999999999999999999%",
            "3.%",
        ] {
            assert!(text.parse::<Margin>().is_err(), "{text}");
        }
    }
}
