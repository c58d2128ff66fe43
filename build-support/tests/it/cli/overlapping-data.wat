;; Segments that overlap are written in their order, and nothing but the table is said about it.
;; RUN: optimize %in -o %out
(module
  (memory (export "m") 1)
  (func $nobody (result i32) (i32.const 7))
  (data (i32.const 8) "aaaa")
  (data (i32.const 10) "\00\00b")
  (func (export "f") (result i32) (i32.add (i32.load (i32.const 8)) (i32.add (i32.const 1) (i32.const 2)))))
