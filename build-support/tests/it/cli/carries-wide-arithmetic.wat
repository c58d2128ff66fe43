;; Operators with two results go through Binaryen 116.
;; RUN: optimize %in -o %out
(module
  (func (export "add") (param i64 i64 i64 i64) (result i64)
    (local $low i64)
    (i64.add128 (local.get 0) (local.get 1) (local.get 2) (local.get 3))
    (local.set $low)
    (drop)
    (i64.add (local.get $low) (i64.add (i64.const 1) (i64.const 2)))))
