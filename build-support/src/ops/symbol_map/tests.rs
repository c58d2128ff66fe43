use super::trace::{Tally, Tracer};
use super::*;

const MODULE: &str = r#"(module (@custom "extra" "") (import "env" "log" (func))
    (func $app::run (export "run") (call 0)) (func $app::help (unreachable)))"#;

fn artifact(wat: &str) -> Artifact {
    Artifact::new(wat::parse_str(wat).unwrap(), Path::new("app.wasm")).unwrap()
}

fn map(wat: &str) -> SymbolMap {
    SymbolMap::of_file(Path::new("app.wasm"), &artifact(wat)).unwrap()
}

/// What becomes of a line, with `0xRUN` for an offset in the body of the run function.
#[track_caller]
fn check(line: &str, expected: &str) {
    let map = map(MODULE);
    let run = map.modules[0].functions[1].body.unwrap().offset + 1;
    let real = |text: &str| text.replace("RUN", &format!("{run:x}"));
    let mut tracer = Tracer::new(&map, Scope::File);
    let line = real(line);
    let named = tracer.line(&line).unwrap_or_else(|| line.clone());
    assert_eq!(named, real(expected));
}

/// Protects each engine's lines, as they are written; the engines themselves are in
/// `tests/it/symbolicate.rs`.
#[test]
fn frames_of_every_engine_are_named() {
    let cases = [
        // wasmtime
        (
            "    0:   0xRUN - <unknown>!<wasm function 1>\n",
            "    0:   0xRUN - <unknown>!app::run\n",
        ),
        (
            "    1:   0xRUN - app!<wasm function 1>",
            "    1:   0xRUN - app!app::run",
        ),
        ("    2: <wasm function 2>", "    2: app::help"),
        // V8
        (
            "    at wasm://wasm/abcdef12:wasm-function[1]:0xRUN\n",
            "    at app::run (wasm://wasm/abcdef12:wasm-function[1]:0xRUN)\n",
        ),
        (
            "    at run (wasm://wasm/abcdef12:wasm-function[1]:0xRUN)\r\n",
            "    at app::run (wasm://wasm/abcdef12:wasm-function[1]:0xRUN)\r\n",
        ),
        // SpiderMonkey
        (
            "@http://h:8000/app.wasm:wasm-function[1]:0xRUN",
            "app::run@http://h:8000/app.wasm:wasm-function[1]:0xRUN",
        ),
        (
            "wasm-function[1]@http://h/app.wasm:wasm-function[1]:0xRUN\n",
            "app::run@http://h/app.wasm:wasm-function[1]:0xRUN\n",
        ),
        // JavaScriptCore
        ("<?>.wasm-function[2]@[wasm code]", "app::help@[wasm code]"),
        ("wasm-function[2]@[wasm code]\n", "app::help@[wasm code]\n"),
        // WAMR
        ("#00: 0x0123 - $f2\n", "#00: 0x0123 - app::help\n"),
        ("\t#1 $f2", "\t#1 app::help"),
        // An import is a function, too.
        ("#00: 0x0123 - $f0", "#00: 0x0123 - env.log"),
        // Anywhere else
        (
            r#"{"stack":"at wasm-function[1]:0xRUN\n at wasm-function[2]\n"}"#,
            r#"{"stack":"at wasm-function[1]:0xRUN (app::run)\n at wasm-function[2] (app::help)\n"}"#,
        ),
        (
            "see wasm-function[2] of me@home",
            "see wasm-function[2] (app::help) of me@home",
        ),
    ];
    for (line, expected) in cases {
        check(line, expected);
    }
}

/// Protects everything else that goes by.
#[test]
fn what_is_no_frame_stays_as_it_is() {
    for line in [
        "",
        "\n",
        "Caused by: wasm trap: wasm `unreachable` instruction executed",
        "    at run (file:///app.mjs:12:3)",
        "    0: 0x1b - app!app::run",
        "wasm-function[]:0x1 wasm-function[x] wasm-function[99999999999]",
        "<wasm function >",
        "#include $f2x",
        "# $f2",
        "@wasm-function[1",
        "at wasm-function[99]:0x1",
    ] {
        check(line, line);
    }
}

/// Protects against names that are believed and wrong: a place outside of the function is said.
#[test]
fn a_trace_of_another_build_shows() {
    let map = map(MODULE);
    let mut tracer = Tracer::new(&map, Scope::File);
    let line = "0: 0xffff - <unknown>!<wasm function 1>";
    let named = tracer.line(line).unwrap();
    assert_eq!(
        named,
        "0: 0xffff - <unknown>!app::run [the offset is not in it]"
    );
    assert_eq!(tracer.line("0: 0x1 - <unknown>!<wasm function 77>"), None);
    let expected = Tally {
        named: 1,
        unknown: 1,
        misplaced: 1,
    };
    assert_eq!(tracer.tally, expected);
}

const COMPONENT: &str = r#"(component
    (core module (func $one::first (unreachable)) (func $one::second))
    (component (core module (import "a" "b" (func)) (func $two::only (unreachable)))))"#;

/// Protects components: the index alone says little there, the offset says the rest, from either
/// beginning.
#[test]
fn the_offset_says_which_module_it_is() {
    let map = map(COMPONENT);
    let mut tracer = Tracer::new(&map, Scope::File);
    let place = |core: usize, index: usize| {
        let module = &map.modules[core];
        (module.offset, module.functions[index].body.unwrap().offset)
    };
    let mut named = |line: String| tracer.line(&line).unwrap();
    let (module, body) = place(1, 1);
    assert_eq!(
        named(format!(
            "0: {:#x} - <unknown>!<wasm function 1>",
            module + body
        )),
        format!(
            "0: {:#x} - <unknown>!two::only [core module 1]",
            module + body
        )
    );
    let (_, body) = place(0, 0);
    assert_eq!(
        named(format!("at wasm://wasm/1:wasm-function[0]:{body:#x}")),
        format!("at one::first [core module 0] (wasm://wasm/1:wasm-function[0]:{body:#x})")
    );
    assert_eq!(
        named("#00: 0x1 - $f1".to_owned()),
        "#00: 0x1 - one of {one::second [core module 0], two::only [core module 1]}"
    );
}

/// Protects the link between a map and its file, in every way there is.
#[test]
fn a_map_belongs_to_one_file() {
    let (component, file) = (artifact(COMPONENT), Path::new("app.wasm"));
    let map = SymbolMap::of_file(file, &component).unwrap();
    assert_eq!(map.scope(file, component.bytes()).unwrap(), Scope::File);
    let second = component.core_modules().nth(1).unwrap();
    assert_eq!(map.scope(file, second).unwrap(), Scope::Module(1));
    let other = map.scope(file, artifact(MODULE).bytes()).unwrap_err();
    assert!(other.to_string().contains("its SHA-256 is "), "{other}");

    let with = |id: &str, more: &str| {
        let id = format!(r#"(@custom "build_id" "\04{id}")"#);
        artifact(&format!("(module {id} {more} (func $f))"))
    };
    let map = SymbolMap::of_file(file, &with("aaaa", "")).unwrap();
    assert_eq!(map.build_id.as_deref(), Some("61616161"));
    let signed = with("aaaa", r#"(@custom "signature" "x")"#);
    assert_eq!(map.scope(file, signed.bytes()).unwrap(), Scope::File);
    let other = map.scope(file, with("bbbb", "").bytes()).unwrap_err();
    assert!(
        other
            .to_string()
            .contains("its build id is 61616161, the file's is 62626262"),
        "{other}"
    );
}

/// Protects whoever reads the file: what is written is what is read.
#[test]
fn a_map_is_read_as_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("app.symbols.json");
    let map = map(COMPONENT);
    std::fs::write(&file, map.write()).unwrap();
    assert_eq!(SymbolMap::read(&file).unwrap(), map);
    for (text, expected) in [
        ("{", "it is no symbol map"),
        ("[]", "it is no symbol map"),
        (
            &map.write().replace("\"schema\": 1", "\"schema\": 9"),
            "version 9",
        ),
    ] {
        std::fs::write(&file, text).unwrap();
        let error = SymbolMap::read(&file).unwrap_err().to_string();
        assert!(
            error.contains(expected) && error.contains("help: "),
            "{error}"
        );
    }
}
