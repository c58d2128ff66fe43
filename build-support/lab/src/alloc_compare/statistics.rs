//! What a traced agent counted, read as a host reads it: from linear memory by the record's layout
//! (`clawft-wasm/src/alloc_trace/statistics.rs`), or from a component through its interface.

use super::exports::Export;
use build_support::agent::host::Host;
use serde::{Deserialize, Serialize};
use serde_json::json;
use wasmtime::component::Val;

/// The interface of a traced component.
const INTERFACE: &str = "clawft:agent/allocations@0.1.0";

/// The version of the record that is read here, and its length in bytes.
const VERSION: u32 = 1;
const LENGTH: usize = 144;

/// How many numbers of 8 bytes stand behind version and length.
const NUMBERS: usize = (LENGTH - 8) / 8;

/// What the allocator was asked for, as the agent documents it. Sizes in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statistics {
    /// Allocations of at most 64, 256, 1,024, 4,096 bytes, and of more.
    pub by_size: [u64; 5],
    /// All of them.
    pub allocations: u64,
    /// Blocks given back.
    pub deallocations: u64,
    /// Blocks resized.
    pub reallocations: u64,
    /// Calls that were refused.
    pub failed: u64,
    /// Blocks that are alive.
    pub live_blocks: u64,
    /// Their bytes.
    pub live_bytes: u64,
    /// The most there were.
    pub peak_live_bytes: u64,
    /// By allocations and reallocations.
    pub allocated_bytes: u64,
    /// By deallocations and reallocations.
    pub freed_bytes: u64,
    /// All of the memory.
    pub linear_memory_bytes: u64,
    /// What of it was grown.
    pub heap_bytes: u64,
    /// What of that even the peak did not use, in parts per million.
    pub fragmentation_ppm: u64,
}

impl Statistics {
    /// Reads them from what runs in `host`.
    ///
    /// # Errors
    /// A sentence, where it is not traced or its record is another than ours.
    pub fn read(host: &mut Host) -> Result<Self, String> {
        let numbers = match host.core() {
            Some(_) => numbers_of_core(host),
            None => numbers_of_component(host),
        };
        numbers.map(Self::of)
    }

    /// Has it begin anew.
    ///
    /// # Errors
    /// A sentence, where it is not traced.
    pub fn reset(host: &mut Host) -> Result<(), String> {
        let export = match host.core() {
            Some(_) => Export::find(host, "clawft_alloc_reset")?,
            None => Export::find_in(host, INTERFACE, "reset")?,
        };
        export.call(host, &[]).map(drop)
    }

    /// The numbers are in the order of the fields.
    fn of(numbers: [u64; NUMBERS]) -> Self {
        let (by_size, rest) = numbers.split_at(5);
        let fields = std::iter::once(json!(by_size)).chain(rest.iter().map(|n| json!(n)));
        serde_json::from_value(fields.collect()).expect("as many numbers as fields")
    }
}

fn numbers_of_core(host: &mut Host) -> Result<[u64; NUMBERS], String> {
    let at = Export::find(host, "clawft_alloc_statistics")?.call(host, &[])? as usize;
    let Some((store, instance)) = host.core() else {
        return Err("it is no core module".to_owned());
    };
    let memory = instance.get_memory(&mut *store, "memory");
    let memory = memory.ok_or("it does not export `memory`")?.data(&*store);
    let record = memory
        .get(at..at + LENGTH)
        .ok_or("the record reaches outside the memory")?;
    decode(record)
}

/// The numbers of the record in `bytes`.
fn decode(bytes: &[u8]) -> Result<[u64; NUMBERS], String> {
    let (words, _) = bytes.as_chunks::<4>();
    let head: Vec<u32> = words
        .iter()
        .take(2)
        .map(|w| u32::from_le_bytes(*w))
        .collect();
    if head != [VERSION, LENGTH as u32] {
        return Err(format!(
            "its record has version and length {head:?}, and [{VERSION}, {LENGTH}] is what is understood"
        ));
    }
    let (numbers, _) = bytes[8..].as_chunks::<8>();
    let numbers: Vec<u64> = numbers.iter().map(|n| u64::from_le_bytes(*n)).collect();
    numbers
        .try_into()
        .map_err(|_| format!("its record is not {LENGTH} bytes long"))
}

fn numbers_of_component(host: &mut Host) -> Result<[u64; NUMBERS], String> {
    let Export::Component(func) = Export::find_in(host, INTERFACE, "read")? else {
        return Err("it is no component".to_owned());
    };
    let mut results = [Val::Bool(false)];
    func.call(host.store(), &[], &mut results)
        .map_err(|error| format!("{error:#}"))?;
    let mut numbers = Vec::new();
    flatten(&results[0], &mut numbers);
    let found = numbers.len();
    numbers
        .try_into()
        .map_err(|_| format!("its statistics are {found} numbers, and not {NUMBERS}"))
}

/// The record's fields are in the same order on both targets.
fn flatten(value: &Val, numbers: &mut Vec<u64>) {
    match value {
        Val::U64(number) => numbers.push(*number),
        Val::Tuple(values) => values.iter().for_each(|value| flatten(value, numbers)),
        Val::Record(fields) => fields.iter().for_each(|(_, value)| flatten(value, numbers)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::{LENGTH, NUMBERS, Statistics, decode};

    fn record(version: u32, length: u32) -> Vec<u8> {
        let numbers = (1..=NUMBERS as u64).flat_map(u64::to_le_bytes);
        let head = [version, length].into_iter().flat_map(u32::to_le_bytes);
        head.chain(numbers).collect()
    }

    /// Protects the layout: each field from its own place.
    #[test]
    fn fields_are_where_the_agent_puts_them() {
        let bytes = record(1, LENGTH as u32);
        assert_eq!(bytes.len(), LENGTH);
        let read = Statistics::of(decode(&bytes).unwrap());
        assert_eq!(read.by_size, [1, 2, 3, 4, 5]);
        assert_eq!([read.allocations, read.failed, read.live_bytes], [6, 9, 11]);
        assert_eq!([read.peak_live_bytes, read.freed_bytes], [12, 14]);
        assert_eq!([read.heap_bytes, read.fragmentation_ppm], [16, 17]);
    }

    #[test]
    fn another_layout_is_refused() {
        assert!(decode(&record(2, LENGTH as u32)).is_err());
        assert!(decode(&record(1, 152)).is_err());
        assert!(decode(&record(1, LENGTH as u32)[..100]).is_err());
        assert!(decode(&[]).is_err());
    }
}
