//! Whether a name is a Rust path at all: C++, which is linked with Rust and demangled alike, has
//! paths with `::` too, and its namespaces are no crates.

/// Whether `name` has the form of a Rust path with a crate in it: `a::b::<T>::f`, `<T as U>::f`.
pub fn is_rust(name: &str) -> bool {
    name.contains("::") && !is_cxx_library(name) && is_path(name) && !has_cxx_types(name)
}

/// Whether the crate stands in the name. `__rustc` is none: it stands for what the compiler gives
/// to whichever crate has the allocator or the panic handler.
pub fn says_its_crate(name: &str) -> bool {
    is_rust(name) && !name.starts_with("__rustc::")
}

/// Identifiers, `::`, and whatever brackets enclose: a name with parameters, an operator or a
/// return type has more, and its brackets need not close.
fn is_path(name: &str) -> bool {
    let mut depth = 0_u32;
    let mut previous = ':';
    for c in name.chars() {
        match c {
            '<' | '{' | '[' | '(' => {
                // What is called, or an index, is none.
                if depth == 0 && matches!(c, '[' | '(') {
                    return false;
                }
                depth += 1;
            }
            '>' if previous == '-' => {}
            '>' | '}' | ']' | ')' => match depth.checked_sub(1) {
                Some(outside) => depth = outside,
                None => return false,
            },
            _ if depth > 0 || c.is_alphanumeric() => {}
            // The backend's suffixes begin with a dot.
            '_' | ':' | '.' | '$' => {}
            _ => return false,
        }
        previous = c;
    }
    depth == 0
}

/// The namespaces that libraries of C++ keep their versions in.
fn is_cxx_library(name: &str) -> bool {
    let inside = name.strip_prefix("std::").unwrap_or_default();
    let space = inside.split("::").next().unwrap_or_default();
    inside.len() > space.len() && (space.starts_with("__") && space != "__rust")
        || name.starts_with("__cxxabi")
        || name.starts_with("__gnu_cxx::")
}

/// Types that Rust writes otherwise: `T const`, `T&`, `T*`, `unsigned int`, `> >`.
fn has_cxx_types(name: &str) -> bool {
    let words = [" const", "unsigned ", "> >", "~", "::operator", "'lambda"];
    let mut pairs = name.chars().zip(name.chars().skip(1));
    words.iter().any(|word| is_cxx_word(name, word))
        || pairs
            .any(|(a, b)| matches!(b, '&' | '*') && (a.is_alphanumeric() || matches!(a, '_' | '>')))
}

fn is_cxx_word(name: &str, word: &str) -> bool {
    name.match_indices(word).any(|(at, _)| {
        let behind = name[at + word.len()..].chars().next();
        let before = name[..at].chars().next_back();
        if word == "unsigned " && !matches!(before, None | Some('<' | '(' | ' ')) {
            return false;
        }
        // An item may be called `operator_of`, or `operator`.
        word != "::operator"
            || !behind.is_none_or(|c| c.is_alphanumeric() || matches!(c, '_' | ':'))
    })
}

#[cfg(test)]
mod tests {
    use super::is_rust;

    #[test]
    fn cxx_is_no_rust() {
        for name in [
            "std::f(int)",
            "app::A::f() const",
            "app::A::f(int) const &",
            "void app::f<int>(int)",
            "app::A::operator=(app::A const&)",
            "app::operator<<(std::ostream&, app::A)",
            "app::A::operator->() const",
            "app::A::operator bool",
            "app::A<(app::E)0>::x(int)",
            "std::vector<int, std::allocator<int> >::push_back",
            "std::map<char const*, int>::value",
            "app::A<int&>::value",
            "app::A<unsigned int>::value",
            "app::A::~A",
            "(anonymous namespace)::f",
            "vtable for app::A",
            "guard variable for app::f()::x",
            "non-virtual thunk to app::A::f()",
            "std::__2::cout",
            "std::__cxx11::to_string[abi:cxx11]",
            "operator new(unsigned long)",
            "decltype(app::f()) app::g<int>",
            "app::f()::'lambda'()::operator()() const",
            "memcpy",
            "main",
            "",
            "[function 3]",
        ] {
            assert!(!is_rust(name), "{name}");
        }
    }

    #[test]
    fn rust_is() {
        for name in [
            "app::f",
            "app::f::<u8, [u8; 3]>::{closure#0}",
            "core::ptr::drop_in_place<alloc::string::String>",
            "core::ptr::drop_in_place<[&mut dyn core::fmt::Write + core::marker::Send; 2]>",
            "<app::A<fn(u8, &str) -> *const u8> as app::T>::f",
            "<&mut app::A as core::fmt::Write>::write_str",
            "<(*mut u8, *const [T]) as app::T>::f",
            "core::ops::function::FnOnce::call_once{{vtable.shim}}",
            "core::slice::<impl [T]>::sort",
            "app::main.command_export",
            "app::{impl#3}::f",
            "<app::A<{const 3}> as app::T>::f",
            "<for<'a> fn(&'a u8) -> &'a u8 as app::T>::f",
            "app::operator::f",
            "app::operator",
            "app::operator_of",
            "<app::unsigned as app::T>::f",
            "std::sys::backtrace::__rust_begin_short_backtrace::<fn(), ()>",
            "__rustc::__rust_alloc",
        ] {
            assert!(is_rust(name), "{name}");
        }
    }
}
