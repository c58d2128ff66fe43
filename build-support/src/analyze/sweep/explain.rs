//! Why something is still there: the chain of needs from a root to it.

use super::graph::NodeIndex;
use super::proof::Proof;
use super::state::Node;
use crate::wasm::linked::symbol_names;

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
    let (linked, relocations) = (proof.linked, proof.relocations);
    let mut chain: Vec<Link> = Vec::new();
    let mut through_slot = false;
    for step in steps(proof, node) {
        let (name, link): (_, fn(String) -> Link) = match step {
            Node::Slot(_) => {
                through_slot = true;
                continue;
            }
            Node::Function(function) => {
                let link = if through_slot {
                    Link::Pointer
                } else {
                    Link::Call
                };
                (symbol_names::function(linked, relocations, function), link)
            }
            Node::Data(position) => {
                let symbol = &relocations.data[position as usize];
                let name = symbol_names::vtable(linked, relocations, symbol);
                (name, Link::Data)
            }
            Node::Value(_) => continue,
        };
        through_slot = false;
        chain.push(if chain.is_empty() {
            Link::Root(name)
        } else {
            link(name)
        });
    }
    chain
}

/// From the root to a node; empty where nothing marked it.
fn steps(proof: &Proof<'_>, node: NodeIndex) -> Vec<Node> {
    let graph = &proof.state.graph;
    let mut steps = Vec::new();
    let mut at = graph.is_marked(node).then_some(node);
    while let Some(node) = at {
        let step = match proof.state.node(node) {
            // A value inside a function: the function is what counts.
            Node::Value(function) => Node::Function(function),
            other => other,
        };
        if steps.last() != Some(&step) {
            steps.push(step);
        }
        at = graph.cause(node);
    }
    steps.reverse();
    steps
}
