//! One transcript through every engine and every build: the same answers everywhere, before and
//! after the pipeline, with every allocator.

use crate::engines::{Build, Component, Engine, Native, Node, Reactor, Wasmi, build, timeless};
use build_support::agent::preinit;
use build_support::config::Config;
use build_support::passes::{Job, pipeline};
use build_support::wasm::artifact::Artifact;
use serde_json::Value;
use std::path::Path;

/// `transcript.json`: plain talk, every tool, two sessions interleaved, unicode, and errors.
fn transcript() -> Value {
    serde_json::from_str(include_str!("../transcript.json")).unwrap()
}

/// Each message with its session.
fn messages(transcript: &Value) -> Vec<(&str, &str)> {
    let messages = transcript["messages"].as_array().unwrap().iter();
    messages
        .map(|sent| {
            let [session, message] = ["session", "message"].map(|key| sent[key].as_str().unwrap());
            (session, message)
        })
        .collect()
}

/// Every answer, and what was left in the folder.
#[derive(Debug, PartialEq)]
struct Outcome {
    answers: Vec<Value>,
    capabilities: Value,
    plan: String,
}

fn play(engine: &mut dyn Engine, root: &Path) -> Outcome {
    let transcript = transcript();
    engine.init(&transcript["config"].to_string()).unwrap();
    let answers = messages(&transcript)
        .into_iter()
        .map(|(session, message)| timeless(&engine.say(session, message)))
        .collect();
    Outcome {
        answers,
        capabilities: timeless(&engine.capabilities()),
        plan: std::fs::read_to_string(root.join("notes/plan.txt")).unwrap(),
    }
}

fn natively() -> Outcome {
    let root = tempfile::tempdir().unwrap();
    play(&mut Native::new(root.path()), root.path())
}

#[track_caller]
fn same(expected: &Outcome, name: &str, start: impl FnOnce(&Path) -> Box<dyn Engine>) {
    let root = tempfile::tempdir().unwrap();
    let actual = play(&mut *start(root.path()), root.path());
    for (i, (expected, actual)) in expected.answers.iter().zip(&actual.answers).enumerate() {
        let said = &transcript()["messages"][i];
        assert_eq!(actual, expected, "{name}, message {i}: {said:?}");
    }
    assert_eq!(actual.plan, expected.plan, "{name}");
    // The platform is the one thing that may differ between builds.
    let about = |outcome: &Outcome| {
        let mut about = outcome.capabilities.clone();
        about.as_object_mut().unwrap().remove("platform");
        about
    };
    assert_eq!(about(&actual), about(expected), "{name}");
}

/// Protects the comparison itself: a transcript of nothing but errors would be the same everywhere
/// too.
#[test]
fn the_transcript_says_something() {
    let outcome = natively();
    let ok = outcome
        .answers
        .iter()
        .filter(|answer| answer["ok"] == true)
        .count();
    assert!(ok >= 12, "{ok} answers are fine");
    assert!(outcome.answers.len() - ok >= 3, "and some are errors");
    assert_eq!(outcome.plan, "ship the pipeline");
    let text = serde_json::to_string(&outcome.answers).unwrap();
    for needle in [
        "grün 🟢 緑",
        "path_outside_sandbox",
        "unknown_tool",
        "empty_message",
        "invalid_session_name",
    ] {
        assert!(text.contains(needle), "{needle} in {text}");
    }
}

#[test]
fn wasip1_in_wasmtime_node_and_wasmi() {
    let expected = natively();
    let Build { shipped, linked } = build("wasm32-wasip1", &[]);
    same(&expected, "wasmtime", |root| {
        Box::new(Reactor::new(&shipped, root))
    });
    same(&expected, "wasmtime, before the pipeline", |root| {
        Box::new(Reactor::new(&linked, root))
    });
    same(&expected, "node", |root| {
        Box::new(Node::new(&shipped, root))
    });
    same(&expected, "wasmi", |root| {
        Box::new(Wasmi::new(&shipped, root))
    });
}

#[test]
fn wasip2_in_wasmtime() {
    let expected = natively();
    let Build { shipped, linked } = build("wasm32-wasip2", &[]);
    same(&expected, "component", |root| {
        Box::new(Component::new(&shipped, root))
    });

    let folder = tempfile::tempdir().unwrap();
    let wrapped = folder.path().join("unoptimised.wasm");
    std::fs::write(&wrapped, wrap(&linked)).unwrap();
    same(&expected, "component, before the pipeline", |root| {
        Box::new(Component::new(&wrapped, root))
    });
}

/// What the sweep proved dead is filled with poison instead of being removed: a wrong proof would
/// show in the answers.
#[test]
fn poisoned_in_every_engine() {
    let expected = natively();
    let folder = tempfile::tempdir().unwrap();
    let poisoned = |target: &str, wants_component: bool| {
        let linked = build(target, &[]).linked;
        let input = Artifact::read(&linked).unwrap();
        let mut config = Config::without_package("poisoned");
        config.snip.enabled = true;
        let analysis = pipeline::analyze(&config.snip, true, &linked, &input).unwrap();
        assert!(!analysis.swept().is_empty(), "{target}: nothing is dead");
        let job = Job {
            wants_component,
            poison: true,
            ..Job::new(&linked, analysis.plans)
        };
        let product = pipeline::run(&job, input, &mut |_| {}).unwrap();
        assert!(product.stages[1].note.starts_with("POISONED"));
        let file = folder.path().join(format!("{target}.wasm"));
        std::fs::write(&file, product.artifact.bytes()).unwrap();
        file
    };
    let reactor = poisoned("wasm32-wasip1", false);
    same(&expected, "poisoned, wasmtime", |root| {
        Box::new(Reactor::new(&reactor, root))
    });
    same(&expected, "poisoned, node", |root| {
        Box::new(Node::new(&reactor, root))
    });
    same(&expected, "poisoned, wasmi", |root| {
        Box::new(Wasmi::new(&reactor, root))
    });
    let component = poisoned("wasm32-wasip2", true);
    same(&expected, "poisoned component", |root| {
        Box::new(Component::new(&component, root))
    });
}

/// The agent as it is after `init` at build time.
struct Ready<E>(E);

impl<E: Engine> Engine for Ready<E> {
    /// It has been: whether it was is what is tested.
    fn init(&mut self, _: &str) -> Result<(), String> {
        Ok(())
    }

    fn say(&mut self, session: &str, message: &str) -> String {
        self.0.say(session, message)
    }

    fn capabilities(&mut self) -> String {
        self.0.capabilities()
    }
}

#[test]
fn pre_initialised_in_every_engine() {
    let expected = natively();
    let folder = tempfile::tempdir().unwrap();
    let ready = |target: &str| {
        let shipped = build(target, &[]).shipped;
        let plain = Artifact::read(&shipped).unwrap();
        let ready = preinit::run(&shipped, &plain, &transcript()["config"].to_string()).unwrap();
        assert_ne!(ready.bytes(), plain.bytes());
        let file = folder.path().join(format!("{target}.wasm"));
        std::fs::write(&file, ready.bytes()).unwrap();
        file
    };
    let reactor = ready("wasm32-wasip1");
    same(&expected, "pre-initialised, wasmtime", |root| {
        Box::new(Ready(Reactor::new(&reactor, root)))
    });
    same(&expected, "pre-initialised, node", |root| {
        Box::new(Ready(Node::new(&reactor, root)))
    });
    same(&expected, "pre-initialised, wasmi", |root| {
        Box::new(Ready(Wasmi::new(&reactor, root)))
    });
    let component = ready("wasm32-wasip2");
    same(&expected, "pre-initialised component", |root| {
        Box::new(Ready(Component::new(&component, root)))
    });
}

/// The linked module as a component, with no other pass in between.
fn wrap(linked: &Path) -> Vec<u8> {
    wit_component::ComponentEncoder::default()
        .module(&std::fs::read(linked).unwrap())
        .and_then(|encoder| encoder.encode())
        .unwrap()
}

/// A component made by something else: its core modules are optimised inside it, its world stays to
/// the letter, and it answers as before.
#[test]
fn a_finished_component_is_optimised_inside() {
    let Build { linked, .. } = build("wasm32-wasip2", &[]);
    let before = wrap(&linked);
    let name = Path::new("unoptimised.wasm");
    let input = Artifact::new(before.clone(), name).unwrap();
    let mut config = Config::without_package("unoptimised");
    config.snip.enabled = true;
    let plans = pipeline::analyze(&config.snip, false, name, &input)
        .unwrap()
        .plans;
    let job = Job::new(name, plans);
    let after = pipeline::run(&job, input, &mut |_| {}).unwrap().artifact;
    assert!(
        after.len() * 100 < before.len() as u64 * 70,
        "{} -> {} bytes",
        before.len(),
        after.len()
    );
    assert_eq!(world(after.bytes()), world(&before));
    assert!(
        world(&before).contains("export clawft:agent/agent@0.1.0;"),
        "{}",
        world(&before)
    );

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("optimised.wasm");
    std::fs::write(&file, after.bytes()).unwrap();
    same(&natively(), "component, optimised inside", |root| {
        Box::new(Component::new(&file, root))
    });
}

/// A component's world as WIT text.
fn world(component: &[u8]) -> String {
    let decoded = wit_component::decode(component).unwrap();
    let mut printer = wit_component::WitPrinter::default();
    printer
        .print(decoded.resolve(), decoded.package(), &[])
        .unwrap();
    printer.output.to_string()
}

#[test]
fn every_allocator_on_both_targets() {
    let expected = natively();
    for allocator in [
        "alloc-talc",
        "alloc-talc-small",
        "alloc-lol",
        "alloc-lol-free",
        "alloc-tracing",
    ] {
        let reactor = build("wasm32-wasip1", &[allocator]);
        same(&expected, allocator, |root| {
            Box::new(Reactor::new(&reactor.shipped, root))
        });
        let component = build("wasm32-wasip2", &[allocator]);
        same(&expected, allocator, |root| {
            Box::new(Component::new(&component.shipped, root))
        });
        let default = build("wasm32-wasip1", &[]);
        let read = |file: &Path| std::fs::read(file).unwrap();
        assert_ne!(
            read(&reactor.shipped),
            read(&default.shipped),
            "{allocator} changes the file"
        );
    }
}

/// A session outlives the instance: what one engine kept another one goes on with.
#[test]
fn sessions_are_restored_across_instances_and_engines() {
    let reactor = build("wasm32-wasip1", &[]);
    let component = build("wasm32-wasip2", &[]);
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    type Start<'a> = Box<dyn Fn() -> Box<dyn Engine> + 'a>;
    let engines: [(&str, Start<'_>); 4] = [
        ("native", Box::new(|| Box::new(Native::new(root)))),
        (
            "wasip1",
            Box::new(|| Box::new(Reactor::new(&reactor.shipped, root))),
        ),
        (
            "wasip2",
            Box::new(|| Box::new(Component::new(&component.shipped, root))),
        ),
        (
            "node",
            Box::new(|| Box::new(Node::new(&reactor.shipped, root))),
        ),
    ];
    for (turn, (name, start)) in engines.iter().enumerate() {
        let mut engine = start();
        engine.init("{}").unwrap();
        let answer = timeless(&engine.say("shared", "again"));
        assert_eq!(answer["ok"], true, "{name}: {answer}");
        assert_eq!(answer["persisted"], true, "{name}: {answer}");
        assert_eq!(
            answer["usage"]["history"],
            2 * (turn as u64 + 1),
            "{name}: {answer}"
        );
    }
}
