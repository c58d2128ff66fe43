//! What only an operating system knows: where data goes, and what time it is. Native only.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

/// The folder the agent works in unless it is told another: `clawft` in the user's data folder
/// (`~/.local/share/clawft` on Linux); `None` where the user has no home.
pub fn default_root() -> Option<PathBuf> {
    dirs::data_dir().map(|folder| folder.join("clawft"))
}

/// Milliseconds since the Unix epoch; 0 if the clock stands before it.
pub fn now_ms() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_clock_runs() {
        assert!(super::now_ms() > 1_700_000_000_000);
    }
}
