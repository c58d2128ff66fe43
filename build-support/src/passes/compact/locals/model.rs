//! What number a local mostly has between its neighbours: counts of the whole module, by what
//! stands before and behind it, near and nearer.

use crate::passes::compact::code;
use crate::passes::compact::hash::{self, ByHash};
use std::collections::HashMap;
use wasmparser::Operator;

/// An operator, as far as the model goes.
#[derive(Debug, Clone, Copy)]
pub enum Token {
    /// One that names a local.
    Local {
        /// What it does with it.
        operator: u8,
        /// The local.
        local: u32,
    },
    /// Another one, by its hash.
    Other(u64),
}

impl Token {
    /// That of an operator.
    pub fn new(operator: &Operator<'_>) -> Self {
        let mut bytes = Vec::new();
        code::encode(operator, &mut bytes);
        match code::local(operator) {
            Some(local) => Token::Local {
                operator: bytes[0],
                local,
            },
            None => Token::Other(hash::of(&bytes)),
        }
    }
}

/// How much each kind of neighbourhood says.
const WEIGHTS: [u64; 5] = [1, 2, 3, 3, 4];
/// Parts of one in fixed point.
const ONE: u64 = 1 << 24;
/// What is believed of a number never seen: 1 in 128.
const UNSEEN: u64 = ONE / 128;

/// The counts.
#[derive(Default)]
pub struct Model {
    seen: HashMap<u64, Seen, ByHash>,
}

#[derive(Default)]
struct Seen {
    total: u64,
    /// How often each number was seen.
    numbers: Vec<(u32, u64)>,
}

impl Model {
    /// Counts the uses of locals in a function.
    pub fn add(&mut self, tokens: &[Token], uses: &[u32], number: impl Fn(u32) -> u32) {
        for at in uses {
            let (around, local) = neighbourhoods(tokens, *at, &number);
            for hash in around {
                let seen = self.seen.entry(hash).or_default();
                seen.total += 1;
                match seen.numbers.iter_mut().find(|(known, _)| *known == local) {
                    Some((_, count)) => *count += 1,
                    None => seen.numbers.push((local, 1)),
                }
            }
        }
    }

    /// Takes back what [`Model::add`] counted.
    pub fn take(&mut self, tokens: &[Token], uses: &[u32], number: impl Fn(u32) -> u32) {
        for at in uses {
            let (around, local) = neighbourhoods(tokens, *at, &number);
            for hash in around {
                if let Some(seen) = self.seen.get_mut(&hash) {
                    seen.total -= 1;
                    if let Some((_, count)) =
                        seen.numbers.iter_mut().find(|(known, _)| *known == local)
                    {
                        *count -= 1;
                    }
                }
            }
        }
    }

    /// What is expected where `tokens` has a local.
    pub fn expected(&self, tokens: &[Token], at: u32, number: impl Fn(u32) -> u32) -> Expected {
        let (around, _) = neighbourhoods(tokens, at, &number);
        let mut shares = Vec::new();
        for (hash, weight) in around.into_iter().zip(WEIGHTS) {
            if let Some(seen) = self.seen.get(&hash) {
                // Of `count` among `total`, with two fifths for what is still to come.
                let share = |count: u64| 5 * weight * count * ONE / (5 * seen.total + 2);
                let counted = seen.numbers.iter().filter(|(_, count)| *count > 0);
                shares.extend(counted.map(|(number, count)| (*number, share(*count))));
            }
        }
        Expected { shares }
    }
}

/// How likely each number is at a place.
pub struct Expected {
    shares: Vec<(u32, u64)>,
}

impl Expected {
    /// How many bits a number takes there, in parts of 4,096, but for a constant of the place.
    pub fn cost(&self, number: u32) -> u64 {
        let shares = self.shares.iter().filter(|(known, _)| *known == number);
        let sum: u64 = UNSEEN + shares.map(|(_, share)| share).sum::<u64>();
        (40 << FRACTION) - logarithm(sum)
    }
}

/// Bits behind the point of a logarithm.
const FRACTION: u32 = 12;

/// The logarithm to base two of a number that is not zero and below 2⁴⁰, in fixed point.
fn logarithm(number: u64) -> u64 {
    let whole = number.ilog2();
    // Between one and two, with 31 bits behind the point.
    let mut rest = number << (63 - whole) >> 32;
    let mut result = u64::from(whole);
    for _ in 0..FRACTION {
        rest = (rest * rest) >> 31;
        let carry = rest >> 32;
        result = result << 1 | carry;
        rest >>= carry;
    }
    result
}

/// The hashes of what is around a local, and its number.
fn neighbourhoods(tokens: &[Token], at: u32, number: &impl Fn(u32) -> u32) -> ([u64; 5], u32) {
    let at = at as usize;
    let token = |at: Option<usize>| match at.and_then(|at| tokens.get(at)) {
        Some(Token::Local { operator, local }) => {
            u64::from(*operator) << 32 | u64::from(number(*local))
        }
        Some(Token::Other(hash)) => *hash,
        None => 0,
    };
    let (operator, local) = match tokens[at] {
        Token::Local { operator, local } => (u64::from(operator), number(local)),
        Token::Other(hash) => (hash, 0),
    };
    let before = token(at.checked_sub(1));
    let sooner = token(at.checked_sub(2));
    let behind = token(Some(at + 1));
    let around = [
        hash::mix(0, operator),
        hash::mix(hash::mix(1, operator), before),
        hash::mix(hash::mix(hash::mix(2, operator), sooner), before),
        hash::mix(hash::mix(3, operator), behind),
        hash::mix(hash::mix(hash::mix(4, operator), before), behind),
    ];
    (around, local)
}

#[cfg(test)]
mod tests {
    use super::{FRACTION, logarithm};

    /// Protects the order of costs: the fixed point is right to its last bit but one.
    #[test]
    fn logarithms_are_right() {
        for number in [
            1,
            2,
            3,
            5,
            127,
            128,
            1_000,
            131_072,
            0xff_ffff,
            (1 << 39) + 12_345,
        ] {
            let exact = (number as f64).log2() * f64::from(1 << FRACTION);
            let found = logarithm(number) as f64;
            assert!(
                found <= exact + 0.001 && exact - found < 2.0,
                "{number}: {found} {exact}"
            );
        }
    }
}
