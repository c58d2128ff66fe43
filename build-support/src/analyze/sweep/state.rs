//! The graph with what its nodes stand for, shared by all functions while it grows.

use super::certain_traps::Doom;
use super::graph::{Graph, NONE, Node};
use super::linked::Linked;
use super::relocations::{Account, Target};

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

/// Where a function's parameters and results are in the graph.
#[derive(Clone, Copy)]
pub struct Places {
    /// The first parameter's node; the others follow.
    pub parameters: Node,
    /// The first result's.
    pub results: Node,
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

    /// The node a relocation refers to; none for what cannot be dead.
    pub fn target(&self, target: Target) -> Node {
        match target {
            Target::Function(function) => function,
            Target::Data(position) => self.data(position),
            Target::Slot(position) => self.slot(position),
            Target::Nothing => NONE,
        }
    }

    /// New nodes for so many values of a function; the first of them.
    pub fn values(&mut self, count: usize, owner: u32) -> Node {
        self.owners.resize(self.owners.len() + count, owner);
        self.graph.add(count)
    }

    /// One value of a function that all of these go into.
    pub fn join(&mut self, owner: u32, parts: &[Node]) -> Node {
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

    /// The nodes of a function's parameters and results, made when they are first asked for.
    pub fn places(&mut self, function: u32) -> Places {
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
