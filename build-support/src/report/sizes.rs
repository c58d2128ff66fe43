//! The sizes of a shipped file: as it is, and compressed.

use serde::{Deserialize, Serialize};

/// Sizes of the shipped file in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Sizes {
    /// As it is.
    pub raw: u64,
    /// `gzip -9`, made by zlib's deflate at level 9 (a 10-byte header without name or time, an
    /// 8-byte trailer).
    pub gzip: u64,
    /// `brotli -q 11` with the default window of 22 bits.
    pub brotli: u64,
}

/// One of the [`Sizes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Size {
    /// [`Sizes::raw`].
    Raw,
    /// [`Sizes::gzip`].
    Gzip,
    /// [`Sizes::brotli`].
    Brotli,
}

impl Size {
    /// All of them, in the order they are shown.
    pub const ALL: [Size; 3] = [Size::Raw, Size::Gzip, Size::Brotli];

    /// The one of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|size| size.name() == name)
    }

    /// Its key in manifests and reports.
    pub fn name(self) -> &'static str {
        match self {
            Size::Raw => "raw",
            Size::Gzip => "gzip",
            Size::Brotli => "brotli",
        }
    }
}

impl Sizes {
    /// One of them, in bytes.
    pub fn get(&self, size: Size) -> u64 {
        match size {
            Size::Raw => self.raw,
            Size::Gzip => self.gzip,
            Size::Brotli => self.brotli,
        }
    }

    /// With each made anew from itself.
    pub fn map(&self, size_of: impl Fn(Size) -> u64) -> Self {
        Self {
            raw: size_of(Size::Raw),
            gzip: size_of(Size::Gzip),
            brotli: size_of(Size::Brotli),
        }
    }
}
