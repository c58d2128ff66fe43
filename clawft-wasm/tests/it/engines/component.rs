//! The wasip2 component in wasmtime.

use super::Engine;
use build_support::agent::host::Host;
use std::path::Path;

pub struct Component {
    pub(super) host: Host,
}

impl Component {
    pub fn new(file: &Path, root: &Path) -> Self {
        Self {
            host: Host::load(file, root).unwrap(),
        }
    }
}

impl Engine for Component {
    fn init(&mut self, config: &str) -> Result<(), String> {
        self.host.init(config).map_err(|error| error.to_string())
    }

    fn say(&mut self, session: &str, message: &str) -> String {
        self.host
            .process_message(session, message)
            .expect("no trap")
    }

    fn capabilities(&mut self) -> String {
        self.host.capabilities().expect("no trap")
    }
}
