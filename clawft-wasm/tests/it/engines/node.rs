//! The wasip1 reactor in node's WASI, driven by `host.mjs` over a pipe: a JSON request a line, a
//! JSON reply a line.

use super::Abi;
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

pub struct Node {
    child: Child,
    requests: ChildStdin,
    replies: BufReader<ChildStdout>,
}

impl Node {
    pub fn new(file: &Path, root: &Path) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/engines/host.mjs");
        let mut child = build_support::system::process::command(Path::new("node"))
            .arg("--no-warnings")
            .arg(script)
            .args([file, root])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node is needed for this test: install nodejs 20 or newer");
        let requests = child.stdin.take().unwrap();
        let replies = BufReader::new(child.stdout.take().unwrap());
        Self {
            child,
            requests,
            replies,
        }
    }

    fn ask(&mut self, request: &Value) -> Value {
        writeln!(self.requests, "{request}").unwrap();
        let mut reply = String::new();
        self.replies.read_line(&mut reply).unwrap();
        let reply: Value =
            serde_json::from_str(&reply).unwrap_or_else(|e| panic!("node's reply {reply:?}: {e}"));
        assert_eq!(reply["error"], Value::Null, "node: {}", reply["error"]);
        reply["value"].clone()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // It may have ended by itself; either way there is nothing left to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Abi for Node {
    fn call(&mut self, export: &str, args: &[i32]) -> i32 {
        self.ask(&json!({ "call": export, "args": args }))
            .as_i64()
            .unwrap() as i32
    }

    fn run(&mut self, export: &str, args: &[i32]) {
        self.ask(&json!({ "call": export, "args": args }));
    }

    fn write(&mut self, at: i32, bytes: &[u8]) {
        self.ask(&json!({ "write": at as u32, "bytes": hex(bytes) }));
    }

    fn read(&mut self, at: i32, length: i32) -> Vec<u8> {
        let reply = self.ask(&json!({ "read": at as u32, "length": length as u32 }));
        let digits = reply.as_str().unwrap();
        (0..digits.len())
            .step_by(2)
            .map(|i| u8::from_str_radix(&digits[i..i + 2], 16).unwrap())
            .collect()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
