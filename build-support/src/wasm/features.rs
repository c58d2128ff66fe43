//! Which wasm features the code really uses, found by asking the validator: a feature is used if
//! the module stops validating without it. The `target_features` section is not trusted, strippers
//! drop it.

use crate::error::{Error, Result};
use std::path::Path;
use wasmparser::{Validator, WasmFeatures};

/// A feature the pipeline can handle from end to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// The name of the proposal in wasm-opt's `--enable-…` flags and in reports.
    pub name: &'static str,
    /// The validator's flag.
    pub flag: WasmFeatures,
    /// Binaryen's flag.
    pub binaryen: wasm_opt::Feature,
}

/// A row for each: its name, the validator's flags, Binaryen's.
macro_rules! known {
    ($($name:literal $($flag:ident)|+, $binaryen:ident;)*) => {
        &[$(Known {
            name: $name,
            flag: WasmFeatures::empty()$(.union(WasmFeatures::$flag))+,
            binaryen: wasm_opt::Feature::$binaryen,
        }),*]
    };
}

/// The features that both the validator and Binaryen 116 know in their standard form. Garbage
/// collection, typed function references and standard exception handling changed after Binaryen
/// 116.
pub const KNOWN: &[Known] = known! {
    "mutable-globals" MUTABLE_GLOBAL, MutableGlobals;
    "nontrapping-float-to-int" SATURATING_FLOAT_TO_INT, TruncSat;
    "sign-ext" SIGN_EXTENSION, SignExt;
    "multivalue" MULTI_VALUE, Multivalue;
    "bulk-memory" BULK_MEMORY, BulkMemory;
    "reference-types" REFERENCE_TYPES, ReferenceTypes;
    "relaxed-simd" RELAXED_SIMD, RelaxedSimd;
    "simd" SIMD, Simd;
    "threads" THREADS, Atomics;
    "tail-call" TAIL_CALL, TailCall;
    "extended-const" EXTENDED_CONST, ExtendedConst;
    "multimemory" MULTI_MEMORY, MultiMemory;
    "memory64" MEMORY64, Memory64;
    "exception-handling" EXCEPTIONS | LEGACY_EXCEPTIONS, ExceptionHandling;
};

/// The features `module` uses, in the order of [`KNOWN`].
///
/// # Errors
/// [`Error::Input`] with the offset where the module needs a feature outside [`KNOWN`].
pub fn run(module: &[u8], file: &Path) -> Result<Vec<Known>> {
    let mut flags = KNOWN
        .iter()
        .fold(WasmFeatures::FLOATS | WasmFeatures::GC_TYPES, |all, k| {
            all | k.flag
        });
    if let Err(error) = validate(module, flags) {
        return Err(Error::Input {
            file: file.to_owned(),
            offset: Some(error.offset()),
            message: format!(
                "{} (a feature outside what Binaryen 116 handles)",
                error.message()
            ),
            help: format!(
                "build without that proposal; handled are {}",
                KNOWN.iter().map(|k| k.name).collect::<Vec<_>>().join(", ")
            ),
        });
    }
    let mut used = Vec::new();
    for feature in KNOWN {
        let without = flags - feature.flag;
        if validate(module, without).is_ok() {
            flags = without;
        } else {
            used.push(*feature);
        }
    }
    Ok(used)
}

fn validate(module: &[u8], flags: WasmFeatures) -> Result<(), wasmparser::BinaryReaderError> {
    Validator::new_with_features(flags)
        .validate_all(module)
        .map(|_| ())
}
