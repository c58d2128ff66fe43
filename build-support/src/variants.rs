//! The agent's files, as they are measured: what is shipped for each target, and that again pre-initialised.

use crate::agent::preinit;
use crate::agent::transcript::Transcript;
use crate::error::{Error, Result};
use crate::ops::ship::Shipped;
use crate::project::listener::Listener;
use crate::project::package::{Features, Package};
use crate::report::Report;
use crate::system::files;
use crate::wasm::artifact::{self, Artifact};
use std::path::PathBuf;

/// One target's files.
pub struct Variants {
    /// The target's triple.
    pub target: String,
    /// What is shipped, and everything that was found on the way.
    pub shipped: Shipped,
    /// The same file after `init`, with the transcript's configuration.
    pub preinit: PathBuf,
}

/// A file of them.
pub struct Variant {
    /// What it is called in a table.
    pub label: String,
    /// Where it is.
    pub file: PathBuf,
    /// Whether `init` was called when it was made.
    pub initialised: bool,
    /// The linked file it was made from; none for the pre-initialised one, which was made from the shipped one.
    pub linked: Option<PathBuf>,
}

impl Variants {
    /// Both.
    pub fn files(&self) -> [Variant; 2] {
        [
            Variant {
                label: self.target.clone(),
                file: self.shipped.files.shipped.clone(),
                initialised: false,
                linked: Some(self.shipped.files.linked.clone()),
            },
            Variant {
                label: format!("{}, pre-initialised", self.target),
                file: self.preinit.clone(),
                initialised: true,
                linked: None,
            },
        ]
    }

    /// What was found of the shipped file.
    pub fn report(&self) -> &Report {
        &self.shipped.report
    }
}

/// Builds each of the targets of `package` as it is shipped, which costs little where nothing changed. Whether they are
/// within budget is no matter here.
///
/// # Errors
/// As [`Package::ship`], and [`Error::Toolchain`] where the package names no targets.
pub fn shipped(package: &Package, listener: &mut dyn Listener) -> Result<Vec<(String, Shipped)>> {
    if package.targets.is_empty() {
        return Err(Error::Toolchain {
            message: format!("{}: it names no targets", package.manifest.display()),
            help: "add `targets = [\"wasm32-wasip2\"]` to [package.metadata.budget]".to_owned(),
        });
    }
    let ship = |target: &String| {
        let folder = package.outputs(target);
        let shipped = package.ship(target, &Features::default(), &folder, listener)?;
        Ok((target.clone(), shipped))
    };
    package.targets.iter().map(ship).collect()
}

/// Both files for each of the targets of `package`.
///
/// # Errors
/// As [`shipped`] and [`preinit::run`].
pub fn make(
    package: &Package,
    transcript: &Transcript,
    listener: &mut dyn Listener,
) -> Result<Vec<Variants>> {
    let mut all = Vec::new();
    for (target, shipped) in self::shipped(package, listener)? {
        let file = &shipped.files.shipped;
        listener.stage("preinit");
        let ready = preinit::run(file, &Artifact::read(file)?, &transcript.config())?;
        let preinit = preinit::beside(file);
        files::write_atomic(&preinit, ready.bytes())?;
        all.push(Variants {
            target,
            shipped,
            preinit,
        });
    }
    Ok(all)
}
