//! Builds `weft` as it would be shipped, in as many ways as are compared, in a folder of its own.

use build_support::error::Result;
use build_support::project::package::Package;
use build_support::system::process;
use std::ffi::OsString;
use std::path::PathBuf;

/// The package, and its program.
pub const PACKAGE: &str = "clawft-cli";
const PROGRAM: &str = "weft";

/// A way of building it.
#[derive(Debug, Clone, Default)]
pub struct Build {
    /// cargo's profile.
    pub profile: String,
    /// Flags of the compiler, for what ends up in the program alone.
    pub flags: Vec<OsString>,
    /// Whether symbols stay.
    pub symbols: bool,
}

impl Build {
    /// With the profile of this name, without symbols.
    pub fn of(profile: &str) -> Self {
        Self {
            profile: profile.to_owned(),
            ..Self::default()
        }
    }

    /// The same with `flag` for the compiler.
    #[must_use]
    pub fn with(mut self, flag: impl Into<OsString>) -> Self {
        self.flags.push(flag.into());
        self
    }
}

/// Builds the program in the workspace of `package`, for the target `host`, and gives where it is.
/// `folder` is below the target folder; an empty one makes the build a clean one. The program is
/// the one without an engine: `--wasm` is no part of it.
///
/// # Errors
/// [`Error::Process`](build_support::error::Error::Process) where cargo fails.
pub fn build(package: &Package, host: &str, folder: &str, build: &Build) -> Result<PathBuf> {
    let folder = package.target_dir.join(folder);
    let strip = if build.symbols { "none" } else { "symbols" };
    let profile = &build.profile;
    let mut flags = std::env::var_os("RUSTFLAGS").unwrap_or_default();
    for flag in &build.flags {
        flags.push(" ");
        flags.push(flag);
    }
    let mut cargo = process::cargo("cargo");
    cargo
        .args(["build", "--quiet", "--package", PACKAGE])
        .args(["--bin", PROGRAM, "--no-default-features"])
        // With a target, flags are not for what runs while it is built.
        .args(["--profile", profile, "--target", host])
        .args(["--config", &format!("profile.{profile}.strip=\"{strip}\"")])
        .arg("--target-dir")
        .arg(&folder)
        .env("RUSTFLAGS", flags)
        .current_dir(&package.root);
    process::run(&mut cargo)?;
    let program = format!("{PROGRAM}{}", std::env::consts::EXE_SUFFIX);
    Ok(folder.join(host).join(profile).join(program))
}
