//! Lines of an engine's backtrace → the same lines with names. Whatever is no frame stays as it is,
//! to the byte.
//!
//! | engine | a frame without names | it becomes |
//! |---|---|---|
//! | wasmtime | `0: 0x1a2b - <unknown>!<wasm function 12>` | `0: 0x1a2b - <unknown>!app::run` |
//! | V8 (node, Chrome) | `at wasm://wasm/abcdef12:wasm-function[12]:0x1a2b` | `at app::run (wasm://wasm/abcdef12:wasm-function[12]:0x1a2b)` |
//! | SpiderMonkey (Firefox) | `@http://h/app.wasm:wasm-function[12]:0x1a2b` | `app::run@http://h/app.wasm:wasm-function[12]:0x1a2b` |
//! | JavaScriptCore (Safari) | `<?>.wasm-function[12]@[wasm code]` | `app::run@[wasm code]` |
//! | WAMR | `#00: 0x0123 - $f12` | `#00: 0x0123 - app::run` |
//!
//! A `wasm-function[12]` anywhere else, as in a stack that a log has on one line, gets the name
//! behind it in parentheses. wasmi has no backtraces.
//!
//! The offset is where the instruction is: wasmtime counts from the beginning of the file,
//! component or not, browsers from that of the module, and of WAMR's it depends on how it was
//! built. In a component it says which module a frame is of, and it shows a trace that is of
//! another build.

use super::{Function, Scope, SymbolMap};
use std::collections::HashMap;

/// Names the frames of traces, and counts.
pub struct Tracer<'m> {
    modules: Vec<Names<'m>>,
    /// What was found so far.
    pub tally: Tally,
}

/// What a trace had.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Frames that got a name.
    pub named: u64,
    /// Frames of functions that the map does not have; they were left as they are.
    pub unknown: u64,
    /// Frames whose place is not in the function they name: the trace is of another build.
    pub misplaced: u64,
}

/// A module's functions by index.
struct Names<'m> {
    core: u32,
    offset: u64,
    functions: HashMap<u32, &'m Function>,
}

/// What an offset is counted from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Base {
    File,
    Module,
}

/// A function in a trace.
#[derive(Debug, Clone, Copy)]
struct Frame {
    index: u32,
    offset: Option<(Base, u64)>,
}

impl<'m> Tracer<'m> {
    /// For traces of the file, or of the module taken out of it, that `scope` says.
    pub fn new(map: &'m SymbolMap, scope: Scope) -> Self {
        let modules = map.modules.iter();
        let modules =
            modules.filter(|module| !matches!(scope, Scope::Module(only) if only != module.core));
        let names = modules.map(|module| Names {
            core: module.core,
            offset: match scope {
                Scope::File => module.offset,
                Scope::Module(_) => 0,
            },
            functions: module.functions.iter().map(|f| (f.index, f)).collect(),
        });
        Self {
            modules: names.collect(),
            tally: Tally::default(),
        }
    }

    /// The line with names; none where nothing in it gets one.
    pub fn line(&mut self, line: &str) -> Option<String> {
        None.or_else(|| self.wasmtime(line))
            .or_else(|| self.javascript(line))
            .or_else(|| self.wamr(line))
    }

    fn wasmtime(&mut self, line: &str) -> Option<String> {
        let (before, index, after) = number_between(line, "<wasm function ", ">")?;
        // `    0:   0x1b - <unknown>!`; with debug information there is no offset but a line of its
        // own.
        let offset = before.rsplit_once(" - ").and_then(|(place, _)| {
            let digits = place.trim_end().rsplit_once("0x")?.1;
            u64::from_str_radix(digits, 16).ok()
        });
        let offset = offset.map(|offset| (Base::File, offset));
        let name = self.name(Frame { index, offset })?;
        Some(format!("{before}{name}{after}"))
    }

    fn javascript(&mut self, line: &str) -> Option<String> {
        const OPEN: &str = "wasm-function[";
        let (_, index, after) = number_between(line, OPEN, "]")?;
        let (offset, rest) = offset_in_front(after);
        let more = number_between(rest, OPEN, "]").is_some();
        let (indent, content) = line.split_at(line.len() - line.trim_start().len());
        if let Some(frame) = content.strip_prefix("at ")
            && !more
        {
            // V8: `at PLACE`, or `at NAME (PLACE)` where it knows an export's name.
            let place = &frame[..frame.len() - rest.len()];
            let place = place.rsplit_once(" (").map_or(place, |(_, place)| place);
            let behind = rest.strip_prefix(')').unwrap_or(rest);
            let name = self.name(Frame { index, offset })?;
            return Some(format!("{indent}at {name} ({place}){behind}"));
        }
        // SpiderMonkey and JavaScriptCore: `NAME@PLACE`. The first of the two has the function in
        // its place.
        if let Some((name, place)) = content.split_once('@')
            && !name.contains(char::is_whitespace)
        {
            let (again, offset, rest) = match number_between(place, OPEN, "]") {
                Some((_, again, after)) => {
                    let (offset, rest) = offset_in_front(after);
                    (again, offset, rest)
                }
                None => (index, None, ""),
            };
            if again == index && number_between(rest, OPEN, "]").is_none() {
                let name = self.name(Frame { index, offset })?;
                return Some(format!("{indent}{name}@{place}"));
            }
        }
        self.annotated(line)
    }

    /// Every function in the line with its name behind it.
    fn annotated(&mut self, line: &str) -> Option<String> {
        let mut out = String::new();
        let mut rest = line;
        let mut named = false;
        while let Some((_, index, after)) = number_between(rest, "wasm-function[", "]") {
            let (offset, after) = offset_in_front(after);
            out.push_str(&rest[..rest.len() - after.len()]);
            if let Some(name) = self.name(Frame { index, offset }) {
                named = true;
                out.push_str(&format!(" ({name})"));
            }
            rest = after;
        }
        out.push_str(rest);
        named.then_some(out)
    }

    fn wamr(&mut self, line: &str) -> Option<String> {
        let frame = line.trim_start().strip_prefix('#')?;
        let digits = frame.trim_start_matches(|c: char| c.is_ascii_digit());
        if digits.len() == frame.len() {
            return None;
        }
        let (before, index) = line.trim_end().rsplit_once("$f")?;
        if !before.ends_with(' ') {
            return None;
        }
        let after = &line[line.trim_end().len()..];
        let frame = Frame {
            index: index.parse().ok()?,
            offset: None,
        };
        let name = self.name(frame)?;
        Some(format!("{before}{name}{after}"))
    }

    /// The name to show: with the module where there are several, and all that it may be where that
    /// is not clear.
    fn name(&mut self, frame: Frame) -> Option<String> {
        let all: Vec<_> = self
            .modules
            .iter()
            .filter_map(|module| Some((module, *module.functions.get(&frame.index)?)))
            .collect();
        let here: Vec<_> = match frame.offset {
            None => all.clone(),
            Some(offset) => {
                let inside =
                    |(module, function): &&(&Names<'_>, &Function)| module.holds(function, offset);
                all.iter().filter(inside).copied().collect()
            }
        };
        let several = self.modules.len() > 1;
        let shown = |(module, function): &(&Names<'_>, &Function)| {
            if several {
                format!("{} [core module {}]", function.name, module.core)
            } else {
                function.name.clone()
            }
        };
        match (here.as_slice(), all.as_slice()) {
            (_, []) => {
                self.tally.unknown += 1;
                None
            }
            ([], all) => {
                self.tally.misplaced += 1;
                self.tally.named += 1;
                Some(format!("{} [the offset is not in it]", one_of(all, shown)))
            }
            (here, _) => {
                self.tally.named += 1;
                Some(one_of(here, shown))
            }
        }
    }
}

impl Names<'_> {
    fn holds(&self, function: &Function, (base, offset): (Base, u64)) -> bool {
        let offset = match base {
            Base::File => offset.checked_sub(self.offset),
            Base::Module => Some(offset),
        };
        let Some((offset, body)) = offset.zip(function.body) else {
            return false;
        };
        let end = body.offset.saturating_add(body.bytes);
        // An engine may point behind a call, and the call may be the last instruction.
        (body.offset..=end).contains(&offset)
    }
}

fn one_of<T>(candidates: &[T], shown: impl Fn(&T) -> String) -> String {
    let names: Vec<_> = candidates.iter().map(shown).collect();
    match names.as_slice() {
        [only] => only.clone(),
        several => format!("one of {{{}}}", several.join(", ")),
    }
}

/// The first number that stands between `open` and `close`, and what is around the three.
fn number_between<'l>(line: &'l str, open: &str, close: &str) -> Option<(&'l str, u32, &'l str)> {
    let mut from = 0;
    while let Some(at) = line[from..].find(open) {
        let at = from + at;
        let inside = &line[at + open.len()..];
        if let Some((digits, after)) = inside.split_once(close)
            && !digits.is_empty()
            && digits.bytes().all(|digit| digit.is_ascii_digit())
            && let Ok(number) = digits.parse()
        {
            return Some((&line[..at], number, after));
        }
        from = at + open.len();
    }
    None
}

/// The `:0x1a2b` that `text` begins with, and what follows.
fn offset_in_front(text: &str) -> (Option<(Base, u64)>, &str) {
    let Some(digits) = text.strip_prefix(":0x") else {
        return (None, text);
    };
    let rest = digits.trim_start_matches(|c: char| c.is_ascii_hexdigit());
    let digits = &digits[..digits.len() - rest.len()];
    match u64::from_str_radix(digits, 16) {
        Ok(offset) => (Some((Base::Module, offset)), rest),
        Err(_) => (None, text),
    }
}
