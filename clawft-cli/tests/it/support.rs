//! What several tests need: a configuration for a mock, the program, and what it left.

pub mod s3;

use build_support::system::process;
use clawft_cli::driver::{Clock, Driver};
use clawft_cli::http::Times;
use clawft_cli::keys::{Keys, Source};
use clawft_wasm::Agent;
use mock_provider::scenario::{End, Form};
use mock_provider::{Mock, Scenario};
use serde_json::{Value, json};
use std::cell::Cell;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::LazyLock;

/// The key of every provider here.
pub const SECRET: &str = "sk-test-7d1f0c5e9a";

/// A time on a clock that jumps.
const NOW_MS: u64 = 1_800_000_000_000;

/// Where a provider called `name` is.
pub fn base_url(form: Form, url: &str, name: &str) -> String {
    match form.kind() {
        "openai" => format!("{url}/{name}/v1"),
        _ => format!("{url}/{name}"),
    }
}

/// A driver of an agent in `root` (or in memory) whose providers are the mock.
pub fn driver(scenario: &Scenario, form: Form, mock: &Mock, root: Option<&Path>) -> Driver {
    let mut keys = Keys::default();
    let mut providers = Vec::new();
    for name in ["first", "next"]
        .iter()
        .take(1 + usize::from(scenario.next))
    {
        let base_url = base_url(form, &mock.url(), name);
        let words = ["echo", SECRET].map(str::to_owned);
        keys.add(name, &base_url, Source::Command(words.into()));
        providers.push(
            json!({"name": name, "kind": form.kind(), "base_url": base_url,
            "credential": name, "stream": form.is_stream()}),
        );
    }
    let mut config = json!({"model": "m", "providers": providers});
    if let Value::Object(more) = &scenario.config {
        for (name, value) in more {
            config[name] = value.clone();
        }
    }
    let config = config.to_string();
    let agent = match root {
        Some(root) => Agent::at(&config, root),
        None => Agent::new(&config, None),
    };
    let ends = |end| {
        let mut exchanges = scenario.exchanges.iter();
        exchanges.any(|exchange| exchange.reply.end == end)
    };
    // As short as can be, but where something comes before: that may be slow on a busy machine.
    let times = Times {
        first_byte_ms: ends(End::Silent).then_some(300),
        between_bytes_ms: ends(End::Hang).then_some(2000),
        ..Times::default()
    };
    let clock = Clock::Jumping(Cell::new(NOW_MS));
    Driver::new(agent.unwrap(), keys, times, clock)
}

/// Homes of a user: the agent's folder, and the file of the configuration.
pub struct Home {
    folder: tempfile::TempDir,
}

impl Home {
    /// A home without a configuration.
    pub fn new() -> Home {
        Home {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// A home whose configuration names one provider, of `form`, at the mock.
    pub fn with(mock: &Mock, form: Form) -> Home {
        let home = Home::new();
        home.configure(&format!(
            "model = \"m\"\n[[providers]]\nname = \"first\"\nkind = \"{}\"\nbase_url = \"{}\"\n\
             stream = {}\nkey_env = \"WEFT_TEST_KEY\"\n",
            form.kind(),
            base_url(form, &mock.url(), "first"),
            form.is_stream()
        ));
        home
    }

    pub fn configure(&self, text: &str) {
        let path = self.path().join("config/clawft/config.toml");
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn root(&self) -> PathBuf {
        self.path().join("root")
    }

    /// A shell in this home, which finds the programs in `bin` first.
    pub fn shell(&self, bin: &Path) -> Command {
        let mut command = process::command("sh");
        command.env_clear();
        command.env("HOME", self.path());
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = [bin.to_owned()]
            .into_iter()
            .chain(std::env::split_paths(&path));
        command.env("PATH", std::env::join_paths(folders).unwrap());
        command.env("XDG_DATA_HOME", self.root());
        command
    }

    /// The program in this home; its input is empty.
    pub fn weft(&self) -> Command {
        self.weft_at(self.root().as_os_str())
    }

    /// The same with another root.
    pub fn weft_at(&self, root: &OsStr) -> Command {
        let mut option = OsString::from("--root=");
        option.push(root);
        let mut command = process::command(env!("CARGO_BIN_EXE_weft"));
        command.env_clear();
        command.env("HOME", self.path());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("XDG_CONFIG_HOME", self.path().join("config"));
        command.env("WEFT_TEST_KEY", SECRET);
        command.arg(option);
        command.stdin(Stdio::null());
        command
    }
}

/// Runs `command` to its end: exit code, standard output, standard error.
pub fn run(command: &mut Command) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    (
        status.code(),
        String::from_utf8(stdout).unwrap(),
        String::from_utf8(stderr).unwrap(),
    )
}

/// The root of the repository.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The shipped component.
#[cfg(feature = "wasm")]
pub fn component() -> &'static Path {
    static BUILT: LazyLock<PathBuf> = LazyLock::new(|| shipped("wasm32-wasip2"));
    &BUILT
}

/// The shipped reactor.
pub fn reactor() -> &'static Path {
    static BUILT: LazyLock<PathBuf> = LazyLock::new(|| shipped("wasm32-wasip1"));
    &BUILT
}

/// Built as `cargo wasm` builds it; whether it is within its budget is told elsewhere.
fn shipped(triple: &str) -> PathBuf {
    let target = workspace().join("target");
    let mut cargo = process::cargo("cargo");
    cargo.current_dir(workspace());
    cargo.args([
        "run",
        "--quiet",
        "--package",
        "build-support",
        "--target-dir",
    ]);
    cargo.arg(&target);
    cargo.args(["--", "build", "--target", triple]);
    let built = cargo.output().unwrap();
    assert!(matches!(built.status.code(), Some(0 | 1)), "{built:?}");
    target.join("budget").join(triple).join("clawft_wasm.wasm")
}

/// Ctrl-C, as a terminal sends it.
#[cfg(unix)]
pub fn interrupt(child: &Child) {
    let mut kill = process::command("kill");
    process::output(kill.args(["-INT", &child.id().to_string()])).unwrap();
}

/// Every file below `folder`, with its bytes.
pub fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let bytes = std::fs::read(&path).unwrap();
            found.push((path, bytes));
        }
    }
    found
}
