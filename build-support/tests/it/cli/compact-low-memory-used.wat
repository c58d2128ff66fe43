;; The stack reaches down to 0: a sum that wraps may reach it, and constants stay where they are.
;; RUN: optimize %in -o %out --compact off
(module
  (memory (export "memory") 2)
  (global $__stack_pointer (mut i32) (i32.const 65536))
  (data (i32.const 65536) "some data")
  (func (export "f") (param i32) (result i32)
    (global.set $__stack_pointer (i32.sub (global.get $__stack_pointer) (local.get 0)))
    (i32.add (i32.load (i32.add (local.get 0) (i32.const 8))) (i32.load (i32.add (local.get 0) (i32.const 12))))))
