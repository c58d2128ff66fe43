//! What would be rewritten: the dry run of `build` and `optimize`.

use crate::cli::ended::Ended;
use crate::output::text;
use crate::passes::pipeline::Analysis;
use std::io::Write as _;

/// Lists what would be snipped and swept: the dry run of `build` and `optimize`.
pub fn show(analysis: &Analysis, json: bool) -> anyhow::Result<Ended> {
    let snips = analysis.snipped();
    let swept = analysis.swept();
    let mut stdout = anstream::stdout();
    if json {
        let listing = serde_json::json!({ "snipped": snips, "swept": swept });
        writeln!(stdout, "{}", serde_json::to_string_pretty(&listing)?)?;
    } else {
        let spared: Vec<_> = analysis
            .plans
            .iter()
            .flat_map(|plan| plan.spared.clone())
            .collect();
        let unmatched: Vec<_> = analysis
            .plans
            .iter()
            .flat_map(|plan| plan.unmatched.clone())
            .collect();
        write!(
            stdout,
            "{}",
            text::snip_listing(&snips, &spared, &unmatched)
        )?;
        if !swept.is_empty() {
            write!(stdout, "\n{}", text::sweep_listing(&swept))?;
        }
    }
    Ok(Ended::Well)
}
