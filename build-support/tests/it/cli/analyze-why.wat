;; The calls that lead to a function, through the table too; any file with names can say it.
;; RUN: analyze %in --why shout
(module
  (type $t (func))
  (table 1 funcref)
  (elem (i32.const 0) $_ZN3app5shout17h0123456789abcdefE)
  (func $_ZN3app3run17h0123456789abcdefE (export "run") (call $_ZN3app4help17h0123456789abcdefE))
  (func $_ZN3app4help17h0123456789abcdefE (call_indirect (type $t) (i32.const 0)))
  (func $_ZN3app5shout17h0123456789abcdefE (type $t)))
