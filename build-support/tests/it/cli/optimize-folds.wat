;; wasm-opt runs, and to convergence.
;; RUN: optimize %in -o %out
(module
  (func $two (result i32) (i32.add (i32.const 1) (i32.const 1)))
  (func $unused (result i32) (i32.const 7))
  (func (export "four") (result i32) (i32.mul (call $two) (call $two))))
