//! This agent in a host: started, talked to, and made ready ahead of time. Nothing here knows
//! packages or budgets.

pub mod component;
pub mod host;
pub mod precompiled;
pub mod preinit;
mod reactor;
