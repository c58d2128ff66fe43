//! A demangled Rust name taken apart, so that rules match its structure and not its letters: a
//! user's `impl Display for my::panicking::Error` is not a function of `core::panicking`.
//!
//! Legacy and v0 names demangle to the same grammar: `a::b::c`, `<T>::f`, `<T as Trait>::f`, with
//! generic arguments in angle brackets (Rust reference, "Paths"; RFC 2603). [`hashes`] reads names
//! that were demangled before, [`language`] tells Rust's from others.

mod hashes;
mod language;

pub use language::{is_rust, says_its_crate};

use std::fmt;

/// What a function's name says about where it is defined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// A free function, or an inherent method written with a plain path:
    /// `core::option::unwrap_failed`.
    Module,
    /// An inherent method on a type: `<alloc::vec::Vec<T>>::push`; the type is kept.
    Type(String),
    /// A method of a trait for a type: `<T as core::fmt::Display>::fmt`; the self type is kept.
    Trait(String),
}

/// A demangled name in parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RustPath {
    /// Where it is defined.
    pub owner: Owner,
    /// The segments without generic arguments: for [`Owner::Module`] from the crate on, else from
    /// behind the `>`.
    pub segments: Vec<String>,
}

/// How many times as long as its symbol a name may be; `tests/it/foreign.rs` sees to it that no
/// compiler's comes near.
const EXPANSION: usize = 8;

/// Demangles a symbol to its readable form without hash or crate disambiguators; a name that is not
/// Rust's stays as it is; one that was demangled before loses its hashes. As it is stays, too, what
/// would be more than eight times as long as its symbol: v0 names can refer back to parts of
/// themselves, so that a hundred bytes stand for a megabyte.
pub fn demangle(symbol: &str) -> String {
    if rustc_demangle::try_demangle(symbol).is_err() {
        return hashes::left_out(symbol).into_owned();
    }
    let mut name = Bounded {
        text: String::new(),
        limit: symbol.len().saturating_mul(EXPANSION),
    };
    match fmt::write(
        &mut name,
        format_args!("{:#}", rustc_demangle::demangle(symbol)),
    ) {
        Ok(()) => name.text,
        Err(_) => symbol.to_owned(),
    }
}

/// Takes so many bytes and no more.
struct Bounded {
    text: String,
    limit: usize,
}

impl fmt::Write for Bounded {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        if self.text.len() + more.len() > self.limit {
            return Err(fmt::Error);
        }
        self.text.push_str(more);
        Ok(())
    }
}

/// How the names of data begin that is called after functions, and of what nothing tells apart.
pub const VTABLE: &str = "vtable with ";
/// See [`VTABLE`].
pub const SWITCH_TABLE: &str = "switch table of ";
/// See [`VTABLE`].
pub const ANONYMOUS: &str = "anonymous data of ";

/// How the names of functions begin that stand for pieces of others.
pub const OUTLINED: &str = "outlined from ";

/// Of the name of such a function the name that it begins with, that of most of its pieces.
pub fn outlined_from(name: &str) -> Option<&str> {
    let from = name.strip_prefix(OUTLINED)?;
    let first = [", ", " and "].map(|separator| split_top(from, separator));
    let first = first.into_iter().flatten().map(|(first, _)| first);
    Some(first.min_by_key(|first| first.len()).unwrap_or(from))
}

/// A demangled name without any list of generic arguments: what all instances of a generic item
/// share. `<Vec<u8> as T<A>>::f::<B>` is `<Vec as T>::f`.
pub fn without_arguments(name: &str) -> String {
    let mut kept = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(open) = rest.find('<') {
        let (before, behind) = rest.split_at(open);
        kept.push_str(before);
        let follows = |test: fn(char) -> bool| kept.chars().next_back().is_some_and(test);
        let arguments = follows(|c| c.is_alphanumeric() || matches!(c, '_' | '}'))
            && !kept.ends_with("::operator")
            || (kept.ends_with("::") && !behind.starts_with("<impl "));
        if !arguments {
            kept.push('<');
            rest = &behind[1..];
            continue;
        }
        if kept.ends_with("::") {
            kept.truncate(kept.len() - 2);
        }
        rest = split_at_close(&behind[1..]).map_or("", |(_, rest)| rest);
    }
    kept.push_str(rest);
    kept
}

impl RustPath {
    /// Takes a demangled name apart.
    pub fn parse(name: &str) -> Self {
        let (owner, rest) = match name.strip_prefix('<').and_then(|rest| split_at_close(rest)) {
            Some((inside, rest)) => {
                let owner = match split_top(inside, " as ") {
                    Some((this, _)) => Owner::Trait(this.to_owned()),
                    None => Owner::Type(inside.to_owned()),
                };
                (owner, rest.strip_prefix("::").unwrap_or(rest))
            }
            None => (Owner::Module, name),
        };
        Self {
            owner,
            segments: segments(rest),
        }
    }

    /// The crate the code belongs to: the path's first segment, or that of the type it is a method
    /// of.
    pub fn krate(&self) -> &str {
        match &self.owner {
            Owner::Module => self.segments.first().map_or("", String::as_str),
            Owner::Type(this) | Owner::Trait(this) => {
                let path = type_path(this);
                path.split_once("::").map_or(path, |(krate, _)| krate)
            }
        }
    }

    /// The path of the module the code is in, or of the type it is a method of: `a::b` for
    /// `a::b::f` and for the closures in it.
    pub fn module(&self) -> String {
        match &self.owner {
            Owner::Module => {
                let item = self.segments.iter().rposition(|s| !s.starts_with('{'));
                self.segments[..item.unwrap_or(0)].join("::")
            }
            Owner::Type(this) | Owner::Trait(this) => {
                type_path(this).trim_end_matches(':').to_owned()
            }
        }
    }
}

/// The path a type begins with, its arguments left out; `core` where it has none, as primitive
/// types.
fn type_path(this: &str) -> &str {
    let this = bare(this);
    let outside = |c: char| !(c.is_alphanumeric() || matches!(c, '_' | ':'));
    let path = this.split(outside).next().unwrap_or("");
    if path.contains("::") { path } else { "core" }
}

/// A type without what stands in front of its path: references, pointers, brackets.
fn bare(this: &str) -> &str {
    let this = this.trim_start_matches(['&', '*', '[', '(', ' ']);
    let this = this
        .strip_prefix("mut ")
        .or(this.strip_prefix("const "))
        .unwrap_or(this);
    this.strip_prefix("dyn ").unwrap_or(this)
}

impl fmt::Display for RustPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.owner {
            Owner::Module => {}
            Owner::Type(this) | Owner::Trait(this) => write!(f, "<{this}>::")?,
        }
        f.write_str(&self.segments.join("::"))
    }
}

/// Splits `T as Trait>::rest` (its `<` already taken) at the bracket that closes it.
fn split_at_close(text: &str) -> Option<(&str, &str)> {
    let close = top_level(text)
        .find(|&(depth, _, c)| depth == 0 && c == '>')?
        .1;
    Some((&text[..close], &text[close + 1..]))
}

fn split_top<'a>(text: &'a str, separator: &str) -> Option<(&'a str, &'a str)> {
    let at = top_level(text)
        .find(|&(depth, at, _)| depth == 0 && text[at..].starts_with(separator))?
        .1;
    Some((&text[..at], &text[at + separator.len()..]))
}

/// `a::b<T>::{closure#0}` → `a`, `b`, `{closure#0}`; a segment that is only generic arguments
/// (`f::<T>`, `<impl [T]>`) keeps its text if it is an `impl`, and goes if it is arguments.
fn segments(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut rest = text;
    loop {
        let (segment, tail) = split_top(rest, "::").unwrap_or((rest, ""));
        let bare = if segment.starts_with("<impl ") {
            segment
        } else {
            segment.split('<').next().unwrap_or("")
        };
        if !bare.is_empty() {
            out.push(bare.to_owned());
        }
        if tail.is_empty() {
            return out;
        }
        rest = tail;
    }
}

/// Every character with the bracket depth before it; the `>` of `->` closes nothing.
fn top_level(text: &str) -> impl Iterator<Item = (i32, usize, char)> + '_ {
    let mut depth = 0;
    let mut previous = ' ';
    text.char_indices().map(move |(at, c)| {
        let arrow = c == '>' && previous == '-';
        previous = c;
        let closes = matches!(c, ')' | ']' | '}') || (c == '>' && !arrow);
        if closes {
            let before = depth;
            depth -= 1;
            return (before, at, c);
        }
        let before = depth;
        if matches!(c, '<' | '(' | '[' | '{') {
            depth += 1;
        }
        (before, at, if arrow { '-' } else { c })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Protects the rules from names that only look like the standard library's.
    #[test]
    fn structure_of_both_manglings() {
        let module = |s: &str| RustPath::parse(s).segments.join("/");
        assert_eq!(
            module(&demangle(
                "_ZN4core6option13unwrap_failed17h0123456789abcdefE"
            )),
            "core/option/unwrap_failed"
        );
        assert_eq!(
            module(&demangle("_RNvNtCs3Ks1mVPDHNs_4core6option13unwrap_failed")),
            "core/option/unwrap_failed"
        );
        let user = RustPath::parse("<app::core::panicking::E as core::fmt::Display>::fmt");
        assert_eq!(user.owner, Owner::Trait("app::core::panicking::E".into()));
        assert_eq!(user.segments, ["fmt"]);
        assert_eq!(user.krate(), "app");
        let inherent =
            RustPath::parse("<alloc::vec::Vec<fn(u8) -> u8>>::swap_remove::assert_failed");
        assert_eq!(
            inherent.owner,
            Owner::Type("alloc::vec::Vec<fn(u8) -> u8>".into())
        );
        assert_eq!(inherent.segments, ["swap_remove", "assert_failed"]);
        assert_eq!(
            module("core::panicking::assert_failed::<usize, usize>"),
            "core/panicking/assert_failed"
        );
        assert_eq!(
            module("core::slice::<impl [T]>::copy_from_slice::len_mismatch_fail"),
            "core/slice/<impl [T]>/copy_from_slice/len_mismatch_fail"
        );
        assert_eq!(
            RustPath::parse("<&mut dyn app::T as core::fmt::Write>::x").krate(),
            "app"
        );
        assert_eq!(
            RustPath::parse("<[u8] as core::fmt::Debug>::fmt").krate(),
            "core"
        );
    }

    /// Protects memory: a name is as long as its symbol says, not as long as a hostile one can make
    /// it.
    #[test]
    fn names_that_repeat_themselves_stay_as_they_are() {
        // `a::b::<(), ((), ()), (((), ()), ((), ())), …>`, each part twice the one before by
        // references back to it.
        let mut symbol = "_RINvC1a1bu".to_owned();
        let reference = |position: usize| match position {
            0 => "B_".to_owned(),
            n => {
                let (high, low) = ((n - 1) / 62, (n - 1) % 62);
                let digit = |n: usize| {
                    char::from(b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"[n])
                };
                let high = (high > 0).then(|| digit(high)).into_iter();
                let digits: String = high.chain([digit(low)]).collect();
                format!("B{digits}_")
            }
        };
        let mut previous = symbol.len() - 1 - "_R".len();
        let mut lengths = Vec::new();
        for _ in 0..30 {
            let position = symbol.len() - "_R".len();
            let back = reference(previous);
            symbol.push_str(&format!("T{back}{back}E"));
            previous = position;
            let whole = format!("{symbol}E");
            lengths.push((whole.len(), demangle(&whole).len()));
            assert!(demangle(&whole).len() <= EXPANSION * whole.len(), "{whole}");
        }
        assert!(
            lengths[2].1 > lengths[2].0,
            "{lengths:?}: a short one is demangled"
        );
        assert_eq!(
            lengths[29].0, lengths[29].1,
            "{lengths:?}: the last would have 2^30 parts"
        );
    }

    /// Names come from files: none may panic.
    #[test]
    fn odd_names_are_harmless() {
        for name in [
            "",
            "<",
            ">",
            "<<>>",
            "::",
            "<T",
            "a::",
            "->",
            "é::<ü>::x",
            "<T as >",
            ")(",
            "<impl ",
        ] {
            let path = RustPath::parse(name);
            let _ = (path.krate().len(), path.to_string());
        }
    }
}
