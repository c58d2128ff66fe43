;; What changed, by every grouping; a new hash is no change, and each table sums to the difference.
;; RUN: diff %old %in
(module
  (memory 1)
  (data $.rodata (i32.const 0) "0123456789abc")
  (func $_ZN5serde2de4read17h1111111111111111E (param i32) (drop (local.get 0)) (drop (local.get 0)))
  (func $_ZN3app4sort17h0123456789abcdefE (nop))
  (func $_ZN3app4sort17h2222222222222222E (nop) (nop))
  (func $_ZN3new1f17h0123456789abcdefE (nop) (nop) (nop) (nop))
  (func $_ZN3app4main17h0123456789abcdefE (nop)))
