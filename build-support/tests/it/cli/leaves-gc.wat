;; What Binaryen 116 does not know in its standard form is left as it is, with words, and the run goes on.
;; RUN: optimize %in -o %out
(module
  (type $s (struct (field i32)))
  (func (export "f") (result i32) (struct.get $s 0 (struct.new $s (i32.const 1)))))
