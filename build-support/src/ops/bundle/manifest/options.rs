//! What an example has switched on.

use super::grants::OPS;
use super::reader::Reader;
use crate::config::mistakes::{code, suggestion};
use crate::ops::bundle::json::{Key, Node};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// The shortest time between two saves, and how few messages make code hot, in milliseconds and
/// messages.
const LEAST_INTERVAL: u64 = 1_000;
/// A day, in milliseconds.
const MOST_INTERVAL: u64 = 24 * 3_600 * 1_000;
/// How many turns may be in flight.
const TASKS: u64 = 16;
/// Bytes of a page of linear memory.
const PAGE: u64 = 65_536;
/// What 32 bits can address.
const MOST_MEMORY: u64 = 1 << 32;

/// What an example has switched on; absent is off.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Optimizations {
    /// The module is configured when the bundle is made.
    pub preinit: bool,
    /// Native hosts may move it to optimised code.
    pub jit: bool,
    /// … after so many messages.
    pub jit_hot_threshold: Option<u64>,
    /// What the agent writes is kept.
    pub persistence: bool,
    /// … at least so often, in milliseconds.
    pub auto_save_interval: Option<u64>,
    /// An image is taken at every call that is sent.
    pub snapshot: bool,
    /// Devices share sessions.
    pub sync: bool,
    /// How many turns may be in flight.
    pub tasks: u64,
    /// The most bytes of its linear memory.
    pub memory_maximum: Option<u64>,
}

/// The same with the places that later checks point at.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub options: Optimizations,
    pub hypercalls: Vec<(String, Range<usize>)>,
    pub memory_span: Range<usize>,
}

impl Reader<'_> {
    pub(super) fn options(&self, node: &Node<'_>) -> Read {
        let mut read = Read::default();
        let options = &mut read.options;
        options.tasks = 1;
        let mut without = Vec::new();
        for (key, node) in node.known(&[
            "preinit",
            "jit",
            "jitHotThreshold",
            "persistence",
            "autoSaveInterval",
            "snapshot",
            "sync",
            "tasks",
            "memoryMaximum",
            "hypercalls",
        ]) {
            match key.text {
                "preinit" => options.preinit = node.boolean(),
                "jit" => options.jit = node.boolean(),
                "jitHotThreshold" => {
                    let why = "how many messages make code hot";
                    options.jit_hot_threshold = node.whole(1..=1_000_000, why);
                    without.push((key, "jit"));
                }
                "persistence" => options.persistence = node.boolean(),
                "autoSaveInterval" => {
                    let why = "milliseconds; more often than once a second wears out a disk";
                    let range = LEAST_INTERVAL..=MOST_INTERVAL;
                    options.auto_save_interval = node.whole(range, why);
                    without.push((key, "persistence"));
                }
                "snapshot" => options.snapshot = node.boolean(),
                "sync" => {
                    options.sync = node.boolean();
                    if options.sync {
                        without.push((key, "persistence"));
                    }
                }
                "tasks" => {
                    let why = "how many turns may be in flight";
                    options.tasks = node.whole(1..=TASKS, why).unwrap_or(1);
                }
                "memoryMaximum" => {
                    read.memory_span = node.span();
                    options.memory_maximum = memory(&node);
                }
                _ => read.hypercalls = hypercalls(&node),
            }
        }
        needed(without, &read.options, node);
        read
    }
}

/// What does nothing without something else that is off.
fn needed(wanted: Vec<(Key<'_>, &str)>, options: &Optimizations, node: &Node<'_>) {
    for (key, needs) in wanted {
        let is_on = match needs {
            "jit" => options.jit,
            _ => options.persistence,
        };
        if !is_on {
            let message = format!("`{}` without `{needs}` in `{}`", key.text, node.path);
            key.mistake(code::CONFLICT, message)
                .label(format!("does nothing without `{needs}`"))
                .help(format!("add \"{needs}\": true, or remove it"));
        }
    }
}

/// Whole pages.
fn memory(node: &Node<'_>) -> Option<u64> {
    let bytes = node.size(MOST_MEMORY)?;
    if bytes.is_multiple_of(PAGE) {
        return Some(bytes);
    }
    let message = format!("`{}` is no whole number of pages", node.path);
    node.mistake(code::BAD_SIZE, message)
        .help("memory comes in pages of 64 KiB");
    None
}

fn hypercalls(node: &Node<'_>) -> Vec<(String, Range<usize>)> {
    let known = OPS.map(|op| op.name);
    let mut spans = Vec::new();
    let names = node.strings(|node, name| {
        let is_known = known.contains(&name);
        if is_known {
            spans.push(node.span());
        } else {
            node.mistake(code::BAD_NAME, format!("unknown host call `{name}`"))
                .help(suggestion(name, &known, "host calls"));
        }
        is_known
    });
    names.into_iter().zip(spans).collect()
}
