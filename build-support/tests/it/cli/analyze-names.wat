;; The largest first, with their crates; what has no name is a row too.
;; RUN: analyze %in --top 4 --by item --by crate
(module
  (memory 1)
  (data $.rodata (i32.const 0) "0123456789")
  (func $_ZN5serde2de4read17h0123456789abcdefE (param i32) (drop (local.get 0)) (drop (local.get 0)))
  (func (drop (i32.const 1)))
  (func $_ZN3app4main17h0123456789abcdefE))
