//! Which functions may be run often: those called from a loop, and what they call, through a table
//! by its type as well.

use crate::error::Result;
use crate::passes::compact::code::Body;
use crate::passes::compact::rewrite::PASS;
use crate::wasm::{Module, ReadError, constant};
use wasmparser::Operator;

/// For each function that the module defines, whether it may be.
///
/// # Errors
/// [`Error`](crate::Error) where the module cannot be read.
pub fn run(module: &Module<'_>, bodies: &[Body<'_>]) -> Result<Vec<bool>> {
    let calls = Calls {
        module,
        classes: module.type_classes(),
        held: held(module, bodies)?,
    };
    let mut hot = vec![false; bodies.len()];
    let mut to_do = Vec::new();
    for body in bodies {
        let mut loops = Vec::new();
        for operator in &body.operators {
            match operator {
                Operator::Loop { .. } => loops.push(true),
                // Whatever else opens a block ends with an `end`, a `delegate` aside: then all
                // that follows counts as in a loop that never ends, which is on the safe side.
                Operator::Block { .. }
                | Operator::If { .. }
                | Operator::Try { .. }
                | Operator::TryTable { .. } => loops.push(false),
                Operator::End => {
                    loops.pop();
                }
                _ if loops.contains(&true) => calls.heat(operator, &mut hot, &mut to_do),
                _ => {}
            }
        }
    }
    while let Some(function) = to_do.pop() {
        for operator in &bodies[function].operators {
            calls.heat(operator, &mut hot, &mut to_do);
        }
    }
    Ok(hot)
}

/// Who can be called by what.
struct Calls<'m, 'a> {
    module: &'m Module<'a>,
    classes: Vec<u32>,
    /// The functions that can be called by reference.
    held: Vec<u32>,
}

impl Calls<'_, '_> {
    fn heat(&self, operator: &Operator<'_>, hot: &mut [bool], to_do: &mut Vec<usize>) {
        let mut heat = |function: u32| {
            if let Some(position) = function.checked_sub(self.module.imported) {
                let position = position as usize;
                if !std::mem::replace(&mut hot[position], true) {
                    to_do.push(position);
                }
            }
        };
        match operator {
            Operator::Call { function_index } | Operator::ReturnCall { function_index } => {
                heat(*function_index);
            }
            Operator::CallIndirect { type_index, .. }
            | Operator::ReturnCallIndirect { type_index, .. } => {
                let class = self.classes[*type_index as usize];
                let ty = |function: u32| self.module.functions[function as usize];
                let same = |function: &&u32| self.classes[ty(**function) as usize] == class;
                self.held.iter().filter(same).copied().for_each(heat);
            }
            Operator::CallRef { .. } | Operator::ReturnCallRef { .. } => {
                self.held.iter().copied().for_each(heat);
            }
            _ => {}
        }
    }
}

/// The functions that tables, globals and code hold.
fn held(module: &Module<'_>, bodies: &[Body<'_>]) -> Result<Vec<u32>> {
    let mut held = module.held_by_values().map_err(ReadError::output(PASS))?;
    for element in &module.elements {
        held.extend(constant::in_element(element).map_err(ReadError::output(PASS))?);
    }
    let operators = bodies.iter().flat_map(|body| &body.operators);
    held.extend(operators.filter_map(|operator| match operator {
        Operator::RefFunc { function_index } => Some(*function_index),
        _ => None,
    }));
    held.sort_unstable();
    held.dedup();
    Ok(held)
}

#[cfg(test)]
mod tests {
    use crate::passes::compact::code;
    use crate::wasm::Module;

    /// Protects the speed of what runs often: the whole of it is known, through tables too.
    #[test]
    fn what_a_loop_reaches_is_hot() {
        let bytes = wat::parse_str(
            "(module (type $t (func (param i32))) (import \"a\" \"b\" (func))
               (func $once call $twice) (func $twice) (func $direct call $below) (func $below)
               (func $slot (param i32)) (func $other_slot (param i64))
               (func $main call $once loop call $direct call 0 i32.const 0 i32.const 0
                 call_indirect (type $t) end call $once)
               (table funcref (elem $slot $other_slot)))",
        )
        .unwrap();
        let module = Module::read(&bytes).unwrap();
        let bodies = code::bodies(&module).unwrap();
        let hot = super::run(&module, &bodies).unwrap();
        assert_eq!(hot, [false, false, true, true, true, false, false]);
    }
}
