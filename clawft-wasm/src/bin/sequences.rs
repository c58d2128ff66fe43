//! As many random sequences of events of the machine as are wanted, and the memory they took:
//! `machine-sequences COUNT [FROM]`. A sequence is its seed: one that fails is run again by it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Instant;

mod api {
    pub use clawft_wasm::machine::{Effect, Event, HttpFault, Machine, Snapshot, StoreFault};
    pub use clawft_wasm::types::{AgentError, Config, ErrorCode, Session};
}
#[path = "../machine/tests/sequences.rs"]
mod sequences;
#[path = "../machine/tests/store.rs"]
mod store;

/// Bytes that the limits allow: a message, a history, the results of a turn, and what is read of a
/// reply.
const LIMITS: usize = 65_536 + 1_048_576 + 1_048_576 + 4_194_304;

/// The system's allocator, with what is live and the most of it.
struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is handed on as it is; `realloc` is that of the trait, by the other two.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let live = LIVE.fetch_add(layout.size(), Relaxed) + layout.size();
        PEAK.fetch_max(live, Relaxed);
        // SAFETY: handed on to our caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Relaxed);
        // SAFETY: handed on to our caller.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() -> ExitCode {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse::<u64>());
    let (Some(Ok(count)), from) = (numbers.next(), numbers.next().unwrap_or(Ok(1))) else {
        eprintln!("give the number of sequences, and the first seed if it is not 1");
        return ExitCode::from(2);
    };
    let Ok(from) = from else {
        eprintln!("the first seed is a number");
        return ExitCode::from(2);
    };
    let begun = Instant::now();
    let (mut before, mut most, mut most_at) = (0, 0, from);
    let outcome = sequences::run(from..from + count, &mut |seed, is_over| {
        if !is_over {
            before = LIVE.load(Relaxed);
            PEAK.store(before, Relaxed);
            return;
        }
        let taken = PEAK.load(Relaxed) - before;
        if taken > most {
            (most, most_at) = (taken, seed);
        }
    });
    let seconds = begun.elapsed().as_secs_f64();
    let limit = 8 * LIMITS;
    println!(
        "{count} sequences from seed {from}: {} events, {} answers, {} cancelled, {seconds:.1} s; \
         at most {most} bytes (seed {most_at}), {limit} allowed",
        outcome.events, outcome.done, outcome.cancelled
    );
    ExitCode::from(u8::from(most > limit))
}
