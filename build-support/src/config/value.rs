//! A TOML value with the path of keys that leads to it, and what it can be taken for. What it
//! cannot is a mistake at its place in the file.

use super::mistakes::{Mistake, Mistakes, code, suggestion};
use std::ops::Range;
use toml::Spanned;
use toml::de::DeValue;

/// A value, its place, and the dotted path of its key.
pub(super) struct Value<'t> {
    pub(super) value: &'t DeValue<'t>,
    pub(super) span: Range<usize>,
    pub(super) path: String,
    pub(super) mistakes: &'t Mistakes<'t>,
}

/// A key, or one of a list's strings, and its place.
pub(super) struct Name<'t> {
    pub(super) text: &'t str,
    span: Range<usize>,
    mistakes: &'t Mistakes<'t>,
}

impl<'t> Name<'t> {
    /// Adds a mistake at its place.
    pub(super) fn mistake(&self, code: &'static str, message: impl Into<String>) -> Mistake<'t> {
        self.mistakes.add(code, self.span.clone(), message)
    }
}

impl<'t> Value<'t> {
    pub(super) fn new(
        value: &'t Spanned<DeValue<'t>>,
        path: String,
        mistakes: &'t Mistakes<'t>,
    ) -> Self {
        Self {
            value: value.get_ref(),
            span: value.span(),
            path,
            mistakes,
        }
    }

    /// Adds a mistake at its place.
    pub(super) fn mistake(&self, code: &'static str, message: impl Into<String>) -> Mistake<'t> {
        self.mistakes.add(code, self.span.clone(), message)
    }

    /// What a table has, by key; nothing where it is none, which is a mistake.
    pub(super) fn entries(&self) -> Vec<(Name<'t>, Value<'t>)> {
        let Some(table) = self.value.as_table() else {
            let wrong = self.wrong_type("a table");
            wrong.help(format!("write a table: [{}]", self.path));
            return Vec::new();
        };
        let mut found = Vec::new();
        for (key, value) in table {
            let text: &'t str = key.get_ref();
            let path = format!("{}.{text}", self.path);
            let value = Value::new(value, path, self.mistakes);
            found.push((self.name(text, key.span()), value));
        }
        found
    }

    /// The entries of a table whose keys are in `known`; every other key is a mistake.
    pub(super) fn known(&self, known: &[&str]) -> Vec<(&'t str, Value<'t>)> {
        let mut found = Vec::new();
        for (key, value) in self.entries() {
            if known.contains(&key.text) {
                found.push((key.text, value));
                continue;
            }
            let message = format!("unknown key `{}` in `{}`", key.text, self.path);
            key.mistake(code::UNKNOWN_KEY, message)
                .label("not a key of this table")
                .help(suggestion(key.text, known, "keys here"));
        }
        found
    }

    /// Sets `into`.
    pub(super) fn boolean(&self, into: &mut bool) {
        match self.value.as_bool() {
            Some(value) => *into = value,
            None => drop(self.wrong_type("true or false")),
        }
    }

    pub(super) fn string(&self) -> Option<&'t str> {
        let value = self.value.as_str();
        if value.is_none() {
            self.wrong_type("a string");
        }
        value
    }

    /// The values of an array; none where it is no array.
    pub(super) fn elements(&self) -> Option<Vec<Value<'t>>> {
        let elements = self.value.as_array()?.iter().enumerate();
        let element = |(i, value)| Value::new(value, format!("{}[{i}]", self.path), self.mistakes);
        Some(elements.map(element).collect())
    }

    /// The strings of an array; what is no string is a mistake and left out, and so is one said
    /// twice.
    pub(super) fn strings(&self) -> Vec<Name<'t>> {
        let Some(elements) = self.elements() else {
            let wrong = self.wrong_type("an array of strings");
            wrong.help(format!("write {} = [\"…\"]", self.key()));
            return Vec::new();
        };
        let mut found: Vec<Name<'t>> = Vec::new();
        for element in elements {
            let Some(text) = element.string() else {
                continue;
            };
            if found.iter().any(|earlier| earlier.text == text) {
                let message = format!("`{text}` is in `{}` twice", self.path);
                let twice = element.mistake(code::CONFLICT, message);
                twice.label("again here").help("remove one");
                continue;
            }
            found.push(self.name(text, element.span));
        }
        found
    }

    fn name(&self, text: &'t str, span: Range<usize>) -> Name<'t> {
        Name {
            text,
            span,
            mistakes: self.mistakes,
        }
    }

    /// The key alone, without the path to it.
    pub(super) fn key(&self) -> &str {
        self.path.rsplit('.').next().unwrap_or_default()
    }

    /// Says that `expected` should stand here.
    pub(super) fn wrong_type(&self, expected: &str) -> Mistake<'t> {
        let found = match self.value {
            DeValue::Array(_) => "an array",
            DeValue::Table(_) => "a table",
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "an integer",
            DeValue::Float(_) => "a number with a fraction",
            DeValue::Boolean(_) => "a boolean",
            DeValue::Datetime(_) => "a date",
        };
        let message = format!("`{}` must be {expected}", self.path);
        let mistake = self.mistake(code::WRONG_TYPE, message);
        mistake.label(format!("this is {found}"))
    }
}
