//! Why something is still there: the chain of needs from a root to it.

use super::graph::NodeIndex;
use super::state::{Node, State};
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
pub fn run(state: &State<'_>, symbol: &str) -> Vec<Explanation> {
    let (linked, relocations) = (state.linked, state.relocations);
    let functions =
        (linked.module.imported..linked.module.functions.len() as u32).map(|function| {
            let name = symbol_names::function(linked, relocations, function);
            let linker = relocations.names[function as usize].as_deref();
            (name, linker, function)
        });
    let data = relocations.data.iter().zip(0..).map(|(symbol, position)| {
        let name = symbol_names::data(linked, symbol);
        (name, Some(symbol.name.as_str()), state.data(position))
    });
    functions
        .chain(data)
        .filter(|(name, linker, _)| matches(symbol, name, *linker))
        .map(|(name, _, node)| Explanation {
            symbol: name,
            chain: chain(state, node),
        })
        .collect()
}

fn matches(wanted: &str, name: &str, linker: Option<&str>) -> bool {
    name == wanted
        || linker == Some(wanted)
        || name
            .strip_suffix(wanted)
            .is_some_and(|before| before.ends_with("::"))
}

fn chain(state: &State<'_>, node: NodeIndex) -> Vec<Link> {
    let (linked, relocations) = (state.linked, state.relocations);
    let mut chain: Vec<Link> = Vec::new();
    let mut through_slot = false;
    for step in steps(state, node) {
        let (name, link): (_, fn(String) -> Link) = match step {
            Node::Slot(_) => {
                through_slot = true;
                continue;
            }
            Node::Function(function) => {
                let name = symbol_names::function(linked, relocations, function);
                (
                    name,
                    if through_slot {
                        Link::Pointer
                    } else {
                        Link::Call
                    },
                )
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
fn steps(state: &State<'_>, node: NodeIndex) -> Vec<Node> {
    let graph = &state.graph;
    let mut steps = Vec::new();
    let mut at = graph.is_marked(node).then_some(node);
    while let Some(node) = at {
        let step = match state.node(node) {
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
