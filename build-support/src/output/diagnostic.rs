//! Draws a [`Diagnostic`] as rustc draws its own, so that people know where to look and the
//! editors' `$rustc` problem matcher finds the place. Only text is made here; the command prints
//! it. What is said of a verdict is in `limits` and `growth`.

mod growth;
mod limits;
mod rows;

pub use growth::{BaselineText, DRIFTED, GREW, UNJUDGED, WEAKENED, growth, weakened, what_grew};
pub use limits::{OVER_BUDGET, limits};

use crate::diagnostic::{Diagnostic, Level};
use crate::report::units;
use annotate_snippets::{AnnotationKind, Group, Level as Drawn, Renderer, Snippet};
use std::path::{Path, PathBuf};

/// `diagnostic` as text that ends in a newline. The file is named relative to `base` (the current
/// directory, usually) where it lies below it. `colour` adds ANSI escapes.
pub fn draw(diagnostic: &Diagnostic, base: &Path, colour: bool) -> String {
    let level = match diagnostic.level {
        Level::Error => Drawn::ERROR,
        Level::Warning => Drawn::WARNING,
    };
    let path = relative(&diagnostic.file, base).display().to_string();
    // A byte order mark is neither drawn nor counted as a column, by editors and by rustc.
    let source = diagnostic.source.as_str();
    let source = source.strip_prefix('\u{feff}').unwrap_or(source);
    let mark = diagnostic.source.len() - source.len();
    let start = source.floor_char_boundary(diagnostic.span.start.saturating_sub(mark));
    let end = source
        .floor_char_boundary(diagnostic.span.end.saturating_sub(mark))
        .max(start);
    let snippet = Snippet::source(source).path(path).annotation(
        AnnotationKind::Primary
            .span(start..end)
            .label(diagnostic.label.as_str()),
    );
    let message = line(&diagnostic.message);
    let mut group = Group::with_title(level.primary_title(message.as_str()).id(diagnostic.code))
        .element(snippet);
    if !diagnostic.notes.is_empty() {
        group = group.element(Drawn::NOTE.message(lines(&diagnostic.notes)));
    }
    if !diagnostic.help.is_empty() {
        group = group.element(Drawn::HELP.message(lines(&diagnostic.help)));
    }
    let renderer = if colour {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let drawn = renderer.render(&[group]);
    // The frame of an empty line keeps a blank at its end; neither goldens nor terminals want it.
    let mut text: String = drawn
        .lines()
        .flat_map(|line| [line.trim_end(), "\n"])
        .collect();
    if text.is_empty() {
        text.push('\n');
    }
    text
}

/// Names in a message may come from a file that somebody else has made.
fn line(text: &str) -> String {
    units::shorten(text, units::LONGEST_LINE)
}

fn lines(all: &[String]) -> String {
    let all: Vec<_> = all.iter().map(|text| line(text)).collect();
    all.join("\n")
}

/// Every diagnostic of `all`, an empty line between two of them.
pub fn draw_all(all: &[Diagnostic], base: &Path, colour: bool) -> String {
    let drawn = all.iter().map(|diagnostic| draw(diagnostic, base, colour));
    drawn.collect::<Vec<_>>().join("\n")
}

/// `file` as it is named: relative to `base` where it lies below it.
pub(crate) fn relative(file: &Path, base: &Path) -> PathBuf {
    match file.strip_prefix(base) {
        Ok(below) if !below.as_os_str().is_empty() => below.to_owned(),
        _ => file.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{draw, draw_all};
    use crate::diagnostic::{Diagnostic, Level};
    use std::path::Path;

    fn diagnostic(source: &str, needle: &str) -> Diagnostic {
        let start = source.find(needle).unwrap();
        Diagnostic {
            level: Level::Error,
            code: "over-budget",
            message: "too large".into(),
            file: "/ws/app/Cargo.toml".into(),
            source: source.into(),
            span: start..start + needle.len(),
            label: "here".into(),
            notes: vec!["one".into(), "two".into()],
            help: vec!["mend it".into()],
        }
    }

    const SOURCE: &str = "[package]\nname = \"app\"\n[limits]\nraw = 7\n";

    #[test]
    fn is_drawn_as_rustc_does() {
        let text = draw(&diagnostic(SOURCE, "7"), Path::new("/ws"), false);
        let expected = "\
error[over-budget]: too large
 --> app/Cargo.toml:4:7
  |
4 | raw = 7
  |       ^ here
  |
  = note: one
          two
  = help: mend it
";
        assert_eq!(text, expected);
    }

    /// Protects the terminal: a name in a report may be as long as its author likes, and hold what
    /// a terminal obeys.
    #[test]
    fn a_line_is_as_long_as_can_be_read() {
        let long = Diagnostic {
            message: format!("not built for {}\u{1b}[2J", "x".repeat(20_000)),
            notes: vec!["y".repeat(20_000), "short".into()],
            ..diagnostic(SOURCE, "7")
        };
        let text = draw(&long, Path::new("/ws"), false);
        assert!(text.len() < 3_000, "{} bytes", text.len());
        assert!(!text.contains('\u{1b}') && text.contains("short"), "{text}");
    }

    /// The two patterns of VS Code's `$rustc` matcher, by hand.
    #[test]
    fn is_found_by_the_rustc_problem_matcher() {
        for level in [Level::Error, Level::Warning] {
            let text = draw(
                &Diagnostic {
                    level,
                    ..diagnostic(SOURCE, "7")
                },
                Path::new("/ws"),
                false,
            );
            let mut lines = text.lines();
            let (severity, message) = lines.next().unwrap().split_once("]: ").unwrap();
            assert_eq!(
                severity,
                if level == Level::Error {
                    "error[over-budget"
                } else {
                    "warning[over-budget"
                }
            );
            assert_eq!(message, "too large");
            let place = lines
                .next()
                .unwrap()
                .trim_start()
                .strip_prefix("--> ")
                .unwrap();
            let parts: Vec<&str> = place.rsplitn(3, ':').collect();
            assert_eq!(parts, ["7", "4", "app/Cargo.toml"]);
        }
    }

    #[test]
    fn a_file_elsewhere_keeps_its_path() {
        let text = draw(&diagnostic(SOURCE, "7"), Path::new("/elsewhere"), false);
        assert!(text.contains(" --> /ws/app/Cargo.toml:4:7\n"), "{text}");
    }

    #[test]
    fn colour_only_where_asked_for() {
        let plain = draw(&diagnostic(SOURCE, "7"), Path::new("/ws"), false);
        let coloured = draw(&diagnostic(SOURCE, "7"), Path::new("/ws"), true);
        assert!(!plain.contains('\u{1b}') && coloured.contains("\u{1b}["));
    }

    #[test]
    fn line_ends_and_marks_of_windows_do_not_shift_the_place() {
        let source = format!("\u{feff}{}", SOURCE.replace('\n', "\r\n"));
        let text = draw(&diagnostic(&source, "7"), Path::new("/ws"), false);
        assert!(
            text.contains("Cargo.toml:4:7\n") && text.contains("4 | raw = 7\n"),
            "{text}"
        );
        let source = format!("\u{feff}{SOURCE}");
        let text = draw(&diagnostic(&source, "[package]"), Path::new("/ws"), false);
        assert!(
            text.contains("Cargo.toml:1:1\n") && text.contains("1 | [package]\n"),
            "{text}"
        );
    }

    #[test]
    fn no_span_makes_it_panic() {
        let source = "é = \"ü\"\n\n";
        for start in 0..source.len() + 3 {
            for end in 0..source.len() + 3 {
                let diagnostic = Diagnostic {
                    span: start..end,
                    ..diagnostic(source, "é")
                };
                assert!(
                    draw(&diagnostic, Path::new("/ws"), false)
                        .starts_with("error[over-budget]: too large\n")
                );
            }
        }
        let empty = Diagnostic {
            source: String::new(),
            span: 0..0,
            ..diagnostic("x", "x")
        };
        assert!(draw(&empty, Path::new("/ws"), false).starts_with("error[over-budget]"));
    }

    #[test]
    fn several_stand_apart() {
        let one = diagnostic(SOURCE, "7");
        let text = draw_all(&[one.clone(), one], Path::new("/ws"), false);
        assert_eq!(text.matches("\n\nerror[over-budget]").count(), 1);
        assert!(text.ends_with("mend it\n"));
    }
}
