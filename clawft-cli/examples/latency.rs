//! How fast `weft` is at what a person waits for, against the scripted provider on this machine:
//! from its start to the request sent, and from the server's first event to the first word shown.
//!
//! `cargo run -p clawft-cli --example latency -- target/release/weft [SAMPLES]`
//!
//! Prints minimum, median and ninth decile in microseconds; the program's size in bytes.

use build_support::system::process;
use mock_provider::{Mock, Scenario};
use std::error::Error;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args_os().skip(1);
    let program = args.next().map(PathBuf::from);
    let program = program.ok_or("give the path of weft")?;
    let samples = match args.next() {
        Some(samples) => samples.to_string_lossy().parse()?,
        None => 50_usize,
    };
    let mut requests = Vec::new();
    let mut words = Vec::new();
    for _ in 0..samples {
        let (request, word) = sample(&program)?;
        requests.push(request);
        words.push(word);
    }
    println!(
        "bytes of the program           {}",
        program.metadata()?.len()
    );
    println!("start to the request sent      {}", figures(requests));
    println!("first event to the first word  {}", figures(words));
    Ok(())
}

/// One start of the program: until the request, and from the first event to the first word.
fn sample(program: &Path) -> Result<(Duration, Duration), Box<dyn Error>> {
    let mut exchanges = Scenario::named("plain")?.exchanges;
    for exchange in &mut exchanges {
        exchange.expect.contains.clear();
    }
    let mock = Mock::start(exchanges)?;
    let home = tempfile::tempdir()?;
    let config = home.path().join("config.toml");
    let url = mock.url();
    std::fs::write(
        &config,
        format!("[[providers]]\nkind = \"openai\"\nbase_url = \"{url}/v1\"\nkey_env = \"KEY\"\n"),
    )?;
    let mut command = process::command(program);
    command.env("KEY", "k").arg("--root").arg(home.path());
    command
        .arg("--config")
        .arg(&config)
        .args(["agent", "-m", "hi"]);
    let start = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut output = child.stdout.take().ok_or("no output")?;
    output.read_exact(&mut [0])?;
    let shown = Instant::now();
    let mut rest = String::new();
    output.read_to_string(&mut rest)?;
    if !child.wait()?.success() {
        return Err("weft failed".into());
    }
    let first = mock.first_bytes();
    let requests = mock.finish()?;
    let (Some(request), Some(first)) = (requests.first(), first.first()) else {
        return Err("no request came".into());
    };
    Ok((request.at - start, shown.saturating_duration_since(*first)))
}

fn figures(mut samples: Vec<Duration>) -> String {
    samples.sort();
    let at = |parts: usize| {
        let index = samples.len().saturating_sub(1) * parts / 10;
        samples.get(index).map_or(0, Duration::as_micros)
    };
    format!("min {} median {} p90 {} us", at(0), at(5), at(9))
}
