//! Which wasm features the code really uses, found by asking the validator: a feature is used if the
//! module stops validating without it. The `target_features` section is not trusted, strippers drop it.

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

const fn known(name: &'static str, flag: WasmFeatures, binaryen: wasm_opt::Feature) -> Known {
    Known {
        name,
        flag,
        binaryen,
    }
}

/// The features that both the validator and Binaryen 116 know in their standard form. Garbage
/// collection, typed function references and standard exception handling changed after Binaryen 116.
pub const KNOWN: &[Known] = &[
    known(
        "mutable-globals",
        WasmFeatures::MUTABLE_GLOBAL,
        wasm_opt::Feature::MutableGlobals,
    ),
    known(
        "nontrapping-float-to-int",
        WasmFeatures::SATURATING_FLOAT_TO_INT,
        wasm_opt::Feature::TruncSat,
    ),
    known(
        "sign-ext",
        WasmFeatures::SIGN_EXTENSION,
        wasm_opt::Feature::SignExt,
    ),
    known(
        "multivalue",
        WasmFeatures::MULTI_VALUE,
        wasm_opt::Feature::Multivalue,
    ),
    known(
        "bulk-memory",
        WasmFeatures::BULK_MEMORY,
        wasm_opt::Feature::BulkMemory,
    ),
    known(
        "reference-types",
        WasmFeatures::REFERENCE_TYPES,
        wasm_opt::Feature::ReferenceTypes,
    ),
    known(
        "relaxed-simd",
        WasmFeatures::RELAXED_SIMD,
        wasm_opt::Feature::RelaxedSimd,
    ),
    known("simd", WasmFeatures::SIMD, wasm_opt::Feature::Simd),
    known("threads", WasmFeatures::THREADS, wasm_opt::Feature::Atomics),
    known(
        "tail-call",
        WasmFeatures::TAIL_CALL,
        wasm_opt::Feature::TailCall,
    ),
    known(
        "extended-const",
        WasmFeatures::EXTENDED_CONST,
        wasm_opt::Feature::ExtendedConst,
    ),
    known(
        "multimemory",
        WasmFeatures::MULTI_MEMORY,
        wasm_opt::Feature::MultiMemory,
    ),
    known(
        "memory64",
        WasmFeatures::MEMORY64,
        wasm_opt::Feature::Memory64,
    ),
    known(
        "exception-handling",
        LEGACY_EXCEPTIONS,
        wasm_opt::Feature::ExceptionHandling,
    ),
];

const LEGACY_EXCEPTIONS: WasmFeatures =
    WasmFeatures::EXCEPTIONS.union(WasmFeatures::LEGACY_EXCEPTIONS);

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
