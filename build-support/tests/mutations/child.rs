//! The tool as a process: how it ended, what it said, and the most memory it had.

use build_support::system::process;
use std::ffi::OsString;
use std::fs::File;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::LazyLock;
use std::time::Duration;
use wait4::Wait4 as _;

/// A run that takes more processor time than that, in seconds, hangs; it is killed. On the clock it
/// may take long where much else runs.
const PROCESSOR: &str = "--cpu=60";
/// And one that waits, in seconds on the clock.
const PATIENCE: &str = "1800";

const TOOL: &str = env!("CARGO_BIN_EXE_build-support");

/// The program of the package that measures with the tool, which cargo puts beside it.
static LAB: LazyLock<PathBuf> = LazyLock::new(|| {
    let mut cargo = process::cargo(env!("CARGO"));
    cargo.args(["build", "--quiet", "--package", "lab"]);
    process::run(&mut cargo).expect("the lab compiles");
    Path::new(TOOL).with_file_name("lab")
});

/// How a process ended.
pub struct Ended {
    /// Its exit code; none where a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to stderr.
    pub stderr: String,
    /// Its resident memory at its highest, in bytes.
    pub peak: u64,
    /// The processor time it took.
    pub processor: Duration,
}

/// Runs the tool in `folder`. Its own output goes nowhere.
///
/// The system counts what this process has in memory when it starts another to that one's peak: it
/// must stay small, and so reads no large file.
pub fn run(folder: &Path, arguments: &[OsString]) -> Result<Ended, String> {
    let said = folder.join(".stderr");
    let timeout = process::on_path("timeout").ok_or("coreutils have `timeout`: install them")?;
    let limit = process::on_path("prlimit").ok_or("util-linux has `prlimit`: install it")?;
    let stderr = File::create(&said).map_err(|e| e.to_string())?;
    let mut child = process::command(timeout)
        .args(["--signal=KILL", PATIENCE])
        .arg(limit)
        .arg(PROCESSOR)
        .arg(match arguments[0].to_str() {
            Some("budget") => Path::new(env!("CARGO_BIN_EXE_cargo-budget")),
            Some("bench" | "memory" | "scaling" | "startup") => &LAB,
            _ => Path::new(TOOL),
        })
        .args(arguments)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .env("WASM_OPT", "")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(stderr)
        .spawn()
        .map_err(|e| e.to_string())?;
    let end = child.wait4().map_err(|e| e.to_string())?;
    let stderr = std::fs::read(&said).map_err(|e| e.to_string())?;
    std::fs::remove_file(&said).map_err(|e| e.to_string())?;
    // `timeout` ends by the signal that ended what it ran.
    let code = match end.status.signal() {
        Some(_) => None,
        None => end.status.code(),
    };
    Ok(Ended {
        code,
        stderr: String::from_utf8_lossy(&stderr).into_owned(),
        peak: end.rusage.maxrss,
        processor: end.rusage.utime + end.rusage.stime,
    })
}

/// The most that this process had in memory so far, in bytes.
pub fn own_peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix("kB"));
    kibibytes.unwrap().trim().parse::<u64>().unwrap() * 1024
}
