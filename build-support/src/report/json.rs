//! The report as JSON, the form it is kept and exchanged in. The layout is [`Report`]'s own fields;
//! [`SCHEMA`] is raised when one changes its meaning.

use crate::error::{Error, Result};
use crate::report::{Report, SCHEMA};
use std::path::Path;

/// The report as indented JSON with a newline at the end.
pub fn write(report: &Report) -> String {
    let mut text = serde_json::to_string_pretty(report)
        .expect("a report is plain data, which always has a JSON form");
    text.push('\n');
    text
}

/// The report that `text`, the content of `file`, holds.
///
/// # Errors
///
/// [`Error::Input`] with the offset of the fault where the text is not JSON or lacks a field, and
/// without one where the schema is another.
pub fn read(file: &Path, text: &str) -> Result<Report> {
    #[derive(serde::Deserialize)]
    struct Header {
        schema: Option<u64>,
    }

    let header: Header =
        serde_json::from_str(text).map_err(|error| not_a_report(file, text, &error))?;
    let message = match header.schema {
        Some(schema) if schema == u64::from(SCHEMA) => {
            return serde_json::from_str(text).map_err(|error| not_a_report(file, text, &error));
        }
        Some(schema) => {
            format!("the report has schema {schema}, this build-support reads schema {SCHEMA}")
        }
        None => "this JSON is not a report: it has no `schema`".to_owned(),
    };
    let help =
        "make the report again with this build-support, or read it with the one that wrote it";
    Err(Error::input(file, message, help.to_owned()))
}

fn not_a_report(file: &Path, text: &str, error: &serde_json::Error) -> Error {
    Error::Input {
        file: file.to_owned(),
        offset: Some(offset(text, error.line(), error.column())),
        message: format!("not a report: {error}"),
        help: "make it again: every build writes report.json beside the shipped file".into(),
    }
}

/// The byte offset of serde_json's line and column, both counted from 1.
fn offset(text: &str, line: usize, column: usize) -> u64 {
    let before = text.split_inclusive('\n').take(line.saturating_sub(1));
    let before: usize = before.map(str::len).sum();
    (before + column.saturating_sub(1)).min(text.len()) as u64
}

#[cfg(test)]
mod tests {
    use super::{read, write};
    use crate::attribution::{Attribution, Row};
    use crate::report::{
        Because, Exceeded, Figures, LimitRecord, Piece, Report, Snipped, Stage, Swept, Unit,
        VerdictRecord, sample,
    };
    use std::path::Path;

    fn report() -> Report {
        Report {
            stages: vec![Stage {
                name: "link".into(),
                bytes: 10,
                millis: 1.25,
                note: "\"é\"\n".into(),
                steps: Vec::new(),
            }],
            figures: Figures {
                functions: 2,
                memory: 65_536,
                start: Some(5),
            },
            budget: vec![
                LimitRecord {
                    measure: "raw".into(),
                    unit: Unit::Bytes,
                    limit: 9,
                    actual: 10,
                },
                LimitRecord {
                    measure: "start".into(),
                    unit: Unit::Instructions,
                    limit: u64::MAX,
                    actual: 5,
                },
            ],
            verdict: VerdictRecord {
                within: false,
                exceeded: vec![Exceeded {
                    measure: "raw".into(),
                    unit: Unit::Bytes,
                    actual: 10,
                    limit: 9,
                    because: Because::Limit,
                }],
            },
            snipped: vec![Snipped {
                function: "core::panicking::panic".into(),
                family: "core::panicking".into(),
                bytes: 3,
            }],
            swept: vec![Swept {
                reason: "unreachable data".into(),
                bytes: 4,
                pieces: vec![Piece {
                    name: "anon.1".into(),
                    bytes: 4,
                }],
            }],
            attribution: Attribution {
                bytes: 10,
                rows: vec![Row {
                    count: 2,
                    core: Some(0),
                    ..sample::function("app::run", 10, &[3, 4])
                }],
            },
            features: vec!["bulk-memory".into()],
            ..sample::report(&[("app::run", 10)])
        }
    }

    #[test]
    fn comes_back_as_it_went() {
        let text = write(&report());
        assert!(
            text.ends_with("}\n")
                && text.contains("\n  \"schema\": 3,\n")
                && text.contains("\"kind\": \"core\"")
        );
        assert_eq!(read(Path::new("report.json"), &text).unwrap(), report());
    }

    #[test]
    fn another_schema_is_named() {
        let text = write(&report()).replace("\"schema\": 3", "\"schema\": 7");
        let error = read(Path::new("old/report.json"), &text)
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with(
                "old/report.json: the report has schema 7, this build-support reads schema 3"
            ),
            "{error}"
        );
        assert!(error.contains("help: make the report again"), "{error}");
    }

    #[test]
    fn another_schema_is_named_whatever_else_it_holds() {
        let error = read(
            Path::new("r.json"),
            r#"{"schema": 4294967297, "pakage": 1}"#,
        )
        .unwrap_err()
        .to_string();
        assert!(error.contains("has schema 4294967297"), "{error}");
    }

    #[test]
    fn what_is_no_report_is_refused_with_the_place() {
        let cases = [
            ("", "(at offset 0x0)"),
            ("{\n\"schema\": }", "(at offset 0xc)"),
            ("[]", "not a report"),
            ("{}", "has no `schema`"),
            ("{\"schema\": 3}", "missing field `package`"),
            ("{\"schema\": \"1\"}", "invalid type: string"),
        ];
        for (text, expected) in cases {
            let error = read(Path::new("r.json"), text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text:?}: {error}");
        }
        let nested = "[".repeat(100_000);
        assert!(read(Path::new("r.json"), &nested).is_err());
    }
}
