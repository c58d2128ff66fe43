//! `build-support analyze --why`: the calls that lead to a function, from what the host can call.

use crate::cli::ended::Ended;
use crate::cli::terminal::print;
use crate::output::text::style::Paint;
use crate::output::text::table::Table;
use crate::report::subject::Subject;
use crate::system::calling;
use crate::wasm::call_graph::{self, CallGraph, Root, Step};
use std::collections::HashMap;
use std::path::Path;

/// The answer for one function.
struct Answer {
    symbol: String,
    /// From the root to the function itself, each with its relation; none where nothing can call
    /// it.
    chain: Option<Vec<(String, String)>>,
}

/// Prints the shortest chain to every function of that name, imported ones among them.
pub fn run(file: &Path, subject: &Subject, symbol: &str, json: bool) -> anyhow::Result<Ended> {
    if let Some(missing) = &subject.missing {
        anyhow::bail!(
            "{}: the report does not say who calls whom, and {} is not there or not the one of the report\n  help: build it again, or name a file with names",
            file.display(),
            missing.display()
        );
    }
    let mut found = Vec::new();
    for (core, module) in subject.modules()?.iter().enumerate() {
        let graph = call_graph::read(module)?;
        let names = subject.attribution.functions(core as u32);
        found.extend(answers(&graph, &names, symbol));
    }
    anyhow::ensure!(
        !found.is_empty(),
        "{}: no function is called `{symbol}`\n  help: list them with `{} {} --by item`, and give a whole path or the end of one; for data of a linked file there is --explain",
        file.display(),
        calling::call("analyze"),
        file.display()
    );
    let all: Vec<_> = found.iter().map(as_json).collect();
    print(json, &all, || found.iter().map(text).collect())?;
    Ok(Ended::Well)
}

fn answers(graph: &CallGraph, names: &HashMap<u32, &str>, symbol: &str) -> Vec<Answer> {
    let name = |function: u32| {
        let named = graph.import(function).or(names.get(&function).copied());
        named.map_or_else(|| format!("[function {function}]"), str::to_owned)
    };
    let wanted: Vec<u32> = (0..graph.functions())
        .filter(|function| matches(symbol, &name(*function)))
        .collect();
    let chain = |steps: Vec<Step>| {
        let step = |step: Step| match step {
            Step::Root(function, root) => (name_of(root), name(function)),
            Step::Call(function) => ("calls".to_owned(), name(function)),
            Step::Table(function) => ("calls through the table".to_owned(), name(function)),
        };
        steps.into_iter().map(step).collect()
    };
    let ways = graph.why(&wanted).into_iter();
    wanted
        .iter()
        .zip(ways)
        .map(|(function, way)| Answer {
            symbol: name(*function),
            chain: way.map(chain),
        })
        .collect()
}

fn name_of(root: Root) -> String {
    match root {
        Root::Export(name) => format!("export {name}"),
        Root::Start => "start function".to_owned(),
        Root::Table => "table that the host sees".to_owned(),
        Root::Value => "value of a global".to_owned(),
    }
}

/// A whole name, or the end of one behind `::`.
fn matches(wanted: &str, name: &str) -> bool {
    name == wanted
        || name
            .strip_suffix(wanted)
            .is_some_and(|before| before.ends_with("::"))
}

fn text(answer: &Answer) -> String {
    let Some(chain) = &answer.chain else {
        return format!("{}\n  nothing can call it\n", answer.symbol);
    };
    let rows = chain
        .iter()
        .map(|(relation, name)| [relation.clone(), name.clone()]);
    let table = Table::aligned("<<").rows(rows).draw("  ", Paint::PLAIN);
    format!("{}\n  is there because\n{table}", answer.symbol)
}

fn as_json(answer: &Answer) -> serde_json::Value {
    let step = |(relation, name): &(String, String)| serde_json::json!({ "relation": relation, "name": name });
    let chain = answer.chain.as_ref();
    let chain = chain.map(|chain| chain.iter().map(step).collect::<Vec<_>>());
    serde_json::json!({ "symbol": answer.symbol, "chain": chain })
}
