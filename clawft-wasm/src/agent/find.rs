//! The tool `find_text`: the lines of files that have a text in them.

use clawft_types::json::decimal;
use clawft_types::{AgentError, ErrorCode, Result, text};
use core_alloc::string::String;
use core_alloc::vec::Vec;

use super::workspace::Workspace;

/// Files and directories that are looked into.
const MAX_PLACES: usize = 2000;

/// How deep a file may be: links can go round in circles.
const MAX_DEPTH: usize = 16;

/// Lines that are shown, and characters of each.
const MAX_LINES: u64 = 200;
const SHOWN: usize = 200;

/// The lines of the files at `path` and below that have `wanted` in them, as `PATH:LINE: TEXT`.
/// Files that hold no text, or more than `limit` bytes, are passed over.
///
/// # Errors
///
/// `invalid_arguments` for nothing, and what `path` itself has: `not_found` and the like.
pub fn find(wanted: &str, path: &str, limit: u64, workspace: &Workspace) -> Result<String> {
    if wanted.is_empty() {
        let message = "find_text.text: expected a text, got nothing";
        return Err(AgentError::new(ErrorCode::InvalidArguments, message, &[]));
    }
    let mut found = String::new();
    let mut lines = 0;
    let mut places = 0;
    // The next is the last.
    let mut waiting: Vec<String> = [workspace.inside(path)?].into();
    while let Some(place) = waiting.pop() {
        places += 1;
        if places > MAX_PLACES {
            let note = "(there are more than 2000 files, of which these are the first)";
            text::push_item(&mut found, "\n", note);
            break;
        }
        let names = match workspace.list(&place, limit) {
            Ok(names) => names,
            Err(error) if error.code == ErrorCode::WrongKind => {
                match workspace.read(&place, limit) {
                    Ok(file) => add(&place, &file, wanted, &mut lines, &mut found),
                    Err(error) if places == 1 => return Err(error),
                    Err(_) => {}
                }
                if lines >= MAX_LINES {
                    text::push_item(&mut found, "\n", "(there may be more than 200 lines)");
                    break;
                }
                continue;
            }
            Err(error) if places == 1 => return Err(error),
            Err(_) => continue,
        };
        // Files come before what is below.
        for is_below in [true, false] {
            for name in names
                .iter()
                .rev()
                .filter(|name| name.ends_with('/') == is_below)
            {
                let inner = text::fill("{}/{}", &[&place, name]);
                // What leads out of the root is not followed.
                if let Ok(inner) = workspace.inside(&inner)
                    && inner.bytes().filter(|byte| *byte == b'/').count() < MAX_DEPTH
                {
                    waiting.push(inner);
                }
            }
        }
    }
    Ok(found)
}

/// Adds the lines of a file.
fn add(path: &str, file: &str, wanted: &str, lines: &mut u64, found: &mut String) {
    let mut number = 0;
    let mut rest = Some(file);
    while let Some(line) = text::next_part(&mut rest, "\n") {
        number += 1;
        if text::find(line, wanted).is_some() {
            let shown = text::first_characters(line, SHOWN);
            let item = text::fill("{}:{}: {}", &[path, &decimal(number), shown]);
            text::push_item(found, "\n", &item);
            *lines += 1;
            if *lines >= MAX_LINES {
                return;
            }
        }
    }
}
