//! Names as they can be shown to people. They come from files that anybody can make.

use std::fmt::Write as _;

/// `name` with what cannot be seen, or turns the text around it, as its number: `{202e}`.
pub fn visible(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for c in name.chars() {
        if is_hidden(c) {
            let _ = write!(text, "{{{:x}}}", c as u32);
        } else {
            text.push(c);
        }
    }
    text
}

/// Line breaks, controls, marks of direction, spaces without width, and tags.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || (c.is_whitespace() && c != ' ')
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::visible;

    /// Protects readers from text that is not where it seems to be; everything else stays as it is.
    #[test]
    fn only_what_is_hidden_is_replaced() {
        assert_eq!(visible("a\u{202e}b\nc\u{1b}[31m"), "a{202e}b{a}c{1b}[31m");
        for name in ["", "<é as ü>::漢字 | 🦀", "a b"] {
            assert_eq!(visible(name), name);
        }
    }
}
