//! What is really in a bundle: files and the plan in, rows out. Every cell is found by looking at
//! the files, and says where; what the plan says and the files do not have is a false claim.

mod case;
mod inspect;
mod rows;
mod script;

use super::contents::{self, Contents, Served};
use super::manifest::{Example, Manifest};
use crate::error::Result;
use crate::report::Sizes;
use crate::report::bundle::{FirstAnswer, Row};
use crate::system::digest;
use case::Case;
pub use case::{About, PAGE, PLAIN, PLAN, SERVICE_WORKER};
pub(super) use inspect::run as inspect;
use script::Scripts;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What is audited.
pub struct Input<'a> {
    /// The checked manifest.
    pub plan: &'a Manifest,
    /// The files of the root, as templates.
    pub root: &'a Contents,
    /// The files beside the plan, and the plan.
    pub files: &'a Contents,
    /// What files take over the network, as far as that is known: that of the root as they are
    /// served.
    pub known: &'a BTreeMap<String, Sizes>,
    /// What the package says.
    pub about: &'a About,
}

/// The cells of `rows` that claim more than there is: the row and the example.
pub fn false_claims(rows: &[Row]) -> Vec<(&Row, &str)> {
    let cells = rows.iter().flat_map(|row| {
        let cells = row.cells.iter().map(move |(name, cell)| (row, name, cell));
        cells.filter(|(_, _, cell)| cell.is_false())
    });
    cells.map(|(row, name, _)| (row, name.as_str())).collect()
}

/// The rows of a bundle.
///
/// # Errors
/// [`Error::Input`](crate::Error::Input) where a module cannot be read.
pub fn run(input: &Input<'_>) -> Result<Vec<Row>> {
    let mut modules = BTreeMap::new();
    let used = input
        .plan
        .examples
        .iter()
        .map(|one| one.module.path.as_str());
    for path in used.chain([PLAIN]).collect::<BTreeSet<_>>() {
        if let Some(bytes) = input.files.get(path) {
            modules.insert(path, inspect(Path::new(path), bytes)?);
        }
    }
    let (scripts, root) = (Scripts::of(input.files), Scripts::of(input.root));
    let answers = first_answers(input);
    let mut all: Vec<Row> = rows::ROWS
        .iter()
        .map(|(name, _)| Row {
            name: (*name).to_owned(),
            cells: BTreeMap::new(),
        })
        .collect();
    for (example, first) in input.plan.examples.iter().zip(&answers) {
        let case = Case {
            example,
            is_default: example.name == input.plan.default,
            module: modules.get(example.module.path.as_str()),
            plain: modules.get(PLAIN),
            scripts: &scripts,
            root: &root,
            about: input.about,
            first,
        };
        for (row, (_, look)) in all.iter_mut().zip(rows::ROWS) {
            row.cells.insert(example.name.clone(), look(&case));
        }
    }
    Ok(all)
}

/// What each example takes over the network before it answers.
pub fn first_answers(input: &Input<'_>) -> Vec<FirstAnswer> {
    let mut known = input.known.clone();
    let examples = input.plan.examples.iter();
    examples
        .map(|example| first_answer(example, input, &mut known))
        .collect()
}

/// That of one; what is compressed for it is `known` then.
fn first_answer(
    example: &Example,
    input: &Input<'_>,
    known: &mut BTreeMap<String, Sizes>,
) -> FirstAnswer {
    let mut all: Contents = input.files.clone();
    let page = input.root.iter().filter(|(path, _)| *path == PAGE);
    all.extend(page.map(|(path, bytes)| (path.clone(), bytes.clone())));
    let mut paths = contents::loaded(&all, PAGE);
    for start in needed(example, input.about) {
        paths.extend(contents::loaded(&all, start));
    }
    let mut sum = Sizes::default();
    for path in &paths {
        let sizes = known
            .entry(path.clone())
            .or_insert_with(|| Served::new(all[path].clone()).sizes());
        sum = sum.map(|size| sum.get(size) + sizes.get(size));
    }
    FirstAnswer {
        example: example.name.clone(),
        sizes: sum,
        files: paths.into_iter().collect(),
    }
}

/// What an example has loaded beside what every page has.
fn needed<'a>(example: &'a Example, about: &'a About) -> Vec<&'a str> {
    let options = &example.optimizations;
    let on = [
        ("files", example.files.is_some()),
        ("jit", options.jit),
        ("persistence", options.persistence),
        ("snapshot", options.snapshot),
        ("sync", options.sync),
        ("tasks", options.tasks > 1),
        (
            "hypercalls",
            !example.hypercalls.is_empty() || !example.hostcalls.is_empty(),
        ),
    ];
    let on = on.iter().filter(|(_, is_on)| *is_on).map(|(name, _)| *name);
    let calls = example.hypercalls.iter().map(String::as_str);
    let loads = on.chain(calls).filter_map(|name| about.loads.get(name));
    let loads = loads.flatten().map(String::as_str);
    let own = example.hostcalls.iter().map(|call| call.path.as_str());
    let files = example.files.iter().map(|files| files.path.as_str());
    let always = [PLAN, example.module.path.as_str()];
    always
        .into_iter()
        .chain(loads)
        .chain(own)
        .chain(files)
        .collect()
}

/// What a plan says of its files, and they are not: of each a line.
pub fn differences(plan: &Manifest, files: &Contents) -> Vec<String> {
    let mut all = Vec::new();
    for example in &plan.examples {
        let module = &example.module;
        let is = files.get(&module.path).map(|bytes| digest::digest(bytes));
        if is.as_ref() != Some(&module.sha256) {
            let is = is.map_or("not there".to_owned(), |is| format!("another: {is}"));
            let name = &example.name;
            all.push(format!(
                "{name}: {} is to be {}, and is {is}",
                module.path, module.sha256
            ));
        }
        let archive = example.files.as_ref();
        let missing = archive.filter(|one| !files.contains_key(&one.path));
        all.extend(missing.map(|one| format!("{}: {} is not there", example.name, one.path)));
    }
    let listed: BTreeMap<_, _> = plan
        .assets
        .iter()
        .map(|one| (one.path.as_str(), one.bytes))
        .collect();
    let there = files.iter().filter(|(path, _)| *path != PLAN);
    let there: BTreeMap<_, _> = there
        .map(|(path, bytes)| (path.as_str(), bytes.len() as u64))
        .collect();
    for (path, bytes) in &listed {
        match there.get(path) {
            Some(is) if is == bytes => {}
            Some(is) => all.push(format!("{path} is to have {bytes} bytes, and has {is}")),
            None => all.push(format!("{path} is listed, and not there")),
        }
    }
    let more = there.keys().filter(|path| !listed.contains_key(*path));
    all.extend(more.map(|path| format!("{path} is there, and not listed")));
    all
}

#[cfg(test)]
mod tests;
