//! What number a local mostly has between its neighbours: counts of the whole module, by what
//! stands before and behind it, near and nearer.

use crate::passes::compact::code;
use crate::passes::compact::hash::{self, ByHash};
use std::collections::HashMap;
use wasmparser::Operator;

/// The numbers of one byte. A local never gets a longer or a shorter one.
pub const SHORT_NUMBERS: u32 = 128;

/// An operator, as far as the model goes.
#[derive(Debug, Clone, Copy)]
pub enum Token {
    /// One that names a local.
    Local {
        /// What it does with it.
        operator: u8,
        /// The place of the local among those that the function uses.
        place: u32,
    },
    /// Another one, by its hash.
    Other(u64),
}

impl Token {
    /// That of an operator; `place` gives the place of a local.
    pub fn new(operator: &Operator<'_>, place: impl Fn(u32) -> u32) -> Self {
        let mut bytes = Vec::new();
        code::encode(operator, &mut bytes);
        match code::local(operator) {
            Some(local) => Token::Local {
                operator: bytes[0],
                place: place(local),
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
    /// Counts the uses of locals in a function, whose locals have these `numbers`, by place.
    pub fn add(&mut self, tokens: &[Token], uses: &[u32], numbers: &[u32]) {
        for at in uses {
            let (around, local) = neighbourhoods(tokens, *at, numbers);
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
    pub fn take(&mut self, tokens: &[Token], uses: &[u32], numbers: &[u32]) {
        for at in uses {
            let (around, local) = neighbourhoods(tokens, *at, numbers);
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

    /// Adds what is expected where `tokens` has a local.
    pub fn expect(&self, expected: &mut Expected, tokens: &[Token], at: u32, numbers: &[u32]) {
        let (around, _) = neighbourhoods(tokens, at, numbers);
        for (hash, weight) in around.into_iter().zip(WEIGHTS) {
            if let Some(seen) = self.seen.get(&hash) {
                // Of each among the total, with two fifths for what is still to come.
                let share = 5 * weight * ONE / (5 * seen.total + 2);
                for (number, count) in &seen.numbers {
                    expected.add(*number, share * count);
                }
            }
        }
    }
}

/// How likely numbers of one byte are at a place.
pub struct Expected {
    shares: [u64; SHORT_NUMBERS as usize],
    /// Those that have a share.
    numbers: Vec<u32>,
}

impl Default for Expected {
    fn default() -> Self {
        Self {
            shares: [0; SHORT_NUMBERS as usize],
            numbers: Vec::new(),
        }
    }
}

impl Expected {
    fn add(&mut self, number: u32, share: u64) {
        if let Some(known) = self.shares.get_mut(number as usize)
            && share > 0
        {
            if *known == 0 {
                self.numbers.push(number);
            }
            *known += share;
        }
    }

    /// Takes out the numbers that are expected, each with the bits that it saves beside one that is
    /// not, in parts of 4,096.
    pub fn drain(&mut self) -> impl Iterator<Item = (u32, u64)> + '_ {
        let Self { shares, numbers } = self;
        numbers.drain(..).map(|number| {
            let share = std::mem::take(&mut shares[number as usize]);
            (number, logarithm(UNSEEN + share) - logarithm(UNSEEN))
        })
    }
}

/// Bits behind the point of a logarithm.
const FRACTION: u32 = 12;
/// Bits behind the point of a number between one and two whose logarithm is known.
const KNOWN: u32 = 13;
/// The logarithms of those.
static LOGARITHMS: [u16; 1 << KNOWN] = logarithms();

/// The logarithm to base two of a number that is not zero, in fixed point.
fn logarithm(number: u64) -> u64 {
    let whole = number.ilog2();
    let behind_point = number << (63 - whole) << 1 >> (64 - KNOWN);
    u64::from(whole) << FRACTION | u64::from(LOGARITHMS[behind_point as usize])
}

const fn logarithms() -> [u16; 1 << KNOWN] {
    let mut all = [0; 1 << KNOWN];
    let mut number = 0;
    while number < all.len() {
        // Between one and two, with 31 bits behind the point.
        let mut rest = (number as u64) << (31 - KNOWN) | 1 << 31;
        let mut bit = 0;
        while bit < FRACTION {
            rest = (rest * rest) >> 31;
            let carry = rest >> 32;
            all[number] = all[number] << 1 | carry as u16;
            rest >>= carry;
            bit += 1;
        }
        number += 1;
    }
    all
}

/// The hashes of what is around a local, and its number.
fn neighbourhoods(tokens: &[Token], at: u32, numbers: &[u32]) -> ([u64; 5], u32) {
    let at = at as usize;
    let token = |at: Option<usize>| match at.and_then(|at| tokens.get(at)) {
        Some(Token::Local { operator, place }) => {
            u64::from(*operator) << 32 | u64::from(numbers[*place as usize])
        }
        Some(Token::Other(hash)) => *hash,
        None => 0,
    };
    let (operator, local) = match tokens[at] {
        Token::Local { operator, place } => (u64::from(operator), numbers[place as usize]),
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
