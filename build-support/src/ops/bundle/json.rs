//! A JSON value with the path of keys that leads to it, and what it can be taken for. What it
//! cannot is a mistake at its place in the file.

use crate::config::mistakes::{Mistake, Mistakes, code, suggestion};
use crate::size;
use jsonc_parser::ast::{ObjectProp, Value};
use jsonc_parser::common::Ranged as _;
use jsonc_parser::{CollectOptions, ParseOptions, ParseResult};
use std::ops::{Range, RangeInclusive};

/// JSON and nothing more.
const STRICT: ParseOptions = ParseOptions {
    allow_comments: false,
    allow_loose_object_property_names: false,
    allow_trailing_commas: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

/// The value that `source` is; none where it is no JSON, which is a mistake.
pub(super) fn parse<'t>(source: &'t str, mistakes: &Mistakes<'_>) -> Option<Value<'t>> {
    let parsed = jsonc_parser::parse_to_ast(source, &CollectOptions::default(), &STRICT);
    match parsed {
        Ok(ParseResult {
            value: Some(value), ..
        }) => Some(value),
        Ok(_) => {
            mistakes.add(code::SYNTAX, 0..0, "the manifest is empty");
            None
        }
        Err(error) => {
            let range = error.range();
            let why = error.kind().to_string().to_lowercase();
            let message = format!("the manifest is not valid JSON: {why}");
            mistakes.add(code::SYNTAX, range.start..range.end, message);
            None
        }
    }
}

/// A value, and the dotted path of its key.
pub(super) struct Node<'t> {
    value: &'t Value<'t>,
    /// The path to it.
    pub path: String,
    mistakes: &'t Mistakes<'t>,
}

/// A key, and its place.
pub(super) struct Key<'t> {
    /// The key.
    pub text: &'t str,
    /// Where it stands, quotes included.
    pub span: Range<usize>,
    mistakes: &'t Mistakes<'t>,
}

impl<'t> Key<'t> {
    /// Adds a mistake at its place.
    pub fn mistake(&self, code: &'static str, message: impl Into<String>) -> Mistake<'t> {
        self.mistakes.add(code, self.span.clone(), message)
    }
}

impl<'t> Node<'t> {
    /// The whole of a file.
    pub fn root(value: &'t Value<'t>, mistakes: &'t Mistakes<'t>) -> Self {
        let path = "the manifest".to_owned();
        Self {
            value,
            path,
            mistakes,
        }
    }

    fn at(&self, value: &'t Value<'t>, path: String) -> Self {
        Self {
            value,
            path,
            mistakes: self.mistakes,
        }
    }

    /// Where it stands.
    pub fn span(&self) -> Range<usize> {
        self.value.start()..self.value.end()
    }

    /// Adds a mistake at its place.
    pub fn mistake(&self, code: &'static str, message: impl Into<String>) -> Mistake<'t> {
        self.mistakes.add(code, self.span(), message)
    }

    /// Adds one of two values that contradict each other, at `span`.
    pub fn at_span(&self, span: Range<usize>, message: String) -> Mistake<'t> {
        self.mistakes.add(code::CONFLICT, span, message)
    }

    /// Whether it is an object.
    pub fn is_object(&self) -> bool {
        matches!(self.value, Value::Object(_))
    }

    /// Whether it is an array with nothing in it.
    pub fn is_empty_array(&self) -> bool {
        matches!(self.value, Value::Array(array) if array.elements.is_empty())
    }

    /// What an object has, by key in its order; nothing where it is none, which is a mistake. A key
    /// that is there twice is one, too.
    pub fn entries(&self) -> Vec<(Key<'t>, Node<'t>)> {
        let Value::Object(object) = self.value else {
            self.wrong_type("an object");
            return Vec::new();
        };
        let mut found: Vec<(Key<'t>, Node<'t>)> = Vec::new();
        for property in &object.properties {
            let (key, node) = self.entry(property);
            if found.iter().any(|(earlier, _)| earlier.text == key.text) {
                let message = format!("`{}` is in `{}` twice", key.text, self.path);
                let twice = key.mistake(code::CONFLICT, message);
                twice.label("again here").help("remove one");
                continue;
            }
            found.push((key, node));
        }
        found
    }

    fn entry(&self, property: &'t ObjectProp<'t>) -> (Key<'t>, Node<'t>) {
        let text = property.name.as_str();
        let path = match self.path.as_str() {
            "the manifest" => text.to_owned(),
            path => format!("{path}.{text}"),
        };
        let key = Key {
            text,
            span: property.name.start()..property.name.end(),
            mistakes: self.mistakes,
        };
        (key, self.at(&property.value, path))
    }

    /// The entries of an object whose keys are in `known`; every other key is a mistake.
    pub fn known(&self, known: &[&str]) -> Vec<(Key<'t>, Node<'t>)> {
        let mut found = Vec::new();
        for (key, node) in self.entries() {
            if known.contains(&key.text) {
                found.push((key, node));
                continue;
            }
            let message = format!("unknown key `{}` in `{}`", key.text, self.path);
            key.mistake(code::UNKNOWN_KEY, message)
                .label("not a key of this object")
                .help(suggestion(key.text, known, "keys here"));
        }
        found
    }

    /// True or false; false where it is neither.
    pub fn boolean(&self) -> bool {
        match self.value {
            Value::BooleanLit(value) => value.value,
            _ => {
                self.wrong_type("true or false");
                false
            }
        }
    }

    /// A string that is not empty.
    pub fn string(&self) -> Option<&'t str> {
        let Value::StringLit(text) = self.value else {
            self.wrong_type("a string");
            return None;
        };
        if text.value.trim().is_empty() {
            let message = format!("`{}` is empty", self.path);
            self.mistake(code::BAD_NAME, message);
            return None;
        }
        Some(&text.value)
    }

    /// The values of an array; none where it is no array.
    pub fn elements(&self) -> Vec<Node<'t>> {
        let Value::Array(array) = self.value else {
            self.wrong_type("an array");
            return Vec::new();
        };
        let elements = array.elements.iter().enumerate();
        let element = |(i, value)| self.at(value, format!("{}[{i}]", self.path));
        elements.map(element).collect()
    }

    /// The strings of an array that `is_good` has nothing against; one said twice is a mistake.
    pub fn strings(&self, mut judge: impl FnMut(&Node<'t>, &'t str) -> bool) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for element in self.elements() {
            let Some(text) = element.string() else {
                continue;
            };
            if found.iter().any(|earlier| earlier == text) {
                let message = format!("`{text}` is in `{}` twice", self.path);
                let twice = element.mistake(code::CONFLICT, message);
                twice.label("again here").help("remove one");
            } else if judge(&element, text) {
                found.push(text.to_owned());
            }
        }
        found
    }

    /// A whole number within `range`; `why` says what the range is for.
    pub fn whole(&self, range: RangeInclusive<u64>, why: &str) -> Option<u64> {
        let Value::NumberLit(number) = self.value else {
            self.wrong_type("a whole number");
            return None;
        };
        let value = number.value.parse::<u64>().ok();
        let value = value.filter(|value| range.contains(value));
        if value.is_none() {
            let message = format!("`{}` is {}", self.path, number.value);
            let (least, most) = (size::bytes(*range.start()), size::bytes(*range.end()));
            self.mistake(code::BAD_COUNT, message)
                .label(why)
                .help(format!("write a whole number from {least} to {most}"));
        }
        value
    }

    /// A size of at most `most` bytes: a whole number, or a string with a unit.
    pub fn size(&self, most: u64) -> Option<u64> {
        let text = match self.value {
            Value::NumberLit(number) => format!("{} B", number.value),
            Value::StringLit(text) => text.value.to_string(),
            _ => {
                self.wrong_type("a size");
                return None;
            }
        };
        let (message, help) = match size::parse(&text) {
            Ok(size) if size <= most => return Some(size),
            Ok(_) => (
                "size is too large".to_owned(),
                format!("at most {} bytes", size::bytes(most)),
            ),
            Err(wrong) => (wrong.message, wrong.help),
        };
        let message = format!("`{}`: {message}", self.path);
        self.mistake(code::BAD_SIZE, message).help(help);
        None
    }

    /// An object as it is, for somebody else to read.
    pub fn object(&self, source: &str) -> Option<serde_json::Value> {
        if !matches!(self.value, Value::Object(_)) {
            self.wrong_type("an object");
            return None;
        }
        match serde_json::from_str(source.get(self.span())?) {
            Ok(value) => Some(value),
            Err(error) => {
                self.mistake(code::SYNTAX, format!("`{}`: {error}", self.path));
                None
            }
        }
    }

    fn wrong_type(&self, expected: &str) {
        let found = match self.value {
            Value::Array(_) => "an array",
            Value::Object(_) => "an object",
            Value::StringLit(_) => "a string",
            Value::NumberLit(_) => "a number",
            Value::BooleanLit(_) => "true or false",
            Value::NullKeyword(_) => "null",
        };
        let message = format!("`{}` must be {expected}", self.path);
        let mistake = self.mistake(code::WRONG_TYPE, message);
        drop(mistake.label(format!("this is {found}")));
    }
}
