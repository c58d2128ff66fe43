//! The agent in every engine it must run in, behind one interface: configure, say, describe.
//!
//! Each is driven through what the shipped file really exports, with one folder of the test's own.

mod component;
mod native;
mod node;
mod reactor;
pub mod traced;
pub mod turns;
mod wasmi;

pub use component::Component;
pub use native::Native;
pub use node::Node;
pub use reactor::Reactor;
pub use wasmi::Wasmi;

use build_support::ops::build;
use build_support::project::listener::Silent;
use build_support::project::package::{Package, Wanted};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// An agent in some engine.
pub trait Engine {
    /// `init`: the error's JSON where it refuses.
    fn init(&mut self, config: &str) -> Result<(), String>;
    /// `process_message`: the answer's JSON, errors included.
    fn say(&mut self, session: &str, message: &str) -> String;
    /// `capabilities`: JSON.
    fn capabilities(&mut self) -> String;
}

/// A C ABI host can send bytes that are no text; the others cannot.
pub trait RawEngine: Engine {
    /// `clawft_process_message` with any bytes: status and answer.
    fn say_bytes(&mut self, session: &[u8], message: &[u8]) -> (i32, String);
}

/// The C ABI's calls, in terms of what an engine can do with a module instance.
pub trait Abi {
    /// Calls an export that takes and gives 32-bit numbers.
    fn call(&mut self, export: &str, args: &[i32]) -> i32;
    /// Calls an export that gives nothing.
    fn run(&mut self, export: &str, args: &[i32]);
    /// Writes into the memory.
    fn write(&mut self, at: i32, bytes: &[u8]);
    /// Reads from the memory.
    fn read(&mut self, at: i32, length: i32) -> Vec<u8>;
}

impl<T: Abi> Engine for T {
    fn init(&mut self, config: &str) -> Result<(), String> {
        let [config] = pass(self, [config.as_bytes()]);
        let status = self.call("clawft_init", &config);
        free(self, [config]);
        if status == 0 {
            Ok(())
        } else {
            Err(answer(self))
        }
    }

    fn say(&mut self, session: &str, message: &str) -> String {
        self.say_bytes(session.as_bytes(), message.as_bytes()).1
    }

    fn capabilities(&mut self) -> String {
        assert_eq!(self.call("clawft_capabilities", &[]), 0);
        answer(self)
    }
}

impl<T: Abi> RawEngine for T {
    fn say_bytes(&mut self, session: &[u8], message: &[u8]) -> (i32, String) {
        let [session, message] = pass(self, [session, message]);
        let args = [session[0], session[1], message[0], message[1]];
        let status = self.call("clawft_process_message", &args);
        free(self, [session, message]);
        (status, answer(self))
    }
}

fn pass<const N: usize>(abi: &mut impl Abi, texts: [&[u8]; N]) -> [[i32; 2]; N] {
    texts.map(|text| {
        let length = i32::try_from(text.len()).unwrap();
        let at = abi.call("clawft_alloc", &[length]);
        assert!(at != 0 || length == 0, "no memory for {length} bytes");
        abi.write(at, text);
        [at, length]
    })
}

fn free<const N: usize>(abi: &mut impl Abi, texts: [[i32; 2]; N]) {
    for text in texts {
        abi.run("clawft_free", &text);
    }
}

fn answer(abi: &mut impl Abi) -> String {
    let (at, length) = (
        abi.call("clawft_answer_ptr", &[]),
        abi.call("clawft_answer_len", &[]),
    );
    String::from_utf8(abi.read(at, length)).expect("answers are UTF-8")
}

/// What the tests need of one build: the shipped file and the linked one. They are everybody's.
#[derive(Clone)]
pub struct Build {
    /// The shipped file.
    pub shipped: PathBuf,
    /// The linked core module.
    pub linked: PathBuf,
}

/// The agent for `target` through the whole pipeline, as `cargo wasm` builds it, and once for all
/// tests. Builds with other features than the default have a folder of their own.
pub fn build(target: &str, features: &[&str]) -> Build {
    static BUILT: Mutex<BTreeMap<PathBuf, Build>> = Mutex::new(BTreeMap::new());
    let package = Package::at(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
    let folder = if features.is_empty() {
        package.outputs(target)
    } else {
        let others = package.target_dir.join("budget-tests");
        others.join(features.join("-")).join(target)
    };
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(made) = built.get(&folder) {
        return made.clone();
    }
    let wanted = Wanted {
        features: features.iter().map(|f| (*f).to_owned()).collect(),
        ..Wanted::default()
    };
    let shipped = build::run(&package, target, &wanted, &folder, &mut Silent);
    let files = shipped.unwrap().files;
    let made = Build {
        shipped: files.shipped,
        linked: files.linked,
    };
    built.insert(folder, made.clone());
    made
}

/// An answer without what the clock decides.
pub fn timeless(answer: &str) -> Value {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                fields.remove("timestamp_ms");
                fields.values_mut().for_each(strip);
            }
            Value::Array(values) => values.iter_mut().for_each(strip),
            _ => {}
        }
    }
    let mut value =
        serde_json::from_str(answer).unwrap_or_else(|e| panic!("not JSON ({e}): {answer}"));
    strip(&mut value);
    value
}
