//! A spinner on the terminal while something long runs; nothing where stderr is a pipe or a file.

use crate::package::Listener;
use indicatif::{ProgressBar, ProgressStyle};
use std::time::Duration;

/// Shows what is being done; it disappears when dropped.
pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Starts, or stays silent where `quiet`. Nothing is drawn before the first stage: cargo speaks first.
    pub fn start(quiet: bool) -> Self {
        let bar = if quiet {
            ProgressBar::hidden()
        } else {
            ProgressBar::new_spinner()
        };
        if let Ok(style) = ProgressStyle::with_template("{spinner:.cyan} {msg} {elapsed:.dim}") {
            bar.set_style(style);
        }
        Self { bar }
    }
}

impl Listener for Progress {
    fn say(&mut self, line: &str) {
        self.bar.suspend(|| eprintln!("{line}"));
    }

    fn stage(&mut self, name: &str) {
        self.bar.set_message(name.to_owned());
        self.bar.enable_steady_tick(Duration::from_millis(100));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
