//! A TOML text whose every part knows its place.

use super::folder;
use crate::keys::Source;
use clawft_types::json::Writer;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What stands in the place of a member: `None` leaves it as it is, `Some(None)` leaves it out, and
/// `Some(Some(name))` puts the name of a key there. It is given the path of the table (without
/// numbers), the name of the member, and the number of the table in its list.
pub(super) type Instead<'a> = &'a dyn Fn(&str, &str, usize) -> Option<Option<String>>;

#[derive(Debug)]
pub(super) struct Document<'a> {
    text: &'a str,
    name: &'a str,
    root: Spanned<DeTable<'a>>,
}

impl<'a> Document<'a> {
    /// Parses `text` of the file `name`; an error has its place.
    pub(super) fn parse(text: &'a str, name: &'a str) -> Result<Self, String> {
        let root = DeTable::parse(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            format!("{}: {}", place(text, name, at), error.message().trim())
        })?;
        Ok(Document { text, name, root })
    }

    pub(super) fn table(&self) -> &DeTable<'a> {
        self.root.get_ref()
    }

    /// The items of `providers`, where that is a list.
    pub(super) fn providers(&self) -> &[Spanned<DeValue<'a>>] {
        let providers = self.table().get("providers");
        match providers.map(|providers| providers.get_ref()) {
            Some(DeValue::Array(items)) => items,
            _ => &[],
        }
    }

    /// `message` with the place of `span` before it.
    pub(super) fn at(&self, span: Range<usize>, message: &str) -> String {
        format!("{}: {message}", place(self.text, self.name, span.start))
    }

    fn expected(&self, value: &Spanned<DeValue<'_>>, what: &str) -> String {
        let kind = value.get_ref().type_str();
        self.at(value.span(), &format!("expected {what}, got {kind}"))
    }

    pub(super) fn text_of<'v>(
        &self,
        value: &'v Spanned<DeValue<'_>>,
        what: &str,
    ) -> Result<&'v str, String> {
        let text = value.get_ref().as_str().filter(|text| !text.is_empty());
        text.ok_or_else(|| self.expected(value, what))
    }

    pub(super) fn table_of<'v>(
        &self,
        value: &'v Spanned<DeValue<'a>>,
    ) -> Result<&'v DeTable<'a>, String> {
        let table = value.get_ref().as_table();
        table.ok_or_else(|| self.expected(value, "a table"))
    }

    /// Milliseconds, from 1 to a day.
    pub(super) fn time_of(&self, value: &Spanned<DeValue<'_>>) -> Result<u64, String> {
        let number = value.get_ref().as_integer();
        let number =
            number.and_then(|number| u64::from_str_radix(number.as_str(), number.radix()).ok());
        let number = number.filter(|number| (1..=86_400_000).contains(number));
        number.ok_or_else(|| self.expected(value, "milliseconds, from 1 to 86400000"))
    }

    /// Where the key of a provider comes from.
    pub(super) fn source(&self, provider: &DeTable<'a>) -> Result<Option<Source>, String> {
        let mut source = None;
        for (name, value) in provider.iter() {
            let found = match name.get_ref().as_ref() {
                "key_env" => Source::Env(self.text_of(value, "the name of a variable")?.to_owned()),
                "key_file" => Source::File(folder(self.text_of(value, "the path of a file")?)),
                "key_command" => Source::Command(self.words(value)?),
                _ => continue,
            };
            if source.is_some() {
                let message = "give one of key_env, key_file, key_command";
                return Err(self.at(name.span(), message));
            }
            source = Some(found);
        }
        Ok(source)
    }

    fn words(&self, value: &Spanned<DeValue<'_>>) -> Result<Vec<String>, String> {
        let what = "a program and its arguments, as a list of texts";
        let items = value.get_ref().as_array().filter(|items| !items.is_empty());
        let items = items.ok_or_else(|| self.expected(value, what))?;
        let words = items
            .iter()
            .map(|item| self.text_of(item, "a text").map(str::to_owned));
        words.collect()
    }

    /// What the core refuses, with the place in this file of what it names.
    pub(super) fn refused(&self, message: &str) -> String {
        let Some(path) = message.find("config").and_then(|at| message.get(at..)) else {
            return self.at(0..0, message);
        };
        let path = path.split(": ").next().unwrap_or(path);
        let span = self.span_of(path);
        self.at(span, &message.replacen("config.", "", 1))
    }

    /// The place of `config.providers[0].kind`, or of as much of it as there is.
    fn span_of(&self, path: &str) -> Range<usize> {
        let mut span = 0..0;
        let mut table = Some(self.table());
        for part in path.split('.').skip(1) {
            let (name, number) = match part.split_once('[') {
                Some((name, number)) => (name, number.trim_end_matches(']').parse().ok()),
                None => (part, None::<usize>),
            };
            let Some((key, value)) = table.and_then(|table| table.get_key_value(name)) else {
                return span;
            };
            span = key.span();
            let mut inner = value;
            if let (Some(number), DeValue::Array(items)) = (number, value.get_ref()) {
                let Some(item) = items.get(number) else {
                    return span;
                };
                (span, inner) = (item.span(), item);
            }
            table = inner.get_ref().as_table();
        }
        span
    }

    /// `table` as JSON.
    pub(super) fn json(&self, table: &DeTable<'_>, instead: Instead<'_>) -> Result<String, String> {
        let mut out = Writer::new();
        self.write_table(&mut out, table, "", 0, instead)?;
        Ok(out.finish())
    }

    fn write_table(
        &self,
        out: &mut Writer,
        table: &DeTable<'_>,
        path: &str,
        number: usize,
        instead: Instead<'_>,
    ) -> Result<(), String> {
        out.open("{");
        for (key, value) in table.iter() {
            let name = key.get_ref().as_ref();
            match instead(path, name, number) {
                Some(None) => {}
                Some(Some(credential)) => out.string_member("credential", &credential),
                None => {
                    out.key(name);
                    let inner = if path.is_empty() { name } else { "" };
                    self.write(out, value, inner, number, instead)?;
                }
            }
        }
        out.close("}");
        Ok(())
    }

    fn write(
        &self,
        out: &mut Writer,
        value: &Spanned<DeValue<'_>>,
        path: &str,
        number: usize,
        instead: Instead<'_>,
    ) -> Result<(), String> {
        match value.get_ref() {
            DeValue::String(text) => out.string(text),
            DeValue::Boolean(given) => out.bool(*given),
            DeValue::Integer(given) => {
                let whole = i64::from_str_radix(given.as_str(), given.radix());
                let whole = whole.map_err(|_| self.expected(value, "a number of 64 bits"))?;
                out.raw(&whole.to_string());
            }
            DeValue::Float(given) => match given.as_str().parse::<f64>() {
                Ok(float) if float.is_finite() => out.raw(&float.to_string()),
                _ => return Err(self.expected(value, "a number")),
            },
            DeValue::Datetime(_) => return Err(self.expected(value, "a text or a number")),
            DeValue::Array(items) => {
                out.open("[");
                for (position, item) in items.iter().enumerate() {
                    let number = if path.is_empty() { number } else { position };
                    self.write(out, item, path, number, instead)?;
                }
                out.close("]");
            }
            // A table inside a table of a list is nobody's but the core's.
            DeValue::Table(table) => self.write_table(out, table, inside(path), number, instead)?,
        }
        Ok(())
    }
}

/// The path that a table's members are told by: one below the top has a name of its own.
fn inside(path: &str) -> &str {
    if path.is_empty() { "-" } else { path }
}

/// `name:line:column` of the byte `at`, both from 1, columns in characters.
fn place(text: &str, name: &str, at: usize) -> String {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .unwrap_or_default()
        .chars()
        .count()
        + 1;
    format!("{name}:{line}:{column}")
}
