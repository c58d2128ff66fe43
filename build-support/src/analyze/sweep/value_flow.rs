//! How addresses flow through one function: abstract execution of its live code, with a node of the graph
//! for each value that an address may have gone into. What an operator with an effect takes is needed;
//! an address that only ever reaches unused results, unused locals or unused parameters of the functions
//! called is not, and what it points at may be dead.
//!
//! Locals are followed definition by definition, for compilers use one for several things: where ways meet, a
//! value that came by two of them is a node with two edges.

mod blocks;
mod coarse;

use super::certain_traps;
use super::graph::{NONE, NodeIndex};
use super::operators::{self, Effect};
use super::refusal::Refusal;
use super::relocations::{Operand, Reloc, Target};
use super::state::State;
use blocks::Frame;
use wasmparser::{FunctionBody, Operator};

/// Following locals takes their number of steps at every branch. Beyond this many, and beyond this many times the
/// size of the body in bytes, all that a function mentions is taken for needed.
const LOCALS: usize = 1_000;
const LOCALS_BYTES: usize = 1 << 27;

/// Adds what a needed function needs.
///
/// # Errors
/// A [`Refusal`] where an operand has no relocation or one of the wrong kind, or for an operator that is
/// not known.
pub fn scan(state: &mut State<'_>, function: u32) -> Result<(), Refusal> {
    let Some(position) = state.linked.defined(function) else {
        return Ok(());
    };
    if state.traps.functions[function as usize] {
        return Ok(());
    }
    let range = state.linked.bodies[position].clone();
    let bytes = &state.linked.bytes[range.clone()];
    let body = FunctionBody::new(wasmparser::BinaryReader::new(bytes, range.start as u64));
    let values = state.values(function);
    let parameters = state.linked.signature(function).params().len();
    let mut locals = 0;
    for local in body.get_locals_reader()? {
        locals += local?.0 as usize;
    }
    if locals > LOCALS || locals * range.len() > LOCALS_BYTES {
        return coarse::scan(state, function, &range);
    }
    let relocations = state.relocations;
    let relocs = &relocations.in_code;
    let from = relocs.partition_point(|reloc| reloc.at < range.start);
    let to = relocs.partition_point(|reloc| reloc.at < range.end);
    let cuts = &state.traps.cuts[..];
    let first_cut = cuts.partition_point(|cut| cut.start < range.start);
    let results = state.linked.signature(function).results().len();
    let mut scan = Scan {
        function,
        locals: (0..parameters as NodeIndex)
            .map(|parameter| values.parameters + parameter)
            .chain(std::iter::repeat_n(NONE, locals))
            .collect(),
        relocs: &relocs[from..to],
        relocated: from < to || !relocations.is_linkers_own(function),
        stack: Vec::new(),
        frames: vec![Frame {
            height: 0,
            results,
            label: values.results,
            label_arity: results,
            first_phi: None,
            arms: None,
            exit: None,
        }],
        live: true,
        depth: 0,
        state,
    };
    let mut operators = body.get_operators_reader()?;
    let mut cuts = cuts[first_cut..].iter();
    let mut cut = cuts.next();
    while !operators.eof() {
        let start = operators.original_position() as usize;
        let operator = operators.read()?;
        let end = operators.original_position() as usize;
        if cut.is_some_and(|cut| cut.start == start) {
            scan.stop();
            cut = cuts.next();
        }
        let reloc = scan.reloc(start, end)?;
        if scan.live {
            scan.step(&operator, reloc, start)?;
        } else {
            scan.skip(&operator);
        }
        while cut.is_some_and(|cut| cut.start <= start) {
            cut = cuts.next();
        }
    }
    Ok(())
}

/// The state of the abstract execution.
struct Scan<'w, 'a> {
    state: &'w mut State<'a>,
    function: u32,
    /// What each local holds.
    locals: Vec<NodeIndex>,
    /// What is left of the function's relocations.
    relocs: &'a [Reloc],
    /// Whether every operand must have one: not so in functions that the linker made.
    relocated: bool,
    stack: Vec<NodeIndex>,
    frames: Vec<Frame>,
    /// Whether the operator can be reached.
    live: bool,
    /// How many blocks are open within code that cannot.
    depth: u32,
}

impl<'a> Scan<'_, 'a> {
    /// The relocation within an operator's bytes.
    fn reloc(&mut self, start: usize, end: usize) -> Result<Option<Reloc>, Refusal> {
        let Some((first, rest)) = self.relocs.split_first() else {
            return Ok(None);
        };
        if first.at >= end {
            return Ok(None);
        }
        if first.at < start {
            return Err(Refusal::Stale {
                section: "reloc.CODE",
                offset: first.at as u64,
                what: "there is no operator".into(),
            });
        }
        self.relocs = rest;
        // A call through the table has two: of its type and of its table.
        while let Some((next, rest)) = self.relocs.split_first() {
            if next.at >= end {
                break;
            }
            if next.operand != Operand::Index || first.operand != Operand::Index {
                return Err(Refusal::Stale {
                    section: "reloc.CODE",
                    offset: next.at as u64,
                    what: "two relocations of one operator".into(),
                });
            }
            self.relocs = rest;
        }
        Ok(Some(*first))
    }

    fn pop(&mut self) -> NodeIndex {
        self.stack.pop().unwrap_or(NONE)
    }

    fn mark(&mut self, node: NodeIndex) {
        self.state.graph.mark(node, self.function);
    }

    fn pop_marked(&mut self, count: usize) {
        for _ in 0..count {
            let node = self.pop();
            self.mark(node);
        }
    }

    fn push_nothing(&mut self, count: usize) {
        self.stack.resize(self.stack.len() + count, NONE);
    }

    fn step(
        &mut self,
        operator: &Operator<'_>,
        reloc: Option<Reloc>,
        start: usize,
    ) -> Result<(), Refusal> {
        let operand = reloc.map(|reloc| reloc.operand);
        let gap = |what: String| Refusal::Gap {
            offset: start as u64,
            what,
        };
        let covered = |wanted: Operand, what: &dyn Fn() -> String| match operand {
            Some(operand) if operand == wanted => Ok(()),
            None if !self.relocated => Ok(()),
            None => Err(gap(what())),
            Some(_) => Err(Refusal::Stale {
                section: "reloc.CODE",
                offset: start as u64,
                what: "the relocation is not of this operator's kind".into(),
            }),
        };
        match operator {
            Operator::Call { function_index } => {
                covered(Operand::Function, &|| {
                    format!("the call of function {function_index}")
                })?;
                self.call(*function_index);
            }
            Operator::ReturnCall { function_index } => {
                covered(Operand::Function, &|| {
                    format!("the call of function {function_index}")
                })?;
                self.call(*function_index);
                self.branch(self.frames.len() as u32 - 1);
                self.stop();
            }
            Operator::RefFunc { function_index } => {
                covered(Operand::Function, &|| {
                    format!("the reference to function {function_index}")
                })?;
                self.state.mark_entry(*function_index, self.function);
                self.push_nothing(1);
            }
            Operator::CallIndirect {
                type_index,
                table_index,
            } => {
                covered(Operand::Index, &|| "a call through the table".to_owned())?;
                self.call_indirect(*type_index, *table_index);
            }
            Operator::ReturnCallIndirect {
                type_index,
                table_index,
            } => {
                covered(Operand::Index, &|| "a call through the table".to_owned())?;
                self.call_indirect(*type_index, *table_index);
                self.branch(self.frames.len() as u32 - 1);
                self.stop();
            }
            Operator::GlobalGet { global_index } | Operator::GlobalSet { global_index } => {
                covered(Operand::Index, &|| {
                    format!("the use of global {global_index}")
                })?;
                if matches!(operator, Operator::GlobalSet { .. }) {
                    self.pop_marked(1);
                } else {
                    let target = reloc.map_or(Target::Nothing, |reloc| reloc.target);
                    self.stack.push(self.state.target(target));
                }
            }
            Operator::I32Const { .. } => {
                let node = match reloc {
                    None => NONE,
                    Some(reloc) => {
                        covered(Operand::Constant, &String::new)?;
                        self.state.target(reloc.target)
                    }
                };
                if node != NONE {
                    self.state.constants.push((start, node));
                }
                self.stack.push(node);
            }
            Operator::Block { blockty } => self.open(*blockty, false, false),
            Operator::Loop { blockty } => self.open(*blockty, true, false),
            Operator::If { blockty } => {
                self.pop_marked(1);
                self.open(*blockty, false, true);
            }
            Operator::Else => self.other_arm(),
            Operator::End => self.close(),
            Operator::Br { relative_depth } => {
                self.branch(*relative_depth);
                self.stop();
            }
            Operator::BrIf { relative_depth } => {
                self.pop_marked(1);
                self.branch(*relative_depth);
            }
            Operator::BrTable { targets } => {
                self.pop_marked(1);
                let mut depths = targets.targets().collect::<Result<Vec<_>, _>>()?;
                depths.push(targets.default());
                depths.sort_unstable();
                depths.dedup();
                for depth in depths {
                    self.branch(depth);
                }
                self.stop();
            }
            Operator::Return => {
                self.branch(self.frames.len() as u32 - 1);
                self.stop();
            }
            Operator::Unreachable => self.stop(),
            Operator::LocalGet { local_index } => {
                self.stack.push(self.locals[*local_index as usize]);
            }
            Operator::LocalSet { local_index } => {
                self.locals[*local_index as usize] = self.pop();
            }
            Operator::LocalTee { local_index } => {
                let value = self.stack.last().copied().unwrap_or(NONE);
                self.locals[*local_index as usize] = value;
            }
            Operator::Drop => {
                self.pop();
            }
            Operator::Select | Operator::TypedSelect { .. } => {
                let parts = [self.pop(), self.pop(), self.pop()];
                let joined = self.state.join(self.function, &parts);
                self.stack.push(joined);
            }
            Operator::TypedSelectMulti { tys } => {
                self.pop_marked(1 + 2 * tys.len());
                self.push_nothing(tys.len());
            }
            other => self.plain(other, reloc, start)?,
        }
        Ok(())
    }

    fn plain(
        &mut self,
        operator: &Operator<'_>,
        reloc: Option<Reloc>,
        start: usize,
    ) -> Result<(), Refusal> {
        let plain = operators::plain(operator)
            .ok_or_else(|| certain_traps::unsupported(operator, start as u64))?;
        self.state.table_is_open |= changes_table(operator);
        let base = match reloc {
            None => NONE,
            Some(reloc) if matches!(reloc.operand, Operand::Offset | Operand::Index) => {
                self.state.target(reloc.target)
            }
            Some(reloc) => {
                return Err(Refusal::Stale {
                    section: "reloc.CODE",
                    offset: reloc.at as u64,
                    what: "the relocation is not of this operator's kind".into(),
                });
            }
        };
        match plain.effect {
            Effect::None => {
                let from = self.stack.len().saturating_sub(plain.takes as usize);
                let parts: Vec<_> = self.stack.drain(from..).collect();
                let joined = self.state.join(self.function, &parts);
                for _ in 0..plain.gives {
                    self.stack.push(joined);
                }
            }
            // A load may trap, so that its address matters even where what is read does not.
            _ => {
                self.pop_marked(plain.takes as usize);
                self.mark(base);
                self.push_nothing(plain.gives as usize);
            }
        }
        Ok(())
    }

    fn call(&mut self, callee: u32) {
        let ty = self.state.linked.signature(callee);
        let (parameters, results) = (ty.params().len(), ty.results().len());
        if self.state.linked.defined(callee).is_none() {
            self.mark(callee);
            self.pop_marked(parameters);
            self.push_nothing(results);
            return;
        }
        self.mark(callee);
        let values = self.state.values(callee);
        for parameter in (0..parameters).rev() {
            let argument = self.pop();
            self.state
                .graph
                .edge(values.parameters + parameter as NodeIndex, argument);
        }
        self.stack
            .extend((0..results as NodeIndex).map(|result| values.results + result));
    }

    fn call_indirect(&mut self, ty: u32, table: u32) {
        let class = self.state.linked.classes[ty as usize];
        let ty = &self.state.linked.types[ty as usize];
        let (parameters, results) = (ty.params().len(), ty.results().len());
        self.pop_marked(1 + parameters);
        self.push_nothing(results);
        if table == 0 {
            self.state.indirect.push((class, self.function));
        }
    }
}

/// Whether an operator sees the table otherwise than by calling through it.
fn changes_table(operator: &Operator<'_>) -> bool {
    matches!(
        operator,
        Operator::TableGet { .. }
            | Operator::TableSet { .. }
            | Operator::TableGrow { .. }
            | Operator::TableFill { .. }
            | Operator::TableCopy { .. }
            | Operator::TableInit { .. }
    )
}
