;; A memory with pages of one byte is itself again after Binaryen 116, which knows none.
;; RUN: optimize %in -o %out
(module
  (memory (export "m") 10 12 (pagesize 1))
  (data (i32.const 6) "abcd")
  (func $nobody (result i32) (i32.const 7))
  (func (export "f") (result i32) (i32.add (memory.size) (i32.add (i32.const 1) (i32.const 2)))))
