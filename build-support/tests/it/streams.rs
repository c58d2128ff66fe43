//! Where files go and come from that are no files on a disk: pipes, devices, links, standard input
//! and output; and disks that take no more.

use crate::support::ended::{Ended, tool, well};
use crate::support::programs::CARGO_BUDGET;
use build_support::system::process;
use std::fs;
use std::io::Read as _;
use std::os::unix::fs::{FileTypeExt as _, symlink};
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// A folder with a module in `in.wasm`, and what `optimize` makes of it.
fn folder() -> (TempDir, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let module = r#"(module (func $app::run (export "f") (result i32) (i32.add (i32.const 1) (i32.const 2))))"#;
    let module = wat::parse_str(module).unwrap();
    fs::write(folder.path().join("in.wasm"), module).unwrap();
    well(folder.path(), &["optimize", "in.wasm", "-o", "small.wasm"]);
    let small = fs::read(folder.path().join("small.wasm")).unwrap();
    (folder, small)
}

fn shell(folder: &Path, script: &str) -> Command {
    let mut shell = crate::support::ended::command("sh", folder);
    let tool = crate::support::programs::TOOL;
    shell.args(["-c", &script.replace("TOOL", tool)]);
    shell
}

/// Protects pipes: `-` is standard input and output, and nothing else is said there.
#[test]
fn a_dash_is_standard_input_and_output() {
    let (folder, small) = folder();
    let root = folder.path();
    let script = "TOOL optimize - -o - < in.wasm | TOOL optimize - -o /dev/stdout";
    let done = shell(root, script).output().unwrap();
    assert!(done.status.success() && done.stdout == small, "{done:?}");
    let said = String::from_utf8(done.stderr).unwrap();
    assert!(
        said.contains("wasm-opt") || said.contains("optimize"),
        "{said}"
    );

    let piped = |script| Ended::of(&mut shell(root, script)).with(0).stdout;
    let own = well(root, &["analyze", "in.wasm", "--by", "section"]);
    let own = own.replace("in.wasm", "-");
    assert_eq!(piped("TOOL analyze - --by section < in.wasm"), own);
    assert!(piped("TOOL diff - small.wasm < in.wasm").contains("code"));
    assert!(piped("TOOL report in.wasm --format markdown -o -").contains("in.wasm"));
    piped(
        "TOOL optimize in.wasm -o new.wasm --symbols - | TOOL symbolicate --map - --trace in.wasm > out",
    );
    assert!(!root.join("-").exists());
}

/// Protects what is read once and written once from being mixed.
#[test]
fn two_that_want_one_stream_are_refused() {
    let (folder, _) = folder();
    let cases: [(&[&str], &str); 7] = [
        (&["diff", "-", "-"], "standard input can be read once"),
        (
            &["report", "-", "--against", "-"],
            "standard input can be read once",
        ),
        (&["symbolicate", "-"], "standard input can be read once"),
        (
            &["optimize", "in.wasm", "-o", "-", "--json"],
            "leave --json out",
        ),
        (
            &["optimize", "in.wasm", "-o", "-", "--symbols", "-"],
            "two files",
        ),
        (
            &["optimize", "in.wasm", "-o", "x", "--symbols", "x"],
            "two files",
        ),
        (&["precompile", "in.wasm", "-o", "-"], "a record beside it"),
    ];
    for (arguments, expected) in cases {
        let refused = Ended::of(tool(folder.path(), arguments).stdin(Stdio::null()));
        let refused = refused.with(2);
        assert!(
            refused.stdout.is_empty(),
            "{arguments:?}: {}",
            refused.stdout
        );
        let said = &refused.stderr;
        assert!(said.contains(expected) && said.contains("help:"), "{said}");
    }
}

/// Protects devices, pipes and links from being replaced by a file.
#[test]
fn what_is_no_file_is_written_through() {
    let (folder, small) = folder();
    let root = folder.path();
    let fifo = root.join("fifo");
    process::run(process::command("mkfifo").arg(&fifo)).unwrap();
    let reader = std::thread::spawn({
        let fifo = fifo.clone();
        move || fs::read(fifo).unwrap()
    });
    let to = |output: &str| Ended::of(&mut tool(root, &["optimize", "in.wasm", "-o", output]));
    to("fifo").with(0);
    assert!(reader.join().unwrap() == small);
    assert!(fs::metadata(&fifo).unwrap().file_type().is_fifo());

    // By way of links: a fault costs the machine no device.
    for (link, device) in [
        ("null", "/dev/null"),
        ("full", "/dev/full"),
        ("link", "real.wasm"),
    ] {
        symlink(device, root.join(link)).unwrap();
    }
    to("null").with(0);
    let full = to("full").with(2).stderr;
    assert!(full.contains("writing full: No space left"), "{full}");
    to("link").with(0);
    assert!(fs::read(root.join("real.wasm")).unwrap() == small);
    for link in ["null", "full", "link"] {
        assert!(root.join(link).is_symlink(), "{link}");
    }
}

/// Protects exit codes: that nobody reads on is no error, and does not hide one.
#[test]
fn a_reader_may_leave() {
    let (folder, _) = folder();
    let root = folder.path();
    let unread = |arguments: &[&str], both: bool| {
        let mut command = tool(root, arguments);
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        if both {
            command.stderr(writer.try_clone().unwrap());
        } else {
            command.stderr(Stdio::piped());
        }
        let mut child = command.stdout(writer).spawn().unwrap();
        drop(command);
        let mut said = String::new();
        if let Some(mut stderr) = child.stderr.take() {
            stderr.read_to_string(&mut said).unwrap();
        }
        (child.wait().unwrap().code(), said)
    };
    for arguments in [
        &["analyze", "in.wasm"][..],
        &["analyze", "in.wasm", "--json"],
        &["report", "in.wasm"],
        &["optimize", "in.wasm", "-o", "-"],
        &["optimize", "in.wasm", "--snip", "--dry-run"],
    ] {
        let (code, said) = unread(arguments, false);
        assert_eq!(code, Some(0), "{arguments:?}: {said}");
        assert!(!said.contains("error"), "{arguments:?}: {said}");
    }
    assert_eq!(unread(&["analyze", "in.wasm"], true).0, Some(0));
    assert_eq!(unread(&["analyze", "no.wasm"], true).0, Some(2));

    let full = Ended::of(&mut shell(root, "TOOL analyze in.wasm > /dev/full")).with(2);
    let expected = "writing to standard output: No space left";
    assert!(full.stderr.contains(expected), "{}", full.stderr);
}

/// Protects what is there from a disk that takes no more: it stays, nothing is left beside it, and
/// the message names the file.
#[test]
fn a_full_disk_loses_nothing() {
    let (folder, _) = folder();
    let root = folder.path();
    fs::write(root.join("page.html"), "from before").unwrap();
    // What is written beyond the limit fails, as on a full disk.
    let script = "trap '' XFSZ; ulimit -f 8; exec TOOL report in.wasm -o page.html";
    let full = Ended::of(&mut shell(root, script)).with(2);
    assert!(
        full.stderr.contains("writing page.html: "),
        "{}",
        full.stderr
    );
    assert_eq!(
        fs::read_to_string(root.join("page.html")).unwrap(),
        "from before"
    );
    assert_eq!(fs::read_dir(root).unwrap().count(), 3);
}

/// Protects what is there from a disk that takes nothing: the message says so, for a page, a
/// module, names and a budget alike.
#[cfg(target_os = "linux")]
#[test]
fn a_read_only_disk_loses_nothing() {
    let (folder, _) = folder();
    let root = folder.path();
    let manifest = "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n\n[lib]\ncrate-type = [\"cdylib\"]\n";
    let lock = "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\n";
    fs::create_dir(root.join("src")).unwrap();
    for (name, text) in [
        ("Cargo.toml", manifest),
        ("Cargo.lock", lock),
        ("src/lib.rs", ""),
    ] {
        fs::write(root.join(name), text).unwrap();
    }
    let module = fs::read(root.join("in.wasm")).unwrap();
    let entries = fs::read_dir(root).unwrap().count();
    let mount = "mount --bind . . && mount -o remount,bind,ro . && cd \"$PWD\"";
    for call in [
        "TOOL report in.wasm -o page.html",
        "TOOL optimize in.wasm -o in.wasm",
        "TOOL optimize in.wasm -o made.wasm --symbols made.json",
        "BUDGET init --from in.wasm --target wasm32-unknown-unknown",
    ] {
        let call = call.replace("BUDGET", CARGO_BUDGET);
        let script = format!("exec unshare --map-root-user --mount sh -c '{mount} && exec {call}'");
        let refused = Ended::of(&mut shell(root, &script)).with(2);
        let said = &refused.stderr;
        assert!(said.contains("Read-only file system"), "{call}: {said}");
    }
    assert!(fs::read(root.join("in.wasm")).unwrap() == module);
    let after = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    assert_eq!(after, manifest);
    assert_eq!(fs::read_dir(root).unwrap().count(), entries);
}
