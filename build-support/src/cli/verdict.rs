//! What the gate decided, told on stderr.

use crate::cli::ended::Ended;
use crate::cli::messages::Messages;
use crate::cli::terminal::shown;
use crate::config::Config;
use crate::gate::Verdict;
use crate::ops::ship::Shipped;
use crate::output::diagnostic;
use crate::report::Report;
use crate::report::subject::Subject;
use crate::system::streams;
use crate::wasm::{bindgen, name_section};
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

/// Warns where the names in a file that was read are damaged.
pub fn remark_on_subject(file: &Path, subject: &Subject) {
    if let Some(artifact) = &subject.artifact {
        remark_on_names(file, artifact.bytes());
    }
}

/// Warns where the names in a file are damaged, which stops nothing.
pub fn remark_on_names(file: &Path, bytes: &[u8]) {
    if let Some((module, fault)) = name_section::fault(bytes) {
        eprintln!(
            "warning: {}: the name section of core module {module} is damaged: {} (at offset {:#x} of the module); the names that can be read are used",
            shown(file).display(),
            fault.message,
            fault.offset
        );
    }
}

/// Says what is still to be done with a file that wasm-bindgen has to read.
pub fn remark_on_wasm_bindgen(file: &[u8]) {
    if bindgen::is_input(file) {
        streams::say(&format!("note: {}", bindgen::next()));
    }
}
