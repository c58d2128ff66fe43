//! `weft serve`: a bundle on this machine.

use super::{Result, say};
use crate::serve::bundle::Bundle;
use crate::serve::relay::Relay;
use crate::serve::store::Store;
use crate::serve::sync::Sync;
use crate::serve::{Server, Site};
use std::path::PathBuf;

/// How long a device waits for another, at most, in seconds.
const WAIT: u64 = 25;

#[derive(clap::Args)]
pub struct Opts {
    /// The bundle.
    #[arg(default_value = "target/bundle")]
    folder: PathBuf,
    /// The port on 127.0.0.1; 0 is any that is free.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Where the segments of devices are kept: file:./sync, or s3://bucket/prefix of any store that
    /// speaks S3, by the variables AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID and
    /// AWS_SECRET_ACCESS_KEY; without it nothing is synced.
    #[arg(long, value_name = "STORE")]
    store: Option<String>,
    /// A host that pages may read through /relay, for those that have no CORS; may be repeated.
    #[arg(long, value_name = "HOST")]
    relay_allow: Vec<String>,
    /// How long a device waits for another, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = WAIT, hide = true,
        value_parser = clap::value_parser!(u64).range(..=3600))]
    wait: u64,
}

/// Runs the command, which ends with Ctrl-C.
pub fn run(opts: &Opts) -> Result<bool> {
    let bundle = Bundle::open(&opts.folder)?;
    let wait = std::time::Duration::from_secs(opts.wait);
    let sync = match &opts.store {
        Some(store) => Some(Sync::new(Store::open(store)?, wait)),
        None => None,
    };
    let relay = Relay::new(&opts.relay_allow)?;
    end_well()?;
    let server = Server::start(Site::new(bundle, sync, relay), opts.port)?;
    say(&format!("http://127.0.0.1:{}/\n", server.port))?;
    server.join()?;
    Ok(true)
}

/// Ctrl-C, and being asked to end, are how this ends: whatever is written is whole at any moment.
#[cfg(unix)]
fn end_well() -> std::io::Result<()> {
    let ends = [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM];
    let mut signals = signal_hook::iterator::Signals::new(ends)?;
    std::thread::Builder::new()
        .name("weft-ctrl-c".to_owned())
        .spawn(move || {
            if signals.forever().next().is_some() {
                std::process::exit(0);
            }
        })?;
    Ok(())
}

#[cfg(not(unix))]
fn end_well() -> std::io::Result<()> {
    Ok(())
}
