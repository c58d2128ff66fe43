//! What a core module has in it that rows speak of.

use crate::Error;
use crate::error::Result;
use crate::system::digest;
use crate::wasm::artifact::{Artifact, FileKind};
use crate::wasm::read_error::ReadError;
use crate::wasm::{Module as Reader, module};
use std::collections::BTreeSet;
use std::path::Path;
use wasmparser::{ExternalKind, Operator};

/// Bytes of a page of linear memory.
pub const PAGE: u64 = 65_536;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Module {
    /// Its name in the bundle.
    pub name: String,
    /// SHA-256 of it.
    pub sha256: String,
    /// Functions with a body.
    pub functions: usize,
    /// `return_call` and its kin.
    pub tail_calls: u64,
    /// `memory.grow`.
    pub grows: u64,
    /// What changes tables, or drops data.
    pub hidden_changes: u64,
    /// Its memories, imported ones among them.
    pub memories: Vec<Memory>,
    /// Exported functions.
    pub exports: BTreeSet<String>,
    /// Globals that change.
    pub mutable_globals: usize,
    /// Whether one of them is exported.
    pub exports_mutable: bool,
    /// Bytes of data segments.
    pub data: u64,
}

/// A memory as it is declared, in pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// At the start.
    pub least: u64,
    /// At the end.
    pub most: Option<u64>,
    /// Whether threads share it.
    pub shared: bool,
    /// Whether its addresses have 64 bits.
    pub wide: bool,
}

impl Module {
    /// Why an image of it would not be all of its state; none where it would be.
    pub fn not_restorable(&self) -> Option<String> {
        if self.memories.len() != 1 {
            return Some(format!("{} memories", self.memories.len()));
        }
        if self.mutable_globals > 1 || self.exports_mutable {
            return Some(format!("{} globals that change", self.mutable_globals));
        }
        (self.hidden_changes > 0)
            .then(|| format!("{} changes of tables or segments", self.hidden_changes))
    }

    /// The most bytes of its memory, if it says so.
    pub fn most_bytes(&self) -> Option<u64> {
        let pages = self.memories.first()?.most?;
        Some(pages.saturating_mul(PAGE))
    }

    /// Which of `names` it does not export.
    pub fn lacks<'n>(&self, names: &'n [String]) -> Vec<&'n str> {
        let names = names.iter().map(String::as_str);
        names.filter(|name| !self.exports.contains(*name)).collect()
    }
}

/// Looks through the module in `bytes`, which is called `name`.
///
/// # Errors
/// [`Error::Input`] where it is no core module.
pub fn run(name: &Path, bytes: &[u8]) -> Result<Module> {
    let artifact = Artifact::new(bytes.to_vec(), name)?;
    if artifact.kind() != FileKind::Core {
        return Err(Error::input(
            name,
            "it is a component, and a page runs core modules",
            "name a target whose file is a module, such as wasm32-wasip1",
        ));
    }
    read(name, bytes).map_err(ReadError::input(name, "build it again"))
}

fn read(name: &Path, bytes: &[u8]) -> Result<Module, ReadError> {
    let module = Reader::read(bytes)?;
    let mut found = Module {
        name: name.display().to_string(),
        sha256: digest::digest(bytes),
        functions: module.bodies.len(),
        tail_calls: 0,
        grows: 0,
        hidden_changes: 0,
        memories: memories(&module),
        exports: module
            .exported_functions()
            .map(|export| export.name.to_owned())
            .collect(),
        mutable_globals: module.globals.iter().filter(|one| one.ty.mutable).count(),
        exports_mutable: false,
        data: 0,
    };
    let imported = module.imports.iter();
    let imported = imported.filter(|one| matches!(one.ty, wasmparser::TypeRef::Global(_)));
    let imported = imported.count() as u32;
    let exported = module.exports.iter();
    found.exports_mutable = exported
        .filter(|one| one.kind == ExternalKind::Global)
        .any(|one| {
            let own = one.index.checked_sub(imported);
            let global = own.and_then(|own| module.globals.get(own as usize));
            global.is_none_or(|global| global.ty.mutable)
        });
    found.data = module
        .data
        .iter()
        .map(|segment| module::contents(segment).len() as u64)
        .sum();
    for body in &module.bodies {
        for operator in body.get_operators_reader()? {
            match operator? {
                Operator::ReturnCall { .. }
                | Operator::ReturnCallIndirect { .. }
                | Operator::ReturnCallRef { .. } => found.tail_calls += 1,
                Operator::MemoryGrow { .. } => found.grows += 1,
                Operator::TableSet { .. }
                | Operator::TableGrow { .. }
                | Operator::TableFill { .. }
                | Operator::TableCopy { .. }
                | Operator::TableInit { .. }
                | Operator::ElemDrop { .. }
                | Operator::DataDrop { .. } => found.hidden_changes += 1,
                _ => {}
            }
        }
    }
    Ok(found)
}

fn memories(module: &Reader<'_>) -> Vec<Memory> {
    let imported = module.imports.iter().filter_map(|import| match import.ty {
        wasmparser::TypeRef::Memory(memory) => Some(memory),
        _ => None,
    });
    let all = imported.chain(module.memories.iter().copied());
    all.map(|memory| Memory {
        least: memory.initial,
        most: memory.maximum,
        shared: memory.shared,
        wide: memory.memory64,
    })
    .collect()
}
