//! Where a value stands in a manifest, so that a message can point at it. Build scripts get the
//! values through cargo, as JSON, which says nothing of places, and a reader of TOML would be four
//! more crates for everybody who has the guard: this one looks for keys alone. It is given text
//! that cargo has read; in any other it finds nothing, or some place inside.

use std::ops::Range;

/// Where the key and the value of `path` stand; none where it is not there.
pub fn find(text: &str, path: &[&str]) -> Option<(Range<usize>, Range<usize>)> {
    let mut scan = Scan { text, at: 0 };
    let mut table = Vec::new();
    loop {
        scan.blanks(true);
        let start = scan.at;
        match scan.peek()? {
            '[' => {
                scan.at += 1 + usize::from(text[start..].starts_with("[["));
                table = scan.key()?;
                scan.at += scan.rest().find(['\n', '#']).unwrap_or(scan.rest().len());
                if is_at(&table, &[], path) {
                    return Some((start..scan.at, start..text[..scan.at].trim_end().len()));
                }
            }
            _ => {
                if let Some(found) = scan.pair(&table, path)? {
                    return Some(found);
                }
            }
        }
    }
}

/// Where the string `element` stands in the array whose text is at `value`.
pub fn element(text: &str, value: Range<usize>, element: &str) -> Option<Range<usize>> {
    let mut scan = Scan {
        text: &text[..value.end],
        at: value.start + 1,
    };
    loop {
        scan.blanks(true);
        let start = scan.at;
        match scan.peek()? {
            ',' => scan.at += 1,
            _ => scan.value()?,
        }
        if scan.at == start {
            return None;
        }
        if text[start..scan.at].trim_matches(['"', '\'']) == element {
            return Some(start..scan.at);
        }
    }
}

fn is_at(table: &[String], key: &[String], path: &[&str]) -> bool {
    table.iter().chain(key).eq(path)
}

struct Scan<'t> {
    text: &'t str,
    at: usize,
}

type Found = (Range<usize>, Range<usize>);

impl Scan<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Over blanks and, with `lines`, line ends and comments.
    fn blanks(&mut self, lines: bool) {
        while let Some(next) = self.peek() {
            match next {
                ' ' | '\t' | '\u{feff}' => self.at += next.len_utf8(),
                '\n' | '\r' if lines => self.at += 1,
                '#' if lines => {
                    self.at += self.rest().find('\n').unwrap_or(self.rest().len());
                }
                _ => return,
            }
        }
    }

    /// A key, its parts between dots.
    fn key(&mut self) -> Option<Vec<String>> {
        let mut parts = Vec::new();
        loop {
            self.blanks(false);
            let start = self.at;
            match self.peek()? {
                '"' | '\'' => self.string()?,
                _ => {
                    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
                    self.at += self
                        .rest()
                        .find(|c| !is_bare(c))
                        .unwrap_or(self.rest().len());
                }
            }
            if self.at == start {
                return None;
            }
            let part = self.text[start..self.at].trim_matches(['"', '\'']);
            parts.push(part.to_owned());
            self.blanks(false);
            if self.peek() != Some('.') {
                return Some(parts);
            }
            self.at += 1;
        }
    }

    /// A key with its value in `table`; what `path` means, where that is in it.
    fn pair(&mut self, table: &[String], path: &[&str]) -> Option<Option<Found>> {
        let start = self.at;
        let key = self.key()?;
        let end = start + self.text[start..self.at].trim_end().len();
        self.blanks(false);
        if self.peek()? != '=' {
            return None;
        }
        self.at += 1;
        self.blanks(false);
        let value = self.at;
        self.value()?;
        if is_at(table, &key, path) {
            return Some(Some((start..end, value..self.at)));
        }
        let inside = [table, &key].concat();
        let leads = path.len() > inside.len() && inside.iter().eq(&path[..inside.len()]);
        if !leads || !self.text[value..].starts_with('{') {
            return Some(None);
        }
        let mut inner = Scan {
            text: &self.text[..self.at],
            at: value + 1,
        };
        loop {
            inner.blanks(true);
            match inner.peek()? {
                ',' => inner.at += 1,
                '}' => return Some(None),
                _ => {
                    if let Some(found) = inner.pair(&inside, path)? {
                        return Some(Some(found));
                    }
                }
            }
        }
    }

    /// Over a value.
    fn value(&mut self) -> Option<()> {
        match self.peek()? {
            '"' | '\'' => self.string(),
            open @ ('[' | '{') => {
                let close = if open == '[' { ']' } else { '}' };
                self.at += 1;
                loop {
                    self.blanks(true);
                    let next = self.peek()?;
                    if next == close {
                        self.at += 1;
                        return Some(());
                    }
                    match next {
                        '[' | '{' | '"' | '\'' => self.value()?,
                        _ => self.at += next.len_utf8(),
                    }
                }
            }
            _ => {
                let end = self.rest().find(['\n', '#', ',', ']', '}']);
                let end = end.unwrap_or(self.rest().len());
                self.at += self.rest()[..end].trim_end().len();
                Some(())
            }
        }
    }

    /// Over a string of any kind.
    fn string(&mut self) -> Option<()> {
        let quote = self.rest().get(..1)?.to_owned();
        let triple = quote.repeat(3);
        let mark = if self.rest().starts_with(&triple) {
            triple
        } else {
            quote
        };
        self.at += mark.len();
        loop {
            if self.rest().starts_with(&mark) {
                self.at += mark.len();
                return Some(());
            }
            let next = self.peek()?;
            self.at += next.len_utf8();
            if next == '\\' && mark.starts_with('"') {
                self.at += self.peek()?.len_utf8();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{element, find};

    const PATH: [&str; 5] = ["package", "metadata", "budget", "graph", "banned-crates"];

    /// Protects where messages point: at the value, however the table is written.
    #[test]
    fn a_value_is_found_in_every_form_of_a_table() {
        for text in [
            "[package.metadata.budget.graph]\nbanned-crates = [\"a\", 'tokio'] # \"x\"\n",
            "[other]\nbanned-crates = 1\n[package]\nmetadata.budget.graph.banned-crates = [\n  # tokio\n  \"tokio\",\n]\n",
            "[ package . metadata . budget ]\ntext = \"\"\"\n[package.metadata.budget.graph]\nbanned-crates = []\n\"\"\"\ngraph = { max-crates = 3, banned-crates = [\"tokio\"] }\n",
            "package.\"metadata\".budget = { graph = { \"banned-crates\" = [\"to\\\"kio\", \"tokio\"] } }",
            "\u{feff}[package.metadata]\r\n[package.metadata.budget]\r\ngraph.banned-crates = [\"tokio\"]\r\n",
        ] {
            let (key, value) = find(text, &PATH).unwrap_or_else(|| panic!("{text}"));
            assert!(
                text[key]
                    .trim_end()
                    .trim_matches('"')
                    .ends_with("banned-crates"),
                "{text}"
            );
            assert!(text[value.clone()].starts_with('['), "{text}");
            let at = element(text, value.clone(), "tokio").unwrap_or_else(|| panic!("{text}"));
            assert_eq!(text[at].trim_matches(['"', '\'']), "tokio");
            assert_eq!(element(text, value, "tok"), None, "{text}");
        }
        let text = "[package.metadata.budget.graph] # rules\nmax-crates = 4 # few\n";
        let (key, value) = find(
            text,
            &["package", "metadata", "budget", "graph", "max-crates"],
        )
        .unwrap();
        assert_eq!((&text[key], &text[value]), ("max-crates", "4"));
        let (_, table) = find(text, &PATH[..4]).unwrap();
        assert_eq!(&text[table], "[package.metadata.budget.graph]");
        assert_eq!(find(text, &PATH), None);
    }

    /// Whatever it is given, it ends and stays inside.
    #[test]
    fn what_is_no_manifest_gives_nothing_bad() {
        let whole =
            "[package.metadata]\nbudget = { graph = { banned-crates = [\"é\\\"\", '''x'''] } }\n";
        for end in 0..=whole.len() {
            let cut = &whole[..whole.floor_char_boundary(end)];
            for text in [cut.to_owned(), format!("{cut}=[[[\"")] {
                if let Some((_, value)) = find(&text, &PATH) {
                    let _ = element(&text, value, "x");
                }
            }
        }
    }
}
