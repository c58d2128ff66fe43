;; The same when it is only read; this one is cut short.
;; RUN: analyze %in --by item
(module
  (func (export "a") (param i32) (result i32) (i32.add (call 1) (local.get 0)))
  (func (result i32) (i32.const 4))
  (func (export "c") (result i32) (call 1))
  (@custom "name" "\01\10\03\01\04beta"))
