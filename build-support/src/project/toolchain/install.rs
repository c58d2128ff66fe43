//! The two things that may be installed, each by its own tool. What is allowed was decided before.

use crate::error::Result;
use crate::system::{files, process};
use std::path::Path;

/// Adds `target` to rustup's `toolchain`.
///
/// # Errors
/// [`Error::Process`] where rustup fails.
pub fn target(rustup: &Path, toolchain: &str, target: &str) -> Result<()> {
    process::run(process::command(rustup).args(["target", "add", "--toolchain", toolchain, target]))
}

/// Installs the distribution's `packages`. Runs on one machine wait for each other.
///
/// # Errors
/// [`Error::Process`] where apt-get fails, [`Error::Io`] where the lock cannot be had.
pub fn packages(packages: &[&str]) -> Result<()> {
    let _lock = files::lock(&std::env::temp_dir(), "build-support.apt.lock")?;
    process::run(apt_get().arg("update"))?;
    let mut install = apt_get();
    install.args(["install", "-y", "--no-install-recommends"]);
    process::run(install.args(packages))
}

fn apt_get() -> std::process::Command {
    let mut command = process::command("apt-get");
    command
        .args(["-q", "-o", "DPkg::Lock::Timeout=600"])
        .env("DEBIAN_FRONTEND", "noninteractive");
    command
}
