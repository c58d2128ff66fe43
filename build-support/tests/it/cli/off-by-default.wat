;; A file from elsewhere keeps its panic messages unless asked.
;; RUN: optimize %in -o %out
(module
  (import "env" "print" (func $print (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "boom")
  (func $_ZN4core9panicking5panic17h0123456789abcdefE (call $print (i32.const 16)) (unreachable))
  (func (export "f") (call $_ZN4core9panicking5panic17h0123456789abcdefE)))
