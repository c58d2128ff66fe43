//! What the gate decided, told on stderr.

use crate::cli::ended::Ended;
use crate::cli::messages::{MessageFormat, Messages};
use crate::cli::terminal::shown;
use crate::config::Config;
use crate::ops::ship::Shipped;
use crate::output::diagnostic;
use crate::wasm::bindgen;

/// Says on stderr what the gate has to object to, each at its line in the manifest.
pub fn judge(config: &Config, shipped: &Shipped) -> anyhow::Result<Ended> {
    judge_in(&Messages::new(MessageFormat::Human, None), config, shipped)
}

/// The same in the form that was asked for.
pub fn judge_in(
    messages: &Messages<'_>,
    config: &Config,
    shipped: &Shipped,
) -> anyhow::Result<Ended> {
    if shipped.verdict.within() {
        return Ok(Ended::Well);
    }
    let file = shown(&shipped.files.report);
    let diagnostics = diagnostic::limits(&shipped.verdict, &shipped.report, config, file);
    messages.show(&diagnostics)?;
    Ok(Ended::OverBudget)
}

/// Says what is still to be done with a file that wasm-bindgen has to read.
pub fn remark_on_wasm_bindgen(file: &[u8]) {
    if bindgen::is_input(file) {
        eprintln!("note: {}", bindgen::NEXT);
    }
}
