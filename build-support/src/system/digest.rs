//! SHA-256, of bytes and of lists of parts.

use sha2::{Digest as _, Sha256};

/// A key being made: every part goes in with its length, so that no two lists of parts collide.
pub struct Key(Sha256);

impl Key {
    /// An empty key.
    pub fn start() -> Self {
        Self(Sha256::new())
    }

    /// Adds a part.
    #[must_use]
    pub fn with(mut self, part: impl AsRef<[u8]>) -> Self {
        self.0.update((part.as_ref().len() as u64).to_le_bytes());
        self.0.update(part);
        self
    }

    /// The key, in hexadecimal.
    pub fn finish(self) -> String {
        hex(&self.0.finalize())
    }
}

/// SHA-256 of `bytes`, in hexadecimal.
pub fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// In hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
