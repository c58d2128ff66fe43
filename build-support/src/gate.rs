//! Decides whether what was shipped is within its budget, and nothing else does. Pure: the same report
//! and configuration give the same verdict. Sizes are compared in bytes, to the byte.

use crate::attribution::Row;
use crate::config::{Config, Limit, Measure};
use crate::diagnostic::{Diagnostic, Level};
use crate::report::{Exceeded, Report, Sizes, VerdictRecord, units};
use std::path::Path;

/// The stable name of the diagnostic for a limit that does not hold.
pub const OVER_BUDGET: &str = "over-budget";

/// How many of the largest a diagnostic names.
const LARGEST: usize = 10;

/// How many characters of a name a diagnostic shows.
const NAME_WIDTH: usize = 64;

/// What was decided.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// The limits that do not hold, in the order of [`Measure::ALL`]; none where all do.
    pub exceeded: Vec<Breach>,
}

/// A limit that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// The limit, what it is on and where it stands.
    pub limit: Limit,
    /// What was measured, in bytes; more than the limit.
    pub actual: u64,
}

/// Holds the sizes of `report` against the limits of `config`. A size that is exactly the limit is
/// within it.
pub fn decide(report: &Report, config: &Config) -> Verdict {
    let breach = |limit: &Limit| {
        let actual = size(&report.sizes, limit.measure);
        (actual > limit.bytes).then(|| Breach {
            limit: limit.clone(),
            actual,
        })
    };
    Verdict {
        exceeded: config.limits.iter().filter_map(breach).collect(),
    }
}

impl Verdict {
    /// Whether every limit holds.
    pub fn within(&self) -> bool {
        self.exceeded.is_empty()
    }

    /// The verdict as a report keeps it.
    pub fn record(&self) -> VerdictRecord {
        let exceeded = |breach: &Breach| Exceeded {
            measure: breach.limit.measure.name().to_owned(),
            actual: breach.actual,
            limit: breach.limit.bytes,
        };
        VerdictRecord {
            within: self.within(),
            exceeded: self.exceeded.iter().map(exceeded).collect(),
        }
    }

    /// One error per limit that does not hold, at the limit's place in the manifest. `file` is where the
    /// report was written, for the command that shows more. What takes the most room stands with the
    /// first error alone: it is the same for all.
    pub fn diagnostics(&self, report: &Report, config: &Config, file: &Path) -> Vec<Diagnostic> {
        let draw = |(i, breach): (usize, &Breach)| Diagnostic {
            notes: if i == 0 { largest(report) } else { Vec::new() },
            ..diagnostic(breach, report, config, file)
        };
        self.exceeded.iter().enumerate().map(draw).collect()
    }
}

fn size(sizes: &Sizes, measure: Measure) -> u64 {
    match measure {
        Measure::Raw => sizes.raw,
        Measure::Gzip => sizes.gzip,
        Measure::Brotli => sizes.brotli,
    }
}

fn diagnostic(breach: &Breach, report: &Report, config: &Config, file: &Path) -> Diagnostic {
    let Breach { limit, actual } = breach;
    let over = units::bytes(actual - limit.bytes);
    let (size, allowed) = (units::bytes(*actual), units::bytes(limit.bytes));
    let measure = limit.measure;
    Diagnostic {
        level: Level::Error,
        code: OVER_BUDGET,
        message: format!(
            "{} for {} is {size} bytes {}, {over} over its limit of {allowed}",
            report.package,
            report.target,
            measure.phrase(),
        ),
        file: config.manifest.clone(),
        source: config.source.clone(),
        span: limit.span.clone(),
        label: format!(
            "actual is {size} bytes, {over} over ({} of the limit)",
            units::used(*actual, limit.bytes)
        ),
        notes: Vec::new(),
        help: vec![
            format!(
                "`build-support analyze {}` shows what takes the room",
                file.display()
            ),
            format!(
                "to raise the limit deliberately, set {} = {} here and say why in the commit",
                measure.name(),
                toml(*actual)
            ),
        ],
    }
}

/// `12345` as TOML takes it: `12_345`.
fn toml(bytes: u64) -> String {
    units::bytes(bytes).replace(',', "_")
}

fn largest(report: &Report) -> Vec<String> {
    let all = &report.attribution;
    if all.rows.is_empty() {
        return Vec::new();
    }
    let largest: Vec<&Row> = all.rows.iter().take(LARGEST).collect();
    let sizes: Vec<String> = largest.iter().map(|row| units::bytes(row.bytes)).collect();
    let width = sizes.iter().map(String::len).max().unwrap_or_default();
    let headline = format!(
        "the largest of the shipped file ({} bytes) are",
        units::bytes(all.bytes)
    );
    let line = |(row, size): (&&Row, &String)| {
        let share = units::share(row.bytes, all.bytes);
        let name = units::shorten(&row.item(), NAME_WIDTH);
        format!("{size:>width$}  {share:>6}  {name}")
    };
    std::iter::once(headline)
        .chain(largest.iter().zip(&sizes).map(line))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{decide, size};
    use crate::attribution::{self, Attribution, Row};
    use crate::config::{Config, Limit, Limits, Measure};
    use crate::report::{
        BudgetRecord, Kind, Report, SCHEMA, Sizes, Stage, Toolchain, VerdictRecord,
    };
    use std::path::Path;

    fn report(sizes: Sizes) -> Report {
        Report {
            schema: SCHEMA,
            package: "app".into(),
            target: "wasm32-wasip2".into(),
            kind: Kind::Component,
            toolchain: Toolchain::default(),
            stages: vec![Stage {
                name: "link".into(),
                bytes: 1_000,
                millis: 0.0,
                note: String::new(),
            }],
            sizes,
            budget: BudgetRecord::default(),
            verdict: VerdictRecord {
                within: true,
                exceeded: Vec::new(),
            },
            snipped: Vec::new(),
            swept: Vec::new(),
            attribution: Attribution {
                bytes: 1_000,
                rows: vec![
                    Row {
                        kind: attribution::Kind::Function,
                        name: "app::run".into(),
                        bytes: 250,
                        count: 1,
                        core: None,
                        functions: Vec::new(),
                    };
                    12
                ],
            },
            features: Vec::new(),
            prunable: Default::default(),
        }
    }

    fn config(limits: [Option<u64>; 3]) -> Config {
        let mut config = Config {
            source: "0123456789".into(),
            ..Config::without_package("app")
        };
        let limit = |i: usize| {
            limits[i].map(|bytes| Limit {
                bytes,
                span: i..i + 1,
                measure: Measure::ALL[i],
            })
        };
        config.limits = Limits {
            raw: limit(0),
            gzip: limit(1),
            brotli: limit(2),
        };
        config
    }

    fn sizes([raw, gzip, brotli]: [u64; 3]) -> Sizes {
        Sizes { raw, gzip, brotli }
    }

    /// Values around the interesting places: each other, KiB boundaries, the ends.
    const VALUES: [u64; 9] = [
        1,
        2,
        1_023,
        1_024,
        1_025,
        307_200,
        307_201,
        u64::MAX - 1,
        u64::MAX,
    ];

    #[test]
    fn exactly_the_limit_passes_and_one_byte_over_fails() {
        for limit in VALUES.into_iter().filter(|&limit| limit < u64::MAX) {
            for (i, measure) in Measure::ALL.into_iter().enumerate() {
                let mut limits = [None; 3];
                limits[i] = Some(limit);
                let at = |n: u64| {
                    let mut all = [u64::MAX; 3];
                    all[i] = n;
                    decide(&report(sizes(all)), &config(limits))
                };
                assert!(
                    at(limit).within() && at(limit - 1).within(),
                    "{measure:?} {limit}"
                );
                let over = at(limit + 1);
                assert_eq!(over.exceeded.len(), 1);
                assert_eq!(
                    (over.exceeded[0].actual, over.exceeded[0].limit.measure),
                    (limit + 1, measure)
                );
            }
        }
    }

    /// Over all pairs of values: each measure is decided alone, smaller sizes and larger limits never
    /// make a verdict worse, and the same input gives the same verdict.
    #[test]
    fn is_monotone_and_independent_by_measure() {
        let over = |size: u64, limit: Option<u64>| limit.is_some_and(|limit| size > limit);
        let limits: Vec<Option<u64>> = std::iter::once(None).chain(VALUES.map(Some)).collect();
        for &a in &VALUES {
            for &b in &VALUES {
                for &first in &limits {
                    for &second in &limits {
                        let (given, allowed) =
                            (report(sizes([a, b, a])), config([first, second, first]));
                        let verdict = decide(&given, &allowed);
                        let expected = [over(a, first), over(b, second), over(a, first)];
                        let found = Measure::ALL
                            .map(|m| verdict.exceeded.iter().any(|e| e.limit.measure == m));
                        assert_eq!(found, expected);
                        assert_eq!(verdict, decide(&given, &allowed));
                        let smaller = decide(&report(sizes([a - 1, b - 1, a - 1])), &allowed);
                        assert!(smaller.exceeded.len() <= verdict.exceeded.len());
                        let looser =
                            config([first, second, first].map(|l| l.map(|l| l.saturating_add(1))));
                        assert!(decide(&given, &looser).exceeded.len() <= verdict.exceeded.len());
                    }
                }
            }
        }
    }

    #[test]
    fn no_limit_is_never_exceeded() {
        let verdict = decide(&report(sizes([u64::MAX; 3])), &config([None; 3]));
        assert!(
            verdict.within() && verdict.record().within && verdict.record().exceeded.is_empty()
        );
    }

    #[test]
    fn the_record_says_what_the_verdict_does() {
        let record = decide(
            &report(sizes([11, 5, 30])),
            &config([Some(10), Some(5), Some(7)]),
        )
        .record();
        let shown: Vec<_> = record
            .exceeded
            .iter()
            .map(|e| (e.measure.as_str(), e.actual, e.limit))
            .collect();
        assert_eq!(
            (record.within, shown),
            (false, vec![("raw", 11, 10), ("brotli", 30, 7)])
        );
    }

    #[test]
    fn each_breach_points_at_its_own_limit_and_the_first_explains() {
        let (report, config) = (
            report(sizes([11, 6, 30])),
            config([Some(10), Some(5), Some(7)]),
        );
        let all = decide(&report, &config).diagnostics(&report, &config, Path::new("r.json"));
        assert_eq!(
            all.iter().map(|d| d.span.clone()).collect::<Vec<_>>(),
            [0..1, 1..2, 2..3]
        );
        assert_eq!(
            all.iter().map(|d| d.notes.len()).collect::<Vec<_>>(),
            [11, 0, 0]
        );
        assert_eq!(all[0].notes[1], "250   25.0%  app::run");
        assert!(
            all.iter()
                .all(|d| d.help[0].contains("build-support analyze r.json"))
        );
    }

    #[test]
    fn without_attribution_there_is_nothing_to_name() {
        let mut report = report(sizes([11; 3]));
        let config = config([Some(10), None, None]);
        let notes = |report: &Report| {
            decide(report, &config).diagnostics(report, &config, Path::new("l"))[0]
                .notes
                .len()
        };
        assert_eq!(notes(&report), 11);
        report.attribution.rows.clear();
        assert_eq!(
            (notes(&report), size(&report.sizes, Measure::Gzip)),
            (0, 11)
        );
    }
}
