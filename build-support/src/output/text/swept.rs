//! What the sweep removed, or would remove, by reason.

use super::style::{HEADING, Paint, WIDTH};
use super::table::Table;
use crate::report::{Swept, units};

/// How many pieces of each reason a listing names.
const LISTED: usize = 20;

/// The part of a report: a line per reason, with its largest piece. Empty where nothing was swept.
pub(super) fn draw(swept: &[Swept], paint: Paint) -> String {
    if swept.is_empty() {
        return String::new();
    }
    let heading = format!("swept {} bytes", units::bytes(total(swept)));
    let rows = swept.iter().map(|reason| {
        let largest = reason.pieces.first().map_or("", |piece| &piece.name);
        [
            units::bytes(reason.bytes),
            reason.reason.clone(),
            count(reason),
            largest.to_owned(),
        ]
    });
    let mut text = format!("{}\n", paint.with(HEADING, &heading));
    for (_, line) in Table::aligned("><><").rows(rows).lines() {
        let line = units::cut(&line, WIDTH - 2);
        text.push_str(&format!("  {line}\n"));
    }
    text
}

/// What would be swept, with the largest pieces of each reason by name.
pub fn listing(swept: &[Swept]) -> String {
    let mut text = format!("to be swept: {} bytes\n", units::bytes(total(swept)));
    for reason in swept {
        let (count, bytes) = (count(reason), units::bytes(reason.bytes));
        text.push_str(&format!("\n{} ({count}, {bytes} bytes)\n", reason.reason));
        let pieces = reason.pieces.iter().take(LISTED);
        let rows = pieces.map(|piece| [units::bytes(piece.bytes), piece.name.clone()]);
        text.push_str(&Table::aligned("><").rows(rows).draw("  ", Paint::PLAIN));
        if let Some(more @ 1..) = reason.pieces.len().checked_sub(LISTED) {
            text.push_str(&format!("  and {more} more\n"));
        }
    }
    text
}

fn total(swept: &[Swept]) -> u64 {
    swept.iter().map(|reason| reason.bytes).sum()
}

fn count(reason: &Swept) -> String {
    units::bytes(reason.pieces.len() as u64)
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
