//! Bundles of a small page, on disk.

use super::folder;
use super::{Bundled, finish, plan};
use crate::config::bundle::{self as config, Bundle};
use crate::error::{Error, Result};
use crate::wasm::artifact::Artifact;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const MODULE: &str = r#"(module
  (memory (export "memory") 1 16)
  (global $stack (mut i32) (i32.const 8))
  (func (export "_initialize"))
  (func (export "app_init") (param i32 i32) (result i32) (i32.const 0))
  (func (export "app_poll") (param i32) (result i32) (i32.const 0))
  (data (i32.const 8) "plain"))"#;

const PAGE: &str = "<meta http-equiv=\"Content-Security-Policy\" content=\"__POLICY__\">\
    <script type=\"module\" src=\"__BUILD__/page.js\"></script>";

const MANIFEST: &str = r#"{ "version": 1, "examples": {
  "light": { "title": "Light", "optimizations": { "preinit": true } },
  "notes": { "title": "Notes", "rootfs": "examples/notes", "optimizations": { "persistence": true } } } }"#;

const STORE: &str = "root = await navigator.storage.getDirectory(); file.createSyncAccessHandle();";

const FILES: [(&str, &str); 9] = [
    ("www/index.html", PAGE),
    (
        "www/service-worker.js",
        "addEventListener('install', () => caches.open('__BUILD__'));",
    ),
    (
        "www/page.js",
        "new Worker('./worker.js'); await WebAssembly.compileStreaming(fetch(path));",
    ),
    (
        "www/worker.js",
        "if (persistence) await import('./store.js');",
    ),
    ("www/store.js", STORE),
    ("www/tar.js", "export const extract = 1;"),
    ("examples/notes/b.txt", "b"),
    ("examples/notes/a/c.txt", "c"),
    ("manifest.json", MANIFEST),
];

/// A page in a folder of its own.
struct Site {
    folder: TempDir,
    limits: &'static str,
}

impl Site {
    fn new() -> Self {
        let site = Self {
            folder: tempfile::tempdir().unwrap(),
            limits: "",
        };
        for (path, text) in FILES {
            site.write(path, text);
        }
        fs::write(site.path("agent.wasm"), wat::parse_str(MODULE).unwrap()).unwrap();
        site
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn settings(&self) -> Bundle {
        let source = format!(
            "[package]\nname = \"app\"\n[package.metadata.bundle]\nfolder = \".\"\ntarget = \"wasm32-wasip1\"\n\
             init = \"app_init\"\nsteps = [\"app_poll\"]\nloads = {{ persistence = [\"store.js\"], files = [\"tar.js\"] }}\nlimits = {{ {} }}\n",
            self.limits
        );
        let manifest = self.path("Cargo.toml");
        config::parse(&manifest, &source).unwrap().unwrap()
    }

    fn bundle(&self, wanted: &[&str], dry_run: bool) -> Result<Bundled> {
        let settings = self.settings();
        let wanted: Vec<_> = wanted.iter().map(|name| (*name).to_owned()).collect();
        let draft = plan::read(&settings, &wanted)?;
        let plan = plan::fill(draft, &settings, &self.path("agent.wasm"), &configure)?;
        finish(plan, settings, &self.out(), dry_run)
    }

    fn out(&self) -> PathBuf {
        self.path("target/bundle")
    }

    /// Every file of the bundle.
    fn made(&self) -> BTreeMap<String, Vec<u8>> {
        super::pack::read(&self.out()).unwrap()
    }
}

/// What a snapshot looks like: other data, and nothing to initialise.
fn configure(_: &Path, _: &Artifact, config: &str) -> Result<Artifact> {
    let text = MODULE.replace("(func (export \"_initialize\"))", "");
    let data = config.replace('"', "\\\"");
    let text = text.replace("\"plain\"", &format!("\"configured by {data}\""));
    Artifact::new(wat::parse_str(text).unwrap(), Path::new("ready.wasm"))
}

#[test]
fn a_bundle_is_what_the_manifest_asks_for() {
    let site = Site::new();
    let bundled = site.bundle(&[], false).unwrap();
    assert!(bundled.is_well(), "{:?}", bundled.false_claims());
    let build = &bundled.report.build;
    let made = site.made();
    let bare = made
        .keys()
        .filter(|path| !path.ends_with(".br") && !path.ends_with(".gz"));
    let inside = |name: &str| format!("{build}/{name}");
    let mut expected = [
        "agent-light.wasm",
        "agent.wasm",
        "notes.tar",
        "page.js",
        "plan.json",
        "store.js",
        "tar.js",
        "worker.js",
    ]
    .map(inside)
    .to_vec();
    expected.extend(["audit.json", "index.html", "service-worker.js"].map(str::to_owned));
    expected.sort();
    assert_eq!(bare.cloned().collect::<Vec<_>>(), expected);
    let page = String::from_utf8(made["index.html"].clone()).unwrap();
    assert!(page.contains(&format!("src=\"{build}/page.js\"")), "{page}");
    assert!(page.contains("content=\"default-src 'none'; "), "{page}");
    let plan: serde_json::Value = serde_json::from_slice(&made[&inside("plan.json")]).unwrap();
    assert_eq!(plan["default"], "light");
    assert_eq!(plan["examples"][0]["module"]["path"], "agent-light.wasm");
    assert_eq!(
        plan["examples"][0]["optimizations"]["memoryMaximum"],
        16 << 16
    );
    assert_eq!(plan["examples"][1]["files"]["list"][1]["path"], "b.txt");
    let assets = plan["assets"].as_array().unwrap();
    assert_eq!(assets.len(), 7, "all but the plan itself: {assets:?}");
    // What is loaded on demand is counted where it is demanded.
    let loads = |at: usize| bundled.report.first_answer[at].files.join(" ");
    assert_eq!(
        loads(0),
        "agent-light.wasm index.html page.js plan.json worker.js"
    );
    assert_eq!(
        loads(1),
        "agent.wasm index.html notes.tar page.js plan.json store.js tar.js worker.js"
    );
    let audited = folder::audit(&site.out()).unwrap();
    assert_eq!(audited.faults, Vec::<String>::new());
    assert_eq!(
        (audited.build, audited.rows),
        (build.clone(), bundled.report.rows)
    );
}

/// Protects caches that are to hold for ever: a build id stands for its bytes.
#[test]
fn the_same_input_gives_the_same_bytes() {
    let (one, other) = (Site::new(), Site::new());
    // The other's files are written in another order, and later.
    for (path, text) in FILES.iter().rev() {
        fs::remove_file(other.path(path)).unwrap();
        other.write(path, text);
    }
    let first = one.bundle(&[], false).unwrap();
    let second = other.bundle(&[], false).unwrap();
    assert_eq!(one.made(), other.made());
    assert!(!first.report.unchanged && !second.report.unchanged);
    assert!(one.bundle(&[], false).unwrap().report.unchanged);
    // Any byte of any of its files is another build.
    for (path, text) in FILES {
        other.write(path, &format!("{text} "));
        let again = other.bundle(&[], true).unwrap();
        let is_other = again.report.build != first.report.build;
        // A blank behind the manifest changes nothing of the plan.
        assert_eq!(is_other, path != "manifest.json", "{path}");
        other.write(path, text);
    }
}

#[test]
fn nothing_is_written_where_it_is_only_asked_for() {
    let site = Site::new();
    let asked = site.bundle(&[], true).unwrap();
    assert!(!site.out().exists());
    let made = site.bundle(&[], false).unwrap();
    assert_eq!(asked.report.files, made.report.files);
}

#[test]
fn some_of_the_examples() {
    let site = Site::new();
    let whole = site.bundle(&[], false).unwrap();
    let some = site.bundle(&["notes"], false).unwrap();
    assert_eq!(some.report.first_answer.len(), 1);
    assert_ne!(whole.report.build, some.report.build);
    assert!(
        !site.out().join(&whole.report.build).exists(),
        "the old one is gone"
    );
    assert!(
        site.out()
            .join(&some.report.build)
            .join("notes.tar")
            .exists()
    );
    let error = site
        .bundle(&["note"], false)
        .map(|_| ())
        .unwrap_err()
        .to_string();
    assert!(error.contains("did you mean `notes`?"), "{error}");
}

/// Protects a user's files: the folder is replaced as a whole.
#[test]
fn what_is_of_no_bundle_stays() {
    let site = Site::new();
    site.bundle(&[], false).unwrap();
    site.write("target/bundle/notes.txt", "mine");
    site.write("www/page.js", "other");
    let error = site.bundle(&[], false).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("notes.txt: it is of no bundle"), "{error}");
    assert_eq!(
        fs::read_to_string(site.path("target/bundle/notes.txt")).unwrap(),
        "mine"
    );
    fs::remove_file(site.path("target/bundle/notes.txt")).unwrap();
    site.write("target/bundle/.git/HEAD", "mine");
    let error = site.bundle(&[], false).map(|_| ()).unwrap_err();
    assert!(
        error.to_string().contains(".git: it is of no bundle"),
        "{error}"
    );
    fs::remove_dir_all(site.path("target/bundle/.git")).unwrap();
    // What a killed run left goes.
    site.write("target/.build-support-bundle-x/index.html", "half");
    site.bundle(&[], false).unwrap();
    let left: Vec<_> = fs::read_dir(site.path("target"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with(".build-support"))
        .collect();
    assert_eq!(left, Vec::<String>::new());
}

#[test]
fn the_lightest_is_first() {
    let site = Site::new();
    let swapped = MANIFEST.replace("light\": {", "x\": {");
    let swapped = swapped
        .replace("notes\": {", "light\": {")
        .replace("x\": {", "notes\": {");
    // The first of the manifest is the one with files and a store now.
    let heavy = swapped
        .replace("\"preinit\": true", "\"persistence\": true")
        .replace("\"title\": \"Light\",", "\"rootfs\": \"examples/notes\",")
        .replace("\"title\": \"Notes\", \"rootfs\": \"examples/notes\",", "")
        .replacen(
            "\"optimizations\": { \"persistence\": true } } } }",
            "\"title\": \"Light\" } } }",
            1,
        );
    site.write("manifest.json", &heavy);
    let Err(Error::Manifest(mistakes)) = site.bundle(&[], false).map(|_| ()) else {
        panic!("{heavy}");
    };
    assert!(
        mistakes[0]
            .message
            .contains("`notes` is first, and `light` is lighter"),
        "{mistakes:?}"
    );
    assert_eq!(&heavy[mistakes[0].span.clone()], "\"notes\"");
    let decided = heavy.replacen(
        "\"version\": 1,",
        "\"version\": 1, \"default\": \"notes\",",
        1,
    );
    site.write("manifest.json", &decided);
    site.bundle(&[], false).unwrap();
}

#[test]
fn limits_are_judged() {
    let mut site = Site::new();
    site.limits = "files = 10, brotli = 1_000_000";
    assert_eq!(site.bundle(&[], true).unwrap().breaches, Vec::new());
    site.limits = "files = 8, brotli = 10, gzip = 10, first-answer = 10";
    let bundled = site.bundle(&[], true).unwrap();
    assert_eq!(bundled.breaches.len(), 4);
    assert!(!bundled.is_well());
    let sizes = bundled.report.sizes;
    assert!(sizes.brotli < sizes.raw && sizes.gzip < sizes.raw);
    let actual: Vec<_> = bundled.report.limits.iter().map(|one| one.actual).collect();
    let first = bundled.report.first_answer[0].sizes.brotli;
    assert_eq!(actual, [sizes.brotli, sizes.gzip, 10, first]);
}

#[test]
fn what_a_package_says_must_be_so() {
    let site = Site::new();
    let mut settings = site.settings();
    settings.init = "other_init".to_owned();
    let draft = || plan::read(&site.settings(), &[]).unwrap();
    let agent = site.path("agent.wasm");
    let refused = |settings: &Bundle| {
        let filled = plan::fill(draft(), settings, &agent, &configure);
        filled.map(|_| ()).unwrap_err().to_string()
    };
    assert!(refused(&settings).contains("does not export `other_init`"));
    let mut limited = site.settings();
    limited.memory_maximum = Some(8 << 16);
    let filled = plan::fill(draft(), &limited, &agent, &configure).unwrap();
    let plain = super::audit::inspect(&agent, &filled.files["agent.wasm"]).unwrap();
    assert_eq!(plain.most_bytes(), Some(8 << 16));
    let notes = &filled.manifest.examples[1].optimizations;
    assert_eq!(notes.memory_maximum, Some(8 << 16));
    fs::write(&agent, wat::parse_str("(component)").unwrap()).unwrap();
    assert!(refused(&site.settings()).contains("a component"));
    site.write("www/plan.json", "{}");
    let error = plan::read(&site.settings(), &[])
        .map(|_| ())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("the bundle makes a file of this name"),
        "{error}"
    );
    fs::remove_file(site.path("www/index.html")).unwrap();
    let error = plan::read(&site.settings(), &[])
        .map(|_| ())
        .unwrap_err()
        .to_string();
    assert!(error.contains("no index.html"), "{error}");
}

/// Protects whoever is given a bundle: nothing in it is believed.
#[test]
fn whatever_is_changed_is_seen() {
    let site = Site::new();
    let build = site.bundle(&[], false).unwrap().report.build;
    let whole = site.made();
    let restore = || {
        fs::remove_dir_all(site.out()).unwrap();
        for (path, bytes) in &whole {
            let path = site.out().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
    };
    for path in whole.keys() {
        let file = site.out().join(path);
        let mut bytes = whole[path].clone();
        // A word becomes another one.
        let at = bytes.len() / 2;
        bytes[at] ^= 1;
        fs::write(&file, &bytes).unwrap();
        match folder::audit(&site.out()) {
            Ok(audited) => assert!(!audited.faults.is_empty(), "{path}"),
            Err(error) => assert!(error.to_string().contains("help:"), "{path}: {error}"),
        }
        restore();
    }
    fs::write(site.out().join(&build).join("more.js"), "x").unwrap();
    let faults = folder::audit(&site.out()).unwrap().faults;
    assert!(
        faults
            .iter()
            .any(|one| one == "more.js is there, and not listed"),
        "{faults:?}"
    );
    restore();
    assert_eq!(
        folder::audit(&site.out()).unwrap().faults,
        Vec::<String>::new()
    );
    fs::remove_file(site.out().join("audit.json")).unwrap();
    let error = folder::audit(&site.out()).unwrap_err().to_string();
    assert!(
        error.contains("audit.json: it is not what a bundle has"),
        "{error}"
    );
}

/// Protects from a table that says more than the files do.
#[test]
fn what_the_table_claims_is_looked_for() {
    let site = Site::new();
    site.write(
        "www/store.js",
        "// navigator.storage.getDirectory(), createSyncAccessHandle: later",
    );
    let bundled = site.bundle(&[], false).unwrap();
    let claims = bundled.false_claims();
    let claims: Vec<_> = claims
        .iter()
        .map(|(row, name)| (row.name.as_str(), *name))
        .collect();
    assert_eq!(claims, [("OPFS persistence", "notes")]);
    assert!(!bundled.is_well());
    let faults = folder::audit(&site.out()).unwrap().faults;
    assert_eq!(
        faults,
        ["notes: OPFS persistence is claimed, and not found: getDirectory in no script"]
    );
    // The table alone is made nicer.
    let audit = site.out().join("audit.json");
    let text = fs::read_to_string(&audit).unwrap();
    let nicer = text.replace("getDirectory in no script", "getDirectory in store.js:1");
    assert_ne!(text, nicer);
    fs::write(&audit, nicer).unwrap();
    let faults = folder::audit(&site.out()).unwrap().faults;
    assert!(
        faults.iter().any(|one| one
            .contains("OPFS persistence: audit.json says no, on: getDirectory in store.js:1")),
        "{faults:?}"
    );
}
