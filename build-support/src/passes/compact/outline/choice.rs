//! Which pieces become functions: the one that saves most first, of what is left of each.

use super::piece::{self, Piece};
use super::places::{Kind, Places};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashSet};
use wasmparser::ValType;

/// What must be saved by a function.
const WORTH: i64 = 3;
/// What a function can take at most, if its constants are passed on.
const MOST_PARAMETERS: usize = 7;
/// `local.get` or `local.set` with a number of one byte.
const LOCAL: i64 = 2;
/// `call` with a number of one byte.
const CALL: i64 = 2;
/// A function's place in the function section, its length, how many runs of locals, its `end`.
const FUNCTION: i64 = 4;

/// What calls and types cost.
pub struct Calls {
    /// How often the least used function with a number of one byte is: what takes its number makes
    /// as many longer.
    pub displaced: i64,
    /// The types that functions have.
    pub types: HashSet<(Vec<ValType>, Vec<ValType>)>,
}

/// A piece, and what it would save by itself.
pub struct Candidate {
    piece: Piece,
    saved: i64,
}

impl Candidate {
    /// A piece, if it is worth it.
    pub fn new(piece: Piece, places: &Places, calls: &Calls) -> Option<Self> {
        let (piece, saved) = worth(&piece, apart(&piece), places, calls)?;
        Some(Self { piece, saved })
    }
}

/// Takes the best, as long as one is worth it. No two sites overlap.
pub fn run(candidates: Vec<Candidate>, places: &Places, mut calls: Calls) -> Vec<Piece> {
    let best = candidates.iter().enumerate();
    let mut best: BinaryHeap<_> = best
        .map(|(number, candidate)| (candidate.saved, Reverse(number)))
        .collect();
    let mut taken = vec![false; places.all.len()];
    let mut chosen = Vec::new();
    while let Some((saved, Reverse(number))) = best.pop() {
        let piece = &candidates[number].piece;
        let range = |site: u32| site as usize..(site + piece.length) as usize;
        let mut free = apart(piece);
        free.retain(|site| !taken[range(*site)].contains(&true));
        let Some((piece, left)) = worth(piece, free, places, &calls) else {
            continue;
        };
        if left < saved {
            best.push((left, Reverse(number)));
            continue;
        }
        for site in &piece.sites {
            taken[range(*site)].fill(true);
        }
        calls
            .types
            .insert((piece.parameter_types(places), piece.result_types()));
        chosen.push(Piece {
            locals: piece
                .sites
                .iter()
                .map(|site| piece::locals(&places.all, *site, site + piece.length))
                .collect(),
            ..piece
        });
    }
    chosen
}

/// The sites that do not overlap, from the first on.
fn apart(piece: &Piece) -> Vec<u32> {
    let mut end = 0;
    let sites = piece.sites.iter().copied();
    sites
        .filter(|site| {
            let is_apart = *site >= end;
            if is_apart {
                end = site + piece.length;
            }
            is_apart
        })
        .collect()
}

/// A piece at these sites alone, and the bytes it saves, if those are enough.
fn worth(piece: &Piece, sites: Vec<u32>, places: &Places, calls: &Calls) -> Option<(Piece, i64)> {
    if sites.len() < 2 {
        return None;
    }
    let constants = differing(piece, &sites, places);
    let piece = Piece {
        sites,
        constants,
        ..piece.clone()
    };
    let parameters = piece.parameter_types(places);
    if parameters.len() > MOST_PARAMETERS && !piece.constants.is_empty() {
        return None;
    }
    let results = piece.result_types();
    let number = |place: u32| {
        let bytes = places.bytes(place, place + 1);
        i64::from(bytes)
    };
    let arguments = LOCAL * piece.roles.parameters.len() as i64;
    let stores = LOCAL * piece.roles.results.len() as i64;
    let saved: i64 = piece
        .sites
        .iter()
        .map(|site| {
            let passed = piece
                .constants
                .iter()
                .map(|column| number(site + column[0]));
            let there = i64::from(places.bytes(*site, site + piece.length));
            there - arguments - CALL - stores - passed.sum::<i64>()
        })
        .sum();
    let first = piece.sites[0];
    let mut function = i64::from(places.bytes(first, first + piece.length)) + FUNCTION + stores;
    function += LOCAL * piece.operands.len() as i64;
    let own = piece.roles.types.len() > piece.roles.parameters.len();
    function += LOCAL * i64::from(own);
    for place in piece.constants.iter().flatten() {
        function += LOCAL - number(first + place);
    }
    // A number of two bytes, or one that another function had.
    function += calls.displaced.min(piece.sites.len() as i64);
    let ty = (parameters, results);
    if !calls.types.contains(&ty) {
        function += 3 + (ty.0.len() + ty.1.len()) as i64;
    }
    let saved = saved - function;
    (saved >= WORTH).then_some((piece, saved))
}

/// The constants that are not the same at all sites, those together that are the same at each.
fn differing(piece: &Piece, sites: &[u32], places: &Places) -> Vec<Vec<u32>> {
    let first = piece.sites[0];
    let is_constant = |offset: &u32| places.all[(first + offset) as usize].kind == Kind::Constant;
    let mut columns = BTreeMap::<Vec<u64>, Vec<u32>>::new();
    for offset in (0..piece.length).filter(is_constant) {
        let column: Vec<u64> = sites
            .iter()
            .map(|site| places.all[(site + offset) as usize].hash)
            .collect();
        if column.iter().any(|value| *value != column[0]) {
            columns.entry(column).or_default().push(offset);
        }
    }
    let mut columns: Vec<_> = columns.into_values().collect();
    columns.sort();
    columns
}
