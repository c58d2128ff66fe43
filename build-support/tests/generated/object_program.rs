//! Programs as relocatable objects: functions that call each other directly, through constants and
//! through tables of pointers, read data along pointers, write, log, and panic in all the shapes
//! compilers give it.
//!
//! A function calls only functions with a higher number, and fuel bounds the calls of a whole run:
//! every program ends. What the panic functions do after `env.panic_message` was called is not
//! looked at, but they keep data and functions alive that nothing else needs: what a sweep is to
//! find.

use crate::generated::object::{Function, Object, Target, flag};
use crate::generated::object_code::{Code, op};
use crate::generated::object_data::{Cell, Data};
use crate::generated::object_function::Writer;
use crate::generated::random::Random;
use std::collections::BTreeSet;

/// Functions of two numbers that give one; see [`crate::generated::object::SIGNATURES`].
pub const BINARY: u32 = 0;
/// Functions of two numbers that give none.
pub const SINK: u32 = 1;
/// Constructors.
pub const NULLARY: u32 = 2;
/// What shows the state of a program.
pub const SHOW: u32 = 3;
/// Functions of one number that give none.
pub const LOG: u32 = 4;

/// The panic entry points, by the names of the standard library's.
pub const PANICS: [&str; 4] = [
    "_ZN4core9panicking9panic_fmt17h0123456789abcdefE",
    "_ZN4core9panicking18panic_bounds_check17h0123456789abcdefE",
    "_ZN4core6option13unwrap_failed17h0123456789abcdefE",
    "_ZN5alloc7raw_vec12handle_error17h0123456789abcdefE",
];

/// The constructor, if there is one.
const CONSTRUCTOR: &str = "construct";

/// Calls in one run of an entry.
const FUEL: i32 = 120;

/// What is to be linked, and how.
pub struct Program {
    /// The object files.
    pub objects: Vec<Object>,
    /// Arguments of the linker, exports among them.
    pub arguments: Vec<String>,
}

/// A program in the making.
pub struct Draft {
    /// Where everything random comes from.
    pub random: Random,
    /// The data.
    pub data: Data,
    /// The functions, with the file of each.
    pub functions: Vec<(usize, Function)>,
    /// How many files there are.
    pub files: usize,
    /// How many ordinary functions there are: `function_0` and on.
    pub ordinary: usize,
    /// How many functions do nothing but panic: `cold_0` and on.
    pub cold: usize,
    /// How many functions only panics use: `format_0` and on.
    pub formats: usize,
    /// The number of the datum with the fuel.
    pub fuel: usize,
}

/// Makes the program of `seed`.
pub fn generate(seed: u64) -> Program {
    let mut random = Random::new(seed);
    let mut draft = Draft {
        files: random.between(1, 3),
        ordinary: random.between(3, 10),
        cold: random.between(0, 4),
        formats: random.between(1, 3),
        random,
        data: Data::default(),
        functions: Vec::new(),
        fuel: 0,
    };
    draft.fuel = draft.fuel_datum();
    draft.initial_data();
    draft.services();
    for number in 0..draft.formats {
        let body = Writer::new(&mut draft, 0).format(number);
        draft.function(&format!("format_{number}"), BINARY, body, 0);
    }
    for name in PANICS {
        let body = Writer::new(&mut draft, 0).panic_entry();
        draft.function(name, SINK, body, 0);
    }
    for number in 0..draft.cold {
        let file = draft.random.below(draft.files);
        let body = Writer::new(&mut draft, file).cold(number);
        draft.function(&format!("cold_{number}"), SINK, body, file);
    }
    for number in 0..draft.ordinary {
        let file = draft.random.below(draft.files);
        let body = Writer::new(&mut draft, file).ordinary(number);
        draft.function(&format!("function_{number}"), BINARY, body, file);
    }
    let exports = draft.entries();
    draft.finish(&exports)
}

impl Draft {
    /// Adds a function.
    pub fn function(&mut self, name: &str, ty: u32, mut code: Code, file: usize) {
        code.op(&[op::END]);
        let function = Function {
            name: name.to_owned(),
            ty,
            flags: flag::HIDDEN,
            constructor: false,
            locals: 6,
            code: code.bytes,
            relocations: code.relocations,
        };
        self.functions.push((file, function));
    }

    fn fuel_datum(&mut self) -> usize {
        let fuel = self.data.add(0, true, Vec::new(), &mut self.random);
        // Any file counts on it.
        let datum = &mut self.data.all[fuel];
        datum.writable = false;
        assert!(datum.size >= 4, "there is room for a word");
        fuel
    }

    fn initial_data(&mut self) {
        for file in 0..self.files {
            let count = self.random.between(1, 4);
            self.data.add_strings(file, count, &mut self.random);
            for _ in 0..self.random.between(2, 6) {
                let writable = self.random.chance(35);
                let cells = self.cells(file, writable);
                self.data.add(file, writable, cells, &mut self.random);
            }
        }
    }

    fn cells(&mut self, file: usize, writable: bool) -> Vec<Cell> {
        let mut cells = Vec::new();
        for _ in 0..self.random.below(6) {
            cells.push(match self.random.below(10) {
                0..5 => self.data.pointer(file, &mut self.random),
                5 if self.cold > 0 => {
                    Cell::Function(format!("cold_{}", self.random.below(self.cold)))
                }
                6 if writable => {
                    let candidates = self.data.seen_from(file, |datum| datum.size >= 4);
                    Cell::Variable(candidates)
                }
                7 => Cell::Function(format!("format_{}", self.random.below(self.formats))),
                _ => Cell::Function(format!("function_{}", self.random.below(self.ordinary))),
            });
        }
        cells
    }

    /// Functions that every program has: sums of bytes, and a constructor.
    fn services(&mut self) {
        let mut sum = Code::default();
        // h = 7; for (; length != 0; length -= 1) h = h * 31 + *pointer++
        sum.number(7)
            .set(2)
            .op(&[op::BLOCK, op::NOTHING, op::LOOP, op::NOTHING]);
        sum.get(1).op(&[op::EQZ, op::BR_IF, 1]);
        sum.get(2)
            .number(31)
            .op(&[op::MUL])
            .get(0)
            .memory(op::LOAD8, 0)
            .op(&[op::ADD])
            .set(2);
        sum.get(0).number(1).op(&[op::ADD]).set(0);
        sum.get(1).number(1).op(&[op::SUB]).set(1);
        sum.op(&[op::BR, 0, op::END, op::END]).get(2);
        self.function("sum", BINARY, sum, 0);
        if self.random.chance(40) {
            let file = self.random.below(self.files);
            let body = Writer::new(self, file).constructor();
            self.function(CONSTRUCTOR, NULLARY, body, file);
            self.functions
                .last_mut()
                .expect("one was added")
                .1
                .constructor = true;
        }
    }

    /// The exported functions.
    fn entries(&mut self) -> Vec<String> {
        let mut exports = Vec::new();
        for number in 0..self.random.between(1, 3) {
            let mut code = Code::default();
            let fuel = self.data.address(self.fuel, 0, 4, &mut self.random);
            code.address(fuel).number(FUEL).memory(op::STORE, 0);
            let first = self.random.below(self.ordinary.min(3));
            code.get(0).get(1).call(&format!("function_{first}"));
            let name = format!("entry_{number}");
            let file = self.data.all[self.fuel].file;
            self.function(&name, BINARY, code, file);
            exports.push(name);
        }
        let mut code = Code::default();
        code.number(0);
        for datum in self.data.seen_from(0, |_| true) {
            if self.random.chance(30) {
                let size = self.data.all[datum].size;
                let address = self.data.address(datum, 0, size, &mut self.random);
                code.address(address)
                    .number(size as i32)
                    .call("sum")
                    .op(&[op::XOR]);
            }
        }
        self.function("show", SHOW, code, 0);
        exports.push("show".to_owned());
        exports
    }

    fn finish(mut self, exports: &[String]) -> Program {
        let mut arguments: Vec<String> = exports
            .iter()
            .map(|name| format!("--export={name}"))
            .collect();
        arguments.push(format!("-O{}", self.random.below(3)));
        arguments.push("-zstack-size=4096".to_owned());
        for (chance, flag) in [
            (4, "--no-gc-sections"),
            (12, "--export-table"),
            (30, "--stack-first"),
            (10, "--export=__wasm_call_ctors"),
            (10, "--global-base=4096"),
        ] {
            if self.random.chance(chance) {
                arguments.push(flag.to_owned());
            }
        }
        let mut objects = vec![Object::default(); self.files];
        let shown = self.show_some(&mut arguments);
        let whole = arguments
            .iter()
            .any(|argument| argument == "--no-gc-sections");
        if !whole && self.random.chance(95) {
            self.drop_unreferred(exports.iter().chain(&shown));
        }
        self.duplicate_some();
        for (file, segment) in std::mem::take(&mut self.data.segments) {
            objects[file].segments.push(segment);
        }
        for (file, function) in &self.functions {
            objects[*file].functions.push(function.clone());
        }
        for object in &mut objects {
            object.imports = vec![("log", LOG), ("panic_message", SINK)];
            object.declare(
                self.functions
                    .iter()
                    .map(|(_, function)| (&*function.name, function.ty)),
            );
        }
        Program { objects, arguments }
    }

    /// Exports some data: what the host reads by its address must stay.
    fn show_some(&mut self, arguments: &mut Vec<String>) -> Vec<String> {
        let mut shown = Vec::new();
        for datum in &self.data.all {
            if !datum.local && datum.size >= 4 && self.random.chance(6) {
                arguments.push(format!("--export={}", datum.symbols[0].0));
                shown.push(datum.symbols[0].0.clone());
            }
        }
        shown
    }

    /// Leaves out the symbols that nothing refers to: the sweep takes one that is there for a gap
    /// in the linker's relocations, and refuses. Their bytes stay, without a name.
    fn drop_unreferred<'a>(&mut self, roots: impl Iterator<Item = &'a String>) {
        let mut referred: BTreeSet<String> = BTreeSet::new();
        let mut next: Vec<String> = roots.cloned().chain([CONSTRUCTOR.to_owned()]).collect();
        let mut whole = BTreeSet::new();
        while let Some(name) = next.pop() {
            if !referred.insert(name.clone()) {
                continue;
            }
            // What is in one segment stays together.
            let segments = self
                .data
                .segments
                .iter()
                .enumerate()
                .filter(|(at, (_, segment))| {
                    segment.symbols.iter().any(|symbol| symbol.name == name) && whole.insert(*at)
                });
            let functions = self
                .functions
                .iter()
                .filter(|(_, function)| function.name == name);
            let relocations = functions
                .flat_map(|(_, function)| &function.relocations)
                .chain(segments.flat_map(|(_, (_, segment))| &segment.relocations));
            next.extend(
                relocations.filter_map(|relocation| match &relocation.target {
                    Target::Call(name) | Target::Slot(name) | Target::Address(name, _) => {
                        Some(name.clone())
                    }
                    _ => None,
                }),
            );
        }
        for at in whole {
            let symbols = &mut self.data.segments[at].1.symbols;
            symbols.retain(|symbol| referred.contains(&symbol.name));
        }
    }

    /// Defines some weak data a second time, in a later file: the linker drops it.
    fn duplicate_some(&mut self) {
        let mut copies = Vec::new();
        for (file, segment) in &self.data.segments {
            let weak = segment
                .symbols
                .iter()
                .all(|symbol| symbol.flags == flag::WEAK);
            if weak && *file + 1 < self.files && self.random.chance(40) {
                let mut copy = segment.clone();
                copy.bytes = self.random.bytes(segment.bytes.len());
                copy.relocations.clear();
                copies.push((*file + 1, copy));
            }
        }
        self.data.segments.extend(copies);
    }
}
