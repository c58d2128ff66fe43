//! The bytes that flow through the pipeline, and what kind they are: sniffing, validation, opening
//! a component to reach its core modules.

use crate::error::Result;
use crate::system::files;
use crate::wasm::sections::{self, HEADER};
use crate::wasm::{Module, ReadError};
use serde::{Deserialize, Serialize};
use std::cell::Cell;
use std::ops::Range;
use std::path::Path;
use wasm_encoder::Encode as _;
use wasmparser::{Validator, WasmFeatures};

/// A wasm file in memory, validated when it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    bytes: Vec<u8>,
    kind: FileKind,
    /// Where its core modules are.
    modules: Vec<Range<usize>>,
    /// What it was validated with: nothing that is made of it may need more.
    proposals: WasmFeatures,
}

/// What kind of wasm file something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum FileKind {
    /// A core module.
    Core,
    /// A component.
    Component,
}

const MAGIC: &[u8] = b"\0asm";
const CORE_VERSION: &[u8] = &[1, 0, 0, 0];
const COMPONENT_LAYER: &[u8] = &[1, 0];

impl Artifact {
    /// Takes bytes that came from `file`, which is only named in errors. Engines run more than the
    /// standard has: a file may use any proposal that the validator knows.
    ///
    /// # Errors
    /// [`Error::Input`](crate::Error::Input) with the offset where the bytes are not a valid core
    /// module or component.
    pub fn new(bytes: Vec<u8>, file: &Path) -> Result<Self> {
        let kind = sniff(&bytes).map_err(ReadError::input(
            file,
            "give a WebAssembly binary: a core module or a component",
        ))?;
        let proposals = match validate(&bytes) {
            Ok(()) => Ok(standard()),
            Err(fault) => validate_with(&bytes, WasmFeatures::all())
                .map(|()| WasmFeatures::all())
                .map_err(|other| {
                    if other.offset > fault.offset {
                        other
                    } else {
                        fault
                    }
                }),
        };
        proposals
            .and_then(|proposals| Self::open(bytes, kind, proposals))
            .map_err(ReadError::input(
                file,
                "the file is damaged or cut short, or uses a proposal that is newer than this tool: build it again",
            ))
    }

    /// Reads and validates a file.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io) where it cannot be read, else as [`Artifact::new`].
    pub fn read(file: &Path) -> Result<Self> {
        Self::new(files::read(file)?, file)
    }

    /// Takes what a pass made out of nothing that was valid before.
    ///
    /// # Errors
    /// [`Error::InvalidOutput`](crate::Error::InvalidOutput) where it does not validate.
    pub fn from_pass(bytes: Vec<u8>, pass: &'static str) -> Result<Self> {
        Self::validated(bytes, standard()).map_err(ReadError::output(pass))
    }

    /// Takes what a pass made of this file, with no proposal that this one does without.
    ///
    /// # Errors
    /// [`Error::InvalidOutput`] where it does not validate.
    pub fn rewritten(&self, bytes: Vec<u8>, pass: &'static str) -> Result<Self> {
        Self::validated(bytes, self.proposals).map_err(ReadError::output(pass))
    }

    /// Validates a core module that is to stand in for one of this file.
    ///
    /// # Errors
    /// The first fault.
    pub fn validate(&self, module: &[u8]) -> Result<(), ReadError> {
        validate_with(module, self.proposals)
    }

    fn validated(bytes: Vec<u8>, proposals: WasmFeatures) -> Result<Self, ReadError> {
        let kind = sniff(&bytes)?;
        validate_with(&bytes, proposals)?;
        Self::open(bytes, kind, proposals)
    }

    fn open(bytes: Vec<u8>, kind: FileKind, proposals: WasmFeatures) -> Result<Self, ReadError> {
        let modules = match kind {
            FileKind::Core => std::iter::once(0..bytes.len()).collect(),
            FileKind::Component => modules_of_component(&bytes)?,
        };
        Ok(Self {
            bytes,
            kind,
            modules,
            proposals,
        })
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether it is a core module or a component.
    pub fn kind(&self) -> FileKind {
        self.kind
    }

    /// Its size in bytes.
    pub fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Whether it has no bytes: never, a valid file has a header.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Where the core modules are: itself, or those inside the component, in file order, at any
    /// depth.
    pub fn module_ranges(&self) -> &[Range<usize>] {
        &self.modules
    }

    /// The bytes of the core modules, as [`Artifact::module_ranges`].
    pub fn core_modules(&self) -> impl Iterator<Item = &[u8]> {
        self.modules.iter().map(|range| &self.bytes[range.clone()])
    }

    /// The core modules, read.
    ///
    /// # Errors
    /// As [`Module::read`].
    pub fn modules(&self) -> Result<Vec<Module<'_>>, ReadError> {
        self.core_modules().map(Module::read).collect()
    }

    /// Rewrites every core module with `rewrite`, which gets its ordinal in file order, and puts
    /// the file back together around them; all other sections keep their bytes and their places.
    ///
    /// # Errors
    /// What `rewrite` returns, or [`Error::InvalidOutput`](crate::Error::InvalidOutput) where the
    /// result does not validate.
    pub fn map_core(
        &self,
        pass: &'static str,
        mut rewrite: impl FnMut(usize, &[u8]) -> Result<Vec<u8>>,
    ) -> Result<Artifact> {
        let bytes = match self.kind {
            FileKind::Core => rewrite(0, &self.bytes)?,
            FileKind::Component => map_component(&self.bytes, pass, &mut 0, &mut rewrite)?,
        };
        self.rewritten(bytes, pass)
    }
}

/// What the standard has or engines take by default (wasmparser's defaults), and legacy exception
/// handling, which browsers still ship.
fn standard() -> WasmFeatures {
    WasmFeatures::default() | WasmFeatures::LEGACY_EXCEPTIONS
}

thread_local! {
    static VALIDATED: Cell<u64> = const { Cell::new(0) };
}

/// How many bytes this thread has validated so far. It takes most of the time in which a file is
/// only read: the tests count it.
pub fn validated_bytes() -> u64 {
    VALIDATED.get()
}

/// Validates a file by what the standard has or engines take by default.
///
/// # Errors
/// The first fault.
pub fn validate(bytes: &[u8]) -> Result<(), ReadError> {
    validate_with(bytes, standard())
}

fn validate_with(bytes: &[u8], proposals: WasmFeatures) -> Result<(), ReadError> {
    VALIDATED.set(VALIDATED.get() + bytes.len() as u64);
    Validator::new_with_features(proposals)
        .validate_all(bytes)
        .map(|_| ())
        .map_err(ReadError::from)
}

fn modules_of_component(bytes: &[u8]) -> Result<Vec<Range<usize>>, ReadError> {
    let mut modules = Vec::new();
    for section in sections::at_any_depth(bytes) {
        let section = section?;
        if section.id == sections::CORE_MODULE {
            modules.push(section.inside());
        }
    }
    Ok(modules)
}

fn sniff(bytes: &[u8]) -> Result<FileKind, ReadError> {
    let fault = |offset: u64, message: &str| {
        Err(ReadError {
            offset,
            message: message.to_owned(),
        })
    };
    if bytes.is_empty() {
        return fault(0, "the file is empty");
    }
    if !bytes.starts_with(MAGIC) {
        let text = bytes
            .iter()
            .take(64)
            .all(|b| b.is_ascii_graphic() || b.is_ascii_whitespace());
        return fault(
            0,
            if text {
                "this is text, not a WebAssembly binary"
            } else {
                "not a WebAssembly binary: the magic bytes `\\0asm` are missing"
            },
        );
    }
    match bytes.get(4..HEADER) {
        None => fault(bytes.len() as u64, "the file ends inside its header"),
        Some(CORE_VERSION) => Ok(FileKind::Core),
        Some(version) if version[2..] == *COMPONENT_LAYER => Ok(FileKind::Component),
        Some(version) => fault(4, &format!("unknown binary version {version:02x?}")),
    }
}

/// Gets a core module's ordinal and bytes, gives its new bytes.
type Rewrite<'a> = dyn FnMut(usize, &[u8]) -> Result<Vec<u8>> + 'a;

fn map_component(
    bytes: &[u8],
    pass: &'static str,
    ordinal: &mut usize,
    rewrite: &mut Rewrite<'_>,
) -> Result<Vec<u8>> {
    rebuild(bytes, pass, |id, data| match id {
        sections::CORE_MODULE => {
            *ordinal += 1;
            rewrite(*ordinal - 1, data).map(Some)
        }
        sections::COMPONENT => map_component(data, pass, ordinal, rewrite).map(Some),
        _ => Ok(Some(data.to_vec())),
    })
}

/// Goes over the sections of a module or component in order and writes back what `section` makes of
/// each one's id and contents; `None` drops it.
///
/// # Errors
/// What `section` returns, or [`Error::InvalidOutput`](crate::Error::InvalidOutput) where the
/// sections cannot be read.
pub fn rebuild(
    bytes: &[u8],
    pass: &'static str,
    mut section: impl FnMut(u8, &[u8]) -> Result<Option<Vec<u8>>>,
) -> Result<Vec<u8>> {
    let mut out = bytes[..HEADER.min(bytes.len())].to_vec();
    for found in sections::read(bytes) {
        let found = found.map_err(ReadError::output(pass))?;
        if let Some(data) = section(found.id, found.contents)? {
            out.push(found.id);
            data.encode(&mut out);
        }
    }
    Ok(out)
}
