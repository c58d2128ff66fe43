//! Paths from outside: what is allowed of them, before anything is asked of a platform.

use clawft_types::{AgentError, ErrorCode, Result, text};
use core_alloc::string::String;

use crate::platform::STATE;

/// The longest path, in bytes.
const MAX_PATH: usize = 1024;

/// The part of `path` up to its last `/`, with that.
pub(super) fn folder_of(path: &str) -> &str {
    let name = path.bytes().rev().take_while(|byte| *byte != b'/').count();
    path.get(..path.len() - name).unwrap_or_default()
}

/// `path` from outside, without `.` and doubled slashes; `.` for the root itself.
///
/// # Errors
///
/// `path_outside_sandbox` for an empty or absolute path, one with `..`, a backslash or NUL, one
/// that leads into [`STATE`], or is longer than 1,024 bytes.
pub fn normal(path: &str) -> Result<String> {
    joined(path, false)
        .and_then(|path| {
            if is_state(&path) {
                Err("belongs to the agent")
            } else {
                Ok(path)
            }
        })
        .map_err(|why| {
            let shown = text::first_characters(path, 80);
            AgentError::new(
                ErrorCode::PathOutsideSandbox,
                "path \"{}\": {}",
                &[shown, why],
            )
        })
}

/// Whether `path` is [`STATE`], in any case, or in it.
pub(super) fn is_state(path: &str) -> bool {
    let mut parts = Some(path);
    let first = text::next_part(&mut parts, "/").unwrap_or_default();
    first.eq_ignore_ascii_case(STATE)
}

/// `path` without `.` and doubled slashes, and where it goes `up` without `..`; or why there is
/// none.
pub(super) fn joined(path: &str, up: bool) -> Result<String, &'static str> {
    if path.is_empty() {
        return Err("is empty");
    }
    if path.len() > MAX_PATH {
        return Err("is too long");
    }
    if path.starts_with('/') {
        return Err("is absolute");
    }
    if path.bytes().any(|byte| byte == 0 || byte == b'\\') {
        return Err("has a character that is not allowed");
    }
    let mut out = String::new();
    let mut parts = Some(path);
    while let Some(part) = text::next_part(&mut parts, "/") {
        if part.is_empty() || part == "." {
            continue;
        }
        if part == ".." {
            if !up || out.is_empty() {
                return Err("leads out of the root");
            }
            let folder = folder_of(&out).len();
            out.truncate(folder.saturating_sub(1));
            continue;
        }
        text::push_item(&mut out, "/", part);
    }
    if out.is_empty() {
        out.push('.');
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_paths() {
        for (path, want) in [
            ("a", "a"),
            ("./a//b/", "a/b"),
            (".", "."),
            ("./", "."),
            ("a/./b", "a/b"),
            ("...", "..."),
            ("a/.clawft", "a/.clawft"),
            (".clawft2", ".clawft2"),
            ("é/日本", "é/日本"),
            ("a b", "a b"),
        ] {
            assert_eq!(normal(path).unwrap(), want);
        }
    }

    #[test]
    fn bad_paths() {
        for path in [
            "",
            "/",
            "/etc/passwd",
            "..",
            "../a",
            "a/../../b",
            "a/..",
            "a\0b",
            "..\\a",
            "C:\\a",
            ".clawft",
            ".clawft/sessions/a.json",
            "./.clawft",
            ".//.Clawft/x",
            &"x".repeat(1025),
        ] {
            assert_eq!(
                normal(path).unwrap_err().code,
                ErrorCode::PathOutsideSandbox,
                "{path}"
            );
        }
    }
}
