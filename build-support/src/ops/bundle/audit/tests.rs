//! Every row: what it is about is switched off, and its cell changes.

use super::{About, Input, PLAIN, false_claims, run};
use crate::ops::bundle::contents::Contents;
use crate::ops::bundle::manifest::{self, Manifest};
use crate::report::bundle::Row;
use crate::system::digest;
use std::collections::BTreeMap;
use std::path::Path;

const MODULE: &str = r#"(module
  (memory (export "memory") 1 16)
  (global $stack (mut i32) (i32.const 8))
  (func (export "_initialize"))
  (func (export "app_init") (param i32 i32) (result i32) (i32.const 0))
  (func (export "app_poll") (param i32) (result i32) (drop (memory.grow (i32.const 1))) (local.get 0))
  (data (i32.const 8) "plain"))"#;

const MANIFEST: &str = r#"{ "version": 1, "examples": { "all": {
  "optimizations": { "preinit": true, "jit": true, "jitHotThreshold": 500, "persistence": true, "autoSaveInterval": 5000,
    "snapshot": true, "sync": true, "tasks": 4, "memoryMaximum": "1 MiB", "hypercalls": ["host_fetch", "host_snapshot"] },
  "grants": { "fetch": { "origins": ["https://a.example"] }, "snapshot": {} } } } }"#;

const PAGE: &str = "const module = await WebAssembly.compileStreaming(fetch('./agent.wasm'));";
const CALLS: &str =
    "register({ op: 500, name: 'host_fetch' });\nregister({ op: 505, name: 'host_snapshot' });";
const STORE: &str = "navigator.storage.getDirectory(); file.createSyncAccessHandle();";
const SYNC: &str = "fetch('/sync/v1/' + space); const name = { name: 'AES-GCM' };";
const WORKER: &str = "addEventListener('install', () => caches.open('x'));";

/// All that an audit looks at.
struct Bundle {
    plan: Manifest,
    root: Contents,
    files: Contents,
    about: About,
}

impl Bundle {
    fn new() -> Self {
        let plan = manifest::parse(Path::new("manifest.json"), MANIFEST, &|_, _| true).unwrap();
        let text = |path: &str, text: &str| (path.to_owned(), text.as_bytes().to_vec());
        let mut bundle = Self {
            plan,
            root: [
                text("index.html", "<script src='__BUILD__/page.js'>"),
                text("service-worker.js", WORKER),
            ]
            .into(),
            files: [
                text("page.js", PAGE),
                text("hostcalls.js", CALLS),
                text("store.js", STORE),
                text("sync.js", SYNC),
                text("plan.json", "{}"),
            ]
            .into(),
            about: About {
                init: "app_init".to_owned(),
                steps: vec!["app_poll".to_owned()],
                loads: [("sync".to_owned(), vec!["sync.js".to_owned()])].into(),
            },
        };
        bundle.module(MODULE);
        bundle
    }

    /// With this module, and the one that is made of it.
    fn module(&mut self, text: &str) {
        let ready = text.replace("(func (export \"_initialize\"))", "");
        let ready = ready.replace("\"plain\"", "\"configured\"");
        self.files
            .insert(PLAIN.to_owned(), wat::parse_str(text).unwrap());
        self.ready(&wat::parse_str(ready).unwrap());
    }

    fn ready(&mut self, bytes: &[u8]) {
        let module = &mut self.plan.examples[0].module;
        module.path = "agent-all.wasm".to_owned();
        module.sha256 = digest::digest(bytes);
        self.files.insert(module.path.clone(), bytes.to_vec());
    }

    fn without(&mut self, path: &str) {
        assert!(self.files.remove(path).is_some() || self.root.remove(path).is_some());
    }

    fn rows(&self) -> Vec<Row> {
        run(&Input {
            plan: &self.plan,
            root: &self.root,
            files: &self.files,
            known: &BTreeMap::new(),
            about: &self.about,
        })
        .unwrap()
    }
}

/// The cell of `row` is another one after `change`, and whether its claim is false then.
#[track_caller]
fn changes(row: &str, is_false: bool, change: impl FnOnce(&mut Bundle)) {
    let mut bundle = Bundle::new();
    let cell = |rows: &[Row]| {
        let row = rows.iter().find(|one| one.name == row).expect(row);
        row.cells["all"].clone()
    };
    let before = cell(&bundle.rows());
    change(&mut bundle);
    let rows = bundle.rows();
    assert_ne!(before, cell(&rows), "{row}");
    assert_eq!(cell(&rows).is_false(), is_false, "{:?}", cell(&rows));
}

#[test]
fn all_that_is_claimed_is_found() {
    let rows = Bundle::new().rows();
    assert_eq!(rows.len(), 11);
    assert_eq!(false_claims(&rows), Vec::new());
    let cell = |name: &str| {
        let row = rows.iter().find(|row| row.name == name).unwrap();
        let cell = &row.cells["all"];
        format!("{} | {} | {}", cell.built, cell.bundle, cell.evidence)
    };
    assert_eq!(
        cell("Tail-call dispatch"),
        "no | no | 0 return_call in agent-all.wasm, in 2 functions"
    );
    assert_eq!(
        cell("Flat arena"),
        "yes | at most 1.0 MiB | 1 unshared memory of 32 bits, 1 to 16 pages; 1 memory.grow in agent-all.wasm"
    );
    assert_eq!(
        cell("Host fetch and the registry"),
        "yes | 500 host_fetch, 505 host_snapshot | 2 of 7 in the scripts: host_fetch in hostcalls.js:1, \
         host_snapshot in hostcalls.js:2; agent-all.wasm exports app_poll"
    );
    assert_eq!(
        cell("OPFS persistence"),
        "yes | on, every 5,000 ms | getDirectory in store.js:1, createSyncAccessHandle in store.js:1"
    );
}

#[test]
fn tail_calls_and_tiers() {
    changes("Tail-call dispatch", false, |bundle| {
        bundle.module(&MODULE.replace("(local.get 0))", "(return_call 0 (local.get 0)))").replace("(func (export \"_initialize\"))", "(func $f (param i32) (result i32) (local.get 0)) (func (export \"_initialize\"))"));
    });
    changes("JIT, hot threshold", true, |bundle| {
        bundle.without("page.js")
    });
    changes("JIT, hot threshold", false, |bundle| {
        bundle.plan.examples[0].optimizations.jit = false;
    });
    changes("LLRT bytecode precompile", false, |bundle| {
        bundle.without("page.js")
    });
}

#[test]
fn memory() {
    for other in ["1", "1 17", "1 16 shared"] {
        changes("Flat arena", true, |bundle| {
            bundle.module(&MODULE.replace(
                "(export \"memory\") 1 16",
                &format!("(export \"memory\") {other}"),
            ));
        });
    }
    changes("Flat arena", false, |bundle| {
        bundle.module(&MODULE.replace("(drop (memory.grow (i32.const 1)))", ""));
    });
}

#[test]
fn calls_and_tasks() {
    changes("Host fetch and the registry", true, |bundle| {
        bundle.without("hostcalls.js")
    });
    changes("Host fetch and the registry", true, |bundle| {
        bundle.files.insert(
            "hostcalls.js".to_owned(),
            CALLS.replace("register({ op: 500", "// 500").into(),
        );
    });
    changes("Host fetch and the registry", false, |bundle| {
        bundle.plan.examples[0].hypercalls.clear();
    });
    for row in ["Host fetch and the registry", "Cooperative threading"] {
        changes(row, true, |bundle| {
            bundle.module(&MODULE.replace("app_poll", "app_pull"))
        });
    }
    changes("Cooperative threading", false, |bundle| {
        bundle.plan.examples[0].optimizations.tasks = 1;
    });
    changes("Cooperative threading", true, |bundle| {
        bundle.about.steps.clear()
    });
}

#[test]
fn states() {
    for row in ["V8 snapshot blob", "Ready-state snapshot"] {
        // Its configured module is the plain one, another, or still to be initialised.
        changes(row, true, |bundle| {
            let plain = bundle.files[PLAIN].clone();
            bundle.ready(&plain);
        });
        changes(row, true, |bundle| {
            bundle.plan.examples[0].module.sha256 = digest::digest(b"other");
        });
        changes(row, true, |bundle| {
            bundle.ready(&wat::parse_str(MODULE.replace("plain", "other")).unwrap());
        });
        changes(row, true, |bundle| bundle.without("agent-all.wasm"));
        changes(row, true, |bundle| bundle.about.init = "other".to_owned());
        changes(row, false, |bundle| {
            bundle.plan.examples[0].optimizations.preinit = false;
        });
    }
    changes("V8 snapshot blob", false, |bundle| {
        bundle.without("service-worker.js")
    });
    let unfit = [
        (
            "(global $stack",
            "(global (mut i32) (i32.const 0)) (global $stack",
        ),
        ("(global $stack", "(global $stack (export \"stack\")"),
        ("(local.get 0))", "(data.drop 0) (local.get 0))"),
    ];
    for (from, to) in unfit {
        changes("Ready-state snapshot", true, |bundle| {
            bundle.module(&MODULE.replace(from, to))
        });
    }
    changes("Ready-state snapshot", true, |bundle| {
        bundle.without("hostcalls.js")
    });
    changes("Ready-state snapshot", false, |bundle| {
        bundle.plan.examples[0].optimizations.snapshot = false;
    });
}

#[test]
fn storage_and_devices() {
    changes("OPFS persistence", true, |bundle| {
        bundle.without("store.js")
    });
    changes("OPFS persistence", false, |bundle| {
        let options = &mut bundle.plan.examples[0].optimizations;
        options.persistence = false;
    });
    changes("Cross-device sync", true, |bundle| {
        bundle.without("sync.js")
    });
    changes("Cross-device sync", false, |bundle| {
        bundle.plan.examples[0].optimizations.sync = false;
    });
}

#[test]
fn what_comes_before_the_first_answer() {
    changes("Light tab first", false, |bundle| {
        bundle.files.insert(
            "page.js".to_owned(),
            format!("{PAGE} import './store.js'").into(),
        );
    });
    changes("Light tab first", false, |bundle| {
        bundle.plan.default = "another".to_owned();
    });
    changes("Light tab first", false, |bundle| {
        bundle.plan.examples[0].optimizations.sync = false;
    });
}

/// Protects who looks at a file of somebody else.
#[test]
fn what_is_no_module_is_refused() {
    let mut bundle = Bundle::new();
    bundle
        .files
        .insert(PLAIN.to_owned(), b"\0asm\x01\0\0\0\x01\x05".to_vec());
    let refused = run(&Input {
        plan: &bundle.plan,
        root: &bundle.root,
        files: &bundle.files,
        known: &BTreeMap::new(),
        about: &bundle.about,
    });
    let error = refused.unwrap_err().to_string();
    assert!(
        error.contains("agent.wasm") && error.contains("at offset"),
        "{error}"
    );
}
