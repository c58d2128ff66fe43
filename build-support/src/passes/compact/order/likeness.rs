//! How much functions share, and an order in which each is like those before it.

use crate::passes::compact::hash;
use std::collections::BTreeMap;

/// Bytes of the pieces that are looked for in other functions.
const PIECE: usize = 6;
/// A piece that more functions have says little.
const COMMON: usize = 200;
/// How many others a function is compared with, those that share most: there may be as many as
/// functions.
const COMPARED: usize = 200;
/// What the last functions count, the last one first.
const WEIGHTS: [u64; 3] = [100, 70, 49];

/// How many pieces each function shares with others.
pub struct Likeness {
    shared: Vec<Vec<(u32, u32)>>,
    bytes: Vec<usize>,
}

impl Likeness {
    /// That of functions by their bodies.
    pub fn new(bodies: &[&[u8]]) -> Self {
        let mut pieces = Vec::new();
        for (function, body) in (0u32..).zip(bodies) {
            pieces.extend(body.windows(PIECE).map(|piece| (hash::of(piece), function)));
        }
        pieces.sort_unstable();
        pieces.dedup();
        let mut of_function = vec![Vec::new(); bodies.len()];
        let groups: Vec<&[(u64, u32)]> = pieces
            .chunk_by(|one, other| one.0 == other.0)
            .filter(|group| (2..=COMMON).contains(&group.len()))
            .collect();
        for (number, group) in groups.iter().enumerate() {
            for (_, function) in *group {
                of_function[*function as usize].push(number);
            }
        }
        let mut counts = vec![0u32; bodies.len()];
        let shared = of_function.iter().map(|numbers| {
            let mut found = Vec::new();
            for (_, other) in numbers.iter().flat_map(|number| groups[*number]) {
                if counts[*other as usize] == 0 {
                    found.push(*other);
                }
                counts[*other as usize] += 1;
            }
            let mut shared: Vec<_> = found
                .into_iter()
                .map(|other| (other, std::mem::take(&mut counts[other as usize])))
                .collect();
            shared.sort_unstable_by_key(|(other, count)| (std::cmp::Reverse(*count), *other));
            shared.truncate(COMPARED);
            shared
        });
        Self {
            shared: shared.collect(),
            bytes: bodies.iter().map(|body| body.len().max(1)).collect(),
        }
    }

    /// An order that begins with `start`, a function of the first class; those of a class stay
    /// together.
    pub fn order(&self, start: u32, classes: &[Vec<u32>]) -> Vec<u32> {
        let mut order: Vec<u32> = Vec::new();
        let mut is_left = vec![false; self.bytes.len()];
        for class in classes {
            for function in class {
                is_left[*function as usize] = true;
            }
            let mut in_turn = class.iter().copied().filter(|function| *function != start);
            let mut placed = 0;
            while placed < class.len() {
                let next = match order.as_slice() {
                    [] => Some(start),
                    before => self.next(before, &is_left),
                };
                let next = next.or_else(|| in_turn.find(|next| is_left[*next as usize]));
                let Some(next) = next else { break };
                is_left[next as usize] = false;
                order.push(next);
                placed += 1;
            }
        }
        order
    }

    /// What shares most with the last functions, for its size.
    fn next(&self, before: &[u32], is_left: &[bool]) -> Option<u32> {
        let mut scores = BTreeMap::<u32, u64>::new();
        for (last, weight) in before.iter().rev().zip(WEIGHTS) {
            for (other, shared) in &self.shared[*last as usize] {
                if is_left[*other as usize] {
                    *scores.entry(*other).or_default() += weight * u64::from(*shared);
                }
            }
        }
        // The score over the root of the size, compared without a root.
        let value = |(function, score): (u32, u64)| {
            let bytes = self.bytes[function as usize] as u128;
            (u128::from(score) * u128::from(score), bytes)
        };
        scores
            .into_iter()
            .reduce(|best, other| {
                let ((best_score, best_bytes), (score, bytes)) = (value(best), value(other));
                match score * best_bytes > best_score * bytes {
                    true => other,
                    false => best,
                }
            })
            .map(|(function, _)| function)
    }
}
