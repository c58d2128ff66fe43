//! `schema`: what editors and other programs want to know of the files.

use crate::cli::ended::Ended;
use crate::system::streams;
use clap::{Args, ValueEnum};
use std::io::Write as _;

/// The schema (JSON Schema, draft 7) of a Cargo.toml with a budget; a test holds it against what is
/// read.
const BUDGET: &str = include_str!("../../schema/budget.json");
/// The schema (JSON Schema, 2020-12) of report.json, made of the types by a test.
const REPORT: &str = include_str!("../../schema/report.json");
/// The same of baseline.json.
const BASELINE: &str = include_str!("../../schema/baseline.json");

/// Print the JSON schema of the manifest's budget, of report.json or of baseline.json
#[derive(Args)]
#[command(after_help = "\
Even Better TOML and taplo complete and check the budget with a `.taplo.toml` beside the manifest:
  [[rule]]
  include = [\"**/Cargo.toml\"]
  schema.path = \"budget.json\"
Examples:
  build-support schema > budget.json
  build-support schema report > report.schema.json")]
pub struct Opts {
    /// Of what
    #[arg(value_enum, default_value_t = Of::Budget)]
    of: Of,
}

/// What there is a schema of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Of {
    /// `[package.metadata.budget]` in Cargo.toml
    Budget,
    /// report.json, which every build writes
    Report,
    /// baseline.json
    Baseline,
}

/// Runs the subcommand.
pub fn run(opts: &Opts) -> anyhow::Result<Ended> {
    let text = match opts.of {
        Of::Budget => BUDGET,
        Of::Report => REPORT,
        Of::Baseline => BASELINE,
    };
    let mut stdout = streams::stdout();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()?;
    Ok(Ended::Well)
}

#[cfg(test)]
mod tests {
    use super::{BASELINE, BUDGET, REPORT};
    use crate::baseline::file;
    use crate::config;
    use crate::error::Error;
    use crate::report::Report;
    use serde_json::Value;
    use std::collections::BTreeSet;
    use std::path::Path;

    /// The keys that a table may have, as the reader says it where one is wrong.
    fn read(table: &str) -> BTreeSet<String> {
        let manifest = format!(
            "[package]\nname = \"app\"\n[package.metadata.budget{table}]\nqqqqqqqqqqqqqqqqqqqqqqqqqqqq = 1\n"
        );
        let error = config::parse(Path::new("Cargo.toml"), &manifest, "wasm32-wasip1").unwrap_err();
        let Error::Config(mistakes) = error else {
            panic!("{error}");
        };
        let help = mistakes[0].help.join(" ");
        let names = help.split('`').skip(1).step_by(2);
        names.map(str::to_owned).collect()
    }

    /// Protects editors: they offer what is read, and nothing else.
    #[test]
    fn the_schema_has_the_keys_that_are_read() {
        let schema: Value = serde_json::from_str(BUDGET).unwrap();
        let budget = &schema["definitions"]["budget"]["properties"];
        let limits = &schema["definitions"]["limits"]["properties"];
        for (table, properties) in [
            ("", budget),
            (".limits", limits),
            (".target.wasm32-wasip1.limits", limits),
            (".files.a", limits),
            (".sum", &budget["sum"]["properties"]),
            (".ratchet", &budget["ratchet"]["properties"]),
            (".snip", &budget["snip"]["properties"]),
            (".sweep", &budget["sweep"]["properties"]),
            (".compact", &budget["compact"]["properties"]),
            (".wasm-bindgen", &budget["wasm-bindgen"]["properties"]),
            (".graph", &budget["graph"]["properties"]),
        ] {
            let known: BTreeSet<_> = properties.as_object().unwrap().keys().cloned().collect();
            assert_eq!(known, read(table), "{table}");
        }
    }

    /// Protects programs that read our files: the schemas say what the types do. `BLESS=1` writes
    /// them anew.
    #[test]
    fn the_schemas_are_those_of_the_types() {
        for (name, text, schema) in [
            ("report", REPORT, schemars::schema_for!(Report)),
            ("baseline", BASELINE, file::json_schema()),
        ] {
            let made = serde_json::to_string_pretty(&schema).unwrap() + "\n";
            if std::env::var_os("BLESS").is_some() {
                let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema");
                std::fs::write(folder.join(format!("{name}.json")), &made).unwrap();
            } else {
                assert!(made == text, "{name}: BLESS=1 writes it anew");
            }
        }
    }

    /// Protects them against saying too little: each field of this repository's own baseline has
    /// its place, and each that is required is there.
    #[test]
    fn the_baseline_of_this_repository_is_one() {
        let schema: Value = serde_json::from_str(BASELINE).unwrap();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(folder.join("../baseline.json")).unwrap();
        let value: Value = serde_json::from_str(&text).unwrap();
        let mut seen = 0;
        conforms(&schema, &schema, &value, "baseline.json", &mut seen);
        assert!(seen > 20, "{seen} objects");
    }

    /// Holds `value`'s objects against `schema`'s properties; `seen` counts them.
    fn conforms(root: &Value, schema: &Value, value: &Value, at: &str, seen: &mut usize) {
        let schema = match schema["$ref"].as_str() {
            Some(name) => root.pointer(name.trim_start_matches('#')).unwrap(),
            None => schema,
        };
        match value {
            Value::Array(all) => {
                for (index, value) in all.iter().enumerate() {
                    conforms(
                        root,
                        &schema["items"],
                        value,
                        &format!("{at}[{index}]"),
                        seen,
                    );
                }
            }
            Value::Object(fields) if schema.get("properties").is_some() => {
                *seen += 1;
                let properties = &schema["properties"];
                for (key, value) in fields {
                    let property = properties.get(key);
                    let property = property.unwrap_or_else(|| panic!("{at}.{key} is unknown"));
                    conforms(root, property, value, &format!("{at}.{key}"), seen);
                }
                for key in schema["required"].as_array().into_iter().flatten() {
                    let key = key.as_str().unwrap();
                    assert!(fields.contains_key(key), "{at} lacks {key}");
                }
            }
            Value::Object(fields) => {
                for (key, value) in fields {
                    let each = &schema["additionalProperties"];
                    conforms(root, each, value, &format!("{at}.{key}"), seen);
                }
            }
            _ => {}
        }
    }
}
