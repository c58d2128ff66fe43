//! Files through tools: what they may and may not reach.

use build_support::system::process;
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

/// A file of the user's is nobody's temporary one.
#[test]
fn writing_destroys_no_neighbour() {
    let root = temporary();
    let mut agent = at("{}", root.path());
    let neighbours = ["a.clawft-tmp", ".clawft-tmp", ".clawft-tmp0", "a.tmp"];
    for name in neighbours {
        fs::write(root.path().join(name), name).unwrap();
    }
    assert_eq!(
        text(&mut agent, "write a: x"),
        "write_file: wrote 1 bytes to a"
    );
    for name in neighbours {
        assert_eq!(fs::read_to_string(root.path().join(name)).unwrap(), name);
    }
    assert_eq!(
        fs::read_dir(root.path()).unwrap().count(),
        neighbours.len() + 2
    );
}

#[cfg(unix)]
#[test]
fn a_link_in_the_way_of_a_temporary_file_is_not_written_through() {
    use std::os::unix::fs::symlink;

    let outer = temporary();
    let root = outer.path().join("root");
    let mut agent = at("{}", &root);
    fs::write(outer.path().join("secret"), "secret").unwrap();
    fs::write(root.join("mine"), "mine").unwrap();
    for number in 0..3 {
        for (to, name) in [("../secret", ".clawft-tmp"), ("mine", "a.clawft-tmp")] {
            let _ = symlink(to, root.join(format!("{name}{number}")));
        }
    }
    symlink("mine", root.join("a.clawft-tmp")).unwrap();
    assert_eq!(
        text(&mut agent, "write a: x"),
        "write_file: wrote 1 bytes to a"
    );
    assert_eq!(
        fs::read_to_string(outer.path().join("secret")).unwrap(),
        "secret"
    );
    assert_eq!(fs::read_to_string(root.join("mine")).unwrap(), "mine");
}

#[cfg(unix)]
#[test]
fn writing_keeps_the_mode_and_the_link() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    let root = temporary();
    let mut agent = at("{}", root.path());
    let file = root.path().join("run.sh");
    fs::write(&file, "echo one").unwrap();
    symlink("run.sh", root.path().join("link")).unwrap();
    for mode in [0o755, 0o600, 0o444] {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        say(&mut agent, "edit run.sh: one => two");
        say(&mut agent, "write link: echo one");
        assert_eq!(fs::read_to_string(&file).unwrap(), "echo one");
        assert_eq!(
            fs::metadata(&file).unwrap().permissions().mode() & 0o7777,
            mode
        );
    }
    let link = fs::symlink_metadata(root.path().join("link")).unwrap();
    assert!(
        link.file_type().is_symlink(),
        "the link still leads to the file"
    );
}

#[test]
fn the_longest_names_can_be_written() {
    let root = temporary();
    let mut agent = at("{}", root.path());
    let name = "n".repeat(255);
    let wrote = format!("write_file: wrote 1 bytes to {name}");
    assert_eq!(text(&mut agent, &format!("write {name}: x")), wrote);
    assert_eq!(fs::read_to_string(root.path().join(name)).unwrap(), "x");
}

/// A pipe would be waited for, a device never ends, and neither is to be replaced.
#[cfg(unix)]
#[test]
fn what_is_no_file_is_neither_read_nor_replaced() {
    use std::os::unix::net::UnixListener;

    let root = temporary();
    let mut agent = at("{}", root.path());
    let _socket = UnixListener::bind(root.path().join("socket")).unwrap();
    let fifo = root.path().join("fifo");
    process::output(process::command("mkfifo").arg(fifo)).unwrap();
    for name in ["socket", "fifo"] {
        for message in [
            format!("read {name}"),
            format!("write {name}: x"),
            format!("edit {name}: a => b"),
        ] {
            assert_eq!(
                tool_error(&mut agent, &message),
                ErrorCode::WrongKind,
                "{message}"
            );
        }
    }
    use std::os::unix::fs::FileTypeExt as _;
    let kind = |name: &str| fs::metadata(root.path().join(name)).unwrap().file_type();
    assert!(kind("fifo").is_fifo() && kind("socket").is_socket());
}

/// A name that is no text is shown as far as it is, and hides no other.
#[cfg(target_os = "linux")]
#[test]
fn names_that_are_no_text_are_listed() {
    use std::os::unix::ffi::OsStrExt as _;

    let root = temporary();
    let mut agent = at("{}", root.path());
    fs::write(
        root.path()
            .join(std::ffi::OsStr::from_bytes(b"bad\xFFname\xC3")),
        "",
    )
    .unwrap();
    fs::write(root.path().join("gut-ä"), "").unwrap();
    assert_eq!(
        text(&mut agent, "list"),
        "list_directory: bad\\xFFname\\xC3\ngut-ä"
    );
}

#[test]
fn texts_in_files() {
    let root = temporary();
    let mut agent = at(r#"{"limits":{"max_file_bytes":4096}}"#, root.path());
    fs::create_dir_all(root.path().join("a/b")).unwrap();
    fs::write(root.path().join("a/b/one.txt"), "tea\ngreen tea\n").unwrap();
    fs::write(root.path().join("a/two.txt"), "coffee").unwrap();
    fs::write(root.path().join("z.txt"), "no\nTea, and tea\r\n").unwrap();
    fs::write(root.path().join("binary"), b"tea\xFF").unwrap();
    fs::write(root.path().join("large"), "tea\n".repeat(2000)).unwrap();
    let find = |arguments: &str| format!("/tool find_text {arguments}");
    assert_eq!(
        text(&mut agent, &find(r#"{"text":"tea"}"#)),
        "find_text: z.txt:2: Tea, and tea\r\na/b/one.txt:1: tea\na/b/one.txt:2: green tea"
    );
    assert_eq!(
        text(&mut agent, &find(r#"{"text":"tea","path":"z.txt"}"#)),
        "find_text: z.txt:2: Tea, and tea\r"
    );
    assert_eq!(text(&mut agent, &find(r#"{"text":"milk"}"#)), "find_text: ");
    for (arguments, code) in [
        (r#"{"text":""}"#, ErrorCode::InvalidArguments),
        (r#"{"text":"a","path":"none"}"#, ErrorCode::NotFound),
        (r#"{"text":"a","path":"large"}"#, ErrorCode::TooLarge),
        (
            r#"{"text":"a","path":"../x"}"#,
            ErrorCode::PathOutsideSandbox,
        ),
    ] {
        assert_eq!(
            tool_error(&mut agent, &find(arguments)),
            code,
            "{arguments}"
        );
    }
    fs::write(root.path().join("many"), "tea\n".repeat(300)).unwrap();
    let many = text(&mut agent, &find(r#"{"text":"tea","path":"many"}"#));
    assert_eq!(many.lines().count(), 201);
    assert!(many.ends_with("more than 200 lines)"), "{many}");
}

/// A link into the agent's own folder, or out of the root, is not followed; nor is a circle for
/// ever.
#[cfg(unix)]
#[test]
fn texts_behind_links() {
    let root = temporary();
    let outside = temporary();
    fs::write(outside.path().join("secret"), "tea").unwrap();
    let mut agent = at("{}", root.path());
    say(&mut agent, "remember drink: tea");
    for (to, name) in [
        (outside.path(), "out"),
        (std::path::Path::new(".clawft"), "own"),
        (std::path::Path::new("."), "circle"),
    ] {
        std::os::unix::fs::symlink(to, root.path().join(name)).unwrap();
    }
    fs::write(root.path().join("f"), "tea").unwrap();
    let found = text(&mut agent, r#"/tool find_text {"text":"tea"}"#);
    assert!(found.contains("f:1: tea"), "{found}");
    assert!(
        !found.contains("out/") && !found.contains("own/"),
        "{found}"
    );
    assert!(!found.contains("memory.json"), "{found}");
}
