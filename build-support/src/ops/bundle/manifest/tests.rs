//! What a manifest may say, and what is said of it.

use super::{MOST, Manifest, There, parse};
use crate::diagnostic::place;
use crate::error::Error;
use std::path::Path;

fn is_there(what: There, path: &str) -> bool {
    match what {
        There::Folder => path == "examples/online",
        There::Module => path == "x.js",
    }
}

fn read(source: &str) -> Result<Manifest, Error> {
    parse(Path::new("manifest.json"), source, &is_there)
}

/// An example with these members.
fn example(members: &str) -> String {
    format!("{{ \"version\": 1,\n  \"examples\": {{ \"a\": {{ {members} }} }} }}")
}

/// It has these mistakes, each with its line and column and a part of its message.
#[track_caller]
fn mistakes(source: &str, expected: &[(usize, usize, &str)]) {
    let Err(Error::Manifest(found)) = read(source) else {
        panic!("{source}: no mistake was found");
    };
    let said: Vec<_> = found
        .iter()
        .map(|one| {
            let (line, column) = place(&one.source, one.span.start);
            assert!(one.span.end <= source.len(), "{one:?}");
            (line, column, one.message.as_str())
        })
        .collect();
    assert_eq!(said.len(), expected.len(), "{source}: {said:#?}");
    for (is, should) in said.iter().zip(expected) {
        assert_eq!((is.0, is.1), (should.0, should.1), "{source}: {said:#?}");
        assert!(is.2.contains(should.2), "{source}: {said:#?}");
    }
}

/// One, somewhere in the second line.
#[track_caller]
fn mistake(members: &str, at: &str, message: &str) {
    let source = example(members);
    let line = source.lines().nth(1).unwrap();
    let column = line.find(at).unwrap() + 1;
    mistakes(&source, &[(2, column, message)]);
}

const WHOLE: &str = r#"{ "version": 1, "default": "light",
  "examples": {
    "light":  { "title": "Light", "entrypoint": ["agent"], "config": {}, "optimizations": { "preinit": true } },
    "online": { "title": "Online", "entrypoint": ["agent"], "rootfs": "./examples/online",
      "config": { "providers": [{ "name": "claude", "kind": "anthropic", "credential": "anthropic" }] },
      "optimizations": { "jit": true, "jitHotThreshold": 500, "persistence": true, "autoSaveInterval": 5000, "snapshot": true,
                         "sync": true, "tasks": 4, "memoryMaximum": "16 MiB", "hypercalls": ["host_fetch", "host_spawn"] },
      "grants": { "fetch": { "origins": ["https://api.anthropic.com"], "methods": ["POST"], "maxResponse": "8 MiB" }, "spawn": { "max": 2 } },
      "hostcalls": [{ "op": 600, "name": "host_x", "path": "x.js" }],
      "selftest": [{ "say": "hello", "has": "hello" }] } } }"#;

#[test]
fn all_that_there_is() {
    let manifest = read(WHOLE).unwrap();
    assert!(manifest.is_chosen);
    let [light, online] = manifest.examples.as_slice() else {
        panic!("{manifest:?}");
    };
    assert_eq!(light.optimizations.tasks, 1);
    assert!(light.optimizations.preinit && !light.optimizations.persistence);
    assert_eq!(light.rootfs, None);
    assert_eq!(online.rootfs.as_deref(), Some("examples/online"));
    let options = &online.optimizations;
    assert_eq!(options.memory_maximum, Some(16 << 20));
    assert_eq!((options.jit_hot_threshold, options.tasks), (Some(500), 4));
    assert_eq!(online.hypercalls, ["host_fetch", "host_spawn"]);
    let fetch = online.grants.fetch.as_ref().unwrap();
    assert_eq!((fetch.max_response, fetch.redirects), (8 << 20, false));
    assert_eq!(online.hostcalls[0].op, 600);
    assert_eq!(online.config["providers"][0]["kind"], "anthropic");
}

/// Protects the page, which reads the plan: its keys and their order.
#[test]
fn a_plan_has_every_key_and_is_read_again() {
    let manifest = read(WHOLE).unwrap();
    let plan = serde_json::to_string(&manifest).unwrap();
    let light = plan.find("\"name\":\"light\"").unwrap();
    let keys = [
        "\"title\"",
        "\"module\"",
        "\"config\"",
        "\"optimizations\":{\"preinit\":true,\"jit\":false,\"jitHotThreshold\":null,\"persistence\":false,\
         \"autoSaveInterval\":null,\"snapshot\":false,\"sync\":false,\"tasks\":1,\"memoryMaximum\":null}",
        "\"hypercalls\":[]",
        "\"grants\":{}",
        "\"hostcalls\":[]",
        "\"files\":null",
        "\"selftest\"",
    ];
    let places = keys.map(|key| plan[light..].find(key).expect(key));
    assert!(places.is_sorted(), "{plan}");
    let again: Manifest = serde_json::from_str(&plan).unwrap();
    assert_eq!(serde_json::to_string(&again).unwrap(), plan);
}

#[test]
fn every_mistake_in_one_go() {
    let source = r#"{ "version": 2, "defautl": "light",
  "examples": {
    "light/": { "titel": "Light",
      "optimizations": { "sync": true, "autoSaveInterval": 999,
        "hypercalls": ["host_fetch", "host_fech"] },
      "grants": { "spawn": {}, "fs": { "paths": ["../x"] } } } } }"#;
    mistakes(
        source,
        &[
            (1, 14, "`version` is 2"),
            (1, 17, "unknown key `defautl` in `the manifest`"),
            (3, 5, "`light/` is no name"),
            (3, 17, "unknown key `titel` in `examples.light/`"),
            (4, 26, "`sync` without `persistence`"),
            (4, 40, "`autoSaveInterval` without `persistence`"),
            (
                4,
                60,
                "`examples.light/.optimizations.autoSaveInterval` is 999",
            ),
            (5, 24, "`host_fetch` has no grant"),
            (5, 38, "unknown host call `host_fech`"),
            (6, 19, "a grant of `spawn`, and no host call"),
            (6, 32, "a grant of `fs`, and no host call"),
            (6, 50, "`../x` is no path"),
        ],
    );
}

#[test]
fn calls_and_grants_belong_together() {
    let calls = |names: &str| format!("\"optimizations\": {{ \"hypercalls\": [{names}] }}");
    mistake(&calls("\"host_spawn\""), "\"host_spawn\"", "has no grant");
    let grant = "\"grants\": { \"tool\": { \"names\": [\"clock\"] } }";
    mistake(grant, "\"tool\"", "no host call that needs it");
    // Two calls share a grant.
    let fs = "\"grants\": { \"fs\": { \"paths\": [\"out/\"] } }";
    for names in [
        "\"host_fs_read\"",
        "\"host_fs_write\"",
        "\"host_fs_read\", \"host_fs_write\"",
    ] {
        let source = example(&format!("{}, {fs}", calls(names)));
        assert!(read(&source).is_ok(), "{source}");
    }
}

#[test]
fn values_that_are_refused() {
    let options = |text: &str| format!("\"optimizations\": {{ {text} }}");
    mistake(&options("\"preinit\": 1"), "1", "must be true or false");
    mistake(&options("\"tasks\": 17"), "17", "is 17");
    mistake(&options("\"tasks\": 1.5"), "1.5", "is 1.5");
    mistake(&options("\"tasks\": -1"), "-1", "is -1");
    mistake(
        &options("\"memoryMaximum\": \"1 KiB\""),
        "\"1 KiB\"",
        "no whole number of pages",
    );
    mistake(
        &options("\"memoryMaximum\": \"5 GiB\""),
        "\"5 GiB\"",
        "too large",
    );
    mistake(
        &options("\"memoryMaximum\": \"16 M\""),
        "\"16 M\"",
        "ambiguous unit",
    );
    mistake(
        &options("\"jitHotThreshold\": 5"),
        "\"jitHotThreshold\"",
        "without `jit`",
    );
    mistake(
        &options("\"sync\": true"),
        "\"sync\"",
        "without `persistence`",
    );
    mistake(
        &options("\"sync\": true, \"sync\": true, \"persistence\": true"),
        "\"sync\": true, \"p",
        "twice",
    );
    assert!(read(&example(&options("\"sync\": false"))).is_ok());
    mistake(
        "\"rootfs\": \"examples/none\"",
        "\"examples/none\"",
        "no folder",
    );
    mistake("\"rootfs\": \"/etc\"", "\"/etc\"", "no path inside");
    mistake(
        "\"rootfs\": \"a/../../b\"",
        "\"a/../../b\"",
        "no path inside",
    );
    mistake("\"config\": []", "[]", "must be an object");
    mistake("\"title\": \"\"", "\"\"", "is empty");
    mistake("\"title\": null", "null", "must be a string");
    mistake(
        "\"selftest\": [{ \"say\": \"x\" }]",
        "{ \"say\"",
        "say and has",
    );
    mistake(
        "\"hostcalls\": [{ \"op\": 599, \"name\": \"h\", \"path\": \"x.js\" }]",
        "599",
        "is 599",
    );
    mistake(
        "\"hostcalls\": [{ \"op\": 600, \"name\": \"h\", \"path\": \"y.js\" }]",
        "\"y.js\"",
        "no module",
    );
}

#[test]
fn grants_that_are_refused() {
    let fetch = |text: &str| {
        format!(
            "\"optimizations\": {{ \"hypercalls\": [\"host_fetch\"] }}, \"grants\": {{ \"fetch\": {{ {text} }} }}"
        )
    };
    let origin = |text: &str| fetch(&format!("\"origins\": [\"https://a.example\", \"{text}\"]"));
    mistake(
        &origin("https://b.example/v1"),
        "\"https://b",
        "is not an origin",
    );
    mistake(
        &origin("https://*.example"),
        "\"https://*",
        "is not an origin",
    );
    mistake(
        &origin("https://a.example"),
        "\"https://a.example\"]",
        "twice",
    );
    mistake(&fetch("\"origins\": []"), "[] }", "nothing in");
    mistake(
        &fetch("\"methods\": [\"GET\"]"),
        "{ \"methods\"",
        "has no `origins`",
    );
    let more = |text: &str| fetch(&format!("\"origins\": [\"https://a.example\"], {text}"));
    mistake(
        &more("\"methods\": [\"get\"]"),
        "\"get\"",
        "not one of the methods",
    );
    mistake(
        &more("\"maxResponse\": \"9 MiB\""),
        "\"9 MiB\"",
        "too large",
    );
    let redirects = more("\"redirects\": true");
    assert!(read(&example(&redirects)).is_ok());
    let config = "\"config\": { \"providers\": [{ \"credential\": \"k\" }] }";
    mistake(
        &format!("{redirects}, {config}"),
        "\"fetch\"",
        "redirects and a credential",
    );
}

#[test]
fn what_is_no_manifest() {
    mistakes("", &[(1, 1, "empty")]);
    mistakes("{", &[(1, 1, "not valid JSON")]);
    mistakes("{ // no\n}", &[(1, 3, "comments are not allowed")]);
    mistakes("{ \"version\": 1, }", &[(1, 15, "trailing commas")]);
    mistakes("[]", &[(1, 1, "must be an object")]);
    mistakes(
        "{\"version\": 1, \"examples\": {}}",
        &[(1, 28, "no example")],
    );
    let deep = "[".repeat(100_000);
    let Err(Error::Manifest(found)) = read(&deep) else {
        panic!("it was read");
    };
    assert!(found[0].message.contains("nesting"), "{found:?}");
    let large = format!("{{{}", " ".repeat(MOST));
    let error = read(&large).unwrap_err().to_string();
    assert!(error.contains("262,145 bytes"), "{error}");
}

/// Protects the columns of lines with letters of more bytes.
#[test]
fn columns_are_characters() {
    mistakes(
        "{ \"größer\": 1,\n\"version\": 1, \"examples\": { \"a\": {\"größe\": 1} } }",
        &[
            (1, 3, "unknown key `größer`"),
            (2, 35, "unknown key `größe`"),
        ],
    );
}

/// Protects from manifests of somebody else: whatever is cut, changed or said twice is read or
/// refused, with places inside of the text.
#[test]
fn damaged_manifests_are_refused_with_their_places() {
    let mut refused = 0;
    let mut look = |text: &str| match read(text) {
        Ok(_) => {}
        Err(Error::Manifest(found)) => {
            refused += 1;
            assert!(!found.is_empty(), "{text}");
            for one in found {
                assert!(
                    one.span.start <= one.span.end && one.span.end <= text.len(),
                    "{text}"
                );
                assert!(
                    place(text, one.span.start).0 <= text.lines().count().max(1),
                    "{text}"
                );
            }
        }
        Err(error) => panic!("{text}: {error}"),
    };
    for (at, c) in WHOLE.char_indices() {
        let (before, after) = (&WHOLE[..at], &WHOLE[at + c.len_utf8()..]);
        look(before);
        look(&format!("{before}{after}"));
        for other in ["\"", "{", "]", ",", "9", "-", "\\", "ö", "\0", "\n", "null"] {
            look(&format!("{before}{other}{after}"));
        }
        look(&format!("{before}{WHOLE}{after}"));
    }
    assert!(refused > 5_000, "{refused}");
}
