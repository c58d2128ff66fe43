//! The whole files that cases begin from: generated ones, and the real agent's.

use crate::generated::object_link;
use crate::generated::random::Random;
use arbitrary::Unstructured;
use build_support::system::process;
use std::fs;
use std::path::{Path, PathBuf};

/// What a file is taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pool {
    /// Small modules and components.
    Small,
    /// Small modules of any proposal.
    Newer,
    /// Small files of the linker, with relocations.
    Linked,
    /// Any of these, or the agent.
    Any,
    /// The agent, as either kind.
    Agent,
    /// The agent as a component.
    Component,
    /// The agent as a reactor module.
    Reactor,
    /// The report of the agent's component.
    Report,
    /// What is said to it.
    Transcript,
    /// Its configuration.
    Config,
    /// The reactor as machine code.
    Machine,
    /// The record beside it.
    MachineRecord,
    /// The symbol map of the agent's component.
    SymbolMap,
    /// Backtraces, of several engines.
    Trace,
    /// The manifest of a package with a budget.
    Manifest,
    /// That of a package that is called as the agent.
    AgentManifest,
    /// The committed baseline.
    Baseline,
    /// Nothing.
    Empty,
}

const TRACE: &str = "\
Error: failed to run main module `app.wasm`
Caused by:
    0: failed to invoke command default
    1: error while executing at wasm backtrace:
           0:     0x5e3 - <unknown>!<wasm function 12>
           1:   0x1a2b4 - clawft_wasm.wasm!<wasm function 7>
    2: wasm trap: wasm `unreachable` instruction executed
    at wasm://wasm/0a1b2c3d:wasm-function[3]:0x5e3
clawft@file:///app.wasm:wasm-function[21]:0x1f00
<?>.wasm-function[5]@[wasm code]
#00: 0x0123 - $f12
";

const MANIFEST: &str = "\
[package]
name = \"app\"
version = \"0.1.0\"
edition = \"2024\"

[workspace]

[package.metadata.budget]
profile = \"release\"
targets = [\"wasm32-wasip1\", \"wasm32-wasip2\"]
minimize = \"brotli\"
build-id = true
limits.raw = \"1 MB\"

[package.metadata.budget.target.wasm32-wasip1.limits]
gzip = 300_000
brotli = \"200 KiB\"

[package.metadata.budget.snip]
families = [\"core::panicking\"]
allow = [\"app::keep::*\"]

[package.metadata.budget.graph]
banned-crates = [\"tokio\"]
max-crates = 40
";

/// The files that are made once.
pub struct Corpus {
    linker: PathBuf,
    component: Vec<u8>,
    reactor: Vec<u8>,
    report: Vec<u8>,
    transcript: Vec<u8>,
    machine: Vec<u8>,
    machine_record: Vec<u8>,
    symbol_map: Vec<u8>,
    baseline: Vec<u8>,
}

/// How many bytes wasm-smith may spend on a module.
const BYTES: usize = 1_500;

impl Corpus {
    /// Builds the agent, or takes what an earlier run of the tests built.
    pub fn make() -> Self {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mutations");
        let tool = |arguments: &[&str]| {
            let mut command = process::cargo(env!("CARGO_BIN_EXE_build-support"));
            command
                .args(arguments)
                .current_dir(workspace)
                .env("WASM_OPT", "");
            process::output(&mut command).unwrap();
        };
        let out = |target: &str| folder.join(target).to_str().unwrap().to_owned();
        for target in ["wasm32-wasip1", "wasm32-wasip2"] {
            tool(&["build", "--target", target, "--out-dir", &out(target)]);
        }
        let file = |name: &str| fs::read(folder.join(name)).unwrap();
        let reactor = out("wasm32-wasip1/clawft_wasm.wasm");
        // Each process its own file: tests run beside each other.
        let own = tempfile::tempdir().unwrap();
        let code = own.path().join("in.cwasm");
        tool(&["precompile", &reactor, "-o", code.to_str().unwrap()]);
        Self {
            linker: object_link::linker(),
            component: file("wasm32-wasip2/clawft_wasm.wasm"),
            report: file("wasm32-wasip2/report.json"),
            baseline: fs::read(workspace.join("baseline.json")).unwrap(),
            symbol_map: file("wasm32-wasip2/clawft_wasm.symbols.json"),
            reactor: fs::read(&reactor).unwrap(),
            transcript: fs::read(workspace.join("clawft-wasm/tests/transcript.json")).unwrap(),
            machine: fs::read(&code).unwrap(),
            machine_record: fs::read(own.path().join("in.cwasm.json")).unwrap(),
        }
    }

    /// A whole file.
    pub fn file(&self, pool: Pool, random: &mut Random) -> Vec<u8> {
        match pool {
            Pool::Small => match random.below(3) {
                0 => smith(config(), random),
                1 => in_component(&smith(config(), random)),
                _ => named(random),
            },
            Pool::Newer => newer(random),
            Pool::Linked => object_link::link(&self.linker, random.bits() % 1_000).unwrap(),
            Pool::Any => {
                let pool = *random.pick(&[
                    Pool::Small,
                    Pool::Small,
                    Pool::Linked,
                    Pool::Linked,
                    Pool::Agent,
                ]);
                self.file(pool, random)
            }
            Pool::Agent => match random.chance(50) {
                true => self.component.clone(),
                false => self.reactor.clone(),
            },
            Pool::Component => self.component.clone(),
            Pool::Reactor => self.reactor.clone(),
            Pool::Report => self.report.clone(),
            Pool::Transcript => self.transcript.clone(),
            Pool::Config => {
                br#"{"model": "offline", "temperature": 0.5, "limits": {"max_history": 12}}"#
                    .to_vec()
            }
            Pool::Machine => self.machine.clone(),
            Pool::MachineRecord => self.machine_record.clone(),
            Pool::SymbolMap => self.symbol_map.clone(),
            Pool::Trace => TRACE.as_bytes().to_vec(),
            Pool::Manifest => MANIFEST.as_bytes().to_vec(),
            Pool::AgentManifest => MANIFEST.replace("\"app\"", "\"clawft-wasm\"").into_bytes(),
            Pool::Baseline => self.baseline.clone(),
            Pool::Empty => Vec::new(),
        }
    }
}

/// A module of proposals of which the built-in optimiser knows some, some in part, and some not.
fn newer(random: &mut Random) -> Vec<u8> {
    let config = wasm_smith::Config {
        gc_enabled: random.chance(10),
        exceptions_enabled: random.chance(20),
        memory64_enabled: random.chance(30),
        custom_page_sizes_enabled: random.chance(30),
        wide_arithmetic_enabled: random.chance(30),
        compact_imports_enabled: random.chance(30),
        multi_value_enabled: random.chance(20),
        threads_enabled: random.chance(20),
        table_max_size_required: true,
        memory_max_size_required: true,
        max_memories: 2,
        max_tables: 3,
        ..wasm_smith::Config::default()
    };
    smith(config, random)
}

/// A module by wasm-smith.
fn smith(config: wasm_smith::Config, random: &mut Random) -> Vec<u8> {
    let bytes = random.bytes(BYTES);
    let module = wasm_smith::Module::new(config, &mut Unstructured::new(&bytes));
    module.expect("enough bytes").to_bytes()
}

/// Features that every engine has.
fn config() -> wasm_smith::Config {
    wasm_smith::Config {
        gc_enabled: false,
        exceptions_enabled: false,
        memory64_enabled: false,
        threads_enabled: false,
        max_memories: 1,
        shared_everything_threads_enabled: false,
        relaxed_simd_enabled: false,
        custom_page_sizes_enabled: false,
        wide_arithmetic_enabled: false,
        custom_descriptors_enabled: false,
        reference_types_enabled: false,
        tail_call_enabled: false,
        table_max_size_required: true,
        ..wasm_smith::Config::default()
    }
}

/// A component that holds the module and instantiates nothing.
fn in_component(module: &[u8]) -> Vec<u8> {
    let mut component = wasm_encoder::Component::new();
    component.section(&wasm_encoder::RawSection {
        id: 1,
        data: module,
    });
    component.finish()
}

/// A module with names as compilers give them.
fn named(random: &mut Random) -> Vec<u8> {
    const NAMES: [&str; 8] = [
        "_ZN4core9panicking9panic_fmt17h0123456789abcdefE",
        "_RNvMs_NtCs3Ks1mVPDHNs_4core6optionINtB4_6OptionhE6unwrapCs1_3app",
        "<alloc::vec::Vec<u8> as core::fmt::Debug>::fmt",
        "_ZNSt3__112basic_stringIcE6appendEPKc",
        "app::run::{closure#0}",
        "main",
        "\\u{202e}gnp.exe",
        "a < b > ::c",
    ];
    let functions: String = (0..random.between(1, 40))
        .map(|i| {
            let name = random.pick(&NAMES);
            format!("(func $\"{name} {i}\" (export \"e{i}\") (param i32) (result i32) (i32.add (local.get 0) (i32.const {i})))")
        })
        .collect();
    let text = format!("(module (memory 1) (data (i32.const 8) \"some data\") {functions})");
    wat::parse_str(text).unwrap()
}
