//! The comparison of the allocators as tables of text, for whoever draws them: `text` at a
//! terminal, `page` in the document. What is the same on every machine comes first, wall times
//! last.

mod page;

pub use page::draw as page;

use crate::alloc_compare::{Comparison, Criterion, OfTarget, Reason, Run, Workload};
use crate::tables::duration;
use build_support::output::text::style::FAINT;
use build_support::output::text::table::Table;
use build_support::report::{Size, units};

/// A table and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// What it shows.
    pub title: String,
    /// How it is to be read, in a sentence or two.
    pub about: &'static str,
    /// The figures.
    pub table: Table,
}

/// What is the same on every machine, for each target, and the scores.
pub fn exact(comparison: &Comparison) -> Vec<Section> {
    let targets = comparison.targets.iter().flat_map(|target| {
        [
            sizes(target),
            instructions(target),
            pages(target),
            heap(target),
            life(target),
            tracing(target),
        ]
    });
    targets.chain([scores(comparison)]).collect()
}

/// Wall times, for each target.
pub fn times(comparison: &Comparison) -> Vec<Section> {
    comparison.targets.iter().map(wall_times).collect()
}

/// The same in fewer figures.
pub fn times_in_short(comparison: &Comparison) -> Vec<Section> {
    comparison.targets.iter().map(wall_times_in_short).collect()
}

/// What the rule makes of the scores, in a sentence.
pub fn recommendation(comparison: &Comparison) -> String {
    let found = comparison.recommendation;
    let best = comparison.scores.iter().find(|s| s.allocator.frees());
    let best = best.map_or(found.choice, |score| score.allocator);
    let why = match found.reason {
        Reason::Highest => "the highest score of those that take memory back".to_owned(),
        Reason::ProvenAndClose => {
            format!("the default, which is proven and within a tenth of the best, {best}")
        }
    };
    let other = match found.per_message {
        same if same == found.choice => {
            "; it would be for a module that lives for one message alone, too".to_owned()
        }
        other => format!("; for a module that lives for one message alone it would be {other}"),
    };
    format!("{}: {why}{other}", found.choice)
}

fn sizes(target: &OfTarget) -> Section {
    let first = target.candidates.first().map(|candidate| candidate.shipped);
    let base = first.unwrap_or_default();
    let rows = target.candidates.iter().map(|candidate| {
        let shipped = Size::ALL.into_iter().flat_map(|size| {
            let (base, bytes) = (base.get(size), candidate.shipped.get(size));
            [units::bytes(bytes), units::change(base, bytes)]
        });
        let linked = [units::bytes(candidate.linked.raw)];
        row(candidate.allocator, linked.into_iter().chain(shipped))
    });
    let heads = "allocator | >linked | >raw | > | >gzip | > | >brotli | >";
    Section {
        title: format!("{}: the agent's size", target.target),
        about: "Bytes of the agent: as the linker left it, without names, and as it is shipped; the differences are \
                those to the first line.",
        table: Table::headed(FAINT, heads).rows(rows),
    }
}

fn instructions(target: &OfTarget) -> Section {
    let mut table = by_workload(target, |runs| {
        let first = runs[0].instructions.max(1) as f64;
        let operation = units::bytes(runs[0].operation_instructions.median);
        let others = runs[1..].iter();
        let others = others.map(|run| ratio(run.instructions as f64 / first));
        [operation].into_iter().chain(others).collect()
    });
    let means = target.candidates.iter().skip(1).filter_map(|candidate| {
        let first = target.candidates.first()?;
        let logarithms = candidate.runs.iter().zip(&first.runs).map(|(run, first)| {
            (run.instructions.max(1) as f64 / first.instructions.max(1) as f64).ln()
        });
        let mean = logarithms.sum::<f64>() / candidate.runs.len().max(1) as f64;
        Some(ratio(mean.exp()))
    });
    table = table.rows([row(
        "geometric mean",
        [String::new()].into_iter().chain(means),
    )]);
    Section {
        title: format!("{}: instructions", target.target),
        about: "The first column of figures: instructions of an operation, the median over the steps. The others: all \
                instructions of the workload in relation to that allocator's; below 1 is faster.",
        table,
    }
}

fn pages(target: &OfTarget) -> Section {
    Section {
        title: format!("{}: pages", target.target),
        about: "Linear memory in pages of 64 KiB, at the start and at its highest. It never shrinks. The workloads' own \
                tables are in what is there at the start.",
        table: by_run(target, |run| {
            format!("{} → {}", run.pages.start, run.pages.high)
        }),
    }
}

fn heap(target: &OfTarget) -> Section {
    let reclaimed = |run: &Run| run.ratios.reclaimed.map_or("–".to_owned(), per_cent);
    let rows = target.candidates.iter().filter_map(|candidate| {
        let run = candidate.run(Workload::Mixed)?;
        let json = candidate.run(Workload::Json200).map(reclaimed);
        Some([
            candidate.allocator.to_string(),
            units::bytes(run.asked.peak_live_bytes),
            units::bytes(run.pages.grown()),
            per_cent(run.ratios.fragmentation),
            per_cent(run.ratios.rounding),
            units::bytes(run.asked.live_bytes),
            reclaimed(run),
            json.unwrap_or_default(),
        ])
    });
    let heads = "allocator | >peak live | >grown | >fragmentation | >rounding | >live at the end | >reclaimed | >json200";
    Section {
        title: format!("{}: the heap after 10,000 mixed allocations", target.target),
        about: "Fragmentation is the part of the memory grown for the heap that even the peak of live bytes did not use; \
                `rounding` is what of it lies in the last page, and no allocator can help. `reclaimed` is how much of \
                that memory a second run in the same instance did without, with `mixed` and with `json200`.",
        table: Table::headed(FAINT, heads).rows(rows),
    }
}

fn life(target: &OfTarget) -> Section {
    let first = target.candidates.first();
    let ages = first.iter().flat_map(|first| &first.life);
    let heads = ages.map(|age| match age.transcripts {
        0 => "at the start".to_owned(),
        count => format!("after {count}"),
    });
    let rows = target.candidates.iter().map(|candidate| {
        let pages = candidate.life.iter().map(|age| units::bytes(age.pages));
        row(candidate.allocator, pages)
    });
    Section {
        title: format!("{}: the shipped agent in a long life", target.target),
        about: "Pages of linear memory after so many transcripts. Its sessions are bounded: what goes on growing is lost.",
        table: figures("allocator", heads).rows(rows),
    }
}

fn tracing(target: &OfTarget) -> Section {
    Section {
        title: format!("{}: what tracing costs", target.target),
        about: "Instructions of the traced build in relation to the plain one.",
        table: by_run(target, |run| format!("{:+.1}%", run.ratios.tracing * 100.0)),
    }
}

fn wall_times(target: &OfTarget) -> Section {
    let first = target.candidates.first();
    let workloads = first
        .iter()
        .flat_map(|first| &first.runs)
        .map(|run| run.workload);
    let rows = workloads.flat_map(|workload| {
        target.candidates.iter().filter_map(move |candidate| {
            let time = candidate.run(workload)?.operation_time;
            let times = [
                Some(time.min_ns),
                Some(time.median_ns),
                time.p90_ns,
                time.p99_ns,
            ];
            let figures = times.into_iter().chain([Some(time.samples)]);
            let figures = figures.map(|figure| figure.map_or(String::new(), units::bytes));
            let allocator = [candidate.allocator.to_string()];
            Some(row(workload, allocator.into_iter().chain(figures)))
        })
    });
    let heads = "workload | >allocator | >min | >median | >p90 | >p99 | >samples";
    Section {
        title: format!("{}: wall time", target.target),
        about: "Nanoseconds of an operation on one machine at one time; a sample is a step.",
        table: Table::headed(FAINT, heads).rows(rows),
    }
}

fn wall_times_in_short(target: &OfTarget) -> Section {
    Section {
        title: format!("{}: wall time", target.target),
        about: "Of an operation on this machine now: median and p99.",
        table: by_run(target, |run| {
            let time = run.operation_time;
            let p99 = time.p99_ns.map_or(String::new(), short);
            format!("{} {p99}", short(time.median_ns))
        }),
    }
}

/// Shorter than what [`duration::text`] is for.
fn short(nanos: u64) -> String {
    match nanos {
        0..1_000 => format!("{nanos} ns"),
        _ => duration::text(nanos),
    }
}

fn scores(comparison: &Comparison) -> Section {
    let weights = comparison.weights;
    let heads =
        Criterion::ALL.map(|criterion| format!("{} ×{}", criterion.name(), weights.of(criterion)));
    let rows = comparison.scores.iter().map(|score| {
        let marks = Criterion::ALL.map(|criterion| score.marks.of(criterion));
        row(
            score.allocator,
            marks.into_iter().chain([score.total]).map(ratio),
        )
    });
    Section {
        title: "Scores".to_owned(),
        about: "Each from 0 to 1, the mean over the targets, and their weighted mean. Maturity is judged, not measured.",
        table: figures("allocator", heads.into_iter().chain(["score".to_owned()])).rows(rows),
    }
}

/// A table whose first column alone is on the left.
fn figures(first: &str, heads: impl Iterator<Item = String>) -> Table {
    let heads = heads.map(|head| format!("|>{head}"));
    Table::headed(FAINT, &format!("{first}{}", heads.collect::<String>()))
}

fn row(first: impl ToString, cells: impl IntoIterator<Item = String>) -> Vec<String> {
    [first.to_string()].into_iter().chain(cells).collect()
}

/// A row for each workload, with a figure of each allocator's run.
fn by_run(target: &OfTarget, figure: impl Fn(&Run) -> String) -> Table {
    by_workload(target, |runs| runs.iter().map(|run| figure(run)).collect())
}

/// A row for each workload, of what `cells` makes of the runs of all allocators, of which there is
/// one at least.
fn by_workload(target: &OfTarget, cells: impl Fn(&[&Run]) -> Vec<String>) -> Table {
    let candidates = target.candidates.iter();
    let names = candidates
        .clone()
        .map(|candidate| candidate.allocator.to_string());
    let rows = Workload::ALL.into_iter().filter_map(|workload| {
        let runs = candidates.clone().map(|candidate| candidate.run(workload));
        let runs: Vec<&Run> = runs.collect::<Option<_>>()?;
        (!runs.is_empty()).then(|| row(workload, cells(&runs)))
    });
    figures("workload", names).rows(rows)
}

fn ratio(value: f64) -> String {
    format!("{value:.3}")
}

fn per_cent(part: f64) -> String {
    format!("{:.1}%", part * 100.0)
}

#[cfg(test)]
mod tests;
