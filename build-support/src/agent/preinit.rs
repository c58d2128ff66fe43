//! The agent, configured when it is built: the file is run as far as the end of `init(config)`, and
//! what its memory and globals then hold becomes the file's initial state (wasmtime-wizer). An
//! instance of it needs no parsing of a configuration, and its host calls no `init`; it may, to
//! configure it anew.
//!
//! Every import traps while it runs: whatever a host would give, a directory or a file, would be
//! gone when the snapshot is started.

mod constructors;
mod snapshot;
mod stack;

use crate::agent::host::Host;
use crate::engine::program::{Compiled, Imports, Program};
use crate::engine::setup::Setup;
use crate::error::{Error, Result};
use crate::passes::{build_id, strip};
use crate::wasm::artifact::{Artifact, FileKind};
use crate::wasm::layout;
use std::path::{Path, PathBuf};
use wasmtime_wizer::Wizer;

/// The name of this step in messages.
const STEP: &str = "preinit";

/// Makes of the agent in `artifact`, which came from `file`, one that has gone through
/// `init(config)` already.
///
/// # Errors
/// [`Error::Input`] where it is no agent, has constructors, refuses `config` (JSON), or needs its
/// host in `init`; [`Error::Pass`] where its state cannot be written down.
pub fn run(file: &Path, artifact: &Artifact, config: &str) -> Result<Artifact> {
    let unfit = |error: wasmtime::Error| {
        Error::pass(
            STEP,
            format!("the state of {} cannot be kept: {error:#}", file.display()),
        )
    };
    // A core module's `_initialize` is no longer exported; in a component the wiring goes on
    // calling it.
    if artifact.kind() == FileKind::Component && constructors::any(artifact.core_modules()) {
        return Err(Error::input(
            file,
            format!("its `{}` has something to do", constructors::INITIALIZE),
            "a snapshot would do it again when it is started: make the program do without constructors",
        ));
    }
    let wizer = Wizer::new();
    let engine = Setup::counted().engine()?;
    let start = |instrumented: Vec<u8>| -> Result<_> {
        let instrumented = Artifact::from_pass(instrumented, STEP)?;
        let compiled = Compiled::new(&engine, &instrumented).map_err(unfit)?;
        let program = Program::link(&engine, file, &compiled, Imports::Trap)?.bounded();
        let mut host = Host::start(&program, None)?;
        host.init(config)?;
        Ok(host)
    };
    let layouts: Result<Vec<_>, _> = artifact
        .modules()
        .and_then(|modules| modules.iter().map(layout::read).collect());
    let stack = snapshot::Stack(layouts.ok().and_then(|layouts| stack::end(&layouts)));
    let bytes = match artifact.kind() {
        FileKind::Core => {
            let (context, instrumented) = wizer.instrument(artifact.bytes()).map_err(unfit)?;
            let host = &mut start(instrumented)?;
            let state = &mut snapshot::State { host, stack };
            snapshot::ready(wizer.snapshot(&context, state))
        }
        FileKind::Component => {
            let (context, instrumented) = wizer
                .instrument_component(artifact.bytes())
                .map_err(unfit)?;
            let host = &mut start(instrumented)?;
            let state = &mut snapshot::State { host, stack };
            snapshot::ready(wizer.snapshot_component(&context, state))
        }
    };
    // It is another file than the one that the id is of.
    Artifact::from_pass(bytes.map_err(unfit)?, STEP)?.map_core(STEP, |_, module| {
        strip::drop_customs(module, STEP, |name| name == build_id::SECTION)
    })
}

/// Where the pre-initialised variant of `file` goes: beside it, as `NAME.preinit.wasm`.
pub fn beside(file: &Path) -> PathBuf {
    file.with_extension("preinit.wasm")
}
