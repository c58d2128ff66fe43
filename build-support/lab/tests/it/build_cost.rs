//! What a clean build of the agent is made of (NFR-07): its time is measured at night, beside an
//! earlier commit; how many crates it compiles is known at once.

use crate::agent;
use build_support::system::process;
use std::collections::BTreeSet;

/// The crates that are compiled for each target, build scripts and procedural macros among them.
/// One more is a decision, and raises the figure.
const CRATES: [(&str, usize); 3] = [
    ("wasm32-wasip2", 43),
    ("wasm32-wasip1", 24),
    ("x86_64-unknown-linux-gnu", 25),
];

#[test]
fn no_more_crates_are_compiled_than_before() {
    let package = agent();
    for (target, most) in CRATES {
        let mut cargo = process::cargo("cargo");
        cargo
            .args([
                "tree",
                "--locked",
                "--edges",
                "normal,build",
                "--prefix",
                "none",
            ])
            .args([
                "--no-dedupe",
                "--target",
                target,
                "--package",
                &package.name,
            ])
            .current_dir(&package.root);
        let tree = process::output(&mut cargo).unwrap();
        let named = |line: &str| {
            let mut words = line.split_whitespace();
            Some((words.next()?.to_owned(), words.next()?.to_owned()))
        };
        let crates: BTreeSet<_> = tree.lines().filter_map(named).collect();
        assert!(
            crates.len() <= most,
            "{target}: {} crates are compiled, and {most} were: {crates:?}",
            crates.len()
        );
        assert!(crates.len() * 2 > most, "{target}: {crates:?}");
    }
}
