//! The agent's files, as they are measured: what is shipped for each target, and that again
//! pre-initialised.

use crate::transcript::Transcript;
use build_support::agent::preinit;
use build_support::error::Result;
use build_support::ops::build;
use build_support::ops::ship::Shipped;
use build_support::project::listener::Listener;
use build_support::project::package::{Package, Wanted};
use build_support::report::Report;
use build_support::system::files;
use build_support::wasm::artifact::Artifact;
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
    /// The linked file it was made from; none for the pre-initialised one, which was made from the
    /// shipped one.
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

/// Both files for each of the targets of `package`.
///
/// # Errors
/// As [`build::shipped`] and [`preinit::run`].
pub fn make(
    package: &Package,
    transcript: &Transcript,
    listener: &mut dyn Listener,
) -> Result<Vec<Variants>> {
    let mut all = Vec::new();
    for (target, shipped) in build::shipped(package, &Wanted::default(), listener)? {
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
