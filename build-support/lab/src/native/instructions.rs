//! Instructions of a program, which a busy machine does not change as it does its times: from the
//! processor's own counter where the system lets us, else from valgrind.

use super::workload::{self, Part};
use crate::transcript::Transcript;
use build_support::error::{Error, Result};
use build_support::system::process;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Counter {
    /// `perf stat`, of instructions in user mode.
    Perf(PathBuf),
    /// `valgrind --tool=cachegrind`, without a cache.
    Valgrind(PathBuf),
}

impl Counter {
    /// The one there is on this machine.
    ///
    /// # Errors
    /// [`Error::Toolchain`] where there is none, with what to install.
    pub fn find() -> Result<Self> {
        let perf = process::on_path("perf").map(Self::Perf);
        if let Some(perf) = perf.filter(Self::counts) {
            return Ok(perf);
        }
        let valgrind = process::on_path("valgrind").map(Self::Valgrind);
        valgrind.ok_or_else(|| {
            Error::toolchain(
                "nothing here counts a program's instructions",
                "apt-get install valgrind, or linux-perf where the machine's counters are there",
            )
        })
    }

    /// What it is called.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Perf(_) => "perf stat, instructions:u",
            Self::Valgrind(_) => "valgrind, cachegrind",
        }
    }

    /// Whether it gives a number: in many virtual machines `perf` does not.
    fn counts(&self) -> bool {
        let folder = tempfile::tempdir();
        folder.is_ok_and(|folder| {
            let report = folder.path().join("report");
            let mut command = self.start(Path::new("true"), &report);
            let ran = process::output(&mut command).is_ok();
            ran && self.read(&report).is_ok_and(|count| count > 0)
        })
    }

    /// A command that runs `program` and writes to `report`; its own words are to be added.
    fn start(&self, program: &Path, report: &Path) -> Command {
        match self {
            Self::Perf(perf) => {
                let mut command = process::command(perf);
                command.args(["stat", "-x", ";", "-e", "instructions:u", "-o"]);
                command.arg(report).arg("--").arg(program);
                command
            }
            Self::Valgrind(valgrind) => {
                let mut log = std::ffi::OsString::from("--log-file=");
                log.push(report);
                let mut command = process::command(valgrind);
                command.args(["--tool=cachegrind", "--cache-sim=no"]);
                command.args(["--cachegrind-out-file=/dev/null"]);
                command.arg(log).arg(program);
                command
            }
        }
    }

    /// The number in its report.
    fn read(&self, report: &Path) -> Result<u64> {
        let text = fs::read_to_string(report).map_err(Error::io("reading", report))?;
        self.number(&text).ok_or_else(|| {
            Error::input(
                report,
                format!("{} gave no number of instructions", self.name()),
                "run it by hand on any program, to see what it says",
            )
        })
    }

    fn number(&self, report: &str) -> Option<u64> {
        let digits = match self {
            Self::Perf(_) => {
                let line = report.lines().find(|line| line.contains("instructions"))?;
                line.split(';').next()?.to_owned()
            }
            Self::Valgrind(_) => {
                let line = report.lines().rev().find(|line| line.contains("refs:"))?;
                line.split("refs:").nth(1)?.replace(',', "")
            }
        };
        digits.trim().parse().ok()
    }

    /// What `program` takes for the commands of `part`, all together.
    ///
    /// # Errors
    /// As [`workload::play`].
    pub fn count(&self, program: &Path, part: Part, transcript: &Transcript) -> Result<u64> {
        let folder = tempfile::tempdir();
        let folder = folder.map_err(Error::io("creating", &std::env::temp_dir()))?;
        let report = folder.path().join("report");
        let mut all = 0;
        workload::play(
            part,
            transcript,
            &|| self.start(program, &report),
            &mut |command, input| {
                workload::ended(command, input)?;
                all += self.read(&report)?;
                Ok(())
            },
        )?;
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::Counter;
    use build_support::system::process;
    use std::path::Path;

    #[test]
    fn reports_are_read() {
        let perf = Counter::Perf("perf".into());
        assert_eq!(
            perf.number("# started\n\n1234;;instructions:u;1;100.00;;\n"),
            Some(1234)
        );
        assert_eq!(
            perf.number("<not supported>;;instructions:u;0;100.00;;\n"),
            None
        );
        let valgrind = Counter::Valgrind("valgrind".into());
        let report = "==7== Cachegrind\n==7== \n==7== I   refs:      1,234,567\n";
        assert_eq!(valgrind.number(report), Some(1_234_567));
        assert_eq!(valgrind.number("==7== Cachegrind\n"), None);
    }

    /// Protects the ratio from a counter that counts something else: twice the work is about twice
    /// the instructions, where this machine has a counter at all.
    #[test]
    fn more_work_is_more_instructions() {
        let Ok(counter) = Counter::find() else {
            // Without one `lab pgo` says what to install.
            assert!(process::on_path("valgrind").is_none());
            return;
        };
        let folder = tempfile::tempdir().unwrap();
        let report = folder.path().join("report");
        let count = |turns: &str| {
            let script = format!("i=0; while [ $i -lt {turns} ]; do i=$((i+1)); done");
            let mut command = counter.start(Path::new("/bin/sh"), &report);
            process::output(command.args(["-c", &script])).unwrap();
            counter.read(&report).unwrap()
        };
        let [none, one, two] = ["0", "4000", "8000"].map(count);
        let ratio = (two - none) as f64 / (one - none) as f64;
        assert!((1.8..2.2).contains(&ratio), "{none} {one} {two}");
    }
}
