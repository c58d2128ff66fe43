//! A case: a subcommand, its files, and what is held against how it ends.

use crate::child;
use crate::corpus::{Corpus, Pool};
use crate::generated::random::Random;
use crate::text;
use crate::wasm;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::time::Duration;

/// What may be taken beside 20 times the input, in bytes: the program with the engines in it, and
/// their threads.
pub const FLOOR: u64 = 160 << 20;

/// And besides where the file is run: the memory an instance may have.
const INSTANCE: u64 = 256 << 20;

/// How many times its input a run may take of memory.
const FACTOR: u64 = 20;

/// An error that is longer repeats its input.
const LONGEST_ERROR: usize = 16 << 10;

/// A file written by a run that went well.
const OUTPUT: &str = "out.wasm";

/// One run.
#[derive(Clone)]
pub struct Case {
    /// What it is called in the tables.
    pub label: &'static str,
    /// What is run again for it.
    pub seed: Option<u64>,
    /// The arguments; files are named as below.
    pub arguments: Vec<&'static str>,
    /// The files in the folder.
    pub files: Vec<(&'static str, Vec<u8>)>,
}

/// How a run ended that is as it should be.
pub struct Outcome {
    /// What was run.
    pub label: &'static str,
    /// Its exit code.
    pub code: i32,
    /// The processor time it took.
    pub processor: Duration,
}

/// How a run is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// With 0.
    Success,
    /// With 0, 1 or 2.
    Anything,
}

/// A subcommand as it is tried: its arguments, and what each of its files is taken from. The first
/// file is damaged.
struct Command {
    label: &'static str,
    arguments: &'static str,
    files: &'static [(&'static str, Pool)],
}

const COMMANDS: &[Command] = &[
    Command {
        label: "optimize",
        arguments: "optimize in.wasm -o out.wasm",
        files: &[("in.wasm", Pool::Small)],
    },
    Command {
        label: "optimize --snip",
        arguments: "optimize in.wasm -o out.wasm --snip",
        files: &[("in.wasm", Pool::Linked)],
    },
    Command {
        label: "optimize --sweep",
        arguments: "optimize in.wasm -o out.wasm --snip --sweep",
        files: &[("in.wasm", Pool::Linked)],
    },
    Command {
        label: "optimize --dry-run",
        arguments: "optimize in.wasm --snip --sweep --dry-run --json",
        files: &[("in.wasm", Pool::Linked)],
    },
    Command {
        label: "analyze",
        arguments: "analyze in.wasm",
        files: &[("in.wasm", Pool::Any)],
    },
    Command {
        label: "analyze --json",
        arguments: "analyze in.wasm --json",
        files: &[("in.wasm", Pool::Any)],
    },
    Command {
        label: "analyze --by",
        arguments: "analyze in.wasm --by module --by item",
        files: &[("in.wasm", Pool::Any)],
    },
    Command {
        label: "analyze --why",
        arguments: "analyze in.wasm --why function_0",
        files: &[("in.wasm", Pool::Linked)],
    },
    Command {
        label: "analyze --explain",
        arguments: "analyze in.wasm --explain function_0",
        files: &[("in.wasm", Pool::Linked)],
    },
    Command {
        label: "analyze REPORT",
        arguments: "analyze report.json",
        files: &[
            ("report.json", Pool::Report),
            ("clawft_wasm.wasm", Pool::Component),
        ],
    },
    Command {
        label: "diff",
        arguments: "diff in.wasm other.wasm",
        files: &[("in.wasm", Pool::Any), ("other.wasm", Pool::Small)],
    },
    Command {
        label: "diff REPORT",
        arguments: "diff other.wasm report.json --json",
        files: &[("report.json", Pool::Report), ("other.wasm", Pool::Small)],
    },
    Command {
        label: "precompile",
        arguments: "precompile in.wasm -o out.wasm",
        files: &[("in.wasm", Pool::Small)],
    },
    Command {
        label: "precompile --compiler winch",
        arguments: "precompile in.wasm -o out.wasm --compiler winch",
        files: &[("in.wasm", Pool::Small)],
    },
    Command {
        label: "memory",
        arguments: "memory in.wasm --workload transcript.json --rounds 2",
        files: &[
            ("in.wasm", Pool::Agent),
            ("transcript.json", Pool::Transcript),
        ],
    },
    Command {
        label: "memory TRANSCRIPT",
        arguments: "memory in.wasm --workload transcript.json --rounds 2",
        files: &[
            ("transcript.json", Pool::Transcript),
            ("in.wasm", Pool::Reactor),
        ],
    },
    Command {
        label: "startup",
        arguments: "startup in.wasm --workload transcript.json --samples 1 --cold-samples 1 --process-samples 1 --no-node",
        files: &[
            ("in.wasm", Pool::Agent),
            ("transcript.json", Pool::Transcript),
        ],
    },
    Command {
        label: "preinit",
        arguments: "preinit in.wasm -o out.wasm",
        files: &[("in.wasm", Pool::Agent)],
    },
    Command {
        label: "preinit CONFIG",
        arguments: "preinit in.wasm -o out.wasm --config-file config.json",
        files: &[("config.json", Pool::Config), ("in.wasm", Pool::Reactor)],
    },
    Command {
        label: "run",
        arguments: "run --component in.wasm --root . hello",
        files: &[("in.wasm", Pool::Agent)],
    },
    Command {
        label: "run CWASM",
        arguments: "run --component in.cwasm --root . hello",
        files: &[
            ("in.cwasm", Pool::Machine),
            ("in.cwasm.json", Pool::MachineRecord),
        ],
    },
    Command {
        label: "run CWASM RECORD",
        arguments: "run --component in.cwasm --root . hello",
        files: &[
            ("in.cwasm.json", Pool::MachineRecord),
            ("in.cwasm", Pool::Machine),
        ],
    },
    Command {
        label: "bench",
        arguments: "bench in.wasm --runs 1",
        files: &[("in.wasm", Pool::Linked)],
    },
    Command {
        label: "scaling",
        arguments: "scaling in.wasm --json",
        files: &[("in.wasm", Pool::Linked)],
    },
    Command {
        label: "report --format html",
        arguments: "report in.wasm --against other.wasm --format html -o out.html",
        files: &[("in.wasm", Pool::Any), ("other.wasm", Pool::Small)],
    },
    Command {
        label: "report REPORT",
        arguments: "report report.json --format markdown -o out.md",
        files: &[("report.json", Pool::Report)],
    },
    Command {
        label: "symbolicate",
        arguments: "symbolicate in.wasm --trace trace.txt",
        files: &[("in.wasm", Pool::Any), ("trace.txt", Pool::Trace)],
    },
    Command {
        label: "symbolicate MAP",
        arguments: "symbolicate --map in.symbols.json --trace trace.txt",
        files: &[
            ("in.symbols.json", Pool::SymbolMap),
            ("trace.txt", Pool::Trace),
        ],
    },
    Command {
        label: "symbolicate TRACE",
        arguments: "symbolicate --map in.symbols.json --trace trace.txt",
        files: &[
            ("trace.txt", Pool::Trace),
            ("in.symbols.json", Pool::SymbolMap),
        ],
    },
    Command {
        label: "budget check",
        arguments: "budget check in.wasm --limit raw=1MB",
        files: &[("in.wasm", Pool::Any)],
    },
    Command {
        label: "gate BASELINE",
        arguments: "gate --report report.json",
        files: &[
            ("baseline.json", Pool::Baseline),
            ("report.json", Pool::Report),
            ("Cargo.toml", Pool::AgentManifest),
            SOURCE,
        ],
    },
    Command {
        label: "gate REPORT",
        arguments: "gate --report report.json --json",
        files: &[
            ("report.json", Pool::Report),
            ("baseline.json", Pool::Baseline),
            ("Cargo.toml", Pool::AgentManifest),
            SOURCE,
        ],
    },
    Command {
        label: "budget check MANIFEST",
        arguments: "budget check in.wasm --package app --target wasm32-wasip1",
        files: &[
            ("Cargo.toml", Pool::Manifest),
            ("in.wasm", Pool::Small),
            SOURCE,
        ],
    },
];

/// A package with a budget, whose manifest may be damaged.
const SOURCE: (&str, Pool) = ("src/lib.rs", Pool::Empty);

impl Command {
    /// Whether it compiles the agent, or asks cargo.
    fn is_slow(&self) -> bool {
        const SLOW: [&str; 6] = [
            "memory",
            "startup",
            "preinit",
            "run",
            "gate",
            "budget check MANIFEST",
        ];
        SLOW.iter().any(|slow| self.label.starts_with(slow))
    }
}

impl Case {
    /// The case of `seed`: a subcommand, and files of which the first is damaged.
    pub fn damaged(corpus: &Corpus, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let mut command = random.pick(COMMANDS);
        // Half of the cases that would take long are others instead: more of all in the same time.
        while command.is_slow() && random.chance(50) {
            command = random.pick(COMMANDS);
        }
        let mut case = Self::of(command, corpus, &mut random, Some(seed));
        let (name, bytes) = &mut case.files[0];
        *bytes = match name.ends_with("wasm") {
            true => wasm::damage(bytes, corpus, &mut random),
            false => text::damage(bytes, &mut random),
        };
        case
    }

    /// Each subcommand with whole files.
    pub fn undamaged(corpus: &Corpus) -> Vec<Self> {
        let case = |command| Self::of(command, corpus, &mut Random::new(7), None);
        COMMANDS.iter().map(case).collect()
    }

    fn of(command: &Command, corpus: &Corpus, random: &mut Random, seed: Option<u64>) -> Self {
        let file = |&(name, pool)| (name, corpus.file(pool, random));
        Self {
            label: command.label,
            seed,
            arguments: command.arguments.split(' ').collect(),
            files: command.files.iter().map(file).collect(),
        }
    }

    /// Runs it; gives the subcommand and its exit code, or what is wrong with how it ended.
    pub fn check(&self, expected: Expected, keep: bool) -> Result<Outcome, String> {
        let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
        for (name, bytes) in &self.files {
            let file = folder.path().join(name);
            fs::create_dir_all(file.parent().expect("in the folder")).map_err(|e| e.to_string())?;
            fs::write(file, bytes).map_err(|e| e.to_string())?;
        }
        let arguments: Vec<_> = self.arguments.iter().map(OsString::from).collect();
        let ended = child::run(folder.path(), &arguments)?;
        let outcome = self.judge(&ended, expected, folder.path());
        if keep || outcome.is_err() {
            let kept = folder.keep();
            return outcome.map_err(|what| {
                let again = match self.seed {
                    Some(seed) => format!("\n  again: MUTATIONS_SEED={seed} cargo test -p build-support --test mutations damaged"),
                    None => String::new(),
                };
                format!(
                    "{} {}: {what}\n  {}\n  files in {}{again}",
                    self.label,
                    self.arguments.join(" "),
                    ended.stderr.chars().take(600).collect::<String>(),
                    kept.display()
                )
            });
        }
        outcome
    }

    fn judge(
        &self,
        ended: &child::Ended,
        expected: Expected,
        folder: &Path,
    ) -> Result<Outcome, String> {
        let code = match ended.code {
            Some(code @ 0..=2) => code,
            Some(code) => return Err(format!("exit code {code}")),
            None => return Err("ended by a signal, or took too long".to_owned()),
        };
        if expected == Expected::Success && code != 0 {
            return Err(format!("exit code {code} with whole files"));
        }
        if code == 2 && !ended.stderr.contains("error") {
            return Err("failed without an error".to_owned());
        }
        if ended.stderr.contains("panicked at") {
            return Err("a panic".to_owned());
        }
        // Binaryen's own, of what it was not to be given.
        if ended.stderr.contains("wasm-validator") || ended.stderr.contains("Fatal: ") {
            return Err("another program speaks".to_owned());
        }
        if ended.stderr.len() > LONGEST_ERROR {
            return Err(format!("an error of {} bytes", ended.stderr.len()));
        }
        let given: u64 = self.files.iter().map(|(_, bytes)| bytes.len() as u64).sum();
        let is_run = matches!(self.arguments[0], "memory" | "preinit" | "run" | "startup");
        let floor = FLOOR + if is_run { INSTANCE } else { 0 };
        if ended.peak > floor + FACTOR * given {
            return Err(format!(
                "{} bytes of memory for {given} of input",
                ended.peak
            ));
        }
        self.nothing_is_left(code, folder)?;
        Ok(Outcome {
            label: self.label,
            code,
            processor: ended.processor,
        })
    }

    /// After a failure what was there is there, unchanged, and nothing else.
    fn nothing_is_left(&self, code: i32, folder: &Path) -> Result<(), String> {
        for (name, bytes) in &self.files {
            if fs::read(folder.join(name)).ok().as_ref() != Some(bytes) {
                return Err(format!("{name} was changed"));
            }
        }
        if code == 0 {
            return Ok(());
        }
        for entry in fs::read_dir(folder).map_err(|e| e.to_string())? {
            let name = entry.map_err(|e| e.to_string())?.file_name();
            // What an agent wrote into the folder it was given before it failed is its own.
            let is_agents = self.arguments.contains(&"--root");
            let is_known = |(known, _): &(&str, _)| known.split('/').next() == name.to_str();
            if !is_agents && !self.files.iter().any(is_known) {
                return Err(format!(
                    "failed and left {name:?}, {OUTPUT} is only for what went well"
                ));
            }
        }
        Ok(())
    }
}
