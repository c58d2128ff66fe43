;; What is only read may use any proposal that the validator knows.
;; RUN: diff %in %in --by item
(module
  (memory (export "m") 10 (pagesize 1))
  (func (export "f") (param i32 i32) (memory.discard (local.get 0) (local.get 1))))
