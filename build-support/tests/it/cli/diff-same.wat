;; A file compared with itself.
;; RUN: diff %in %in
(module
  (func $_ZN3app4main17h0123456789abcdefE))
