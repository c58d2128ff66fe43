//! Every form a report can be written in, for the same builds: what is said, and that no name in
//! it, however it is chosen, says more than a name. `BLESS=1 cargo test -p build-support --test it
//! reports::` rewrites the goldens.

use crate::support::ended::{Ended, tool};
use crate::support::golden::{self, golden};
use build_support::attribution::{Attribution, Row, RowKind};
use build_support::output::markdown;
use build_support::output::view::View;
use build_support::report::subject;
use build_support::report::{Because, Exceeded};
use build_support::system::process;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use std::fs;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    golden::beside("reports")
}

fn read(name: &str) -> subject::Subject {
    subject::read(&folder().join(name)).unwrap()
}

/// The two builds that stand in the goldens, the first beside what it was.
fn views() -> Vec<View> {
    let before = Path::new("before.json");
    vec![
        View::new(
            Path::new("app.json"),
            read("app.json"),
            Some((before, read("before.json"))),
        ),
        View::new(Path::new("held.json"), read("held.json"), None),
    ]
}

/// Runs the command in the folder of the reports.
fn run(args: &[&str]) -> Ended {
    Ended::of(tool(&folder(), &["report"]).args(args))
}

/// Protects every reader of a report: each form says what it always said. The page's own script and
/// style are not in the golden; what it draws is for `page.rs` to say.
#[test]
fn every_form_gives_its_golden() {
    let out = tempfile::tempdir().unwrap();
    let files = ["report.md", "report.html", "report.json", "report.txt"];
    let mut args = vec!["app.json", "held.json", "--against", "before.json"];
    let outputs: Vec<String> = files
        .iter()
        .map(|file| out.path().join(file).display().to_string())
        .collect();
    for output in &outputs {
        args.extend(["-o", output]);
    }
    assert_eq!(run(&args).with(0).stdout, "");
    for (file, output) in files.iter().zip(&outputs) {
        let mut actual = fs::read_to_string(output).unwrap();
        if *file == "report.html" {
            actual = without_code(&actual);
        }
        golden(&folder().join(format!("{file}.golden")), &actual);
        run(&args).with(0);
        let again = fs::read_to_string(output).unwrap();
        assert!(
            *file == "report.html" || again == actual,
            "{file} is not the same twice"
        );
    }
}

/// The page without its style and script, and without their hashes.
fn without_code(page: &str) -> String {
    let mut page = page.to_owned();
    for (start, end) in [
        ("<style>", "</style>"),
        ("<script>\"use strict\";", "</script>"),
        ("script-src", "; style-src"),
        ("style-src", "; base"),
    ] {
        let from = page.find(start).unwrap() + start.len();
        let to = from + page[from..].find(end).unwrap();
        page.replace_range(from..to, " … ");
    }
    page
}

/// Protects whoever asks for what cannot be had: exit code 2, and what to do.
#[test]
fn what_cannot_be_written_is_said() {
    let cases: [(&[&str], &str); 5] = [
        (&["no-such.json"], "no-such.json"),
        (
            &["app.json", "-o", "report.pdf"],
            "its name says no format; end it in .md",
        ),
        (
            &[
                "app.json",
                "held.json",
                "--against",
                "held.json",
                "--against",
                "held.json",
            ],
            "one SUBJECT",
        ),
        (
            &["app.json", "held.json", "--against", "../cli/diff.wat"],
            "diff.wat",
        ),
        (
            &["app.json", "--format", "pdf"],
            "possible values: markdown, html, json, svg, text",
        ),
    ];
    for (args, expected) in cases {
        let Ended { stdout, stderr, .. } = run(args).with(2);
        assert_eq!(stdout, "", "{args:?}");
        assert!(stderr.contains(expected), "{args:?}: {stderr}");
    }
}

/// What a reader of Markdown makes of it: the HTML in it, and its tables as rows of cells.
struct Read {
    html: Vec<String>,
    tables: Vec<Vec<Vec<String>>>,
    text: String,
    code: Vec<String>,
}

/// Reads Markdown as GitHub does, as far as the reader here goes along.
fn as_read(text: &str) -> Read {
    let mut read = Read {
        html: Vec::new(),
        tables: Vec::new(),
        text: String::new(),
        code: Vec::new(),
    };
    let mut in_table = false;
    for event in Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH) {
        let mut cell = |text: &str| {
            let row = read.tables.last_mut().and_then(|table| table.last_mut());
            if let Some(cell) = row.and_then(|row| row.last_mut()).filter(|_| in_table) {
                cell.push_str(text);
            }
        };
        match event {
            Event::Html(html) | Event::InlineHtml(html) => read.html.push(html.trim().to_owned()),
            Event::Code(code) => {
                cell(&code);
                read.code.push(code.to_string());
            }
            Event::Text(text) => {
                cell(&text);
                read.text.push_str(&text);
                read.text.push('\n');
            }
            Event::Start(Tag::Table(_)) => {
                in_table = true;
                read.tables.push(Vec::new());
            }
            Event::End(TagEnd::Table) => in_table = false,
            Event::Start(Tag::TableHead | Tag::TableRow) => {
                read.tables.last_mut().unwrap().push(Vec::new())
            }
            Event::Start(Tag::TableCell) => read
                .tables
                .last_mut()
                .unwrap()
                .last_mut()
                .unwrap()
                .push(String::new()),
            Event::Start(Tag::Link { .. } | Tag::Image { .. }) => panic!("a link in {text}"),
            _ => {}
        }
    }
    read
}

/// Protects a pull request's readers, and those who are not to be called into it: whatever a name
/// holds, the comment has one table of the same shape, no HTML but its own, no link, mention or
/// reference.
#[test]
fn no_name_is_more_than_a_name_in_a_comment() {
    let text = markdown::draw(&views()).unwrap();
    let read = as_read(&text);
    assert_eq!(read.tables.len(), 1, "{text}");
    let table = &read.tables[0];
    assert_eq!(table.len(), 1 + 6 + 3, "a row for each measure: {table:?}");
    assert!(table.iter().all(|row| row.len() == 7), "{table:?}");
    for html in &read.html {
        let own = ["<!-- build-support: ", "<details><summary>", "</details>"];
        assert!(own.iter().any(|own| html.starts_with(own)), "{html}");
        assert_eq!(
            html.matches('<').count(),
            html.matches('>').count(),
            "{html}"
        );
        assert!(!html.contains("script") && !html.contains('@'), "{html}");
    }
    for sign in ['@', '#', '<', '`', '|'] {
        assert!(
            !read.text.contains(sign),
            "{sign} outside of code: {}",
            read.text
        );
    }
    assert!(!read.text.contains("://"), "{}", read.text);
    assert!(
        read.code
            .iter()
            .any(|code| code.starts_with("<app::T<fn()")),
        "{:?}",
        read.code
    );
    assert!(
        text.starts_with("<!-- build-support: app__b__me app -->\n### ❌ "),
        "{text}"
    );
}

/// Protects the bot that keeps one comment: the marker is of the package alone, whatever else
/// changes.
#[test]
fn the_marker_is_the_same_each_time() {
    let of = |name: &str| markdown::marker(&[View::new(Path::new(name), read(name), None)]);
    assert_eq!(of("app.json"), of("before.json"));
    assert_eq!(of("held.json"), "<!-- build-support: app -->");
    let mut both = views();
    both.remove(0);
    both.push(both[0].clone());
    assert_eq!(markdown::marker(&both), "<!-- build-support: app -->");
}

/// Protects the comment from being refused: GitHub takes 65,536 characters.
#[test]
fn a_comment_has_room_for_any_report() {
    let long = |i: usize| format!("krate{i}::{}::f{i}", "módulo_漢字".repeat(40));
    let rows: Vec<Row> = (0..500)
        .map(|i| Row {
            kind: RowKind::Function,
            name: long(i),
            bytes: 10,
            count: 1,
            core: None,
            krate: None,
            offset: None,
            functions: Vec::new(),
        })
        .collect();
    let attribution = |rows: &[Row]| Attribution {
        bytes: rows.len() as u64 * 10,
        rows: rows.to_vec(),
    };
    for count in [1, 3, 20] {
        let view = || {
            let subject = |attribution| subject::Subject {
                attribution,
                ..read("app.json")
            };
            let old = (Path::new("old"), subject(attribution(&rows[..250])));
            View::new(
                Path::new("new"),
                subject(attribution(&rows[200..])),
                Some(old),
            )
        };
        let views: Vec<View> = (0..count).map(|_| view()).collect();
        let text = markdown::draw(&views).unwrap();
        assert!(
            text.len() <= markdown::MOST_BYTES,
            "{count}: {} bytes",
            text.len()
        );
        assert_eq!(as_read(&text).tables.len(), 1);
        let said = text.contains("there is no room for")
            || text.contains("in 488 more")
            || text.contains("in 288 more");
        assert!(said, "what is left out is said: {text}");
    }
    // Where nothing but names fills the room, the table and the remarks are cut as well.
    let mut report = *read("app.json").report.unwrap();
    report.target = long(0);
    for i in 0..40 {
        let mut limit = report.budget[0].clone();
        limit.measure = long(i);
        report.verdict.exceeded.push(Exceeded {
            measure: long(i),
            unit: limit.unit,
            actual: u64::MAX,
            limit: 1,
            because: Because::Drift,
        });
        report.budget.push(limit);
    }
    for count in [10, 100] {
        let subject = || subject::Subject {
            report: Some(Box::new(report.clone())),
            ..read("app.json")
        };
        let views: Vec<View> = (0..count)
            .map(|_| View::new(Path::new("x"), subject(), None))
            .collect();
        let text = markdown::draw(&views).unwrap();
        assert!(
            text.len() <= markdown::MOST_BYTES,
            "{count}: {} bytes",
            text.len()
        );
        assert!(text.contains("there is no room for"), "{text}");
    }
}

/// Runs the script that stands between a stranger's report and the comment.
fn posted(text: &str, marker: &str) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("untrusted.md");
    fs::write(&file, text).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.ci/comment.mjs");
    let node =
        process::on_path("node").expect("node is not on PATH; on Debian: apt-get install nodejs");
    let ended = Ended::of(process::command(node).args([&script, &file]).arg(marker));
    (ended.code == 0, ended.stdout)
}

/// Protects a pull request from its own build: what is posted in the project's name is a report and
/// nothing else, and what `report` writes is posted as it is.
#[test]
fn a_comment_holds_nothing_but_a_report() {
    let text = markdown::draw(&views()).unwrap();
    let marker = text.lines().next().unwrap();
    assert_eq!(posted(&text, marker), (true, text.clone()));

    let hostile = [
        "Well done @everyone",
        "see #123 or octo/repo#1",
        "[click](https://example.com)",
        "www.example.com",
        "https://example.com",
        "<img src=x>",
        "<details open><summary>x</summary>",
        "<details><summary>`<b>`</summary>",
        "| `a | @everyone` |",
        "![](x)",
        "`unclosed @everyone",
        "``a` @everyone `b``",
        "| `a` | @everyone |",
        "right\u{202e}left",
        "```",
        "a &#64; b",
        "\\`a\\` @b `c`",
        "<!-- more -->",
    ];
    for line in hostile {
        let (done, kept) = posted(&format!("{marker}\n### fine\n\n{line}\n"), marker);
        assert!(done);
        let left = "\n\n1 lines are left out: they are not of a report's form.\n";
        assert_eq!(kept, format!("{marker}\n### fine\n\n{left}"), "{line}");
    }
    let html = format!("{marker}\n</details>\n`<img src=x>`\n\n`<img src=x>`\n");
    let (_, kept) = posted(&html, marker);
    assert_eq!(
        kept.matches("<img").count(),
        1,
        "code is none in HTML: {kept}"
    );
    let (done, kept) = posted("### ok\n", marker);
    assert!(!done && kept.is_empty(), "another's report is not posted");
    let (_, cut) = posted(
        &format!(
            "{marker}\n<details><summary>x</summary>\n\n{}",
            "- a\n".repeat(50_000)
        ),
        marker,
    );
    assert!(cut.len() < 65_536 && cut.trim_end().ends_with("</details>"));
}
