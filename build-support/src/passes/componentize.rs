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
