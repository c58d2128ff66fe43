//! Tools that are not the core's alone: those of the host, those that a user is asked about, and
//! pages of the web.

use crate::support::{Home, run};
use clawft_cli::driver::{Clock, Driver};
use clawft_cli::http::Times;
use clawft_cli::keys::Keys;
use clawft_types::{AgentError, ErrorCode, ToolCall, ToolResult};
use clawft_wasm::Agent;
use clawft_wasm::agent::host::{Host, Nobody};
use serde_json::Value;
use std::cell::RefCell;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::rc::Rc;

fn driver(config: &str) -> Driver {
    let agent = Agent::new(config, None).unwrap();
    Driver::new(agent, Keys::default(), Times::default(), Clock::System)
}

/// What the tools of a turn came to.
fn results(driver: &mut Driver, text: &str) -> Vec<ToolResult> {
    let answer = driver.respond("s", text, &mut |_| {});
    answer.unwrap().tool_results
}

struct Shop;

impl Host for Shop {
    fn run(&mut self, call: &ToolCall) -> Result<String, Box<AgentError>> {
        if call.arguments.contains("tea") {
            return Ok(format!("{}: {}", call.name, call.arguments));
        }
        Err(AgentError::new(ErrorCode::NotFound, "sold out", &[]))
    }

    fn agrees(&mut self, _: &ToolCall) -> bool {
        false
    }
}

/// Who agrees or does not, and keeps what was asked.
struct User(bool, Rc<RefCell<Vec<String>>>);

impl Host for User {
    fn run(&mut self, call: &ToolCall) -> Result<String, Box<AgentError>> {
        Nobody.run(call)
    }

    fn agrees(&mut self, call: &ToolCall) -> bool {
        self.1.borrow_mut().push(call.name.clone());
        self.0
    }
}

#[test]
fn tools_of_the_host() {
    let config =
        r#"{"host_tools":[{"name":"search","description":"d","parameters":{"type":"object"}}]}"#;
    let mut driver = driver(config);
    let of = |driver: &mut Driver, text: &str| format!("{:?}", results(driver, text));
    let none = of(&mut driver, r#"/tool search {"q":"tea"}"#);
    assert!(none.contains("search: this host runs no tools"), "{none}");
    driver.set_own(Box::new(Shop));
    let found = of(&mut driver, r#"/tool search {"q":"tea"}"#);
    assert!(
        found.contains("search: {") && found.contains("tea"),
        "{found}"
    );
    let missing = of(&mut driver, r#"/tool search {"q":"coffee"}"#);
    assert!(missing.contains("sold out"), "{missing}");
}

/// Protects the user: a call that is to be asked about is not run before there is a yes.
#[test]
fn a_call_is_run_if_the_user_agrees() {
    let mut driver = driver(r#"{"tools":{"memory_write":"ask"}}"#);
    let asked = Rc::new(RefCell::new(Vec::new()));
    let nobody = format!("{:?}", results(&mut driver, "remember tea: green"));
    for (agrees, key) in [(false, "tea"), (true, "milk")] {
        driver.set_own(Box::new(User(agrees, Rc::clone(&asked))));
        results(&mut driver, &format!("remember {key}: green"));
    }
    assert_eq!(*asked.borrow(), ["memory_write", "memory_write"]);
    let of = |driver: &mut Driver, key: &str| format!("{:?}", results(driver, key));
    let [tea, milk] = ["recall tea", "recall milk"].map(|text| of(&mut driver, text));
    assert!(tea.contains("NotFound"), "{nobody} {tea}");
    assert!(milk.contains("green"), "{milk}");
}

/// A server of one page, which tells what it was asked.
fn page() -> (u16, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let served = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        let first = lines.next().unwrap().unwrap();
        while !lines.next().unwrap().unwrap().is_empty() {}
        let page = "<html><h1>Tea</h1><p>green &amp; black</p></html>";
        write!(
            stream,
            "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {}\r\n\r\n{page}",
            page.len()
        )
        .unwrap();
        first
    });
    (port, served)
}

#[test]
fn a_page_is_fetched() {
    let (port, served) = page();
    let mut driver = driver(&format!(
        r#"{{"web":{{"allow":["http://127.0.0.1:{port}"]}}}}"#
    ));
    let text = format!(r#"/tool web_fetch {{"url":"http://127.0.0.1:{port}/tea"}}"#);
    let results = format!("{:?}", results(&mut driver, &text));
    assert!(results.contains("green & black"), "{results}");
    assert_eq!(served.join().unwrap(), "GET /tea HTTP/1.1");
}

/// Protects the network that this machine is in: a name that leads into it is not followed there,
/// natively or by the component.
#[test]
fn a_name_that_leads_home_is_refused() {
    let mut driver = driver(r#"{"web":{"allow":["localhost"]}}"#);
    let text = r#"/tool web_fetch {"url":"https://localhost/"}"#;
    let results = format!("{:?}", results(&mut driver, text));
    assert!(results.contains("HostNotAllowed"), "{results}");
}

/// The program: nobody is at a terminal, so nobody agrees.
#[test]
fn without_a_terminal_nobody_agrees() {
    let home = Home::new();
    home.configure("[tools]\nwrite_file = \"ask\"\n");
    let mut weft = home.weft();
    let (code, answer, _) = run(weft.args(["agent", "--json", "-m", "write a.txt: b"]));
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(code, Some(0));
    let error = &answer["tool_results"][0]["error"]["code"];
    assert_eq!(error, "permission_denied", "{answer}");
    assert!(!home.root().join("a.txt").exists());
}
