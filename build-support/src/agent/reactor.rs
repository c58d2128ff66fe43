//! The agent of a core module, through the C ABI in `clawft-wasm/src/c_abi.rs`.

use crate::engine::program::{State, refused};
use crate::error::{Error, Result};
use std::path::Path;
use wasmtime::{Instance, Memory, Store, Val};

/// An instance of an agent reactor.
pub struct Agent {
    pub instance: Instance,
    memory: Memory,
}

/// Runs `_initialize`, if there is one.
///
/// # Errors
/// [`Error::Input`] where it traps, or exports no memory.
pub fn start(store: &mut Store<State>, instance: Instance, file: &Path) -> Result<Agent> {
    let memory = instance.get_memory(&mut *store, "memory");
    let memory = memory.ok_or_else(|| {
        Error::input(
            file,
            "it does not export `memory`",
            "give the agent reactor",
        )
    })?;
    if let Some(initialize) = instance.get_func(&mut *store, "_initialize") {
        initialize
            .call(store, &[], &mut [])
            .map_err(refused(file, "`_initialize` must not trap"))?;
    }
    Ok(Agent { instance, memory })
}

impl Agent {
    /// Calls `function`, by its name in the interface of the component, and gives the JSON it
    /// answers with. Where `init` refuses, that is an error; an error is what went wrong in words.
    pub fn call(
        &self,
        store: &mut Store<State>,
        function: &str,
        texts: &[&str],
    ) -> Result<String, String> {
        let mut args = Vec::new();
        for text in texts {
            let length = i32::try_from(text.len()).map_err(|error| error.to_string())?;
            let at = self.number(store, "clawft_alloc", &[length])?;
            if at == 0 && length != 0 {
                return Err(format!("there is no memory for {length} bytes"));
            }
            self.memory
                .write(&mut *store, at as u32 as usize, text.as_bytes())
                .map_err(|error| error.to_string())?;
            args.extend([at, length]);
        }
        let export = format!("clawft_{}", function.replace('-', "_"));
        let status = self.number(store, &export, &args)?;
        for text in args.chunks(2) {
            self.invoke(store, "clawft_free", text, &mut [])?;
        }
        let at = self.number(store, "clawft_answer_ptr", &[])? as u32 as usize;
        let length = self.number(store, "clawft_answer_len", &[])? as u32 as usize;
        let answer = self.memory.data(&*store).get(at..at.saturating_add(length));
        let answer = answer.ok_or("the answer reaches outside the memory")?;
        let answer = String::from_utf8(answer.to_vec()).map_err(|error| error.to_string())?;
        match function {
            "init" if status != 0 => Err(answer),
            _ => Ok(answer),
        }
    }

    fn number(&self, store: &mut Store<State>, export: &str, args: &[i32]) -> Result<i32, String> {
        let mut results = [Val::I32(0)];
        self.invoke(store, export, args, &mut results)?;
        match results[0] {
            Val::I32(number) => Ok(number),
            _ => Err(format!("{export} does not give a number of 32 bits")),
        }
    }

    fn invoke(
        &self,
        store: &mut Store<State>,
        export: &str,
        args: &[i32],
        results: &mut [Val],
    ) -> Result<(), String> {
        let func = self
            .instance
            .get_func(&mut *store, export)
            .ok_or_else(|| format!("{export} is not exported"))?;
        let args: Vec<_> = args.iter().map(|arg| Val::I32(*arg)).collect();
        func.call(store, &args, results)
            .map_err(|error| format!("{export}: {error:#}"))
    }
}
