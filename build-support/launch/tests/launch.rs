//! The launcher with a cargo that only writes the program it is asked for.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder of this test alone, with the launcher in it and a cargo that runs `script`.
fn folder(name: &str, script: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    fs::create_dir_all(&folder).unwrap();
    fs::copy(env!("CARGO_BIN_EXE_launch"), folder.join("launch")).unwrap();
    let cargo = folder.join("cargo");
    fs::write(
        &cargo,
        format!("#!/bin/sh\necho \"cargo $*\" >&2\n{script}\n"),
    )
    .unwrap();
    fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

#[allow(clippy::disallowed_methods)] // The module that the lint points at is not used here.
fn launch(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(folder.join("launch"));
    let command = command.args(args).current_dir(folder);
    command.env("CARGO", folder.join("cargo")).output().unwrap()
}

fn said(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let code = output.status.code().unwrap();
    (code, text(&output.stdout), text(&output.stderr))
}

/// Protects the first minutes on a fresh machine: what is going to happen is said before it does,
/// cargo's own progress is shown, and what was asked for is done; later nothing is said.
#[test]
fn a_first_run_is_announced_and_the_next_is_quiet() {
    let script = "printf '#!/bin/sh\\necho \"tool $* $BUILD_SUPPORT_BY_ALIAS\"\\nexit 1\\n' > tool; chmod +x tool";
    let folder = folder("first", script);
    let (code, stdout, stderr) = said(&launch(&folder, &["tool", "gate", "--json"]));
    assert_eq!(
        (code, stdout.as_str()),
        (1, "tool gate --json 1\n"),
        "{stderr}"
    );
    let (announced, built) = stderr.split_once("cargo build").unwrap();
    assert!(
        announced.contains("first run") && announced.contains(" min on "),
        "{stderr}"
    );
    assert_eq!(built, " --package tool\n");
    let (code, stdout, stderr) = said(&launch(&folder, &["tool"]));
    assert_eq!((code, stdout.as_str()), (1, "tool  1\n"));
    assert_eq!(stderr, "cargo build --package tool --quiet\n");
}

/// Protects CI: what cannot be built is an error of the tool, and nothing old is run in its place.
#[test]
fn what_cannot_be_built_is_not_run() {
    let folder = folder("broken", "exit 101");
    fs::write(folder.join("tool"), "#!/bin/sh\necho old\n").unwrap();
    let (code, stdout, _) = said(&launch(&folder, &["tool"]));
    assert_eq!((code, stdout.as_str()), (2, ""));
    let (code, _, stderr) = said(&launch(&folder, &[]));
    assert!(code == 2 && stderr.contains("name a program"), "{stderr}");
}
