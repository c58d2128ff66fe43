//! What makes machine code of the component: a compiler that is done at once, or one whose code is
//! fast; or the one first, and the other as soon as it is worth it.

use std::path::Path;
use std::thread::{self, JoinHandle};
use wasmtime::component::Component as Compiled;
use wasmtime::{Config, Engine, Strategy};

/// How a component is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tier {
    /// Cranelift: fast code, and most of a start.
    Optimised,
    /// Winch: code at once.
    Baseline,
    /// Winch, and Cranelift beside it, whose code goes on after so many messages.
    Auto {
        /// The messages that are answered before.
        after: u32,
    },
}

/// The fast code that is being made.
pub(super) struct Hot {
    after: u32,
    compiling: JoinHandle<Result<Compiled, String>>,
}

/// Compiles `file`; gives what goes on beside it, where that is wanted.
///
/// # Errors
/// Where the compiler refuses it.
pub(super) fn compile(file: &Path, tier: Tier) -> Result<(Compiled, Option<Hot>), String> {
    match tier {
        Tier::Optimised => Ok((with(Strategy::Cranelift, file)?, None)),
        Tier::Baseline => Ok((with(Strategy::Winch, file)?, None)),
        Tier::Auto { after } => {
            let compiled = with(Strategy::Winch, file)?;
            let file = file.to_owned();
            let compiling = thread::Builder::new()
                .name("weft-compile".to_owned())
                .spawn(move || with(Strategy::Cranelift, &file))
                .map_err(|why| why.to_string())?;
            Ok((compiled, Some(Hot { after, compiling })))
        }
    }
}

fn with(strategy: Strategy, file: &Path) -> Result<Compiled, String> {
    let mut config = Config::new();
    config.strategy(strategy);
    let compiled = Engine::new(&config).and_then(|engine| Compiled::from_file(&engine, file));
    compiled.map_err(|error| format!("{error:#}"))
}

impl Hot {
    /// Whether it is worth it after so many messages.
    pub(super) fn is_due(&self, messages: u32) -> bool {
        messages >= self.after
    }

    /// The fast code, which is there long before it is due.
    ///
    /// # Errors
    /// Where it cannot be had.
    pub(super) fn finish(self) -> Result<Compiled, String> {
        let compiled = self.compiling.join();
        compiled.unwrap_or_else(|_| Err("the compiler panicked".to_owned()))
    }
}
