//! Data that no relocation points at and that is alive nevertheless.

use super::variants::{self, Wanted};
use crate::generated::object::{Function, Object, Segment, Symbol, Target, flag};
use crate::generated::object_code::{Code, op};
use crate::generated::object_link;
use wasmtime::{Engine, Instance, Module, Store};

/// The type of a function without parameters that gives a number, in `object::SIGNATURES`.
const SHOWS: u32 = 3;

/// Numbers in a segment of their own, which code walks over from `__start_numbers` on: what comes
/// after the first is reached by counting alone.
#[test]
fn a_segment_that_is_walked_over_stays() {
    let numbers = [1_i32, 20, 300];
    let start = || Target::Address("__start_numbers".to_owned(), 0);
    let mut code = Code::default();
    for at in 0..numbers.len() {
        code.address(start()).memory(op::LOAD, 4 * at);
    }
    code.op(&[op::ADD, op::ADD, op::END]);
    let object = Object {
        functions: vec![Function {
            name: "sum".to_owned(),
            ty: SHOWS,
            flags: 0,
            constructor: false,
            locals: 0,
            code: code.bytes,
            relocations: code.relocations,
        }],
        segments: vec![Segment {
            name: "numbers".to_owned(),
            align: 2,
            strings: false,
            bytes: numbers.iter().flat_map(|n| n.to_le_bytes()).collect(),
            symbols: (0..numbers.len())
                .map(|number| Symbol {
                    name: format!("number_{number}"),
                    // The first keeps the whole segment in the file, and no more than itself in
                    // use.
                    flags: match number {
                        0 => flag::HIDDEN | flag::NO_STRIP,
                        _ => flag::LOCAL,
                    },
                    offset: 4 * number,
                    size: 4,
                })
                .collect(),
            relocations: Vec::new(),
        }],
        ..Object::default()
    };
    same_sum(&object);
}

/// A function with more locals than are followed: all that it mentions stays, data, a function
/// called directly and one called through the table, and what those need.
#[test]
fn what_a_huge_function_mentions_stays() {
    let read = |name: &str| {
        let mut code = Code::default();
        code.address(Target::Address(name.to_owned(), 0));
        code.memory(op::LOAD, 0).clone()
    };
    let shows = |name: &str, locals: u32, mut code: Code| {
        code.op(&[op::END]);
        Function {
            name: name.to_owned(),
            ty: SHOWS,
            flags: 0,
            constructor: false,
            locals,
            code: code.bytes,
            relocations: code.relocations,
        }
    };
    let mut huge = read("one");
    huge.slot("twenty_of").call_slot(SHOWS);
    huge.call("three_hundred_of").op(&[op::ADD, op::ADD]);
    let datum = |name: &str, number: i32| Segment {
        name: format!(".data.{name}"),
        align: 2,
        strings: false,
        bytes: number.to_le_bytes().to_vec(),
        symbols: vec![Symbol {
            name: name.to_owned(),
            flags: flag::LOCAL,
            offset: 0,
            size: 4,
        }],
        relocations: Vec::new(),
    };
    let object = Object {
        functions: vec![
            shows("sum", 1_001, huge),
            shows("twenty_of", 0, read("twenty")),
            shows("three_hundred_of", 0, read("three_hundred")),
        ],
        segments: vec![
            datum("one", 1),
            datum("twenty", 20),
            datum("three_hundred", 300),
        ],
        ..Object::default()
    };
    same_sum(&object);
}

/// Links, sweeps and poisons a program, and compares what its `sum` gives.
fn same_sum(object: &Object) {
    let arguments = ["--export=sum".to_owned()];
    let linked = object_link::link_all(
        &object_link::linker(),
        std::slice::from_ref(object),
        &arguments,
    )
    .unwrap();
    let wanted = Wanted {
        unswept: false,
        whole: true,
        compact: false,
    };
    let made = variants::of(&linked, wanted).unwrap();
    assert_eq!(made.refusal, None);
    assert_eq!(sum(&linked), 321);
    assert!(made.files.len() >= 3, "swept, poisoned, whole");
    for variant in &made.files {
        assert_eq!(sum(&variant.bytes), 321, "{}", variant.name);
    }
}

fn sum(module: &[u8]) -> i32 {
    let engine = Engine::default();
    let module = Module::new(&engine, module).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let sum = instance
        .get_typed_func::<(), i32>(&mut store, "sum")
        .unwrap();
    sum.call(&mut store, ()).unwrap()
}
