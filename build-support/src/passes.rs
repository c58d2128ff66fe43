//! The rewriting steps, one module each with one entry function; [`pipeline`](crate::pipeline) runs them.
//!
//! A pass takes bytes and gives bytes. It never prints, reads the environment or starts a process.

pub mod build_id;
pub mod componentize;
pub mod optimize;
pub mod snip;
pub mod strip;
pub mod sweep;
