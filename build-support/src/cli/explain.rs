//! `build-support analyze --explain`: why a function or data symbol survives snip and sweep.

use crate::analyze::sweep::{Explanation, Link};
use crate::cli::ended::Ended;
use crate::cli::terminal::print;
use crate::ops::explain::{self, Outlined};
use crate::system::streams;
use std::path::Path;

/// Prints the chain to every symbol of that name.
pub fn run(file: &Path, symbol: &str, json: bool) -> anyhow::Result<Ended> {
    let found = explain::run(file, symbol)?;
    let mut all: Vec<_> = found.symbols.iter().map(as_json).collect();
    all.extend(found.outlined.iter().map(outlined_as_json));
    print(json, &all, || {
        let symbols = found.symbols.iter().map(text);
        symbols.chain(found.outlined.iter().map(outlined)).collect()
    })?;
    if !found.note.is_empty() {
        streams::say(&format!("note: {}", found.note));
    }
    Ok(Ended::Well)
}

fn text(explanation: &Explanation) -> String {
    let Explanation { symbol, chain } = explanation;
    if chain.is_empty() {
        return format!("{symbol}\n  is dead: it goes\n");
    }
    let mut text = format!("{symbol}\n  is there because\n");
    for link in chain {
        let (relation, name) = relation(link);
        text.push_str(&format!("  {relation:<17} {name}\n"));
    }
    text
}

fn outlined(outlined: &Outlined) -> String {
    let mut text = format!("{}\n  stands for code of\n", outlined.symbol);
    for (name, count) in &outlined.sites {
        let times = if *count == 1 { "once" } else { "times" };
        let count = match count {
            1 => String::new(),
            more => more.to_string(),
        };
        text.push_str(&format!("  {count:>5} {times:<5}  {name}\n"));
    }
    text
}

fn outlined_as_json(outlined: &Outlined) -> serde_json::Value {
    let site =
        |(name, count): &(String, u64)| serde_json::json!({ "function": name, "count": count });
    let sites: Vec<_> = outlined.sites.iter().map(site).collect();
    serde_json::json!({ "symbol": outlined.symbol, "sites": sites })
}

fn as_json(explanation: &Explanation) -> serde_json::Value {
    let chain: Vec<_> = explanation
        .chain
        .iter()
        .map(|link| {
            let (relation, name) = relation(link);
            serde_json::json!({ "relation": relation, "name": name })
        })
        .collect();
    serde_json::json!({ "symbol": explanation.symbol, "chain": chain })
}

fn relation(link: &Link) -> (&'static str, &str) {
    match link {
        Link::Root(name) => ("root", name),
        Link::Call(name) => ("calls", name),
        Link::Pointer(name) => ("holds pointer to", name),
        Link::Data(name) => ("uses", name),
    }
}
