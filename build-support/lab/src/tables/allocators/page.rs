//! `docs/allocators.md`.

use super::{Section, exact, recommendation, times};
use crate::alloc_compare::{Comparison, WorkloadSize};
use build_support::output::text::style::FAINT;
use build_support::output::text::table::Table;
use build_support::report::units;

/// The document as Markdown. Everything above the wall times is the same wherever the same
/// toolchain made it.
pub fn draw(comparison: &Comparison) -> String {
    let toolchain = &comparison.toolchain;
    let mut text = format!(
        "<!-- Written by `cargo make alloc-compare`. Do not edit: the next run writes it anew. -->\n\n\
         # Allocators\n\n\
         Every allocator of the agent on every target: what it makes of the shipped file, and of time and memory in \
         workloads. Built with {}, std {}, {}; run in {}, which counts instructions as fuel: about one for each, and one \
         for each byte of a bulk copy or fill.\n\n\
         **By the rule: {}.** The rule: the highest score of those that take memory back; but the default stays where its \
         score is within a tenth of that. It is a rule: the decision, with its reasons, is an ADR.\n\n",
        toolchain.rustc,
        toolchain.std,
        toolchain.wasm_opt,
        comparison.engine,
        recommendation(comparison)
    );
    text.push_str(&workloads(&comparison.extents));
    for section in exact(comparison) {
        text.push_str(&draw_section(&section));
    }
    text.push_str(&maturity(comparison));
    text.push_str(
        "## Wall times\n\n\
         Of the machine and the hour of the run: compare within a workload, not with another run.\n\n",
    );
    for section in times(comparison) {
        text.push_str(&draw_section(&section));
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

fn workloads(extents: &[WorkloadSize]) -> String {
    let rows = extents.iter().map(|size| {
        [
            size.workload.to_string(),
            size.workload.about().to_owned(),
            size.workload.operation().to_owned(),
            units::bytes(size.operations.into()),
            units::bytes(size.steps.into()),
        ]
    });
    let table = Table::headed(
        FAINT,
        "workload | is | an operation is | >in a step | >steps",
    );
    format!(
        "## Workloads\n\n\
         Data come from a fixed seed; every allocator on every target must compute the same, or the comparison fails. All but \
         the transcript are in `fixtures/allocators`, beside the agent in one file.\n\n{}\n",
        table.rows(rows).markdown()
    )
}

fn maturity(comparison: &Comparison) -> String {
    let rows = comparison.scores.iter().map(|score| {
        let (maturity, why) = score.allocator.maturity();
        let name = score.allocator.name().to_owned();
        [name, why.to_owned(), format!("{:.1}", maturity.score())]
    });
    let table = Table::headed(FAINT, "allocator | judged by | >maturity").rows(rows);
    format!(
        "## Maturity\n\nA judgement, not a measurement.\n\n{}\n",
        table.markdown()
    )
}

fn draw_section(section: &Section) -> String {
    let Section {
        title,
        about,
        table,
    } = section;
    format!("## {title}\n\n{about}\n\n{}\n", table.markdown())
}
