//! What must stay whatever refers to it.

use crate::wasm::linked::module::LinkedModule;
use crate::wasm::linked::ranges::{contains, union};
use crate::wasm::linked::relocations::{Relocations, Target};
use std::ops::Range;

/// Symbols the linker was told to keep, those whose address the host knows, those in segments that
/// code walks over from end to end, and what words outside of every symbol refer to.
pub fn run(linked: &LinkedModule<'_>, relocations: &Relocations) -> Vec<Target> {
    let known = known(linked);
    let walked = walked(linked, relocations);
    let symbols = relocations.data.iter().zip(0..);
    let symbols = symbols
        .filter(|(symbol, _)| {
            let range = symbol.start..symbol.end;
            symbol.kept
                || known.iter().any(|at| range.contains(at))
                || walked.iter().any(|walked| walked.contains(&range.start))
        })
        .map(|(_, position)| Target::Data(position));
    let covered = relocations.data.iter();
    let covered = union(covered.map(|symbol| symbol.start..symbol.end));
    let words = relocations.in_data.iter();
    let words = words.filter(|reloc| !contains(&covered, reloc.at));
    let words = words.map(|reloc| reloc.target);
    symbols.chain(words).collect()
}

/// The places in the file of the addresses that the host knows.
fn known(linked: &LinkedModule<'_>) -> Vec<usize> {
    let addresses = linked.exported_addresses.iter();
    let places = addresses.filter_map(|address| {
        linked.segments.iter().find_map(|segment| {
            let offset = address.checked_sub(segment.address)? as usize;
            (offset < segment.range.len()).then_some(segment.range.start + offset)
        })
    });
    places.collect()
}

/// The segments that code has an end of.
fn walked<'a>(linked: &'a LinkedModule<'_>, relocations: &Relocations) -> Vec<&'a Range<usize>> {
    let segments = linked.segments.iter();
    let walked = segments.filter(|segment| {
        let size = segment.range.len() as u32;
        let mut ends = relocations.walked.iter();
        ends.any(|at| at.wrapping_sub(segment.address) <= size)
    });
    walked.map(|segment| &segment.range).collect()
}
