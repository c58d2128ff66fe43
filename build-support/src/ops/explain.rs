//! Why a function or data symbol survives snip and sweep. A file of the package here is explained
//! by the package's own rules, as its build goes by them; any other by the default ones.

use crate::analyze::plan::{self, SnipRules};
use crate::analyze::sweep::{self, Explanation};
use crate::error::{Error, Result};
use crate::ops::ship::Files;
use crate::ops::symbol_map::SymbolMap;
use crate::passes::pipeline;
use crate::project::package::Package;
use crate::report::{self, Report};
use crate::system::calling;
use crate::wasm::artifact::Artifact;
use crate::wasm::path::OUTLINED;
use crate::wasm::{ReadError, symbols};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use wasmparser::Operator;

/// What was found.
pub struct Explained {
    /// Every symbol of that name, with what keeps it.
    pub symbols: Vec<Explanation>,
    /// Every function of that name that was outlined.
    pub outlined: Vec<Outlined>,
    /// What the reader should know of the rules; empty where they are what is to be expected.
    pub note: String,
}

/// A function that stands for code of several others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlined {
    /// Its name.
    pub symbol: String,
    /// The functions with a place that it stands for, and how many each has.
    pub sites: Vec<(String, u64)>,
}

/// Explains every symbol called `symbol` in `file`: the linker's own output, or the report of the
/// build that made it. What was outlined is in the shipped file alone.
///
/// # Errors
/// [`Error::Io`] and [`Error::Input`] where the file cannot be read, has no relocations or no such
/// symbol, [`Error::Config`] where the package's rules have mistakes.
pub fn run(file: &Path, symbol: &str) -> Result<Explained> {
    let (linked, report) = linked(file)?;
    if let Some(report) = report.as_ref().filter(|_| symbol.starts_with(OUTLINED)) {
        let files = files_of(file, report);
        let map = SymbolMap::read(&files.symbols)?;
        let shipped = Artifact::read(&files.shipped)?;
        map.scope(&files.shipped, shipped.bytes())?;
        let outlined = outlined(&map, &shipped, symbol);
        let outlined = outlined.map_err(ReadError::input(&files.shipped, "build it again"))?;
        if !outlined.is_empty() {
            return Ok(Explained {
                symbols: Vec::new(),
                outlined,
                note: String::new(),
            });
        }
    }
    let (rules, note) = rules(report.as_ref())?;
    let artifact = Artifact::read(&linked)?;
    let damaged = ReadError::input(&linked, "link it again");
    let mut found = Vec::new();
    for module in artifact.modules().map_err(&damaged)? {
        let symbols = symbols::run(&module).map_err(&damaged)?;
        let plan = plan::run(&symbols, &rules);
        let explained = sweep::explain(&module, &plan.snipped(), symbol)
            .map_err(|refusal| pipeline::not_swept(&linked, &refusal))?;
        found.extend(explained);
    }
    if found.is_empty() {
        let help = format!(
            "list them with `{} {}`, and give a whole path or the end of one",
            calling::call("analyze"),
            linked.display()
        );
        let message = format!("no function or data symbol is called `{symbol}`");
        return Err(Error::input(&linked, message, help));
    }
    Ok(Explained {
        symbols: found,
        outlined: Vec::new(),
        note,
    })
}

/// The functions called `symbol`, with those that call them, once for each place.
fn outlined(
    map: &SymbolMap,
    shipped: &Artifact,
    symbol: &str,
) -> std::result::Result<Vec<Outlined>, ReadError> {
    let mut found = Vec::new();
    for (module, names) in shipped.modules()?.iter().zip(&map.modules) {
        let named = names.functions.iter();
        let mut sites: BTreeMap<u32, BTreeMap<&str, u64>> = named
            .filter(|function| function.body.is_some() && function.name == symbol)
            .map(|function| (function.index, BTreeMap::new()))
            .collect();
        for (body, caller) in module.bodies.iter().zip(module.imported..) {
            for operator in body.get_operators_reader()? {
                if let Operator::Call { function_index } = operator?
                    && let Some(sites) = sites.get_mut(&function_index)
                    && let Some(caller) = names.functions.get(caller as usize)
                {
                    *sites.entry(&caller.name).or_default() += 1;
                }
            }
        }
        found.extend(sites.into_values().map(|sites| {
            let mut sites: Vec<_> = sites
                .into_iter()
                .map(|(name, count)| (name.to_owned(), count))
                .collect();
            sites.sort_by(|one, other| (other.1, &one.0).cmp(&(one.1, &other.0)));
            Outlined {
                symbol: symbol.to_owned(),
                sites,
            }
        }));
    }
    Ok(found)
}

/// The linked file that is meant, and the report of the build that made it where there is one.
fn linked(file: &Path) -> Result<(PathBuf, Option<Report>)> {
    let bytes = std::fs::read(file).map_err(Error::io("reading", file))?;
    if !bytes.trim_ascii_start().starts_with(b"{") {
        return Ok((file.to_owned(), report_beside(file)));
    }
    let report = report::json::read(file, &String::from_utf8_lossy(&bytes))?;
    Ok((files_of(file, &report).linked, Some(report)))
}

/// What is snipped in a file of the package that `report` names, and what the reader should know of
/// that.
fn rules(report: Option<&Report>) -> Result<(SnipRules, String)> {
    let default = SnipRules {
        enabled: true,
        ..SnipRules::default()
    };
    let Some(Report {
        package: name,
        target,
        ..
    }) = report
    else {
        return Ok((default, String::new()));
    };
    let Ok(package) = Package::find(Some(name)) else {
        let note = format!("there is no package `{name}` here: the default rules explain it");
        return Ok((default, note));
    };
    let config = package.config(Some(target))?;
    let note = if config.sweep.enabled {
        String::new()
    } else {
        format!("the package `{name}` is not swept: what is dead stays in its file")
    };
    Ok((config.snip, note))
}

/// The report of the build that left `file`, if one did.
fn report_beside(file: &Path) -> Option<Report> {
    let beside = file.with_file_name("report.json");
    let text = std::fs::read_to_string(&beside).ok()?;
    let report = report::json::read(&beside, &text).ok()?;
    let files = files_of(&beside, &report);
    (file == files.linked || file == files.shipped).then_some(report)
}

fn files_of(file: &Path, report: &Report) -> Files {
    let folder = file.parent().unwrap_or(Path::new(""));
    Files::new(folder, &report.stem())
}

#[cfg(test)]
mod tests {
    use super::{Artifact, Outlined, SymbolMap, outlined};
    use std::path::Path;

    /// Protects whoever meets such a function in a backtrace: all its places are told, those of two
    /// functions of one name apart.
    #[test]
    fn all_places_are_told() {
        let bytes = wat::parse_str(
            "(module (import \"env\" \"f\" (func))
               (func $a call 3 call 3 call 4) (func $b call 3 call 0)
               (func $\"outlined from a and b\" call 4)
               (func $x (@name \"outlined from a and b\")))",
        )
        .unwrap();
        let file = Path::new("a.wasm");
        let shipped = Artifact::new(bytes, file).unwrap();
        let map = SymbolMap::of_file(file, &shipped).unwrap();
        let symbol = "outlined from a and b";
        let sites = |sites: &[(&str, u64)]| Outlined {
            symbol: symbol.to_owned(),
            sites: sites
                .iter()
                .map(|(name, n)| ((*name).to_owned(), *n))
                .collect(),
        };
        assert_eq!(
            outlined(&map, &shipped, symbol).unwrap(),
            [
                sites(&[("a", 2), ("b", 1)]),
                sites(&[("a", 1), (symbol, 1)])
            ]
        );
        assert_eq!(outlined(&map, &shipped, "a").unwrap().len(), 1);
        assert!(
            outlined(&map, &shipped, "outlined from c")
                .unwrap()
                .is_empty()
        );
    }
}
