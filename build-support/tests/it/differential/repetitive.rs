//! Programs that repeat themselves: a few templates, put many times into functions with other
//! locals, other constants and other neighbours. What compaction looks for, and everything that it
//! must not trip over: values on the stack, ways out, loops, conditional writes, traps.

use crate::generated::random::Random;
use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, EntityType, ExportKind, ExportSection, Function,
    FunctionSection, GlobalSection, GlobalType, ImportSection, Instruction, MemArg, MemArgTarget,
    MemorySection, MemoryType, Module, TypeSection, ValType,
};

/// The locals of a template: so many of 32 bits, then so many of 64, then a counter of its loop.
const NARROW: u32 = 4;
const WIDE: u32 = 3;
const COUNTER: u32 = NARROW + WIDE;

/// The locals of a function: two parameters, then these.
const FUNCTION_NARROW: u32 = 6;
const FUNCTION_WIDE: u32 = 5;
/// What a function counts its own loop with.
const FUNCTION_COUNTER: u32 = 2 + FUNCTION_NARROW + FUNCTION_WIDE;

/// The import that a program shows numbers with.
const LOG: u32 = 0;

/// Makes the module of `seed`.
pub fn generate(random: &mut Random) -> Vec<u8> {
    let templates: Vec<_> = (0..random.between(2, 5))
        .map(|_| template(random))
        .collect();
    let count = random.between(3, 9) as u32;
    let mut types = TypeSection::new();
    types.ty().function([ValType::I32], []);
    types
        .ty()
        .function([ValType::I32, ValType::I64], [ValType::I64]);
    let mut imports = ImportSection::new();
    imports.import("env", "log", EntityType::Function(0));
    let mut functions = FunctionSection::new();
    let mut exports = ExportSection::new();
    let mut code = CodeSection::new();
    for number in 0..count {
        functions.function(1);
        exports.export(&format!("f{number}"), ExportKind::Func, number + 1);
        code.function(&function(number, &templates, random));
    }
    exports.export("memory", ExportKind::Memory, 0);
    exports.export("global", ExportKind::Global, 0);
    let mut memories = MemorySection::new();
    memories.memory(MemoryType {
        minimum: 1,
        maximum: None,
        memory64: false,
        shared: false,
        page_size_log2: None,
    });
    let mut globals = GlobalSection::new();
    let ty = GlobalType {
        val_type: ValType::I32,
        mutable: true,
        shared: false,
    };
    globals.global(ty, &ConstExpr::i32_const(7));
    let mut module = Module::new();
    module.section(&types).section(&imports).section(&functions);
    module
        .section(&memories)
        .section(&globals)
        .section(&exports);
    module.section(&code);
    module.finish()
}

/// Instructions whose locals are those of a template.
type Code = Vec<Instruction<'static>>;

fn template(random: &mut Random) -> Code {
    let mut code = Code::new();
    let mut loops = true;
    for _ in 0..random.between(2, 6) {
        statement(&mut code, random, 0, &mut loops);
    }
    code
}

fn narrow(random: &mut Random) -> u32 {
    random.below(NARROW as usize) as u32
}

fn wide(random: &mut Random) -> u32 {
    NARROW + random.below(WIDE as usize) as u32
}

fn statement(code: &mut Code, random: &mut Random, depth: usize, loops: &mut bool) {
    match random.below(if depth > 2 { 7 } else { 13 }) {
        0..=2 => {
            number(code, random, 0);
            code.push(Instruction::LocalSet(narrow(random)));
        }
        3 | 4 => {
            long(code, random, 0);
            code.push(Instruction::LocalSet(wide(random)));
        }
        5 => {
            address(code, random);
            number(code, random, 1);
            code.push(Instruction::I32Store(memory(2)));
        }
        6 if random.chance(50) => {
            number(code, random, 1);
            code.push(Instruction::Call(LOG));
        }
        6 => {
            number(code, random, 1);
            code.push(Instruction::GlobalSet(0));
        }
        7 | 8 => {
            number(code, random, 1);
            code.push(Instruction::If(BlockType::Empty));
            statement(code, random, depth + 1, loops);
            if random.chance(40) {
                code.push(Instruction::Else);
                statement(code, random, depth + 1, loops);
            }
            code.push(Instruction::End);
        }
        9 => {
            code.push(Instruction::Block(BlockType::Empty));
            statement(code, random, depth + 1, loops);
            number(code, random, 1);
            // Now and then it leaves what is around the template, too.
            code.push(Instruction::BrIf(u32::from(depth > 0 && random.chance(30))));
            statement(code, random, depth + 1, loops);
            code.push(Instruction::End);
        }
        10 if std::mem::take(loops) => {
            code.push(Instruction::I32Const(random.between(1, 4) as i32));
            code.push(Instruction::LocalSet(COUNTER));
            code.push(Instruction::Loop(BlockType::Empty));
            statement(code, random, depth + 1, loops);
            statement(code, random, depth + 1, loops);
            count_down(code, COUNTER);
            code.push(Instruction::End);
        }
        11 if random.chance(30) => {
            number(code, random, 1);
            code.push(Instruction::If(BlockType::Empty));
            long(code, random, 1);
            code.push(Instruction::Return);
            code.push(Instruction::End);
        }
        _ => {
            // Two values wait on the stack while others are computed.
            number(code, random, 1);
            number(code, random, 0);
            code.push(Instruction::LocalTee(narrow(random)));
            code.push(Instruction::I32Xor);
            code.push(Instruction::LocalSet(narrow(random)));
        }
    }
}

fn count_down(code: &mut Code, counter: u32) {
    code.push(Instruction::LocalGet(counter));
    code.push(Instruction::I32Const(1));
    code.push(Instruction::I32Sub);
    code.push(Instruction::LocalTee(counter));
    code.push(Instruction::BrIf(0));
}

fn memory(align: u32) -> MemArg {
    MemArg {
        offset: 16,
        align,
        target: MemArgTarget::Memory(0),
        ordering: None,
    }
}

fn address(code: &mut Code, random: &mut Random) {
    number(code, random, 2);
    code.push(Instruction::I32Const(0xfc));
    code.push(Instruction::I32And);
}

fn number(code: &mut Code, random: &mut Random, depth: usize) {
    match random.below(if depth > 2 { 4 } else { 12 }) {
        0..=2 => code.push(Instruction::LocalGet(narrow(random))),
        3 => code.push(Instruction::I32Const(random.argument())),
        4..=7 => {
            number(code, random, depth + 1);
            number(code, random, depth + 1);
            code.push(match random.below(7) {
                0 | 1 => Instruction::I32Add,
                2 => Instruction::I32Sub,
                3 => Instruction::I32Rotl,
                4 => Instruction::I32LtS,
                5 => Instruction::I32Mul,
                _ if random.chance(20) => Instruction::I32DivS,
                _ => Instruction::I32Xor,
            });
        }
        8 => {
            address(code, random);
            code.push(Instruction::I32Load(memory(2)));
        }
        9 => {
            long(code, random, depth + 1);
            code.push(Instruction::I32WrapI64);
        }
        10 => {
            number(code, random, depth + 1);
            code.push(Instruction::LocalTee(narrow(random)));
        }
        _ => {
            for _ in 0..3 {
                number(code, random, depth + 1);
            }
            code.push(Instruction::Select);
        }
    }
}

fn long(code: &mut Code, random: &mut Random, depth: usize) {
    match random.below(if depth > 2 { 3 } else { 6 }) {
        0 | 1 => code.push(Instruction::LocalGet(wide(random))),
        2 => code.push(Instruction::I64Const(
            random.bits() as i64 >> random.below(60),
        )),
        3 => {
            number(code, random, depth + 1);
            code.push(Instruction::I64ExtendI32S);
        }
        _ => {
            long(code, random, depth + 1);
            long(code, random, depth + 1);
            let operators = [
                Instruction::I64Add,
                Instruction::I64Xor,
                Instruction::I64Rotl,
            ];
            code.push(random.pick(&operators).clone());
        }
    }
}

/// A function of templates, that shows in its result what its locals were.
fn function(number: u32, templates: &[Code], random: &mut Random) -> Function {
    let mut function = Function::new([
        (FUNCTION_NARROW, ValType::I32),
        (FUNCTION_WIDE, ValType::I64),
        (2, ValType::I32),
    ]);
    let mut instances = Code::new();
    let mut looped = false;
    for _ in 0..random.between(2, 7) {
        let opens = !looped && random.chance(25);
        if opens {
            looped = true;
            instances.push(Instruction::I32Const(random.between(1, 3) as i32));
            instances.push(Instruction::LocalSet(FUNCTION_COUNTER));
            instances.push(Instruction::Loop(BlockType::Empty));
        }
        instance(&mut instances, random.pick(templates).as_slice(), random);
        if opens {
            count_down(&mut instances, FUNCTION_COUNTER);
            instances.push(Instruction::End);
        }
    }
    if number > 0 && random.chance(60) {
        instances.push(Instruction::LocalGet(2));
        instances.push(Instruction::LocalGet(2 + FUNCTION_NARROW));
        instances.push(Instruction::Call(1 + random.below(number as usize) as u32));
        instances.push(Instruction::LocalSet(1));
    }
    for instruction in &instances {
        function.instruction(instruction);
    }
    result(&mut function, random);
    function
}

/// Mixes locals, most of them, into one value.
fn result(function: &mut Function, random: &mut Random) {
    function.instruction(&Instruction::LocalGet(1));
    for local in 0..2 + FUNCTION_NARROW + FUNCTION_WIDE {
        let is_wide = local == 1 || local >= 2 + FUNCTION_NARROW;
        if random.chance(70) {
            function.instruction(&Instruction::I64Const(7));
            function.instruction(&Instruction::I64Rotl);
            function.instruction(&Instruction::LocalGet(local));
            if !is_wide {
                function.instruction(&Instruction::I64ExtendI32U);
            }
            function.instruction(&Instruction::I64Xor);
        }
    }
    function.instruction(&Instruction::End);
}

/// A template with the locals of a function, and now and then with other constants.
fn instance(code: &mut Code, template: &[Instruction<'static>], random: &mut Random) {
    let mut narrow: Vec<u32> = (2..2 + FUNCTION_NARROW).chain([0]).collect();
    let mut wide: Vec<u32> = (2 + FUNCTION_NARROW..2 + FUNCTION_NARROW + FUNCTION_WIDE)
        .chain([1])
        .collect();
    shuffle(&mut narrow, random);
    shuffle(&mut wide, random);
    let local = |local: u32| match local {
        COUNTER => FUNCTION_COUNTER + 1,
        NARROW.. => wide[(local - NARROW) as usize],
        _ => narrow[local as usize],
    };
    let changes = random.chance(40);
    for instruction in template {
        code.push(match instruction {
            Instruction::LocalGet(number) => Instruction::LocalGet(local(*number)),
            Instruction::LocalSet(number) => Instruction::LocalSet(local(*number)),
            Instruction::LocalTee(number) => Instruction::LocalTee(local(*number)),
            // Loops end, and addresses stay in memory.
            Instruction::I32Const(number)
                if changes && !(0..5).contains(number) && *number != 0xfc =>
            {
                Instruction::I32Const(number.wrapping_add(random.below(3) as i32 * 100))
            }
            Instruction::I64Const(number) if changes && random.chance(50) => {
                Instruction::I64Const(number ^ 5)
            }
            other => other.clone(),
        });
    }
}

fn shuffle(all: &mut [u32], random: &mut Random) {
    for place in (1..all.len()).rev() {
        all.swap(place, random.below(place + 1));
    }
}
