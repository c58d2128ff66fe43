;; A file that was not linked with --emit-relocs is not swept, and says what to do.
;; RUN: optimize %in -o %out --snip --sweep
(module
  (memory (export "memory") 1)
  (func (export "f") (result i32) (i32.load (i32.const 8)))
  (data (i32.const 8) "\01"))
