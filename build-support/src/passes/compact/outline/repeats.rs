//! The search for code that stands in several places: from every place on, operator by operator,
//! as long as another place has the same. Two locals are the same where the same one was named as
//! many operators before, in each (parameterised matching, Baker 1993).

use super::choice::{self, Candidate};
use super::piece::{self, Piece};
use super::places::{Kind, Places};
use crate::passes::compact::hash;
use wasmparser::ValType;

/// Operators of a piece, at least.
const SHORTEST: u32 = 2;
/// Operators of a piece, at most.
const MOST_OPERATORS: u32 = 90;
/// Bytes of a piece.
const BYTES: std::ops::RangeInclusive<u32> = 6..=400;
/// Operands of a piece that lie on the stack before it begins, at most.
const MOST_OPERANDS: u32 = super::flow::OPERANDS as u32;

/// What begins at a place, as far as it has been followed.
#[derive(Debug, Clone, Copy)]
struct Open {
    start: u32,
    hash: u64,
    /// The blocks it is in.
    depth: u32,
    /// The operands that it leaves alone.
    base: u32,
}

/// The places that are new since a search, in all before each place.
pub struct Fresh(Vec<u32>);

impl Fresh {
    /// By whether each place is, in order.
    pub fn new(places: impl Iterator<Item = bool>) -> Self {
        let mut before = vec![0];
        let mut count = 0;
        for is_fresh in places {
            count += u32::from(is_fresh);
            before.push(count);
        }
        Self(before)
    }

    /// Whether there is one among so many from `start` on.
    fn is_in(&self, start: u32, length: u32) -> bool {
        let last = self.0.len() - 1;
        let end = ((start + length) as usize).min(last);
        self.0[end] > self.0[start as usize]
    }
}

/// The pieces by which something can be saved, of those that begin where `may_begin`; with `fresh`
/// those alone that have such a place.
pub fn run(
    places: &Places,
    calls: &choice::Calls,
    fresh: Option<&Fresh>,
    may_begin: impl Fn(u32) -> bool,
) -> Vec<Candidate> {
    let is_fresh = |start: u32, length: u32| fresh.is_none_or(|fresh| fresh.is_in(start, length));
    let mut open: Vec<Open> = (0..places.all.len() as u32)
        .filter(|start| {
            begins(places, *start) && may_begin(*start) && is_fresh(*start, MOST_OPERATORS)
        })
        .map(|start| Open {
            start,
            hash: 0,
            depth: 0,
            base: places.all[start as usize].before.height,
        })
        .collect();
    let mut found = Vec::new();
    for length in 1..=MOST_OPERATORS {
        open.retain_mut(|open| open.extend(places, length));
        open.sort_unstable_by_key(|open| (open.hash, open.start));
        let mut repeated = Vec::with_capacity(open.len());
        for group in open.chunk_by(|one, other| one.hash == other.hash) {
            if group.len() > 1 {
                repeated.extend_from_slice(group);
                if group.iter().any(|open| is_fresh(open.start, length)) {
                    consider(places, calls, group, length, &mut found);
                }
            }
        }
        open = repeated;
        if open.is_empty() {
            break;
        }
    }
    found
}

fn begins(places: &Places, start: u32) -> bool {
    let place = &places.all[start as usize];
    let kind = matches!(
        place.kind,
        Kind::Get | Kind::Set | Kind::Constant | Kind::Open | Kind::Plain
    );
    kind && place.before.reachable
}

impl Open {
    /// Takes one operator more; says whether it can.
    fn extend(&mut self, places: &Places, length: u32) -> bool {
        let at = self.start + length - 1;
        let place = &places.all[at as usize];
        if place.before.reachable && place.before.low < self.base {
            let first = &places.all[self.start as usize].before;
            let operands = first.height - place.before.low;
            let known = first.operands.iter().take(operands as usize);
            if self.depth > 0 || operands > MOST_OPERANDS || !known.into_iter().all(Option::is_some)
            {
                return false;
            }
            self.base = place.before.low;
        }
        match place.kind {
            Kind::Open => self.depth += 1,
            Kind::End if self.depth > 0 => self.depth -= 1,
            // In the piece, but not out of it.
            Kind::Else | Kind::Trap if self.depth > 0 => {}
            Kind::Branch(depth) if depth < self.depth => {}
            Kind::Get | Kind::Set | Kind::Constant | Kind::Plain => {}
            Kind::End | Kind::Else | Kind::Trap | Kind::Branch(_) | Kind::Leave => return false,
        }
        let token = match place.kind {
            Kind::Get | Kind::Set if place.previous >= self.start && place.previous < at => {
                hash::mix(place.shape, u64::from(at - place.previous))
            }
            Kind::Get | Kind::Set => {
                let ty = places.local_type(places.function(at), place.local);
                hash::mix(place.shape, u64::MAX - number_of(ty))
            }
            _ => place.shape,
        };
        self.hash = hash::mix(self.hash, token);
        places.bytes(self.start, at + 1) <= *BYTES.end()
    }

    /// What it is a piece of, if it can end before `to`: the sites that are the same have the same.
    fn piece(&self, places: &Places, to: u32) -> Option<Piece> {
        let behind = &places.all[to as usize].before;
        let left = behind.height.checked_sub(self.base)?;
        // A constant by itself is better off as a global.
        if to - self.start < SHORTEST
            || self.depth > 0
            || left > 1
            || !behind.reachable
            || places.bytes(self.start, to) < *BYTES.start()
        {
            return None;
        }
        let first = &places.all[self.start as usize].before;
        let taken = (first.height - self.base) as usize;
        let operands: Option<Vec<ValType>> =
            first.operands[..taken].iter().rev().copied().collect();
        let value = match left {
            0 => None,
            _ => Some(behind.operands[0]?),
        };
        Some(Piece {
            sites: vec![self.start],
            locals: Vec::new(),
            length: to - self.start,
            roles: piece::roles(places, places.function(self.start), self.start, to)?,
            operands: operands?,
            value,
            constants: Vec::new(),
        })
    }
}

/// What a type is called in a hash.
fn number_of(ty: Option<ValType>) -> u64 {
    match ty {
        Some(ValType::I32) => 1,
        Some(ValType::I64) => 2,
        Some(ValType::F32) => 3,
        Some(ValType::F64) => 4,
        Some(ValType::V128) => 5,
        Some(ValType::FUNCREF) => 6,
        Some(ValType::EXTERNREF) => 7,
        // No piece with another one is taken.
        Some(ValType::Ref(_)) | None => 8,
    }
}

/// Adds what the starts of a group have in common, where it saves something: with its constants
/// passed on, and for those whose constants are the same, without.
fn consider(
    places: &Places,
    calls: &choice::Calls,
    group: &[Open],
    length: u32,
    found: &mut Vec<Candidate>,
) {
    // No function is shorter than an operator a byte.
    let bytes = u64::from(places.bytes(group[0].start, group[0].start + length));
    if group.len() as u64 * bytes.saturating_sub(2) < u64::from(length) + 7 {
        return;
    }
    let mut pieces: Vec<Piece> = group
        .iter()
        .filter_map(|open| open.piece(places, open.start + length))
        .collect();
    pieces.sort_by(|one, other| {
        let by_form = one.roles.cmp(&other.roles);
        by_form
            .then_with(|| one.operands.cmp(&other.operands))
            .then_with(|| one.value.cmp(&other.value))
            .then_with(|| one.sites.cmp(&other.sites))
    });
    let alike = |one: &Piece, other: &Piece| {
        (&one.roles, &one.operands, one.value) == (&other.roles, &other.operands, other.value)
    };
    for alike in pieces.chunk_by(alike) {
        let mut sites: Vec<u32> = alike.iter().map(|piece| piece.sites[0]).collect();
        if sites.len() < 2 {
            continue;
        }
        let mut add = |sites: &[u32]| {
            let piece = Piece {
                sites: sites.to_vec(),
                ..alike[0].clone()
            };
            found.extend(Candidate::new(piece, places, calls));
        };
        add(&sites);
        let constant =
            |offset: &u32| places.all[(sites[0] + offset) as usize].kind == Kind::Constant;
        let offsets: Vec<u32> = (0..length).filter(constant).collect();
        let value = |site: u32, offset: u32| places.all[(site + offset) as usize].hash;
        let all = |site: u32| {
            let values = offsets.iter().map(|offset| value(site, *offset));
            values.fold(0, hash::mix)
        };
        // Those that are the same throughout, and those that are at one place.
        same(&mut sites, all, &mut add);
        if offsets.len() > 1 {
            for offset in &offsets {
                same(&mut sites, |site| value(site, *offset), &mut add);
            }
        }
    }
}

/// Adds the sites with one value together, where they do not all have it.
fn same(sites: &mut [u32], value: impl Fn(u32) -> u64, add: &mut impl FnMut(&[u32])) {
    sites.sort_by_cached_key(|site| (value(*site), *site));
    let groups = sites.chunk_by(|one, other| value(*one) == value(*other));
    for group in groups {
        if group.len() > 1 && group.len() < sites.len() {
            add(group);
        }
    }
}
