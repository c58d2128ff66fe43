//! A page with an agent in it, as one folder for any static host: manifest → checked plan → files.
//! `manifest` reads.

mod json;
pub mod manifest;
mod origin;
