//! What an agent consists of. What it does stands above: its stages see this and not each other.

use clawft_types::Config;
use core_alloc::sync::Arc;

use super::memory::Memory;
use super::sessions::Sessions;
use super::workspace::Workspace;

/// An agent. It is plain data: several of them live side by side, and on one root continue each
/// other's sessions, at the same time too.
#[derive(Debug)]
pub struct Agent {
    pub(crate) config: Arc<Config>,
    pub(crate) workspace: Workspace,
    pub(super) sessions: Sessions,
    pub(super) memory: Memory,
}
