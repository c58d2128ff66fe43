//! The native program that native figures are taken of: it is built, answers the transcript, and
//! says what is wrong.

use crate::agent;
use build_support::system::process;
use lab::native;
use lab::transcript::Transcript;

#[test]
fn it_is_measured_and_says_what_is_wrong() {
    let package = agent();
    let transcript = Transcript::of(&package).unwrap();

    // Every message of every process was answered, or this is an error.
    let native = native::run(&package, &transcript, 3).unwrap();
    assert!(native.rustc.starts_with("rustc ") && !native.target.is_empty());
    assert!(native.bytes > 100_000, "{} bytes", native.bytes);
    assert_eq!((native.process.samples, native.message.samples), (3, 1));

    let program = native::build(&package).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let said = |args: &[&str]| {
        let mut command = process::command(&program);
        command.arg("--root").arg(folder.path()).args(args);
        process::output(&mut command).map_err(|error| error.to_string())
    };
    let answers = said(&["write a.txt: b", "read a.txt"]).unwrap();
    assert_eq!(answers.lines().count(), 2, "{answers}");
    assert!(folder.path().join("a.txt").is_file());
    // 1 for an answer that is an error, 2 for what could not be run.
    for (args, expected) in [
        (&["--session", "../x", "hello"][..], "exit status: 1"),
        (&["--config", "{", "hello"], "exit status: 2"),
        (&["--nope"], "there is no option --nope"),
        (&["--session"], "--session needs a value"),
    ] {
        let error = said(args).unwrap_err();
        assert!(error.contains(expected), "{args:?}: {error}");
    }
}
