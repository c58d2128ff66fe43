//! Makes the component from a core module that carries its WIT world (`component-type:*` sections), after
//! which those sections have done their work.

use crate::artifact::Artifact;
use crate::error::{Error, Result};
use crate::passes::strip;
use crate::pipeline::{Job, Outcome};
use crate::report::Kind;
use wasmparser::{Parser, Payload};
use wit_component::ComponentEncoder;

const PASS: &str = "componentize";
/// Where bindings generators leave the world (wit-component, `metadata`).
const WORLD_SECTION: &str = "component-type";

/// Wraps the module where the target wants components; a module for other targets stays one.
///
/// # Errors
/// [`Error::Pass`] where the target wants a component and the module has no world, or does not fit it.
pub fn run(job: &Job<'_>, artifact: Artifact) -> Result<Outcome> {
    if artifact.kind() == Kind::Component {
        return Ok(Outcome::unchanged(artifact, "is a component already"));
    }
    if !job.wants_component {
        return Ok(Outcome::unchanged(
            artifact,
            "this target ships core modules",
        ));
    }
    if !has_world(artifact.bytes()) {
        return Err(Error::Pass {
            pass: PASS,
            message: format!(
                "the module has no `{WORLD_SECTION}` section, so nothing says what it exports; \
                 bind a WIT world (wit-bindgen) or build for wasm32-wasip1"
            ),
        });
    }
    let failed = |error: anyhow::Error| Error::Pass {
        pass: PASS,
        message: format!("{error:#}"),
    };
    let component = ComponentEncoder::default()
        .validate(true)
        .module(artifact.bytes())
        .and_then(|encoder| encoder.encode())
        .map_err(failed)?;
    let component = Artifact::from_pass(component, PASS)?;
    let stripped = strip::run(job, component)?;
    Ok(Outcome::new(
        stripped.artifact,
        "core module + its WIT world",
    ))
}

/// Whether a core module carries a WIT world.
pub fn has_world(module: &[u8]) -> bool {
    Parser::new(0).parse_all(module).any(|payload| {
        matches!(payload, Ok(Payload::CustomSection(section)) if section.name().starts_with(WORLD_SECTION))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
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
        let config = Config::without_package("app");
        let job = Job {
            config: &config,
            file,
            plans: Vec::new(),
            wants_component,
            second_optimizer: None,
        };
        run(&job, Artifact::new(bytes, file)?)
    }

    const ANSWER: &str = "(module (func (export \"answer\") (result i32) (i32.const 42)))";

    #[test]
    fn a_module_with_its_world_becomes_a_component() {
        let made = pass(module(ANSWER), true).unwrap().artifact;
        assert_eq!(made.kind(), Kind::Component);
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
