//! Where ways part and meet: the open blocks, and what the stack and the locals hold behind them.

use super::execution::{Execution, Frame};
use crate::analyze::sweep::graph::{NONE, NodeIndex};
use wasmparser::{BlockType, Operator};

impl Execution<'_, '_> {
    /// Nothing behind this point in the block can be reached.
    pub fn stop(&mut self) {
        if self.live {
            self.live = false;
            self.depth = 0;
        }
    }

    /// Passes over an operator that cannot be reached.
    pub fn skip(&mut self, operator: &Operator<'_>) {
        match operator {
            Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => self.depth += 1,
            Operator::End if self.depth > 0 => self.depth -= 1,
            Operator::End => self.close(),
            Operator::Else if self.depth == 0 => self.other_arm(),
            _ => {}
        }
    }

    /// Values that a branch to the block `depth` levels out carries go into its label, locals into
    /// its locals.
    pub fn branch(&mut self, depth: u32) {
        let at = self.frames.len() - 1 - depth as usize;
        let (label, arity) = (self.frames[at].label, self.frames[at].label_arity);
        let from = self.stack.len().saturating_sub(arity);
        for i in 0..arity {
            let value = self.stack.get(from + i).copied().unwrap_or(NONE);
            self.state.graph.edge(label + i as NodeIndex, value);
        }
        if let Some(first) = self.frames[at].first_phi {
            for (i, value) in self.locals.iter().enumerate() {
                self.state.graph.edge(first + i as NodeIndex, *value);
            }
        } else if at > 0 {
            let exit = match self.frames[at].exit.take() {
                None => self.locals.clone(),
                Some(mut exit) => {
                    for (before, value) in exit.iter_mut().zip(&self.locals) {
                        if before != value {
                            *before = self.state.join(self.function, &[*before, *value]);
                        }
                    }
                    exit
                }
            };
            self.frames[at].exit = Some(exit);
        }
    }

    pub fn open(&mut self, ty: BlockType, is_loop: bool, is_if: bool) {
        let (parameters, results) = match ty {
            BlockType::Empty => (0, 0),
            BlockType::Type(_) => (0, 1),
            BlockType::FuncType(index) => {
                let ty = self.state.linked.function_type(index);
                (ty.params().len(), ty.results().len())
            }
        };
        let height = self.stack.len().saturating_sub(parameters);
        let arity = if is_loop { parameters } else { results };
        let label = self.state.add_values(arity, self.function);
        let arms = is_if.then(|| (self.stack[height..].to_vec(), self.locals.clone()));
        let mut first_phi = None;
        if is_loop {
            for i in 0..parameters {
                let value = self.stack[height + i];
                self.state.graph.edge(label + i as NodeIndex, value);
                self.stack[height + i] = label + i as NodeIndex;
            }
            let first = self.state.add_values(self.locals.len(), self.function);
            for (i, local) in self.locals.iter_mut().enumerate() {
                self.state.graph.edge(first + i as NodeIndex, *local);
                *local = first + i as NodeIndex;
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

    pub fn other_arm(&mut self) {
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

    pub fn close(&mut self) {
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
                .extend((0..frame.results as NodeIndex).map(|i| label + i));
        }
    }
}
