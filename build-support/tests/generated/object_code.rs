//! Instructions as bytes, with the relocations that stand in them.

use crate::generated::object::{Relocation, Target, TypeIndex, kind};
use wasm_encoder::Encode as _;

/// Opcodes (WebAssembly core specification, "Index of Instructions").
pub mod op {
    pub const UNREACHABLE: u8 = 0x00;
    pub const BLOCK: u8 = 0x02;
    pub const LOOP: u8 = 0x03;
    pub const IF: u8 = 0x04;
    pub const ELSE: u8 = 0x05;
    pub const END: u8 = 0x0B;
    pub const BR: u8 = 0x0C;
    pub const BR_IF: u8 = 0x0D;
    pub const BR_TABLE: u8 = 0x0E;
    pub const RETURN: u8 = 0x0F;
    pub const DROP: u8 = 0x1A;
    pub const SELECT: u8 = 0x1B;
    pub const LOAD: u8 = 0x28;
    pub const LOAD8: u8 = 0x2D;
    pub const STORE: u8 = 0x36;
    pub const STORE8: u8 = 0x3A;
    pub const EQZ: u8 = 0x45;
    pub const EQ: u8 = 0x46;
    pub const LT_S: u8 = 0x48;
    pub const LT_U: u8 = 0x49;
    pub const ADD: u8 = 0x6A;
    pub const SUB: u8 = 0x6B;
    pub const MUL: u8 = 0x6C;
    pub const DIV_S: u8 = 0x6D;
    pub const REM_U: u8 = 0x70;
    pub const AND: u8 = 0x71;
    pub const OR: u8 = 0x72;
    pub const XOR: u8 = 0x73;
    pub const SHL: u8 = 0x74;
    /// Block type: nothing.
    pub const NOTHING: u8 = 0x40;
    /// Block type: one `i32`.
    pub const I32: u8 = 0x7F;
}

/// Code in the making.
#[derive(Debug, Clone, Default)]
pub struct Code {
    /// Instructions.
    pub bytes: Vec<u8>,
    /// Their relocations.
    pub relocations: Vec<Relocation>,
}

impl Code {
    /// Instructions without operands, or with one of a byte.
    pub fn op(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend(bytes);
        self
    }

    /// A number.
    pub fn number(&mut self, number: i32) -> &mut Self {
        self.bytes.push(0x41);
        number.encode(&mut self.bytes);
        self
    }

    /// The value of a local.
    pub fn get(&mut self, local: u32) -> &mut Self {
        self.bytes.push(0x20);
        local.encode(&mut self.bytes);
        self
    }

    /// Sets a local.
    pub fn set(&mut self, local: u32) -> &mut Self {
        self.bytes.push(0x21);
        local.encode(&mut self.bytes);
        self
    }

    /// A load or a store so many bytes from the address on the stack.
    pub fn memory(&mut self, opcode: u8, offset: usize) -> &mut Self {
        self.bytes.extend([opcode, 0]);
        (offset as u32).encode(&mut self.bytes);
        self
    }

    /// A load with the address of data as its offset.
    pub fn memory_at(&mut self, opcode: u8, target: Target) -> &mut Self {
        self.bytes.extend([opcode, 0]);
        self.relocated(kind::MEMORY_ADDR_LEB, target)
    }

    /// The address of data.
    pub fn address(&mut self, target: Target) -> &mut Self {
        self.bytes.push(0x41);
        self.relocated(kind::MEMORY_ADDR_SLEB, target)
    }

    /// The table slot of a function.
    pub fn slot(&mut self, function: &str) -> &mut Self {
        self.bytes.push(0x41);
        self.relocated(kind::TABLE_INDEX_SLEB, Target::Slot(function.to_owned()))
    }

    /// A call.
    pub fn call(&mut self, function: &str) -> &mut Self {
        self.bytes.push(0x10);
        self.relocated(kind::FUNCTION_INDEX_LEB, Target::Call(function.to_owned()))
    }

    /// A call of the slot on the stack.
    pub fn call_slot(&mut self, ty: TypeIndex) -> &mut Self {
        self.bytes.push(0x11);
        self.relocated(kind::TYPE_INDEX_LEB, Target::Type(ty));
        self.relocated(kind::TABLE_NUMBER_LEB, Target::Table)
    }

    /// The stack pointer.
    pub fn get_stack(&mut self) -> &mut Self {
        self.bytes.push(0x23);
        self.relocated(kind::GLOBAL_INDEX_LEB, Target::StackPointer)
    }

    /// Sets the stack pointer.
    pub fn set_stack(&mut self) -> &mut Self {
        self.bytes.push(0x24);
        self.relocated(kind::GLOBAL_INDEX_LEB, Target::StackPointer)
    }

    /// Five bytes that the linker fills.
    fn relocated(&mut self, kind: u8, target: Target) -> &mut Self {
        let offset = self.bytes.len();
        self.relocations.push(Relocation {
            offset,
            kind,
            target,
        });
        self.bytes.extend([0x80, 0x80, 0x80, 0x80, 0]);
        self
    }
}
