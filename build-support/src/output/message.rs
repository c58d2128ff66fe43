//! A [`Diagnostic`] as one of cargo's own JSON messages (`cargo build --message-format=json`; the
//! Cargo Book, "External tools", and the rustc book, "JSON Output"), so that whatever reads a
//! compiler's messages shows a broken budget at its line. Only text is made here; the command
//! prints it.

use crate::diagnostic::{Diagnostic, Level, lines, place};
use crate::output::diagnostic;
use crate::project::package::Origin;
use serde_json::{Value, json};
use std::path::Path;

/// `diagnostic` as a line of JSON without its end. Files are named relative to `base`, the
/// workspace's root, as cargo does.
pub fn compiler_message(diagnostic: &Diagnostic, origin: &Origin, base: &Path) -> String {
    let rendered = diagnostic::draw(diagnostic, base, false);
    let children = [("note", &diagnostic.notes), ("help", &diagnostic.help)]
        .into_iter()
        .filter(|(_, lines)| !lines.is_empty())
        .map(|(level, lines)| message(&lines.join("\n"), Value::Null, level, Vec::new()));
    let code = json!({ "code": diagnostic.code, "explanation": null });
    let spans = vec![span(diagnostic, base)];
    let mut message = message(&diagnostic.message, code, level(diagnostic), spans);
    message["children"] = children.collect();
    message["rendered"] = format!("{rendered}\n").into();
    message["$message_type"] = "diagnostic".into();
    json!({
        "reason": "compiler-message",
        "package_id": origin.package_id,
        "manifest_path": origin.manifest,
        "target": origin.target.as_ref().map_or_else(no_target, |target| json!(target)),
        "message": message,
    })
    .to_string()
}

/// The last line, as cargo ends its messages.
pub fn build_finished(success: bool) -> String {
    json!({ "reason": "build-finished", "success": success }).to_string()
}

/// `diagnostic` in a line, as rustc's short form: `Cargo.toml:4:7: error[over-budget]: too large`.
pub fn short(diagnostic: &Diagnostic, base: &Path) -> String {
    let (line, column) = place(&diagnostic.source, diagnostic.span.start);
    format!(
        "{}:{line}:{column}: {}[{}]: {}",
        diagnostic::relative(&diagnostic.file, base).display(),
        level(diagnostic),
        diagnostic.code,
        diagnostic.message
    )
}

fn level(diagnostic: &Diagnostic) -> &'static str {
    match diagnostic.level {
        Level::Error => "error",
        Level::Warning => "warning",
    }
}

fn message(text: &str, code: Value, level: &str, spans: Vec<Value>) -> Value {
    json!({
        "message": text,
        "code": code,
        "level": level,
        "spans": spans,
        "children": [],
        "rendered": null,
    })
}

fn no_target() -> Value {
    json!({
        "kind": ["lib"],
        "crate_types": ["lib"],
        "name": "",
        "src_path": "",
        "edition": "2024",
        "doc": false,
        "doctest": false,
        "test": false,
    })
}

/// Bytes are counted from the file's first, lines and columns from 1, columns in characters, the
/// end being the first that is not in it.
fn span(diagnostic: &Diagnostic, base: &Path) -> Value {
    let source = &diagnostic.source;
    let start = source.floor_char_boundary(diagnostic.span.start);
    let end = source.floor_char_boundary(diagnostic.span.end).max(start);
    let (first, column) = place(source, start);
    let (last, end_column) = place(source, end);
    let marked = (1..)
        .zip(lines(source))
        .skip(first - 1)
        .take(last - first + 1);
    let text: Vec<Value> = marked
        .map(|(number, line)| {
            let text = &source[line];
            let from = if number == first { column } else { 1 };
            let whole = text.chars().count() + 1;
            let to = if number == last { end_column } else { whole };
            json!({ "text": text, "highlight_start": from, "highlight_end": to })
        })
        .collect();
    json!({
        "file_name": diagnostic::relative(&diagnostic.file, base),
        "byte_start": start,
        "byte_end": end,
        "line_start": first,
        "line_end": last,
        "column_start": column,
        "column_end": end_column,
        "is_primary": true,
        "text": text,
        "label": diagnostic.label,
        "suggested_replacement": null,
        "suggestion_applicability": null,
        "expansion": null,
    })
}

#[cfg(test)]
mod tests {
    use super::{compiler_message, place, short, span};
    use crate::diagnostic::{Diagnostic, Level};
    use crate::project::package::Origin;
    use cargo_metadata::Message;
    use std::path::Path;

    fn diagnostic(source: &str, span: std::ops::Range<usize>) -> Diagnostic {
        Diagnostic {
            level: Level::Error,
            code: "over-budget",
            message: "too large".into(),
            file: "/ws/app/Cargo.toml".into(),
            source: source.into(),
            span,
            label: "here".into(),
            notes: vec!["one".into(), "two".into()],
            help: vec!["raise it".into()],
        }
    }

    /// Protects editors: cargo's own reader takes the line, and finds place, level and remedy in
    /// it.
    #[test]
    fn is_read_as_cargos_own() {
        let source = "[limits]\n\u{e9}t\u{e9} = \"\u{fc}\"  # x\n";
        let at = source.find('"').unwrap();
        let origin = Origin {
            package_id: "path+file:///ws/app#0.1.0".into(),
            manifest: "/ws/app/Cargo.toml".into(),
            target: None,
        };
        let line = compiler_message(&diagnostic(source, at..at + 4), &origin, Path::new("/ws"));
        assert!(!line.contains('\n'));
        let Ok(Message::CompilerMessage(read)) = serde_json::from_str(&line) else {
            panic!("{line}");
        };
        let message = read.message;
        assert_eq!(message.message, "too large");
        assert_eq!(message.code.unwrap().code, "over-budget");
        assert_eq!(message.children.len(), 2);
        assert!(
            message
                .rendered
                .unwrap()
                .starts_with("error[over-budget]: too large\n --> app/Cargo.toml:2:7\n")
        );
        let span = &message.spans[0];
        assert_eq!(span.file_name, "app/Cargo.toml");
        assert_eq!((span.byte_start, span.byte_end), (at as u32, at as u32 + 4));
        assert_eq!((span.line_start, span.line_end), (2, 2));
        assert_eq!((span.column_start, span.column_end), (7, 10));
        let text = &span.text[0];
        assert_eq!((text.highlight_start, text.highlight_end), (7, 10));
        assert_eq!(text.text, "\u{e9}t\u{e9} = \"\u{fc}\"  # x");
        assert_eq!(span.label.as_deref(), Some("here"));
        assert_eq!(
            short(&diagnostic(source, at..at + 4), Path::new("/ws")),
            "app/Cargo.toml:2:7: error[over-budget]: too large"
        );
    }

    #[test]
    fn marks_and_line_ends_of_windows_do_not_shift_the_place() {
        let source = "\u{feff}[a]\r\nraw = 7\r\n";
        let at = source.find('7').unwrap();
        assert_eq!(place(source, at), (2, 7));
        assert_eq!(place(source, source.find('[').unwrap()), (1, 1));
        let span = span(&diagnostic(source, at..at + 1), Path::new("/ws"));
        assert_eq!(
            (&span["byte_start"], &span["text"][0]["text"]),
            (&at.into(), &"raw = 7".into())
        );
    }

    #[test]
    fn several_lines_are_highlighted_one_by_one() {
        let source = "a = [\n  1,\n]\n";
        let span = span(&diagnostic(source, 4..source.len() - 1), Path::new("/ws"));
        let lines: Vec<_> = span["text"]
            .as_array()
            .unwrap()
            .iter()
            .map(|line| {
                (
                    line["highlight_start"].as_u64().unwrap(),
                    line["highlight_end"].as_u64().unwrap(),
                )
            })
            .collect();
        assert_eq!(lines, [(5, 6), (1, 5), (1, 2)]);
    }

    /// Manifests are the user's, and spans are arithmetic.
    #[test]
    fn no_span_makes_it_panic() {
        for source in [
            "",
            "\u{feff}",
            "\u{feff}\u{e9} = \"\u{fc}\"\r\n\r\n",
            "\n",
            "\r",
            "x",
        ] {
            for start in 0..source.len() + 3 {
                for end in 0..source.len() + 3 {
                    let span = span(&diagnostic(source, start..end), Path::new("/ws"));
                    assert!(span["line_end"].as_u64() >= span["line_start"].as_u64());
                }
            }
        }
    }
}
