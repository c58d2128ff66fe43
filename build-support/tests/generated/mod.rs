//! Generated programs in the linker's own format, for whoever has to have files with relocations.

pub mod object;
pub mod object_code;
pub mod object_data;
pub mod object_function;
pub mod object_link;
pub mod object_panic;
pub mod object_program;
pub mod object_symbols;
pub mod random;
