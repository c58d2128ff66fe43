//! Small projects of somebody else: packages in folders of their own, outside of every workspace.

use super::ended::{self, Ended};
use super::programs::{CARGO_BUDGET, TOOL};
use super::{sysroot, workspace};
use build_support::project::toolchain::Toolchain;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// A folder with a project, and the toolchain for it.
pub struct Project {
    pub root: PathBuf,
    /// One that has the target's standard library ready, so that none is compiled for each project.
    pub toolchain: Option<Toolchain>,
    /// Removes the folder at the end.
    _passing: Option<TempDir>,
}

impl Project {
    /// As nobody has built it yet, with these files. It stays below the target folder, to be looked
    /// at.
    pub fn kept(name: &str, target: &str, files: &[(&str, &str)]) -> Self {
        let root = workspace::scratch(name);
        if root.exists() {
            fs::remove_dir_all(&root).unwrap();
        }
        Self::with(root, None, files).for_target(target)
    }

    /// In one of the system's own folders, where no repository is around it, with the machine's
    /// toolchain.
    pub fn passing(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::with(folder.path().to_owned(), Some(folder), files)
    }

    fn with(root: PathBuf, passing: Option<TempDir>, files: &[(&str, &str)]) -> Self {
        let project = Self {
            root,
            toolchain: None,
            _passing: passing,
        };
        for (file, text) in files {
            project.write(file, text);
        }
        project
    }

    /// The same with a standard library for `target`.
    pub fn for_target(mut self, target: &str) -> Self {
        self.toolchain = Some(sysroot::installed(target));
        self
    }

    pub fn path(&self, file: &str) -> PathBuf {
        self.root.join(file)
    }

    pub fn write(&self, file: &str, text: &str) {
        let path = self.path(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn read(&self, file: &str) -> String {
        fs::read_to_string(self.path(file)).unwrap()
    }

    /// Changes a file where it says `from`.
    #[track_caller]
    pub fn edit(&self, file: &str, from: &str, to: &str) {
        let text = self.read(file);
        assert_eq!(text.matches(from).count(), 1, "{from:?} in {text}");
        self.write(file, &text.replacen(from, to, 1));
    }

    /// A file of the tool's last build.
    pub fn built(&self, target: &str, name: &str) -> PathBuf {
        self.path("target/budget").join(target).join(name)
    }

    /// The tool in the project's folder.
    pub fn tool(&self, args: &[&str]) -> Ended {
        Ended::of(self.command(TOOL).args(args))
    }

    /// `cargo-budget`, likewise.
    pub fn budget(&self, args: &[&str]) -> Ended {
        Ended::of(self.command(CARGO_BUDGET).args(args))
    }

    /// Cargo, with the tools on its path.
    pub fn cargo(&self, args: &[&str]) -> Ended {
        let cargo = self.toolchain.as_ref().map(|found| found.cargo.as_path());
        let mut cargo = self.command(cargo.unwrap_or(Path::new(env!("CARGO"))));
        let tools = Path::new(TOOL).parent().unwrap();
        Ended::of(cargo.args(args).env("PATH", path_with(tools)))
    }

    /// A program in the project's folder, with none of the user's settings for cargo.
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = ended::command(program, &self.root);
        if let Some(toolchain) = &self.toolchain {
            command.env("RUSTC", &toolchain.rustc);
        }
        for users in [
            "RUSTFLAGS",
            "CARGO_TARGET_DIR",
            "CARGO_BUILD_TARGET_DIR",
            "CARGO_BUILD_TARGET",
        ] {
            command.env_remove(users);
        }
        command
    }
}

/// `PATH` with `first` in front.
pub fn path_with(first: &Path) -> OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(first.to_owned()).chain(std::env::split_paths(&path));
    std::env::join_paths(folders).unwrap()
}
