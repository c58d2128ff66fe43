//! Calls of tools: pages that are fetched, what the user is asked, and what the host runs.

use super::*;

const WEB: &str = r#"{"web":{"allow":["docs.rs","*.example.org","http://intranet"]}}"#;

/// Steps until something is wanted that no store has.
fn on(machine: &mut Machine, store: &mut Store, event: Event<'_>) -> Effect {
    let mut effect = machine.step(event);
    while matches!(
        effect,
        Effect::Load { .. } | Effect::Append(_) | Effect::Replace(_)
    ) {
        effect = store.serve(machine, effect);
    }
    effect
}

/// What a page comes to: the replies are status, headers and body, and the last may be a fault.
type Reply<'a> = (u16, &'a [Header<'a>], &'a [u8]);

type Header<'a> = (&'a str, &'a [u8]);

/// Fetches `url` with these replies; gives the URLs that were asked, and the result.
fn fetch(url: &str, replies: &[Reply<'_>]) -> (Vec<String>, Result<String, ErrorCode>) {
    let (mut machine, mut store) = (machine(WEB), Store::default());
    let text = format!("fetch {url}");
    let mut effect = on(&mut machine, &mut store, message(&text));
    let mut asked = Vec::new();
    let mut replies = replies.iter();
    loop {
        effect = match effect {
            Effect::Http(request) => {
                assert_eq!((request.method, request.body.as_str()), ("GET", ""));
                assert_eq!(request.credential, None);
                asked.push(request.url);
                let Some((status, headers, body)) = replies.next() else {
                    let fault = Event::HttpFailed(HttpFault::TimedOut);
                    effect = on(&mut machine, &mut store, fault);
                    continue;
                };
                let (status, body) = (*status, *body);
                let mut next = on(&mut machine, &mut store, Event::Head { status, headers });
                for part in body.chunks(50_000) {
                    if matches!(next, Effect::Receive) {
                        next = on(&mut machine, &mut store, Event::Body(part));
                    }
                }
                if matches!(next, Effect::Receive) {
                    next = on(&mut machine, &mut store, Event::End);
                }
                next
            }
            Effect::Done(mut answer) => {
                let result = answer.tool_results.remove(0);
                assert_eq!(result.name, "web_fetch");
                return (asked, result.outcome.map_err(|error| error.code));
            }
            other => panic!("{other:?}"),
        }
    }
}

const HTML: Header<'_> = ("Content-Type", b"text/html; charset=utf-8");

#[test]
fn a_page_is_read() {
    let body = "<h1>Grüße</h1><p>a<script>no</script>b".as_bytes();
    let (asked, text) = fetch("https://docs.rs/x?y#z", &[(200, &[HTML], body)]);
    assert_eq!(asked, ["https://docs.rs/x?y"]);
    assert_eq!(text.unwrap(), "Grüße\na\nb");
    let json: Header<'_> = ("content-type", b"application/json");
    let (_, text) = fetch("https://docs.rs/", &[(200, &[json], b"{\"a\": \"<b>\"}")]);
    assert_eq!(text.unwrap(), "{\"a\": \"<b>\"}");
    let large = vec![b'x'; 400_000];
    let plain: Header<'_> = ("content-type", b"text/plain");
    let (_, text) = fetch("https://docs.rs/", &[(200, &[plain], &large)]);
    let text = text.unwrap();
    assert!(text.len() < 263_000 && text.ends_with("is the beginning)"));
}

#[test]
fn every_address_is_allowed_or_not_asked() {
    let to = |place: &'static str| -> Header<'static> { ("location", place.as_bytes()) };
    for (url, replies, asked, code) in [
        ("https://evil.org/", vec![], 0, ErrorCode::HostNotAllowed),
        ("http://docs.rs/", vec![], 0, ErrorCode::HostNotAllowed),
        ("file:///etc/passwd", vec![], 0, ErrorCode::HostNotAllowed),
        (
            "https://docs.rs/",
            vec![(302, to("https://evil.org/"))],
            1,
            ErrorCode::HostNotAllowed,
        ),
        (
            "https://docs.rs/",
            vec![(301, to("//evil.org/"))],
            1,
            ErrorCode::HostNotAllowed,
        ),
        (
            "https://docs.rs/",
            vec![(307, to("http://docs.rs/"))],
            1,
            ErrorCode::HostNotAllowed,
        ),
        (
            "https://docs.rs/",
            vec![
                (308, to("b")),
                (303, to("https://a.example.org/")),
                (302, to("https://example.org")),
            ],
            3,
            ErrorCode::HostNotAllowed,
        ),
        (
            "https://docs.rs/",
            vec![(302, to("/a")); 9],
            6,
            ErrorCode::Io,
        ),
        ("https://docs.rs/", vec![(302, to(""))], 1, ErrorCode::Io),
        ("https://docs.rs/", vec![(404, HTML)], 1, ErrorCode::Io),
        (
            "https://docs.rs/",
            vec![(200, ("content-type", b"image/png"))],
            1,
            ErrorCode::NotText,
        ),
        ("https://docs.rs/", vec![], 1, ErrorCode::TimedOut),
    ] {
        let replies: Vec<(u16, [Header<'_>; 1])> = replies
            .into_iter()
            .map(|(status, header)| (status, [header]))
            .collect();
        let replies: Vec<Reply<'_>> = replies
            .iter()
            .map(|(status, headers)| (*status, &headers[..], &b""[..]))
            .collect();
        let (urls, outcome) = fetch(url, &replies);
        assert_eq!((urls.len(), outcome), (asked, Err(code)), "{url} {urls:?}");
    }
    let away = [
        (302, &[to("http://intranet/x")][..], &b""[..]),
        (200, &[HTML], b"in"),
    ];
    let (urls, text) = fetch("https://www.example.org/", &away);
    assert_eq!(urls, ["https://www.example.org/", "http://intranet/x"]);
    assert_eq!(text.unwrap(), "in");
}

#[test]
fn pages_are_offered_where_they_can_be_had() {
    for (web, is_offered) in [("", false), (r#""web":{"allow":["docs.rs"]},"#, true)] {
        let config = format!(r#"{{{web}"providers":[{{"kind":"openai"}}]}}"#);
        let mut machine = machine(&config);
        let scenes = &mut vec![says("ok")];
        let (_, seen) = run(&mut machine, &mut Store::default(), scenes, "hi");
        assert_eq!(seen.requests[0].body.contains("web_fetch"), is_offered);
    }
}

const HOST: &str = r#"{"web":{"allow":["docs.rs"]},"tools":{"write_file":"ask","memory_read":"deny"},
    "host_tools":[{"name":"search","description":"d","parameters":{"type":"object"}}]}"#;

const CALLS: &str = "/tool write_file {\"path\":\"a\",\"content\":\"b\"}\n\
                     /tool web_fetch {\"url\":\"https://docs.rs/\"}\n/tool search {\"q\":1}\n\
                     /tool write_file {\"path\":\"c\",\"content\":\"d\"}";

/// The user is asked first, the driver runs what is its own, then pages are fetched; results stand
/// in the order of the calls.
#[test]
fn calls_of_every_kind() {
    let (mut machine, mut store) = (machine(HOST), Store::default());
    let Effect::Ask(asked) = on(&mut machine, &mut store, message(CALLS)) else {
        panic!("nobody is asked");
    };
    let ids: Vec<&str> = asked.iter().map(|call| call.id.as_str()).collect();
    assert_eq!(ids, ["c1", "c4"]);
    let decide = |id, is_allowed| Event::Decided { id, is_allowed };
    assert!(is_unexpected(&machine.step(decide("c3", true))));
    assert!(matches!(machine.step(decide("c4", false)), Effect::Ask(rest) if rest.is_empty()));
    let Effect::Tools(calls) = machine.step(decide("c1", true)) else {
        panic!("nothing is run");
    };
    let names: Vec<&str> = calls.iter().map(|call| call.name.as_str()).collect();
    assert_eq!(names, ["search", "write_file"]);
    let tool = |id, text: &str| Event::Tool {
        id,
        outcome: Ok(text.into()),
    };
    assert!(is_unexpected(&machine.step(tool("c2", "no page"))));
    assert!(matches!(machine.step(tool("c1", "written")), Effect::Tools(rest) if rest.is_empty()));
    let Effect::Http(request) = machine.step(tool("c3", "found")) else {
        panic!("no page");
    };
    assert_eq!(request.url, "https://docs.rs/");
    let fault = Event::HttpFailed(HttpFault::Connect);
    let Effect::Done(answer) = on(&mut machine, &mut store, fault) else {
        panic!("not done");
    };
    let outcomes: Vec<(&str, Result<&str, ErrorCode>)> = answer
        .tool_results
        .iter()
        .map(|result| {
            let outcome = result.outcome.as_ref();
            let outcome = outcome.map(String::as_str).map_err(|error| error.code);
            (result.call_id.as_str(), outcome)
        })
        .collect();
    assert_eq!(
        outcomes,
        [
            ("c1", Ok("written")),
            ("c2", Err(ErrorCode::Io)),
            ("c3", Ok("found")),
            ("c4", Err(ErrorCode::PermissionDenied)),
        ]
    );
}

fn is_unexpected(effect: &Effect) -> bool {
    matches!(effect, Effect::Failed(error) if error.code == ErrorCode::UnexpectedEvent)
}

/// A turn that is cancelled while it asks, acts or fetches is over, and the next begins anew.
#[test]
fn cancelled_at_each_of_them() {
    for steps in 0..3 {
        let (mut machine, mut store) = (machine(HOST), Store::default());
        on(&mut machine, &mut store, message(CALLS));
        let events =
            [("c1", true), ("c4", true)].map(|(id, is_allowed)| Event::Decided { id, is_allowed });
        for event in events.into_iter().take(2 * usize::from(steps > 0)) {
            machine.step(event);
        }
        if steps == 2 {
            for id in ["c1", "c3", "c4"] {
                let outcome = Ok(String::new());
                machine.step(Event::Tool { id, outcome });
            }
            assert!(matches!(machine.step(Event::End), Effect::Failed(_)));
        }
        let Effect::Failed(error) = machine.step(Event::Cancel) else {
            panic!("goes on");
        };
        assert_eq!(error.code, ErrorCode::Cancelled, "{steps}");
        let Effect::Done(answer) = on(&mut machine, &mut store, message("hello")) else {
            panic!("no answer");
        };
        assert!(answer.tool_results.is_empty());
    }
}
