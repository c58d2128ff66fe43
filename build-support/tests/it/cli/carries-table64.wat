;; A table with 64-bit indices is kept from Binaryen 116 with all that is done to it; the functions in it stay, a sum is folded.
;; RUN: optimize %in -o %out
(module
  (type $f (func (param i32) (result i32)))
  (table $t (export "table") i64 4 funcref)
  (elem (table $t) (i64.const 1) func $double)
  (func $double (param i32) (result i32) (i32.add (local.get 0) (local.get 0)))
  (func (export "call") (param i32 i64) (result i32)
    (call_indirect $t (type $f) (i32.add (local.get 0) (i32.add (i32.const 1) (i32.const 2))) (local.get 1)))
  (func (export "grow") (result i64) (table.grow $t (ref.null func) (table.size $t))))
