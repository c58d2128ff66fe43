;; `table.fill`, which Binaryen 116 cannot read and wasm-bindgen writes, goes through it: the sum is folded, the operator is there.
;; RUN: optimize %in -o %out
(module
  (table $t 8 externref)
  (func (export "drop") (param i32 i32)
    (table.fill $t
      (i32.add (local.get 0) (i32.add (i32.const 1) (i32.const 2)))
      (ref.null extern)
      (local.get 1)))
  (func (export "size") (result i32) (table.size $t)))
