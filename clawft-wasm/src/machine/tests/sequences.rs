//! Random sequences of events, from fixed seeds: no panic, and each comes to an end. A test run has
//! time for some; `machine-sequences` (`src/bin`) is for as many as are wanted.

use super::api::{AgentError, Effect, ErrorCode, Event, HttpFault, StoreFault};
use super::store::{Store, machine, message};

/// What sequences have come to.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Events, and answers among what came of them.
    pub events: u64,
    /// Turns with an answer.
    pub done: u64,
    /// Turns that were still going on at the end, and were cancelled.
    pub cancelled: u64,
}

struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        // xorshift64*
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) % end
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize]
    }
}

const CONFIGS: [&str; 7] = [
    r#"{"limits":{"max_tool_rounds":3},"web":{"allow":["docs.rs"]},"tools":{"memory_read":"ask"},"providers":[{"kind":"openai"}]}"#,
    r#"{"limits":{"max_tool_rounds":3},"web":{"allow":["docs.rs"]},"tools":{"memory_read":"ask"}}"#,
    r#"{"limits":{"max_tool_rounds":3},"providers":[{"kind":"openai","context_tokens":1024}]}"#,
    r#"{"limits":{"max_tool_rounds":3},"providers":[{"kind":"openai"},{"kind":"anthropic"}]}"#,
    r#"{"limits":{"max_tool_rounds":3,"max_history":4},"providers":[{"kind":"anthropic"}]}"#,
    r#"{"limits":{"max_tokens_per_turn":30},"providers":[{"kind":"openai","stream":false}]}"#,
    r#"{"limits":{"max_tool_rounds":2}}"#,
];

const PIECES: [&str; 18] = [
    "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"web_fetch\",\"arguments\":\"{\\\"url\\\":\\\"https://docs.rs/a\\\"\"}}]}}]}\n\n",
    "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":1,\"id\":\"b\",\"function\":{\"name\":\"memory_read\",\"arguments\":\"{}\"}}]}}]}\n\n",
    "data: {\"choices\":[{\"delta\":{\"content\":\"hi\"}}]}\n\n",
    "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"read_file\",\"arguments\":\"{\"}}]}}]}\n\n",
    "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"}\"}}]}}]}\n\n",
    "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":1}}\n\n",
    "data: [DONE]\n\n",
    "data: {\"error\":{\"message\":\"overloaded\"}}\n\n",
    "data: {\"type\":\"content_block_start\",\"index\":1,\"content_block\":{\"type\":\"tool_use\",\"id\":\"b\",\"name\":\"memory_read\",\"input\":{}}}\n\n",
    "data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"ho\"}}\n\n",
    "data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"thinking_delta\",\"thinking\":\"hm\"}}\n\n",
    "data: {\"type\":\"message_stop\"}\n\n",
    "{\"choices\":[{\"message\":{\"content\":\"whole\"}}]}",
    "{\"type\":\"message\",\"content\":[{\"type\":\"text\",\"text\":\"whole\"}]}",
    "\u{feff}: comment\r\n\r",
    "dat",
    "\n",
    "maximum context length",
];

const TEXTS: [&str; 6] = [
    "/tool memory_read\n/tool web_fetch {\"url\":\"https://docs.rs/\"}\n/tool list_directory\n/tool memory_read",
    "hello",
    "",
    "list\nthen\nlist",
    "/tool x\n/tool memory_read",
    "{",
];

/// An event that answers `effect`, well or badly; now and then one that does not.
fn event<'a>(random: &mut Random, effect: &'a Effect, store: &Store, large: &'a str) -> Event<'a> {
    let error = || AgentError::new(ErrorCode::Io, "it failed", &[]);
    if random.below(40) == 0 {
        return match random.below(4) {
            0 => Event::Cancel,
            1 => Event::End,
            2 => Event::Saved(Ok(random.below(9))),
            _ => Event::Tool {
                id: "c1",
                outcome: Ok(String::new()),
            },
        };
    }
    match effect {
        Effect::Load { session, .. } => Event::Loaded {
            snapshot: store.load(session),
            outcome: if random.below(9) == 0 {
                Err(error())
            } else {
                Ok(())
            },
        },
        Effect::Append(_) | Effect::Replace(_) => Event::Saved(match random.below(4) {
            0 => Err(StoreFault::Conflict),
            1 => Err(StoreFault::Failed(error())),
            _ => Ok(random.below(1000)),
        }),
        Effect::Ask(calls) => {
            let call = calls.get(random.below(3) as usize);
            let is_allowed = random.below(2) == 0;
            let id = call.map_or("c2", |call| call.id.as_str());
            Event::Decided { id, is_allowed }
        }
        Effect::Tools(calls) => {
            let id = calls
                .get(random.below(3) as usize)
                .map_or("c2", |call| call.id.as_str());
            let outcome = if random.below(3) == 0 {
                Err(error())
            } else {
                let length = if random.below(40) == 0 { 60_000 } else { 90 };
                Ok(large[..random.below(length) as usize].to_owned())
            };
            Event::Tool { id, outcome }
        }
        Effect::Http(_) => match random.below(8) {
            0 => Event::HttpFailed(HttpFault::Broken),
            1 => Event::HttpFailed(HttpFault::TooLarge),
            2 => Event::Head {
                status: random.pick(&[400, 401, 413, 429, 500, 302]),
                headers: &[("location", b"/b")],
            },
            3 => Event::Head {
                status: 200,
                headers: &[("content-type", b"application/json")],
            },
            _ => Event::Head {
                status: 200,
                headers: &[("content-type", b"text/event-stream")],
            },
        },
        Effect::Receive | Effect::Delta { .. } => match random.below(16) {
            0 => Event::HttpFailed(HttpFault::TimedOut),
            1 | 2 => Event::End,
            3 if random.below(20) == 0 => Event::Body(large.as_bytes()),
            _ => Event::Body(random.pick(&PIECES).as_bytes()),
        },
        Effect::Wait { .. } => Event::Tick(random.below(2_000_000)),
        Effect::Done(_) | Effect::Failed(_) => message(random.pick(&TEXTS)),
    }
}

/// Runs the sequences of these seeds; `each` is told before each and behind it.
pub fn run(seeds: std::ops::Range<u64>, each: &mut dyn FnMut(u64, bool)) -> Outcome {
    let mut store = Store::default();
    let mut first = machine("{}");
    let mut effect = first.step(message("hello"));
    while !matches!(effect, Effect::Done(_)) {
        effect = store.serve(&mut first, effect);
    }
    let mut outcome = Outcome::default();
    let large = "x".repeat(60_000);
    for seed in seeds {
        each(seed, false);
        one(seed, &store, &large, &mut outcome);
        each(seed, true);
    }
    outcome
}

fn one(seed: u64, store: &Store, large: &str, outcome: &mut Outcome) {
    let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let mut machine = machine(random.pick(&CONFIGS));
    let mut effect = machine.step(message(random.pick(&TEXTS)));
    for _ in 0..random.below(60) {
        outcome.events += 1;
        let next = machine.step(event(&mut random, &effect, store, large));
        // What is unexpected leaves what was outstanding as it was.
        if !matches!(&next, Effect::Failed(error) if error.code == ErrorCode::UnexpectedEvent) {
            outcome.done += u64::from(matches!(next, Effect::Done(_)));
            effect = next;
        }
    }
    if !matches!(effect, Effect::Done(_) | Effect::Failed(_)) {
        let mut end = machine.step(Event::Cancel);
        if matches!(end, Effect::Append(_)) {
            // What was asked is kept, unless it is cancelled as well.
            end = machine.step(Event::Cancel);
        }
        let Effect::Failed(error) = end else {
            panic!("seed {seed}: cancelled and goes on");
        };
        assert_eq!(error.code, ErrorCode::Cancelled, "seed {seed}");
        outcome.cancelled += 1;
    }
    let next = machine.step(message("hello"));
    assert!(matches!(next, Effect::Load { .. }), "seed {seed}: {next:?}");
}

#[cfg(test)]
mod tests {
    #[test]
    fn random_events_come_to_an_end() {
        let outcome = super::run(1..4001, &mut |_, _| {});
        assert!(
            outcome.done > 800 && outcome.cancelled > 80,
            "{outcome:?}: the events are too bad"
        );
    }
}
