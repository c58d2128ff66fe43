//! Projects of somebody else: outside of every workspace, nothing in them knows of this tool.

use build_support::project::toolchain::Toolchain;
use build_support::system::process;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder with a project, and the toolchain for it.
pub struct Project {
    pub root: PathBuf,
    toolchain: Toolchain,
}

impl Project {
    /// As nobody has built it yet, with these files.
    pub fn new(name: &str, toolchain: Toolchain, files: &[(&str, &str)]) -> Self {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join("adoption")
            .join(name);
        if root.exists() {
            fs::remove_dir_all(&root).unwrap();
        }
        let project = Self { root, toolchain };
        for (file, text) in files {
            project.write(file, text);
        }
        project
    }

    pub fn write(&self, file: &str, text: &str) {
        let path = self.root.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn read(&self, file: &str) -> String {
        fs::read_to_string(self.root.join(file)).unwrap()
    }

    /// Changes a file where it says `from`.
    #[track_caller]
    pub fn edit(&self, file: &str, from: &str, to: &str) {
        let text = self.read(file);
        assert_eq!(text.matches(from).count(), 1, "{from:?} in {text}");
        self.write(file, &text.replacen(from, to, 1));
    }

    /// A file of the last build.
    pub fn built(&self, target: &str, name: &str) -> PathBuf {
        self.root.join("target/budget").join(target).join(name)
    }

    /// `cargo-budget` in the project's folder.
    pub fn budget(&self, args: &[&str]) -> Output {
        self.command(Path::new(env!("CARGO_BIN_EXE_cargo-budget")))
            .args(args)
            .output()
            .unwrap()
    }

    /// The same by way of cargo.
    pub fn cargo_budget(&self, args: &[&str]) -> Output {
        let tools = Path::new(env!("CARGO_BIN_EXE_cargo-budget"))
            .parent()
            .unwrap();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(tools.to_owned()).chain(std::env::split_paths(&path));
        let mut cargo = self.command(Path::new(env!("CARGO")));
        cargo.env("PATH", std::env::join_paths(folders).unwrap());
        cargo.arg("budget").args(args).output().unwrap()
    }

    pub fn command(&self, program: &Path) -> Command {
        let mut command = process::cargo(program);
        command
            .current_dir(&self.root)
            .env("RUSTC", &self.toolchain.rustc)
            .env("NO_COLOR", "1")
            .env("CARGO_TERM_COLOR", "never")
            .env("WASM_OPT", "");
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

/// What it said, if it ended with that code.
#[track_caller]
pub fn said(output: &Output, code: i32) -> String {
    let stdout = String::from_utf8(output.stdout.clone()).unwrap();
    let stderr = String::from_utf8(output.stderr.clone()).unwrap();
    let all = format!("{stdout}{stderr}");
    assert_eq!(output.status.code(), Some(code), "{all}");
    all
}
