;; What Binaryen 116 does not know in its standard form is refused, with the offset.
;; RUN: optimize %in -o %out
(module
  (type $s (struct (field i32)))
  (func (export "f") (result i32) (struct.get $s 0 (struct.new $s (i32.const 1)))))
