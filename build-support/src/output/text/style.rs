//! How a report at a terminal looks: its colours, and the bars of its limits.

use crate::report::units;
use anstyle::{AnsiColor, Style};

/// How many columns a line has, where it can be shortened.
pub const WIDTH: usize = 100;

/// From this share of its limit on, in per cent, a size is drawn as a warning.
const CLOSE: u128 = 90;

/// How many cells the bar of a limit has.
const BAR: u64 = 20;

/// What a part of the report is called.
pub const HEADING: Style = Style::new().bold();
/// What stands beside the figures: heads of columns, remarks, sums of the rest.
pub const FAINT: Style = Style::new().dimmed();
/// Within its limit, or smaller.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// Close to its limit, or larger.
pub const WARNING: Style = AnsiColor::Yellow.on_default();
/// Beyond its limit.
pub const BAD: Style = AnsiColor::Red.on_default().bold();

/// Whether and how text is coloured.
#[derive(Clone, Copy)]
pub struct Paint {
    /// Whether there are ANSI escapes.
    pub colour: bool,
}

impl Paint {
    /// Without colour.
    pub const PLAIN: Paint = Paint { colour: false };

    /// `text` in `style`, where there is colour and any text.
    pub fn with(self, style: Style, text: &str) -> String {
        if self.colour && !text.is_empty() {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }
}

/// A bar for `size` of `limit`. Full from the limit on. Anything at all shows as one cell.
pub fn bar(size: u64, limit: u64, paint: Paint) -> String {
    let (wide_size, wide_limit) = (u128::from(size), u128::from(limit).max(1));
    let cells = wide_size * u128::from(BAR) / wide_limit;
    let cells = cells.clamp(u128::from(size > 0), u128::from(BAR)) as usize;
    let style = match size {
        _ if size > limit => BAD,
        _ if wide_size * 100 >= wide_limit * CLOSE => WARNING,
        _ => GOOD,
    };
    let full = paint.with(style, &"█".repeat(cells));
    let rest = paint.with(FAINT, &"░".repeat(BAR as usize - cells));
    if size <= limit {
        return full + &rest;
    }
    let over = format!("{} over", units::bytes(size - limit));
    format!("{full}{rest}  {}", paint.with(BAD, &over))
}

#[cfg(test)]
mod tests {
    use super::{Paint, bar};

    #[test]
    fn bars_are_full_at_the_limit_alone() {
        let plain = Paint::PLAIN;
        let cells = |size, limit| {
            bar(size, limit, plain)
                .chars()
                .filter(|&c| c == '█')
                .count()
        };
        assert_eq!(
            [
                cells(0, 100),
                cells(1, 1_000),
                cells(50, 100),
                cells(99, 100),
                cells(100, 100)
            ],
            [0, 1, 10, 19, 20]
        );
        assert_eq!(
            [cells(u64::MAX, 1), cells(u64::MAX, u64::MAX), cells(1, 0)],
            [20, 20, 20]
        );
        assert_eq!(bar(101, 100, plain), "████████████████████  1 over");
    }

    #[test]
    fn bars_change_colour_near_and_over_the_limit() {
        let colour = |size| {
            bar(size, 100, Paint { colour: true })
                .split('█')
                .next()
                .unwrap()
                .to_owned()
        };
        assert_eq!(
            [colour(89), colour(90), colour(100), colour(101)],
            [
                "\u{1b}[32m",
                "\u{1b}[33m",
                "\u{1b}[33m",
                "\u{1b}[1m\u{1b}[31m"
            ]
        );
    }
}
