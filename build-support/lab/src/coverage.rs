//! Line coverage of the agent by its own tests: `clawft-types` and `clawft-wasm`, as they
//! are built natively. Only these two are instrumented, by a wrapper of the compiler: they have a
//! setting of their own, so that cargo keeps them apart from the plain ones, and everything else is
//! what every command shares. Lines of tests are not counted.

mod source;

use crate::llvm::Compiler;
use build_support::error::{Error, Result};
use build_support::project::package::Package;
use build_support::system::process;
use serde::Serialize;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

/// The packages whose lines are counted.
pub const PACKAGES: [&str; 2] = ["clawft-types", "clawft-wasm"];

/// What is asked of both together, in parts of a hundred.
pub const LEAST: f64 = 85.0;

/// What was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Coverage {
    /// The compiler.
    pub rustc: String,
    /// Each file that has lines to run, by its path from the root.
    pub files: BTreeMap<String, Lines>,
    /// Each package.
    pub packages: BTreeMap<String, Lines>,
    /// All.
    pub total: Lines,
    /// What is asked of all, in parts of a hundred.
    pub least: f64,
}

/// Lines with code, and how many of them the tests ran.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Lines {
    /// With code.
    pub lines: u64,
    /// That were run.
    pub covered: u64,
}

impl Lines {
    /// What was run, in parts of a hundred; 0 where there is nothing.
    pub fn percent(self) -> f64 {
        if self.lines == 0 {
            return 0.0;
        }
        self.covered as f64 * 100.0 / self.lines as f64
    }

    fn add(&mut self, other: Lines) {
        self.lines += other.lines;
        self.covered += other.covered;
    }
}

impl Coverage {
    /// Whether it is as much as is asked.
    pub fn is_enough(&self) -> bool {
        self.total.percent() > self.least
    }
}

/// Runs the tests of the packages in the workspace of `package`, `wrapper` being this program, and
/// counts.
///
/// # Errors
/// [`Error::Toolchain`] where LLVM's tools are missing, [`Error::Process`] where the tests do not
/// compile or fail, [`Error::Input`] where nothing was counted.
pub fn run(package: &Package, wrapper: &Path, progress: &mut dyn FnMut(&str)) -> Result<Coverage> {
    let compiler = Compiler::here()?;
    let (profdata, cov) = (compiler.tool("llvm-profdata")?, compiler.tool("llvm-cov")?);
    progress("building the tests");
    let programs = build(package, wrapper)?;
    let scratch = tempfile::tempdir().map_err(Error::io("creating", &std::env::temp_dir()))?;
    let raw = scratch.path().join("raw");
    progress("running the tests");
    let mut tests = cargo(package, wrapper);
    tests.env("LLVM_PROFILE_FILE", raw.join("%p-%m.profraw"));
    process::run(&mut tests)?;
    progress("counting");
    let merged = scratch.path().join("merged.profdata");
    process::output(
        process::command(&profdata)
            .args(["merge", "--sparse", "--output"])
            .arg(&merged)
            .arg(&raw),
    )?;
    let mut export = process::command(&cov);
    export.args(["export", "--format=lcov", "--instr-profile"]);
    export.arg(&merged);
    for program in &programs {
        export.arg("--object").arg(program);
    }
    let counted = counted(&process::output(&mut export)?, &package.root)?;
    Ok(Coverage::new(&compiler.version, counted))
}

/// The compiler's command `words` as cargo gives it to a wrapper, with instrumentation where the
/// crate is one that is counted.
///
/// # Errors
/// [`Error::Process`] where it cannot be started.
pub fn compile(words: &[OsString]) -> Result<ExitStatus> {
    let [rustc, words @ ..] = words else {
        return Err(Error::toolchain(
            "no compiler is named",
            "let cargo call it",
        ));
    };
    let mut command = process::command(rustc);
    command.args(words);
    if is_counted(words) {
        command.args(["-C", "instrument-coverage"]);
    }
    process::status(&mut command)
}

fn is_counted(words: &[OsString]) -> bool {
    words.windows(2).any(|pair| {
        let is_of = |name: &&str| pair[1] == name.replace('-', "_").as_str();
        pair[0] == "--crate-name" && PACKAGES.iter().any(is_of)
    })
}

/// Makes cargo keep the instrumented crates apart: no other build has as many, and to what is
/// counted it makes no difference.
const APART: &str = "codegen-units=199";

/// Unit tests alone: those of `tests/` run the shipped files, whose lines are not counted here.
fn cargo(package: &Package, wrapper: &Path) -> std::process::Command {
    let mut cargo = process::cargo("cargo");
    cargo.args(["test", "--lib"]);
    for name in PACKAGES {
        cargo.args(["--package", name, "--config"]);
        cargo.arg(format!("profile.dev.package.{name}.{APART}"));
    }
    cargo
        .arg("--target-dir")
        .arg(&package.target_dir)
        .env("RUSTC_WRAPPER", wrapper)
        .current_dir(&package.root);
    cargo
}

/// Builds the tests; gives their programs.
fn build(package: &Package, wrapper: &Path) -> Result<Vec<PathBuf>> {
    let mut programs = Vec::new();
    let mut cargo = cargo(package, wrapper);
    cargo.args(["--no-run", "--message-format=json-render-diagnostics"]);
    process::lines(&mut cargo, |line| {
        programs.extend(program(line));
        Ok(())
    })?;
    Ok(programs)
}

/// The program that a message of cargo says was built.
fn program(line: &str) -> Option<PathBuf> {
    let message: serde_json::Value = serde_json::from_str(line).ok()?;
    let program = message.get("executable")?.as_str()?;
    Some(PathBuf::from(program))
}

/// The lines of each file below `root` that belongs to one of the packages, from lcov's text.
fn counted(lcov: &str, root: &Path) -> Result<BTreeMap<String, Lines>> {
    let mut files = BTreeMap::new();
    for record in lcov.split("end_of_record") {
        let Some(file) = record.lines().find_map(|line| line.strip_prefix("SF:")) else {
            continue;
        };
        let Ok(path) = Path::new(file).strip_prefix(root) else {
            continue;
        };
        let name = path.to_string_lossy().replace('\\', "/");
        let is_source = PACKAGES.iter().any(|package| {
            let rest = name.strip_prefix(package);
            rest.is_some_and(|rest| rest.starts_with("/src/"))
        });
        if !is_source || source::is_tests(&name) {
            continue;
        }
        let text = fs::read_to_string(file).map_err(Error::io("reading", Path::new(file)))?;
        let tests = source::tests(&text);
        let mut lines = Lines::default();
        for data in record.lines().filter_map(|line| line.strip_prefix("DA:")) {
            let mut words = data.split(',').map(str::parse::<u64>);
            if let (Some(Ok(line)), Some(Ok(count))) = (words.next(), words.next())
                && !tests.iter().any(|tests| tests.contains(&line))
            {
                lines.add(Lines {
                    lines: 1,
                    covered: u64::from(count > 0),
                });
            }
        }
        files.insert(name, lines);
    }
    if files.values().all(|lines| lines.lines == 0) {
        return Err(Error::input(
            root,
            "no line of the agent was counted",
            "run it again after `touch clawft-types/src/lib.rs clawft-wasm/src/lib.rs`",
        ));
    }
    Ok(files)
}

impl Coverage {
    fn new(rustc: &str, files: BTreeMap<String, Lines>) -> Self {
        let mut total = Lines::default();
        let mut packages = BTreeMap::<String, Lines>::new();
        for (name, lines) in &files {
            let package = name.split('/').next().unwrap_or_default();
            packages.entry(package.to_owned()).or_default().add(*lines);
            total.add(*lines);
        }
        Self {
            rustc: rustc.to_owned(),
            files,
            packages,
            total,
            least: LEAST,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Coverage, Lines, counted, is_counted};
    use std::ffi::OsString;

    /// Protects the figure: lines of tests and of other crates are no part of it.
    #[test]
    fn lines_of_the_two_crates_are_counted_without_their_tests() {
        let root = tempfile::tempdir().unwrap();
        let write = |name: &str| {
            let path = root.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            let text = "fn a() {\n}\nfn b() {\n}\n#[cfg(test)]\nmod tests {\n    fn t() {}\n}\n";
            std::fs::write(&path, text).unwrap();
            let path = path.display();
            format!("SF:{path}\nDA:1,3\nDA:2,3\nDA:3,0\nDA:7,1\nend_of_record\n")
        };
        let lcov: String = [
            "clawft-types/src/a.rs",
            "clawft-wasm/src/b.rs",
            "clawft-wasm/src/b/tests.rs",
            "clawft-wasm/tests/it/c.rs",
            "clawft-cli/src/d.rs",
        ]
        .map(write)
        .concat();
        let files = counted(&lcov, root.path()).unwrap();
        let coverage = Coverage::new("rustc", files);
        assert_eq!(coverage.files.len(), 2);
        let of_file = Lines {
            lines: 3,
            covered: 2,
        };
        assert_eq!(coverage.packages["clawft-wasm"], of_file);
        assert_eq!((coverage.total.lines, coverage.total.covered), (6, 4));
        assert!((coverage.total.percent() - 66.666).abs() < 0.001);
        assert!(!coverage.is_enough());
        let other = "SF:/elsewhere/a.rs\nDA:1,1\nend_of_record\n";
        assert!(counted(other, root.path()).is_err(), "nothing is no figure");
    }

    #[test]
    fn only_the_two_crates_are_instrumented() {
        let of = |name: &str| is_counted(&["--crate-name", name, "--test"].map(OsString::from));
        assert!(of("clawft_types") && of("clawft_wasm"));
        assert!(!of("build_support") && !of("build_script_build") && !of("clawft_wasm_x"));
    }
}
