//! What every part of the reader needs.

/// What a manifest may name of what is on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum There {
    /// A folder below the manifest's.
    Folder,
    /// A module of the page.
    Module,
}

/// Reads a manifest.
pub struct Reader<'r> {
    /// The manifest's text.
    pub source: &'r str,
    /// Whether something is on disk.
    pub is_there: &'r dyn Fn(There, &str) -> bool,
}
