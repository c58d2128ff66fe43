//! What is said where a limit of the manifest does not hold.

use super::rows;
use crate::attribution::groups::{self, Grouping};
use crate::attribution::{Attribution, Row, RowKind};
use crate::config::{Config, Limit, Measure};
use crate::diagnostic::{Diagnostic, place};
use crate::gate::{Breach, Verdict};
use crate::output::hints;
use crate::report::{Report, Size, units};
use crate::system::calling;
use std::path::Path;

/// The stable name of the diagnostic.
pub const OVER_BUDGET: &str = "over-budget";

/// How many of the largest are named.
const LARGEST: usize = 10;

/// One error for the limits on sizes that do not hold, for what made one of them too large did so
/// with the others, and one for each other limit, each at its limit's place in the manifest. `file`
/// is where the report was written, for the command that shows more.
pub fn limits(verdict: &Verdict, report: &Report, config: &Config, file: &Path) -> Vec<Diagnostic> {
    let is_size = |breach: &&Breach| matches!(breach.limit.measure, Measure::Size(_));
    let (sizes, others): (Vec<_>, Vec<_>) = verdict.exceeded.iter().partition(is_size);
    let mut all = Vec::new();
    if let Some((first, more)) = sizes.split_first() {
        let mut one = diagnostic(first, report, config, file);
        one.notes = more.iter().map(|breach| beside(breach, config)).collect();
        one.notes.extend(explained(report, first));
        one.help.extend(hints::of(&report.attribution));
        all.push(one);
    }
    all.extend(others.into_iter().map(|breach| {
        let notes = explained(report, breach);
        let one = diagnostic(breach, report, config, file);
        Diagnostic { notes, ..one }
    }));
    all
}

/// Another size that is too large as well, and where its limit stands.
fn beside(breach: &Breach, config: &Config) -> String {
    let Breach { limit, actual } = breach;
    let (line, column) = place(&config.source, limit.span.start);
    let file = config.manifest.file_name().unwrap_or_default().display();
    let is = sentence("it", &limit.measure, *actual);
    let [over, most, actual] = [actual - limit.most, limit.most, *actual].map(units::bytes);
    let key = key(&limit.measure);
    let set = format!("{key} = {}", actual.replace(',', "_"));
    format!("and {is}, {over} over its limit of {most} ({file}:{line}:{column}; {set})")
}

fn diagnostic(breach: &Breach, report: &Report, config: &Config, file: &Path) -> Diagnostic {
    let Breach { limit, actual } = breach;
    let (measure, most) = (&limit.measure, limit.most);
    let over = units::bytes(actual - most);
    let subject = format!("{} for {}", report.package, report.target);
    let is = sentence(&subject, measure, *actual);
    Diagnostic {
        code: OVER_BUDGET,
        message: format!("{is}, {over} over its limit of {}", units::bytes(most)),
        label: format!(
            "actual is {}, {over} over ({} of the limit)",
            units::amount(*actual, measure.unit()),
            units::used(*actual, most)
        ),
        help: vec![shows(measure, file), raise(config, limit, *actual)],
        ..Diagnostic::at(&config.manifest, &config.source, limit.span.clone())
    }
}

/// How the limit goes up.
fn raise(config: &Config, limit: &Limit, actual: u64) -> String {
    let measure = &limit.measure;
    if config.manifest == Path::new(Config::COMMAND_LINE) {
        return format!("to allow it, give {}={actual} there", key(measure));
    }
    format!(
        "to raise the limit deliberately, set {} = {} here and say why in the commit",
        written(config, limit.span.start).unwrap_or_else(|| key(measure)),
        units::bytes(actual).replace(',', "_")
    )
}

/// What is measured and how much it is, as a sentence's beginning.
fn sentence(subject: &str, measure: &Measure, actual: u64) -> String {
    let now = units::bytes(actual);
    match measure {
        Measure::Size(Size::Raw) => format!("{subject} is {now} bytes as shipped"),
        Measure::Size(Size::Gzip) => format!("{subject} is {now} bytes after gzip -9"),
        Measure::Size(Size::Brotli) => format!("{subject} is {now} bytes after brotli -q 11"),
        Measure::Functions => format!("{subject} has {now} functions"),
        Measure::Crates => format!("{subject} has {now} crates in it"),
        Measure::Memory => format!("{subject} begins with {now} bytes of memory"),
        Measure::Start => format!("{subject} takes {now} instructions to start"),
        Measure::Crate(name) => format!("crate {name} takes {now} bytes of {subject}"),
        Measure::Section(name) => format!("section {name} takes {now} bytes of {subject}"),
    }
}

/// Where more is to be seen.
fn shows(measure: &Measure, file: &Path) -> String {
    let analyze = format!("`{} {}", calling::call("analyze"), file.display());
    match measure {
        Measure::Size(_) | Measure::Functions => format!("{analyze}` shows what makes up the size"),
        Measure::Crates | Measure::Crate(_) => {
            format!("{analyze} --by crate` shows what each crate takes")
        }
        Measure::Section(_) => format!("{analyze} --by section` shows what each section takes"),
        Measure::Memory => {
            format!("{analyze} --by section` shows its data; the rest is the stack and the heap")
        }
        Measure::Start => {
            "work at the start is that of constructors, the start function and `_initialize`"
                .to_owned()
        }
    }
}

/// The key as it stands in its table.
/// The key before the value at `start`, as it is written there.
fn written(config: &Config, start: usize) -> Option<String> {
    let before = config.source.get(..start)?;
    let key = before.rsplit(['\n', '{', ',']).next()?;
    let key = key.trim().strip_suffix('=')?.trim();
    (!key.is_empty()).then(|| key.to_owned())
}

fn key(measure: &Measure) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    match measure {
        Measure::Crate(name) | Measure::Section(name) if name.chars().all(is_bare) => name.clone(),
        Measure::Crate(name) | Measure::Section(name) => format!("{name:?}"),
        _ => measure.key().to_owned(),
    }
}

/// What there is to know of a figure: what it is made of, the largest first.
fn explained(report: &Report, breach: &Breach) -> Vec<String> {
    let all = &report.attribution;
    if all.rows.is_empty() {
        return Vec::new();
    }
    let rows = all.rows.iter();
    match &breach.limit.measure {
        Measure::Size(_) => largest("the shipped file", all.bytes, rows),
        Measure::Crate(name) => {
            let rows = rows.filter(|row| row.krate() == *name);
            largest("the crate", breach.actual, rows)
        }
        Measure::Section(name) => {
            let rows = rows.filter(|row| row.section() == *name);
            largest("the section", breach.actual, rows)
        }
        Measure::Functions => functions_by_crate(all),
        Measure::Crates => {
            let mut crates = groups::run(all, Grouping::Crate);
            crates.retain(|group| !group.name.starts_with('['));
            // Those that take the least are the nearest to going.
            let smallest = crates.into_iter().rev();
            let smallest = smallest.map(|group| (group.bytes, group.name));
            list("the smallest of them are".to_owned(), smallest, all.bytes)
        }
        Measure::Memory | Measure::Start => Vec::new(),
    }
}

fn largest<'r>(what: &str, sum: u64, rows: impl Iterator<Item = &'r Row>) -> Vec<String> {
    let headline = format!("the largest of {what} ({} bytes) are", units::bytes(sum));
    list(headline, rows.map(|row| (row.bytes, row.item())), sum)
}

fn functions_by_crate(all: &Attribution) -> Vec<String> {
    let rows = all.rows.iter().filter(|row| row.kind == RowKind::Function);
    let functions = Attribution {
        bytes: 0,
        rows: rows.cloned().collect(),
    };
    let mut groups = groups::run(&functions, Grouping::Crate);
    let sum = groups
        .iter()
        .fold(0u64, |sum, group| sum.saturating_add(group.count));
    groups.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
    let counts = groups.into_iter().map(|group| (group.count, group.name));
    list("most of them are of".to_owned(), counts, sum)
}

/// The first of `rows`, each with its share of `whole`.
fn list(headline: String, rows: impl Iterator<Item = (u64, String)>, whole: u64) -> Vec<String> {
    let rows = rows.take(LARGEST).map(|(n, name)| {
        let (share, name) = (units::share(n, whole), rows::shorten(&name));
        (units::bytes(n), format!("{share:>6}  {name}"))
    });
    let rows: Vec<_> = rows.collect();
    let mut lines = vec![headline];
    lines.extend(rows::aligned(&rows));
    lines
}

#[cfg(test)]
mod tests {
    use super::limits;
    use crate::config::{Config, Limit, Measure};
    use crate::diagnostic::Diagnostic;
    use crate::gate;
    use crate::gate::tests::{config, report, sizes};
    use crate::report::Report;
    use std::path::Path;

    fn said(report: &Report, config: &Config) -> Vec<Diagnostic> {
        let verdict = gate::decide(report, config, None);
        limits(&verdict, report, config, Path::new("r.json"))
    }

    /// Protects readers from three errors for one change: the sizes are one, at the first limit,
    /// with the places of the others, and explained once.
    #[test]
    fn sizes_are_one_and_others_stand_alone() {
        let (mut report, mut config) = (
            report(sizes([11, 6, 30])),
            config([Some(10), Some(5), Some(7)]),
        );
        config.manifest = "app/Cargo.toml".into();
        let functions = Limit {
            most: 1,
            span: 4..5,
            measure: Measure::Functions,
        };
        config.limits.set(functions);
        report.figures.functions = 4;
        let all = said(&report, &config);
        let spans: Vec<_> = all.iter().map(|d| d.span.clone()).collect();
        assert_eq!(spans, [0..1, 4..5]);
        let notes: Vec<_> = all.iter().map(|d| d.notes.len()).collect();
        assert_eq!(notes, [13, 2]);
        assert_eq!(
            all[0].notes[0],
            "and it is 6 bytes after gzip -9, 1 over its limit of 5 (Cargo.toml:1:2; gzip = 6)"
        );
        assert_eq!(all[0].notes[3], "250   25.0%  app::run");
        let shows = |d: &Diagnostic| d.help[0].contains(" analyze r.json");
        assert!(all.iter().all(shows));
    }

    #[test]
    fn without_attribution_there_is_nothing_to_name() {
        let mut report = report(sizes([11; 3]));
        let config = config([Some(10), None, None]);
        let notes = |report: &Report| said(report, &config)[0].notes.len();
        assert_eq!(notes(&report), 11);
        report.attribution.rows.clear();
        assert_eq!(notes(&report), 0);
    }
}
