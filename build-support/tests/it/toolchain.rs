//! A standard library for the target: the decision, branch by branch on made-up machines, and what
//! comes of it, on this one.

mod decision;
mod real;
