//! How long a clean build of the shipped file takes, beside the same of an earlier commit (NFR-07).
//! Both are built in turn in folders of their own on one machine, so that what is compared is a
//! ratio: a time by itself tells as much of the machine.

use build_support::error::{Error, Result};
use build_support::project::package::Package;
use build_support::system::process;
use serde::Serialize;
use std::path::Path;
use std::time::Instant;

/// How many times as long it may take.
pub const MOST: f64 = 1.2;

/// What was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BuildTime {
    /// The target.
    pub target: String,
    /// The commit that it is compared with.
    pub against: String,
    /// Each clean build of what is checked out, in milliseconds.
    pub here_ms: Vec<u64>,
    /// The same of the other commit.
    pub there_ms: Vec<u64>,
    /// The shortest here in relation to the shortest there: what others do to a machine only adds.
    pub ratio: f64,
    /// What the ratio may be.
    pub most: f64,
}

impl BuildTime {
    fn new(target: &str, against: &str, [here_ms, there_ms]: [Vec<u64>; 2]) -> Self {
        let least = |times: &[u64]| times.iter().min().copied();
        let ratio = match (least(&here_ms), least(&there_ms)) {
            (Some(here), Some(there)) if there > 0 => here as f64 / there as f64,
            _ => f64::NAN,
        };
        Self {
            target: target.to_owned(),
            against: against.to_owned(),
            here_ms,
            there_ms,
            ratio,
            most: MOST,
        }
    }

    /// Whether the ratio is there and no more than it may be.
    pub fn is_within(&self) -> bool {
        self.ratio <= self.most
    }
}

/// Builds `package` for its first target `runs` times over with `tool`, and `against` as often.
///
/// # Errors
/// [`Error::Process`] where git or a build fails, [`Error::Toolchain`] for a package without a
/// target.
pub fn run(
    package: &Package,
    tool: &Path,
    against: &str,
    runs: u32,
    progress: &mut dyn FnMut(&str),
) -> Result<BuildTime> {
    let target = package.targets.first().ok_or_else(|| {
        Error::toolchain(
            "the package names no target",
            "write `targets` in its budget",
        )
    })?;
    let commit = git(
        &package.root,
        &["rev-parse", "--verify", &format!("{against}^{{commit}}")],
    )?;
    let scratch = tempfile::tempdir().map_err(Error::io("creating", &std::env::temp_dir()))?;
    let other = scratch.path().join("against");
    let other_text = other.display().to_string();
    git(
        &package.root,
        &["worktree", "add", "--detach", &other_text, &commit],
    )?;
    let mut all = [Vec::new(), Vec::new()];
    let mut built = Ok(());
    'runs: for turn in 0..runs {
        for (which, root) in [package.root.as_path(), &other].into_iter().enumerate() {
            progress(&format!(
                "clean build {} of {}",
                2 * turn + which as u32 + 1,
                2 * runs
            ));
            let folder = scratch.path().join("target");
            match clean_build(package, tool, root, &folder, target) {
                Ok(millis) => all[which].push(millis),
                Err(error) => {
                    built = Err(error);
                    break 'runs;
                }
            }
            std::fs::remove_dir_all(&folder).map_err(Error::io("removing", &folder))?;
        }
    }
    // Whatever came of it, git must not remember a folder that is gone.
    git(
        &package.root,
        &["worktree", "remove", "--force", &other_text],
    )?;
    built?;
    Ok(BuildTime::new(target, &commit, all))
}

/// From an empty folder to the shipped file, in milliseconds.
pub(crate) fn clean_build(
    package: &Package,
    tool: &Path,
    root: &Path,
    folder: &Path,
    target: &str,
) -> Result<u64> {
    let mut build = process::command(tool);
    build
        .args(["build", "--target", target, "--package", &package.name])
        .arg("--json")
        .current_dir(root)
        .env("CARGO_TARGET_DIR", folder);
    let start = Instant::now();
    process::output(&mut build)?;
    Ok(u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX))
}

fn git(root: &Path, args: &[&str]) -> Result<String> {
    let mut git = process::command("git");
    let said = process::output(git.arg("-C").arg(root).args(args))?;
    Ok(said.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::BuildTime;

    /// Protects NFR-07: a fifth more is within, anything above is not, and nothing is no pass.
    #[test]
    fn a_fifth_more_is_the_edge() {
        let within = |here: &[u64], there: &[u64]| {
            BuildTime::new("t", "c", [here.to_vec(), there.to_vec()]).is_within()
        };
        assert!(within(&[1_200, 9_000], &[5_000, 1_000]));
        assert!(!within(&[1_201], &[1_000]));
        assert!(!within(&[], &[1_000]) && !within(&[1_000], &[]) && !within(&[0], &[0]));
    }
}
