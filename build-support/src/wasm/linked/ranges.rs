//! Arithmetic of byte ranges.

use super::relocations::Reloc;
use std::ops::Range;

/// The relocations in a range of the file.
pub fn within<'a>(relocs: &'a [Reloc], range: &Range<usize>) -> &'a [Reloc] {
    let from = relocs.partition_point(|reloc| reloc.at < range.start);
    let to = relocs.partition_point(|reloc| reloc.at < range.end);
    &relocs[from..to.max(from)]
}

/// The union of ranges, as disjoint ones in order.
pub fn union(ranges: impl Iterator<Item = Range<usize>>) -> Vec<Range<usize>> {
    let mut sorted: Vec<_> = ranges.filter(|range| !range.is_empty()).collect();
    sorted.sort_by_key(|range| range.start);
    let mut all: Vec<Range<usize>> = Vec::new();
    for range in sorted {
        match all.last_mut() {
            Some(last) if last.end >= range.start => last.end = last.end.max(range.end),
            _ => all.push(range),
        }
    }
    all
}

/// Whether one of the disjoint ranges contains a byte.
pub fn contains(ranges: &[Range<usize>], at: usize) -> bool {
    let next = ranges.partition_point(|range| range.end <= at);
    ranges.get(next).is_some_and(|range| range.contains(&at))
}

/// What of a range lies in none of the disjoint ranges.
pub fn without<T: Copy + Ord>(range: &Range<T>, taken: &[Range<T>]) -> Vec<Range<T>> {
    let mut parts = Vec::new();
    let mut from = range.start;
    let first = taken.partition_point(|other| other.end <= range.start);
    for other in &taken[first..] {
        if other.start >= range.end {
            break;
        }
        if other.start > from {
            parts.push(from..other.start);
        }
        from = from.max(other.end);
    }
    if from < range.end {
        parts.push(from..range.end);
    }
    parts
}
