//! A project with a budget, outside of every workspace, that names the tool as its linker.

use crate::support::ended::Ended;
use crate::support::programs::TOOL;
use crate::support::project::{self, path_with};
use std::fs;
use std::path::PathBuf;

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
    project: project::Project,
    target: &'static str,
    shape: Shape,
}

impl Project {
    /// As nobody has built it yet.
    pub fn new(name: &str, shape: Shape, target: &'static str) -> Self {
        let library = match shape {
            Shape::Library => "\n[lib]\ncrate-type = [\"cdylib\"]\n",
            Shape::Program => "",
        };
        let manifest = format!(
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
        );
        let files = [
            ("Cargo.toml", manifest.as_str()),
            match shape {
                Shape::Library => ("src/lib.rs", LIBRARY),
                Shape::Program => ("src/main.rs", PROGRAM),
            },
            ("examples/other.rs", "fn main() {}\n"),
            ("more-arguments", "--export-if-defined=malloc\n"),
        ];
        let project = project::Project::kept(&format!("linker/{name}-{target}"), target, &files);
        let config = format!(
            "[target.{target}]\nlinker = \"build-support\"\nrustflags = ['-Clink-arg=@{}']\n",
            project.path("more-arguments").display()
        );
        project.write(".cargo/config.toml", &config);
        Self {
            project,
            target,
            shape,
        }
    }

    /// Changes the manifest where it says `from`.
    #[track_caller]
    pub fn edit_manifest(&self, from: &str, to: &str) {
        self.project.edit("Cargo.toml", from, to);
    }

    /// The manifest as it is.
    pub fn manifest(&self) -> String {
        fs::read_to_string(self.project.path("Cargo.toml")).unwrap()
    }

    /// Adds a build script.
    pub fn write_build_script(&self, text: &str) {
        self.project.write("build.rs", text);
    }

    /// Plain cargo, with the tool on the path.
    pub fn cargo(&self, args: &[&str]) -> Ended {
        self.project
            .cargo(&[args, &["--target", self.target]].concat())
    }

    /// The same with a target folder of its own.
    pub fn cargo_in(&self, folder: &str, args: &[&str]) -> Ended {
        self.cargo(&[args, &["--target-dir", folder]].concat())
    }

    /// What `cargo wasm` is.
    pub fn tool(&self) -> Ended {
        self.project.tool(&["build", "--target", self.target])
    }

    /// The tool as rustc calls it, outside of cargo.
    pub fn linker(&self, args: &[&str]) -> Ended {
        let path = path_with(&self.own_tools());
        Ended::of(self.project.command(TOOL).env("PATH", path).args(args))
    }

    /// The same on a machine that has nothing.
    pub fn linker_without_path(&self, args: &[&str]) -> Ended {
        let mut command = self.project.command(TOOL);
        command.env("PATH", "").env("RUSTC", "/no/such/rustc");
        Ended::of(command.args(args))
    }

    /// The same where the compiler in use brings no linker: a distribution's does not.
    pub fn linker_of_a_bare_rustc(&self, args: &[&str]) -> Ended {
        let sysroot = self.project.path("bare");
        let rustc = sysroot.join("rustc");
        let answers = format!(
            "#!/bin/sh\ncase $1 in\n--print) echo '{}' ;;\n*) printf 'rustc 1.0.0\\nrelease: 1.0.0\\nhost: none\\n' ;;\nesac\n",
            sysroot.display()
        );
        self.project.write("bare/rustc", &answers);
        let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(&rustc, executable).unwrap();
        Ended::of(self.project.command(TOOL).env("RUSTC", rustc).args(args))
    }

    /// rustc's own linker.
    pub fn real_linker(&self, args: &[&str]) -> Ended {
        Ended::of(
            self.project
                .command(self.own_tools().join("rust-lld"))
                .args(args),
        )
    }

    /// Where rustc has its own linkers.
    fn own_tools(&self) -> PathBuf {
        let toolchain = self.project.toolchain.as_ref().unwrap();
        let libraries = toolchain.sysroot.join("lib/rustlib");
        let folders = fs::read_dir(libraries).unwrap();
        let mut tools = folders.map(|folder| folder.unwrap().path().join("bin"));
        tools
            .find(|tools| tools.join("rust-lld").is_file())
            .unwrap()
    }

    /// What cargo calls its product.
    pub fn product(&self, profile_folder: &str) -> Vec<u8> {
        fs::read(self.file("target", profile_folder)).unwrap()
    }

    /// The place of the product in a target folder.
    pub fn file(&self, folder: &str, profile_folder: &str) -> PathBuf {
        let target = self.project.path(folder).join(self.target);
        target
            .join(profile_folder)
            .join(format!("{}.wasm", self.stem()))
    }

    /// What cargo calls its files.
    fn stem(&self) -> &'static str {
        match self.shape {
            Shape::Library => "add_up",
            Shape::Program => "add-up",
        }
    }

    /// A file of the tool's own folder.
    pub fn budget_file(&self, extension: &str) -> Vec<u8> {
        let name = format!("{}.{extension}", self.stem());
        fs::read(self.budget_folder().join(name)).unwrap()
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
        self.project.path("target/budget").join(self.target)
    }
}
