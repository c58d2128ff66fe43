;; What is only read may use any proposal that the validator knows.
;; RUN: analyze %in --by item
(module
  (memory (export "m") 10 (pagesize 1))
  (func (export "f") (result i32) (memory.size)))
