//! What is measured on the shipped bytes.

pub mod engine;
pub mod figures;
pub mod memory;
pub mod native;
pub mod quantiles;
pub mod sizes;
pub mod start;
pub mod startup;
