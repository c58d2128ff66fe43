//! Sizes from `[package.metadata.budget.constants]` in the manifest, for wasm: buffers are as long
//! as they say, and what is larger than they say fails `cargo check`. The message names the key; a
//! new value there is a decision.

// Each target uses its own.
#![allow(dead_code)]

include!(concat!(env!("OUT_DIR"), "/budget.rs"));

const _: () = assert!(
    size_of::<clawft_types::Config>() <= CONFIGURATION,
    "`Config` is larger than `configuration` in [package.metadata.budget.constants]"
);
const _: () = assert!(
    size_of::<clawft_types::Session>() <= SESSION,
    "`Session` is larger than `session` in [package.metadata.budget.constants]"
);
