//! What a right manifest gives. The wrong ones are the goldens of `tests/it/config.rs`.

use super::{
    Allowance, Compact, Config, Limit, Limits, LowMemory, Measure, Outline, Tolerance, parse,
};
use crate::analyze::plan::SnipRules;
use crate::error::Error;
use crate::report::{Metric, Size};
use std::path::Path;

const FULL: &str = r#"
[package]
name = "app"
version.workspace = true

[package.metadata.other]
budget = 1

[package.metadata.budget]
profile = "release-wasm"
targets = ["wasm32-wasip2", "wasm32-wasip1"]
minimize = "brotli"
[package.metadata.budget.limits]
raw = "300 KiB"
gzip = 122_880
[package.metadata.budget.target.wasm32-wasip1.limits]
raw = 0xF000
brotli = '57.9 KiB'
[package.metadata.budget.compact]
low-memory = "used"
[package.metadata.budget.snip]
families = ["core::panicking"]
allow = ["app::keep::*"]
deny = ["app::dump", "<app::X as core::fmt::Debug>::fmt"]
[package.metadata.budget.graph]
banned-crates = ["tokio"]
banned-features = ["app/channels", "native-exec", "app/c++17"]
max-crates = 40
"#;

fn read(source: &str, target: &str) -> Config {
    parse(Path::new("Cargo.toml"), source, target).unwrap_or_else(|error| panic!("{error:?}"))
}

fn amounts(limits: &Limits) -> Vec<(String, u64)> {
    limits.iter().map(|l| (l.measure.name(), l.most)).collect()
}

#[test]
fn every_key_is_read() {
    let config = read(FULL, "wasm32-wasip2");
    assert_eq!(
        (config.package.as_str(), config.profile.as_str()),
        ("app", "release-wasm")
    );
    assert_eq!(config.target, "wasm32-wasip2");
    assert_eq!(config.targets, ["wasm32-wasip2", "wasm32-wasip1"]);
    // What has a limit must not grow, whatever is minimised.
    let metric = Metric::new(Size::Brotli, [Size::Gzip]);
    assert_eq!((config.minimize, config.metric()), (Size::Brotli, metric));
    let compact = Compact {
        outline: Outline::Cold,
        low_memory: LowMemory::Used,
    };
    assert_eq!(config.compact, Some(compact));
    assert_eq!(
        amounts(&config.limits),
        [("raw".into(), 307_200), ("gzip".into(), 122_880)]
    );
    let rules = SnipRules {
        enabled: true,
        families: vec!["core::panicking".into()],
        allow: vec!["app::keep::*".into()],
        deny: vec![
            "app::dump".into(),
            "<app::X as core::fmt::Debug>::fmt".into(),
        ],
    };
    assert_eq!(config.snip, rules);
    assert_eq!(config.graph.banned_crates, ["tokio"]);
    assert_eq!(
        config.graph.banned_features,
        ["app/channels", "native-exec", "app/c++17"]
    );
    assert_eq!(config.graph.max_crates, Some(40));
    assert_eq!(
        (config.manifest.as_path(), config.source.as_str()),
        (Path::new("Cargo.toml"), FULL)
    );
}

#[test]
fn a_targets_limits_replace_the_general_ones_key_by_key() {
    let config = read(FULL, "wasm32-wasip1");
    let expected = [("raw", 0xF000), ("gzip", 122_880), ("brotli", 59_289)];
    let expected = expected.map(|(name, most)| (name.to_owned(), most));
    assert_eq!(amounts(&config.limits), expected);
}

#[test]
fn every_value_knows_its_place() {
    let config = read(FULL, "wasm32-wasip1");
    let text = |span: &std::ops::Range<usize>| &FULL[span.clone()];
    let shown: Vec<(&Measure, &str)> = config
        .limits
        .iter()
        .map(|limit| (&limit.measure, text(&limit.span)))
        .collect();
    assert_eq!(
        shown,
        [
            (&Measure::Size(Size::Raw), "0xF000"),
            (&Measure::Size(Size::Gzip), "122_880"),
            (&Measure::Size(Size::Brotli), "'57.9 KiB'")
        ]
    );
    assert_eq!(
        read(FULL, "wasm32-wasip2")
            .limits
            .get(&Measure::Size(Size::Raw))
            .map(|limit| text(&limit.span).to_owned())
            .as_deref(),
        Some("\"300 KiB\"")
    );
}

#[test]
fn however_a_table_is_written_it_is_the_same() {
    let ways = [
        "[package]\nname = 'a'\nmetadata.budget.limits.raw = 7",
        "package.name = 'a'\npackage.metadata.budget = { limits = { raw = 7 } }",
        "[package]\nname = 'a'\n[package.metadata]\n\"budget\".'limits' = { raw = 7 }",
        "[package]\r\nname = 'a'\r\n[package.metadata.budget]\r\nlimits = { raw = \"7 B\" }\r\n",
        "\u{feff}[package]\nname = 'a'\n[package.metadata.budget.limits]\nraw = 7",
    ];
    for source in ways {
        let config = read(source, "wasm32-wasip1");
        let limit = config.limits.get(&Measure::Size(Size::Raw)).unwrap();
        assert_eq!(limit.most, 7, "{source}");
        assert_eq!(
            source[limit.span.clone()]
                .trim_matches('"')
                .trim_end_matches(" B"),
            "7",
            "{source}"
        );
    }
}

#[test]
fn a_silent_manifest_gives_the_defaults() {
    for source in [
        "[package]\nname = 'a'",
        "[package]\nname = 'a'\n[package.metadata.budget]",
        "[package]\nname = 'a'\nmetadata = 3",
    ] {
        let config = read(source, "anything");
        assert_eq!(
            (config.profile.as_str(), config.limits),
            ("release", Limits::default())
        );
        assert!(
            config.snip.enabled && config.targets.is_empty() && config.graph == Default::default()
        );
    }
}

#[test]
fn snipping_can_be_switched_off() {
    let source = "package.name = 'a'\npackage.metadata.budget.snip.enabled = ";
    assert!(
        !read(&format!("{source}false"), "wasm32-wasip2")
            .snip
            .enabled
    );
    assert!(read(&format!("{source}true"), "wasm32-wasip2").snip.enabled);
}

/// Each kind of limit, with the unit it is counted in, and names in the one way that the
/// attribution writes them.
#[test]
fn limits_of_every_kind_are_read() {
    let source = "[package]\nname = 'a'\n[package.metadata.budget.limits]\n\
        start = 5_000\nmemory = '1 KiB'\nfunctions = 3\ncrates = 2\nraw = 9\n\
        section.data = '2 KiB'\nsection.'component type' = 8\nsection.'custom name' = 7\n\
        crate.serde-json = 6\ncrate.'[no crate]' = 5\n\
        [package.metadata.budget.target.wasm32-wasip1.limits]\ncrate.serde_json = 4\nfunctions = 2\n";
    let expected = |functions, serde_json| {
        let all = [
            ("raw", 9),
            ("functions", functions),
            ("crates", 2),
            ("memory", 1_024),
            ("start", 5_000),
            ("crate [no crate]", 5),
            ("crate serde_json", serde_json),
            ("section component type", 8),
            ("section custom name", 7),
            ("section data", 2_048),
        ];
        all.map(|(name, most)| (name.to_owned(), most))
    };
    assert_eq!(
        amounts(&read(source, "wasm32-wasip2").limits),
        expected(3, 6)
    );
    let of_target = read(source, "wasm32-wasip1");
    assert_eq!(amounts(&of_target.limits), expected(2, 4));
    let limit = of_target.limits.get(&Measure::Crate("serde_json".into()));
    assert_eq!(&source[limit.unwrap().span.clone()], "4");
}

#[test]
fn tolerances_are_shares_or_bytes_or_both() {
    let source = |tolerance: &str| {
        format!("package.name = 'a'\npackage.metadata.budget.ratchet.tolerance = {tolerance}")
    };
    let cases = [
        ("'0.5%'", 5_000, 0),
        ("512", 0, 512),
        ("0", 0, 0),
        ("'1 KiB'", 0, 1_024),
        ("['2%', 64]", 20_000, 64),
        ("['64 B', '2%']", 20_000, 64),
    ];
    for (written, share, bytes) in cases {
        let config = read(&source(written), "wasm32-wasip2");
        assert_eq!(config.ratchet.raw, Allowance { share, bytes }, "{written}");
        let default = Tolerance::default();
        assert_eq!(config.ratchet.drift, default.drift, "{written}");
    }
}

#[test]
fn a_lone_file_has_no_rules() {
    let config = Config::without_package("x.wasm");
    assert_eq!(
        (config.package.as_str(), config.limits.iter().count()),
        ("x.wasm", 0)
    );
    assert!(!config.snip.enabled);
}

#[test]
fn limits_are_kept_apart_by_measure() {
    let config = read(FULL, "wasm32-wasip1");
    for size in Size::ALL {
        let measure = Measure::Size(size);
        let Limit { measure: own, .. } = config.limits.get(&measure).unwrap();
        assert_eq!(*own, measure);
    }
}

#[test]
fn a_file_that_is_not_there_or_not_text_is_named() {
    let error = super::load(Path::new("no/such/Cargo.toml"), "wasm32-wasip2").unwrap_err();
    assert!(
        matches!(error, Error::Io { .. })
            && error
                .to_string()
                .starts_with("reading no/such/Cargo.toml: ")
    );
}

/// Cuts and flips of a right manifest give a configuration or mistakes that lie inside the text.
#[test]
fn no_input_makes_it_panic() {
    let check = |source: &str| {
        if let Err(Error::Config(mistakes)) =
            parse(Path::new("Cargo.toml"), source, "wasm32-wasip2")
        {
            assert!(!mistakes.is_empty());
            for mistake in mistakes {
                assert!(
                    source.get(mistake.span.clone()).is_some(),
                    "{:?} in {source:?}",
                    mistake.span
                );
            }
        }
    };
    for cut in 0..FULL.len() {
        check(&FULL[..cut]);
        check(&FULL[cut..]);
        for other in ["", "\"", "[", "=", "0", "é", "\u{0}", "\n"] {
            check(&format!("{}{other}{}", &FULL[..cut], &FULL[cut + 1..]));
        }
    }
    check(&format!(
        "[package]\nname = 'a'\nmetadata.budget = {}",
        "[".repeat(50_000)
    ));
}

/// Protects panics that someone wants to keep from a typing mistake: a family that does not exist
/// would select nothing.
#[test]
fn families_are_known_and_not_none() {
    let manifest = |families: &str| {
        format!("[package]\nname = \"a\"\n[package.metadata.budget.snip]\nfamilies = {families}\n")
    };
    let read = |families: &str| {
        super::parse(
            Path::new("Cargo.toml"),
            &manifest(families),
            "wasm32-wasip1",
        )
    };
    assert!(read("[\"unwrap and expect\", \"allocation failure\"]").is_ok());
    for (families, expected) in [
        ("[\"core::panicing\"]", "unknown family `core::panicing`"),
        ("[]", "no family"),
        ("[3]", "families"),
    ] {
        let Err(crate::Error::Config(mistakes)) = read(families) else {
            panic!("{families} was taken");
        };
        assert!(
            mistakes[0].message.contains(expected),
            "{}",
            mistakes[0].message
        );
    }
}
