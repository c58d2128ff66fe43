//! Who calls whom in a core module, read from the code alone, so that it holds for any file: direct
//! calls, references, and calls through a table, which may reach every function of the type in any
//! table.
//!
//! For people who ask why something is there and what would go with it. What may be removed is
//! decided by the sweep, which knows more.

use crate::wasm::{Module, ReadError, constant, dominators};
use std::collections::{HashMap, VecDeque};
use wasmparser::{ElementKind, FunctionBody, Operator};

/// The node that everything hangs on: the host.
const HOST: u32 = 0;

/// The functions of a module and what they call.
#[derive(Debug, Default)]
pub struct CallGraph {
    /// For each node those it leads to: the host, the functions, the types that are called through
    /// a table, and last whatever may be called through it.
    next: Vec<Vec<u32>>,
    /// How many functions there are, imports counted.
    functions: u32,
    /// The size of each function's body with its length in front, in bytes; 0 of imports.
    bytes: Vec<u64>,
    /// The names of the imported functions, `module.field`.
    imports: Vec<String>,
    /// Why the host leads to a function.
    roots: HashMap<u32, Root>,
}

/// Why a function may be called from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Root {
    /// It is exported, by that name.
    Export(String),
    /// It is the start function.
    Start,
    /// The host sees the table it is in.
    Table,
    /// A global or an initial value holds it.
    Value,
}

/// A step of the way to a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The first: what the host can call, and why.
    Root(u32, Root),
    /// Called by the one before, or held by it.
    Call(u32),
    /// Called by the one before through a table.
    Table(u32),
}

/// What one function retains: what would go with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retained {
    /// Its index.
    pub function: u32,
    /// Its own size, in bytes.
    pub bytes: u64,
    /// Its size and that of all functions that are reached through it alone, in bytes.
    pub retained: u64,
    /// How many functions that is, itself counted.
    pub functions: u64,
}

/// What a body leads to.
#[derive(Debug, Default)]
pub struct Calls {
    /// The functions that it calls or refers to.
    pub functions: Vec<u32>,
    /// The types of what it calls through a table.
    pub types: Vec<u32>,
    /// Whether it takes references out of a table.
    pub reads_table: bool,
}

/// Reads the graph of a core module.
///
/// # Errors
/// A [`ReadError`] where a body or an initial value cannot be read.
pub fn read(module: &Module<'_>) -> Result<CallGraph, ReadError> {
    let imports = module.import_names();
    let of_imports = imports.iter().map(|_| 0);
    let bytes: Vec<u64> = of_imports.chain(module.function_bytes()).collect();
    let functions = bytes.len() as u32;
    let mut roots = roots(module)?;
    let classes = module.type_classes();
    let first_type = functions + 1;
    let anything = first_type + classes.len() as u32;
    let class = |ty: u32| classes.get(ty as usize).map(|class| first_type + class);
    let mut next = vec![Vec::new(); anything as usize + 1];
    for (body, position) in module.bodies.iter().zip(imports.len()..) {
        let calls = calls(body)?;
        let node = &mut next[position + 1];
        node.extend(calls.functions.into_iter().map(|function| function + 1));
        node.extend(calls.types.into_iter().filter_map(class));
        node.extend(calls.reads_table.then_some(anything));
    }
    let is_shared = module.shares_table();
    for function in in_tables(module)? {
        let ty = module.functions.get(function as usize);
        if let Some(node) = ty.and_then(|ty| class(*ty)) {
            next[node as usize].push(function + 1);
        }
        next[anything as usize].push(function + 1);
        if is_shared {
            roots.entry(function).or_insert(Root::Table);
        }
    }
    next[HOST as usize] = roots.keys().map(|function| function + 1).collect();
    let nodes = next.len() as u32;
    for to in &mut next {
        to.retain(|node| *node < nodes);
        to.sort_unstable();
        to.dedup();
    }
    Ok(CallGraph {
        next,
        functions,
        bytes,
        imports,
        roots,
    })
}

/// Reads what a body leads to.
///
/// # Errors
/// A [`ReadError`] where it cannot be read.
pub fn calls(body: &FunctionBody<'_>) -> Result<Calls, ReadError> {
    let mut calls = Calls::default();
    for operator in body.get_operators_reader()? {
        match operator? {
            Operator::Call { function_index }
            | Operator::ReturnCall { function_index }
            | Operator::RefFunc { function_index } => calls.functions.push(function_index),
            Operator::CallIndirect { type_index, .. }
            | Operator::ReturnCallIndirect { type_index, .. } => calls.types.push(type_index),
            Operator::TableGet { .. } => calls.reads_table = true,
            _ => {}
        }
    }
    Ok(calls)
}

/// Why the host leads to functions, tables left out.
fn roots(module: &Module<'_>) -> Result<HashMap<u32, Root>, ReadError> {
    let held = module.held_by_values()?.into_iter();
    let mut roots: HashMap<_, _> = held.map(|function| (function, Root::Value)).collect();
    for export in module.exported_functions() {
        let root = roots.entry(export.index);
        root.or_insert_with(|| Root::Export(export.name.to_owned()));
    }
    if let Some(function) = module.start {
        roots.entry(function).or_insert(Root::Start);
    }
    Ok(roots)
}

/// What stands in tables, or may be put there by code.
fn in_tables(module: &Module<'_>) -> Result<Vec<u32>, ReadError> {
    let mut functions = Vec::new();
    for element in &module.elements {
        // What is only declared is held by whoever refers to it.
        if !matches!(element.kind, ElementKind::Declared) {
            functions.extend(constant::in_element(element)?);
        }
    }
    Ok(functions)
}

impl CallGraph {
    /// The name of an imported function.
    pub fn import(&self, function: u32) -> Option<&str> {
        self.imports.get(function as usize).map(String::as_str)
    }

    /// How many functions there are, imports counted.
    pub fn functions(&self) -> u32 {
        self.functions
    }

    /// What each defined function that can be reached retains, the most first.
    pub fn retained(&self) -> Vec<Retained> {
        let tree = dominators::run(&self.next, HOST);
        let mut retained: Vec<u64> = vec![0; self.next.len()];
        let mut count: Vec<u64> = vec![0; self.next.len()];
        for node in tree.order.iter().rev() {
            let at = *node as usize;
            if let Some(function) = self.function(*node)
                && function as usize >= self.imports.len()
            {
                retained[at] += self.bytes[function as usize];
                count[at] += 1;
            }
            if *node != HOST {
                let above = tree.above[at] as usize;
                retained[above] += retained[at];
                count[above] += count[at];
            }
        }
        let mut all: Vec<_> = (self.imports.len() as u32..self.functions)
            .filter(|function| count[*function as usize + 1] > 0)
            .map(|function| Retained {
                function,
                bytes: self.bytes[function as usize],
                retained: retained[function as usize + 1],
                functions: count[function as usize + 1],
            })
            .collect();
        all.sort_by_key(|r| (std::cmp::Reverse(r.retained), r.function));
        all
    }

    /// The shortest way from the host to each function of `wanted`; none to one that nothing can
    /// call.
    pub fn why(&self, wanted: &[u32]) -> Vec<Option<Vec<Step>>> {
        let mut from: Vec<Option<u32>> = vec![None; self.next.len()];
        let mut waiting = VecDeque::from([HOST]);
        from[HOST as usize] = Some(HOST);
        while let Some(node) = waiting.pop_front() {
            for to in &self.next[node as usize] {
                if from[*to as usize].is_none() {
                    from[*to as usize] = Some(node);
                    waiting.push_back(*to);
                }
            }
        }
        wanted.iter().map(|f| self.way(&from, *f)).collect()
    }

    fn way(&self, from: &[Option<u32>], function: u32) -> Option<Vec<Step>> {
        let mut steps = Vec::new();
        let mut node = function + 1;
        while node != HOST {
            let before = (*from.get(node as usize)?)?;
            if let Some(function) = self.function(node) {
                steps.push(match self.function(before) {
                    _ if before == HOST => Step::Root(function, self.roots.get(&function)?.clone()),
                    Some(_) => Step::Call(function),
                    None => Step::Table(function),
                });
            }
            node = before;
        }
        steps.reverse();
        Some(steps)
    }

    /// The function that a node is.
    fn function(&self, node: u32) -> Option<u32> {
        node.checked_sub(1).filter(|f| *f < self.functions)
    }
}

#[cfg(test)]
mod tests {
    use super::{CallGraph, Root, Step, read};
    use crate::wasm::Module;

    fn graph(wat: &str) -> CallGraph {
        let bytes = wat::parse_str(wat).unwrap();
        read(&Module::read(&bytes).unwrap()).unwrap()
    }

    const MODULE: &str = r#"(module
        (type $t (func)) (type $u (func (param i32)))
        (import "env" "out" (func))
        (table 4 funcref)
        (elem (i32.const 0) $slot $other)
        (func $run (export "run") (call $a) (call $b) (call_indirect (type $t) (i32.const 0)))
        (func $a (call $shared))
        (func $b (call $only) (call $shared))
        (func $shared (call 0))
        (func $only (call $deep))
        (func $deep)
        (func $slot (type $t))
        (func $other (type $u))
        (func $dead))"#;

    /// Protects what people are told would go: that which is reached through one function alone,
    /// and no more.
    #[test]
    fn what_hangs_on_a_function() {
        let graph = graph(MODULE);
        let all = graph.retained();
        let hanging = |function: u32| {
            let found = all.iter().find(|r| r.function == function)?;
            Some((found.functions, found.retained - found.bytes))
        };
        let own = |function: usize| graph.bytes[function];
        assert_eq!(
            hanging(3),
            Some((3, own(5) + own(6))),
            "b alone leads to only and deep"
        );
        assert_eq!(hanging(2), Some((1, 0)), "shared does not hang on a");
        assert_eq!(hanging(7), Some((1, 0)));
        assert_eq!(
            (hanging(8), hanging(9)),
            (None, None),
            "never called: another type, nobody"
        );
        assert_eq!(all[0].function, 1);
        assert_eq!(all[0].functions, 7);
    }

    #[test]
    fn the_way_to_a_function() {
        let graph = graph(MODULE);
        let root = Step::Root(1, Root::Export("run".into()));
        let ways = graph.why(&[6, 7, 9, 0, 1]);
        assert_eq!(
            ways[0].as_deref(),
            Some(&[root.clone(), Step::Call(3), Step::Call(5), Step::Call(6)][..])
        );
        assert_eq!(
            ways[1].as_deref(),
            Some(&[root.clone(), Step::Table(7)][..])
        );
        assert_eq!(ways[2], None);
        assert_eq!(
            ways[3].as_ref().map(Vec::len),
            Some(4),
            "imports have callers too"
        );
        assert_eq!(ways[4].as_deref(), Some(&[root][..]));
        assert_eq!(graph.import(0), Some("env.out"));
    }

    #[test]
    fn a_table_that_the_host_sees_is_a_root() {
        let graph =
            graph("(module (table (export \"t\") 1 funcref) (elem (i32.const 0) 0) (func))");
        assert_eq!(graph.why(&[0]), [Some(vec![Step::Root(0, Root::Table)])]);
    }
}
