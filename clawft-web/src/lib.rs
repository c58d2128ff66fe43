//! The shipped agent in a web page.
//!
//! The page itself is in `www/`, plain modules that no compiler sees; `cargo bundle` makes a folder
//! of it that any static host serves. This crate has its tests: each file of `tests/*.test.mjs` is
//! one test here, run by node, where it matters with headless Chromium.
