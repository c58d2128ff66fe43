//! The state of the abstract execution of one function.

use crate::analyze::sweep::graph::{NONE, NodeIndex};
use crate::analyze::sweep::state::State;
use crate::wasm::linked::ranges;
use crate::wasm::linked::refusal::Refusal;
use crate::wasm::linked::relocations::{Operand, Reloc};
use std::ops::Range;

/// What is known before an operator: a node for each value, or [`NONE`].
pub struct Execution<'w, 'a> {
    pub state: &'w mut State<'a>,
    pub function: u32,
    /// What each local holds.
    pub locals: Vec<NodeIndex>,
    /// What is left of the function's relocations.
    relocs: &'a [Reloc],
    /// Whether every operand must have one: not so in functions that the linker made.
    relocated: bool,
    pub stack: Vec<NodeIndex>,
    pub frames: Vec<Frame>,
    /// Whether the operator can be reached.
    pub live: bool,
    /// How many blocks are open within code that cannot.
    pub depth: u32,
}

/// An open block.
pub struct Frame {
    /// The height of the stack below its parameters.
    pub height: usize,
    pub results: usize,
    /// The first node of what a branch to it carries, and how many.
    pub label: NodeIndex,
    pub label_arity: usize,
    /// Of a loop: the first of the nodes that stand for its locals, whichever turn it is.
    pub first_phi: Option<NodeIndex>,
    /// Of an `if` before its `else`: its parameters, and the locals' values.
    pub arms: Option<(Vec<NodeIndex>, Vec<NodeIndex>)>,
    /// What the locals hold at its end; none while nothing leads there.
    pub exit: Option<Vec<NodeIndex>>,
}

/// An operator's place and its relocation.
#[derive(Clone, Copy)]
pub struct Site {
    pub at: usize,
    pub reloc: Option<Reloc>,
    /// Whether it must have one, if it is of a kind that the linker fills in.
    relocated: bool,
}

impl<'w, 'a> Execution<'w, 'a> {
    /// Before the first operator of a function with so many locals besides its parameters.
    pub fn new(
        state: &'w mut State<'a>,
        function: u32,
        range: &Range<usize>,
        locals: usize,
    ) -> Execution<'w, 'a> {
        let (linked, relocations) = (state.linked, state.relocations);
        let relocs = ranges::within(&relocations.in_code, range);
        let signature = linked.signature(function);
        let results = signature.results().len();
        let values = state.values(function);
        let parameters = 0..signature.params().len() as NodeIndex;
        Execution {
            function,
            locals: parameters
                .map(|parameter| values.parameters + parameter)
                .chain(std::iter::repeat_n(NONE, locals))
                .collect(),
            relocs,
            relocated: !relocs.is_empty() || !relocations.is_linkers_own(function),
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
        }
    }

    /// The operator at `start..end`, with the relocation within its bytes.
    ///
    /// # Errors
    /// [`Refusal::Stale`] for a relocation before it, and for two that one operator cannot have.
    pub fn site(&mut self, start: usize, end: usize) -> Result<Site, Refusal> {
        let mut site = Site {
            at: start,
            reloc: None,
            relocated: self.relocated,
        };
        while let Some((next, rest)) = self.relocs.split_first() {
            if next.at >= end {
                break;
            }
            if next.at < start {
                return Err(stale(next.at, "there is no operator"));
            }
            // A call through the table has two: of its type and of its table.
            if let Some(first) = site.reloc
                && (next.operand != Operand::Index || first.operand != Operand::Index)
            {
                return Err(stale(next.at, "two relocations of one operator"));
            }
            site.reloc = site.reloc.or(Some(*next));
            self.relocs = rest;
        }
        Ok(site)
    }

    pub fn pop(&mut self) -> NodeIndex {
        self.stack.pop().unwrap_or(NONE)
    }

    pub fn mark(&mut self, node: NodeIndex) {
        self.state.graph.mark(node, self.function);
    }

    pub fn pop_marked(&mut self, count: usize) {
        for _ in 0..count {
            let node = self.pop();
            self.mark(node);
        }
    }

    pub fn push_nothing(&mut self, count: usize) {
        self.stack.resize(self.stack.len() + count, NONE);
    }
}

impl Site {
    /// Makes sure that the operand's relocation is there and of the right kind.
    ///
    /// # Errors
    /// [`Refusal::Gap`], [`Refusal::Stale`].
    pub fn check(&self, wanted: Operand, what: impl FnOnce() -> String) -> Result<(), Refusal> {
        match self.reloc {
            Some(reloc) if reloc.operand == wanted => Ok(()),
            Some(_) => Err(wrong_kind(self.at)),
            None if !self.relocated => Ok(()),
            None => Err(Refusal::Gap {
                offset: self.at as u64,
                what: what(),
            }),
        }
    }
}

/// The refusal of a relocation that such an operator cannot have.
pub fn wrong_kind(at: usize) -> Refusal {
    stale(at, "the relocation is not of this operator's kind")
}

fn stale(at: usize, what: &str) -> Refusal {
    Refusal::Stale {
        section: "reloc.CODE",
        offset: at as u64,
        what: what.into(),
    }
}
