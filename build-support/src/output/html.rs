//! The report as one page for a browser: a treemap that can be zoomed from crate to function, and
//! tables, of one build or of several, each beside what it is compared with. Nothing is loaded from
//! anywhere: script and style are in the page, and its policy lets it run those alone, by their
//! hashes, and open no connection.
//!
//! The page draws itself from the data in it: the rows of the attribution with the groups they
//! belong to. What it shows is therefore what [`attribution`](crate::attribution) found, to the
//! byte.

use crate::attribution::inlined::{Inlined, Part};
use crate::attribution::{Attribution, RowKind};
use crate::output::view::{Measure, Standing, View};
use crate::report::{names, units};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

const PAGE: &str = include_str!("html/page.html");
const STYLE: &str = include_str!("html/page.css");
/// In the order in which they stand in the page, as one script.
const SCRIPTS: [&str; 5] = [
    include_str!("html/model.js"),
    include_str!("html/treemap.js"),
    include_str!("html/map.js"),
    include_str!("html/list.js"),
    include_str!("html/page.js"),
];

/// The page for `views`. The same views give the same bytes.
pub fn draw(views: &[View]) -> String {
    let script = format!("\"use strict\";\n{}", SCRIPTS.concat());
    let data: Vec<String> = views.iter().map(view).collect();
    let title = views.first().map_or("size report", |view| &view.title);
    let parts = [
        ("title", text(&names::visible(title))),
        ("style", STYLE.to_owned()),
        ("style-hash", hash(STYLE)),
        ("data", format!("{{\"views\":[\n{}]}}\n", data.join(",\n"))),
        ("script-hash", hash(&script)),
        ("script", script),
    ];
    fill(PAGE, &parts)
}

/// The template with each `{{name}}` replaced. What is put in is not looked at again, whatever it
/// holds.
fn fill(template: &str, parts: &[(&str, String)]) -> String {
    let mut pieces = template.split("{{");
    let mut page = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (name, rest) = piece.split_once("}}").unwrap_or((piece, ""));
        let part = parts.iter().find(|(known, _)| *known == name);
        page.push_str(part.map_or("", |(_, text)| text));
        page.push_str(rest);
    }
    page
}

/// One view as the page reads it: names once each, then a row per line.
fn view(view: &View) -> String {
    let mut found = Names::default();
    let old = view.against.as_ref().map(|old| &old.attribution);
    let rows: Vec<String> = merged(&view.attribution, old)
        .into_iter()
        .map(|((kind, groups), figures)| {
            let groups = groups.map(|name| found.number(name) as u64);
            let cells = [&[kind as u64], &groups[..], &figures].concat();
            json!(cells).to_string()
        })
        .collect();
    let head = json!({
        "title": names::visible(&view.title),
        "target": view.target.as_deref().map(names::visible),
        "within": match view.standing {
            Standing::Unlimited => None,
            Standing::Within => Some(true),
            Standing::Over => Some(false),
        },
        "against": view.against.as_ref().map(|old| &old.name),
        "versus": view.versus().as_deref().map(names::visible),
        "made": view.made(),
        "measures": view.measures.iter().map(measure).collect::<Vec<_>>(),
        "stages": view.stages().iter().map(|s| json!([s.name, s.bytes, s.note])).collect::<Vec<_>>(),
        "kinds": KINDS,
        "written": view.inlined.as_ref().map(written),
    });
    let names = found.all.iter().map(|name| json!(names::visible(name)));
    let names: Vec<String> = names.map(|name| safe(&name)).collect();
    let head = safe(&head);
    let head = head.strip_suffix('}').unwrap_or(&head);
    format!(
        "{head},\n\"names\":[\n{}],\n\"rows\":[\n{}]}}",
        names.join(",\n"),
        rows.join(",\n")
    )
}

/// By crate and by function, as the groups of the table are called: how many bytes of the linked
/// file's code were written there, and how many of them stand in other functions.
fn written(inlined: &Inlined) -> Value {
    let by = |name: fn(&Part) -> &str| -> Vec<Value> {
        let sums = inlined.by(name).into_iter();
        sums.map(|(name, all, elsewhere)| json!([names::visible(name), all, elsewhere]))
            .collect()
    };
    json!({
        "bytes": inlined.bytes,
        "crate": by(|part| &part.krate),
        "item": by(|part| &part.source),
    })
}

fn measure(measure: &Measure) -> Value {
    let mut json = json!(measure);
    json["used"] = json!(
        measure
            .limit
            .map(|limit| units::used(measure.actual, limit))
    );
    json
}

/// What the page calls the kinds, in their order.
const KINDS: [&str; 5] = ["function", "data", "custom", "section", "component"];

/// Everything a row can be grouped by: its kind, crate, module, family, section and item.
type Key = (RowKind, [String; 5]);

/// The rows of both files, those of one key together, the largest first: each with its bytes, what
/// they were before, and how many items they are.
fn merged(new: &Attribution, old: Option<&Attribution>) -> Vec<(Key, [u64; 3])> {
    let mut found: BTreeMap<Key, [u64; 3]> = BTreeMap::new();
    let old = old.iter().flat_map(|old| &old.rows);
    let old = old.map(|row| (row, [0, row.bytes, 0]));
    let new = new.rows.iter().map(|row| (row, [row.bytes, 0, row.count]));
    for (row, figures) in new.chain(old) {
        let groups = [
            row.krate(),
            row.module(),
            row.family(),
            row.section(),
            row.item(),
        ];
        let sums = found.entry((row.kind, groups)).or_default();
        for (sum, figure) in sums.iter_mut().zip(figures) {
            // A report may have been changed by hand: nothing overflows.
            *sum = sum.saturating_add(figure);
        }
    }
    let mut rows: Vec<_> = found.into_iter().collect();
    // Stable: those of one size stay by name.
    rows.sort_by_key(|(_, [bytes, before, _])| Reverse((*bytes, *before)));
    rows
}

/// Every name once, with its number.
#[derive(Default)]
struct Names {
    all: Vec<String>,
    numbers: HashMap<String, usize>,
}

impl Names {
    fn number(&mut self, name: String) -> usize {
        let next = self.all.len();
        *self.numbers.entry(name).or_insert_with_key(|name| {
            self.all.push(name.clone());
            next
        })
    }
}

/// JSON that can stand in a script element: names come from hostile files, and none may end the
/// element or begin another. None of these characters is JSON's own, so each stands in a text,
/// where an escape means the same.
fn safe(value: &Value) -> String {
    let text = value.to_string();
    ['<', '>', '&', '\u{2028}', '\u{2029}', '\u{7f}']
        .into_iter()
        .fold(text, |text, c| {
            text.replace(c, &format!("\\u{:04x}", c as u32))
        })
}

/// Text as it stands between tags and in attributes.
fn text(plain: &str) -> String {
    // The ampersand first: the others are replaced by what has one.
    [
        ('&', "amp"),
        ('<', "lt"),
        ('>', "gt"),
        ('"', "quot"),
        ('\'', "#39"),
    ]
    .into_iter()
    .fold(plain.to_owned(), |text, (c, name)| {
        text.replace(c, &format!("&{name};"))
    })
}

/// What a content security policy calls a script or a style.
fn hash(text: &str) -> String {
    format!("sha256-{}", base64(&Sha256::digest(text)))
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let byte = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
        let word = byte(0) << 16 | byte(1) << 8 | byte(2);
        for i in 0..=chunk.len() {
            text.push(char::from(ALPHABET[(word >> (18 - 6 * i) & 63) as usize]));
        }
        text.extend(std::iter::repeat_n('=', 3 - chunk.len()));
    }
    text
}
