//! Damage to binary files: blind, and with the sections of the format kept so that it gets past the
//! first check.

use crate::corpus::{Corpus, Pool};
use crate::generated::random::Random;
use std::ops::Range;

/// A section: its id and where its contents are, without the head.
struct Section {
    id: u8,
    contents: Range<usize>,
}

/// Numbers in LEB128 where readers go wrong: the largest, one that is too long, one that does not
/// end.
const NUMBERS: [&[u8]; 7] = [
    &[0xff, 0xff, 0xff, 0xff, 0x0f],
    &[0xff, 0xff, 0xff, 0xff, 0x07],
    &[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01],
    &[0xff, 0xff, 0xff, 0xff, 0xff],
    &[0x80, 0x80, 0x04],
    &[0x7f],
    &[0x00],
];

/// `bytes` damaged in one to three ways.
pub fn damage(bytes: &[u8], corpus: &Corpus, random: &mut Random) -> Vec<u8> {
    let mut damaged = bytes.to_vec();
    let times = if random.chance(60) {
        1
    } else {
        random.between(2, 3)
    };
    for _ in 0..times {
        damaged = match random.below(10) {
            0..6 => inside_a_section(damaged, random),
            6 => without_or_twice(damaged, random),
            7 => with_one_of(damaged, &corpus.file(Pool::Linked, random), random),
            8 => with_a_custom_section(damaged, random),
            _ => blindly(damaged, random),
        };
    }
    damaged
}

/// Bits, ranges and ends, whatever they are.
fn blindly(mut bytes: Vec<u8>, random: &mut Random) -> Vec<u8> {
    if bytes.is_empty() {
        return random.bytes(8);
    }
    let at = random.below(bytes.len());
    let end = (at + random.between(1, 32)).min(bytes.len());
    match random.below(7) {
        0 => bytes.truncate(at),
        1 => drop(bytes.drain(at..end)),
        2 => {
            let again = bytes[at..end].to_vec();
            bytes.splice(at..at, again);
        }
        3 => {
            let count = random.between(1, 16);
            bytes.splice(at..at, random.bytes(count));
        }
        4 => drop(bytes.splice(at..end, random.pick(&NUMBERS).iter().copied())),
        _ => {
            for _ in 0..random.between(1, 8) {
                let at = random.below(bytes.len());
                bytes[at] ^= 1 << random.below(8);
            }
        }
    }
    bytes
}

/// The contents of one section damaged, and its length made to fit.
fn inside_a_section(bytes: Vec<u8>, random: &mut Random) -> Vec<u8> {
    let sections = sections(&bytes);
    if sections.is_empty() {
        return blindly(bytes, random);
    }
    // Half of the time what only tools read: the engine's part is then valid, and the tool gets to
    // its own work.
    let custom: Vec<_> = (0..sections.len())
        .filter(|i| sections[*i].id == 0)
        .collect();
    let chosen = match random.chance(50) && !custom.is_empty() {
        true => *random.pick(&custom),
        false => random.below(sections.len()),
    };
    let mut contents = bytes[sections[chosen].contents.clone()].to_vec();
    // Mostly the number in front, which says how many follow.
    contents = match random.chance(20) && !contents.is_empty() {
        true => [random.pick(&NUMBERS), &contents[1..]].concat(),
        false => blindly(contents, random),
    };
    rebuilt(
        &bytes,
        sections
            .iter()
            .enumerate()
            .map(|(i, section)| match i == chosen {
                true => (section.id, contents.as_slice()),
                false => (section.id, &bytes[section.contents.clone()]),
            }),
    )
}

/// A section left out, or there twice.
fn without_or_twice(bytes: Vec<u8>, random: &mut Random) -> Vec<u8> {
    let sections = sections(&bytes);
    if sections.is_empty() {
        return blindly(bytes, random);
    }
    let chosen = random.below(sections.len());
    let times = 2 * random.below(2);
    rebuilt(
        &bytes,
        sections.iter().enumerate().flat_map(|(i, section)| {
            let times = if i == chosen { times } else { 1 };
            std::iter::repeat_n((section.id, &bytes[section.contents.clone()]), times)
        }),
    )
}

/// With a section of another file in the place of one of the same kind.
fn with_one_of(bytes: Vec<u8>, other: &[u8], random: &mut Random) -> Vec<u8> {
    let (sections, others) = (sections(&bytes), self::sections(other));
    if sections.is_empty() || others.is_empty() {
        return blindly(bytes, random);
    }
    let taken = random.pick(&others);
    let contents = &other[taken.contents.clone()];
    let mut is_replaced = false;
    let mut all: Vec<_> = sections
        .iter()
        .map(|section| match section.id == taken.id && !is_replaced {
            true => {
                is_replaced = true;
                (taken.id, contents)
            }
            false => (section.id, &bytes[section.contents.clone()]),
        })
        .collect();
    if !is_replaced {
        all.push((taken.id, contents));
    }
    rebuilt(&bytes, all.into_iter())
}

/// With one more section of a name that the tool reads, and nonsense in it.
fn with_a_custom_section(bytes: Vec<u8>, random: &mut Random) -> Vec<u8> {
    const NAMES: [&str; 9] = [
        "name",
        "linking",
        "reloc.CODE",
        "reloc.DATA",
        "producers",
        "target_features",
        "component-type:app",
        "dylink.0",
        "build_id",
    ];
    let name = random.pick(&NAMES);
    let length = random.below(60);
    let contents = [&[name.len() as u8], name.as_bytes(), &random.bytes(length)].concat();
    let sections = sections(&bytes);
    let all = sections
        .iter()
        .map(|section| (section.id, &bytes[section.contents.clone()]));
    rebuilt(&bytes, all.chain([(0, contents.as_slice())]))
}

/// The sections as far as they can be read.
fn sections(bytes: &[u8]) -> Vec<Section> {
    let mut found = Vec::new();
    let mut at = 8;
    while at < bytes.len() {
        let id = bytes[at];
        at += 1;
        let Some(length) = number(bytes, &mut at) else {
            break;
        };
        let Some(end) = at.checked_add(length).filter(|end| *end <= bytes.len()) else {
            break;
        };
        found.push(Section {
            id,
            contents: at..end,
        });
        at = end;
    }
    found
}

fn number(bytes: &[u8], at: &mut usize) -> Option<usize> {
    let (mut value, mut shift) = (0, 0);
    while shift < 35 {
        let byte = *bytes.get(*at)?;
        *at += 1;
        value |= usize::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn rebuilt<'a>(bytes: &[u8], sections: impl Iterator<Item = (u8, &'a [u8])>) -> Vec<u8> {
    let mut file = bytes[..bytes.len().min(8)].to_vec();
    for (id, contents) in sections {
        file.push(id);
        let mut length = contents.len();
        while length >= 0x80 {
            file.push(length as u8 | 0x80);
            length >>= 7;
        }
        file.push(length as u8);
        file.extend_from_slice(contents);
    }
    file
}
