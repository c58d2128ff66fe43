;; Names that wasm-bindgen or a linker has demangled are those of the panic entry points, too.
;; RUN: optimize %in --snip --dry-run
(module
  (func $"core[3c1f]::panicking::panic_fmt" (export "a") (unreachable))
  (func $"core::option::unwrap_failed::h0123456789abcdef" (export "b") (unreachable))
  (func $"app[12ab]::panicking::panic_fmt" (export "c") (unreachable))
  (func $"_$LT$app..E$u20$as$u20$core..panicking..T$GT$::panic::h0123456789abcdef" (export "d") (unreachable)))
