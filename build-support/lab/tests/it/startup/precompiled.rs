//! Precompiled files: they answer as the wasm file does, and whatever is not exactly what the tool
//! wrote is refused, with the reason and the remedy.

use super::{shipped, transcript};
use build_support::agent::host::Host;
use build_support::agent::precompiled::{self, Precompiled};
use build_support::engine::program::{Imports, Program};
use build_support::engine::setup::{Compiler, Instances, Setup};
use build_support::wasm::artifact::Artifact;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

const TARGETS: [&str; 2] = ["wasm32-wasip2", "wasm32-wasip1"];

/// A small module, precompiled with Cranelift in a folder of its own, its wasm file beside it.
struct Made {
    folder: tempfile::TempDir,
    file: PathBuf,
}

impl Made {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("app.wasm");
        let bytes = wat::parse_str("(module (memory (export \"memory\") 1))").unwrap();
        fs::write(&source, &bytes).unwrap();
        let file = precompiled::beside(&source);
        let artifact = Artifact::read(&source).unwrap();
        precompiled::write(&source, &artifact, Compiler::Cranelift, &file).unwrap();
        Self { folder, file }
    }

    fn record(&self) -> PathBuf {
        self.folder.path().join("app.cwasm.json")
    }

    /// The error of reading it after `change`, which must name the file and the remedy.
    #[track_caller]
    fn refused(change: impl Fn(&Made), expected: &str) {
        let made = Made::new();
        Precompiled::read(&made.file).unwrap();
        change(&made);
        let error = match Precompiled::read(&made.file) {
            Ok(_) => panic!("not refused; expected {expected:?}"),
            Err(error) => error.to_string(),
        };
        assert!(error.contains(expected), "{error}");
        assert!(error.contains("app.cwasm"), "{error}");
        assert!(error.contains("precompile"), "{error}");
    }

    fn edit(&self, key: &str, value: impl Into<Value>) {
        let mut record: Value = serde_json::from_slice(&fs::read(self.record()).unwrap()).unwrap();
        record[key] = value.into();
        fs::write(self.record(), record.to_string()).unwrap();
    }
}

fn change_bytes(file: &Path, change: impl Fn(&mut Vec<u8>)) {
    let mut bytes = fs::read(file).unwrap();
    change(&mut bytes);
    fs::write(file, bytes).unwrap();
}

/// The answers to the transcript, without what the clock decides.
fn answers(program: &Program) -> Vec<Value> {
    let root = tempfile::tempdir().unwrap();
    let mut host: Host = Host::start(program, Some(root.path())).unwrap();
    let transcript = transcript();
    host.init(&transcript.config()).unwrap();
    let answers = transcript.play(&mut host).unwrap();
    answers.iter().map(|answer| timeless(answer)).collect()
}

fn timeless(answer: &str) -> Value {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                fields.remove("timestamp_ms");
                fields.values_mut().for_each(strip);
            }
            Value::Array(values) => values.iter_mut().for_each(strip),
            _ => {}
        }
    }
    let mut value = serde_json::from_str(answer).unwrap();
    strip(&mut value);
    value
}

/// Protects the agent: made ahead of time by either compiler, and in a pool, it answers as it does
/// from its wasm file.
#[test]
fn it_answers_as_the_wasm_file_does() {
    let folder = tempfile::tempdir().unwrap();
    for target in TARGETS {
        let source = shipped(target).shipped;
        let artifact = Artifact::read(&source).unwrap();
        let plain = Setup::new(Compiler::Cranelift).engine().unwrap();
        let expected = answers(&Program::compile(&plain, &source, &artifact).unwrap());
        let ok = expected.iter().filter(|answer| answer["ok"] == true);
        assert!(ok.count() > 10, "{expected:?}");
        for compiler in [Compiler::Cranelift, Compiler::Winch] {
            let file = folder.path().join(format!("{target}.cwasm"));
            precompiled::write(&source, &artifact, compiler, &file).unwrap();
            let made = Precompiled::read(&file).unwrap();
            assert_eq!(made.record().compiler, compiler);
            for instances in [Instances::OnDemand, Instances::Pooled] {
                let setup = Setup {
                    instances,
                    ..Setup::new(compiler)
                };
                let engine = setup.engine().unwrap();
                let compiled = made.load(&engine).unwrap();
                let program = Program::link(&engine, &file, &compiled, Imports::Wasi).unwrap();
                assert_eq!(answers(&program), expected, "{target}, {setup}");
            }
        }
    }
}

/// Protects against code that assumes what an engine does not do: each is refused by name.
#[test]
fn an_engine_with_other_settings_refuses_it() {
    let made = Precompiled::read(&Made::new().file).unwrap();
    let refused = |setup: Setup, expected: &str| {
        let engine = setup.engine().unwrap();
        let error = match made.load(&engine) {
            Ok(_) => panic!("{setup} takes it"),
            Err(error) => error.to_string(),
        };
        assert!(error.contains(expected), "{setup}: {error}");
        assert!(error.contains("app.cwasm") && error.contains("precompile"));
    };
    let cranelift = Setup::new(Compiler::Cranelift);
    refused(
        Setup {
            fuel: true,
            ..cranelift
        },
        "without fuel",
    );
    refused(Setup::new(Compiler::Winch), "Winch");
}

#[test]
fn damage_is_refused() {
    let truncate = |made: &Made| change_bytes(&made.file, |bytes| bytes.truncate(bytes.len() / 2));
    Made::refused(truncate, "damaged");
    let flip = |made: &Made| {
        change_bytes(&made.file, |bytes| {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
        });
    };
    Made::refused(flip, "its SHA-256 is not the one in its record");
    Made::refused(
        |made| change_bytes(&made.file, Vec::clear),
        "it has 0 bytes",
    );
    Made::refused(
        |made| change_bytes(&made.file, |bytes| bytes.push(0)),
        "damaged",
    );
}

#[test]
fn a_wrong_record_is_refused() {
    let gone = |made: &Made| fs::remove_file(made.record()).unwrap();
    Made::refused(gone, "its record app.cwasm.json is not beside it");
    let broken = |made: &Made| fs::write(made.record(), "{").unwrap();
    Made::refused(broken, "this is no record");
    Made::refused(|made| made.edit("unknown", 1), "this is no record");
    Made::refused(|made| made.edit("schema", 2), "layout 2 is not known");
    Made::refused(
        |made| made.edit("engine", "wasmtime 1.2.3"),
        "it was made by wasmtime 1.2.3",
    );
    Made::refused(
        |made| made.edit("machine", "riscv64-plan9"),
        "it was made for riscv64-plan9",
    );
    let anothers = |made: &Made| {
        let source = made.folder.path().join("app.wasm");
        let artifact = Artifact::read(&source).unwrap();
        let other = made.folder.path().join("other.cwasm");
        precompiled::write(&source, &artifact, Compiler::Winch, &other).unwrap();
        fs::rename(made.folder.path().join("other.cwasm.json"), made.record()).unwrap();
    };
    Made::refused(anothers, "one of the two is not its own");
}

/// The record's kind is not in the bytes' digest; the engine tells them apart.
#[test]
fn a_module_is_not_taken_for_a_component() {
    let made = Made::new();
    made.edit("kind", "component");
    let made = Precompiled::read(&made.file).unwrap();
    let error = match made.load(&made.engine().unwrap()) {
        Ok(_) => panic!("not refused"),
        Err(error) => error.to_string(),
    };
    assert!(error.contains("incompatible object file format"), "{error}");
}

/// Protects against running yesterday's agent; without the wasm file beside it there is nothing to
/// compare.
#[test]
fn what_is_out_of_date_is_refused() {
    let source = |made: &Made| made.folder.path().join("app.wasm");
    let changed =
        |made: &Made| fs::write(source(made), wat::parse_str("(module)").unwrap()).unwrap();
    Made::refused(changed, "it is out of date: app.wasm has changed since");
    let made = Made::new();
    fs::remove_file(source(&made)).unwrap();
    Precompiled::read(&made.file).unwrap();
}
