//! Deliberate damage in place: what a wrong sweep would do. The harness must see it.

use super::compare::{self, Traps};
use super::{runner, variants};
use crate::generated::random::Random;
use build_support::analyze::sweep::Sweep;
use wasmtime::Engine;

use std::ops::Range;
use wasmparser::{
    BinaryReader, DataKind, Element, ElementItems, ElementKind, KnownCustom, Linking, Operator,
    Parser, Payload, SymbolInfo, TypeRef, ValType,
};

/// What a wrong sweep takes for dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mistake {
    /// The bytes of a data symbol.
    Data,
    /// A table slot.
    Slot,
    /// A function.
    Function,
}

/// Adds to the plan of `linked` what is not dead, some times over; how often that was done and how
/// often it was seen. Not all can be: some of what is alive is used by no call of the workload.
pub fn seen(
    engine: &Engine,
    linked: &[u8],
    seed: u64,
    mistake: Mistake,
) -> Result<(u32, u32), String> {
    const ATTEMPTS: u32 = 5;
    let mut random = Random::new(seed);
    let parts = Parts::of(linked);
    let program = runner::compile(engine, linked)?;
    let calls = runner::workload(&program, seed);
    let before = runner::run(&program, &calls)?;
    let (mut done, mut noticed) = (0, 0);
    for _ in 0..ATTEMPTS {
        let spoil = |sweep: &mut Sweep| parts.spoil(sweep, mistake, &mut random);
        let Some(module) = variants::wrong(linked, spoil)? else {
            continue;
        };
        let after = runner::run(&runner::compile(engine, &module)?, &calls)?;
        done += 1;
        noticed += u32::from(compare::run(&calls, &before, &after, Traps::SameKind).is_err());
    }
    Ok((done, noticed))
}

/// Where the parts of a linked file are, in bytes.
#[derive(Debug, Default)]
pub struct Parts {
    /// How many functions are imported.
    pub imported: u32,
    /// The bodies of the functions, without their sizes.
    pub bodies: Vec<Range<usize>>,
    /// The data symbols.
    pub data: Vec<Range<usize>>,
    /// The table slots that are filled, by number.
    pub slots: Vec<u32>,
}

impl Parts {
    /// Reads a valid module.
    pub fn of(module: &[u8]) -> Self {
        let (mut parts, mut segments) = (Self::default(), Vec::new());
        for payload in Parser::new(0).parse_all(module) {
            match payload.unwrap() {
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        if let TypeRef::Func(_) = import.unwrap().ty {
                            parts.imported += 1;
                        }
                    }
                }
                Payload::ElementSection(section) => {
                    for element in section {
                        parts.slots.extend(slots(&element.unwrap()));
                    }
                }
                Payload::CodeSectionEntry(body) => {
                    let range = body.range();
                    parts.bodies.push(range.start as usize..range.end as usize);
                }
                Payload::DataSection(section) => {
                    for data in section {
                        let data = data.unwrap();
                        let active = matches!(data.kind, DataKind::Active { .. });
                        let end = data.range.end as usize;
                        segments.push(active.then_some(end - data.data.len()..end));
                    }
                }
                Payload::CustomSection(section) => {
                    if let KnownCustom::Linking(reader) = section.as_known() {
                        for subsection in reader {
                            if let Linking::SymbolTable(symbols) = subsection.unwrap() {
                                for symbol in symbols {
                                    if let SymbolInfo::Data {
                                        symbol: Some(place),
                                        ..
                                    } = symbol.unwrap()
                                    {
                                        let Some(Some(segment)) =
                                            segments.get(place.index as usize)
                                        else {
                                            continue;
                                        };
                                        let start = segment.start + place.offset as usize;
                                        let end = start + place.size as usize;
                                        if end <= segment.end {
                                            parts.data.push(start..end);
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
                _ => {}
            }
        }
        parts
    }

    /// Adds something that is alive to what is dead, if there is anything.
    fn spoil(&self, sweep: &mut Sweep, mistake: Mistake, random: &mut Random) -> bool {
        fn one<T: Clone>(all: &[T], alive: impl Fn(&T) -> bool, random: &mut Random) -> Option<T> {
            let alive: Vec<_> = all.iter().filter(|part| alive(part)).collect();
            (!alive.is_empty()).then(|| (*random.pick(&alive)).clone())
        }
        match mistake {
            Mistake::Data => {
                let alive = |range: &Range<usize>| {
                    let apart =
                        |dead: &Range<usize>| dead.end <= range.start || range.end <= dead.start;
                    !range.is_empty() && sweep.data.iter().all(apart)
                };
                let range = one(&self.data, alive, random);
                sweep.data.extend(range.clone());
                sweep.data.sort_by_key(|range| range.start);
                range.is_some()
            }
            Mistake::Slot => {
                let slot = one(&self.slots, |slot| !sweep.slots.contains(slot), random);
                sweep.slots.extend(slot);
                sweep.slots.sort_unstable();
                slot.is_some()
            }
            Mistake::Function => {
                let count = self.bodies.len() as u32;
                let defined: Vec<u32> = (self.imported..self.imported + count).collect();
                let alive = |f: &u32| !sweep.functions.contains(f) && !sweep.traps.contains(f);
                let function = one(&defined, alive, random);
                sweep.functions.extend(function);
                sweep.functions.sort_unstable();
                function.is_some()
            }
        }
    }
}

/// The slots that a segment of constant place fills.
fn slots(element: &Element<'_>) -> Range<u32> {
    let ElementKind::Active { offset_expr, .. } = &element.kind else {
        return 0..0;
    };
    let ElementItems::Functions(functions) = &element.items else {
        return 0..0;
    };
    match offset_expr.get_operators_reader().read() {
        Ok(Operator::I32Const { value }) => value as u32..value as u32 + functions.count(),
        _ => 0..0,
    }
}

/// Makes a function trap at once, in place: its code becomes `unreachable`, then nothing. Says
/// whether there was room.
pub fn trap(module: &mut [u8], body: &Range<usize>) -> bool {
    let mut reader = BinaryReader::new(&module[body.clone()], 0);
    let groups = reader.read_var_u32().unwrap();
    for _ in 0..groups {
        reader.read_var_u32().unwrap();
        let _: ValType = reader.read().unwrap();
    }
    let code = body.start + reader.original_position() as usize..body.end - 1;
    let code = &mut module[code];
    code.fill(NOP);
    match code.first_mut() {
        Some(first) => *first = UNREACHABLE,
        None => return false,
    }
    true
}

const UNREACHABLE: u8 = 0x00;
const NOP: u8 = 0x01;
