//! The agent of a component, through the interface in `clawft-wasm/wit/`.

use crate::engine::program::State;
use crate::error::{Error, Result};
use std::path::Path;
use wasmtime::Store;
use wasmtime::component::{ComponentExportIndex, Instance, Val};

/// The interface an agent component exports.
pub const INTERFACE: &str = "clawft:agent/agent@0.1.0";

/// An instance of an agent component.
pub struct Agent {
    /// It, for exports other than the agent's.
    pub instance: Instance,
    interface: ComponentExportIndex,
}

/// Finds the agent's interface in `instance`.
///
/// # Errors
/// [`Error::Input`] where it is not there.
pub fn start(store: &mut Store<State>, instance: Instance, file: &Path) -> Result<Agent> {
    let interface = instance.get_export_index(store, None, INTERFACE);
    let interface = interface.ok_or_else(|| {
        let message = format!("it does not export {INTERFACE}");
        Error::input(file, message, "give the agent component")
    })?;
    Ok(Agent {
        instance,
        interface,
    })
}

impl Agent {
    /// Calls `function` of the interface, and gives the text it answers with; an error is what went
    /// wrong in words.
    pub fn call(
        &self,
        store: &mut Store<State>,
        function: &str,
        texts: &[&str],
    ) -> Result<String, String> {
        let func = self
            .instance
            .get_export_index(&mut *store, Some(&self.interface), function)
            .and_then(|index| self.instance.get_func(&mut *store, index))
            .ok_or("is not exported")?;
        let texts: Vec<_> = texts
            .iter()
            .map(|text| Val::String((*text).to_owned()))
            .collect();
        let mut results = [Val::Bool(false)];
        func.call(store, &texts, &mut results)
            .map_err(|error| format!("{error:#}"))?;
        let [result] = results;
        answer(result)
    }
}

/// The text in a `string`, a `result<string, _>` or a `result`; an error as its fields' text.
fn answer(value: Val) -> Result<String, String> {
    match value {
        Val::String(text) => Ok(text),
        Val::Result(Ok(None)) => Ok(String::new()),
        Val::Result(Ok(Some(inner))) => answer(*inner),
        Val::Result(Err(Some(error))) => Err(match *error {
            Val::Record(fields) => {
                let fields = fields.into_iter().map(|(name, value)| match value {
                    Val::String(text) | Val::Enum(text) => format!("{name}: {text}"),
                    other => format!("{name}: {other:?}"),
                });
                fields.collect::<Vec<_>>().join(", ")
            }
            other => format!("{other:?}"),
        }),
        other => Err(format!("an answer of an unexpected type: {other:?}")),
    }
}
