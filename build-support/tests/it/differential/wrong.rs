//! Deliberate damage in place: what a wrong sweep would do. The harness must see it.

use super::compare::{self, Traps};
use super::{runner, variants};
use crate::generated::random::Random;
use build_support::analyze::sweep::Sweep;
use build_support::analyze::sweep::certain_traps::Cut;
use wasmtime::Engine;

use std::ops::Range;
use wasmparser::{
    BinaryReader, DataKind, Element, ElementItems, ElementKind, KnownCustom, Linking, Operator,
    Parser, Payload, SymbolInfo, TypeRef, ValType,
};

/// What a wrong sweep takes for dead: one of each list of a [`Sweep`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mistake {
    /// The bytes of a data symbol.
    Data,
    /// A table slot.
    Slot,
    /// A function.
    Function,
    /// A function, for one whose calls are certain to trap.
    Trap,
    /// The code of a function up to its end.
    Cut,
    /// An address that is used.
    Constant,
}

impl Mistake {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Data,
        Self::Slot,
        Self::Function,
        Self::Trap,
        Self::Cut,
        Self::Constant,
    ];
}

/// Adds to the plan of `linked` what is not dead, some times over: how often that was done to
/// something the workload needs, and how often it was seen. What it needs is found without the
/// sweep, by spoiling the linked file itself.
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
    let differs = |module: &[u8], traps| -> Result<bool, String> {
        let after = runner::run(&runner::compile(engine, module)?, &calls)?;
        Ok(compare::run(&calls, &before, &after, traps).is_err())
    };
    let (mut done, mut noticed) = (0, 0);
    for _ in 0..ATTEMPTS {
        let mut spoilt = None;
        let spoil = |sweep: &mut Sweep| {
            spoilt = parts.spoil(sweep, mistake, &mut random);
            spoilt.is_some()
        };
        let Some(module) = variants::wrong(linked, spoil)? else {
            continue;
        };
        let damaged = parts.damaged(linked, &spoilt.expect("it was done"));
        let needed = damaged
            .iter()
            .map(|damaged| differs(damaged, Traps::AnyKind));
        let needed = needed.collect::<Result<Vec<_>, _>>()?;
        if !needed.is_empty() && needed.iter().all(|needed| *needed) {
            done += 1;
            noticed += u32::from(differs(&module, Traps::SameKind)?);
        }
    }
    Ok((done, noticed))
}

/// What was taken for dead.
#[derive(Debug, Clone)]
enum Spoilt {
    Data(Range<usize>),
    Slot(u32),
    Function(u32),
    Constant(usize),
}

/// Where the parts of a linked file are, in bytes.
#[derive(Debug, Default)]
pub struct Parts {
    /// How many functions are imported.
    pub imported: u32,
    /// The bodies of the functions, without their sizes.
    pub bodies: Vec<Range<usize>>,
    /// Where the code of each begins, behind its locals.
    pub codes: Vec<usize>,
    /// The data symbols.
    pub data: Vec<Range<usize>>,
    /// The table slots that are filled, by number, and where the function of each stands.
    pub slots: Vec<(u32, Range<usize>)>,
    /// The type of each function, imported ones among them: the first of those that are alike.
    pub types: Vec<u32>,
    /// `i32.const` operators as long as the linker makes those of addresses.
    pub constants: Vec<usize>,
}

impl Parts {
    /// Reads a valid module.
    pub fn of(module: &[u8]) -> Self {
        let (mut parts, mut segments) = (Self::default(), Vec::new());
        let mut signatures: Vec<String> = Vec::new();
        for payload in Parser::new(0).parse_all(module) {
            match payload.unwrap() {
                Payload::TypeSection(section) => {
                    let types = section.into_iter_err_on_gc_types();
                    signatures.extend(types.map(|ty| format!("{:?}", ty.unwrap())));
                }
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        if let TypeRef::Func(ty) = import.unwrap().ty {
                            parts.imported += 1;
                            parts.types.push(ty);
                        }
                    }
                }
                Payload::FunctionSection(section) => {
                    parts.types.extend(section.into_iter().map(Result::unwrap));
                }
                Payload::ElementSection(section) => {
                    for element in section {
                        parts.slots.extend(slots(&element.unwrap()));
                    }
                }
                Payload::CodeSectionEntry(body) => {
                    let range = body.range();
                    parts.bodies.push(range.start as usize..range.end as usize);
                    let operators = body.get_operators_reader().unwrap();
                    parts.codes.push(operators.original_position() as usize);
                    parts.constants.extend(addresses(&body));
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
        for ty in &mut parts.types {
            let own = &signatures[*ty as usize];
            *ty = signatures.iter().position(|other| other == own).unwrap() as u32;
        }
        parts
    }

    /// Adds something that is alive to what is dead, if there is anything.
    fn spoil(&self, sweep: &mut Sweep, mistake: Mistake, random: &mut Random) -> Option<Spoilt> {
        let mut pick =
            |alive: Vec<Spoilt>| (!alive.is_empty()).then(|| random.pick(&alive).clone());
        let is_alive = |f: &u32| !sweep.functions.contains(f) && !sweep.traps.contains(f);
        let defined = self.imported..self.imported + self.bodies.len() as u32;
        let functions = || defined.clone().filter(is_alive);
        let spoilt = match mistake {
            Mistake::Data => {
                let is_alive = |range: &&Range<usize>| {
                    let apart =
                        |dead: &Range<usize>| dead.end <= range.start || range.end <= dead.start;
                    !range.is_empty() && sweep.data.iter().all(apart)
                };
                pick(
                    self.data
                        .iter()
                        .filter(is_alive)
                        .cloned()
                        .map(Spoilt::Data)
                        .collect(),
                )
            }
            Mistake::Slot => {
                let numbers = self.slots.iter().map(|(number, _)| *number);
                let alive = numbers.filter(|number| !sweep.slots.contains(number));
                pick(alive.map(Spoilt::Slot).collect())
            }
            Mistake::Function | Mistake::Trap => pick(functions().map(Spoilt::Function).collect()),
            Mistake::Cut => {
                let whole = |f: &u32| {
                    let body = self.body(*f);
                    sweep
                        .cuts
                        .iter()
                        .all(|cut| cut.end <= body.start || body.end <= cut.start)
                };
                pick(functions().filter(whole).map(Spoilt::Function).collect())
            }
            Mistake::Constant => {
                let is_alive = |at: &&usize| {
                    let cut = |cut: &Cut| (cut.start..cut.end).contains(*at);
                    let dead = |f: &u32| self.body(*f).contains(*at);
                    let mut unused = sweep.functions.iter().chain(&sweep.traps);
                    !sweep.constants.contains(at)
                        && !sweep.cuts.iter().any(cut)
                        && !unused.any(dead)
                };
                let alive = self.constants.iter().filter(is_alive);
                pick(alive.copied().map(Spoilt::Constant).collect())
            }
        };
        match (mistake, spoilt.clone()?) {
            (Mistake::Trap, Spoilt::Function(function)) => insert(&mut sweep.traps, function),
            (Mistake::Cut, Spoilt::Function(function)) => {
                let body = self.body(function);
                let (start, end) = (
                    self.codes[(function - self.imported) as usize],
                    body.end - 1,
                );
                sweep.cuts.push(Cut { start, end });
                sweep.cuts.sort_by_key(|cut| cut.start);
            }
            (_, Spoilt::Function(function)) => insert(&mut sweep.functions, function),
            (_, Spoilt::Slot(slot)) => insert(&mut sweep.slots, slot),
            (_, Spoilt::Constant(at)) => insert(&mut sweep.constants, at),
            (_, Spoilt::Data(range)) => {
                sweep.data.push(range);
                sweep.data.sort_by_key(|range| range.start);
            }
        }
        spoilt
    }

    fn body(&self, function: u32) -> Range<usize> {
        self.bodies[(function - self.imported) as usize].clone()
    }

    /// The file with the same spoilt in place, in every way that shows whether it is needed; none
    /// where there is no room.
    fn damaged(&self, linked: &[u8], spoilt: &Spoilt) -> Vec<Vec<u8>> {
        let with = |damage: &dyn Fn(&mut [u8]) -> bool| {
            let mut module = linked.to_vec();
            damage(&mut module).then_some(module)
        };
        let fill = |range: Range<usize>, bytes: &[u8]| {
            let mut module = linked.to_vec();
            module[range].copy_from_slice(bytes);
            vec![module]
        };
        match spoilt {
            Spoilt::Data(range) => fill(range.clone(), &vec![0xAA; range.len()]),
            Spoilt::Constant(at) => fill(at + 1..at + 6, &[0xAA, 0xD5, 0xAA, 0xD5, 0x7A]),
            Spoilt::Function(function) => {
                let body = self.body(*function);
                with(&|module| trap(module, &body)).into_iter().collect()
            }
            // Functions of two other types there, each as long: whoever calls the right one traps
            // with both. A caller that expects another type trapped before, and goes on with one.
            Spoilt::Slot(slot) => {
                let slots = self.slots.iter();
                let (_, place) = slots.clone().find(|(number, _)| number == slot).unwrap();
                let mut own = BinaryReader::new(&linked[place.clone()], 0);
                let mut types = vec![self.types[own.read_var_u32().unwrap() as usize]];
                let mut modules = Vec::new();
                for (index, ty) in self.types.iter().enumerate() {
                    let bytes = leb(index);
                    if !types.contains(ty) && bytes.len() == place.len() && modules.len() < 2 {
                        types.push(*ty);
                        modules.extend(fill(place.clone(), &bytes));
                    }
                }
                if modules.len() < 2 {
                    modules.clear();
                }
                modules
            }
        }
    }
}

/// A number as the format has it.
fn leb(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let more = if number >= 128 { 0x80 } else { 0 };
        bytes.push((number & 0x7F) as u8 | more);
        number >>= 7;
        if more == 0 {
            return bytes;
        }
    }
}

fn insert<T: Ord>(list: &mut Vec<T>, item: T) {
    list.push(item);
    list.sort_unstable();
}

/// The slots that a segment of constant place fills, and where each stands.
fn slots(element: &Element<'_>) -> Vec<(u32, Range<usize>)> {
    let ElementKind::Active { offset_expr, .. } = &element.kind else {
        return Vec::new();
    };
    let ElementItems::Functions(functions) = &element.items else {
        return Vec::new();
    };
    let Ok(Operator::I32Const { value }) = offset_expr.get_operators_reader().read() else {
        return Vec::new();
    };
    let starts: Vec<_> = functions.clone().into_iter_with_offsets().collect();
    let starts: Vec<_> = starts
        .into_iter()
        .map(|entry| entry.unwrap().0 as usize)
        .collect();
    let ends = starts
        .iter()
        .skip(1)
        .copied()
        .chain([element.range.end as usize]);
    let places = starts.iter().zip(ends).map(|(start, end)| *start..end);
    (value as u32..).zip(places).collect()
}

/// The operators of a body that give a number of five bytes, as the linker writes addresses.
fn addresses(body: &wasmparser::FunctionBody<'_>) -> Vec<usize> {
    let mut found = Vec::new();
    let mut reader = body.get_operators_reader().unwrap();
    while !reader.eof() {
        let start = reader.original_position() as usize;
        let operator = reader.read().unwrap();
        let length = reader.original_position() as usize - start;
        if matches!(operator, Operator::I32Const { .. }) && length == 6 {
            found.push(start);
        }
    }
    found
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
