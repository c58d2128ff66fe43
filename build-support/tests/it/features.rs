//! Which features a module uses, found without asking the validator: held against what the
//! validator says, on generated modules.

use crate::generated::random::Random;
use arbitrary::Unstructured;
use build_support::analyze::plan::SnipRules;
use build_support::passes::pipeline;
use build_support::wasm::artifact::{self, Artifact};
use build_support::wasm::features;
use std::collections::BTreeMap;
use std::path::Path;
use wasmparser::{Validator, WasmFeatures};

const FILE: &str = "app.wasm";

/// The validator's flags for what reports name. The first of them Binaryen knows: there nothing may
/// be named that is not needed.
const FLAGS: [(&str, WasmFeatures); 22] = [
    ("mutable-globals", WasmFeatures::MUTABLE_GLOBAL),
    (
        "nontrapping-float-to-int",
        WasmFeatures::SATURATING_FLOAT_TO_INT,
    ),
    ("sign-ext", WasmFeatures::SIGN_EXTENSION),
    ("multivalue", WasmFeatures::MULTI_VALUE),
    ("bulk-memory", WasmFeatures::BULK_MEMORY),
    ("reference-types", WasmFeatures::REFERENCE_TYPES),
    ("relaxed-simd", WasmFeatures::RELAXED_SIMD),
    ("simd", WasmFeatures::SIMD),
    ("threads", WasmFeatures::THREADS),
    ("tail-call", WasmFeatures::TAIL_CALL),
    ("extended-const", WasmFeatures::EXTENDED_CONST),
    ("multimemory", WasmFeatures::MULTI_MEMORY),
    ("memory64", WasmFeatures::MEMORY64),
    ("exceptions (legacy)", WasmFeatures::LEGACY_EXCEPTIONS),
    ("exception-handling", WasmFeatures::EXCEPTIONS),
    ("exceptions (standard)", WasmFeatures::EXCEPTIONS),
    ("64-bit tables", WasmFeatures::MEMORY64),
    ("custom page sizes", WasmFeatures::CUSTOM_PAGE_SIZES),
    ("wide arithmetic", WasmFeatures::WIDE_ARITHMETIC),
    ("compact imports", WasmFeatures::COMPACT_IMPORTS),
    ("function references", WasmFeatures::FUNCTION_REFERENCES),
    (
        "garbage collection",
        WasmFeatures::GC.union(WasmFeatures::FUNCTION_REFERENCES),
    ),
];
/// How many of them.
const KNOWN: usize = 14;

fn is_valid(module: &[u8], flags: WasmFeatures) -> bool {
    let mut validator = Validator::new_with_features(flags);
    validator.validate_all(module).is_ok()
}

fn names(module: &[u8]) -> Vec<&'static str> {
    let used = features::run(module, Path::new(FILE)).unwrap();
    used.iter().map(|feature| feature.name).collect()
}

/// The names, after it was made sure that they are enough, and none too many.
fn checked(module: &[u8]) -> Vec<&'static str> {
    let used = names(module);
    let text = || wasmprinter::print_bytes(module).unwrap();
    let flags = |but: &str| {
        let named = FLAGS
            .iter()
            .filter(|(name, _)| used.contains(name) && *name != but);
        let floats = WasmFeatures::FLOATS | WasmFeatures::GC_TYPES;
        named.fold(floats, |all, (_, flags)| all | *flags)
    };
    assert!(
        is_valid(module, flags("")),
        "{used:?} are not enough:\n{}",
        text()
    );
    for (name, _) in &FLAGS[..KNOWN] {
        // What a tag carries, and what a block is said to give, Binaryen handles as several values.
        // And one flag is for memories and tables of 64 bits.
        let is_told_apart = match *name {
            "multivalue" => false,
            "memory64" => !used.contains(&"64-bit tables"),
            _ => true,
        };
        if used.contains(name) && is_told_apart {
            assert!(
                !is_valid(module, flags(name)),
                "{name} is too much:\n{}",
                text()
            );
        }
    }
    used
}

fn generated(seed: u64) -> Vec<u8> {
    let mut random = Random::new(seed);
    let config = wasm_smith::Config {
        max_instructions: 60,
        max_funcs: 6,
        max_tables: 3,
        max_memories: 2,
        bulk_memory_enabled: random.chance(50),
        reference_types_enabled: random.chance(50),
        multi_value_enabled: random.chance(50),
        simd_enabled: random.chance(40),
        relaxed_simd_enabled: random.chance(20),
        tail_call_enabled: random.chance(40),
        extended_const_enabled: random.chance(40),
        exceptions_enabled: random.chance(30),
        gc_enabled: random.chance(20),
        threads_enabled: random.chance(30),
        memory64_enabled: random.chance(30),
        custom_page_sizes_enabled: random.chance(30),
        wide_arithmetic_enabled: random.chance(30),
        compact_imports_enabled: random.chance(30),
        saturating_float_to_int_enabled: random.chance(50),
        sign_extension_ops_enabled: random.chance(50),
        shared_everything_threads_enabled: false,
        custom_descriptors_enabled: false,
        ..wasm_smith::Config::default()
    };
    let bytes = random.bytes(1_500);
    let module = wasm_smith::Module::new(config, &mut Unstructured::new(&bytes));
    module.unwrap().to_bytes()
}

/// Protects what the optimiser is told, and what reports say: one pass over a module finds what the
/// validator asks for, feature by feature.
#[test]
fn one_pass_finds_what_the_validator_asks_for() {
    let mut seen = BTreeMap::new();
    for seed in 0..400 {
        for name in checked(&generated(seed)) {
            *seen.entry(name).or_insert(0) += 1;
        }
    }
    for (name, _) in FLAGS {
        // The generator writes nothing that is only old, and little of what there is much of.
        let is_rare = ["exceptions (legacy)", "exception-handling", "relaxed-simd"];
        if !is_rare.contains(&name) {
            assert!(
                seen.get(name).is_some_and(|count| *count > 1),
                "{name}: {seen:?}"
            );
        }
    }
}

/// Protects what reports say of proposals that look alike.
#[test]
fn proposals_are_told_apart() {
    let cases = [
        (
            "(tag (param i32 i64)) (func (throw 0 (i32.const 1) (i64.const 2)))",
            &["multivalue", "exception-handling"][..],
        ),
        (
            "(tag (param i32)) (func try catch 0 drop end)",
            &["exceptions (legacy)"],
        ),
        (
            "(tag (param i32)) (func (block (result i32) (try_table (catch 0 0)) (i32.const 1)) (drop))",
            &["exceptions (standard)"],
        ),
        (
            "(func (param v128 v128) (result v128) (i8x16.relaxed_swizzle (local.get 0) (local.get 1)))",
            &["relaxed-simd", "simd"],
        ),
        ("(memory i64 1)", &["memory64"]),
        ("(table i64 1 funcref)", &["64-bit tables"]),
        ("(memory 1 (pagesize 1))", &["custom page sizes"]),
        (
            "(func (result i32) (i32.const 1) (block (param i32) (result i32)))",
            &["multivalue", "block parameters"],
        ),
        (
            "(func (block (result i32 i64) (i32.const 1) (i64.const 2)) (drop) (drop))",
            &["multivalue"],
        ),
        (
            "(table 2 funcref) (func (table.copy (i32.const 0) (i32.const 0) (i32.const 0)))",
            &["bulk-memory"],
        ),
        (
            "(import \"e\" \"g\" (global (mut i32)))",
            &["mutable-globals"],
        ),
        (
            "(type $s (struct (field i32))) (func (drop (struct.new $s (i32.const 1))))",
            &["garbage collection"],
        ),
        (
            "(type $t (func)) (func (param (ref $t)) (call_ref $t (local.get 0)))",
            &["reference-types", "function references"],
        ),
    ];
    for (text, expected) in cases {
        let module = wat::parse_str(format!("(module {text})")).unwrap();
        assert_eq!(names(&module), expected, "{text}");
    }
}

/// Protects the time that a look at a large file takes: most of it goes into the validator, and
/// what is only listed goes there once.
#[test]
fn a_dry_run_validates_once() {
    let text = "(module (memory 1) (table 1 funcref) (elem (i32.const 0) $f)
        (func $f (export \"f\") (param i64) (result i32) (i32.extend8_s (i32.wrap_i64 (local.get 0)))))";
    let module = wat::parse_str(text).unwrap();
    let (size, file) = (module.len() as u64, Path::new(FILE));
    let before = artifact::validated_bytes();
    let read = Artifact::new(module, file).unwrap();
    let rules = SnipRules {
        enabled: true,
        ..SnipRules::default()
    };
    let analysis = pipeline::analyze(&rules, false, file, &read).unwrap();
    assert_eq!(analysis.features, ["sign-ext"]);
    assert_eq!(artifact::validated_bytes() - before, size);
}
