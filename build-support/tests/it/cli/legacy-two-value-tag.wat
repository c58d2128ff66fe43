;; A tag with two values needs `multivalue`, which nothing else in the module does; Binaryen 116 knows exceptions of the older kind.
;; RUN: optimize %in -o %out
(module
  (tag $two (param i32 i64))
  (func $boom (param i32)
    (if (i32.eq (local.get 0) (i32.const 5)) (then (throw $two (i32.const 22) (i64.const 33)))))
  (func (export "f") (param i32) (result i32)
    try (result i32)
      (call $boom (local.get 0))
      (i32.add (i32.const 1) (i32.const 2))
    catch $two
      i32.wrap_i64
      i32.sub
    catch_all
      (i32.const 7)
    end))
