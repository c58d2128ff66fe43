//! Writes relocatable wasm objects, as compilers do (tool-conventions, `Linking.md`): symbols,
//! segments, relocations. What they mean is `object_program`'s business.

use crate::generated::object_symbols::{Entry, Symbols};
use std::borrow::Cow;
use wasm_encoder::{
    CodeSection, CustomSection, DataSection, DataSegment, DataSegmentMode, Encode, EntityType,
    FuncType, FunctionSection, GlobalType, ImportSection, MemoryType, Module, RefType, TableType,
    TypeSection, ValType,
};

/// A function's type: so many numbers in, and whether one comes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature {
    /// How many `i32` it takes.
    pub parameters: usize,
    /// Whether it gives an `i32`.
    pub result: bool,
}

/// The signatures there are; a type's index is its place here.
pub const SIGNATURES: [Signature; 5] = [
    Signature {
        parameters: 2,
        result: true,
    },
    Signature {
        parameters: 2,
        result: false,
    },
    Signature {
        parameters: 0,
        result: false,
    },
    Signature {
        parameters: 0,
        result: true,
    },
    Signature {
        parameters: 1,
        result: false,
    },
];

/// Sections before the code: types, imports, functions.
const FIRST_SECTIONS: u32 = 3;

/// The index of a type in [`SIGNATURES`].
pub type TypeIndex = u32;

/// What a relocation refers to, by name: the linker finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A function's index, in a call.
    Call(String),
    /// A function's table slot.
    Slot(String),
    /// An address: a data symbol and bytes from its start.
    Address(String, i32),
    /// A type, in an indirect call.
    Type(TypeIndex),
    /// The table, in an indirect call.
    Table,
    /// The stack pointer.
    StackPointer,
}

/// A place that the linker fills, in bytes from the start of what holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relocation {
    /// The place.
    pub offset: usize,
    /// How it is written, by the number of the kind.
    pub kind: u8,
    /// What it is filled with.
    pub target: Target,
}

/// Relocation kinds (`Linking.md`, "Relocation Sections").
pub mod kind {
    pub const FUNCTION_INDEX_LEB: u8 = 0;
    pub const TABLE_INDEX_SLEB: u8 = 1;
    pub const TABLE_INDEX_I32: u8 = 2;
    pub const MEMORY_ADDR_LEB: u8 = 3;
    pub const MEMORY_ADDR_SLEB: u8 = 4;
    pub const MEMORY_ADDR_I32: u8 = 5;
    pub const TYPE_INDEX_LEB: u8 = 6;
    pub const GLOBAL_INDEX_LEB: u8 = 7;
    pub const TABLE_NUMBER_LEB: u8 = 20;
}

/// Symbol flags (`Linking.md`, "Symbol Table Subsection").
pub mod flag {
    pub const WEAK: u32 = 0x01;
    pub const LOCAL: u32 = 0x02;
    pub const HIDDEN: u32 = 0x04;
    pub const UNDEFINED: u32 = 0x10;
    pub const EXPLICIT_NAME: u32 = 0x40;
    pub const NO_STRIP: u32 = 0x80;
}

/// A function with code.
#[derive(Debug, Clone)]
pub struct Function {
    /// Its symbol.
    pub name: String,
    /// Its type.
    pub ty: TypeIndex,
    /// Symbol flags.
    pub flags: u32,
    /// Whether it runs at the start.
    pub constructor: bool,
    /// How many `i32` locals it has.
    pub locals: u32,
    /// Its instructions, with the final `end`.
    pub code: Vec<u8>,
    /// Their relocations.
    pub relocations: Vec<Relocation>,
}

/// A named range of a segment.
#[derive(Debug, Clone)]
pub struct Symbol {
    /// Its name.
    pub name: String,
    /// Symbol flags.
    pub flags: u32,
    /// Where it begins, from the start of the segment.
    pub offset: usize,
    /// Its bytes.
    pub size: usize,
}

/// A piece of data that is kept or dropped as a whole.
#[derive(Debug, Clone)]
pub struct Segment {
    /// Its name, which decides the output segment.
    pub name: String,
    /// Its alignment as a power of two.
    pub align: u32,
    /// Whether it is strings that end in a zero, which the linker may merge.
    pub strings: bool,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Its symbols.
    pub symbols: Vec<Symbol>,
    /// Its relocations.
    pub relocations: Vec<Relocation>,
}

/// One object file.
#[derive(Debug, Clone, Default)]
pub struct Object {
    /// Imported functions: name in `env`, type.
    pub imports: Vec<(&'static str, TypeIndex)>,
    /// Functions of other objects that are referred to, with their types.
    pub undefined: Vec<(String, TypeIndex)>,
    /// Functions.
    pub functions: Vec<Function>,
    /// Data.
    pub segments: Vec<Segment>,
}

impl Object {
    /// The file's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut module = Module::new();
        module.section(&types()).section(&self.imports());
        let mut functions = FunctionSection::new();
        for function in &self.functions {
            functions.function(function.ty);
        }
        module.section(&functions);
        let symbols = self.symbols();
        let mut sections = FIRST_SECTIONS;
        let mut parts = Vec::new();
        if !self.functions.is_empty() {
            let (code, relocations) = self.code(&symbols);
            module.section(&code);
            parts.push(("reloc.CODE", sections, relocations));
            sections += 1;
        }
        if !self.segments.is_empty() {
            let (data, relocations) = self.data(&symbols);
            module.section(&data);
            parts.push(("reloc.DATA", sections, relocations));
        }
        custom(&mut module, "linking", &self.linking(&symbols));
        for (name, section, entries) in parts {
            let mut bytes = Vec::new();
            section.encode(&mut bytes);
            bytes.extend(entries);
            custom(&mut module, name, &bytes);
        }
        module.finish()
    }

    /// Declares of `all` functions those that this object refers to and does not define.
    pub fn declare<'a>(&mut self, all: impl Iterator<Item = (&'a str, TypeIndex)>) {
        let undefined: Vec<_> = all
            .filter(|(name, _)| {
                let parts = self.functions.iter().map(|f| &f.relocations);
                let parts = parts.chain(self.segments.iter().map(|s| &s.relocations));
                let used = parts.flatten().any(|relocation| match &relocation.target {
                    Target::Call(other) | Target::Slot(other) => other == name,
                    _ => false,
                });
                used && self.functions.iter().all(|function| function.name != *name)
            })
            .map(|(name, ty)| (name.to_owned(), ty))
            .collect();
        self.undefined = undefined;
    }

    fn imports(&self) -> ImportSection {
        let mut imports = ImportSection::new();
        imports.import(
            "env",
            "__linear_memory",
            MemoryType {
                minimum: 0,
                maximum: None,
                memory64: false,
                shared: false,
                page_size_log2: None,
            },
        );
        imports.import(
            "env",
            "__stack_pointer",
            GlobalType {
                val_type: ValType::I32,
                mutable: true,
                shared: false,
            },
        );
        imports.import(
            "env",
            "__indirect_function_table",
            TableType {
                element_type: RefType::FUNCREF,
                table64: false,
                minimum: 0,
                maximum: None,
                shared: false,
            },
        );
        for (name, ty) in &self.imports {
            imports.import("env", name, EntityType::Function(*ty));
        }
        for (name, ty) in &self.undefined {
            imports.import("env", name, EntityType::Function(*ty));
        }
        imports
    }

    fn code(&self, symbols: &Symbols<'_>) -> (CodeSection, Vec<u8>) {
        let mut section = CodeSection::new();
        let mut start = leb_length(self.functions.len());
        let mut all = Vec::new();
        for function in &self.functions {
            let mut body = Vec::new();
            1u32.encode(&mut body);
            function.locals.encode(&mut body);
            ValType::I32.encode(&mut body);
            let prologue = body.len();
            body.extend(&function.code);
            start += leb_length(body.len());
            all.extend(
                function
                    .relocations
                    .iter()
                    .map(|r| (start + prologue + r.offset, r)),
            );
            start += body.len();
            section.raw(&body);
        }
        (section, symbols.relocations(&all))
    }

    fn data(&self, symbols: &Symbols<'_>) -> (DataSection, Vec<u8>) {
        let mut section = DataSection::new();
        let mut start = leb_length(self.segments.len());
        let (mut all, mut address) = (Vec::new(), 0);
        for segment in &self.segments {
            address = usize::next_multiple_of(address, 1 << segment.align);
            let offset = wasm_encoder::ConstExpr::i32_const(address as i32);
            section.segment(DataSegment {
                mode: DataSegmentMode::Active {
                    memory_index: 0,
                    offset: &offset,
                },
                data: segment.bytes.iter().copied(),
            });
            // Flags, `i32.const`, the address, `end`, the length.
            start += 3 + sleb_length(address) + leb_length(segment.bytes.len());
            all.extend(segment.relocations.iter().map(|r| (start + r.offset, r)));
            start += segment.bytes.len();
            address += segment.bytes.len();
        }
        (section, symbols.relocations(&all))
    }

    fn linking(&self, symbols: &Symbols<'_>) -> Vec<u8> {
        const SEGMENT_INFO: u8 = 5;
        const INIT_FUNCS: u8 = 6;
        const SYMBOL_TABLE: u8 = 8;
        const STRINGS: u32 = 1;
        let mut linking = vec![2];
        let mut subsection = |id: u8, bytes: Vec<u8>| {
            linking.push(id);
            bytes.encode(&mut linking);
        };
        subsection(SYMBOL_TABLE, symbols.encode());
        if !self.segments.is_empty() {
            let mut info = Vec::new();
            (self.segments.len() as u32).encode(&mut info);
            for segment in &self.segments {
                segment.name.encode(&mut info);
                segment.align.encode(&mut info);
                (if segment.strings { STRINGS } else { 0 }).encode(&mut info);
            }
            subsection(SEGMENT_INFO, info);
        }
        let constructors = self.functions.iter().filter(|f| f.constructor);
        let constructors: Vec<_> = constructors.map(|f| symbols.function(&f.name)).collect();
        if !constructors.is_empty() {
            let mut list = Vec::new();
            (constructors.len() as u32).encode(&mut list);
            for (number, symbol) in constructors.iter().enumerate() {
                (number as u32 + 1).encode(&mut list);
                symbol.encode(&mut list);
            }
            subsection(INIT_FUNCS, list);
        }
        linking
    }

    fn symbols(&self) -> Symbols<'_> {
        let mut symbols = Symbols::default();
        let mut index = 0;
        for (name, _) in &self.imports {
            symbols.add(Entry::Function {
                flags: flag::UNDEFINED | flag::EXPLICIT_NAME,
                index,
                name,
            });
            index += 1;
        }
        for (name, _) in &self.undefined {
            symbols.add(Entry::Function {
                flags: flag::UNDEFINED,
                index,
                name,
            });
            index += 1;
        }
        for function in &self.functions {
            symbols.add(Entry::Function {
                flags: function.flags,
                index,
                name: &function.name,
            });
            index += 1;
        }
        for (number, segment) in self.segments.iter().enumerate() {
            for symbol in &segment.symbols {
                symbols.add(Entry::Data {
                    symbol,
                    segment: number as u32,
                });
            }
        }
        symbols.add(Entry::StackPointer);
        symbols.add(Entry::Table);
        let parts = self.functions.iter().map(|f| &f.relocations);
        let parts = parts.chain(self.segments.iter().map(|s| &s.relocations));
        for relocation in parts.flatten() {
            if let Target::Address(name, _) = &relocation.target
                && symbols.find(name).is_none()
            {
                symbols.add(Entry::Elsewhere { name });
            }
        }
        symbols
    }
}

fn types() -> TypeSection {
    let mut types = TypeSection::new();
    for signature in SIGNATURES {
        let list = |count| std::iter::repeat_n(ValType::I32, count);
        types.ty().func_type(&FuncType::new(
            list(signature.parameters),
            list(usize::from(signature.result)),
        ));
    }
    types
}

fn custom(module: &mut Module, name: &str, data: &[u8]) {
    module.section(&CustomSection {
        name: name.into(),
        data: Cow::Borrowed(data),
    });
}

fn leb_length(value: usize) -> usize {
    (usize::BITS - (value | 1).leading_zeros()).div_ceil(7) as usize
}

fn sleb_length(value: usize) -> usize {
    (usize::BITS - value.leading_zeros() + 1).div_ceil(7) as usize
}
