//! Why something is still there: the chain of needs from a root to it.

use super::graph::NodeIndex;
use super::state::Node;
use super::{Proof, symbol_names};

/// The answer for one symbol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// Its demangled name.
    pub symbol: String,
    /// From the root to the symbol itself; empty where it is dead.
    pub chain: Vec<Link>,
}

/// One step of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// An export, the start function, or a symbol that must be kept: the first of a chain.
    Root(String),
    /// A function that the one before calls.
    Call(String),
    /// A function that can be called through the table, because what is before holds its address.
    Pointer(String),
    /// Data whose address what is before uses.
    Data(String),
}

/// Explains every function and data symbol of that name.
pub fn run(proof: &Proof<'_>, symbol: &str) -> Vec<Explanation> {
    let mut found = Vec::new();
    let mut add = |name: String, linker: Option<&str>, node: NodeIndex| {
        if matches(symbol, &name, linker) {
            let chain = chain(proof, node);
            found.push(Explanation {
                symbol: name,
                chain,
            });
        }
    };
    for position in 0..proof.linked.bodies.len() {
        let function = proof.linked.imported + position as u32;
        let linker = proof.relocations.names[function as usize].as_deref();
        add(
            symbol_names::function(proof.linked, proof.relocations, function),
            linker,
            function,
        );
    }
    for (position, data) in proof.relocations.data.iter().enumerate() {
        let node = proof.state.data(position as u32);
        add(
            symbol_names::data(proof.linked, data),
            Some(&data.name),
            node,
        );
    }
    found
}

fn matches(wanted: &str, name: &str, linker: Option<&str>) -> bool {
    name == wanted
        || linker == Some(wanted)
        || name
            .strip_suffix(wanted)
            .is_some_and(|before| before.ends_with("::"))
}

fn chain(proof: &Proof<'_>, node: NodeIndex) -> Vec<Link> {
    let graph = &proof.state.graph;
    if !graph.is_marked(node) {
        return Vec::new();
    }
    let mut steps = Vec::new();
    let mut at = Some(node);
    while let Some(node) = at {
        let thing = match proof.state.node(node) {
            // A value inside a function: the function is what counts.
            Node::Value(function) => Node::Function(function),
            other => other,
        };
        if steps.last() != Some(&thing) {
            steps.push(thing);
        }
        at = graph.cause(node);
    }
    steps.reverse();
    let mut chain: Vec<Link> = Vec::new();
    let mut through_slot = false;
    for thing in steps {
        let link = match thing {
            Node::Slot(_) => {
                through_slot = true;
                continue;
            }
            Node::Function(function) => {
                let name = symbol_names::function(proof.linked, proof.relocations, function);
                match (chain.is_empty(), through_slot) {
                    (true, _) => Link::Root(name),
                    (false, true) => Link::Pointer(name),
                    (false, false) => Link::Call(name),
                }
            }
            Node::Data(position) => {
                let name = symbol_names::vtable(
                    proof.linked,
                    proof.relocations,
                    &proof.relocations.data[position as usize],
                );
                match chain.is_empty() {
                    true => Link::Root(name),
                    false => Link::Data(name),
                }
            }
            Node::Value(_) => continue,
        };
        through_slot = false;
        chain.push(link);
    }
    chain
}
