//! What the times must stay below, in one place. They are held against the median up to the
//! instance: the quantiles beyond it tell as much of the machine as of the file. A figure that
//! misses stands as it is, and is marked. What holds on every machine, whatever its clock says, is
//! [`grown`].

use super::{Mode, Startup};
use serde::Serialize;

/// A time that a mode must stay below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Target {
    /// The requirement (SPEC, section 2).
    pub id: &'static str,
    /// What it is about.
    pub mode: Mode,
    /// In microseconds.
    pub below_us: u64,
    /// What missing it means.
    pub weight: Weight,
}

/// What missing a target means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Weight {
    /// `--check` fails.
    Required,
    /// It is marked, no more.
    Aim,
}

/// All of them. An instance is made of what was compiled before: how long compiling takes is an
/// engine's affair, and an aim.
pub const TARGETS: [Target; 8] = [
    aim("NFR-03", Mode::ColdCranelift, 5_000),
    aim("NFR-03", Mode::ColdWinch, 5_000),
    required("FR-09", Mode::PrecompiledFile, 1_000),
    required("FR-09", Mode::Precompiled, 1_000),
    required("NFR-03", Mode::PrecompiledFile, 5_000),
    required("NFR-03", Mode::Precompiled, 5_000),
    required("NFR-04", Mode::Warm, 1_000),
    aim("FR-09", Mode::Warm, 50),
];

/// A target that a file misses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Miss {
    /// The file's label.
    pub label: String,
    /// The target.
    #[serde(flatten)]
    pub target: Target,
    /// What it is, in nanoseconds.
    pub actual_ns: u64,
}

const fn required(id: &'static str, mode: Mode, below_us: u64) -> Target {
    Target {
        id,
        mode,
        below_us,
        weight: Weight::Required,
    }
}

const fn aim(id: &'static str, mode: Mode, below_us: u64) -> Target {
    Target {
        weight: Weight::Aim,
        ..required(id, mode, below_us)
    }
}

/// Every target that is missed, file by file.
pub fn missed(startup: &Startup) -> Vec<Miss> {
    let mut missed = Vec::new();
    for file in &startup.files {
        for mode in &file.modes {
            let actual_ns = mode.times.instance.median_ns;
            let over = TARGETS
                .iter()
                .filter(|target| target.mode == mode.mode && actual_ns >= target.below_us * 1_000);
            missed.extend(over.map(|target| Miss {
                label: file.label.clone(),
                target: *target,
                actual_ns,
            }));
        }
    }
    missed
}

/// How much more a count may be than that of the baseline, in per cent: with the toolchain that
/// made the baseline's, and with another, which makes other code.
const SAME: u64 = 5;
const ANOTHER: u64 = 50;

/// How many times as fast a prepared start is at least, in one run on one machine: what NFR-03 and
/// NFR-04 are to each other.
const TIMES: u64 = 5;

/// What is more than `before` had, file by file, in words: instructions up to each point and the
/// bytes that are loaded, which are what the times are made of; and a prepared start that is not
/// `TIMES` times as fast as one that compiles.
pub fn grown(startup: &Startup, before: &Startup, is_same_toolchain: bool) -> Vec<String> {
    let more = if is_same_toolchain { SAME } else { ANOTHER };
    let mut grown = Vec::new();
    for file in &startup.files {
        let label = &file.label;
        let Some(old) = before.files.iter().find(|old| old.label == *label) else {
            grown.push(format!("{label}: the baseline has no such file"));
            continue;
        };
        let (now, was) = (&file.instructions, &old.instructions);
        let counts = [
            ("instructions to the instance", now.instance, was.instance),
            (
                "instructions until configured",
                now.configured,
                was.configured,
            ),
            (
                "instructions to the first answer",
                now.answered,
                was.answered,
            ),
            (
                "bytes precompiled",
                file.precompiled_bytes,
                old.precompiled_bytes,
            ),
        ];
        let over = counts
            .into_iter()
            .filter(|(_, now, was)| now * 100 > was * (100 + more));
        grown.extend(over.map(|(what, now, was)| {
            format!("{label}: {now} {what}, more than {more}% above the {was} of the baseline")
        }));
        let fastest = |mode: Mode| {
            let mut modes = file.modes.iter();
            let mode = modes.find(|times| times.mode == mode)?;
            Some(mode.times.instance.min_ns)
        };
        let cold = fastest(Mode::ColdCranelift);
        for mode in [Mode::Precompiled, Mode::Warm] {
            match (cold, fastest(mode)) {
                (Some(cold), Some(prepared)) if prepared * TIMES <= cold => {}
                (cold, prepared) => grown.push(format!(
                    "{label}: {} took {prepared:?} ns, and compiling {cold:?}: not {TIMES} times as fast",
                    mode.name()
                )),
            }
        }
    }
    grown
}

#[cfg(test)]
mod tests {
    use super::{TARGETS, Weight, grown, missed};
    use crate::quantiles::Quantiles;
    use crate::startup::{FileTimes, Milestones, Mode, ModeTimes, Startup};
    use build_support::wasm::artifact::FileKind;

    fn startup(instance: u64, bytes: u64, nanos: [u64; 3]) -> Startup {
        let modes = [Mode::ColdCranelift, Mode::Precompiled, Mode::Warm];
        let times = |nanos| {
            let times = Quantiles::of(vec![nanos]).unwrap();
            Milestones {
                instance: times,
                configured: times,
                answered: times,
            }
        };
        let modes = modes.into_iter().zip(nanos).map(|(mode, nanos)| ModeTimes {
            mode,
            times: times(nanos),
        });
        Startup {
            engine: String::new(),
            debug_assertions: false,
            node: None,
            files: vec![FileTimes {
                label: "app".to_owned(),
                kind: FileKind::Core,
                bytes: 1,
                precompiled_bytes: bytes,
                instructions: Milestones {
                    instance,
                    configured: 1_000,
                    answered: 2_000,
                },
                modes: modes.collect(),
            }],
            processes: Vec::new(),
        }
    }

    /// Protects NFR-03 and NFR-04 where no clock can be trusted: a count that grew is told, and so
    /// is a prepared start that has to compile.
    #[test]
    fn what_grew_is_told() {
        let before = startup(100, 1_000, [50_000, 400, 30]);
        for (now, same, expected) in [
            (startup(105, 1_050, [50_000, 10_000, 10_000]), true, 0),
            (startup(106, 1_000, [50_000, 400, 30]), true, 1),
            (startup(150, 1_500, [50_000, 400, 30]), false, 0),
            (startup(151, 1_501, [50_000, 400, 30]), false, 2),
            (startup(100, 1_000, [50_000, 10_001, 30]), true, 1),
            (startup(100, 1_000, [50_000, 400, 10_001]), true, 1),
        ] {
            let grown = grown(&now, &before, same);
            assert_eq!(grown.len(), expected, "{grown:?}");
        }
        let mut none = startup(1, 1, [9, 1, 1]);
        none.files[0].modes.clear();
        assert_eq!(
            grown(&none, &before, true).len(),
            2,
            "what was not measured"
        );
        none.files[0].label.clear();
        assert_eq!(grown(&none, &before, true).len(), 1, "what is not known");
    }

    /// Every requirement on times has a target that fails, and its edge.
    #[test]
    fn a_required_target_is_missed_at_its_edge() {
        let over = |nanos| {
            let missed = missed(&startup(1, 1, nanos)).into_iter();
            let required = missed.filter(|miss| miss.target.weight == Weight::Required);
            required.map(|miss| miss.target.id).collect::<Vec<_>>()
        };
        assert_eq!(over([99_000_000, 999_999, 999_999]), [""; 0]);
        assert_eq!(over([1, 1_000_000, 1]), ["FR-09"]);
        assert_eq!(over([1, 5_000_000, 1]), ["FR-09", "NFR-03"]);
        assert_eq!(over([1, 1, 1_000_000]), ["NFR-04"]);
        let required = TARGETS
            .iter()
            .filter(|target| target.weight == Weight::Required);
        let mut ids: Vec<_> = required.map(|target| target.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids, ["FR-09", "NFR-03", "NFR-04"]);
    }
}
