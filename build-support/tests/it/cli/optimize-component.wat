;; The core modules inside a component are optimised in place, at any depth; its interface is untouched.
;; RUN: optimize %in -o %out
(component
  (core module $m
    (func $two (result i32) (i32.add (i32.const 1) (i32.const 1)))
    (func (export "four") (result i32) (i32.mul (call $two) (call $two))))
  (core instance $i (instantiate $m))
  (func $four (result u32) (canon lift (core func $i "four")))
  (component $inner
    (core module $n (func (export "g") (result i32) (i32.sub (i32.const 9) (i32.const 8))))
    (core instance $j (instantiate $n))
    (func (export "one") (result u32) (canon lift (core func $j "g"))))
  (instance $k (instantiate $inner))
  (export "four" (func $four))
  (export "one" (func $k "one")))
