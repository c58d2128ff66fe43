//! What the sweep refuses, each with a file that is right but for one thing. A refusal that does
//! not come is a guess.

use crate::generated::random::Random;
use crate::generated::{object_link, object_program};
use build_support::analyze::plan::SnipRules;
use build_support::analyze::sweep::{self, Refusal, Sweep};
use build_support::passes::pipeline;
use build_support::wasm::artifact::Artifact;
use build_support::wasm::{Module, linked};
use std::path::Path;
use wasm_encoder::{CustomSection, Encode as _, Section as _};
use wasmparser::{Parser, Payload};

/// A linked file that can be swept, by its seed.
fn good() -> (u64, Vec<u8>) {
    let linker = object_link::linker();
    (0..20)
        .map(|seed| (seed, object_link::link(&linker, seed).unwrap()))
        .find(|(_, linked)| {
            let swept = swept(linked);
            swept.is_ok() && custom(linked, "reloc.DATA").is_some()
        })
        .expect("most programs can be swept")
}

fn swept(module: &[u8]) -> Result<Sweep, Refusal> {
    sweep::run(&Module::read(module)?, &[])
}

fn refusal(module: &[u8]) -> Refusal {
    build_support::wasm::artifact::validate(module).expect("only the relocations are wrong");
    swept(module).expect_err("it must be refused")
}

fn custom(module: &[u8], wanted: &str) -> Option<Vec<u8>> {
    Parser::new(0)
        .parse_all(module)
        .find_map(|payload| match payload.unwrap() {
            Payload::CustomSection(custom) if custom.name() == wanted => {
                Some(custom.data().to_vec())
            }
            _ => None,
        })
}

/// The module with one custom section changed, or left out.
fn with_custom(module: &[u8], wanted: &str, change: impl Fn(&[u8]) -> Option<Vec<u8>>) -> Vec<u8> {
    sections(module, |payload, contents| match payload {
        Payload::CustomSection(custom) if custom.name() == wanted => {
            change(custom.data()).map(|data| {
                let mut section = Vec::new();
                let custom = CustomSection {
                    name: wanted.into(),
                    data: data.into(),
                };
                custom.append_to(&mut section);
                section
            })
        }
        _ => Some(contents),
    })
}

/// The module with each section, id and length included, replaced by what `change` makes of it.
fn sections(module: &[u8], change: impl Fn(&Payload<'_>, Vec<u8>) -> Option<Vec<u8>>) -> Vec<u8> {
    let mut out = module[..8].to_vec();
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload.unwrap();
        let Some((id, range)) = payload.as_section() else {
            continue;
        };
        let mut whole = vec![id];
        module[range.start as usize..range.end as usize].encode(&mut whole);
        out.extend(change(&payload, whole).unwrap_or_default());
    }
    out
}

#[test]
fn missing_sections_are_refused() {
    let (_, linked) = good();
    let without = |name| with_custom(&linked, name, |_| None);
    assert_eq!(refusal(&without("linking")), Refusal::Missing("linking"));
    assert_eq!(
        refusal(&without("reloc.CODE")),
        Refusal::Missing("reloc.CODE")
    );
    // Data may have none; but then what only it referred to has no reason to be there.
    let without_data = refusal(&without("reloc.DATA"));
    assert!(
        matches!(without_data, Refusal::Unreferenced(_)),
        "{without_data}"
    );
}

#[test]
fn an_unknown_relocation_type_is_refused_by_number() {
    let (_, linked) = good();
    for section in ["reloc.CODE", "reloc.DATA"] {
        let changed = with_custom(&linked, section, |data| {
            // The section's number and the count stand before the first entry's type.
            let mut reader = wasmparser::BinaryReader::new(data, 0);
            reader.read_var_u32().unwrap();
            reader.read_var_u32().unwrap();
            let mut data = data.to_vec();
            data[reader.original_position() as usize] = 0x63;
            Some(data)
        });
        let refused = refusal(&changed);
        assert_eq!(
            refused,
            Refusal::UnknownRelocation {
                kind: "0x63".into(),
                section
            },
            "{refused}"
        );
    }
}

/// A walrus that reads and writes a file keeps its custom sections, which then speak of other
/// bytes.
#[test]
fn stale_relocations_are_refused() {
    let (_, linked) = good();
    let rewritten = walrus::Module::from_buffer(&linked).unwrap().emit_wasm();
    assert!(custom(&rewritten, "reloc.CODE").is_some());
    let refused = refusal(&rewritten);
    assert!(
        matches!(refused, Refusal::Stale { .. } | Refusal::Symbols(_)),
        "{refused}"
    );
    assert!(refused.help().contains("link"), "{}", refused.help());
}

/// One word of data that is not what its relocation says.
#[test]
fn a_changed_word_is_refused_with_its_place() {
    let (_, linked) = good();
    let relocations = {
        let module = Module::read(&linked).unwrap();
        let module = linked::module::read(&module).unwrap();
        linked::relocations::read(&module).unwrap()
    };
    let at = relocations.in_data[0].at;
    let mut changed = linked.clone();
    changed[at] ^= 4;
    match refusal(&changed) {
        Refusal::Stale {
            section, offset, ..
        } => assert_eq!((section, offset), ("reloc.DATA", at as u64)),
        other => panic!("{other}"),
    }
}

#[test]
fn symbols_outside_their_segment_are_refused() {
    let (_, linked) = good();
    let changed = sections(&linked, |payload, whole| {
        let Payload::DataSection(data) = payload else {
            return Some(whole);
        };
        let mut section = wasm_encoder::DataSection::new();
        for segment in data.clone() {
            let segment = segment.unwrap();
            let wasmparser::DataKind::Active { offset_expr, .. } = &segment.kind else {
                panic!("the linker makes active segments");
            };
            let mut offset = offset_expr.get_operators_reader();
            let Ok(wasmparser::Operator::I32Const { value }) = offset.read() else {
                panic!("at constant places");
            };
            let half = segment.data[..segment.data.len() / 2].iter().copied();
            section.active(0, &wasm_encoder::ConstExpr::i32_const(value), half);
        }
        let mut whole = Vec::new();
        section.append_to(&mut whole);
        Some(whole)
    });
    let refused = refusal(&changed);
    assert!(matches!(refused, Refusal::Symbols(_)), "{refused}");
}

#[test]
fn shared_memory_is_refused() {
    let module = wat::parse_str("(module (memory 1 1 shared))").unwrap();
    assert_eq!(refusal(&module), Refusal::SharedMemory);
}

#[test]
fn position_independent_modules_are_refused() {
    for text in [
        r#"(module (@custom "dylink.0" (before first) "\01\04\00\00\00\00"))"#,
        r#"(module (import "env" "__memory_base" (global i32)) (memory 1)
            (data (global.get 0) "x"))"#,
        r#"(module (import "env" "__table_base" (global i32)) (table 1 funcref) (func)
            (elem (global.get 0) func 0))"#,
    ] {
        let module = wat::parse_str(text).unwrap();
        let refused = refusal(&module);
        assert!(
            matches!(refused, Refusal::PositionIndependent(_)),
            "{text}: {refused}"
        );
    }
}

/// Without garbage collection the linker keeps what nothing refers to, which looks like a missing
/// relocation.
#[test]
fn a_file_linked_without_gc_sections_is_refused() {
    let linker = object_link::linker();
    let mut refused = 0;
    // Few of the programs have something that the collection would drop.
    for seed in 0..150 {
        if swept(&object_link::link(&linker, seed).unwrap()).is_err() {
            continue;
        }
        // Some ask for it themselves.
        let Ok(whole) = object_link::link_with(&linker, seed, &["--no-gc-sections"]) else {
            continue;
        };
        match swept(&whole) {
            Ok(_) => {}
            Err(refusal @ Refusal::Unreferenced(_)) => {
                assert!(refusal.help().contains("--gc-sections"));
                refused += 1;
            }
            Err(other) => panic!("seed {seed}: {other}"),
        }
    }
    assert!(refused > 0);
}

/// Passive segments, a second memory, 64-bit memory and types of the garbage collection proposal.
#[test]
fn what_is_not_covered_is_refused() {
    for text in [
        r#"(module (memory 1) (data "x"))"#,
        "(module (memory 1) (memory 1))",
        "(module (memory i64 1))",
        "(module (type (struct)))",
    ] {
        let refused = refusal(&wat::parse_str(text).unwrap());
        assert!(
            matches!(refused, Refusal::Unsupported(_)),
            "{text}: {refused}"
        );
    }
}

/// Protects what no linker has read yet: nothing in it is exported, and all of it would go.
#[test]
fn an_object_is_refused() {
    let file = Path::new("x.o");
    for seed in 0..10 {
        for object in object_program::generate(seed).objects {
            let object = Artifact::new(object.encode(), file).unwrap();
            let refused = pipeline::analyze(&SnipRules::default(), false, file, &object);
            let refused = refused.err().expect("it is no program").to_string();
            assert!(refused.contains("relocatable object"), "{refused}");
        }
    }
}

/// Protects against relocations that lie: whatever stands there, it is refused or taken, without a
/// panic.
#[test]
fn damaged_relocations_never_panic() {
    let (_, linked) = good();
    let places: Vec<usize> = Parser::new(0)
        .parse_all(&linked)
        .filter_map(|payload| match payload.unwrap() {
            Payload::CustomSection(custom)
                if custom.name() == "linking" || custom.name().starts_with("reloc.") =>
            {
                let start = custom.data_offset() as usize;
                Some(start..start + custom.data().len())
            }
            _ => None,
        })
        .flatten()
        .collect();
    let mut random = Random::new(1);
    let mut refused = 0;
    for _ in 0..3_000 {
        let mut damaged = linked.clone();
        for _ in 0..=random.below(3) {
            damaged[places[random.below(places.len())]] = random.below(256) as u8;
        }
        refused += usize::from(swept(&damaged).is_err());
    }
    assert!(refused > 1_000, "{refused} of 3,000 are refused");
}
