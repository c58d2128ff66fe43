//! Expressions and statements of generated Rust programs, over the numbers `a` and `b`.

use crate::generated::random::Random;

/// Words that share their ends and beginnings.
pub const WORDS: [&str; 12] = [
    "alpha",
    "alphabet",
    "beta",
    "bet",
    "index",
    "the index is",
    "is",
    "caf\u{e9}",
    "",
    "x",
    "src/lib.rs",
    "gamma ray",
];

/// A condition that is mostly true.
fn mostly(random: &mut Random) -> String {
    let k = random.between(5, 40);
    match random.below(4) {
        0 => format!("a % {k} != 3"),
        1 => format!("b != {k}"),
        2 => format!("a ^ b != {k}"),
        _ => format!("(a & 31) < 29 || b < {k}"),
    }
}

/// An expression of `a` and `b`.
pub fn number(random: &mut Random, depth: usize) -> String {
    if depth == 0 || random.chance(20) {
        return match random.below(3) {
            0 => "a".to_owned(),
            1 => "b".to_owned(),
            _ => format!("({}i32)", random.below(100) as i32 - 20),
        };
    }
    let (one, other) = (number(random, depth - 1), number(random, depth - 1));
    match random.below(9) {
        0 => format!("({one} + {other})"),
        1 => format!("({one} - {other})"),
        2 => format!("({one} ^ {other})"),
        3 => format!("({one}).wrapping_mul({other})"),
        4 => format!("({one} & {other})"),
        5 => format!("({one} / ({other} & 63))"),
        6 => format!("({one} >> ({other} & 31))"),
        7 => format!("({one}).wrapping_add({other})"),
        _ => format!("(if {one} < {other} {{ {one} }} else {{ {other} }})"),
    }
}

/// A statement that may panic, or trap, in one of the many ways.
pub fn risk(random: &mut Random, n: usize) -> String {
    let (condition, value, word) = (mostly(random), number(random, 1), *random.pick(&WORDS));
    match random.below(15) {
        0 => format!("assert!({condition}, \"{word} {{}} {{:?}}\", a, \"{word}\");"),
        1 => format!("if !({condition}) {{ panic!(\"{word}\") }}"),
        2 => format!(
            "if !({condition}) {{ log({n}); panic!(\"{word}: {{a}} {{b:>5}} {{:?}}\", Some({value})) }}"
        ),
        3 => format!("if !({condition}) {{ unreachable!(\"{word} {{}}\", {value}) }}"),
        4 => format!(
            "let v = if {condition} {{ Some({value}) }} else {{ None }}; let a = a ^ v.unwrap();"
        ),
        5 => format!(
            "let v = if {condition} {{ Some({value}) }} else {{ None }}; let b = b ^ v.expect(\"{word}\");"
        ),
        6 => "let a = a ^ checked(b).unwrap();".to_owned(),
        7 => format!("let a = a ^ checked(a).expect(\"{word}\");"),
        8 => format!("if let Err(fault) = checked(a) {{ panic!(\"{word}: {{fault}}\") }}"),
        9 => format!("assert_eq!({condition}, true, \"{word} {{}}\", Fault::Small(b));"),
        10 => "assert_ne!(checked(a), Err(Fault::Odd));".to_owned(),
        11 => format!("if !({condition}) {{ log(b); core::arch::wasm32::unreachable() }}"),
        12 => format!(
            "#[cold] #[inline(never)] fn fail(a: i32, what: &dyn Debug) -> ! {{ log(a); panic!(\"{word}: {{what:?}}\") }} if !({condition}) {{ fail(b, &Fault::Large {{ by: 3, of: \"{word}\" }}) }}"
        ),
        13 => format!(
            "let mut text = Buffer::new(); if !({condition}) {{ write!(text, \"{{}}\", {value}).unwrap(); panic!(\"{{}}\", text.hash()) }}"
        ),
        _ => format!(
            "let a = a ^ \"{word}\".as_bytes().get((b & 7) as usize).map_or(0, |c| i32::from(*c));"
        ),
    }
}
