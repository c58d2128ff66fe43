;; Data at 1,024 and the stack above it: a constant that is added may go into the offset of an access.
;; RUN: optimize %in -o %out --compact off
(module
  (memory (export "memory") 2)
  (global $__stack_pointer (mut i32) (i32.const 66576))
  (data (i32.const 1024) "some data")
  (func (export "f") (param i32) (result i32)
    (global.set $__stack_pointer (i32.sub (global.get $__stack_pointer) (local.get 0)))
    (i32.add (i32.load (i32.add (local.get 0) (i32.const 8))) (i32.load (i32.add (local.get 0) (i32.const 12))))))
