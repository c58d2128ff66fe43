;; The file before.
(module
  (memory 1)
  (data $.rodata (i32.const 0) "0123456789")
  (func $_ZN5serde2de4read17h0123456789abcdefE (param i32) (drop (local.get 0)) (drop (local.get 0)))
  (func $_ZN3app4sort17h0123456789abcdefE (nop))
  (func $_ZN3old1f17h0123456789abcdefE (nop) (nop) (nop) (nop) (nop))
  (func $_ZN3app4main17h0123456789abcdefE (nop) (nop)))
