//! Files that wasm-bindgen has still to read. In them functions describe the interface in code, and
//! wasm-bindgen runs that code in an interpreter of its own, which knows what rustc makes of them
//! and little else; it goes by the names and by the section `target_features`, too. So nothing is
//! inlined, merged or stripped before it: such a file is swept and snipped, and everything else is
//! for what wasm-bindgen makes of it.
//!
//! A limit is on what is shipped, and that is not this file: it is not judged. Where the budget has
//! a table `wasm-bindgen`, its command is run on the way; else `cargo budget check` judges what
//! comes out.

use crate::system::calling;
use crate::wasm::module;

/// Where the macros leave what wasm-bindgen has to know; it takes the section out.
const SECTION: &str = "__wasm_bindgen_unstable";

/// What a user has to do with such a file.
pub fn next() -> String {
    format!(
        "\
this is what wasm-bindgen reads, and not what is shipped: it was swept and snipped, and is not judged by the limits.
      With [package.metadata.budget.wasm-bindgen] in Cargo.toml wasm-bindgen is run, too, and what it makes is judged.
      Or run wasm-bindgen (or wasm-pack) on it, then
        {} pkg/app_bg.wasm -o pkg/app_bg.wasm
        {} pkg/app_bg.wasm",
        calling::call("optimize"),
        calling::budget("check")
    )
}

/// Whether wasm-bindgen has still to read it.
pub fn is_input(file: &[u8]) -> bool {
    module::customs(file).any(|section| section.name() == SECTION)
}
