;; A segment that is out of bounds traps when the module is instantiated, zeros or not: it stays, and so does one that fills a
;; table nobody uses.
;; RUN: optimize %in -o %out
(module
  (memory 1)
  (table 1 funcref)
  (data (i32.const 65534) "\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00")
  (elem (i32.const 1) func $f)
  (func $f (export "f") (result i32) (i32.add (i32.const 1) (i32.const 2))))
