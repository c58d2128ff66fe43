//! The reader beside `serde_json`: the same texts are JSON to both, and hold the same.

use alloc::format;

use super::{MAX_DEPTH, parse, parse_reply};
use crate::error::ErrorCode;

fn same_as_serde(text: &str) {
    let theirs = serde_json::from_str::<serde_json::Value>(text);
    match parse(text) {
        Ok(ours) => {
            let back: serde_json::Value = serde_json::from_str(&ours.to_json())
                .unwrap_or_else(|error| panic!("{text}: wrote {} ({error})", ours.to_json()));
            assert_eq!(
                back,
                theirs.unwrap_or_else(|e| panic!("{text}: we accept, serde: {e}"))
            );
        }
        Err(error) => assert!(theirs.is_err(), "{text}: serde accepts, we say {error:?}"),
    }
}

#[test]
fn agrees_with_serde_json() {
    let cases = [
        "",
        " ",
        "null",
        "nul",
        "nullx",
        "true",
        "false",
        "0",
        "-0",
        "01",
        "-",
        "1.",
        "1.5",
        ".5",
        "1e5",
        "1E+5",
        "1e",
        "1.5e-3",
        "+1",
        "NaN",
        "\"\"",
        "\"a\\nb\"",
        "\"\\u00e9\"",
        "\"\\ud83d\\ude00\"",
        "\"\\ud83d\"",
        "\"\\ud83d\\u0041\"",
        "\"\\ude00\"",
        "\"\\ud83dx\"",
        "\"\\u12\"",
        "\"\\x\"",
        "\"\n\"",
        "\"\u{7f}\u{1}\"",
        "\"é😀\"",
        "\"unterminated",
        "\"\\",
        "[]",
        "[ ]",
        "[1]",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[1,2 ,3 ]",
        "[",
        "]",
        "{}",
        "{ }",
        "{\"a\":1}",
        "{\"a\":1,}",
        "{\"a\"}",
        "{\"a\":}",
        "{a:1}",
        "{\"a\":{\"b\":[{}]}}",
        "{} {}",
        "\u{feff}{}",
        "[1]x",
        "\t\r\n 1 \t",
        "\u{a0}1",
        "\"\\/\\b\\f\\n\\r\\t\\\\\\\"\"",
        "tru",
        "[\"a\",null,true]",
    ];
    for case in cases {
        same_as_serde(case);
    }
}

#[test]
fn agrees_with_serde_json_on_mutations() {
    let seed = r#"{"a":[1,-2.5e3,"x\u00e9\n",{"b":null}],"c":true}"#;
    for at in 0..seed.len() {
        for byte in b"\"\\{}[]:,0-e.tu \n" {
            let mut bytes = seed.as_bytes().to_vec();
            bytes[at] = *byte;
            same_as_serde(core::str::from_utf8(&bytes).unwrap());
            bytes.insert(at, *byte);
            same_as_serde(core::str::from_utf8(&bytes).unwrap());
        }
        same_as_serde(&seed[..at]);
    }
}

#[test]
fn depth_is_limited() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(parse(&nested(MAX_DEPTH)).is_ok());
    let error = parse(&nested(MAX_DEPTH + 1)).unwrap_err();
    assert_eq!(error.code, ErrorCode::InvalidJson);
    assert_eq!(error.message, "nested too deeply at byte 64");
    assert!(parse(&"{\"a\":".repeat(1_000_000)).is_err());
}

#[test]
fn errors_give_the_byte() {
    assert_eq!(
        parse("[1,x]").unwrap_err().message,
        "expected a value at byte 3"
    );
    assert_eq!(
        parse("{\"a\" 1}").unwrap_err().message,
        "expected `:` at byte 5"
    );
}

/// A provider's text that was cut in the middle of a pair is still a text.
#[test]
fn half_a_surrogate_pair_in_a_reply() {
    for (text, want) in [
        (r#""\ud83d\ude00""#, "😀"),
        (r#""a\ud83d""#, "a\u{fffd}"),
        (r#""\ude00b""#, "\u{fffd}b"),
        (r#""\ud83d\ud83d\ude00""#, "\u{fffd}😀"),
        (r#""\ud83d\n""#, "\u{fffd}\n"),
        (r#""\ud83dx""#, "\u{fffd}x"),
    ] {
        assert_eq!(parse_reply(text, 9).unwrap().as_str(), Some(want), "{text}");
    }
    assert!(parse(r#""\ud83d""#).is_err());
    assert!(parse_reply(r#""\ud8""#, 9).is_err());
    assert!(parse_reply("[1,[2]]", 4).is_ok());
    let error = parse_reply("[1,[2]]", 3).unwrap_err();
    assert_eq!(error.message, "too many values at byte 4");
}
