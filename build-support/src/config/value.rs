//! A TOML value with the path of keys that leads to it, and what it can be taken for. What it cannot is
//! a mistake at its place in the file.

use super::mistakes::{Mistake, Mistakes, code, suggestion};
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A value, its place, and the dotted path of its key.
#[derive(Clone)]
pub(super) struct Value<'t> {
    pub(super) value: &'t Spanned<DeValue<'t>>,
    pub(super) path: String,
}

/// A table and the dotted path of its key.
#[derive(Clone)]
pub(super) struct Table<'t> {
    pub(super) entries: &'t DeTable<'t>,
    pub(super) path: String,
}

impl<'t> Table<'t> {
    /// The entries whose keys are in `known`; every other key is a mistake.
    pub(super) fn known(
        &self,
        known: &[&'static str],
        mistakes: &mut Mistakes<'_>,
    ) -> Vec<(&'static str, Value<'t>)> {
        let mut found = Vec::new();
        for (key, value) in self.entries {
            match known.iter().find(|&name| key.get_ref() == name) {
                Some(&name) => found.push((
                    name,
                    Value {
                        value,
                        path: format!("{}.{name}", self.path),
                    },
                )),
                None => {
                    let message = format!("unknown key `{}` in `{}`", key.get_ref(), self.path);
                    mistakes
                        .add(code::UNKNOWN_KEY, key.span(), message)
                        .label("not a key of this table")
                        .help(suggestion(key.get_ref(), known, "keys here"));
                }
            }
        }
        found
    }
}

impl<'t> Value<'t> {
    pub(super) fn span(&self) -> Range<usize> {
        self.value.span()
    }

    pub(super) fn table(&self, mistakes: &mut Mistakes<'_>) -> Option<Table<'t>> {
        let entries = self.value.get_ref().as_table();
        if entries.is_none() {
            let wrong = self.wrong_type("a table", mistakes);
            wrong.help(format!("write a table: [{}]", self.path));
        }
        Some(Table {
            entries: entries?,
            path: self.path.clone(),
        })
    }

    pub(super) fn boolean(&self, mistakes: &mut Mistakes<'_>) -> Option<bool> {
        let value = self.value.get_ref().as_bool();
        if value.is_none() {
            self.wrong_type("true or false", mistakes);
        }
        value
    }

    pub(super) fn string(&self, mistakes: &mut Mistakes<'_>) -> Option<&'t str> {
        let value = self.value.get_ref().as_str();
        if value.is_none() {
            self.wrong_type("a string", mistakes);
        }
        value
    }

    /// The strings of an array; what is no string is a mistake and left out, and so is one said twice.
    pub(super) fn strings(&self, mistakes: &mut Mistakes<'_>) -> Vec<Spanned<String>> {
        let Some(array) = self.value.get_ref().as_array() else {
            let wrong = self.wrong_type("an array of strings", mistakes);
            wrong.help(format!("write {} = [\"…\"]", self.key()));
            return Vec::new();
        };
        let mut found: Vec<Spanned<String>> = Vec::new();
        for (i, value) in array.iter().enumerate() {
            let element = Value {
                value,
                path: format!("{}[{i}]", self.path),
            };
            let Some(text) = element.string(mistakes) else {
                continue;
            };
            if found.iter().any(|earlier| earlier.get_ref() == text) {
                let message = format!("`{text}` is in `{}` twice", self.path);
                mistakes
                    .add(code::CONFLICT, value.span(), message)
                    .label("again here")
                    .help("remove one");
                continue;
            }
            found.push(Spanned::new(value.span(), text.to_owned()));
        }
        found
    }

    /// The key alone, without the path to it.
    pub(super) fn key(&self) -> &str {
        self.path.rsplit('.').next().unwrap_or_default()
    }

    /// Says that `expected` should stand here.
    pub(super) fn wrong_type<'m>(
        &self,
        expected: &str,
        mistakes: &'m mut Mistakes<'_>,
    ) -> Mistake<'m> {
        let message = format!("`{}` must be {expected}", self.path);
        let found = match self.value.get_ref() {
            DeValue::Array(_) => "an array",
            DeValue::Table(_) => "a table",
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "an integer",
            DeValue::Float(_) => "a number with a fraction",
            DeValue::Boolean(_) => "a boolean",
            DeValue::Datetime(_) => "a date",
        };
        mistakes
            .add(code::WRONG_TYPE, self.span(), message)
            .label(format!("this is {found}"))
    }
}
