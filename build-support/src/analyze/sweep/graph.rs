//! What must stay: a graph of functions, data symbols, table slots and the values that carry their
//! addresses. An edge says "if this one is needed, so is that one".

use std::collections::VecDeque;

/// A node. Functions come first, then data symbols, then slots, then values.
pub type NodeIndex = u32;

/// No node: a value that no address went into, or the end of a list.
pub const NONE: NodeIndex = u32::MAX;

/// The graph, and what of it is needed so far.
pub struct Graph {
    marked: Vec<bool>,
    /// For each node the one that needed it first, or [`NONE`] for a root.
    causes: Vec<NodeIndex>,
    /// For each node the first of its edges.
    heads: Vec<u32>,
    edges: Vec<Edge>,
    queue: VecDeque<NodeIndex>,
}

struct Edge {
    to: NodeIndex,
    next: u32,
}

impl Graph {
    /// A graph of so many nodes, none needed.
    pub fn new(nodes: usize) -> Graph {
        Graph {
            marked: vec![false; nodes],
            causes: vec![NONE; nodes],
            heads: vec![NONE; nodes],
            edges: Vec::new(),
            queue: VecDeque::new(),
        }
    }

    /// Adds so many nodes and gives the first.
    pub fn add(&mut self, count: usize) -> NodeIndex {
        let first = self.marked.len();
        self.marked.resize(first + count, false);
        self.causes.resize(first + count, NONE);
        self.heads.resize(first + count, NONE);
        first as NodeIndex
    }

    /// If `from` is needed, so is `to`.
    pub fn edge(&mut self, from: NodeIndex, to: NodeIndex) {
        if to == NONE || from == to {
            return;
        }
        if self.marked[from as usize] {
            self.mark(to, from);
            return;
        }
        let next = self.heads[from as usize];
        self.heads[from as usize] = self.edges.len() as u32;
        self.edges.push(Edge { to, next });
    }

    /// `node` is needed, because of `cause` ([`NONE`] for a root).
    pub fn mark(&mut self, node: NodeIndex, cause: NodeIndex) {
        if node != NONE && !std::mem::replace(&mut self.marked[node as usize], true) {
            self.causes[node as usize] = cause;
            self.queue.push_back(node);
        }
    }

    /// The next node that has become needed; those its edges lead to follow it.
    pub fn next(&mut self) -> Option<NodeIndex> {
        let node = self.queue.pop_front()?;
        let mut edge = self.heads[node as usize];
        while let Some(Edge { to, next }) = self.edges.get(edge as usize) {
            let (to, next) = (*to, *next);
            self.mark(to, node);
            edge = next;
        }
        Some(node)
    }

    /// Whether a node is needed.
    pub fn is_marked(&self, node: NodeIndex) -> bool {
        self.marked[node as usize]
    }

    /// What needed a node first; `None` for a root and for what is not needed.
    pub fn cause(&self, node: NodeIndex) -> Option<NodeIndex> {
        Some(self.causes[node as usize]).filter(|cause| *cause != NONE)
    }
}

#[cfg(test)]
mod tests {
    use super::{Graph, NONE};

    /// Protects edges that are added before and after their start is needed.
    #[test]
    fn what_is_needed_spreads_whenever_an_edge_comes() {
        let mut graph = Graph::new(4);
        graph.edge(0, 1);
        graph.mark(0, NONE);
        while graph.next().is_some() {}
        graph.edge(1, 2);
        while graph.next().is_some() {}
        let needed: Vec<_> = (0..4).map(|node| graph.is_marked(node)).collect();
        assert_eq!(needed, [true, true, true, false]);
        assert_eq!([graph.cause(0), graph.cause(2)], [None, Some(1)]);
    }
}
