//! What is measured on the shipped bytes.

#[cfg(feature = "engines")]
pub mod engine;
pub mod figures;
pub mod sizes;
#[cfg(feature = "engines")]
pub mod start;
#[cfg(not(feature = "engines"))]
mod without_engines;

#[cfg(not(feature = "engines"))]
pub use without_engines::{engine, start};
