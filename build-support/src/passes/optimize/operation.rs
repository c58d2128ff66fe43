//! The operators that Binaryen 116 does not know and that take and leave plain values: what each
//! takes, what it refers to, and how it is written.

use crate::wasm::Module;
use std::collections::BTreeMap;
use wasm_encoder::{Instruction, RefType, ValType};
use wasmparser::{FuncType, MemoryType, Operator, TableType};

/// An operator with what it refers to, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// `table.fill`
    Fill(u32),
    /// `table.copy`, to and from.
    Copy(u32, u32),
    /// `table.init`: the table and the segment.
    Init(u32, u32),
    /// `elem.drop`
    Drop(u32),
    /// `table.get`
    Get(u32),
    /// `table.set`
    Set(u32),
    /// `table.size`
    Size(u32),
    /// `table.grow`
    Grow(u32),
    /// `call_indirect`: the table and the type.
    Call(u32, u32),
    /// `memory.discard`
    Discard(u32),
    /// Of the proposal for wide arithmetic.
    Add128,
    /// Likewise.
    Sub128,
    /// Likewise.
    MulWideS,
    /// Likewise.
    MulWideU,
}

/// Parameters and results.
pub type Signature = (Vec<ValType>, Vec<ValType>);

/// The new numbers of what operations refer to.
pub struct Numbers<'a> {
    /// Of tables.
    pub tables: &'a BTreeMap<u32, u32>,
    /// Of element segments.
    pub segments: &'a BTreeMap<u32, u32>,
    /// Of types.
    pub types: &'a BTreeMap<u32, u32>,
    /// Of memories.
    pub memories: &'a BTreeMap<u32, u32>,
}

impl Operation {
    /// The operation of an operator; none where Binaryen knows it. It knows no operator on a table
    /// that `is_hidden`.
    pub fn of(operator: &Operator<'_>, is_hidden: &dyn Fn(u32) -> bool) -> Option<Self> {
        Some(match *operator {
            Operator::TableFill { table } => Self::Fill(table),
            Operator::TableCopy {
                dst_table,
                src_table,
            } => Self::Copy(dst_table, src_table),
            Operator::TableInit { elem_index, table } => Self::Init(table, elem_index),
            Operator::ElemDrop { elem_index } => Self::Drop(elem_index),
            Operator::TableGet { table } if is_hidden(table) => Self::Get(table),
            Operator::TableSet { table } if is_hidden(table) => Self::Set(table),
            Operator::TableSize { table } if is_hidden(table) => Self::Size(table),
            Operator::TableGrow { table } if is_hidden(table) => Self::Grow(table),
            Operator::CallIndirect {
                type_index,
                table_index,
            }
            | Operator::ReturnCallIndirect {
                type_index,
                table_index,
            } if is_hidden(table_index) => Self::Call(table_index, type_index),
            Operator::MemoryDiscard { mem } => Self::Discard(mem),
            Operator::I64Add128 => Self::Add128,
            Operator::I64Sub128 => Self::Sub128,
            Operator::I64MulWideS => Self::MulWideS,
            Operator::I64MulWideU => Self::MulWideU,
            _ => return None,
        })
    }

    /// The tables it refers to.
    pub fn tables(self) -> Vec<u32> {
        match self {
            Self::Copy(to, from) => vec![to, from],
            Self::Fill(table)
            | Self::Init(table, _)
            | Self::Get(table)
            | Self::Set(table)
            | Self::Size(table)
            | Self::Grow(table)
            | Self::Call(table, _) => vec![table],
            _ => Vec::new(),
        }
    }

    /// The element segment it refers to.
    pub fn segment(self) -> Option<u32> {
        match self {
            Self::Init(_, segment) | Self::Drop(segment) => Some(segment),
            _ => None,
        }
    }

    /// What it takes and leaves, in a module with these `tables` and `memories`; none for types
    /// that are no plain values.
    pub fn signature(
        self,
        module: &Module<'_>,
        tables: &[TableType],
        memories: &[MemoryType],
    ) -> Option<Signature> {
        const I32: ValType = ValType::I32;
        const I64: ValType = ValType::I64;
        let wide = |is_wide: bool| if is_wide { I64 } else { I32 };
        let at = |table: u32| Some(wide(tables.get(table as usize)?.table64));
        let held = |table: u32| {
            let ty = tables.get(table as usize)?.element_type;
            Some(ValType::Ref(RefType::try_from(ty).ok()?))
        };
        Some(match self {
            Self::Fill(table) => (vec![at(table)?, held(table)?, at(table)?], vec![]),
            Self::Copy(to, from) => {
                let (to, from) = (at(to)?, at(from)?);
                (vec![to, from, wide(to == I64 && from == I64)], vec![])
            }
            Self::Init(table, _) => (vec![at(table)?, I32, I32], vec![]),
            Self::Drop(_) => (vec![], vec![]),
            Self::Get(table) => (vec![at(table)?], vec![held(table)?]),
            Self::Set(table) => (vec![at(table)?, held(table)?], vec![]),
            Self::Size(table) => (vec![], vec![at(table)?]),
            Self::Grow(table) => (vec![held(table)?, at(table)?], vec![at(table)?]),
            Self::Call(table, ty) => {
                let (mut parameters, results) = plain(module.function_type(ty)?)?;
                parameters.push(at(table)?);
                (parameters, results)
            }
            Self::Discard(memory) => {
                let at = wide(memories.get(memory as usize)?.memory64);
                (vec![at, at], vec![])
            }
            Self::Add128 | Self::Sub128 => (vec![I64; 4], vec![I64; 2]),
            Self::MulWideS | Self::MulWideU => (vec![I64; 2], vec![I64; 2]),
        })
    }

    /// It as it is written, and what it is where a call in its place was a tail call; none where
    /// something it refers to has no new number.
    pub fn written(self, new: &Numbers<'_>) -> Option<[Vec<Instruction<'static>>; 2]> {
        let table = |number: u32| new.tables.get(&number).copied();
        let segment = |number: u32| new.segments.get(&number).copied();
        let instruction = match self {
            Self::Fill(at) => Instruction::TableFill(table(at)?),
            Self::Copy(to, from) => Instruction::TableCopy {
                src_table: table(from)?,
                dst_table: table(to)?,
            },
            Self::Init(at, from) => Instruction::TableInit {
                elem_index: segment(from)?,
                table: table(at)?,
            },
            Self::Drop(from) => Instruction::ElemDrop(segment(from)?),
            Self::Get(at) => Instruction::TableGet(table(at)?),
            Self::Set(at) => Instruction::TableSet(table(at)?),
            Self::Size(of) => Instruction::TableSize(table(of)?),
            Self::Grow(what) => Instruction::TableGrow(table(what)?),
            Self::Call(through, ty) => {
                let (table_index, type_index) = (table(through)?, *new.types.get(&ty)?);
                let tail = Instruction::ReturnCallIndirect {
                    type_index,
                    table_index,
                };
                let call = Instruction::CallIndirect {
                    type_index,
                    table_index,
                };
                return Some([vec![call], vec![tail]]);
            }
            Self::Discard(memory) => Instruction::MemoryDiscard(*new.memories.get(&memory)?),
            Self::Add128 => Instruction::I64Add128,
            Self::Sub128 => Instruction::I64Sub128,
            Self::MulWideS => Instruction::I64MulWideS,
            Self::MulWideU => Instruction::I64MulWideU,
        };
        Some([
            vec![instruction.clone()],
            vec![instruction, Instruction::Return],
        ])
    }
}

/// A function's type as it is written.
pub fn plain(ty: &FuncType) -> Option<Signature> {
    let plain = |types: &[wasmparser::ValType]| {
        let types = types.iter().map(|ty| ValType::try_from(*ty).ok());
        types.collect::<Option<Vec<_>>>()
    };
    Some((plain(ty.params())?, plain(ty.results())?))
}
