//! What is wrong with bytes that should be WebAssembly, and where. Whose fault that is, a file's or
//! a pass's, is for whoever read them.

use crate::error::Error;
use std::path::Path;
use wasmparser::BinaryReaderError;

/// Why bytes cannot be read as WebAssembly.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ReadError {
    /// Where, in bytes.
    pub offset: u64,
    /// The reader's words.
    pub message: String,
}

impl ReadError {
    /// It as the error for a `file` that was given, for use with `map_err`; `help` is what to do.
    pub fn input(file: &Path, help: &str) -> impl Fn(Self) -> Error {
        move |error| Error::Input {
            file: file.to_owned(),
            offset: Some(error.offset),
            message: error.message,
            help: help.to_owned(),
        }
    }

    /// It as the error for what `pass` made, for use with `map_err`.
    pub fn output(pass: &'static str) -> impl Fn(Self) -> Error {
        move |error| Error::InvalidOutput {
            pass,
            offset: Some(error.offset),
            message: error.message,
        }
    }
}

impl From<BinaryReaderError> for ReadError {
    fn from(error: BinaryReaderError) -> Self {
        Self {
            offset: error.offset(),
            message: error.message().to_owned(),
        }
    }
}
