//! Run tools, the fifth stage: the table of tools, their arguments, and what each does.
//!
//! Every argument is a text; the table drives both the check and the JSON schema in the
//! capabilities. Paths are confined by [`Workspace::inside`], sizes by `limits.max_file_bytes`.

use clawft_types::fields;
use clawft_types::json::{self, decimal};
use clawft_types::{
    AgentError, Config, ErrorCode, HostTool, Limits, Permission, Result, ToolCall, ToolConfig,
    Value, text,
};
use core_alloc::string::String;
use core_alloc::vec::Vec;

use super::find;
use super::memory::Memory;
use super::workspace::{self, Workspace};

/// A tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// Gives the text of a file.
    ReadFile,
    /// Makes or replaces a file.
    WriteFile,
    /// Replaces a text that occurs once in a file.
    EditFile,
    /// Gives the names in a directory.
    ListDirectory,
    /// Gives the lines of files that have a text in them.
    FindText,
    /// Gives what is remembered under a key, or all keys.
    MemoryRead,
    /// Remembers a text under a key.
    MemoryWrite,
    /// Fetches a page; the machine does, by requests.
    WebFetch,
}

/// The tool that the machine does itself.
const WEB_FETCH: &str = "web_fetch";

/// Calls in one reply that are run; the others get `too_large`.
pub const MAX_CALLS: usize = 32;

/// Bytes of results in one turn after which calls get `too_large`.
pub const MAX_RESULT_BYTES: usize = 1024 * 1024;

/// Bytes of one result that the provider gets to see: its first and its last half of that.
const SHOWN_BYTES: usize = 32 * 1024;

/// An argument of a tool.
#[derive(Debug)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// Whether it must be there.
    pub required: bool,
    /// What it is, for providers.
    pub description: &'static str,
}

/// A tool as providers and hosts see it.
#[derive(Debug)]
pub struct Spec {
    /// The tool.
    pub tool: Tool,
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub description: &'static str,
    /// Its arguments.
    pub parameters: &'static [Parameter],
}

const fn required(name: &'static str, description: &'static str) -> Parameter {
    Parameter {
        name,
        required: true,
        description,
    }
}

const fn optional(name: &'static str, description: &'static str) -> Parameter {
    Parameter {
        name,
        required: false,
        description,
    }
}

/// Every tool there is.
pub static ALL: [Spec; 8] = [
    Spec {
        tool: Tool::ReadFile,
        name: "read_file",
        description: "Read a text file.",
        parameters: &[required("path", "relative to the root")],
    },
    Spec {
        tool: Tool::WriteFile,
        name: "write_file",
        description: "Create or replace a text file.",
        parameters: &[
            required("path", "relative to the root"),
            required("content", "the whole text"),
        ],
    },
    Spec {
        tool: Tool::EditFile,
        name: "edit_file",
        description: "Replace a text that occurs exactly once in a file.",
        parameters: &[
            required("path", "relative to the root"),
            required("old", "the text to replace"),
            required("new", "the text to put there"),
        ],
    },
    Spec {
        tool: Tool::ListDirectory,
        name: "list_directory",
        description: "List a directory.",
        parameters: &[optional(
            "path",
            "relative to the root, which is the default",
        )],
    },
    Spec {
        tool: Tool::FindText,
        name: "find_text",
        description: "Find the lines of files that have a text in them.",
        parameters: &[
            required("text", "as it stands in a line"),
            optional("path", "a file or directory, all by default"),
        ],
    },
    Spec {
        tool: Tool::MemoryRead,
        name: "memory_read",
        description: "Recall what is remembered under a key, or list the keys.",
        parameters: &[optional("key", "all keys if left out")],
    },
    Spec {
        tool: Tool::MemoryWrite,
        name: "memory_write",
        description: "Remember a text under a key.",
        parameters: &[
            required("key", "1 to 256 bytes"),
            required("value", "the text"),
        ],
    },
    Spec {
        tool: Tool::WebFetch,
        name: WEB_FETCH,
        description: "Fetch a page or a text of the web.",
        parameters: &[required("url", "http or https")],
    },
];

/// The tool called `name`.
pub fn find(name: &str) -> Option<&'static Spec> {
    ALL.iter().find(|spec| spec.name == name)
}

/// The tools that a configuration allows.
#[derive(Debug, Clone, Copy)]
pub struct Allowed<'a>(&'a ToolConfig);

/// A tool as it is offered.
#[derive(Debug, Clone, Copy)]
pub enum Offered<'a> {
    /// One of [`ALL`].
    Own(&'static Spec),
    /// One of the host's.
    Host(&'a HostTool),
}

impl<'a> Allowed<'a> {
    /// What `config` allows.
    pub fn by(config: &'a Config) -> Self {
        Allowed(&config.tools)
    }

    /// Whether the tool may be called, if the user agrees.
    pub fn has(self, name: &str) -> bool {
        self.0.permission(name) != Permission::Deny
    }

    /// Whether the user is to be asked about a call.
    pub fn is_asked(self, name: &str) -> bool {
        self.0.permission(name) == Permission::Ask
    }

    /// Whether it is a tool of the host's that may be called.
    pub fn is_host(self, name: &str) -> bool {
        self.has(name) && self.0.host.iter().any(|tool| tool.name == name)
    }

    /// Whether it is a page that may be fetched.
    pub fn is_page(self, name: &str) -> bool {
        name == WEB_FETCH && self.has(name) && !self.0.web.is_empty()
    }

    /// Hands all of them to `take`; those that a model is offered, which are not those that can
    /// only fail, where it is `for_providers`.
    pub fn each(self, for_providers: bool, take: &mut dyn FnMut(Offered<'a>)) {
        for spec in &ALL {
            let fails = spec.tool == Tool::WebFetch && self.0.web.is_empty();
            if self.has(spec.name) && !(for_providers && fails) {
                take(Offered::Own(spec));
            }
        }
        for tool in &self.0.host {
            if self.has(&tool.name) {
                take(Offered::Host(tool));
            }
        }
    }
}

/// The calls of which this is so, and the others, each in their order.
#[inline(never)]
pub fn split(calls: Vec<ToolCall>, is_so: &dyn Fn(&str) -> bool) -> (Vec<ToolCall>, Vec<ToolCall>) {
    let (mut these, mut others) = (Vec::new(), Vec::new());
    for call in calls {
        let to = if is_so(&call.name) {
            &mut these
        } else {
            &mut others
        };
        to.push(call);
    }
    (these, others)
}

/// Runs `call`.
///
/// # Errors
///
/// `unknown_tool`, `tool_disabled`, `invalid_arguments`, and what the tool fails with.
// Not inlined: in the large stack frame of a turn an access takes an offset of two bytes instead of
// one.
#[inline(never)]
pub fn run(
    call: &ToolCall,
    allowed: Allowed<'_>,
    limits: &Limits,
    workspace: &Workspace,
    memory: &mut Memory,
) -> Result<String> {
    let Some(spec) = find(&call.name) else {
        let shown = text::first_characters(&call.name, 80);
        return Err(AgentError::new(
            ErrorCode::UnknownTool,
            "there is no tool {}",
            &[shown],
        ));
    };
    if !allowed.has(spec.name) {
        let message = "config.tools does not allow {}";
        return Err(AgentError::new(
            ErrorCode::ToolDisabled,
            message,
            &[spec.name],
        ));
    }
    let arguments = json::parse(&call.arguments)?;
    let texts = texts(spec, &arguments)?;
    act(spec.tool, texts, limits.max_file_bytes, workspace, memory)
}

/// The arguments of a call, in the order of the table.
fn texts<'v>(spec: &Spec, arguments: &'v Value) -> Result<[&'v str; 3]> {
    fields::read(arguments, spec.name, ErrorCode::InvalidArguments, |given| {
        let mut names = String::new();
        let mut texts = [""; 3];
        for (parameter, text) in spec.parameters.iter().zip(&mut texts) {
            text::push_item(&mut names, ", ", parameter.name);
            *text = if parameter.required {
                given.str(parameter.name)
            } else {
                given.str_or(parameter.name, "")
            };
        }
        given.only(&names);
        texts
    })
}

/// The URL of a call of `web_fetch`.
///
/// # Errors
///
/// `invalid_json`, `invalid_arguments`.
pub fn url(call: &ToolCall) -> Result<String> {
    let arguments = json::parse(&call.arguments)?;
    let spec = ALL.last().filter(|spec| spec.tool == Tool::WebFetch);
    let texts = spec.map_or(Ok([""; 3]), |spec| texts(spec, &arguments))?;
    Ok(String::from(texts[0]))
}

/// What the provider gets to see of a result: all of it, or where it is long its beginning and its
/// end.
pub fn shown(text: String) -> String {
    if text.len() <= SHOWN_BYTES {
        return text;
    }
    let first = text::up_to(&text, SHOWN_BYTES / 2);
    let mut tail = text.len() - SHOWN_BYTES / 2;
    let last = loop {
        match text.get(tail..) {
            Some(last) => break last,
            None => tail += 1,
        }
    };
    let left_out = decimal((tail - first.len()) as u64);
    text::fill("{}… {} bytes left out …{}", &[first, &left_out, last])
}

/// Does what `tool` does with its arguments in the order of the table.
fn act(
    tool: Tool,
    [first, second, third]: [&str; 3],
    limit: u64,
    workspace: &Workspace,
    memory: &mut Memory,
) -> Result<String> {
    match tool {
        Tool::ReadFile => workspace.read(&workspace.inside(first)?, limit),
        Tool::WriteFile => {
            let path = workspace.inside(first)?;
            write(&path, second, limit, workspace)?;
            Ok(text::fill(
                "wrote {} bytes to {}",
                &[&decimal(second.len() as u64), &path],
            ))
        }
        Tool::EditFile => {
            let path = workspace.inside(first)?;
            let old = workspace.read(&path, limit)?;
            let Some((at, true)) = text::find(&old, second) else {
                return Err(AgentError::new(
                    ErrorCode::EditMismatch,
                    "{}: the text to replace does not occur exactly once",
                    &[&path],
                ));
            };
            let (before, after) = (old.get(..at), old.get(at + second.len()..));
            let pieces = [before.unwrap_or_default(), third, after.unwrap_or_default()];
            write(&path, &text::fill("{}{}{}", &pieces), limit, workspace)?;
            Ok(text::fill("edited {}", &[&path]))
        }
        Tool::ListDirectory => {
            let path = workspace.inside(if first.is_empty() { "." } else { first })?;
            let mut out = String::new();
            for name in &workspace.list(&path, limit)? {
                text::push_item(&mut out, "\n", name);
            }
            Ok(out)
        }
        Tool::FindText => {
            let path = if second.is_empty() { "." } else { second };
            find::find(first, path, limit, workspace)
        }
        Tool::MemoryRead if first.is_empty() => memory.keys(limit, workspace),
        Tool::MemoryRead => memory.get(first, limit, workspace),
        Tool::MemoryWrite => {
            memory.set(first, second, limit, workspace)?;
            Ok(text::fill("remembered {}", &[first]))
        }
        Tool::WebFetch => Err(AgentError::new(
            ErrorCode::Unsupported,
            "web_fetch needs HTTP, which this build does not have",
            &[],
        )),
    }
}

fn write(path: &str, text: &str, limit: u64, workspace: &Workspace) -> Result<()> {
    let bytes = text.len() as u64;
    if bytes > limit {
        return Err(workspace::too_large(path, bytes, limit));
    }
    workspace.write(path, text)
}
