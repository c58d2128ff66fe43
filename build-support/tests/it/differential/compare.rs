//! Two runs of one workload, before and after a pass: the same, but for what a pass may change.
//!
//! What may change: a call that ended in a panic may end in any trap. A byte of memory that neither
//! run has written may hold anything: dead data is zeroed, or filled to show that nothing reads it.

use super::runner::{Call, End, Run, Seen};

/// What a trap that is no panic may become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Traps {
    /// A trap of the same kind.
    SameKind,
    /// Any trap at the same place among the effects: wasm-opt may turn the order of two around.
    AnyKind,
}

/// The first difference that is not allowed, in words.
pub fn run(calls: &[Call], before: &Run, after: &Run, traps: Traps) -> Result<(), String> {
    assert_eq!(
        (calls.len(), calls.len()),
        (before.calls.len(), after.calls.len())
    );
    for (number, (call, (one, other))) in calls
        .iter()
        .zip(before.calls.iter().zip(&after.calls))
        .enumerate()
    {
        same(one, other, traps)
            .and_then(|()| same_memory((before, one), (after, other)))
            .map_err(|what| {
                format!(
                    "call {number}, {:?}{:?}: {what}",
                    call.callee, call.arguments
                )
            })?;
    }
    Ok(())
}

fn same(before: &Seen, after: &Seen, traps: Traps) -> Result<(), String> {
    let both_stop = match before.end {
        End::Panicked => matches!(after.end, End::Panicked | End::Trapped(_)),
        End::Trapped(_) => traps == Traps::AnyKind && matches!(after.end, End::Trapped(_)),
        _ => false,
    };
    if !both_stop && before.end != after.end {
        return Err(format!("{:?} became {:?}", before.end, after.end));
    }
    if before.host != after.host {
        let at = before
            .host
            .iter()
            .zip(&after.host)
            .take_while(|(one, other)| one == other)
            .count();
        return Err(format!(
            "host call {at}: {:?} became {:?}",
            before.host.get(at),
            after.host.get(at)
        ));
    }
    if before.globals != after.globals {
        return Err(format!(
            "globals {:?} became {:?}",
            before.globals, after.globals
        ));
    }
    Ok(())
}

fn same_memory(before: (&Run, &Seen), after: (&Run, &Seen)) -> Result<(), String> {
    let byte = |(run, seen): (&Run, &Seen), at: u32| {
        let new = run.image.get(at as usize).copied().unwrap_or(0);
        seen.memory.get(&at).copied().unwrap_or(new)
    };
    for at in before.1.memory.keys().chain(after.1.memory.keys()) {
        let (one, other) = (byte(before, *at), byte(after, *at));
        if one != other {
            return Err(format!("memory at {at}: {one:#04x} became {other:#04x}"));
        }
    }
    Ok(())
}
