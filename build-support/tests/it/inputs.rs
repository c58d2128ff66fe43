//! Bytes that are no wasm, or not whole, given to `optimize`: exit 2, the place, and nothing
//! written.

use crate::support::ended::{Ended, tool};
use std::fs;

/// Runs `optimize` on `bytes`; an output file from before must stay as it was.
fn optimize(bytes: &[u8]) -> Ended {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out.wasm");
    fs::write(folder.path().join("in.wasm"), bytes).unwrap();
    fs::write(&output, "from before").unwrap();
    let args = ["optimize", "in.wasm", "-o", "out.wasm"];
    let ended = Ended::of(&mut tool(folder.path(), &args));
    if ended.code != 0 {
        assert_eq!(
            fs::read(&output).unwrap(),
            b"from before",
            "a failed run touched the output"
        );
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            2,
            "a failed run left a file behind"
        );
    }
    ended
}

#[track_caller]
fn refused(bytes: &[u8], expected: &str) {
    let Ended { stdout, stderr, .. } = optimize(bytes).with(2);
    assert!(stdout.is_empty());
    assert!(
        stderr.contains("in.wasm") && stderr.contains("(at offset 0x") && stderr.contains("help:"),
        "{stderr}"
    );
    assert!(stderr.contains(expected), "{expected:?} in {stderr}");
}

fn module() -> Vec<u8> {
    wat::parse_str(
        r#"(module
            (memory (export "memory") 1)
            (data (i32.const 16) "some data")
            (func $a (param i32) (result i32) (i32.load8_u (local.get 0)))
            (func (export "f") (param i32) (result i32) (i32.add (call $a (local.get 0)) (i32.const 1))))"#,
    )
    .unwrap()
}

fn component() -> Vec<u8> {
    wat::parse_str(
        r#"(component
            (core module $m (func (export "f") (result i32) (i32.const 4)))
            (core instance $i (instantiate $m))
            (func (export "f") (result u32) (canon lift (core func $i "f"))))"#,
    )
    .unwrap()
}

/// A fixed generator (xorshift64*): the same bytes on every run.
fn noise(mut seed: u64, length: usize) -> Vec<u8> {
    let mut next = || {
        seed ^= seed >> 12;
        seed ^= seed << 25;
        seed ^= seed >> 27;
        (seed.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 56) as u8
    };
    (0..length).map(|_| next()).collect()
}

#[test]
fn no_wasm_at_all() {
    refused(b"", "the file is empty");
    refused(b"fn main() { println!(\"hello\") }\n", "this is text");
    refused(&noise(1, 4096), "magic bytes");
    refused(b"\0asm", "ends inside its header");
    refused(b"\0asm\x02\0\0\0", "unknown binary version");
    refused(
        &[b"\0asm\x01\0\0\0".as_slice(), &noise(2, 4096)].concat(),
        "offset",
    );
}

#[test]
fn fifty_megabytes_of_nothing() {
    refused(&noise(3, 50 << 20), "magic bytes");
    refused(
        &[b"\0asm\x01\0\0\0".as_slice(), &noise(4, 50 << 20)].concat(),
        "offset",
    );
}

/// Every cut of a module and of a component: refused, or, where a section ends, still valid by
/// itself.
#[test]
fn cut_short() {
    for whole in [module(), component()] {
        optimize(&whole).with(0);
        let mut refusals = 0;
        for length in (0..whole.len()).step_by(3) {
            let cut = &whole[..length];
            if build_support::wasm::artifact::validate(cut).is_err() || length < 8 {
                refused(cut, "");
                refusals += 1;
            }
        }
        assert!(
            refusals > whole.len() / 6,
            "only {refusals} cuts were refused"
        );
    }
}

/// Flipped bytes: an error or a result, never a crash.
#[test]
fn mutated() {
    for whole in [module(), component()] {
        for (at, byte) in noise(5, 120)
            .chunks(2)
            .map(|pair| (usize::from(pair[0]), pair[1]))
        {
            let mut bytes = whole.clone();
            let at = 8 + at % (whole.len() - 8);
            bytes[at] ^= byte | 1;
            let ended = optimize(&bytes);
            assert!(matches!(ended.code, 0 | 2), "byte {at}: {ended:?}");
        }
    }
}

/// Deep nesting is valid wasm; an optimiser that recurses must have the stack for it.
#[test]
fn deeply_nested_blocks() {
    let depth = 20_000;
    let text = format!(
        "(module (func (export \"f\") (param i32) {} (br_if 0 (local.get 0)) {}))",
        "block ".repeat(depth),
        "end ".repeat(depth)
    );
    let ended = optimize(&wat::parse_str(text).unwrap());
    assert!(matches!(ended.code, 0 | 2), "{ended:?}");
}

/// A second optimiser is used when it is better, and its faults are said.
#[cfg(unix)]
#[test]
fn a_newer_wasm_opt_is_a_second_candidate() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let smaller = folder.path().join("smaller.wasm");
    fs::write(&smaller, b"\0asm\x01\0\0\0").unwrap();
    let script = folder.path().join("wasm-opt");
    let run = |body: &str| {
        let text = format!(
            "#!/bin/sh\nif [ \"$1\" = --version ]; then echo 'wasm-opt version 999'; exit; fi\n{body}\n"
        );
        fs::write(&script, text).unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(folder.path().join("in.wasm"), module()).unwrap();
        let args = ["optimize", "in.wasm", "-o", "out.wasm", "--json"];
        Ended::of(tool(folder.path(), &args).env("WASM_OPT", &script))
    };
    // The last argument is the output file.
    let better = run(&format!(
        "for last; do :; done; cp {} \"$last\"",
        smaller.display()
    ));
    let stdout = better.with(0).stdout;
    assert!(stdout.contains("kept: wasm-opt 999"), "{stdout}");

    let invalid = run("for last; do :; done; echo rubbish > \"$last\"");
    let stderr = invalid.with(2).stderr;
    assert!(stderr.contains("wasm-opt 999"), "{stderr}");

    let failing = run("echo 'no such option' >&2; exit 3");
    let stderr = failing.with(2).stderr;
    assert!(stderr.contains("no such option"), "{stderr}");
}

/// Protects files whose names are no text: whatever is printed of them is.
#[cfg(unix)]
#[test]
fn a_name_that_is_no_text_is_shown() {
    use std::os::unix::ffi::OsStrExt as _;
    let folder = tempfile::tempdir().unwrap();
    let name = std::ffi::OsStr::from_bytes(b"a\xff.wasm");
    let module = wat::parse_str(r#"(module (func (export "f")))"#).unwrap();
    fs::write(folder.path().join(name), module).unwrap();
    for args in [
        &["analyze", "--json"][..],
        &["analyze", "--why", "f", "--json"],
        &["optimize", "--dry-run", "--json"],
        &["report", "--format", "json"],
    ] {
        let mut command = tool(folder.path(), args);
        let ended = Ended::of(command.arg(name)).with(0);
        serde_json::from_str::<serde_json::Value>(&ended.stdout).unwrap();
        assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
    }
}
