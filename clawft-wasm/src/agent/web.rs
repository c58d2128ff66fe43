//! Pages of the web, for the tool `web_fetch`: where a redirect leads, and what a page says.

use clawft_types::text::split;
use clawft_types::{provider, text};
use core_alloc::string::String;

/// Where `location` leads from `base`, a URL that was asked.
pub fn resolve(base: &str, location: &str) -> String {
    let location = before(location, "#");
    if split(location, "://").is_some_and(|(scheme, _)| before(scheme, "/") == scheme) {
        return String::from(location);
    }
    let (scheme, rest) = split(base, "://").unwrap_or(("https", base));
    if let Some(other) = location.strip_prefix("//") {
        return text::fill("{}://{}", &[scheme, other]);
    }
    let authority = provider::authority(base).map_or("", |(_, authority)| authority);
    if location.starts_with('/') {
        return text::fill("{}://{}{}", &[scheme, authority, location]);
    }
    let path = rest.get(authority.len()..).unwrap_or_default();
    let path = before(before(path, "#"), "?");
    let slash = path.bytes().rposition(|byte| byte == b'/');
    let folder = slash.and_then(|slash| path.get(..slash));
    let folder = folder.unwrap_or_default();
    text::fill("{}://{}{}/{}", &[scheme, authority, folder, location])
}

/// What is before `end`, or all of it.
fn before<'a>(text: &'a str, end: &str) -> &'a str {
    split(text, end).map_or(text, |(before, _)| before)
}

/// Whether a reply of this type is a text, and whether it is HTML.
pub fn kind(content_type: &str) -> Option<bool> {
    let kind = text::trim(before(content_type, ";")).to_ascii_lowercase();
    match kind.as_str() {
        "text/html" | "application/xhtml+xml" => Some(true),
        "application/json" | "application/xml" | "application/javascript" => Some(false),
        other => {
            let is_text =
                other.starts_with("text/") || other.ends_with("+json") || other.ends_with("+xml");
            is_text.then_some(false)
        }
    }
}

/// Elements whose content nobody reads.
const HIDDEN: &str = "script, style, noscript, template, svg";

/// Elements that begin a line.
const BLOCKS: &str = "address, article, aside, blockquote, body, br, dd, div, dl, dt, figure, footer, form, h1, \
                      h2, h3, h4, h5, h6, header, hr, li, main, nav, ol, p, pre, section, table, title, tr, ul";

/// What an HTML page says, without its tags: a line for each block.
pub fn plain(html: &str) -> String {
    let mut out = Lines::default();
    let mut rest = html;
    while let Some((before, after)) = split(rest, "<") {
        out.text(before);
        if let Some(comment) = after.strip_prefix("!--") {
            rest = split(comment, "-->").map_or("", |(_, after)| after);
            continue;
        }
        let is_end = after.starts_with('/');
        let from = after.strip_prefix('/').unwrap_or(after);
        let name_end = from.bytes().position(|byte| !byte.is_ascii_alphanumeric());
        let name = from
            .get(..name_end.unwrap_or(from.len()))
            .unwrap_or_default();
        if name.is_empty() && !matches!(after.as_bytes().first(), Some(b'!' | b'?' | b'/')) {
            // It is none.
            out.text("<");
            rest = after;
            continue;
        }
        rest = behind_tag(after);
        let name = name.to_ascii_lowercase();
        if !is_end && text::is_listed(HIDDEN, ", ", &name) {
            rest = behind_element(rest, &name);
            out.gap(Gap::Line);
        } else if text::is_listed(BLOCKS, ", ", &name) {
            out.gap(Gap::Line);
        } else if matches!(name.as_str(), "td" | "th") {
            out.gap(Gap::Space);
        }
    }
    out.text(rest);
    out.out
}

/// What is behind the `>` of the tag; one in quotes is of an attribute.
fn behind_tag(tag: &str) -> &str {
    let mut quote = None;
    for (at, byte) in tag.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return tag.get(at + 1..).unwrap_or_default(),
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), byte) if open == byte => quote = None,
            _ => {}
        }
    }
    ""
}

/// What is behind the end of the element.
fn behind_element<'a>(mut rest: &'a str, name: &str) -> &'a str {
    while let Some((_, after)) = split(rest, "</") {
        let found = after.get(..name.len());
        rest = after;
        if found.is_some_and(|found| found.eq_ignore_ascii_case(name)) {
            return behind_tag(after);
        }
    }
    ""
}

/// White space that is still to come.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd)]
enum Gap {
    #[default]
    None,
    Space,
    Line,
}

/// Text with its white space made one.
#[derive(Debug, Default)]
struct Lines {
    out: String,
    gap: Gap,
}

impl Lines {
    fn gap(&mut self, gap: Gap) {
        if gap > self.gap {
            self.gap = gap;
        }
    }

    fn text(&mut self, mut rest: &str) {
        while let Some(first) = rest.bytes().next() {
            let letter = text::first_characters(rest, 1);
            let mut length = letter.len();
            let mut meant = None;
            if first == b'&'
                && let Some((letter, bytes)) = entity(rest)
            {
                (meant, length) = (Some(letter), bytes);
            }
            rest = rest.get(length..).unwrap_or_default();
            let is_hard = letter == "\u{a0}" || meant == Some('\u{a0}');
            if first.is_ascii_whitespace() || is_hard {
                self.gap(Gap::Space);
                continue;
            }
            if !self.out.is_empty() {
                match self.gap {
                    Gap::None => {}
                    Gap::Space => self.out.push(' '),
                    Gap::Line => self.out.push('\n'),
                }
            }
            self.gap = Gap::None;
            match meant {
                Some(meant) => self.out.push(meant),
                None => self.out.push_str(letter),
            }
        }
    }
}

/// The character that `&…;` stands for, and its bytes; none where it is not one that is known.
fn entity(text: &str) -> Option<(char, usize)> {
    // The longest that is known has eight characters.
    let end = text.bytes().take(12).position(|byte| byte == b';')?;
    let name = text.get(1..end)?;
    let letter = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        _ => {
            let number = name.strip_prefix('#')?;
            let (digits, radix) = match number.strip_prefix('x') {
                Some(digits) => (digits, 16),
                None => (number, 10),
            };
            let mut code = digits.bytes().next().map(|_| 0_u32)?;
            for digit in digits.bytes() {
                code = code.checked_mul(radix)? + char::from(digit).to_digit(radix)?;
            }
            char::from_u32(code)?
        }
    };
    Some((letter, end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects() {
        for (base, location, want) in [
            ("https://a.b/c/d?e=/f", "g", "https://a.b/c/g"),
            ("https://a.b/c/d", "/g?h", "https://a.b/g?h"),
            ("https://a.b", "g", "https://a.b/g"),
            ("https://a.b:8/c", "//x.y/z", "https://x.y/z"),
            ("https://a.b/c", "http://x.y/z#part", "http://x.y/z"),
            (
                "https://a.b/c",
                "/go?to=https://x.y",
                "https://a.b/go?to=https://x.y",
            ),
            ("http://a.b/c/", "", "http://a.b/c/"),
        ] {
            assert_eq!(resolve(base, location), want, "{base} {location}");
        }
    }

    #[test]
    fn types() {
        assert_eq!(kind("text/html; charset=utf-8"), Some(true));
        assert_eq!(kind("TEXT/Plain"), Some(false));
        assert_eq!(kind("application/ld+json"), Some(false));
        assert_eq!(kind("application/octet-stream"), None);
        assert_eq!(kind(""), None);
    }

    #[test]
    fn pages() {
        for (html, want) in [
            ("", ""),
            ("plain & simple", "plain & simple"),
            (
                "<!DOCTYPE html><html><head><title>T</title></head><body><h1>Über\n  uns</h1><p>a<b>b</b> c</p>\
                 <ul><li>1<li>2</ul></body>",
                "T\nÜber uns\nab c\n1\n2",
            ),
            ("a<script>if (1 < 2) { x = '</p>' }</SCRIPT>b", "a\nb"),
            ("a<!-- <p>no</p> -->b", "ab"),
            (
                "1 &lt; 2 &amp;&amp; x&#65;&#x42;&nbsp;&unknown; &",
                "1 < 2 && xAB &unknown; &",
            ),
            ("a < b", "a < b"),
            ("<a title=\"x > y\" href='>'>z</a>", "z"),
            ("<tr><td>1<td>2<tr><td>3", "1 2\n3"),
            ("a<script>never ends", "a"),
            ("a<p", "a"),
            ("<", "<"),
            ("&#xD800;&#1114112;&;&#;", "&#xD800;&#1114112;&;&#;"),
        ] {
            assert_eq!(plain(html), want, "{html}");
        }
    }

    /// No page makes it panic, or come to more than it was.
    #[test]
    fn damaged_pages() {
        let page =
            "<p class='a'>Ä &amp; <script>x</script>b<!--c--><td>d</td>&#65; <a href=\"/\">e</a>";
        for from in page.char_indices().map(|(at, _)| at) {
            assert!(plain(&page[from..]).len() <= page.len() + 1);
            assert!(plain(&page[..from]).len() <= page.len() + 1);
            for other in ["<", ">", "&", "\"", "'", "/", "!", ";"] {
                let changed = [&page[..from], other, &page[from..]].concat();
                assert!(plain(&changed).len() <= changed.len() + 1);
            }
        }
    }
}
