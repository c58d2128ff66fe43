//! A report with nothing remarkable in it, for tests to change in what they are about. The
//! integration tests have this file as a module of theirs, too: all it needs comes from the module
//! above.

use super::{Attribution, Codecs, Figures, FileKind, Report, Row, SCHEMA, Sizes, Toolchain};
use super::{VerdictRecord, attribution};

/// Of a core module with these functions and nothing else, as large as they are; it compresses to a
/// half and to a third.
pub fn report(functions: &[(&str, u64)]) -> Report {
    let raw = functions.iter().map(|(_, bytes)| bytes).sum();
    let numbered = functions.iter().enumerate();
    Report {
        schema: SCHEMA,
        package: "app".into(),
        file: String::new(),
        target: "wasm32-wasip1".into(),
        kind: FileKind::Core,
        toolchain: Toolchain {
            rustc: "rustc 1.95.0".into(),
            std: "installed".into(),
            wasm_opt: "wasm-opt 116 (built in)".into(),
            build_support: "0.1.0".into(),
        },
        stages: Vec::new(),
        sizes: Sizes {
            raw,
            gzip: raw / 2,
            brotli: raw / 3,
        },
        codecs: Codecs {
            gzip: "zlib".into(),
            brotli: "brotli".into(),
        },
        figures: Figures {
            functions: functions.len() as u64,
            memory: 65_536,
            start: None,
        },
        budget: Vec::new(),
        baseline: None,
        verdict: VerdictRecord {
            within: true,
            exceeded: Vec::new(),
        },
        snipped: Vec::new(),
        swept: Vec::new(),
        attribution: Attribution {
            bytes: raw,
            rows: numbered
                .map(|(index, (name, bytes))| function(name, *bytes, &[index as u32]))
                .collect(),
        },
        features: Vec::new(),
        prunable: Default::default(),
    }
}

/// The row of a function.
pub fn function(name: &str, bytes: u64, indices: &[u32]) -> Row {
    Row {
        kind: attribution::RowKind::Function,
        name: name.to_owned(),
        bytes,
        count: 1,
        core: None,
        krate: None,
        offset: None,
        functions: indices.to_vec(),
    }
}
