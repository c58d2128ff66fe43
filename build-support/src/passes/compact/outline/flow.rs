//! What is known of each place of a function, from the validator: how high the operand stack is,
//! what lies on it, which locals are live. Functions with operators whose control flow is not
//! followed here (exceptions, garbage collection, stack switching) have none.

use super::liveness::{self, Live};
use crate::wasm::{Module, ReadError};
use wasmparser::{
    FuncToValidate, FuncValidatorAllocations, FunctionBody, Operator, Parser, ValType,
    ValidPayload, Validator, ValidatorResources, WasmFeatures,
};

/// How many operands of the stack are looked at.
pub const OPERANDS: usize = 2;

/// What is known of a function.
pub struct Flow {
    /// What holds before each operator.
    pub before: Vec<Before>,
    /// The types of its locals, parameters first.
    pub locals: Vec<ValType>,
    /// Which locals may still be read, by place.
    pub live: Live,
}

/// What holds before an operator.
#[derive(Debug, Clone, Copy)]
pub struct Before {
    /// Whether it can be reached, as far as validation goes.
    pub reachable: bool,
    /// The operands on the stack.
    pub height: u32,
    /// The operands that the operator leaves alone.
    pub low: u32,
    /// The types of the last operands of the block, the last one first, where they can be passed
    /// on.
    pub operands: [Option<ValType>; OPERANDS],
    /// The loops around it.
    pub loops: u32,
}

/// What is known of each function that a module defines.
///
/// # Errors
/// A [`ReadError`] where one is not valid.
pub fn run(module: &Module<'_>) -> Result<Vec<Option<Flow>>, ReadError> {
    let mut flows = Vec::new();
    let mut validator = Validator::new_with_features(WasmFeatures::all());
    let mut allocations = FuncValidatorAllocations::default();
    for payload in Parser::new(0).parse_all(module.bytes) {
        if let ValidPayload::Func(function, body) = validator.payload(&payload?)? {
            flows.push(of_function(function, &body, &mut allocations)?);
        }
    }
    Ok(flows)
}

fn of_function(
    function: FuncToValidate<ValidatorResources>,
    body: &FunctionBody<'_>,
    allocations: &mut FuncValidatorAllocations,
) -> Result<Option<Flow>, ReadError> {
    let mut validator = function.into_validator(std::mem::take(allocations));
    validator.read_locals(&mut body.get_binary_reader())?;
    let locals: Vec<_> = (0..validator.len_locals())
        .filter_map(|local| validator.get_local_type(local))
        .collect();
    let mut operators = Vec::new();
    let mut before = Vec::new();
    let (mut loops, mut blocks) = (0, Vec::new());
    let mut is_followed = true;
    for item in body.get_operators_reader()?.into_iter_with_offsets() {
        let (operator, offset) = item?;
        let frame = validator.get_control_frame(0);
        let (reachable, floor) = frame.map_or((false, 0), |f| (!f.unreachable, f.height as u32));
        let height = validator.operand_stack_height();
        let taken = operator.operator_arity(&validator).map(|(taken, _)| taken);
        is_followed &= taken.is_some() && is_known(&operator);
        before.push(Before {
            reachable,
            height,
            low: height.saturating_sub(taken.unwrap_or(0)),
            operands: std::array::from_fn(|depth| {
                let is_in_block = reachable && height > floor + depth as u32;
                let ty = is_in_block.then(|| validator.get_operand_type(depth));
                ty.flatten().flatten().filter(is_simple)
            }),
            loops,
        });
        match operator {
            Operator::Loop { .. } => {
                loops += 1;
                blocks.push(1);
            }
            Operator::Block { .. } | Operator::If { .. } => blocks.push(0),
            Operator::End => loops -= blocks.pop().unwrap_or(0),
            _ => {}
        }
        validator.op(offset, &operator)?;
        operators.push(operator);
    }
    *allocations = validator.into_allocations();
    if !is_followed {
        return Ok(None);
    }
    let live = liveness::run(&operators, locals.len());
    Ok(live.map(|live| Flow {
        before,
        locals,
        live,
    }))
}

/// Types that a parameter, a result and a local that begins empty can have anywhere.
pub fn is_simple(ty: &ValType) -> bool {
    matches!(
        *ty,
        ValType::I32
            | ValType::I64
            | ValType::F32
            | ValType::F64
            | ValType::V128
            | ValType::FUNCREF
            | ValType::EXTERNREF
    )
}

/// Whether it is known where control goes from an operator, and what it needs around it.
fn is_known(operator: &Operator<'_>) -> bool {
    macro_rules! by_proposal {
        ($(@$proposal:ident $op:ident $({ $($arg:ident: $ty:ty),* })? => $visit:ident ($($ann:tt)*))*) => {
            match operator {
                $(Operator::$op { .. } => by_proposal!(known $proposal),)*
                _ => false,
            }
        };
        (known mvp) => { true };
        (known sign_extension) => { true };
        (known saturating_float_to_int) => { true };
        (known bulk_memory) => { true };
        (known reference_types) => { true };
        (known tail_call) => { true };
        (known threads) => { true };
        (known simd) => { true };
        (known relaxed_simd) => { true };
        (known $other:ident) => { false };
    }
    wasmparser::for_each_operator!(by_proposal)
}
