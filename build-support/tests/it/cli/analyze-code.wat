;; The code alone: its tables sum to the functions; names that wasm-bindgen demangled are Rust's,
;; those of C++ are not.
;; RUN: analyze %in --code --by crate --by family --by section
(module
  (memory 1)
  (data $.rodata (i32.const 8) "a message of the program")
  (func $"core[3c1f]::option::unwrap_failed" unreachable)
  (func $app::run::h0123456789abcdef (nop))
  (func $app::run::hfedcba9876543210 (nop) (nop))
  (func $"std::__2::vector<int>::at(int) const" (nop) (nop) (nop))
  (func (export "main") (nop)))
