//! Reads the members of a JSON object one by one, with errors that name the place.
//!
//! [`Fields`] stands between [`crate::json`] and the types: `config.limits.max_history: expected an
//! integer from 2 to 10000, got a string`.
//!
//! A member that is wrong does not end the reading: the first error is kept, what is asked for
//! comes out empty, and [`read`] gives the error in the end. So a type is read in a straight line,
//! without a way out, and something half made to drop, after each member.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::OnceCell;

use crate::error::{AgentError, ErrorCode, Result};
use crate::json::{self, Value, decimal};
use crate::text;

/// The members of an object, at a place, and what was wrong so far in the whole document.
#[derive(Debug, Clone, Copy)]
pub struct Fields<'v, 'e> {
    members: &'v [(String, Value)],
    place: &'e str,
    code: ErrorCode,
    first: &'e OnceCell<Box<AgentError>>,
}

/// What `make` makes of the object `value`, which errors call `place`.
///
/// # Errors
///
/// An error of this code with the first thing that is wrong.
pub fn read<'v, T>(
    value: &'v Value,
    place: &str,
    code: ErrorCode,
    make: impl FnOnce(&Fields<'v, '_>) -> T,
) -> Result<T> {
    let first = OnceCell::new();
    let made = make(&Fields::new(value, place, code, &first));
    match first.into_inner() {
        None => Ok(made),
        Some(error) => Err(error),
    }
}

/// What `make` makes of an object without members: the default, where every member may be left out.
pub fn read_nothing<T>(make: impl FnOnce(&Fields<'_, '_>) -> T) -> T {
    make(&Fields {
        members: &[],
        place: "",
        code: ErrorCode::InvalidConfig,
        first: &OnceCell::new(),
    })
}

impl<'v, 'e> Fields<'v, 'e> {
    fn new(
        value: &'v Value,
        place: &'e str,
        code: ErrorCode,
        first: &'e OnceCell<Box<AgentError>>,
    ) -> Self {
        let mut fields = Fields {
            members: &[],
            place,
            code,
            first,
        };
        match value {
            Value::Object(members) => fields.members = members,
            other => {
                let values = [place, other.kind()];
                fields.report(AgentError::new(
                    code,
                    "{}: expected an object, got {}",
                    &values,
                ));
            }
        }
        fields
    }

    /// Takes down an error, if it is the first.
    pub fn report(&self, error: Box<AgentError>) {
        let _ = self.first.set(error);
    }

    /// Takes down that the member `name` is wrong, and how, as [`AgentError::new`] has it.
    pub fn fail(&self, name: &str, template: &str, values: &[&str]) {
        self.report(self.error(name, template, values));
    }

    /// An error at the member `name`.
    pub fn error(&self, name: &str, template: &str, values: &[&str]) -> Box<AgentError> {
        AgentError::new(
            self.code,
            "{}.{}: {}",
            &[self.place, name, &text::fill(template, values)],
        )
    }

    fn wrong(&self, name: &str, expected: &str) {
        let got = self.get(name).map_or("nothing", Value::kind);
        self.fail(name, "expected {}, got {}", &[expected, got]);
    }

    /// Allows these members and no others; `known` is their names with `, ` between them.
    pub fn only(&self, known: &str) {
        for (name, _) in self.members {
            if !text::is_listed(known, ", ", name) {
                self.fail(name, "unknown key, known are {}", &[known]);
            }
        }
    }

    /// The member `name`; `None` if it is missing or `null`.
    pub fn get(&self, name: &str) -> Option<&'v Value> {
        json::last(self.members, name).filter(|value| !matches!(value, Value::Null))
    }

    /// The text of the member `name`, which must be there.
    pub fn str(&self, name: &str) -> &'v str {
        match self.get(name) {
            Some(Value::String(text)) => text,
            _ => {
                self.wrong(name, "a string");
                ""
            }
        }
    }

    /// The text of the member `name`, or `default` if it is missing.
    pub fn str_or(&self, name: &str, default: &'v str) -> &'v str {
        match self.get(name) {
            None => default,
            Some(_) => self.str(name),
        }
    }

    /// As [`Fields::str`], to keep.
    pub fn string(&self, name: &str) -> String {
        String::from(self.str(name))
    }

    /// As [`Fields::str_or`], to keep.
    pub fn string_or(&self, name: &str, default: &'v str) -> String {
        String::from(self.str_or(name, default))
    }

    /// Sets `number` to the member `name`, from `min` to `max`; a missing one leaves it as it is.
    pub fn number(&self, name: &str, number: &mut u64, min: u64, max: u64) {
        let Some(value) = self.get(name) else {
            return;
        };
        match value.as_u64() {
            Some(given) if given >= min && given <= max => *number = given,
            _ => {
                let what = text::fill("an integer from {} to {}", &[&decimal(min), &decimal(max)]);
                match value {
                    Value::Number(text) => self.fail(name, "expected {}, got {}", &[&what, text]),
                    _ => self.wrong(name, &what),
                }
            }
        }
    }

    /// Sets `to` to the member `name`; a missing one leaves it as it is.
    pub fn boolean(&self, name: &str, to: &mut bool) {
        match self.get(name) {
            None => {}
            Some(Value::Bool(given)) => *to = *given,
            Some(_) => self.wrong(name, "true or false"),
        }
    }

    /// The members of the object `name`; none if it is missing.
    pub fn members(&self, name: &str) -> &'v [(String, Value)] {
        match self.get(name) {
            Some(Value::Object(members)) => members,
            None => &[],
            Some(_) => {
                self.wrong(name, "an object");
                &[]
            }
        }
    }

    /// The items of the array `name`; none if it is missing.
    pub fn array(&self, name: &str) -> &'v [Value] {
        match self.get(name) {
            Some(Value::Array(items)) => items,
            None => &[],
            Some(_) => {
                self.wrong(name, "an array");
                &[]
            }
        }
    }

    /// The texts of the array `name`; none if it is missing.
    pub fn strings(&self, name: &str) -> Vec<String> {
        let mut texts = Vec::new();
        for item in self.array(name) {
            match item {
                Value::String(text) => texts.push(text.clone()),
                other => self.fail(name, "expected strings, got {}", &[other.kind()]),
            }
        }
        texts
    }

    /// What `make` makes of each object in the array `name`; nothing if it is missing.
    pub fn each<T>(&self, name: &str, make: impl Fn(&Fields<'v, '_>) -> T) -> Vec<T> {
        let mut made = Vec::new();
        self.each_object(name, &mut |fields| made.push(make(fields)));
        made
    }

    fn each_object(&self, name: &str, take: &mut dyn FnMut(&Fields<'v, '_>)) {
        for (at, item) in self.array(name).iter().enumerate() {
            let place = [self.place, name, &decimal(at as u64)];
            let place = text::fill("{}.{}[{}]", &place);
            take(&Fields::new(item, &place, self.code, self.first));
        }
    }

    /// What `make` makes of the object `value`, which is the member `name`.
    pub fn within<T>(
        &self,
        name: &str,
        value: &'v Value,
        make: impl FnOnce(&Fields<'v, '_>) -> T,
    ) -> T {
        let place = text::fill("{}.{}", &[self.place, name]);
        make(&Fields::new(value, &place, self.code, self.first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse;

    /// The message of the first error, if there is one.
    fn wrong(make: impl Fn(&Fields<'_, '_>)) -> String {
        let value = parse(r#"{"a":"x","b":[1],"n":70,"o":{}}"#).unwrap();
        match read(&value, "config", ErrorCode::InvalidConfig, make) {
            Ok(()) => String::new(),
            Err(error) => error.message,
        }
    }

    #[test]
    fn errors_name_the_place() {
        assert_eq!(
            wrong(|fields| fields.number("a", &mut 1, 1, 64)),
            "config.a: expected an integer from 1 to 64, got a string"
        );
        assert_eq!(
            wrong(|fields| fields.number("n", &mut 1, 1, 64)),
            "config.n: expected an integer from 1 to 64, got 70"
        );
        assert_eq!(
            wrong(|fields| drop(fields.strings("b"))),
            "config.b: expected strings, got a number"
        );
        assert_eq!(
            wrong(|fields| assert!(fields.array("o").is_empty())),
            "config.o: expected an array, got an object"
        );
        assert_eq!(
            wrong(|fields| drop(fields.string("z"))),
            "config.z: expected a string, got nothing"
        );
        assert_eq!(
            wrong(|fields| fields.only("a, b")),
            "config.n: unknown key, known are a, b"
        );
        assert_eq!(
            wrong(|fields| drop(fields.each("b", |item| item.string("x")))),
            "config.b[0]: expected an object, got a number"
        );
        let error = read(&Value::Null, "x", ErrorCode::InvalidJson, |_| ()).unwrap_err();
        assert_eq!(error.message, "x: expected an object, got null");
    }

    #[test]
    fn the_first_error_counts() {
        let first = wrong(|fields| {
            assert_eq!(fields.str("y"), "");
            assert_eq!(fields.str("a"), "x", "reading goes on");
            fields.only("");
        });
        assert_eq!(first, "config.y: expected a string, got nothing");
        assert_eq!(wrong(|fields| fields.number("y", &mut 1, 1, 2)), "");
    }
}
