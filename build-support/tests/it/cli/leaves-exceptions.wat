;; Standard exceptions are left to a newer wasm-opt; names, hints for what was not changed, and what is not known are where they were.
;; RUN: optimize %in -o %out
(module
  (import "env" "f" (func $f (param i32)))
  (tag $t (param i32))
  (@custom "mine" "kept")
  (func $thrower (param i32)
    (@metadata.code.branch_hint "\00")
    (if (i32.gt_s (local.get 0) (i32.const 3)) (then (throw $t (local.get 0))))
    (call $f (local.get 0)))
  (func (export "go") (param i32) (result i32)
    (block $h (result i32)
      (try_table (catch $t $h) (call $thrower (local.get 0)))
      (i32.const -1))))
