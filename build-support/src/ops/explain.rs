//! Why a function or data symbol survives snip and sweep. A file of the package here is explained
//! by the package's own rules, as its build goes by them; any other by the default ones.

use crate::analyze::plan::{self, SnipRules};
use crate::analyze::sweep::{self, Explanation};
use crate::error::{Error, Result};
use crate::ops::ship::Files;
use crate::passes::pipeline;
use crate::project::package::Package;
use crate::report::{self, Report};
use crate::wasm::artifact::Artifact;
use crate::wasm::{ReadError, symbols};
use std::path::{Path, PathBuf};

/// What was found.
pub struct Explained {
    /// Every symbol of that name, with what keeps it.
    pub symbols: Vec<Explanation>,
    /// What the reader should know of the rules; empty where they are what is to be expected.
    pub note: String,
}

/// Explains every symbol called `symbol` in `file`: the linker's own output, or the report of the
/// build that made it.
///
/// # Errors
/// [`Error::Io`] and [`Error::Input`] where the file cannot be read, has no relocations or no such
/// symbol, [`Error::Config`] where the package's rules have mistakes.
pub fn run(file: &Path, symbol: &str) -> Result<Explained> {
    let (linked, report) = linked(file)?;
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
            "list them with `build-support analyze {}`, and give a whole path or the end of one",
            linked.display()
        );
        let message = format!("no function or data symbol is called `{symbol}`");
        return Err(Error::input(&linked, message, help));
    }
    Ok(Explained {
        symbols: found,
        note,
    })
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
