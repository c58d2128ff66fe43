//! What the sweep removed, or would remove, by reason.

use super::cells::{HEADING, Paint, table};
use crate::report::{Swept, units};

/// How many pieces of each reason a listing names.
const LISTED: usize = 20;

/// The part of a report: a line per reason, with its largest piece. Empty where nothing was swept.
pub(super) fn draw(swept: &[Swept], paint: Paint) -> String {
    if swept.is_empty() {
        return String::new();
    }
    let heading = format!("swept {} bytes", units::bytes(total(swept)));
    let rows: Vec<_> = swept
        .iter()
        .map(|of| {
            let largest = of.pieces.first().map_or("", |piece| piece.name.as_str());
            [bytes(of), of.reason.clone(), count(of), largest.to_owned()]
        })
        .collect();
    let mut text = format!("{}\n", paint.with(HEADING, &heading));
    for line in table(&rows, [true, false, true, false]) {
        let line: String = line.chars().take(super::WIDTH - 2).collect();
        text.push_str(&format!("  {line}\n"));
    }
    text
}

/// What would be swept, with the largest pieces of each reason by name.
pub fn listing(swept: &[Swept]) -> String {
    let mut text = format!("to be swept: {} bytes\n", units::bytes(total(swept)));
    for of in swept {
        text.push_str(&format!(
            "\n{} ({}, {} bytes)\n",
            of.reason,
            count(of),
            bytes(of)
        ));
        let rows: Vec<_> = of
            .pieces
            .iter()
            .take(LISTED)
            .map(|piece| [units::bytes(piece.bytes), piece.name.clone()])
            .collect();
        for line in table(&rows, [true, false]) {
            text.push_str(&format!("  {line}\n"));
        }
        if of.pieces.len() > LISTED {
            text.push_str(&format!("  and {} more\n", of.pieces.len() - LISTED));
        }
    }
    text
}

fn total(swept: &[Swept]) -> u64 {
    swept.iter().map(|of| of.bytes).sum()
}

fn bytes(of: &Swept) -> String {
    units::bytes(of.bytes)
}

fn count(of: &Swept) -> String {
    units::bytes(of.pieces.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::listing;
    use crate::report::{Piece, Swept};

    /// Protects the order and the sums.
    #[test]
    fn each_reason_has_its_pieces() {
        let piece = |name: &str, bytes| Piece {
            name: name.into(),
            bytes,
        };
        let swept = [Swept {
            reason: "unreachable data".into(),
            bytes: 1_234,
            pieces: vec![piece("app::A", 1_200), piece("app::B", 34)],
        }];
        assert_eq!(
            listing(&swept),
            "\
to be swept: 1,234 bytes

unreachable data (2, 1,234 bytes)
  1,200  app::A
     34  app::B
"
        );
    }
}
