//! What is measured on the shipped bytes.

pub mod engine;
pub mod sizes;
