//! Finds the real linker, as rustc would have: by its name, on a path that rustc has put its own
//! tools in front of. Where that rustc has none, it is the one that `cargo wasm` would link with.

use crate::error::{Error, Result};
use crate::project::compile::Linker;
use crate::project::toolchain;
use crate::system::process;
use std::path::PathBuf;

/// The program.
///
/// # Errors
/// [`Error::Toolchain`] with the way to get it.
pub fn find(linker: Linker) -> Result<PathBuf> {
    let found = match linker {
        Linker::Lld => process::on_path("rust-lld").or_else(toolchain::any_linker),
        Linker::Component => {
            let name = "wasm-component-ld";
            process::on_path(name).or_else(|| toolchain::any_tool(name))
        }
    };
    found.ok_or_else(|| missing(linker))
}

fn missing(linker: Linker) -> Error {
    let (name, other) = match linker {
        Linker::Lld => (
            "rust-lld",
            format!(
                "on Debian and Ubuntu: {}",
                toolchain::apt_commands(&[toolchain::LINKER_PACKAGE], &toolchain::Apt::NotRoot)
            ),
        ),
        Linker::Component => (
            "wasm-component-ld",
            "cargo install --locked wasm-component-ld".to_owned(),
        ),
    };
    Error::toolchain(
        format!("there is no `{name}`, the linker that `build-support` calls"),
        format!("rustup's toolchains bring it\n  or:   {other}"),
    )
}
