//! What stands in constant expressions: initial values, places of segments, items of element
//! segments.

use super::read_error::ReadError;
use wasmparser::{ConstExpr, Element, ElementItems, Operator};

/// The functions that a constant expression refers to.
///
/// # Errors
/// A [`ReadError`] where it is not whole.
pub fn functions(expression: &ConstExpr<'_>) -> Result<Vec<u32>, ReadError> {
    let mut functions = Vec::new();
    for operator in expression.get_operators_reader() {
        if let Operator::RefFunc { function_index } = operator? {
            functions.push(function_index);
        }
    }
    Ok(functions)
}

/// The functions in an element segment.
///
/// # Errors
/// A [`ReadError`] where it is not whole.
pub fn in_element(element: &Element<'_>) -> Result<Vec<u32>, ReadError> {
    match &element.items {
        ElementItems::Functions(items) => {
            Ok(items.clone().into_iter().collect::<Result<_, _>>()?)
        }
        ElementItems::Expressions(_, items) => {
            let mut functions = Vec::new();
            for expression in items.clone() {
                functions.extend(self::functions(&expression?)?);
            }
            Ok(functions)
        }
    }
}

/// The operator of a constant expression that is one alone.
///
/// # Errors
/// A [`ReadError`] where it is not whole.
pub fn lone<'a>(expression: &ConstExpr<'a>) -> Result<Option<Operator<'a>>, ReadError> {
    let mut reader = expression.get_operators_reader();
    let first = reader.read()?;
    let is_last = matches!(reader.read()?, Operator::End);
    Ok(is_last.then_some(first))
}
