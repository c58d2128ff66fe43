//! What bytes of data look like, where nothing says what they are: text, zeros, or anything else.

use super::layout::ZERO_RUN;

/// How long a run of text is at least, in bytes: fewer may be numbers.
const TEXT_RUN: usize = 8;

/// What a run of bytes looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// [`TEXT_RUN`] or more bytes of UTF-8 without control characters but white space.
    Text,
    /// [`ZERO_RUN`] zeros or more.
    Zeros,
    /// Neither.
    Rest,
}

/// The data as runs, each with its length in bytes; they sum to it.
pub fn run(data: &[u8]) -> Vec<(Kind, u64)> {
    let mut runs = Vec::new();
    for chunk in data.utf8_chunks() {
        let mut rest = chunk.valid();
        while let Some(first) = rest.chars().next() {
            let kind = of_char(first);
            let bytes = rest.find(|c| of_char(c) != kind).unwrap_or(rest.len());
            let is_long = match kind {
                Kind::Text => bytes >= TEXT_RUN,
                Kind::Zeros => bytes >= ZERO_RUN,
                Kind::Rest => false,
            };
            add(&mut runs, if is_long { kind } else { Kind::Rest }, bytes);
            rest = &rest[bytes..];
        }
        add(&mut runs, Kind::Rest, chunk.invalid().len());
    }
    runs
}

fn of_char(c: char) -> Kind {
    match c {
        '\0' => Kind::Zeros,
        '\n' | '\r' | '\t' => Kind::Text,
        c if c.is_control() => Kind::Rest,
        _ => Kind::Text,
    }
}

fn add(runs: &mut Vec<(Kind, u64)>, kind: Kind, bytes: usize) {
    match runs.last_mut() {
        Some((last, sum)) if *last == kind => *sum += bytes as u64,
        _ if bytes == 0 => {}
        _ => runs.push((kind, bytes as u64)),
    }
}

#[cfg(test)]
mod tests {
    use super::Kind::{Rest, Text, Zeros};
    use super::{Kind, run};

    #[track_caller]
    fn check(data: &[u8], expected: &[(Kind, u64)]) {
        assert_eq!(run(data), expected);
        let sum: u64 = expected.iter().map(|(_, bytes)| bytes).sum();
        assert_eq!(sum, data.len() as u64);
    }

    #[test]
    fn every_byte_is_in_a_run() {
        check(b"", &[]);
        check(b"0123456789", &[(Text, 10)]);
        check(b"short\0\x01", &[(Rest, 7)]);
        check("größer als\n".as_bytes(), &[(Text, 13)]);
        check(&[0; 16], &[(Zeros, 16)]);
        check(&[0; 15], &[(Rest, 15)]);
        let mixed = [&[1, 0, 0, 0][..], b"a message", &[0; 20], &[0xff; 3]].concat();
        check(&mixed, &[(Rest, 4), (Text, 9), (Zeros, 20), (Rest, 3)]);
        check(&[0xc3, 0x28, 0xff], &[(Rest, 3)]);
    }
}
