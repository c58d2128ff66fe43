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

/// The bytes of a text in which `\xNN` stands for one, and `\\` for a backslash.
fn unescaped(text: &str) -> alloc::vec::Vec<u8> {
    let mut bytes = alloc::vec::Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        bytes.extend_from_slice(before.as_bytes());
        if let Some(after) = after.strip_prefix('\\') {
            bytes.push(b'\\');
            rest = after;
        } else {
            bytes.push(u8::from_str_radix(&after[1..3], 16).expect(text));
            rest = &after[3..];
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}

/// The 318 kinds of the public suite, each with what becomes of it: what must be read is, what must
/// not be is refused, and what is left to the reader stays as it was decided.
#[test]
fn kinds_of_the_public_suite() {
    let mut counts = [0; 3];
    let mut names = alloc::collections::BTreeSet::new();
    let lines = include_str!("kinds.tsv").lines();
    for line in lines.filter(|line| !line.starts_with('#')) {
        let parts: alloc::vec::Vec<&str> = line.splitn(4, '\t').collect();
        let [outcome, times, name, text] = parts[..] else {
            panic!("{line}");
        };
        assert!(names.insert(name), "{name} twice");
        let text = unescaped(text).repeat(times.parse().unwrap());
        let read = core::str::from_utf8(&text).is_ok_and(|text| parse(text).is_ok());
        let wanted = match (&name[..2], outcome) {
            ("y_", "+") => 0,
            ("n_", "-") => 1,
            ("i_", "+" | "-") => 2,
            _ => panic!("{line}"),
        };
        counts[wanted] += 1;
        assert_eq!(read, outcome == "+", "{name}");
        // Depth and the size of numbers are where readers differ.
        if wanted < 2 {
            let theirs = serde_json::from_slice::<serde_json::Value>(&text);
            assert_eq!(theirs.is_ok(), read, "{name}: {theirs:?}");
        }
    }
    assert_eq!(counts, [95, 188, 35]);
}

/// What a provider sends is read as the rest is, but for half a surrogate pair.
#[test]
fn kinds_in_a_reply() {
    let lines = include_str!("kinds.tsv").lines();
    let mut mended = alloc::vec::Vec::new();
    for line in lines.filter(|line| !line.starts_with('#')) {
        let parts: alloc::vec::Vec<&str> = line.splitn(4, '\t').collect();
        let text = unescaped(parts[3]).repeat(parts[1].parse().unwrap());
        let Ok(text) = core::str::from_utf8(&text) else {
            continue;
        };
        let read = parse_reply(text, 10_000).is_ok();
        if read != (parts[0] == "+") {
            mended.push(parts[2]);
        }
    }
    let halves = [
        "i_object_key_lone_2nd_surrogate",
        "i_string_1st_surrogate_but_2nd_missing",
        "i_string_1st_valid_surrogate_2nd_invalid",
        "i_string_incomplete_surrogate_and_escape_valid",
        "i_string_incomplete_surrogate_pair",
        "i_string_incomplete_surrogates_escape_valid",
        "i_string_invalid_lonely_surrogate",
        "i_string_invalid_surrogate",
        "i_string_inverted_surrogates_U+1D11E",
        "i_string_lone_second_surrogate",
    ];
    assert_eq!(mended, halves);
}
