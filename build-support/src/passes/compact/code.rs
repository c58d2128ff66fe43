//! The functions of a module, taken apart into operators that can be replaced. What is not touched
//! is written as it was read, in the shortest encoding.

use crate::wasm::{Module, ReadError};
use wasm_encoder::Encode as _;
use wasm_encoder::reencode::{Reencode as _, RoundtripReencoder};
use wasmparser::{FunctionBody, Operator, ValType};

/// A function without its type.
#[derive(Debug, Clone, Default)]
pub struct Body<'a> {
    /// Runs of locals of one type, parameters left out.
    pub locals: Vec<(u32, ValType)>,
    /// What it does, its last `end` included.
    pub operators: Vec<Operator<'a>>,
}

/// Takes every body of a module apart.
///
/// # Errors
/// A [`ReadError`] where one is not whole.
pub fn bodies<'a>(module: &Module<'a>) -> Result<Vec<Body<'a>>, ReadError> {
    module.bodies.iter().map(Body::read).collect()
}

impl<'a> Body<'a> {
    fn read(body: &FunctionBody<'a>) -> Result<Self, ReadError> {
        let locals = body.get_locals_reader()?.into_iter();
        let operators = body.get_operators_reader()?.into_iter();
        Ok(Self {
            locals: locals.collect::<Result<_, _>>()?,
            operators: operators.collect::<Result<_, _>>()?,
        })
    }

    /// The types of its locals by index, after those of the parameters.
    pub fn local_types(&self, parameters: &[ValType]) -> Vec<ValType> {
        let mut types = parameters.to_vec();
        for (count, ty) in &self.locals {
            types.extend(std::iter::repeat_n(*ty, *count as usize));
        }
        types
    }
}

/// The local that an operator names.
pub fn local(operator: &Operator<'_>) -> Option<u32> {
    match operator {
        Operator::LocalGet { local_index }
        | Operator::LocalSet { local_index }
        | Operator::LocalTee { local_index } => Some(*local_index),
        _ => None,
    }
}

/// The same for changing it.
pub fn local_mut<'o>(operator: &'o mut Operator<'_>) -> Option<&'o mut u32> {
    match operator {
        Operator::LocalGet { local_index }
        | Operator::LocalSet { local_index }
        | Operator::LocalTee { local_index } => Some(local_index),
        _ => None,
    }
}

/// Appends an operator's bytes; nothing where it cannot be written, which no operator is known for.
pub fn encode(operator: &Operator<'_>, bytes: &mut Vec<u8>) {
    if let Ok(instruction) = RoundtripReencoder.instruction(operator.clone()) {
        instruction.encode(bytes);
    }
}

/// How many bytes a number takes that has no sign.
pub fn leb_bytes(number: u32) -> u32 {
    (32 - (number | 1).leading_zeros()).div_ceil(7)
}
