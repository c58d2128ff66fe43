;; Legacy names: the panic entry point becomes a trap, its message and formatter go with it.
;; RUN: optimize %in -o %out --snip
(module
  (memory (export "memory") 1)
  (data (i32.const 16) "index out of bounds")
  (func $_ZN4core9panicking18panic_bounds_check17h0123456789abcdefE (param i32 i32)
    (call $_ZN4core3fmt5write17h0123456789abcdefE (local.get 0)) (unreachable))
  (func $_ZN4core3fmt5write17h0123456789abcdefE (param i32)
    (i32.store8 (local.get 0) (i32.load8_u (i32.const 16))))
  (func (export "at") (param i32) (result i32)
    (if (i32.ge_u (local.get 0) (i32.const 4))
      (then (call $_ZN4core9panicking18panic_bounds_check17h0123456789abcdefE (local.get 0) (i32.const 4)) (unreachable)))
    (i32.load8_u (local.get 0))))
