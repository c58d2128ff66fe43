;; A user's own functions that look like the standard library's are left alone.
;; RUN: optimize %in --snip --dry-run
(module
  (func $_ZN3app9panicking9panic_fmt17h0123456789abcdefE (export "a") (unreachable))
  (func $_ZN58_$LT$app..panicking..E$u20$as$u20$core..fmt..Display$GT$3fmt17h0123456789abcdefE (export "b") (unreachable))
  (func $_ZN3app13unwrap_failed17h0123456789abcdefE (export "c") (unreachable))
  (func $_ZN3std9panicking8set_hook17h0123456789abcdefE (export "d") (unreachable)))
