//! What is measured of the agent is whole, in order and true. No test looks at a clock.

mod alloc_compare;
mod baseline;
mod build_cost;
#[path = "../../../tests/it/cli.rs"]
mod cli;
mod native;
mod startup;
mod support;

use build_support::project::package::Package;
use std::path::Path;

/// The agent's package.
fn agent() -> Package {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    Package::at(&root.unwrap().join("clawft-wasm")).unwrap()
}
