;; A name that nothing has.
;; RUN: analyze %in --why app::nobody
(module
  (func $_ZN3app3run17h0123456789abcdefE (export "run")))
