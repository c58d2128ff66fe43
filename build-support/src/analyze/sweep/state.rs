//! The graph with what its nodes stand for, shared by all functions while it grows.

use super::certain_traps::CertainTraps;
use super::graph::{Graph, NONE, NodeIndex};
use crate::wasm::linked::module::LinkedModule;
use crate::wasm::linked::ranges;
use crate::wasm::linked::relocations::{DataSymbol, Reloc, Relocations, Target};

/// What all functions share while the graph grows.
pub struct State<'a> {
    /// The module.
    pub linked: &'a LinkedModule<'a>,
    /// The linker's relocations in it.
    pub relocations: &'a Relocations,
    /// Where code is certain to trap.
    pub traps: &'a CertainTraps,
    /// What is needed.
    pub graph: Graph,
    /// The first node of each function's parameters, locals and results.
    values: Vec<Option<Values>>,
    /// Constants in live code that hold an address, and its node.
    pub constants: Vec<(usize, NodeIndex)>,
    /// The classes of types that live code calls through the table, and who calls, in order of
    /// discovery.
    pub indirect: Vec<(u32, NodeIndex)>,
    /// For each slot, whether a call through the table may reach it: its number is marked, and live
    /// code calls a function of its type.
    pub called: Vec<bool>,
    /// Whether live code reads or changes the table in any other way.
    pub table_is_open: bool,
    first_data: NodeIndex,
    first_slot: NodeIndex,
    first_value: NodeIndex,
    /// The function each value node belongs to.
    owners: Vec<u32>,
}

/// Where a function's parameters and results are in the graph.
#[derive(Clone, Copy)]
pub struct Values {
    /// The first parameter's node; the others follow.
    pub parameters: NodeIndex,
    /// The first result's.
    pub results: NodeIndex,
}

/// What a node stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Node {
    /// A function.
    Function(u32),
    /// A data symbol.
    Data(u32),
    /// A table slot.
    Slot(u32),
    /// A value inside a function.
    Value(u32),
}

impl<'a> State<'a> {
    /// A graph with nothing needed yet.
    pub fn new(
        linked: &'a LinkedModule<'a>,
        relocations: &'a Relocations,
        traps: &'a CertainTraps,
    ) -> State<'a> {
        let first_data = linked.module.functions.len();
        let first_slot = first_data + relocations.data.len();
        let first_value = first_slot + linked.slots.len();
        State {
            linked,
            relocations,
            traps,
            graph: Graph::new(first_value),
            values: vec![None; linked.module.functions.len()],
            constants: Vec::new(),
            indirect: Vec::new(),
            called: vec![false; linked.slots.len()],
            table_is_open: linked.table_is_open,
            first_data: first_data as NodeIndex,
            first_slot: first_slot as NodeIndex,
            first_value: first_value as NodeIndex,
            owners: Vec::new(),
        }
    }

    /// The node of a data symbol.
    pub fn data(&self, position: u32) -> NodeIndex {
        self.first_data + position
    }

    /// The relocated words of a data symbol.
    pub fn words(&self, symbol: &DataSymbol) -> &'a [Reloc] {
        ranges::within(&self.relocations.in_data, &(symbol.start..symbol.end))
    }

    /// The node of a slot's number.
    pub fn slot(&self, position: u32) -> NodeIndex {
        self.first_slot + position
    }

    /// What a node stands for.
    pub fn node(&self, node: NodeIndex) -> Node {
        if node < self.first_data {
            Node::Function(node)
        } else if node < self.first_slot {
            Node::Data(node - self.first_data)
        } else if node < self.first_value {
            Node::Slot(node - self.first_slot)
        } else {
            Node::Value(self.owners[(node - self.first_value) as usize])
        }
    }

    /// A function can be called from where nothing is known of its arguments and results.
    pub fn mark_entry(&mut self, function: u32, cause: NodeIndex) {
        self.graph.mark(function, cause);
        let results = self.linked.signature(function).results().len();
        let first = self.values(function).results;
        for result in 0..results {
            self.graph.mark(first + result as NodeIndex, function);
        }
    }

    /// The node a relocation refers to; none for what cannot be dead.
    pub fn target(&self, target: Target) -> NodeIndex {
        match target {
            Target::Function(function) => function,
            Target::Data(position) => self.data(position),
            Target::Slot(position) => self.slot(position),
            Target::Nothing => NONE,
        }
    }

    /// New nodes for so many values of a function; the first of them.
    pub fn add_values(&mut self, count: usize, owner: u32) -> NodeIndex {
        self.owners.resize(self.owners.len() + count, owner);
        self.graph.add(count)
    }

    /// One value of a function that all of these go into.
    pub fn join(&mut self, owner: u32, parts: &[NodeIndex]) -> NodeIndex {
        let mut joined = NONE;
        for part in parts.iter().copied().filter(|part| *part != NONE) {
            if joined == NONE {
                joined = part;
            } else if joined != part {
                let both = self.add_values(1, owner);
                self.graph.edge(both, joined);
                self.graph.edge(both, part);
                joined = both;
            }
        }
        joined
    }

    /// The nodes of a function's parameters and results, made when they are first asked for.
    pub fn values(&mut self, function: u32) -> Values {
        if let Some(values) = self.values[function as usize] {
            return values;
        }
        let ty = self.linked.signature(function);
        let (parameters, results) = (ty.params().len(), ty.results().len());
        let parameters_at = self.add_values(parameters, function);
        let values = Values {
            parameters: parameters_at,
            results: self.add_values(results, function),
        };
        self.values[function as usize] = Some(values);
        values
    }
}
