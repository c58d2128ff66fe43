//! Every scenario of the scripted provider in steps: the host that sends the requests is here, and
//! the agent is the shipped file, in a compiler, in an interpreter, in node and as a component.
//! What comes of a scenario is what it says, no request is illegal, and the sessions are the same.

use crate::engines::turns::{Call, Given, Stand, Turns};
use crate::engines::{Component, Engine, Node, Reactor, Wasmi, build, timeless};
use mock_provider::scenario::{End, Form};
use mock_provider::{Mock, Scenario};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, SystemTime};

trait Agent: Engine + Turns {}

impl<T: Engine + Turns> Agent for T {}

const TIMED_OUT: i16 = -31;
const PROVIDER_FAILED: i16 = -29;
const TOO_LARGE: i16 = -19;

/// Bytes of headers that are taken, and of the body that are handed on at a time.
const HEADERS: usize = 64 * 1024;
const PART: usize = 16 * 1024;

/// The reply to a request, a part at a time.
struct Reply {
    stream: BufReader<TcpStream>,
    call: u32,
    /// Bytes that are still to come of the body or the chunk; none where that is not known.
    left: Option<usize>,
    is_chunked: bool,
}

/// What a fault on the way is for the agent.
fn status_of(fault: &std::io::Error) -> i16 {
    match fault.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => TIMED_OUT,
        ErrorKind::FileTooLarge => TOO_LARGE,
        _ => PROVIDER_FAILED,
    }
}

/// Sends a request; the reply, and its head as a result.
fn send(call: &Call, patience: Duration) -> std::io::Result<(Reply, Given)> {
    let url = call.head["url"].as_str().unwrap();
    let (address, path) = url
        .strip_prefix("http://")
        .unwrap()
        .split_once('/')
        .unwrap();
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(patience))?;
    let mut head = format!("POST /{path} HTTP/1.1\r\nhost: {address}\r\n");
    for (name, value) in call.head["headers"].as_object().unwrap() {
        head += &format!("{name}: {}\r\n", value.as_str().unwrap());
    }
    let credential = &call.head["credential"];
    let [header, prefix] = ["header", "prefix"].map(|key| credential[key].as_str().unwrap());
    head += &format!("{header}: {prefix}sk-of-the-host\r\n");
    head += &format!("content-length: {}\r\n\r\n", call.body.len());
    stream.write_all(head.as_bytes())?;
    stream.write_all(&call.body)?;
    let mut reply = Reply {
        stream: BufReader::new(stream),
        call: call.call,
        left: None,
        is_chunked: false,
    };
    let status = reply.line()?;
    let status: u16 = status
        .split(' ')
        .nth(1)
        .unwrap_or_default()
        .parse()
        .unwrap();
    let mut headers = json!({});
    let mut bytes = 0;
    loop {
        let line = reply.line()?;
        let Some((name, value)) = line.split_once(": ") else {
            break;
        };
        bytes += line.len();
        if bytes > HEADERS {
            return Err(ErrorKind::FileTooLarge.into());
        }
        match name {
            "content-length" => reply.left = Some(value.parse().unwrap()),
            "transfer-encoding" => reply.is_chunked = value == "chunked",
            _ => {}
        }
        headers[name] = value.into();
    }
    let head = json!({"status": status, "headers": headers}).to_string();
    let given = Given {
        call: call.call,
        has_more: true,
        head,
        ..Given::default()
    };
    Ok((reply, given))
}

impl Reply {
    fn line(&mut self) -> std::io::Result<String> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        match line.strip_suffix("\r\n") {
            Some(line) => Ok(line.to_owned()),
            None => Err(ErrorKind::UnexpectedEof.into()),
        }
    }

    /// The next part of the body.
    fn part(&mut self) -> std::io::Result<Given> {
        let mut given = Given {
            call: self.call,
            has_more: true,
            ..Given::default()
        };
        if self.is_chunked && self.left.is_none() {
            self.left = Some(usize::from_str_radix(&self.line()?, 16).unwrap());
        }
        let mut buffer = vec![0; PART.min(self.left.unwrap_or(PART))];
        let read = self.stream.read(&mut buffer)?;
        if read == 0 && self.left.is_some_and(|left| left > 0) {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        given.body = buffer[..read].to_vec();
        given.has_more = read > 0;
        self.left = self.left.map(|left| left - read);
        if self.is_chunked && self.left == Some(0) && read > 0 {
            self.line()?;
            self.left = None;
        }
        Ok(given)
    }
}

/// Says a message, and does what is asked for until it is over; gives the answer and what was
/// shown.
fn talk(
    agent: &mut dyn Agent,
    session: &str,
    message: &str,
    patience: Duration,
) -> (Value, String) {
    let task = agent.start(session, message).unwrap();
    let mut shown = String::new();
    let mut reply = None;
    // The agent has a clock of its own: this one goes on from the same.
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let mut now_ms = since.unwrap().as_millis() as u64;
    let mut stand = agent.poll(task);
    loop {
        let calls = match stand {
            Stand::Over(answer) => return (answer, shown),
            Stand::Waiting(calls) => calls,
            Stand::Refused(code) => panic!("{code}"),
        };
        let mut given = None;
        for call in calls {
            match call.op {
                500 => {
                    shown.clear();
                    reply = None;
                    given = Some(match send(&call, patience) {
                        Ok((begun, head)) => {
                            reply = Some(begun);
                            head
                        }
                        Err(fault) => failed(call.call, &fault),
                    });
                }
                507 => shown.push_str(core::str::from_utf8(&call.body).unwrap()),
                508 => {
                    now_ms += call.head["for_ms"].as_u64().unwrap();
                    given = Some(Given {
                        call: call.call,
                        head: json!({"now_ms": now_ms}).to_string(),
                        ..Given::default()
                    });
                }
                op => panic!("op {op}"),
            }
        }
        let given = given.unwrap_or_else(|| {
            let reply = reply.as_mut().expect("it waits for a reply");
            reply
                .part()
                .unwrap_or_else(|fault| failed(reply.call, &fault))
        });
        stand = agent.supply(task, &[given]);
    }
}

fn failed(call: u32, fault: &std::io::Error) -> Given {
    Given {
        call,
        status: status_of(fault),
        ..Given::default()
    }
}

/// What is left of a scenario: its session, without times, and without the mock's port, which an
/// error may name.
fn session(root: &Path, name: &str) -> Vec<String> {
    let file = root.join(format!(".clawft/sessions/{name}.json"));
    let file = std::fs::read_to_string(file).unwrap_or_default();
    let lines = file.lines().map(|line| timeless(line).to_string());
    let portless = lines.map(|line| line.split("127.0.0.1:").next().unwrap().to_owned());
    portless.map(|line| line.replace(name, "s")).collect()
}

/// An agent that goes on from one scenario to the next, each in a session of its own.
struct Host {
    agent: Box<dyn Agent>,
    root: tempfile::TempDir,
}

impl Host {
    fn new(start: impl FnOnce(&Path) -> Box<dyn Agent>) -> Self {
        let root = tempfile::tempdir().unwrap();
        Host {
            agent: start(root.path()),
            root,
        }
    }

    /// Holds a scenario in one form; gives the session.
    fn hold(&mut self, name: &str, scenario: &Scenario, form: Form, number: usize) -> Vec<String> {
        let root = self.root.path();
        for (name, text) in &scenario.files {
            std::fs::write(root.join(name), text).unwrap();
        }
        let mock = Mock::start(scenario.exchanges.clone()).unwrap();
        let config = config(scenario, form, &mock);
        self.agent.init(&config.to_string()).unwrap();
        let ends = |end| {
            let mut exchanges = scenario.exchanges.iter();
            exchanges.any(|exchange| exchange.reply.end == end)
        };
        let patience = Duration::from_millis(if ends(End::Silent) {
            100
        } else if ends(End::Hang) {
            2000
        } else {
            30_000
        });
        let session_name = format!("s{number}");
        let mut last = (Value::Null, String::new());
        for message in &scenario.say {
            last = talk(&mut *self.agent, &session_name, message, patience);
        }
        let (answer, shown) = last;
        let place = format!("{name} {form:?}: {answer}");
        let wrong = mock.finish().err();
        assert_eq!(wrong, None, "{place}");
        let text = answer["message"]["content"].as_str();
        assert_eq!(text, scenario.answer.as_deref(), "{place}");
        let code = answer["error"]["code"].as_str();
        assert_eq!(code, scenario.error.as_deref(), "{place}");
        if let Some(text) = text {
            let finish = scenario.finish.as_deref().unwrap_or("stop");
            assert_eq!(answer["finish"], finish, "{place}");
            let is_whole = !form.is_stream() || shown.is_empty() || shown == text;
            assert!(is_whole, "{place}: {shown}");
        }
        for name in scenario.files.keys() {
            std::fs::remove_file(root.join(name)).unwrap();
        }
        session(root, &session_name)
    }
}

fn config(scenario: &Scenario, form: Form, mock: &Mock) -> Value {
    let providers = ["first", "next"].iter();
    let providers = providers
        .take(1 + usize::from(scenario.next))
        .map(|provider| {
            let version = if form.kind() == "openai" { "/v1" } else { "" };
            json!({"name": provider, "kind": form.kind(), "credential": provider,
            "stream": form.is_stream(), "base_url": format!("{}/{provider}{version}", mock.url())})
        });
    let mut config = json!({"model": "m", "providers": providers.collect::<Vec<_>>()});
    if let Value::Object(more) = &scenario.config {
        config.as_object_mut().unwrap().extend(more.clone());
    }
    config
}

/// Holds every scenario in the forms that are wanted with each of these hosts: the same session
/// comes of it.
fn hold_all(wanted: impl Fn(Form) -> bool, mut hosts: Vec<Host>) {
    let mut count = 0;
    for (name, scenario) in Scenario::all().unwrap() {
        for form in scenario.forms().filter(|form| wanted(*form)) {
            count += 1;
            let mut sessions = Vec::new();
            for host in &mut hosts {
                sessions.push(host.hold(&name, &scenario, form, count));
            }
            for session in &sessions {
                assert_eq!(session, &sessions[0], "{name} {form:?}");
            }
        }
    }
    assert!(count >= 30, "{count} scenarios");
}

/// A form of each vendor: what differs between engines is not in the words of replies.
fn is_everywhere(form: Form) -> bool {
    matches!(form, Form::OpenaiStream | Form::AnthropicWhole)
}

#[test]
fn the_other_forms_in_node() {
    let shipped = build("wasm32-wasip1", &[]).shipped;
    let node = Host::new(|root| Box::new(Node::new(&shipped, root)));
    hold_all(|form| !is_everywhere(form), vec![node]);
}

/// The same session comes of it in every engine.
#[test]
fn scenarios_are_the_same_in_every_engine() {
    let reactor = build("wasm32-wasip1", &[]).shipped;
    let component = build("wasm32-wasip2", &[]).shipped;
    let hosts = vec![
        Host::new(|root| Box::new(Reactor::new(&reactor, root))),
        Host::new(|root| Box::new(Wasmi::new(&reactor, root))),
        Host::new(|root| Box::new(Node::new(&reactor, root))),
        Host::new(|root| Box::new(Component::new(&component, root))),
    ];
    hold_all(is_everywhere, hosts);
}
