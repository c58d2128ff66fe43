;; A pattern that names nothing is said, not ignored.
;; RUN: optimize %in --snip --allow core::panicing::panic --dry-run
(module (func $_ZN4core9panicking5panic17h0123456789abcdefE (export "a") (unreachable)))
