//! A key is in the header of requests to its provider, and nowhere else.

use crate::support::{Home, SECRET, files, run};
use mock_provider::scenario::{Exchange, Form, Reply};
use mock_provider::{Mock, Scenario};
use serde_json::json;

/// What a server says that sends back what it was sent.
fn echo(status: u16) -> Exchange {
    let message = format!("Incorrect API key provided: {SECRET}. You can find yours elsewhere.");
    Exchange {
        reply: Reply {
            status: Some(status),
            json: Some(json!({"type": "error", "error": {"type": "x", "message": message}})),
            ..Reply::default()
        },
        ..Exchange::default()
    }
}

#[test]
fn a_key_is_nowhere_but_in_its_header() {
    for form in Form::ALL {
        let mut exchanges = Scenario::named("one_tool").unwrap().exchanges;
        exchanges.push(echo(401));
        exchanges.push(echo(403));
        exchanges.extend(Scenario::named("wrong_type").unwrap().exchanges);
        exchanges.extend(Scenario::named("garbage").unwrap().exchanges);
        let mock = Mock::start(exchanges).unwrap();
        let home = Home::with(&mock, form);
        std::fs::create_dir_all(home.root()).unwrap();
        std::fs::write(home.root().join("notes.txt"), "milk and eggs\n").unwrap();
        let mut said = Vec::new();
        let words = ["what do I need?", "one", "two", "three", "four"];
        let words = words.iter().flat_map(|word| ["-m", word]);
        said.push(run(home.weft().arg("agent").args(words).arg("--json")));
        said.push(run(home.weft().args(["config", "show"])));
        said.push(run(home.weft().args(["sessions", "export", "default"])));
        for requests in mock.finish().unwrap() {
            let (header, value) = match form.kind() {
                "openai" => ("authorization", format!("Bearer {SECRET}")),
                _ => ("x-api-key", SECRET.to_owned()),
            };
            assert_eq!(requests.header(header), Some(value.as_str()));
            assert!(!requests.text().contains(SECRET));
        }
        assert_eq!(said[0].1.lines().count(), 5, "{said:?}");
        assert!(
            said[0].1.contains("[key]"),
            "the server's words are shown: {said:?}"
        );
        for (_, stdout, stderr) in &said {
            assert!(
                !stdout.contains(SECRET) && !stderr.contains(SECRET),
                "{stdout}{stderr}"
            );
        }
        let files = files(home.path());
        assert!(
            files
                .iter()
                .any(|(path, _)| path.ends_with("sessions/default.json"))
        );
        for (path, bytes) in files {
            let text = String::from_utf8_lossy(&bytes);
            assert!(!text.contains(SECRET), "{}", path.display());
        }
    }
}

/// Without a key nothing is sent, and the answer says what to do.
#[test]
fn without_a_key_nothing_is_sent() {
    let mock = Mock::start(Vec::new()).unwrap();
    let home = Home::with(&mock, Form::OpenaiStream);
    let mut command = home.weft();
    command.env_remove("WEFT_TEST_KEY");
    let (code, _, stderr) = run(command.args(["agent", "-m", "hello"]));
    assert_eq!(code, Some(1));
    assert!(stderr.contains("export WEFT_TEST_KEY="), "{stderr}");
    assert!(mock.finish().unwrap().is_empty());
}

#[cfg(unix)]
#[test]
fn a_key_file_that_others_may_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let exchanges = Scenario::named("plain").unwrap().exchanges;
    let mock = Mock::start(exchanges).unwrap();
    let home = Home::new();
    let file = home.path().join("key");
    std::fs::write(&file, SECRET).unwrap();
    let url = mock.url();
    home.configure(&format!(
        "[[providers]]\nkind = \"openai\"\nbase_url = \"{url}/v1\"\nkey_file = \"~/key\"\n"
    ));
    for (mode, wanted) in [(0o644, 1), (0o600, 0)] {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        let (code, _, stderr) = run(home.weft().args(["agent", "-m", "hello"]));
        assert_eq!(code, Some(wanted), "{stderr}");
        assert_eq!(stderr.contains("chmod 600"), wanted == 1, "{stderr}");
    }
    mock.finish().unwrap();
}
