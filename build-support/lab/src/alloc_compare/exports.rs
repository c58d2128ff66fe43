//! Exports that take and give numbers, called by name: in a core module as they are, in a component
//! through its world.

use build_support::agent::host::Host;
use wasmtime::Val;
use wasmtime::component::{self, Val as Lifted};

/// A number as it is passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Number {
    /// `i32` of a core module, `u32` of a component.
    U32(u32),
    /// `i64` and `u64`.
    U64(u64),
}

/// A function that was found.
#[derive(Clone, Copy)]
pub enum Export {
    /// Of a core module.
    Core(wasmtime::Func),
    /// Of a component.
    Component(component::Func),
}

impl Export {
    /// The export called `name` of what runs in `host`.
    ///
    /// # Errors
    /// A sentence, where there is none.
    pub fn find(host: &mut Host, name: &str) -> Result<Self, String> {
        let found = match host.core() {
            Some((store, instance)) => instance.get_func(store, name).map(Self::Core),
            None => host.component().and_then(|(store, instance)| {
                let func = instance.get_func(store, name);
                func.map(Self::Component)
            }),
        };
        found.ok_or_else(|| format!("it does not export `{name}`"))
    }

    /// The function called `name` in the interface `interface` of a component.
    ///
    /// # Errors
    /// A sentence, where there is none.
    pub fn find_in(host: &mut Host, interface: &str, name: &str) -> Result<Self, String> {
        let found = host.component().and_then(|(store, instance)| {
            let outer = instance.get_export_index(&mut *store, None, interface)?;
            let index = instance.get_export_index(&mut *store, Some(&outer), name)?;
            instance.get_func(store, index)
        });
        let found = found.map(Self::Component);
        found.ok_or_else(|| format!("it does not export `{name}` of `{interface}`"))
    }

    /// Calls it, and gives the number it answers with; 0 where it gives none.
    ///
    /// # Errors
    /// A sentence, where it traps or gives something else.
    pub fn call(self, host: &mut Host, args: &[Number]) -> Result<u64, String> {
        let sentence = |error: wasmtime::Error| format!("{error:#}");
        match self {
            Self::Core(func) => {
                let args: Vec<_> = args.iter().map(|arg| arg.core()).collect();
                let mut results = [Val::I32(0)];
                let results = &mut results[..func.ty(&*host.store()).results().len().min(1)];
                func.call(host.store(), &args, results).map_err(sentence)?;
                match results.first() {
                    None => Ok(0),
                    Some(Val::I32(number)) => Ok(u64::from(*number as u32)),
                    Some(Val::I64(number)) => Ok(*number as u64),
                    Some(other) => Err(format!("it gives {other:?}, which is no number")),
                }
            }
            Self::Component(func) => {
                let args: Vec<_> = args.iter().map(|arg| arg.lifted()).collect();
                let mut results = [Lifted::Bool(false)];
                let results = &mut results[..func.ty(&*host.store()).results().len().min(1)];
                func.call(host.store(), &args, results).map_err(sentence)?;
                match results.first() {
                    None => Ok(0),
                    Some(Lifted::U32(number)) => Ok(u64::from(*number)),
                    Some(Lifted::U64(number)) => Ok(*number),
                    Some(other) => Err(format!("it gives {other:?}, which is no number")),
                }
            }
        }
    }
}

impl Number {
    fn core(self) -> Val {
        match self {
            Self::U32(number) => Val::I32(number as i32),
            Self::U64(number) => Val::I64(number as i64),
        }
    }

    fn lifted(self) -> Lifted {
        match self {
            Self::U32(number) => Lifted::U32(number),
            Self::U64(number) => Lifted::U64(number),
        }
    }
}
