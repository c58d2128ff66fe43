;; A function of a panic family that can return is not snipped, and the listing says so.
;; RUN: optimize %in --snip --dry-run
(module
  (func $_ZN4core9panicking5quiet17h0123456789abcdefE (export "a") (param i32) (result i32) (local.get 0))
  (func $_ZN4core9panicking5panic17h0123456789abcdefE (export "b") (param i32) (unreachable)))
