//! What the agent can do, as one JSON object; also before it is configured.

use clawft_types::Config;
use clawft_types::json::Writer;
use core_alloc::string::String;

use super::intent::Intent;
use super::state::Agent;
use super::tools::{Allowed, Offered};

/// Describes `agent`, or an unconfigured one.
pub fn json(agent: Option<&Agent>) -> String {
    let default;
    let config = match agent {
        Some(agent) => &agent.config,
        None => {
            default = Config::default();
            &default
        }
    };
    let mut out = Writer::new();
    out.open(concat!(
        r#"{"name":"clawft","version":""#,
        env!("CARGO_PKG_VERSION"),
        r#"","initialized":"#
    ));
    out.bool(agent.is_some());
    out.bool_member(
        "file_system",
        agent.is_some_and(|agent| agent.workspace.is_there()),
    );
    out.unsigned_member(
        "sessions",
        agent.map_or(0, |agent| agent.sessions.count() as u64),
    );
    out.string_member("model", &config.model);
    out.open(r#""provider_kinds":["offline","openai","anthropic"],"intents":["#);
    for intent in Intent::ALL {
        out.string(intent.as_str());
    }
    out.close("]");
    out.open(r#""limits":{"#);
    config.limits.write(&mut out);
    out.close(r#"},"tools":["#);
    Allowed::by(config).each(false, &mut |offered| tool(offered, "parameters", &mut out));
    out.close("]}");
    out.finish()
}

/// Name, description and JSON schema of a tool, as providers take them, who call the schema one
/// thing or another.
pub fn tool(offered: Offered<'_>, schema: &str, out: &mut Writer) {
    let (name, description) = match offered {
        Offered::Own(spec) => (spec.name, spec.description),
        Offered::Host(tool) => (tool.name.as_str(), tool.description.as_str()),
    };
    out.open("{");
    out.string_member("name", name);
    out.string_member("description", description);
    out.key(schema);
    let spec = match offered {
        Offered::Own(spec) => spec,
        Offered::Host(tool) => {
            out.raw(&tool.parameters);
            out.close("}");
            return;
        }
    };
    out.open(r#"{"type":"object","properties":{"#);
    for parameter in spec.parameters {
        out.key(parameter.name);
        out.open(r#"{"type":"string""#);
        out.string_member("description", parameter.description);
        out.close("}");
    }
    out.close(r#"},"required":["#);
    for parameter in spec
        .parameters
        .iter()
        .filter(|parameter| parameter.required)
    {
        out.string(parameter.name);
    }
    out.close("]}}");
}
