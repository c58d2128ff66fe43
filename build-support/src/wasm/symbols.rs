//! The functions and data segments of a core module with their names, sizes and what their last
//! instruction says; read from the bytes as they are.

use crate::wasm::artifact::Fault;
use crate::wasm::path::demangle;
use wasmparser::{
    CompositeInnerType, ExternalKind, KnownCustom, Name, Operator, Parser, Payload, TypeRef,
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
    /// Whether its type has no result and no path through its body returns: what a function that never
    /// returns (`-> !`) compiles to.
    pub diverges: bool,
}

/// A data segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Its name (`.rodata`), or its number.
    pub name: String,
    /// Its contents' size in bytes.
    pub bytes: u64,
}

/// What [`run`] found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Symbols {
    /// Defined functions in index order.
    pub functions: Vec<Function>,
    /// Data segments in order.
    pub segments: Vec<Segment>,
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

/// Reads the symbols of a valid core module. The name section comes first, exports fill its gaps.
///
/// # Errors
/// A [`Fault`] where a section cannot be read; a broken name section is one, not a silence.
pub fn run(module: &[u8]) -> Result<Symbols, Fault> {
    let mut types: Vec<bool> = Vec::new();
    let mut function_types: Vec<u32> = Vec::new();
    let mut imported = 0;
    let mut exports: Vec<(u32, String)> = Vec::new();
    let mut names: Vec<(u32, String)> = Vec::new();
    let mut segment_names: Vec<(u32, String)> = Vec::new();
    let mut found = Symbols::default();
    for payload in Parser::new(0).parse_all(module) {
        match payload? {
            Payload::TypeSection(section) => {
                for group in section {
                    for ty in group?.into_types() {
                        types.push(match ty.composite_type.inner {
                            CompositeInnerType::Func(f) => f.results().is_empty(),
                            _ => false,
                        });
                    }
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    if matches!(import?.ty, TypeRef::Func(_) | TypeRef::FuncExact(_)) {
                        imported += 1;
                    }
                }
            }
            Payload::FunctionSection(section) => {
                for ty in section {
                    function_types.push(ty?);
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export?;
                    if export.kind == ExternalKind::Func {
                        exports.push((export.index, export.name.to_owned()));
                    }
                }
            }
            Payload::CodeSectionEntry(body) => {
                let position = found.functions.len();
                let returns_nothing = function_types
                    .get(position)
                    .and_then(|ty| types.get(*ty as usize))
                    .is_some_and(|nothing| *nothing);
                let size = body.range().end - body.range().start;
                found.functions.push(Function {
                    index: imported + position as u32,
                    name: None,
                    bytes: size + leb_length(size),
                    diverges: returns_nothing && never_returns(&body)?,
                });
            }
            Payload::DataSection(section) => {
                for (number, segment) in section.into_iter().enumerate() {
                    let name = format!("data segment {number}");
                    found.segments.push(Segment {
                        name,
                        bytes: segment?.data.len() as u64,
                    });
                }
            }
            Payload::CustomSection(section) => {
                if let KnownCustom::Name(reader) = section.as_known() {
                    for subsection in reader {
                        match subsection? {
                            Name::Function(map) => collect(map, &mut names)?,
                            Name::Data(map) => collect(map, &mut segment_names)?,
                            _ => {}
                        }
                    }
                }
            }
            _ => {}
        }
    }
    // The name section is what the compiler said; an export's name is better than none.
    for (index, name) in exports.into_iter().chain(names) {
        let slot = index
            .checked_sub(imported)
            .and_then(|i| found.functions.get_mut(i as usize));
        if let Some(function) = slot {
            function.name = Some(demangle(&name));
        }
    }
    for (index, name) in segment_names {
        if let Some(segment) = found.segments.get_mut(index as usize) {
            segment.name = name;
        }
    }
    Ok(found)
}

fn collect(map: wasmparser::NameMap<'_>, out: &mut Vec<(u32, String)>) -> Result<(), Fault> {
    for naming in map {
        let naming = naming?;
        out.push((naming.index, naming.name.to_owned()));
    }
    Ok(())
}

/// Whether no path through the body leads out of it but a trap or another function that never comes
/// back: it ends in `unreachable`, and nothing returns, calls in its own stead, or branches to its end.
fn never_returns(body: &wasmparser::FunctionBody<'_>) -> Result<bool, Fault> {
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
