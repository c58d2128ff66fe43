//! The functions of a core module with their names, sizes and what their last instruction says;
//! read from the bytes as they are.

use crate::wasm::path::demangle;
use crate::wasm::{Module, ReadError, sections};
use std::collections::HashSet;
use wasmparser::{
    BinaryReader, CustomSectionReader, KnownCustom, Linking, Operator, SymbolFlags, SymbolInfo,
};

/// A defined (not imported) function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// Its index in the function index space, imports counted.
    pub index: u32,
    /// Demangled name without hash, or `None` where the file names it nowhere.
    pub name: Option<String>,
    /// Size of its body in bytes, with the length in front.
    pub bytes: u64,
    /// Whether its type has no result and no path through its body returns: what a function that
    /// never returns (`-> !`) compiles to.
    pub diverges: bool,
}

/// What [`run`] found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Symbols {
    /// Defined functions in index order.
    pub functions: Vec<Function>,
    /// Whether no function has a name but those that the host calls by it.
    pub unnamed: bool,
}

impl Symbols {
    /// The name of a defined function, or its number.
    pub fn name_of(&self, index: u32) -> String {
        // They stand in index order without gaps, behind the imports.
        let first = self.functions.first().map_or(0, |f| f.index);
        let position = index.checked_sub(first).map(|position| position as usize);
        let function = position.and_then(|position| self.functions.get(position));
        let name = function.and_then(|f| f.name.clone());
        name.unwrap_or_else(|| format!("function {index}"))
    }
}

/// The functions that a linker's symbol table has as known in one object alone, by the names they
/// have there; none where there is no table, or it cannot be read.
pub fn locals(module: &[u8]) -> Vec<&str> {
    let mut found = Vec::new();
    for section in sections::read(module).map_while(Result::ok) {
        if section.id != sections::CUSTOM {
            continue;
        }
        let custom = CustomSectionReader::new(BinaryReader::new(section.contents, 0));
        let Ok(KnownCustom::Linking(linking)) = custom.as_ref().map(CustomSectionReader::as_known)
        else {
            continue;
        };
        for part in linking.into_iter().map_while(Result::ok) {
            let Linking::SymbolTable(symbols) = part else {
                continue;
            };
            for symbol in symbols.into_iter().map_while(Result::ok) {
                if let SymbolInfo::Func {
                    flags,
                    name: Some(name),
                    ..
                } = symbol
                    && flags.contains(SymbolFlags::BINDING_LOCAL)
                {
                    found.push(name);
                }
            }
        }
    }
    found
}

/// Reads the symbols of a core module. The name section comes first, exports fill its gaps.
///
/// # Errors
/// A [`ReadError`] where a body cannot be read.
pub fn run(module: &Module<'_>) -> Result<Symbols, ReadError> {
    let names = module.names();
    let mut found = Symbols::default();
    let bodies = module.bodies.iter().zip(module.imported..);
    for ((body, index), name) in bodies.zip(names.functions) {
        let size = body.as_bytes().len() as u64;
        let returns_nothing = module
            .signature(index)
            .is_some_and(|ty| ty.results().is_empty());
        found.functions.push(Function {
            index,
            name: name.map(demangle),
            bytes: size + leb_length(size),
            diverges: returns_nothing && never_returns(body)?,
        });
    }
    let exports = module.exported_functions();
    let exports: HashSet<_> = exports.map(|e| (e.index, demangle(e.name))).collect();
    found.unnamed = found.functions.iter().all(|function| {
        let name = function.name.clone();
        name.is_none_or(|name| exports.contains(&(function.index, name)))
    });
    Ok(found)
}

/// Whether no path through the body leads out of it but a trap or another function that never comes
/// back: it ends in `unreachable`, and nothing returns, calls in its own stead, or branches to its
/// end.
fn never_returns(body: &wasmparser::FunctionBody<'_>) -> Result<bool, ReadError> {
    // How many blocks are open around the operator; a branch that deep leaves the function.
    let mut depth = 0_u32;
    let mut last_two = [false, false];
    for operator in body.get_operators_reader()? {
        let operator = operator?;
        last_two = [last_two[1], matches!(operator, Operator::Unreachable)];
        let leaves = match &operator {
            Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => {
                depth += 1;
                false
            }
            Operator::End => {
                depth = depth.saturating_sub(1);
                false
            }
            Operator::Br { relative_depth } | Operator::BrIf { relative_depth } => {
                *relative_depth >= depth
            }
            Operator::BrTable { targets } => {
                let mut leaves = targets.default() >= depth;
                for target in targets.targets() {
                    leaves |= target? >= depth;
                }
                leaves
            }
            Operator::Unreachable | Operator::Else => false,
            Operator::Return => true,
            other => !is_plain(other),
        };
        if leaves {
            return Ok(false);
        }
    }
    // The last operator is the function's own `end`.
    Ok(last_two[0])
}

/// Whether an operator hands control to the next one. What is not known to (returns, tail calls,
/// exceptions, branches on references) counts as a way out: then the function is spared.
fn is_plain(operator: &Operator<'_>) -> bool {
    macro_rules! plain {
        ($( @$proposal:ident $op:ident $({ $($arg:ident: $argty:ty),* })? => $visit:ident $arity:tt)*) => {
            match operator {
                $(Operator::$op { .. } => in_plain_proposal(stringify!($proposal)),)*
                _ => false,
            }
        };
    }
    wasmparser::for_each_operator!(plain)
}

/// The proposals whose operators never transfer control.
fn in_plain_proposal(proposal: &str) -> bool {
    matches!(
        proposal,
        "mvp"
            | "sign_extension"
            | "saturating_float_to_int"
            | "bulk_memory"
            | "reference_types"
            | "simd"
            | "relaxed_simd"
            | "threads"
            | "memory_control"
            | "wide_arithmetic"
    )
}

/// How many bytes `value` takes in LEB128.
fn leb_length(value: u64) -> u64 {
    u64::from((64 - (value | 1).leading_zeros()).div_ceil(7))
}
