//! The tables of `alloc-compare`.

use crate::alloc_compare::Comparison;
use crate::tables::allocators::{self, Section};
use build_support::output::text::style::{FAINT, GOOD, HEADING, Paint, WIDTH};
use build_support::report::units;

/// `comparison` as text that ends in a newline: what is the same on every machine, then times, then
/// the scores' verdict. `colour` adds ANSI escapes.
pub fn draw(comparison: &Comparison, colour: bool) -> String {
    let paint = Paint { colour };
    let mut exact = allocators::exact(comparison);
    // The scores are what is looked for: last, where the prompt is.
    let scores = exact.pop();
    let sections = exact
        .into_iter()
        .chain(allocators::times_in_short(comparison))
        .chain(scores);
    let mut text: String = sections
        .map(|section| draw_section(&section, paint))
        .collect();
    text.push_str(&format!(
        "{} {}\nmeasured in {} after the builds\n",
        paint.with(GOOD, "by the rule"),
        allocators::recommendation(comparison),
        units::time(comparison.measured_millis)
    ));
    text
}

fn draw_section(section: &Section, paint: Paint) -> String {
    let mut text = format!("{}\n", paint.with(HEADING, &section.title));
    for line in wrapped(section.about) {
        text.push_str(&format!("{}\n", paint.with(FAINT, &line)));
    }
    format!("{text}{}\n", section.table.draw("", paint))
}

/// `text` in lines of at most [`WIDTH`] columns, broken between words.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.len() - 1;
        let line = &mut lines[last];
        if line.chars().count() + word.chars().count() < WIDTH {
            let blank = if line.is_empty() { "" } else { " " };
            line.push_str(&format!("{blank}{word}"));
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn lines_break_between_words() {
        assert_eq!(wrapped("one two"), ["one two"]);
        let long = "word ".repeat(50);
        let lines = wrapped(&long);
        assert_eq!(lines.len(), 3);
        assert!(
            lines
                .iter()
                .all(|line| line.chars().count() <= 100 && line.ends_with("word"))
        );
        assert_eq!(lines.join(" "), long.trim_end());
    }
}
