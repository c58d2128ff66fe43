//! Names that somebody demangled before they came here, with the hashes left in: wasm-bindgen
//! writes `core[3c1f]::fmt::write` for v0 names and `core::fmt::write::h0123456789abcdef` for
//! legacy ones; a linker that takes those for C++ leaves the escapes in them besides.

use std::borrow::Cow;

/// How long a legacy hash is, in hexadecimal digits.
const HASH: usize = 16;

/// The name as this crate would have demangled it. A name without hashes is as it was.
pub fn left_out(name: &str) -> Cow<'_, str> {
    if let Some(path) = without_last(name) {
        return match mangled_again(path) {
            Some(symbol) => format!("{:#}", rustc_demangle::demangle(&symbol)).into(),
            None => path.into(),
        };
    }
    without_crates(name).map_or(name.into(), Cow::Owned)
}

/// `path` of `path::h0123456789abcdef`, whatever the compiler's backend put behind it.
fn without_last(name: &str) -> Option<&str> {
    let (path, hash) = name.rsplit_once("::h")?;
    let (hash, suffix) = hash.split_at_checked(HASH)?;
    let is_suffix = suffix.is_empty() || suffix.starts_with('.');
    (is_suffix && is_hex(hash) && !path.is_empty()).then_some(path)
}

/// A path whose brackets are still escaped (`$LT$`, `..`), as the symbol it was.
fn mangled_again(path: &str) -> Option<String> {
    if !path.contains('$') && !path.contains("..") {
        return None;
    }
    let segments = path.split("::");
    let segments: String = segments.map(|s| format!("{}{s}", s.len())).collect();
    Some(format!("_ZN{segments}17h{:0HASH$}E", 0))
}

/// A v0 name in full, without its crates' hashes and the types of its constants; none where it has
/// no such hash.
fn without_crates(name: &str) -> Option<String> {
    let mut kept = String::with_capacity(name.len());
    let mut found = false;
    let mut rest = name;
    while let Some(open) = rest.find('[') {
        let (before, behind) = rest.split_at(open);
        kept.push_str(before);
        let hash = behind[1..].split_once(']').filter(|(inside, rest)| {
            // A crate is in front of what is in it.
            rest.starts_with("::")
                && !inside.is_empty()
                && inside.len() <= HASH
                && is_hex(inside)
                && kept.ends_with(in_name)
        });
        rest = match hash {
            Some((_, rest)) => {
                found = true;
                rest
            }
            None => {
                kept.push('[');
                &behind[1..]
            }
        };
    }
    kept.push_str(rest);
    found.then(|| without_types(&kept))
}

/// `3usize` is `3`.
fn without_types(name: &str) -> String {
    let mut kept = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let word = rest[start..].find(|c| !in_name(c));
        let (word, behind) = rest[start..].split_at(word.unwrap_or(rest.len() - start));
        kept.push_str(&rest[..start]);
        let digits = word.trim_start_matches(|c: char| c.is_ascii_digit());
        let is_type = matches!(
            digits,
            "u8" | "u16"
                | "u32"
                | "u64"
                | "u128"
                | "usize"
                | "i8"
                | "i16"
                | "i32"
                | "i64"
                | "i128"
                | "isize"
        );
        let is_number = is_type && !kept.ends_with(in_name);
        kept.push_str(if is_number {
            &word[..word.len() - digits.len()]
        } else {
            word
        });
        rest = behind;
    }
    kept.push_str(rest);
    kept
}

fn in_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn is_hex(text: &str) -> bool {
    text.bytes()
        .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

#[cfg(test)]
mod tests {
    use crate::wasm::path::demangle;

    /// Protects files that went through wasm-bindgen or another linker: their names are those of
    /// the symbols, whoever read them first.
    #[test]
    fn whoever_demangled_it_it_is_one_name() {
        for symbol in [
            "_ZN4core6option13unwrap_failed17h0123456789abcdefE",
            "_ZN4core3ptr42drop_in_place$LT$alloc..string..String$GT$17h0123456789abcdefE",
            "_ZN58_$LT$alloc..string..String$u20$as$u20$core..fmt..Write$GT$9write_str17hfedcba9876543210E",
            "_ZN4core3ops8function6FnOnce40call_once$u7b$$u7b$vtable.shim$u7d$$u7d$17h0123456789abcdefE",
            "_RNvNtCs3Ks1mVPDHNs_4core6option13unwrap_failed",
            "_RINvNtCs3Ks1mVPDHNs_4core3ptr13drop_in_placehEB4_",
            "_RINvCs3Ks1mVPDHNs_3app1fKj3_E",
            "_RNvXCs3Ks1mVPDHNs_3appAhj3_NtB2_1T1f",
        ] {
            let name = demangle(symbol);
            assert_ne!(name, symbol);
            let full = rustc_demangle::demangle(symbol).to_string();
            assert_ne!(full, name);
            assert_eq!(demangle(&full), name, "{full}");
            assert_eq!(demangle(&name), name, "once more changes nothing");
        }
        // As a linker for C++ has them.
        let cases = [
            (
                "core::ptr::drop_in_place$LT$alloc..string..String$GT$::h0123456789abcdef",
                "core::ptr::drop_in_place<alloc::string::String>",
            ),
            (
                "_$LT$alloc..string..String$u20$as$u20$core..fmt..Write$GT$::write_str::h0123456789abcdef",
                "<alloc::string::String as core::fmt::Write>::write_str",
            ),
            (
                "core::fmt::write::h0123456789abcdef.llvm.123",
                "core::fmt::write",
            ),
            ("std[1a]::rt::lang_start::<()>", "std::rt::lang_start::<()>"),
        ];
        for (name, expected) in cases {
            assert_eq!(demangle(name), expected);
        }
    }

    /// Protects names that only look as if a hash stood in them.
    #[test]
    fn what_is_no_hash_stays() {
        for name in [
            "app::h0123",
            "app::h0123456789abcdefg",
            "app::hello_world_hello",
            "::h0123456789abcdef",
            "<[u8] as app::T>::f",
            "<app::A<[a; 3]>>::f",
            "f[abi:cxx11](int)",
            "operator new[](unsigned long)",
            "app::u8::f3usize",
            "runtime.mallocgc[12]",
            "é[",
            "[",
            "a[ab",
        ] {
            assert_eq!(demangle(name), name);
        }
    }
}
