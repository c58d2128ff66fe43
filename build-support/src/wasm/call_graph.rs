//! Who calls whom in a core module, read from the code alone, so that it holds for any file: direct calls,
//! references, and calls through a table, which may reach every function of the type in any table.
//!
//! For people who ask why something is there and what would go with it. What may be removed is decided by the
//! sweep, which knows more.

use crate::wasm::artifact::Fault;
use crate::wasm::dominators;
use std::collections::{HashMap, VecDeque};
use wasmparser::{
    CompositeInnerType, ConstExpr, ElementItems, ElementKind, ExternalKind, FuncType, Operator,
    Parser, Payload, TableInit, TypeRef,
};

/// The node that everything hangs on: the host.
const HOST: u32 = 0;

/// The functions of a module and what they call.
#[derive(Debug, Default)]
pub struct CallGraph {
    /// For each node those it leads to: the host, the functions, the types that are called through a table, and
    /// last whatever may be called through it.
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

/// Reads the graph of a valid core module.
///
/// # Errors
/// A [`Fault`] where a section cannot be read.
pub fn read(module: &[u8]) -> Result<CallGraph, Fault> {
    let mut reading = Reading::default();
    for payload in Parser::new(0).parse_all(module) {
        reading.payload(payload?)?;
    }
    Ok(reading.finish())
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

    /// The shortest way from the host to each function of `wanted`; none to one that nothing can call.
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

/// The graph while sections are read.
#[derive(Default)]
struct Reading {
    graph: CallGraph,
    /// For each type the first one that is the same, as calls through a table compare them.
    classes: Vec<u32>,
    seen: HashMap<FuncType, u32>,
    /// The type of each function.
    types: Vec<u32>,
    /// What stands in tables.
    slots: Vec<u32>,
    table_is_open: bool,
    /// For each defined function what it calls and holds, the types it calls, and whether it reads a table.
    calls: Vec<(Vec<u32>, Vec<u32>, bool)>,
    /// Where the body before ends, so that a body's length in front is counted as it is written.
    end: u64,
}

impl Reading {
    fn payload(&mut self, payload: Payload<'_>) -> Result<(), Fault> {
        match payload {
            Payload::TypeSection(section) => {
                for group in section {
                    for ty in group?.into_types() {
                        let index = self.classes.len() as u32;
                        self.classes.push(match ty.composite_type.inner {
                            CompositeInnerType::Func(ty) => *self.seen.entry(ty).or_insert(index),
                            _ => index,
                        });
                    }
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import?;
                    match import.ty {
                        TypeRef::Func(ty) | TypeRef::FuncExact(ty) => {
                            self.types.push(ty);
                            let name = format!("{}.{}", import.module, import.name);
                            self.graph.imports.push(name);
                            self.graph.bytes.push(0);
                        }
                        TypeRef::Table(_) => self.table_is_open = true,
                        _ => {}
                    }
                }
            }
            Payload::FunctionSection(section) => {
                for ty in section {
                    self.types.push(ty?);
                }
            }
            Payload::TableSection(section) => {
                for table in section {
                    if let TableInit::Expr(expression) = table?.init {
                        self.held_by_value(&expression)?;
                    }
                }
            }
            Payload::GlobalSection(section) => {
                for global in section {
                    self.held_by_value(&global?.init_expr)?;
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export?;
                    match export.kind {
                        ExternalKind::Func | ExternalKind::FuncExact => {
                            let root = Root::Export(export.name.to_owned());
                            self.root(export.index, root);
                        }
                        ExternalKind::Table => self.table_is_open = true,
                        _ => {}
                    }
                }
            }
            Payload::StartSection { func, .. } => self.root(func, Root::Start),
            Payload::ElementSection(section) => {
                for element in section {
                    let element = element?;
                    // What is only declared is held by whoever refers to it.
                    let declared = matches!(element.kind, ElementKind::Declared);
                    let mut functions = Vec::new();
                    match element.items {
                        ElementItems::Functions(items) => {
                            for function in items {
                                functions.push(function?);
                            }
                        }
                        ElementItems::Expressions(_, items) => {
                            for expression in items {
                                held(&expression?, &mut functions)?;
                            }
                        }
                    }
                    if !declared {
                        self.slots.extend(functions);
                    }
                }
            }
            Payload::CodeSectionStart {
                count,
                unchecked_range: range,
                ..
            } => self.end = range.start + leb_length(u64::from(count)),
            Payload::CodeSectionEntry(body) => self.body(&body)?,
            _ => {}
        }
        Ok(())
    }

    fn root(&mut self, function: u32, root: Root) {
        self.graph.roots.entry(function).or_insert(root);
    }

    fn held_by_value(&mut self, expression: &ConstExpr<'_>) -> Result<(), Fault> {
        let mut functions = Vec::new();
        held(expression, &mut functions)?;
        for function in functions {
            self.root(function, Root::Value);
        }
        Ok(())
    }

    fn body(&mut self, body: &wasmparser::FunctionBody<'_>) -> Result<(), Fault> {
        let (mut calls, mut types, mut reads_table) = (Vec::new(), Vec::new(), false);
        for operator in body.get_operators_reader()? {
            match operator? {
                Operator::Call { function_index }
                | Operator::ReturnCall { function_index }
                | Operator::RefFunc { function_index } => calls.push(function_index),
                Operator::CallIndirect { type_index, .. }
                | Operator::ReturnCallIndirect { type_index, .. } => types.push(type_index),
                Operator::TableGet { .. } => reads_table = true,
                _ => {}
            }
        }
        let range = body.range();
        self.graph.bytes.push(range.end - self.end.min(range.start));
        self.end = range.end;
        self.calls.push((calls, types, reads_table));
        Ok(())
    }

    fn finish(self) -> CallGraph {
        let Reading {
            mut graph,
            classes,
            types,
            slots,
            table_is_open,
            calls,
            ..
        } = self;
        graph.functions = graph.bytes.len() as u32;
        let first_type = graph.functions + 1;
        let anything = first_type + classes.len() as u32;
        let class = |ty: u32| classes.get(ty as usize).map(|class| first_type + class);
        graph.next = vec![Vec::new(); anything as usize + 1];
        let next = &mut graph.next;
        let imports = graph.imports.len();
        for (position, (calls, types, reads_table)) in calls.into_iter().enumerate() {
            let node = &mut next[imports + position + 1];
            node.extend(calls.into_iter().map(|function| function + 1));
            node.extend(types.into_iter().filter_map(class));
            node.extend(reads_table.then_some(anything));
        }
        for function in slots {
            if let Some(node) = types.get(function as usize).and_then(|ty| class(*ty)) {
                next[node as usize].push(function + 1);
            }
            next[anything as usize].push(function + 1);
            if table_is_open {
                graph.roots.entry(function).or_insert(Root::Table);
            }
        }
        next[HOST as usize] = graph.roots.keys().map(|function| function + 1).collect();
        let nodes = next.len() as u32;
        for to in next {
            to.retain(|node| *node < nodes);
            to.sort_unstable();
            to.dedup();
        }
        graph
    }
}

/// Adds the functions that a constant expression refers to.
fn held(expression: &ConstExpr<'_>, functions: &mut Vec<u32>) -> Result<(), Fault> {
    for operator in expression.get_operators_reader() {
        if let Operator::RefFunc { function_index } = operator? {
            functions.push(function_index);
        }
    }
    Ok(())
}

/// How many bytes `value` takes in LEB128, written as short as it can be.
fn leb_length(value: u64) -> u64 {
    u64::from((64 - (value | 1).leading_zeros()).div_ceil(7))
}

#[cfg(test)]
mod tests {
    use super::{CallGraph, Root, Step, read};

    fn graph(wat: &str) -> CallGraph {
        read(&wat::parse_str(wat).unwrap()).unwrap()
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

    /// Protects what people are told would go: that which is reached through one function alone, and no more.
    #[test]
    fn what_hangs_on_a_function() {
        let graph = graph(MODULE);
        let all = graph.retained();
        let of = |function: u32| {
            let found = all.iter().find(|r| r.function == function)?;
            Some((found.functions, found.retained - found.bytes))
        };
        let own = |function: usize| graph.bytes[function];
        assert_eq!(
            of(3),
            Some((3, own(5) + own(6))),
            "b alone leads to only and deep"
        );
        assert_eq!(of(2), Some((1, 0)), "shared does not hang on a");
        assert_eq!(of(7), Some((1, 0)));
        assert_eq!(
            (of(8), of(9)),
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
