//! The report that the unit tests begin from, too.

use build_support::attribution::{self, Attribution, Row};
use build_support::report::{Codecs, Figures, Report, SCHEMA, Sizes, Toolchain, VerdictRecord};
use build_support::wasm::artifact::FileKind;

#[path = "../../../src/report/sample.rs"]
mod sample;

pub use sample::{function, report};
