;; Without names there is nothing to find, and the stage says so.
;; RUN: optimize %in -o %out --snip
(module (func (export "f") (result i32) (i32.const 1)))
