//! `[package.metadata.budget]` of a package's manifest → [`Config`], each value with its place in
//! the file, so that whoever complains later can point at it.
//!
//! ```toml
//! [package.metadata.budget]
//! profile = "release-wasm"                 # "release" where the key is absent
//! targets = ["wasm32-wasip2"]              # any wasm target where the key is absent
//! minimize = "gzip"                        # what is to be small: raw, the default, gzip or brotli
//! build-id = true                          # a custom section with an id of the contents
//! [package.metadata.budget.limits]         # on the shipped file, for every target
//! raw = "300 KiB"                          # or a whole number of bytes
//! gzip = "120 KiB"
//! brotli = "100 KiB"
//! functions = 400                          # functions with a body
//! crates = 12                              # crates that have bytes in it
//! memory = "320 KiB"                       # linear memory at the start
//! start = 5_000                            # instructions until there is an instance
//! crate.serde_json = "40 KiB"              # what a crate takes of it
//! section.data = "8 KiB"                   # what a section takes of it
//! [package.metadata.budget.target.wasm32-wasip2.limits]
//! raw = 61_440                             # replaces that limit for that target
//! [package.metadata.budget.ratchet]        # how much sizes may grow over the baseline
//! tolerance = "0.5%"                       # or bytes, or both, of which the larger counts
//! compressed-tolerance = "1%"              # of gzip and brotli
//! drift = "2%"                             # all growth since the last deliberate raise
//! [package.metadata.budget.snip]
//! enabled = true                           # the default
//! families = ["core::panicking"]           # of `families::FAMILIES`; all where the key is absent
//! allow = ["app::keep::*"]                 # demangled paths that are never snipped
//! deny = ["app::debug::dump"]              # and ones that are, besides the built-in families
//! [package.metadata.budget.sweep]
//! enabled = true                           # the default
//! [package.metadata.budget.compact]        # asks for more than an optimiser does
//! outline = "cold"                         # code becomes functions: off, cold, outside-loops, all
//! low-memory = "auto"                      # are addresses below 1,024 used: auto, used, unused
//! [package.metadata.budget.wasm-bindgen]   # what is shipped is what wasm-bindgen makes of it
//! target = "web"                           # options as its command has them
//! [package.metadata.budget.graph]
//! banned-crates = ["tokio"]
//! banned-features = ["app/channels", "native-exec"]
//! max-crates = 40
//! [package.metadata.budget.constants]      # sizes inside the program, for `guard::constants`
//! read-buffer = "16 KiB"
//! ```
//!
//! All mistakes are found in one go. What the values mean is left to others: limits to `gate`,
//! patterns to `snip`, the graph to `guard`, which reads the same table through cargo.

mod amounts;
mod budget;
pub mod bundle;
mod compact;
mod files;
mod limits;
pub(crate) mod mistakes;
mod read;
mod rules;
mod settings;
mod tolerance;
mod value;
mod wasm_bindgen;

pub use compact::{Compact, LowMemory, Outline};
pub use files::{Files, Rule};
pub use limits::{Limit, Limits, Measure};
pub use mistakes::code;
pub use read::{concerns, load, parse};
pub use settings::{Config, SweepRules};
pub use tolerance::{Allowance, Tolerance};
pub use wasm_bindgen::WasmBindgen;

#[cfg(test)]
mod tests;
