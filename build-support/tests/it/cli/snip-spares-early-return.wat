;; Ending in `unreachable` is not enough: a way out anywhere in the body spares the function.
;; RUN: optimize %in --snip --dry-run
(module
  (func $_ZN4core9panicking7returns17h0123456789abcdefE (export "a") (param i32)
    (if (local.get 0) (then (return))) (unreachable))
  (func $_ZN4core9panicking8branches17h0123456789abcdefE (export "b") (param i32)
    (block (br_if 1 (local.get 0))) (unreachable))
  (func $_ZN4core9panicking5table17h0123456789abcdefE (export "c") (param i32)
    (block (br_table 0 1 0 (local.get 0))) (unreachable))
  (func $_ZN4core9panicking4trap17h0123456789abcdefE (export "d") (param i32)
    (block (br_if 0 (local.get 0)) (unreachable)) (unreachable)))
