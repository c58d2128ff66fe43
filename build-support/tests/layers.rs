//! The layout holds: `lib.rs` lists the folders in the order of the flow, nothing uses what stands
//! below it there, files do not go round in circles, and no folder outgrows its aim. Sources are
//! read as text; nothing is compiled for it.

#[path = "layers/source.rs"]
mod source;

use source::{Source, read, texts};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Lines of a function, with its signature and comments.
const LONGEST_FUNCTION: usize = 80;
/// Lines of a file without its unit tests.
const LONGEST_FILE: usize = 400;
/// Columns of a line that is a comment; rustfmt holds the others.
const COLUMNS: usize = 100;

/// The lines of code that each folder aims at. It may have ten per cent more.
const AIMS: &[(&str, usize)] = &[
    ("lib", 40),
    ("diagnostic", 80),
    ("error", 90),
    ("size", 140),
    ("system", 420),
    ("guard", 880),
    ("wasm", 3_470),
    ("attribution", 920),
    ("engine", 280),
    ("report", 560),
    ("analyze", 1_700),
    ("config", 1_310),
    ("passes", 5_200),
    ("measure", 270),
    ("gate", 680),
    ("project", 1_800),
    ("baseline", 480),
    ("output", 2_500),
    ("ops", 5_300),
    ("agent", 600),
    ("cli", 3_200),
];

/// The product.
fn product() -> Vec<Source> {
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
}

/// The names in `lib.rs`, in their order: the rule.
fn order(sources: &[Source]) -> Vec<&str> {
    let root = sources.iter().find(|source| source.module.is_empty());
    let lines = root.expect("there is a lib.rs").text.lines();
    lines
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .collect()
}

/// Protects the flow: a folder knows those above it in `lib.rs`, and none below.
#[test]
fn nothing_uses_what_stands_below_it() {
    let sources = product();
    let order = order(&sources);
    let place = |name: &str| order.iter().position(|known| *known == name);
    let mut broken = Vec::new();
    let mut checked = 0;
    for source in sources.iter().filter(|source| !source.module.is_empty()) {
        let own = place(&source.module[0]).expect("lib.rs lists every folder");
        for named in &source.paths {
            // What `lib.rs` itself has is everybody's: `crate::Error`.
            let Some(used) = named.path.first().and_then(|name| place(name)) else {
                continue;
            };
            checked += 1;
            if used > own {
                broken.push(format!(
                    "src/{}:{}: `{}` uses `{}`, which is below it in lib.rs",
                    source.file, named.line, order[own], order[used]
                ));
            }
        }
    }
    assert!(
        broken.is_empty(),
        "{} imports run against the flow:\n{}",
        broken.len(),
        broken.join("\n")
    );
    assert!(checked > 500, "only {checked} paths were seen");
}

/// Protects whoever reads one file: what it needs does not need it.
#[test]
fn files_do_not_go_round_in_circles() {
    let sources = product();
    let uses = uses(&sources);
    let circles: Vec<_> = circles(&uses)
        .iter()
        .map(|circle| circle.join(" -> "))
        .collect();
    assert!(
        circles.is_empty(),
        "{} circles of files:\n{}",
        circles.len(),
        circles.join("\n")
    );
    assert!(uses.values().map(BTreeSet::len).sum::<usize>() > 500);
}

/// Which files each file names something of, its unit tests left out: those may use what is made of
/// it.
fn uses(sources: &[Source]) -> BTreeMap<&str, BTreeSet<&str>> {
    let files: BTreeMap<_, _> = sources
        .iter()
        .map(|source| (source.module.as_slice(), source.file.as_str()))
        .collect();
    let file_of = |path: &[String]| {
        (0..=path.len())
            .rev()
            .find_map(|end| files.get(&path[..end]))
    };
    let used = |source: &Source| -> BTreeSet<&str> {
        let end = source.product().count();
        let product = source.paths.iter().filter(|named| named.line <= end);
        let named = product.filter_map(|named| file_of(&named.path));
        named.copied().filter(|file| *file != source.file).collect()
    };
    sources
        .iter()
        .map(|source| (source.file.as_str(), used(source)))
        .collect()
}

/// A circle of every knot: files that all reach each other, from one of them round to itself.
fn circles<'a>(uses: &BTreeMap<&'a str, BTreeSet<&'a str>>) -> Vec<Vec<&'a str>> {
    let mut left = uses.clone();
    let mut found = Vec::new();
    loop {
        // Whoever uses nothing that is left is in no circle.
        let ends: Vec<_> = left
            .iter()
            .filter(|(_, used)| !used.iter().any(|file| left.contains_key(file)))
            .map(|(file, _)| *file)
            .collect();
        for end in &ends {
            left.remove(end);
        }
        if !ends.is_empty() {
            continue;
        }
        let Some(first) = left.keys().next().copied() else {
            return found;
        };
        let mut walk = vec![first];
        let circle = loop {
            let next = left[walk[walk.len() - 1]]
                .iter()
                .copied()
                .find(|file| left.contains_key(file))
                .expect("every file that is left uses another");
            if let Some(start) = walk.iter().position(|file| *file == next) {
                walk.push(next);
                break walk.split_off(start);
            }
            walk.push(next);
        };
        for file in &circle {
            left.remove(file);
        }
        found.push(circle);
    }
}

/// Protects the house from growing shut: each folder has its aim, files and functions can be read
/// at once.
#[test]
fn nothing_outgrows_its_aim() {
    let sources = product();
    let mut lines = BTreeMap::<&str, usize>::new();
    let mut long = Vec::new();
    for source in &sources {
        let folder = source.module.first().map_or("lib", String::as_str);
        *lines.entry(folder).or_default() += source.code();
        let length = source.product().count();
        if length > LONGEST_FILE {
            long.push(format!("src/{}: {length} lines", source.file));
        }
        for function in source
            .functions
            .iter()
            .filter(|f| f.lines > LONGEST_FUNCTION)
        {
            let (file, line) = (&source.file, function.line);
            long.push(format!(
                "src/{file}:{line}: `{}` has {} lines",
                function.name, function.lines
            ));
        }
    }
    for (folder, code) in &lines {
        match AIMS.iter().find(|(name, _)| name == folder) {
            Some((_, aim)) if code * 10 > aim * 11 => long.push(format!(
                "src/{folder}: {code} lines of code, and its aim is {aim}: find what to drop, or raise the aim and say why"
            )),
            Some(_) => {}
            None => long.push(format!("src/{folder}: {code} lines of code, and no aim")),
        }
    }
    let sum: usize = lines.values().sum();
    println!("{sum} lines of code in {} files", sources.len());
    assert!(long.is_empty(), "{}", long.join("\n"));
    assert!(sum > 10_000, "only {sum} lines were seen");
}

/// Protects readers of side-by-side views: comments end where code does.
#[test]
fn comments_end_with_the_code() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut wide = Vec::new();
    let mut comments = 0;
    for folder in ["", "../clawft-types", "../clawft-wasm"] {
        for (file, text) in texts(&package.join(folder)) {
            for (line, text) in (1..).zip(text.lines()) {
                // A row of a table cannot be broken.
                let text = text.trim_end();
                let is_row = text.starts_with("//") && text.ends_with('|');
                let is_comment = text.trim_start().starts_with("//") && !is_row;
                comments += usize::from(is_comment);
                if is_comment && text.chars().count() > COLUMNS {
                    wide.push(format!("{folder}/{file}:{line}"));
                }
            }
        }
    }
    assert!(
        wide.is_empty(),
        "{} comments are wider than {COLUMNS} columns:\n{}",
        wide.len(),
        wide.join("\n")
    );
    assert!(comments > 4_000, "only {comments} comments were seen");
}
