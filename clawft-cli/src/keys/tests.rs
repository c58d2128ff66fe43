use super::*;

const SECRET: &str = "sk-secret-1234567890";

fn wanted() -> Credential {
    Credential {
        name: "work".to_owned(),
        header: "authorization",
        prefix: "Bearer ",
    }
}

fn echo(base_url: &str) -> Keys {
    let mut keys = Keys::default();
    let words = ["echo", SECRET].map(str::to_owned);
    keys.add("work", base_url, Source::Command(words.into()));
    keys
}

/// A key goes where it was configured for, and nowhere else.
#[test]
fn a_key_is_for_one_address() {
    for (base_url, url, why) in [
        (
            "https://a.org/v1",
            "https://a.org/v1/chat/completions",
            None,
        ),
        ("http://127.0.0.1:80", "http://127.0.0.1:80/v1", None),
        (
            "https://a.org/v1",
            "https://a.org.evil.org/v1/x",
            Some("not for this address"),
        ),
        (
            "https://a.org/v1",
            "https://b.org/v1/x",
            Some("not for this address"),
        ),
        (
            "https://a.org/v1",
            "https://a.org/v10/x",
            Some("not for this address"),
        ),
        (
            "https://a.org/v1",
            "http://a.org/v1/x",
            Some("not for this address"),
        ),
        (
            "http://a.org/v1",
            "http://a.org/v1/x",
            Some("by https alone"),
        ),
    ] {
        match (echo(base_url).header(&wanted(), url), why) {
            (Ok(header), None) => {
                assert_eq!(header.value(), format!("Bearer {SECRET}"));
                assert!(!format!("{header:?}").contains(SECRET));
            }
            (Err(error), Some(why)) => assert!(error.contains(why), "{error}"),
            (other, _) => panic!("{url}: {other:?}"),
        }
    }
}

#[test]
fn nothing_shows_a_key() {
    let mut keys = echo("https://a.org");
    let header = keys.header(&wanted(), "https://a.org/x").unwrap();
    let shown = format!("{header:?}{:?}", keys.0[0].key);
    assert!(!shown.contains(SECRET), "{shown}");
    assert_eq!(
        keys.without(&format!("bad key {SECRET}!")),
        "bad key [key]!"
    );
}

#[cfg(unix)]
#[test]
fn a_file_that_others_may_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    std::fs::write(&path, format!("{SECRET}\n")).unwrap();
    for (mode, fine) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false)] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        match Source::File(path.clone()).read() {
            Ok(key) => assert!(fine && key.0 == SECRET, "{mode:o}"),
            Err(why) => assert!(!fine && why.contains("chmod 600"), "{why}"),
        }
    }
}

#[test]
fn keys_that_cannot_be_had_say_why() {
    let folder = tempfile::tempdir().unwrap();
    let command =
        |words: &[&str]| Source::Command(words.iter().map(|word| (*word).to_owned()).collect());
    for (source, why) in [
        (
            Source::Env("CLAWFT_NO_SUCH_VARIABLE".to_owned()),
            "export CLAWFT_NO_SUCH_VARIABLE=",
        ),
        (Source::File(folder.path().join("none")), "none: "),
        (command(&["false"]), "`false` failed"),
        (command(&["/no/such/program"]), "`/no/such/program`: "),
        (command(&["echo", ""]), "expected a key"),
        (command(&["echo", "two words"]), "expected a key"),
    ] {
        let error = source.read().unwrap_err();
        assert!(error.contains(why), "{error}");
    }
    let error = Keys::default()
        .header(&wanted(), "https://a.org/x")
        .unwrap_err();
    assert!(error.contains("give key_env"), "{error}");
}
