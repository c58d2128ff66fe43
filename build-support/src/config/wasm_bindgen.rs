//! What wasm-bindgen makes of the linked file: the table `wasm-bindgen`, with the options that its
//! command has, by the same names.

use super::mistakes::{code, suggestion};
use super::value::Value;

/// What is asked of wasm-bindgen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WasmBindgen {
    /// Whom the JavaScript is for, one of [`WasmBindgen::TARGETS`].
    pub target: String,
    /// What the files are called; as the linked one where nothing is said.
    pub out_name: Option<String>,
    /// Whether there are types for TypeScript.
    pub typescript: bool,
    /// The switches that are on, of [`WasmBindgen::SWITCHES`].
    pub switches: Vec<&'static str>,
}

impl Default for WasmBindgen {
    fn default() -> Self {
        Self {
            target: Self::TARGETS[0].to_owned(),
            out_name: None,
            typescript: true,
            switches: Vec::new(),
        }
    }
}

impl WasmBindgen {
    /// Whom the JavaScript may be for; the first where nothing is said.
    pub const TARGETS: [&'static str; 7] = [
        "web",
        "bundler",
        "nodejs",
        "no-modules",
        "deno",
        "experimental-nodejs-module",
        "module",
    ];

    /// What can be switched on.
    pub const SWITCHES: [&'static str; 5] = [
        "omit-default-module-path",
        "omit-imports",
        "reference-types",
        "split-linked-modules",
        "weak-refs",
    ];

    /// The stem of what it writes, where the linked file's is `linked`: `app` of `app.js` and
    /// `app_bg.wasm`.
    pub fn stem<'a>(&'a self, linked: &'a str) -> &'a str {
        self.out_name.as_deref().unwrap_or(linked)
    }

    /// The same of the wasm file among it.
    pub fn wasm_stem(&self, linked: &str) -> String {
        format!("{}_bg", self.stem(linked))
    }

    /// As its command takes it, where the linked file's stem is `linked`.
    pub fn arguments(&self, linked: &str) -> Vec<String> {
        let mut arguments = vec![
            format!("--target={}", self.target),
            format!("--out-name={}", self.stem(linked)),
        ];
        if !self.typescript {
            arguments.push("--no-typescript".to_owned());
        }
        arguments.extend(self.switches.iter().map(|switch| format!("--{switch}")));
        arguments
    }
}

/// Reads the table, whose presence asks for it.
pub(super) fn read(value: &Value<'_>, into: &mut Option<WasmBindgen>) {
    let mut asked = WasmBindgen::default();
    let mut known = vec!["target", "out-name", "typescript"];
    known.extend(WasmBindgen::SWITCHES);
    for (key, value) in value.known(&known) {
        match key {
            "target" => target(&value, &mut asked.target),
            "out-name" => asked.out_name = out_name(&value),
            "typescript" => value.boolean(&mut asked.typescript),
            _ => {
                let mut is_on = false;
                value.boolean(&mut is_on);
                let mut switches = WasmBindgen::SWITCHES.into_iter();
                asked
                    .switches
                    .extend(switches.find(|switch| is_on && *switch == key));
            }
        }
    }
    *into = Some(asked);
}

fn target(value: &Value<'_>, into: &mut String) {
    let Some(name) = value.string() else {
        return;
    };
    if WasmBindgen::TARGETS.contains(&name) {
        name.clone_into(into);
        return;
    }
    value
        .mistake(
            code::BAD_NAME,
            format!("`{name}` is no target of wasm-bindgen"),
        )
        .label(format!("not one of {}", WasmBindgen::TARGETS.join(", ")))
        .help(suggestion(name, &WasmBindgen::TARGETS, "targets"));
}

/// The name of a file, and of no other folder's; wasm-bindgen takes what is behind a dot away.
fn out_name(value: &Value<'_>) -> Option<String> {
    let name = value.string()?;
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    if name.starts_with(char::is_alphanumeric) && name.chars().all(is_plain) {
        return Some(name.to_owned());
    }
    value
        .mistake(code::BAD_NAME, format!("`{name}` is not the name of files"))
        .label("letters, digits, - and _")
        .help("write it without a folder and an ending, such as \"app\"");
    None
}
