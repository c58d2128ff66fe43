//! Turns in steps, in whichever form an engine has them: frames of the C ABI, or the WIT interface.

use super::{Abi, Component};
use serde_json::Value;
use wasmtime::component::Val;

/// What the host is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    pub op: u16,
    /// 1 may be repeated, 2 wants parts, 4 wants no result.
    pub flags: u16,
    pub call: u32,
    pub head: Value,
    pub body: Vec<u8>,
}

/// A result, or a part of one.
#[derive(Debug, Clone, Default)]
pub struct Given {
    pub call: u32,
    pub status: i16,
    pub has_more: bool,
    pub head: String,
    pub body: Vec<u8>,
}

/// Where a turn stands.
#[derive(Debug, Clone, PartialEq)]
pub enum Stand {
    /// It is over: the answer's JSON, an error's included.
    Over(Value),
    /// It waits; these are the calls that are new.
    Waiting(Vec<Call>),
    /// The call was refused with this code.
    Refused(String),
}

/// An agent that is driven in steps.
pub trait Turns {
    /// The number of the task, or the code of the error.
    fn start(&mut self, session: &str, message: &str) -> Result<u32, String>;
    fn poll(&mut self, task: u32) -> Stand;
    fn supply(&mut self, task: u32, results: &[Given]) -> Stand;
    fn cancel(&mut self, task: u32) -> Stand;
}

impl<T: Abi> Turns for T {
    fn start(&mut self, session: &str, message: &str) -> Result<u32, String> {
        let [session, message] = super::pass(self, [session.as_bytes(), message.as_bytes()]);
        let args = [session[0], session[1], message[0], message[1]];
        let task = self.call("clawft_start", &args);
        super::free(self, [session, message]);
        u32::try_from(task).map_err(|_| code(self))
    }

    fn poll(&mut self, task: u32) -> Stand {
        let status = self.call("clawft_poll", &[task as i32]);
        stand(self, status)
    }

    fn supply(&mut self, task: u32, results: &[Given]) -> Stand {
        let [frame] = super::pass(self, [frame(task, results).as_slice()]);
        let status = self.call("clawft_supply", &[task as i32, frame[0], frame[1]]);
        super::free(self, [frame]);
        stand(self, status)
    }

    fn cancel(&mut self, task: u32) -> Stand {
        let status = self.call("clawft_cancel", &[task as i32]);
        stand(self, status)
    }
}

fn last(abi: &mut impl Abi) -> Vec<u8> {
    let at = abi.call("clawft_answer_ptr", &[]);
    let length = abi.call("clawft_answer_len", &[]);
    abi.read(at, length)
}

fn code(abi: &mut impl Abi) -> String {
    let answer: Value = serde_json::from_slice(&last(abi)).unwrap();
    answer["error"]["code"].as_str().unwrap().to_owned()
}

fn stand(abi: &mut impl Abi, status: i32) -> Stand {
    match status {
        0 => Stand::Over(serde_json::from_slice(&last(abi)).unwrap()),
        1 => Stand::Waiting(calls(&last(abi))),
        _ => Stand::Refused(code(abi)),
    }
}

/// A frame of results, as the format has it.
pub fn frame(task: u32, results: &[Given]) -> Vec<u8> {
    let mut frame = b"CLR1\0\0\0\0".to_vec();
    for word in [task, results.len() as u32] {
        frame.extend_from_slice(&word.to_le_bytes());
    }
    for result in results {
        let first = u32::from(result.status as u16) | u32::from(result.has_more) << 16;
        let lengths = [result.head.len() as u32, result.body.len() as u32];
        for word in [first, result.call, lengths[0], lengths[1]] {
            frame.extend_from_slice(&word.to_le_bytes());
        }
        frame.extend_from_slice(result.head.as_bytes());
        frame.extend_from_slice(&result.body);
        frame.resize(frame.len().next_multiple_of(4), 0);
    }
    let length = frame.len() as u32;
    frame[4..8].copy_from_slice(&length.to_le_bytes());
    frame
}

/// The calls in a frame.
fn calls(frame: &[u8]) -> Vec<Call> {
    let word = |at: usize| u32::from_le_bytes(frame[at..at + 4].try_into().unwrap());
    assert_eq!((&frame[..4], word(4) as usize), (&b"CLH1"[..], frame.len()));
    let mut calls = Vec::new();
    let mut at = 16;
    for _ in 0..word(12) {
        let (head, body) = (word(at + 8) as usize, word(at + 12) as usize);
        let text = at + 16;
        calls.push(Call {
            op: word(at) as u16,
            flags: (word(at) >> 16) as u16,
            call: word(at + 4),
            head: serde_json::from_slice(&frame[text..text + head]).unwrap(),
            body: frame[text + head..text + head + body].to_vec(),
        });
        at = (text + head + body).next_multiple_of(4);
    }
    assert_eq!(at, frame.len());
    calls
}

impl Turns for Component {
    fn start(&mut self, session: &str, message: &str) -> Result<u32, String> {
        let arguments = [session, message].map(|text| Val::String(text.into()));
        match self.steps("start", &arguments) {
            Ok(Val::U32(task)) => Ok(task),
            Ok(other) => panic!("{other:?}"),
            Err(code) => Err(code),
        }
    }

    fn poll(&mut self, task: u32) -> Stand {
        progress(self.steps("poll", &[Val::U32(task)]))
    }

    fn supply(&mut self, task: u32, results: &[Given]) -> Stand {
        let results = results.iter().map(|result| {
            let fields = [
                ("call", Val::U32(result.call)),
                ("status", Val::S16(result.status)),
                ("has-more", Val::Bool(result.has_more)),
                ("head", Val::String(result.head.clone())),
                (
                    "body",
                    Val::List(result.body.iter().copied().map(Val::U8).collect()),
                ),
            ];
            Val::Record(fields.map(|(name, value)| (name.into(), value)).into())
        });
        let results = Val::List(results.collect());
        progress(self.steps("supply", &[Val::U32(task), results]))
    }

    fn cancel(&mut self, task: u32) -> Stand {
        progress(self.steps("cancel", &[Val::U32(task)]))
    }
}

impl Component {
    fn steps(&mut self, function: &str, arguments: &[Val]) -> Result<Val, String> {
        self.typed("clawft:agent/steps@0.2.0", function, arguments)
    }

    /// The function of the interface of 0.2; an error is its code.
    pub fn agent(&mut self, function: &str, arguments: &[Val]) -> Result<Val, String> {
        self.typed("clawft:agent/agent@0.2.0", function, arguments)
    }

    /// Calls a function that gives a `result`; an error is its code.
    fn typed(&mut self, interface: &str, name: &str, arguments: &[Val]) -> Result<Val, String> {
        match self.raw(interface, name, arguments) {
            Val::Result(Ok(value)) => Ok(*value.unwrap_or(Box::new(Val::Bool(true)))),
            Val::Result(Err(Some(error))) => match field(&error, "code") {
                Val::Enum(code) => Err(code.replace('-', "_")),
                other => panic!("{other:?}"),
            },
            other => panic!("{name}: {other:?}"),
        }
    }

    /// Calls a function, whatever it gives.
    pub fn raw(&mut self, interface: &str, name: &str, arguments: &[Val]) -> Val {
        let (store, instance) = self.host.component().expect("a component");
        let at = instance.get_export_index(&mut *store, None, interface);
        let at = at.unwrap_or_else(|| panic!("it exports no {interface}"));
        let index = instance.get_export_index(&mut *store, Some(&at), name);
        let function = instance.get_func(&mut *store, index.expect(name)).unwrap();
        let mut results = [Val::Bool(false)];
        function
            .call(store, arguments, &mut results)
            .unwrap_or_else(|why| panic!("{name}: {why:#}"));
        let [result] = results;
        result
    }
}

/// The field of a record.
pub fn field(record: &Val, name: &str) -> Val {
    let Val::Record(fields) = record else {
        panic!("no record: {record:?}");
    };
    let found = fields.iter().find(|field| field.0 == name);
    found.unwrap_or_else(|| panic!("no {name}")).1.clone()
}

/// The text of a field.
pub fn text(record: &Val, name: &str) -> String {
    match field(record, name) {
        Val::String(text) => text,
        other => panic!("{name}: {other:?}"),
    }
}

fn progress(result: Result<Val, String>) -> Stand {
    let progress = match result {
        Ok(progress) => progress,
        Err(code) => return Stand::Refused(code),
    };
    match progress {
        Val::Variant(case, Some(value)) if case == "answer" => match *value {
            Val::String(text) => Stand::Over(serde_json::from_str(&text).unwrap()),
            other => panic!("{other:?}"),
        },
        Val::Variant(case, Some(value)) if case == "calls" => match *value {
            Val::List(calls) => Stand::Waiting(calls.iter().map(call).collect()),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

fn call(record: &Val) -> Call {
    let (Val::U16(op), Val::U32(call)) = (field(record, "op"), field(record, "call")) else {
        panic!("{record:?}");
    };
    let Val::Flags(names) = field(record, "flags") else {
        panic!("{record:?}");
    };
    let known = ["repeatable", "parts", "no-result"];
    let bit = |name: &String| known.iter().position(|known| known == name).unwrap();
    let Val::List(body) = field(record, "body") else {
        panic!("{record:?}");
    };
    let byte = |value: &Val| match value {
        Val::U8(byte) => *byte,
        other => panic!("{other:?}"),
    };
    Call {
        op,
        flags: names.iter().map(|name| 1 << bit(name)).sum(),
        call,
        head: serde_json::from_str(&text(record, "head")).unwrap(),
        body: body.iter().map(byte).collect(),
    }
}
