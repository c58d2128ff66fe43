;; Branch hints are of places in the code as it was: they go when it is rewritten. What is not known stays.
;; RUN: optimize %in -o %out
(module
  (@custom "mine" "kept")
  (func (export "f") (param i32) (result i32)
    (@metadata.code.branch_hint "\01")
    (if (result i32) (local.get 0)
      (then (i32.add (i32.const 1) (i32.const 2)))
      (else (i32.const 4)))))
