;; The allow list wins over the families.
;; RUN: optimize %in --snip --allow core::panicking::* --dry-run
(module
  (func $_ZN4core9panicking5panic17h0123456789abcdefE (export "a") (param i32) (unreachable))
  (func $_ZN4core6option13unwrap_failed17h0123456789abcdefE (export "b") (param i32) (unreachable)))
