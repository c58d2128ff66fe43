//! `cargo budget watch`: builds, gates, and says what changed, whenever a file of the workspace is
//! saved.

use crate::cli::ended::{self, Ended};
use crate::cli::{build, diff};
use crate::system::streams;
use clap::Args;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// How long a change has to be over before it is built, and how often it is looked for.
const PAUSE: Duration = Duration::from_millis(250);

/// Build, judge and compare with the build before, whenever a file is saved
#[derive(Args)]
#[command(after_help = "\
Every file of the workspace counts but what is in target and in folders whose names begin with a dot. A build that fails
is told, and the next one is compared with the last that did not. Ends with Ctrl-C.
Examples:
  build-support watch
  build-support watch --target wasm32-wasip1 --features fast")]
pub struct Opts {
    #[command(flatten)]
    build: build::Opts,
}

/// What the files were when they were looked at.
type Seen = BTreeMap<PathBuf, (Option<SystemTime>, u64)>;

/// Runs the subcommand.
pub fn run(opts: &Opts) -> anyhow::Result<Ended> {
    let (package, report) = opts.build.report()?;
    let folder = tempfile::tempdir()?;
    let before = folder.path().join("report.json");
    loop {
        let seen = look(&package.root, &package.target_dir);
        if report.is_file() {
            std::fs::copy(&report, &before)?;
        }
        match build::run(&opts.build) {
            Ok(_) if before.is_file() => {
                diff::run(&diff::Opts::between(before.clone(), report.clone()))?;
            }
            Ok(_) => {}
            Err(error) => ended::complain(&error),
        }
        streams::say(&format!("watching {}", package.root.display()));
        changed(&seen, &package.root, &package.target_dir);
    }
}

/// Waits for a change, and until it is over.
fn changed(seen: &Seen, root: &Path, target: &Path) {
    let mut last = look(root, target);
    loop {
        std::thread::sleep(PAUSE);
        let now = look(root, target);
        if now != *seen && now == last {
            return;
        }
        last = now;
    }
}

/// Every file below `root` that may be a source.
fn look(root: &Path, target: &Path) -> Seen {
    let mut seen = Seen::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
        for entry in entries {
            let path = entry.path();
            let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
            let Ok(about) = entry.metadata() else {
                continue;
            };
            if is_hidden || path == target {
                continue;
            }
            if about.is_dir() {
                folders.push(path);
            } else if path.file_name().is_some_and(|name| name != "baseline.json") {
                seen.insert(path, (about.modified().ok(), about.len()));
            }
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::look;

    /// Protects from building for ever: what a build writes is no change, and a save is one.
    #[test]
    fn what_is_built_is_not_watched() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let write = |name: &str, text: &str| {
            let path = root.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("src/lib.rs", "one");
        write("Cargo.toml", "");
        let target = root.join("target");
        let before = look(root, &target);
        assert_eq!(before.len(), 2);
        write("target/debug/app", "");
        write(".git/index", "");
        assert_eq!(look(root, &target), before);
        write("src/lib.rs", "three");
        assert_ne!(look(root, &target), before);
    }
}
