//! The memory profile of the real agent.

use super::{shipped, transcript};
use build_support::wasm::layout::{FoundBy, Layout, Place};
use lab::memory::{self, Plan, Subject};

/// `STACK` in the agent's build script.
const STACK: u64 = 256 * 1024 + SPARE;

/// What the linker is asked for besides, so that low memory is never reached (ADR 9).
const SPARE: u64 = 1_024;

/// Protects the two ways of finding the stack, which must agree, and the order of what is seen in a
/// run.
#[test]
fn the_agents_memory() {
    let subjects = ["wasm32-wasip2", "wasm32-wasip1"].map(|target| {
        let files = shipped(target);
        Subject {
            label: target.to_owned(),
            file: files.shipped,
            linked: Some(files.linked),
            initialised: false,
        }
    });
    let transcript = transcript();
    let plan = Plan {
        subjects: &subjects,
        transcript: &transcript,
        rounds: 3,
    };
    let profile = memory::run(&plan, &mut |_| {}).unwrap();
    assert_eq!(profile.messages, transcript.messages.len() as u64);
    for file in &profile.files {
        let named = file.linked.as_ref().unwrap();
        let main = file
            .modules
            .iter()
            .find(|module| !module.memories.is_empty());
        let main = main.unwrap();
        stack(named, FoundBy::Name);
        stack(main, FoundBy::FirstMutable);
        assert!(main.data_bytes() < named.data_bytes(), "{}", file.label);
        assert!(main.segments.iter().all(|segment| segment.zeros == 0));
        let run = &file.run;
        let initial = main.memories[0].initial_pages * main.memories[0].page_bytes;
        assert!(run.instance >= initial, "{run:?}");
        let rising = [run.instance, run.configured, run.played, run.repeated];
        assert!(rising.is_sorted(), "{run:?}");
        assert!(run.repeated.is_multiple_of(65_536), "{run:?}");
        assert!(run.answered >= 12 && run.answered < profile.messages);
    }
    let used = profile.files[1].run.stack.unwrap();
    assert!(used > 100 && used < STACK, "{used} bytes of stack");
    assert_eq!(profile.files[0].run.stack, None);
}

#[track_caller]
fn stack(module: &Layout, found_by: FoundBy) {
    let stack = module.stack.as_ref().unwrap();
    assert_eq!(
        (stack.found_by, stack.place, stack.bytes),
        (found_by, Place::First, STACK)
    );
}
