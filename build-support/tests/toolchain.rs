//! A standard library for the target: the decision, branch by branch on made-up machines, and what comes of it, on
//! this one.
#![cfg(feature = "tool")]

#[path = "toolchain/decision.rs"]
mod decision;
#[path = "toolchain/layout.rs"]
mod layout;
#[path = "toolchain/real.rs"]
mod real;
