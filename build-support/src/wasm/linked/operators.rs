//! What an operator takes, gives and does, as far as the sweep must know. Derived from wasmparser's
//! own list of operators, so that a new one is never silently taken for a harmless one.

use wasmparser::Operator;

/// An operator that hands control to the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plain {
    /// How many operands it takes.
    pub takes: u8,
    /// How many results it leaves.
    pub gives: u8,
    /// What it does besides.
    pub effect: Effect,
}

/// What an operator does besides leaving its results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing: without a use of its result it need not run.
    None,
    /// It reads memory, and traps outside of it.
    Load,
    /// It may trap, or change memory, locals or globals: nothing that outlives a trap that is
    /// certain.
    Inside,
    /// Anything else.
    Outside,
}

/// Classifies an operator; `None` for control flow, calls and what is not known.
pub fn plain(operator: &Operator<'_>) -> Option<Plain> {
    macro_rules! arity {
        ((arity $takes:literal -> $gives:literal)) => {
            Some(($takes, $gives))
        };
        ((arity memarg $takes:literal -> $gives:literal)) => {
            Some(($takes, $gives))
        };
        (($($other:tt)*)) => {
            None
        };
    }
    macro_rules! classify {
        ($( @$proposal:ident $op:ident $({ $($arg:ident: $argty:ty),* })? => $visit:ident $arity:tt)*) => {
            match operator {
                $(Operator::$op { .. } => const {
                    classify(stringify!($proposal), stringify!($visit), arity!($arity))
                },)*
                _ => None,
            }
        };
    }
    wasmparser::for_each_operator!(classify)
}

/// Whether an operator sees the table otherwise than by calling through it.
pub fn changes_table(operator: &Operator<'_>) -> bool {
    matches!(
        operator,
        Operator::TableGet { .. }
            | Operator::TableSet { .. }
            | Operator::TableGrow { .. }
            | Operator::TableFill { .. }
            | Operator::TableCopy { .. }
            | Operator::TableInit { .. }
    )
}

const fn classify(proposal: &str, visit: &str, arity: Option<(u8, u8)>) -> Option<Plain> {
    let Some((takes, gives)) = arity else {
        return None;
    };
    let effect = if same(proposal, "mvp") {
        mvp(visit)
    } else if same(proposal, "sign_extension") || same(proposal, "saturating_float_to_int") {
        Effect::None
    } else if same(visit, "visit_memory_copy") || same(visit, "visit_memory_fill") {
        Effect::Inside
    } else if same(proposal, "simd") || same(proposal, "reference_types") {
        // Their loads and stores are no different, but nothing is gained by telling them apart.
        // Those of references that change the table are.
        Effect::Outside
    } else if same(proposal, "bulk_memory") || same(proposal, "relaxed_simd") {
        Effect::Outside
    } else if same(proposal, "wide_arithmetic") {
        Effect::None
    } else {
        return None;
    };
    // These look like plain ones and are not.
    if same(visit, "visit_unreachable")
        || same(visit, "visit_return")
        || same(visit, "visit_else")
        || same(visit, "visit_end")
    {
        return None;
    }
    Some(Plain {
        takes,
        gives,
        effect,
    })
}

const fn mvp(visit: &str) -> Effect {
    let number = has(visit, "visit_i32_")
        || has(visit, "visit_i64_")
        || has(visit, "visit_f32_")
        || has(visit, "visit_f64_");
    let integer = has(visit, "visit_i32_") || has(visit, "visit_i64_");
    if !number {
        if same(visit, "visit_memory_size") || same(visit, "visit_global_get") {
            return Effect::None;
        }
        if same(visit, "visit_nop")
            || same(visit, "visit_drop")
            || same(visit, "visit_select")
            || same(visit, "visit_local_get")
            || same(visit, "visit_local_set")
            || same(visit, "visit_local_tee")
            || same(visit, "visit_global_set")
        {
            return Effect::Inside;
        }
        return Effect::Outside;
    }
    if has(visit, "_load") {
        Effect::Load
    } else if has(visit, "_store")
        || integer && (has(visit, "_div_") || has(visit, "_rem_") || has(visit, "_trunc_f"))
    {
        Effect::Inside
    } else {
        Effect::None
    }
}

const fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && has(a, b)
}

const fn has(text: &str, part: &str) -> bool {
    let (text, part) = (text.as_bytes(), part.as_bytes());
    let mut at = 0;
    while at + part.len() <= text.len() {
        let mut same = 0;
        while same < part.len() && text[at + same] == part[same] {
            same += 1;
        }
        if same == part.len() {
            return true;
        }
        at += 1;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::{Effect, Plain, plain};
    use wasmparser::{MemArg, Operator};

    /// Protects the line between what may be left out and what may not.
    #[test]
    fn effects() {
        let memarg = MemArg {
            align: 0,
            max_align: 0,
            offset: 0,
            target: wasmparser::MemArgTarget::default(),
            ordering: None,
        };
        let cases = [
            (Operator::I32Add, 2, 1, Effect::None),
            (Operator::I32DivS, 2, 1, Effect::Inside),
            (Operator::I64RemU, 2, 1, Effect::Inside),
            (Operator::F32Div, 2, 1, Effect::None),
            (Operator::F64Trunc, 1, 1, Effect::None),
            (Operator::I32TruncF64S, 1, 1, Effect::Inside),
            (Operator::I32TruncSatF64S, 1, 1, Effect::None),
            (Operator::I32Extend8S, 1, 1, Effect::None),
            (Operator::I64Load { memarg }, 1, 1, Effect::Load),
            (Operator::I64Store { memarg }, 2, 0, Effect::Inside),
            (Operator::MemoryGrow { mem: 0 }, 1, 1, Effect::Outside),
            (
                Operator::MemoryCopy {
                    dst_mem: 0,
                    src_mem: 0,
                },
                3,
                0,
                Effect::Inside,
            ),
        ];
        for (operator, takes, gives, effect) in cases {
            let expected = Plain {
                takes,
                gives,
                effect,
            };
            assert_eq!(plain(&operator), Some(expected), "{operator:?}");
        }
        for control in [
            Operator::Unreachable,
            Operator::Return,
            Operator::End,
            Operator::Else,
            Operator::Call { function_index: 0 },
            Operator::Br { relative_depth: 0 },
            Operator::ThrowRef,
        ] {
            assert_eq!(plain(&control), None, "{control:?}");
        }
    }
}
