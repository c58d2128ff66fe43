//! Limits on the command line: read as those of a manifest are, so that keys, units and mistakes
//! are the same, and pointed at where they were given.

use crate::config::{self, Config, Limit, Limits};
use crate::diagnostic::Diagnostic;
use crate::error::Error;
use std::ops::Range;
use std::path::Path;

/// An argument: where it stands in the manifest it is read from, and on the command line.
struct Place {
    manifest: Range<usize>,
    given: Range<usize>,
}

/// The configuration of a file called `label`, with `limits` on each file and `sums` on all of them
/// together.
///
/// # Errors
/// [`Error::Config`] with every mistake, at its argument.
pub fn read(label: &str, limits: &[String], sums: &[String]) -> anyhow::Result<Config> {
    let mut manifest = "[package]\nname = \"file\"\n".to_owned();
    let mut given = String::new();
    let mut places = Vec::new();
    let tables = [("--limit", "limits", limits), ("--sum", "sum", sums)];
    for (option, table, all) in tables {
        manifest.push_str(&format!("[package.metadata.budget.{table}]\n"));
        for limit in all {
            let line = line(option, limit)?;
            let start = given.len() + option.len() + 1;
            places.push(Place {
                manifest: manifest.len()..manifest.len() + line.len() + 1,
                given: start..start + limit.len(),
            });
            given.push_str(&format!("{option} {limit} "));
            manifest.push_str(&line);
            manifest.push('\n');
        }
    }
    let given = given.trim_end();
    let place = |span: &Range<usize>| {
        let holds = |place: &&Place| place.manifest.contains(&span.start);
        let found = places.iter().find(holds);
        found.map_or(0..given.len(), |place| place.given.clone())
    };
    let config = config::parse(Path::new(Config::COMMAND_LINE), &manifest, "unknown");
    let mut config = config.map_err(|error| match error {
        Error::Config(mistakes) => {
            let moved = mistakes.into_iter().map(|mistake| Diagnostic {
                span: place(&mistake.span),
                source: given.to_owned(),
                ..mistake
            });
            Error::Config(moved.collect())
        }
        other => other,
    })?;
    for limits in [&mut config.limits, &mut config.files.sum] {
        let mut moved = Limits::default();
        for limit in limits.iter() {
            moved.set(Limit {
                span: place(&limit.span),
                ..limit.clone()
            });
        }
        *limits = moved;
    }
    given.clone_into(&mut config.source);
    label.clone_into(&mut config.package);
    Ok(config)
}

/// What the limit would be in a manifest.
fn line(option: &str, limit: &str) -> anyhow::Result<String> {
    let split = limit.split_once('=');
    let split = split.map(|(key, size)| (key.trim(), size.trim()));
    let in_key = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let split = split.filter(|(key, _)| !key.is_empty() && key.chars().all(in_key));
    let Some((key, size)) = split else {
        anyhow::bail!(
            "`{limit}` is no limit\n  help: write it as in the manifest: {option} raw=60KiB"
        );
    };
    let is_number = !size.is_empty() && size.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    let size = if is_number {
        size.to_owned()
    } else {
        toml::Value::String(size.to_owned()).to_string()
    };
    Ok(format!("{key} = {size}"))
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::error::Error;

    /// Protects whoever mistypes a limit: what is pointed at is what was typed.
    #[test]
    fn limits_are_where_they_were_given() {
        let limits = ["raw=60KiB".to_owned(), "gzip=7".to_owned()];
        let config = read("app", &limits, &["raw = 1 MB".to_owned()]).unwrap();
        let at = |limits: &crate::config::Limits| -> Vec<String> {
            let spans = limits.iter().map(|limit| limit.span.clone());
            spans.map(|span| config.source[span].to_owned()).collect()
        };
        assert_eq!(
            config.source,
            "--limit raw=60KiB --limit gzip=7 --sum raw = 1 MB"
        );
        assert_eq!(at(&config.limits), ["raw=60KiB", "gzip=7"]);
        assert_eq!(at(&config.files.sum), ["raw = 1 MB"]);
        let limits = ["raw=1".to_owned(), "gzip=60 KeB".to_owned()];
        let error = read("app", &limits, &[]).unwrap_err();
        let Some(Error::Config(mistakes)) = error.downcast_ref() else {
            panic!("{error}");
        };
        assert_eq!(mistakes.len(), 1);
        assert_eq!(mistakes[0].source[mistakes[0].span.clone()], *"gzip=60 KeB");
    }
}
