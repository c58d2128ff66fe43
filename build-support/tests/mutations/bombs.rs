//! Valid files that are made to cost more than they look: names that unfold, chains that recurse,
//! tables of nothing.

use crate::case::Case;
use crate::corpus::{Corpus, Pool};
use crate::generated::random::Random;
use wasm_encoder::{
    CodeSection, ConstExpr, CustomSection, DataSection, Function, FunctionSection, GlobalSection,
    GlobalType, MemorySection, MemoryType, Module, NameMap, NameSection, TableSection, TableType,
    TypeSection, ValType,
};

/// Every bomb, given to each subcommand that may go off.
pub fn cases(corpus: &Corpus) -> Vec<Case> {
    let files: Vec<(&'static str, Vec<u8>)> = vec![
        ("names that unfold", named(400, unfolding())),
        ("names of brackets", named(8, "<".repeat(20_000))),
        (
            "names of closed brackets",
            named(8, format!("a{}b{}", "<".repeat(9_000), ">".repeat(9_000))),
        ),
        ("names of paths", named(8, "a::".repeat(20_000))),
        (
            "names of arguments",
            named(8, format!("f{}", "::<a>".repeat(9_000))),
        ),
        (
            "names of traits",
            named(8, "<<a as b>::c as d>::e as ".repeat(1_500)),
        ),
        ("names of lookalikes", named(8, " as ".repeat(20_000))),
        (
            "mangled names of nothing",
            named(8, format!("_ZN{}E", "1a".repeat(20_000))),
        ),
        (
            "v0 names that nest",
            named(8, format!("_RNvC1a1b{}", "I".repeat(30_000))),
        ),
        ("a chain of calls", chain(20_000)),
        ("blocks in blocks", nested(20_000)),
        ("small functions", named(20_000, String::new())),
        ("many locals", locals(49_000)),
        ("a large table", large_table()),
        ("a large memory", large_memory(65_536)),
        ("segments of nothing", empty_segments(50_000)),
        ("globals", globals(50_000)),
        ("components in components", nested_components(60)),
        ("modules in a component", many_modules(900)),
        ("names that run on", names_that_run_on()),
    ];
    let subcommands = [
        "analyze in.wasm",
        "analyze in.wasm --json --by family --by module",
        "analyze in.wasm --why a::b",
        "optimize in.wasm -o out.wasm --snip",
        "precompile in.wasm -o out.wasm",
        "bench in.wasm --runs 1",
        "diff in.wasm other.wasm",
        "run --component in.wasm --root . hello",
    ];
    let mut cases: Vec<_> = files
        .iter()
        .flat_map(|(label, bytes)| {
            subcommands.map(|subcommand| Case {
                label,
                seed: None,
                arguments: subcommand.split(' ').collect(),
                files: vec![
                    ("in.wasm", bytes.clone()),
                    ("other.wasm", b"\0asm\x01\0\0\0".to_vec()),
                ],
            })
        })
        .collect();
    let json = [
        (
            "an agent's configuration that nests",
            "config.json",
            "preinit in.wasm -o out.wasm --config-file config.json",
        ),
        (
            "a transcript that nests",
            "transcript.json",
            "memory in.wasm --workload transcript.json",
        ),
        ("a report that nests", "report.json", "analyze report.json"),
    ];
    for (label, name, arguments) in json {
        let text = format!(
            "{{\"schema\": {}1{}}}",
            "[".repeat(100_000),
            "]".repeat(100_000)
        );
        cases.push(Case {
            label,
            seed: None,
            arguments: arguments.split(' ').collect(),
            files: vec![
                (name, text.into_bytes()),
                ("in.wasm", corpus.file(Pool::Reactor, &mut Random::new(1))),
            ],
        });
    }
    cases.extend(agents());
    cases
}

/// Agents, by their exports, that do not come to an end, or take all the memory there is.
fn agents() -> Vec<Case> {
    let bodies = [
        ("an agent that loops", "(loop $l (br $l))"),
        (
            "an agent that grows",
            "(loop $l (drop (memory.grow (i32.const 256))) (memory.fill (i32.const 0) (i32.const 1) (i32.mul (memory.size) (i32.const 65536))) (br_if $l (i32.lt_u (memory.size) (i32.const 65535))))",
        ),
        ("an agent that recurses", "(call $main)"),
    ];
    let subcommands = [
        "run --component in.wasm --root . hello",
        "preinit in.wasm -o out.wasm",
        "memory in.wasm --workload transcript.json",
        "startup in.wasm --workload transcript.json --samples 1 --cold-samples 1 --process-samples 1 --no-node",
    ];
    let transcript = br#"{"config": {}, "messages": [{"session": "s", "message": "hello"}]}"#;
    bodies
        .iter()
        .flat_map(|(label, body)| {
            let text = format!(
                "(module (memory (export \"memory\") 1) (func $main (export \"_initialize\") {body}))"
            );
            let module = wat::parse_str(text).unwrap();
            subcommands.map(|subcommand| Case {
                label,
                seed: None,
                arguments: subcommand.split(' ').collect(),
                files: vec![("in.wasm", module.clone()), ("transcript.json", transcript.to_vec())],
            })
        })
        .collect()
}

/// A symbol of 200 bytes whose readable name has 2^30 parts: each refers twice to the one before
/// (RFC 2603, back references).
fn unfolding() -> String {
    const DIGITS: &[u8; 62] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let mut symbol = "_RINvC1a1bu".to_owned();
    let mut previous = symbol.len() - 1 - "_R".len();
    for _ in 0..30 {
        let position = symbol.len() - "_R".len();
        let (high, low) = ((previous - 1) / 62, (previous - 1) % 62);
        let high = (high > 0).then(|| char::from(DIGITS[high])).into_iter();
        let digits: String = high.chain([char::from(DIGITS[low])]).collect();
        symbol.push_str(&format!("TB{digits}_B{digits}_E"));
        previous = position;
    }
    symbol.push('E');
    symbol
}

/// Names of data segments of which there are fewer than it says: Binaryen 116 reads on into the
/// next section, and writes where it must not.
fn names_that_run_on() -> Vec<u8> {
    let mut data = DataSection::new();
    data.active(0, &ConstExpr::i32_const(0), *b"x");
    let one_of_nineteen = [&[9, 4, 19, 0, 1][..], b"a"].concat();
    let names = CustomSection {
        name: "name".into(),
        data: one_of_nineteen.into(),
    };
    let next = CustomSection {
        name: "dylink.0".into(),
        data: vec![0; 30].into(),
    };
    let mut module = Module::new();
    module
        .section(&memory(1))
        .section(&data)
        .section(&names)
        .section(&next);
    module.finish()
}

/// Functions that do nothing, each of the same name with its number behind it; without a name where
/// that is empty.
fn named(functions: u32, name: String) -> Vec<u8> {
    let mut names = NameMap::new();
    if !name.is_empty() {
        for index in 0..functions {
            names.append(index, &name);
        }
    }
    let mut all = NameSection::new();
    all.functions(&names);
    let mut module = functions_of(functions, |_| Function::new([]));
    module.section(&all);
    module.finish()
}

fn functions_of(count: u32, body: impl Fn(u32) -> Function) -> Module {
    let mut types = TypeSection::new();
    types.ty().function([], []);
    let (mut functions, mut code) = (FunctionSection::new(), CodeSection::new());
    for index in 0..count {
        functions.function(0);
        let mut body = body(index);
        body.instructions().end();
        code.function(&body);
    }
    let mut module = Module::new();
    module.section(&types).section(&functions).section(&code);
    module
}

/// Each function calls the next: what walks calls by recursion runs out of stack.
fn chain(length: u32) -> Vec<u8> {
    functions_of(length, |index| {
        let mut body = Function::new([]);
        if index + 1 < length {
            body.instructions().call(index + 1);
        }
        body
    })
    .finish()
}

fn nested(depth: u32) -> Vec<u8> {
    functions_of(1, |_| {
        let mut body = Function::new([]);
        for _ in 0..depth {
            body.instructions().block(wasm_encoder::BlockType::Empty);
        }
        for _ in 0..depth {
            body.instructions().end();
        }
        body
    })
    .finish()
}

fn locals(count: u32) -> Vec<u8> {
    functions_of(40, |_| Function::new([(count, ValType::I64)])).finish()
}

fn large_table() -> Vec<u8> {
    let mut tables = TableSection::new();
    tables.table(TableType {
        element_type: wasm_encoder::RefType::FUNCREF,
        table64: false,
        minimum: 10_000_000,
        maximum: None,
        shared: false,
    });
    let mut module = Module::new();
    module.section(&tables);
    module.finish()
}

fn memory(pages: u64) -> MemorySection {
    let mut memories = MemorySection::new();
    memories.memory(MemoryType {
        minimum: pages,
        maximum: None,
        memory64: false,
        shared: false,
        page_size_log2: None,
    });
    memories
}

fn large_memory(pages: u64) -> Vec<u8> {
    let mut module = Module::new();
    module.section(&memory(pages));
    module.finish()
}

fn empty_segments(count: u32) -> Vec<u8> {
    let mut data = DataSection::new();
    for _ in 0..count {
        data.active(0, &ConstExpr::i32_const(0), []);
    }
    let mut module = Module::new();
    module.section(&memory(1)).section(&data);
    module.finish()
}

fn globals(count: u32) -> Vec<u8> {
    let mut globals = GlobalSection::new();
    let ty = GlobalType {
        val_type: ValType::I32,
        mutable: true,
        shared: false,
    };
    for _ in 0..count {
        globals.global(ty, &ConstExpr::i32_const(0));
    }
    let mut module = Module::new();
    module.section(&globals);
    module.finish()
}

/// A module of 40 KB under as many components as there may be.
fn nested_components(depth: usize) -> Vec<u8> {
    let mut bytes = named(1, "x".repeat(40_000));
    for level in 0..depth {
        let mut component = wasm_encoder::Component::new();
        let id = if level == 0 { 1 } else { 4 };
        component.section(&wasm_encoder::RawSection { id, data: &bytes });
        bytes = component.finish();
    }
    bytes
}

fn many_modules(count: usize) -> Vec<u8> {
    let module = named(2, "a::b".to_owned());
    let mut component = wasm_encoder::Component::new();
    for _ in 0..count {
        component.section(&wasm_encoder::RawSection {
            id: 1,
            data: &module,
        });
    }
    component.finish()
}
