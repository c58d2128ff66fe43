//! The shipped component asks a provider through `wasi:http`: what a host gets to see of a request,
//! and what the agent makes of replies. The host is ours, so that every case can be had at once.

use crate::engines::build;
use serde_json::Value;
use std::collections::VecDeque;
use wasmtime::component::{
    Component, Linker, LinkerInstance, Resource, ResourceAny, ResourceTable, ResourceType, Val,
};
use wasmtime::{Engine, Store, StoreContextMut};
use wasmtime_wasi::p2::pipe::{MemoryInputPipe, MemoryOutputPipe};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, subscribe};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

/// What the host does at a request.
#[derive(Clone)]
enum Scene {
    /// A reply with this status and these headers, and its body.
    Reply(u16, Vec<(&'static str, &'static str)>, String),
    /// One of the interface's errors instead.
    Error(&'static str),
}

/// A request as it came.
struct Seen {
    headers: Vec<(String, String)>,
    method: String,
    scheme: String,
    authority: String,
    path: String,
    body: MemoryOutputPipe,
    timeouts: Vec<u64>,
}

struct State {
    wasi: WasiCtx,
    table: ResourceTable,
    scenes: VecDeque<Scene>,
    requests: Vec<Seen>,
    fields: Vec<Vec<(String, String)>>,
    replies: Vec<Scene>,
    /// Handles that the component holds.
    live: i64,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

/// The one type of all resources here; the interface's names keep them apart.
struct Thing;

type Context<'a> = StoreContextMut<'a, State>;

fn number(store: &mut Context<'_>, value: &Val) -> usize {
    let Val::Resource(any) = value else {
        panic!("no handle: {value:?}");
    };
    any.try_into_resource::<Thing>(store).unwrap().rep() as usize
}

fn own(store: &mut Context<'_>, number: usize) -> Val {
    store.data_mut().live += 1;
    let thing = Resource::<Thing>::new_own(u32::try_from(number).unwrap());
    Val::Resource(thing.try_into_resource_any(store).unwrap())
}

fn text(value: &Val) -> String {
    match value {
        Val::String(text) => text.clone(),
        Val::Option(Some(inner)) => text(inner),
        Val::Variant(case, _) => case.clone(),
        Val::List(bytes) => {
            let bytes = bytes.iter().map(|byte| match byte {
                Val::U8(byte) => *byte,
                other => panic!("no byte: {other:?}"),
            });
            String::from_utf8(bytes.collect()).unwrap()
        }
        other => panic!("no text: {other:?}"),
    }
}

fn ok(value: Option<Val>) -> Val {
    Val::Result(Ok(value.map(Box::new)))
}

/// A function of an interface, by what it makes of its arguments.
fn define(
    instance: &mut LinkerInstance<'_, State>,
    name: &str,
    run: impl Fn(&mut Context<'_>, &[Val]) -> Option<Val> + Send + Sync + 'static,
) {
    let defined = instance.func_new(name, move |mut store, _, arguments, results| {
        if let (Some(value), Some(result)) = (run(&mut store, arguments), results.first_mut()) {
            *result = value;
        }
        Ok(())
    });
    defined.unwrap();
}

fn request_functions(types: &mut LinkerInstance<'_, State>) {
    define(types, "[static]fields.from-list", |store, arguments| {
        let Val::List(entries) = &arguments[0] else {
            panic!("no list");
        };
        let entries = entries.iter().map(|entry| match entry {
            Val::Tuple(parts) => (text(&parts[0]), text(&parts[1])),
            other => panic!("no header: {other:?}"),
        });
        let entries = entries.collect();
        store.data_mut().fields.push(entries);
        let at = store.data().fields.len() - 1;
        let fields = own(store, at);
        Some(ok(Some(fields)))
    });
    define(
        types,
        "[constructor]outgoing-request",
        |store, arguments| {
            let fields = number(store, &arguments[0]);
            let state = store.data_mut();
            state.live -= 1;
            state.requests.push(Seen {
                headers: state.fields[fields].clone(),
                method: String::new(),
                scheme: String::new(),
                authority: String::new(),
                path: String::new(),
                body: MemoryOutputPipe::new(1 << 23),
                timeouts: Vec::new(),
            });
            let at = state.requests.len() - 1;
            Some(own(store, at))
        },
    );
    type Set = fn(&mut Seen, String);
    let sets: [(&str, Set); 4] = [
        ("method", |seen, text| seen.method = text),
        ("scheme", |seen, text| seen.scheme = text),
        ("authority", |seen, text| seen.authority = text),
        ("path-with-query", |seen, text| seen.path = text),
    ];
    for (what, set) in sets {
        let name = format!("[method]outgoing-request.set-{what}");
        define(types, &name, move |store, arguments| {
            let request = number(store, &arguments[0]);
            set(&mut store.data_mut().requests[request], text(&arguments[1]));
            Some(ok(None))
        });
    }
    define(
        types,
        "[method]outgoing-request.body",
        |store, arguments| {
            let request = number(store, &arguments[0]);
            let body = own(store, request);
            Some(ok(Some(body)))
        },
    );
    define(types, "[method]outgoing-body.write", |store, arguments| {
        let request = number(store, &arguments[0]);
        let pipe = store.data().requests[request].body.clone();
        let stream = store
            .data_mut()
            .table
            .push(Box::new(pipe) as DynOutputStream);
        let any = ResourceAny::try_from_resource(stream.unwrap(), store).unwrap();
        Some(ok(Some(Val::Resource(any))))
    });
    define(types, "[static]outgoing-body.finish", |store, _| {
        store.data_mut().live -= 1;
        Some(ok(None))
    });
    define(types, "[constructor]request-options", |store, _| {
        let request = store.data().requests.len() - 1;
        Some(own(store, request))
    });
    for what in ["connect", "first-byte", "between-bytes"] {
        let name = format!("[method]request-options.set-{what}-timeout");
        define(types, &name, |store, arguments| {
            let request = number(store, &arguments[0]);
            let Val::Option(Some(ns)) = &arguments[1] else {
                panic!("no time");
            };
            let Val::U64(ns) = **ns else {
                panic!("no time");
            };
            store.data_mut().requests[request]
                .timeouts
                .push(ns / 1_000_000);
            Some(ok(None))
        });
    }
}

fn reply_functions(types: &mut LinkerInstance<'_, State>) {
    define(
        types,
        "[method]future-incoming-response.subscribe",
        |store, arguments| {
            number(store, &arguments[0]);
            let table = &mut store.data_mut().table;
            let pipe = table.push(Box::new(MemoryInputPipe::new("")) as DynInputStream);
            let pollable = subscribe(table, pipe.unwrap()).unwrap();
            Some(Val::Resource(
                ResourceAny::try_from_resource(pollable, store).unwrap(),
            ))
        },
    );
    define(
        types,
        "[method]future-incoming-response.get",
        |store, arguments| {
            let at = number(store, &arguments[0]);
            let result = match store.data().replies[at].clone() {
                Scene::Reply(..) => Ok(Some(Box::new(own(store, at)))),
                Scene::Error(code) => Err(Some(Box::new(Val::Variant(code.into(), None)))),
            };
            Some(Val::Option(Some(Box::new(ok(Some(Val::Result(result)))))))
        },
    );
    define(
        types,
        "[method]incoming-response.status",
        |store, arguments| {
            let at = number(store, &arguments[0]);
            match &store.data().replies[at] {
                Scene::Reply(status, ..) => Some(Val::U16(*status)),
                Scene::Error(code) => panic!("{code}"),
            }
        },
    );
    define(
        types,
        "[method]incoming-response.headers",
        |store, arguments| {
            let at = number(store, &arguments[0]);
            let Scene::Reply(_, headers, _) = store.data().replies[at].clone() else {
                panic!("no reply");
            };
            let headers = headers
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_string()));
            let fields = &mut store.data_mut().fields;
            fields.push(headers.collect());
            let at = fields.len() - 1;
            Some(own(store, at))
        },
    );
    define(types, "[method]fields.get", |store, arguments| {
        let at = number(store, &arguments[0]);
        let wanted = text(&arguments[1]);
        let fields = &store.data().fields[at];
        let values = fields.iter().filter(|(name, _)| *name == wanted);
        let values = values.map(|(_, value)| Val::List(value.bytes().map(Val::U8).collect()));
        Some(Val::List(values.collect()))
    });
    define(
        types,
        "[method]incoming-response.consume",
        |store, arguments| {
            let at = number(store, &arguments[0]);
            let body = own(store, at);
            Some(ok(Some(body)))
        },
    );
    define(types, "[method]incoming-body.stream", |store, arguments| {
        let at = number(store, &arguments[0]);
        let Scene::Reply(_, _, body) = store.data().replies[at].clone() else {
            panic!("no reply");
        };
        let stream = Box::new(MemoryInputPipe::new(body)) as DynInputStream;
        let stream = store.data_mut().table.push(stream).unwrap();
        let any = ResourceAny::try_from_resource(stream, store).unwrap();
        Some(ok(Some(Val::Resource(any))))
    });
}

/// The component in a store with these scenes, and `respond` of its sessions.
struct Agent {
    store: Store<State>,
    instance: wasmtime::component::Instance,
}

impl Agent {
    fn new(config: &str, environment: &[(&str, &str)], scenes: &[Scene]) -> Self {
        let engine = Engine::default();
        let component = Component::from_file(&engine, build("wasm32-wasip2", &[]).shipped).unwrap();
        let mut linker = Linker::<State>::new(&engine);
        wasmtime_wasi::p2::add_to_linker_sync(&mut linker).unwrap();
        let mut types = linker.instance("wasi:http/types@0.2.12").unwrap();
        for name in [
            "fields",
            "outgoing-request",
            "outgoing-body",
            "request-options",
            "future-incoming-response",
            "incoming-response",
            "incoming-body",
        ] {
            let drop = |mut store: Context<'_>, _| {
                store.data_mut().live -= 1;
                Ok(())
            };
            types
                .resource(name, ResourceType::host::<Thing>(), drop)
                .unwrap();
        }
        request_functions(&mut types);
        reply_functions(&mut types);
        let mut handler = linker
            .instance("wasi:http/outgoing-handler@0.2.12")
            .unwrap();
        define(&mut handler, "handle", |store, _| {
            let state = store.data_mut();
            state.live -= 2; // the request and its options
            let scene = state.scenes.pop_front().expect("a request too many");
            if let Scene::Error(code @ "HTTP-request-denied") = scene {
                let code = Val::Variant(code.into(), None);
                return Some(Val::Result(Err(Some(Box::new(code)))));
            }
            state.replies.push(scene);
            let at = state.replies.len() - 1;
            let future = own(store, at);
            Some(ok(Some(future)))
        });
        let mut wasi = WasiCtxBuilder::new();
        for (name, value) in environment {
            wasi.env(name, value);
        }
        let state = State {
            wasi: wasi.build(),
            table: ResourceTable::new(),
            scenes: scenes.iter().cloned().collect(),
            requests: Vec::new(),
            fields: Vec::new(),
            replies: Vec::new(),
            live: 0,
        };
        let mut store = Store::new(&engine, state);
        let instance = linker.instantiate(&mut store, &component).unwrap();
        let mut agent = Agent { store, instance };
        let configured = agent.call("init", &[config]);
        assert!(matches!(configured, Val::Result(Ok(_))), "{configured:?}");
        agent
    }

    fn call(&mut self, name: &str, arguments: &[&str]) -> Val {
        let interface = build_support::agent::component::INTERFACE;
        let interface = self
            .instance
            .get_export_index(&mut self.store, None, interface);
        let index = self
            .instance
            .get_export_index(&mut self.store, interface.as_ref(), name);
        let function = self
            .instance
            .get_func(&mut self.store, index.unwrap())
            .unwrap();
        let arguments: Vec<Val> = arguments
            .iter()
            .map(|text| Val::String((*text).into()))
            .collect();
        let mut results = [Val::Bool(false)];
        function
            .call(&mut self.store, &arguments, &mut results)
            .expect("no trap");
        let [result] = results;
        result
    }

    fn say(&mut self, message: &str) -> Value {
        let Val::String(answer) = self.call("process-message", &["s", message]) else {
            panic!("no text");
        };
        serde_json::from_str(&answer).unwrap()
    }
}

const CONFIG: &str = r#"{"providers":[{"name":"p","kind":"openai","base_url":"https://p.example:8443/v1","credential":"my-key","headers":{"x-team":"7"}}]}"#;

fn streamed(text: &str) -> Scene {
    let chunk = format!(
        "{{\"choices\":[{{\"delta\":{{\"content\":\"{text}\"}},\"finish_reason\":\"stop\"}}]}}"
    );
    let body = format!("data: {chunk}\n\ndata: [DONE]\n\n");
    Scene::Reply(200, vec![("content-type", "text/event-stream")], body)
}

#[test]
fn a_request_reaches_the_host_and_the_reply_the_session() {
    let long = "x".repeat(60_000);
    let tool = r#"{"choices":[{"message":{"content":null,"tool_calls":[{"id":"a","function":{"name":"memory_read","arguments":"{}"}}]}}]}"#;
    let whole = Scene::Reply(200, vec![("content-type", "application/json")], tool.into());
    let mut agent = Agent::new(CONFIG, &[], &[whole, streamed("Grüße")]);
    let answer = agent.say(&long);
    assert_eq!(answer["message"]["content"], "Grüße", "{answer}");
    assert_eq!(answer["provider"], "p");
    assert_eq!(answer["tool_results"][0]["name"], "memory_read");
    let state = agent.store.data();
    assert_eq!(state.requests.len(), 2);
    let request = &state.requests[0];
    assert_eq!(
        (request.method.as_str(), request.scheme.as_str()),
        ("post", "HTTPS")
    );
    assert_eq!(
        (request.authority.as_str(), request.path.as_str()),
        ("p.example:8443", "/v1/chat/completions")
    );
    assert_eq!(request.timeouts, [10_000, 60_000, 60_000]);
    let body = request.body.contents();
    let header = |name: &str| {
        let found = request.headers.iter().find(|header| header.0 == name);
        found.map(|header| header.1.as_str())
    };
    assert_eq!(
        header("content-length"),
        Some(body.len().to_string().as_str())
    );
    assert_eq!(header("content-type"), Some("application/json"));
    assert_eq!(header("x-team"), Some("7"));
    assert_eq!(header("authorization"), None, "the host adds the key");
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["messages"][0]["content"], long);
    assert_eq!(state.live, 0, "handles that were not given back");
}

/// Where the host has no key of its own, the environment's goes into the header, and stays nowhere.
#[test]
fn a_key_of_the_environment_is_sent_and_forgotten() {
    let key = "sk-a-key-that-nobody-else-has";
    let scenes: Vec<Scene> = (0..3).map(|_| streamed("hi")).collect();
    let mut agent = Agent::new(CONFIG, &[("OTHER", "x"), ("MY_KEY_API_KEY", key)], &scenes);
    for _ in 0..3 {
        assert_eq!(agent.say("hello")["ok"], true);
    }
    for request in &agent.store.data().requests {
        let keys = request
            .headers
            .iter()
            .filter(|header| header.0 == "authorization");
        let keys: Vec<&str> = keys.map(|header| header.1.as_str()).collect();
        assert_eq!(keys, [["Bearer ", key].concat()]);
        assert!(!String::from_utf8_lossy(&request.body.contents()).contains(key));
    }
}

#[test]
fn what_hosts_say_instead_of_a_reply() {
    for (scene, code, message) in [
        (
            Scene::Error("HTTP-request-denied"),
            "host_not_allowed",
            "p: the host does not allow it",
        ),
        (
            Scene::Error("TLS-certificate-error"),
            "provider_failed",
            "p: TLS failed: is the certificate valid?",
        ),
        (
            Scene::Reply(401, vec![], "no".into()),
            "provider_failed",
            "p: status 401: no",
        ),
        (
            Scene::Reply(429, vec![("retry-after", "90")], String::new()),
            "rate_limited",
            "p: status 429: ",
        ),
    ] {
        let mut agent = Agent::new(CONFIG, &[], &[scene, streamed("back")]);
        let answer = agent.say("hello");
        assert_eq!(
            (&answer["error"]["code"], &answer["error"]["message"]),
            (&code.into(), &message.into())
        );
        assert_eq!(agent.store.data().live, 0, "{code}");
        assert_eq!(agent.say("again")["message"]["content"], "back");
    }
}

/// A page that a tool call wants: requests without a body, each to an address that is allowed.
#[test]
fn pages_are_fetched_through_the_host() {
    let config = r#"{"web":{"allow":["docs.rs","*.docs.rs"]}}"#;
    let moved = |to| Scene::Reply(302, vec![("location", to)], String::new());
    let html = vec![("content-type", "text/html; charset=utf-8")];
    let page = Scene::Reply(200, html, "<h1>Grüße</h1><script>x</script>".into());
    let mut agent = Agent::new(config, &[], &[moved("//static.docs.rs/b?c#d"), page]);
    let answer = agent.say("fetch https://docs.rs/a");
    assert_eq!(answer["tool_results"][0]["output"], "Grüße", "{answer}");
    let state = agent.store.data();
    let asked: Vec<String> = state
        .requests
        .iter()
        .map(|seen| {
            format!(
                "{} {}://{}{}",
                seen.method, seen.scheme, seen.authority, seen.path
            )
        })
        .collect();
    assert_eq!(
        asked,
        ["get HTTPS://docs.rs/a", "get HTTPS://static.docs.rs/b?c"]
    );
    for request in &state.requests {
        let names: Vec<&str> = request
            .headers
            .iter()
            .map(|header| header.0.as_str())
            .collect();
        assert_eq!(names, ["accept"]);
    }
    assert_eq!(state.live, 0, "handles that were not given back");
    let mut agent = Agent::new(config, &[], &[moved("https://evil.org/")]);
    let answer = agent.say("fetch https://docs.rs/a");
    let code = &answer["tool_results"][0]["error"]["code"];
    assert_eq!(code, "host_not_allowed", "{answer}");
    assert_eq!(agent.store.data().live, 0);
}
