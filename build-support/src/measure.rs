//! What is measured on the shipped bytes.

pub mod engine;
pub mod figures;
pub mod sizes;
pub mod start;
