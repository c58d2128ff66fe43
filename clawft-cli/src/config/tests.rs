use super::*;
use clawft_types::json;

fn parse(text: &str) -> Result<Settings, String> {
    Settings::parse(text, "c.toml").map_err(|mistakes| mistakes.to_string())
}

#[test]
fn everything_is_read() {
    let settings = parse(
        r#"
model = "gpt"          # a comment
temperature = 0.7
system = "be \"brief\""
root = "/srv/notes"
tools = ["read_file"]

[limits]
max_history = 0x20

[http]
first_byte_ms = 300_000

[routes]
question = "other"

[[providers]]
kind = "offline"

[[providers]]
name = "work"
kind = "openai"
base_url = "https://example.org/v1"
key_env = "WORK_KEY"
models = ["gpt", "other"]
headers = { x-team = "7" }
body = { top_p = 0.5, nested = { key_env = "kept" } }
"#,
    )
    .unwrap();
    let wanted = r#"{"model":"gpt","temperature":0.7,"system":"be \"brief\"",
        "tools":["read_file"],"limits":{"max_history":32},"routes":{"question":"other"},
        "providers":[{"kind":"offline"},{"name":"work","kind":"openai",
        "base_url":"https://example.org/v1","credential":"work","models":["gpt","other"],
        "headers":{"x-team":"7"},"body":{"top_p":0.5,"nested":{"key_env":"kept"}}}]}"#;
    let sorted = |text: &str| {
        let value: serde_json::Value = serde_json::from_str(text).unwrap();
        value
    };
    assert_eq!(sorted(&settings.json), sorted(wanted));
    assert_eq!(settings.root, Some(PathBuf::from("/srv/notes")));
    assert_eq!(settings.times.first_byte_ms, Some(300_000));
}

#[test]
fn mistakes_have_a_place_and_a_remedy() {
    let provider = "[[providers]]\nkind = \"openai\"\n";
    for (text, message) in [
        (
            "modle = \"x\"",
            "c.toml:1:1: unknown key `modle`; did you mean `model`?",
        ),
        (
            "\n[limits]\n  max_histroy = 3",
            "c.toml:3:3: unknown key `max_histroy`; did you mean `max_history`?",
        ),
        (
            &format!("{provider}zebra = 1"),
            "c.toml:3:1: unknown key `zebra`; known are name, kind,",
        ),
        (
            "[limits]\nmax_history = 1",
            "c.toml:2:1: limits.max_history: expected an integer from 2",
        ),
        (
            "model = 3",
            "c.toml:1:1: model: expected a string, got a number",
        ),
        ("model = \"x", "c.toml:1:"),
        (
            "model = 2020-01-01",
            "c.toml:1:9: expected a text or a number, got datetime",
        ),
        (
            "[[providers]]\nkind = \"pigeon\"",
            "c.toml:2:1: providers[0].kind: expected offline",
        ),
        (
            "tools = [\"launch\"]",
            "c.toml:1:1: tools: there is no tool launch",
        ),
        ("root = 3", "c.toml:1:8: expected a folder, got integer"),
        (
            "[http]\nconnect_ms = 0",
            "c.toml:2:14: expected milliseconds",
        ),
        (
            &format!("{provider}key_env = \"A\"\nkey_file = \"b\""),
            "c.toml:4:1: give one of key_env",
        ),
        (
            &format!("{provider}key_env = \"A\"\n{provider}key_env = \"A\""),
            "another provider is called \"openai\"; give this a name",
        ),
        (
            &format!("{provider}key_env = \"A\"\nbase_url = \"http://example.org\""),
            "c.toml:4:1: providers[0].base_url: a key goes to https alone",
        ),
        (
            &format!("{provider}key_command = \"pass\""),
            "expected a program and its arguments",
        ),
    ] {
        let error = parse(text).unwrap_err();
        assert!(error.contains(message), "{text}\n{error}");
    }
}

/// A name that the core learns is known here as well.
#[test]
fn the_names_are_the_cores() {
    let known = |config: &str| -> Vec<String> {
        let message = Config::parse(config).unwrap_err().message;
        let (_, names) = message.split_once("known are ").unwrap();
        names.split(", ").map(str::to_owned).collect()
    };
    let without = |names: &[&str], own: &[&str]| -> Vec<String> {
        let names = names.iter().filter(|name| !own.contains(name));
        names.map(|name| (*name).to_owned()).collect()
    };
    assert_eq!(known(r#"{"x":1}"#), without(schema::TOP, &["root", "http"]));
    assert_eq!(known(r#"{"limits":{"x":1}}"#), without(schema::LIMITS, &[]));
    let keys = &["key_env", "key_file", "key_command"];
    let mut provider = known(r#"{"providers":[{"kind":"openai","x":1}]}"#);
    provider.retain(|name| name != "credential");
    assert_eq!(provider, without(schema::PROVIDER, keys));
}

#[test]
fn without_a_file_it_is_the_default() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings::read(&folder.path().join("none.toml")).unwrap();
    assert_eq!((settings.json.as_str(), settings.is_written), ("{}", false));
    json::parse(&settings.json).unwrap();
    let error = Settings::read(folder.path()).unwrap_err();
    assert!(
        error
            .to_string()
            .contains(&folder.path().display().to_string())
    );
}
