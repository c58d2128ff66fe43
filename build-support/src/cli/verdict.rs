//! What the gate decided, told on stderr.

use crate::cli::ended::Ended;
use crate::cli::messages::Messages;
use crate::cli::terminal::shown;
use crate::config::Config;
use crate::gate::Verdict;
use crate::ops::ship::Shipped;
use crate::output::diagnostic;
use crate::report::Report;
use crate::system::streams;
use crate::wasm::bindgen;
use std::path::Path;

/// Shows what the gate has to object to in what was shipped, each at its line in the manifest.
pub fn judge(messages: &Messages<'_>, config: &Config, shipped: &Shipped) -> anyhow::Result<Ended> {
    let Shipped {
        report, verdict, ..
    } = shipped;
    let file = shown(&shipped.files.report);
    show(messages, verdict, report, config, file)
}

/// The same of any `report`, which is of or in `file`.
pub fn show(
    messages: &Messages<'_>,
    verdict: &Verdict,
    report: &Report,
    config: &Config,
    file: &Path,
) -> anyhow::Result<Ended> {
    if verdict.within() {
        return Ok(Ended::Well);
    }
    messages.show(&diagnostic::limits(verdict, report, config, file))?;
    Ok(Ended::OverBudget)
}

/// Says what is still to be done with a file that wasm-bindgen has to read.
pub fn remark_on_wasm_bindgen(file: &[u8]) {
    if bindgen::is_input(file) {
        streams::say(&format!("note: {}", bindgen::NEXT));
    }
}
