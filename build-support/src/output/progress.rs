//! A spinner on the terminal while something long runs; nothing where stderr is a pipe or a file.

use crate::project::listener::Listener;
use crate::system::streams;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::Write as _;
use std::time::Duration;

/// Shows what is being done; it disappears when dropped.
pub struct Progress {
    bar: ProgressBar,
    messages: bool,
    stages: usize,
}

impl Progress {
    /// Starts, or stays silent where `quiet`. Nothing is drawn before the first stage: cargo speaks
    /// first.
    pub fn start(quiet: bool) -> Self {
        let bar = if quiet {
            ProgressBar::hidden()
        } else {
            ProgressBar::new_spinner()
        };
        if let Ok(style) = ProgressStyle::with_template("{spinner:.cyan} {msg} {elapsed:.dim}") {
            bar.set_style(style);
        }
        Self {
            bar,
            messages: false,
            stages: 0,
        }
    }

    /// Says nothing of its own, and gives cargo's messages to stdout.
    pub fn for_messages() -> Self {
        let mut silent = Self::start(true);
        silent.messages = true;
        silent
    }
}

impl Listener for Progress {
    fn say(&mut self, line: &str) {
        self.bar.suspend(|| streams::say(line));
    }

    fn wants_messages(&self) -> bool {
        self.messages
    }

    fn message(&mut self, line: &str) {
        // Where it cannot be written, what is written last fails and says so.
        let _ = writeln!(streams::stdout(), "{line}");
    }

    fn stage(&mut self, name: &str) {
        self.stages += 1;
        self.bar
            .set_message(format!("stage {}: {name}", self.stages));
        self.bar.enable_steady_tick(Duration::from_millis(100));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
