//! `docs/allocators.md`.

use super::{Section, exact, recommendation, times};
use crate::alloc_compare::{Allocator, Comparison, Extent};
use build_support::report::units;

/// The document as Markdown. Everything above the wall times is the same wherever the same toolchain made it.
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
        text.push_str(&table(&section));
    }
    text.push_str(&maturity(comparison));
    text.push_str(
        "## Wall times\n\n\
         Of the machine and the hour of the run: compare within a workload, not with another run.\n\n",
    );
    for section in times(comparison) {
        text.push_str(&table(&section));
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

fn workloads(extents: &[Extent]) -> String {
    let row = |extent: &Extent| {
        vec![
            extent.workload.to_string(),
            extent.workload.about().to_owned(),
            extent.workload.operation().to_owned(),
            units::bytes(extent.operations.into()),
            units::bytes(extent.steps.into()),
        ]
    };
    let lines = markdown(
        &["workload", "is", "an operation is", "in a step", "steps"].map(str::to_owned),
        &[false, false, false, true, true],
        &extents.iter().map(row).collect::<Vec<_>>(),
    );
    format!(
        "## Workloads\n\n\
         Data come from a fixed seed; every allocator on every target must compute the same, or the comparison fails. All but \
         the transcript are in `fixtures/allocators`, beside the agent in one file.\n\n{lines}\n"
    )
}

fn maturity(comparison: &Comparison) -> String {
    let rows = comparison.scores.iter().map(|score| {
        let (maturity, why) = score.allocator.maturity();
        let name = Allocator::name(score.allocator).to_owned();
        vec![name, why.to_owned(), format!("{:.1}", maturity.score())]
    });
    let lines = markdown(
        &["allocator", "judged by", "maturity"].map(str::to_owned),
        &[false, false, true],
        &rows.collect::<Vec<_>>(),
    );
    format!("## Maturity\n\nA judgement, not a measurement.\n\n{lines}\n")
}

fn table(section: &Section) -> String {
    let right: Vec<bool> = (0..section.head.len()).map(|column| column > 0).collect();
    format!(
        "## {}\n\n{}\n\n{}\n",
        section.title,
        section.about,
        markdown(&section.head, &right, &section.rows)
    )
}

fn markdown(head: &[String], right: &[bool], rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let rule = right.iter().map(|right| if *right { "--:" } else { "---" });
    let rule = format!("|{}|\n", rule.collect::<Vec<_>>().join("|"));
    let rows: String = rows.iter().map(|row| line(row)).collect();
    format!("{}{rule}{rows}", line(head))
}
