//! Where code comes from: the crate of what has none in its name, and what was inlined into it. A
//! project outside of every workspace, with a dependency, for both kinds of target.

use crate::support::ended::said;
use crate::support::project::Project;
use serde_json::Value;
use std::fs;

const MANIFEST: &str = "\
[package]
name = \"my-app\"
version = \"0.1.0\"
edition = \"2024\"

[dependencies]
my-dep = { path = \"dep\" }

[lib]
crate-type = [\"cdylib\"]

[workspace]

[profile.release-wasm]
inherits = \"release\"
opt-level = \"s\"
lto = \"fat\"
codegen-units = 1
panic = \"abort\"

[package.metadata.budget]
profile = \"release-wasm\"
targets = [\"wasm32-wasip1\"]
[package.metadata.budget.limits]
crate.my_app = 10
";

const LIBRARY: &str = r#"#[unsafe(no_mangle)]
pub extern "C" fn digits(number: u64) -> u64 {
    let text = std::hint::black_box(format!("{number}"));
    my_dep::sum(text.as_bytes()) + u64::from(my_dep::exported(1))
}
"#;

const DEPENDENCY: &str = r#"#[inline(always)]
pub fn sum(digits: &[u8]) -> u64 {
    digits.iter().map(|digit| u64::from(std::hint::black_box(*digit) - b'0')).sum()
}

#[inline(never)]
#[unsafe(no_mangle)]
pub extern "C" fn exported(number: u32) -> u32 {
    std::hint::black_box(number) - 1
}
"#;

/// Protects limits on a crate: an exported function counts to the crate that defines it. And
/// protects `analyze --inlined`: it sums to the code that is shipped, names the crates that were
/// inlined, and leaves what is shipped as it is.
#[test]
fn what_is_exported_and_inlined_has_its_crate() {
    let target = "wasm32-wasip1";
    let manifest = "[package]\nname = \"my-dep\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
    let files = [
        ("Cargo.toml", MANIFEST),
        ("src/lib.rs", LIBRARY),
        ("dep/Cargo.toml", manifest),
        ("dep/src/lib.rs", DEPENDENCY),
    ];
    let project = Project::kept("origins", target, &files);
    let over = said(&project.tool(&["build", "--target", target]), 1);
    assert!(over.contains("| crate.my_app = 10"), "{over}");
    project.edit("Cargo.toml", "crate.my_app = 10", "raw = \"90 KiB\"");
    said(&project.tool(&["build", "--target", target]), 0);

    let read = |name: &str| fs::read(project.built(target, name)).unwrap();
    let report: Value = serde_json::from_slice(&read("report.json")).unwrap();
    let rows = report["attribution"]["rows"].as_array().unwrap();
    let krate = |name: &str| {
        let row = rows.iter().find(|row| row["name"] == name);
        row.unwrap_or_else(|| panic!("{name} is in no row"))["crate"].clone()
    };
    assert_eq!(krate("digits"), "my_app");
    assert_eq!(krate("exported"), "my_dep");
    assert_eq!(krate("_initialize"), Value::Null);
    // C's, static in the library that is linked: no crate's.
    assert_eq!(krate("dlmalloc"), Value::Null);

    let before = (read("my_app.wasm"), read("my_app.linked.wasm"));
    let ended = project.tool(&["analyze", "--inlined", "--json"]).with(0);
    let account: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(account["is_code_of_shipped"], true);
    let parts = account["parts"].as_array().unwrap();
    let sum: u64 = parts
        .iter()
        .map(|part| part["bytes"].as_u64().unwrap())
        .sum();
    assert_eq!(Some(sum), account["bytes"].as_u64());
    let inlined = |krate: &str| {
        let of = parts
            .iter()
            .filter(|part| part["function"] == "digits" && part["crate"] == krate);
        of.map(|part| part["bytes"].as_u64().unwrap()).sum::<u64>()
    };
    assert!(inlined("my_dep") > 0 && inlined("my_app") > 0, "{account}");
    let text = project.tool(&["analyze", "--inlined"]).with(0);
    assert!(text.stdout.contains("of the linked file") && text.stdout.contains("my_dep"));
    said(&project.tool(&["build", "--target", target]), 0);
    let after = (read("my_app.wasm"), read("my_app.linked.wasm"));
    assert!(before == after, "what is shipped is what it was");
}
