//! A project with a budget, outside of every workspace, that names the tool as its linker.

use crate::layout;
use build_support::project::toolchain::Toolchain;
use build_support::system::process;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

pub const P1: &str = "wasm32-wasip1";
pub const P2: &str = "wasm32-wasip2";

/// What a project is of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Library,
    Program,
}

/// The headers of the budget in the manifest.
pub const BUDGET_TABLES: &str = "[package.metadata.budget]
profile = \"release-wasm\"
[package.metadata.budget.limits]
";

const LIBRARY: &str = r#"#[unsafe(no_mangle)]
pub extern "C" fn digits(number: u64) -> u64 {
    let text = std::hint::black_box(format!("{number}"));
    text.bytes().map(|digit| u64::from(digit - b'0')).sum()
}
"#;

const PROGRAM: &str = r#"fn main() {
    let numbers = std::env::args().skip(1).map(|text| text.parse::<u64>().unwrap());
    println!("{}", numbers.sum::<u64>());
}
"#;

/// A folder with a package `add-up`, built for one target.
pub struct Project {
    root: PathBuf,
    target: &'static str,
    shape: Shape,
    toolchain: Toolchain,
}

impl Project {
    /// As nobody has built it yet.
    pub fn new(name: &str, shape: Shape, target: &'static str) -> Self {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join("linker")
            .join(format!("{name}-{target}"));
        if root.exists() {
            fs::remove_dir_all(&root).unwrap();
        }
        let project = Self {
            root,
            target,
            shape,
            toolchain: layout::installed(target),
        };
        let library = match shape {
            Shape::Library => "\n[lib]\ncrate-type = [\"cdylib\"]\n",
            Shape::Program => "",
        };
        project.write(
            "Cargo.toml",
            &format!(
                "[package]\nname = \"add-up\"\nversion = \"0.1.0\"\nedition = \"2024\"\n{library}
[workspace]

[profile.release-wasm]
inherits = \"release\"
opt-level = \"z\"
lto = \"fat\"
codegen-units = 1
panic = \"abort\"
strip = true

{BUDGET_TABLES}raw = \"40 KiB\"\n"
            ),
        );
        match shape {
            Shape::Library => project.write("src/lib.rs", LIBRARY),
            Shape::Program => project.write("src/main.rs", PROGRAM),
        }
        project.write("examples/other.rs", "fn main() {}\n");
        project.write("more-arguments", "--export-if-defined=malloc\n");
        let more = project.root.join("more-arguments");
        project.write(
            ".cargo/config.toml",
            &format!(
                "[target.{target}]\nlinker = \"build-support\"\nrustflags = ['-Clink-arg=@{}']\n",
                more.display()
            ),
        );
        project
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Changes the manifest where it says `from`.
    #[track_caller]
    pub fn edit_manifest(&self, from: &str, to: &str) {
        let manifest = self.root.join("Cargo.toml");
        let text = fs::read_to_string(&manifest).unwrap();
        assert_eq!(text.matches(from).count(), 1, "{from:?} in {text}");
        fs::write(manifest, text.replacen(from, to, 1)).unwrap();
    }

    /// Plain cargo, with the tool on the path.
    pub fn cargo(&self, args: &[&str]) -> Output {
        self.cargo_in("target", args)
    }

    /// The same with a target folder of its own.
    pub fn cargo_in(&self, folder: &str, args: &[&str]) -> Output {
        let mut cargo = self.command(&self.toolchain.cargo);
        cargo.args(args).args(["--target", self.target]);
        if folder != "target" {
            cargo.args(["--target-dir", folder]);
        }
        cargo.env("PATH", path(&[tool().parent().unwrap()]));
        cargo.output().unwrap()
    }

    /// What `cargo wasm` is.
    pub fn tool(&self) -> Output {
        let mut command = self.command(tool());
        command.args(["build", "--target", self.target]);
        command.output().unwrap()
    }

    /// The tool as rustc calls it, outside of cargo.
    pub fn linker(&self, args: &[&str]) -> Output {
        let mut command = self.command(tool());
        command.env("PATH", path(&[&self.own_tools()]));
        command.args(args).output().unwrap()
    }

    /// The same on a machine that has nothing.
    pub fn linker_without_path(&self, args: &[&str]) -> Output {
        let mut command = self.command(tool());
        command.env("PATH", "").env("RUSTC", "/no/such/rustc");
        command.args(args).output().unwrap()
    }

    /// rustc's own linker.
    pub fn real_linker(&self, args: &[&str]) -> Output {
        let mut command = self.command(&self.own_tools().join("rust-lld"));
        command.args(args).output().unwrap()
    }

    /// Where rustc has its own linkers.
    fn own_tools(&self) -> PathBuf {
        let libraries = self.toolchain.sysroot.join("lib/rustlib");
        let folders = fs::read_dir(libraries).unwrap();
        let mut tools = folders.map(|folder| folder.unwrap().path().join("bin"));
        tools
            .find(|tools| tools.join("rust-lld").is_file())
            .unwrap()
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = process::cargo(program);
        command
            .current_dir(&self.root)
            .env("RUSTC", &self.toolchain.rustc)
            .env("NO_COLOR", "1")
            .env("CARGO_TERM_COLOR", "never")
            .env("WASM_OPT", "");
        for users in ["RUSTFLAGS", "CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR"] {
            command.env_remove(users);
        }
        command
    }

    /// What cargo calls its product.
    pub fn product(&self, profile_folder: &str) -> Vec<u8> {
        fs::read(self.file("target", profile_folder)).unwrap()
    }

    /// The place of the product in a target folder.
    pub fn file(&self, folder: &str, profile_folder: &str) -> PathBuf {
        let name = match self.shape {
            Shape::Library => "add_up.wasm",
            Shape::Program => "add-up.wasm",
        };
        let target = self.root.join(folder).join(self.target);
        target.join(profile_folder).join(name)
    }

    /// A file of the tool's own folder.
    pub fn budget_file(&self, extension: &str) -> Vec<u8> {
        fs::read(self.budget_folder().join(format!("add_up.{extension}"))).unwrap()
    }

    /// The report, without what differs from run to run.
    pub fn report(&self) -> serde_json::Value {
        let report = fs::read(self.budget_folder().join("report.json")).unwrap();
        let mut report: serde_json::Value = serde_json::from_slice(&report).unwrap();
        for stage in report["stages"].as_array_mut().unwrap() {
            stage["millis"] = 0.into();
        }
        report
    }

    /// Whether the tool has ever shipped anything.
    pub fn has_budget_folder(&self) -> bool {
        self.budget_folder().exists()
    }

    fn budget_folder(&self) -> PathBuf {
        self.root.join("target/budget").join(self.target)
    }
}

fn tool() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_build-support"))
}

/// `PATH` with `first` in front.
fn path(first: &[&Path]) -> OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = first.iter().map(|folder| folder.to_path_buf());
    std::env::join_paths(folders.chain(std::env::split_paths(&path))).unwrap()
}

/// How it ended.
pub fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

/// What it said.
pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}
