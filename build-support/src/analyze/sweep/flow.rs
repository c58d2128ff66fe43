//! How addresses flow through one function: abstract execution of its live code, with a node of the graph
//! for each value that an address may have gone into. What an operator with an effect takes is needed;
//! an address that only ever reaches unused results, unused locals or unused parameters of the functions
//! called is not, and what it points at may be dead.
//!
//! Locals are followed definition by definition, for compilers use one for several things: where ways meet, a
//! value that came by two of them is a node with two edges.

use super::account::{Account, Operand, Reloc, Target};
use super::doom::{self, Doom};
use super::graph::{Graph, NONE, Node};
use super::linked::Linked;
use super::operators::{self, Effect};
use super::refusal::Refusal;
use wasmparser::{BlockType, FunctionBody, Operator};

/// What all functions share while the graph grows.
pub struct World<'a> {
    /// The module.
    pub linked: &'a Linked<'a>,
    /// The linker's account of it.
    pub account: &'a Account,
    /// Where code is certain to trap.
    pub doom: &'a Doom,
    /// What is needed.
    pub graph: Graph,
    /// The first node of each function's parameters, locals and results.
    places: Vec<Option<Places>>,
    /// Constants in live code that hold an address, and its node.
    pub constants: Vec<(usize, Node)>,
    /// The classes of types that live code calls through the table, and who calls, in order of discovery.
    pub indirect: Vec<(u32, Node)>,
    /// Whether live code reads or changes the table in any other way.
    pub table_is_open: bool,
    first_data: Node,
    first_slot: Node,
    first_value: Node,
    /// The function each value node belongs to.
    owners: Vec<u32>,
}

#[derive(Clone, Copy)]
struct Places {
    parameters: Node,
    results: Node,
}

/// What a node stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thing {
    /// A function.
    Function(u32),
    /// A data symbol.
    Data(u32),
    /// A table slot.
    Slot(u32),
    /// A value inside a function.
    Value(u32),
}

impl<'a> World<'a> {
    /// A graph with nothing needed yet.
    pub fn new(linked: &'a Linked<'a>, account: &'a Account, doom: &'a Doom) -> World<'a> {
        let first_data = linked.functions.len();
        let first_slot = first_data + account.data.len();
        let first_value = first_slot + linked.slots.len();
        World {
            linked,
            account,
            doom,
            graph: Graph::new(first_value),
            places: vec![None; linked.functions.len()],
            constants: Vec::new(),
            indirect: Vec::new(),
            table_is_open: linked.table_is_open,
            first_data: first_data as Node,
            first_slot: first_slot as Node,
            first_value: first_value as Node,
            owners: Vec::new(),
        }
    }

    /// The node of a data symbol.
    pub fn data(&self, position: u32) -> Node {
        self.first_data + position
    }

    /// The node of a slot's number.
    pub fn slot(&self, position: u32) -> Node {
        self.first_slot + position
    }

    /// What a node stands for.
    pub fn thing(&self, node: Node) -> Thing {
        if node < self.first_data {
            Thing::Function(node)
        } else if node < self.first_slot {
            Thing::Data(node - self.first_data)
        } else if node < self.first_value {
            Thing::Slot(node - self.first_slot)
        } else {
            Thing::Value(self.owners[(node - self.first_value) as usize])
        }
    }

    /// A function can be called from where nothing is known of its arguments and results.
    pub fn enter(&mut self, function: u32, cause: Node) {
        self.graph.need(function, cause);
        let results = self.linked.signature(function).results().len();
        let first = self.places(function).results;
        for result in 0..results {
            self.graph.need(first + result as Node, function);
        }
    }

    fn target(&self, target: Target) -> Node {
        match target {
            Target::Function(function) => function,
            Target::Data(position) => self.data(position),
            Target::Slot(position) => self.slot(position),
            Target::Nothing => NONE,
        }
    }

    fn values(&mut self, count: usize, owner: u32) -> Node {
        self.owners.resize(self.owners.len() + count, owner);
        self.graph.add(count)
    }

    /// One value of a function that all of these go into.
    fn join(&mut self, owner: u32, parts: &[Node]) -> Node {
        let mut joined = NONE;
        for part in parts {
            if *part == NONE || *part == joined {
                continue;
            }
            if joined == NONE {
                joined = *part;
                continue;
            }
            let both = self.values(1, owner);
            self.graph.edge(both, joined);
            self.graph.edge(both, *part);
            joined = both;
        }
        joined
    }

    fn places(&mut self, function: u32) -> Places {
        if let Some(places) = self.places[function as usize] {
            return places;
        }
        let ty = self.linked.signature(function);
        let (parameters, results) = (ty.params().len(), ty.results().len());
        let parameters_at = self.values(parameters, function);
        let places = Places {
            parameters: parameters_at,
            results: self.values(results, function),
        };
        self.places[function as usize] = Some(places);
        places
    }
}

/// Adds what a needed function needs.
///
/// # Errors
/// A [`Refusal`] where an operand has no relocation or one of the wrong kind, or for an operator that is
/// not known.
pub fn scan(world: &mut World<'_>, function: u32) -> Result<(), Refusal> {
    let Some(position) = world.linked.defined(function) else {
        return Ok(());
    };
    if world.doom.traps[function as usize] {
        return Ok(());
    }
    let range = world.linked.bodies[position].clone();
    let bytes = &world.linked.bytes[range.clone()];
    let body = FunctionBody::new(wasmparser::BinaryReader::new(bytes, range.start as u64));
    let places = world.places(function);
    let parameters = world.linked.signature(function).params().len();
    let mut locals = 0;
    for local in body.get_locals_reader()? {
        locals += local?.0 as usize;
    }
    let account = world.account;
    let relocs = &account.in_code;
    let from = relocs.partition_point(|reloc| reloc.at < range.start);
    let to = relocs.partition_point(|reloc| reloc.at < range.end);
    let cuts = &world.doom.cuts[..];
    let first_cut = cuts.partition_point(|cut| cut.start < range.start);
    let results = world.linked.signature(function).results().len();
    let mut scan = Scan {
        function,
        locals: (0..parameters as Node)
            .map(|parameter| places.parameters + parameter)
            .chain(std::iter::repeat_n(NONE, locals))
            .collect(),
        relocs: &relocs[from..to],
        accounted: from < to || !account.is_linkers_own(function),
        stack: Vec::new(),
        frames: vec![Frame {
            height: 0,
            results,
            label: places.results,
            label_arity: results,
            first_phi: None,
            arms: None,
            exit: None,
        }],
        live: true,
        depth: 0,
        world,
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
    world: &'w mut World<'a>,
    function: u32,
    /// What each local holds.
    locals: Vec<Node>,
    /// What is left of the function's relocations.
    relocs: &'a [Reloc],
    /// Whether every operand must have one: not so in functions that the linker made.
    accounted: bool,
    stack: Vec<Node>,
    frames: Vec<Frame>,
    /// Whether the operator can be reached.
    live: bool,
    /// How many blocks are open within code that cannot.
    depth: u32,
}

/// An open block.
struct Frame {
    /// The height of the stack below its parameters.
    height: usize,
    results: usize,
    /// The first node of what a branch to it carries, and how many.
    label: Node,
    label_arity: usize,
    /// Of a loop: the first of the nodes that stand for its locals, whichever turn it is.
    first_phi: Option<Node>,
    /// Of an `if` before its `else`: its parameters, and what the locals held.
    arms: Option<(Vec<Node>, Vec<Node>)>,
    /// What the locals hold at its end; none while nothing leads there.
    exit: Option<Vec<Node>>,
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

    fn pop(&mut self) -> Node {
        self.stack.pop().unwrap_or(NONE)
    }

    fn need(&mut self, node: Node) {
        self.world.graph.need(node, self.function);
    }

    fn pop_needed(&mut self, count: usize) {
        for _ in 0..count {
            let node = self.pop();
            self.need(node);
        }
    }

    fn push_nothing(&mut self, count: usize) {
        self.stack.resize(self.stack.len() + count, NONE);
    }

    /// Nothing behind this point in the block can be reached.
    fn stop(&mut self) {
        if self.live {
            self.live = false;
            self.depth = 0;
        }
    }

    fn skip(&mut self, operator: &Operator<'_>) {
        match operator {
            Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => self.depth += 1,
            Operator::End if self.depth > 0 => self.depth -= 1,
            Operator::End => self.close(),
            Operator::Else if self.depth == 0 => self.other_arm(),
            _ => {}
        }
    }

    /// Values that a branch to the block `depth` levels out carries go into its label, locals into its locals.
    fn branch(&mut self, depth: u32) {
        let at = self.frames.len() - 1 - depth as usize;
        let (label, arity) = (self.frames[at].label, self.frames[at].label_arity);
        let from = self.stack.len().saturating_sub(arity);
        for i in 0..arity {
            let value = self.stack.get(from + i).copied().unwrap_or(NONE);
            self.world.graph.edge(label + i as Node, value);
        }
        if let Some(first) = self.frames[at].first_phi {
            for (i, value) in self.locals.iter().enumerate() {
                self.world.graph.edge(first + i as Node, *value);
            }
        } else if at > 0 {
            let exit = match self.frames[at].exit.take() {
                None => self.locals.clone(),
                Some(mut exit) => {
                    for (held, value) in exit.iter_mut().zip(&self.locals) {
                        if held != value {
                            *held = self.world.join(self.function, &[*held, *value]);
                        }
                    }
                    exit
                }
            };
            self.frames[at].exit = Some(exit);
        }
    }

    fn open(&mut self, ty: BlockType, is_loop: bool, is_if: bool) {
        let (parameters, results) = match ty {
            BlockType::Empty => (0, 0),
            BlockType::Type(_) => (0, 1),
            BlockType::FuncType(index) => {
                let ty = &self.world.linked.types[index as usize];
                (ty.params().len(), ty.results().len())
            }
        };
        let height = self.stack.len().saturating_sub(parameters);
        let arity = if is_loop { parameters } else { results };
        let label = self.world.values(arity, self.function);
        let arms = is_if.then(|| (self.stack[height..].to_vec(), self.locals.clone()));
        let mut first_phi = None;
        if is_loop {
            for i in 0..parameters {
                let value = self.stack[height + i];
                self.world.graph.edge(label + i as Node, value);
                self.stack[height + i] = label + i as Node;
            }
            let first = self.world.values(self.locals.len(), self.function);
            for (i, local) in self.locals.iter_mut().enumerate() {
                self.world.graph.edge(first + i as Node, *local);
                *local = first + i as Node;
            }
            first_phi = Some(first);
        }
        self.frames.push(Frame {
            height,
            results,
            label,
            label_arity: arity,
            first_phi,
            arms,
            exit: None,
        });
    }

    fn other_arm(&mut self) {
        if self.live {
            self.branch(0);
        }
        let frame = self.frames.last_mut().expect("validated");
        let (parameters, locals) = frame.arms.take().expect("validated");
        self.stack.truncate(frame.height);
        self.stack.extend(parameters);
        self.locals = locals;
        self.live = true;
    }

    fn close(&mut self) {
        let is_loop = self.frames.last().is_some_and(|f| f.first_phi.is_some());
        if is_loop {
            let frame = self.frames.pop().expect("validated");
            let from = self.stack.len().saturating_sub(frame.results);
            if self.live {
                self.stack.drain(frame.height.min(from)..from);
            }
            return;
        }
        // An `if` without `else` falls through with its parameters.
        if self.frames.last().is_some_and(|frame| frame.arms.is_some()) {
            self.other_arm();
        }
        if self.live {
            self.branch(0);
        }
        let frame = self.frames.pop().expect("validated");
        self.stack.truncate(frame.height);
        self.live = frame.exit.is_some();
        if let Some(locals) = frame.exit {
            self.locals = locals;
            let label = frame.label;
            self.stack
                .extend((0..frame.results as Node).map(|i| label + i));
        }
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
            None if !self.accounted => Ok(()),
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
                self.world.enter(*function_index, self.function);
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
                    self.pop_needed(1);
                } else {
                    let target = reloc.map_or(Target::Nothing, |reloc| reloc.target);
                    self.stack.push(self.world.target(target));
                }
            }
            Operator::I32Const { .. } => {
                let node = match reloc {
                    None => NONE,
                    Some(reloc) => {
                        covered(Operand::Constant, &String::new)?;
                        self.world.target(reloc.target)
                    }
                };
                if node != NONE {
                    self.world.constants.push((start, node));
                }
                self.stack.push(node);
            }
            Operator::Block { blockty } => self.open(*blockty, false, false),
            Operator::Loop { blockty } => self.open(*blockty, true, false),
            Operator::If { blockty } => {
                self.pop_needed(1);
                self.open(*blockty, false, true);
            }
            Operator::Else => self.other_arm(),
            Operator::End => self.close(),
            Operator::Br { relative_depth } => {
                self.branch(*relative_depth);
                self.stop();
            }
            Operator::BrIf { relative_depth } => {
                self.pop_needed(1);
                self.branch(*relative_depth);
            }
            Operator::BrTable { targets } => {
                self.pop_needed(1);
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
                let joined = self.world.join(self.function, &parts);
                self.stack.push(joined);
            }
            Operator::TypedSelectMulti { tys } => {
                self.pop_needed(1 + 2 * tys.len());
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
        let plain =
            operators::plain(operator).ok_or_else(|| doom::unsupported(operator, start as u64))?;
        self.world.table_is_open |= changes_table(operator);
        let base = match reloc {
            None => NONE,
            Some(reloc) if matches!(reloc.operand, Operand::Offset | Operand::Index) => {
                self.world.target(reloc.target)
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
                let joined = self.world.join(self.function, &parts);
                for _ in 0..plain.gives {
                    self.stack.push(joined);
                }
            }
            // A load may trap, so that its address matters even where what is read does not.
            _ => {
                self.pop_needed(plain.takes as usize);
                self.need(base);
                self.push_nothing(plain.gives as usize);
            }
        }
        Ok(())
    }

    fn call(&mut self, callee: u32) {
        let ty = self.world.linked.signature(callee);
        let (parameters, results) = (ty.params().len(), ty.results().len());
        if self.world.linked.defined(callee).is_none() {
            self.need(callee);
            self.pop_needed(parameters);
            self.push_nothing(results);
            return;
        }
        self.need(callee);
        let places = self.world.places(callee);
        for parameter in (0..parameters).rev() {
            let argument = self.pop();
            self.world
                .graph
                .edge(places.parameters + parameter as Node, argument);
        }
        self.stack
            .extend((0..results as Node).map(|result| places.results + result));
    }

    fn call_indirect(&mut self, ty: u32, table: u32) {
        let class = self.world.linked.classes[ty as usize];
        let ty = &self.world.linked.types[ty as usize];
        let (parameters, results) = (ty.params().len(), ty.results().len());
        self.pop_needed(1 + parameters);
        self.push_nothing(results);
        if table == 0 {
            self.world.indirect.push((class, self.function));
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
