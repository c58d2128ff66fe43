//! The nouns of the clawft agent core: what goes in, what comes out, what is kept.
//!
//! `clawft-wasm` works on these types and hosts may use them to read its answers. Every type reads
//! itself from JSON and writes itself to JSON by hand: derived deserialisers were 24 KB of an
//! earlier agent's wasm file (SPEC section 4), and these errors name the place
//! (`config.limits.max_history`).
//!
//! The crate is `no_std` with `alloc`, always. Feature `native` adds [`os`], the only module that
//! asks the operating system for anything; feature `wasm` adds `abi`, the constants of the C ABI.
//! There is no random source and no clock here otherwise: identifiers are numbered per session and
//! timestamps are milliseconds handed in by the platform layer.
//!
//! In reading order: [`json`], [`fields`], [`error`], [`config`], [`provider`], [`tool_config`],
//! [`limits`],
//! [`message`], [`tool_call`], [`tool_result`], [`session`], [`request`], [`answer`], [`time`],
//! [`text`].
#![no_std]

extern crate alloc;
#[cfg(any(feature = "native", test))]
extern crate std;

#[cfg(any(feature = "wasm", test))]
pub mod abi;
pub mod answer;
pub mod config;
pub mod error;
pub mod fields;
pub mod json;
pub mod limits;
pub mod message;
#[cfg(feature = "native")]
pub mod os;
pub mod provider;
pub mod request;
pub mod session;
pub mod text;
pub mod time;
pub mod tool_call;
pub mod tool_config;
pub mod tool_result;

pub use answer::{Answer, Tokens, Usage};
pub use config::Config;
pub use error::{AgentError, ErrorCode, Result};
pub use json::Value;
pub use limits::Limits;
pub use message::{Message, Role};
pub use provider::{ProviderConfig, ProviderKind};
pub use request::Request;
pub use session::{Session, Summary, drop_messages};
pub use tool_call::ToolCall;
pub use tool_config::{HostTool, Permission, ToolConfig};
pub use tool_result::ToolResult;
