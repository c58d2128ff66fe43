//! A fault at each effect of a turn, each of every kind there is.

use clawft_types::AgentError;

use super::*;

/// The last of a turn that was stopped, or how it ended.
#[derive(Debug)]
enum End {
    Done(Box<Answer>),
    Failed(ErrorCode),
    Dropped,
}

/// What goes wrong at an effect: the events that answer it are these instead.
type Wrong = fn(&Effect) -> Option<Event<'static>>;

fn failed() -> Box<AgentError> {
    AgentError::new(ErrorCode::Io, "it failed", &[])
}

/// Every way in which each effect can go wrong; `None` where this is no fault of that effect.
const WRONG: [Wrong; 17] = [
    |_| Some(Event::Cancel),
    |effect| match effect {
        Effect::Load { session, .. } => Some(Event::Loaded {
            snapshot: Box::new(Snapshot::new(session)),
            outcome: Err(failed()),
        }),
        _ => None,
    },
    |effect| saving(effect).then(|| Event::Saved(Err(StoreFault::Failed(failed())))),
    |effect| match effect {
        // The tools of the script are called in an order that is known.
        Effect::Tools(calls) => calls.first().map(|call| Event::Tool {
            id: if call.id == "c1" { "c1" } else { "c2" },
            outcome: Err(failed()),
        }),
        _ => None,
    },
    |effect| fault(effect, HttpFault::Connect),
    |effect| fault(effect, HttpFault::Tls),
    |effect| fault(effect, HttpFault::TimedOut),
    |effect| fault(effect, HttpFault::Broken),
    |effect| fault(effect, HttpFault::TooLarge),
    |effect| fault(effect, HttpFault::NotAllowed),
    |effect| fault(effect, HttpFault::NoKey),
    |effect| fault(effect, HttpFault::Interrupted),
    |effect| fault(effect, HttpFault::Unsupported),
    |effect| head(effect, 500),
    |effect| head(effect, 401),
    |effect| reading(effect).then_some(Event::End),
    |effect| reading(effect).then_some(Event::Body(b"data: \xff\n\n")),
];

fn saving(effect: &Effect) -> bool {
    matches!(effect, Effect::Append(_) | Effect::Replace(_))
}

fn reading(effect: &Effect) -> bool {
    matches!(effect, Effect::Receive | Effect::Delta { .. })
}

fn fault(effect: &Effect, fault: HttpFault) -> Option<Event<'static>> {
    (reading(effect) || matches!(effect, Effect::Http(_))).then_some(Event::HttpFailed(fault))
}

fn head(effect: &Effect, status: u16) -> Option<Event<'static>> {
    const HEADERS: &[(&str, &[u8])] = &[("content-type", b"application/json")];
    matches!(effect, Effect::Http(_)).then_some(Event::Head {
        status,
        headers: HEADERS,
    })
}

/// Runs a turn of three rounds; at the effect with the number `at` it goes wrong, or is dropped.
/// Gives the end and how many effects there were; `None` if this goes wrong nowhere there.
fn turn(store: &mut Store, at: usize, wrong: Option<Wrong>) -> Option<(End, usize)> {
    let mut machine = asking("openai");
    let (mut rest, mut round) = (Vec::new(), 0);
    let mut effect = machine.step(message("hello"));
    let mut is_wrong = false;
    for number in 0.. {
        match effect {
            Effect::Done(answer) => {
                return (is_wrong || at == usize::MAX).then_some((End::Done(answer), number));
            }
            Effect::Failed(error) => return Some((End::Failed(error.code), number)),
            _ => {}
        }
        if number == at {
            match wrong {
                None => return Some((End::Dropped, number)),
                Some(wrong) => {
                    let event = wrong(&effect)?;
                    round += usize::from(matches!(effect, Effect::Tools(_)));
                    is_wrong = true;
                    effect = machine.step(event);
                    continue;
                }
            }
        }
        effect = match effect {
            Effect::Http(_) => {
                // One that went wrong is asked again: the reply begins anew.
                rest = script()[round].clone();
                machine.step(Event::Head {
                    status: 200,
                    headers: &[("content-type", b"text/event-stream".as_slice())],
                })
            }
            Effect::Receive | Effect::Delta { .. } => {
                if rest.is_empty() {
                    machine.step(Event::End)
                } else {
                    machine.step(Event::Body(rest.remove(0).as_bytes()))
                }
            }
            Effect::Tools(calls) => {
                round += 1;
                let mut effect = Effect::Tools(Vec::new());
                for call in &calls {
                    let outcome = Ok(call.name.clone());
                    effect = machine.step(Event::Tool {
                        id: &call.id,
                        outcome,
                    });
                }
                effect
            }
            Effect::Wait { .. } => machine.step(Event::Tick(1_000_002)),
            other => store.serve(&mut machine, other),
        };
    }
    None
}

/// The bodies of three replies, in their parts.
fn script() -> Vec<Vec<String>> {
    let mut bodies = Vec::new();
    for scene in [
        calls(&["memory_read"]),
        calls(&["list_directory"]),
        says("done"),
    ] {
        let Scene::Reply(_, _, body) = scene else {
            panic!("no reply");
        };
        bodies.push(body);
    }
    bodies
}

/// Whatever goes wrong, and wherever: the store has whole turns, the turn has one end, and the next
/// turn is answered.
#[test]
fn each_single_fault_of_a_turn_leaves_whole_turns() {
    let mut before = Store::default();
    run(&mut machine("{}"), &mut before, &mut Vec::new(), "earlier")
        .0
        .unwrap();
    let (end, effects) = turn(&mut before.clone(), usize::MAX, None).expect("a turn");
    assert!(matches!(end, End::Done(answer) if answer.message.content == "done"));
    assert!(effects > 15, "{effects}");
    let mut faults = 0;
    for at in 0..effects {
        let ways = WRONG.iter().map(|wrong| Some(*wrong)).chain([None]);
        for wrong in ways {
            let mut store = before.clone();
            let Some((end, _)) = turn(&mut store, at, wrong) else {
                continue;
            };
            faults += 1;
            let turns = store.load("s").session.turns;
            let answered = matches!(end, End::Done(_));
            // The last effect is the one that saves.
            let saving_failed = at + 1 == effects;
            match end {
                End::Done(answer) => {
                    assert_eq!(turns, if answer.not_persisted.is_some() { 1 } else { 2 });
                }
                // It is kept, unless it did not begin.
                End::Failed(code) => {
                    let kept = u32::from(store.text.contains("\"failed\""));
                    assert_eq!(turns, 1 + kept, "{at}: {code:?}");
                    assert_eq!(at > 0, kept == 1 || saving_failed, "{at}: {code:?}");
                }
                End::Dropped => assert_eq!(turns, 1, "{at}"),
            }
            let (next, _) = run(&mut machine("{}"), &mut store, &mut Vec::new(), "later");
            let answered = answered && turns == 2;
            assert_eq!(next.unwrap().usage.history, if answered { 10 } else { 4 });
        }
    }
    assert!(faults > 150, "{faults}");
}

/// What answers nothing outstanding changes nothing.
#[test]
fn unexpected_events_change_nothing() {
    let mut machine = asking("openai");
    let mut store = Store::default();
    let (mut rest, mut round) = (Vec::new(), 0);
    let mut effect = machine.step(message("hello"));
    let mut refused = 0;
    let end = loop {
        for event in [
            Event::Loaded {
                snapshot: Box::new(Snapshot::new("s")),
                outcome: Ok(()),
            },
            Event::Saved(Ok(7)),
            Event::Tool {
                id: "c99",
                outcome: Ok(String::new()),
            },
            Event::Head {
                status: 200,
                headers: &[],
            },
            Event::Body(b"x"),
            Event::End,
            Event::HttpFailed(HttpFault::Broken),
            Event::Tick(5),
            message("again"),
        ] {
            let answers = matches!(
                (&effect, &event),
                (Effect::Load { .. }, Event::Loaded { .. })
                    | (Effect::Append(_) | Effect::Replace(_), Event::Saved(_))
                    | (Effect::Http(_), Event::Head { .. } | Event::HttpFailed(_))
                    | (
                        Effect::Receive | Effect::Delta { .. },
                        Event::Body(_) | Event::End | Event::HttpFailed(_)
                    )
                    | (Effect::Done(_), Event::Message { .. })
            );
            if !answers {
                let Effect::Failed(error) = machine.step(event) else {
                    panic!("taken at {effect:?}");
                };
                assert_eq!(error.code, ErrorCode::UnexpectedEvent);
                refused += 1;
            }
        }
        effect = match effect {
            Effect::Done(answer) => break answer,
            Effect::Http(_) => {
                rest = script()[round].clone();
                round += 1;
                machine.step(Event::Head {
                    status: 200,
                    headers: &[],
                })
            }
            Effect::Receive | Effect::Delta { .. } => {
                if rest.is_empty() {
                    machine.step(Event::End)
                } else {
                    machine.step(Event::Body(rest.remove(0).as_bytes()))
                }
            }
            Effect::Tools(calls) => {
                let outcome = Ok(String::from("x"));
                machine.step(Event::Tool {
                    id: &calls[0].id,
                    outcome,
                })
            }
            other => store.serve(&mut machine, other),
        };
    };
    assert_eq!(end.message.content, "done");
    assert!(refused > 100, "{refused}");
}
