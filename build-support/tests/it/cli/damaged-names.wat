;; A name section with a name that is not UTF-8 and others out of order is a warning; the names that can be read are used.
;; RUN: optimize %in -o %out --deny beta
(module
  (func (export "a") (param i32) (result i32) (i32.add (call 1) (local.get 0)))
  (func (result i32) (i32.const 4))
  (func (export "c") (result i32) (call 1))
  (@custom "name" "\01\0f\03\01\04beta\00\03\ff\fe\fd\02\01c"))
