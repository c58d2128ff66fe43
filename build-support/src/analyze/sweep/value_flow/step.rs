//! What the abstract execution does at each operator.

use super::execution::{Execution, Site, wrong_kind};
use crate::analyze::sweep::graph::{NONE, NodeIndex};
use crate::wasm::linked::operators::{self, Effect};
use crate::wasm::linked::refusal::Refusal;
use crate::wasm::linked::relocations::{Operand, Target};
use wasmparser::Operator;

impl Execution<'_, '_> {
    /// Executes an operator that can be reached.
    ///
    /// # Errors
    /// A [`Refusal`] where its relocation is missing or of the wrong kind, or for an operator that
    /// is not known.
    pub fn step(&mut self, operator: &Operator<'_>, site: Site) -> Result<(), Refusal> {
        if self.references(operator, site)? || self.control(operator)? || self.moves(operator) {
            return Ok(());
        }
        self.plain(operator, site)
    }

    /// Operators with an operand that the linker fills in, those that address memory left out;
    /// false for others.
    fn references(&mut self, operator: &Operator<'_>, site: Site) -> Result<bool, Refusal> {
        match operator {
            Operator::Call { function_index } | Operator::ReturnCall { function_index } => {
                site.check(Operand::Function, || {
                    format!("the call of function {function_index}")
                })?;
                self.call(*function_index);
            }
            Operator::CallIndirect {
                type_index,
                table_index,
            }
            | Operator::ReturnCallIndirect {
                type_index,
                table_index,
            } => {
                site.check(Operand::Index, || "a call through the table".to_owned())?;
                self.call_indirect(*type_index, *table_index);
            }
            Operator::RefFunc { function_index } => {
                site.check(Operand::Function, || {
                    format!("the reference to function {function_index}")
                })?;
                self.state.mark_entry(*function_index, self.function);
                self.push_nothing(1);
            }
            Operator::GlobalGet { global_index } | Operator::GlobalSet { global_index } => {
                site.check(Operand::Index, || {
                    format!("the use of global {global_index}")
                })?;
                if matches!(operator, Operator::GlobalSet { .. }) {
                    self.pop_marked(1);
                } else {
                    self.stack.push(self.target(site));
                }
            }
            Operator::I32Const { .. } => {
                if site.reloc.is_some() {
                    site.check(Operand::Constant, String::new)?;
                }
                let node = self.target(site);
                if node != NONE {
                    self.state.constants.push((site.at, node));
                }
                self.stack.push(node);
            }
            _ => return Ok(false),
        }
        if let Operator::ReturnCall { .. } | Operator::ReturnCallIndirect { .. } = operator {
            self.leave();
        }
        Ok(true)
    }

    /// What an operator's relocation refers to.
    fn target(&self, site: Site) -> NodeIndex {
        let target = site.reloc.map_or(Target::Nothing, |reloc| reloc.target);
        self.state.target(target)
    }

    /// Blocks and branches; false for other operators.
    fn control(&mut self, operator: &Operator<'_>) -> Result<bool, Refusal> {
        match operator {
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
            Operator::Return => self.leave(),
            Operator::Unreachable => self.stop(),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// What only moves values about; false for other operators.
    fn moves(&mut self, operator: &Operator<'_>) -> bool {
        match operator {
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
            _ => return false,
        }
        true
    }

    /// Everything else, by what it takes, gives and does.
    fn plain(&mut self, operator: &Operator<'_>, site: Site) -> Result<(), Refusal> {
        let plain = operators::plain(operator)
            .ok_or_else(|| Refusal::operator(operator, site.at as u64))?;
        self.state.table_is_open |= operators::changes_table(operator);
        if let Some(reloc) = site.reloc
            && !matches!(reloc.operand, Operand::Offset | Operand::Index)
        {
            return Err(wrong_kind(reloc.at));
        }
        if plain.effect == Effect::None {
            let from = self.stack.len().saturating_sub(plain.takes as usize);
            let parts: Vec<_> = self.stack.drain(from..).collect();
            let joined = self.state.join(self.function, &parts);
            let after = self.stack.len() + plain.gives as usize;
            self.stack.resize(after, joined);
        } else {
            // A load may trap, so that its address matters even where what is read does not.
            self.pop_marked(plain.takes as usize);
            self.mark(self.target(site));
            self.push_nothing(plain.gives as usize);
        }
        Ok(())
    }

    fn call(&mut self, callee: u32) {
        let ty = self.state.linked.signature(callee);
        let (parameters, results) = (ty.params().len(), ty.results().len());
        self.mark(callee);
        if self.state.linked.module.body(callee).is_none() {
            self.pop_marked(parameters);
            self.push_nothing(results);
            return;
        }
        let values = self.state.values(callee);
        for parameter in (0..parameters as NodeIndex).rev() {
            let argument = self.pop();
            let parameter = values.parameters + parameter;
            self.state.graph.edge(parameter, argument);
        }
        let results = 0..results as NodeIndex;
        self.stack
            .extend(results.map(|result| values.results + result));
    }

    fn call_indirect(&mut self, ty: u32, table: u32) {
        let class = self.state.linked.classes[ty as usize];
        let ty = self.state.linked.function_type(ty);
        let (parameters, results) = (ty.params().len(), ty.results().len());
        self.pop_marked(1 + parameters);
        self.push_nothing(results);
        if table == 0 {
            self.state.indirect.push((class, self.function));
        }
    }

    /// Leaves the function with its results.
    fn leave(&mut self) {
        self.branch(self.frames.len() as u32 - 1);
        self.stop();
    }
}
