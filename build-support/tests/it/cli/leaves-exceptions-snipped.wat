;; Where no optimiser can read the module, the rest is still done: the panic loses its message, and what only it called goes.
;; RUN: optimize %in -o %out --snip
(module
  (import "env" "print" (func $print (param i32)))
  (tag $t (param i32))
  (func $only_for_messages (param i32) (call $print (local.get 0)))
  (func $_ZN4core9panicking5panic17h0123456789abcdefE (param i32)
    (call $only_for_messages (local.get 0))
    unreachable)
  (func (export "go") (param i32) (result i32)
    (if (i32.eqz (local.get 0))
      (then (call $_ZN4core9panicking5panic17h0123456789abcdefE (i32.const 7)) unreachable))
    (block $h (result i32)
      (try_table (catch $t $h) (throw $t (local.get 0)))
      (i32.const -1))))
