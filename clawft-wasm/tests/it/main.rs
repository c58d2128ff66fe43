//! The agent as it is shipped, in every engine it must run in; one program, so that each build and
//! each engine is made once. `cargo test -p clawft-wasm --test it hostile::` runs the tests of one
//! subject.

mod allocations;
mod engines;
mod host_files;
mod hostile;
mod http;
mod preinit;
mod scenarios;
mod steps;
mod transcript;
