//! Random sequences of events, from fixed seeds: no panic, and each comes to an end.

use clawft_types::AgentError;

use super::*;

/// As many sequences as a test run has time for; `MACHINE_SEQUENCES` for more, `MACHINE_FROM` for
/// others.
const SEQUENCES: u64 = 4_000;

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

const CONFIGS: [&str; 4] = [
    r#"{"limits":{"max_tool_rounds":3},"providers":[{"kind":"openai"},{"kind":"anthropic"}]}"#,
    r#"{"limits":{"max_tool_rounds":3,"max_history":4},"providers":[{"kind":"anthropic"}]}"#,
    r#"{"limits":{"max_tokens_per_turn":30},"providers":[{"kind":"openai","stream":false}]}"#,
    r#"{"limits":{"max_tool_rounds":2}}"#,
];

const PIECES: [&str; 16] = [
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

const TEXTS: [&str; 5] = [
    "hello",
    "",
    "list\nthen\nlist",
    "/tool x\n/tool memory_read",
    "{",
];

/// An event that answers `effect`, well or badly; now and then one that does not.
fn event<'a>(random: &mut Random, effect: &'a Effect, store: &Store) -> Event<'a> {
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
        Effect::Append { .. } | Effect::Replace { .. } => Event::Saved(match random.below(4) {
            0 => Err(StoreFault::Conflict),
            1 => Err(StoreFault::Failed(error())),
            _ => Ok(random.below(1000)),
        }),
        Effect::Tools(calls) => {
            let id = calls
                .get(random.below(3) as usize)
                .map_or("c2", |call| call.id.as_str());
            let outcome = if random.below(3) == 0 {
                Err(error())
            } else {
                Ok("x".repeat(random.below(90) as usize))
            };
            Event::Tool { id, outcome }
        }
        Effect::Http(_) => match random.below(8) {
            0 => Event::HttpFailed(HttpFault::Broken),
            1 => Event::HttpFailed(HttpFault::TooLarge),
            2 => Event::Head {
                status: random.pick(&[400, 401, 413, 429, 500, 302]),
                headers: &[],
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
            _ => Event::Body(random.pick(&PIECES).as_bytes()),
        },
        Effect::Wait { .. } => Event::Tick(random.below(2_000_000)),
        Effect::Done(_) | Effect::Failed(_) => super::message(random.pick(&TEXTS)),
    }
}

#[test]
fn random_events_come_to_an_end() {
    let number = |name: &str| {
        std::env::var(name)
            .ok()
            .map(|value| value.parse().expect("a number"))
    };
    let count = number("MACHINE_SEQUENCES").unwrap_or(SEQUENCES);
    let from = number("MACHINE_FROM").unwrap_or(1);
    let mut store = Store::default();
    run(
        &mut machine("{}"),
        &mut store,
        &mut Vec::new(),
        "list\nthen\nlist",
    )
    .0
    .unwrap();
    let (mut done, mut ended) = (0, 0);
    for seed in from..from + count {
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let mut machine = machine(random.pick(&CONFIGS));
        let mut effect = machine.step(super::message(random.pick(&TEXTS)));
        for _ in 0..random.below(60) {
            let next = machine.step(event(&mut random, &effect, &store));
            // What is unexpected leaves what was outstanding as it was.
            if !matches!(&next, Effect::Failed(error) if error.code == ErrorCode::UnexpectedEvent) {
                done += u64::from(matches!(next, Effect::Done(_)));
                effect = next;
            }
        }
        if !matches!(effect, Effect::Done(_) | Effect::Failed(_)) {
            let mut end = machine.step(Event::Cancel);
            if matches!(end, Effect::Append { .. }) {
                // What was asked is kept, unless it is cancelled as well.
                end = machine.step(Event::Cancel);
            }
            let Effect::Failed(error) = end else {
                panic!("seed {seed}: cancelled and goes on");
            };
            assert_eq!(error.code, ErrorCode::Cancelled, "seed {seed}");
            ended += 1;
        }
        let next = machine.step(super::message("hello"));
        assert!(matches!(next, Effect::Load { .. }), "seed {seed}: {next:?}");
    }
    assert!(
        done > count / 5 && ended > count / 50,
        "{done} {ended}: the events are too bad"
    );
}
