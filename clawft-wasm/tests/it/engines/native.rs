//! The rlib on this machine.

use super::Engine;
use clawft_wasm::Agent;
use std::path::Path;

/// The agent as a native library. Configured by `init`, like the others.
pub struct Native {
    agent: Agent,
}

impl Native {
    pub fn new(root: &Path) -> Self {
        Self {
            agent: Agent::at("{}", root).unwrap(),
        }
    }
}

impl Engine for Native {
    fn init(&mut self, config: &str) -> Result<(), String> {
        self.agent
            .configure(config)
            .map_err(|error| clawft_wasm::types::answer::error_json(&error))
    }

    fn say(&mut self, session: &str, message: &str) -> String {
        self.agent.process_message(session, message)
    }

    fn capabilities(&mut self) -> String {
        self.agent.capabilities()
    }
}
