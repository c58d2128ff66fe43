//! What would be rewritten: the dry run of `build` and `optimize`.

use crate::cli::ended::Ended;
use crate::cli::terminal::print;
use crate::output::text;
use crate::passes::pipeline::Analysis;
use crate::passes::snip;

/// Lists what would be snipped and swept: the dry run of `build` and `optimize`.
pub fn show(analysis: &Analysis, json: bool) -> anyhow::Result<Ended> {
    let snips = analysis.snipped();
    let swept = analysis.swept();
    let listing = serde_json::json!({ "snipped": snips, "swept": swept });
    print(json, &listing, || {
        let plans = analysis.plans.iter();
        let spared: Vec<_> = plans.clone().flat_map(|p| p.spared.clone()).collect();
        let unmatched: Vec<_> = plans.flat_map(|p| p.unmatched.clone()).collect();
        let mut text = text::snip_listing(&snips, &spared, &unmatched);
        if analysis.plans.iter().all(|plan| plan.unnamed) {
            text.push_str(&format!("{}\n", snip::NO_NAMES));
        }
        if !swept.is_empty() {
            text.push_str(&format!("\n{}", text::sweep_listing(&swept)));
        }
        text
    })?;
    Ok(Ended::Well)
}
