//! No folder of this machine is named in what is shipped.

use crate::error::{Error, Result};
use crate::wasm::artifact::Artifact;

/// Refuses a file that names one of `paths`, folders of this machine.
///
/// # Errors
/// [`Error::InvalidOutput`] with the place.
pub(super) fn refuse(artifact: &Artifact, paths: &[String]) -> Result<()> {
    let bytes = artifact.bytes();
    for path in paths.iter().filter(|path| path.len() > 1) {
        if let Some(at) = bytes
            .windows(path.len())
            .position(|window| window == path.as_bytes())
        {
            let end = bytes[at..]
                .iter()
                .take(120)
                .take_while(|b| b.is_ascii_graphic())
                .count();
            return Err(Error::InvalidOutput {
                pass: "paths",
                offset: Some(at as u64),
                message: format!(
                    "`{}` names a folder of this machine; add a --remap-path-prefix for it or drop the `file!()`/`env!()` that brings it in",
                    String::from_utf8_lossy(&bytes[at..at + end])
                ),
            });
        }
    }
    Ok(())
}
