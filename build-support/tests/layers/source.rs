//! The sources of a crate as far as the layout needs them: which paths of the crate each file
//! names, and how long it is.

use std::fs;
use std::path::Path;

/// One file.
pub struct Source {
    /// Its path below the folder that was read, with `/`.
    pub file: String,
    /// The module it is; none for the library's root.
    pub module: Vec<String>,
    /// The paths of its own crate that it names, in order.
    pub paths: Vec<Named>,
    /// Its functions.
    pub functions: Vec<Function>,
    /// Its text.
    pub text: String,
    /// Whether all of it is for unit tests.
    pub is_test: bool,
}

/// A path of the crate, from its root.
pub struct Named {
    /// Where, from 1.
    pub line: usize,
    /// Its names, without `crate`.
    pub path: Vec<String>,
}

/// A function with a body.
pub struct Function {
    /// Its name.
    pub name: String,
    /// Where it begins, from 1.
    pub line: usize,
    /// Its lines, the first and the last included.
    pub lines: usize,
}

/// Every source of a library below `root`; its programs are left out.
pub fn read(root: &Path) -> Vec<Source> {
    let is_library = |file: &str| file != "main.rs" && !file.starts_with("bin/");
    let mut sources: Vec<_> = texts(root)
        .into_iter()
        .filter(|(file, _)| is_library(file))
        .map(|(file, text)| source(file, text))
        .collect();
    let for_tests: Vec<_> = sources.iter().flat_map(modules_for_tests).collect();
    for source in &mut sources {
        source.is_test = for_tests
            .iter()
            .any(|module| source.module.starts_with(module));
    }
    sources
}

/// The modules in files of their own that a file has for its unit tests alone.
fn modules_for_tests(source: &Source) -> Vec<Vec<String>> {
    let declared = source.text.split("#[cfg(test)]\n").skip(1);
    declared
        .filter_map(|text| text.lines().next()?.strip_suffix(';')?.split_once("mod "))
        .map(|(_, name)| [source.module.as_slice(), &[name.to_owned()]].concat())
        .collect()
}

/// Every file of Rust below `root` by its path from there, and its text.
pub fn texts(root: &Path) -> Vec<(String, String)> {
    let mut all = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let file = path.strip_prefix(root).unwrap().to_str().unwrap();
                all.push((file.replace('\\', "/"), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    all.sort();
    all
}

fn source(file: String, text: String) -> Source {
    let module: Vec<_> = file
        .trim_end_matches(".rs")
        .split('/')
        .filter(|name| *name != "lib")
        .map(str::to_owned)
        .collect();
    let tokens = tokens(&text);
    Source {
        paths: paths(&tokens, &module),
        functions: functions(&tokens),
        file,
        module,
        text,
        is_test: false,
    }
}

impl Source {
    /// The lines before its unit tests: all of them where it has none.
    pub fn product(&self) -> impl Iterator<Item = &str> {
        let tests = self.text.find("\n#[cfg(test)]\nmod tests");
        let end = if self.is_test {
            0
        } else {
            tests.unwrap_or(self.text.len())
        };
        self.text[..end].lines()
    }

    /// Its lines of code: without comments, blank lines and unit tests.
    pub fn code(&self) -> usize {
        let is_code = |line: &&str| !line.is_empty() && !line.starts_with("//");
        self.product().map(str::trim).filter(is_code).count()
    }
}

/// A name, `::`, or another character, and its line.
struct Token<'a> {
    text: &'a str,
    line: usize,
}

/// The text without comments, blanks, strings and characters.
fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let (mut at, mut line) = (0, 1);
    while at < text.len() {
        let rest = &text[at..];
        let (length, is_token) = token(rest);
        if is_token {
            tokens.push(Token {
                text: &rest[..length],
                line,
            });
        }
        line += rest[..length].matches('\n').count();
        at += length;
    }
    tokens
}

/// How long what stands first in `rest` is, and whether it counts.
fn token(rest: &str) -> (usize, bool) {
    let first = rest.chars().next().unwrap();
    let end = |end: &str| rest.find(end).map_or(rest.len(), |at| at + end.len());
    if rest.starts_with("//") {
        return (end("\n"), false);
    }
    if let Some(length) = raw(rest) {
        return (length, false);
    }
    if first == '"' {
        return (quoted(rest, '"'), false);
    }
    if first == '\'' {
        // A lifetime has no closing quote behind its first character.
        let mut characters = rest.chars().skip(1);
        let escaped = characters.next() == Some('\\');
        let is_character = escaped || characters.next() == Some('\'');
        return (if is_character { quoted(rest, '\'') } else { 1 }, false);
    }
    if rest.starts_with("::") {
        return (2, true);
    }
    if first.is_alphanumeric() || first == '_' {
        let is_name = |c: char| c.is_alphanumeric() || c == '_';
        return (rest.find(|c| !is_name(c)).unwrap_or(rest.len()), true);
    }
    (first.len_utf8(), !first.is_whitespace())
}

/// How long the raw string is that `rest` begins with, if it does.
fn raw(rest: &str) -> Option<usize> {
    let marked = rest.strip_prefix('b').unwrap_or(rest).strip_prefix('r')?;
    let text = marked.trim_start_matches('#').strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(marked.len() - text.len() - 1));
    let length = text.find(&end).map_or(text.len(), |at| at + end.len());
    Some(rest.len() - text.len() + length)
}

/// How long a literal is that begins and ends with `quote`.
fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// Every path that begins with `crate`, `super`, `self` or a child module.
fn paths(tokens: &[Token<'_>], module: &[String]) -> Vec<Named> {
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text);
    let children: Vec<_> = (0..tokens.len())
        .filter(|at| text(*at) == "mod" && text(at + 2) == ";")
        .map(|at| text(at + 1))
        .collect();
    let mut found = Vec::new();
    // Inline modules that are open, with the depth of their braces.
    let (mut inline, mut depth) = (Vec::<(String, usize)>::new(), 0);
    for at in 0..tokens.len() {
        match text(at) {
            "mod" if text(at + 2) == "{" => inline.push((text(at + 1).to_owned(), depth)),
            "{" => depth += 1,
            "}" => {
                depth -= 1;
                inline.retain(|(_, outside)| *outside < depth);
            }
            name if text(at + 1) == "::" && (at == 0 || text(at - 1) != "::") => {
                let names = inline.iter().map(|(name, _)| name.clone());
                let here: Vec<_> = module.iter().cloned().chain(names).collect();
                let start = match name {
                    "crate" => Vec::new(),
                    "self" => here,
                    "super" => here[..here.len().saturating_sub(1)].to_vec(),
                    child if children.contains(&child) && inline.is_empty() => {
                        [module, &[child.to_owned()]].concat()
                    }
                    _ => continue,
                };
                follow(tokens, at + 2, start, &mut found);
            }
            _ => {}
        }
    }
    found
}

/// Adds every path of the tree that goes on at `at`; gives the place behind it.
fn follow(tokens: &[Token<'_>], at: usize, mut path: Vec<String>, found: &mut Vec<Named>) -> usize {
    let Some(Token { text, line }) = tokens.get(at) else {
        return at;
    };
    if *text == "{" {
        let mut at = at + 1;
        while tokens[at].text != "}" {
            at = match tokens[at].text {
                "," => at + 1,
                _ => follow(tokens, at, path.clone(), found),
            };
        }
        return at + 1;
    }
    match *text {
        "super" => drop(path.pop()),
        "self" | "*" => {}
        name => path.push(name.to_owned()),
    }
    let next = tokens.get(at + 1).map_or("", |token| token.text);
    if next == "::" {
        return follow(tokens, at + 2, path, found);
    }
    found.push(Named { line: *line, path });
    // `as name`
    if next == "as" { at + 3 } else { at + 1 }
}

fn functions(tokens: &[Token<'_>]) -> Vec<Function> {
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        if token.text != "fn" || tokens.get(at + 1).is_none_or(|name| name.text == "(") {
            continue;
        }
        // A `;` of an array's type ends no declaration.
        let (mut depth, mut brackets) = (0, 0);
        for end in &tokens[at..] {
            match end.text {
                "(" | "[" => brackets += 1,
                ")" | "]" => brackets -= 1,
                _ => {}
            }
            match end.text {
                ";" if depth == 0 && brackets == 0 => break,
                "{" => depth += 1,
                "}" => depth -= 1,
                _ => continue,
            }
            if depth == 0 {
                found.push(Function {
                    name: tokens[at + 1].text.to_owned(),
                    line: token.line,
                    lines: end.line - token.line + 1,
                });
                break;
            }
        }
    }
    found
}
