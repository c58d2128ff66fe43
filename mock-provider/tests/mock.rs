//! The mock as a client of sockets sees it: what it sends, and what it holds against a request.

use mock_provider::scenario::{End, Exchange, Fault, Reply, Say};
use mock_provider::{Mock, Scenario};
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

/// Sends a request with `body` to `path`.
fn send(mock: &Mock, path: &str, body: &Value) -> TcpStream {
    let address = mock.url();
    let mut stream = TcpStream::connect(address.strip_prefix("http://").unwrap()).unwrap();
    let body = body.to_string();
    let head = "content-type: application/json\r\nContent-Length: ";
    let length = body.len();
    write!(
        stream,
        "POST {path} HTTP/1.1\r\n{head}{length}\r\n\r\n{body}"
    )
    .unwrap();
    stream
}

/// Sends a request; gives all that comes back.
fn ask(mock: &Mock, path: &str, body: &Value) -> String {
    let mut reply = String::new();
    send(mock, path, body).read_to_string(&mut reply).unwrap();
    reply
}

fn hello(stream: bool) -> Value {
    json!({"model": "m", "stream": stream, "messages": [{"role": "user", "content": "hello"}]})
}

fn says(text: &str) -> Reply {
    Reply {
        say: Some(Say {
            text: text.to_owned(),
            ..Say::default()
        }),
        ..Reply::default()
    }
}

fn exchange(reply: Reply) -> Exchange {
    Exchange {
        reply,
        ..Exchange::default()
    }
}

const PATH: &str = "/v1/chat/completions";

#[test]
fn whole_and_as_events() {
    let whole = exchange(says("one two"));
    let mut pieces = whole.clone();
    pieces.chunks = vec![(1, 5)];
    let mock = Mock::start(vec![whole, pieces]).unwrap();
    let reply = ask(&mock, PATH, &hello(false));
    assert!(reply.starts_with("HTTP/1.1 200 "), "{reply}");
    let (_, body) = reply.split_once("\r\n\r\n").unwrap();
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["choices"][0]["message"]["content"], "one two");
    let reply = ask(&mock, PATH, &hello(true));
    assert!(reply.contains("content-type: text/event-stream"), "{reply}");
    assert!(reply.ends_with("1\r\n\n\r\n0\r\n\r\n"), "each byte a chunk");
    assert_eq!(mock.first_bytes().len(), 2);
    assert_eq!(mock.finish().unwrap().len(), 2);
}

#[test]
fn faults() {
    let reply = |end, after| Reply {
        end,
        after,
        ..says("one two three")
    };
    let closed = Reply {
        end: End::Closed,
        ..Reply::default()
    };
    let rate = Reply {
        error: Some(Fault::Rate),
        headers: [("retry-after".to_owned(), "{url}".to_owned())].into(),
        ..Reply::default()
    };
    let replies = [reply(End::Cut, 10), closed, rate];
    let mock = Mock::start(replies.map(exchange).into()).unwrap();
    let cut = ask(&mock, PATH, &hello(true));
    assert!(cut.ends_with("\r\n\r\na\r\ndata: {\"ch\r\n"), "{cut:?}");
    assert_eq!(ask(&mock, PATH, &hello(true)), "");
    let rate = ask(&mock, PATH, &hello(true));
    assert!(rate.starts_with("HTTP/1.1 429 "), "{rate}");
    assert!(
        rate.contains(&format!("retry-after: {}\r\n", mock.url())),
        "{rate}"
    );
    assert!(rate.contains("rate_limit_exceeded"), "{rate}");
    mock.finish().unwrap();
}

/// What a request does wrong fails the test that asks, whatever the agent makes of the answer.
#[test]
fn what_is_wrong_is_told_at_the_end() {
    let mock = Mock::start(vec![exchange(says("x"))]).unwrap();
    let illegal = json!({"model": "m", "messages": [{"role": "assistant", "content": "x"}]});
    let reply = ask(&mock, PATH, &illegal);
    assert!(reply.starts_with("HTTP/1.1 400 "), "{reply}");
    let wrong = mock.finish().unwrap_err();
    assert_eq!(
        wrong,
        "request 1: messages[0].role: the first is the user's, got assistant"
    );

    let mock = Mock::start(vec![exchange(says("x"))]).unwrap();
    ask(&mock, PATH, &hello(false));
    ask(&mock, PATH, &hello(false));
    let wrong = mock.finish().unwrap_err();
    assert_eq!(wrong, "request 2: the script has no more exchanges");

    let mock = Mock::start(vec![exchange(says("x")), exchange(says("y"))]).unwrap();
    ask(&mock, PATH, &hello(false));
    assert_eq!(
        mock.finish().unwrap_err(),
        "exchange 2: of 1 requests 0 came"
    );
}

/// A client that waits for ever is let go when the mock ends.
#[test]
fn ends_while_a_client_waits() {
    let silent = Reply {
        end: End::Silent,
        ..Reply::default()
    };
    let mock = Mock::start(vec![exchange(silent)]).unwrap();
    let mut stream = send(&mock, PATH, &hello(true));
    mock.wait_for(1).unwrap();
    mock.finish().unwrap();
    assert_eq!(stream.read(&mut [0]).unwrap_or(0), 0);
}

/// The reply that is cut at every byte is as large as it has to be.
#[test]
fn the_reply_of_every_cut_is_of_4_kib() {
    let scenario = Scenario::named("every_cut").unwrap();
    let mock = Mock::start(scenario.exchanges).unwrap();
    let reply = ask(&mock, PATH, &hello(true));
    let (_, body) = reply.split_once("\r\n\r\n").unwrap();
    assert!(body.len() >= 4096, "{}", body.len());
    mock.finish().unwrap();
}
