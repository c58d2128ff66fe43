//! What was measured, as tables for a terminal and as the pages in `docs/`.

pub mod allocators;

mod alloc_tables;
mod corpus_table;
mod cost_table;
mod duration;
mod memory_table;
mod native_page;
mod size_table;
mod startup_table;

pub use alloc_tables::draw as alloc_tables;
pub use corpus_table::draw as corpus_table;
pub use cost_table::{draw as cost_table, draw_readings as reading_table};
pub use memory_table::draw as memory_table;
pub use native_page::draw as native_page;
pub use size_table::draw as size_table;
pub use startup_table::draw as startup_table;
