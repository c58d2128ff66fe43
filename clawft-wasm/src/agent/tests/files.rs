//! Files through tools: what they may and may not reach.

use std::fs;

use clawft_types::ErrorCode;

use super::{at, say, temporary, text, tool_error};

#[test]
fn files() {
    let root = temporary();
    let mut agent = at("{}", root.path());
    assert_eq!(
        text(&mut agent, "write a/b.txt: one two"),
        "write_file: wrote 7 bytes to a/b.txt"
    );
    assert_eq!(
        fs::read_to_string(root.path().join("a/b.txt")).unwrap(),
        "one two"
    );
    assert_eq!(text(&mut agent, "read a/b.txt"), "read_file: one two");
    assert_eq!(
        text(&mut agent, "edit a/b.txt: two => three"),
        "edit_file: edited a/b.txt"
    );
    assert_eq!(text(&mut agent, "read ./a//b.txt"), "read_file: one three");
    fs::write(root.path().join("Z"), "").unwrap();
    assert_eq!(text(&mut agent, "list"), "list_directory: Z\na/");
    assert_eq!(
        text(&mut agent, "list a"),
        "list_directory: b.txt",
        "nothing temporary is left"
    );
}

#[test]
fn files_that_are_not_as_needed() {
    let root = temporary();
    let mut agent = at(r#"{"limits":{"max_file_bytes":16}}"#, root.path());
    fs::create_dir(root.path().join("d")).unwrap();
    fs::write(root.path().join("f"), "aaa").unwrap();
    fs::write(root.path().join("large"), [b'x'; 17]).unwrap();
    fs::write(root.path().join("binary"), [0xFF]).unwrap();
    for (message, code) in [
        ("read none", ErrorCode::NotFound),
        ("read f/x", ErrorCode::NotFound),
        ("read d", ErrorCode::WrongKind),
        ("read .", ErrorCode::WrongKind),
        ("read large", ErrorCode::TooLarge),
        ("read binary", ErrorCode::NotText),
        ("write d: x", ErrorCode::WrongKind),
        ("write f/x: x", ErrorCode::WrongKind),
        ("write new: 12345678901234567", ErrorCode::TooLarge),
        ("list none", ErrorCode::NotFound),
        ("list f", ErrorCode::WrongKind),
        ("edit none: a => b", ErrorCode::NotFound),
        ("edit f: x => b", ErrorCode::EditMismatch),
        ("edit f: a => b", ErrorCode::EditMismatch),
        ("edit f: aa => b", ErrorCode::EditMismatch),
        (
            r#"/tool edit_file {"path":"f","old":"","new":"x"}"#,
            ErrorCode::EditMismatch,
        ),
        ("edit f: aaa => 12345678901234567", ErrorCode::TooLarge),
    ] {
        assert_eq!(tool_error(&mut agent, message), code, "{message}");
    }
    assert_eq!(
        text(&mut agent, "read f"),
        "read_file: aaa",
        "untouched by all that"
    );
    assert!(!root.path().join("new").exists());
}

#[test]
fn sandbox() {
    let outer = temporary();
    let root = outer.path().join("root");
    let mut agent = at("{}", &root);
    fs::write(outer.path().join("secret"), "secret").unwrap();
    for message in [
        "read ../secret",
        "read a/../../secret",
        "read /etc/passwd",
        "list ..",
        "list /",
        "write ../new: x",
        "edit ../secret: secret => public",
        "read .clawft/sessions/main.json",
        "write .clawft/sessions/main.json: {}",
        "list .clawft",
        "list ./.CLAWFT/sessions",
        r#"/tool read_file {"path":""}"#,
        r#"/tool read_file {"path":"a\u0000b"}"#,
        r#"/tool read_file {"path":"..\\secret"}"#,
    ] {
        assert_eq!(
            tool_error(&mut agent, message),
            ErrorCode::PathOutsideSandbox,
            "{message}"
        );
    }
    assert_eq!(
        fs::read_to_string(outer.path().join("secret")).unwrap(),
        "secret"
    );
    assert!(!outer.path().join("new").exists());
}

#[cfg(unix)]
#[test]
fn symbolic_links_do_not_lead_out() {
    use std::os::unix::fs::symlink;

    let outer = temporary();
    let root = outer.path().join("root");
    let mut agent = at("{}", &root);
    say(&mut agent, "write in/a: inside");
    fs::write(outer.path().join("secret"), "secret").unwrap();
    symlink("../secret", root.join("file")).unwrap();
    symlink("..", root.join("up")).unwrap();
    symlink("../nowhere", root.join("dangling")).unwrap();
    symlink(".clawft", root.join("state")).unwrap();
    symlink("in", root.join("fine")).unwrap();
    for message in [
        "read file",
        "write file: x",
        "read up/secret",
        "write up/new: x",
        "list up",
        "write dangling: x",
        "read state/sessions/main.json",
        "list state",
    ] {
        assert_eq!(
            tool_error(&mut agent, message),
            ErrorCode::PathOutsideSandbox,
            "{message}"
        );
    }
    assert_eq!(text(&mut agent, "read fine/a"), "read_file: inside");
    assert_eq!(
        fs::read_to_string(outer.path().join("secret")).unwrap(),
        "secret"
    );
    assert!(!outer.path().join("nowhere").exists());
}
