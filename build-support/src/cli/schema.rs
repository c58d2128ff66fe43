//! `schema`: what editors want to know of `[package.metadata.budget]`.

use crate::cli::ended::Ended;
use crate::system::streams;
use clap::Args;
use std::io::Write as _;

/// The schema (JSON Schema, draft 7) of a Cargo.toml with a budget; a test holds it against what is
/// read.
pub const SCHEMA: &str = include_str!("../../schema/budget.json");

/// Print the JSON schema of [package.metadata.budget], for editors
#[derive(Args)]
#[command(after_help = "\
Even Better TOML and taplo complete and check the budget with a `.taplo.toml` beside the manifest:
  [[rule]]
  include = [\"**/Cargo.toml\"]
  schema.path = \"budget.json\"
Examples:
  build-support schema > budget.json")]
pub struct Opts {}

/// Runs the subcommand.
pub fn run(_: &Opts) -> anyhow::Result<Ended> {
    let mut stdout = streams::stdout();
    stdout.write_all(SCHEMA.as_bytes())?;
    stdout.flush()?;
    Ok(Ended::Well)
}

#[cfg(test)]
mod tests {
    use super::SCHEMA;
    use crate::config;
    use crate::error::Error;
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
        let schema: Value = serde_json::from_str(SCHEMA).unwrap();
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
            (".graph", &budget["graph"]["properties"]),
        ] {
            let known: BTreeSet<_> = properties.as_object().unwrap().keys().cloned().collect();
            assert_eq!(known, read(table), "{table}");
        }
    }
}
