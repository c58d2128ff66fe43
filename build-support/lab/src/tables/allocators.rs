//! The comparison of the allocators as tables of text, for whoever draws them: `text` at a terminal, `page` in the document.
//! What is the same on every machine comes first, wall times last.

mod page;

pub use page::draw as page;

use crate::alloc_compare::{Candidate, Comparison, Criterion, OfTarget, Reason, Run, Workload};
use build_support::report::{Sizes, units};

/// A table: the first column is on the left, the others are on the right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// What it shows.
    pub title: String,
    /// How it is to be read, in a sentence or two.
    pub about: String,
    /// The heads of the columns.
    pub head: Vec<String>,
    /// The lines.
    pub rows: Vec<Vec<String>>,
}

/// What is the same on every machine, for each target, and the scores.
pub fn exact(comparison: &Comparison) -> Vec<Section> {
    let of_target = |target: &OfTarget| {
        [
            sizes(target),
            instructions(target),
            pages(target),
            heap(target),
            life(target),
            tracing(target),
        ]
    };
    let targets = comparison.targets.iter().flat_map(of_target);
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
    let row = |candidate: &Candidate| {
        let Sizes { raw, gzip, brotli } = candidate.shipped;
        let base = first.unwrap_or_default();
        vec![
            candidate.allocator.to_string(),
            units::bytes(candidate.linked.raw),
            units::bytes(raw),
            units::change(base.raw, raw),
            units::bytes(gzip),
            units::change(base.gzip, gzip),
            units::bytes(brotli),
            units::change(base.brotli, brotli),
        ]
    };
    Section {
        title: format!("{}: the agent's size", target.target),
        about: "Bytes of the agent: as the linker left it, without names, and as it is shipped; the differences are \
                those to the first line."
            .to_owned(),
        head: ["allocator", "linked", "raw", "", "gzip", "", "brotli", ""].map(str::to_owned).into(),
        rows: target.candidates.iter().map(row).collect(),
    }
}

fn instructions(target: &OfTarget) -> Section {
    let mut rows = by_workload(target, |runs| {
        let first = runs[0].instructions.max(1) as f64;
        let of_first = units::bytes(runs[0].operation_instructions.median);
        let others = runs[1..]
            .iter()
            .map(|run| ratio(run.instructions as f64 / first));
        [of_first].into_iter().chain(others).collect()
    });
    let mean = |candidate: &Candidate| {
        let first = target.candidates.first()?;
        let logarithms = candidate.runs.iter().zip(&first.runs).map(|(run, first)| {
            (run.instructions.max(1) as f64 / first.instructions.max(1) as f64).ln()
        });
        Some((logarithms.sum::<f64>() / candidate.runs.len().max(1) as f64).exp())
    };
    let means = target.candidates.iter().skip(1).filter_map(mean).map(ratio);
    rows.push(
        ["geometric mean".to_owned(), String::new()]
            .into_iter()
            .chain(means)
            .collect(),
    );
    Section {
        title: format!("{}: instructions", target.target),
        about: "The first column of figures: instructions of an operation, the median over the steps. The others: all \
                instructions of the workload in relation to that allocator's; below 1 is faster."
            .to_owned(),
        head: head("workload", target),
        rows,
    }
}

fn pages(target: &OfTarget) -> Section {
    let rows = by_workload(target, |runs| {
        let figure = |run: &&Run| {
            let pages = run.pages;
            format!("{} → {}", pages.start, pages.high)
        };
        runs.iter().map(figure).collect()
    });
    Section {
        title: format!("{}: pages", target.target),
        about: "Linear memory in pages of 64 KiB, at the start and at its highest. It never shrinks. The workloads' own \
                tables are in what is there at the start."
            .to_owned(),
        head: head("workload", target),
        rows,
    }
}

fn heap(target: &OfTarget) -> Section {
    let row = |candidate: &Candidate| {
        let run = candidate.run(Workload::Mixed)?;
        let reclaimed = |run: &Run| run.ratios.reclaimed.map_or("–".to_owned(), per_cent);
        let json = candidate.run(Workload::Json200).map(reclaimed);
        Some(vec![
            candidate.allocator.to_string(),
            units::bytes(run.asked.peak_live_bytes),
            units::bytes(run.pages.grown()),
            per_cent(run.ratios.fragmentation),
            per_cent(run.ratios.rounding),
            units::bytes(run.asked.live_bytes),
            reclaimed(run),
            json.unwrap_or_default(),
        ])
    };
    Section {
        title: format!("{}: the heap after 10,000 mixed allocations", target.target),
        about: "Fragmentation is the part of the memory grown for the heap that even the peak of live bytes did not use; \
                `rounding` is what of it lies in the last page, and no allocator can help. `reclaimed` is how much of \
                that memory a second run in the same instance did without, with `mixed` and with `json200`."
            .to_owned(),
        head: [
            "allocator",
            "peak live",
            "grown",
            "fragmentation",
            "rounding",
            "live at the end",
            "reclaimed",
            "json200",
        ]
        .map(str::to_owned)
        .into(),
        rows: target.candidates.iter().filter_map(row).collect(),
    }
}

fn life(target: &OfTarget) -> Section {
    let ages = target
        .candidates
        .first()
        .map_or(&[][..], |first| &first.life);
    let head = ages.iter().map(|age| match age.transcripts {
        0 => "at the start".to_owned(),
        count => format!("after {count}"),
    });
    let row = |candidate: &Candidate| {
        let pages = candidate.life.iter().map(|age| units::bytes(age.pages));
        [candidate.allocator.to_string()]
            .into_iter()
            .chain(pages)
            .collect()
    };
    Section {
        title: format!("{}: the shipped agent in a long life", target.target),
        about: "Pages of linear memory after so many transcripts. Its sessions are bounded: what goes on growing is lost."
            .to_owned(),
        head: ["allocator".to_owned()].into_iter().chain(head).collect(),
        rows: target.candidates.iter().map(row).collect(),
    }
}

fn tracing(target: &OfTarget) -> Section {
    let rows = by_workload(target, |runs| {
        runs.iter()
            .map(|run| signed_per_cent(run.ratios.tracing))
            .collect()
    });
    Section {
        title: format!("{}: what tracing costs", target.target),
        about: "Instructions of the traced build in relation to the plain one.".to_owned(),
        head: head("workload", target),
        rows,
    }
}

fn wall_times(target: &OfTarget) -> Section {
    let rows = target
        .candidates
        .first()
        .into_iter()
        .flat_map(|first| &first.runs)
        .flat_map(|run| {
            target.candidates.iter().filter_map(|candidate| {
                let time = candidate.run(run.workload)?.operation_time;
                Some(vec![
                    run.workload.to_string(),
                    candidate.allocator.to_string(),
                    units::bytes(time.min_ns),
                    units::bytes(time.median_ns),
                    units::bytes(time.p90_ns),
                    units::bytes(time.p99_ns),
                    units::bytes(time.samples),
                ])
            })
        });
    Section {
        title: format!("{}: wall time", target.target),
        about: "Nanoseconds of an operation on one machine at one time; a sample is a step."
            .to_owned(),
        head: [
            "workload",
            "allocator",
            "min",
            "median",
            "p90",
            "p99",
            "samples",
        ]
        .map(str::to_owned)
        .into(),
        rows: rows.collect(),
    }
}

fn wall_times_in_short(target: &OfTarget) -> Section {
    let rows = by_workload(target, |runs| {
        let figures = |run: &&Run| {
            let time = run.operation_time;
            format!("{} {}", duration(time.median_ns), duration(time.p99_ns))
        };
        runs.iter().map(figures).collect()
    });
    Section {
        title: format!("{}: wall time", target.target),
        about: "Of an operation on this machine now: median and p99.".to_owned(),
        head: head("workload", target),
        rows,
    }
}

/// Shorter than what [`units::duration`] is for.
fn duration(nanos: u64) -> String {
    match nanos {
        0..1_000 => format!("{nanos} ns"),
        _ => units::duration(nanos),
    }
}

fn scores(comparison: &Comparison) -> Section {
    let weights = comparison.weights;
    let titles = Criterion::ALL.map(|c| format!("{} ×{}", c.name(), weights.of(c)));
    let rows = comparison.scores.iter().map(|score| {
        let marks = Criterion::ALL.map(|criterion| ratio(score.marks.of(criterion)));
        let name = [score.allocator.to_string()];
        name.into_iter()
            .chain(marks)
            .chain([ratio(score.total)])
            .collect()
    });
    Section {
        title: "Scores".to_owned(),
        about: "Each from 0 to 1, the mean over the targets, and their weighted mean. Maturity is judged, not measured."
            .to_owned(),
        head: ["allocator".to_owned()].into_iter().chain(titles).chain(["score".to_owned()]).collect(),
        rows: rows.collect(),
    }
}

fn head(first: &str, target: &OfTarget) -> Vec<String> {
    let names = target
        .candidates
        .iter()
        .map(|candidate| candidate.allocator.to_string());
    [first.to_owned()].into_iter().chain(names).collect()
}

/// A row for each workload, of what `cells` makes of the runs of all allocators, of which there is one at least.
fn by_workload(target: &OfTarget, cells: impl Fn(&[&Run]) -> Vec<String>) -> Vec<Vec<String>> {
    let rows = Workload::ALL.into_iter().filter_map(|workload| {
        let runs = target
            .candidates
            .iter()
            .map(|candidate| candidate.run(workload));
        let runs: Vec<&Run> = runs.collect::<Option<_>>()?;
        let row = (!runs.is_empty()).then(|| cells(&runs))?;
        Some([workload.to_string()].into_iter().chain(row).collect())
    });
    rows.collect()
}

fn ratio(value: f64) -> String {
    format!("{value:.3}")
}

fn per_cent(part: f64) -> String {
    format!("{:.1}%", part * 100.0)
}

fn signed_per_cent(part: f64) -> String {
    format!("{:+.1}%", part * 100.0)
}

#[cfg(test)]
mod tests;
