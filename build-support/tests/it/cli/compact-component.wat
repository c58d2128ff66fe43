;; The names by which core modules find each other get short, those of the component stay.
;; RUN: optimize %in -o %out --compact cold
(component
  (core module $callee (func (export "a-function-of-the-callee") (result i32) i32.const 7))
  (core module $caller
    (import "the-module-that-is-called" "a-function-of-the-callee" (func (result i32)))
    (export "a-function-of-the-caller" (func 0)))
  (core instance $callee (instantiate $callee))
  (core instance $caller (instantiate $caller (with "the-module-that-is-called" (instance $callee))))
  (func (export "run") (result u32) (canon lift (core func $caller "a-function-of-the-caller"))))
