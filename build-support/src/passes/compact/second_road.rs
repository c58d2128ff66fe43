//! Another road through Binaryen: blocks taken apart and put together anew before the same passes.
//! A candidate, no more: it is smaller as often as not.

use crate::wasm::features::Known;
use wasm_opt::{OptimizationOptions, Pass};

/// The features whose code can be taken apart. With others Binaryen ends the process.
const TAKEN_APART: &[&str] = &[
    "mutable-globals",
    "nontrapping-float-to-int",
    "sign-ext",
    "bulk-memory",
    "reference-types",
    "simd",
    "extended-const",
];

/// How many bytes the largest function may have. Taken apart each value is a local, and Binaryen
/// takes the square of their number: 0.6 s for 15 KB of sums, 4 s for 30 KB, 25 s for 60 KB.
const LARGEST: u64 = 16 << 10;

/// A road: what it is called in reports, and the runs of the optimiser, one after the other.
pub struct Road {
    /// Its name.
    pub name: &'static str,
    /// The first runs, after which is known whether it is worth the last.
    pub first: Vec<OptimizationOptions>,
    /// The same passes as often as they make it smaller, which takes most of the time.
    pub last: OptimizationOptions,
}

/// What the last run may be expected to give at most: the n-th part.
const GIVES: u64 = 50;

/// Whether a road may still lead to less than `least`, where its first runs led to `size`.
pub fn is_promising(size: u64, least: u64) -> bool {
    size - size / GIVES <= least
}

/// The roads besides the plain one for a module that uses these features. With `low_memory_unused`
/// the optimiser may fold constants into offsets, to which [`low_memory`](super::low_memory) gives
/// the right. `largest` is its largest function, in bytes.
pub fn all(
    features: &[Known],
    with_names: bool,
    low_memory_unused: bool,
    largest: u64,
) -> Vec<Road> {
    let [apart, once, last] = runs(features, with_names, low_memory_unused);
    let mut roads = Vec::new();
    if low_memory_unused {
        roads.push(Road {
            name: "wasm-opt 116 (built in) with low memory unused",
            first: vec![once.clone()],
            last: last.clone(),
        });
    }
    let mut known = features.iter();
    if largest <= LARGEST && known.all(|known| TAKEN_APART.contains(&known.name)) {
        roads.push(Road {
            name: "wasm-opt 116 (built in) on code taken apart",
            first: vec![apart, once],
            last,
        });
    }
    roads
}

fn runs(features: &[Known], with_names: bool, low_memory_unused: bool) -> [OptimizationOptions; 3] {
    // Default passes come first in a run, and `flatten` must.
    let mut apart = OptimizationOptions::new_optimize_for_size_aggressively();
    apart.add_default_passes(false);
    apart.add_pass(Pass::Flatten).add_pass(Pass::Rereloop);
    let mut once = OptimizationOptions::new_optimize_for_size_aggressively();
    once.low_memory_unused(low_memory_unused);
    let mut last = once.clone();
    last.set_converge();
    [apart, once, last].map(|mut options| {
        options.mvp_features_only();
        options.debug_info(with_names);
        for feature in features {
            feature.enable(&mut options);
        }
        options
    })
}
