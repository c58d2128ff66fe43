;; Code that stands in several places becomes a function, constants that are long are written once.
;; RUN: optimize %in -o %out --compact all
(module
  (memory (export "memory") 1)
  (func (export "one") (param i32 i32) (result i32)
    (i32.store offset=16 (local.get 0)
      (i32.mul (i32.xor (i32.load offset=32 (local.get 1)) (i32.const 123456789)) (i32.rotl (local.get 0) (i32.const 3))))
    (i32.add (local.get 0) (i32.const 123456789)))
  (func (export "other") (param i32 i32 i32) (result i32)
    (i32.store offset=16 (local.get 2)
      (i32.mul (i32.xor (i32.load offset=32 (local.get 0)) (i32.const 123456789)) (i32.rotl (local.get 2) (i32.const 3))))
    (i32.sub (local.get 1) (i32.const 123456789)))
  (func (export "third") (param i32 i32) (result i32)
    (i32.store offset=16 (local.get 1)
      (i32.mul (i32.xor (i32.load offset=32 (local.get 0)) (i32.const 123456789)) (i32.rotl (local.get 1) (i32.const 3))))
    (i32.const 123456789)))
