use super::groups::{self, Grouping};
use super::{Attribution, RowKind, diff, of_file, shipped};
use crate::wasm::Module;
use crate::wasm::artifact::Artifact;
use std::path::Path;

fn artifact(wat: &str) -> Artifact {
    Artifact::new(wat::parse_str(wat).unwrap(), Path::new("a.wasm")).unwrap()
}

/// The attribution of a module or component, its sums checked.
fn attribution(wat: &str) -> Attribution {
    let artifact = artifact(wat);
    let attribution = of_file(Path::new("a.wasm"), &artifact).unwrap();
    check(&attribution, artifact.len());
    attribution
}

/// Every grouping sums to the file.
fn check(attribution: &Attribution, length: u64) {
    assert_eq!(attribution.bytes, length);
    for by in Grouping::ALL {
        let groups = groups::run(attribution, by);
        assert_eq!(
            groups.iter().map(|g| g.bytes).sum::<u64>(),
            length,
            "{by:?}"
        );
        let count: u64 = groups.iter().map(|g| g.count).sum();
        assert_eq!(count, attribution.rows.iter().map(|r| r.count).sum::<u64>());
    }
}

fn bytes(attribution: &Attribution, name: &str) -> u64 {
    let rows = attribution.rows.iter().filter(|row| row.name == name);
    rows.map(|row| row.bytes).sum()
}

const MODULE: &str = r#"(module
    (import "env" "f" (func))
    (memory (export "m") 1)
    (data $.rodata (i32.const 8) "0123456789")
    (data "passive")
    (func $_ZN3app4main17h0123456789abcdefE (export "main") (call 0))
    (func $_ZN3app4main17hfedcba9876543210E (nop) (nop))
    (func (nop))
    (func (export "named by its export") (nop)))"#;

/// Protects the claim that nothing is left out or counted twice, each row by its own arithmetic.
#[test]
fn every_byte_of_a_module_has_its_row() {
    let all = attribution(MODULE);
    assert_eq!(
        bytes(&all, "app::main"),
        5 + 5,
        "two of one name, hashes left out"
    );
    let main = all.rows.iter().find(|row| row.name == "app::main").unwrap();
    assert_eq!(
        (main.count, main.functions.as_slice()),
        (2, [1, 2].as_slice())
    );
    assert_eq!(
        bytes(&all, "[function 3]"),
        4,
        "its length, no locals, nop, end"
    );
    assert_eq!(bytes(&all, "named by its export"), 4);
    assert_eq!(bytes(&all, "[data segment .rodata] texts"), 10);
    assert_eq!(bytes(&all, "[data segment 1]"), 7);
    assert_eq!(
        bytes(&all, "[data section] segment headers"),
        5 + 2,
        "flags, i32.const 8 end, length; flags, length"
    );
    assert_eq!(bytes(&all, "[code section]"), 3, "id, length, count");
    assert_eq!(bytes(&all, "[module header]"), 8);
    assert_eq!(bytes(&all, "[start section]"), 0);
    assert!(
        all.rows
            .is_sorted_by_key(|row| std::cmp::Reverse(row.bytes))
    );
    assert_eq!(all.functions(0)[&3], "[function 3]");
}

/// Protects files from elsewhere: without names the sums are as exact.
#[test]
fn without_names_everything_is_a_row() {
    let all = attribution(
        "(module (func (nop)) (func (nop) (nop)) (memory 1) (data (i32.const 0) \"x\"))",
    );
    let names: Vec<_> = all.rows.iter().map(|row| row.name.as_str()).collect();
    assert!(
        names.contains(&"[function 0]") && names.contains(&"[function 1]"),
        "{names:?}"
    );
    assert_eq!(bytes(&all, "[data segment 0]"), 1);
    attribution("(module)");
    attribution("(component)");
}

#[test]
fn every_byte_of_a_component_has_its_row() {
    let all = attribution(
        r#"(component
            (core module $a (func $_ZN3app1f17h0123456789abcdefE (nop)))
            (component
                (core module $b (func $_ZN3app1f17h0123456789abcdefE (nop) (nop)) (func (nop)))
                (core instance (instantiate $b)))
            (core instance (instantiate $a))
            (@custom "mine" "12345"))"#,
    );
    let of = |core| {
        let row = all
            .rows
            .iter()
            .find(|row| row.core == core && row.name == "app::f");
        row.map(|row| row.bytes)
    };
    assert_eq!(
        (of(Some(0)), of(Some(1)), of(None)),
        (Some(4), Some(5), None)
    );
    let custom = all
        .rows
        .iter()
        .find(|row| row.kind == RowKind::Custom && row.core.is_none());
    assert!(custom.is_some());
    assert_eq!(bytes(&all, "[component header]"), 8);
    assert_eq!(
        bytes(&all, "mine"),
        2 + 5 + 5,
        "id and length, its name, its contents"
    );
    assert!(bytes(&all, "[component core instance section]") > 0);
}

/// Protects the pipeline's promise: names that were seen before they went name the same code, and
/// no other.
#[test]
fn modules_are_recognised_by_their_code() {
    let named = artifact(MODULE);
    let known = [crate::wasm::names::read(&Module::read(named.bytes()).unwrap()).unwrap()];
    let bare = MODULE
        .replace("$_ZN3app4main17h0123456789abcdefE", "")
        .replace("$_ZN3app4main17hfedcba9876543210E", "")
        .replace("$.rodata", "");
    let bare = artifact(&bare);
    let all = shipped(&known, &bare).unwrap();
    check(&all, bare.len());
    assert_eq!(bytes(&all, "app::main"), 10);
    assert_eq!(bytes(&all, "[data segment .rodata] texts"), 10);
    let other = artifact("(module (func (export \"f\") (nop) (nop) (nop)))");
    let all = shipped(&known, &other).unwrap();
    assert_eq!(bytes(&all, "app::main"), 0);
    check(&all, other.len());
}

/// Protects the explanation of a change: it sums to the difference, and hashes are no change.
#[test]
fn a_diff_sums_to_the_difference() {
    let old = attribution(MODULE);
    let changed = MODULE
        .replace("17h0123456789abcdefE", "17h1111111111111111E")
        .replace("\"0123456789\"", "\"01234567890123\"")
        .replace(
            "(func (nop))",
            "(func $_ZN3new1f17h0123456789abcdefE (nop) (nop) (nop))",
        );
    let new = attribution(&changed);
    let diff = diff::run(&old, &new, &Grouping::ALL).unwrap();
    let difference = new.bytes as i128 - old.bytes as i128;
    assert!(difference > 0);
    for changes in &diff.by {
        assert_eq!(changes.delta(), difference, "{:?}", changes.grouping);
    }
    let items = &diff.by[4];
    let shown = |name: &str| {
        let change = items.changes.iter().find(|change| change.name == name);
        change.map(|change| (change.what, change.before, change.after))
    };
    assert_eq!(shown("app::main"), None);
    assert_eq!(shown("new::f"), Some((diff::What::Appeared, 0, 6)));
    assert_eq!(shown("[function 3]"), Some((diff::What::Vanished, 4, 0)));
    assert_eq!(
        shown("[data segment .rodata] texts"),
        Some((diff::What::Grew, 10, 14))
    );
    let same = diff::run(&old, &old, &Grouping::ALL).unwrap();
    assert!(
        same.by
            .iter()
            .all(|by| by.changes.is_empty() && by.unchanged > 0)
    );
}

/// Protects against a report whose rows were changed by hand: it is refused, and overflows nothing.
#[test]
fn rows_that_are_not_whole_are_refused() {
    let old = attribution(MODULE);
    let mut new = old.clone();
    new.rows[0].bytes += 1;
    assert!(diff::run(&old, &new, &[Grouping::Crate]).is_err());
    for row in &mut new.rows {
        row.bytes = u64::MAX;
    }
    assert!(diff::run(&old, &new, &[Grouping::Crate]).is_err());
}

/// Protects what is shown of a baseline, of which a report keeps the changes alone: the old file
/// comes back out of them to the byte, or not at all.
#[test]
fn a_diff_can_be_undone() {
    let old = attribution(MODULE);
    let changed = MODULE
        .replace("\"0123456789\"", "\"01234567890123\"")
        .replace(
            "(func (nop))",
            "(func $_ZN3new1f17h0123456789abcdefE (nop) (nop) (nop))",
        );
    let new = attribution(&changed);
    for (old, new) in [(&old, &new), (&new, &old), (&old, &old)] {
        let diff = diff::run(old, new, &Grouping::ALL).unwrap();
        let undone = diff::undo(new, &diff).unwrap();
        assert_eq!(undone.bytes, old.bytes);
        for by in Grouping::ALL {
            let sizes = |of: &Attribution| {
                let groups = groups::run(of, by).into_iter();
                groups
                    .map(|group| (group.name, group.bytes))
                    .collect::<Vec<_>>()
            };
            assert_eq!(sizes(&undone), sizes(old), "{by:?}");
        }
        let mut wrong = diff.clone();
        wrong.before += 1;
        assert_eq!(diff::undo(new, &wrong), None);
        wrong.by.pop();
        assert_eq!(diff::undo(new, &wrong), None, "not without the items");
    }
}
