//! Rust programs, as text: what compilers make of traits, statics, matches, strings and panics.
//!
//! A program is a handful of features, each a function of two numbers with the items it needs, and
//! exports that call them. They loop over constants alone, so that every program ends.

use super::rust_feature;
use crate::generated::random::Random;

/// A feature's text: the items of `feature_N`.
pub type Feature = fn(&mut Random, usize) -> String;

/// The program of `seed`, with the compiler's arguments for it.
pub fn generate(seed: u64) -> (String, Vec<String>) {
    let mut random = Random::new(seed ^ 0x5275_7374);
    let mut text = include_str!("rust_prelude.rs").to_owned();
    let count = random.between(3, 7);
    for number in 0..count {
        let feature = random.pick(rust_feature::ALL);
        text.push_str(&feature(&mut random, number));
    }
    text.push_str(&exports(&mut random, count));
    (text, arguments(&mut random))
}

fn exports(random: &mut Random, count: usize) -> String {
    let mut text = String::new();
    for number in 0..count {
        let body = match random.below(4) {
            0 => format!(
                "feature_{number}(a, b).wrapping_mul(3) ^ feature_{}(b, a)",
                random.below(count)
            ),
            1 => format!("if a > b {{ log(a) }} feature_{number}(a, b & 15)"),
            _ => format!("feature_{number}(a, b)"),
        };
        text.push_str(&format!(
            "#[unsafe(no_mangle)]\npub extern \"C\" fn entry_{number}(a: i32, b: i32) -> i32 {{ {body} }}\n"
        ));
    }
    // Mixed one after the other, so that two of the same do not cancel.
    let states: String = (0..count)
        .map(|n| format!("sum = sum.wrapping_mul(31).wrapping_add(state_{n}()); "))
        .collect();
    text.push_str(&format!(
        "#[unsafe(no_mangle)]\npub extern \"C\" fn checksum() -> i32 {{ let mut sum = 1i32; {states} sum }}\n"
    ));
    text
}

fn arguments(random: &mut Random) -> Vec<String> {
    let on = |yes| if yes { "on" } else { "off" };
    vec![
        format!(
            "-Copt-level={}",
            random.pick(&["z", "z", "s", "1", "2", "3", "0"])
        ),
        format!("-Coverflow-checks={}", on(random.chance(60))),
        format!("-Cdebug-assertions={}", on(random.chance(20))),
        format!("-Ccodegen-units={}", random.pick(&[1, 1, 1, 4])),
        format!("-Clink-arg=-O{}", random.below(3)),
    ]
}
