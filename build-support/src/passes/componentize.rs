//! Makes the component from a core module that carries its WIT world (`component-type:*` sections),
//! after which those sections have done their work.
//!
//! A module that calls preview 1 gets the adapter, which speaks preview 1 to it and WASI 0.2 to the
//! host. A program that was linked with a C library of preview 1 does, whatever its target is
//! called; with it, a command needs no world of its own.

use crate::error::{Error, Result};
use crate::passes::{Job, Outcome, strip};
use crate::system::panics;
use crate::wasm::artifact::{Artifact, FileKind};
use crate::wasm::names;
use crate::wasm::{Module, ReadError, module};
use std::path::Path;
use wasi_preview1_component_adapter_provider as adapters;
use wit_component::ComponentEncoder;

const PASS: &str = "componentize";
/// The encoder recurses over types.
const STACK_BYTES: usize = 64 << 20;
/// What is to be said where the encoder panics.
const UNFIT: &str = "wit-component 0.263 does not take the module: its `component-type` section is of another encoder, or it is an adapter; \
    make the component with the tool that wrote the section, or ship the module as it is (target wasm32-wasip1)";
/// Where bindings generators leave the world (wit-component, `metadata`).
const WORLD_SECTION: &str = "component-type";

/// Wraps the module where the target wants components; a module for other targets stays one.
///
/// # Errors
/// [`Error::Pass`] where the target wants a component and the module has no world, or does not fit
/// it.
pub fn run(job: &Job<'_>, artifact: Artifact) -> Result<Outcome> {
    if artifact.kind() == FileKind::Component {
        return Ok(Outcome::new(artifact, "is a component already"));
    }
    if !job.wants_component {
        return Ok(Outcome::new(artifact, "this target ships core modules"));
    }
    let module = Module::read(artifact.bytes()).map_err(ReadError::output(PASS))?;
    let preview1 = Preview1::used_by(&module);
    if !has_world(artifact.bytes()) && preview1 != Preview1::Command {
        return Err(Error::Pass {
            pass: PASS,
            message: format!(
                "the module has no `{WORLD_SECTION}` section, so nothing says what it exports; \
                 bind a WIT world (wit-bindgen) or build for wasm32-wasip1"
            ),
        });
    }
    let (adapter, note) = match preview1 {
        Preview1::None => (None, "core module + its WIT world"),
        Preview1::Command => (
            Some(adapters::WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER),
            "core module + preview 1 adapter for commands",
        ),
        Preview1::Reactor => (
            Some(adapters::WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER),
            "core module + its WIT world + preview 1 adapter for reactors",
        ),
    };
    // Names go with the strip below; for `attribution` they are read before.
    let encode = || {
        let mut encoder = ComponentEncoder::default();
        let module = encoder
            .validate(true)
            .debug_names(true)
            .module(artifact.bytes());
        let encoder = module.and_then(|encoder| match adapter {
            Some(bytes) => encoder.adapter(adapters::WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, bytes),
            None => Ok(encoder),
        });
        let encoded = encoder.and_then(|encoder| encoder.encode());
        encoded.map_err(|error| Error::pass(PASS, format!("{error:#}")))
    };
    let component = panics::contain(STACK_BYTES, encode)
        .map_err(Error::io("starting a thread for", Path::new(PASS)))?
        .ok_or_else(|| Error::pass(PASS, UNFIT))??;
    let component = Artifact::from_pass(component, PASS)?;
    // Those of the modules that the encoder made or brought: adapter and shims. The program's own
    // has none by now, and is known from before.
    let names = component
        .modules()
        .and_then(|modules| modules.iter().map(names::read).collect())
        .map_err(ReadError::output(PASS))?;
    Ok(Outcome {
        names,
        ..Outcome::new(strip::run(job, component)?.artifact, note)
    })
}

/// How a module uses preview 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Preview1 {
    /// It does not.
    None,
    /// As a program with a `_start`, which the adapter makes a `wasi:cli/run`.
    Command,
    /// As a library.
    Reactor,
}

impl Preview1 {
    fn used_by(module: &Module<'_>) -> Self {
        let adapted = adapters::WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME;
        let imports = module.imports.iter().any(|import| import.module == adapted);
        let starts = module.exports.iter().any(|export| export.name == "_start");
        match (imports, starts) {
            (false, _) => Self::None,
            (true, true) => Self::Command,
            (true, false) => Self::Reactor,
        }
    }
}

/// Whether a core module carries a WIT world.
pub fn has_world(module: &[u8]) -> bool {
    module::customs(module).any(|section| section.name().starts_with(WORLD_SECTION))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;
    use wit_component::{StringEncoding, embed_component_metadata};
    use wit_parser::Resolve;

    const WIT: &str = "package test:app; world app { export answer: func() -> u32; }";

    /// A core module with the world of [`WIT`] in it, as a bindings generator leaves it.
    fn module(wat: &str) -> Vec<u8> {
        let mut resolve = Resolve::default();
        let package = resolve.push_str("app.wit", WIT).unwrap();
        let world = resolve.select_world(&[package], None).unwrap();
        let mut module = wat::parse_str(wat).unwrap();
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false)
            .unwrap();
        module
    }

    fn pass(bytes: Vec<u8>, wants_component: bool) -> Result<Outcome> {
        let file = Path::new("app.wasm");
        let job = Job {
            wants_component,
            ..Job::new(file, Vec::new())
        };
        run(&job, Artifact::new(bytes, file)?)
    }

    /// Protects the run from modules that the encoder does not expect: an adapter is one itself.
    #[test]
    fn what_is_no_program_is_refused_with_words() {
        let adapters = [
            adapters::WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER,
            adapters::WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
            adapters::WASI_SNAPSHOT_PREVIEW1_PROXY_ADAPTER,
        ];
        for adapter in adapters {
            let refused = pass(adapter.to_vec(), true).err().unwrap().to_string();
            assert!(refused.starts_with("pass componentize: "), "{refused}");
        }
        let mut other = wat::parse_str(ANSWER).unwrap();
        let section = wasm_encoder::CustomSection {
            name: "component-type:other".into(),
            data: vec![0; 40].into(),
        };
        wasm_encoder::Section::append_to(&section, &mut other);
        assert!(pass(other, true).is_err());
    }

    const ANSWER: &str = "(module (func (export \"answer\") (result i32) (i32.const 42)))";

    #[test]
    fn a_module_with_its_world_becomes_a_component() {
        let made = pass(module(ANSWER), true).unwrap().artifact;
        assert_eq!(made.kind(), FileKind::Component);
        let text = wasmprinter::print_bytes(made.bytes()).unwrap();
        assert!(text.contains("(export (;1;) \"answer\""), "{text}");
        assert!(
            !text.contains("component-type"),
            "the world's section has done its work: {text}"
        );
        let again = pass(made.bytes().to_vec(), true).unwrap().artifact;
        assert_eq!(again, made, "a component stays as it is");
    }

    #[test]
    fn a_target_for_modules_gets_the_module() {
        let bytes = module(ANSWER);
        assert_eq!(pass(bytes.clone(), false).unwrap().artifact.bytes(), bytes);
    }

    const PREVIEW1: &str = r#"(import "wasi_snapshot_preview1" "sched_yield" (func (result i32)))
        (memory (export "memory") 1)"#;

    /// Protects programs linked with a C library of preview 1: with `_start` they run, and need no
    /// world.
    #[test]
    fn a_preview_1_command_gets_the_adapter() {
        let command = format!("(module {PREVIEW1} (func (export \"_start\") (drop (call 0))))");
        let outcome = pass(wat::parse_str(command).unwrap(), true).unwrap();
        assert_eq!(outcome.artifact.kind(), FileKind::Component);
        assert!(outcome.note.contains("commands"), "{}", outcome.note);
        let text = wasmprinter::print_bytes(outcome.artifact.bytes()).unwrap();
        assert!(text.contains("wasi:cli/run@0.2"), "{text}");
    }

    #[test]
    fn a_preview_1_library_gets_the_adapter_and_needs_its_world() {
        let library =
            format!("(module {PREVIEW1} (func (export \"answer\") (result i32) (call 0)))");
        let outcome = pass(module(&library), true).unwrap();
        assert!(outcome.note.contains("reactors"), "{}", outcome.note);
        let worldless = pass(wat::parse_str(library).unwrap(), true).err().unwrap();
        assert!(
            worldless
                .to_string()
                .contains("no `component-type` section"),
            "{worldless}"
        );
    }

    #[test]
    fn a_module_that_does_not_fit_is_refused() {
        let refused = |bytes| {
            pass(bytes, true)
                .err()
                .expect("it cannot be wrapped")
                .to_string()
        };
        let worldless = refused(wat::parse_str(ANSWER).unwrap());
        assert!(
            worldless.contains("no `component-type` section")
                && worldless.contains("wasm32-wasip1"),
            "{worldless}"
        );
        let silent = refused(module("(module)"));
        assert!(silent.contains("answer"), "{silent}");
        let foreign = refused(module(
            "(module (import \"env\" \"f\" (func)) (func (export \"answer\") (result i32) (i32.const 1)))",
        ));
        assert!(foreign.contains("env"), "{foreign}");
    }
}
