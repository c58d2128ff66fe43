//! Many seeds on all cores, what came of them, and how to run one of them again.
//!
//! - `DIFFERENTIAL=N`: about N programs in all instead of [`TOTAL`].
//! - `DIFFERENTIAL_FROM=S`: seeds from S on instead of 0.
//! - `DIFFERENTIAL_SEED=S`: this one alone; its files are kept whatever comes of it.

use super::runner::{End, Run};
use std::fmt;
use std::io::Write as _;
use std::ops::{AddAssign, Range};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Programs in one run of all campaigns.
pub const TOTAL: u64 = 2_600;

/// After so many failures a campaign ends: they mostly have one cause.
const ENOUGH: usize = 10;

/// What was done, to see that it was not nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tally {
    /// Programs.
    pub programs: u64,
    /// Files compared with the linked ones.
    pub variants: u64,
    /// Calls made of each file.
    pub calls: u64,
    /// Calls that returned.
    pub returned: u64,
    /// Calls that panicked.
    pub panicked: u64,
    /// Calls that trapped without a panic.
    pub trapped: u64,
    /// Calls of the host.
    pub host: u64,
    /// Programs the tool refuses for what they use.
    pub refused: u64,
    /// Programs with operators that were carried past the optimiser.
    pub carried: u64,
    /// Programs that were left alone, for they do not end.
    pub endless: u64,
    /// Functions, table slots, bytes of data and pieces of code that were found dead.
    pub dead: [u64; 4],
}

/// Runs `check` on each seed. `share` is how many of [`TOTAL`] programs are this campaign's.
pub fn run(
    kind: &str,
    share: u64,
    regressions: &[u64],
    check: impl Fn(u64) -> Result<Tally, String> + Sync,
) -> Tally {
    let seeds = seeds(share);
    let all: Vec<u64> = match only() {
        Some(seed) => vec![seed],
        None => regressions.iter().copied().chain(seeds.clone()).collect(),
    };
    let (next, total) = (AtomicU64::new(0), Mutex::new(Tally::default()));
    let failures = Mutex::new(Vec::new());
    let work = || {
        while let Some(seed) = all.get(next.fetch_add(1, Ordering::Relaxed) as usize) {
            match check(*seed) {
                Ok(tally) => *total.lock().unwrap() += tally,
                Err(what) => failures.lock().unwrap().push(format!(
                    "seed {seed}: {what}\n  again: DIFFERENTIAL_SEED={seed} cargo test -p build-support --test it differential::{kind}"
                )),
            }
            if failures.lock().unwrap().len() >= ENOUGH {
                break;
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    let (total, failures) = (total.into_inner().unwrap(), failures.into_inner().unwrap());
    let header = format!(
        "{kind}: seeds {}..{} and {} regressions: {total}",
        seeds.start,
        seeds.end,
        regressions.len()
    );
    // Not `eprintln`, which is heard only where a test fails: what was run is to be seen in every
    // log.
    let _ = writeln!(std::io::stderr(), "{header}");
    assert!(failures.is_empty(), "{header}\n{}", failures.join("\n"));
    total
}

fn seeds(share: u64) -> Range<u64> {
    let total = number("DIFFERENTIAL").unwrap_or(TOTAL);
    let first = number("DIFFERENTIAL_FROM").unwrap_or(0);
    first..first + (total * share).div_ceil(TOTAL)
}

/// The one seed that is wanted, if one is.
pub fn only() -> Option<u64> {
    number("DIFFERENTIAL_SEED")
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    match text.parse() {
        Ok(number) => Some(number),
        Err(_) => panic!("{variable}={text} is no number"),
    }
}

/// A folder for the files of a seed.
pub fn folder(kind: &str, seed: u64) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("differential/{kind}-{seed}"));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Keeps the files of a failing seed, and says where.
pub fn keep(kind: &str, seed: u64, files: &[(&str, &[u8])]) -> String {
    let folder = folder(kind, seed);
    for (name, bytes) in files {
        std::fs::write(folder.join(name), bytes).unwrap();
    }
    format!("files in {}", folder.display())
}

impl Tally {
    /// What one run of a program was.
    pub fn of(run: &Run, variants: usize) -> Self {
        let count = |wanted: fn(&End) -> bool| {
            run.calls.iter().filter(|seen| wanted(&seen.end)).count() as u64
        };
        Self {
            programs: 1,
            variants: variants as u64,
            calls: run.calls.len() as u64,
            returned: count(|end| matches!(end, End::Returned(_))),
            panicked: count(|end| matches!(end, End::Panicked)),
            trapped: count(|end| matches!(end, End::Trapped(_))),
            host: run.calls.iter().map(|seen| seen.host.len() as u64).sum(),
            refused: 0,
            carried: 0,
            endless: 0,
            dead: [0; 4],
        }
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.programs += other.programs;
        self.variants += other.variants;
        self.calls += other.calls;
        self.returned += other.returned;
        self.panicked += other.panicked;
        self.trapped += other.trapped;
        self.host += other.host;
        self.refused += other.refused;
        self.carried += other.carried;
        self.endless += other.endless;
        for (sum, more) in self.dead.iter_mut().zip(other.dead) {
            *sum += more;
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [functions, slots, bytes, cuts] = self.dead;
        write!(
            f,
            "{} programs ({} refused, {} carried, {} endless), {} files made of them, {} calls of each: {} returned, {} panicked, \
             {} trapped, {} calls of the host; dead: {functions} functions, {slots} slots, {bytes} bytes of \
             data, {cuts} pieces of code",
            self.programs,
            self.refused,
            self.carried,
            self.endless,
            self.variants,
            self.calls,
            self.returned,
            self.panicked,
            self.trapped,
            self.host
        )
    }
}
